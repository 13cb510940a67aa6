//! What the operator's commands answer when things are as they should not be.

use std::fs;

use daybook_e2e::{Client, Options, Server};
use rusqlite::Connection;
use serde_json::json;

use crate::{desk, household::busy_hour};

#[tokio::test]
async fn a_second_process_on_a_data_directory_is_refused_with_the_first_one_named() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let lock = fs::read_to_string(data.path().join("daybook.lock")).unwrap();
    let expected = format!(
        "daybook: the data directory {} is in use by process {}; stop that, or name another directory with --data\n",
        data.path().display(),
        lock.trim()
    );
    let listen = ["--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"];
    let second = desk::run_on(data.path(), &[&["serve"], &listen[..]].concat()).expect(2);
    assert_eq!(second.err, expected);
    assert_eq!(desk::run_on(data.path(), &["demo"]).expect(2).err, expected);

    // Looking is allowed beside a running server.
    desk::run_on(data.path(), &["audit", "verify"]).expect(0);
    drop(server);
}

#[test]
fn a_missing_journal_is_said_to_be_missing_and_nothing_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("nothing");
    for arguments in [&["audit", "verify"][..], &["audit", "verify", "--json"], &["rebuild"]] {
        let ran = desk::run_on(&data, arguments).expect(1);
        assert!(ran.err.contains("there is no journal at "), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    assert!(!data.exists());
}

#[tokio::test]
async fn an_address_in_use_is_named_with_its_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let ran =
        desk::run_on(data.path(), &["serve", "--listen", &address, "--operations-listen", "127.0.0.1:0"]);
    let ran = ran.expect(1);
    assert!(ran.err.contains(&format!("server.listen = {address:?} cannot be listened on")), "{}", ran.err);
}

#[test]
fn a_setting_that_does_not_exist_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daybook.toml");
    fs::write(&file, "[server]\nlisten_on = \"127.0.0.1:1\"\n").unwrap();
    for arguments in [&["serve"][..], &["config", "check"], &["audit", "verify"], &["rebuild"]] {
        let ran = desk::run_on(folder.path(), &[arguments, &["--config", file.to_str().unwrap()]].concat());
        let ran = ran.expect(2);
        assert!(ran.err.contains("server.listen_on"), "{}", ran.err);
    }
    assert_eq!(desk::run(&["serve", "--lissten", "x"]).expect(2).out, "");
    assert!(desk::run(&["--help"]).expect(0).out.contains("audit"));
}

#[tokio::test]
async fn audit_of_one_book_needs_that_book() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let made = client.post("/api/v1/books", "book", &json!({"name": "Home", "currency": "EUR"})).await;
    let book = made.expect(201).json()["id"].as_str().unwrap().to_owned();

    let verified =
        desk::run_on(data.path(), &["audit", "verify", "--book", &book, "--json"]).expect(0).json();
    assert_eq!(verified["verified"]["books"], 1);
    let unknown = "book_00000000000000000000000000";
    for command in ["verify", "export"] {
        let ran = desk::run_on(data.path(), &["audit", command, "--book", unknown]).expect(1);
        assert_eq!(ran.err, format!("daybook: the journal holds no book {unknown}\n"));
        desk::run_on(data.path(), &["audit", command, "--book", "nonsense"]).expect(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_readme_says_to_back_up_is_a_whole_daybook() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let books = busy_hour(&client, 11, 2, 60).await;

    // Beside the running server, the journal first: what it needs of the others is there by then.
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("keys")).unwrap();
    for file in ["journal.sqlite", "keys/keys.sqlite", "identity.sqlite"] {
        let from = Connection::open(data.path().join(file)).unwrap();
        from.execute("vacuum into ?1", [copy.path().join(file).to_str().unwrap()]).unwrap();
    }
    fs::copy(data.path().join("keys/master.key"), copy.path().join("keys/master.key")).unwrap();
    desk::run_on(copy.path(), &["audit", "verify"]).expect(0);

    let restored = Server::start(copy.path(), &Options::default()).await;
    let ada = Client::log_in(restored.base(), "Ada").await;
    for book in &books {
        for what in ["overview?on=2026-11-23", "entries?limit=200", "history?limit=200"] {
            let path = format!("{book}/{what}");
            let (kept, found) = (client.get(&path).await.expect(200), ada.get(&path).await.expect(200));
            // Cursors are signed with a key of each server's own.
            let without_cursor = |answer: daybook_e2e::Answer| {
                let mut shown = answer.json();
                shown.as_object_mut().unwrap().remove("next_cursor");
                shown
            };
            assert_eq!(without_cursor(found), without_cursor(kept), "{path}");
        }
    }
}

#[tokio::test]
async fn settings_of_all_layers_are_in_force() {
    let data = tempfile::tempdir().unwrap();
    let options = Options {
        settings: vec![("journal.partitions", "2".to_owned()), ("server.body_bytes_max", "70000".to_owned())],
        ..Options::default()
    };
    let server = Server::start(data.path(), &options).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let long = json!({"name": "x".repeat(70_000), "currency": "EUR"});
    assert_eq!(client.post("/api/v1/books", "long", &long).await.expect(413).code(), "body_too_large");
    server.terminate();

    // The number of partitions is fixed for the life of a journal, and Daybook says so.
    let listen = ["--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"];
    let ran = desk::run_on(data.path(), &[&["serve"], &listen[..]].concat()).expect(1);
    assert!(ran.err.contains("set journal.partitions = 2, not 4"), "{}", ran.err);
}
