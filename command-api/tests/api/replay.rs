//! The journal is the truth: what is kept beside it comes to the same when it is made again.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use journal::{Journal, Position, sqlite::SqliteJournal};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rusqlite::{Connection, types::Value as Cell};
use serde_json::{Value, json};

use crate::world::{Home, PARTITIONS, Place, World, copy_files};

/// Does something at random to one of the homes; what is refused is part of the game.
async fn act(world: &World, homes: &[Home], known: &mut BTreeMap<String, Vec<String>>, dice: &mut StdRng) {
    let home = &homes[dice.random_range(0..homes.len())];
    let at = &home.at;
    let pick = |of: &str, known: &BTreeMap<String, Vec<String>>, dice: &mut StdRng| {
        let ids = &known[&format!("{of} {at}")];
        ids[dice.random_range(0..ids.len())].clone()
    };
    let amount = format!("{}.{:02}", dice.random_range(0..50), dice.random_range(1..100));
    let name = format!("Name {}", dice.random_range(0..30));
    let (account, to_account) = (pick("accounts", known, dice), pick("accounts", known, dice));
    let (category, parent) = (pick("categories", known, dice), pick("categories", known, dice));
    let entry = pick("entries", known, dice);
    let day = format!("2026-{:02}-{:02}", dice.random_range(1..13), dice.random_range(1..29));
    let mut new = json!({"kind": "expense", "occurred_on": day, "account": account, "amount": amount, "category": category, "payee": name, "tags": ["a", name]});
    match dice.random_range(0..4) {
        0 => new["kind"] = json!("refund"),
        1 => {
            new = json!({"kind": "transfer", "occurred_on": day, "account": account, "amount": amount, "to_account": to_account})
        }
        _ => {}
    }
    let (route, body, of) = match dice.random_range(0..22) {
        0..6 => (format!("POST {at}/entries"), new, "entries"),
        6 => (
            format!("PATCH {at}/entries/{entry}"),
            json!({"amount": amount, "account": account, "note": name}),
            "",
        ),
        7 => (format!("DELETE {at}/entries/{entry}"), Value::Null, ""),
        8 => (format!("POST {at}/entries/{entry}/restore"), Value::Null, ""),
        9 => (
            format!("POST {at}/accounts"),
            json!({"name": name, "kind": "bank", "opening_balance": amount}),
            "accounts",
        ),
        10 => (format!("PATCH {at}/accounts/{account}"), json!({"name": name}), ""),
        11 => (
            format!(
                "POST {at}/accounts/{account}/{}",
                if dice.random_bool(0.4) { "close" } else { "reopen" }
            ),
            Value::Null,
            "",
        ),
        12 => (
            format!("POST {at}/categories"),
            json!({"name": name, "kind": "expense", "parent": parent}),
            "categories",
        ),
        13 => (format!("PATCH {at}/categories/{category}"), json!({"parent": parent, "icon": "x"}), ""),
        14 => (
            format!(
                "POST {at}/categories/{category}/{}",
                if dice.random_bool(0.4) { "archive" } else { "restore" }
            ),
            Value::Null,
            "",
        ),
        15 => (format!("PATCH {at}"), json!({"name": name, "month_starts_on": 7}), ""),
        16 => (format!("POST {at}/entries/bulk"), json!({"mode": "each", "entries": [new, new]}), ""),
        17 => (
            format!("POST {at}/entries/recategorise"),
            json!({"filter": {"account": account}, "category": category}),
            "",
        ),
        18 => (format!("POST {at}/categories/{category}/merge"), json!({"into": parent}), ""),
        19 => {
            (format!("POST {at}/invitations"), json!({"email": "somebody@example.org", "role": "viewer"}), "")
        }
        _ => (format!("POST {at}/history/{}/undo", dice.random_range(2..30)), Value::Null, ""),
    };
    world.advance(chrono::TimeDelta::seconds(dice.random_range(0..5_000)));
    let call = world.call(&route);
    let reply = if body.is_null() { call.send().await } else { call.json(&body).send().await };
    assert!(
        reply.status < 300 || matches!(reply.status, 400 | 404 | 409 | 422),
        "{route} {body} {}",
        reply.body
    );
    if reply.status == 201 && !of.is_empty() {
        known.get_mut(&format!("{of} {at}")).unwrap().push(reply.id());
    }
}

/// A life of three households; the same for the same seed.
async fn live(world: &World, seed: u64, steps: usize) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut known = BTreeMap::new();
    let mut homes = Vec::new();
    for _ in 0..3 {
        let home = world.home().await;
        let entry = world.post(&home.entries(), home.expense("1.00")).await.id();
        known.insert(format!("accounts {}", home.at), vec![home.bank.clone(), home.cash.clone()]);
        known.insert(format!("categories {}", home.at), vec![home.groceries.clone()]);
        known.insert(format!("entries {}", home.at), vec![entry]);
        homes.push(home);
    }
    for step in 0..steps {
        act(world, &homes, &mut known, &mut dice).await;
        if step.is_multiple_of(25) {
            import_something(world, &homes[step / 25 % 3], step).await;
        }
    }
}

