use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// How the file writes a date: `YYYY`, `YY`, `MM`, `MMM` (a month's name in English, German, French, Spanish, Italian or
/// Dutch, whole or short) and `DD` with signs and spaces between, such as `DD.MM.YYYY` or `MMM DD, YYYY`. A time after
/// the date is read over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DateFormat {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Year4,
    Year2,
    /// `exact`: two digits are needed because another number follows or precedes without a sign between.
    Month {
        exact: bool,
    },
    MonthName,
    Day {
        exact: bool,
    },
    Sign(char),
}

impl Part {
    fn is_number(&self) -> bool {
        matches!(self, Self::Year4 | Self::Year2 | Self::Month { .. } | Self::Day { .. })
    }
}

impl FromStr for DateFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        while let Some(sign) = rest.chars().next() {
            let (part, length) = if rest.starts_with("YYYY") {
                (Part::Year4, 4)
            } else if rest.starts_with("YY") {
                (Part::Year2, 2)
            } else if rest.starts_with("MMM") {
                (Part::MonthName, 3)
            } else if rest.starts_with("MM") {
                (Part::Month { exact: false }, 2)
            } else if rest.starts_with("DD") {
                (Part::Day { exact: false }, 2)
            } else if sign.is_alphanumeric() {
                return Err(format!("`{text}` may have YYYY, YY, MM, MMM, DD and signs such as `.` or `/`"));
            } else {
                (Part::Sign(sign), sign.len_utf8())
            };
            parts.push(part);
            rest = &rest[length..];
        }
        let count = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count();
        let years = count(|part| matches!(part, Part::Year4 | Part::Year2));
        let months = count(|part| matches!(part, Part::Month { .. } | Part::MonthName));
        let days = count(|part| matches!(part, Part::Day { .. }));
        if (years, months, days) != (1, 1, 1) {
            return Err(format!("`{text}` needs a year, a month and a day, once each"));
        }

        for at in 0..parts.len() {
            let after_number = at > 0 && parts[at - 1].is_number();
            let before_number = parts.get(at + 1).is_some_and(Part::is_number);
            if let Part::Month { exact } | Part::Day { exact } = &mut parts[at] {
                *exact = after_number || before_number;
            }
        }
        Ok(Self { text: text.trim().to_owned(), parts })
    }
}

