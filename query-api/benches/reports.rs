//! How long reports take over one and over ten years of a big book: `cargo bench -p daybook-query-api`. Arguments:
//! entries of the book, questions of each kind, and a part of the questions' names if only some are
//! to be asked. Nothing is remembered from one question to the next.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use chrono::{DateTime, Days, NaiveDate, Utc};
use daybook_query_api::{Config, QueryApi, clock::Clock, names::Names};
use domain::{
    Event,
    entry::{AccountKind, CategoryKind, Entry, EntryKind},
    event::{Role, Settings, Weekday},
    id::{AccountId, BookId, CategoryId, EntryId, UserId},
    money::{Currency, Money},
    posting::{Ledger, Posting, Postings},
    text::Text,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use http_kit::{cursor::CursorKey, testing};
use read_model::{Batch, Builder, Commit, Directory, Progress, Projection, ReadModel};
use tower::ServiceExt;
use uuid::Uuid;

const BATCH: usize = 20_000;
const YEARS: u64 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = || std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let mut numbers = arguments().filter_map(|argument| argument.parse::<usize>().ok());
    let wanted = arguments().find(|argument| argument.parse::<usize>().is_err()).unwrap_or_default();
    let entries = numbers.next().unwrap_or(1_000_000);
    let questions = numbers.next().unwrap_or(200);

    let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
    let start = Instant::now();
    let book = fill(data_dir.path(), entries);
    println!(
        "{entries} entries over {YEARS} years, {questions} questions each; filled in {:.0?}",
        start.elapsed()
    );
    let router = router(data_dir.path());

    let account = book.accounts[0];
    for query in [
        "overview?on=2024-06-15",
        "reports/spending?period=month&on=2024-06-15",
        "reports/spending?from=2024-01-01&to=2024-12-31",
        "reports/spending?from=2015-01-01&to=2024-12-31",
        "reports/spending?from=2015-01-25&to=2025-01-24&compare=previous",
        "reports/spending?from=2024-01-01&to=2024-12-31&group_by=month",
        "reports/spending?from=2015-01-01&to=2024-12-31&group_by=month",
        "reports/spending?from=2015-01-01&to=2024-12-31&group_by=weekday",
        "reports/cash-flow?from=2024-01-01&to=2024-12-31&granularity=month",
        "reports/cash-flow?from=2024-01-01&to=2024-12-31&granularity=day",
        "reports/cash-flow?from=2015-01-01&to=2024-12-31&granularity=month",
        "reports/cash-flow?from=2015-01-01&to=2024-12-31&granularity=week",
        "reports/net-worth?from=2024-01-01&to=2024-12-31&granularity=month",
        "reports/net-worth?from=2015-01-01&to=2024-12-31&granularity=month",
        "reports/statistics?period=month&on=2024-06-15",
        "reports/statistics?from=2024-01-01&to=2024-12-31",
        "reports/statistics?from=2015-01-01&to=2024-12-31",
        "entries?limit=50",
        "entries?limit=50&sort=amount",
        "entries?limit=50&from=2024-06-01&to=2024-06-30&category_kind=expense&currency=EUR",
        &format!("entries?limit=50&to=2024-06-30&account={account}"),
    ] {
        if !query.contains(&wanted) {
            continue;
        }
        let path = format!("/api/v1/books/{}/{query}", book.id);
        let mut times: Vec<Duration> = Vec::with_capacity(questions);
        let mut bytes = 0;
        for _ in 0..questions {
            let start = Instant::now();
            bytes = ask(&router, &path, book.owner).await;
            times.push(start.elapsed());
        }
        times.sort_unstable();
        let at = |quantile: f64| times[((times.len() - 1) as f64 * quantile) as usize].as_secs_f64() * 1000.0;
        let shown = query.replace(&account.to_string(), "…");
        println!("{:>8.2} ms p50 {:>8.2} ms p99 {:>6} KB  {shown}", at(0.5), at(0.99), bytes / 1024);
    }
}

async fn ask(router: &Router, path: &str, user: UserId) -> usize {
    let request = Request::get(path).header("authorization", format!("Bearer {}", testing::token(user)));
    let request = request.body(Body::empty()).expect("the request is sound");
    let response = router.clone().oneshot(request).await.expect("the router answers");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.into_body().collect().await.expect("the answer is whole").to_bytes().len()
}

struct Filled {
    id: BookId,
    owner: UserId,
    accounts: Vec<AccountId>,
}

struct Nobody;

#[async_trait]
impl Names for Nobody {
    async fn names(&self, _: &[UserId]) -> HashMap<UserId, String> {
        HashMap::new()
    }
}

