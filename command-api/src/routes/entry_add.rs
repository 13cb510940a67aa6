use axum::{extract::State, response::Response};
use domain::{Command, id::EntryId};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};

use super::{EntryWritten, entry::NewEntry};
use crate::{
    ApiState,
    writes::{Write, book_in_path},
};

/// Adds an entry: an expense, an income, a refund, a transfer, or a balanced one that is told by its postings.
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
    let draft = new.draft(&mut faults);
    if !faults.is_empty() {
        return Err(Problem::from_fields(faults));
    }
    let entry = new.id.unwrap_or_else(|| EntryId::from_uuid((api.sources.next_uuid)()));
    write.submit(&api, book, &new, Command::AddEntry { entry, draft }).await
}
