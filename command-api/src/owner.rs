//! The owner of a partition: the one place where its books are decided.
//!
//! A thread per partition takes orders, decides them against the state that all orders before them leave behind,
//! written or not, and hands the commits to the journal. While one append is in flight the next orders gather, so
//! batches grow by themselves. Nobody is answered, not even with a rejection, before everything the answer rests
//! on stands in the journal.

mod answer;
mod storage;
mod thread;
mod working_set;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use chrono::{DateTime, Utc};
use domain::{
    Command, Event, Rejection,
    book::{Account, Category},
    event::Settings,
    id::{AccountId, BookId, CategoryId, ImportId, UserId},
};
use journal::{Commit, Journal, KeyStore, Position, ReadError, commit_at, partition_of};
use tokio::sync::oneshot;
use uuid::Uuid;

pub use answer::Answer;
pub use storage::StorageError;
use thread::{Message, OwnerThread, Shared};

use crate::config::Config;

/// What is not decided by the rules: time, ids and randomness. Handed in, so that a run can be repeated.
#[derive(Clone)]
pub struct Sources {
    pub now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    pub next_uuid: Arc<dyn Fn() -> Uuid + Send + Sync>,
    /// Nonces for sealing; they have to be random.
    pub next_nonce: Arc<dyn Fn() -> [u8; 24] + Send + Sync>,
}

impl Sources {
    /// The system's clock and random numbers.
    pub fn system() -> Self {
        Self {
            now: Arc::new(Utc::now),
            next_uuid: Arc::new(Uuid::now_v7),
            next_nonce: Arc::new(rand::random),
        }
    }
}

/// 128 bits of a SHA-256: of an idempotency key in its scope, or of a request's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Print(pub [u8; 16]);

/// A command on its way to its book.
#[derive(Debug, Clone)]
pub struct Order {
    pub book: BookId,
    pub actor: UserId,
    pub key: Print,
    pub fingerprint: Print,
    /// The version that the book has to have.
    pub if_match: Option<u64>,
    pub command: Command,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
}

/// Why an order was not carried out, or is not known to be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Rejected(Rejection),
    #[error("the book has version {current}")]
    VersionConflict { current: u64 },
    #[error("the key was used for something else")]
    KeyReused,
    /// Not taken in: too many orders wait already.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The partition cannot be written now; nothing was applied.
    #[error("the journal cannot be written now")]
    NotApplied,
    /// The journal did not say whether it took the commit.
    #[error("it is not known whether the command was applied")]
    Unknown,
}

pub type Outcome = Result<Answer, Refusal>;

/// Where in the journal a commit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub partition: u32,
    pub position: Position,
    pub version: u64,
}

/// A book's chart of accounts, as all orders so far leave it.
#[derive(Debug, Clone)]
pub struct Chart {
    pub settings: Option<Settings>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub categories: BTreeMap<CategoryId, Category>,
    /// Every import that was ever begun.
    pub imports: BTreeSet<ImportId>,
}

/// All partitions that this process owns.
pub struct Owners {
    partitions: Vec<Partition>,
    queue_max: usize,
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
}

