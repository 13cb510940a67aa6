//! One of those who write. Nobody else touches the entries it made, so it knows how each of its requests has to be
//! answered, whatever happened to the process in between.

use std::{
    mem,
    ops::Add,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use daybook_e2e::{Answer, Client, try_send};
use domain::id::{BookId, EntryId, UserId};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::{
    desk::{Desk, Person},
    dice::Dice,
    fault::Fault,
};

/// Lines of a statement that become one commit, set for the server too, so that imports are several commits.
pub const IMPORT_COMMIT_LINES: usize = 10;
const PAYEES: [&str; 6] = ["Corner shop", "Market hall", "Bäckerei Süß", "Railway", "東京ストア", "Pharmacy"];
/// Where entries lie in time: a handful of months, so that reports have something to add up.
const FIRST_DAY: (i32, u32, u32) = (2026, 9, 1);
const DAYS: u64 = 91;

/// A request as it can be sent any number of times.
#[derive(Debug, Clone)]
pub struct Sent {
    pub key: String,
    pub user: UserId,
    pub book: BookId,
    pub method: Method,
    pub path: String,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub enum Content {
    Nothing,
    Json(Value),
    Statement { mapping: Value, file: String },
}

impl Sent {
    pub async fn by(&self, client: &Client) -> Result<Answer, reqwest::Error> {
        let request = client.write(self.method.clone(), &self.path, &self.key);
        let request = match &self.content {
            Content::Nothing => request,
            Content::Json(body) => request.json(body),
            Content::Statement { mapping, file } => {
                let file = Part::bytes(file.clone().into_bytes()).file_name("statement.csv");
                request.multipart(Form::new().text("mapping", mapping.to_string()).part("file", file))
            }
        };
        try_send(request).await
    }
}

/// A write that was acknowledged, with everything its repetition has to answer again.
#[derive(Debug, Clone)]
pub struct Taken {
    pub sent: Sent,
    /// How many commits it comes to.
    pub commits: usize,
    pub status: u16,
    pub version: u64,
    pub location: Option<String>,
    pub body: String,
}

impl Taken {
    pub fn of(sent: Sent, commits: usize, answer: Answer) -> Self {
        let version = answer.version().unwrap_or_default();
        let location = answer.header("location").map(str::to_owned);
        Self { sent, commits, status: answer.status, version, location, body: answer.body }
    }

    /// A repetition is answered with the same status, body, `ETag` and place, and says that it is one.
    pub fn check_replay(&self, again: &Answer) -> Result<(), Fault> {
        let is_same = again.status == self.status
            && again.body == self.body
            && again.version() == Some(self.version)
            && again.header("location") == self.location.as_deref()
            && again.header("idempotency-replayed") == Some("true");
        match is_same {
            true => Ok(()),
            false => Err(Fault::Answer(format!("{self:?} was repeated and answered with {again:?}"))),
        }
    }
}

/// An effect-ful request, and what its acknowledgement changes in what the writer knows.
#[derive(Debug)]
struct Attempt {
    sent: Sent,
    effect: Effect,
}

#[derive(Debug)]
enum Effect {
    AddsEntry { desk: usize },
    Corrects { own: usize },
    Removes { own: usize },
    Restores { own: usize },
    Imports { lines: usize },
    MakesBook,
}

impl Effect {
    fn status(&self) -> u16 {
        match self {
            Effect::AddsEntry { .. } | Effect::Imports { .. } | Effect::MakesBook => 201,
            Effect::Corrects { .. } | Effect::Removes { .. } | Effect::Restores { .. } => 200,
        }
    }

    fn commits(&self) -> usize {
        match self {
            Effect::Imports { lines } => lines.div_ceil(IMPORT_COMMIT_LINES),
            Effect::AddsEntry { .. }
            | Effect::Corrects { .. }
            | Effect::Removes { .. }
            | Effect::Restores { .. }
            | Effect::MakesBook => 1,
        }
    }
}

/// An entry that this writer made.
#[derive(Debug)]
struct Own {
    desk: usize,
    entry: String,
    /// The book's version that last touched it.
    version: u64,
    removed: bool,
}

/// What came of the requests so far.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub acknowledged: u64,
    /// Requests without an answer, or with one that says that the outcome is unknown.
    pub unknown: u64,
    /// Of those: the repetition found that the write had been applied.
    pub unknown_applied: u64,
    /// Answered with 503 and `not_applied`, or shed.
    pub put_off: u64,
    pub replays: u64,
    pub refusals: u64,
    pub reads: u64,
    pub reads_put_off: u64,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            unknown: self.unknown + other.unknown,
            unknown_applied: self.unknown_applied + other.unknown_applied,
            put_off: self.put_off + other.put_off,
            replays: self.replays + other.replays,
            refusals: self.refusals + other.refusals,
            reads: self.reads + other.reads,
            reads_put_off: self.reads_put_off + other.reads_put_off,
        }
    }
}

