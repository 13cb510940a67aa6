use axum::{extract::State, response::Response};
use domain::Command;
use http_kit::{json::Path, problem::Problem};

use super::AccountWritten;
use crate::{
    ApiState,
    writes::{Write, account_in_path, book_in_path},
};

/// Closes an account: it takes no new entries, and keeps its balance and its past.
#[utoipa::path(
    post,
    path = "/books/{book}/accounts/{account}/close",
    operation_id = "close_account",
    tag = "accounts",
    params(
        ("book" = String, Path),
        ("account" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "It is closed.", body = AccountWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, account)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let account = account_in_path(&account)?;
    write.submit(&api, book, &(), Command::CloseAccount { account }).await
}
