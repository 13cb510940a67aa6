//! Statements over HTTP: guessed, confirmed, taken in, taken back.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    faulty_journal::{Fault, FaultyJournal},
    world::{Call, Home, Place, Reply, World, ann, user},
};

const BOUNDARY: &str = "a-line-that-stands-nowhere-else";

/// Real twins on the 5th, and a line that is none.
const STATEMENT: &str = "\
Date;Payee;Purpose;Amount
01.10.2026;Landlord;Rent;-800,00
05.10.2026;Bakery;Bread;-2,80
05.10.2026;Bakery;Bread;-2,80
15.10.2026;Employer;Salary;3.124,55
20.10.2026;Bakery;Wrong;,-
21.10.2026;Shop;Money back;24,95
";

fn form(parts: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let parts: Vec<_> =
        parts.iter().map(|(name, file, content)| (*name, *file, content.as_bytes())).collect();
    form_of_bytes(&parts)
}

fn form_of_bytes(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        let file_name = file_name.map_or(String::new(), |file_name| format!("; filename=\"{file_name}\""));
        let head =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// A file of any format.
pub fn upload_bytes<'w>(
    world: &'w World,
    home: &Home,
    name: &str,
    file: &[u8],
    mapping: Option<&Value>,
    more: &[(&str, &str)],
) -> Call<'w> {
    let mapping = mapping.map(Value::to_string);
    let mut parts = vec![("file", Some(name), file)];
    parts.extend(mapping.as_deref().map(|mapping| ("mapping", None, mapping.as_bytes())));
    parts.extend(more.iter().map(|(name, value)| (*name, None, value.as_bytes())));
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    world.call(&format!("POST {}/imports", home.at)).text(&content_type, form_of_bytes(&parts))
}

fn send_form<'w>(world: &'w World, home: &Home, parts: &[(&str, Option<&str>, &str)]) -> Call<'w> {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    world.call(&format!("POST {}/imports", home.at)).text(&content_type, form(parts))
}

pub fn upload<'w>(
    world: &'w World,
    home: &Home,
    file: &str,
    mapping: Option<&Value>,
    more: &[(&str, &str)],
) -> Call<'w> {
    let mapping = mapping.map(Value::to_string);
    let mut parts = vec![("file", Some("statement.csv"), file)];
    parts.extend(mapping.as_deref().map(|mapping| ("mapping", None, mapping)));
    parts.extend(more.iter().map(|(name, value)| (*name, None, *value)));
    send_form(world, home, &parts)
}

fn mapping(home: &Home) -> Value {
    json!({
        "delimiter": ";",
        "date": "Date",
        "date_format": "DD.MM.YYYY",
        "amount": {"sign": "signed", "column": "Amount"},
        "decimal_mark": ",",
        "thousands_mark": ".",
        "payee": ["Payee"],
        "note": ["Purpose"],
        "account": home.bank,
        "default_expense_category": home.groceries,
        "default_income_category": home.salary,
    })
}

fn import(reply: &Reply) -> Value {
    assert!(reply.status < 300, "{} {}", reply.status, reply.body);
    reply.json()["import"].clone()
}

async fn balance(world: &World, home: &Home) -> String {
    world.balance(&home.book, &home.bank).await
}

/// `1000.00 − 800.00 − 2 × 2.80 + 3124.55 + 24.95`.
const AFTER: &str = "3343.90";