/// Every other one is taken back.
async fn import_something(world: &World, home: &Home, step: usize) {
    let mapping = json!({
        "date": "Date", "date_format": "YYYY-MM-DD", "amount": {"sign": "signed", "column": "Amount"}, "payee": ["Payee"],
        "account": home.bank, "default_expense_category": home.groceries, "default_income_category": home.salary,
    });
    let file = format!(
        "Date,Amount,Payee\n2026-10-01,-3.50,Twin\n2026-10-01,-3.50,Twin\n2026-10-02,{step}.00,Pay\nx,y,z\n"
    );
    let reply = crate::imports::upload(world, home, &file, Some(&mapping), &[]).send().await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    if step.is_multiple_of(50) {
        let reverted = world.call(&format!("POST {}/imports/{}/revert", home.at, reply.id())).send().await;
        assert_eq!(reverted.status, 200, "{}", reverted.body);
    }
}

/// Every row of the tables that are replayed. JSON is compared by what it says: its maps have no order.
fn rows(decisions: &Path) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let connection = Connection::open(decisions.join(format!("partition-{partition}.sqlite"))).unwrap();
        let keys = [
            ("books", "book"),
            ("accounts", "book, account"),
            ("categories", "book, category"),
            ("entries", "book, entry"),
            ("imports", "book, import"),
            ("answers", "book, key"),
        ];
        for (table, key) in keys {
            let mut statement = connection.prepare(&format!("select * from {table} order by {key}")).unwrap();
            let columns = statement.column_count();
            let rows = statement.query_map([], |row| {
                let cells: Vec<String> = (0..columns).map(|at| shown(row.get_unwrap(at))).collect();
                Ok(cells.join(" | "))
            });
            all.insert(format!("{table} of {partition}"), rows.unwrap().map(Result::unwrap).collect());
        }
    }
    all
}

fn shown(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => serde_json::from_str::<Value>(&text).map(|json| json.to_string()).unwrap_or(text),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_state_that_is_replayed_equals_row_by_row_the_one_that_was_written_behind() {
    for (seed, save_every_commits, hot_books_max) in [(1, 1, 1), (2, 7, 2), (3, 5_000, 20_000)] {
        let world = World::with(|config| {
            (config.save_every_commits, config.hot_books_max) = (save_every_commits, hot_books_max);
        });
        live(&world, seed, 250).await;
        let mut before = BTreeMap::new();
        let world = world.restarted(|place| {
            before = rows(&place.decisions());
            fs::remove_dir_all(place.decisions()).unwrap();
        });
        world.verify();
        let after = rows(&world.stopped().place.decisions());
        assert!(before.values().map(Vec::len).sum::<usize>() > 200);
        for (table, rows) in &before {
            for (row, again) in rows.iter().zip(&after[table]) {
                assert_eq!(row, again, "seed {seed}, {table}");
            }
            assert_eq!(rows.len(), after[table].len(), "seed {seed}, {table}");
        }
    }
}

/// The bytes of every record, by partition.
fn records(place: &Place) -> Vec<Vec<String>> {
    let journal = SqliteJournal::open_read_only(&place.journal_path()).unwrap();
    let of_partition = |partition| {
        let mut reader = journal.read(partition, Position::START).unwrap();
        let mut all = Vec::new();
        loop {
            let batch = reader.next(Duration::ZERO).unwrap();
            if batch.records.is_empty() {
                return all;
            }
            all.extend(batch.records.into_iter().map(|record| String::from_utf8(record.bytes).unwrap()));
        }
    };
    (0..PARTITIONS).map(of_partition).collect()
}

#[tokio::test]
async fn two_runs_with_the_same_sources_write_the_same_bytes() {
    let first = World::new();
    live(&first, 4, 100).await;
    let first = first.stopped().place;
    // The books' keys are random; the second run gets those of the first.
    let place = Place::new();
    for file in fs::read_dir(first.path()).unwrap().map(Result::unwrap) {
        let name = file.file_name();
        if name == "master.key" || name.to_string_lossy().starts_with("keys.sqlite") {
            fs::copy(file.path(), place.path().join(name)).unwrap();
        }
    }
    let journal = place.journal();
    let second = World::on(place, journal, |_| {});
    live(&second, 4, 100).await;
    let second = second.stopped().place;
    let (first, second) = (records(&first), records(&second));
    for (first, second) in first.iter().zip(&second) {
        assert!(first.len() > 20);
        for (record, again) in first.iter().zip(second) {
            assert_eq!(record, again);
        }
        assert_eq!(first.len(), second.len());
    }
}

#[tokio::test]
async fn a_state_that_was_saved_now_and_then_is_completed_from_the_tail() {
    let world = World::with(|config| config.save_every_commits = 10);
    live(&world, 5, 60).await;
    // As a crash leaves it: the files as they are, without what stopping would save.
    let copy = tempfile::tempdir().unwrap();
    copy_files(&world.place.decisions(), copy.path());
    let mut saved = BTreeMap::new();
    let world = world.restarted(|place| {
        saved = rows(&place.decisions());
        fs::remove_dir_all(place.decisions()).unwrap();
        copy_files(copy.path(), &place.decisions());
    });
    assert_eq!(rows(&world.stopped().place.decisions()), saved);
}
