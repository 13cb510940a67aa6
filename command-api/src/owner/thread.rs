//! The loop of one partition's owner.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::{
    Command, Event, Recorded, Rejection, decide,
    id::{BookId, CommandId, UserId},
};
use journal::{
    AppendError, Appended, Commit, Fence, Hash, Journal, KeyStore, Position, partition_of,
    record::SealedCommit,
    seal,
    tenure::{self, AcquireError, Acquisition, Tenure},
};
use tokio::sync::oneshot;

use super::{
    Answer, Chart, Order, Outcome, Print, Refusal, Sources, StorageError, answer,
    storage::{Broken, Origin, Storage},
    working_set::{Hot, KeptAnswer, Touched, Unsaved},
};
use crate::config::Config;

/// Orders decided before the batch is handed on, even if more are waiting.
const BATCH_MAX: usize = 256;
/// How long accepted changes may lie unsaved while nothing happens.
const IDLE_SAVE: Duration = Duration::from_secs(2);
/// How long an owner that lost its journal waits before it tries to take the partition again.
const RETRY: Duration = Duration::from_millis(500);

pub(super) enum Message {
    Order {
        order: Box<Order>,
        reply: oneshot::Sender<Outcome>,
    },
    Preview {
        book: BookId,
        actor: UserId,
        command: Box<Command>,
        reply: oneshot::Sender<Result<Vec<Event>, Refusal>>,
    },
    Chart {
        book: BookId,
        actor: UserId,
        reply: oneshot::Sender<Result<Chart, Refusal>>,
    },
    /// What became of a batch; comes from the journal's thread.
    Appended {
        batch: u64,
        outcome: Result<Appended, AppendError>,
    },
    Stop,
}

pub(super) struct OwnerThread {
    partition: u32,
    owner: String,
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
    sources: Sources,
    config: Config,
    outbox: mpsc::Sender<Message>,
    waiting: Arc<AtomicUsize>,

    storage: Storage,
    /// Of the last commit that was accepted, and the rule's state there.
    position: Position,
    fence: Fence,
    /// `None` while the partition is not ours to write.
    tenure: Option<Tenure>,

    books: HashMap<BookId, Hot>,
    /// Answers that the decision state may not have yet.
    fresh_answers: HashMap<(BookId, Print), KeptAnswer>,
    unsaved: Unsaved,
    orders_seen: u64,

    next_batch: u64,
    in_flight: VecDeque<InFlight>,
    in_flight_records: usize,
    /// Orders that came while too much was in flight.
    backlog: VecDeque<(Box<Order>, oneshot::Sender<Outcome>)>,
}

/// Commits handed to the journal together, and everything that waits for them.
struct InFlight {
    batch: u64,
    expected: Position,
    records: usize,
    items: Vec<Item>,
    outcome: Option<Result<Appended, AppendError>>,
}

/// An order that has been decided; its outcome is told once what it rests on is durable.
struct Item {
    reply: oneshot::Sender<Outcome>,
    outcome: Outcome,
    /// Present for a commit.
    written: Option<(CommandId, Box<Touched>)>,
}

struct Batch {
    records: Vec<journal::NewRecord>,
    items: Vec<Item>,
}

impl OwnerThread {
    #[allow(clippy::too_many_arguments)]
    pub fn open(
        partition: u32,
        owner: String,
        journal: Arc<dyn Journal>,
        keys: Arc<KeyStore>,
        sources: Sources,
        config: &Config,
        outbox: mpsc::Sender<Message>,
        waiting: Arc<AtomicUsize>,
    ) -> Result<Self, StorageError> {
        let origin = Origin { journal_id: journal.id(), partition, partitions: journal.partitions() };
        let (storage, position, fence) = Storage::open(&config.directory, &origin)?;
        Ok(Self {
            partition,
            owner,
            journal,
            keys,
            sources,
            config: config.clone(),
            outbox,
            waiting,
            storage,
            position,
            fence,
            tenure: None,
            books: HashMap::new(),
            fresh_answers: HashMap::new(),
            unsaved: Unsaved::default(),
            orders_seen: 0,
            next_batch: 0,
            in_flight: VecDeque::new(),
            in_flight_records: 0,
            backlog: VecDeque::new(),
        })
    }

