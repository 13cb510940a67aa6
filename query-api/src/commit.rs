use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{
    json::{Path, Query},
    problem::Problem,
};
use read_model::queries::history;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    changes::{self, Changed},
    history::{Commit, hide_addresses},
    pages::invalid_parameter,
};

/// A commit and what it changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommitWithChanges {
    #[serde(flatten)]
    pub commit: Commit,
    /// The things that its events are about, each once, with what they were and what they became.
    pub changed: Vec<Changed>,
}

/// One commit of a book, with what each thing it touched was before and after.
#[utoipa::path(
    get,
    path = "/books/{book}/history/{version}",
    tag = "history",
    params(("book" = String, Path), ("version" = u64, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version. Names are those of the moment; they change without it.", body = CommitWithChanges),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_commit(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, version)): Path<(String, String)>,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let version: u64 = version
        .parse()
        .map_err(|_| invalid_parameter("version", "a version is a whole number, 1 or more"))?;
    api.answer_named(
        &reader,
        standing,
        View::of(&format!("history/{version}"), &asked),
        move |conn, standing| {
            let found = history::one(conn, standing.book, version)?;
            let mut commit = found.ok_or_else(|| Problem::new("version_unknown"))?;
            hide_addresses(&mut commit, standing.role);
            let changed = changes::of_commit(standing.book, &commit.events);
            Ok((commit, changed))
        },
        |(commit, _)| vec![commit.actor],
        |(commit, changed), named| CommitWithChanges { commit: Commit::of(&commit, named), changed },
    )
    .await
}
