use chrono::{DateTime, Utc};
use domain::{
    Event,
    id::{BookId, UserId},
};
use rusqlite::{Connection, OptionalExtension, Row, Rows};

use super::rows;
use domain::Thing;

/// Of the events of a part, as JSON; a single commit may have more.
const EVENTS_BYTES_MAX: usize = 4 << 20;

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

impl KeptCommit {
    /// Which commit this one is the inverse of; the event that says so stands first.
    pub fn undoes(&self) -> Option<u64> {
        match self.events.first() {
            Some(Event::CommitUndone { version }) => Some(*version),
            Some(_) | None => None,
        }
    }
}

/// A part of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub commits: Vec<KeptCommit>,
    /// Whether there are more than the limit, or more than should be in memory at once.
    pub goes_on: bool,
}

/// Which commits are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The first version that counts.
    pub from: u64,
    pub actor: Option<UserId>,
    pub command: Option<String>,
    pub thing: Option<Thing>,
}

/// Newest first, below the version `before`.
pub fn before(
    conn: &Connection,
    book: BookId,
    wanted: &Wanted,
    before: u64,
    limit: usize,
) -> rusqlite::Result<Part> {
    let (before, from) = (number(before), number(wanted.from));
    let (actor, command) = (wanted.actor.as_ref().map(|actor| actor.as_bytes()), wanted.command.as_deref());
    let one_more = one_more(limit);
    match &wanted.thing {
        None => {
            let mut statement = conn.prepare_cached(include_str!("commits_select_before.sql"))?;
            let values = (book.as_bytes(), before, from, actor, command, one_more);
            part(statement.query(values)?, limit)
        }
        Some(thing) => {
            let mut statement = conn.prepare_cached(include_str!("commits_select_of_thing_before.sql"))?;
            let thing = thing.uuid(book);
            let values = (book.as_bytes(), before, from, actor, command, one_more, thing.as_bytes());
            part(statement.query(values)?, limit)
        }
    }
}

/// Oldest first, above the version `after`.
pub fn after(conn: &Connection, book: BookId, after: u64, limit: usize) -> rusqlite::Result<Part> {
    let mut statement = conn.prepare_cached(include_str!("commits_select_after.sql"))?;
    part(statement.query((book.as_bytes(), number(after), one_more(limit)))?, limit)
}

/// A bulk or an import is hundreds of entries in one commit, so the number of commits alone bounds nothing.
fn part(mut rows: Rows, limit: usize) -> rusqlite::Result<Part> {
    let (mut commits, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(4)?.as_str()?.len();
        let is_full = commits.len() == limit || (bytes > EVENTS_BYTES_MAX && !commits.is_empty());
        if is_full {
            return Ok(Part { commits, goes_on: true });
        }
        commits.push(read(row)?);
    }
    Ok(Part { commits, goes_on: false })
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

pub fn one(conn: &Connection, book: BookId, version: u64) -> rusqlite::Result<Option<KeptCommit>> {
    let Ok(version) = i64::try_from(version) else { return Ok(None) };
    let mut statement = conn.prepare_cached(include_str!("commits_select_one.sql"))?;
    statement.query_row((book.as_bytes(), version), read).optional()
}

/// Every commit with an event about the thing, oldest first, below the version `before`.
pub fn of_thing(
    conn: &Connection,
    book: BookId,
    thing: Thing,
    before: u64,
) -> rusqlite::Result<Vec<KeptCommit>> {
    let mut statement = conn.prepare_cached(include_str!("commits_select_of_thing.sql"))?;
    let thing = thing.uuid(book);
    statement.query_map((book.as_bytes(), thing.as_bytes(), number(before)), read)?.collect()
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
