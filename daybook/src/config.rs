//! What can be set. Every setting has its default and its sentence in `config.default.toml`, and there only: the
//! structs below have no defaults of their own, so the two cannot drift apart. Services that are libraries have
//! defaults for those who use them alone; a test holds them against the file.
//!
//! Layers go over each other: defaults, the file, the environment, flags. [`load`] puts them together and has
//! [`Settings::validate`] hold the sum against what the program can do; all faults are told at once.

mod layers;

use std::{
    env, fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use chrono::NaiveDate;
use http_kit::{layers::RequestLimits, serve::ServeLimits};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

use crate::{cli::Failure, layout::Layout};

pub use layers::{Effective, Flags, Layer, load};

/// The annotated defaults, as `daybook config default` prints them.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// The settings that this process was started with.
pub fn of_process(flags: &Flags) -> Result<Settings, Failure> {
    Ok(load(flags, environment())?.settings)
}

/// Every variable of the process. Those that are no Unicode cannot be ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub data: Data,
    pub journal: Journal,
    pub command_api: command_api::Config,
    pub read_model: ReadModel,
    pub query_api: query_api::Config,
    pub identity: Identity,
    pub log: Log,
    pub demo: Demo,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    pub operations_listen: String,
    pub header_deadline_ms: u64,
    pub body_deadline_ms: u64,
    pub body_bytes_max: usize,
    pub connections_max: usize,
    pub drain_deadline_ms: u64,
    pub unread_bytes_max: u64,
    pub unread_deadline_ms: u64,
}

impl Server {
    pub fn serve_limits(&self) -> ServeLimits {
        ServeLimits {
            header_deadline_ms: self.header_deadline_ms,
            connections_max: self.connections_max,
            drain_deadline_ms: self.drain_deadline_ms,
            unread_bytes_max: self.unread_bytes_max,
            unread_deadline_ms: self.unread_deadline_ms,
        }
    }

    pub fn request_limits(&self) -> RequestLimits {
        RequestLimits { body_bytes_max: self.body_bytes_max, body_deadline_ms: self.body_deadline_ms }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    pub partitions: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadModel {
    pub readers: usize,
    pub queue_max: usize,
}

/// The service's settings without those that follow from the data directory and the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub issuer: String,
    pub audience: String,
    pub access_token_seconds: u64,
    pub key_settle_seconds: u64,
    pub session_idle_days: u32,
    pub session_age_days_max: u32,
    pub sessions_per_user_max: usize,
    pub cookie_grace_ms: u64,
    pub password_hashes_at_once: usize,
    pub password_queue_max: usize,
    pub attempts_per_email_per_minute: u32,
    pub attempts_per_address_per_minute: u32,
    pub trusted_proxies: Vec<IpAddr>,
    pub trusted_origins: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {
    pub seed: u32,
    pub last_day: String,
    pub email: String,
    pub password: SecretString,
}

impl Demo {
    /// `None` where the day on which the household is made is meant.
    pub fn last_day(&self) -> Option<NaiveDate> {
        self.last_day.parse().ok()
    }
}

/// The settings whose values are never shown.
const SECRETS: &[&str] = &["demo.password"];

/// One thing that is wrong with the configuration, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub key: String,
    /// As it was written; `None` for a fault that is not about a value.
    pub value: Option<String>,
    /// Where it was written; filled in when the layers are known.
    pub layer: Option<Layer>,
    pub fix: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(layer) = &self.layer {
            write!(f, " ({layer})")?;
        }
        write!(f, ": {}", self.fix)
    }
}

