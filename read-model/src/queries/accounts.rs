use domain::{
    book::Account,
    entry::AccountKind,
    id::{AccountId, BookId},
    money::Currency,
    touch::Touches,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::rows;

/// Open accounts first, then by name.
pub fn all(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<(AccountId, Account)>> {
    let mut statement = conn.prepare_cached(include_str!("accounts_select_of_book.sql"))?;
    statement.query_map([book.as_bytes()], read)?.collect()
}

pub fn one(conn: &Connection, book: BookId, account: AccountId) -> rusqlite::Result<Option<Account>> {
    let mut statement = conn.prepare_cached(include_str!("accounts_select_one.sql"))?;
    let found = statement.query_row((book.as_bytes(), account.as_bytes()), read).optional()?;
    Ok(found.map(|(_, account)| account))
}

/// The currencies that the book and its accounts keep, with the decimals they were written with.
pub fn currencies(conn: &Connection, book: BookId) -> rusqlite::Result<Vec<Currency>> {
    let mut statement = conn.prepare_cached(include_str!("accounts_select_currencies.sql"))?;
    statement.query_map([book.as_bytes()], |row| rows::currency(row, 0))?.collect()
}

fn read(row: &Row) -> rusqlite::Result<(AccountId, Account)> {
    let account = Account {
        name: rows::text(row, 1)?,
        kind: rows::parsed(row, 2, "kind of account", AccountKind::parse)?,
        currency: rows::currency(row, 3)?,
        opened_on: rows::date(row, 5)?,
        closed: row.get(6)?,
        balance_minor: row.get(7)?,
        touches: Touches::default(),
    };
    Ok((rows::id(row, 0)?, account))
}
