//! One key, one effect, one answer.

use std::fs;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::world::{Home, PARTITIONS, Place, Reply, World, user, versions};

async fn add(world: &World, home: &Home, key: &str, amount: &str) -> Reply {
    world.call(&format!("POST {}", home.entries())).json(&home.expense(amount)).key(key).send().await
}

#[tokio::test]
async fn a_repetition_of_any_write_gets_the_first_answer_again() {
    let world = World::new();
    let home = world.home().await;
    let entry = add(&world, &home, "entry", "1.00").await.id();
    let at = &home.at;
    let writes: Vec<(String, Value)> = vec![
        ("POST /books".to_owned(), json!({"name": "Second", "currency": "USD"})),
        (format!("PATCH {at}"), json!({"name": "Renamed"})),
        (format!("POST {at}/accounts"), json!({"name": "Third", "kind": "bank", "opening_balance": "5"})),
        (format!("PATCH {at}/accounts/{}", home.cash), json!({"name": "Purse"})),
        (format!("POST {at}/accounts/{}/close", home.cash), Value::Null),
        (format!("POST {at}/accounts/{}/reopen", home.cash), Value::Null),
        (
            format!("POST {at}/categories"),
            json!({"name": "Sub", "kind": "expense", "parent": home.groceries}),
        ),
        (format!("PATCH {at}/categories/{}", home.groceries), json!({"name": "Food"})),
        (format!("POST {at}/categories/{}/archive", home.groceries), Value::Null),
        (format!("POST {at}/categories/{}/restore", home.groceries), Value::Null),
        (format!("POST {at}/entries"), home.expense("2.00")),
        (format!("PATCH {at}/entries/{entry}"), json!({"amount": "3.00", "payee": "Rewe"})),
        (format!("DELETE {at}/entries/{entry}"), Value::Null),
        (format!("POST {at}/entries/{entry}/restore"), Value::Null),
    ];
    let send = async |world: &World, number: usize| {
        let (route, body) = &writes[number];
        let call = world.call(route).key(&format!("write-{number}"));
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    };
    let mut firsts = Vec::new();
    for (number, (route, _)) in writes.iter().enumerate() {
        let first = send(&world, number).await;
        assert!(first.status < 300 && !first.is_replayed(), "{route} {}", first.body);
        firsts.push(first);
    }
    let check = async |world: &World| {
        let heads = world.heads();
        for (number, first) in firsts.iter().enumerate() {
            let again = send(world, number).await;
            assert_eq!(again.essence(), first.essence(), "{}", writes[number].0);
            assert!(again.is_replayed());
        }
        assert_eq!(world.heads(), heads);
    };
    check(&world).await;
    let world = world.restarted(|_| {});
    check(&world).await;
    let world = world.restarted(|place| fs::remove_dir_all(place.decisions()).unwrap());
    check(&world).await;
}

#[tokio::test]
async fn one_key_is_not_used_for_two_things() {
    let world = World::new();
    let home = world.home().await;
    let first = add(&world, &home, "once", "1.00").await;
    let heads = world.heads();
    assert_eq!(add(&world, &home, "once", "2.00").await.refusal(), "422 idempotency_key_reused");
    let other_route = world.call(&format!("PATCH {}", home.at)).json(&json!({"name": "x"})).key("once");
    assert_eq!(other_route.send().await.refusal(), "422 idempotency_key_reused");
    let removal = world.call(&format!("DELETE {}/{}", home.entries(), first.id())).key("once");
    assert_eq!(removal.send().await.refusal(), "422 idempotency_key_reused");
    assert_eq!(world.heads(), heads);
    assert_eq!(add(&world, &home, "once", "1.00").await.essence(), first.essence());
}

