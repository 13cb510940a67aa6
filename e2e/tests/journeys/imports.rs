//! Whole files through the running program: a large one with its progress and its revert, a book that becomes an equal
//! one, and broken ones that leave nothing behind.

use std::fmt::Write;

use daybook_e2e::{Answer, Client, Options, Server};
use reqwest::{
    Method, Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

const LINES: u64 = 50_000;
const COMMIT_LINES: u64 = 500;
/// What 50,000 lines may take over what the server has anyway: their text, rows and entries, and the tables that know
/// them again. A program that held the file several times over would need more.
const MEMORY_BYTES_MAX: u64 = 400 << 20;

async fn send(
    client: &Client,
    book: &str,
    key: &str,
    file: Vec<u8>,
    parts: &[(&'static str, String)],
) -> Answer {
    let key = format!("file-{}", key.replace(' ', "-"));
    client.post_form(&format!("{book}/imports"), key, form(file, parts)).await
}

fn form(file: Vec<u8>, parts: &[(&'static str, String)]) -> Form {
    let form = Form::new().part("file", Part::bytes(file).file_name("file.txt"));
    parts.iter().fold(form, |form, (name, value)| form.text(*name, value.clone()))
}

async fn new_book(client: &Client, key: &str, more: Value) -> String {
    let mut new = json!({"name": key, "currency": "EUR"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let book = client.post("/api/v1/books", key, &new).await.expect(201).json();
    format!("/api/v1/books/{}", book["id"].as_str().unwrap())
}

/// Asks again where the rows of a large file are still on their way; the server waits a while each time.
async fn visible(client: &Client, path: &str) -> Value {
    loop {
        let answer = client.get(path).await;
        if answer.status != 503 || answer.code() != "not_yet_visible" {
            return answer.expect(200).json();
        }
    }
}

async fn list(client: &Client, path: &str) -> Vec<Value> {
    visible(client, path).await["data"].as_array().unwrap().clone()
}

async fn balances(client: &Client, book: &str, version: u64) -> Vec<String> {
    let accounts = list(client, &format!("{book}/accounts?min_version={version}")).await;
    accounts.iter().map(|account| format!("{} {}", account["name"], account["balance"])).collect()
}

/// The events of a stream of an import's progress.
struct Progress {
    response: Response,
    received: Vec<u8>,
}

impl Progress {
    async fn follow(client: &Client, book: &str, import: &str) -> Self {
        let path = format!("{book}/imports/{import}/progress");
        let response = client.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, received: Vec::new() }
    }

    /// The data of all events up to the one that ends the stream.
    async fn read_on(mut self) -> Vec<(String, Value)> {
        while let Some(chunk) = self.response.chunk().await.unwrap() {
            self.received.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(self.received).unwrap();
        let blocks = text.split("\n\n").filter(|block| block.contains("event: "));
        let field = |block: &str, name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {block}")).to_owned()
        };
        blocks
            .map(|block| (field(block, "event: "), serde_json::from_str(&field(block, "data: ")).unwrap()))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_fifty_thousand_lines_goes_in_with_progress_and_comes_out_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let book = new_book(&client, "large", json!({})).await;
    let mut file = "Date,Payee,Amount\n".to_owned();
    let mut sum = 0;
    for line in 0..LINES {
        let (day, minor) = (line % 28 + 1, (line * 7_919) % 20_000 + 1);
        let sign = if line % 9 == 0 { "" } else { "-" };
        sum += if line % 9 == 0 { minor as i64 } else { -(minor as i64) };
        let month = line / 28 % 12 + 1;
        writeln!(
            file,
            "2025-{month:02}-{day:02},Shop {},{sign}{}.{:02}",
            line % 500,
            minor / 100,
            minor % 100
        )
        .unwrap();
    }
    let bytes = file.len();
    let guess = send(&client, &book, "guess", file.clone().into_bytes(), &[]).await.expect(200).json();
    let mapping = guess["guess"]["mapping"].to_string();
    let before = balances(&client, &book, 1).await;

    // The stream is there before the file is.
    let import = "imp_01kb0d5j6hf2xv9d6q8m4r7t3a";
    let progress = Progress::follow(&client, &book, import).await;
    let progress = tokio::spawn(progress.read_on());
    server.forget_memory_peak();
    let resting = server.memory_peak_bytes();
    let parts = [("mapping", mapping), ("id", import.to_owned())];
    let taken = send(&client, &book, "large", file.clone().into_bytes(), &parts).await.expect(201);
    let grown = server.memory_peak_bytes() - resting;
    println!("{LINES} lines ({bytes} bytes) took {} MiB over {} MiB", grown >> 20, resting >> 20);
    assert!(grown < MEMORY_BYTES_MAX, "the import took {} MiB", grown >> 20);
    assert_eq!(taken.json()["id"], import);
    assert_eq!(taken.json()["import"]["taken"], LINES);
    assert_eq!(taken.version(), Some(1 + LINES / COMMIT_LINES), "a bounded number of commits");

    let events = progress.await.unwrap();
    let judged: Vec<u64> = events.iter().map(|(_, data)| data["judged"].as_u64().unwrap()).collect();
    assert!(events.iter().all(|(name, _)| name == "progress"));
    assert!(judged.is_sorted() && judged.len() >= 2, "{judged:?}");
    let (_, last) = events.last().unwrap();
    assert_eq!((&last["status"], &last["taken"]), (&json!("finished"), &json!(LINES)));

    let version = taken.version().unwrap();
    let after = balances(&client, &book, version).await;
    assert_ne!(after, before);
    let cents = |balance: &str| -> i64 {
        balance.rsplit_once(' ').unwrap().1.trim_matches('"').replace('.', "").parse().unwrap()
    };
    let total = |balances: &[String]| balances.iter().map(|balance| cents(balance)).sum::<i64>();
    assert_eq!(total(&after) - total(&before), sum);

    let revert = format!("{book}/imports/{import}/revert");
    let reverted = client.post(&revert, "revert", &json!({})).await.expect(200);
    assert_eq!(reverted.json()["import"]["status"], "reverted");
    let commits = reverted.version().unwrap() - version;
    assert!(commits <= LINES / 500, "{commits} commits");
    assert_eq!(balances(&client, &book, reverted.version().unwrap()).await, before);
    // Whoever asks later is told at once.
    let told = Progress::follow(&client, &book, import).await.read_on().await;
    assert_eq!((told.len(), &told[0].1["status"]), (1, &json!("reverted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_prefers_not_to_wait_is_answered_when_the_import_has_begun() {
    let data = tempfile::tempdir().unwrap();
    let settings = vec![("command_api.import_commit_lines", "10".to_owned())];
    let server = Server::start(data.path(), &Options { settings, ..Options::default() }).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let book = new_book(&client, "async", json!({})).await;
    let mut file = "Date,Payee,Amount\n".to_owned();
    (0..100).for_each(|line| writeln!(file, "2025-03-01,Shop {line},-1.00").unwrap());
    let guess = send(&client, &book, "guess", file.clone().into_bytes(), &[]).await.expect(200).json();
    let parts = [("mapping", guess["guess"]["mapping"].to_string())];
    let request = client.write(Method::POST, &format!("{book}/imports"), "file-async");
    let request = request.header("prefer", "respond-async, wait=5");
    let begun = client.send(request.multipart(form(file.into_bytes(), &parts))).await.expect(202);
    assert_eq!(begun.header("preference-applied"), Some("respond-async"));
    assert_eq!(begun.json()["import"]["status"], "running");
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(begun.header("location"), Some(format!("{book}/imports/{id}").as_str()));
    let events = Progress::follow(&client, &book, &id).await.read_on().await;
    assert_eq!(events.last().unwrap().1["status"], "finished");
    assert_eq!(events.last().unwrap().1["taken"], 100);

    // It was ten commits, and one of them stands for all.
    let last = list(&client, &format!("{book}/history")).await[0]["version"].as_u64().unwrap();
    assert_eq!(last, 11);
    let undo = format!("{book}/history/5/undo");
    let undone = client.post(&undo, "undo", &json!({})).await.expect(200).json();
    let version = undone["version"].as_u64().unwrap();
    let after = balances(&client, &book, version).await;
    assert!(after.iter().all(|balance| balance.ends_with("\"0.00\"")), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_becomes_an_equal_book_in_an_empty_one() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let book = lived_in(&client).await;
    let export = client.get(&format!("{book}/export?format=json")).await.expect(200);
    let file = export.body.into_bytes();

    let copy = new_book(&client, "copy", json!({"empty": true, "currency": "USD"})).await;
    let guess = send(&client, &copy, "guess", file.clone(), &[]).await.expect(200).json();
    assert_eq!(guess["guess"]["mapping"]["format"], "daybook");
    let parts = [("mapping", guess["guess"]["mapping"].to_string())];
    let dry = [parts[0].clone(), ("dry_run", "true".to_owned())];
    let dry = send(&client, &copy, "dry", file.clone(), &dry).await.expect(200).json();
    assert_eq!((&dry["refused"], &dry["duplicates"]), (&json!(0), &json!(0)), "{dry}");
    assert_eq!(client.get(&copy).await.expect(200).json()["version"], 1, "a dry run writes nothing");
    let taken = send(&client, &copy, "copy", file.clone(), &parts).await.expect(201);
    assert_eq!(taken.json()["import"]["taken"], dry["taken"]);
    let version = taken.version().unwrap();
    client.get(&format!("{copy}?min_version={version}")).await.expect(200);

    for view in VIEWS {
        let (one, other) = (shown(&client, &book, view).await, shown(&client, &copy, view).await);
        assert_eq!(one, other, "{view}");
    }
    // It is the same book to every exporter too, but for when things were recorded.
    for format in ["csv", "hledger", "beancount"] {
        let path = |book: &str| format!("{book}/export?format={format}");
        let (one, other) =
            (client.get(&path(&book)).await.expect(200), client.get(&path(&copy)).await.expect(200));
        assert_eq!(without_versions_in_text(&one.body), without_versions_in_text(&other.body), "{format}");
    }

    let again = send(&client, &copy, "again", file.clone(), &parts).await;
    assert_eq!((again.status, again.code().as_str()), (409, "book_not_empty"));
    let revert = format!("{copy}/imports/{}/revert", taken.json()["id"].as_str().unwrap());
    let reverted = client.post(&revert, "revert", &json!({})).await.expect(200);
    let zero = balances(&client, &copy, reverted.version().unwrap()).await;
    assert!(
        zero.iter().all(|balance| balance.trim_matches('"').trim_end_matches(['0', '.']).ends_with('"')),
        "{zero:?}"
    );
}

/// What has to be equal of two books, field by field.
const VIEWS: [&str; 16] = [
    "",
    "/accounts",
    "/categories",
    "/payees",
    "/tags",
    "/entries?limit=200",
    "/entries?limit=200&removed=true",
    "/entries?limit=200&sort=amount",
    "/overview?on=2026-03-15",
    "/reports/spending?from=2025-01-01&to=2026-12-31",
    "/reports/spending?from=2025-01-01&to=2026-12-31&kind=income",
    "/reports/spending?from=2025-01-01&to=2026-12-31&group_by=payee",
    "/reports/spending?from=2025-01-01&to=2026-12-31&group_by=tag",
    "/reports/cash-flow?from=2026-01-01&to=2026-06-30&granularity=month",
    "/reports/net-worth?from=2026-01-01&to=2026-06-30&granularity=month",
    "/reports/statistics?from=2026-01-01&to=2026-06-30",
];

async fn shown(client: &Client, book: &str, view: &str) -> Value {
    let answer = client.get(&format!("{book}{view}")).await.expect(200);
    let id = book.rsplit_once('/').unwrap().1;
    let mut shown = serde_json::from_str(&answer.body.replace(id, "book")).unwrap();
    forget_commits(&mut shown);
    shown
}

/// When things were written, and in which commit, is the one thing that a copy cannot have.
fn forget_commits(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["version", "recorded_at", "corrected_at", "created_at", "next_cursor"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget_commits);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_commits),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn without_versions_in_text(export: &str) -> String {
    let is_told = |line: &&str| !line.contains("version") && !line.contains("recorded");
    export.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

/// A book in which everything has happened that a book can hold.
async fn lived_in(client: &Client) -> String {
    let more = json!({"name": "Lived in", "week_starts_on": "sunday", "month_starts_on": 15, "time_zone": "Europe/Vienna"});
    let book = new_book(client, "lived-in", more).await;
    let mut key = 0;
    let mut next_key = || {
        key += 1;
        format!("step-{key}")
    };
    let mut id_of = async |path: &str, body: Value| -> String {
        let key = next_key();
        let made = client.post(&format!("{book}/{path}"), key, &body).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    };
    let bank = id_of(
        "accounts",
        json!({"name": "Giro", "kind": "bank", "opening_balance": "1500.00", "opened_on": "2025-12-31"}),
    )
    .await;
    let dollars = id_of("accounts", json!({"name": "Dollars", "kind": "savings", "currency": "USD"})).await;
    let yen = id_of(
        "accounts",
        json!({"name": "Yen", "kind": "cash", "currency": "JPY", "opening_balance": "-1200"}),
    )
    .await;
    let old = id_of("accounts", json!({"name": "Old card", "kind": "card"})).await;
    let food = id_of(
        "categories",
        json!({"name": "Nutrition", "kind": "expense", "icon": "fork", "colour": "green"}),
    )
    .await;
    let market = id_of("categories", json!({"name": "Market", "kind": "expense", "parent": food})).await;
    let gone = id_of("categories", json!({"name": "Gone", "kind": "expense"})).await;
    let wage = id_of("categories", json!({"name": "Wage", "kind": "income"})).await;
    let plain = |day: &str, amount: &str, category: &str, account: &str| json!({"kind": "expense", "occurred_on": day, "account": account, "amount": amount, "category": category});
    let mut purchase = plain("2026-03-02", "80.00", &market, &bank);
    purchase["payee"] = json!("Grocer \"& Co\"");
    purchase["note"] = json!("two\nlines");
    purchase["tags"] = json!(["weekly", "täglich"]);
    purchase["foreign"] = json!({"amount": "85.10", "currency": "USD"});
    let purchase = id_of("entries", purchase).await;
    id_of(
        "entries",
        json!({"kind": "refund", "occurred_on": "2026-03-01", "account": bank, "amount": "12.34",
        "category": market, "refund_of": purchase}),
    )
    .await;
    id_of("entries", json!({"kind": "expense", "occurred_on": "2026-03-03", "account": old, "amount": "30.00",
        "splits": [{"category": market, "amount": "10.00", "note": "bread"}, {"category": gone, "amount": "20.00"}]})).await;
    id_of(
        "entries",
        json!({"kind": "income", "occurred_on": "2026-02-27", "account": bank, "amount": "2500.00",
        "category": wage, "payee": "Works"}),
    )
    .await;
    id_of(
        "entries",
        json!({"kind": "transfer", "occurred_on": "2026-03-04", "account": bank, "amount": "30.00",
        "to_account": old}),
    )
    .await;
    id_of(
        "entries",
        json!({"kind": "transfer", "occurred_on": "2026-03-05", "account": bank, "amount": "100.00",
        "to_account": dollars, "to_amount": "108.50"}),
    )
    .await;
    id_of(
        "entries",
        json!({"kind": "transfer", "occurred_on": "2026-03-06", "account": yen, "amount": "1000",
        "to_account": dollars, "to_amount": "6.70"}),
    )
    .await;
    id_of("entries", json!({"kind": "balanced", "occurred_on": "2026-03-07", "note": "settled", "postings": [
        {"account": bank, "amount": "-50.00"}, {"account": old, "amount": "20.00"}, {"category": food, "amount": "30.00"}]})).await;
    let removed = id_of("entries", plain("2026-03-08", "9.99", &food, &bank)).await;
    let corrected = id_of("entries", plain("2026-03-09", "5.00", &gone, &bank)).await;
    let entry = |id: &str| format!("{book}/entries/{id}");
    client.delete(&entry(&removed), "remove").await.expect(200);
    client.patch(&entry(&corrected), "correct", &json!({"amount": "7.50"})).await.expect(200);

    // A statement, so that some entries have come from lines.
    let statement =
        "Date,Payee,Amount\n2026-04-01,Shop,-5.00\n2026-04-01,Shop,-5.00\n2026-04-02,Works,10.00\n";
    let mapping = json!({"date": "Date", "date_format": "YYYY-MM-DD", "amount": {"sign": "signed", "column": "Amount"},
        "payee": ["Payee"], "account": bank, "default_expense_category": market, "default_income_category": wage});
    let parts = [("mapping", mapping.to_string())];
    send(client, &book, "statement", statement.as_bytes().to_vec(), &parts).await.expect(201);

    let close = client.post(&format!("{book}/accounts/{old}/close"), "close", &json!({})).await.expect(200);
    let archive = format!("{book}/categories/{gone}/archive");
    let last = client.post(&archive, "archive", &json!({})).await.expect(200);
    assert!(last.version() > close.version());
    let path = format!("{book}?min_version={}", last.version().unwrap());
    client.get(&path).await.expect(200);
    book
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_told_and_leaves_nothing_behind() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &Options::default()).await;
    let client = Client::sign_up(server.base(), "Ada").await;
    let book = lived_in(&client).await;
    let file = client.get(&format!("{book}/export?format=json")).await.expect(200).body;
    let daybook = || ("mapping", json!({"format": "daybook"}).to_string());
    let ledger = |format: &str| ("mapping", json!({"format": format, "create_missing": true}).to_string());
    let whole = || ("mode", "all".to_owned());
    let copy = new_book(&client, "copy", json!({"empty": true})).await;

    // An entry of another account's currency, one that does not balance, one that names nothing of the book.
    let wrong_currency = file.replacen("\"currency\":\"USD\"", "\"currency\":\"CHF\"", 1);
    let unbalanced = file.replacen("\"amount\":\"-80.00\"", "\"amount\":\"-80.01\"", 1);
    let half = file[..file.len() / 2].to_owned();
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\
        <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt>&b;</BkToCstmrStmt></Document>";
    let cut_ofx = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT<DTPOSTED>2026";
    let register = "\"Account\",\"Flag\",\"Date\",\"Payee\",\"Category Group/Category\",\"Category Group\",\"Category\",\"Memo\",\"Outflow\",\"Inflow\",\"Cleared\"\n\
        \"Purse\",\"\",\"13/13/2026\",\"Shop\",\"A: B\",\"A\",\"B\",\"\",1.00,0.00,\"Cleared\"\n\
        \"Purse\",\"\",\"01/13/2026\",\"Shop\",\"A: B\",\"A\",\"B\",\"\",1.00,0.00,\"Cleared\"\n";
    for (name, file, parts, status, code) in [
        ("half a book", half, vec![daybook()], 422, "book_file_invalid"),
        ("no book", "{\"format\":\"daybook.book.v2\"}".to_owned(), vec![daybook()], 422, "book_file_invalid"),
        ("a currency of its own", wrong_currency, vec![daybook()], 422, "import_refused"),
        ("unbalanced", unbalanced, vec![daybook()], 422, "import_refused"),
        (
            "a billion laughs",
            laughs.to_owned(),
            vec![ledger("camt053"), whole()],
            422,
            "statement_entity_refused",
        ),
        ("cut", cut_ofx.to_owned(), vec![ledger("ofx"), whole()], 422, "statement_malformed"),
        ("a bad line", register.to_owned(), vec![ledger("ynab_csv"), whole()], 422, "import_refused"),
    ] {
        let answer = send(&client, &copy, name, file.into_bytes(), &parts).await;
        let told = (answer.status, answer.code());
        println!("{name}: {} {}", answer.status, answer.body);
        assert_eq!(told, (status, code.to_owned()), "{name}: {}", answer.body);
        let now = client.get(&format!("{copy}?min_version=1")).await.expect(200).json();
        assert_eq!(now["version"], 1, "{name} left something behind");
    }
    // Line by line the good one goes in, and accounts and categories with it.
    let each =
        send(&client, &copy, "each", register.as_bytes().to_vec(), &[ledger("ynab_csv")]).await.expect(201);
    assert_eq!((&each.json()["import"]["taken"], &each.json()["import"]["refused"]), (&json!(1), &json!(1)));
    let accounts = balances(&client, &copy, each.version().unwrap()).await;
    assert_eq!(accounts, ["\"Purse\" \"-1.00\""]);
}
