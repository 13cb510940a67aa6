use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem};
use read_model::queries::words;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, View, is_no_part_of_the_view},
    pages::{self, Page},
};

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// 1 to 200, default 50.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the part before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Payee {
    pub name: String,
    /// How many entries have it.
    pub entries: u64,
    /// The day of the latest of them.
    #[schema(format = Date)]
    pub last_used_on: String,
}

/// The payees of a book's entries, by name.
#[utoipa::path(
    get,
    path = "/books/{book}/payees",
    tag = "entries",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = Page<Payee>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`, `cursor_invalid`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_payees(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let limit = pages::limit(asked.limit)?;
    let list = format!("payees {}", standing.book);
    let after: String = pages::open(&api.cursors, &list, asked.cursor.as_deref())?.unwrap_or_default();
    let cursors = api.cursors.clone();
    api.answer(&reader, standing, View::of("payees", &asked), move |conn, standing| {
        let mut found = words::payees(conn, standing.book, &after, limit + 1)?;
        let goes_on = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| goes_on);
        let next_cursor = last.map(|word| cursors.seal(&list, &word.name));
        let shown = found.into_iter().map(|word| Payee {
            name: word.name,
            entries: word.entries,
            last_used_on: word.last_used_on.to_string(),
        });
        Ok(Page { data: shown.collect(), next_cursor })
    })
    .await
}
