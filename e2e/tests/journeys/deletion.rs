//! The journal is the only truth: what else lies in the data directory can be deleted and comes back as it was.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use daybook_e2e::{Client, Options, Server};
use serde_json::json;

use crate::{
    desk::{self, Table, assert_equal},
    household::busy_hour,
};

/// Everything that follows from the journal, as far as it does.
struct Derived {
    read_model: Vec<Table>,
    decision_state: Vec<Vec<Table>>,
}

/// Of a stopped server. What legitimately differs from start to start is left out, and only that: each start claims
/// every partition anew, which is one more record, so the position up to which a file tells and the fence after it
/// (epoch, owner) move on without anything having changed.
fn derived(data: &Path) -> Derived {
    let leave_out = |table: Table| match table.name.as_str() {
        "checkpoints" | "origin" => table.without("position").without("fence"),
        _ => table,
    };
    let read = |file: PathBuf| desk::tables(&file).into_iter().map(leave_out).collect();
    Derived {
        read_model: read(desk::read_model_of(data)),
        decision_state: desk::decision_state_of(data).into_iter().map(read).collect(),
    }
}

#[track_caller]
fn assert_derived(before: &Derived, data: &Path, when: &str) {
    let after = derived(data);
    assert_equal(&before.read_model, &after.read_model, when);
    assert_eq!(before.decision_state.len(), after.decision_state.len());
    for (before, after) in before.decision_state.iter().zip(&after.decision_state) {
        assert_equal(before, after, when);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn read_model_and_decision_state_come_back_table_by_table() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let server = Server::start(data, &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let books = busy_hour(&client, 20_261_123, 5, 120).await;
    assert!(server.terminate().status.success());
    let before = derived(data);
    let filled = before.read_model.iter().filter(|table| !table.rows.is_empty()).count();
    assert_eq!(filled, before.read_model.len(), "the busy hour left a table of the read model empty");

    let nothing: &[&str] = &[];
    for deleted in [nothing, &["read-model"], &["decision-state"], &["read-model", "decision-state"]] {
        for folder in deleted {
            fs::remove_dir_all(data.join(folder)).unwrap();
        }
        let server = Server::start(data, &Options::default()).await;
        let client = client.at(server.base());
        for book in &books {
            client.get(&format!("{book}/overview")).await.expect(200);
        }
        if deleted.is_empty() {
            // What was saved at the stop is taken up as it is.
            let log = server.log();
            assert_eq!(log.matches("replayed=0").count(), 4, "{log}");
        }
        assert!(server.terminate().status.success());
        assert_derived(&before, data, &format!("after {deleted:?} were deleted"));
    }
    desk::run_on(data, &["audit", "verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_under_a_key_is_answered_again_when_all_else_was_deleted() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let new = json!({"name": "Home", "currency": "EUR"});
    let first = client.post("/api/v1/books", "our-book", &new).await.expect(201);
    server.terminate();
    for folder in ["read-model", "decision-state"] {
        fs::remove_dir_all(data.path().join(folder)).unwrap();
    }

    let server = Server::start(data.path(), &Options::default()).await;
    let again = client.at(server.base()).post("/api/v1/books", "our-book", &new).await.expect(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.version(), first.version());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_beside_a_busy_server_is_seen_by_nobody() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let server = Server::start(data, &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let books = busy_hour(&client, 7, 3, 60).await;
    let before = desk::read_model_of(data);

    let is_over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read_until(client.clone(), books[0].clone(), Arc::clone(&is_over)));
    let writes = busy_hour(&client, 8, 3, 80);
    let path = data.to_owned();
    let rebuild =
        tokio::task::spawn_blocking(move || desk::run_on(&path, &["rebuild", "--json", "--into", "spring"]));
    let (rebuilt, later) = tokio::join!(rebuild, writes);

    let rebuilt = rebuilt.unwrap().expect(0);
    let last = rebuilt.out.lines().last().unwrap();
    let report: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(report["name"], "spring");
    assert_eq!(report["differences"], json!([]));
    assert!(report["events"].as_u64().unwrap() > 100, "{report}");
    assert!(report["seconds"].as_f64().is_some(), "{report}");
    assert_eq!(desk::read_model_of(data), before.with_file_name("spring.sqlite"));

    // A write after the switch is read, so the running server goes on in the new file.
    let change =
        client.patch(&books[0], "after the rebuild".replace(' ', "-"), &json!({"name": "After"})).await;
    let version = change.expect(200).version().unwrap();
    let read = client.get(&format!("{}?min_version={version}", books[0])).await.expect(200).json();
    assert_eq!(read["name"], "After");
    is_over.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0);
    assert_eq!(later.len(), 3);
    assert!(server.terminate().status.success());

    let switched = derived(data);
    fs::remove_dir_all(data.join("read-model")).unwrap();
    Server::start(data, &Options::default()).await.terminate();
    assert_derived(&switched, data, "what the switched read model holds is what the journal says");
}

/// Reads as fast as it goes; no read may fail or show an older version than the one before.
async fn read_until(client: Client, book: String, is_over: Arc<AtomicBool>) -> u64 {
    let (mut reads, mut seen) = (0, 0);
    while !is_over.load(Ordering::Relaxed) {
        let path = format!("{book}/{}", ["overview", "entries", "accounts"][reads as usize % 3]);
        let answer = client.get(&path).await.expect(200);
        let tag = answer.header("etag").unwrap().trim_matches('"');
        let version: u64 = tag.split('-').next().unwrap().parse().unwrap();
        assert!(version >= seen, "version {version} was shown after {seen}");
        (reads, seen) = (reads + 1, version);
    }
    reads
}
