//! A server that is told to stop while it is busy.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use daybook_e2e::{Answer, Options, Server, daybook};
use domain::id::UserId;
use reqwest::Method;
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    MACHINE,
    desk::{Desk, Person},
    fault::Fault,
    journaled::Journaled,
    writer::{Content, Sent, Taken},
};

const WRITERS: usize = 16;
/// Answered writes after which the server is told to stop, several times over.
const ANSWERS: [u64; 3] = [1, 100, 400];

/// What a writer was told, and the keys that it was told nothing of.
#[derive(Default)]
struct Told {
    taken: Vec<Taken>,
    put_off: Vec<String>,
    unanswered: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_that_is_told_to_stop_answers_what_it_has_taken_in() {
    let _machine = MACHINE.lock().await;
    let data = tempfile::tempdir().unwrap();
    let options = Options { settings: vec![("log.format", "json".to_owned())], ..Options::default() };
    let mut server = Server::start(data.path(), &options).await;
    let mut people = vec![Person::sign_up(server.base(), "Ada").await];
    let (desk, _) = Desk::open(&people, 0, "Home").await;
    let desk = Arc::new(desk);

    for (round, answers) in ANSWERS.into_iter().enumerate() {
        let (answered, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let mut writing = JoinSet::new();
        for number in 0..WRITERS {
            let (desk, answered, enough) = (Arc::clone(&desk), Arc::clone(&answered), Arc::clone(&enough));
            let (client, user) = (people[0].client.clone(), people[0].user);
            writing.spawn(async move {
                let mut told = Told::default();
                for count in 0.. {
                    let sent = entry_of(&desk, user, format!("round-{round}-{number}-{count}"));
                    let Ok(answer) = sent.by(&client).await else {
                        told.unanswered.push(sent.key);
                        return told;
                    };
                    match answer.status {
                        201 => told.taken.push(Taken::of(sent, 1, answer)),
                        _ => {
                            assert_is_put_off(&answer);
                            told.put_off.push(sent.key);
                        }
                    }
                    if answered.fetch_add(1, Ordering::Relaxed) + 1 == answers {
                        enough.notify_one();
                    }
                }
                told
            });
        }
        enough.notified().await;
        server.ask_to_stop();
        let ended = tokio::task::spawn_blocking(|| server.wait()).await.unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.log);
        assert_nothing_was_replayed(&ended.log);

        let mut journaled = Journaled::default();
        journaled.read_on(data.path()).await.unwrap_or_else(|fault| panic!("{fault}"));
        while let Some(told) = writing.join_next().await {
            let Told { taken, put_off, unanswered: silent } = told.unwrap();
            let held = taken.iter().try_for_each(|taken| journaled.holds(taken));
            // A connection that the server closes may be written to at that very moment: such a request was never
            // taken in, so it must not have any effect.
            let nothing = put_off
                .iter()
                .chain(&silent)
                .try_for_each(|key| journaled.holds_nothing_of(people[0].user, desk.book, key));
            held.and(nothing).unwrap_or_else(|fault: Fault| panic!("{fault}\n{}", ended.log));
        }

        server = Server::start(data.path(), &options).await;
        people[0].client = people[0].client.at(server.base());
    }
    let ended = tokio::task::spawn_blocking(|| server.terminate()).await.unwrap();
    assert_nothing_was_replayed(&ended.log);
    let audit =
        Command::new(daybook()).args(["audit", "verify", "--data"]).arg(data.path()).output().unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stderr));
}

/// The server had found its decision state as new as its journal.
fn assert_nothing_was_replayed(log: &str) {
    let took = log.lines().filter(|line| line.contains("took the partition"));
    assert_eq!(took.clone().count(), 4, "{log}");
    for line in took {
        assert!(line.contains("\"replayed\":0"), "the decision state was not saved: {line}");
    }
}

fn entry_of(desk: &Desk, user: UserId, key: String) -> Sent {
    let body = json!({
        "kind": "expense", "occurred_on": "2026-11-23", "account": desk.accounts[0],
        "category": desk.expenses[0], "amount": "12.50", "payee": key,
    });
    let path = format!("{}/entries", desk.path());
    Sent { key, user, book: desk.book, method: Method::POST, path, content: Content::Json(body) }
}

fn assert_is_put_off(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["outcome"], "not_applied", "{answer:?}");
}