pub struct Writer {
    number: u64,
    dice: Dice,
    person: usize,
    user: UserId,
    desks: Arc<Vec<Desk>>,
    /// Of `desks`, those of this person; the busy one of all stands first.
    open_to: Vec<usize>,
    own: Vec<Own>,
    keys_made: u64,
    /// What became of it is not known; it is sent again before anything else.
    pending: Option<Attempt>,
    pub taken: Vec<Taken>,
    /// Keys of requests that were refused, with the person and the book they went to.
    pub refused: Vec<(UserId, BookId, String)>,
    pub counts: Counts,
}

/// Whether the server is still there.
#[derive(PartialEq)]
enum Line {
    Up,
    Cut,
}

impl Writer {
    pub fn new(number: u64, seed: u64, people: &[Person], desks: &Arc<Vec<Desk>>) -> Self {
        let person = number as usize % people.len();
        let open_to = (0..desks.len()).filter(|desk| desks[*desk].person == person).collect();
        Self {
            number,
            dice: Dice::of(seed, number),
            person,
            user: people[person].user,
            desks: Arc::clone(desks),
            open_to,
            own: Vec::new(),
            keys_made: 0,
            pending: None,
            taken: Vec::new(),
            refused: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn person(&self) -> usize {
        self.person
    }

    /// Writes until the server is gone or the round is over.
    pub async fn write(
        &mut self,
        client: &Client,
        over: &AtomicBool,
        acknowledged: &AtomicU64,
    ) -> Result<(), Fault> {
        while !over.load(Ordering::Relaxed) {
            let before = self.counts.acknowledged;
            if self.next(client).await? == Line::Cut {
                break;
            }
            acknowledged.fetch_add(self.counts.acknowledged - before, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Learns what became of the request that was cut off, if there is one.
    pub async fn settle(&mut self, client: &Client) -> Result<(), Fault> {
        while self.pending.is_some() {
            if self.next(client).await? == Line::Cut {
                return Err(Fault::Process("the server is gone although nobody killed it".to_owned()));
            }
        }
        Ok(())
    }

    async fn next(&mut self, client: &Client) -> Result<Line, Fault> {
        if let Some(attempt) = self.pending.take() {
            return self.attempt(client, attempt, true).await;
        }
        match self.dice.between(1, 1_000) {
            1..=450 => self.add(client).await,
            451..=770 => self.change(client).await,
            771..=840 => self.repeat(client).await,
            841..=880 => self.reuse_key(client).await,
            881..=930 => self.be_refused(client).await,
            931..=990 => self.read(client).await,
            991..=997 => self.import(client).await,
            _ => self.make_book(client).await,
        }
    }

    async fn add(&mut self, client: &Client) -> Result<Line, Fault> {
        let desk = self.any_desk();
        let mut body = self.entry_of(desk);
        if self.dice.percent(50) {
            body["id"] = EntryId::from_uuid(self.dice.uuid()).to_string().into();
        }
        let path = format!("{}/entries", self.desks[desk].path());
        let sent = self.sent(desk, Method::POST, path, Content::Json(body));
        self.attempt(client, Attempt { sent, effect: Effect::AddsEntry { desk } }, false).await
    }

    /// Corrects, removes or restores one of its entries, whichever it can be.
    async fn change(&mut self, client: &Client) -> Result<Line, Fault> {
        if self.own.is_empty() {
            return self.add(client).await;
        }
        let own = self.dice.place(self.own.len());
        let Own { desk, removed, .. } = self.own[own];
        let path = self.path_of(own);
        let attempt = if removed {
            let sent = self.sent(desk, Method::POST, format!("{path}/restore"), Content::Nothing);
            Attempt { sent, effect: Effect::Restores { own } }
        } else if self.dice.percent(60) {
            let change = match self.dice.percent(50) {
                true => json!({"note": format!("seen again by {}", self.number), "payee": null}),
                false => json!({"occurred_on": self.day(), "payee": *self.dice.pick(&PAYEES)}),
            };
            Attempt {
                sent: self.sent(desk, Method::PATCH, path, Content::Json(change)),
                effect: Effect::Corrects { own },
            }
        } else {
            let sent = self.sent(desk, Method::DELETE, path, Content::Nothing);
            Attempt { sent, effect: Effect::Removes { own } }
        };
        self.attempt(client, attempt, false).await
    }

    async fn import(&mut self, client: &Client) -> Result<Line, Fault> {
        let desk = self.any_desk();
        let lines = self.dice.between(1, 4 * IMPORT_COMMIT_LINES as u64) as usize;
        let mut file = "Date,Payee,Amount\n".to_owned();
        for line in 0..lines {
            // More than any entry has: no line is the other side of a transfer.
            let cents = self.dice.between(20_000, 29_999);
            let sign = if self.dice.percent(80) { "-" } else { "" };
            let (day, key) = (self.day(), self.keys_made);
            // No line tells of an entry that is there already.
            let amount = format!("{sign}{}.{:02}", cents / 100, cents % 100);
            file.push_str(&format!("{day},Line {line} of {key} by {},{amount}\n", self.number));
        }
        let known = &self.desks[desk];
        let mapping = json!({
            "date": "Date", "date_format": "YYYY-MM-DD", "payee": ["Payee"],
            "amount": {"sign": "signed", "column": "Amount"}, "account": known.accounts[0],
            "default_expense_category": known.expenses[0], "default_income_category": known.incomes[0],
        });
        let path = format!("{}/imports", known.path());
        let sent = self.sent(desk, Method::POST, path, Content::Statement { mapping, file });
        self.attempt(client, Attempt { sent, effect: Effect::Imports { lines } }, false).await
    }

    async fn make_book(&mut self, client: &Client) -> Result<Line, Fault> {
        let key = self.new_key();
        let sent = Sent {
            book: command_api::book_id(self.user, &key),
            key,
            user: self.user,
            method: Method::POST,
            path: "/api/v1/books".to_owned(),
            content: Content::Json(json!({"name": "Another one", "currency": "JPY"})),
        };
        self.attempt(client, Attempt { sent, effect: Effect::MakesBook }, false).await
    }

    async fn attempt(&mut self, client: &Client, attempt: Attempt, again: bool) -> Result<Line, Fault> {
        let answer = match attempt.sent.by(client).await {
            Ok(answer) => answer,
            Err(_) => {
                self.counts.unknown += u64::from(!again);
                self.pending = Some(attempt);
                return Ok(Line::Cut);
            }
        };
        if answer.status == 503 {
            match answer.json()["outcome"].as_str() {
                Some("unknown") => self.counts.unknown += u64::from(!again),
                _ => self.counts.put_off += 1,
            }
            self.pending = Some(attempt);
            return Ok(Line::Up);
        }
        let Attempt { sent, effect } = attempt;
        let is_replay = answer.header("idempotency-replayed").is_some();
        if answer.status != effect.status() || (is_replay && !again) {
            return Err(Fault::Answer(format!("{sent:?} was answered with {answer:?}")));
        }
        self.counts.acknowledged += 1;
        self.counts.unknown_applied += u64::from(is_replay);
        self.learn(&sent, &effect, &answer)?;
        self.taken.push(Taken::of(sent, effect.commits(), answer));
        Ok(Line::Up)
    }

    fn learn(&mut self, sent: &Sent, effect: &Effect, answer: &Answer) -> Result<(), Fault> {
        let json = answer.json();
        let wrong = || Err(Fault::Answer(format!("{sent:?} was answered with {answer:?}")));
        let Some(version) = answer.version().filter(|version| json["version"] == *version) else {
            return wrong();
        };
        match *effect {
            Effect::AddsEntry { desk } => {
                let entry = json["id"].as_str().unwrap_or_default().to_owned();
                if let Content::Json(body) = &sent.content
                    && body.get("id").is_some_and(|chosen| *chosen != entry)
                {
                    return wrong();
                }
                self.own.push(Own { desk, entry, version, removed: false });
            }
            Effect::Corrects { own } => self.own[own].version = version,
            Effect::Removes { own } => {
                self.own[own].version = version;
                self.own[own].removed = true;
            }
            Effect::Restores { own } => {
                self.own[own].version = version;
                self.own[own].removed = false;
            }
            Effect::Imports { lines } => {
                let import = &json["import"];
                if import["status"] != "finished" || import["taken"] != lines {
                    return wrong();
                }
            }
            Effect::MakesBook => {
                if json["id"] != sent.book.to_string() || version != 1 {
                    return wrong();
                }
            }
        }
        Ok(())
    }

    /// Sends an old request once more.
    async fn repeat(&mut self, client: &Client) -> Result<Line, Fault> {
        if self.taken.is_empty() {
            return self.add(client).await;
        }
        let old = &self.taken[self.dice.place(self.taken.len())];
        let Ok(answer) = old.sent.by(client).await else { return Ok(Line::Cut) };
        if answer.status == 503 {
            self.counts.put_off += 1;
            return Ok(Line::Up);
        }
        old.check_replay(&answer)?;
        self.counts.replays += 1;
        Ok(Line::Up)
    }

    /// Sends an old key with something else.
    async fn reuse_key(&mut self, client: &Client) -> Result<Line, Fault> {
        let at = if self.taken.is_empty() { 0 } else { self.dice.place(self.taken.len()) };
        let Some(Taken { sent: Sent { content: Content::Json(body), .. }, .. }) = self.taken.get(at) else {
            return self.add(client).await;
        };
        let mut other = self.taken[at].sent.clone();
        let mut body = body.clone();
        // Every write with a JSON body can be told one of these.
        let (field, text) = match other.path == "/api/v1/books" {
            true => ("name", "Something else"),
            false => ("note", "something else"),
        };
        body[field] = text.into();
        other.content = Content::Json(body);
        self.expect_refusal(client, other, 422, "idempotency_key_reused", None).await
    }

    async fn be_refused(&mut self, client: &Client) -> Result<Line, Fault> {
        let desk = self.any_desk();
        let mut entry = self.entry_of(desk);
        let entries = format!("{}/entries", self.desks[desk].path());
        let nowhere = EntryId::from_uuid(self.dice.uuid()).to_string();
        let own = (!self.own.is_empty()).then(|| self.dice.place(self.own.len()));
        let (method, path, content, status, code, desk) = match (self.dice.between(1, 6), own) {
            (1, _) => {
                entry["account"] = nowhere.replace("ent_", "acc_").into();
                (Method::POST, entries, Content::Json(entry), 422, "unknown_account", desk)
            }
            (2, _) => {
                entry["amount"] = "-1".into();
                (Method::POST, entries, Content::Json(entry), 422, "amount_not_positive", desk)
            }
            (3, _) => {
                let path = format!("{entries}/{nowhere}/restore");
                (Method::POST, path, Content::Nothing, 404, "entry_not_found", desk)
            }
            (4, _) => {
                let foreign = self.desks.iter().position(|other| other.person != self.person);
                let foreign = foreign.expect("the other person has a book");
                let path = format!("{}/entries", self.desks[foreign].path());
                (Method::POST, path, Content::Json(entry), 404, "book_not_found", foreign)
            }
            (5, Some(own)) => {
                // The id is taken in the book of the entry that has it.
                let desk = self.own[own].desk;
                let mut entry = self.entry_of(desk);
                entry["id"] = self.own[own].entry.as_str().into();
                let path = format!("{}/entries", self.desks[desk].path());
                (Method::POST, path, Content::Json(entry), 422, "id_taken", desk)
            }
            (_, Some(own)) => {
                let Own { desk, removed, .. } = self.own[own];
                let path = self.path_of(own);
                match removed {
                    true => (Method::DELETE, path, Content::Nothing, 422, "entry_removed", desk),
                    false => {
                        let path = format!("{path}/restore");
                        (Method::POST, path, Content::Nothing, 422, "entry_not_removed", desk)
                    }
                }
            }
            (_, None) => return self.add(client).await,
        };
        let sent = self.sent(desk, method, path, content);
        let refused = (self.user, sent.book, sent.key.clone());
        self.expect_refusal(client, sent, status, code, Some(refused)).await
    }

    async fn expect_refusal(
        &mut self,
        client: &Client,
        sent: Sent,
        status: u16,
        code: &str,
        refused: Option<(UserId, BookId, String)>,
    ) -> Result<Line, Fault> {
        // Cut off or answered: it must not have any effect.
        self.refused.extend(refused);
        let Ok(answer) = sent.by(client).await else { return Ok(Line::Cut) };
        if answer.status == 503 {
            self.counts.put_off += 1;
            return Ok(Line::Up);
        }
        if answer.status != status || answer.code() != code {
            return Err(Fault::Answer(format!("{sent:?} was to be refused as {code}: {answer:?}")));
        }
        self.counts.refusals += 1;
        Ok(Line::Up)
    }

    /// Reads one of its entries as of the write that last touched it.
    async fn read(&mut self, client: &Client) -> Result<Line, Fault> {
        if self.own.is_empty() {
            return self.add(client).await;
        }
        let own = self.dice.place(self.own.len());
        let Own { version, removed, .. } = self.own[own];
        let path = format!("{}?min_version={version}", self.path_of(own));
        let Ok(answer) = try_send(client.request(Method::GET, &path)).await else { return Ok(Line::Cut) };
        if answer.status == 503 {
            self.counts.reads_put_off += 1;
            return Ok(Line::Up);
        }
        let is_right = answer.status == 200 && {
            let json = answer.json();
            json["version"] == version && json["removed"] == removed
        };
        if !is_right {
            let told = format!("{path} has to show version {version}, removed {removed}: {answer:?}");
            return Err(Fault::Shown(told));
        }
        self.counts.reads += 1;
        Ok(Line::Up)
    }

    fn sent(&mut self, desk: usize, method: Method, path: String, content: Content) -> Sent {
        let key = self.new_key();
        Sent { key, user: self.user, book: self.desks[desk].book, method, path, content }
    }

    fn new_key(&mut self) -> String {
        self.keys_made += 1;
        format!("writer-{}-{}", self.number, self.keys_made)
    }

    fn path_of(&self, own: usize) -> String {
        let Own { desk, entry, .. } = &self.own[own];
        format!("{}/entries/{entry}", self.desks[*desk].path())
    }

    /// Half of all goes to the busy book.
    fn any_desk(&mut self) -> usize {
        if self.dice.percent(50) { self.open_to[0] } else { *self.dice.pick(&self.open_to) }
    }

    fn day(&mut self) -> String {
        let (year, month, day) = FIRST_DAY;
        let first = chrono::NaiveDate::from_ymd_opt(year, month, day).expect("it is a day");
        (first + chrono::Days::new(self.dice.between(0, DAYS - 1))).to_string()
    }

    fn entry_of(&mut self, desk: usize) -> Value {
        let (day, payee) = (self.day(), *self.dice.pick(&PAYEES));
        let Desk { accounts, expenses, incomes, .. } = &self.desks[desk];
        let account = self.dice.place(accounts.len());
        let cents = self.dice.between(2, 9_999);
        let decimal = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        let mut entry = json!({
            "occurred_on": day, "account": accounts[account], "amount": decimal(cents), "payee": payee,
            "tags": [format!("writer {}", self.number)],
        });
        match self.dice.between(1, 10) {
            1 => {
                entry["kind"] = "income".into();
                entry["category"] = self.dice.pick(incomes).as_str().into();
            }
            2 => {
                entry["kind"] = "transfer".into();
                entry["to_account"] = accounts[(account + 1) % accounts.len()].as_str().into();
            }
            3 => {
                entry["kind"] = "refund".into();
                entry["category"] = self.dice.pick(expenses).as_str().into();
            }
            4 => {
                let part = self.dice.between(1, cents - 1);
                entry["kind"] = "expense".into();
                entry["splits"] = json!([
                    {"category": self.dice.pick(expenses), "amount": decimal(part)},
                    {"category": self.dice.pick(expenses), "amount": decimal(cents - part), "note": "the rest"},
                ]);
            }
            _ => {
                entry["kind"] = "expense".into();
                entry["category"] = self.dice.pick(expenses).as_str().into();
            }
        }
        entry
    }

    /// Hands over what was acknowledged and refused since the last time; what is left stays for repetitions.
    pub fn news(&mut self, since: &mut usize) -> (&[Taken], Vec<(UserId, BookId, String)>) {
        let from = mem::replace(since, self.taken.len());
        (&self.taken[from..], mem::take(&mut self.refused))
    }
}
