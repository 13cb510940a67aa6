//! How every read of a book is answered.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, RawPathParams},
    response::Response,
};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    event::Role,
    id::{BookId, UserId},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use http_kit::{access::Caller, cursor::CursorKey, problem::Problem};
use moka::sync::Cache;
use read_model::{
    Progress, ReadError, ReadModel,
    queries::{
        Connection, SqlError,
        books::{self, Standing},
    },
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    time,
};
use utoipa::IntoParams;

use crate::{
    clock::Clock,
    config::Config,
    live::Streams,
    names::{Named, Names},
};

/// What the handlers share.
pub struct QueryApi {
    pub(crate) read_model: ReadModel,
    /// Counts the files that the read model has been changed over to; what was computed from one is not given for
    /// another.
    files: watch::Receiver<u64>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) names: Arc<dyn Names>,
    pub(crate) streams: Arc<Streams>,
    /// A permit for each export that may be under way at once.
    pub(crate) exports: Arc<Semaphore>,
    clock: Clock,
    pub(crate) cursors: CursorKey,
    pub(crate) config: Config,
    answers: Cache<AnswerKey, Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AnswerKey {
    file: u64,
    book: BookId,
    version: u64,
    role: &'static str,
    view: String,
}

/// Who reads which book, and what they have of it already.
pub struct Reader {
    pub(crate) user: UserId,
    /// `None` where the path holds no id of a book; that is answered as a book that does not exist.
    book: Option<BookId>,
    known_tags: Vec<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let path = RawPathParams::from_request_parts(parts, state).await;
        let book = path.ok().and_then(|path| {
            path.iter().find(|(name, _)| *name == "book").and_then(|(_, text)| text.parse().ok())
        });
        Ok(Self { user: caller.user, book, known_tags: known_tags(&parts.headers) })
    }
}

/// The entity tags of `If-None-Match`. A proxy that compresses makes them weak, which changes nothing here.
fn known_tags(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let tags = texts.flat_map(|text| text.split(','));
    tags.map(|tag| tag.trim().trim_start_matches("W/").to_owned()).collect()
}

/// Which answer is asked for, apart from the book and its version.
pub(crate) struct View {
    text: String,
    /// The time that the answer is told for, where it depends on that.
    told_for: Option<String>,
}

impl View {
    /// `parameters` have to write down all that the answer depends on.
    pub fn of(route: &str, parameters: &impl Serialize) -> Self {
        Self { text: format!("{route}?{}", canonical(parameters)), told_for: None }
    }

    pub fn today(self, today: NaiveDate) -> Self {
        Self { told_for: Some(today.to_string()), ..self }
    }

    /// What is told changes at instants, of which this is the last one.
    pub fn since(self, instant: DateTime<Utc>) -> Self {
        Self { told_for: Some(instant.timestamp_millis().to_string()), ..self }
    }
}

/// The parameters as one text, always in the same order.
pub(crate) fn canonical(parameters: &impl Serialize) -> String {
    serde_html_form::to_string(parameters).expect("parameters are plain names and values")
}

/// The parameters of a read that has no others.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MinVersion {
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

/// For parameters that say when to answer, not what.
pub(crate) fn is_no_part_of_the_view<T>(_: &T) -> bool {
    true
}

/// Why a read was not answered from rows.
pub(crate) enum Refusal {
    Problem(Problem),
    Sql(SqlError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Problem(problem)
    }
}

impl From<SqlError> for Refusal {
    fn from(error: SqlError) -> Self {
        Refusal::Sql(error)
    }
}

impl QueryApi {
    pub fn new(
        config: Config,
        read_model: ReadModel,
        progress: Arc<Progress>,
        names: Arc<dyn Names>,
        clock: Clock,
        cursors: CursorKey,
    ) -> Self {
        let answers = Cache::builder()
            .max_capacity(config.answers_bytes_max)
            .weigher(|key: &AnswerKey, body: &Bytes| {
                u32::try_from(key.view.len() + body.len() + size_of::<AnswerKey>()).unwrap_or(u32::MAX)
            })
            .build();
        let files = read_model.changes();
        let streams = Streams::new();
        let exports = Arc::new(Semaphore::new(config.exports_max));
        Self { read_model, files, progress, names, streams, exports, clock, cursors, config, answers }
    }

