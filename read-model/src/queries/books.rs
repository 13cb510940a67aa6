use chrono::{DateTime, Utc};
use domain::{
    event::{Role, Settings, Weekday},
    id::{BookId, UserId},
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows;

/// A book as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub book: BookId,
    pub version: u64,
    pub role: Role,
    pub settings: Settings,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub role: Role,
}

/// `None` where there is no such book and where it is not this person's: the two are not told apart.
pub fn standing(conn: &Connection, book: BookId, user: UserId) -> rusqlite::Result<Option<Standing>> {
    let mut statement = conn.prepare_cached(include_str!("books_select_standing.sql"))?;
    statement.query_row((book.as_bytes(), user.as_bytes()), read_standing).optional()
}

/// The version of a book that this person was a member of and is no longer.
pub fn left(conn: &Connection, book: BookId, user: UserId) -> rusqlite::Result<Option<u64>> {
    let mut statement = conn.prepare_cached(include_str!("books_select_left_version.sql"))?;
    statement.query_row((book.as_bytes(), user.as_bytes()), |row| row.get(0)).optional()
}

pub fn of_member(conn: &Connection, user: UserId) -> rusqlite::Result<Vec<Standing>> {
    let mut statement = conn.prepare_cached(include_str!("books_select_of_member.sql"))?;
    statement.query_map([user.as_bytes()], read_standing)?.collect()
}

pub fn members(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<Member>> {
    let mut statement = conn.prepare_cached(include_str!("members_select_of_book.sql"))?;
    let members = statement.query_map([book.as_bytes()], |row| {
        Ok(Member { user: rows::id(row, 0)?, role: rows::parsed(row, 1, "role", Role::parse)? })
    })?;
    members.collect()
}

fn read_standing(row: &Row) -> rusqlite::Result<Standing> {
    Ok(Standing {
        book: rows::id(row, 0)?,
        version: row.get(1)?,
        role: rows::parsed(row, 2, "role", Role::parse)?,
        settings: Settings {
            name: rows::text(row, 3)?,
            currency: rows::currency(row, 4)?,
            time_zone: row.get(6)?,
            week_starts_on: rows::parsed(row, 7, "weekday", Weekday::parse)?,
            month_starts_on: row.get(8)?,
        },
        created_at: rows::instant(row, 9)?,
    })
}
