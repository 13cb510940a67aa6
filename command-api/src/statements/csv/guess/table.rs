//! Where in the file the table is: delimiter, lines before the header, header, first records.

use csv::StringRecord;

use super::super::header_words::Role;
use super::super::read::{cell, is_blank};
use super::super::records::{Records, fields_of_line, first_lines};
use super::dates::is_date;
use crate::statements::StatementError;
use crate::statements::amount::Marks;

const DELIMITERS: [u8; 4] = [b';', b'\t', b',', b'|'];
const QUOTE: Option<u8> = Some(b'"');
/// Preambles of twenty lines exist (an Indian bank's address and account data).
const HEADER_SOUGHT_LINES: usize = 200;
const SCORED_ROWS: usize = 200;
/// Enough to judge columns and signs by; dates are looked at in the whole file.
const SAMPLE_ROWS: usize = 5_000;
const SAMPLE_CELLS: usize = 100_000;

pub(super) struct Table {
    pub delimiter: u8,
    pub header_lines: u64,
    pub header: Option<StringRecord>,
    pub rows: Vec<StringRecord>,
}

pub(super) fn find(text: &str) -> Result<Table, StatementError> {
    let lines = first_lines(text, HEADER_SOUGHT_LINES);
    let mut best: Option<Choice> = None;
    for delimiter in DELIMITERS {
        let header = header_line(&lines, delimiter);
        let after = header.map_or(0, |(line, _)| line as u64 + 1);
        let rows = match sample(text, delimiter, after, SCORED_ROWS) {
            Ok(rows) => rows,
            // Anything may go wrong with a delimiter that is not the file's.
            Err(_) if header.is_none() => continue,
            Err(fault) => return Err(fault),
        };
        let transactions = rows.iter().filter(|row| is_transaction(row)).count();
        let roles = header.map_or(0, |(_, roles)| roles);
        let choice = Choice { roles, transactions, header: header.map(|(line, _)| line), delimiter };
        if best.as_ref().is_none_or(|best| choice.worth() > best.worth()) {
            best = Some(choice);
        }
    }

    let Some(Choice { transactions, header, delimiter, .. }) = best else { return Err(NO_TABLE) };
    match header {
        None if transactions == 0 => Err(NO_TABLE),
        None => without_known_header(text, &lines, delimiter),
        Some(line) if transactions == 0 => Err(StatementError::NoRecords { line: line as u64 + 1 }),
        Some(line) => {
            let mut records = Records::new(text, delimiter, QUOTE, line as u64);
            let header = records.next()?.map(|record| record.fields.clone());
            let rows = sample(text, delimiter, line as u64 + 1, SAMPLE_ROWS)?;
            Ok(Table { delimiter, header_lines: line as u64, header, rows })
        }
    }
}

const NO_TABLE: StatementError = StatementError::FormatNotRecognised {
    reason: "No line of the file has both a date and an amount in columns of their own.",
};

/// What one delimiter makes of the file.
struct Choice {
    /// How many of the header's words name columns.
    roles: usize,
    transactions: usize,
    header: Option<usize>,
    delimiter: u8,
}

impl Choice {
    fn worth(&self) -> (bool, usize, usize) {
        (self.transactions > 0, self.roles, self.transactions)
    }
}

/// The line with the most words that name columns, if a date and an amount are among them; and how many there are.
fn header_line(lines: &[&str], delimiter: u8) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        let cells = fields_of_line(line, delimiter, QUOTE);
        let names = |role: Role| cells.iter().any(|cell| role.rank(cell).is_some());
        let money = [Role::Amount, Role::Debit, Role::Credit].into_iter().any(names);
        if cells.len() < 2 || !money || !names(Role::Date) {
            continue;
        }
        let others = [Role::Payee, Role::Note, Role::Balance, Role::Currency, Role::Category, Role::Status];
        let roles = 2 + others.into_iter().filter(|role| names(*role)).count();
        if best.is_none_or(|(_, most)| roles > most) {
            best = Some((at, roles));
        }
    }
    best
}

/// A header in a language we do not know, or none: the table begins with its first transaction.
fn without_known_header(text: &str, lines: &[&str], delimiter: u8) -> Result<Table, StatementError> {
    let mut records = Records::new(text, delimiter, QUOTE, 0);
    let (first, width) = loop {
        match records.next()? {
            Some(record) if is_transaction(record.fields) => {
                break (record.line as usize - 1, record.fields.len());
            }
            Some(_) => {}
            None => return Err(StatementError::NoRecords { line: records.line() }),
        }
    };
    let above = (0..first.min(lines.len())).rev().find(|at| !lines[*at].trim().is_empty());
    let header = above.filter(|at| {
        let cells = fields_of_line(lines[*at], delimiter, QUOTE);
        let wordy = |cell: &String| {
            cell.chars().any(char::is_alphabetic) && !cell.contains(|sign: char| sign.is_numeric())
        };
        cells.len() == width && cells.iter().filter(|cell| wordy(cell)).count() * 2 > width
    });
    let rows = sample(text, delimiter, first as u64, SAMPLE_ROWS)?;
    let header_lines = header.unwrap_or(first) as u64;
    let header = header.map(|at| StringRecord::from(fields_of_line(lines[at], delimiter, QUOTE)));
    Ok(Table { delimiter, header_lines, header, rows })
}

fn sample(
    text: &str,
    delimiter: u8,
    lines_cut: u64,
    rows_max: usize,
) -> Result<Vec<StringRecord>, StatementError> {
    let mut records = Records::new(text, delimiter, QUOTE, lines_cut);
    let mut rows = Vec::new();
    let mut cells = 0;
    while rows.len() < rows_max && cells < SAMPLE_CELLS {
        match records.next()? {
            Some(record) if record.quote_closed && !is_blank(record.fields) => {
                cells += record.fields.len();
                rows.push(record.fields.clone());
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(rows)
}

fn is_transaction(row: &StringRecord) -> bool {
    let Some(date) = (0..row.len()).find(|at| is_date(cell(row, *at))) else { return false };
    (0..row.len()).any(|at| at != date && is_money(cell(row, at)))
}

/// A number that could be an amount in some layout.
pub(super) fn is_money(cell: &str) -> bool {
    const LAYOUTS: [Marks; 4] = [
        Marks { decimal: '.', thousands: Some(',') },
        Marks { decimal: ',', thousands: Some('.') },
        Marks { decimal: ',', thousands: Some(' ') },
        Marks { decimal: '.', thousands: Some('\'') },
    ];
    LAYOUTS.iter().any(|marks| marks.parse(cell, super::DECIMALS).is_ok())
}
