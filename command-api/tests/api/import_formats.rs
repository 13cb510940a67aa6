//! Files of every format over HTTP: guessed, confirmed as guessed, taken in, known again, taken back.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    imports::upload_bytes,
    world::{Home, World},
};

/// Files as the programs write them, with the rows that were told from them by hand.
fn samples() -> Vec<(String, Vec<u8>, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements/formats");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expected.json"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let expected = fs::read(path.with_extension("expected.json")).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap(), serde_json::from_slice(&expected).unwrap())
    };
    paths.iter().map(read).collect()
}

/// An empty book in the currency of most samples.
async fn empty(world: &World, currency: &str) -> Home {
    let new = json!({"name": "Empty", "currency": currency, "empty": true});
    let book = world.post("/books", new).await.id();
    let none = String::new;
    Home { at: format!("/books/{book}"), book, bank: none(), cash: none(), groceries: none(), salary: none() }
}

async fn all_balances(world: &World, home: &Home) -> Vec<String> {
    let chart = world.owners.chart(home.id(), crate::world::ann()).await.unwrap();
    let open = chart.accounts.iter();
    open.map(|(_, account)| format!("{} {}", account.currency, account.balance_minor)).collect()
}

#[tokio::test]
async fn every_sample_goes_in_as_guessed_once_and_comes_out_again() {
    let world = World::new();
    let samples = samples();
    assert!(samples.len() >= 12, "only {} samples", samples.len());
    for (name, bytes, expected) in samples {
        let home = empty(&world, "EUR").await;
        let currency = expected["accounts"][0]["currency"].as_str().unwrap_or("EUR");
        let own = json!({"name": "Own account", "kind": "bank", "currency": currency});
        world.post(&format!("{}/accounts", home.at), own).await.id();
        let spent = json!({"name": "Other spending", "kind": "expense"});
        world.post(&format!("{}/categories", home.at), spent).await.id();
        let earned = json!({"name": "Other earnings", "kind": "income"});
        world.post(&format!("{}/categories", home.at), earned).await.id();

        let guessed = upload_bytes(&world, &home, &name, &bytes, None, &[]).send().await;
        assert_eq!(guessed.status, 200, "{name}: {}", guessed.body);
        let guess = guessed.json()["guess"].clone();
        assert_eq!(guess["mapping"]["format"], expected["format"], "{name}");
        let mut mapping = guess["mapping"].clone();
        // A bank's own number says nothing to the book; with several of them, somebody would have to say which is which.
        mapping["create_missing"] = json!(true);

        let dry = [("dry_run", "true")];
        let dry = upload_bytes(&world, &home, &name, &bytes, Some(&mapping), &dry).send().await;
        assert_eq!(dry.status, 200, "{name}: {}", dry.body);
        let before = all_balances(&world, &home).await;
        let taken = upload_bytes(&world, &home, &name, &bytes, Some(&mapping), &[]).send().await;
        assert_eq!(taken.status, 201, "{name}: {}", taken.body);
        let import = taken.json()["import"].clone();
        let lines = dry.json()["lines"].clone();
        // What the reader takes the rules may refuse: money of another currency than the account's.
        let all_refused = lines.as_array().unwrap().iter().filter(|line| line["verdict"] == "refused");
        let (by_rules, by_reader): (Vec<&Value>, Vec<&Value>) =
            all_refused.partition(|line| line["code"] == "currency_mismatch");
        let by_reader: Vec<Value> =
            by_reader.iter().map(|line| json!({"line": line["line"], "code": line["code"]})).collect();
        assert_eq!(json!(by_reader), expected["refused"], "{name}: {lines:#}");
        let counts =
            |import: &Value| ["taken", "duplicates", "refused"].map(|name| import[name].as_u64().unwrap());
        let [first_taken, first_known, _] = counts(&import);
        let rows = expected["rows"].as_array().unwrap().len() as u64 - by_rules.len() as u64;
        assert_eq!(first_taken + first_known, rows, "{name}: {import}");

        let known = all_balances(&world, &home).await;
        let second = upload_bytes(&world, &home, &name, &bytes, Some(&mapping), &[]).send().await;
        let [second_taken, second_known, _] = counts(&second.json()["import"]);
        assert_eq!((second_taken, second_known), (0, rows), "{name}: {}", second.body);
        assert_eq!(all_balances(&world, &home).await, known, "{name}");

        for id in [second.id(), taken.id()] {
            let revert = world.call(&format!("POST {}/imports/{id}/revert", home.at)).send().await;
            assert_eq!(revert.status, 200, "{name}: {}", revert.body);
        }
        let zero = |balance: &String| balance.ends_with(" 0");
        assert!(all_balances(&world, &home).await.iter().all(zero), "{name}: {before:?}");
    }
    world.verify();
}

async fn named_balances(world: &World, home: &Home) -> Vec<(String, String)> {
    let chart = world.owners.chart(home.id(), crate::world::ann()).await.unwrap();
    let told = |account: &domain::book::Account| {
        let money = domain::money::Money { minor: account.balance_minor, currency: account.currency };
        (account.name.as_str().unwrap().to_owned(), format!("{} {}", money.decimal(), account.currency))
    };
    let mut balances: Vec<_> = chart.accounts.values().map(told).collect();
    balances.sort();
    balances
}

fn sample(name: &str) -> (Vec<u8>, Value) {
    let (_, bytes, expected) = samples().into_iter().find(|(known, ..)| known == name).unwrap();
    (bytes, expected)
}

