use std::{fmt, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Where the time comes from; handed in, so that a test says what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub fn system() -> Self {
        Self::new(Utc::now)
    }

    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }

    /// Which day it is where people live by this zone. A zone that is no longer known counts as UTC.
    pub fn today(&self, time_zone: &str) -> NaiveDate {
        let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
        self.now().with_timezone(&zone).date_naive()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_the_day_where_the_people_are() {
        let clock = Clock::new(|| "2026-11-23T23:30:00Z".parse().unwrap());
        assert_eq!(clock.today("Europe/Berlin").to_string(), "2026-11-24");
        assert_eq!(clock.today("America/New_York").to_string(), "2026-11-23");
        assert_eq!(clock.today("Atlantis/Capital").to_string(), "2026-11-23");
    }
}
