use std::{net::IpAddr, path::PathBuf};

use http_kit::{layers::RequestLimits, serve::ServeLimits};
use serde::{Deserialize, Serialize};

/// The settings of sign-up, log-in and tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The SQLite file with people and their sessions.
    pub database: PathBuf,
    /// The folder with the private keys that sign access tokens; only its owner may read it.
    pub keys_dir: PathBuf,
    /// Who issues the access tokens (`iss`); every service that verifies them has the same.
    pub issuer: String,
    /// Whom the access tokens are for (`aud`); every service that verifies them has the same.
    pub audience: String,
    /// How long an access token lives; it cannot be revoked, so minutes.
    pub access_token_seconds: u64,
    /// How long a key is published before it signs, so that every service has fetched it by then.
    pub key_settle_seconds: u64,
    /// A session that is not used for so long ends.
    pub session_idle_days: u32,
    /// A session ends after so long, however much it is used.
    pub session_age_days_max: u32,
    /// Sessions of one person at once; a further one ends the one that was not used for longest.
    pub sessions_per_user_max: usize,
    /// For so long a cookie's previous refresh token is no theft but the second of two tabs.
    pub cookie_grace_ms: u64,
    /// Passwords hashed at once, each of which takes a core and 19 MiB.
    pub password_hashes_at_once: usize,
    /// Passwords that may wait for their turn; further ones are answered with 503.
    pub password_queue_max: usize,
    /// Attempts to log in or sign up per minute with one e-mail address.
    pub attempts_per_email_per_minute: u32,
    /// Attempts to log in or sign up per minute from one network address (of IPv6: from one /64).
    pub attempts_per_address_per_minute: u32,
    /// Gateways whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Origins besides the service's own host whose pages may use a session in a cookie.
    pub trusted_origins: Vec<String>,
    /// The bounds of requests.
    pub requests: RequestLimits,
    /// The bounds of the listener.
    pub serve: ServeLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "data/identity.sqlite".into(),
            keys_dir: "data/identity-keys".into(),
            issuer: "http://127.0.0.1:8080".to_owned(),
            audience: "daybook".to_owned(),
            access_token_seconds: 600,
            key_settle_seconds: 180,
            session_idle_days: 30,
            session_age_days_max: 365,
            sessions_per_user_max: 100,
            cookie_grace_ms: 10_000,
            password_hashes_at_once: 2,
            password_queue_max: 64,
            attempts_per_email_per_minute: 20,
            attempts_per_address_per_minute: 120,
            trusted_proxies: Vec::new(),
            trusted_origins: Vec::new(),
            requests: RequestLimits::default(),
            serve: ServeLimits::default(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value} {fix}")]
pub struct ConfigError {
    pub key: &'static str,
    pub value: String,
    pub fix: &'static str,
}

impl Config {
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |key, value: String, fix| Err(ConfigError { key, value, fix });
        if self.issuer.is_empty() {
            return refuse("issuer", "\"\"".into(), "is empty: set the address that people reach Daybook at");
        }
        if self.audience.is_empty() {
            return refuse("audience", "\"\"".into(), "is empty: set a word, the same in every service");
        }
        if !(60..=3_600).contains(&self.access_token_seconds) {
            let value = self.access_token_seconds.to_string();
            return refuse("access_token_seconds", value, "is not between 60 and 3600");
        }
        if self.session_idle_days == 0 || self.session_idle_days > self.session_age_days_max {
            let value = self.session_idle_days.to_string();
            return refuse("session_idle_days", value, "is not between 1 and session_age_days_max");
        }
        if self.session_age_days_max > 3_650 {
            let value = self.session_age_days_max.to_string();
            return refuse("session_age_days_max", value, "is more than ten years");
        }
        if self.cookie_grace_ms > 60_000 {
            let value = self.cookie_grace_ms.to_string();
            return refuse("cookie_grace_ms", value, "is more than a minute: a thief would have that long");
        }
        for (key, value) in [
            ("sessions_per_user_max", self.sessions_per_user_max),
            ("password_hashes_at_once", self.password_hashes_at_once),
            ("attempts_per_email_per_minute", self.attempts_per_email_per_minute as usize),
            ("attempts_per_address_per_minute", self.attempts_per_address_per_minute as usize),
        ] {
            if value == 0 {
                return refuse(key, value.to_string(), "would let nobody in: set at least 1");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_value_and_the_fix() {
        let config = Config { access_token_seconds: 5, ..Config::default() };
        let error = config.validate().unwrap_err();
        assert_eq!(error.to_string(), "access_token_seconds = 5 is not between 60 and 3600");
        assert!(Config { issuer: String::new(), ..Config::default() }.validate().is_err());
        assert!(Config { audience: String::new(), ..Config::default() }.validate().is_err());
        assert!(Config { session_idle_days: 366, ..Config::default() }.validate().is_err());
        assert!(Config { session_age_days_max: 4_000, ..Config::default() }.validate().is_err());
        assert!(Config { cookie_grace_ms: 60_001, ..Config::default() }.validate().is_err());
        assert!(Config { attempts_per_email_per_minute: 0, ..Config::default() }.validate().is_err());
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = serde_json::from_str::<Config>(r#"{"databse": "x"}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `databse`"), "{error}");
    }
}
