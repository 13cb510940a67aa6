use axum::{extract::State, response::Response};
use domain::Command;
use http_kit::{json::Path, problem::Problem};

use super::EntryWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, entry_in_path},
};

/// Brings a removed entry back.
#[utoipa::path(
    post,
    path = "/books/{book}/entries/{entry}/restore",
    operation_id = "restore_entry",
    tag = "entries",
    params(
        ("book" = String, Path),
        ("entry" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "It counts again.", body = EntryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, entry)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let entry = entry_in_path(&entry)?;
    write.submit(&api, book, &(), Command::RestoreEntry { entry }).await
}
