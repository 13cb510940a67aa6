use chrono::{DateTime, Utc};
use domain::{
    event::Role,
    id::{BookId, InvitationId},
    text::Text,
};
use rusqlite::Connection;

use super::rows;

/// An invitation that was neither accepted nor withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    pub invitation: InvitationId,
    pub email: Text,
    pub role: Role,
    pub expires_at: DateTime<Utc>,
}

/// Those that are out of date first.
pub fn open(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<OpenInvitation>> {
    let mut statement = conn.prepare_cached(include_str!("invitations_select_of_book.sql"))?;
    let open = statement.query_map([book.as_bytes()], |row| {
        Ok(OpenInvitation {
            invitation: rows::id(row, 0)?,
            email: rows::text(row, 1)?,
            role: rows::parsed(row, 2, "role", Role::parse)?,
            expires_at: rows::instant(row, 3)?,
        })
    })?;
    open.collect()
}
