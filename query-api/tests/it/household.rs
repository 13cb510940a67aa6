//! A book to ask about. What happens in it is decided by the domain and told to the read model commit by commit.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use chrono::{DateTime, NaiveDate, Utc};
use daybook_query_api::{Config, QueryApi, clock::Clock, names::Names};
use domain::{
    Book, Command, Event, Recorded, Rejection,
    command::{EntryDraft, NewAccount, NewCategory, OpeningBalance, Sorting, SplitDraft},
    decide,
    entry::{AccountKind, CategoryKind, EntryKind},
    event::{Role, Settings, Weekday},
    id::{AccountId, BookId, CategoryId, EntryId, ImportId, UserId},
    money::{Amount, Currency},
    text::Text,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use http_kit::{cursor::CursorKey, testing};
use read_model::{Batch, Commit, Progress, Projection, ReadModel};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

pub const NOW: &str = "2026-11-23T12:00:00Z";

pub struct Household {
    pub book: Book,
    pub id: BookId,
    pub owner: UserId,
    pub version: u64,
    pub router: Router,
    /// The OpenAPI document.
    pub description: Value,
    pub progress: Arc<Progress>,
    /// The last record of the journal, as this process believes.
    pub head: Arc<AtomicU64>,
    model: ReadModel,
    waiting: Vec<Commit>,
    position: u64,
    last_id: u128,
    token: String,
    pub directory: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub etag: Option<String>,
    pub body: Value,
}

struct OnePerson(UserId);

#[async_trait]
impl Names for OnePerson {
    async fn names(&self, users: &[UserId]) -> HashMap<UserId, String> {
        users.iter().filter(|user| **user == self.0).map(|user| (*user, "Ada".to_owned())).collect()
    }
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn settings() -> Settings {
    Settings {
        name: Text::known("Home"),
        currency: Currency::parse("EUR").unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
        week_starts_on: Weekday::Monday,
        month_starts_on: 1,
    }
}

pub fn expense(on: &str, account: AccountId, category: CategoryId, amount: &str) -> EntryDraft {
    draft(EntryKind::Expense, on, account, Sorting::Whole(category), amount)
}

pub fn draft(kind: EntryKind, on: &str, account: AccountId, sorting: Sorting, amount: &str) -> EntryDraft {
    EntryDraft { sorting, ..EntryDraft::told(kind, day(on), account, amount.parse::<Amount>().unwrap()) }
}

pub fn split(parts: &[(CategoryId, &str)]) -> Sorting {
    let part = |(category, amount): &(CategoryId, &str)| SplitDraft {
        category: *category,
        amount: amount.parse().unwrap(),
        note: None,
    };
    Sorting::Split(parts.iter().map(part).collect())
}

impl Household {
    /// An empty book with these settings.
    pub async fn with(settings: Settings) -> Self {
        Self::configured(settings, Config { min_version_wait_ms: 200, ..Config::default() }).await
    }

    pub async fn configured(settings: Settings, config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let model = ReadModel::open(directory.path(), read_model::Config::default()).unwrap();
        let head = Arc::new(AtomicU64::new(0));
        let progress = Progress::new(1, {
            let head = head.clone();
            move |_| Some(head.load(Ordering::SeqCst))
        });
        let owner = UserId::from_uuid(Uuid::from_u128(1));
        let now: DateTime<Utc> = NOW.parse().unwrap();
        let api = QueryApi::new(
            config,
            model.clone(),
            progress.clone(),
            Arc::new(OnePerson(owner)),
            Clock::new(move || now),
            CursorKey::new(b"test"),
        );
        let (router, description) = daybook_query_api::router().finish(testing::access_keys(), Arc::new(api));
        let mut household = Self {
            book: Book::default(),
            id: BookId::from_uuid(Uuid::from_u128(2)),
            owner,
            version: 0,
            router,
            description: serde_json::to_value(description).unwrap(),
            progress,
            head,
            model,
            waiting: Vec::new(),
            position: 0,
            last_id: 1_000,
            token: testing::token(owner),
            directory,
        };
        let create = Command::CreateBook { settings, accounts: Vec::new(), categories: Vec::new() };
        household.run(create).unwrap();
        household
    }

    pub fn next_id(&mut self) -> Uuid {
        self.last_id += 1;
        Uuid::from_u128(self.last_id)
    }

    pub fn run(&mut self, command: Command) -> Result<(), Rejection> {
        self.run_as(self.owner, command)
    }

    pub fn run_as(&mut self, actor: UserId, command: Command) -> Result<(), Rejection> {
        let events = decide(&self.book, actor, &command)?;
        self.record_as(actor, command.name(), events);
        Ok(())
    }

    /// Takes what has happened for decided.
    pub fn record(&mut self, command: &str, events: Vec<Event>) {
        self.record_as(self.owner, command, events);
    }

    pub fn record_as(&mut self, actor: UserId, command: &str, events: Vec<Event>) {
        self.version += 1;
        let version = i64::try_from(self.version).unwrap();
        let recorded_at = NOW.parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::milliseconds(version);
        for event in &events {
            self.book.evolve(event, Recorded { version: self.version, at: recorded_at });
        }
        self.waiting.push(Commit {
            partition: 0,
            position: self.version,
            book: self.id,
            version: self.version,
            hash: [u8::try_from(self.version % 256).unwrap(); 32],
            recorded_at,
            actor,
            command: command.to_owned(),
            events,
        });
        self.head.store(self.version, Ordering::SeqCst);
    }

    /// Shows the read model everything that has happened.
    pub async fn project(&mut self) {
        let mut projection = Projection::default();
        for commit in self.waiting.drain(..) {
            projection.take(commit);
        }
        let batch = Batch {
            partition: 0,
            after: self.position,
            through: self.version,
            fence: "{}".to_owned(),
            rows: projection.into_rows(),
        };
        self.position = self.version;
        self.model.apply(Arc::new(batch)).await.unwrap();
        self.progress.set_applied(0, self.position);
        self.progress.tell_followers([self.id]);
    }

    pub fn account(&mut self, name: &str, currency: &str, opening: Option<&str>) -> AccountId {
        let account = AccountId::from_uuid(self.next_id());
        let entry = EntryId::from_uuid(self.next_id());
        self.run(Command::OpenAccount(NewAccount {
            account,
            name: Text::known(name),
            kind: AccountKind::Bank,
            currency: Some(Currency::parse(currency).unwrap()),
            opened_on: day("2026-01-01"),
            opening_balance: opening.map(|amount| OpeningBalance { entry, amount: amount.parse().unwrap() }),
        }))
        .unwrap();
        account
    }

    pub fn category(&mut self, name: &str, kind: CategoryKind, parent: Option<CategoryId>) -> CategoryId {
        let category = CategoryId::from_uuid(self.next_id());
        let name = Text::known(name);
        self.run(Command::AddCategory(NewCategory {
            category,
            name,
            kind,
            parent,
            icon: None,
            colour: None,
        }))
        .unwrap();
        category
    }

    pub fn add(&mut self, draft: EntryDraft) -> EntryId {
        let entry = EntryId::from_uuid(self.next_id());
        self.run(Command::AddEntry { entry, draft }).unwrap();
        entry
    }

    pub fn import_id(&mut self) -> ImportId {
        ImportId::from_uuid(self.next_id())
    }

    /// `path` below the book, such as `/entries?limit=1`.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("/api/v1/books/{}{path}", self.id), &self.token, None).await
    }

    pub async fn get_if_none_match(&self, path: &str, tag: &str) -> Answer {
        self.ask(&format!("/api/v1/books/{}{path}", self.id), &self.token, Some(tag)).await
    }

    pub async fn get_as(&self, user: UserId, path: &str) -> Answer {
        self.ask(path, &testing::token(user), None).await
    }

    pub async fn get_absolute(&self, path: &str) -> Answer {
        self.ask(path, &self.token, None).await
    }

    /// The body, of an answer that has to be good.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    /// All items of a list, however many parts it comes in.
    pub async fn read_all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        loop {
            let answer = self.get_absolute(&next).await;
            assert_eq!(answer.status, StatusCode::OK, "{next}: {}", answer.body);
            items.extend(answer.body["data"].as_array().unwrap().iter().cloned());
            let Some(cursor) = answer.body["next_cursor"].as_str() else { return items };
            let mark = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{mark}cursor={cursor}");
        }
    }

    async fn ask(&self, path: &str, token: &str, tag: Option<&str>) -> Answer {
        let mut request = Request::get(path).header("authorization", format!("Bearer {token}"));
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let etag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, etag, body }
    }

    pub fn role(&self) -> Role {
        self.book.role_of(self.owner).unwrap()
    }
}
