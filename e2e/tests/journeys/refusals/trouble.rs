//! Refusals that take more than a wrong request: a disk that does not write, a crowd, a crash.

use std::{path::Path, sync::Arc};

use daybook_e2e::{Client, Options, Server};
use futures::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::asking::{Asker, Met, command, get, patch, post, statement};
use crate::desk;

fn options(settings: &[(&'static str, &str)]) -> Options {
    let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Options { settings, ..Options::default() }
}

/// A server, a person, and their book.
async fn start(data: &Path, met: Arc<Met>, settings: &[(&'static str, &str)]) -> (Server, Asker, String) {
    let server = Server::start(data, &options(settings)).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let ada = Asker::new(client, &server, data, met);
    let made =
        ada.done(post("/api/v1/books", json!({"name": "Home", "currency": "EUR"})).key("book"), 201).await;
    let book = format!("/api/v1/books/{}", made.json()["id"].as_str().unwrap());
    (server, ada, book)
}

fn locked(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    connection
}

/// Somebody else holds the file for longer than Daybook waits: nothing is written, and the answer says so.
pub async fn a_journal_that_cannot_be_written(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let (_server, ada, book) = start(data.path(), met, &[]).await;
    let rename = || patch(&book, json!({"name": "Renamed"})).key("rename");

    let lock = locked(&desk::journal_of(data.path()));
    let told = ada.ask(rename()).await;
    assert_eq!((told.status, told.code().as_str()), (503, "unavailable"), "{}", told.body);
    assert!(told.header("retry-after").is_some());
    assert_eq!(told.json()["outcome"], "not_applied");
    drop(lock);

    // The same key settles it.
    let settled = loop {
        let answer = ada.ask(rename()).await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!((settled.status, settled.version()), (200, Some(2)), "{}", settled.body);
    ada.done(rename(), 200).await;
}

pub async fn a_read_model_that_lags(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let (_server, ada, book) = start(data.path(), met, &[("query_api.min_version_wait_ms", "200")]).await;
    ada.done(get(&format!("{book}?min_version=1")), 200).await;

    let lock = locked(&desk::read_model_of(data.path()));
    let version = ada.done(patch(&book, json!({"name": "Renamed"})), 200).await.version().unwrap();
    let newer = format!("{book}?min_version={version}");
    ada.refused(get(&newer), 503, "not_yet_visible", None).await;
    // What can be read without it goes on.
    assert_eq!(ada.done(get(&book), 200).await.json()["name"], "Home");
    drop(lock);
    let seen = loop {
        let answer = ada.ask(get(&newer)).await;
        if answer.status != 503 {
            break answer;
        }
    };
    assert_eq!((seen.status, &seen.json()["name"]), (200, &json!("Renamed")));
}

/// Keys are kept for thirty days. A repetition after that does no harm either: what it made is there.
pub async fn keys_that_were_forgotten(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let settings = [("command_api.import_commit_lines", "1")];
    let (server, ada, book) = start(data.path(), met, &settings).await;
    let accounts = ada.done(get(&format!("{book}/accounts?min_version=1")), 200).await.json();
    let mapping = mapping(&accounts);
    let file = "Date,Payee,Amount\n2026-11-01,Shop,-5.00\n2026-11-02,Shop,-6.00\n";
    let import = || statement(&book, file, &[("mapping", mapping.clone())]).key("import");
    let finished = ada.done(import(), 201).await.version().unwrap();
    server.terminate();

    let forget = |first: u64, last: u64| {
        for file in desk::decision_state_of(data.path()) {
            let state = Connection::open(file).unwrap();
            state.execute("delete from answers where version between ?1 and ?2", [first, last]).unwrap();
        }
    };

    // As if the thirty days ended between the two commits of the import.
    forget(finished, finished);
    let server = Server::start(data.path(), &options(&settings)).await;
    ada.again_at(&server).refused(import(), 409, "import_finished", None).await;
    server.terminate();

    forget(1, finished);
    let server = Server::start(data.path(), &options(&settings)).await;
    let ada = ada.again_at(&server);
    ada.refused(import(), 409, "import_finished", None).await;
    let again = post("/api/v1/books", json!({"name": "Home", "currency": "EUR"})).key("book");
    ada.refused(again, 409, "book_exists", None).await;
}

/// The server dies in the middle of a long import.
pub async fn an_import_that_was_cut_short(met: Arc<Met>) {
    const LINES: usize = 3_000;
    let data = tempfile::tempdir().unwrap();
    let settings = [("command_api.import_commit_lines", "1")];
    let (mut server, ada, book) = start(data.path(), met, &settings).await;
    let accounts = ada.done(get(&format!("{book}/accounts?min_version=1")), 200).await.json();
    let mapping = mapping(&accounts);
    let mut file = String::from("Date,Payee,Amount\n");
    (0..LINES).for_each(|line| file.push_str(&format!("2026-11-01,Shop {line},-1.00\n")));
    let import = || statement(&book, file.clone(), &[("mapping", mapping.clone())]).key("import");

    let interrupted = tokio::spawn({
        let (client, path, file, mapping) =
            (ada.client.clone(), format!("{book}/imports"), file.clone(), mapping.clone());
        let part = reqwest::multipart::Part::text(file).file_name("statement.csv");
        let form = reqwest::multipart::Form::new().part("file", part).text("mapping", mapping);
        let request = client.write(reqwest::Method::POST, &path, "import").multipart(form);
        daybook_e2e::try_send(request)
    });
    let begun = loop {
        let imports = ada.done(get(&format!("{book}/imports")), 200).await.json();
        let found = imports["data"][0].clone();
        if found["judged"].as_u64().is_some_and(|judged| judged > 0) {
            break found;
        }
    };
    let id = begun["id"].as_str().unwrap();
    // While it runs and after a crash alike.
    let revert = || command(&format!("{book}/imports/{id}/revert"));
    let told = ada.ask(revert()).await;
    assert_eq!((told.status, told.code().as_str()), (409, "import_unfinished"), "{}", told.body);
    server.kill_9();
    assert!(interrupted.await.unwrap().is_err(), "the import ended before it was cut short");

    let server = Server::start(data.path(), &options(&settings)).await;
    let ada = ada.again_at(&server);
    ada.refused(revert(), 409, "import_unfinished", None).await;
    let cut_short = ada.done(get(&format!("{book}/imports/{id}")), 200).await.json();
    assert_eq!(cut_short["status"], "running");
    assert!(cut_short["judged"].as_u64().unwrap() < LINES as u64);
    let finished = ada.done(import(), 201).await.json();
    assert_eq!(
        (&finished["import"]["status"], &finished["import"]["taken"]),
        (&json!("finished"), &json!(LINES))
    );
    assert_eq!(finished["import"]["id"], id);
}

/// One password at a time, and one that waits.
pub async fn too_much_at_once(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let settings = [("identity.password_hashes_at_once", "1"), ("identity.password_queue_max", "1")];
    let (_server, ada, _) = start(data.path(), met, &settings).await;
    let guesses = (0..8).map(|number| {
        let guess = json!({"email": format!("guess{number}@example.org"), "password": "some words"});
        ada.ask(post("/api/v1/auth/log-in", guess).without_login())
    });
    let told: Vec<_> = join_all(guesses).await;
    assert!(told.iter().any(|answer| (answer.status, answer.code().as_str()) == (503, "overloaded")));
    assert!(told.iter().any(|answer| (answer.status, answer.code().as_str()) == (401, "login_failed")));
    assert!(told.iter().all(|answer| answer.status != 503 || answer.header("retry-after").is_some()));
}

/// Bounds that take many steps to reach.
pub async fn a_full_book(met: Arc<Met>) {
    let data = tempfile::tempdir().unwrap();
    let (_server, ada, book) = start(data.path(), met, &[]).await;
    let open = |number: usize| {
        post(&format!("{book}/accounts"), json!({"name": format!("Account {number}"), "kind": "other"}))
    };
    let accounts = ada.done(get(&format!("{book}/accounts?min_version=1")), 200).await.json();
    let there = accounts["data"].as_array().unwrap().len();
    join_all((there..500).map(|number| ada.done(open(number), 201))).await;
    ada.refused(open(500), 422, "limit_reached", None).await;

    let category = |parent: &Value, number: usize| {
        let new = json!({"name": format!("Level {number}"), "kind": "expense", "parent": parent});
        post(&format!("{book}/categories"), new)
    };
    let mut parent = Value::Null;
    for number in 1..=8 {
        parent = ada.done(category(&parent, number), 201).await.json()["id"].clone();
    }
    ada.refused(category(&parent, 9), 422, "category_too_deep", Some("/parent")).await;

    let categories = ada.done(get(&format!("{book}/categories")), 200).await.json();
    let find = |name: &str| {
        let mut list = categories["data"].as_array().unwrap().iter();
        list.find(|category| category["name"] == name).unwrap()["id"].clone()
    };
    let entry = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": accounts["data"][0]["id"],
        "amount": "1", "category": find("Groceries")});
    let entries = json!({"mode": "all", "entries": vec![entry; 500]});
    join_all((0..21).map(|_| ada.done(post(&format!("{book}/entries/bulk"), entries.clone()), 201))).await;
    let all = json!({"filter": {"kind": "expense"}, "category": find("Food")});
    ada.refused(post(&format!("{book}/entries/recategorise"), all), 422, "too_many_entries", None).await;

    // The largest amount there is, ten thousand times.
    let mut file = String::from("Date,Payee,Amount\n");
    (0..9_999).for_each(|_| file.push_str("2026-11-01,Shop,-9999999999999.99\n"));
    let parts = [("mapping", mapping(&accounts)), ("mode", "all".to_owned())];
    ada.refused(statement(&book, file, &parts), 422, "balance_out_of_range", Some("/amount")).await;
}

/// How to read `Date,Payee,Amount`.
fn mapping(accounts: &Value) -> String {
    let mapping = json!({"date": "Date", "date_format": "YYYY-MM-DD", "payee": ["Payee"],
        "amount": {"sign": "signed", "column": "Amount"}, "account": accounts["data"][0]["id"]});
    mapping.to_string()
}