    /// Replays what the decision state has not seen and claims the partition. Says which commands stand in the
    /// part of the journal that was read.
    pub fn acquire(&mut self) -> Result<HashSet<String>, AcquireError> {
        // A state that goes further than its journal was made from one that has been lost or cut.
        if self.journal.head(self.partition).is_some_and(|head| head < self.position) {
            tracing::warn!(
                partition = self.partition,
                "the decision state is ahead of the journal and is made anew"
            );
            self.forget_all();
        }
        let mut seen = HashSet::new();
        let acquisition = Acquisition {
            journal: &Arc::clone(&self.journal),
            keys: &Arc::clone(&self.keys),
            partition: self.partition,
            owner: &self.owner.clone(),
            after: self.position,
            fence: self.fence.clone(),
        };
        let now = Arc::clone(&self.sources.now);
        let tenure = tenure::acquire(acquisition, &move || now(), &mut |commit| {
            seen.insert(commit.command_id.clone());
            self.replay(commit);
        })?;
        self.position = Position(tenure.expected.0 - 1);
        self.fence = Fence { epoch: tenure.epoch, owner: tenure.owner.clone(), seq: 0 };
        metrics::gauge!("owner_epoch", "partition" => self.partition.to_string()).set(tenure.epoch as f64);
        tracing::info!(
            partition = self.partition,
            epoch = tenure.epoch,
            replayed = seen.len(),
            "took the partition"
        );
        self.tenure = Some(tenure);
        Ok(seen)
    }

    pub fn run(mut self, inbox: &mpsc::Receiver<Message>) {
        let mut tried_at = Instant::now();
        loop {
            if self.tenure.is_none() && tried_at.elapsed() >= RETRY {
                self.settle();
                tried_at = Instant::now();
            }
            let message = if self.tenure.is_none() {
                inbox.recv_timeout(RETRY)
            } else if self.unsaved.commits == 0 {
                inbox.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                inbox.recv_timeout(IDLE_SAVE)
            };
            let mut batch = Batch { records: Vec::new(), items: Vec::new() };
            let mut is_stopping = false;
            match message {
                Ok(message) => is_stopping = self.handle(message, &mut batch),
                Err(RecvTimeoutError::Timeout) => self.save(),
                Err(RecvTimeoutError::Disconnected) => is_stopping = true,
            }
            while !is_stopping && batch.items.len() < BATCH_MAX {
                let Ok(message) = inbox.try_recv() else { break };
                is_stopping = self.handle(message, &mut batch);
            }
            self.hand_over(batch);
            if self.unsaved.commits >= self.config.save_every_commits {
                self.save();
                self.cool();
            }
            if is_stopping {
                break;
            }
        }
        self.drain(inbox);
        self.save();
    }

    /// Waits for what is in flight, then for nothing more.
    fn drain(&mut self, inbox: &mpsc::Receiver<Message>) {
        while !self.in_flight.is_empty() || !self.backlog.is_empty() {
            match inbox.recv_timeout(Duration::from_secs(10)) {
                Ok(message) => {
                    let mut batch = Batch { records: Vec::new(), items: Vec::new() };
                    self.handle(message, &mut batch);
                    self.hand_over(batch);
                }
                Err(_) => break,
            }
        }
    }

    /// `true`: it is time to stop.
    fn handle(&mut self, message: Message, batch: &mut Batch) -> bool {
        match message {
            Message::Order { order, reply } => {
                if self.must_wait() {
                    self.backlog.push_back((order, reply));
                } else {
                    self.take(*order, reply, batch);
                }
            }
            Message::Preview { book, actor, command, reply } => {
                let outcome = self.preview(book, actor, &command);
                // Whoever asked may have gone away; so everywhere below.
                let _ = reply.send(outcome);
            }
            Message::Chart { book, actor, reply } => {
                let chart = self.hot(book).map_err(|Broken| Refusal::NotApplied).and_then(|hot| {
                    hot.book.role_of(actor).ok_or(Refusal::Rejected(Rejection::BookNotFound))?;
                    Ok(Chart { accounts: hot.book.accounts.clone(), categories: hot.book.categories.clone() })
                });
                let _ = reply.send(chart);
            }
            Message::Appended { batch: number, outcome } => {
                if let Some(in_flight) = self.in_flight.iter_mut().find(|in_flight| in_flight.batch == number)
                {
                    in_flight.outcome = Some(outcome);
                }
                self.conclude();
                while !self.must_wait() && batch.items.len() < BATCH_MAX {
                    let Some((order, reply)) = self.backlog.pop_front() else { break };
                    self.take(*order, reply, batch);
                }
            }
            Message::Stop => return true,
        }
        false
    }

