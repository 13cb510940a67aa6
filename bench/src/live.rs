//! How long after a change by one client another one sees it, while the server does half of what it can.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::header::{AUTHORIZATION, ETAG, HOST};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use crate::books::{self, Book};
use crate::closed_loop::{self, Until};
use crate::daybook::Daybook;
use crate::http_client::{Connection, HttpClient};
use crate::load::{Client, Load};
use crate::open_loop;
use crate::options::Options;
use crate::report::{Against, Report, Row};
use crate::session::Session;
use crate::workload::Workload;

/// Books that somebody else follows; one person may follow 32 at once.
const FOLLOWED: usize = 30;
/// Changes to those books, beside the writes to all others.
const CHANGES_PER_S: f64 = 200.0;
const CHANGE_CLIENTS: usize = 16;
const LOAD_CLIENTS: usize = 64;
/// What has not come so long after the last change counts as failed.
const LATEST: Duration = Duration::from_secs(5);

/// A commit of a followed book: which one, by its number here, and its version.
type Commit = (usize, u64);

struct Change {
    commit: Commit,
    sent_at: Instant,
    answered_at: Instant,
}

#[derive(Default)]
struct Seen {
    changes: Mutex<Vec<Change>>,
    arrivals: Mutex<HashMap<Commit, Instant>>,
}

pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut daybook = Daybook::start(options).await?;
    let mut session = Session::sign_up(daybook.address).await?;
    eprintln!("live, making {} books", options.books() + FOLLOWED);
    let books = books::create(&mut session, options.books()).await?;
    let followed = books::create(&mut session, FOLLOWED).await?;

    let authorization = session.authorization().await?;
    let load = Workload::writes(books::rendered_entries(&books, 4)?).authorized(authorization.clone());
    let clients = |count| HttpClient::many(count, daybook.address, &load);
    let fastest = closed_loop::run(clients(LOAD_CLIENTS), Until::Elapsed(options.duration())).await;
    let half_per_s = fastest.achieved_per_s() / 2.0;
    eprintln!("  closed loop, {LOAD_CLIENTS} clients: {:.0}/s; half of it from now on", 2.0 * half_per_s);
    // What the closed loop left to be shown is no part of half the load.
    for book in &followed {
        books::wait_until_shown(&mut session, book).await?;
    }

    let seen = Arc::new(Seen::default());
    let mut followers = JoinSet::new();
    for (number, book) in followed.iter().enumerate() {
        let stream = follow(&session, &authorization, book).await?;
        followers.spawn(note_arrivals(number, stream, Arc::clone(&seen)));
    }
    let changes = changes(&followed, &session, &authorization, &seen)?;
    let (written, changed) = tokio::join!(
        open_loop::run(clients(4 * LOAD_CLIENTS), half_per_s, options.duration()),
        open_loop::run(changes, CHANGES_PER_S, options.duration()),
    );
    let latest = Instant::now() + LATEST;
    while lock(&seen.arrivals).len() < lock(&seen.changes).len() && Instant::now() < latest {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    followers.shutdown().await;
    daybook.stop().await?;

    let setting = |what: &str| format!("{what}, open loop, half load");
    let from_request = seen.load(|change| change.sent_at, changed.elapsed);
    let from_answer = seen.load(|change| change.answered_at, changed.elapsed);
    for (what, load) in [("from the request", from_request), ("from the answer", from_answer)] {
        let mut row = Row::new(Against::Daybook, "live, a change at another client", &setting(what), load);
        row.aim = Some("p99 < 100 ms".to_owned());
        report.rows.push(row);
    }
    report.rows.push(Row::new(Against::Daybook, "writes beside it", &setting("followed books"), changed));
    report.rows.push(Row::new(Against::Daybook, "writes beside it", &setting("other books"), written));
    Ok(())
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().expect("nothing panics while it is held")
}

impl Seen {
    /// As a load whose calls are the changes, answered when they arrived. One that did not arrive has failed.
    fn load(&self, since: impl Fn(&Change) -> Instant, elapsed: Duration) -> Load {
        let arrivals = lock(&self.arrivals);
        let mut load = Load::new();
        load.elapsed = elapsed;
        load.intended_per_s = Some(CHANGES_PER_S);
        for change in lock(&self.changes).iter() {
            let arrived = arrivals.get(&change.commit);
            let (number, version) = change.commit;
            load.count(
                arrived.map(drop).ok_or_else(|| format!("version {version} of book {number} did not come")),
            );
            if let Some(at) = arrived {
                // An event may overtake the answer.
                load.latencies.record(at.saturating_duration_since(since(change)));
            }
        }
        load
    }
}

