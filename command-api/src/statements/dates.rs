//! Dates of three numbers, in files that do not say which of them is the day.

use chrono::{Datelike, NaiveDate};
use winnow::Parser;
use winnow::ascii::space0;
use winnow::combinator::{alt, delimited, eof};
use winnow::token::{one_of, take_while};

use super::{Confidence, DateOrder};

/// `12/31/2024`, `31.12.24`, `1/ 5'24`, `2024-12-31`, `20241231`.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumericDate {
    numbers: [u32; 3],
    year_first: bool,
    year: Year,
    separator: char,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Year {
    Whole,
    /// POSIX: 69 to 99 are of the last century.
    Short,
    /// Quicken writes an apostrophe before the years from 2000.
    AfterApostrophe,
}

impl NumericDate {
    pub fn parse(text: &str) -> Option<Self> {
        alt((compact, separated)).parse(text.trim()).ok()
    }

    /// The order makes no difference where the file puts the year first.
    pub fn date(&self, order: DateOrder) -> Option<NaiveDate> {
        let [first, second, third] = self.numbers;
        let (year, month, day) = match order {
            _ if self.year_first => (first, second, third),
            DateOrder::MonthFirst => (third, first, second),
            DateOrder::DayFirst => (third, second, first),
            DateOrder::YearFirst => (first, second, third),
        };
        let year = match self.year {
            Year::Whole => year,
            Year::Short if year < 69 => 2000 + year,
            Year::Short => 1900 + year,
            Year::AfterApostrophe => 2000 + year,
        };
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        (1900..2200).contains(&date.year()).then_some(date)
    }
}

fn compact(text: &mut &str) -> winnow::Result<NumericDate> {
    let part = |digits: usize| take_while(digits, '0'..='9').parse_to::<u32>();
    let (numbers, _) = ((part(4), part(2), part(2)), eof).parse_next(text)?;
    Ok(NumericDate { numbers: numbers.into(), year_first: true, year: Year::Whole, separator: '-' })
}

fn separated(text: &mut &str) -> winnow::Result<NumericDate> {
    let digits = |text: &mut &str| -> winnow::Result<(u32, usize)> {
        let digits = take_while(1..=4, '0'..='9').parse_next(text)?;
        Ok((digits.parse().unwrap_or(0), digits.len()))
    };
    let separator = || delimited(space0, one_of(['/', '.', '-', '\'']), space0);
    let (first, separator, second, before_year, third, _) =
        (digits, separator(), digits, separator(), digits, eof).parse_next(text)?;
    let year_first = first.1 == 4;
    let year_digits = if year_first { first.1 } else { third.1 };
    let year = match before_year {
        '\'' if year_digits <= 2 => Year::AfterApostrophe,
        _ if year_digits <= 2 => Year::Short,
        _ => Year::Whole,
    };
    Ok(NumericDate { numbers: [first.0, second.0, third.0], year_first, year, separator })
}

/// `YYYY-MM-DD`, or such a date with a time and its zone; the day is the one where it was written.
pub(super) fn iso_date(text: &str) -> Option<NaiveDate> {
    let (day, rest) = text.trim().split_at_checked(10)?;
    let is_known = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-', ' ']);
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().filter(|_| is_known)?;
    (1900..2200).contains(&date.year()).then_some(date)
}

