use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::{
    Event, Thing,
    event::Role,
    id::{BookId, UserId},
    text::Text,
};
use http_kit::{json::Query, problem::Problem, resources::instant};
use read_model::queries::history::{self, KeptCommit, Part, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, View, is_no_part_of_the_view},
    names::{Actor, Named},
    pages::{self, Page, invalid_parameter},
};

/// A search that finds nothing in so many commits answers what it has.
const SEARCHED_COMMITS: u64 = 10_000;

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Only what this person did.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Only commits of this command.
    #[param(example = "add_entry")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Only commits with an event about this thing: the id of an entry, an account, a category, a member, an invitation,
    /// an import, or of the book for its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The first version that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_version: Option<u64>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_version: Option<u64>,
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
    /// The version that the commit undid, if it undid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
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
///
/// A part of the list may hold less than `limit`, even nothing, and go on all the same: a search for commits of one
/// person or one command looks through 10,000 commits at a time, and large commits come a few at a time.
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
    let book = standing.book;
    let about = asked.about.as_deref().map(|id| thing(id, book)).transpose()?;
    let (first, last) = (asked.from_version.unwrap_or(1), asked.to_version.unwrap_or(u64::MAX));
    let list = format!("history {book} {:?} {:?} {about:?} {first} {last}", asked.actor, asked.command);
    let before: Option<u64> = pages::open(&api.cursors, &list, asked.cursor.as_deref())?;
    let before = before.unwrap_or(last.saturating_add(1));
    let is_search = about.is_none() && (asked.actor.is_some() || asked.command.is_some());
    let wanted = Wanted { from: first, actor: asked.actor, command: asked.command.clone(), thing: about };
    let cursors = &api.cursors;
    api.answer_named(
        &reader,
        standing,
        View::of("history", &asked),
        move |conn, standing| {
            // Versions have no gaps, so this bounds the rows that are looked at.
            let before = before.min(standing.version.saturating_add(1));
            let searched = if is_search { before.saturating_sub(SEARCHED_COMMITS) } else { first };
            let wanted = Wanted { from: first.max(searched), ..wanted };
            let mut part = history::before(conn, book, &wanted, before, limit)?;
            part.commits.iter_mut().for_each(|commit| hide_addresses(commit, standing.role));
            Ok((part, wanted.from))
        },
        |(part, _)| part.commits.iter().map(|commit| commit.actor).collect(),
        |(Part { commits, goes_on }, from), named| {
            let next = match commits.last() {
                Some(last) if goes_on => Some(last.version),
                Some(_) | None => Some(from).filter(|from| *from > first),
            };
            let next_cursor = next.map(|version| cursors.seal(&list, &version));
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
            undoes: commit.undoes(),
            events: commit.events.iter().map(CommitEvent::of).collect(),
            hash: hex::encode(commit.hash),
        }
    }
}

/// Whom somebody invited is for owners to know; to others the address is as if it had been forgotten.
pub(crate) fn hide_addresses(commit: &mut KeptCommit, role: Role) {
    if role == Role::Owner {
        return;
    }
    for event in &mut commit.events {
        if let Event::InvitationMade { email, .. } = event {
            *email = Text::Forgotten;
        }
    }
}

fn thing(id: &str, book: BookId) -> Result<Thing, Problem> {
    let entry = id.parse().map(Thing::Entry);
    let thing = entry
        .or_else(|_| id.parse().map(Thing::Account))
        .or_else(|_| id.parse().map(Thing::Category))
        .or_else(|_| id.parse().map(Thing::Member))
        .or_else(|_| id.parse().map(Thing::Invitation))
        .or_else(|_| id.parse().map(Thing::Import));
    match thing {
        Ok(thing) => Ok(thing),
        Err(_) if id.parse() == Ok(book) => Ok(Thing::Book),
        Err(_) => Err(invalid_parameter("about", "write the id of a thing that a book has")),
    }
}

impl CommitEvent {
    fn of(event: &Event) -> Self {
        let mut written = serde_json::to_value(event).unwrap_or_default();
        let data = written.get_mut("data").map(Value::take).unwrap_or_default();
        Self { kind: event.type_name().to_owned(), data }
    }
}
