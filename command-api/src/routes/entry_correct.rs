use axum::{extract::State, response::Response};
use domain::{
    Command,
    command::{EntryPatch, Sorting},
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
    entry::{Foreign, Kind, Posting, Split, postings, sorting, tags},
};
use crate::{
    ApiState,
    fields::{Date, Note, Payee, PositiveAmount, SignedAmount, Tag, given},
    writes::{Write, book_in_path, entry_in_path},
};

/// Only what is given changes; `null` takes an optional field away. A list is replaced whole. A new `kind` leaves behind
/// what only the old one has and needs what it has itself. Moving to an account of another currency takes the amount that
/// goes with it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[schema(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_on: Option<Date>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    /// Positive; signed for an opening balance only.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<SignedAmount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Takes the place of splits, if there are any.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<CategoryId>,
    /// Take the place of the category.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    splits: Option<Vec<Split>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 200)]
    payee: Option<Option<Payee>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    note: Option<Option<Note>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Option<Vec<Tag>>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    refund_of: Option<Option<EntryId>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to_account: Option<Option<AccountId>>,
    /// Of a transfer between two currencies: what arrives.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    to_amount: Option<Option<PositiveAmount>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Foreign>)]
    foreign: Option<Option<Foreign>>,
    /// Of a balanced entry.
    #[schema(min_items = 2, max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    postings: Option<Vec<Posting>>,
}

/// Corrects an entry. What it was before stays in its history.
#[utoipa::path(
    patch,
    path = "/books/{book}/entries/{entry}",
    operation_id = "correct_entry",
    tag = "entries",
    params(
        ("book" = String, Path),
        ("entry" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = EntryChange,
    responses((status = 200, description = "The entry as it is now.", body = EntryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, entry)): Path<(String, String)>,
    Json(change): Json<EntryChange>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let entry = entry_in_path(&entry)?;
    let mut faults = Vec::new();
    let sorting = match sorting(change.category, change.splits.as_deref(), &mut faults) {
        Sorting::Unsorted => None,
        sorting => Some(sorting),
    };
    let patch = EntryPatch {
        kind: change.kind.map(Into::into),
        occurred_on: change.occurred_on.map(|date| date.0),
        account: change.account,
        amount: change.amount.map(|amount| amount.0),
        currency: change.currency.clone(),
        sorting,
        to_account: change.to_account,
        to_amount: change.to_amount.map(|amount| amount.map(|amount| amount.0)),
        postings: change.postings.as_deref().map(|given| postings(given, &mut faults)),
        payee: change.payee.clone().map(|payee| payee.and_then(|payee| payee.0)),
        note: change.note.clone().map(|note| note.and_then(|note| note.0)),
        tags: change.tags.as_ref().map(|given| tags(given.as_deref().unwrap_or_default(), &mut faults)),
        refund_of: change.refund_of,
        foreign: change
            .foreign
            .as_ref()
            .map(|foreign| foreign.as_ref().and_then(|foreign| foreign.read(&mut faults))),
    };
    if !faults.is_empty() {
        return Err(Problem::from_fields(faults));
    }
    write.submit(&api, book, &change, Command::CorrectEntry { entry, patch }).await
}
