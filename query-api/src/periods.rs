//! Weeks, months, quarters and years as a book counts them. Pure arithmetic on civil dates.
//!
//! A book's week begins on the weekday its people chose, a book's month on a day of the calendar's month from 1
//! to 28, which therefore every month has. Quarters and years are runs of 3 and 12 book months: the year of a
//! book whose month begins on the 25th goes from 25 January to 24 January.

use chrono::{Datelike, Days, Months, NaiveDate};
use domain::event::{Settings, Weekday};

/// The last day that four digits of a year can write; no period goes beyond.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("the last day of a year exists");

/// A stretch of days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    Day,
    Week,
    Month,
    Quarter,
    Year,
    /// From one day to another as somebody asked, not one of the calendar's.
    Free,
}

/// A span and what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub kind: PeriodKind,
    pub span: Span,
}

/// How a book counts its weeks and months.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    pub week_starts_on: Weekday,
    /// 1 to 28.
    pub month_starts_on: u8,
}

impl Span {
    pub fn days(&self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// What both spans have in common; `None` where that is nothing.
    pub fn within(&self, other: Span) -> Option<Span> {
        let common = Span { from: self.from.max(other.from), to: self.to.min(other.to) };
        (common.from <= common.to).then_some(common)
    }
}

impl Calendar {
    pub fn of(settings: &Settings) -> Self {
        Self { week_starts_on: settings.week_starts_on, month_starts_on: settings.month_starts_on }
    }

    /// The period of this kind that the day falls in. A free span has no neighbours to fall in: it is the day.
    pub fn containing(&self, kind: PeriodKind, day: NaiveDate) -> Period {
        let from = match kind {
            PeriodKind::Day | PeriodKind::Free => day,
            PeriodKind::Week => day - Days::new(days_since(self.week_starts_on, day)),
            PeriodKind::Month => self.month_start(day),
            PeriodKind::Quarter => {
                let month = self.month_start(day);
                month - Months::new(month.month0() % 3)
            }
            PeriodKind::Year => {
                let month = self.month_start(day);
                month - Months::new(month.month0())
            }
        };
        let next = match kind {
            PeriodKind::Day | PeriodKind::Free => from + Days::new(1),
            PeriodKind::Week => from + Days::new(7),
            PeriodKind::Month => from + Months::new(1),
            PeriodKind::Quarter => from + Months::new(3),
            PeriodKind::Year => from + Months::new(12),
        };
        Period { kind, span: Span { from, to: (next - Days::new(1)).min(LAST_DAY) } }
    }

    /// The period just before; for a free span, as many days before it as it has.
    pub fn previous(&self, period: Period) -> Period {
        let Span { from, to } = period.span;
        match period.kind {
            PeriodKind::Free => {
                let days = Days::new((to - from).num_days().unsigned_abs() + 1);
                Period { kind: PeriodKind::Free, span: Span { from: from - days, to: to - days } }
            }
            PeriodKind::Day
            | PeriodKind::Week
            | PeriodKind::Month
            | PeriodKind::Quarter
            | PeriodKind::Year => self.containing(period.kind, from - Days::new(1)),
        }
    }

    /// The same period a year before. A week is held against the one 52 weeks before, so that its weekdays fall
    /// together; 29 February against 28 February.
    pub fn previous_year(&self, period: Period) -> Period {
        let Span { from, to } = period.span;
        let year = Months::new(12);
        let span = match period.kind {
            PeriodKind::Week => Span { from: from - Days::new(364), to: to - Days::new(364) },
            PeriodKind::Day | PeriodKind::Free => Span { from: from - year, to: to - year },
            PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year => {
                return self.containing(period.kind, from - year);
            }
        };
        Period { kind: period.kind, span }
    }

    /// How many periods of `kind` after the one that holds `from` the one that holds `day` comes.
    pub fn ordinal(&self, kind: PeriodKind, from: NaiveDate, day: NaiveDate) -> i64 {
        let first = self.containing(kind, from).span.from;
        let this = self.containing(kind, day).span.from;
        let months =
            i64::from(this.year() - first.year()) * 12 + i64::from(this.month0()) - i64::from(first.month0());
        match kind {
            PeriodKind::Day | PeriodKind::Free => (this - first).num_days(),
            PeriodKind::Week => (this - first).num_days() / 7,
            PeriodKind::Month => months,
            PeriodKind::Quarter => months / 3,
            PeriodKind::Year => months / 12,
        }
    }

