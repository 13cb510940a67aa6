use axum::{extract::State, response::Response};
use domain::{BULK_MAX, Command, Rejection, command::BulkEntry, event::RefusedItem, id::EntryId, text::Text};
use http_kit::{
    json::{self, Json, Path},
    problem::{FieldError, Problem, ProblemDocument},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::entry::NewEntry;
use crate::{
    ApiState,
    owner::{Refusal, Sources},
    writes::{Write, book_in_path, problem},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BulkMode)]
pub enum Mode {
    /// One fault, and nothing is taken.
    All,
    /// Those that can be taken are, each of the others is told why not.
    Each,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntries {
    mode: Mode,
    /// 1 to 500.
    #[schema(min_items = 1, max_items = 500)]
    entries: Vec<NewEntry>,
}

/// The same where not every entry can be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unread {
    mode: Mode,
    entries: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Item {
    Read(Box<NewEntry>),
    Unreadable {
        given: Value,
        #[serde(skip)]
        problem: Problem,
    },
}

/// One commit, with one version, however many entries.
#[derive(Serialize, ToSchema)]
pub struct EntriesWritten {
    /// The version of the book that this write made; where every entry was refused, the one that it has.
    pub version: u64,
    /// One for each entry, in the order in which they were sent.
    pub results: Vec<EntryResult>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code)]
pub enum EntryResult {
    Taken {
        id: String,
        /// 201.
        status: u16,
    },
    Refused {
        status: u16,
        /// Its pointers begin at the entry.
        problem: ProblemDocument,
    },
}

/// Adds many entries by one commit.
///
/// With `all` one fault refuses the whole (422 `bulk_refused`, with the pointer of every fault). With `each` the entries
/// that can be taken are (201, or 200 if some were refused); where none can be, nothing is written. A refund may name a
/// purchase that stands before it.
#[utoipa::path(
    post,
    path = "/books/{book}/entries/bulk",
    operation_id = "add_entries",
    tag = "entries",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = NewEntries,
    responses(
        (status = 201, description = "All were taken.", body = EntriesWritten),
        (status = 200, description = "With `each`: some were refused, or all.", body = EntriesWritten),
    ),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(body): Json<Box<RawValue>>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    if let Ok(bulk) = serde_json::from_str::<NewEntries>(body.get()) {
        let command = command(bulk.mode, bulk.entries.iter().map(Ok), &api.sources)?;
        return write.submit(&api, book, &bulk, command).await;
    }
    // Entry by entry, so that what is wrong with one is held against no other.
    let Unread { mode, entries } = json::parse(body.get().as_bytes())?;
    let items: Vec<Item> = entries.iter().map(|entry| read(entry)).collect();
    let readings = items.iter().map(|item| match item {
        Item::Read(entry) => Ok(entry.as_ref()),
        Item::Unreadable { problem, .. } => Err(problem),
    });
    let command = command(mode, readings, &api.sources)?;
    write.submit(&api, book, &(mode, &items), command).await
}

fn read(entry: &RawValue) -> Item {
    match json::parse::<NewEntry>(entry.get().as_bytes()) {
        Ok(entry) => Item::Read(Box::new(entry)),
        Err(problem) => {
            let given = serde_json::from_str(entry.get()).unwrap_or_default();
            Item::Unreadable { given, problem }
        }
    }
}

fn command<'e>(
    mode: Mode,
    readings: impl ExactSizeIterator<Item = Result<&'e NewEntry, &'e Problem>>,
    sources: &Sources,
) -> Result<Command, Problem> {
    if readings.len() > BULK_MAX {
        let rejection = Rejection::LimitReached { of: "entries in a bulk", at_most: BULK_MAX };
        return Err(problem(&Refusal::Rejected(rejection)));
    }
    let mut entries = Vec::with_capacity(readings.len());
    let mut unreadable = Vec::new();
    for (index, reading) in readings.enumerate() {
        let mut faults = Vec::new();
        match reading {
            Ok(new) => {
                let draft = new.draft(&mut faults);
                if faults.is_empty() {
                    let entry = new.id.unwrap_or_else(|| EntryId::from_uuid((sources.next_uuid)()));
                    entries.push(BulkEntry { index, entry, draft });
                }
            }
            Err(problem) if problem.errors().is_empty() => faults.push(FieldError {
                pointer: String::new(),
                code: problem.code(),
                detail: problem.document(None)["detail"].as_str().unwrap_or_default().to_owned(),
            }),
            Err(problem) => faults.extend_from_slice(problem.errors()),
        }
        unreadable.extend(faults.into_iter().map(|fault| refused(index, fault, mode)));
    }
    Ok(Command::AddEntries { entries, unreadable, all_or_nothing: mode == Mode::All })
}

/// As the rules tell their faults, in words that are no sentence yet.
fn refused(index: usize, fault: FieldError, mode: Mode) -> RefusedItem {
    let pointer = match fault.pointer.rsplit_once('/') {
        // The client's own word. What is taken entry by entry stands in the journal, and of that only the detail is
        // sealed.
        Some((parent, _)) if fault.code == "unknown_field" && mode == Mode::Each => parent.to_owned(),
        _ => fault.pointer,
    };
    RefusedItem {
        index,
        code: fault.code.to_owned(),
        detail: Text::known(fault.detail.trim_end_matches('.')),
        pointer: Some(pointer).filter(|pointer| !pointer.is_empty()),
    }
}