/// All that is wrong, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl Settings {
    /// For a service that keeps its decision state below this data directory.
    pub fn command_api_in(&self, layout: &Layout) -> command_api::Config {
        command_api::Config { directory: layout.decision_state.clone(), ..self.command_api.clone() }
    }

    pub fn read_model_config(&self) -> read_model::Config {
        read_model::Config { readers: self.read_model.readers, queue_max: self.read_model.queue_max }
    }

    /// For a service that keeps people and keys below this data directory.
    pub fn identity_in(&self, layout: &Layout) -> identity::Config {
        let identity = self.identity.clone();
        identity::Config {
            database: layout.identity.clone(),
            keys_dir: layout.signing_keys.clone(),
            issuer: identity.issuer,
            audience: identity.audience,
            access_token_seconds: identity.access_token_seconds,
            key_settle_seconds: identity.key_settle_seconds,
            session_idle_days: identity.session_idle_days,
            session_age_days_max: identity.session_age_days_max,
            sessions_per_user_max: identity.sessions_per_user_max,
            cookie_grace_ms: identity.cookie_grace_ms,
            password_hashes_at_once: identity.password_hashes_at_once,
            password_queue_max: identity.password_queue_max,
            attempts_per_email_per_minute: identity.attempts_per_email_per_minute,
            attempts_per_address_per_minute: identity.attempts_per_address_per_minute,
            trusted_proxies: identity.trusted_proxies,
            trusted_origins: identity.trusted_origins,
            requests: self.server.request_limits(),
            serve: self.server.serve_limits(),
        }
    }

    /// Holds the values against what the program can do with them.
    pub fn validate(&self) -> Result<(), Faults> {
        let mut checks = Checks::default();
        checks.address("server.listen", &self.server.listen);
        checks.address("server.operations_listen", &self.server.operations_listen);
        let both_listen = self.server.listen == self.server.operations_listen;
        checks.hold(
            !both_listen || self.server.listen.ends_with(":0"),
            "server.operations_listen",
            &self.server.operations_listen,
            "the API listens there already; give the operations listener a port of its own",
        );
        checks.range("server.header_deadline_ms", self.server.header_deadline_ms, 100, 600_000);
        checks.range("server.body_deadline_ms", self.server.body_deadline_ms, 100, 600_000);
        // The contract allows a bulk of 500 entries in one body.
        checks.range("server.body_bytes_max", self.server.body_bytes_max, 65_536, 104_857_600);
        checks.range("server.connections_max", self.server.connections_max, 1, 1_000_000);
        checks.range("server.drain_deadline_ms", self.server.drain_deadline_ms, 0, 600_000);
        checks.range("server.unread_bytes_max", self.server.unread_bytes_max, 0, 1 << 30);
        checks.range("server.unread_deadline_ms", self.server.unread_deadline_ms, 0, 60_000);

        let dir = self.data.dir.to_string_lossy();
        checks.hold(!dir.trim().is_empty(), "data.dir", &dir, "name a directory, such as \"data\"");

        checks.range("journal.partitions", self.journal.partitions, 1, 256);

        let commands = &self.command_api;
        checks.range("command_api.queue_max", commands.queue_max, 1, 1_000_000);
        checks.range("command_api.in_flight_max", commands.in_flight_max, 1, 1_000_000);
        checks.range("command_api.keys_kept_days", commands.keys_kept_days, 30, 3_650);
        checks.range("command_api.hot_books_max", commands.hot_books_max, 1, 10_000_000);
        checks.range("command_api.hot_entries_max", commands.hot_entries_max, 1, 1_000_000_000);
        checks.range("command_api.save_every_commits", commands.save_every_commits, 1, 1_000_000);
        checks.range("command_api.import_bytes_max", commands.import_bytes_max, 1_024, 268_435_456);
        checks.range("command_api.import_commit_lines", commands.import_commit_lines, 1, 5_000);
        checks.range("command_api.invitation_days", commands.invitation_days, 1, 365);

        checks.range("read_model.readers", self.read_model.readers, 1, 256);
        checks.range("read_model.queue_max", self.read_model.queue_max, 1, 1_000_000);

        checks.range("query_api.answers_bytes_max", self.query_api.answers_bytes_max, 0, 1 << 40);
        checks.range("query_api.min_version_wait_ms", self.query_api.min_version_wait_ms, 0, 2_000);
        checks.range("query_api.report_days_max", self.query_api.report_days_max, 366, 366_000);
        checks.range("query_api.exports_max", self.query_api.exports_max, 1, 256);
        checks.range("query_api.export_deadline_ms", self.query_api.export_deadline_ms, 1_000, 86_400_000);
        checks.range("query_api.live_streams_max", self.query_api.live_streams_max, 1, 1_000_000);
        checks.range(
            "query_api.live_streams_per_user_max",
            self.query_api.live_streams_per_user_max,
            1,
            10_000,
        );
        checks.range("query_api.live_keep_alive_ms", self.query_api.live_keep_alive_ms, 1_000, 600_000);
        checks.range("query_api.live_retry_ms", self.query_api.live_retry_ms, 0, 600_000);

        let identity = &self.identity;
        let is_address = ["http://", "https://"].iter().any(|scheme| {
            identity.issuer.strip_prefix(scheme).is_some_and(|host| !host.is_empty() && !host.contains(' '))
        });
        checks.hold(
            is_address,
            "identity.issuer",
            &identity.issuer,
            "write the public address of the API, as in \"https://daybook.example.org\"",
        );
        checks.hold(
            !identity.audience.trim().is_empty(),
            "identity.audience",
            &identity.audience,
            "name whom tokens are for, as in \"daybook\"",
        );
        checks.range("identity.access_token_seconds", identity.access_token_seconds, 60, 3_600);
        checks.range("identity.key_settle_seconds", identity.key_settle_seconds, 0, 86_400);
        checks.range("identity.session_age_days_max", identity.session_age_days_max, 1, 3_650);
        let idle_days_max = identity.session_age_days_max.clamp(1, 3_650);
        checks.range("identity.session_idle_days", identity.session_idle_days, 1, idle_days_max);
        checks.range("identity.sessions_per_user_max", identity.sessions_per_user_max, 1, 10_000);
        checks.range("identity.cookie_grace_ms", identity.cookie_grace_ms, 0, 60_000);
        checks.range("identity.password_hashes_at_once", identity.password_hashes_at_once, 1, 2);
        checks.range("identity.password_queue_max", identity.password_queue_max, 1, 10_000);
        let per_email = identity.attempts_per_email_per_minute;
        checks.range("identity.attempts_per_email_per_minute", per_email, 1, 100_000);
        let per_address = identity.attempts_per_address_per_minute;
        checks.range("identity.attempts_per_address_per_minute", per_address, 1, 1_000_000);

        if let Err(error) = EnvFilter::try_new(&self.log.filter) {
            let fix = format!("{error}; write a level, as in \"info\", or \"warn,daybook=debug\"");
            checks.hold(false, "log.filter", &self.log.filter, &fix);
        }

        let day = &self.demo.last_day;
        checks.hold(
            day.is_empty() || day.parse::<NaiveDate>().is_ok(),
            "demo.last_day",
            day,
            "write a day of the calendar, as in \"2026-11-23\", or leave it empty",
        );
        checks.hold(
            self.demo.email.contains('@'),
            "demo.email",
            &self.demo.email,
            "write an e-mail address, as in \"demo@example.org\"",
        );
        let letters = self.demo.password.expose_secret().chars().count();
        checks.hold(
            (8..=1_024).contains(&letters),
            "demo.password",
            "",
            "a password has 8 to 1,024 letters; choose one",
        );
        checks.finish()
    }
}