#[tokio::test]
async fn null_and_absent_are_two_contents_but_spaces_are_none() {
    let world = World::new();
    let home = world.home().await;
    let entry = add(&world, &home, "entry", "1.00").await.id();
    let correct = |body: &str| {
        let route = format!("PATCH {}/{entry}", home.entries());
        world.call(&route).text("application/json", body).key("correct").send()
    };
    assert_eq!(correct(r#"{"amount":"2.00","payee":null}"#).await.status, 200);
    assert!(correct(r#" { "payee" : null, "amount" : "2.00" } "#).await.is_replayed());
    assert_eq!(correct(r#"{"amount":"2.00"}"#).await.refusal(), "422 idempotency_key_reused");
}

#[tokio::test]
async fn keys_of_other_callers_and_other_books_are_their_own() {
    let world = World::new();
    let home = world.home().await;
    let second = world.home().await;
    let bob = user(2);
    world.join(&home.at, bob, "editor").await;
    let mine = add(&world, &home, "shared", "1.00").await;
    let other_book = add(&world, &second, "shared", "1.00").await;
    let call = world.call(&format!("POST {}", home.entries())).json(&home.expense("7.00")).key("shared");
    let other_caller = call.by(bob).send().await;
    for reply in [&mine, &other_book, &other_caller] {
        assert_eq!((reply.status, reply.is_replayed()), (201, false), "{}", reply.body);
    }
    assert_ne!(mine.id(), other_caller.id());
    let stranger = world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00")).key("shared");
    assert_eq!(stranger.by(user(9)).send().await.refusal(), "404 book_not_found");
}

#[tokio::test]
async fn a_refused_write_leaves_its_key_free() {
    let world = World::new();
    let home = world.home().await;
    assert_eq!(add(&world, &home, "again", "0").await.status, 422);
    assert_eq!(add(&world, &home, "again", "1.001").await.status, 422);
    let first = add(&world, &home, "again", "1.00").await;
    assert_eq!((first.status, first.is_replayed()), (201, false));
}

#[tokio::test]
async fn making_a_book_again_finds_the_same_book() {
    let world = World::new();
    let make = |name: &str, key: &str| {
        world.call("POST /books").json(&json!({"name": name, "currency": "EUR"})).key(key)
    };
    let first = make("Home", "once").send().await;
    let again = make("Home", "once").send().await;
    assert_eq!(again.essence(), first.essence());
    assert_eq!(make("Other", "once").send().await.refusal(), "422 idempotency_key_reused");
    assert_ne!(make("Home", "twice").send().await.id(), first.id());
    let another = make("Home", "once").by(user(2)).send().await;
    assert!(another.status == 201 && another.id() != first.id(), "{}", another.body);
    assert_eq!(versions(&world.commits()).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_parallel_requests_with_one_key_are_one_commit_and_one_answer() {
    let world = World::new();
    let home = world.home().await;
    let heads: u64 = world.heads().iter().map(|head| head.0).sum();
    let replies = futures::future::join_all((0..1_000).map(|_| add(&world, &home, "once", "12.50"))).await;
    let firsts = replies.iter().filter(|reply| !reply.is_replayed()).count();
    assert_eq!(firsts, 1);
    assert!(replies.iter().all(|reply| reply.essence() == replies[0].essence() && reply.status == 201));
    assert_eq!(world.heads().iter().map(|head| head.0).sum::<u64>(), heads + 1);
    assert_eq!(world.balance(&home.book, &home.bank).await, "987.50");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_parallel_requests_make_one_book() {
    let world = World::new();
    let make = async |_| {
        world.call("POST /books").json(&json!({"name": "Home", "currency": "EUR"})).key("once").send().await
    };
    let replies = futures::future::join_all((0..1_000).map(make)).await;
    // Ids of the starter set are made before the owner sees that it has been there: the answer is the first one's.
    assert!(replies.iter().all(|reply| reply.essence() == replies[0].essence() && reply.status == 201));
    assert_eq!(world.commits().len(), 1);
}

type Accident = Box<dyn Fn(&Place)>;

/// Breaks every file of the decision state.
fn damage(place: &Place, how: impl Fn(&[u8]) -> Vec<u8>) {
    for partition in 0..PARTITIONS {
        let path = place.decisions().join(format!("partition-{partition}.sqlite"));
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, how(&bytes)).unwrap();
    }
}

/// One statement on every file of the decision state.
fn alter(place: &Place, sql: &str) {
    for partition in 0..PARTITIONS {
        let path = place.decisions().join(format!("partition-{partition}.sqlite"));
        rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn whatever_becomes_of_the_decision_state_the_key_finds_its_answer() {
    let accidents: Vec<(&str, Accident)> = vec![
        ("nothing", Box::new(|_| {})),
        ("deleted", Box::new(|place| fs::remove_dir_all(place.decisions()).unwrap())),
        ("garbage", Box::new(|place| damage(place, |bytes| vec![0x5a; bytes.len()]))),
        ("empty", Box::new(|place| damage(place, |_| Vec::new()))),
        ("truncated", Box::new(|place| damage(place, |bytes| bytes[..bytes.len() / 2].to_vec()))),
        ("cut to a page", Box::new(|place| damage(place, |bytes| bytes[..4_096].to_vec()))),
        ("of another journal", Box::new(|place| alter(place, "update origin set journal_id = 'another'"))),
        ("of another version", Box::new(|place| alter(place, "update origin set state_version = 0"))),
        ("of another rule", Box::new(|place| alter(place, "update origin set rule = 7"))),
        ("of more partitions", Box::new(|place| alter(place, "update origin set partitions = 16"))),
        ("without a place", Box::new(|place| alter(place, "delete from origin"))),
        ("with no fence", Box::new(|place| alter(place, "update origin set fence = 'x'"))),
        ("without a table", Box::new(|place| alter(place, "drop table answers"))),
        ("ahead of the journal", Box::new(|place| alter(place, "update origin set position = 1000"))),
    ];
    for (accident, happens) in accidents {
        let world = World::new();
        let home = world.home().await;
        let first = add(&world, &home, "once", "12.50").await;
        let world = world.restarted(|place| happens(place));
        let heads = world.heads();
        let again = add(&world, &home, "once", "12.50").await;
        assert_eq!(again.essence(), first.essence(), "{accident}");
        assert!(again.is_replayed(), "{accident}");
        assert_eq!(world.heads(), heads, "{accident}");
        assert_eq!(add(&world, &home, "twice", "1.00").await.version(), 7, "{accident}");
        assert_eq!(world.balance(&home.book, &home.bank).await, "986.50", "{accident}");
        world.verify();
    }
}

#[tokio::test]
async fn a_key_is_kept_for_thirty_days() {
    let world = World::with(|config| config.save_every_commits = 1);
    let home = world.home().await;
    let first = add(&world, &home, "once", "1.00").await;
    world.advance(TimeDelta::days(30));
    add(&world, &home, "this-write-lets-old-keys-go", "1.00").await;
    assert_eq!(add(&world, &home, "once", "1.00").await.essence(), first.essence());
    let world = world.restarted(|_| {});
    assert_eq!(add(&world, &home, "once", "1.00").await.essence(), first.essence());

    world.advance(TimeDelta::seconds(1));
    add(&world, &home, "another-write", "1.00").await;
    let world = world.restarted(|_| {});
    let after = add(&world, &home, "once", "1.00").await;
    assert_eq!((after.status, after.is_replayed(), after.version()), (201, false, 9));
    let again = add(&world, &home, "once", "1.00").await;
    assert!(again.is_replayed() && again.essence() == after.essence());
}

#[tokio::test]
async fn an_id_of_an_entry_stays_unique_when_its_key_is_long_forgotten() {
    let world = World::with(|config| config.save_every_commits = 1);
    let home = world.home().await;
    let mut new = home.expense("1.00");
    new["id"] = json!("ent_01kb0d5j6hf2xv9d6q8m4r7t3a");
    let send = async |world: &World| {
        world.call(&format!("POST {}", home.entries())).json(&new).key("once").send().await
    };
    assert_eq!(send(&world).await.status, 201);
    world.advance(TimeDelta::days(365));
    add(&world, &home, "later", "1.00").await;
    let world = world.restarted(|_| {});
    assert_eq!(send(&world).await.refusal(), "422 id_taken /id");
    let world = world.restarted(|place| fs::remove_dir_all(place.decisions()).unwrap());
    assert_eq!(add(&world, &home, "later-still", "1.00").await.status, 201);
}