#[tokio::test]
async fn a_guess_is_confirmed_and_taken_in_and_taken_back() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let guessed = upload(&world, &home, STATEMENT, None, &[]).send().await;
    assert_eq!((guessed.status, guessed.header("etag")), (200, None), "{}", guessed.body);
    assert_eq!(world.heads(), heads);
    let guess = guessed.json();
    assert_eq!(guess["guess"]["mapping"]["account"], home.bank);
    assert_eq!(guess["guess"]["mapping"]["default_expense_category"], home.groceries);
    assert_eq!(guess["preview"].as_array().unwrap().len(), 6);
    assert_eq!(guess["preview"][0]["amount"], "-800.00");
    assert_eq!(guess["preview"][3]["amount"], "3124.55");

    let confirmed = &guess["guess"]["mapping"];
    let dry = upload(&world, &home, STATEMENT, Some(confirmed), &[("dry_run", "true")]).send().await;
    assert_eq!((dry.status, world.heads()), (200, heads));
    let report = dry.json();
    assert_eq!(
        (&report["dry_run"], &report["taken"], &report["duplicates"], &report["refused"]),
        (&json!(true), &json!(5), &json!(0), &json!(1))
    );
    assert_eq!(report["lines"][4]["code"], "amount_invalid");

    let taken = upload(&world, &home, STATEMENT, Some(confirmed), &[]).key("import").send().await;
    assert_eq!((taken.status, taken.version()), (201, 6), "{}", taken.body);
    assert_eq!(taken.header("etag"), Some("\"6\""));
    let id = taken.id();
    assert_eq!(taken.header("location"), Some(format!("/api/v1{}/imports/{id}", home.at).as_str()));
    let mut expected = json!({
        "id": id, "file_name": "statement.csv", "status": "finished",
        "lines": 6, "judged": 6, "taken": 5, "duplicates": 0, "refused": 1,
    });
    assert_eq!(import(&taken), expected);
    assert_eq!(balance(&world, &home).await, AFTER);

    let again = upload(&world, &home, STATEMENT, Some(confirmed), &[]).send().await;
    assert_eq!((import(&again)["taken"].clone(), import(&again)["duplicates"].clone()), (json!(0), json!(5)));
    assert_eq!(balance(&world, &home).await, AFTER);

    let revert = || world.call(&format!("POST {}/imports/{id}/revert", home.at)).key("revert");
    let reverted = revert().send().await;
    assert_eq!((reverted.status, reverted.version(), reverted.header("location")), (200, 8, None));
    expected["status"] = json!("reverted");
    assert_eq!(import(&reverted), expected);
    assert_eq!(balance(&world, &home).await, "1000.00");
    let repeated = revert().send().await;
    assert!(repeated.is_replayed() && repeated.essence() == reverted.essence());
    let other_key = world.call(&format!("POST {}/imports/{id}/revert", home.at)).send().await;
    assert_eq!(other_key.refusal(), "409 import_reverted");
    world.verify();
}

#[tokio::test]
async fn twins_stay_twins() {
    let world = World::new();
    let home = world.home().await;
    let one = "Date;Payee;Purpose;Amount\n05.10.2026;Bakery;Bread;-2,80\n";
    let import_lines = async |file: &str| {
        let reply = import(&upload(&world, &home, file, Some(&mapping(&home)), &[]).send().await);
        (reply["taken"].as_u64().unwrap(), reply["duplicates"].as_u64().unwrap())
    };
    assert_eq!(import_lines(one).await, (1, 0));
    let two = format!("{one}05.10.2026;Bakery;Bread;-2,80\n");
    assert_eq!(import_lines(&two).await, (1, 1));
    assert_eq!(import_lines(&two).await, (0, 2));
    assert_eq!(balance(&world, &home).await, "994.40");
}

#[tokio::test]
async fn all_or_nothing_names_every_bad_line_and_writes_nothing() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let file = format!("{STATEMENT}32.10.2026;Shop;No day;-1,00\n");
    let all = [("mode", "all")];
    let refused = upload(&world, &home, &file, Some(&mapping(&home)), &all).key("all").send().await;
    assert_eq!(refused.refusal(), "422 import_refused /lines/6 /lines/8");
    assert_eq!(refused.outcome().as_deref(), Some("not_applied"));
    assert!(refused.json()["errors"][1]["detail"].as_str().unwrap().contains("date_invalid"));
    assert_eq!(world.heads(), heads);

    let good: String =
        STATEMENT.lines().filter(|line| !line.contains("Wrong")).flat_map(|line| [line, "\n"]).collect();
    let send = || upload(&world, &home, &good, Some(&mapping(&home)), &all).key("all");
    let taken = send().send().await;
    assert_eq!((taken.status, taken.version()), (201, 6), "{}", taken.body);
    assert_eq!(balance(&world, &home).await, AFTER);
    let again = send().send().await;
    assert!(again.is_replayed() && again.essence() == taken.essence(), "{}", again.body);
    // Also when the lines could no longer be taken.
    world.call(&format!("POST {}/imports/{}/revert", home.at, taken.id())).send().await;
    world.call(&format!("POST {}/accounts/{}/close", home.at, home.bank)).send().await;
    let again = send().send().await;
    assert!(again.is_replayed() && again.essence() == taken.essence(), "{}", again.body);
}

