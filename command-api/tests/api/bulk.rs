//! Many entries in one commit.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Home, Reply, World};

async fn bulk(world: &World, home: &Home, mode: &str, entries: &[Value]) -> Reply {
    world.post(&format!("{}/bulk", home.entries()), json!({"mode": mode, "entries": entries})).await
}

fn with(home: &Home, field: &str, value: Value) -> Value {
    let mut entry = home.expense("5");
    entry[field] = value;
    entry
}

/// `201`, or the status, the code and the pointers of a refusal.
fn results(reply: &Reply) -> Vec<String> {
    let told = |result: &Value| match result.get("problem") {
        None => result["status"].to_string(),
        Some(problem) => {
            assert_eq!(problem["status"], result["status"], "{result}");
            let errors = problem["errors"].as_array().cloned().unwrap_or_default();
            let pointers = errors.iter().map(|error| format!(" {}", error["pointer"].as_str().unwrap()));
            let code = problem["code"].as_str().unwrap();
            format!("{} {code}{}", result["status"], pointers.collect::<String>())
        }
    };
    reply.json()["results"].as_array().unwrap().iter().map(told).collect()
}

#[tokio::test]
async fn a_bulk_is_one_commit_with_one_version() {
    let world = World::new();
    let home = world.home().await;
    let entries = vec![home.expense("1"); 500];
    for (mode, version) in [("all", 6), ("each", 7)] {
        let reply = bulk(&world, &home, mode, &entries).await;
        assert_eq!((reply.status, reply.version()), (201, version), "{}", reply.body);
        assert_eq!(reply.header("etag"), Some(format!("\"{version}\"").as_str()));
        let told = reply.json();
        let ids: BTreeSet<&str> =
            told["results"].as_array().unwrap().iter().map(|result| result["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 500);
        assert!(results(&reply).iter().all(|status| status == "201"));
    }
    assert_eq!(world.balance(&home.book, &home.bank).await, "0.00");
    let last = world.commits().pop().unwrap();
    assert_eq!((last.command.as_str(), last.events.len()), ("add_entries", 500));
    world.verify();
}

#[tokio::test]
async fn all_or_nothing_names_every_fault_of_shape_and_of_rules_at_once() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let entries = [
        home.expense("1"),
        with(&home, "amount", json!(5)),
        with(&home, "category", json!(home.salary)),
        json!({"kind": "gift", "amount": "1e3"}),
        with(&home, "tags", json!((0..21).map(|tag| tag.to_string()).collect::<Vec<_>>())),
        json!("entry"),
    ];
    let reply = bulk(&world, &home, "all", &entries).await;
    assert_eq!(
        reply.refusal(),
        "422 bulk_refused /entries/1/amount /entries/2/category /entries/3/amount /entries/3/kind \
         /entries/3/occurred_on /entries/4/tags /entries/5"
    );
    let problem = reply.json();
    assert_eq!(problem["detail"], "5 of the entries cannot be taken, so none was.");
    let codes: BTreeSet<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    let expected = [
        "amount_malformed",
        "amount_not_a_string",
        "category_kind_mismatch",
        "field_missing",
        "too_many_tags",
        "unknown_value",
        "wrong_type",
    ];
    assert_eq!(codes, BTreeSet::from(expected));
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn each_entry_is_taken_or_refused_by_itself() {
    let world = World::new();
    let home = world.home().await;
    let id = "ent_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let entries = [
        with(&home, "amount", json!("-1")),
        with(&home, "id", json!(id)),
        with(&home, "id", json!(id)),
        json!({"kind": "expense", "colour": "red"}),
        home.expense("2"),
        with(&home, "account", json!("acc_01kb0d5j6hf2xv9d6q8m4r7t3a")),
    ];
    let send = || {
        let body = json!({"mode": "each", "entries": entries});
        world.call(&format!("POST {}/bulk", home.entries())).json(&body).key("once")
    };
    let reply = send().send().await;
    assert_eq!((reply.status, reply.version()), (200, 6), "{}", reply.body);
    assert_eq!(
        results(&reply),
        [
            "422 amount_not_positive /amount",
            "201",
            "422 id_taken /id",
            "422 invalid_fields  /occurred_on",
            "201",
            "422 unknown_account /account",
        ]
    );
    assert_eq!(reply.json()["results"][1]["id"], id);
    let errors = &reply.json()["results"][3]["problem"]["errors"];
    assert_eq!(errors[0]["detail"], "There is no field \"colour\" here.");
    assert_eq!(world.balance(&home.book, &home.bank).await, "993.00");

    let again = send().send().await;
    assert!(again.is_replayed());
    assert_eq!((again.status, &again.body), (reply.status, &reply.body));
    let world = world.restarted(|place| std::fs::remove_dir_all(place.decisions()).unwrap());
    let body = json!({"mode": "each", "entries": entries});
    let again = world.call(&format!("POST {}/bulk", home.entries())).json(&body).key("once").send().await;
    assert!(again.is_replayed());
    assert_eq!((again.status, &again.body), (reply.status, &reply.body));
}

#[tokio::test]
async fn where_every_entry_is_refused_nothing_is_written() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let entries = [with(&home, "amount", json!("0")), json!(7), with(&home, "category", json!(home.salary))];
    for _ in 0..2 {
        let body = json!({"mode": "each", "entries": entries});
        let reply = world.call(&format!("POST {}/bulk", home.entries())).json(&body).key("once").send().await;
        assert_eq!((reply.status, reply.version(), reply.is_replayed()), (200, 5, false), "{}", reply.body);
        assert_eq!(
            results(&reply),
            ["422 amount_not_positive /amount", "422 wrong_type", "422 category_kind_mismatch /category"]
        );
    }
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn a_refund_may_name_a_purchase_that_stands_before_it() {
    let world = World::new();
    let home = world.home().await;
    let purchase = with(&home, "id", json!("ent_01kb0d5j6hf2xv9d6q8m4r7t3a"));
    let mut refund = with(&home, "kind", json!("refund"));
    refund["refund_of"] = purchase["id"].clone();
    let reply = bulk(&world, &home, "all", &[refund.clone(), purchase.clone()]).await;
    assert_eq!(reply.refusal(), "422 bulk_refused /entries/0/refund_of");
    let reply = bulk(&world, &home, "all", &[purchase, refund]).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
}

#[tokio::test]
async fn a_bulk_that_does_not_fit_is_refused_as_a_whole() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let path = format!("{}/bulk", home.entries());
    let many = vec![home.expense("1"); 501];
    for (body, expected) in [
        (json!({"mode": "each", "entries": many}), "422 limit_reached"),
        (json!({"mode": "all", "entries": []}), "422 field_missing /entries"),
        (json!({"mode": "some", "entries": [home.expense("1")]}), "422 unknown_value /mode"),
        (json!({"entries": [home.expense("1")]}), "422 field_missing /mode"),
        (json!({"mode": "all"}), "422 field_missing /entries"),
        (json!({"mode": "all", "entries": {}}), "422 wrong_type /entries"),
        (json!({"mode": "all", "entries": [], "dry_run": true}), "422 unknown_field /dry_run"),
    ] {
        assert_eq!(world.post(&path, body.clone()).await.refusal(), expected, "{body}");
    }
    let broken =
        world.call(&format!("POST {path}")).text("application/json", r#"{"mode":"each","entries":[{]}"#);
    assert_eq!(broken.send().await.refusal(), "400 malformed_json");
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn a_name_that_stands_twice_in_one_entry_is_the_fault_of_that_entry() {
    let world = World::new();
    let home = world.home().await;
    let good = home.expense("1").to_string();
    let twice = good.replacen('{', r#"{"amount":"2","#, 1);
    let body = format!(r#"{{"mode":"each","entries":[{twice},{good}]}}"#);
    let reply =
        world.call(&format!("POST {}/bulk", home.entries())).text("application/json", body).send().await;
    assert_eq!(results(&reply), ["400 malformed_json", "201"], "{}", reply.body);
}
