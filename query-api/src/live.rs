//! A book's commits as they happen, as server-sent events.
//!
//! A stream holds no commits: it is told that there are more, and reads the next page from the read model when its
//! client has taken the last. So a slow reader costs no memory, and a stream that was cut goes on exactly where it
//! was, wherever it is resumed. Whether its reader is still a member is looked up in the same read tx as the page:
//! who was removed sees neither the commit that did it nor any later one.

mod streams;

use std::{collections::BTreeSet, convert::Infallible, future, sync::Arc, time::Duration, vec};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use chrono::{DateTime, Utc};
use domain::{
    Thing,
    id::{BookId, UserId},
};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_kit::{access::Caller, json::Query, problem::Problem, resources::instant, serve::Stopping};
use read_model::{
    Followed, ReadError,
    queries::{
        Connection, SqlError, books,
        history::{self, KeptCommit, Part},
    },
};
use serde::{Deserialize, Serialize};
use tokio::time::{self, Instant};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, json_text},
    names::{Actor, Named},
    pages::invalid_parameter,
};
pub(crate) use streams::{Place, Streams};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// nginx and its kin would otherwise collect events until a buffer is full.
pub(crate) const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Commits that are read at once; a client that lags behind gets them page by page.
const PAGE_COMMITS: usize = 50;
/// Ids of a kind that one event carries.
const IDS_MAX: usize = 200;
/// How long a stream waits where the read model has too much to do.
pub(crate) const OVERLOADED_DELAY: Duration = Duration::from_millis(200);

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The version after which to begin, for a first connection: the `ETag` of what the page shows. The header
    /// `Last-Event-ID`, with which a browser resumes by itself, goes over it.
    pub last_event_id: Option<u64>,
}

/// The data of an event `commit`: what a page has to read anew.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveCommit {
    /// The version that the commit made, which is also the event's id. Reads with `min_version` show it.
    pub version: u64,
    #[schema(format = DateTime)]
    pub recorded_at: String,
    pub actor: Actor,
    #[schema(example = "add_entry")]
    pub command: String,
    /// The version that the commit undid, if it undid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    pub touched: Touched,
}

/// The things that the events of a commit are about, by kind. Balances, lists and reports follow from entries.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Touched {
    /// Whether the book's name or settings changed.
    pub book: bool,
    pub members: Vec<String>,
    pub invitations: Vec<String>,
    pub accounts: Vec<String>,
    pub categories: Vec<String>,
    pub entries: Vec<String>,
    pub imports: Vec<String>,
    /// False where there are more than 200 of a kind, of which only 200 are named: read the lists anew.
    pub complete: bool,
}

/// The data of an event `end`, after which the stream is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveEnd {
    pub reason: EndReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The book is no longer the reader's to see; connecting again is answered by `book_not_found`.
    NotAMember,
    /// Connect again with a new access token.
    TokenExpired,
    /// Connect again: the server is being stopped, or cannot read at this moment.
    Unavailable,
}

/// The commits of a book as they happen, as server-sent events: every version once, in order.
///
/// Each is an event `commit` whose `id` is the version. A stream that begins after `Last-Event-ID` misses nothing and
/// repeats nothing, however long it was away; without one it begins with what happens from now on, and its first
/// block carries the current version as `id` and no data. An event `end` tells why the server closes: the reader is
/// no longer a member (`not_a_member`; neither the removal nor anything after it is shown), the access token has
/// expired (`token_expired`), or the server is stopping (`unavailable`). Comments keep an idle connection open.
#[utoipa::path(
    get,
    path = "/books/{book}/live",
    tag = "history",
    params(
        ("book" = String, Path),
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that was received."),
        Parameters,
    ),
    responses(
        (status = 200, description = "The schema is that of the data of an event `commit`; that of `end` is `{\"reason\"}`.",
            content_type = "text/event-stream", body = LiveCommit),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 429, description = "`too_many_streams`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn follow_book(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    caller: Caller,
    stopping: Stopping,
    headers: HeaderMap,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let resumed_after = last_event_id(&headers)?.or(asked.last_event_id);
    let standing = api.standing(&reader, resumed_after).await?;
    let place = api.streams.take(caller.user, &api.config)?;

    let retry = Event::default().retry(Duration::from_millis(api.config.live_retry_ms));
    let greeting = match resumed_after {
        Some(_) => retry,
        // A client that is cut before the first commit knows by this where to go on.
        None => retry.id(standing.version.to_string()),
    };
    let feed = Feed {
        followed: api.progress.follow(standing.book),
        user: caller.user,
        book: standing.book,
        greeting: Some(greeting),
        page: Vec::new().into_iter(),
        seen: resumed_after.unwrap_or(standing.version),
        may_have_more: true,
        expires_at: Instant::now() + caller.expires_in(),
        stopping,
        has_ended: false,
        _place: place,
        api: Arc::clone(&api),
    };
    let events = stream::unfold(feed, Feed::next);
    let keep_alive = KeepAlive::new().interval(Duration::from_millis(api.config.live_keep_alive_ms));
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.parse().ok());
    let invalid =
        || invalid_parameter("Last-Event-ID", "an event's id is a whole number, the book's version");
    version.map(Some).ok_or_else(invalid)
}

