use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::CategoryId;
use http_kit::{
    json::Query,
    problem::Problem,
    resources::{Category, category_path},
};
use read_model::queries::categories::{self, Tree};

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    pages::List,
};

/// All categories of a book, by kind and path: each stands before what is below it.
#[utoipa::path(
    get,
    path = "/books/{book}/categories",
    tag = "categories",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = List<Category>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_categories(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    api.answer(&reader, standing, View::of("categories", &asked), |conn, standing| {
        let tree = categories::tree(conn, standing.book)?;
        let mut ids: Vec<CategoryId> = tree.iter().map(|(id, _)| id).collect();
        ids.sort_by_cached_key(|id| {
            let names = tree.names(*id).into_iter().map(|name| name.as_str().map(str::to_lowercase));
            (tree.get(*id).map(|category| category.kind), names.collect::<Vec<_>>(), *id)
        });
        Ok(List { data: ids.into_iter().filter_map(|id| resource(&tree, id)).collect() })
    })
    .await
}

pub(crate) fn resource(tree: &Tree, id: CategoryId) -> Option<Category> {
    let path = category_path(tree.names(id));
    tree.get(id).map(|category| Category::of(id, category, &path))
}
