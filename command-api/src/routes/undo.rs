use axum::{extract::State, response::Response};
use domain::{Command, Rejection, command::Inverted, id::BookId};
use http_kit::{json::Path, problem::Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    ApiState,
    owner::{Outcome, Place, Refusal},
    writes::{Write, book_in_path, problem, respond},
};

/// What an undoing is answered with.
#[derive(Serialize, ToSchema)]
pub struct Undone {
    /// The version of the book that the undoing made.
    pub version: u64,
    /// The version that it undid; of a statement that several commits took in, the one that went last.
    pub undoes: u64,
}

/// Undoes a commit, whatever came after it.
///
/// Appends the inverse of what the commit wrote; what later commits wrote beside it stays. Where later commits wrote the
/// same fields of the same things, or stand on what would go, nothing changes: `undo_conflicts` (409) names them in
/// `versions`. An undoing is a commit like any other, and can be undone in turn: then the first commit holds again. A bulk,
/// a merge and a recategorisation go as one; so does a statement that was taken in by several commits, whichever of them
/// is named. It takes the role that doing it anew would take. The making of the book cannot be undone
/// (`commit_not_undoable`), and a commit that is undone cannot be undone again (`already_undone`).
#[utoipa::path(
    post,
    path = "/books/{book}/history/{version}/undo",
    operation_id = "undo_commit",
    tag = "history",
    params(
        ("book" = String, Path),
        ("version" = u64, Path, description = "The version of the book that the commit made."),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "It is undone.", body = Undone)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let version: u64 = version.parse().map_err(|_| Problem::new("version_unknown"))?;
    let located = api.owners.locate(book, write.caller.user, version).await;
    let places = located.map_err(|refusal| problem(&refusal))?;
    let commits = {
        let owners = api.owners.clone();
        let read =
            move || places.into_iter().map(|place| Ok((place, owners.commit_at(place)?.events))).collect();
        let read: Result<Result<Vec<_>, journal::ReadError>, _> = tokio::task::spawn_blocking(read).await;
        read.map_err(|error| Problem::internal("read a commit", &error))?
            .map_err(|error| Problem::internal("read a commit", &error))?
    };
    let inverted = |(place, events): (Place, _)| Inverted { version: place.version, events };
    let mut commits: Vec<Inverted> = commits.into_iter().map(inverted).collect();
    let undoing = Undoing { api, write, book, version };
    if commits.len() < 2 {
        return respond(undoing.execute(version, commits.pop(), undoing.write.if_match, "").await);
    }
    // On a task of its own: a client that hangs up does not leave half an import behind.
    let outcome = tokio::spawn(undoing.all(commits)).await;
    respond(outcome.map_err(|error| Problem::internal("undo an import", &error))?)
}

struct Undoing {
    api: ApiState,
    write: Write,
    book: BookId,
    version: u64,
}

impl Undoing {
    /// Each commit is inverted by one of its own, under a key that follows from the request's; the last has the
    /// request's own key, so that a repetition goes on where it stopped and is answered like the first time.
    async fn all(self, commits: Vec<Inverted>) -> Outcome {
        let key = self.execute(self.version, None, None, "").await;
        if !matches!(key, Err(Refusal::Rejected(Rejection::CommitNotFound { .. }))) {
            return key;
        }
        let mut conflicts = Vec::new();
        for commit in &commits {
            let command = Command::Undo { version: commit.version, commit: Some(commit.clone()) };
            let preview = self.api.owners.preview(self.book, self.write.caller.user, command).await;
            match preview {
                Err(Refusal::Rejected(Rejection::UndoConflicts { versions })) => conflicts.extend(versions),
                Err(refusal) => return Err(refusal),
                Ok(_) => {}
            }
        }
        // What the import itself wrote goes before what it stands on.
        conflicts.retain(|version| commits.iter().all(|commit| commit.version != *version));
        if !conflicts.is_empty() {
            conflicts.sort_unstable();
            conflicts.dedup();
            return Err(Refusal::Rejected(Rejection::UndoConflicts { versions: conflicts }));
        }
        let last = commits.len() - 1;
        let mut outcome = Err(Refusal::NotApplied);
        for (number, commit) in commits.into_iter().enumerate() {
            let version = commit.version;
            let part = if number == last { String::new() } else { format!("undo/{version}") };
            // Only the first can find the version that the caller wanted; the others come after it.
            let if_match = self.write.if_match.filter(|_| number == 0);
            outcome = self.execute(version, Some(commit), if_match, &part).await;
            outcome.as_ref().map_err(Clone::clone)?;
        }
        outcome
    }

    async fn execute(
        &self,
        version: u64,
        commit: Option<Inverted>,
        if_match: Option<u64>,
        key_part: &str,
    ) -> Outcome {
        // The content of the request is in its path, which is part of every fingerprint.
        let fingerprint = self.write.fingerprint(&());
        let key = self.write.key_print(self.book, key_part);
        let command = Command::Undo { version, commit };
        let mut order = self.write.order(self.book, key, fingerprint, command);
        order.if_match = if_match;
        if !key_part.is_empty() {
            order.causation_id = Some(self.version.to_string());
        }
        self.api.owners.execute(order).await
    }
}
