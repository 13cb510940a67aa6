//! Statements as real banks lay them out, through the whole program: guessed, taken with the guess as it is, known
//! again, taken back.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use daybook_e2e::{Client, Options, Server};
use futures::future::join_all;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_goes_in_as_guessed_once_and_comes_out_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let samples = samples();
    assert!(samples.len() >= 12, "only {} samples", samples.len());
    join_all(samples.iter().map(|sample| take_and_revert(&client, sample))).await;
}

/// A file of a bank's layout with invented lines; what is expected of it was computed from the lines, not by Daybook.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    expected: Value,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../command-api/tests/statements");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv" || extension == "txt"));
    paths.sort();
    let read = |path: PathBuf| Sample {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        bytes: fs::read(&path).unwrap(),
        expected: serde_json::from_slice(&fs::read(path.with_extension("expected.json")).unwrap()).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

async fn take_and_revert(client: &Client, sample: &Sample) {
    let Sample { name, expected, .. } = sample;
    // A book in the statement's currency; its bank account is the one that the guess chooses, so nothing of the guess
    // is changed by us.
    let currency = expected["currency"].as_str().unwrap_or("USD");
    let book =
        client.post("/api/v1/books", name, &json!({"name": name, "currency": currency})).await.expect(201);
    let desk =
        Desk { client, sample, book: format!("/api/v1/books/{}", book.json()["id"].as_str().unwrap()) };
    let accounts = client.get(&format!("{}/accounts?min_version=1", desk.book)).await.expect(200).json();
    let is_bank = |account: &&Value| account["kind"] == "bank";
    let bank = accounts["data"].as_array().unwrap().iter().find(is_bank).unwrap()["id"].clone();
    let categories = client.get(&format!("{}/categories", desk.book)).await.expect(200).json();
    let is_salary = |category: &&Value| category["name"] == "Salary";
    let salary = &categories["data"].as_array().unwrap().iter().find(is_salary).unwrap()["id"];
    let before = json!({"kind": "income", "occurred_on": "2026-01-02", "account": bank, "amount": "100.00",
        "category": salary});
    client.post(&format!("{}/entries", desk.book), "before", &before).await.expect(201);
    let taken = expected["lines_taken"].as_u64().unwrap();
    let sum = expected["sum_minor"].as_i64().unwrap();

    let guess = desk.import("guess", Form::new()).await.expect(200).json();
    assert_eq!(guess["guess"]["mapping"]["account"], bank, "{name}");
    let mapping = guess["guess"]["mapping"].to_string();
    let with_guess = || Form::new().text("mapping", mapping.clone());

    let dry = desk.import("dry", with_guess().text("dry_run", "true")).await.expect(200).json();
    assert_eq!((dry["taken"].as_u64(), dry["duplicates"].as_u64()), (Some(taken), Some(0)), "{name}");
    assert_eq!(desk.balance_minor(2).await, 10_000, "{name}: a dry run writes nothing");

    let first = desk.import("first", with_guess()).await.expect(201);
    let (version, import) = (first.version().unwrap(), first.json()["import"].clone());
    assert_eq!(import["status"], "finished", "{name}");
    assert_eq!((import["taken"].as_u64(), import["duplicates"].as_u64()), (Some(taken), Some(0)), "{name}");
    assert_eq!(desk.balance_minor(version).await, 10_000 + sum, "{name}");

    let report = desk.report(&import, version).await;
    let of = |verdict: &'static str| report.iter().filter(move |line| line["verdict"] == verdict);
    assert_eq!(of("taken").count() as u64, taken, "{name}");
    let refused: Vec<Value> =
        of("refused").map(|line| json!({"line": line["line"], "code": line["code"]})).collect();
    assert_eq!(json!(refused), expected["refused"], "{name}");
    for end in ["first", "last"] {
        let end = &expected[end];
        let line = report.iter().find(|line| line["line"] == end["line"]).unwrap();
        let entry = format!("{}/entries/{}", desk.book, line["entry"].as_str().unwrap());
        let entry = client.get(&entry).await.expect(200).json();
        assert_eq!(entry["occurred_on"], end["occurred_on"], "{name}");
        let posted = minor(entry["postings"][0]["amount"].as_str().unwrap());
        assert_eq!(Some(posted), end["amount_minor"].as_i64(), "{name}");
        assert_eq!(entry["imported"]["line"], end["line"], "{name}");
    }
    let twins = twins(&desk.entries().await);
    assert_eq!(Some(twins), expected["twins"].as_u64(), "{name}");

    let second = desk.import("second", with_guess()).await.expect(201);
    let again = second.json()["import"].clone();
    assert_eq!((again["taken"].as_u64(), again["duplicates"].as_u64()), (Some(0), Some(taken)), "{name}");
    assert_eq!(desk.balance_minor(second.version().unwrap()).await, 10_000 + sum, "{name}");
    let lines = desk.report(&again, second.version().unwrap()).await;
    let known: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line["verdict"] == "duplicate")
        .map(|line| line["entry"].as_str().unwrap())
        .collect();
    assert_eq!(known.len() as u64, taken, "{name}: each line repeats an entry of its own");

    let revert = format!("{}/imports/{}/revert", desk.book, import["id"].as_str().unwrap());
    let reverted = client.post(&revert, "revert", &json!({})).await.expect(200);
    assert_eq!(reverted.json()["import"]["status"], "reverted", "{name}");
    assert_eq!(desk.balance_minor(reverted.version().unwrap()).await, 10_000, "{name}");

    let third = desk.import("third", with_guess()).await.expect(201);
    assert_eq!(third.json()["import"]["taken"].as_u64(), Some(taken), "{name}");
    assert_eq!(desk.balance_minor(third.version().unwrap()).await, 10_000 + sum, "{name}");
}

