//! The days that are told of, and what a calendar does to money.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

pub struct Life {
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

impl Life {
    pub fn ending(last_day: NaiveDate) -> Self {
        Self { first_day: last_day - Months::new(36) + Days::new(1), last_day }
    }

    pub fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.first_day.iter_days().take_while(|day| *day <= self.last_day)
    }

    pub fn has(&self, day: NaiveDate) -> bool {
        (self.first_day..=self.last_day).contains(&day)
    }

    /// The calendar years that have a share in this life.
    pub fn years(&self) -> impl Iterator<Item = i32> {
        self.first_day.year()..=self.last_day.year()
    }

    /// What costs `minor` on the first day costs about two and a half percent more each year.
    pub fn priced(&self, minor: i64, day: NaiveDate) -> i64 {
        let days = (day - self.first_day).num_days();
        minor + minor * 25 * days / 365_000
    }

    /// What is `minor` in the first calendar year and grows with each New Year, in steps of ten cents.
    pub fn raised(&self, minor: i64, growth_permille: i64, day: NaiveDate) -> i64 {
        let growth = |minor: i64| minor * growth_permille / 1_000 / 10 * 10;
        (self.first_day.year()..day.year()).fold(minor, |minor, _| minor + growth(minor))
    }
}

/// The day of a month, or its last where it is shorter.
pub fn day_of(year: i32, month: u32, day: u32) -> NaiveDate {
    let date = |day| NaiveDate::from_ymd_opt(year, month, day);
    (28..=day).rev().chain([day]).find_map(date).expect("the day is one of 1 to 31 and the year a common one")
}

/// Banks book what falls on a weekend on the Monday after it.
pub fn on_or_after_weekend(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day + Days::new(2),
        Weekday::Sun => day + Days::new(1),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => day,
    }
}

/// Employers pay before the weekend.
pub fn on_or_before_weekend(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Days::new(1),
        Weekday::Sun => day - Days::new(2),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_of_short_months_stand_in_for_later_ones() {
        assert_eq!(day_of(2026, 2, 31).to_string(), "2026-02-28");
        assert_eq!(day_of(2028, 2, 30).to_string(), "2028-02-29");
        assert_eq!(day_of(2026, 4, 31).to_string(), "2026-04-30");
        assert_eq!(day_of(2026, 4, 3).to_string(), "2026-04-03");
    }

    #[test]
    fn weekends_are_stepped_over() {
        let saturday = day_of(2026, 11, 21);
        assert_eq!(on_or_after_weekend(saturday).to_string(), "2026-11-23");
        assert_eq!(on_or_before_weekend(saturday).to_string(), "2026-11-20");
        assert_eq!(on_or_after_weekend(saturday + Days::new(2)).to_string(), "2026-11-23");
    }
}
