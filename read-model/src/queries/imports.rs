use chrono::{DateTime, Utc};
use domain::{
    id::{BookId, EntryId, ImportId},
    text::Text,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows;

/// A statement that was taken into a book, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptImport {
    pub import: ImportId,
    pub file_name: Text,
    pub lines: u64,
    pub judged: u64,
    pub taken: u64,
    pub duplicates: u64,
    pub refused: u64,
    pub finished: bool,
    pub reverted: bool,
    pub started_at: DateTime<Utc>,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLine {
    pub line: u64,
    pub verdict: String,
    pub entry: Option<EntryId>,
    pub code: Option<String>,
    pub detail: Option<String>,
}

/// The latest first.
pub fn all(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<KeptImport>> {
    let mut statement = conn.prepare_cached(include_str!("imports_select_of_book.sql"))?;
    statement.query_map([book.as_bytes()], read)?.collect()
}

pub fn one(conn: &Connection, book: BookId, import: ImportId) -> rusqlite::Result<Option<KeptImport>> {
    let mut statement = conn.prepare_cached(include_str!("imports_select_one.sql"))?;
    statement.query_row((book.as_bytes(), import.as_bytes()), read).optional()
}

/// The lines after line `after`, those of one verdict if one is given.
pub fn lines(
    conn: &Connection,
    book: BookId,
    import: ImportId,
    verdict: Option<&str>,
    after: u64,
    limit: usize,
) -> rusqlite::Result<Vec<KeptLine>> {
    let mut statement = conn.prepare_cached(include_str!("import_lines_select_after.sql"))?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let lines = statement.query_map((book.as_bytes(), import.as_bytes(), after, verdict, limit), |row| {
        Ok(KeptLine {
            line: row.get(0)?,
            verdict: row.get(1)?,
            entry: rows::id_or_none(row, 2)?,
            code: row.get(3)?,
            detail: row.get(4)?,
        })
    })?;
    lines.collect()
}

fn read(row: &Row) -> rusqlite::Result<KeptImport> {
    Ok(KeptImport {
        import: rows::id(row, 0)?,
        file_name: rows::text(row, 1)?,
        lines: row.get(2)?,
        judged: row.get(3)?,
        taken: row.get(4)?,
        duplicates: row.get(5)?,
        refused: row.get(6)?,
        finished: row.get(7)?,
        reverted: row.get(8)?,
        started_at: rows::instant(row, 9)?,
        version: row.get(10)?,
    })
}
