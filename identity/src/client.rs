//! What a request tells of its sender: address, program, and the session cookie with what guards it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use http_kit::problem::Problem;
use secrecy::SecretString;

use crate::{config::Config, identity::Identity, tokens::RefreshToken};

const COOKIE: &str = "daybook_refresh";
const COOKIE_PATH: &str = "/api/v1/auth";
const USER_AGENT_LETTERS_MAX: usize = 200;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[derive(Debug)]
pub struct Client {
    pub address: IpAddr,
    pub user_agent: Option<String>,
    /// The refresh token of the session cookie.
    pub cookie: Option<SecretString>,
    same_site: bool,
    /// On loopback there is no TLS, and nobody to listen.
    loopback: bool,
}

impl Client {
    /// A cookie goes along with a request from any page, so it counts only where the page was one of ours.
    pub fn check_same_site(&self) -> Result<(), Problem> {
        match self.same_site {
            true => Ok(()),
            false => Err(Problem::new("cross_site_refused")),
        }
    }

    pub fn set_cookie(&self, token: &RefreshToken, days: u32) -> HeaderValue {
        self.cookie_line(token.expose(), u64::from(days) * 86_400)
    }

    pub fn clear_cookie(&self) -> HeaderValue {
        self.cookie_line("", 0)
    }

    fn cookie_line(&self, value: &str, seconds: u64) -> HeaderValue {
        let secure = if self.loopback { "" } else { "; Secure" };
        let line = format!(
            "{COOKIE}={value}; Path={COOKIE_PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        let mut line = HeaderValue::try_from(line).expect("a token is base64url");
        line.set_sensitive(true);
        line
    }
}

impl FromRequestParts<Arc<Identity>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, identity: &Arc<Identity>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        let host = text(&parts.headers, header::HOST).or(parts.uri.host()).unwrap_or_default();
        Ok(Self {
            address: address_of(peer, &parts.headers, &identity.config),
            user_agent: text(&parts.headers, header::USER_AGENT)
                .map(|agent| agent.chars().take(USER_AGENT_LETTERS_MAX).collect()),
            cookie: cookie_of(&parts.headers),
            same_site: is_same_site(host, &parts.headers, &identity.config),
            loopback: is_loopback(host),
        })
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The last address that a gateway of ours saw. What stands further left in the header, the client may have
/// written.
fn address_of(peer: IpAddr, headers: &HeaderMap, config: &Config) -> IpAddr {
    let mut address = peer.to_canonical();
    let forwarded = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    while config.trusted_proxies.contains(&address) {
        let Some(hop) = hops.pop().and_then(|hop| hop.parse::<IpAddr>().ok()) else {
            break;
        };
        address = hop.to_canonical();
    }
    address
}

fn cookie_of(headers: &HeaderMap) -> Option<SecretString> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value.into())
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`; a page cannot change
/// either. What sends neither is no browser, and has no cookies that a page could misuse.
fn is_same_site(host: &str, headers: &HeaderMap, config: &Config) -> bool {
    let origin = text(headers, header::ORIGIN);
    if origin.is_some_and(|origin| config.trusted_origins.iter().any(|trusted| trusted == origin)) {
        return true;
    }
    if headers.contains_key(FETCH_SITE) {
        return text(headers, FETCH_SITE) == Some("same-origin");
    }
    if headers.contains_key(header::ORIGIN) {
        return origin.and_then(|origin| origin.split_once("://")).is_some_and(|(_, from)| from == host);
    }
    true
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_forwarded_address_is_believed_only_of_a_gateway_of_ours() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let config =
            Config { trusted_proxies: vec![address("10.0.0.1"), address("10.0.0.2")], ..Config::default() };
        let seen = |peer: &str, forwarded: &'static str| {
            address_of(address(peer), &headers(&[("x-forwarded-for", forwarded)]), &config)
        };
        assert_eq!(seen("203.0.113.9", "192.0.2.1"), address("203.0.113.9"));
        assert_eq!(seen("10.0.0.1", "192.0.2.1"), address("192.0.2.1"));
        assert_eq!(seen("10.0.0.1", "1.1.1.1, 192.0.2.1, 10.0.0.2"), address("192.0.2.1"));
        assert_eq!(seen("10.0.0.1", "nonsense"), address("10.0.0.1"));
        assert_eq!(seen("::ffff:10.0.0.1", "192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn a_page_of_another_site_is_recognised() {
        let config = Config { trusted_origins: vec!["https://app.example.org".into()], ..Config::default() };
        let same =
            |pairs: &[(&'static str, &'static str)]| is_same_site("daybook.test", &headers(pairs), &config);
        assert!(same(&[]));
        assert!(same(&[("sec-fetch-site", "same-origin")]));
        assert!(same(&[("origin", "https://daybook.test")]));
        assert!(same(&[("origin", "https://app.example.org"), ("sec-fetch-site", "cross-site")]));
        assert!(!same(&[("sec-fetch-site", "cross-site")]));
        assert!(!same(&[("sec-fetch-site", "same-site")]));
        assert!(!same(&[("sec-fetch-site", "none")]));
        assert!(!same(&[("origin", "https://evil.test")]));
        assert!(!same(&[("origin", "null")]));
        assert!(!same(&[("origin", "https://daybook.test:8443")]));
    }

    #[test]
    fn loopback_is_known_by_its_name_and_addresses() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "daybook.test", "localhost.evil.test", "10.0.0.1:80", "[2001:db8::1]:80"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        use secrecy::ExposeSecret;
        let found =
            |line| cookie_of(&headers(&[("cookie", line)])).map(|token| token.expose_secret().to_owned());
        assert_eq!(found("a=1; daybook_refresh=xyz; b=2"), Some("xyz".to_owned()));
        assert_eq!(found("daybook_refresh="), None);
        assert_eq!(found("daybook_refresh2=xyz"), None);
    }
}