struct Desk<'a> {
    client: &'a Client,
    sample: &'a Sample,
    book: String,
}

impl Desk<'_> {
    async fn import(&self, key: &str, form: Form) -> daybook_e2e::Answer {
        let file = Part::bytes(self.sample.bytes.clone()).file_name(format!("{}.csv", self.sample.name));
        self.client.post_form(&format!("{}/imports", self.book), key, form.part("file", file)).await
    }

    async fn balance_minor(&self, version: u64) -> i64 {
        let path = format!("{}/accounts?min_version={version}", self.book);
        let accounts = self.client.get(&path).await.expect(200).json();
        let accounts = accounts["data"].as_array().unwrap().iter();
        accounts.map(|account| minor(account["balance"].as_str().unwrap())).sum()
    }

    /// What became of each line.
    async fn report(&self, import: &Value, version: u64) -> Vec<Value> {
        let id = import["id"].as_str().unwrap();
        let path = format!("{}/imports/{id}?limit=200&min_version={version}", self.book);
        let report = self.client.get(&path).await.expect(200).json();
        assert_eq!(report["next_cursor"], Value::Null);
        report["data"].as_array().unwrap().clone()
    }

    async fn entries(&self) -> Vec<Value> {
        let list = self.client.get(&format!("{}/entries?limit=200", self.book)).await.expect(200).json();
        list["data"].as_array().unwrap().clone()
    }
}

/// How many entries tell of the same as an earlier one.
fn twins(entries: &[Value]) -> u64 {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for entry in entries {
        let told = ["occurred_on", "kind", "amount", "payee", "note"].map(|field| entry[field].to_string());
        *seen.entry(told.join(" ")).or_default() += 1;
    }
    seen.values().map(|count| count - 1).sum()
}

/// All samples are of currencies with two decimals.
fn minor(decimal: &str) -> i64 {
    assert_eq!(decimal.split_once('.').unwrap().1.len(), 2, "{decimal}");
    decimal.replace('.', "").parse().unwrap()
}
