//! The whole answer of every endpoint, where all goes well.

use std::sync::Arc;

use daybook_command_api::{ApiState, Owners, Sources, router};
use http_kit::testing;
use serde_json::{Value, json};

use crate::world::{Home, Reply, World, aside};

const NOON: &str = "2026-11-23T12:00:00.000Z";

/// A write that made something new, or changed something.
fn check(reply: &Reply, status: u16, version: u64, location: Option<String>, name: &str, thing: Value) {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("etag"), Some(format!("\"{version}\"").as_str()));
    assert_eq!(reply.header("location"), location.as_deref());
    assert_eq!(reply.header("idempotency-replayed"), None);
    assert_eq!(reply.json(), json!({"id": thing["id"], "version": version, name: thing}));
}

fn location(home: &Home, of: &str, id: &str) -> Option<String> {
    Some(format!("/api/v1{}/{of}/{id}", home.at))
}

#[tokio::test]
async fn a_book_is_made_and_changed() {
    let world = World::new();
    let made = world.post("/books", json!({"name": "Home", "currency": "EUR"})).await;
    let id = made.id();
    let mut book = json!({
        "id": id,
        "name": "Home",
        "currency": "EUR",
        "time_zone": "UTC",
        "week_starts_on": "monday",
        "month_starts_on": 1,
        "role": "owner",
        "version": 1,
        "created_at": NOON,
    });
    check(&made, 201, 1, Some(format!("/api/v1/books/{id}")), "book", book.clone());
    let chart = world.owners.chart(id.parse().unwrap(), crate::world::ann()).await.unwrap();
    assert!(chart.accounts.len() >= 3 && chart.categories.len() >= 20, "a usable set comes with it");

    let change = json!({"name": "Our home", "time_zone": "Europe/Berlin", "week_starts_on": "sunday", "month_starts_on": 25});
    let changed = world.patch(&format!("/books/{id}"), change.clone()).await;
    for (field, value) in change.as_object().unwrap() {
        book[field] = value.clone();
    }
    book["version"] = json!(2);
    check(&changed, 200, 2, None, "book", book);
}

#[tokio::test]
async fn an_empty_book_has_nothing_in_it() {
    let world = World::new();
    let new = json!({"name": "Bare", "currency": "JPY", "time_zone": "Asia/Tokyo", "week_starts_on": "saturday", "month_starts_on": 28, "empty": true});
    let made = world.post("/books", new).await;
    assert_eq!((made.status, made.json()["book"]["time_zone"].as_str()), (201, Some("Asia/Tokyo")));
    let chart = world.owners.chart(made.id().parse().unwrap(), crate::world::ann()).await.unwrap();
    assert!(chart.accounts.is_empty() && chart.categories.is_empty());
}

#[tokio::test]
async fn an_account_is_opened_changed_closed_and_reopened() {
    let world = World::new();
    let home = world.home().await;
    let accounts = format!("{}/accounts", home.at);
    let new = json!({"name": "Travel", "kind": "card", "currency": "USD", "opening_balance": "-12.5", "opened_on": "2025-01-31"});
    let opened = world.post(&accounts, new).await;
    let id = opened.id();
    let account = |name: &str, kind: &str, closed: bool| json!({"id": id, "name": name, "kind": kind, "currency": "USD", "balance": "-12.50", "closed": closed, "opened_on": "2025-01-31"});
    check(&opened, 201, 6, location(&home, "accounts", &id), "account", account("Travel", "card", false));

    let one = format!("{accounts}/{id}");
    let changed = world.patch(&one, json!({"name": "Trips", "kind": "other"})).await;
    check(&changed, 200, 7, None, "account", account("Trips", "other", false));
    let closed = world.call(&format!("POST {one}/close")).send().await;
    check(&closed, 200, 8, None, "account", account("Trips", "other", true));
    let reopened = world.call(&format!("POST {one}/reopen")).send().await;
    check(&reopened, 200, 9, None, "account", account("Trips", "other", false));
}

#[tokio::test]
async fn an_account_keeps_the_books_currency_from_today_unless_told_otherwise() {
    let world = World::new();
    let home = world.home().await;
    let opened = world.post(&format!("{}/accounts", home.at), json!({"name": "New", "kind": "loan"})).await;
    let account = &opened.json()["account"];
    assert_eq!(
        (&account["currency"], &account["balance"], &account["opened_on"]),
        (&json!("EUR"), &json!("0.00"), &json!("2026-11-23"))
    );
}

