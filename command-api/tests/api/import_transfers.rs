//! A transfer that appears in both accounts' files is one entry.

use serde_json::{Value, json};

use crate::{
    imports::upload,
    world::{Home, World},
};

const HEADER: &str = "Date;Payee;Purpose;Amount\n";

fn mapping(home: &Home, account: &str, transfers: Value) -> Value {
    json!({
        "delimiter": ";",
        "date": "Date",
        "date_format": "DD.MM.YYYY",
        "amount": {"sign": "signed", "column": "Amount"},
        "decimal_mark": ",",
        "thousands_mark": ".",
        "payee": ["Payee"],
        "note": ["Purpose"],
        "account": account,
        "transfers": transfers,
        "default_expense_category": home.groceries,
        "default_income_category": home.salary,
    })
}

/// Takes lines of an account in, and says what became of them: taken, known, refused.
async fn take(world: &World, home: &Home, account: &str, transfers: Value, lines: &str) -> (u64, u64, u64) {
    let mapping = mapping(home, account, transfers);
    // The worlds of some tests start anew, and their keys with them.
    let key =
        format!("at-{:?}", world.heads().iter().map(|head| head.0).collect::<Vec<_>>()).replace(' ', "");
    let reply = upload(world, home, &format!("{HEADER}{lines}"), Some(&mapping), &[]).key(&key).send().await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let import = reply.json()["import"].clone();
    let count = |name: &str| import[name].as_u64().unwrap();
    (count("taken"), count("duplicates"), count("refused"))
}

async fn balances(world: &World, home: &Home) -> (String, String) {
    (world.balance(&home.book, &home.bank).await, world.balance(&home.book, &home.cash).await)
}

fn pair(bank: &str, cash: &str) -> (String, String) {
    (bank.to_owned(), cash.to_owned())
}

#[tokio::test]
async fn both_files_say_that_it_is_a_transfer_and_it_is_one_entry() {
    let world = World::new();
    let home = world.home().await;
    let (to_cash, to_bank) = (json!({"atm": home.cash}), json!({"from bank": home.bank}));
    let bank = "03.10.2026;ATM;Withdrawal;-100,00\n";
    let cash = "05.10.2026;From bank;;100,00\n";
    assert_eq!(take(&world, &home, &home.bank, to_cash.clone(), bank).await, (1, 0, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "100.00"));
    assert_eq!(take(&world, &home, &home.cash, to_bank.clone(), cash).await, (0, 1, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "100.00"));
    // Each side is known again by its own line.
    assert_eq!(take(&world, &home, &home.cash, to_bank, cash).await, (0, 1, 0));
    assert_eq!(take(&world, &home, &home.bank, to_cash, bank).await, (0, 1, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "100.00"));
    world.verify();
}

#[tokio::test]
async fn it_is_one_entry_whichever_file_comes_first_and_whichever_says_so() {
    for says in ["bank", "cash", "both"] {
        for first in ["bank", "cash"] {
            let world = World::new();
            let home = world.home().await;
            let none = || json!({});
            let of_bank = if says == "cash" { none() } else { json!({"atm": home.cash}) };
            let of_cash = if says == "bank" { none() } else { json!({"from bank": home.bank}) };
            // Twins stay twins, and what is no transfer stays what it is.
            let bank = "03.10.2026;ATM;;-100,00\n03.10.2026;ATM;;-100,00\n04.10.2026;Shop;;-7,00\n";
            let cash =
                "04.10.2026;From bank;;100,00\n04.10.2026;From bank;;100,00\n05.10.2026;Kiosk;;-3,00\n";
            let mut counts = (0, 0);
            for file in if first == "bank" { ["bank", "cash"] } else { ["cash", "bank"] } {
                let (taken, known, refused) = match file {
                    "bank" => take(&world, &home, &home.bank, of_bank.clone(), bank).await,
                    _ => take(&world, &home, &home.cash, of_cash.clone(), cash).await,
                };
                assert_eq!(refused, 0);
                counts = (counts.0 + taken, counts.1 + known);
            }
            assert_eq!(counts, (4, 2), "{first} first, {says} says so");
            assert_eq!(
                balances(&world, &home).await,
                pair("793.00", "197.00"),
                "{first} first, {says} says so"
            );
        }
    }
}