    /// The book as the reader sees it, once it has come to `min_version`. Nothing else is looked at before it is
    /// known that the book is theirs.
    pub(crate) async fn standing(
        &self,
        reader: &Reader,
        min_version: Option<u64>,
    ) -> Result<Standing, Problem> {
        let not_found = || Problem::new("book_not_found");
        let book = reader.book.ok_or_else(not_found)?;
        let Some(min_version) = min_version else {
            return self.look(book, reader.user).await?.ok_or_else(not_found);
        };
        let seen = async {
            let mut applied = self.progress.applied();
            loop {
                applied.mark_unchanged();
                // Asked before the look, so that everything that was there when it was asked is in what is seen.
                let is_current = self.progress.is_current();
                match self.look(book, reader.user).await? {
                    Some(standing) if standing.version >= min_version => return Ok(standing),
                    Some(_) if is_current => return Err(Problem::new("version_unknown")),
                    // A book that is not there may be on its way: a new one is read as soon as it is made.
                    None if is_current => return Err(not_found()),
                    // To those who left that is no news. All others hear it at the same time, book or no book.
                    None if self.has_left(book, reader.user, min_version).await? => return Err(not_found()),
                    Some(_) | None => {}
                }
                if applied.changed().await.is_err() {
                    return Err(Problem::new("not_yet_visible").retry_after(1));
                }
            }
        };
        let wait = Duration::from_millis(self.config.min_version_wait_ms);
        time::timeout(wait, seen)
            .await
            .unwrap_or_else(|_| Err(Problem::new("not_yet_visible").retry_after(1)))
    }

    async fn look(&self, book: BookId, user: UserId) -> Result<Option<Standing>, Problem> {
        let read = self.read_model.read(move |conn| books::standing(conn, book, user)).await;
        read.map_err(|error| refuse(&error))
    }

    async fn has_left(&self, book: BookId, user: UserId, min_version: u64) -> Result<bool, Problem> {
        let read = self.read_model.read(move |conn| books::left(conn, book, user)).await;
        let version = read.map_err(|error| refuse(&error))?;
        Ok(version.is_some_and(|version| version >= min_version))
    }

    /// Which day it is for the people of the book.
    pub(crate) fn today(&self, standing: &Standing) -> NaiveDate {
        self.clock.today(&standing.settings.time_zone)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Answers with what `compute` makes of the rows, or with what it made of them before.
    pub(crate) async fn answer<T: Serialize + Send + 'static>(
        &self,
        reader: &Reader,
        standing: Standing,
        view: View,
        compute: impl FnOnce(&Connection, &Standing) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<Response, Problem> {
        if let Some(not_modified) = self.not_modified(reader, &standing, &view) {
            return Ok(not_modified);
        }
        let file = *self.files.borrow();
        let key = |standing: &Standing| AnswerKey {
            file,
            book: standing.book,
            version: standing.version,
            role: standing.role.as_str(),
            view: match &view.told_for {
                Some(time) => format!("{time} {}", view.text),
                None => view.text.clone(),
            },
        };
        if let Some(body) = self.answers.get(&key(&standing)) {
            metrics::counter!("query_answers_total", "from" => "memory").increment(1);
            return Ok(ok(etag(&standing, &view), body));
        }
        metrics::counter!("query_answers_total", "from" => "rows").increment(1);
        let (standing, thing) = self.read(reader, standing, compute).await?;
        let body = json(&thing);
        self.answers.insert(key(&standing), body.clone());
        Ok(ok(etag(&standing, &view), body))
    }

    /// Answers what holds people's names. They belong to no version of the book, so nothing of it is remembered.
    pub(crate) async fn answer_named<T: Serialize, R: Send + 'static>(
        &self,
        reader: &Reader,
        standing: Standing,
        view: View,
        compute: impl FnOnce(&Connection, &Standing) -> Result<R, Refusal> + Send + 'static,
        users: impl FnOnce(&R) -> Vec<UserId>,
        render: impl FnOnce(R, &Named) -> T,
    ) -> Result<Response, Problem> {
        if let Some(not_modified) = self.not_modified(reader, &standing, &view) {
            return Ok(not_modified);
        }
        let (standing, rows) = self.read(reader, standing, compute).await?;
        let named = Named::ask(&*self.names, users(&rows).into_iter()).await;
        Ok(ok(etag(&standing, &view), json(&render(rows, &named))))
    }

