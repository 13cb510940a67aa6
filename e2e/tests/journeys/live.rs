//! Live updates on the running program: whoever follows a book sees every version once and in order, however often
//! their connection is cut.

use std::ops::RangeInclusive;

use daybook_e2e::{Client, Options, Server};
use futures::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use reqwest::{Method, Response};
use serde_json::{Value, json};

const COMMITS: u64 = 1_000;
const CUTS: usize = 20;
/// Writes on their way at once.
const PIPELINED: usize = 32;

/// A connection that follows a book. Dropping it cuts it.
struct Live {
    response: Response,
    received: Vec<u8>,
}

/// An event as it came over the wire.
#[derive(Debug, Default)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Live {
    async fn connect(client: &Client, book: &str, last_event_id: Option<u64>) -> Self {
        let mut request = client.request(Method::GET, &format!("{book}/live"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        // What is compressed would be held back until a block of it is full.
        request = request.header("accept", "text/event-stream").header("accept-encoding", "gzip");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Self { response, received: Vec::new() }
    }

    /// The next event with a name; `None` when the server has closed the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.received.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.received.drain(..end + 2).collect();
                let event = read(std::str::from_utf8(&block).unwrap());
                if !event.name.is_empty() {
                    return Some(event);
                }
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.received.extend_from_slice(&chunk);
        }
    }

    async fn version(&mut self) -> u64 {
        let event = self.next().await.expect("the stream goes on");
        assert_eq!((event.name.as_str(), event.data["version"].to_string()), ("commit", event.id));
        event.data["version"].as_u64().unwrap()
    }
}

fn read(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("id", id)) => event.id = id.to_owned(),
            Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
            Some(_) | None => {}
        }
    }
    event
}

/// Whether these are all versions of the range, each once and in order.
fn check_seen(seen: &[u64], expected: RangeInclusive<u64>) -> Result<(), String> {
    let mut next = *expected.start();
    for version in seen {
        if *version != next {
            return Err(format!("{version} came where {next} was due"));
        }
        next += 1;
    }
    match next > *expected.end() {
        true => Ok(()),
        false => Err(format!("{next} did not come")),
    }
}

async fn book_of(client: &Client) -> (String, Value, Value) {
    let new = json!({"name": "Home", "currency": "EUR"});
    let made = client.post("/api/v1/books", "book", &new).await.expect(201).json();
    let book = format!("/api/v1/books/{}", made["id"].as_str().unwrap());
    let first = async |what: &str, kind: &str| {
        let list = client.get(&format!("{book}/{what}?min_version=1")).await.expect(200).json();
        let list = list["data"].as_array().unwrap().clone();
        list.into_iter().find(|thing| thing["kind"] == kind).unwrap()["id"].clone()
    };
    let (account, category) = (first("accounts", "cash").await, first("categories", "expense").await);
    (book, account, category)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_twenty_times_shows_every_version_once_and_in_order() {
    let seed: u64 = rand::random();
    println!("the cuts' seed is {seed}");
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut cuts: Vec<usize> = (0..CUTS).map(|_| dice.random_range(0..COMMITS as usize)).collect();
    cuts.sort_unstable();

    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let writer = Client::sign_up(server.base(), "Ada").await;
    let (book, account, category) = book_of(&writer).await;
    let last = 1 + COMMITS;

    let write = async {
        let expense = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": account,
            "category": category, "amount": "1.00"});
        let path = format!("{book}/entries");
        let writes = (0..COMMITS).map(|key| writer.post(&path, key, &expense));
        let versions =
            stream::iter(writes).buffer_unordered(PIPELINED).map(|answer| answer.expect(201).version());
        let mut versions: Vec<u64> = versions.map(Option::unwrap).collect().await;
        versions.sort_unstable();
        versions
    };
    let follow_to_the_end = async {
        let mut seen = Vec::new();
        let mut live = Live::connect(&writer.at(server.base()), &book, Some(1)).await;
        while seen.last() != Some(&last) {
            seen.push(live.version().await);
        }
        seen
    };
    let follow_with_cuts = async {
        let client = writer.at(server.base());
        let mut seen: Vec<u64> = Vec::new();
        for cut in cuts.iter().copied().chain([COMMITS as usize]) {
            let mut live = Live::connect(&client, &book, seen.last().copied().or(Some(1))).await;
            while seen.len() < cut {
                seen.push(live.version().await);
            }
        }
        seen
    };
    let (written, whole, cut) = tokio::join!(write, follow_to_the_end, follow_with_cuts);
    check_seen(&written, 2..=last).unwrap();
    check_seen(&whole, 2..=last).unwrap();
    check_seen(&cut, 2..=last).unwrap();
}

