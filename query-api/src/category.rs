use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::CategoryId;
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::Category,
};
use read_model::queries::categories;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    categories::resource,
};

/// A category.
#[utoipa::path(
    get,
    path = "/books/{book}/categories/{category}",
    tag = "categories",
    params(("book" = String, Path), ("category" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = Category),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`, `category_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_category(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, category)): Path<(String, String)>,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let not_found = || Problem::new("category_not_found");
    let category: CategoryId = category.parse().map_err(|_| not_found())?;
    api.answer(
        &reader,
        standing,
        View::of(&format!("categories/{category}"), &asked),
        move |conn, standing| {
            let tree = categories::tree(conn, standing.book)?;
            Ok(resource(&tree, category).ok_or_else(not_found)?)
        },
    )
    .await
}