#[tokio::test]
async fn a_line_that_nothing_is_known_of_is_the_side_that_a_transfer_waits_for() {
    let world = World::new();
    let home = world.home().await;
    let bank = "03.10.2026;ATM;Withdrawal;-100,00\n";
    let cash = "05.10.2026;Teller;;100,00\n05.10.2026;Teller;;100,00\n";
    take(&world, &home, &home.bank, json!({"atm": home.cash}), bank).await;
    // The second is another hundred: one side of a transfer is told of once.
    assert_eq!(take(&world, &home, &home.cash, json!({}), cash).await, (1, 1, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "200.00"));
    assert_eq!(take(&world, &home, &home.cash, json!({}), cash).await, (0, 2, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "200.00"));
}

#[tokio::test]
async fn days_and_amounts_that_do_not_fit_are_no_side_of_it() {
    let world = World::new();
    let home = world.home().await;
    let bank = "03.10.2026;ATM;Withdrawal;-100,00\n";
    take(&world, &home, &home.bank, json!({"atm": home.cash}), bank).await;
    let cash = "07.10.2026;Teller;;100,00\n03.10.2026;Teller;;100,01\n03.10.2026;Teller;;-100,00\n";
    assert_eq!(take(&world, &home, &home.cash, json!({}), cash).await, (3, 0, 0));
}

