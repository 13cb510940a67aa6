use chrono::{Days, NaiveDate};
use daybook_e2e::{Answer, Client};
use domain::id::EntryId;
use serde_json::{Value, json};

use crate::dice::Dice;

/// Name, kind, currency and what is in it from the start. Names with all that ledgers of text give a meaning to, and
/// some that become alike without it.
const ACCOUNTS: [(&str, &str, &str, Option<&str>); 11] = [
    ("Bank: joint; [x]", "bank", "EUR", Some("1234.56")),
    ("Bank- joint, [x]", "bank", "EUR", None),
    ("Card", "card", "EUR", Some("-250.00")),
    ("(Loan)  \"big\"", "loan", "EUR", Some("-100000.00")),
    ("☕", "cash", "EUR", None),
    ("* !", "other", "EUR", None),
    ("Travel $ 7", "cash", "USD", None),
    ("Dollars", "bank", "USD", Some("0.01")),
    ("旅行", "bank", "JPY", Some("100000")),
    ("دينار", "savings", "KWD", Some("1.234")),
    ("=1+1 ß\\", "savings", "KWD", None),
];

/// Kind and path. A child follows its parent.
const CATEGORIES: [(&str, &[&str]); 15] = [
    ("expense", &["food & more"]),
    ("expense", &["food & more", "Groceries & more"]),
    ("expense", &["food & more", "Groceries; more"]),
    ("expense", &["food & more", "Groceries: more"]),
    ("expense", &["food & more", "Groceries: more", "Bio"]),
    ("expense", &["food & more", "Groceries: more", "Bio", "日本語"]),
    ("expense", &["Food more"]),
    ("expense", &["Rent"]),
    ("expense", &["\"Élan\" \\ (x)"]),
    ("expense", &["🏦"]),
    ("expense", &["@home  #1 | ^2"]),
    ("income", &["Salary"]),
    ("income", &["Other"]),
    ("income", &["Other", "Gifts: *"]),
    ("income", &["Rent"]),
];

const WORDS: [&str; 12] = [
    "Rewe; \"City\" | nord",
    "* Café ☕",
    "(x) [2026-01-01] date:2026-13-45",
    "=SUM(A1:A9)",
    "back\\slash \\n {} \\",
    "食品",
    "two  spaces",
    "#tag ^link; comment",
    "https://example.org/?a=b",
    "؜‎اسم",
    "1.234,56 EUR",
    "!",
];

pub struct RandomBook {
    /// `/api/v1/books/<id>`
    pub path: String,
    pub version: u64,
}

struct Account {
    id: String,
    currency: &'static str,
}

struct Author<'a> {
    client: &'a Client,
    dice: Dice,
    seed: u64,
    path: String,
    keys: u64,
    version: u64,
    accounts: Vec<Account>,
    expenses: Vec<String>,
    incomes: Vec<String>,
    /// Neither removed nor anything but an expense.
    purchases: Vec<String>,
    entries: Vec<String>,
    removed: Vec<String>,
}

/// Adds so many entries, and corrects, removes and restores some of them on the way.
pub async fn random_book(client: &Client, seed: u64, entries: usize) -> RandomBook {
    let mut author = Author::begin(client, seed).await;
    let mut added = 0;
    while added < entries {
        match author.dice.between(1, 100) {
            1..=8 if !author.entries.is_empty() => author.correct().await,
            9..=14 if !author.entries.is_empty() => author.remove().await,
            15..=17 if !author.removed.is_empty() => author.restore().await,
            _ => {
                let count = author.dice.place(20.min(entries - added)) + 1;
                author.add(count).await;
                added += count;
            }
        }
    }
    RandomBook { path: author.path, version: author.version }
}

impl<'a> Author<'a> {
    async fn begin(client: &'a Client, seed: u64) -> Self {
        let new = json!({"name": "Home \"1\"; 家", "currency": "EUR", "empty": true});
        let made = client.post("/api/v1/books", format!("oracles-{seed}"), &new).await.expect(201);
        let path = format!("/api/v1/books/{}", made.json()["id"].as_str().unwrap());
        let mut author = Self {
            client,
            dice: Dice::of(seed, 0),
            seed,
            path,
            keys: 0,
            version: made.version().unwrap(),
            accounts: Vec::new(),
            expenses: Vec::new(),
            incomes: Vec::new(),
            purchases: Vec::new(),
            entries: Vec::new(),
            removed: Vec::new(),
        };
        for (name, kind, currency, opening) in ACCOUNTS {
            let new = json!({"name": name, "kind": kind, "currency": currency, "opening_balance": opening,
                "opened_on": "2025-02-03"});
            let id = author.make("accounts", new).await;
            author.accounts.push(Account { id, currency });
        }
        let mut known: Vec<(&[&str], String)> = Vec::new();
        for (kind, names) in CATEGORIES {
            let (name, above) = names.split_last().unwrap();
            let parent = known.iter().rev().find(|(path, _)| *path == above).map(|(_, id)| id.clone());
            let id = author.make("categories", json!({"name": name, "kind": kind, "parent": parent})).await;
            known.push((names, id.clone()));
            if kind == "expense" { author.expenses.push(id) } else { author.incomes.push(id) }
        }
        author
    }

