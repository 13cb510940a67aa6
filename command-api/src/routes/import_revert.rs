use axum::{extract::State, response::Response};
use domain::{
    Command,
    id::{BookId, ImportId},
};
use http_kit::{json::Path, problem::Problem};
use serde::Deserialize;

use super::import::ImportWritten;
use crate::{
    ApiState,
    owner::{Answer, Outcome},
    writes::{Write, book_in_path, import_in_path, respond},
};

/// Entries that go in one commit.
const COMMIT_ENTRIES: usize = 1_000;

/// Takes back an import: removes every entry that came in with it and is still there.
///
/// What it made a transfer of is what it was before, unless somebody has changed it since. Accounts and categories that
/// came with it stay. Where the answer gets lost, send it again with the same key.
#[utoipa::path(
    post,
    path = "/books/{book}/imports/{import}/revert",
    operation_id = "revert_import",
    tag = "imports",
    params(
        ("book" = String, Path),
        ("import" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "The import, reverted.", body = ImportWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, import)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let import = import_in_path(&import)?;
    // On a task of its own: a client that hangs up does not leave half an import behind.
    let outcome = tokio::spawn(async move { revert(&api, &write, book, import).await });
    let outcome = outcome.await.map_err(|error| Problem::internal("revert an import", &error))?;
    respond(outcome)
}

async fn revert(api: &ApiState, write: &Write, book: BookId, import: ImportId) -> Outcome {
    let fingerprint = write.fingerprint(&());
    let mut was_replayed = true;
    for number in 0u64.. {
        let key_part = if number == 0 { String::new() } else { format!("revert/{number}") };
        let command = Command::RevertImport { import, entries_max: COMMIT_ENTRIES };
        let mut order = write.order(book, write.key_print(book, &key_part), fingerprint, command);
        if number > 0 {
            order.if_match = None;
            order.causation_id = Some(import.to_string());
        }
        let answer = api.owners.execute(order).await?;
        was_replayed &= answer.replayed;
        if is_reverted(&answer) {
            return Ok(Answer { replayed: was_replayed, ..answer });
        }
    }
    unreachable!("each commit of a revert takes entries back, and the last one marks the import as reverted")
}

/// Whether the import of the answer is reverted whole.
pub(super) fn is_reverted(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct About {
        import: Standing,
    }
    #[derive(Deserialize)]
    struct Standing {
        status: String,
    }
    serde_json::from_str::<About>(&answer.body).is_ok_and(|about| about.import.status == "reverted")
}
