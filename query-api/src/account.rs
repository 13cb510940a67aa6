use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::AccountId;
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::Account,
};
use read_model::queries::accounts;

use crate::answer::{MinVersion, QueryApi, Reader, View};

/// An account with its balance.
#[utoipa::path(
    get,
    path = "/books/{book}/accounts/{account}",
    tag = "accounts",
    params(("book" = String, Path), ("account" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = Account),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`, `account_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_account(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, account)): Path<(String, String)>,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let not_found = || Problem::new("account_not_found");
    let account: AccountId = account.parse().map_err(|_| not_found())?;
    api.answer(&reader, standing, View::of(&format!("accounts/{account}"), &asked), move |conn, standing| {
        let found = accounts::one(conn, standing.book, account)?.ok_or_else(not_found)?;
        Ok(Account::of(account, &found))
    })
    .await
}