/// Takes a ledger whole into a book without anything.
pub async fn taken_in(world: &World, name: &str) -> Home {
    let home = empty(world, "EUR").await;
    let (bytes, expected) = sample(name);
    let mapping = json!({"format": expected["format"], "create_missing": true});
    let taken = upload_bytes(world, &home, name, &bytes, Some(&mapping), &[]).send().await;
    assert_eq!(taken.status, 201, "{}", taken.body);
    home
}

fn entries(world: &World, home: &Home) -> Vec<domain::entry::Entry> {
    let commits = world.commits();
    let events = commits.iter().filter(|commit| commit.book == home.id()).flat_map(|commit| &commit.events);
    let added = events.filter_map(|event| match event {
        domain::Event::EntryAdded { entry } => Some(entry.clone()),
        _ => None,
    });
    added.collect()
}

#[tokio::test]
async fn a_register_of_several_accounts_brings_accounts_categories_splits_and_transfers() {
    let world = World::new();
    let home = taken_in(&world, "ynab_register.csv").await;
    // 1500 − 84.20 + 2810.55 − 150 − 100 + 12.50 − 40; 100; −40 + 40 − 5: added up by hand.
    let expected = [("Checking", "3948.85 EUR"), ("Pocket", "100.00 EUR"), ("Visa", "-5.00 EUR")];
    let expected = expected.map(|(name, balance)| (name.to_owned(), balance.to_owned()));
    assert_eq!(named_balances(&world, &home).await, expected);
    let entries = entries(&world, &home);
    let of_kind = |kind| entries.iter().filter(|entry| entry.kind == kind).count();
    use domain::entry::EntryKind;
    let kinds = EntryKind::ALL.map(of_kind);
    // Expenses, incomes, refunds, transfers (each of two rows one entry), openings, balanced ones.
    assert_eq!(kinds, [4, 1, 1, 2, 1, 0]);
    assert!(entries.iter().any(|entry| entry.categories().count() == 2), "the split has both its parts");
}

#[tokio::test]
async fn a_transfer_between_currencies_is_taken_with_both_its_amounts() {
    let world = World::new();
    let home = taken_in(&world, "firefly_export.csv").await;
    let transfer = entries(&world, &home).into_iter().find(|entry| {
        let mut currencies = entry.accounts().map(|(_, money)| money.currency);
        currencies.next() != currencies.next() && entry.kind == domain::entry::EntryKind::Transfer
    });
    let moved: Vec<String> = transfer
        .unwrap()
        .accounts()
        .map(|(_, money)| format!("{} {}", money.decimal(), money.currency))
        .collect();
    assert_eq!(moved, ["-100.00 EUR", "95.50 CHF"]);
}

#[tokio::test]
async fn accounts_can_be_mapped_left_out_or_refused() {
    let world = World::new();
    let home = world.home().await;
    let (bytes, _) = sample("ynab_register.csv");
    let import = async |accounts: Value, create: bool| {
        let mapping = json!({"format": "ynab_csv", "accounts": accounts, "create_missing": create,
            "categories": {"Home / Repairs": home.groceries},
            "rules": [{"contains": "fuel", "category": home.groceries}]});
        let dry = [("dry_run", "true")];
        let reply = upload_bytes(&world, &home, "register.csv", &bytes, Some(&mapping), &dry).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    let codes = |report: &Value| {
        let lines = report["lines"].as_array().unwrap().clone();
        let mut codes: Vec<String> =
            lines.iter().filter_map(|line| line["code"].as_str().map(str::to_owned)).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    let report = import(json!({"Checking": home.bank}), false).await;
    assert_eq!(codes(&report), ["amount_zero", "unknown_account"]);
    let all = json!({"Checking": home.bank, "Pocket": home.cash, "Visa": null});
    let report = import(all, true).await;
    assert_eq!(codes(&report), ["amount_zero"]);
    // Its three lines are not even counted; what went to it from elsewhere is spending.
    assert!(
        report["lines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["line"].as_u64().unwrap() < 10 || line["line"] == 12 || line["line"] == 14),
        "{report:#}"
    );
    let unknown = json!({"format": "ynab_csv", "accounts": {"Checking": "acc_x"},
        "transfers": {"a/b": "acc_x"}, "transfer_days": 99});
    let refused = upload_bytes(&world, &home, "register.csv", &bytes, Some(&unknown), &[]).send().await;
    assert_eq!(
        refused.refusal(),
        "422 invalid_fields /mapping/accounts/Checking /mapping/transfers/a~1b /mapping/transfer_days"
    );
}

#[tokio::test]
async fn an_id_of_the_clients_own_names_the_import_once() {
    let world = World::new();
    let home = world.home().await;
    let (bytes, _) = sample("ynab_register.csv");
    let mapping = json!({"format": "ynab_csv", "create_missing": true});
    let id = "imp_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let send = |key: &'static str| {
        upload_bytes(&world, &home, "register.csv", &bytes, Some(&mapping), &[("id", id)]).key(key)
    };
    let taken = send("one").send().await;
    assert_eq!((taken.status, taken.id().as_str()), (201, id), "{}", taken.body);
    let again = send("one").send().await;
    assert!(again.is_replayed() && again.essence() == taken.essence());
    assert_eq!(send("two").send().await.refusal(), "422 id_taken /id");
}
