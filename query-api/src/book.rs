use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem, resources::Book};
use read_model::queries::books::Standing;

use crate::answer::{MinVersion, QueryApi, Reader, View};

/// A book.
#[utoipa::path(
    get,
    path = "/books/{book}",
    tag = "books",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "The book, with the caller's role. `ETag` is its version.", body = Book),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_book(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    api.answer(&reader, standing, View::of("book", &asked), |_, standing| Ok(resource(standing))).await
}

pub(crate) fn resource(standing: &Standing) -> Book {
    Book::of(standing.book, &standing.settings, standing.role, standing.version, &standing.created_at)
}
