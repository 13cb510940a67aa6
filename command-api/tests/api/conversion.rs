//! Transfers between accounts of different currencies.

use serde_json::{Value, json};

use crate::world::{Home, World};

async fn account(world: &World, home: &Home, currency: &str) -> String {
    let new = json!({"name": currency, "kind": "bank", "currency": currency});
    world.post(&format!("{}/accounts", home.at), new).await.id()
}

fn transfer(from: &str, to: &str, amount: &str, to_amount: Option<&str>) -> Value {
    let mut new = json!({"kind": "transfer", "occurred_on": "2026-11-23", "account": from, "amount": amount, "to_account": to});
    if let Some(to_amount) = to_amount {
        new["to_amount"] = json!(to_amount);
    }
    new
}

#[tokio::test]
async fn money_changes_its_currency_by_way_of_the_conversion_account() {
    let world = World::new();
    let home = world.home().await;
    let yen = account(&world, &home, "JPY").await;
    let refuse = async |new: Value| world.post(&home.entries(), new).await.refusal();
    assert_eq!(refuse(transfer(&home.bank, &yen, "100", None)).await, "422 field_missing /to_amount");
    assert_eq!(
        refuse(transfer(&home.bank, &yen, "100", Some("0"))).await,
        "422 amount_not_positive /to_amount"
    );
    assert_eq!(
        refuse(transfer(&home.bank, &yen, "100", Some("1.5"))).await,
        "422 too_many_decimals /to_amount"
    );

    let reply = world.post(&home.entries(), transfer(&home.bank, &yen, "100", Some("16250"))).await;
    let entry = &reply.json()["entry"];
    assert_eq!((&entry["amount"], &entry["currency"]), (&json!("100.00"), &json!("EUR")), "{}", reply.body);
    assert_eq!((&entry["to_account"], &entry["to_amount"]), (&json!(yen), &json!("16250")));
    assert_eq!(
        entry["postings"],
        json!([
            {"account": home.bank, "amount": "-100.00", "currency": "EUR"},
            {"account": yen, "amount": "16250", "currency": "JPY"},
            {"equity": "conversion", "amount": "100.00", "currency": "EUR"},
            {"equity": "conversion", "amount": "-16250", "currency": "JPY"},
        ])
    );
    assert_eq!(world.balance(&home.book, &home.bank).await, "900.00");
    assert_eq!(world.balance(&home.book, &yen).await, "16250");
    world.verify();
}

#[tokio::test]
async fn within_one_currency_what_arrives_is_what_left() {
    let world = World::new();
    let home = world.home().await;
    let refused = world.post(&home.entries(), transfer(&home.bank, &home.cash, "5", Some("4.99"))).await;
    assert_eq!(refused.refusal(), "422 field_not_allowed /to_amount");
    let reply = world.post(&home.entries(), transfer(&home.bank, &home.cash, "5", Some("5.00"))).await;
    let entry = &reply.json()["entry"];
    assert_eq!(entry["to_amount"], "5.00");
    assert_eq!(entry["postings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_correction_names_the_amounts_that_the_old_ones_say_nothing_of() {
    let world = World::new();
    let home = world.home().await;
    let (yen, dollars) = (account(&world, &home, "JPY").await, account(&world, &home, "USD").await);
    let id = world.post(&home.entries(), transfer(&home.bank, &yen, "100", Some("16250"))).await.id();
    let one = format!("{}/{id}", home.entries());
    let amounts = |reply: &crate::world::Reply| {
        assert_eq!(reply.status, 200, "{}", reply.body);
        let entry = &reply.json()["entry"];
        [&entry["amount"], &entry["to_amount"]].map(|amount| amount.as_str().unwrap().to_owned())
    };

    // One side alone.
    assert_eq!(amounts(&world.patch(&one, json!({"amount": "101"})).await), ["101.00", "16250"]);
    assert_eq!(amounts(&world.patch(&one, json!({"to_amount": "16300"})).await), ["101.00", "16300"]);
    assert_eq!(world.patch(&one, json!({"to_amount": null})).await.refusal(), "422 field_missing /to_amount");
    // To another currency.
    let moved = json!({"to_account": dollars});
    assert_eq!(world.patch(&one, moved).await.refusal(), "422 field_missing /to_amount");
    let moved = json!({"to_account": dollars, "to_amount": "110"});
    assert_eq!(amounts(&world.patch(&one, moved).await), ["101.00", "110.00"]);
    assert_eq!(world.patch(&one, json!({"account": yen})).await.refusal(), "422 field_missing /amount");
    let moved = json!({"account": yen, "amount": "17000"});
    assert_eq!(amounts(&world.patch(&one, moved).await), ["17000", "110.00"]);
    // To the same currency: what arrived before is left behind.
    let moved = json!({"account": home.bank, "amount": "90", "to_account": home.cash});
    assert_eq!(amounts(&world.patch(&one, moved).await), ["90.00", "90.00"]);
    let balances = [(&home.bank, "910.00"), (&home.cash, "90.00"), (&yen, "0"), (&dollars, "0.00")];
    for (account, balance) in balances {
        assert_eq!(world.balance(&home.book, account).await, balance);
    }
    let moved = json!({"to_account": dollars});
    assert_eq!(world.patch(&one, moved).await.refusal(), "422 field_missing /to_amount");
    // Another kind leaves the other side behind.
    let reply = world.patch(&one, json!({"kind": "expense", "category": home.groceries})).await;
    assert_eq!(reply.json()["entry"]["to_amount"], Value::Null);
    assert_eq!(world.balance(&home.book, &home.cash).await, "0.00");
    world.verify();
}
