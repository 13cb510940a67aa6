//! The version of a book: counted without gaps, told in the ETag, asked for with If-Match.

use serde_json::json;

use crate::world::{World, ann, user, versions};

#[tokio::test]
async fn every_write_makes_the_next_version_and_says_it_twice() {
    let world = World::new();
    let home = world.home().await;
    for expected in 6..26 {
        let reply = world.post(&home.entries(), home.expense("1.00")).await;
        assert_eq!(reply.version(), expected);
        assert_eq!(reply.header("etag"), Some(format!("\"{expected}\"").as_str()));
    }
    assert_eq!(versions(&world.commits())[&home.id()], (1..26).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refused_write_makes_no_version() {
    let world = World::new();
    let home = world.home().await;
    assert_eq!(world.post(&home.entries(), home.expense("0")).await.status, 422);
    let stranger = world.call(&format!("POST {}", home.entries())).by(user(2)).json(&home.expense("1"));
    assert_eq!(stranger.send().await.refusal(), "404 book_not_found");
    assert_eq!(world.post(&home.entries(), home.expense("1.00")).await.version(), 6);
}

#[tokio::test]
async fn a_condition_holds_only_for_the_version_it_names() {
    let world = World::new();
    let home = world.home().await;
    let add = || world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00"));
    for stale in [0, 4, 6, u64::MAX] {
        let heads = world.heads();
        let reply = add().if_match(stale).send().await;
        assert_eq!(reply.refusal(), "412 version_conflict");
        assert_eq!(reply.json()["current_version"], 5);
        assert_eq!(world.heads(), heads);
    }
    assert_eq!(add().if_match(5).send().await.version(), 6);
    assert_eq!(add().with("if-match", "W/\"6\"").send().await.version(), 7);
    assert_eq!(add().with("if-match", "*").send().await.version(), 8);
}

#[tokio::test]
async fn of_many_writes_on_one_condition_one_goes_through() {
    let world = World::new();
    let home = world.home().await;
    let calls = (0..50).map(|_| {
        world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00")).if_match(5).send()
    });
    let replies = futures::future::join_all(calls).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    for lost in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(lost.refusal(), "412 version_conflict");
        assert_eq!(lost.json()["current_version"], 6);
    }
}

#[tokio::test]
async fn a_repetition_is_answered_though_the_version_has_moved_on() {
    let world = World::new();
    let home = world.home().await;
    let add = || {
        world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00")).if_match(5).key("once")
    };
    let first = add().send().await;
    world.post(&home.entries(), home.expense("2.00")).await;
    let again = add().send().await;
    assert_eq!(again.essence(), first.essence());
    assert!(again.is_replayed());
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_a_condition() {
    let world = World::new();
    let home = world.home().await;
    let ask = |path: &str| world.call(&format!("PATCH {path}")).by(user(2)).json(&json!({"name": "x"}));
    let nobodys = "/books/book_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let (there, not_there) = (ask(&home.at).if_match(1).send().await, ask(nobodys).if_match(1).send().await);
    assert_eq!(there.refusal(), "404 book_not_found");
    let without_id = |reply: &crate::world::Reply| {
        let mut problem = reply.json();
        problem["request_id"] = json!(null);
        problem
    };
    assert_eq!(without_id(&there), without_id(&not_there));
    assert_eq!(world.owners.chart(home.id(), ann()).await.unwrap().accounts.len(), 2);
}

#[tokio::test]
async fn what_is_recorded_never_runs_backwards() {
    let world = World::new();
    let home = world.home().await;
    world.advance(chrono::TimeDelta::hours(-3));
    let reply = world.post(&home.entries(), home.expense("1.00")).await;
    assert_eq!(reply.json()["entry"]["recorded_at"], "2026-11-23T12:00:00.000Z");
}