#[test]
fn a_version_lost_or_repeated_or_out_of_order_is_noticed() {
    let all: Vec<u64> = (2..=10).collect();
    assert_eq!(check_seen(&all, 2..=10), Ok(()));
    assert_eq!(check_seen(&all[1..], 2..=10), Err("3 came where 2 was due".to_owned()));
    assert_eq!(check_seen(&all[..8], 2..=10), Err("10 did not come".to_owned()));
    for (at, wrong) in [(4, 5), (4, 7), (4, 2)] {
        let mut seen = all.clone();
        seen[at] = wrong;
        assert_eq!(check_seen(&seen, 2..=10), Err(format!("{wrong} came where 6 was due")));
    }
    let lost: Vec<u64> = all.iter().copied().filter(|version| *version != 6).collect();
    assert_eq!(check_seen(&lost, 2..=10), Err("7 came where 6 was due".to_owned()));
}

/// Writes go on all the while, before and after the removal.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_is_removed_sees_nothing_from_then_on() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let ada = Client::sign_up(server.base(), "Ada").await;
    let ben = Client::sign_up(server.base(), "Ben").await;
    let (book, account, category) = book_of(&ada).await;
    let invitation = json!({"email": "ben@example.org", "role": "viewer"});
    let invited = ada.post(&format!("{book}/invitations"), "invite", &invitation).await.expect(201).json();
    let token = json!({"token": invited["token"]});
    let joined =
        ben.post("/api/v1/invitations/accept", "accept", &token).await.expect(200).version().unwrap();
    ben.get(&format!("{book}?min_version={joined}")).await.expect(200);

    let mut live = Live::connect(&ben, &book, Some(joined)).await;
    let follow = async {
        let mut seen = Vec::new();
        loop {
            let event = live.next().await.unwrap();
            match event.name.as_str() {
                "commit" => seen.push(event.data["version"].as_u64().unwrap()),
                _ => return (seen, event),
            }
        }
    };
    let write = async {
        let expense = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": account,
            "category": category, "amount": "1.00"});
        let path = format!("{book}/entries");
        let add = async |keys: std::ops::Range<u64>| {
            let writes = keys.map(|key| ada.post(&path, key, &expense));
            stream::iter(writes)
                .buffer_unordered(PIPELINED)
                .for_each(async |answer| drop(answer.expect(201)))
                .await;
        };
        add(0..100).await;
        let member = format!("{book}/members/{}", ben.user());
        let (removed, ()) = tokio::join!(ada.delete(&member, "remove"), add(100..200));
        removed.expect(200).version().unwrap()
    };
    let ((seen, end), removed) = tokio::join!(follow, write);
    assert_eq!((end.name.as_str(), &end.data["reason"]), ("end", &json!("not_a_member")));
    let last = seen.last().copied().unwrap_or(joined);
    check_seen(&seen, joined + 1..=last).unwrap();
    assert!(last < removed, "the removal is version {removed}, and {last} was seen");
    assert!(live.next().await.is_none());
    assert_eq!(ben.get(&format!("{book}/live")).await.expect(404).code(), "book_not_found");
}

/// The drain deadline is longer than a stop that hangs is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn open_streams_do_not_keep_a_server_from_stopping() {
    let data = tempfile::tempdir().unwrap();
    let settings = vec![("server.drain_deadline_ms", "600000".to_owned())];
    let server = Server::start(data.path(), &Options { settings, ..Options::default() }).await;
    let ada = Client::sign_up(server.base(), "Ada").await;
    let (book, ..) = book_of(&ada).await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(Live::connect(&ada.at(server.base()), &book, Some(1)).await);
    }
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    for mut live in streams {
        let end = live.next().await.unwrap();
        assert_eq!((end.name.as_str(), &end.data["reason"]), ("end", &json!("unavailable")));
        assert!(live.next().await.is_none());
    }
    assert!(ended.await.unwrap().status.success());
}