#[derive(Default)]
struct Checks {
    faults: Vec<Fault>,
}

impl Checks {
    fn hold(&mut self, holds: bool, key: &str, value: &str, fix: &str) {
        if !holds {
            let value = if SECRETS.contains(&key) { REDACTED } else { value };
            self.faults.push(Fault {
                key: key.to_owned(),
                value: Some(format!("{value:?}")),
                layer: None,
                fix: fix.to_owned(),
            });
        }
    }

    fn range<N: PartialOrd + fmt::Display>(&mut self, key: &str, value: N, min: N, max: N) {
        if value < min || value > max {
            let fix = format!("write a number from {min} to {max}");
            let value = Some(value.to_string());
            self.faults.push(Fault { key: key.to_owned(), value, layer: None, fix });
        }
    }

    fn address(&mut self, key: &str, value: &str) {
        let is_named = value.rsplit_once(':').is_some_and(|(host, port)| {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
            !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok()
        });
        let is_address = is_named || value.parse::<SocketAddr>().is_ok();
        self.hold(
            is_address,
            key,
            value,
            "write host and port, as in \"127.0.0.1:8080\"; port 0 takes a free one",
        );
    }

    fn finish(self) -> Result<(), Faults> {
        if self.faults.is_empty() { Ok(()) } else { Err(Faults(self.faults)) }
    }
}

