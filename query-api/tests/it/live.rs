//! Live updates: every version once and in order, to members only.

use axum::body::Body;
use chrono::Utc;
use daybook_query_api::Config;
use domain::{Event, entry::CategoryKind, event::Role, id::UserId};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_kit::{serve::Stopping, testing};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::household::{Household, expense, settings};

/// An open stream as a client sees it.
struct Live {
    body: Body,
    text: String,
    /// The version that a stream begins after, where it had not been told.
    begins_after: Option<String>,
}

#[derive(Debug, PartialEq)]
struct Block {
    event: String,
    id: String,
    data: Value,
}

impl Live {
    async fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut live = Self { body: response.into_body(), text: String::new(), begins_after: None };
        let greeting = live.text().await.unwrap();
        let begins_after = greeting.strip_prefix("retry: 2000\n").expect("it says when to connect again");
        live.begins_after = begins_after.strip_prefix("id: ").map(|id| id.trim_end().to_owned());
        live
    }

    /// The next block, `None` at the end.
    async fn text(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = format!("{block}\n");
                self.text = rest.to_owned();
                return Some(block);
            }
            let frame = self.body.frame().await?.unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&frame).unwrap());
        }
    }

    async fn block(&mut self) -> Option<Block> {
        let text = self.text().await?;
        let field = |name: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            lines.collect::<Vec<_>>().join("\n")
        };
        let data = serde_json::from_str(&field("data")).unwrap_or(Value::Null);
        Some(Block { event: field("event"), id: field("id"), data })
    }

    /// The versions of this many commits.
    async fn versions(&mut self, commits: usize) -> Vec<u64> {
        let mut versions = Vec::new();
        while versions.len() < commits {
            let block = self.block().await.unwrap();
            assert_eq!(
                (block.event.as_str(), &json!(block.id.parse::<u64>().unwrap())),
                ("commit", &block.data["version"])
            );
            versions.push(block.id.parse().unwrap());
        }
        versions
    }

    async fn end(&mut self) -> Value {
        let block = self.block().await.unwrap();
        assert_eq!(block.event, "end", "{block:?}");
        assert_eq!(self.block().await, None);
        block.data["reason"].clone()
    }
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