impl TryFrom<String> for DateFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<DateFormat> for String {
    fn from(format: DateFormat) -> Self {
        format.text
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl DateFormat {
    pub fn parse(&self, cell: &str) -> Option<NaiveDate> {
        let mut rest = cell.trim();
        let (mut year, mut month, mut day) = (0, 0, 0);
        for part in &self.parts {
            match part {
                Part::Year4 => year = number(&mut rest, 4, 4)? as i32,
                // POSIX: 69 to 99 are of the last century.
                Part::Year2 => {
                    let short = number(&mut rest, 2, 2)? as i32;
                    year = if short < 69 { 2000 + short } else { 1900 + short };
                }
                Part::Month { exact } => month = number(&mut rest, if *exact { 2 } else { 1 }, 2)?,
                Part::MonthName => month = month_name(&mut rest)?,
                Part::Day { exact } => day = number(&mut rest, if *exact { 2 } else { 1 }, 2)?,
                Part::Sign(' ') => {
                    rest.starts_with(char::is_whitespace).then_some(())?;
                    rest = rest.trim_start();
                }
                Part::Sign(sign) => rest = rest.strip_prefix(*sign)?,
            }
        }
        is_time(rest).then_some(())?;
        // A year outside these bounds is another number taken for a year.
        NaiveDate::from_ymd_opt(year, month, day).filter(|date| (1900..2200).contains(&date.year()))
    }
}

fn number(rest: &mut &str, digits_min: usize, digits_max: usize) -> Option<u32> {
    let digits = rest.bytes().take(digits_max).take_while(u8::is_ascii_digit).count();
    if digits < digits_min {
        return None;
    }
    let (text, after) = rest.split_at(digits);
    *rest = after;
    text.parse().ok()
}

/// Nothing, or a time such as ` 14:03:22` or `T14:03Z`.
fn is_time(rest: &str) -> bool {
    let Some(time) = rest.strip_prefix(['T', ' ', ',', '\u{a0}']) else { return rest.is_empty() };
    let time = time.trim_start();
    time.is_empty() || time.starts_with(|first: char| first.is_ascii_digit()) && time.contains(':')
}

/// Shortest beginnings that tell the months apart in all six languages.
const MONTH_BEGINNINGS: [(&str, u32); 39] = [
    ("jan", 1),
    ("jän", 1),
    ("ene", 1),
    ("gen", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("mar", 3),
    ("mär", 3),
    ("mrz", 3),
    ("maa", 3),
    ("mrt", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("mai", 5),
    ("may", 5),
    ("mag", 5),
    ("mei", 5),
    ("jun", 6),
    ("juin", 6),
    ("giu", 6),
    ("jul", 7),
    ("juil", 7),
    ("lug", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("sep", 9),
    ("set", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("nov", 11),
    ("dec", 12),
    ("dez", 12),
    ("déc", 12),
    ("dic", 12),
];

fn month_name(rest: &mut &str) -> Option<u32> {
    let length = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let name = name.to_lowercase();
    if !(3..=12).contains(&name.chars().count()) {
        return None;
    }
    let (_, month) = MONTH_BEGINNINGS.iter().find(|(beginning, _)| name.starts_with(beginning))?;
    *rest = after.strip_prefix('.').unwrap_or(after);
    Some(*month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, cell: &str, expected: &str) {
        let format: DateFormat = format.parse().unwrap();
        let found = format.parse(cell).map_or("-".to_owned(), |date| date.to_string());
        assert_eq!(found, expected, "{cell} as {format}");
    }

    #[test]
    fn dates_of_the_usual_layouts_are_read() {
        check("DD.MM.YYYY", "05.11.2024", "2024-11-05");
        check("DD.MM.YYYY", "5.1.2024", "2024-01-05");
        check("DD.MM.YY", "05.11.24", "2024-11-05");
        check("DD.MM.YY", "05.11.2024", "-");
        check("DD.MM.YYYY", "05.11.24", "-");
        check("MM/DD/YYYY", "02/29/2024", "2024-02-29");
        check("MM/DD/YYYY", "02/29/2023", "-");
        check("YYYY-MM-DD", "2024-11-05T10:11:12Z", "2024-11-05");
        check("YYYY-MM-DD", "2024-11-05 10:11:12", "2024-11-05");
        check("YYYY-MM-DD", "2024-11-05 shop", "-");
        check("YYYYMMDD", "20241105", "2024-11-05");
        check("YYYYMMDD", "2024115", "-");
        check("DD MMM YYYY", "5 Nov 2024", "2024-11-05");
        check("DD MMM YYYY", "5 novembre 2024", "2024-11-05");
        check("DD MMM YYYY", "5 déc. 2024", "2024-12-05");
        check("DD. MMM YYYY", "5. Mär 2024", "2024-03-05");
        check("DD-MMM-YY", "05-Okt-24", "2024-10-05");
        check("MMM DD, YYYY", "Jun 7, 2024", "2024-06-07");
        check("DD MMM YYYY", "5 juillet 2024", "2024-07-05");
        check("DD MMM YYYY", "5 Shop 2024", "-");
        check("DD/MM/YY", "01/01/70", "1970-01-01");
        check("YYYY-MM-DD", "0000-01-01", "-");
    }

    #[test]
    fn a_format_without_a_day_or_with_strange_letters_is_refused() {
        for text in ["", "MM/YYYY", "DD.MM.YYYY DD", "dd.mm.yyyy", "%d.%m.%Y", "YYYY-MM-DDTHH:mm"] {
            assert!(text.parse::<DateFormat>().is_err(), "{text}");
        }
    }
}
