//! How often somebody may try: by e-mail address against guessing one person's password, by network address
//! against trying many people. Both count in this process only.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock, clock::DefaultClock};
use http_kit::problem::Problem;

use crate::config::Config;

pub struct Throttle {
    by_email: DefaultKeyedRateLimiter<String>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Throttle {
    pub fn new(config: &Config) -> Self {
        let per_minute = |attempts| Quota::per_minute(NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN));
        Self {
            by_email: RateLimiter::keyed(per_minute(config.attempts_per_email_per_minute)),
            by_address: RateLimiter::keyed(per_minute(config.attempts_per_address_per_minute)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts an attempt; refuses it where there were too many.
    pub fn attempt(&self, email_lookup: &str, address: IpAddr) -> Result<(), Problem> {
        let now = self.clock.now();
        // The address first: what it refuses must not use up the attempts of the person meant.
        if let Err(refused) = self.by_address.check_key(&network_of(address)) {
            return Err(too_many(refused.wait_time_from(now)));
        }
        if let Err(refused) = self.by_email.check_key(&email_lookup.to_owned()) {
            return Err(too_many(refused.wait_time_from(now)));
        }
        Ok(())
    }

    /// Forgets those who have all their attempts again; without it the memory of attempts only grows.
    pub fn forget_quiet_ones(&self) {
        self.by_email.retain_recent();
        self.by_address.retain_recent();
    }
}

fn too_many(wait: std::time::Duration) -> Problem {
    Problem::new("rate_limited").retry_after(wait.as_secs() + 1)
}

/// One household has a whole /64 of IPv6 to try from.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(by_email: u32, by_address: u32) -> Throttle {
        Throttle::new(&Config {
            attempts_per_email_per_minute: by_email,
            attempts_per_address_per_minute: by_address,
            ..Config::default()
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_its_attempts_whomever_it_tries() {
        let throttle = throttle(100, 2);
        let here = address("192.0.2.1");
        assert!(throttle.attempt("a@x", here).is_ok());
        assert!(throttle.attempt("b@x", here).is_ok());
        let refused = throttle.attempt("c@x", here).unwrap_err();
        assert_eq!(refused.code(), "rate_limited");
        assert!(throttle.attempt("c@x", address("192.0.2.2")).is_ok());
    }

    #[test]
    fn one_person_can_be_tried_only_so_often_from_anywhere() {
        let throttle = throttle(2, 100);
        assert!(throttle.attempt("a@x", address("192.0.2.1")).is_ok());
        assert!(throttle.attempt("a@x", address("192.0.2.2")).is_ok());
        assert!(throttle.attempt("a@x", address("192.0.2.3")).is_err());
        assert!(throttle.attempt("b@x", address("192.0.2.3")).is_ok());
        throttle.forget_quiet_ones();
        assert!(throttle.attempt("a@x", address("192.0.2.1")).is_err(), "the busy ones are remembered");
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one() {
        let throttle = throttle(100, 1);
        assert!(throttle.attempt("a@x", address("2001:db8::1")).is_ok());
        assert!(throttle.attempt("b@x", address("2001:db8::2")).is_err());
        assert!(throttle.attempt("b@x", address("2001:db8:0:1::2")).is_ok());
        assert_eq!(network_of(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }
}
