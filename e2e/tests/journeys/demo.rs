//! The demo household: made once, there ever after.

use daybook_e2e::{Client, Options, Server};
use reqwest::Method;
use serde_json::json;

use crate::desk;

#[tokio::test]
async fn a_second_start_with_the_demo_keeps_it_and_adds_nothing() {
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        arguments: vec!["--demo".to_owned()],
        settings: vec![("demo.last_day", "2026-11-23".to_owned())],
        ..Options::default()
    };
    let server = Server::start(data.path(), &options).await;
    let first = household(&server).await;
    assert!(first.latest > 3_000, "the household has {} commits only", first.latest);
    server.terminate();
    let verified = desk::run_on(data.path(), &["audit", "verify", "--json"]).expect(0).json();

    let server = Server::start(data.path(), &options).await;
    let second = household(&server).await;
    assert_eq!(second, first);
    server.terminate();
    let verified_again = desk::run_on(data.path(), &["audit", "verify", "--json"]).expect(0).json();
    assert_eq!(verified_again["verified"]["commits"], verified["verified"]["commits"]);

    // Without serving it is found as well.
    let told = desk::run_on(data.path(), &["demo"]).expect(0).out;
    assert_eq!(told, "The demo household was there already.\n");
}

#[derive(Debug, PartialEq)]
struct Household {
    overview: serde_json::Value,
    latest: u64,
}

/// What the demo person sees after the log-in that the program prints.
async fn household(server: &Server) -> Household {
    let nobody = Client::new(server.base());
    let person = json!({"email": "demo@example.org", "password": "three years of receipts"});
    let login = nobody.send(nobody.request(Method::POST, "/api/v1/auth/log-in").json(&person)).await;
    let login = login.expect(200).json();
    let robin = nobody.with_token(login["access_token"].as_str().unwrap());

    let books = robin.get("/api/v1/books").await.expect(200).json();
    assert_eq!(books["data"].as_array().unwrap().len(), 1);
    let book = books["data"][0]["id"].as_str().unwrap();
    let answer = robin.get(&format!("/api/v1/books/{book}/overview?on=2026-11-23")).await.expect(200);
    let overview = answer.json();
    for period in ["week", "month", "year"] {
        assert!(!overview[period]["totals"].as_array().unwrap().is_empty(), "{period} is empty");
    }
    assert_eq!(overview["latest_entries"].as_array().unwrap().len(), 10);
    assert_eq!(overview["top_categories"].as_array().unwrap().len(), 5);
    Household { latest: answer.version().unwrap(), overview }
}
