//! The read model as a running process holds it: one writer, several readers, and the change-over to a new file
//! that readers do not notice.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, RwLock},
    thread,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    apply::{ApplyError, Batch, apply},
    boot::this_boot,
    connection::{Checkpoint, Durability, OpenError, checkpoints, open_reader, open_writer},
    files::{Directory, FilesError},
};

#[derive(Debug, Clone)]
pub struct Config {
    /// Threads that answer queries, each with its own connection and up to 16 MiB of cached pages.
    pub readers: usize,
    /// Queries that may wait for a reader; one more is refused.
    pub queue_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { readers: 4, queue_max: 1024 }
    }
}

/// Cheap to clone; all clones are the same model.
#[derive(Clone)]
pub struct ReadModel {
    shared: Arc<Shared>,
}

struct Shared {
    directory: Directory,
    config: Config,
    durability: Durability,
    generations: RwLock<Generations>,
    /// Counts the files that have been taken over for writing.
    changes: watch::Sender<u64>,
    /// Held shared by every batch under way, so that a change-over begins between two of them.
    batches: tokio::sync::RwLock<()>,
}

/// A file is written before it is read: readers stay with the old one until the new one knows as much.
struct Generations {
    serving: Arc<Generation>,
    incoming: Option<Incoming>,
}

struct Incoming {
    generation: Arc<Generation>,
    /// What the old file had applied when the change-over began, by partition; reached ones are taken out.
    missing: HashMap<u32, u64>,
}