#[tokio::test]
async fn a_dry_run_says_the_same_before_and_after_with_any_key() {
    let world = World::new();
    let home = world.home().await;
    let send = |more: &'static [(&str, &str)]| {
        upload(&world, &home, STATEMENT, Some(&mapping(&home)), more).key("k")
    };
    assert_eq!(send(&[("dry_run", "true")]).send().await.json()["taken"], 5);
    assert_eq!(send(&[("dry_run", "false")]).send().await.status, 201);
    let dry = send(&[("dry_run", "true")]).send().await;
    assert_eq!((dry.status, &dry.json()["duplicates"]), (200, &json!(5)), "{}", dry.body);
    assert!(send(&[]).send().await.is_replayed());
}

#[tokio::test]
async fn an_import_that_was_cut_short_is_finished_by_the_same_key_and_taken_once() {
    for fault in [Fault::Refuse, Fault::LoseAnswer, Fault::LoseAll, Fault::ForeignClaim] {
        let place = Place::new();
        let journal = FaultyJournal::around(place.journal());
        let world = World::on(place, Arc::clone(&journal) as _, |config| config.import_commit_lines = 2);
        let home = world.home().await;
        // The first commit goes through, the second does not.
        journal.plan([Fault::None, fault]);
        let send = || upload(&world, &home, STATEMENT, Some(&mapping(&home)), &[]).key("import");
        let first = send().send().await;
        if fault != Fault::LoseAnswer {
            assert_eq!(first.refusal(), "503 unavailable", "{fault:?}");
            let started = world.owners.chart(home.id(), ann()).await.unwrap().imports;
            let id = started.first().unwrap();
            let revert = world.call(&format!("POST {}/imports/{id}/revert", home.at)).send().await;
            assert_eq!(revert.refusal(), "409 import_unfinished");
        }
        let finished = send().send().await;
        assert_eq!(import(&finished)["status"], "finished", "{fault:?}");
        assert_eq!(import(&finished)["taken"], 5, "{fault:?}");
        assert_eq!(balance(&world, &home).await, AFTER, "{fault:?}");
        let again = send().send().await;
        assert!(again.is_replayed() && again.essence() == finished.essence());
        assert_eq!(balance(&world, &home).await, AFTER, "{fault:?}");
        world.verify();
    }
}

#[tokio::test]
async fn an_import_goes_on_after_a_restart_without_decision_state() {
    let place = Place::new();
    let journal = FaultyJournal::around(place.journal());
    let world = World::on(place, Arc::clone(&journal) as _, |config| config.import_commit_lines = 2);
    let home = world.home().await;
    journal.plan([Fault::None, Fault::Refuse]);
    let interrupted = upload(&world, &home, STATEMENT, Some(&mapping(&home)), &[]).key("import").send().await;
    assert_eq!(interrupted.status, 503);
    drop(journal);
    let world = world.restarted(|place| std::fs::remove_dir_all(place.decisions()).unwrap());
    let finished = upload(&world, &home, STATEMENT, Some(&mapping(&home)), &[]).key("import").send().await;
    assert_eq!((&import(&finished)["status"], &import(&finished)["taken"]), (&json!("finished"), &json!(5)));
    assert_eq!(balance(&world, &home).await, AFTER);
}