    fn key(&mut self) -> String {
        self.keys += 1;
        format!("oracles-{}-{}", self.seed, self.keys)
    }

    fn done(&mut self, answer: Answer, status: u16) -> Value {
        let answer = answer.expect(status);
        self.version = answer.version().unwrap();
        answer.json()
    }

    async fn make(&mut self, what: &str, new: Value) -> String {
        let (path, key) = (format!("{}/{what}", self.path), self.key());
        let answer = self.client.post(&path, key, &new).await;
        self.done(answer, 201)["id"].as_str().unwrap().to_owned()
    }

    /// So many entries by one commit.
    async fn add(&mut self, count: usize) {
        let mut entries = Vec::new();
        for _ in 0..count {
            let mut entry = match self.dice.between(1, 100) {
                1..=40 => self.sorted("expense", false),
                41..=55 => self.sorted("expense", true),
                56..=67 => self.sorted("income", false),
                68..=71 => self.sorted("income", true),
                72..=83 => {
                    let with_purchase = !self.purchases.is_empty() && self.dice.percent(70);
                    let splits = self.dice.percent(20);
                    let mut refund = self.sorted("refund", splits);
                    if with_purchase {
                        refund["refund_of"] = json!(self.dice.pick(&self.purchases));
                    }
                    refund
                }
                84..=93 => self.transfer(),
                _ => self.balanced(),
            };
            let id = EntryId::from_uuid(self.dice.uuid()).to_string();
            entry["id"] = json!(id);
            self.describe(&mut entry);
            if entry["kind"] == "expense" {
                self.purchases.push(id.clone());
            }
            self.entries.push(id);
            entries.push(entry);
        }
        let (path, key) = (format!("{}/entries/bulk", self.path), self.key());
        let answer = self.client.post(&path, key, &json!({"mode": "all", "entries": entries})).await;
        self.done(answer, 201);
    }

    /// An entry that is of one category, or split over some.
    fn sorted(&mut self, kind: &str, split: bool) -> Value {
        let place = self.dice.place(self.accounts.len());
        let (id, currency) = (self.accounts[place].id.clone(), self.accounts[place].currency);
        let mut entry = json!({"kind": kind, "occurred_on": self.day(), "account": id});
        let categories = if kind == "income" { self.incomes.clone() } else { self.expenses.clone() };
        if !split {
            entry["amount"] = json!(decimal(self.minor(), currency));
            entry["category"] = json!(self.dice.pick(&categories));
            return entry;
        }
        let mut sum = 0;
        let mut parts = Vec::new();
        for _ in 0..self.dice.between(2, 5) {
            let minor = self.minor();
            sum += minor;
            let mut part =
                json!({"category": self.dice.pick(&categories), "amount": decimal(minor, currency)});
            if self.dice.percent(50) {
                part["note"] = json!(self.dice.pick(&WORDS));
            }
            parts.push(part);
        }
        entry["amount"] = json!(decimal(sum, currency));
        entry["splits"] = json!(parts);
        entry
    }

    /// Between any two accounts, whatever their currencies.
    fn transfer(&mut self) -> Value {
        let from = self.dice.place(self.accounts.len());
        let to = (from + self.dice.between(1, self.accounts.len() as u64 - 1) as usize) % self.accounts.len();
        let (day, left, arrived) = (self.day(), self.minor(), self.minor());
        let (from, to) = (&self.accounts[from], &self.accounts[to]);
        let mut transfer = json!({"kind": "transfer", "occurred_on": day, "account": from.id,
            "amount": decimal(left, from.currency), "to_account": to.id});
        if from.currency != to.currency {
            transfer["to_amount"] = json!(decimal(arrived, to.currency));
        }
        transfer
    }