#[tokio::test]
async fn a_category_is_added_changed_archived_and_restored() {
    let world = World::new();
    let home = world.home().await;
    let categories = format!("{}/categories", home.at);
    let new = json!({"name": "Bread", "kind": "expense", "parent": home.groceries, "icon": "loaf", "colour": "#aa8833"});
    let added = world.post(&categories, new).await;
    let id = added.id();
    let mut category = json!({
        "id": id,
        "name": "Bread",
        "kind": "expense",
        "parent": home.groceries,
        "path": "Groceries / Bread",
        "archived": false,
        "merged_into": null,
        "icon": "loaf",
        "colour": "#aa8833",
    });
    check(&added, 201, 6, location(&home, "categories", &id), "category", category.clone());

    let one = format!("{categories}/{id}");
    let changed = world.patch(&one, json!({"name": "Bakery", "parent": null, "icon": null})).await;
    category["name"] = json!("Bakery");
    category["path"] = json!("Bakery");
    category["parent"] = Value::Null;
    category["icon"] = Value::Null;
    check(&changed, 200, 7, None, "category", category.clone());
    let archived = world.call(&format!("POST {one}/archive")).send().await;
    category["archived"] = json!(true);
    check(&archived, 200, 8, None, "category", category.clone());
    let restored = world.call(&format!("POST {one}/restore")).send().await;
    category["archived"] = json!(false);
    check(&restored, 200, 9, None, "category", category);
}

#[tokio::test]
async fn an_expense_is_added_corrected_removed_and_restored() {
    let world = World::new();
    let home = world.home().await;
    let id = "ent_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let new = json!({
        "id": id,
        "kind": "expense",
        "occurred_on": "2026-11-22",
        "account": home.bank,
        "amount": "12.5",
        "currency": "EUR",
        "category": home.groceries,
        "payee": " Rewe ",
        "note": "bread\nand butter",
        "tags": ["weekly", "food", "weekly"],
        "foreign": {"amount": "14", "currency": "USD"},
    });
    let added = world.post(&home.entries(), new).await;
    let mut entry = json!({
        "id": id,
        "kind": "expense",
        "occurred_on": "2026-11-22",
        "account": home.bank,
        "amount": "12.50",
        "currency": "EUR",
        "category": home.groceries,
        "splits": null,
        "payee": "Rewe",
        "note": "bread\nand butter",
        "tags": ["weekly", "food"],
        "refund_of": null,
        "to_account": null,
        "to_amount": null,
        "foreign": {"amount": "14.00", "currency": "USD"},
        "imported": null,
        "version": 6,
        "recorded_at": NOON,
        "corrected_at": null,
        "removed": false,
        "postings": [
            {"account": home.bank, "amount": "-12.50", "currency": "EUR"},
            {"category": home.groceries, "amount": "12.50", "currency": "EUR"},
        ],
    });
    check(&added, 201, 6, location(&home, "entries", id), "entry", entry.clone());
    assert_eq!(world.balance(&home.book, &home.bank).await, "987.50");

    let one = format!("{}/{id}", home.entries());
    world.advance(chrono::TimeDelta::milliseconds(1_500));
    let change =
        json!({"amount": "20", "payee": null, "note": "", "tags": [], "foreign": null, "account": home.cash});
    let corrected = world.patch(&one, change).await;
    entry["version"] = json!(7);
    entry["amount"] = json!("20.00");
    entry["account"] = json!(home.cash);
    for gone in ["payee", "note", "foreign"] {
        entry[gone] = Value::Null;
    }
    entry["tags"] = json!([]);
    entry["corrected_at"] = json!("2026-11-23T12:00:01.500Z");
    entry["postings"][0] = json!({"account": home.cash, "amount": "-20.00", "currency": "EUR"});
    entry["postings"][1]["amount"] = json!("20.00");
    check(&corrected, 200, 7, None, "entry", entry.clone());
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
    assert_eq!(world.balance(&home.book, &home.cash).await, "-20.00");

    let removed = world.call(&format!("DELETE {one}")).send().await;
    entry["version"] = json!(8);
    entry["removed"] = json!(true);
    check(&removed, 200, 8, None, "entry", entry.clone());
    assert_eq!(world.balance(&home.book, &home.cash).await, "0.00");

    let restored = world.call(&format!("POST {one}/restore")).send().await;
    entry["version"] = json!(9);
    entry["removed"] = json!(false);
    check(&restored, 200, 9, None, "entry", entry);
    assert_eq!(world.balance(&home.book, &home.cash).await, "-20.00");
}