const REDACTED: &str = "[redacted]";

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings: Settings = toml::from_str(DEFAULTS).unwrap();
        change(&mut settings);
        settings
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Settings), expected: &str) {
        let verdict = settings(change).validate();
        assert_eq!(verdict.map_or_else(|faults| faults.to_string(), |()| "valid".to_owned()), expected);
    }

    #[test]
    fn the_defaults_file_names_every_setting_and_no_other() {
        // No struct has serde defaults, so a key that the file lacks or has too many is an error here.
        check(|_| (), "valid");
    }

    #[test]
    fn the_services_have_the_same_defaults_and_no_setting_that_the_file_lacks() {
        let file: toml::Table = toml::from_str(DEFAULTS).unwrap();
        assert_eq!(file["command_api"], toml::Value::try_from(command_api::Config::default()).unwrap());
        assert_eq!(file["query_api"], toml::Value::try_from(query_api::Config::default()).unwrap());
        let settings = settings(|_| ());
        assert_eq!(settings.identity_in(&Layout::of(Path::new("data"))), identity::Config::default());
        let read_model = read_model::Config::default();
        let found = settings.read_model_config();
        assert_eq!((found.readers, found.queue_max), (read_model.readers, read_model.queue_max));
        assert_eq!(settings.server.serve_limits(), ServeLimits::default());
        assert_eq!(settings.server.request_limits(), RequestLimits::default());
    }

    #[test]
    fn every_setting_in_the_defaults_file_has_its_sentence() {
        let lines: Vec<&str> = DEFAULTS.lines().collect();
        let mut settings = 0;
        for pair in lines.windows(2) {
            let [above, line] = pair else { continue };
            if line.contains(" = ") && !line.starts_with('#') {
                settings += 1;
                assert!(above.starts_with("# ") && above.ends_with('.'), "no sentence above {line:?}");
            }
        }
        assert!(settings > 20, "{settings}");
    }

    #[test]
    fn a_value_out_of_bounds_is_named_with_its_fix() {
        check(
            |settings| settings.journal.partitions = 0,
            "journal.partitions = 0: write a number from 1 to 256",
        );
        check(
            |settings| settings.server.listen = "8080".to_owned(),
            "server.listen = \"8080\": write host and port, as in \"127.0.0.1:8080\"; port 0 takes a free one",
        );
        check(
            |settings| settings.server.operations_listen = "127.0.0.1:8080".to_owned(),
            "server.operations_listen = \"127.0.0.1:8080\": the API listens there already; give the operations \
             listener a port of its own",
        );
        check(
            |settings| settings.demo.last_day = "2026-02-30".to_owned(),
            "demo.last_day = \"2026-02-30\": write a day of the calendar, as in \"2026-11-23\", or leave it empty",
        );
        check(
            |settings| settings.demo.password = "short".to_owned().into(),
            "demo.password = \"[redacted]\": a password has 8 to 1,024 letters; choose one",
        );
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let wrong = settings(|settings| {
            settings.command_api.keys_kept_days = 7;
            settings.identity.issuer = "daybook".to_owned();
            settings.log.filter = "daybook=loud".to_owned();
        });
        let faults = wrong.validate().unwrap_err();
        let keys: Vec<&str> = faults.0.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(keys, ["command_api.keys_kept_days", "identity.issuer", "log.filter"]);
    }

    #[test]
    fn addresses_are_hosts_or_numbers_with_a_port() {
        for fine in ["127.0.0.1:0", "[::1]:8080", "localhost:8080", "daybook.example.org:80"] {
            check(|settings| settings.server.listen = fine.to_owned(), "valid");
        }
        for wrong in ["", "localhost", "::1:8080", "http://localhost:80", "localhost:70000", "a b:80"] {
            assert!(
                settings(|settings| settings.server.listen = wrong.to_owned()).validate().is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let shown = format!("{:?}", settings(|_| ()));
        assert!(!shown.contains("three years"), "{shown}");
    }
}
