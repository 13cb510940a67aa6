use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem, resources::Account};
use read_model::queries::accounts;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    pages::List,
};

/// All accounts of a book with their balances: open ones first, then by name.
#[utoipa::path(
    get,
    path = "/books/{book}/accounts",
    tag = "accounts",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = List<Account>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_accounts(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    api.answer(&reader, standing, View::of("accounts", &asked), |conn, standing| {
        let accounts = accounts::all(conn, standing.book)?;
        Ok(List { data: accounts.iter().map(|(id, account)| Account::of(*id, account)).collect() })
    })
    .await
}