#[tokio::test]
async fn every_kind_of_entry_moves_money_its_own_way() {
    let world = World::new();
    let home = world.home().await;
    let expense = world.post(&home.entries(), home.expense("30.00")).await.id();
    let income = json!({"kind": "income", "occurred_on": "2026-11-01", "account": home.bank, "amount": "2500", "category": home.salary});
    let refund = json!({"kind": "refund", "occurred_on": "2026-11-24", "account": home.bank, "amount": "10", "category": home.groceries, "refund_of": expense});
    let transfer = json!({"kind": "transfer", "occurred_on": "2026-11-24", "account": home.bank, "amount": "100", "to_account": home.cash});
    let split = json!({"kind": "expense", "occurred_on": "2026-11-24", "account": home.cash, "amount": "7.00", "splits": [
        {"category": home.groceries, "amount": "4.20", "note": "bread"}, {"category": home.groceries, "amount": "2.8"}]});
    for (new, bank, cash) in [
        (income, "3470.00", "0.00"),
        (refund, "3480.00", "0.00"),
        (transfer, "3380.00", "100.00"),
        (split, "3380.00", "93.00"),
    ] {
        let reply = world.post(&home.entries(), new.clone()).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let entry = &reply.json()["entry"];
        for (field, value) in new.as_object().unwrap() {
            if !matches!(field.as_str(), "amount" | "splits") {
                assert_eq!(&entry[field], value, "{field} of {new}");
            }
        }
        assert_eq!(world.balance(&home.book, &home.bank).await, bank, "{new}");
        assert_eq!(world.balance(&home.book, &home.cash).await, cash, "{new}");
    }
    world.verify();
}

#[tokio::test]
async fn what_a_person_writes_is_sealed_in_the_journal() {
    let world = World::new();
    let home = world.home().await;
    let mut new = home.expense("1.00");
    new["payee"] = json!("Dr. Secret");
    new["tags"] = json!(["tag-of-mine"]);
    assert_eq!(world.post(&home.entries(), new).await.status, 201);
    let place = world.stopped().place;
    for file in ["journal.sqlite", "journal.sqlite-wal"] {
        let bytes = std::fs::read(place.path().join(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["Secret", "tag-of-mine", "Groceries", "key-0"] {
            assert!(!text.contains(secret), "{secret} stands in {file}");
        }
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_its_least_role() {
    let world = World::new();
    let stopped = world.stopped();
    let journal = stopped.place.journal();
    let sources = Sources::system();
    let owners = aside(|| Owners::start(journal, stopped.place.keys(), sources.clone(), &stopped.config));
    let state = ApiState { owners: Arc::new(owners.unwrap()), sources, config: Arc::new(stopped.config) };
    let (_, api) = router(state, testing::access_keys());
    let api = serde_json::to_value(api).unwrap();
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["x-daybook-role"].as_str().unwrap_or("anybody");
            found.push(format!("{} {path} {role}", method.to_uppercase()));
        }
    }
    found.sort();
    assert_eq!(
        found,
        [
            "DELETE /api/v1/books/{book}/entries/{entry} editor",
            "DELETE /api/v1/books/{book}/invitations/{invitation} owner",
            "DELETE /api/v1/books/{book}/members/{user} viewer",
            "PATCH /api/v1/books/{book} owner",
            "PATCH /api/v1/books/{book}/accounts/{account} editor",
            "PATCH /api/v1/books/{book}/categories/{category} editor",
            "PATCH /api/v1/books/{book}/entries/{entry} editor",
            "PATCH /api/v1/books/{book}/members/{user} owner",
            "POST /api/v1/books anybody",
            "POST /api/v1/books/{book}/accounts editor",
            "POST /api/v1/books/{book}/accounts/{account}/close editor",
            "POST /api/v1/books/{book}/accounts/{account}/reopen editor",
            "POST /api/v1/books/{book}/categories editor",
            "POST /api/v1/books/{book}/categories/{category}/archive editor",
            "POST /api/v1/books/{book}/categories/{category}/merge editor",
            "POST /api/v1/books/{book}/categories/{category}/restore editor",
            "POST /api/v1/books/{book}/entries editor",
            "POST /api/v1/books/{book}/entries/bulk editor",
            "POST /api/v1/books/{book}/entries/recategorise editor",
            "POST /api/v1/books/{book}/entries/{entry}/restore editor",
            "POST /api/v1/books/{book}/history/{version}/undo editor",
            "POST /api/v1/books/{book}/imports editor",
            "POST /api/v1/books/{book}/imports/{import}/revert editor",
            "POST /api/v1/books/{book}/invitations owner",
            "POST /api/v1/invitations/accept anybody",
        ]
    );
}