    fn must_wait(&self) -> bool {
        // Once one append has gone wrong, nothing more is decided on top of it.
        let is_troubled = self.in_flight.front().is_some_and(|first| first.outcome.is_some());
        is_troubled || self.in_flight_records >= self.config.in_flight_max
    }

    fn take(&mut self, order: Order, reply: oneshot::Sender<Outcome>, batch: &mut Batch) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        // The client has given up: what nobody waits for need not be done.
        if reply.is_closed() {
            return;
        }
        if self.tenure.is_none() {
            let _ = reply.send(Err(Refusal::NotApplied));
            return;
        }
        match self.decide(order) {
            Ok((commit, touched, answer)) => {
                let command_id = commit.1;
                batch.records.push(commit.0);
                batch.items.push(Item {
                    reply,
                    outcome: Ok(answer),
                    written: Some((command_id, Box::new(touched))),
                });
            }
            Err(outcome) => batch.items.push(Item { reply, outcome, written: None }),
        }
    }

    /// The commit that the order comes to, or what else it is answered with.
    #[allow(clippy::type_complexity)]
    fn decide(
        &mut self,
        order: Order,
    ) -> Result<((journal::NewRecord, CommandId), Touched, Answer), Outcome> {
        let id = order.book;
        let key = order.key;
        let Ok(hot) = self.hot(id) else { return Err(Err(Refusal::NotApplied)) };

        let is_member = hot.book.role_of(order.actor).is_some();
        if is_member && hot.keys.contains(&key) {
            match self.kept_answer(id, key) {
                Err(Broken) => return Err(Err(Refusal::NotApplied)),
                Ok(Some(kept)) if kept.fingerprint != order.fingerprint => {
                    return Err(Err(Refusal::KeyReused));
                }
                Ok(Some(kept)) => return Err(Ok(Answer { replayed: true, ..kept.answer })),
                // It was forgotten after its time.
                Ok(None) => {}
            }
        }
        let now = (self.sources.now)().trunc_subsecs(3);
        let Some(hot) = self.books.get_mut(&id) else { return Err(Err(Refusal::NotApplied)) };
        if is_member
            && let Some(wanted) = order.if_match
            && wanted != hot.version
        {
            return Err(Err(Refusal::VersionConflict { current: hot.version }));
        }
        let events = decide(&hot.book, order.actor, &order.command)
            .map_err(|rejection| Err(Refusal::Rejected(rejection)))?;

        // Nothing below can be refused, but for want of a key to seal with or of a partition to write to.
        let book_key = self.keys.of_or_new(id).map_err(|error| {
            tracing::error!(error = %error, "a book's key cannot be used");
            Err(Refusal::NotApplied)
        })?;
        let Some(tenure) = self.tenure.as_mut() else { return Err(Err(Refusal::NotApplied)) };
        tenure.seq += 1;
        // Clocks of requests may disagree; a book's history never runs backwards.
        let recorded_at = hot.recorded_at.map_or(now, |before| before.max(now));
        let recorded = Recorded { version: hot.version + 1, at: recorded_at };
        let command_id = CommandId::from_uuid((self.sources.next_uuid)());
        let mut sealed_events = events.clone();
        let next_nonce = Arc::clone(&self.sources.next_nonce);
        seal::seal(&book_key, id, recorded.version, &mut sealed_events, &mut || next_nonce());
        let sealed = SealedCommit {
            epoch: tenure.epoch,
            owner: tenure.owner.clone(),
            seq: tenure.seq,
            book: id,
            version: recorded.version,
            previous: hot.hash,
            command: order.command.name().to_owned(),
            command_id: command_id.to_string(),
            key: hex::encode(key.0),
            fingerprint: hex::encode(order.fingerprint.0),
            actor: order.actor,
            correlation_id: order.correlation_id,
            causation_id: order.causation_id,
            recorded_at,
            events: sealed_events,
        };
        let record = sealed.encode();
        let (touched, answer) =
            apply(hot, id, record.digest, recorded, order.actor, key, order.fingerprint, &events);
        self.fresh_answers.insert((id, key), touched.answer.clone());
        Ok(((record, command_id), touched, answer))
    }

    fn preview(&mut self, book: BookId, actor: UserId, command: &Command) -> Result<Vec<Event>, Refusal> {
        let hot = self.hot(book).map_err(|Broken| Refusal::NotApplied)?;
        decide(&hot.book, actor, command).map_err(Refusal::Rejected)
    }

    /// The book, read from the decision state if it is not in memory; a book that nobody made is empty.
    fn hot(&mut self, id: BookId) -> Result<&mut Hot, Broken> {
        self.orders_seen += 1;
        let seen = self.orders_seen;
        let hot = match self.books.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.storage.load(id)?.unwrap_or_default())
            }
        };
        hot.used = seen;
        Ok(hot)
    }

    fn kept_answer(&self, book: BookId, key: Print) -> Result<Option<KeptAnswer>, Broken> {
        match self.fresh_answers.get(&(book, key)) {
            Some(kept) => Ok(Some(kept.clone())),
            None => self.storage.answer(book, key),
        }
    }

    /// Hands the commits to the journal. What needs no commit waits for those before it, which it may rest on.
    fn hand_over(&mut self, batch: Batch) {
        let Batch { records, items } = batch;
        if records.is_empty() {
            match self.in_flight.back_mut() {
                Some(last) => last.items.extend(items),
                None => items.into_iter().for_each(tell),
            }
            return;
        }
        let Some(tenure) = self.tenure.as_mut() else { return };
        let number = self.next_batch;
        self.next_batch += 1;
        let expected = tenure.expected;
        tenure.expected = Position(expected.0 + records.len() as u64);
        self.in_flight_records += records.len();
        self.in_flight.push_back(InFlight {
            batch: number,
            expected,
            records: records.len(),
            items,
            outcome: None,
        });
        let outbox = self.outbox.clone();
        self.journal.append(
            self.partition,
            records,
            Box::new(move |outcome| {
                // The thread outlives its appends, unless it has panicked.
                let _ = outbox.send(Message::Appended { batch: number, outcome });
            }),
        );
    }

    /// Accepts what has arrived, in order. An append that stands where it was expected to stand is accepted:
    /// nobody wrote in between. Anything else is settled by a new claim.
    fn conclude(&mut self) {
        while let Some(first) = self.in_flight.front() {
            let Some(outcome) = &first.outcome else { return };
            let stands = outcome.as_ref().is_ok_and(|appended| {
                appended.first == first.expected
                    && appended.last.0 - appended.first.0 + 1 == first.records as u64
            });
            if !stands {
                // Only when the fate of all is told can it be read back.
                if self.in_flight.iter().all(|in_flight| in_flight.outcome.is_some()) {
                    self.settle();
                }
                return;
            }
            let Some(accepted) = self.in_flight.pop_front() else { return };
            self.in_flight_records -= accepted.records;
            self.position = Position(accepted.expected.0 + accepted.records as u64 - 1);
            self.fence.seq += accepted.records as u64;
            for mut item in accepted.items {
                if let Some((_, touched)) = item.written.take() {
                    self.unsaved.add(*touched);
                }
                tell(item);
            }
        }
    }

    /// Takes the partition again after an append that failed, that nobody knows the fate of, or that another owner
    /// came before. What precedes the new claim is committed, what does not stand there is void.
    fn settle(&mut self) {
        self.save();
        self.books.clear();
        self.fresh_answers.clear();
        self.tenure = None;
        let undecided: Vec<InFlight> = self.in_flight.drain(..).collect();
        self.in_flight_records = 0;
        let acquired = self.acquire();
        if let Err(error) = &acquired {
            tracing::error!(partition = self.partition, error = %error, "the partition cannot be taken");
        }
        for in_flight in undecided {
            let may_stand = !matches!(in_flight.outcome, Some(Err(AppendError::NotWritten(_))));
            for item in in_flight.items {
                let outcome = match (&acquired, &item.written) {
                    (Ok(seen), Some((command_id, _))) if seen.contains(&command_id.to_string()) => {
                        item.outcome
                    }
                    (Err(_), Some(_)) if may_stand => Err(Refusal::Unknown),
                    // A rejection may have rested on something that never came to be.
                    (Ok(_) | Err(_), _) => Err(Refusal::NotApplied),
                };
                let _ = item.reply.send(outcome);
            }
        }
    }

    /// Lets an accepted commit of the journal happen once more.
    fn replay(&mut self, commit: Commit) {
        debug_assert_eq!(partition_of(commit.book, self.journal.partitions()), self.partition);
        let (Some(key), Some(fingerprint)) = (print(&commit.key), print(&commit.fingerprint)) else {
            tracing::error!(position = %commit.position, "a commit's key cannot be read");
            return;
        };
        let Ok(hot) = self.hot(commit.book) else { return };
        if commit.version <= hot.version {
            return;
        }
        let recorded = Recorded { version: commit.version, at: commit.recorded_at };
        let (touched, _) =
            apply(hot, commit.book, commit.hash, recorded, commit.actor, key, fingerprint, &commit.events);
        self.unsaved.add(touched);
        self.position = commit.position;
        self.fence = Fence { epoch: commit.epoch, owner: commit.owner, seq: commit.seq };
        if self.unsaved.commits >= self.config.save_every_commits {
            self.save();
            self.cool();
        }
    }

    /// Puts what has been accepted in line for the decision state.
    fn save(&mut self) {
        if self.unsaved.commits == 0 {
            return;
        }
        let unsaved = std::mem::take(&mut self.unsaved);
        for (book, row) in &unsaved.books {
            if let Some(hot) = self.books.get_mut(book) {
                hot.unsaved = hot.unsaved.saturating_sub(row.commits);
            }
        }
        // From here on the storage knows them: it answers in the order in which it is asked.
        for (book, key, _) in &unsaved.answers {
            self.fresh_answers.remove(&(*book, *key));
        }
        self.storage.save(unsaved, self.position, self.fence.clone(), self.forget_before());
    }

    fn forget_before(&self) -> DateTime<Utc> {
        (self.sources.now)() - TimeDelta::days(i64::from(self.config.keys_kept_days))
    }

    /// Lets go of the books that were not asked for the longest, where memory holds too many.
    fn cool(&mut self) {
        let entries: usize = self.books.values().map(|hot| hot.book.entries.len()).sum();
        metrics::gauge!("owner_hot_books", "partition" => self.partition.to_string())
            .set(self.books.len() as f64);
        metrics::gauge!("owner_hot_entries", "partition" => self.partition.to_string()).set(entries as f64);
        let mut books_over = self.books.len().saturating_sub(self.config.hot_books_max);
        let mut entries_over = entries.saturating_sub(self.config.hot_entries_max);
        if books_over == 0 && entries_over == 0 {
            return;
        }
        let mut by_age: Vec<(u64, BookId)> = self.books.iter().map(|(id, hot)| (hot.used, *id)).collect();
        by_age.sort_unstable();
        for (_, id) in by_age {
            if books_over == 0 && entries_over == 0 {
                break;
            }
            let Some(hot) = self.books.get(&id).filter(|hot| hot.unsaved == 0) else { continue };
            entries_over = entries_over.saturating_sub(hot.book.entries.len());
            books_over = books_over.saturating_sub(1);
            self.books.remove(&id);
        }
    }

    fn forget_all(&mut self) {
        self.books.clear();
        self.fresh_answers.clear();
        self.unsaved = Unsaved::default();
        self.position = Position::START;
        self.fence = Fence::default();
        if self.storage.wipe().is_err() {
            tracing::error!(partition = self.partition, "the decision state could not be wiped");
        }
    }
}

fn tell(item: Item) {
    let _ = item.reply.send(item.outcome);
}

/// Lets the events of a commit happen to its book.
#[allow(clippy::too_many_arguments)]
fn apply(
    hot: &mut Hot,
    id: BookId,
    hash: Hash,
    recorded: Recorded,
    actor: UserId,
    key: Print,
    fingerprint: Print,
    events: &[Event],
) -> (Touched, Answer) {
    let parts = hot.evolve(events, recorded);
    hot.hash = hash;
    hot.keys.insert(key);
    hot.unsaved += 1;
    let answer = answer::answer(id, &hot.book, recorded.version, actor, events);
    let kept = KeptAnswer { fingerprint, answer: answer.clone(), answered_at: recorded.at };
    (hot.touched(id, parts, key, kept), answer)
}

fn print(text: &str) -> Option<Print> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(Print(bytes))
}
