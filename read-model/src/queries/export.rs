//! All entries of a book in the order of their days, a batch at a time.

use chrono::NaiveDate;
use domain::{
    book::KeptEntry,
    id::{BookId, EntryId},
    money::Currency,
};
use rusqlite::{Connection, OptionalExtension};

use super::{accounts, entries, rows, spending::Days};

/// The entries of these days that come after one of them, those that were removed or those that were not.
pub fn entries_after(
    conn: &Connection,
    book: BookId,
    removed: bool,
    days: Days,
    after: Option<(NaiveDate, EntryId)>,
    limit: usize,
) -> rusqlite::Result<Vec<KeptEntry>> {
    let mut statement = conn.prepare_cached(include_str!("entries_select_after.sql"))?;
    // Before every id stand no bytes at all.
    let (day, entry) = match &after {
        Some((day, entry)) => (day.to_string(), entry.as_bytes().as_slice()),
        None => (days.0.to_string(), [].as_slice()),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let to = days.1.to_string();
    statement.query_map((book.as_bytes(), removed, day, entry, to, limit), entries::read)?.collect()
}

/// The day of the first entry that is not removed.
pub fn first_day(conn: &Connection, book: BookId) -> rusqlite::Result<Option<NaiveDate>> {
    let mut statement = conn.prepare_cached(include_str!("entries_select_first_day.sql"))?;
    statement.query_row([book.as_bytes()], |row| rows::date(row, 0)).optional()
}

/// Every currency that there are figures in, by code and each once: those of the book and its accounts, and others
/// that went from one category to another.
pub fn currencies(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<Currency>> {
    let mut currencies = accounts::currencies(conn, book)?;
    let mut statement = conn.prepare_cached(include_str!("category_months_select_currencies.sql"))?;
    let codes = statement.query_map([book.as_bytes()], |row| row.get::<_, String>(0))?;
    for code in codes {
        currencies.extend(Currency::parse(&code?).ok());
    }
    // A code that was written with two numbers of decimals is one currency elsewhere: the larger holds both.
    currencies.sort_unstable_by(|a, b| a.code().cmp(b.code()).then(b.decimals().cmp(&a.decimals())));
    currencies.dedup_by(|a, b| a.code() == b.code());
    Ok(currencies)
}
