use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use http::HeaderValue;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::closed_loop::{self, Until};
use crate::http_client::HttpClient;
use crate::session::{Api, Session, text};
use crate::workload::{Rendered, Workload, scatter};

const SETUP_CLIENTS: usize = 16;
const FILL_CLIENTS: usize = 8;
/// Entries in a bulk of a filling, the most that one may have.
const FILL_BULK: u64 = 500;
/// Bulks; small enough that a round ends well within an access token's life.
const FILL_ROUND: u64 = 100;
/// Ten years.
const DAYS: u64 = 3_652;
const PAYEES: [&str; 8] = [
    "Corner Bakery",
    "City Transport",
    "Green Grocer",
    "Water Works",
    "Book Shop",
    "Cinema Lux",
    "Pharmacy am Markt",
    "Café Größenwahn",
];

/// A book with the accounts and categories that came with it, as far as entries need them.
pub struct Book {
    pub id: String,
    account: String,
    categories: Vec<String>,
}

/// A day in the middle of what `entry` spreads over, for reads to ask about.
pub fn busy_day() -> NaiveDate {
    first_day() + Days::new(DAYS / 2)
}

pub fn last_day() -> NaiveDate {
    first_day() + Days::new(DAYS - 1)
}

pub fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date of the calendar")
}

pub async fn create(session: &mut Session, count: usize) -> Result<Vec<Book>> {
    let authorization = session.authorization().await?;
    let address = session.address;
    let mut running = JoinSet::new();
    for part in 0..SETUP_CLIENTS {
        let share = count / SETUP_CLIENTS + usize::from(part < count % SETUP_CLIENTS);
        let authorization: HeaderValue = authorization.clone();
        running.spawn(async move {
            let mut api = Api::new(address, Some(authorization));
            let mut books = Vec::with_capacity(share);
            for _ in 0..share {
                books.push(create_one(&mut api).await?);
            }
            anyhow::Ok(books)
        });
    }
    let mut books = Vec::with_capacity(count);
    while let Some(created) = running.join_next().await {
        books.extend(created.context("creating books")??);
    }
    Ok(books)
}

async fn create_one(api: &mut Api) -> Result<Book> {
    let made = api.post("/api/v1/books", &json!({ "name": "Bench", "currency": "EUR" })).await?;
    let (id, version) = (text(&made, "id")?, &made["version"]);
    let accounts = api.get(&format!("/api/v1/books/{id}/accounts?min_version={version}")).await?;
    let categories = api.get(&format!("/api/v1/books/{id}/categories?min_version={version}")).await?;
    let account = things(&accounts).find(|account| account["currency"] == "EUR" && account["closed"] != true);
    let account = text(account.context("a new book has no open account in EUR")?, "id")?;
    let usable = |category: &&Value| category["kind"] == "expense" && category["archived"] != true;
    let categories: Result<Vec<_>> =
        things(&categories).filter(usable).map(|thing| text(thing, "id")).collect();
    let categories = categories?;
    ensure!(!categories.is_empty(), "a new book has no category for expenses");
    Ok(Book { id, account, categories })
}

fn things(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["data"].as_array().into_iter().flatten()
}

/// `variants` different entries for each book, ready to be posted.
pub fn rendered_entries(books: &[Book], variants: u64) -> Result<Arc<[Rendered]>> {
    let mut rendered = Vec::new();
    for book in books {
        let path = format!("/api/v1/books/{}/entries", book.id);
        for variant in 0..variants {
            rendered.push(Rendered::new(&path, entry(book, variant).to_string())?);
        }
    }
    Ok(rendered.into())
}

/// `variants` different bulks of `size` entries for each book, ready to be posted: each is all or nothing.
pub fn rendered_bulks(books: &[Book], variants: u64, size: u64) -> Result<Arc<[Rendered]>> {
    let mut rendered = Vec::new();
    for book in books {
        let path = format!("/api/v1/books/{}/entries/bulk", book.id);
        for variant in 0..variants {
            let entries: Vec<Value> = (0..size).map(|place| entry(book, variant * size + place)).collect();
            rendered.push(Rendered::new(&path, json!({ "mode": "all", "entries": entries }).to_string())?);
        }
    }
    Ok(rendered.into())
}

/// An expense of a household: some day of ten years, some category, an amount up to 200, now and then with a note.
fn entry(book: &Book, variant: u64) -> Value {
    let chance = scatter(variant);
    let day = first_day() + Days::new(chance % DAYS);
    let cents = 100 + (chance >> 16) % 19_900;
    let category = &book.categories[(chance >> 32) as usize % book.categories.len()];
    let mut entry = json!({
        "kind": "expense",
        "occurred_on": day.to_string(),
        "account": book.account,
        "amount": format!("{}.{:02}", cents / 100, cents % 100),
        "category": category,
        "payee": PAYEES[(chance >> 40) as usize % PAYEES.len()],
    });
    if chance.is_multiple_of(4) {
        entry["note"] = json!("shared with the neighbours, half of it comes back");
    }
    entry
}

/// Fills a book by bulks, and waits until the read model shows the last.
pub async fn fill(session: &mut Session, book: &Book, entries: u64) -> Result<()> {
    let bulk = FILL_BULK.min(entries);
    let rendered = rendered_bulks(std::slice::from_ref(book), 256, bulk)?;
    let (bulks, mut done) = (entries / bulk, 0);
    while done < bulks {
        let round = (bulks - done).min(FILL_ROUND);
        let workload = Workload::writes(Arc::clone(&rendered)).authorized(session.authorization().await?);
        let clients = HttpClient::many(FILL_CLIENTS, session.address, &workload);
        let load = closed_loop::run(clients, Until::Requests(round)).await;
        let failure = load.first_failure.as_deref().unwrap_or_default();
        ensure!(load.failed == 0, "{} writes failed while filling the book: {failure}", load.failed);
        done += round;
        let per_s = load.achieved_per_s() * bulk as f64;
        eprintln!("  filled {} of {entries} entries, {per_s:.0}/s", done * bulk);
    }
    wait_until_shown(session, book).await
}

/// Adds one entry and waits until the read model shows it, and so everything before it.
pub async fn wait_until_shown(session: &mut Session, book: &Book) -> Result<()> {
    let path = format!("/api/v1/books/{}/entries", book.id);
    let last = session.api().await?.post(&path, &entry(book, 0)).await?;
    let shown = format!("/api/v1/books/{}?min_version={}", book.id, last["version"]);
    let mut api = session.api().await?;
    let caught_up = async {
        // A read waits two seconds at most, and says so.
        while api.get(&shown).await.is_err() {}
    };
    tokio::time::timeout(Duration::from_secs(300), caught_up)
        .await
        .context("the read model did not catch up within five minutes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        Book {
            id: "book_1".into(),
            account: "acc_1".into(),
            categories: vec!["cat_1".into(), "cat_2".into()],
        }
    }

    #[test]
    fn rendered_entries_are_the_same_in_every_run_and_differ_from_each_other() {
        assert_eq!(entry(&book(), 7), entry(&book(), 7));
        assert_ne!(entry(&book(), 7), entry(&book(), 8));
    }

    #[test]
    fn every_entry_is_a_positive_amount_with_two_decimals() {
        for variant in 0..2000 {
            let entry = entry(&book(), variant);
            let amount = entry["amount"].as_str().unwrap();
            let (whole, decimals) = amount.split_once('.').unwrap();
            assert!(decimals.len() == 2 && (1..200).contains(&whole.parse::<u32>().unwrap()), "{amount}");
        }
    }
}
