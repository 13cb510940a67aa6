//! A running command API with a clock that stands still, ids that count, and somebody to ask it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
};

use axum::{Router, body::Body};
use chrono::{DateTime, TimeDelta, Utc};
use daybook_command_api::{ApiState, Config, Owners, Sources, router};
use domain::id::{AccountId, BookId, UserId};
use http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use http_kit::{
    layers::{self, RequestLimits},
    testing,
};
use journal::{Commit, CommitReader, Fence, Journal, KeyStore, NewRecord, Position, sqlite::SqliteJournal};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

pub const PARTITIONS: u32 = 2;

/// Who asks unless a test says otherwise.
pub fn ann() -> UserId {
    user(1)
}

pub fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

pub fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A directory with a journal, its keys and the decision state; nothing is running in it yet.
#[derive(Clone)]
pub struct Place(Arc<TempDir>);

impl Place {
    pub fn new() -> Self {
        Self(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn journal_path(&self) -> PathBuf {
        self.path().join("journal.sqlite")
    }

    pub fn decisions(&self) -> PathBuf {
        self.path().join("decisions")
    }

    pub fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(SqliteJournal::open(&self.journal_path(), PARTITIONS, || "journal-1".to_owned()).unwrap())
    }

    pub fn keys(&self) -> Arc<KeyStore> {
        Arc::new(KeyStore::open(self.path()).unwrap())
    }
}

/// Copies the files of a directory; the processes that write them have to be stopped.
pub fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

pub struct World {
    pub place: Place,
    pub journal: Arc<dyn Journal>,
    pub keys: Arc<KeyStore>,
    pub owners: Arc<Owners>,
    pub clock: Arc<Mutex<DateTime<Utc>>>,
    pub config: Config,
    clock_reads: Arc<AtomicU64>,
    router: Router,
    calls: AtomicU64,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(set: impl FnOnce(&mut Config)) -> Self {
        let place = Place::new();
        let journal = place.journal();
        Self::on(place, journal, set)
    }

    /// Starts on what stands in `place`, writing through `journal`.
    pub fn on(place: Place, journal: Arc<dyn Journal>, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { directory: place.decisions(), ..Config::default() };
        set(&mut config);
        Self::start(place, journal, config, Arc::new(Mutex::new(noon())))
    }

    fn start(
        place: Place,
        journal: Arc<dyn Journal>,
        config: Config,
        clock: Arc<Mutex<DateTime<Utc>>>,
    ) -> Self {
        let keys = place.keys();
        let clock_reads = Arc::new(AtomicU64::new(0));
        let sources = counting_sources(Arc::clone(&clock), Arc::clone(&clock_reads), journal.as_ref());
        let owners = aside(|| {
            Owners::start(Arc::clone(&journal), Arc::clone(&keys), sources.clone(), &config).unwrap()
        });
        let owners = Arc::new(owners);
        let state = ApiState { owners: Arc::clone(&owners), sources, config: Arc::new(config.clone()) };
        let router = layers::wrap(router(state, testing::access_keys()).0, RequestLimits::default());
        Self { place, journal, keys, owners, clock, config, clock_reads, router, calls: AtomicU64::new(0) }
    }

    /// Stops, lets `meanwhile` happen to the files, and starts again.
    pub fn restarted(self, meanwhile: impl FnOnce(&Place)) -> Self {
        let Stopped { place, config, clock } = self.stopped();
        meanwhile(&place);
        let journal = place.journal();
        Self::start(place, journal, config, clock)
    }

    /// Stops and lets go of the files.
    pub fn stopped(self) -> Stopped {
        self.owners.stop();
        let keys = Arc::downgrade(&self.keys);
        let Self { place, config, clock, .. } = { self };
        // Readers of the journal hold the files for a moment longer.
        while keys.strong_count() > 0 {
            std::thread::yield_now();
        }
        Stopped { place, config, clock }
    }

    pub fn advance(&self, time: TimeDelta) {
        *self.clock.lock().unwrap() += time;
    }

