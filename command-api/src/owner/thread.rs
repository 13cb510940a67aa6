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
    AppendError, Appended, Commit, Fence, Journal, KeyStore, NewRecord, Position, ReadError, partition_of,
    record::SealedCommit,
    seal,
    tenure::{self, AcquireError, Acquisition, Tenure},
};
use tokio::sync::oneshot;

use super::{
    Answer, Chart, Order, Outcome, Place, Print, Refusal, Sources, StorageError, answer,
    storage::{Broken, Origin, Storage},
    working_set::{Hot, KeptAnswer, Step, Touched, Unsaved},
};
use crate::config::Config;

/// Orders decided before the batch is handed on, even if more are waiting.
const BATCH_MAX: usize = 256;
/// How long accepted changes may lie unsaved while nothing happens.
const IDLE_SAVE: Duration = Duration::from_secs(2);
/// How long to wait where there is nothing to do but to listen.
const IDLE: Duration = Duration::from_secs(3_600);
/// How long stopping may take, where the journal does not answer.
const STOP_WAIT: Duration = Duration::from_secs(10);
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
        commands: Vec<Command>,
        reply: oneshot::Sender<Result<Vec<Event>, Refusal>>,
    },
    /// The commits that undoing a version inverts, and where the journal has them.
    Locate {
        book: BookId,
        actor: UserId,
        version: u64,
        reply: oneshot::Sender<Result<Vec<Place>, Refusal>>,
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

/// What all owner threads of this process share.
#[derive(Clone)]
pub(super) struct Shared {
    /// The name under which this process claims.
    pub owner: String,
    pub journal: Arc<dyn Journal>,
    pub keys: Arc<KeyStore>,
    pub sources: Sources,
    pub config: Config,
}

pub(super) struct OwnerThread {
    partition: u32,
    shared: Shared,
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

    /// Orders in line, in the order in which they came.
    line: VecDeque<(Box<Order>, oneshot::Sender<Outcome>)>,
    next_batch: u64,
    in_flight: VecDeque<InFlight>,
    in_flight_records: usize,
    /// Keys of commits that were answered with `Unknown` and not been read back yet.
    in_doubt: HashSet<(BookId, Print)>,
    /// When to give up on what is still in line or in flight; set once it is time to stop.
    stop_by: Option<Instant>,
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
    order: Box<Order>,
    reply: oneshot::Sender<Outcome>,
    outcome: Outcome,
    /// Present for a commit.
    written: Option<Box<Written>>,
}

struct Written {
    command_id: String,
    touched: Touched,
}

/// An order that comes to a commit.
struct Decided {
    record: NewRecord,
    written: Box<Written>,
    answer: Answer,
}

impl OwnerThread {
    pub fn open(
        partition: u32,
        shared: Shared,
        outbox: mpsc::Sender<Message>,
        waiting: Arc<AtomicUsize>,
    ) -> Result<Self, StorageError> {
        let journal = &shared.journal;
        let origin = Origin { journal_id: journal.id(), partition, partitions: journal.partitions() };
        let (storage, position, fence) = Storage::open(&shared.config.directory, &origin)?;
        Ok(Self {
            partition,
            shared,
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
            line: VecDeque::new(),
            next_batch: 0,
            in_flight: VecDeque::new(),
            in_flight_records: 0,
            in_doubt: HashSet::new(),
            stop_by: None,
        })
    }

    /// Replays what the decision state has not seen and claims the partition. Says which commands stand in the
    /// part of the journal that was read.
    pub fn acquire(&mut self) -> Result<HashSet<String>, AcquireError> {
        // A state that goes further than its journal was made from one that has been lost or cut.
        if self.shared.journal.head(self.partition).is_some_and(|head| head < self.position) {
            self.forget_all("it is ahead of the journal")?;
        }
        let begins_at = self.position;
        match self.acquire_from_here() {
            // The journal may be sound, and the state made from another past of it: a backup that was put back.
            Err(AcquireError::Read(ReadError::Damaged { reason, .. })) if begins_at > Position::START => {
                self.forget_all(&reason)?;
                self.acquire_from_here()
            }
            acquired => acquired,
        }
    }

    fn acquire_from_here(&mut self) -> Result<HashSet<String>, AcquireError> {
        let Shared { journal, keys, owner, sources, .. } = self.shared.clone();
        let acquisition = Acquisition {
            journal: &journal,
            keys: &keys,
            partition: self.partition,
            owner: &owner,
            after: self.position,
            fence: self.fence.clone(),
        };
        let mut seen = HashSet::new();
        let mut replayed = Ok(());
        let tenure = tenure::acquire(acquisition, &|| (sources.now)(), &mut |commit| {
            // After a commit that could not be replayed no later one may be either.
            if replayed.is_ok() {
                seen.insert(commit.command_id.clone());
                replayed = self.replay(commit);
            }
        })?;
        replayed?;
        self.position = Position(tenure.expected.0 - 1);
        self.fence = Fence { epoch: tenure.epoch, owner: tenure.owner.clone(), seq: 0 };
        self.in_doubt.clear();
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
        while !self.may_end() {
            if self.tenure.is_none() && tried_at.elapsed() >= RETRY {
                self.settle();
                tried_at = Instant::now();
            }
            match inbox.recv_timeout(self.patience()) {
                Ok(message) => {
                    self.handle(message);
                    inbox.try_iter().take(BATCH_MAX).for_each(|message| self.handle(message));
                }
                Err(RecvTimeoutError::Timeout) if self.can_decide() => {}
                Err(RecvTimeoutError::Timeout) => self.save(),
                // Not before the end: this thread holds a sender of its own.
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.work();
            if self.unsaved.commits >= self.shared.config.save_every_commits
                || self.books.len() > self.shared.config.hot_books_max
            {
                self.save();
                self.cool();
            }
        }
        self.save();
        // What was never handed to the journal was not applied; what is still in flight nobody knows.
        for (_, reply) in self.line.drain(..) {
            let _ = reply.send(Err(Refusal::NotApplied));
        }
        inbox.try_iter().for_each(|message| self.handle(message));
    }

    fn may_end(&self) -> bool {
        let is_idle = self.line.is_empty() && self.in_flight.is_empty();
        self.stop_by.is_some_and(|stop_by| is_idle || stop_by <= Instant::now())
    }

    /// How long to wait for the next message.
    fn patience(&self) -> Duration {
        if self.can_decide() {
            return Duration::ZERO;
        }
        if self.tenure.is_none() {
            return RETRY;
        }
        match self.stop_by {
            Some(stop_by) => stop_by.saturating_duration_since(Instant::now()),
            None if self.unsaved.commits == 0 => IDLE,
            None => IDLE_SAVE,
        }
    }

    fn can_decide(&self) -> bool {
        !self.line.is_empty() && !self.must_wait()
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Order { reply, .. } if self.stop_by.is_some() => {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                // Whoever asked may have gone away; so everywhere below.
                let _ = reply.send(Err(Refusal::NotApplied));
            }
            Message::Order { order, reply } => self.line.push_back((order, reply)),
            Message::Preview { book, actor, commands, reply } => {
                let outcome = self.preview(book, actor, &commands);
                let _ = reply.send(outcome);
            }
            Message::Chart { book, actor, reply } => {
                let chart = self.chart(book, actor);
                let _ = reply.send(chart);
            }
            Message::Locate { book, actor, version, reply } => {
                let places = self.locate(book, actor, version);
                let _ = reply.send(places);
            }
            Message::Appended { batch: number, outcome } => {
                if let Some(in_flight) = self.in_flight.iter_mut().find(|in_flight| in_flight.batch == number)
                {
                    in_flight.outcome = Some(outcome);
                }
                self.conclude();
            }
            Message::Stop => self.stop_by = Some(Instant::now() + STOP_WAIT),
        }
    }

    fn must_wait(&self) -> bool {
        // Once one append has gone wrong, nothing more is decided on top of it.
        let is_troubled = self.in_flight.front().is_some_and(|first| first.outcome.is_some());
        is_troubled || self.in_flight_records >= self.shared.config.in_flight_max
    }

    /// Decides the orders in line, as many as go into one batch, and hands their commits to the journal. Nothing
    /// that happens to the partition comes between the first and the last of them.
    fn work(&mut self) {
        let (mut records, mut items) = (Vec::new(), Vec::new());
        while items.len() < BATCH_MAX && !self.must_wait() {
            let Some((order, reply)) = self.line.pop_front() else { break };
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            // The client has given up: what nobody waits for need not be done.
            if reply.is_closed() {
                continue;
            }
            if self.tenure.is_none() {
                let is_in_doubt = self.in_doubt.contains(&(order.book, order.key));
                let _ = reply.send(Err(if is_in_doubt { Refusal::Unknown } else { Refusal::NotApplied }));
                continue;
            }
            let item = match self.decide(&order) {
                Ok(Decided { record, written, answer }) => {
                    records.push(record);
                    Item { order, reply, outcome: Ok(answer), written: Some(written) }
                }
                Err(outcome) => Item { order, reply, outcome, written: None },
            };
            items.push(item);
        }
        self.hand_over(records, items);
    }

    /// The commit that the order comes to, or what else it is answered with.
    fn decide(&mut self, order: &Order) -> Result<Decided, Outcome> {
        let (id, key) = (order.book, order.key);
        let Ok(hot) = self.hot(id) else { return Err(Err(Refusal::NotApplied)) };

        let is_member = hot.book.role_of(order.actor).is_some();
        // Who asked under this key before hears the same again even as a member no more: the answer to leaving may
        // have got lost. The key holds the caller, so nobody else finds it.
        if hot.keys.contains(&key) {
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
        let now = (self.shared.sources.now)().trunc_subsecs(3);
        let Some(hot) = self.books.get_mut(&id) else { return Err(Err(Refusal::NotApplied)) };
        if is_member
            && let Some(wanted) = order.if_match
            && wanted != hot.version
        {
            return Err(Err(Refusal::VersionConflict { current: hot.version }));
        }
        let events = decide(&hot.book, order.actor, &order.command)
            .map_err(|rejection| answer::refusal(&order.command, hot.version, rejection))?;

        // Nothing below can be refused, but for want of a key to seal with or of a partition to write to.
        let book_key = self.shared.keys.of_or_new(id).map_err(|error| {
            tracing::error!(error = %error, "a book's key cannot be used");
            Err(Refusal::NotApplied)
        })?;
        let Some(tenure) = self.tenure.as_mut() else { return Err(Err(Refusal::NotApplied)) };
        tenure.seq += 1;
        // Clocks of requests may disagree; a book's history never runs backwards.
        let recorded_at = hot.recorded_at.map_or(now, |before| before.max(now));
        let recorded = Recorded { version: hot.version + 1, at: recorded_at };
        let command_id = CommandId::from_uuid((self.shared.sources.next_uuid)()).to_string();
        let mut sealed_events = events.clone();
        let next_nonce = &self.shared.sources.next_nonce;
        seal::seal(&book_key, id, recorded.version, &mut sealed_events, &mut || next_nonce());
        let sealed = SealedCommit {
            epoch: tenure.epoch,
            owner: tenure.owner.clone(),
            seq: tenure.seq,
            book: id,
            version: recorded.version,
            previous: hot.hash,
            command: order.command.name().to_owned(),
            command_id: command_id.clone(),
            key: hex::encode(key.0),
            fingerprint: hex::encode(order.fingerprint.0),
            actor: order.actor,
            correlation_id: order.correlation_id.clone(),
            causation_id: order.causation_id.clone(),
            recorded_at,
            events: sealed_events,
        };
        let record = sealed.encode();
        let (actor, fingerprint) = (order.actor, order.fingerprint);
        let step = Step {
            book: id,
            hash: record.digest,
            recorded,
            actor,
            command: order.command.name(),
            key,
            fingerprint,
            events: &events,
        };
        let (touched, answer) = hot.take(&step);
        self.fresh_answers.insert((id, key), touched.answer.clone());
        Ok(Decided { record, written: Box::new(Written { command_id, touched }), answer })
    }

    fn chart(&mut self, book: BookId, actor: UserId) -> Result<Chart, Refusal> {
        let hot = self.hot(book).map_err(|Broken| Refusal::NotApplied)?;
        hot.book.role_of(actor).ok_or(Refusal::Rejected(Rejection::BookNotFound))?;
        Ok(Chart {
            settings: hot.book.settings.clone(),
            accounts: hot.book.accounts.clone(),
            categories: hot.book.categories.clone(),
            imports: hot.book.imports.keys().copied().collect(),
        })
    }

    fn locate(&mut self, book: BookId, actor: UserId, version: u64) -> Result<Vec<Place>, Refusal> {
        let partition = self.partition;
        let hot = self.hot(book).map_err(|Broken| Refusal::NotApplied)?;
        hot.book.role_of(actor).ok_or(Refusal::Rejected(Rejection::BookNotFound))?;
        // Why there is nothing to invert is said where the undoing is decided, after a look at its key.
        let versions = hot.book.to_invert(version).unwrap_or_default();
        let mut places = Vec::with_capacity(versions.len());
        for version in versions {
            let unsaved = self.unsaved.places.iter().find(|(at, of, _)| (*at, *of) == (book, version));
            let position = match unsaved {
                Some((_, _, position)) => Some(*position),
                None => self.storage.place(book, version).map_err(|Broken| Refusal::NotApplied)?,
            };
            places.extend(position.map(|position| Place { partition, position, version }));
        }
        Ok(places)
    }

    fn preview(&mut self, book: BookId, actor: UserId, commands: &[Command]) -> Result<Vec<Event>, Refusal> {
        let hot = self.hot(book).map_err(|Broken| Refusal::NotApplied)?;
        let Some((last, before)) = commands.split_last() else { return Ok(Vec::new()) };
        if before.is_empty() {
            return decide(&hot.book, actor, last).map_err(Refusal::Rejected);
        }
        let (mut supposed, mut all) = (hot.book.clone(), Vec::new());
        for command in commands {
            let events = decide(&supposed, actor, command).map_err(Refusal::Rejected)?;
            let recorded = Recorded { version: supposed.version + 1, at: DateTime::UNIX_EPOCH };
            events.iter().for_each(|event| supposed.evolve(event, recorded));
            all.extend(events);
        }
        Ok(all)
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
    fn hand_over(&mut self, records: Vec<NewRecord>, items: Vec<Item>) {
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
        self.shared.journal.append(
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
            let mut position = accepted.expected;
            for mut item in accepted.items {
                if let Some(written) = item.written.take() {
                    self.unsaved.add(written.touched, position);
                    position = Position(position.0 + 1);
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
        let mut again = Vec::new();
        for in_flight in undecided {
            let may_stand = !matches!(in_flight.outcome, Some(Err(AppendError::NotWritten(_))));
            for Item { order, reply, outcome, written } in in_flight.items {
                let outcome = match (&acquired, written) {
                    // A rejection or a repeated answer may have rested on something that never came to be.
                    (_, None) => {
                        again.push((order, reply));
                        continue;
                    }
                    (Ok(seen), Some(written)) if seen.contains(&written.command_id) => outcome,
                    (Err(_), Some(_)) if may_stand => {
                        self.in_doubt.insert((order.book, order.key));
                        Err(Refusal::Unknown)
                    }
                    (Ok(_) | Err(_), Some(_)) => Err(Refusal::NotApplied),
                };
                let _ = reply.send(outcome);
            }
        }
        self.waiting.fetch_add(again.len(), Ordering::Relaxed);
        again.into_iter().rev().for_each(|waiting| self.line.push_front(waiting));
    }

    /// Lets an accepted commit of the journal happen once more.
    fn replay(&mut self, commit: Commit) -> Result<(), ReadError> {
        debug_assert_eq!(partition_of(commit.book, self.shared.journal.partitions()), self.partition);
        let damaged = |reason: &str| ReadError::Damaged {
            partition: commit.partition,
            position: commit.position,
            reason: reason.to_owned(),
        };
        let key = print(&commit.key).ok_or_else(|| damaged("its idempotency key cannot be read"))?;
        let fingerprint =
            print(&commit.fingerprint).ok_or_else(|| damaged("its fingerprint cannot be read"))?;
        let hot = self
            .hot(commit.book)
            .map_err(|Broken| ReadError::Backend("the decision state beside it cannot be used".to_owned()))?;
        if commit.version != hot.version + 1 || commit.previous != hot.hash {
            return Err(damaged("it does not continue its book's chain"));
        }
        let step = Step {
            book: commit.book,
            hash: commit.hash,
            recorded: Recorded { version: commit.version, at: commit.recorded_at },
            actor: commit.actor,
            command: &commit.command,
            key,
            fingerprint,
            events: &commit.events,
        };
        let (touched, _) = hot.take(&step);
        self.fresh_answers.insert((commit.book, key), touched.answer.clone());
        self.unsaved.add(touched, commit.position);
        self.position = commit.position;
        self.fence = Fence { epoch: commit.epoch, owner: commit.owner, seq: commit.seq };
        if self.unsaved.commits >= self.shared.config.save_every_commits {
            self.save();
            self.cool();
        }
        Ok(())
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
        (self.shared.sources.now)() - TimeDelta::days(i64::from(self.shared.config.keys_kept_days))
    }

    /// Lets go of the books that were not asked for the longest, where memory holds too many.
    fn cool(&mut self) {
        let Config { hot_books_max, hot_entries_max, .. } = self.shared.config;
        let entries: usize = self.books.values().map(|hot| hot.book.entries.len()).sum();
        metrics::gauge!("owner_hot_books", "partition" => self.partition.to_string())
            .set(self.books.len() as f64);
        metrics::gauge!("owner_hot_entries", "partition" => self.partition.to_string()).set(entries as f64);
        if self.books.len() <= hot_books_max && entries <= hot_entries_max {
            return;
        }
        // An eighth more than need be, so that not every further book costs a look at all of them.
        let mut books_over = self.books.len().saturating_sub(hot_books_max - hot_books_max / 8);
        let mut entries_over = entries.saturating_sub(hot_entries_max - hot_entries_max / 8);
        let mut by_age: Vec<(u64, BookId)> = self.books.iter().map(|(id, hot)| (hot.used, *id)).collect();
        by_age.sort_unstable();
        // However large it is, the one in use would be read back at once.
        by_age.pop();
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

    /// Begins again from the journal's start.
    fn forget_all(&mut self, reason: &str) -> Result<(), ReadError> {
        tracing::warn!(
            partition = self.partition,
            reason,
            "the decision state does not fit the journal and is made anew"
        );
        self.books.clear();
        self.fresh_answers.clear();
        self.unsaved = Unsaved::default();
        self.storage.wipe().map_err(|Broken| {
            ReadError::Backend("the decision state beside it cannot be wiped".to_owned())
        })?;
        self.position = Position::START;
        self.fence = Fence::default();
        Ok(())
    }
}

fn tell(item: Item) {
    let _ = item.reply.send(item.outcome);
}

fn print(text: &str) -> Option<Print> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(Print(bytes))
}