    /// In one or two currencies, some of which no account keeps; in each some legs and one that evens them out.
    fn balanced(&mut self) -> Value {
        let mut postings = Vec::new();
        for currency in [["EUR", "USD", "KWD"], ["JPY", "CHF", "ISK"]].iter().take(self.dice.place(2) + 1) {
            let currency = *self.dice.pick(currency);
            let mut sum: i64 = 0;
            for _ in 0..self.dice.between(1, 3) {
                let minor = if self.dice.percent(50) { self.minor() as i64 } else { -(self.minor() as i64) };
                sum += minor;
                postings.push(self.leg(minor, currency));
            }
            // No leg is of nothing.
            if sum == 0 {
                sum = 1;
                postings.push(self.leg(1, currency));
            }
            postings.push(self.leg(-sum, currency));
        }
        json!({"kind": "balanced", "occurred_on": self.day(), "postings": postings})
    }

    fn leg(&mut self, minor: i64, currency: &'static str) -> Value {
        let sign = if minor < 0 { "-" } else { "" };
        let amount = format!("{sign}{}", decimal(minor.unsigned_abs(), currency));
        let accounts = self.accounts.iter().filter(|account| account.currency == currency);
        let accounts: Vec<String> = accounts.map(|account| account.id.clone()).collect();
        let mut leg = json!({"amount": amount, "currency": currency});
        if !accounts.is_empty() && self.dice.percent(50) {
            leg["account"] = json!(self.dice.pick(&accounts));
        } else {
            let categories = if self.dice.percent(70) { &self.expenses } else { &self.incomes };
            leg["category"] = json!(self.dice.pick(categories));
        }
        leg
    }

    fn describe(&mut self, entry: &mut Value) {
        if self.dice.percent(70) {
            entry["payee"] = json!(self.dice.pick(&WORDS));
        }
        if self.dice.percent(30) {
            let lines: Vec<&str> = (0..self.dice.between(1, 4)).map(|_| *self.dice.pick(&WORDS)).collect();
            entry["note"] = json!(lines.join("\n"));
        }
        if self.dice.percent(30) {
            let tags: Vec<&str> = (0..self.dice.between(1, 3)).map(|_| *self.dice.pick(&WORDS)).collect();
            entry["tags"] = json!(tags);
        }
        if self.dice.percent(10) {
            entry["foreign"] = json!({"amount": "20.00", "currency": "CHF"});
        }
    }

    async fn correct(&mut self) {
        let entry = self.dice.pick(&self.entries).clone();
        let path = format!("{}/entries/{entry}", self.path);
        let mut patch = json!({"occurred_on": self.day()});
        self.describe(&mut patch);
        let key = self.key();
        let answer = self.client.patch(&path, key, &patch).await;
        self.done(answer, 200);
    }

    async fn remove(&mut self) {
        let place = self.dice.place(self.entries.len());
        let entry = self.entries.swap_remove(place);
        self.purchases.retain(|purchase| *purchase != entry);
        let (path, key) = (format!("{}/entries/{entry}", self.path), self.key());
        let answer = self.client.delete(&path, key).await;
        self.done(answer, 200);
        self.removed.push(entry);
    }

    async fn restore(&mut self) {
        let place = self.dice.place(self.removed.len());
        let entry = self.removed.swap_remove(place);
        let (path, key) = (format!("{}/entries/{entry}/restore", self.path), self.key());
        let answer = self.client.post(&path, key, &json!({})).await;
        self.done(answer, 200);
        self.entries.push(entry);
    }

    /// Within [`crate::figures::Span::ALL`].
    fn day(&mut self) -> String {
        match self.dice.between(1, 200) {
            1 => "0001-01-01".to_owned(),
            2 => "9999-12-31".to_owned(),
            _ => {
                let first: NaiveDate = "2025-02-01".parse().unwrap();
                first.checked_add_days(Days::new(self.dice.between(0, 423))).unwrap().to_string()
            }
        }
    }

    fn minor(&mut self) -> u64 {
        match self.dice.between(1, 50) {
            1 => self.dice.between(1, 100_000_000_000_000),
            2..=10 => self.dice.between(1, 120),
            _ => self.dice.between(100, 100_000),
        }
    }
}

fn decimal(minor: u64, currency: &str) -> String {
    let decimals = match currency {
        "JPY" | "ISK" => return minor.to_string(),
        "KWD" => 3,
        _ => 2,
    };
    let unit = 10u64.pow(decimals);
    format!("{}.{:0width$}", minor / unit, minor % unit, width = decimals as usize)
}
