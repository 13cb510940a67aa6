use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::Event;
use http_kit::{json::Query, problem::Problem, resources::instant};
use read_model::queries::history::{self, KeptCommit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, View, is_no_part_of_the_view},
    names::{Actor, Named},
    pages::{self, Page},
};

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// 1 to 200, default 50.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the part before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

/// What one command wrote: all of it or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Commit {
    pub version: u64,
    #[schema(format = DateTime)]
    pub recorded_at: String,
    pub actor: Actor,
    #[schema(example = "add_entry")]
    pub command: String,
    pub events: Vec<CommitEvent>,
    /// Of the record in the journal, which carries the hash of the one before; in hexadecimal.
    pub hash: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CommitEvent {
    #[serde(rename = "type")]
    #[schema(example = "entry_added.v1")]
    pub kind: String,
    /// As the journal holds it.
    pub data: Value,
}

/// The commits of a book, the newest first.
#[utoipa::path(
    get,
    path = "/books/{book}/history",
    tag = "history",
    params(("book" = String, Path), Parameters),
    responses(
        (status = 200, description = "`ETag` is the book's version. Names are those of the moment; they change without it.", body = Page<Commit>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`, `cursor_invalid`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_history(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let limit = pages::limit(asked.limit)?;
    let list = format!("history {}", standing.book);
    let before: u64 = pages::open(&api.cursors, &list, asked.cursor.as_deref())?.unwrap_or(u64::MAX);
    let cursors = &api.cursors;
    api.answer_named(
        &reader,
        standing,
        View::of("history", &asked),
        move |conn, standing| Ok(history::before(conn, standing.book, before, limit + 1)?),
        |commits| commits.iter().map(|commit| commit.actor).collect(),
        |mut commits, named| {
            let goes_on = commits.len() > limit;
            commits.truncate(limit);
            let last = commits.last().filter(|_| goes_on);
            let next_cursor = last.map(|commit| cursors.seal(&list, &commit.version));
            Page { data: commits.iter().map(|commit| Commit::of(commit, named)).collect(), next_cursor }
        },
    )
    .await
}

impl Commit {
    pub(crate) fn of(commit: &KeptCommit, named: &Named) -> Self {
        Self {
            version: commit.version,
            recorded_at: instant(&commit.recorded_at),
            actor: named.actor(commit.actor),
            command: commit.command.clone(),
            events: commit.events.iter().map(CommitEvent::of).collect(),
            hash: hex::encode(commit.hash),
        }
    }
}

impl CommitEvent {
    fn of(event: &Event) -> Self {
        let mut written = serde_json::to_value(event).unwrap_or_default();
        let data = written.get_mut("data").map(Value::take).unwrap_or_default();
        Self { kind: event.type_name().to_owned(), data }
    }
}