struct Partition {
    messages: mpsc::Sender<Message>,
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the decision state cannot be used")]
    Storage(#[from] StorageError),
    #[error("partition {partition} cannot be taken")]
    Acquire { partition: u32, source: journal::tenure::AcquireError },
    #[error("an owner's thread cannot be started")]
    Thread(#[from] std::io::Error),
}

impl Owners {
    /// Takes every partition of the journal: loads the decision state, replays the tail, claims. Blocking.
    pub fn start(
        journal: Arc<dyn Journal>,
        keys: Arc<KeyStore>,
        sources: Sources,
        config: &Config,
    ) -> Result<Self, StartError> {
        let owner = (sources.next_uuid)().to_string();
        let count = journal.partitions();
        let shared = Shared {
            owner,
            journal: Arc::clone(&journal),
            keys: Arc::clone(&keys),
            sources,
            config: config.clone(),
        };
        // Where one partition cannot be taken, the threads of those before it end with this.
        let mut owners = Self { partitions: Vec::new(), queue_max: config.queue_max, journal, keys };
        for partition in 0..count {
            let (messages, inbox) = mpsc::channel();
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut thread =
                OwnerThread::open(partition, shared.clone(), messages.clone(), Arc::clone(&waiting))?;
            thread.acquire().map_err(|source| StartError::Acquire { partition, source })?;
            let thread = std::thread::Builder::new()
                .name(format!("owner-{partition}"))
                .spawn(move || thread.run(&inbox))?;
            owners.partitions.push(Partition { messages, waiting, thread: Mutex::new(Some(thread)) });
        }
        Ok(owners)
    }

    /// Has the order decided and waits until its outcome is durable.
    pub async fn execute(&self, order: Order) -> Outcome {
        let answer = self.submit(order)?;
        // A thread that ends without answering has panicked with the order in hand.
        answer.await.unwrap_or(Err(Refusal::Unknown))
    }

    /// Puts the order in line; the receiver hears the outcome. Orders of one caller for one book keep their order.
    pub fn submit(&self, order: Order) -> Result<oneshot::Receiver<Outcome>, Refusal> {
        let partition = self.partition_of(order.book);
        if partition.waiting.load(Ordering::Relaxed) >= self.queue_max {
            metrics::counter!("commands_shed_total").increment(1);
            return Err(Refusal::Overloaded);
        }
        let (reply, answer) = oneshot::channel();
        partition.waiting.fetch_add(1, Ordering::Relaxed);
        let message = Message::Order { order: Box::new(order), reply };
        partition.messages.send(message).map_err(|_| {
            partition.waiting.fetch_sub(1, Ordering::Relaxed);
            Refusal::NotApplied
        })?;
        Ok(answer)
    }

    /// What the order would come to now, written or not; nothing is written.
    pub async fn preview(
        &self,
        book: BookId,
        actor: UserId,
        command: Command,
    ) -> Result<Vec<Event>, Refusal> {
        self.preview_all(book, actor, vec![command]).await
    }

    /// What these orders would come to one after the other, or why the first of them that is refused is.
    pub async fn preview_all(
        &self,
        book: BookId,
        actor: UserId,
        commands: Vec<Command>,
    ) -> Result<Vec<Event>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Preview { book, actor, commands, reply };
        self.partition_of(book).messages.send(message).map_err(|_| Refusal::NotApplied)?;
        answer.await.unwrap_or(Err(Refusal::Unknown))
    }

    /// What undoing this version inverts, in order; none where it cannot be undone.
    pub async fn locate(&self, book: BookId, actor: UserId, version: u64) -> Result<Vec<Place>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Locate { book, actor, version, reply };
        self.partition_of(book).messages.send(message).map_err(|_| Refusal::NotApplied)?;
        answer.await.unwrap_or(Err(Refusal::Unknown))
    }

    /// The commit at a place that [`Owners::locate`] told of. Blocking.
    pub fn commit_at(&self, place: Place) -> Result<Commit, ReadError> {
        commit_at(self.journal.as_ref(), Arc::clone(&self.keys), place.partition, place.position)
    }

    /// The keys of books, with which the journal is sealed.
    pub fn keys(&self) -> Arc<KeyStore> {
        Arc::clone(&self.keys)
    }

    /// The accounts and categories of a book, for one of its members.
    pub async fn chart(&self, book: BookId, actor: UserId) -> Result<Chart, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::Chart { book, actor, reply };
        self.partition_of(book).messages.send(message).map_err(|_| Refusal::NotApplied)?;
        answer.await.unwrap_or(Err(Refusal::Unknown))
    }

    /// Answers what is in line, saves the decision state and ends the threads; what comes later is refused.
    /// Blocking.
    pub fn stop(&self) {
        for partition in &self.partitions {
            // A thread that has panicked no longer listens.
            let _ = partition.messages.send(Message::Stop);
        }
        for partition in &self.partitions {
            let thread = partition.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread
                && thread.join().is_err()
            {
                tracing::error!("an owner's thread panicked");
            }
        }
    }

    /// Whether every partition still has the thread that decides for it.
    pub fn are_alive(&self) -> bool {
        self.partitions.iter().all(|partition| {
            let thread = partition.thread.lock().unwrap_or_else(PoisonError::into_inner);
            thread.as_ref().is_some_and(|thread| !thread.is_finished())
        })
    }

    fn partition_of(&self, book: BookId) -> &Partition {
        let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        &self.partitions[partition_of(book, count) as usize]
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.stop();
    }
}
