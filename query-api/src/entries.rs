use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem, resources::Entry};
use read_model::queries::{
    categories,
    entries::{self, Place, Sort},
};

use crate::{
    answer::{QueryApi, Reader, View},
    filter::{EntriesParameters, SortName},
    pages::{self, Page},
};

/// The entries of a book, newest first unless asked otherwise. Without `removed=true` what was removed is nowhere.
#[utoipa::path(
    get,
    path = "/books/{book}/entries",
    tag = "entries",
    params(("book" = String, Path), EntriesParameters),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = Page<Entry>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`, `cursor_invalid`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_entries(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<EntriesParameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let limit = pages::limit(asked.limit)?;
    let filter = asked.filter()?;
    let list = asked.list(standing.book);
    let after: Option<Place> = pages::open(&api.cursors, &list, asked.cursor.as_deref())?;
    let sort = match asked.sort.unwrap_or_default() {
        SortName::Newest => Sort::Newest,
        SortName::Oldest => Sort::Oldest,
        SortName::Amount => Sort::Amount,
    };
    let cursors = api.cursors.clone();
    api.answer(&reader, standing, View::of("entries", &asked), move |conn, standing| {
        let tree = categories::tree(conn, standing.book)?;
        let page = entries::list(conn, standing.book, &tree, &filter, sort, after.as_ref(), limit)?;
        let next_cursor = page.next.map(|place| cursors.seal(&list, &place));
        Ok(Page { data: page.entries.iter().map(Entry::of).collect(), next_cursor })
    })
    .await
}
