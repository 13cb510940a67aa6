use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem, resources::Import};
use read_model::queries::imports::{self, KeptImport};

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    pages::List,
};

/// The statements taken into a book, the latest first.
#[utoipa::path(
    get,
    path = "/books/{book}/imports",
    tag = "imports",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = List<Import>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_imports(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    api.answer(&reader, standing, View::of("imports", &asked), |conn, standing| {
        let imports = imports::all(conn, standing.book)?;
        Ok(List { data: imports.iter().map(resource).collect() })
    })
    .await
}

pub(crate) fn resource(import: &KeptImport) -> Import {
    let status = match (import.reverted, import.finished) {
        (true, _) => "reverted",
        (false, true) => "finished",
        (false, false) => "running",
    };
    Import {
        id: import.import.to_string(),
        file_name: import.file_name.as_str().map(str::to_owned),
        status: status.to_owned(),
        lines: import.lines,
        judged: import.judged,
        taken: import.taken,
        duplicates: import.duplicates,
        refused: import.refused,
    }
}
