use chrono::{DateTime, Utc};
use domain::{
    Event,
    id::{BookId, EntryId, UserId},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows;

/// A commit as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCommit {
    pub version: u64,
    pub recorded_at: DateTime<Utc>,
    pub actor: UserId,
    pub command: String,
    pub events: Vec<Event>,
    pub hash: [u8; 32],
}

/// Newest first, below the version `before`.
pub fn before(
    conn: &Connection,
    book: BookId,
    before: u64,
    limit: usize,
) -> rusqlite::Result<Vec<KeptCommit>> {
    let mut statement = conn.prepare_cached(include_str!("commits_select_before.sql"))?;
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map((book.as_bytes(), before, limit), read)?.collect()
}

pub fn one(conn: &Connection, book: BookId, version: u64) -> rusqlite::Result<Option<KeptCommit>> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    let mut statement = conn.prepare_cached(include_str!("commits_select_one.sql"))?;
    statement.query_row((book.as_bytes(), version), read).optional()
}

/// Every commit with an event about the entry, oldest first.
pub fn of_entry(conn: &Connection, book: BookId, entry: EntryId) -> rusqlite::Result<Vec<KeptCommit>> {
    let mut statement = conn.prepare_cached(include_str!("commits_select_of_entry.sql"))?;
    statement.query_map((book.as_bytes(), entry.as_bytes()), read)?.collect()
}

fn read(row: &Row) -> rusqlite::Result<KeptCommit> {
    Ok(KeptCommit {
        version: row.get(0)?,
        recorded_at: rows::instant(row, 1)?,
        actor: rows::id(row, 2)?,
        command: row.get(3)?,
        events: rows::json(row, 4)?,
        hash: row.get(5)?,
    })
}
