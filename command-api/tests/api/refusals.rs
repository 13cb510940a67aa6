//! What is refused, with which words; and that nothing of it is written.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use http_kit::testing;
use serde_json::{Value, json};

use crate::world::{Home, World, user};

const NOBODYS_ENTRY: &str = "ent_01kb0d5j6hf2xv9d6q8m4r7t3a";

/// What the names of a row stand for.
struct Names(BTreeMap<&'static str, String>);

impl Names {
    fn fill(&self, text: &str) -> String {
        // The longer name first, so that `$category` does not spoil `$category_archived`.
        self.0.iter().rev().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// JSON, or one of the whole entries below with some fields set; `"-"` takes one away.
    fn body(&self, home: &Home, text: &str) -> String {
        let text = self.fill(text);
        let Some((kind, patch)) = text.split_once(" with ") else { return text };
        let mut body = match kind {
            "expense" => home.expense("5.00"),
            "transfer" => {
                json!({"kind": "transfer", "occurred_on": "2026-11-23", "account": home.bank, "amount": "5", "to_account": home.cash})
            }
            other => panic!("there is no {other:?} here"),
        };
        let patch: Value = serde_json::from_str(patch).unwrap_or_else(|error| panic!("{error}: {patch}"));
        for (field, value) in patch.as_object().unwrap() {
            match value.as_str() {
                Some("-") => drop(body.as_object_mut().unwrap().remove(field)),
                _ => body[field] = value.clone(),
            }
        }
        body.to_string()
    }
}

/// A home with something wrong in every corner.
async fn house(world: &World) -> (Home, Names) {
    let home = world.home().await;
    let at = &home.at;
    let account = async |new: Value| world.post(&format!("{at}/accounts"), new).await.id();
    let category = async |new: Value| world.post(&format!("{at}/categories"), new).await.id();
    let entry = async |new: Value| world.post(&home.entries(), new).await.id();
    let act = async |path: String| {
        let reply = world.call(&format!("POST {at}{path}")).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    let closed = account(json!({"name": "Closed", "kind": "bank"})).await;
    act(format!("/accounts/{closed}/close")).await;
    let dollars = account(json!({"name": "Dollars", "kind": "bank", "currency": "USD"})).await;
    let archived = category(json!({"name": "Old", "kind": "expense"})).await;
    act(format!("/categories/{archived}/archive")).await;
    let below = category(json!({"name": "Bread", "kind": "expense", "parent": home.groceries})).await;
    let mut deepest = below.clone();
    for depth in 3..=8 {
        deepest =
            category(json!({"name": format!("Level {depth}"), "kind": "expense", "parent": deepest})).await;
    }
    let expense = entry(home.expense("9.00")).await;
    let income = entry(json!({"kind": "income", "occurred_on": "2026-11-23", "account": home.bank, "amount": "5", "category": home.salary})).await;
    let removed = entry(home.expense("1.00")).await;
    assert_eq!(world.call(&format!("DELETE {}/{removed}", home.entries())).send().await.status, 200);
    let strangers = world.call("POST /books").by(user(2)).json(&json!({"name": "Theirs", "currency": "EUR"}));
    let names = [
        ("$at", home.at.clone()),
        ("$strangers", format!("/books/{}", strangers.send().await.id())),
        ("$bank", home.bank.clone()),
        ("$cash", home.cash.clone()),
        ("$closed", closed),
        ("$dollars", dollars),
        ("$groceries", home.groceries.clone()),
        ("$salary", home.salary.clone()),
        ("$archived", archived),
        ("$below", below),
        ("$deepest", deepest),
        ("$expense", expense),
        ("$income", income),
        ("$removed", removed),
        ("$no_account", "acc_01kb0d5j6hf2xv9d6q8m4r7t3a".to_owned()),
        ("$no_category", "cat_01kb0d5j6hf2xv9d6q8m4r7t3a".to_owned()),
        ("$no_entry", NOBODYS_ENTRY.to_owned()),
        ("$long", "x".repeat(101)),
        ("$payee_long", "x".repeat(201)),
        ("$note_long", "x".repeat(2_001)),
        ("$tag_long", "x".repeat(51)),
        ("$tags_many", json!((0..21).map(|tag| tag.to_string()).collect::<Vec<_>>()).to_string()),
    ];
    (home, Names(names.into_iter().collect()))
}

async fn check_all(rows: &[(&str, &str, &str)]) {
    let world = World::new();
    let (home, names) = house(&world).await;
    for (route, body, expected) in rows {
        let heads = world.heads();
        let call = world.call(&names.fill(route));
        let call = match *body {
            "" => call,
            body => call.text("application/json", names.body(&home, body)),
        };
        let reply = call.send().await;
        assert_eq!(reply.refusal(), *expected, "{route} {body}\n{}", reply.body);
        assert_eq!(world.heads(), heads, "{route} {body} has written something");
    }
    // The book is none the worse for it.
    assert_eq!(world.post(&home.entries(), home.expense("1.00")).await.status, 201);
    world.verify();
}

#[tokio::test]
async fn amounts_that_are_none_are_refused() {
    check_all(&[
        ("POST $at/entries", r#"expense with {"amount":"-1"}"#, "422 amount_not_positive /amount"),
        ("POST $at/entries", r#"expense with {"amount":"0"}"#, "422 amount_not_positive /amount"),
        ("POST $at/entries", r#"expense with {"amount":"0.00"}"#, "422 amount_not_positive /amount"),
        ("POST $at/entries", r#"expense with {"amount":"-0"}"#, "422 amount_not_positive /amount"),
        ("POST $at/entries", r#"expense with {"amount":"1e3"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"NaN"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"Infinity"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":""}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"+1"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":" 1"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"1,50"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"1."}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":".5"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"1.2.3"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"0x10"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"١"}"#, "422 amount_malformed /amount"),
        ("POST $at/entries", r#"expense with {"amount":"123456789012345678901234567890"}"#, "422 amount_out_of_range /amount"),
        ("POST $at/entries", r#"expense with {"amount":"10000000000000.01"}"#, "422 amount_out_of_range /amount"),
        ("POST $at/entries", r#"expense with {"amount":"12.505"}"#, "422 too_many_decimals /amount"),
        ("POST $at/entries", r#"expense with {"amount":5}"#, "422 amount_not_a_string /amount"),
        ("POST $at/entries", r#"expense with {"amount":5.25}"#, "422 amount_not_a_string /amount"),
        ("POST $at/entries", r#"expense with {"amount":null}"#, "422 wrong_type /amount"),
        ("POST $at/entries", r#"expense with {"amount":["5"]}"#, "422 wrong_type /amount"),
        ("POST $at/entries", r#"expense with {"amount":"-"}"#, "422 field_missing /amount"),
        ("PATCH $at/entries/$expense", r#"{"amount":"-1"}"#, "422 amount_not_positive /amount"),
        ("PATCH $at/entries/$expense", r#"{"amount":"0"}"#, "422 amount_not_positive /amount"),
        ("PATCH $at/entries/$expense", r#"{"amount":7}"#, "422 amount_not_a_string /amount"),
        ("PATCH $at/entries/$expense", r#"{"amount":"7.001"}"#, "422 too_many_decimals /amount"),
        ("POST $at/accounts", r#"{"name":"A","kind":"bank","opening_balance":12}"#, "422 amount_not_a_string /opening_balance"),
        ("POST $at/accounts", r#"{"name":"A","kind":"bank","opening_balance":"1.005"}"#, "422 too_many_decimals /opening_balance"),
        ("POST $at/accounts", r#"{"name":"A","kind":"bank","currency":"JPY","opening_balance":"1.5"}"#, "422 too_many_decimals /opening_balance"),
        ("POST $at/accounts", r#"{"name":"A","kind":"bank","opening_balance":"-99999999999999999"}"#, "422 amount_out_of_range /opening_balance"),
        ("POST $at/entries", r#"expense with {"category":"-","splits":[{"category":"$groceries","amount":"5.005"}]}"#, "422 too_many_decimals /splits/0/amount"),
        ("POST $at/entries", r#"expense with {"category":"-","splits":[{"category":"$groceries","amount":"4"},{"category":"$groceries","amount":-1}]}"#, "422 amount_not_a_string /splits/1/amount"),
        ("POST $at/entries", r#"expense with {"foreign":{"amount":"1.234","currency":"USD"}}"#, "422 too_many_decimals /foreign/amount"),
        ("POST $at/entries", r#"expense with {"foreign":{"amount":"0","currency":"USD"}}"#, "422 amount_not_positive /foreign/amount"),
    ])
    .await;
}

#[tokio::test]
async fn dates_that_are_none_are_refused() {
    check_all(&[
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"2026-04-31"}"#,
            "422 date_malformed /occurred_on",
        ),
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"2025-02-29"}"#,
            "422 date_malformed /occurred_on",
        ),
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"2026-11-23T10:00:00Z"}"#,
            "422 date_malformed /occurred_on",
        ),
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"23.11.2026"}"#,
            "422 date_malformed /occurred_on",
        ),
        ("POST $at/entries", r#"expense with {"occurred_on":"2026-1-1"}"#, "422 date_malformed /occurred_on"),
        ("POST $at/entries", r#"expense with {"occurred_on":""}"#, "422 date_malformed /occurred_on"),
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"0000-01-01"}"#,
            "422 date_out_of_range /occurred_on",
        ),
        (
            "POST $at/entries",
            r#"expense with {"occurred_on":"10000-01-01"}"#,
            "422 date_out_of_range /occurred_on",
        ),
        ("POST $at/entries", r#"expense with {"occurred_on":20261123}"#, "422 wrong_type /occurred_on"),
        ("POST $at/entries", r#"expense with {"occurred_on":"-"}"#, "422 field_missing /occurred_on"),
        ("PATCH $at/entries/$expense", r#"{"occurred_on":"2026-13-01"}"#, "422 date_malformed /occurred_on"),
        (
            "POST $at/accounts",
            r#"{"name":"A","kind":"bank","opened_on":"0000-12-31"}"#,
            "422 date_out_of_range /opened_on",
        ),
    ])
    .await;
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused() {
    check_all(&[
        ("POST /books", "{", "400 malformed_json"),
        ("POST /books", "nonsense", "400 malformed_json"),
        ("POST /books", r#"{"name":"A","currency":"EUR"} x"#, "400 malformed_json"),
        ("POST /books", r#"{"name":"A","name":"B","currency":"EUR"}"#, "400 malformed_json"),
        ("POST /books", r#"{"name":"A","currency":"EUR",}"#, "400 malformed_json"),
        ("POST /books", r#"{'name':'A'}"#, "400 malformed_json"),
        ("POST /books", r#"["A","EUR"]"#, "422 wrong_type "),
        ("POST /books", r#"{}"#, "422 invalid_fields /name /currency"),
        ("POST /books", r#"{"name":"A","currency":"EUR","nmae":"B"}"#, "422 unknown_field /nmae"),
        ("POST /books", r#"{"name":"A","currency":"EUR","id":"book_1"}"#, "422 unknown_field /id"),
        ("POST /books", r#"{"name":"","currency":"EUR"}"#, "422 name_empty /name"),
        ("POST /books", r#"{"name":"\t ","currency":"EUR"}"#, "422 name_empty /name"),
        ("POST /books", r#"{"name":"$long","currency":"EUR"}"#, "422 name_too_long /name"),
        ("POST /books", r#"{"name":"A\u0000B","currency":"EUR"}"#, "422 invalid_value /name"),
        ("POST /books", r#"{"name":7,"currency":"EUR"}"#, "422 wrong_type /name"),
        ("POST /books", r#"{"name":"A","currency":"XXX"}"#, "422 unknown_currency /currency"),
        ("POST /books", r#"{"name":"A","currency":"eur"}"#, "422 unknown_currency /currency"),
        ("POST /books", r#"{"name":"A","currency":"Euro"}"#, "422 unknown_currency /currency"),
        (
            "POST /books",
            r#"{"name":"A","currency":"EUR","time_zone":"Mars/Olympus"}"#,
            "422 unknown_time_zone /time_zone",
        ),
        (
            "POST /books",
            r#"{"name":"A","currency":"EUR","week_starts_on":"Montag"}"#,
            "422 unknown_value /week_starts_on",
        ),
        (
            "POST /books",
            r#"{"name":"A","currency":"EUR","month_starts_on":0}"#,
            "422 invalid_value /month_starts_on",
        ),
        (
            "POST /books",
            r#"{"name":"A","currency":"EUR","month_starts_on":29}"#,
            "422 invalid_value /month_starts_on",
        ),
        (
            "POST /books",
            r#"{"name":"A","currency":"EUR","month_starts_on":"1"}"#,
            "422 wrong_type /month_starts_on",
        ),
        ("POST /books", r#"{"name":"A","currency":"EUR","empty":"yes"}"#, "422 wrong_type /empty"),
        (
            "POST $at/entries",
            r#"{"kind":"gift","occurred_on":"2026-02-30","account":"bank","amount":5,"categry":"x"}"#,
            "422 invalid_fields /account /amount /categry /kind /occurred_on",
        ),
        ("POST $at/entries", r#"expense with {"kind":"opening_balance"}"#, "422 unknown_value /kind"),
        ("POST $at/entries", r#"expense with {"id":"ent_1"}"#, "422 id_malformed /id"),
        ("POST $at/entries", r#"expense with {"id":"$bank"}"#, "422 id_malformed /id"),
        ("POST $at/entries", r#"expense with {"account":"$groceries"}"#, "422 id_malformed /account"),
        ("POST $at/entries", r#"expense with {"payee":"$payee_long"}"#, "422 text_too_long /payee"),
        ("POST $at/entries", r#"expense with {"payee":"a\nb"}"#, "422 invalid_value /payee"),
        ("POST $at/entries", r#"expense with {"note":"$note_long"}"#, "422 text_too_long /note"),
        ("POST $at/entries", r#"expense with {"tags":["$tag_long"]}"#, "422 text_too_long /tags/0"),
        ("POST $at/entries", r#"expense with {"tags":["a",""]}"#, "422 invalid_value /tags/1"),
        ("POST $at/entries", r#"expense with {"tags":"a"}"#, "422 wrong_type /tags"),
        ("POST $at/entries", r#"expense with {"tags":$tags_many}"#, "422 too_many_tags /tags"),
        (
            "POST $at/entries",
            r#"expense with {"foreign":{"amount":"1","currency":"usd"}}"#,
            "422 unknown_currency /foreign/currency",
        ),
        (
            "POST $at/entries",
            r#"expense with {"foreign":{"amount":"1"}}"#,
            "422 field_missing /foreign/currency",
        ),
        (
            "POST $at/entries",
            r#"expense with {"splits":[{"category":"$groceries","amount":"5","share":"1"}],"category":"-"}"#,
            "422 unknown_field /splits/0/share",
        ),
        ("POST $at/categories", r#"{"name":"A","kind":"expense","icon":"<b>"}"#, "422 invalid_value /icon"),
        ("POST $at/categories", r#"{"name":"A","kind":"transfer"}"#, "422 unknown_value /kind"),
        ("POST $at/categories", r#"{"name":"A","kind":"expense","colour":""}"#, "422 invalid_value /colour"),
        ("POST $at/accounts", r#"{"name":"A","kind":"wallet"}"#, "422 unknown_value /kind"),
        ("PATCH $at", r#"{"currency":"USD"}"#, "422 unknown_field /currency"),
        ("PATCH $at/accounts/$bank", r#"{"currency":"USD"}"#, "422 unknown_field /currency"),
        ("PATCH $at/categories/$groceries", r#"{"kind":"income"}"#, "422 unknown_field /kind"),
        ("PATCH $at/entries/$expense", r#"{"id":"$no_entry"}"#, "422 unknown_field /id"),
    ])
    .await;
}

#[tokio::test]
async fn what_the_rules_of_a_book_forbid_is_refused() {
    check_all(&[
        ("PATCH $at", "{}", "422 nothing_to_change"),
        ("PATCH $at/accounts/$bank", "{}", "422 nothing_to_change"),
        ("PATCH $at/categories/$groceries", "{}", "422 nothing_to_change"),
        ("PATCH $at/entries/$expense", "{}", "422 nothing_to_change"),
        ("POST $at/accounts", r#"{"name":"bANK","kind":"bank"}"#, "422 name_taken /name"),
        ("PATCH $at/accounts/$cash", r#"{"name":"Bank"}"#, "422 name_taken /name"),
        ("POST $at/accounts/$closed/close", "", "422 account_closed"),
        ("POST $at/accounts/$bank/reopen", "", "422 account_not_closed"),
        ("POST $at/categories", r#"{"name":"groceries","kind":"expense"}"#, "422 name_taken /name"),
        ("PATCH $at/categories/$archived", r#"{"name":"Groceries"}"#, "422 name_taken /name"),
        ("POST $at/categories", r#"{"name":"A","kind":"expense","parent":"$no_category"}"#, "422 unknown_category /parent"),
        ("POST $at/categories", r#"{"name":"A","kind":"expense","parent":"$archived"}"#, "422 category_archived /parent"),
        ("POST $at/categories", r#"{"name":"A","kind":"income","parent":"$groceries"}"#, "422 category_kind_mismatch /parent"),
        ("POST $at/categories", r#"{"name":"A","kind":"expense","parent":"$deepest"}"#, "422 category_too_deep /parent"),
        ("PATCH $at/categories/$groceries", r#"{"parent":"$groceries"}"#, "422 category_cycle /parent"),
        ("PATCH $at/categories/$groceries", r#"{"parent":"$below"}"#, "422 category_cycle /parent"),
        ("POST $at/categories/$archived/archive", "", "422 category_archived"),
        ("POST $at/categories/$groceries/restore", "", "422 category_not_archived"),
        ("POST $at/entries", r#"expense with {"account":"$no_account"}"#, "422 unknown_account /account"),
        ("POST $at/entries", r#"expense with {"account":"$closed"}"#, "422 account_closed /account"),
        ("POST $at/entries", r#"expense with {"category":"$no_category"}"#, "422 unknown_category /category"),
        ("POST $at/entries", r#"expense with {"category":"$archived"}"#, "422 category_archived /category"),
        ("POST $at/entries", r#"expense with {"category":"$salary"}"#, "422 category_kind_mismatch /category"),
        ("POST $at/entries", r#"expense with {"category":"-"}"#, "422 field_missing /category"),
        ("POST $at/entries", r#"expense with {"currency":"USD"}"#, "422 currency_mismatch /currency"),
        ("POST $at/entries", r#"expense with {"to_account":"$cash"}"#, "422 field_not_allowed /to_account"),
        ("POST $at/entries", r#"expense with {"refund_of":"$expense"}"#, "422 field_not_allowed /refund_of"),
        ("POST $at/entries", r#"expense with {"kind":"refund","refund_of":"$income"}"#, "422 unknown_refund_of /refund_of"),
        ("POST $at/entries", r#"expense with {"kind":"refund","refund_of":"$no_entry"}"#, "422 unknown_refund_of /refund_of"),
        ("POST $at/entries", r#"expense with {"id":"$expense"}"#, "422 id_taken /id"),
        ("POST $at/entries", r#"expense with {"id":"$removed"}"#, "422 id_taken /id"),
        ("POST $at/entries", r#"expense with {"splits":[{"category":"$groceries","amount":"5"}]}"#, "422 field_not_allowed /splits"),
        ("POST $at/entries", r#"expense with {"category":"-","splits":[]}"#, "422 field_missing /splits"),
        ("POST $at/entries", r#"expense with {"category":"-","splits":[{"category":"$groceries","amount":"4.99"}]}"#, "422 splits_do_not_add_up /splits"),
        ("POST $at/entries", r#"expense with {"category":"-","splits":[{"category":"$groceries","amount":"4"},{"category":"$archived","amount":"1"}]}"#, "422 category_archived /splits/1/category"),
        ("POST $at/entries", r#"transfer with {"to_account":"$bank"}"#, "422 same_account /to_account"),
        ("POST $at/entries", r#"transfer with {"to_account":"$dollars"}"#, "422 field_missing /to_amount"),
        ("POST $at/entries", r#"transfer with {"to_amount":"6"}"#, "422 field_not_allowed /to_amount"),
        ("POST $at/entries", r#"expense with {"to_amount":"5"}"#, "422 field_not_allowed /to_amount"),
        ("POST $at/entries", r#"expense with {"postings":[]}"#, "422 field_not_allowed /postings"),
        ("POST $at/entries", r#"expense with {"account":"-","amount":"-"}"#, "422 invalid_fields /account /amount"),
        ("POST $at/entries", r#"transfer with {"to_account":"$closed"}"#, "422 account_closed /to_account"),
        ("POST $at/entries", r#"transfer with {"to_account":"-"}"#, "422 field_missing /to_account"),
        ("POST $at/entries", r#"transfer with {"category":"$groceries"}"#, "422 field_not_allowed /category"),
        ("PATCH $at/entries/$removed", r#"{"amount":"1"}"#, "422 entry_removed"),
        ("DELETE $at/entries/$removed", "", "422 entry_removed"),
        ("POST $at/entries/$expense/restore", "", "422 entry_not_removed"),
        ("PATCH $at/entries/$expense", r#"{"category":"$archived"}"#, "422 category_archived /category"),
        ("PATCH $at/entries/$expense", r#"{"kind":"income"}"#, "422 category_kind_mismatch /category"),
        ("PATCH $at/entries/$expense", r#"{"account":"$closed"}"#, "422 account_closed /account"),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_there_or_not_yours_is_not_found() {
    check_all(&[
        ("PATCH $strangers", r#"{"name":"Mine"}"#, "404 book_not_found"),
        ("POST $strangers/accounts", r#"{"name":"A","kind":"bank"}"#, "404 book_not_found"),
        ("POST $strangers/entries", r#"expense with {}"#, "404 book_not_found"),
        ("POST $strangers/imports/imp_01kb0d5j6hf2xv9d6q8m4r7t3a/revert", "", "404 book_not_found"),
        ("PATCH /books/book_01kb0d5j6hf2xv9d6q8m4r7t3a", r#"{"name":"Mine"}"#, "404 book_not_found"),
        ("PATCH /books/nonsense", r#"{"name":"Mine"}"#, "404 book_not_found"),
        ("PATCH $at/accounts/$no_account", r#"{"name":"A"}"#, "404 account_not_found"),
        ("POST $at/accounts/$groceries/close", "", "404 account_not_found"),
        ("PATCH $at/categories/$no_category", r#"{"name":"A"}"#, "404 category_not_found"),
        ("POST $at/categories/x/archive", "", "404 category_not_found"),
        ("PATCH $at/entries/$no_entry", r#"{"amount":"1"}"#, "404 entry_not_found"),
        ("DELETE $at/entries/$no_entry", "", "404 entry_not_found"),
        ("POST $at/entries/%FF/restore", "", "400 invalid_parameter"),
        ("POST $at/imports/imp_01kb0d5j6hf2xv9d6q8m4r7t3a/revert", "", "404 import_not_found"),
        ("POST $at/nonsense", "", "404 route_not_found"),
        ("PUT $at/entries", "", "405 method_not_allowed"),
        ("DELETE $at", "", "405 method_not_allowed"),
    ])
    .await;
}

#[tokio::test]
async fn bodies_of_the_wrong_make_are_refused_before_they_are_read() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let route = format!("POST {}", home.entries());
    let json = "application/json";
    let mut wrong_utf8 = home.expense("1.00").to_string().into_bytes();
    wrong_utf8.splice(2..6, [0xff, 0xfe, 0xc0, 0x80]);
    let mut payee = home.expense("1.00");
    payee["payee"] = json!("PAYEE");
    let payee = payee.to_string().into_bytes();
    let at = payee.windows(5).position(|word| word == b"PAYEE").unwrap();
    let mut wrong_payee = payee;
    wrong_payee[at] = 0xe4;
    let megabyte = format!(r#"{{"note":"{}"}}"#, "x".repeat(1_000_000));
    let deep = "[".repeat(100_000);
    for (content_type, body, expected) in [
        (json, wrong_utf8, "400 malformed_json"),
        (json, wrong_payee, "400 malformed_json"),
        (json, b"\xef\xbb\xbf{}".to_vec(), "400 malformed_json"),
        (json, megabyte.into_bytes(), "413 body_too_large"),
        (json, deep.into_bytes(), "400 malformed_json"),
        (json, Vec::new(), "400 malformed_json"),
        ("text/plain", home.expense("1.00").to_string().into_bytes(), "415 unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"amount=1".to_vec(), "415 unsupported_media_type"),
    ] {
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let reply = world.call(&route).text(content_type, body).send().await;
        assert_eq!(reply.refusal(), expected, "{content_type} {start}");
    }
    assert_eq!(world.call(&route).send().await.refusal(), "415 unsupported_media_type");
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn headers_that_say_nothing_clear_are_refused() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let call = || world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00"));
    let key = "idempotency-key";
    let replies = [
        (call().without(key), "400 idempotency_key_missing"),
        (call().key(""), "400 idempotency_key_invalid"),
        (call().key(&"k".repeat(256)), "400 idempotency_key_invalid"),
        (call().key("a b"), "400 idempotency_key_invalid"),
        (call().without(key).with(key, "schlüssel".as_bytes()), "400 idempotency_key_invalid"),
        (call().with(key, "another"), "400 idempotency_key_invalid"),
        (call().with("if-match", "5"), "400 if_match_invalid"),
        (call().with("if-match", "\"five\""), "400 if_match_invalid"),
        (call().with("if-match", "\"5\", \"6\""), "400 if_match_invalid"),
        (call().with("if-match", "\"99999999999999999999\""), "400 if_match_invalid"),
    ];
    for (call, expected) in replies {
        assert_eq!(call.send().await.refusal(), expected);
    }
    assert_eq!(world.heads(), heads);
    assert_eq!(call().key(&"k".repeat(255)).send().await.status, 201);
}

#[tokio::test]
async fn nobody_writes_without_a_good_token() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let call = || world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00")).without_login();
    let reply = call().send().await;
    assert_eq!(
        (reply.refusal().as_str(), reply.header("www-authenticate")),
        ("401 login_required", Some("Bearer"))
    );

    let claims = testing::claims(user(1), Utc::now());
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        testing::sign(&testing::header(), &claims)
    };
    let hour_ago = (Utc::now() - TimeDelta::hours(1)).timestamp();
    let parts: Vec<String> = changed("jti", json!("t")).split('.').map(str::to_owned).collect();
    // {"alg":"none","typ":"at+jwt"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", parts[1]);
    for (token, expected) in [
        (none, "401 token_invalid"),
        (format!("{}.{}.{}", parts[0], parts[1], "A".repeat(86)), "401 token_invalid"),
        (changed("aud", json!("another")), "401 token_invalid"),
        (changed("iss", json!("https://elsewhere.test")), "401 token_invalid"),
        (changed("sub", json!("ann")), "401 token_invalid"),
        (changed("exp", json!(hour_ago)), "401 token_expired"),
        ("nonsense".to_owned(), "401 token_invalid"),
    ] {
        let reply = call().with("authorization", format!("Bearer {token}")).send().await;
        assert_eq!(reply.refusal(), expected, "{token}");
        assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
    }
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn a_role_that_is_too_weak_is_told_so() {
    let world = World::new();
    let home = world.home().await;
    let (viewer, editor) = (user(2), user(3));
    world.join(&home.at, viewer, "viewer").await;
    world.join(&home.at, editor, "editor").await;
    let heads = world.heads();
    let name = json!({"name": "Ours"});
    let call = |route: &str, body: &Value| world.call(route).json(body);
    let entries = format!("POST {}", home.entries());
    let book = format!("PATCH {}", home.at);
    for reply in [
        call(&entries, &home.expense("1")).by(viewer).send().await,
        call(&book, &name).by(viewer).send().await,
        call(&book, &name).by(editor).send().await,
        world.call(&format!("POST {}/accounts/{}/close", home.at, home.bank)).by(viewer).send().await,
    ] {
        assert_eq!(reply.refusal(), "403 role_forbids");
    }
    assert_eq!(world.heads(), heads);
    assert_eq!(call(&entries, &home.expense("1")).by(editor).send().await.version(), 10);
    assert_eq!(call(&book, &name).send().await.json()["book"]["role"], "owner");
}

#[tokio::test]
async fn a_book_holds_only_so_many_accounts() {
    let world = World::new();
    let home = world.home().await;
    let open = async |number: usize| {
        world
            .post(&format!("{}/accounts", home.at), json!({"name": number.to_string(), "kind": "cash"}))
            .await
    };
    let replies = futures::future::join_all((2..500).map(&open)).await;
    assert!(replies.iter().all(|reply| reply.status == 201));
    let heads = world.heads();
    assert_eq!(open(500).await.refusal(), "422 limit_reached");
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn a_book_whose_key_was_forgotten_exists_already() {
    let world = World::new();
    let make = || world.call("POST /books").json(&json!({"name": "Home", "currency": "EUR"})).key("once");
    assert_eq!(make().send().await.status, 201);
    world.advance(TimeDelta::days(31));
    let world = world.restarted(|_| {});
    world.home().await;
    let world = world.restarted(|_| {});
    let make = || world.call("POST /books").json(&json!({"name": "Home", "currency": "EUR"})).key("once");
    let heads = world.heads();
    assert_eq!(make().send().await.refusal(), "409 book_exists");
    assert_eq!(world.heads(), heads);
}
