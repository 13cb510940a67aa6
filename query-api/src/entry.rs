use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::EntryId;
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::Entry,
};
use read_model::queries::entries;

use crate::answer::{MinVersion, QueryApi, Reader, View};

/// An entry with its postings, also one that was removed.
#[utoipa::path(
    get,
    path = "/books/{book}/entries/{entry}",
    tag = "entries",
    params(("book" = String, Path), ("entry" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = Entry),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`, `entry_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_entry(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, entry)): Path<(String, String)>,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let not_found = || Problem::new("entry_not_found");
    let entry: EntryId = entry.parse().map_err(|_| not_found())?;
    api.answer(&reader, standing, View::of(&format!("entries/{entry}"), &asked), move |conn, standing| {
        let kept = entries::one(conn, standing.book, entry)?.ok_or_else(not_found)?;
        Ok(Entry::of(&kept))
    })
    .await
}