async fn ask(home: &Household, token: &str, query: &str, last_event_id: Option<&str>) -> Response<Body> {
    let mut request = Request::get(format!("/api/v1/books/{}/live{query}", home.id))
        .header("authorization", format!("Bearer {token}"));
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    home.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn follow(home: &Household, last_event_id: Option<u64>) -> Live {
    let id = last_event_id.map(|id| id.to_string());
    Live::of(ask(home, &testing::token(home.owner), "", id.as_deref()).await).await
}

async fn code(response: Response<Body>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

fn join(home: &mut Household, user: UserId) {
    let joined = Event::MemberAdded { user, role: Role::Viewer };
    home.record_as(user, "accept_invitation", vec![joined]);
}

/// A book of version 1.
async fn home() -> Household {
    let mut home = Household::with(settings()).await;
    home.project().await;
    home
}

fn commits(home: &mut Household, count: usize) {
    for number in 0..count {
        home.category(&format!("Category {} {number}", home.version), CategoryKind::Expense, None);
    }
}

#[tokio::test]
async fn a_new_stream_tells_where_it_begins_and_then_what_happens() {
    let mut home = home().await;
    let mut live = follow(&home, None).await;
    assert_eq!(live.begins_after.as_deref(), Some("1"));
    let cash = home.account("Cash", "EUR", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    let lunch = home.add(expense("2026-11-23", cash, food, "5"));
    home.project().await;
    assert_eq!(live.versions(2).await, [2, 3]);
    let added = live.block().await.unwrap();
    assert_eq!(
        added.data,
        json!({
            "version": 4,
            "recorded_at": "2026-11-23T12:00:00.004Z",
            "actor": {"id": home.owner, "name": "Ada"},
            "command": "add_entry",
            "touched": {
                "book": false,
                "members": [],
                "invitations": [],
                "accounts": [],
                "categories": [],
                "entries": [lunch],
                "imports": [],
                "complete": true,
            },
        })
    );
}

#[tokio::test]
async fn a_stream_that_resumes_gets_what_it_missed_once_and_in_order() {
    let mut home = home().await;
    commits(&mut home, 130);
    home.project().await;
    let mut live = follow(&home, Some(1)).await;
    assert_eq!(live.begins_after, None);
    assert_eq!(live.versions(130).await, (2..=131).collect::<Vec<_>>());
    // One that lags behind is not told of each batch, and misses none.
    for _ in 0..3 {
        commits(&mut home, 60);
        home.project().await;
    }
    assert_eq!(live.versions(180).await, (132..=311).collect::<Vec<_>>());
    let mut from_start = follow(&home, Some(0)).await;
    let created = from_start.block().await.unwrap();
    assert_eq!((created.id.as_str(), &created.data["touched"]["book"]), ("1", &json!(true)));
    assert_eq!(from_start.versions(310).await, (2..=311).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_header_that_a_browser_resumes_with_goes_over_the_address() {
    let mut home = home().await;
    commits(&mut home, 5);
    home.project().await;
    let token = testing::token(home.owner);
    let mut first = Live::of(ask(&home, &token, "?last_event_id=2", None).await).await;
    assert_eq!(first.versions(4).await, [3, 4, 5, 6]);
    let mut again = Live::of(ask(&home, &token, "?last_event_id=2", Some("5")).await).await;
    assert_eq!(again.versions(1).await, [6]);
}

#[tokio::test]
async fn where_to_begin_has_to_be_a_version_of_a_book_of_mine() {
    let home = home().await;
    let token = testing::token(home.owner);
    for (query, header, expected) in [
        ("", Some("2"), (400, "version_unknown")),
        ("?last_event_id=18446744073709551615", None, (400, "version_unknown")),
        ("", Some("banana"), (400, "invalid_parameter")),
        ("", Some("-1"), (400, "invalid_parameter")),
        ("", Some(""), (400, "invalid_parameter")),
        ("?last_event_id=1.5", None, (400, "invalid_parameter")),
        ("?last_event=1", None, (400, "unknown_parameter")),
    ] {
        let (status, found) = code(ask(&home, &token, query, header).await).await;
        assert_eq!((status, found.as_str()), expected, "{query} {header:?}");
    }
    for id in ["0", "1", "2"] {
        let stranger = ask(&home, &testing::token(user(99)), "", Some(id)).await;
        assert_eq!(code(stranger).await, (404, "book_not_found".to_owned()));
    }
}

#[tokio::test]
async fn who_was_removed_sees_neither_that_nor_anything_after_it() {
    let mut home = home().await;
    let theirs = testing::token(user(7));
    join(&mut home, user(7));
    home.project().await;
    let mut live = Live::of(ask(&home, &theirs, "?last_event_id=1", None).await).await;
    assert_eq!(live.versions(1).await, [2]);
    let promoted = Event::MemberRoleChanged { user: user(7), role: Role::Editor, before: Role::Viewer };
    home.record("change_member", vec![promoted]);
    commits(&mut home, 1);
    home.project().await;
    assert_eq!(live.versions(2).await, [3, 4]);

    // Not even what came before the removal, if it is read after it.
    commits(&mut home, 1);
    home.record("remove_member", vec![Event::MemberRemoved { user: user(7), before: Role::Editor }]);
    home.project().await;
    commits(&mut home, 1);
    home.project().await;
    assert_eq!(live.end().await, "not_a_member");
    for id in ["4", "7", "99"] {
        let refused = ask(&home, &theirs, "", Some(id)).await;
        assert_eq!(code(refused).await, (404, "book_not_found".to_owned()));
    }

    join(&mut home, user(7));
    home.project().await;
    let mut again = Live::of(ask(&home, &theirs, "", Some("4")).await).await;
    assert_eq!(again.versions(4).await, [5, 6, 7, 8]);
}

#[tokio::test]
async fn a_stream_ends_when_the_access_token_does() {
    let home = home().await;
    let mut claims = testing::claims(home.owner, Utc::now());
    // What is left is a part of the leeway.
    claims["exp"] = json!(Utc::now().timestamp() - 4);
    let token = testing::sign(&testing::header(), &claims);
    let mut live = Live::of(ask(&home, &token, "?last_event_id=1", None).await).await;
    assert_eq!(live.end().await, "token_expired");
    assert_eq!(code(ask(&home, &token, "", None).await).await, (401, "token_expired".to_owned()));
}

#[tokio::test]
async fn a_stream_ends_when_the_server_is_told_to_stop() {
    let home = home().await;
    let stopping = Stopping::default();
    let request = Request::get(format!("/api/v1/books/{}/live?last_event_id=1", home.id))
        .header("authorization", format!("Bearer {}", testing::token(home.owner)))
        .extension(stopping.clone());
    let response = home.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut live = Live::of(response).await;
    stopping.0.cancel();
    assert_eq!(live.end().await, "unavailable");
}

#[tokio::test]
async fn streams_are_bounded_for_each_person_and_in_all() {
    let config = Config { live_streams_max: 3, live_streams_per_user_max: 2, ..Config::default() };
    let mut home = Household::configured(settings(), config).await;
    join(&mut home, user(7));
    home.project().await;
    let (mine, theirs) = (testing::token(home.owner), testing::token(user(7)));
    let first = Live::of(ask(&home, &mine, "", None).await).await;
    let _second = Live::of(ask(&home, &mine, "", None).await).await;
    let refused = ask(&home, &mine, "", None).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(code(refused).await, (429, "too_many_streams".to_owned()));
    let _third = Live::of(ask(&home, &theirs, "", None).await).await;
    assert_eq!(code(ask(&home, &theirs, "", None).await).await, (503, "overloaded".to_owned()));
    drop(first);
    Live::of(ask(&home, &theirs, "", None).await).await;
}