#[tokio::test]
async fn a_long_import_is_reverted_in_several_commits() {
    let world = World::new();
    let home = world.home().await;
    let mut file = "Date;Payee;Purpose;Amount\n".to_owned();
    for line in 0..2_500 {
        file.push_str(&format!("01.10.2026;Shop {line};x;-0,01\n"));
    }
    let taken = upload(&world, &home, &file, Some(&mapping(&home)), &[]).send().await;
    assert_eq!((import(&taken)["taken"].clone(), taken.version()), (json!(2_500), 10));
    assert_eq!(balance(&world, &home).await, "975.00");
    let revert = || world.call(&format!("POST {}/imports/{}/revert", home.at, taken.id())).key("revert");
    let reverted = revert().send().await;
    assert_eq!((import(&reverted)["status"].clone(), reverted.version()), (json!("reverted"), 13));
    assert_eq!(balance(&world, &home).await, "1000.00");
    assert_eq!(revert().send().await.essence(), reverted.essence());
    world.verify();
}

#[tokio::test]
async fn all_or_nothing_is_nothing_too_when_the_book_changes_in_between() {
    let place = Place::new();
    let journal = FaultyJournal::around(place.journal());
    let world = World::on(place, Arc::clone(&journal) as _, |_| {});
    let home = world.home().await;
    let mut file = "Date;Payee;Purpose;Amount\n".to_owned();
    for line in 0..10_500 {
        file.push_str(&format!("01.10.2026;Shop {line};x;-0,01\n"));
    }
    // The first ten thousand lines go in, the others do not, and then the account is closed.
    journal.plan([Fault::None, Fault::Refuse]);
    let send =
        || upload(&world, &home, &file, Some(&mapping(&home)), &[("mode", "all")]).key("import").send();
    assert_eq!(send().await.refusal(), "503 unavailable");
    assert_eq!(balance(&world, &home).await, "900.00");
    world.call(&format!("POST {}/accounts/{}/close", home.at, home.bank)).send().await;
    assert_eq!(send().await.refusal(), "422 import_refused");
    assert_eq!(balance(&world, &home).await, "1000.00");
    assert_eq!(send().await.refusal(), "409 import_finished");
    assert_eq!(balance(&world, &home).await, "1000.00");
    world.verify();
}

