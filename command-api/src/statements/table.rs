//! Tables with a header that a program always writes alike.

use std::collections::HashMap;

use super::csv::{Record, Records, is_blank};
use super::{Format, Refusal, StatementError};

pub(super) struct Table<'t> {
    text: &'t str,
    delimiter: u8,
    /// By the header's names in lower case; of several columns with one name, the first.
    positions: HashMap<String, usize>,
}

impl<'t> Table<'t> {
    /// The first record has to name all of `needed`.
    pub fn open(text: &'t str, needed: &[&str]) -> Result<Self, StatementError> {
        let mut missing = Err(StatementError::NoRecords { line: 1 });
        for delimiter in [b',', b';', b'\t'] {
            let mut records = Records::new(text, delimiter, Some(b'"'), 0);
            let header = match records.next() {
                Ok(Some(record)) => record.fields.clone(),
                Ok(None) => return missing,
                Err(fault) if delimiter == b',' => {
                    missing = Err(fault);
                    continue;
                }
                Err(_) => continue,
            };
            let mut positions = HashMap::new();
            for (at, name) in header.iter().enumerate() {
                positions.entry(name.trim().to_ascii_lowercase()).or_insert(at);
            }
            let table = Self { text, delimiter, positions };
            let Some(absent) = needed.iter().find(|name| table.column(&[name]).is_none()) else {
                return Ok(table);
            };
            if delimiter == b',' {
                let available = header.iter().take(40).collect::<Vec<_>>().join(", ");
                missing = Err(StatementError::ColumnNotFound {
                    field: "format",
                    column: format!("`{absent}`"),
                    line: 1,
                    available: available.chars().take(500).collect(),
                });
            }
        }
        missing
    }

    /// The position of the first of these names that the header has.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.positions.get(&name.to_ascii_lowercase()).copied())
    }

    /// The records below the header, in file order.
    pub fn records(&self) -> Result<Records<'t>, StatementError> {
        let mut records = Records::new(self.text, self.delimiter, Some(b'"'), 0);
        records.next()?;
        Ok(records)
    }
}

/// Nothing of the file: a line of no letters.
pub(super) fn is_passed_over(record: &Record<'_>) -> bool {
    record.quote_closed && is_blank(record.fields)
}

pub(super) fn refuse_open_quote(record: &Record<'_>) -> Result<(), Refusal> {
    if record.quote_closed {
        return Ok(());
    }
    Err(Refusal::new("quote_not_closed", "A quote opens on this line and is not closed."))
}

pub(super) const YNAB_COLUMNS: [&str; 6] = ["Account", "Date", "Payee", "Memo", "Outflow", "Inflow"];
pub(super) const ACTUAL_COLUMNS: [&str; 7] =
    ["Account", "Date", "Payee", "Notes", "Category", "Amount", "Cleared"];
pub(super) const FIREFLY_COLUMNS: [&str; 7] =
    ["type", "amount", "currency_code", "date", "source_name", "source_type", "destination_name"];

/// The program whose export begins so.
pub(super) fn ledger_of(head: &str) -> Option<Format> {
    let begins = |needed: &[&str]| Table::open(head, needed).is_ok();
    if begins(&YNAB_COLUMNS) {
        return Some(Format::YnabCsv);
    }
    if begins(&ACTUAL_COLUMNS) {
        return Some(Format::ActualCsv);
    }
    begins(&FIREFLY_COLUMNS).then_some(Format::FireflyCsv)
}
