use csv::{ReaderBuilder, StringRecord};

use super::super::lines::{line_ends, offset_of_line};
use super::super::{COLUMNS_MAX, RECORDS_MAX, StatementError};
use super::Mapping;

/// A missing closing quote makes the CSV reader swallow the lines after it. We then go back to the line after the broken
/// one, but only so often: each time costs up to one pass over the rest of the file.
const RECOVERIES_MAX: usize = 20;

/// Records in file order with the physical lines they stand on. The reader streams over the decoded text.
pub(in crate::statements) struct Records<'t> {
    text: &'t str,
    delimiter: u8,
    quote: Option<u8>,
    reader: csv::Reader<&'t [u8]>,
    reader_at: usize,
    fields: StringRecord,
    line: u64,
    line_counted_to: usize,
    records: usize,
    recoveries: usize,
}

pub(in crate::statements) struct Record<'r> {
    pub fields: &'r StringRecord,
    /// The physical line where the record begins, counted from 1.
    pub line: u64,
    pub quote_closed: bool,
}

impl<'t> Records<'t> {
    /// `lines_cut` physical lines are left out, whatever they hold: a preamble is no CSV and may have single quotes.
    pub fn new(text: &'t str, delimiter: u8, quote: Option<u8>, lines_cut: u64) -> Self {
        let at = offset_of_line(text, lines_cut);
        Self {
            text,
            delimiter,
            quote,
            reader: reader(&text[at..], delimiter, quote),
            reader_at: at,
            fields: StringRecord::new(),
            line: 1,
            line_counted_to: 0,
            records: 0,
            recoveries: 0,
        }
    }

    pub fn of_mapping(text: &'t str, mapping: &Mapping) -> Self {
        Self::new(text, mapping.delimiter as u8, mapping.quote.map(|quote| quote as u8), mapping.header_lines)
    }

    /// The line that the last record began on, or 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn next(&mut self) -> Result<Option<Record<'_>>, StatementError> {
        let from = self.reader_at + self.reader.position().byte() as usize;
        let more = self.reader.read_record(&mut self.fields);
        let end = self.reader_at + self.reader.position().byte() as usize;
        let bytes = self.text.as_bytes();

        // The reader skips blank lines in front of a record without moving the position it reports.
        let blank = bytes[from..end].iter().take_while(|byte| matches!(**byte, b'\r' | b'\n')).count();
        let start = from + blank;
        if let Ok(false) = more {
            return Ok(None);
        }
        self.line += line_ends(&bytes[self.line_counted_to..start]);
        self.line_counted_to = start;
        if more.is_err() {
            return Err(StatementError::RecordUnreadable { line: self.line });
        }
        self.records += 1;
        if self.records > RECORDS_MAX {
            return Err(StatementError::TooManyRecords { line: self.line });
        }

        let quote_closed = self.quote_closed(start, end);
        if !quote_closed && self.recoveries < RECOVERIES_MAX {
            self.recoveries += 1;
            let first_line_end = offset_of_line(&self.text[start..end], 1) + start;
            self.reader = reader(&self.text[first_line_end..], self.delimiter, self.quote);
            self.reader_at = first_line_end;
        }
        // Columns counted after a lost quote are those of several lines.
        if quote_closed && self.fields.len() > COLUMNS_MAX {
            return Err(StatementError::TooManyColumns { line: self.line, columns: self.fields.len() });
        }
        Ok(Some(Record { fields: &self.fields, line: self.line, quote_closed }))
    }

    /// The CSV reader accepts a quote that is never closed, so the raw text is asked. Quotes come in pairs in a sound
    /// record of several lines; at the end of the file another line is put after the record and must not melt into it.
    fn quote_closed(&self, start: usize, end: usize) -> bool {
        let Some(quote) = self.quote else { return true };
        let raw = self.text[start..end].trim_end_matches(['\r', '\n']);
        let quotes = raw.bytes().filter(|byte| *byte == quote).count();
        if quotes == 0 {
            return true;
        }
        if quotes % 2 == 1 && raw.contains(['\r', '\n']) {
            return false;
        }
        if end < self.text.len() {
            return true;
        }
        let probe = format!("{raw}\nx");
        reader(&probe, self.delimiter, self.quote).records().count() == 2
    }
}

fn reader(text: &str, delimiter: u8, quote: Option<u8>) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quote.is_some())
        .quote(quote.unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// One physical line as fields, for lines that are not yet known to be CSV.
pub(super) fn fields_of_line(line: &str, delimiter: u8, quote: Option<u8>) -> Vec<String> {
    let mut fields = StringRecord::new();
    match reader(line, delimiter, quote).read_record(&mut fields) {
        Ok(true) => fields.iter().map(str::to_owned).collect(),
        Ok(false) | Err(_) => Vec::new(),
    }
}

/// The first physical lines of a text, without their ends.
pub(super) fn first_lines(text: &str, lines_max: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && lines.len() < lines_max {
        let next = offset_of_line(rest, 1);
        lines.push(rest[..next].trim_end_matches(['\r', '\n']));
        rest = &rest[next..];
    }
    lines
}