async fn follow(session: &Session, authorization: &HeaderValue, book: &Book) -> Result<Incoming> {
    let request = Request::builder()
        .uri(format!("/api/v1/books/{}/live", book.id))
        .header(HOST, "localhost")
        .header(AUTHORIZATION, authorization)
        .body(Full::default())
        .context("a request for live updates")?;
    let response = Connection::to(session.address).send(request).await?;
    ensure!(response.status().is_success(), "live updates are answered by {}", response.status());
    Ok(response.into_body())
}

async fn note_arrivals(book: usize, mut stream: Incoming, seen: Arc<Seen>) {
    let mut received = String::new();
    while let Some(Ok(frame)) = stream.frame().await {
        let arrived_at = Instant::now();
        let Ok(data) = frame.into_data() else { continue };
        received.push_str(&String::from_utf8_lossy(&data));
        while let Some((block, rest)) = received.split_once("\n\n") {
            if let Some(version) = version_of(block) {
                lock(&seen.arrivals).insert((book, version), arrived_at);
            }
            received = rest.to_owned();
        }
    }
}

/// Of a block that is an event `commit`.
fn version_of(block: &str) -> Option<u64> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    field("event").filter(|event| *event == "commit").and_then(|_| field("id")?.parse().ok())
}

fn changes(
    followed: &[Book],
    session: &Session,
    authorization: &HeaderValue,
    seen: &Arc<Seen>,
) -> Result<Vec<Changer>> {
    let of_book =
        |book| anyhow::Ok(Workload::writes(books::rendered_entries(std::slice::from_ref(book), 64)?));
    let workloads: Result<Vec<_>> =
        followed.iter().map(|book| Ok(of_book(book)?.authorized(authorization.clone()))).collect();
    let (workloads, next): (Arc<[Workload]>, _) = (workloads?.into(), Arc::new(AtomicUsize::new(0)));
    let changer = |_| Changer {
        connection: Connection::to(session.address),
        workloads: Arc::clone(&workloads),
        next: Arc::clone(&next),
        seen: Arc::clone(seen),
    };
    Ok((0..CHANGE_CLIENTS).map(changer).collect())
}

/// Writes to one followed book after the other, and notes which versions it made.
struct Changer {
    connection: Connection,
    workloads: Arc<[Workload]>,
    next: Arc<AtomicUsize>,
    seen: Arc<Seen>,
}

impl Client for Changer {
    async fn call(&mut self) -> Result<(), String> {
        let book = self.next.fetch_add(1, Ordering::Relaxed) % self.workloads.len();
        let sent_at = Instant::now();
        let request = self.workloads[book].next_request();
        let response = self.connection.send(request).await.map_err(|error| format!("{error:#}"))?;
        let answered_at = Instant::now();
        let (status, tag) = (response.status(), response.headers().get(ETAG).cloned());
        response.into_body().collect().await.map_err(|error| format!("the answer broke off: {error}"))?;
        let version = tag.as_ref().and_then(|tag| tag.to_str().ok()?.trim_matches('"').parse().ok());
        let version = version.ok_or_else(|| format!("{status}, and no version"))?;
        lock(&self.seen.changes).push(Change { commit: (book, version), sent_at, answered_at });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commits_have_versions() {
        assert_eq!(version_of("event: commit\nid: 7\ndata: {}"), Some(7));
        assert_eq!(version_of("retry: 2000\nid: 7"), None);
        assert_eq!(version_of(":"), None);
    }

    #[test]
    fn a_change_that_never_arrives_is_a_failure() {
        let seen = Seen::default();
        let start = Instant::now();
        for version in [2, 3] {
            let answered_at = start + Duration::from_millis(5);
            lock(&seen.changes).push(Change { commit: (0, version), sent_at: start, answered_at });
        }
        lock(&seen.arrivals).insert((0, 2), start + Duration::from_millis(20));
        let load = seen.load(|change| change.sent_at, Duration::from_secs(1));
        assert_eq!((load.completed, load.failed, load.latencies.count()), (1, 1, 1));
        assert_eq!(load.first_failure.as_deref(), Some("version 3 of book 0 did not come"));
        let quantiles = load.latencies.quantiles();
        assert!((19.9..20.1).contains(&quantiles.max_ms), "{quantiles:?}");
    }
}
