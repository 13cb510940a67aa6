use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};

use domain::{Book, Recorded, Thing, id::EntryId};
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::instant,
};
use read_model::queries::history::{self, KeptCommit};
use serde::Serialize;
use serde_json::Map;
use utoipa::ToSchema;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    changes::{self, Change},
    names::{Actor, Named},
    pages::List,
};

/// One event that touched an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryEvent {
    pub version: u64,
    #[schema(format = DateTime)]
    pub recorded_at: String,
    pub actor: Actor,
    #[schema(example = "correct_entry")]
    pub command: String,
    /// The version that the commit undid, if it undid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    /// `entry_added.v1`, `entry_corrected.v1`, `entry_recategorised.v1`, `entry_removed.v1` or `entry_restored.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The fields of the entry that became something else, as the API shows them. With the first event every field
    /// that is there, `before` being `null`.
    pub changes: BTreeMap<String, Change>,
}

/// What has happened to an entry, the oldest first: who, when, and what it was before and after.
#[utoipa::path(
    get,
    path = "/books/{book}/entries/{entry}/history",
    tag = "history",
    params(("book" = String, Path), ("entry" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version. Names are those of the moment; they change without it.", body = List<EntryEvent>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`, `entry_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_entry_history(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, entry)): Path<(String, String)>,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let not_found = || Problem::new("entry_not_found");
    let entry: EntryId = entry.parse().map_err(|_| not_found())?;
    let view = View::of(&format!("entries/{entry}/history"), &asked);
    api.answer_named(
        &reader,
        standing,
        view,
        move |conn, standing| {
            let commits = history::of_thing(conn, standing.book, Thing::Entry(entry), u64::MAX)?;
            if commits.is_empty() {
                return Err(not_found().into());
            }
            Ok(commits)
        },
        |commits| commits.iter().map(|commit| commit.actor).collect(),
        |commits, named| List { data: told(entry, &commits, named) },
    )
    .await
}

fn told(entry: EntryId, commits: &[KeptCommit], named: &Named) -> Vec<EntryEvent> {
    let mut state = Book::default();
    let mut shown = Map::new();
    let mut events = Vec::new();
    for commit in commits {
        let recorded = Recorded { version: commit.version, at: commit.recorded_at };
        for event in commit.events.iter().filter(|event| event.entry() == Some(entry)) {
            state.evolve(event, recorded);
            let kept = state.entries.get(&entry);
            let after = kept.map(|kept| changes::of_entry(&kept.entry, kept.removed)).unwrap_or_default();
            events.push(EntryEvent {
                version: commit.version,
                recorded_at: instant(&commit.recorded_at),
                actor: named.actor(commit.actor),
                command: commit.command.clone(),
                undoes: commit.undoes(),
                kind: event.type_name().to_owned(),
                changes: changes::between(&shown, &after),
            });
            shown = after;
        }
    }
    events
}