/// The order in which a file writes its dates, with why and how sure that is.
pub(super) fn order_of<'t>(texts: impl Iterator<Item = &'t str>) -> (DateOrder, Confidence, String) {
    let mut month_first = Tally::default();
    let mut day_first = Tally::default();
    let (mut points, mut apostrophes) = (false, false);
    for date in texts.filter_map(NumericDate::parse) {
        if date.year_first {
            continue;
        }
        points |= date.separator == '.';
        apostrophes |= date.year == Year::AfterApostrophe;
        month_first.add(date.date(DateOrder::MonthFirst));
        day_first.add(date.date(DateOrder::DayFirst));
    }
    if month_first.read == 0 && day_first.read == 0 {
        return (DateOrder::YearFirst, Confidence::High, "The dates begin with the year.".to_owned());
    }
    let chosen = |day: bool| if day { DateOrder::DayFirst } else { DateOrder::MonthFirst };
    if month_first.read != day_first.read {
        let day = day_first.read > month_first.read;
        let (most, least) = (month_first.read.max(day_first.read), month_first.read.min(day_first.read));
        let because = format!("This order reads {most} of the dates, the other one {least}.");
        return (chosen(day), Confidence::High, because);
    }
    if points {
        let because = "Dates with points have the day first.".to_owned();
        return (DateOrder::DayFirst, Confidence::High, because);
    }
    if month_first.steps_back() != day_first.steps_back() {
        let day = day_first.steps_back() < month_first.steps_back();
        let because = "Read so, the lines are in the order of their dates.".to_owned();
        return (chosen(day), Confidence::Medium, because);
    }
    let confidence = if apostrophes { Confidence::Medium } else { Confidence::Low };
    let because = "Day and month could be swapped; month first is usual in such files.".to_owned();
    (DateOrder::MonthFirst, confidence, because)
}

/// What one order makes of the file.
#[derive(Default)]
struct Tally {
    read: u32,
    ups: u32,
    downs: u32,
    last: Option<NaiveDate>,
}

impl Tally {
    fn add(&mut self, date: Option<NaiveDate>) {
        let Some(date) = date else { return };
        self.read += 1;
        match self.last {
            Some(last) if date > last => self.ups += 1,
            Some(last) if date < last => self.downs += 1,
            Some(_) | None => {}
        }
        self.last = Some(date);
    }

    /// Steps against the file's main direction; none in a sorted file.
    fn steps_back(&self) -> u32 {
        self.ups.min(self.downs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, order: DateOrder, expected: &str) {
        let date = NumericDate::parse(text).and_then(|date| date.date(order));
        assert_eq!(date.map_or("-".to_owned(), |date| date.to_string()), expected, "{text}");
    }

    #[test]
    fn the_dates_of_quicken_and_its_kin_are_read() {
        use DateOrder::{DayFirst, MonthFirst};
        check("12/31/2024", MonthFirst, "2024-12-31");
        check("1/ 5'24", MonthFirst, "2024-01-05");
        check(" 1/ 5/98", MonthFirst, "1998-01-05");
        check("12/31'2024", MonthFirst, "2024-12-31");
        check("1/ 5' 4", MonthFirst, "2004-01-05");
        check("31.12.24", DayFirst, "2024-12-31");
        check("31/12/2024", MonthFirst, "-");
        check("31/12/2024", DayFirst, "2024-12-31");
        check("2024-12-31", DayFirst, "2024-12-31");
        check("20241231", MonthFirst, "2024-12-31");
        check("1/5/0004", MonthFirst, "-");
        check("99999/1/1", MonthFirst, "-");
        check("1/5", MonthFirst, "-");
        check("soon", MonthFirst, "-");
    }

    #[track_caller]
    fn check_order(texts: &[&str], expected: &str) {
        let (order, confidence, because) = order_of(texts.iter().copied());
        assert_eq!(format!("{order:?} {confidence:?}"), expected, "{because}");
    }

    #[test]
    fn the_order_is_the_one_that_reads_the_most_dates() {
        check_order(&["1/13/2024", "2/1/2024"], "MonthFirst High");
        check_order(&["13/1/2024", "2/1/2024"], "DayFirst High");
        check_order(&["3.4.2024"], "DayFirst High");
        check_order(&["2024-01-02"], "YearFirst High");
        check_order(&["5/1/2024", "3/2/2024", "4/3/2024"], "DayFirst Medium");
        check_order(&["1/ 5'24"], "MonthFirst Medium");
        check_order(&["1/5/24"], "MonthFirst Low");
    }
}