#[tokio::test]
async fn one_key_imports_one_file_in_one_way() {
    let world = World::new();
    let home = world.home().await;
    let send = async |file: &str, mapping: &Value, more: &[(&str, &str)]| {
        upload(&world, &home, file, Some(mapping), more).key("import").send().await
    };
    assert_eq!(send(STATEMENT, &mapping(&home), &[]).await.status, 201);
    let heads = world.heads();
    let mut other_mapping = mapping(&home);
    other_mapping["invert_sign"] = json!(true);
    let other_file = STATEMENT.replace("800", "801");
    for reply in [
        send(&other_file, &mapping(&home), &[]).await,
        send(STATEMENT, &other_mapping, &[]).await,
        send(STATEMENT, &mapping(&home), &[("mode", "all")]).await,
    ] {
        assert_eq!(reply.refusal(), "422 idempotency_key_reused");
    }
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn an_import_is_made_on_a_condition() {
    let world = World::with(|config| config.import_commit_lines = 2);
    let home = world.home().await;
    let send =
        |version| upload(&world, &home, STATEMENT, Some(&mapping(&home)), &[]).if_match(version).send();
    assert_eq!(send(4).await.refusal(), "412 version_conflict");
    assert_eq!(send(5).await.version(), 8);
}

#[tokio::test]
async fn money_that_no_account_can_hold_is_not_imported() {
    let world = World::new();
    let home = world.home().await;
    let heads = world.heads();
    let mut file = "Date;Payee;Purpose;Amount\n".to_owned();
    for line in 0..9_300 {
        file.push_str(&format!("01.10.2026;Shop {line};x;9999999999999,99\n"));
    }
    let reply = upload(&world, &home, &file, Some(&mapping(&home)), &[("mode", "all")]).send().await;
    assert_eq!(reply.refusal(), "422 balance_out_of_range /amount");
    assert_eq!(world.heads(), heads);
}

#[tokio::test]
async fn forms_that_cannot_be_used_are_refused() {
    let world = World::with(|config| config.import_bytes_max = 100_000);
    let home = world.home().await;
    let heads = world.heads();
    let with = |name: &str, value: Value| {
        let mut mapping = mapping(&home);
        mapping[name] = value;
        mapping
    };
    let mut without_account = mapping(&home);
    without_account.as_object_mut().unwrap().remove("account");
    let no_account = json!("acc_01kb0d5j6hf2xv9d6q8m4r7t3a");
    let no_category = json!("cat_01kb0d5j6hf2xv9d6q8m4r7t3a");
    let rules =
        json!([{"contains": "a", "category": home.groceries}, {"contains": "b", "category": no_category}]);
    for (mapping, expected) in [
        (with("colum", json!(1)), "422 unknown_field /mapping/colum"),
        (with("delimiter", json!("ab")), "422 invalid_value /mapping/delimiter"),
        (with("decimal_mark", json!("x")), "422 statement_mapping_invalid"),
        (with("date", json!("Day")), "422 statement_column_not_found"),
        (with("account", no_account), "422 unknown_account /mapping/account"),
        (without_account, "422 field_missing /mapping/account"),
        (
            with("default_income_category", no_category),
            "422 unknown_category /mapping/default_income_category",
        ),
        (with("rules", rules), "422 unknown_category /mapping/rules/1/category"),
    ] {
        let reply = upload(&world, &home, STATEMENT, Some(&mapping), &[]).send().await;
        assert_eq!(reply.refusal(), expected, "{mapping} {}", reply.body);
    }

    let file = ("file", Some("x.csv"), STATEMENT);
    let good = mapping(&home).to_string();
    let large = "x".repeat(2 << 20);
    let forms = [
        (vec![file, ("colour", None, "red")], "422 unknown_field /colour"),
        (vec![("mapping", None, good.as_str())], "422 field_missing /file"),
        (vec![], "422 field_missing /file"),
        (vec![file, file], "422 invalid_value /file"),
        (vec![file, ("dry_run", None, "yes")], "422 unknown_value /dry_run"),
        (vec![file, ("mode", None, "most")], "422 unknown_value /mode"),
        (vec![file, ("mapping", None, "{")], "400 malformed_json"),
        (vec![("file", Some("x.csv"), ""), ("mapping", None, &good)], "422 statement_empty"),
        (vec![("file", Some("x.csv"), "%PDF-1.7")], "422 statement_not_text"),
        (vec![("file", Some("x.csv"), "nothing here\n")], "422 statement_format_not_recognised"),
        (vec![("file", Some("x.csv"), large.as_str())], "413 body_too_large"),
    ];
    for (parts, expected) in forms {
        let reply = send_form(&world, &home, &parts).send().await;
        let names: Vec<_> = parts.iter().map(|(name, ..)| name).collect();
        assert_eq!(reply.refusal(), expected, "{names:?} {}", reply.body);
    }
    let route = format!("POST {}/imports", home.at);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for (content_type, body, expected) in [
        ("application/json", b"{}".to_vec(), "415 unsupported_media_type"),
        ("multipart/form-data", form(&[file]), "415 unsupported_media_type"),
        (content_type.as_str(), b"nonsense".to_vec(), "400 body_incomplete"),
        (content_type.as_str(), form(&[file])[..200].to_vec(), "400 body_incomplete"),
    ] {
        let reply = world.call(&route).text(content_type, body).send().await;
        assert_eq!(reply.refusal(), expected, "{content_type}");
    }
    let stranger = upload(&world, &home, STATEMENT, None, &[]).by(user(2)).send().await;
    assert_eq!(stranger.refusal(), "404 book_not_found");
    assert_eq!(world.heads(), heads);
}
