//! Which date format a column is written in.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::super::DateFormat;
use super::super::read::cell;
use super::super::records::Records;
use crate::statements::Confidence;
use crate::statements::StatementError;

/// Day first stands before month first: of two formats that read equally much, the first is the fallback.
static FORMATS: LazyLock<Vec<DateFormat>> = LazyLock::new(|| {
    const TEXTS: [&str; 23] = [
        "YYYY-MM-DD",
        "YYYY/MM/DD",
        "YYYY.MM.DD",
        "YYYYMMDD",
        "DD.MM.YYYY",
        "DD.MM.YY",
        "DD/MM/YYYY",
        "MM/DD/YYYY",
        "DD/MM/YY",
        "MM/DD/YY",
        "DD-MM-YYYY",
        "MM-DD-YYYY",
        "DD-MM-YY",
        "MM-DD-YY",
        "DD MMM YYYY",
        "DD MMM YY",
        "DD. MMM YYYY",
        "DD-MMM-YYYY",
        "DD-MMM-YY",
        "DD/MMM/YYYY",
        "MMM DD, YYYY",
        "MMM DD YYYY",
        "DD MMM, YYYY",
    ];
    TEXTS.iter().filter_map(|text| text.parse().ok()).collect()
});

pub(super) fn is_date(cell: &str) -> bool {
    // All formats begin with a digit or a month's name and none is long; most cells are settled here.
    (6..=40).contains(&cell.len()) && FORMATS.iter().any(|format| format.parse(cell).is_some())
}

/// What one format makes of the file.
#[derive(Clone, Copy, Default)]
struct Tally {
    read: u32,
    read_elsewhere: u32,
    ups: u32,
    downs: u32,
    last: Option<NaiveDate>,
    span: Option<(NaiveDate, NaiveDate)>,
}

impl Tally {
    fn add(&mut self, date: NaiveDate) {
        self.read += 1;
        match self.last {
            Some(last) if date > last => self.ups += 1,
            Some(last) if date < last => self.downs += 1,
            Some(_) | None => {}
        }
        self.last = Some(date);
        let (first, last) = self.span.unwrap_or((date, date));
        self.span = Some((first.min(date), last.max(date)));
    }

    /// Steps against the file's main direction; none in a sorted file.
    fn steps_back(&self) -> u32 {
        self.ups.min(self.downs)
    }

    fn days(&self) -> i64 {
        self.span.map_or(0, |(first, last)| (last - first).num_days())
    }
}

/// Reads every record of the file. `others` are further columns with dates, which are written alike.
pub(super) fn format_of(
    mut records: Records<'_>,
    column: usize,
    others: &[usize],
    month_first_country: bool,
) -> Result<(DateFormat, Confidence, String), StatementError> {
    let mut tallies = vec![Tally::default(); FORMATS.len()];
    while let Some(record) = records.next()? {
        for (format, tally) in FORMATS.iter().zip(&mut tallies) {
            if let Some(date) = format.parse(cell(record.fields, column)) {
                tally.add(date);
                let elsewhere = others.iter().filter(|at| format.parse(cell(record.fields, **at)).is_some());
                tally.read_elsewhere += elsewhere.count() as u32;
            }
        }
    }

    let most = tallies.iter().map(|tally| tally.read).max().unwrap_or(0);
    let mut best = FORMATS.iter().zip(&tallies).filter(|(_, tally)| tally.read == most && most > 0);
    let Some((first, by_first)) = best.next() else {
        return Err(StatementError::FormatNotRecognised { reason: "No column has dates in a known format." });
    };
    let Some((second, by_second)) = best.next() else {
        let because = format!("Only {first} reads all of the {most} dates.");
        return Ok((first.clone(), Confidence::High, because));
    };

    // From here on day and month can be told apart only by what the dates mean.
    let chosen = |first_wins: bool| if first_wins { first.clone() } else { second.clone() };
    if by_first.read_elsewhere != by_second.read_elsewhere {
        let format = chosen(by_first.read_elsewhere > by_second.read_elsewhere);
        return Ok((format, Confidence::High, "Another column of dates can only be read so.".to_owned()));
    }
    if by_first.steps_back() != by_second.steps_back() {
        let format = chosen(by_first.steps_back() < by_second.steps_back());
        let because = format!("Read as {format} the lines are in the order of their dates.");
        return Ok((format, Confidence::High, because));
    }
    let (first_days, second_days) = (by_first.days(), by_second.days());
    if first_days.max(second_days) > 2 * first_days.min(second_days) {
        let format = chosen(first_days < second_days);
        let because = format!("Read as {format} the lines span {} days.", first_days.min(second_days));
        return Ok((format, Confidence::Medium, because));
    }
    let format = chosen(!month_first_country);
    let because =
        format!("Day and month could be swapped; {format} is usual where the file seems to come from.");
    Ok((format, Confidence::Low, because))
}