    pub fn clock_reads(&self) -> u64 {
        self.clock_reads.load(Ordering::Relaxed)
    }

    /// `"POST /books"`, below the base of the API.
    pub fn call(&self, route: &str) -> Call<'_> {
        let (method, path) = route.split_once(' ').unwrap();
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        Call {
            world: self,
            method: method.parse().unwrap(),
            path: format!("/api/v1{path}"),
            user: Some(ann()),
            headers: vec![
                ("idempotency-key".to_owned(), format!("key-{number}").into_bytes()),
                ("x-request-id".to_owned(), format!("request-{number}").into_bytes()),
            ],
            body: Vec::new(),
        }
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(&format!("POST {path}")).json(&body).send().await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call(&format!("PATCH {path}")).json(&body).send().await
    }

    /// How much stands in the journal, by partition.
    pub fn heads(&self) -> Vec<Position> {
        (0..self.journal.partitions()).filter_map(|partition| self.journal.head(partition)).collect()
    }

    pub fn commits(&self) -> Vec<Commit> {
        commits(&self.journal, &self.keys)
    }

    pub async fn balance(&self, book: &str, account: &str) -> String {
        let chart = self.owners.chart(book.parse().unwrap(), ann()).await.unwrap();
        let account = &chart.accounts[&account.parse::<AccountId>().unwrap()];
        domain::money::Money { minor: account.balance_minor, currency: account.currency }.decimal()
    }

    pub fn verify(&self) -> journal::verify::Verified {
        journal::verify::verify_journal(self.journal.as_ref(), None, &mut |_| {}).unwrap()
    }

    /// A book with an account and a category of each sort.
    pub async fn home(&self) -> Home {
        let book = self.post("/books", json!({"name": "Home", "currency": "EUR", "empty": true})).await.id();
        let at = format!("/books/{book}");
        let account = async |name: &str, kind: &str, balance: &str| {
            let new = json!({"name": name, "kind": kind, "opening_balance": balance});
            self.post(&format!("{at}/accounts"), new).await.id()
        };
        let category = async |name: &str, kind: &str| {
            self.post(&format!("{at}/categories"), json!({"name": name, "kind": kind})).await.id()
        };
        Home {
            bank: account("Bank", "bank", "1000.00").await,
            cash: account("Cash", "cash", "0").await,
            groceries: category("Groceries", "expense").await,
            salary: category("Salary", "income").await,
            at,
            book,
        }
    }

    /// Somebody is invited to the book and accepts.
    pub async fn join(&self, at: &str, user: UserId, role: &str) {
        let new = json!({"email": "somebody@example.org", "role": role});
        let invited = self.post(&format!("{at}/invitations"), new).await;
        let accept = json!({"token": invited.json()["token"]});
        let accepted = self.call("POST /invitations/accept").by(user).json(&accept).send().await;
        assert_eq!(accepted.status, 200, "{}", accepted.body);
    }
}

/// Does what blocks on a thread of its own, which a test's runtime insists on.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// What is left of a world that was stopped.
pub struct Stopped {
    pub place: Place,
    pub config: Config,
    pub clock: Arc<Mutex<DateTime<Utc>>>,
}

pub struct Home {
    pub book: String,
    /// `/books/<book>`.
    pub at: String,
    pub bank: String,
    pub cash: String,
    pub groceries: String,
    pub salary: String,
}

impl Home {
    pub fn id(&self) -> BookId {
        self.book.parse().unwrap()
    }

    pub fn entries(&self) -> String {
        format!("{}/entries", self.at)
    }

    pub fn expense(&self, amount: &str) -> Value {
        json!({
            "kind": "expense",
            "occurred_on": "2026-11-23",
            "account": self.bank,
            "amount": amount,
            "category": self.groceries,
        })
    }
}

