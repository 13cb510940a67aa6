use axum::{extract::State, response::Response};
use domain::{
    Command,
    command::EntryDraft,
    id::{AccountId, CategoryId, EntryId},
};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    EntryWritten,
    entry::{Foreign, Kind, Split, sorting, tags},
};
use crate::{
    ApiState,
    fields::{Date, Note, Payee, PositiveAmount, Tag},
    writes::{Write, book_in_path},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntry {
    /// Chosen by the client if it likes, so that it can be written offline; used once.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<EntryId>,
    kind: Kind,
    /// `YYYY-MM-DD`.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    occurred_on: Date,
    /// Where the money went from; for income and refunds, where it came in.
    #[schema(value_type = String)]
    account: AccountId,
    /// Positive, in the account's currency.
    #[schema(value_type = String, example = "12.50")]
    amount: PositiveAmount,
    /// Must be the account's, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// An expense category for expenses and refunds, an income category for income. This or `splits`.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<CategoryId>,
    /// Parts that add up to `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    splits: Option<Vec<Split>>,
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<Payee>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    /// Of a refund: the expense that is given back.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_of: Option<EntryId>,
    /// Of a transfer: where the money goes.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    to_account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign: Option<Foreign>,
}

/// Adds an entry: an expense, an income, a refund or a transfer.
#[utoipa::path(
    post,
    path = "/books/{book}/entries",
    operation_id = "add_entry",
    tag = "entries",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = NewEntry,
    responses((status = 201, description = "The entry; `Location` is where it is read.", body = EntryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(new): Json<NewEntry>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let mut faults = Vec::new();
    let draft = EntryDraft {
        kind: new.kind.into(),
        occurred_on: new.occurred_on.0,
        account: new.account,
        amount: new.amount.0,
        currency: new.currency.clone(),
        sorting: sorting(new.category, new.splits.as_deref(), &mut faults),
        to_account: new.to_account,
        payee: new.payee.clone().and_then(|payee| payee.0),
        note: new.note.clone().and_then(|note| note.0),
        tags: tags(new.tags.as_deref().unwrap_or_default(), &mut faults),
        refund_of: new.refund_of,
        foreign: new.foreign.as_ref().and_then(|foreign| foreign.read(&mut faults)),
    };
    if !faults.is_empty() {
        return Err(Problem::from_fields(faults));
    }
    let entry = new.id.unwrap_or_else(|| EntryId::from_uuid((api.sources.next_uuid)()));
    write.submit(&api, book, &new, Command::AddEntry { entry, draft }).await
}