fn router(data_dir: &std::path::Path) -> Router {
    let model = ReadModel::open(data_dir, read_model::Config::default()).expect("the model opens");
    let config = Config { answers_bytes_max: 0, ..Config::default() };
    let now: DateTime<Utc> = "2024-12-31T12:00:00Z".parse().expect("an instant");
    let clock = Clock::new(move || now);
    let progress = Progress::new(1, |_| Some(0));
    let api = QueryApi::new(config, model, progress, Arc::new(Nobody), clock, CursorKey::new(b"bench"));
    daybook_query_api::router().finish(testing::access_keys(), Arc::new(api)).0
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn fill(data_dir: &std::path::Path, entries: usize) -> Filled {
    let directory = Directory::open(data_dir).expect("the folder can be made");
    let name = directory.free_name(None).expect("the folder can be read");
    let mut builder = Builder::create(directory.clone(), name.clone()).expect("a file can be made");
    let mut last: u128 = 0;
    let mut next_id = || {
        last += 1;
        Uuid::from_u128(last << 64 | last.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff)
    };
    let euro = Currency::parse("EUR").expect("the euro is a currency");
    let (id, owner) = (BookId::from_uuid(next_id()), UserId::from_uuid(next_id()));
    let accounts: Vec<AccountId> = (0..5).map(|_| AccountId::from_uuid(next_id())).collect();
    let categories: Vec<CategoryId> = (0..34).map(|_| CategoryId::from_uuid(next_id())).collect();
    let first_day = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date");
    let settings = Settings {
        name: Text::known("Home"),
        currency: euro,
        time_zone: "Europe/Berlin".to_owned(),
        week_starts_on: Weekday::Monday,
        month_starts_on: 1,
    };
    let mut events =
        vec![Event::BookCreated { settings }, Event::MemberAdded { user: owner, role: Role::Owner }];
    events.extend(accounts.iter().map(|account| Event::AccountOpened {
        account: *account,
        name: Text::known("Account"),
        kind: AccountKind::Bank,
        currency: euro,
        opened_on: first_day,
    }));
    // Thirty of expense, in threes below a fourth, and four of income.
    events.extend(categories.iter().enumerate().map(|(index, category)| Event::CategoryAdded {
        category: *category,
        name: Text::known("Category"),
        kind: if index < 30 { CategoryKind::Expense } else { CategoryKind::Income },
        parent: (index < 30 && index % 4 != 0).then(|| categories[index - index % 4]),
        icon: None,
        colour: None,
    }));

    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let commit = |version: usize, events: Vec<Event>| Commit {
        partition: 0,
        position: version as u64,
        book: id,
        version: version as u64,
        hash: [7; 32],
        recorded_at: DateTime::<Utc>::UNIX_EPOCH,
        actor: owner,
        command: "add_entry".to_owned(),
        events,
    };
    let mut waiting = vec![commit(1, events)];
    let mut after = 0;
    for number in 0..entries {
        let day = first_day + Days::new(dice.below(365 * YEARS as usize) as u64);
        let entry = entry(&mut dice, EntryId::from_uuid(next_id()), day, euro, &accounts, &categories);
        waiting.push(commit(number + 2, vec![Event::EntryAdded { entry }]));
        if waiting.len() == BATCH || number + 1 == entries {
            let mut projection = Projection::default();
            waiting.drain(..).for_each(|commit| projection.take(commit));
            let through = number as u64 + 2;
            let rows = projection.into_rows();
            let batch = Batch { partition: 0, after, through, fence: "{}".to_owned(), rows };
            builder.apply(&batch).expect("rows are new");
            after = through;
        }
    }
    builder.finish().expect("the file can be finished");
    directory.set_current(&name).expect("the name can be written");
    Filled { id, owner, accounts }
}

/// Of a hundred entries eight are income, five refunds, five transfers, and twelve of the rest are split.
fn entry(
    dice: &mut Dice,
    id: EntryId,
    occurred_on: NaiveDate,
    currency: Currency,
    accounts: &[AccountId],
    categories: &[CategoryId],
) -> Entry {
    let minor = 100 + dice.below(19_900) as i64;
    let account = accounts[dice.below(accounts.len())];
    let to = |ledger, minor| Posting::new(ledger, Money { minor, currency });
    let (kind, postings) = match dice.below(100) {
        0..8 => {
            let category = Ledger::Category(categories[30 + dice.below(4)]);
            (EntryKind::Income, vec![to(Ledger::Account(account), 12 * minor), to(category, -12 * minor)])
        }
        8..13 => {
            let category = Ledger::Category(categories[dice.below(30)]);
            (EntryKind::Refund, vec![to(Ledger::Account(account), minor), to(category, -minor)])
        }
        13..18 => {
            let other = accounts[dice.below(accounts.len())];
            (
                EntryKind::Transfer,
                vec![to(Ledger::Account(account), -minor), to(Ledger::Account(other), minor)],
            )
        }
        18..30 => {
            let (first, second) = (categories[dice.below(30)], categories[dice.below(30)]);
            let postings = vec![
                to(Ledger::Account(account), -minor),
                to(Ledger::Category(first), minor - 40),
                to(Ledger::Category(second), 40),
            ];
            (EntryKind::Expense, postings)
        }
        _ => {
            let category = Ledger::Category(categories[dice.below(30)]);
            (EntryKind::Expense, vec![to(Ledger::Account(account), -minor), to(category, minor)])
        }
    };
    Entry {
        id,
        kind,
        occurred_on,
        postings: Postings::balanced(postings).expect("what goes out comes in"),
        payee: Some(Text::known("Rewe Markt Friedrichstrasse")),
        note: None,
        tags: Vec::new(),
        refund_of: None,
        foreign: None,
        imported: None,
    }
}