/// Ids go on where the journal ends, so that a second start makes no id again.
fn counting_sources(
    clock: Arc<Mutex<DateTime<Utc>>>,
    clock_reads: Arc<AtomicU64>,
    journal: &dyn Journal,
) -> Sources {
    let written: u64 =
        (0..journal.partitions()).filter_map(|partition| journal.head(partition)).map(|head| head.0).sum();
    let (ids, nonces) = (AtomicU64::new(written << 20), AtomicU64::new(written << 20));
    Sources {
        now: Arc::new(move || {
            clock_reads.fetch_add(1, Ordering::Relaxed);
            *clock.lock().unwrap()
        }),
        next_uuid: Arc::new(move || {
            let count = ids.fetch_add(1, Ordering::Relaxed);
            Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0000 | u128::from(count))
        }),
        next_nonce: Arc::new(move || {
            let mut nonce = [0; 24];
            nonce[..8].copy_from_slice(&nonces.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            nonce
        }),
    }
}

/// Appends and waits for the answer.
pub fn append(journal: &dyn Journal, partition: u32, records: Vec<NewRecord>) {
    let (sender, answer) = mpsc::channel();
    journal.append(partition, records, Box::new(move |outcome| sender.send(outcome).unwrap()));
    answer.recv().unwrap().unwrap();
}

/// Everything that counts in the journal.
pub fn commits(journal: &Arc<dyn Journal>, keys: &Arc<KeyStore>) -> Vec<Commit> {
    aside(|| {
        let mut all = Vec::new();
        for partition in 0..journal.partitions() {
            let (journal, keys) = (Arc::clone(journal), Arc::clone(keys));
            let mut reader =
                CommitReader::open(journal, keys, partition, Position::START, Fence::default()).unwrap();
            loop {
                let accepted = reader.next_blocking().unwrap();
                all.extend(accepted.commits);
                if accepted.caught_up {
                    break;
                }
            }
        }
        all
    })
}

/// The versions of each book, as they stand in the journal.
pub fn versions(commits: &[Commit]) -> BTreeMap<BookId, Vec<u64>> {
    let mut versions: BTreeMap<BookId, Vec<u64>> = BTreeMap::new();
    for commit in commits {
        versions.entry(commit.book).or_default().push(commit.version);
    }
    versions
}

pub struct Call<'w> {
    world: &'w World,
    method: Method,
    path: String,
    user: Option<UserId>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Call<'_> {
    pub fn by(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    pub fn without_login(mut self) -> Self {
        self.user = None;
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.without("idempotency-key").with("idempotency-key", key)
    }

    pub fn if_match(self, version: u64) -> Self {
        self.with("if-match", format!("\"{version}\""))
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.text("application/json", body.to_string())
    }

    pub fn text(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", content_type)
    }

    pub async fn send(self) -> Reply {
        let mut request = Request::builder().method(self.method).uri(self.path);
        if let Some(user) = self.user {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", testing::token(user)));
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response =
            self.world.router.clone().oneshot(request.body(Body::from(self.body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Of a write that went through.
    pub fn id(&self) -> String {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.json()["id"].as_str().unwrap().to_owned()
    }

    pub fn version(&self) -> u64 {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.json()["version"].as_u64().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// `422 amount_not_positive /amount`, then the pointers of all fields that are wrong.
    pub fn refusal(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{}", self.body);
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"), "{}", self.body);
        assert_eq!(problem["type"], format!("/problems/{}", problem["code"].as_str().unwrap()));
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointers = errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned());
        let head = format!("{} {}", self.status, problem["code"].as_str().unwrap());
        [head].into_iter().chain(pointers).collect::<Vec<_>>().join(" ")
    }

    pub fn outcome(&self) -> Option<String> {
        self.json()["outcome"].as_str().map(str::to_owned)
    }

    /// What a repetition has to give again.
    pub fn essence(&self) -> (u16, Option<String>, Option<String>, String) {
        let header = |name| self.header(name).map(str::to_owned);
        (self.status, header("etag"), header("location"), self.body.clone())
    }
}
