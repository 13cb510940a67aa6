//! Lists as every route answers them.

use http_kit::{cursor::CursorKey, problem::Problem};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

const LIMIT_DEFAULT: u16 = 50;
const LIMIT_MAX: u16 = 200;

/// Everything there is.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    pub data: Vec<T>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// Gives the next part, with the same parameters; `null` at the end.
    pub next_cursor: Option<String>,
}

pub(crate) fn limit(asked: Option<u16>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid_parameter("limit", format!("a part of a list has 1 to {LIMIT_MAX} items")));
    }
    Ok(usize::from(limit))
}

/// `list` names the list and its filters, so that a cursor of another is refused.
pub(crate) fn open<T: DeserializeOwned>(
    key: &CursorKey,
    list: &str,
    cursor: Option<&str>,
) -> Result<Option<T>, Problem> {
    cursor.map(|cursor| key.open(list, cursor)).transpose()
}

pub(crate) fn invalid_parameter(name: &'static str, detail: impl std::fmt::Display) -> Problem {
    Problem::new("invalid_parameter").detail(format!("{name}: {detail}.")).with("parameter", name)
}
