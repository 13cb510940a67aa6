use axum::{extract::State, response::Response};
use domain::{Command, entry::AccountKind};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AccountWritten;
use crate::{
    ApiState,
    fields::Name,
    writes::{Write, account_in_path, book_in_path},
};

/// Only what is given changes. The currency never does.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<AccountKind>,
}

/// Renames an account or changes its kind.
#[utoipa::path(
    patch,
    path = "/books/{book}/accounts/{account}",
    operation_id = "change_account",
    tag = "accounts",
    params(
        ("book" = String, Path),
        ("account" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = AccountChange,
    responses((status = 200, description = "The account as it is now.", body = AccountWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, account)): Path<(String, String)>,
    Json(change): Json<AccountChange>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let account = account_in_path(&account)?;
    let name = change.name.clone().map(|name| name.0);
    write.submit(&api, book, &change, Command::ChangeAccount { account, name, kind: change.kind }).await
}
