use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::id::{BookId, ImportId, UserId};
use futures::stream;
use http::HeaderValue;
use http_kit::{
    access::Caller,
    json::{Path, Query},
    problem::Problem,
    resources::Import,
    serve::Stopping,
};
use read_model::{
    Followed, ReadError,
    queries::{
        Connection, SqlError, books,
        imports::{self, KeptImport},
    },
};
use serde::{Deserialize, Serialize};
use tokio::time::{self, Instant};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, json_text},
    imports::resource,
    live::{OVERLOADED_DELAY, Place, X_ACCEL_BUFFERING},
};

/// How long an import may take to appear: whoever chose its id can follow it before they have sent the file.
const AWAITED: Duration = Duration::from_secs(60);

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

/// The data of an event `end`, after which the stream is closed without the import having come to its end.
#[derive(Debug, Serialize, ToSchema)]
struct ProgressEnd {
    reason: EndReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EndReason {
    /// The book is no longer the reader's to see.
    NotAMember,
    /// No such import has appeared within a minute.
    ImportNotFound,
    /// Connect again with a new access token.
    TokenExpired,
    /// Connect again: the server is being stopped, or cannot read at this moment.
    Unavailable,
}

/// How far an import has come, as server-sent events.
///
/// Each is an event `progress` with the import as reading it shows it, and the book's version as `id`. The first comes at
/// once, or as soon as the import appears: whoever chose its id may connect before they send the file. The one that says
/// `finished` or `reverted` is the last, and the stream is closed. A client that is too slow misses steps, never the last
/// one. An event `end` tells why the server closes earlier: `not_a_member`, `import_not_found` (none has appeared within a
/// minute), `token_expired`, `unavailable`.
#[utoipa::path(
    get,
    path = "/books/{book}/imports/{import}/progress",
    tag = "imports",
    params(("book" = String, Path), ("import" = String, Path), Parameters),
    responses(
        (status = 200, description = "The schema is that of the data of an event `progress`; that of `end` is `{\"reason\"}`.",
            content_type = "text/event-stream", body = Import),
        (status = 400, description = "`unknown_parameter`"),
        (status = 404, description = "`book_not_found`, `import_not_found` where the path holds no id of an import"),
        (status = 429, description = "`too_many_streams`"),
        (status = 503, description = "`overloaded`, `unavailable`"),
    ),
)]
pub async fn follow_import(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    caller: Caller,
    stopping: Stopping,
    Path((_book, import)): Path<(String, String)>,
    Query(Parameters {}): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, None).await?;
    let import: ImportId = import.parse().map_err(|_| Problem::new("import_not_found"))?;
    let place = api.streams.take(caller.user, &api.config)?;
    let feed = Feed {
        followed: api.progress.follow(standing.book),
        book: standing.book,
        user: caller.user,
        import,
        seen: None,
        may_have_more: true,
        awaited_until: Instant::now() + AWAITED,
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

/// One stream, between two of its events.
struct Feed {
    api: Arc<QueryApi>,
    book: BookId,
    user: UserId,
    import: ImportId,
    followed: Followed,
    /// The import as it was told last.
    seen: Option<KeptImport>,
    may_have_more: bool,
    awaited_until: Instant,
    expires_at: Instant,
    stopping: Stopping,
    has_ended: bool,
    _place: Place,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_ended {
            return None;
        }
        let event = match self.change().await {
            Ok(import) => {
                self.has_ended = import.finished || import.reverted;
                let event = Event::default().event("progress").id(import.version.to_string());
                let event = event.data(json_text(&resource(&import)));
                self.seen = Some(import);
                event
            }
            Err(reason) => {
                self.has_ended = true;
                Event::default().event("end").data(json_text(&ProgressEnd { reason }))
            }
        };
        Some((Ok(event), self))
    }

    /// The import, once it is another than the one told last.
    async fn change(&mut self) -> Result<KeptImport, EndReason> {
        loop {
            self.wait().await?;
            let found = self.read().await?;
            if let Some(import) = found
                && self.seen.as_ref() != Some(&import)
            {
                return Ok(import);
            }
        }
    }

    /// Returns when there may be something to read.
    async fn wait(&mut self) -> Result<(), EndReason> {
        let may_have_more = std::mem::take(&mut self.may_have_more);
        let has_appeared = self.seen.is_some();
        tokio::select! {
            biased;
            () = self.stopping.0.cancelled() => Err(EndReason::Unavailable),
            () = time::sleep_until(self.expires_at) => Err(EndReason::TokenExpired),
            () = time::sleep_until(self.awaited_until), if !has_appeared => Err(EndReason::ImportNotFound),
            () = std::future::ready(()), if may_have_more => Ok(()),
            () = self.followed.changed() => Ok(()),
        }
    }

    async fn read(&mut self) -> Result<Option<KeptImport>, EndReason> {
        let (book, user, import) = (self.book, self.user, self.import);
        let read = {
            let _turn = self.api.streams.reads.acquire().await;
            self.api.read_model.read(move |conn| standing(conn, book, user, import)).await
        };
        match read {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(EndReason::NotAMember),
            Err(ReadError::Overloaded) => {
                self.may_have_more = true;
                time::sleep(OVERLOADED_DELAY).await;
                Ok(None)
            }
            Err(error @ (ReadError::Stopped | ReadError::Sqlite(_))) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a stream has ended since its import cannot be read");
                Err(EndReason::Unavailable)
            }
        }
    }
}

/// `None` where the reader is no member of the book.
fn standing(
    conn: &Connection,
    book: BookId,
    user: UserId,
    import: ImportId,
) -> Result<Option<Option<KeptImport>>, SqlError> {
    if books::standing(conn, book, user)?.is_none() {
        return Ok(None);
    }
    imports::one(conn, book, import).map(Some)
}
