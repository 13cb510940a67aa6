//! Programs that are not ours read what we export, and have to come to the same figures.
//!
//! A book is filled at random through the API. hledger and beancount read its exports without a complaint, and what
//! they make of them is held against what the API itself answers: the balance of every account, and every month's
//! income and expense, by category and in all. `scripts/oracles` installs the two.
//!
//! `DAYBOOK_ORACLES_SEED` chooses another run.

mod beancount;
mod hledger;

mod figures;
mod random_book;

#[path = "../crash/dice.rs"]
mod dice;

use std::{env, path::PathBuf, process::Command};

use daybook_e2e::{Client, Options, Server};
use futures::future::join_all;

use figures::{Figures, Span, assert_equal, differences};
use random_book::random_book;

const BOOKS: u64 = 3;
const ENTRIES: usize = 2_000;

/// What is held against each other.
struct Exported {
    hledger: String,
    beancount: String,
    figures: Figures,
}

async fn exported(client: &Client, seed: u64, entries: usize) -> Exported {
    let random = random_book(client, seed, entries).await;
    let (book, version) = (&random.path, random.version);
    let export = async |format: &str| {
        let path = format!("{book}/export?format={format}&min_version={version}");
        client.get(&path).await.expect(200).body
    };
    // The first read waits for all that was written; what is asked after it sees no less.
    let (hledger, beancount) = (export("hledger").await, export("beancount").await);
    Exported { hledger, beancount, figures: Figures::answered(client, book, &Span::ALL).await }
}

fn seed() -> u64 {
    let chosen = env::var("DAYBOOK_ORACLES_SEED").ok();
    let seed = chosen.map_or_else(|| rand::random::<u32>().into(), |text| text.parse().unwrap());
    println!("DAYBOOK_ORACLES_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread")]
async fn hledger_and_beancount_come_to_our_figures() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let seed = seed();
    let books = join_all((0..BOOKS).map(|number| exported(&client, seed + number, ENTRIES))).await;
    for (number, exported) in (0..BOOKS).zip(books) {
        let said = format!("book of seed {}", seed + number);
        assert!(exported.figures.len() > 300, "{said} has {} figures", exported.figures.len());
        assert_equal(&exported.figures, &hledger::figures(&exported.hledger), &format!("hledger, {said}"));
        assert_equal(
            &exported.figures,
            &beancount::figures(&exported.beancount),
            &format!("beancount, {said}"),
        );
    }
}

#[tokio::test]
async fn a_changed_amount_is_noticed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let Exported { hledger, beancount, figures } = exported(&client, seed(), 60).await;
    assert_equal(&figures, &hledger::figures(&hledger), "hledger");
    assert_equal(&figures, &beancount::figures(&beancount), "beancount");
    // Still balanced, so neither program has a reason to complain.
    let told = differences(&figures, &hledger::figures(&with_one_amount_changed(&hledger)));
    assert!(told.len() >= 2, "{told:?}");
    let told = differences(&figures, &beancount::figures(&with_one_amount_changed(&beancount)));
    assert!(told.len() >= 2, "{told:?}");
}

/// Puts a digit before both amounts of the first transaction that has two and moves money from or to a category.
fn with_one_amount_changed(export: &str) -> String {
    let mut transactions: Vec<String> = export.split("\n\n").map(str::to_owned).collect();
    let is_posting = |line: &&str| line.starts_with("  ") && line.ends_with(" EUR");
    let found = transactions.iter_mut().find(|text| {
        let lower = text.to_lowercase();
        lower.contains("  expenses:") && text.lines().filter(is_posting).count() == 2
    });
    let transaction = found.expect("a book has an expense that is not split");
    let changed = transaction.lines().map(|line| match line.rsplit_once("  ") {
        Some((account, money)) if is_posting(&line) => match money.strip_prefix('-') {
            Some(digits) => format!("{account}  -1{digits}"),
            None => format!("{account}  1{money}"),
        },
        _ => line.to_owned(),
    });
    *transaction = changed.collect::<Vec<_>>().join("\n");
    transactions.join("\n\n")
}

/// A program that has to be there, run over a file; what it prints. It may not complain.
fn run(program: &str, arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let installed = root.join("target/oracles/bin").join(program);
    let path = if installed.exists() { installed } else { PathBuf::from(program) };
    let output = Command::new(path).args(arguments).output();
    let output = output
        .unwrap_or_else(|error| panic!("{program} cannot be run ({error}): install it with scripts/oracles"));
    let (out, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?} failed:\n{out}\n{complaint}");
    assert_eq!(complaint, "", "{program} {arguments:?} complains");
    out.into_owned()
}