    /// The period of `kind` that comes `ordinal` periods after the one that holds `from`.
    pub fn at_ordinal(&self, kind: PeriodKind, from: NaiveDate, ordinal: u32) -> Period {
        let first = self.containing(kind, from).span.from;
        let start = match kind {
            PeriodKind::Day | PeriodKind::Free => first + Days::new(u64::from(ordinal)),
            PeriodKind::Week => first + Days::new(7 * u64::from(ordinal)),
            PeriodKind::Month => first + Months::new(ordinal),
            PeriodKind::Quarter => first + Months::new(3 * ordinal),
            PeriodKind::Year => first + Months::new(12 * ordinal),
        };
        self.containing(kind, start)
    }

    /// The first day of each period of `kind` in a span. The first and the last are only there in part, where the span
    /// begins or ends within them.
    pub fn first_days(&self, kind: PeriodKind, span: Span) -> Vec<NaiveDate> {
        let last = u32::try_from(self.ordinal(kind, span.from, span.to)).unwrap_or(0);
        let first_day = |nth| self.at_ordinal(kind, span.from, nth).span.from.max(span.from);
        (0..=last).map(first_day).collect()
    }

    /// `23 Nov 2026`, `2026-W48`, `November 2026`, `2026-Q4`, `2026`. Where months do not begin on the 1st, they
    /// and what is made of them are called by their days, because no name of the calendar's would be true.
    pub fn label(&self, period: Period) -> String {
        let Span { from, to } = period.span;
        let is_calendar_month = self.month_starts_on == 1;
        match period.kind {
            PeriodKind::Day => from.format("%-d %b %Y").to_string(),
            PeriodKind::Week => week_label(from),
            PeriodKind::Month if is_calendar_month => from.format("%B %Y").to_string(),
            PeriodKind::Quarter if is_calendar_month => {
                format!("{:04}-Q{}", from.year(), from.month0() / 3 + 1)
            }
            PeriodKind::Year if is_calendar_month => format!("{:04}", from.year()),
            PeriodKind::Free if from == to => from.format("%-d %b %Y").to_string(),
            PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year | PeriodKind::Free => {
                let end = to.format("%-d %b %Y");
                if from.year() == to.year() {
                    format!("{} – {end}", from.format("%-d %b"))
                } else {
                    format!("{} – {end}", from.format("%-d %b %Y"))
                }
            }
        }
    }

