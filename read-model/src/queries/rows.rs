//! How values stand in columns.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    id::{Id, Kind},
    money::Currency,
    text::Text,
};
use rusqlite::{Row, types::Type};
use uuid::Uuid;

#[derive(Debug, thiserror::Error)]
#[error("{value:?} is no {what}")]
struct Unreadable {
    what: &'static str,
    value: String,
}

pub(super) fn id<K: Kind>(row: &Row, column: usize) -> rusqlite::Result<Id<K>> {
    Ok(Id::from_uuid(Uuid::from_bytes(row.get(column)?)))
}

pub(super) fn id_or_none<K: Kind>(row: &Row, column: usize) -> rusqlite::Result<Option<Id<K>>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(|bytes| Id::from_uuid(Uuid::from_bytes(bytes))))
}

/// Reads a text column by `parse`, which knows what may stand there.
pub(super) fn parsed<T>(
    row: &Row,
    column: usize,
    what: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).ok_or_else(|| {
        let unreadable = Unreadable { what, value: text.to_owned() };
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(unreadable))
    })
}

pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

pub(super) fn date(row: &Row, column: usize) -> rusqlite::Result<NaiveDate> {
    parsed(row, column, "date", |text| text.parse().ok())
}

pub(super) fn instant(row: &Row, column: usize) -> rusqlite::Result<DateTime<Utc>> {
    parsed(row, column, "instant", |text| text.parse().ok())
}

pub(super) fn instant_or_none(row: &Row, column: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    if row.get_ref(column)?.as_str_or_null()?.is_none() { Ok(None) } else { instant(row, column).map(Some) }
}

/// A currency that stands with its decimals in the column after it.
pub(super) fn currency(row: &Row, column: usize) -> rusqlite::Result<Currency> {
    let decimals: u8 = row.get(column + 1)?;
    parsed(row, column, "currency", |code| Currency::pinned(code, decimals))
}

/// Personal text; what has been forgotten is null.
pub(super) fn text(row: &Row, column: usize) -> rusqlite::Result<Text> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map_or(Text::Forgotten, Text::Known))
}
