//! The payees and tags that a book's entries have, for whoever writes the next one.

use chrono::NaiveDate;
use domain::id::BookId;
use rusqlite::Connection;

use super::rows;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub name: String,
    pub entries: u64,
    pub last_used_on: NaiveDate,
}

pub fn payees(conn: &Connection, book: BookId, after: &str, limit: usize) -> rusqlite::Result<Vec<Word>> {
    words(conn, include_str!("entries_select_payees_after.sql"), book, after, limit)
}

pub fn tags(conn: &Connection, book: BookId, after: &str, limit: usize) -> rusqlite::Result<Vec<Word>> {
    words(conn, include_str!("entries_select_tags_after.sql"), book, after, limit)
}

fn words(
    conn: &Connection,
    sql: &str,
    book: BookId,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Word>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(sql)?;
    let words = statement.query_map((book.as_bytes(), after, limit), |row| {
        Ok(Word { name: row.get(0)?, entries: row.get(1)?, last_used_on: rows::date(row, 2)? })
    })?;
    words.collect()
}