    fn month_start(&self, day: NaiveDate) -> NaiveDate {
        let starts_on = u32::from(self.month_starts_on);
        let back = if day.day() >= starts_on { day.day() - starts_on } else { day.day() };
        let near = day - Days::new(u64::from(back));
        // Day 0 of a month is the last of the one before; from there it is back to the day the month begins on.
        near - Days::new(u64::from(near.day().saturating_sub(starts_on)))
    }
}

/// A week is numbered by the ISO week that its fourth day falls in: for a week that begins on Monday that is its
/// own, for any other the one it shares most days with.
fn week_label(from: NaiveDate) -> String {
    let week = (from + Days::new(3)).iso_week();
    format!("{:04}-W{:02}", week.year(), week.week())
}

fn days_since(start: Weekday, day: NaiveDate) -> u64 {
    let start = u64::from(weekday_number(start));
    (u64::from(day.weekday().num_days_from_monday()) + 7 - start) % 7
}

/// 0 for Monday to 6 for Sunday.
pub fn weekday_number(weekday: Weekday) -> u8 {
    match weekday {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

pub fn weekday_of(day: NaiveDate) -> Weekday {
    match day.weekday() {
        chrono::Weekday::Mon => Weekday::Monday,
        chrono::Weekday::Tue => Weekday::Tuesday,
        chrono::Weekday::Wed => Weekday::Wednesday,
        chrono::Weekday::Thu => Weekday::Thursday,
        chrono::Weekday::Fri => Weekday::Friday,
        chrono::Weekday::Sat => Weekday::Saturday,
        chrono::Weekday::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// `on`, how the book counts, what is asked, and then the period, the previous one, the same a year before
    /// and the label.
    #[track_caller]
    fn check(on: &str, starts: (&str, u8), kind: PeriodKind, expected: [&str; 3], label: &str) {
        let calendar =
            Calendar { week_starts_on: Weekday::parse(starts.0).unwrap(), month_starts_on: starts.1 };
        let shown = |period: Period| format!("{} {}", period.span.from, period.span.to);
        let period = calendar.containing(kind, day(on));
        let found = [
            shown(period),
            shown(calendar.previous(period)),
            shown(calendar.previous_year(period)),
            calendar.label(period),
        ];
        let expected = [expected[0], expected[1], expected[2], label];
        assert_eq!(found, expected, "{on} {starts:?} {kind:?}");
    }

    #[test]
    #[rustfmt::skip]
    fn periods_their_predecessors_and_their_names() {
        use PeriodKind::{Month, Quarter, Week, Year};
        // Weeks, for each day they can begin on.
        check("2026-11-23", ("monday", 1), Week, ["2026-11-23 2026-11-29", "2026-11-16 2026-11-22", "2025-11-24 2025-11-30"], "2026-W48");
        check("2026-11-23", ("tuesday", 1), Week, ["2026-11-17 2026-11-23", "2026-11-10 2026-11-16", "2025-11-18 2025-11-24"], "2026-W47");
        check("2026-11-23", ("wednesday", 1), Week, ["2026-11-18 2026-11-24", "2026-11-11 2026-11-17", "2025-11-19 2025-11-25"], "2026-W47");
        check("2026-11-23", ("thursday", 1), Week, ["2026-11-19 2026-11-25", "2026-11-12 2026-11-18", "2025-11-20 2025-11-26"], "2026-W47");
        check("2026-11-23", ("friday", 1), Week, ["2026-11-20 2026-11-26", "2026-11-13 2026-11-19", "2025-11-21 2025-11-27"], "2026-W48");
        check("2026-11-23", ("saturday", 1), Week, ["2026-11-21 2026-11-27", "2026-11-14 2026-11-20", "2025-11-22 2025-11-28"], "2026-W48");
        check("2026-11-23", ("sunday", 1), Week, ["2026-11-22 2026-11-28", "2026-11-15 2026-11-21", "2025-11-23 2025-11-29"], "2026-W48");
        // The turn of the year and a year of 53 weeks.
        check("2027-01-01", ("monday", 1), Week, ["2026-12-28 2027-01-03", "2026-12-21 2026-12-27", "2025-12-29 2026-01-04"], "2026-W53");
        check("2027-01-04", ("monday", 1), Week, ["2027-01-04 2027-01-10", "2026-12-28 2027-01-03", "2026-01-05 2026-01-11"], "2027-W01");
        // Months of the calendar and leap years.
        check("2026-11-23", ("monday", 1), Month, ["2026-11-01 2026-11-30", "2026-10-01 2026-10-31", "2025-11-01 2025-11-30"], "November 2026");
        check("2028-02-29", ("monday", 1), Month, ["2028-02-01 2028-02-29", "2028-01-01 2028-01-31", "2027-02-01 2027-02-28"], "February 2028");
        check("2029-02-28", ("monday", 1), Month, ["2029-02-01 2029-02-28", "2029-01-01 2029-01-31", "2028-02-01 2028-02-29"], "February 2029");
        check("2028-03-31", ("monday", 1), Month, ["2028-03-01 2028-03-31", "2028-02-01 2028-02-29", "2027-03-01 2027-03-31"], "March 2028");
        // Months that begin on pay day.
        check("2026-11-24", ("monday", 25), Month, ["2026-10-25 2026-11-24", "2026-09-25 2026-10-24", "2025-10-25 2025-11-24"], "25 Oct – 24 Nov 2026");
        check("2026-11-25", ("monday", 25), Month, ["2026-11-25 2026-12-24", "2026-10-25 2026-11-24", "2025-11-25 2025-12-24"], "25 Nov – 24 Dec 2026");
        check("2027-01-01", ("monday", 25), Month, ["2026-12-25 2027-01-24", "2026-11-25 2026-12-24", "2025-12-25 2026-01-24"], "25 Dec 2026 – 24 Jan 2027");
        check("2028-03-01", ("monday", 28), Month, ["2028-02-28 2028-03-27", "2028-01-28 2028-02-27", "2027-02-28 2027-03-27"], "28 Feb – 27 Mar 2028");
        check("2028-02-27", ("monday", 28), Month, ["2028-01-28 2028-02-27", "2027-12-28 2028-01-27", "2027-01-28 2027-02-27"], "28 Jan – 27 Feb 2028");
        check("2026-03-01", ("monday", 2), Month, ["2026-02-02 2026-03-01", "2026-01-02 2026-02-01", "2025-02-02 2025-03-01"], "2 Feb – 1 Mar 2026");
        // Quarters and years.
        check("2026-11-23", ("monday", 1), Quarter, ["2026-10-01 2026-12-31", "2026-07-01 2026-09-30", "2025-10-01 2025-12-31"], "2026-Q4");
        check("2027-01-10", ("monday", 25), Quarter, ["2026-10-25 2027-01-24", "2026-07-25 2026-10-24", "2025-10-25 2026-01-24"], "25 Oct 2026 – 24 Jan 2027");
        check("2028-02-29", ("monday", 1), Year, ["2028-01-01 2028-12-31", "2027-01-01 2027-12-31", "2027-01-01 2027-12-31"], "2028");
        check("2027-01-24", ("monday", 25), Year, ["2026-01-25 2027-01-24", "2025-01-25 2026-01-24", "2025-01-25 2026-01-24"], "25 Jan 2026 – 24 Jan 2027");
    }

    #[test]
    #[rustfmt::skip]
    fn free_spans_are_held_against_as_many_days_before_or_a_year_before() {
        let calendar = Calendar { week_starts_on: Weekday::Monday, month_starts_on: 1 };
        for (from, to, previous, previous_year, label) in [
            ("2026-11-10", "2026-11-12", "2026-11-07 2026-11-09", "2025-11-10 2025-11-12", "10 Nov – 12 Nov 2026"),
            ("2026-11-10", "2026-11-10", "2026-11-09 2026-11-09", "2025-11-10 2025-11-10", "10 Nov 2026"),
            ("2028-02-29", "2028-03-01", "2028-02-27 2028-02-28", "2027-02-28 2027-03-01", "29 Feb – 1 Mar 2028"),
            ("2027-12-31", "2028-02-29", "2027-10-31 2027-12-30", "2026-12-31 2027-02-28", "31 Dec 2027 – 29 Feb 2028"),
        ] {
            let period = Period { kind: PeriodKind::Free, span: Span { from: day(from), to: day(to) } };
            let shown = |period: Period| format!("{} {}", period.span.from, period.span.to);
            assert_eq!(shown(calendar.previous(period)), previous);
            assert_eq!(shown(calendar.previous_year(period)), previous_year);
            assert_eq!(calendar.label(period), label);
        }
    }

    fn kinds() -> impl Strategy<Value = PeriodKind> {
        use PeriodKind::{Day, Month, Quarter, Week, Year};
        prop::sample::select(vec![Day, Week, Month, Quarter, Year])
    }

    proptest! {
        #[test]
        fn every_day_is_in_exactly_one_period_and_periods_follow_without_gap(
            days in 700_000i32..800_000, kind in kinds(), start in 0usize..7, month_starts_on in 1u8..=28,
        ) {
            let on = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let calendar = Calendar { week_starts_on: Weekday::ALL[start], month_starts_on };
            let period = calendar.containing(kind, on);
            prop_assert!(period.span.from <= on && on <= period.span.to);
            prop_assert_eq!(calendar.containing(kind, period.span.from), period);
            prop_assert_eq!(calendar.containing(kind, period.span.to), period);
            let previous = calendar.previous(period);
            prop_assert_eq!(previous.span.to + Days::new(1), period.span.from);
            prop_assert_eq!(calendar.ordinal(kind, previous.span.from, on), 1);
            prop_assert_eq!(calendar.at_ordinal(kind, previous.span.from, 1), period);
            match kind {
                PeriodKind::Week => prop_assert_eq!(weekday_of(period.span.from), calendar.week_starts_on),
                PeriodKind::Month | PeriodKind::Quarter | PeriodKind::Year => {
                    prop_assert_eq!(period.span.from.day(), u32::from(month_starts_on));
                }
                PeriodKind::Day | PeriodKind::Free => {}
            }
            let year_before = calendar.previous_year(period);
            let days_between = (period.span.from - year_before.span.from).num_days();
            prop_assert!((364..=366).contains(&days_between));
        }
    }
}
