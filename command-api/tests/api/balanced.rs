//! Entries that are told by their postings.

use serde_json::{Value, json};

use crate::world::{Home, World};

fn balanced(postings: Value) -> Value {
    json!({"kind": "balanced", "occurred_on": "2026-11-23", "postings": postings})
}

async fn account(world: &World, home: &Home, name: &str, currency: &str) -> String {
    let new = json!({"name": name, "kind": "bank", "currency": currency});
    world.post(&format!("{}/accounts", home.at), new).await.id()
}

#[tokio::test]
async fn a_pay_slip_is_one_entry_with_every_line_of_it() {
    let world = World::new();
    let home = world.home().await;
    let mut new = balanced(json!([
        {"category": home.salary, "amount": "-3000"},
        {"category": home.groceries, "amount": "50.5", "note": "canteen"},
        {"account": home.bank, "amount": "2449.50", "currency": "EUR"},
        {"account": home.cash, "amount": "500"},
    ]));
    new["payee"] = json!("Works");
    let reply = world.post(&home.entries(), new).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let entry = &reply.json()["entry"];
    assert_eq!(
        (&entry["account"], &entry["category"], &entry["splits"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&entry["amount"], &entry["currency"], &entry["payee"]),
        (&json!("3000.00"), &json!("EUR"), &json!("Works"))
    );
    assert_eq!(
        entry["postings"],
        json!([
            {"category": home.salary, "amount": "-3000.00", "currency": "EUR"},
            {"category": home.groceries, "amount": "50.50", "currency": "EUR", "note": "canteen"},
            {"account": home.bank, "amount": "2449.50", "currency": "EUR"},
            {"account": home.cash, "amount": "500.00", "currency": "EUR"},
        ])
    );
    assert_eq!(world.balance(&home.book, &home.bank).await, "3449.50");
    assert_eq!(world.balance(&home.book, &home.cash).await, "500.00");
    world.verify();
}

#[tokio::test]
async fn each_currency_sums_to_zero_for_itself() {
    let world = World::new();
    let home = world.home().await;
    let yen = account(&world, &home, "Yen", "JPY").await;
    let refused = [
        (
            json!([{"account": home.bank, "amount": "-5"}, {"account": home.cash, "amount": "4.50"}]),
            "422 postings_unbalanced /postings",
        ),
        (
            json!([{"account": home.bank, "amount": "-5"}, {"account": yen, "amount": "5"}]),
            "422 postings_unbalanced /postings",
        ),
        (json!([{"account": home.bank, "amount": "-5"}]), "422 postings_unbalanced /postings"),
        (json!([]), "422 field_missing /postings"),
        (
            json!([{"account": home.bank, "amount": "-5"}, {"account": yen, "amount": "900"}, {"category": home.groceries, "amount": "5"}]),
            "422 field_missing /postings/2/currency",
        ),
        (
            json!([{"account": home.bank, "amount": "0"}, {"account": home.cash, "amount": "0"}]),
            "422 amount_zero /postings/0/amount",
        ),
        (
            json!([{"account": yen, "amount": "-1.5"}, {"category": home.groceries, "amount": "1.5"}]),
            "422 too_many_decimals /postings/0/amount",
        ),
        (
            json!([{"account": home.bank, "amount": "-5", "currency": "USD"}, {"category": home.groceries, "amount": "5"}]),
            "422 currency_mismatch /postings/0/currency",
        ),
        (
            json!([{"account": home.bank, "amount": "-5"}, {"category": home.groceries, "amount": "5", "currency": "ZZZ"}]),
            "422 unknown_currency /postings/1/currency",
        ),
        (
            json!([{"amount": "-5"}, {"account": home.bank, "category": home.groceries, "amount": "5"}]),
            "422 invalid_fields /postings/0/account /postings/1/category",
        ),
        (
            json!([{"account": home.bank, "amount": -5}, {"category": home.groceries, "amount": "5"}]),
            "422 amount_not_a_string /postings/0/amount",
        ),
        (json!([{"equity": "conversion", "amount": "5"}]), "422 unknown_field /postings/0/equity"),
    ];
    for (postings, expected) in refused {
        let reply = world.post(&home.entries(), balanced(postings.clone())).await;
        assert_eq!(reply.refusal(), expected, "{postings}\n{}", reply.body);
    }
    let reply = world
        .post(
            &home.entries(),
            balanced(
                json!([{"account": home.bank, "amount": "-5"}, {"account": home.cash, "amount": "4.50"}]),
            ),
        )
        .await;
    assert_eq!(reply.json()["detail"], "The postings do not sum to zero; -0.50 EUR remains.");

    let both = json!([
        {"account": home.bank, "amount": "-5"}, {"category": home.groceries, "amount": "5", "currency": "EUR"},
        {"account": yen, "amount": "900"}, {"category": home.groceries, "amount": "-900", "currency": "JPY"},
    ]);
    assert_eq!(world.post(&home.entries(), balanced(both)).await.status, 201);
    assert_eq!(world.balance(&home.book, &yen).await, "900");
    // Between categories only: in the currency of the book, or the one given.
    let sorted_anew =
        json!([{"category": home.groceries, "amount": "-2"}, {"category": home.salary, "amount": "2"}]);
    let reply = world.post(&home.entries(), balanced(sorted_anew)).await;
    assert_eq!(reply.json()["entry"]["currency"], "EUR");
    assert_eq!(reply.json()["entry"]["amount"], "2.00");
}

#[tokio::test]
async fn what_only_other_kinds_have_is_not_allowed() {
    let world = World::new();
    let home = world.home().await;
    let postings =
        json!([{"account": home.bank, "amount": "-5"}, {"category": home.groceries, "amount": "5"}]);
    for (field, value) in [
        ("account", json!(home.bank)),
        ("amount", json!("5")),
        ("currency", json!("EUR")),
        ("category", json!(home.groceries)),
        ("splits", json!([{"category": home.groceries, "amount": "5"}])),
        ("to_account", json!(home.cash)),
        ("to_amount", json!("5")),
        ("refund_of", json!("ent_01kb0d5j6hf2xv9d6q8m4r7t3a")),
    ] {
        let mut new = balanced(postings.clone());
        new[field] = value;
        let reply = world.post(&home.entries(), new).await;
        assert_eq!(reply.refusal(), format!("422 field_not_allowed /{field}"));
    }
    let many: Vec<Value> = (0..102)
        .map(|number| json!({"account": home.bank, "amount": if number % 2 == 0 { "1" } else { "-1" }}))
        .collect();
    assert_eq!(world.post(&home.entries(), balanced(json!(many))).await.refusal(), "422 limit_reached");
}

#[tokio::test]
async fn a_balanced_entry_is_corrected_and_may_become_another_kind_and_come_back() {
    let world = World::new();
    let home = world.home().await;
    let postings =
        json!([{"account": home.bank, "amount": "-5"}, {"category": home.groceries, "amount": "5"}]);
    let id = world.post(&home.entries(), balanced(postings)).await.id();
    let one = format!("{}/{id}", home.entries());

    let reply = world.patch(&one, json!({"payee": "Shop", "tags": ["a"]})).await;
    assert_eq!(reply.json()["entry"]["payee"], "Shop");
    assert_eq!(reply.json()["entry"]["postings"][1]["amount"], "5.00");
    let postings =
        json!([{"account": home.cash, "amount": "-6"}, {"category": home.groceries, "amount": "6"}]);
    let reply = world.patch(&one, json!({"postings": postings, "occurred_on": "2026-11-22"})).await;
    assert_eq!((reply.status, &reply.json()["entry"]["amount"]), (200, &json!("6.00")), "{}", reply.body);
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
    assert_eq!(world.balance(&home.book, &home.cash).await, "-6.00");

    assert_eq!(world.patch(&one, json!({"amount": "7"})).await.refusal(), "422 field_not_allowed /amount");
    assert_eq!(world.patch(&one, json!({"kind": "expense"})).await.refusal(), "422 field_missing /account");
    let expense = json!({"kind": "expense", "account": home.bank, "amount": "7", "category": home.groceries});
    let reply = world.patch(&one, expense).await;
    let entry = &reply.json()["entry"];
    assert_eq!(
        (&entry["kind"], &entry["account"], &entry["payee"]),
        (&json!("expense"), &json!(home.bank), &json!("Shop"))
    );
    assert_eq!(world.balance(&home.book, &home.cash).await, "0.00");

    assert_eq!(world.patch(&one, json!({"kind": "balanced"})).await.refusal(), "422 field_missing /postings");
    let postings = json!([{"account": home.bank, "amount": "-8"}, {"account": home.cash, "amount": "8"}]);
    let reply = world.patch(&one, json!({"kind": "balanced", "postings": postings})).await;
    assert_eq!(reply.json()["entry"]["account"], Value::Null);
    assert_eq!(world.balance(&home.book, &home.cash).await, "8.00");
    assert_eq!(world.patch(&one, json!({"postings": []})).await.refusal(), "422 field_missing /postings");
    let world = world.restarted(|place| std::fs::remove_dir_all(place.decisions()).unwrap());
    assert_eq!(world.balance(&home.book, &home.cash).await, "8.00");
    world.verify();
}
