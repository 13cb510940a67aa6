use axum::{extract::State, response::Response};
use domain::{
    Command,
    command::{NewAccount, OpeningBalance},
    entry::AccountKind,
    id::{AccountId, EntryId},
};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AccountWritten;
use crate::{
    ApiState,
    fields::{CurrencyCode, Date, Name, SignedAmount},
    writes::{Write, book_in_path},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountToOpen {
    #[schema(value_type = String, max_length = 100, example = "Bank account")]
    name: Name,
    /// `cash`, `bank`, `card`, `savings`, `loan` or `other`.
    #[schema(value_type = String, example = "bank")]
    kind: AccountKind,
    /// ISO 4217; the book's unless given.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<CurrencyCode>,
    /// What was in it before the book begins; negative for what is owed.
    #[schema(value_type = Option<String>, example = "1250.00")]
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_balance: Option<SignedAmount>,
    /// `YYYY-MM-DD`, the day of the opening balance; today in UTC unless given.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_on: Option<Date>,
}

/// Opens an account.
#[utoipa::path(
    post,
    path = "/books/{book}/accounts",
    operation_id = "open_account",
    tag = "accounts",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = AccountToOpen,
    responses((status = 201, description = "The account; `Location` is where it is read.", body = AccountWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(new): Json<AccountToOpen>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let account = NewAccount {
        account: AccountId::from_uuid((api.sources.next_uuid)()),
        name: new.name.0.clone(),
        kind: new.kind,
        currency: new.currency.map(|currency| currency.0),
        opened_on: new.opened_on.map_or_else(|| (api.sources.now)().date_naive(), |date| date.0),
        opening_balance: new.opening_balance.map(|amount| OpeningBalance {
            entry: EntryId::from_uuid((api.sources.next_uuid)()),
            amount: amount.0,
        }),
    };
    write.submit(&api, book, &new, Command::OpenAccount(account)).await
}
