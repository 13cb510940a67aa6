//! A thousand requests with one key at once.

use daybook_e2e::{Client, Options, Server, try_send};
use reqwest::Method;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::task::JoinSet;

use crate::MACHINE;

const REQUESTS: usize = 1_000;

/// Each request has a connection of its own, and the server's side of it inherits the bound.
fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a process may use what it is allowed to");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_with_one_key_have_one_effect_and_one_answer() {
    allow_many_connections();
    let _machine = MACHINE.lock().await;
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let ada = Client::sign_up(server.base(), "Ada").await;
    let book = ada.post("/api/v1/books", "book", &json!({"name": "Home", "currency": "EUR"})).await;
    let book = book.expect(201).header("location").unwrap().to_owned();
    let accounts = ada.get(&format!("{book}/accounts?min_version=1")).await.expect(200).json();
    let categories = ada.get(&format!("{book}/categories")).await.expect(200).json();
    let expense = categories["data"].as_array().unwrap().iter().find(|one| one["kind"] == "expense").unwrap();
    let entry = json!({
        "kind": "expense", "occurred_on": "2026-11-23", "account": accounts["data"][0]["id"],
        "category": expense["id"], "amount": "12.50", "payee": "Corner shop",
    });
    let entries = format!("{book}/entries");

    let mut requests = JoinSet::new();
    for _ in 0..REQUESTS {
        let request = ada.write(Method::POST, &entries, "once").json(&entry);
        requests.spawn(try_send(request));
    }
    let mut answers = Vec::new();
    while let Some(answer) = requests.join_next().await {
        answers.push(answer.unwrap().unwrap().expect(201));
    }

    let is_replay = |answer: &&daybook_e2e::Answer| answer.header("idempotency-replayed").is_some();
    assert_eq!(answers.len(), REQUESTS);
    assert_eq!(answers.iter().filter(is_replay).count(), REQUESTS - 1);
    for answer in &answers {
        assert_eq!(
            (&answer.body, answer.header("etag"), answer.header("location")),
            (&answers[0].body, Some("\"2\""), answers[0].header("location"))
        );
    }
    let list = ada.get(&format!("{entries}?min_version=2")).await.expect(200);
    assert_eq!(list.version(), Some(2));
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(list.json()["data"][0]["id"], answers[0].json()["id"]);

    let mut other = entry;
    other["amount"] = "12.51".into();
    let refused = ada.post(&entries, "once", &other).await.expect(422);
    assert_eq!(refused.code(), "idempotency_key_reused");
    let history = ada.get(&format!("{book}/history")).await.expect(200).json();
    assert_eq!(history["data"].as_array().unwrap().len(), 2);
}
