use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use domain::{Event, book::KeptEntry, id::EntryId};
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::{Entry, instant},
};
use read_model::queries::history::{self, KeptCommit};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    names::Actor,
    pages::List,
};

/// One event that touched an entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryEvent {
    pub version: u64,
    #[schema(format = DateTime)]
    pub recorded_at: String,
    pub actor: Actor,
    /// `entry_added.v1`, `entry_corrected.v1`, `entry_removed.v1` or `entry_restored.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The fields of the entry that became something else, as the API shows them. With the first event every field
    /// that is there, `before` being `null`.
    pub changes: BTreeMap<String, Change>,
}

#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    pub before: Value,
    pub after: Value,
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
            let commits = history::of_entry(conn, standing.book, entry)?;
            if commits.is_empty() {
                return Err(not_found().into());
            }
            Ok(commits)
        },
        |commits| commits.iter().map(|commit| commit.actor).collect(),
        |commits, named| List { data: told(entry, commits, |user| named.actor(user)) },
    )
    .await
}

fn told(
    entry: EntryId,
    commits: Vec<KeptCommit>,
    actor: impl Fn(domain::id::UserId) -> Actor,
) -> Vec<EntryEvent> {
    let mut kept: Option<KeptEntry> = None;
    let mut shown = Map::new();
    let mut events = Vec::new();
    for commit in commits {
        for event in commit.events.iter().filter(|event| event.entry() == Some(entry)) {
            step(&mut kept, event, &commit);
            let after = kept.as_ref().map(fields).unwrap_or_default();
            events.push(EntryEvent {
                version: commit.version,
                recorded_at: instant(&commit.recorded_at),
                actor: actor(commit.actor),
                kind: event.type_name().to_owned(),
                changes: changes(&shown, &after),
            });
            shown = after;
        }
    }
    events
}

fn step(kept: &mut Option<KeptEntry>, event: &Event, commit: &KeptCommit) {
    match event {
        Event::EntryAdded { entry } => {
            *kept = Some(KeptEntry {
                entry: entry.clone(),
                version: commit.version,
                recorded_at: commit.recorded_at,
                corrected_at: None,
                removed: false,
            });
        }
        Event::EntryCorrected { entry } => {
            if let Some(kept) = kept {
                kept.entry = entry.clone();
            }
        }
        Event::EntryRemoved { .. } => set_removed(kept, true),
        Event::EntryRestored { .. } => set_removed(kept, false),
        Event::BookCreated { .. }
        | Event::BookChanged { .. }
        | Event::MemberAdded { .. }
        | Event::AccountOpened { .. }
        | Event::AccountChanged { .. }
        | Event::AccountClosed { .. }
        | Event::AccountReopened { .. }
        | Event::CategoryAdded { .. }
        | Event::CategoryChanged { .. }
        | Event::CategoryArchived { .. }
        | Event::CategoryRestored { .. }
        | Event::ImportStarted { .. }
        | Event::ImportLinesJudged { .. }
        | Event::ImportFinished { .. }
        | Event::ImportReverted { .. } => {}
    }
}

fn set_removed(kept: &mut Option<KeptEntry>, removed: bool) {
    if let Some(kept) = kept {
        kept.removed = removed;
    }
}

/// What people change of an entry; when and by which commit stands beside the changes.
fn fields(kept: &KeptEntry) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(Entry::of(kept)) else { return Map::new() };
    fields.retain(|name, _| !matches!(name.as_str(), "id" | "version" | "recorded_at" | "corrected_at"));
    fields
}

fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> BTreeMap<String, Change> {
    let changed = after.iter().filter_map(|(name, after)| {
        let before = before.get(name).cloned().unwrap_or(Value::Null);
        (before != *after).then(|| (name.clone(), Change { before, after: after.clone() }))
    });
    changed.collect()
}