struct Generation {
    name: String,
    writer: mpsc::Sender<Job<Connection>>,
    readers: mpsc::Sender<Job<Connection>>,
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("too many queries are waiting for the read model")]
    Overloaded,
    #[error("the read model's readers have stopped")]
    Stopped,
    #[error("the read model could not be read")]
    Sqlite(#[from] rusqlite::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the read model could not be read")]
    Read(#[from] ReadError),
    #[error("the read model's threads could not be started")]
    Thread(#[source] std::io::Error),
}

/// Up to where queries see a partition from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible {
    pub partition: u32,
    pub position: u64,
}

impl Visible {
    fn of(checkpoint: &Checkpoint) -> Self {
        Self { partition: checkpoint.partition, position: checkpoint.position }
    }
}

impl ReadModel {
    /// Opens the current model below `data_dir`; an empty one where there is none, or where the machine went down
    /// while it was being written. Blocks: call it at start.
    pub fn open(data_dir: &Path, config: Config) -> Result<Self, ModelError> {
        let directory = Directory::open(data_dir)?;
        let boot = this_boot();
        let is_whole = boot.as_ref().map_or(Ok(true), |boot| directory.is_whole(boot))?;
        if !is_whole {
            tracing::warn!("the machine went down while the read model was being written; it is made anew");
        }
        let name = match directory.current()? {
            Some(name) if is_whole => name,
            Some(_) | None => {
                let name = directory.free_name(None)?;
                directory.set_current(&name)?;
                name
            }
        };
        let durability = match boot {
            Some(boot) => {
                directory.begin_writing(&boot)?;
                Durability::UntilTheMachineStops
            }
            None => Durability::InOrder,
        };
        let serving = Arc::new(Generation::open(&directory, name, &config, durability)?);
        match directory.lock() {
            Ok(lock) => directory.delete_others(&serving.name, &lock)?,
            // What lies there may be the file that the rebuild is filling.
            Err(FilesError::RebuildUnderWay { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let generations = RwLock::new(Generations { serving, incoming: None });
        let shared = Shared {
            directory,
            config,
            durability,
            generations,
            changes: watch::Sender::new(0),
            batches: Default::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `query` on a reader's thread, in one read tx: everything it selects is of one moment.
    pub async fn read<T, E, F>(&self, query: F) -> Result<T, ReadError>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        ReadError: From<E>,
    {
        let readers = self.generations().serving.readers.clone();
        let (answer, answered) = oneshot::channel();
        let job: Job<Connection> = Box::new(move |connection| {
            // Who asked may have given up while the query waited.
            if !answer.is_closed() {
                let _ = answer.send(read_in_tx(connection, query));
            }
        });
        match readers.try_send(job) {
            Ok(()) => answered.await.map_err(|_| ReadError::Stopped)?,
            Err(mpsc::error::TrySendError::Full(_)) => Err(ReadError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(ReadError::Stopped),
        }
    }

    /// A connection of the caller's own with a read tx begun, for an answer that is too long to keep a reader busy
    /// with: everything selected on it is of the moment of the first select. The file's log grows until it is
    /// dropped, so it is the caller who bounds the time. Blocks.
    pub fn snapshot(&self) -> Result<Connection, ModelError> {
        let name = self.generations().serving.name.clone();
        let connection = open_reader(&self.shared.directory.path_of(&name))?;
        connection.execute_batch("begin").map_err(ReadError::from)?;
        Ok(connection)
    }

    /// Where the next batch has to begin: the checkpoint of the file that is written.
    pub async fn checkpoint(&self, partition: u32) -> Result<Checkpoint, ReadError> {
        let all =
            self.writing().write(|connection| checkpoints(connection)).await.ok_or(ReadError::Stopped)??;
        let start = || Checkpoint { partition, position: 0, fence: String::new() };
        Ok(all.into_iter().find(|checkpoint| checkpoint.partition == partition).unwrap_or_else(start))
    }

    /// Writes a batch, and tells what queries see by it: nothing new while a new file is still behind the old one.
    pub async fn apply(&self, batch: Arc<Batch>) -> Result<Vec<Visible>, ApplyError> {
        let _under_way = self.shared.batches.read().await;
        let writing = self.writing();
        let visible = Visible { partition: batch.partition, position: batch.through };
        writing.write(move |connection| apply(connection, &batch)).await.ok_or(ApplyError::Stopped)??;
        let is_served = Arc::ptr_eq(&self.generations().serving, &writing);
        if is_served {
            return Ok(vec![visible]);
        }
        self.serve_incoming(&writing, Some(visible)).await
    }

    /// Takes over the file that `current` names, if it is another one than before. The writer goes first; queries
    /// follow once the new file has come as far as the old one.
    pub async fn change_over(&self) -> Result<Vec<Visible>, ModelError> {
        let current = self.shared.directory.current()?;
        let writing = self.writing();
        let Some(name) = current.filter(|name| *name != writing.name) else { return Ok(Vec::new()) };

        let (directory, config) = (self.shared.directory.clone(), self.shared.config.clone());
        let durability = self.shared.durability;
        let opened =
            tokio::task::spawn_blocking(move || Generation::open(&directory, name, &config, durability))
                .await;
        let incoming = Arc::new(opened.map_err(|_| ReadError::Stopped)??);
        let _between_batches = self.shared.batches.write().await;
        let serving = self.generations().serving.clone();
        let wanted = all_checkpoints(&serving).await?;
        let reached: HashMap<u32, u64> = all_checkpoints(&incoming)
            .await?
            .into_iter()
            .map(|checkpoint| (checkpoint.partition, checkpoint.position))
            .collect();
        let missing = wanted
            .into_iter()
            .filter(|old| reached.get(&old.partition).copied().unwrap_or(0) < old.position)
            .map(|old| (old.partition, old.position))
            .collect();
        tracing::info!(name = incoming.name, "a new read model is being taken over");
        self.generations_mut().incoming = Some(Incoming { generation: incoming.clone(), missing });
        self.shared.changes.send_modify(|changes| *changes += 1);
        Ok(self.serve_incoming(&incoming, None).await.unwrap_or_default())
    }

    /// Up to where queries see each partition now.
    pub async fn visible(&self) -> Result<Vec<Visible>, ReadError> {
        let serving = self.generations().serving.clone();
        Ok(all_checkpoints(&serving).await?.iter().map(Visible::of).collect())
    }

    /// Brings to the disk what has been applied; nothing may be applied afterwards. Without it the model is made anew
    /// after the machine has been restarted.
    pub async fn sync(&self) -> Result<(), ModelError> {
        if self.shared.durability == Durability::InOrder {
            return Ok(());
        }
        let writing = self.writing();
        let checkpoint = |connection: &mut Connection| {
            connection.execute_batch("pragma synchronous = full; pragma wal_checkpoint(truncate)")
        };
        writing.write(checkpoint).await.ok_or(ReadError::Stopped)?.map_err(ReadError::from)?;
        let directory = self.shared.directory.clone();
        let synced = tokio::task::spawn_blocking(move || directory.end_writing(&writing.name)).await;
        Ok(synced.map_err(|_| ReadError::Stopped)??)
    }

    /// Changes whenever another file is written than before: its checkpoints are its own.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    async fn serve_incoming(
        &self,
        written: &Arc<Generation>,
        applied: Option<Visible>,
    ) -> Result<Vec<Visible>, ApplyError> {
        {
            let mut generations = self.generations_mut();
            let Some(incoming) = generations.incoming.as_mut() else { return Ok(Vec::new()) };
            if !Arc::ptr_eq(&incoming.generation, written) {
                return Ok(Vec::new());
            }
            if let Some(Visible { partition, position }) = applied
                && incoming.missing.get(&partition).is_some_and(|wanted| position >= *wanted)
            {
                incoming.missing.remove(&partition);
            }
            if !incoming.missing.is_empty() {
                return Ok(Vec::new());
            }
            generations.serving = written.clone();
            generations.incoming = None;
        }
        tracing::info!(name = written.name, "queries are answered from the new read model");
        let checkpoints =
            written.write(|connection| checkpoints(connection)).await.ok_or(ApplyError::Stopped)??;
        Ok(checkpoints.iter().map(Visible::of).collect())
    }

    fn writing(&self) -> Arc<Generation> {
        let generations = self.generations();
        let incoming = generations.incoming.as_ref().map(|incoming| &incoming.generation);
        incoming.unwrap_or(&generations.serving).clone()
    }

    fn generations(&self) -> std::sync::RwLockReadGuard<'_, Generations> {
        self.shared.generations.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn generations_mut(&self) -> std::sync::RwLockWriteGuard<'_, Generations> {
        self.shared.generations.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generation {
    /// Its threads end when it is dropped and the last job is done.
    fn open(
        directory: &Directory,
        name: String,
        config: &Config,
        durability: Durability,
    ) -> Result<Self, ModelError> {
        let path = directory.path_of(&name);
        let (writer, jobs) = mpsc::channel(16);
        let connection = open_writer(&path, durability)?;
        work("read-model-writer", connection, Arc::new(Mutex::new(jobs)))?;

        let (readers, jobs) = mpsc::channel(config.queue_max);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..config.readers.max(1) {
            work("read-model-reader", open_reader(&path)?, jobs.clone())?;
        }
        Ok(Self { name, writer, readers })
    }

    /// `None` when the thread is gone.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job<Connection> = Box::new(move |connection| {
            let _ = answer.send(job(connection));
        });
        self.writer.send(job).await.ok()?;
        answered.await.ok()
    }
}

fn work(
    name: &str,
    mut connection: Connection,
    jobs: Arc<Mutex<mpsc::Receiver<Job<Connection>>>>,
) -> Result<(), ModelError> {
    let run = move || {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
            let Some(job) = job else { return };
            // A fault in one query is that query's; its caller learns of it by the answer that does not come.
            if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() && !connection.is_autocommit()
            {
                let _ = connection.execute_batch("rollback");
            }
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(ModelError::Thread)?;
    Ok(())
}

fn read_in_tx<T, E>(
    connection: &mut Connection,
    query: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, ReadError>
where
    ReadError: From<E>,
{
    connection.prepare_cached("begin")?.execute(())?;
    let answer = query(connection);
    connection.prepare_cached("rollback")?.execute(())?;
    Ok(answer?)
}

async fn all_checkpoints(generation: &Generation) -> Result<Vec<Checkpoint>, ReadError> {
    Ok(generation.write(|connection| checkpoints(connection)).await.ok_or(ReadError::Stopped)??)
}