/// One stream, between two of its events.
struct Feed {
    api: Arc<QueryApi>,
    book: BookId,
    user: UserId,
    followed: Followed,
    greeting: Option<Event>,
    /// What has been read and not been taken yet.
    page: vec::IntoIter<Event>,
    /// The last version that was read.
    seen: u64,
    /// Whether there may be commits that nobody would tell of any more.
    may_have_more: bool,
    expires_at: Instant,
    stopping: Stopping,
    has_ended: bool,
    _place: streams::Place,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_ended {
            return None;
        }
        if let Some(greeting) = self.greeting.take() {
            return Some((Ok(greeting), self));
        }
        let event = self.commit().await.unwrap_or_else(|reason| {
            self.has_ended = true;
            Event::default().event("end").data(json_text(&LiveEnd { reason }))
        });
        Some((Ok(event), self))
    }

    async fn commit(&mut self) -> Result<Event, EndReason> {
        loop {
            if let Some(commit) = self.page.next() {
                return Ok(commit);
            }
            self.wait().await?;
            self.read_page().await?;
        }
    }

    /// Returns when there may be something to read.
    async fn wait(&mut self) -> Result<(), EndReason> {
        let may_have_more = self.may_have_more;
        tokio::select! {
            biased;
            () = self.stopping.0.cancelled() => Err(EndReason::Unavailable),
            () = time::sleep_until(self.expires_at) => Err(EndReason::TokenExpired),
            () = future::ready(()), if may_have_more => Ok(()),
            () = self.followed.changed() => Ok(()),
        }
    }

    async fn read_page(&mut self) -> Result<(), EndReason> {
        let (book, user, after) = (self.book, self.user, self.seen);
        let read = {
            let _turn = self.api.streams.reads.acquire().await;
            self.api.read_model.read(move |conn| page(conn, book, user, after)).await
        };
        let page: Vec<Row> = match read {
            Ok(Some((page, goes_on))) => {
                self.may_have_more = goes_on;
                page
            }
            Ok(None) => return Err(EndReason::NotAMember),
            Err(ReadError::Overloaded) => {
                self.may_have_more = true;
                time::sleep(OVERLOADED_DELAY).await;
                return Ok(());
            }
            Err(error @ (ReadError::Stopped | ReadError::Sqlite(_))) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a stream has ended since its book cannot be read");
                return Err(EndReason::Unavailable);
            }
        };
        let Some(last) = page.last() else { return Ok(()) };
        self.seen = last.version;
        let named = Named::ask(&*self.api.names, page.iter().map(|row| row.actor)).await;
        let commits: Vec<Event> = page.into_iter().map(|row| row.event(&named)).collect();
        self.page = commits.into_iter();
        Ok(())
    }
}

/// The commits, and whether there are more; `None` where the reader is no member of the book.
fn page(
    conn: &Connection,
    book: BookId,
    user: UserId,
    after: u64,
) -> Result<Option<(Vec<Row>, bool)>, SqlError> {
    if books::standing(conn, book, user)?.is_none() {
        return Ok(None);
    }
    let Part { commits, goes_on } = history::after(conn, book, after, PAGE_COMMITS)?;
    Ok(Some((commits.into_iter().map(Row::of).collect(), goes_on)))
}

/// A commit without its events, which may be many.
struct Row {
    version: u64,
    recorded_at: DateTime<Utc>,
    actor: UserId,
    command: String,
    undoes: Option<u64>,
    touched: Touched,
}

impl Row {
    fn of(commit: KeptCommit) -> Self {
        let undoes = commit.undoes();
        let KeptCommit { version, recorded_at, actor, command, events, .. } = commit;
        let things: BTreeSet<Thing> = events.iter().filter_map(Thing::of).collect();
        Self { version, recorded_at, actor, command, undoes, touched: Touched::of(things) }
    }

    fn event(self, named: &Named) -> Event {
        let Self { version, recorded_at, actor, command, undoes, touched } = self;
        let (recorded_at, actor) = (instant(&recorded_at), named.actor(actor));
        let commit = LiveCommit { version, recorded_at, actor, command, undoes, touched };
        Event::default().event("commit").id(version.to_string()).data(json_text(&commit))
    }
}

impl Touched {
    fn of(things: BTreeSet<Thing>) -> Self {
        let mut touched = Self { complete: true, ..Self::default() };
        for thing in things {
            let (ids, id) = match thing {
                Thing::Book => {
                    touched.book = true;
                    continue;
                }
                Thing::Invitation(invitation) => (&mut touched.invitations, invitation.to_string()),
                Thing::Member(user) => (&mut touched.members, user.to_string()),
                Thing::Account(account) => (&mut touched.accounts, account.to_string()),
                Thing::Category(category) => (&mut touched.categories, category.to_string()),
                Thing::Entry(entry) => (&mut touched.entries, entry.to_string()),
                Thing::Import(import) => (&mut touched.imports, import.to_string()),
            };
            if ids.len() < IDS_MAX {
                ids.push(id);
            } else {
                touched.complete = false;
            }
        }
        touched
    }
}