    /// All books of a person, which have no version in common.
    pub(crate) async fn books_of(&self, user: UserId) -> Result<Vec<Standing>, Problem> {
        let read = self.read_model.read(move |conn| books::of_member(conn, user)).await;
        read.map_err(|error| refuse(&error))
    }

    pub(crate) fn not_modified(&self, reader: &Reader, standing: &Standing, view: &View) -> Option<Response> {
        let tag = etag(standing, view);
        let is_known = reader.known_tags.iter().any(|known| tag == *known);
        is_known.then(|| respond(StatusCode::NOT_MODIFIED, tag, Body::empty()))
    }

    /// The book may have moved on since `standing` was read; the answer carries the version of its own rows.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        reader: &Reader,
        standing: Standing,
        compute: impl FnOnce(&Connection, &Standing) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<(Standing, T), Problem> {
        let (book, user) = (standing.book, reader.user);
        let read = self.read_model.read(move |conn| {
            let Some(standing) = books::standing(conn, book, user)? else {
                return Ok(Err(Problem::new("book_not_found")));
            };
            match compute(conn, &standing) {
                Ok(thing) => Ok(Ok((standing, thing))),
                Err(Refusal::Problem(problem)) => Ok(Err(problem)),
                Err(Refusal::Sql(error)) => Err(error),
            }
        });
        read.await.map_err(|error| refuse(&error))?
    }
}

/// For what only owners see; everything else every member does.
pub(crate) fn only_for_owners(standing: &Standing) -> Result<(), Problem> {
    match standing.role {
        Role::Owner => Ok(()),
        Role::Editor | Role::Viewer => {
            Err(Problem::new("role_forbids").detail("This takes the role of owner."))
        }
    }
}

fn refuse(error: &ReadError) -> Problem {
    match error {
        ReadError::Overloaded => Problem::new("overloaded").retry_after(1),
        ReadError::Stopped => Problem::new("unavailable").retry_after(1),
        ReadError::Sqlite(_) => Problem::internal("read the read model", error),
    }
}

pub(crate) fn etag(standing: &Standing, view: &View) -> HeaderValue {
    let version = standing.version;
    let text = match &view.told_for {
        Some(time) => format!("\"{version}-{time}\""),
        None => format!("\"{version}\""),
    };
    HeaderValue::try_from(text).expect("digits, hyphens and quotes are allowed in a header")
}

pub(crate) fn json(thing: &impl Serialize) -> Bytes {
    serde_json::to_vec(thing).expect("what the API answers is plain data").into()
}

pub(crate) fn json_text(thing: &impl Serialize) -> String {
    serde_json::to_string(thing).expect("what the API answers is plain data")
}

pub(crate) fn ok(tag: HeaderValue, body: Bytes) -> Response {
    let mut response = respond(StatusCode::OK, tag, Body::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

pub(crate) fn respond(status: StatusCode, tag: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    // Only the reader's own browser may keep it, and asks each time whether it still holds.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_taken_apart_and_weak_ones_count() {
        let mut headers = HeaderMap::new();
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("\"1\", W/\"2-2026-11-23\""));
        headers.append(header::IF_NONE_MATCH, HeaderValue::from_static("nonsense"));
        assert_eq!(known_tags(&headers), ["\"1\"", "\"2-2026-11-23\"", "nonsense"]);
    }
}