#[tokio::test]
async fn what_was_taken_for_spending_becomes_a_transfer_when_the_other_side_says_so() {
    let world = World::new();
    let home = world.home().await;
    let bank = "03.10.2026;Withdrawal;Corner;-100,00\n";
    take(&world, &home, &home.bank, json!({}), bank).await;
    assert_eq!(balances(&world, &home).await, pair("900.00", "0.00"));
    let mapped = mapping(&home, &home.cash, json!({"from bank": home.bank}));
    let file = format!("{HEADER}04.10.2026;From bank;;100,00\n04.10.2026;Kiosk;;-4,00\n");
    let taken = upload(&world, &home, &file, Some(&mapped), &[]).send().await;
    assert_eq!(
        (&taken.json()["import"]["taken"], &taken.json()["import"]["duplicates"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(balances(&world, &home).await, pair("900.00", "96.00"));

    // Taken back, it is spending again, and the file can come anew.
    let revert = world.call(&format!("POST {}/imports/{}/revert", home.at, taken.id())).send().await;
    assert_eq!(revert.status, 200, "{}", revert.body);
    assert_eq!(balances(&world, &home).await, pair("900.00", "0.00"));
    let again = upload(&world, &home, &file, Some(&mapped), &[]).send().await;
    assert_eq!(again.json()["import"]["duplicates"], 1);
    assert_eq!(balances(&world, &home).await, pair("900.00", "96.00"));
    world.verify();
}

#[tokio::test]
async fn undoing_the_import_that_made_a_transfer_makes_it_spending_again() {
    let world = World::new();
    let home = world.home().await;
    take(&world, &home, &home.bank, json!({}), "03.10.2026;Withdrawal;Corner;-100,00\n").await;
    let to_bank = json!({"from bank": home.bank});
    let cash = "04.10.2026;From bank;;100,00\n04.10.2026;Kiosk;;-4,00\n";
    assert_eq!(take(&world, &home, &home.cash, to_bank.clone(), cash).await, (1, 1, 0));
    let version = world.commits().iter().map(|commit| commit.version).max().unwrap();
    let undo = async |version: u64| {
        let undone = world.call(&format!("POST {}/history/{version}/undo", home.at)).send().await;
        assert_eq!(undone.status, 200, "{}", undone.body);
        undone.version()
    };
    // The bank's own import cannot go first: its entry has become half of something else.
    let first = world.call(&format!("POST {}/history/{}/undo", home.at, version - 1)).send().await;
    assert_eq!(first.refusal(), "409 undo_conflicts");
    let undone = undo(version).await;
    assert_eq!(balances(&world, &home).await, pair("900.00", "0.00"));
    undo(undone).await;
    assert_eq!(balances(&world, &home).await, pair("900.00", "96.00"));
    // The line is known again, whether its import was undone in between or not.
    assert_eq!(take(&world, &home, &home.cash, to_bank, cash).await, (0, 2, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "96.00"));
    world.verify();
}

#[tokio::test]
async fn what_somebody_has_sorted_stays_what_it_is() {
    let world = World::new();
    let home = world.home().await;
    take(&world, &home, &home.bank, json!({}), "03.10.2026;Withdrawal;Corner;-100,00\n").await;
    let entry = imported_entry(&world);
    let gifts =
        world.post(&format!("{}/categories", home.at), json!({"name": "Gifts", "kind": "expense"})).await;
    let sorted = world.patch(&format!("{}/{entry}", home.entries()), json!({"category": gifts.id()})).await;
    assert_eq!(sorted.status, 200, "{}", sorted.body);
    let to_bank = json!({"from bank": home.bank});
    let cash = "04.10.2026;From bank;;100,00\n";
    assert_eq!(take(&world, &home, &home.cash, to_bank, cash).await, (1, 0, 0));
    assert_eq!(balances(&world, &home).await, pair("800.00", "100.00"));
}

#[tokio::test]
async fn where_several_could_be_the_other_side_the_line_is_refused_and_nothing_guessed() {
    let world = World::new();
    let home = world.home().await;
    let bank = "03.10.2026;Withdrawal;Corner;-100,00\n03.10.2026;Jeweller;Ring;-100,00\n";
    take(&world, &home, &home.bank, json!({}), bank).await;
    let to_bank = json!({"from bank": home.bank});
    let cash = "04.10.2026;From bank;;100,00\n";
    assert_eq!(take(&world, &home, &home.cash, to_bank.clone(), cash).await, (0, 0, 1));
    let all = mapping(&home, &home.cash, to_bank);
    let file = format!("{HEADER}{cash}");
    let refused = upload(&world, &home, &file, Some(&all), &[("mode", "all")]).send().await;
    assert_eq!(refused.refusal(), "422 import_refused /lines/2");
    assert!(refused.json()["errors"][0]["detail"].as_str().unwrap().contains("transfer_ambiguous"));
    assert_eq!(balances(&world, &home).await, pair("800.00", "0.00"));
}

#[tokio::test]
async fn lines_that_cannot_be_told_apart_are_as_good_as_one_another() {
    let world = World::new();
    let home = world.home().await;
    let bank = "03.10.2026;ATM;;-100,00\n03.10.2026;ATM;;-100,00\n";
    take(&world, &home, &home.bank, json!({}), bank).await;
    let to_bank = json!({"from bank": home.bank});
    let cash = "03.10.2026;From bank;;100,00\n03.10.2026;From bank;;100,00\n";
    assert_eq!(take(&world, &home, &home.cash, to_bank, cash).await, (0, 2, 0));
    assert_eq!(balances(&world, &home).await, pair("800.00", "200.00"));
}

#[tokio::test]
async fn a_reverted_import_no_longer_tells_of_its_side() {
    let world = World::new();
    let home = world.home().await;
    take(&world, &home, &home.bank, json!({"atm": home.cash}), "03.10.2026;ATM;;-100,00\n").await;
    let file = format!("{HEADER}03.10.2026;Teller;;100,00\n");
    let mapped = mapping(&home, &home.cash, json!({}));
    let mirrored = upload(&world, &home, &file, Some(&mapped), &[]).send().await;
    assert_eq!(mirrored.json()["import"]["duplicates"], 1);
    let revert = world.call(&format!("POST {}/imports/{}/revert", home.at, mirrored.id())).send().await;
    assert_eq!(revert.status, 200, "{}", revert.body);
    assert_eq!(balances(&world, &home).await, pair("900.00", "100.00"));
    // Another line of the account may tell of it now.
    assert_eq!(take(&world, &home, &home.cash, json!({}), "04.10.2026;Machine;;100,00\n").await, (0, 1, 0));
}

#[tokio::test]
async fn sides_that_were_told_of_are_remembered_without_decision_state() {
    let world = World::new();
    let home = world.home().await;
    take(&world, &home, &home.bank, json!({"atm": home.cash}), "03.10.2026;ATM;;-100,00\n").await;
    let cash = "03.10.2026;Teller;;100,00\n";
    take(&world, &home, &home.cash, json!({}), cash).await;
    let world = world.restarted(|_| {});
    assert_eq!(take(&world, &home, &home.cash, json!({}), cash).await, (0, 1, 0));
    let world = world.restarted(|place| std::fs::remove_dir_all(place.decisions()).unwrap());
    assert_eq!(take(&world, &home, &home.cash, json!({}), cash).await, (0, 1, 0));
    assert_eq!(balances(&world, &home).await, pair("900.00", "100.00"));
}

/// The entry that came in last.
fn imported_entry(world: &World) -> String {
    let commits = world.commits();
    let events = commits.iter().flat_map(|commit| &commit.events);
    let mut entries = events.filter_map(|event| match event {
        domain::Event::EntryAdded { entry } if entry.imported.is_some() => Some(entry.id.to_string()),
        _ => None,
    });
    entries.next_back().unwrap()
}
