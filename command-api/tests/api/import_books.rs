//! A whole book on its way into an empty one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    faulty_journal::{Fault, FaultyJournal},
    imports::upload,
    world::{Home, Place, World, user},
};

const ENTRIES: usize = 4_500;
const ACCOUNT: &str = "acc_01kb0d5j6hf2xv9d6q8m4r7t3a";
const CLOSED: &str = "acc_01kb0d5j6hf2xv9d6q8m4r7t3b";
const BELOW: &str = "cat_01kb0d5j6hf2xv9d6q8m4r7t3a";
const ABOVE: &str = "cat_01kb0d5j6hf2xv9d6q8m4r7t3b";

/// Some thousand entries of one cent; every tenth is removed.
fn book_file() -> Value {
    let entry = |number: usize| {
        let id = format!("ent_01kb0d5j6hf2xv9d6q8m{number:06}");
        let mut entry = json!({
            "id": id, "kind": "expense", "occurred_on": "2026-10-01", "recorded_at": "2026-10-02T10:00:00.000Z",
            "postings": [
                {"account": if number.is_multiple_of(2) { ACCOUNT } else { CLOSED }, "amount": "-0.01", "currency": "EUR"},
                {"category": BELOW, "amount": "0.01", "currency": "EUR"},
            ],
        });
        if number.is_multiple_of(10) {
            entry["removed"] = json!(true);
        }
        entry
    };
    json!({
        "format": "daybook.book.v1",
        "book": {"name": "Old home", "currency": "EUR", "currency_decimals": 2, "time_zone": "Europe/Rome",
            "week_starts_on": "sunday", "month_starts_on": 3},
        "accounts": [
            {"id": ACCOUNT, "name": "Giro", "kind": "bank", "currency": "EUR", "currency_decimals": 2,
                "opened_on": "2026-01-01"},
            {"id": CLOSED, "name": "Old", "kind": "cash", "currency": "EUR", "currency_decimals": 2,
                "opened_on": "2026-01-01", "closed": true},
        ],
        "categories": [
            {"id": BELOW, "name": "Market", "kind": "expense", "parent": ABOVE, "archived": true},
            {"id": ABOVE, "name": "Food", "kind": "expense", "parent": null},
        ],
        "entries": (0..ENTRIES).map(entry).collect::<Vec<_>>(),
    })
}

async fn empty(world: &World) -> Home {
    let new = json!({"name": "New home", "currency": "USD", "empty": true});
    let book = world.post("/books", new).await.id();
    let none = String::new;
    Home { at: format!("/books/{book}"), book, bank: none(), cash: none(), groceries: none(), salary: none() }
}

fn daybook() -> Value {
    json!({"format": "daybook"})
}

async fn is_as_in_the_file(world: &World, home: &Home) {
    let chart = world.owners.chart(home.id(), crate::world::ann()).await.unwrap();
    let settings = chart.settings.unwrap();
    assert_eq!((settings.name.as_str(), settings.currency.code()), (Some("Old home"), "EUR"));
    assert_eq!((settings.time_zone.as_str(), settings.month_starts_on), ("Europe/Rome", 3));
    // Of the even ones every fifth is removed, of the odd ones none.
    assert_eq!(world.balance(&home.book, ACCOUNT).await, "-18.00");
    assert_eq!(world.balance(&home.book, CLOSED).await, "-22.50");
    assert!(chart.accounts[&CLOSED.parse().unwrap()].closed);
    let below = &chart.categories[&BELOW.parse().unwrap()];
    assert!(below.archived && below.parent == Some(ABOVE.parse().unwrap()));
}

#[tokio::test]
async fn a_book_that_was_cut_short_is_finished_by_the_same_key() {
    for fault in [Fault::Refuse, Fault::LoseAll, Fault::ForeignClaim] {
        let place = Place::new();
        let journal = FaultyJournal::around(place.journal());
        let world = World::on(place, Arc::clone(&journal) as _, |_| {});
        let home = empty(&world).await;
        let file = book_file().to_string();
        // The chart goes in and the first entries do, the next ones do not.
        journal.plan([Fault::None, Fault::None, fault]);
        let send = || upload(&world, &home, &file, Some(&daybook()), &[]).key("book").send();
        assert_eq!(send().await.refusal(), "503 unavailable", "{fault:?}");
        let taken = send().await;
        assert_eq!(
            (taken.status, &taken.json()["import"]["taken"]),
            (201, &json!(ENTRIES)),
            "{}",
            taken.body
        );
        is_as_in_the_file(&world, &home).await;
        let again = send().await;
        assert!(again.is_replayed() && again.essence() == taken.essence(), "{fault:?}");
        world.verify();
    }
}

#[tokio::test]
async fn a_book_goes_into_an_empty_one_by_its_owner_and_whole() {
    let world = World::new();
    let home = empty(&world).await;
    world.join(&home.at, user(2), "editor").await;
    let heads = world.heads();
    let file = book_file();
    let refusal = async |world: &World, file: &Value| {
        let file = file.to_string();
        upload(world, &home, &file, Some(&daybook()), &[]).key("refused").send().await.refusal()
    };
    let by_editor = upload(&world, &home, &file.to_string(), Some(&daybook()), &[]).by(user(2)).send().await;
    assert_eq!(by_editor.refusal(), "403 role_forbids");
    let with = |pointer: &str, value: Value| {
        let mut file = file.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        file
    };
    for (broken, expected) in [
        (with("/format", json!("daybook.book.v2")), "422 book_file_invalid"),
        (with("/book/month_starts_on", json!(29)), "422 book_file_invalid"),
        (with("/book/time_zone", json!("Nowhere/Else")), "422 book_file_invalid"),
        (with("/accounts/0/currency_decimals", json!(3)), "422 book_file_invalid"),
        (with("/accounts/0/name", json!("old")), "422 name_taken /name"),
        (with("/categories/1/parent", json!(BELOW)), "422 unknown_category /parent"),
        (with("/entries/0/postings/0/amount", json!("-0.02")), "422 import_refused /lines/1"),
        (with("/entries/1/kind", json!("income")), "422 import_refused /lines/2"),
        (with("/entries/2/id", json!("ent_01kb0d5j6hf2xv9d6q8m000001")), "422 import_refused /lines/3"),
        (with("/entries/3/postings/0/currency", json!("USD")), "422 import_refused /lines/4"),
    ] {
        assert_eq!(refusal(&world, &broken).await, expected);
    }
    assert_eq!(world.heads(), heads, "nothing was written");
    let taken = upload(&world, &home, &file.to_string(), Some(&daybook()), &[]).send().await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    is_as_in_the_file(&world, &home).await;
    assert_eq!(refusal(&world, &file).await, "409 book_not_empty");
}
