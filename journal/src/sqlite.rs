//! The embedded journal: one SQLite file, one writing thread.
//!
//! A table per partition (`journal_0`, `journal_1`, …) holds `position`, `digest` and `record`, the JSON as it was
//! written; `heads` holds each partition's last position, so that a tail that was cut off shows. WAL with
//! `synchronous=FULL`: an answered append is on disk. While one commit is in flight the next group gathers, so
//! groups grow by themselves with the load.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, params};

use crate::{
    journal::{AppendDone, AppendError, Appended, Batch, Journal, Position, ReadError, Reader, Stored},
    record::{Hash, NewRecord},
};

/// Bounds one group, and with it how long an append can wait for the commit it is in.
const GROUP_RECORDS_MAX: usize = 4_096;
const GROUP_BYTES_MAX: usize = 8 << 20;
const BATCH_RECORDS_MAX: u64 = 2_000;
const BATCH_BYTES_MAX: usize = 4 << 20;
const PARTITIONS_MAX: u32 = 256;

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the journal {path} cannot be opened")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error(
        "the journal {path} has {found} partitions, which is fixed for its life; set journal.partitions = {found}, not {wanted}"
    )]
    Partitions { path: PathBuf, found: u32, wanted: u32 },
    #[error("the journal {path} is of layout {found}; this version of Daybook reads layout 1")]
    Layout { path: PathBuf, found: u32 },
    #[error("{wanted} partitions are not possible; choose 1 to {PARTITIONS_MAX}")]
    PartitionsOutOfRange { wanted: u32 },
    #[error("the journal's thread cannot be started")]
    Thread(#[from] std::io::Error),
    #[error("there is no journal at {path}")]
    Missing { path: PathBuf },
}

pub struct SqliteJournal {
    path: PathBuf,
    id: String,
    partitions: u32,
    heads: Arc<Heads>,
    writer: Option<Writer>,
}

struct Writer {
    appends: Option<Sender<Append>>,
    thread: Option<JoinHandle<()>>,
}

struct Append {
    partition: u32,
    records: Vec<NewRecord>,
    done: AppendDone,
}

/// The last durable position of each partition, and a bell for those who wait for more.
struct Heads {
    positions: Mutex<Vec<u64>>,
    grown: Condvar,
}

impl Heads {
    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.positions.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl SqliteJournal {
    /// Opens the journal for writing, making it where there is none. `new_id` names a new journal.
    pub fn open(path: &Path, partitions: u32, new_id: impl FnOnce() -> String) -> Result<Self, OpenError> {
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            return Err(OpenError::PartitionsOutOfRange { wanted: partitions });
        }
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let connection = connect(path).map_err(sqlite)?;
        create(&connection, partitions, new_id).map_err(sqlite)?;
        let facts = facts(path, &connection)?;
        if facts.partitions != partitions {
            return Err(OpenError::Partitions {
                path: path.to_owned(),
                found: facts.partitions,
                wanted: partitions,
            });
        }

        let heads = Arc::new(Heads { positions: Mutex::new(facts.heads), grown: Condvar::new() });
        let (appends, queue) = mpsc::channel();
        let thread_heads = Arc::clone(&heads);
        let thread = thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || write_groups(connection, &queue, &thread_heads))?;
        let writer = Some(Writer { appends: Some(appends), thread: Some(thread) });
        Ok(Self { path: path.to_owned(), id: facts.id, partitions, heads, writer })
    }

    /// Opens a journal that another process may be writing. Appends to it are refused.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let connection = connect_read_only(path).map_err(sqlite)?;
        let facts = facts(path, &connection)?;
        let heads = Arc::new(Heads { positions: Mutex::new(facts.heads), grown: Condvar::new() });
        Ok(Self { path: path.to_owned(), id: facts.id, partitions: facts.partitions, heads, writer: None })
    }
}

impl Journal for SqliteJournal {
    fn id(&self) -> &str {
        &self.id
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn append(&self, partition: u32, records: Vec<NewRecord>, done: AppendDone) {
        let Some(appends) = self.writer.as_ref().and_then(|writer| writer.appends.as_ref()) else {
            return done(Err(AppendError::NotWritten("it was opened for reading only".to_owned())));
        };
        if partition >= self.partitions {
            return done(Err(AppendError::NotWritten(format!("it has no partition {partition}"))));
        }
        if let Err(mpsc::SendError(append)) = appends.send(Append { partition, records, done }) {
            (append.done)(Err(AppendError::NotWritten("its writer has stopped".to_owned())));
        }
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        let connection = connect_read_only(&self.path).map_err(|error| backend(&error))?;
        let heads = self.writer.is_some().then(|| Arc::clone(&self.heads));
        Ok(Box::new(SqliteReader { connection, partition, after, heads }))
    }

    fn head(&self, partition: u32) -> Option<Position> {
        self.writer.as_ref()?;
        self.heads.lock().get(partition as usize).copied().map(Position)
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        // With the sender gone the thread writes what is queued and ends.
        writer.appends = None;
        if let Some(thread) = writer.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer panicked");
        }
    }
}

struct Facts {
    id: String,
    partitions: u32,
    heads: Vec<u64>,
}

fn facts(path: &Path, connection: &Connection) -> Result<Facts, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let (layout, id, partitions): (u32, String, u32) = connection
        .query_row("select layout, id, partitions from journal", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .map_err(sqlite)?;
    if layout != 1 {
        return Err(OpenError::Layout { path: path.to_owned(), found: layout });
    }
    Ok(Facts { id, partitions, heads: read_heads(connection).map_err(sqlite)? })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn connect_read_only(path: &Path) -> rusqlite::Result<Connection> {
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL has to be able to make the shared-memory file.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn create(connection: &Connection, partitions: u32, new_id: impl FnOnce() -> String) -> rusqlite::Result<()> {
    let exists: bool = connection.query_row(
        "select exists (select 1 from sqlite_schema where name = 'journal')",
        [],
        |row| row.get(0),
    )?;
    if exists {
        return Ok(());
    }
    let mut schema = String::from(
        "create table journal (layout integer not null, id text not null, partitions integer not null) strict;
         create table heads (partition integer primary key, position integer not null) strict;",
    );
    for partition in 0..partitions {
        schema.push_str(&format!(
            "create table journal_{partition} (position integer primary key, digest blob not null, record text not null) strict;
             insert into heads values ({partition}, 0);"
        ));
    }
    let tx = connection.unchecked_transaction()?;
    tx.execute_batch(&schema)?;
    tx.execute("insert into journal values (1, ?1, ?2)", params![new_id(), partitions])?;
    tx.commit()
}

fn read_heads(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection.prepare("select position from heads order by partition")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn write_groups(mut connection: Connection, queue: &Receiver<Append>, heads: &Heads) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        let mut records = group[0].records.len();
        let mut bytes = bytes_of(&group[0]);
        while records < GROUP_RECORDS_MAX && bytes < GROUP_BYTES_MAX {
            let Ok(append) = queue.try_recv() else { break };
            records += append.records.len();
            bytes += bytes_of(&append);
            group.push(append);
        }
        let started_at = Instant::now();
        let outcome = write_group(&mut connection, &group, heads);
        metrics::histogram!("journal_group_records").record(records as f64);
        metrics::histogram!("journal_group_seconds").record(started_at.elapsed().as_secs_f64());
        metrics::counter!("journal_records_total").increment(records as u64);
        metrics::counter!("journal_bytes_total").increment(bytes as u64);
        match outcome {
            Ok(appended) => {
                for (append, appended) in group.into_iter().zip(appended) {
                    (append.done)(Ok(appended));
                }
            }
            Err(failure) => {
                tracing::error!(error = %failure, records, "a group could not be written to the journal");
                // Where the file stands is known to the file only.
                if let Ok(positions) = read_heads(&connection) {
                    *heads.lock() = positions;
                }
                for append in group {
                    (append.done)(Err(failure.to_error()));
                }
            }
        }
    }
}

fn bytes_of(append: &Append) -> usize {
    append.records.iter().map(|record| record.bytes.len()).sum()
}

#[derive(Debug, thiserror::Error)]
enum GroupFailure {
    /// Rolled back before its commit began.
    #[error("{0}")]
    NotWritten(String),
    #[error("{0}")]
    Unknown(rusqlite::Error),
}

impl GroupFailure {
    fn to_error(&self) -> AppendError {
        match self {
            GroupFailure::NotWritten(reason) => AppendError::NotWritten(reason.clone()),
            GroupFailure::Unknown(error) => AppendError::Unknown(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for GroupFailure {
    fn from(error: rusqlite::Error) -> Self {
        GroupFailure::NotWritten(error.to_string())
    }
}

fn write_group(
    connection: &mut Connection,
    group: &[Append],
    heads: &Heads,
) -> Result<Vec<Appended>, GroupFailure> {
    let mut positions = heads.lock().clone();
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut appended = Vec::with_capacity(group.len());
    for append in group {
        let position = positions
            .get_mut(append.partition as usize)
            .ok_or_else(|| GroupFailure::NotWritten(format!("there is no partition {}", append.partition)))?;
        let mut insert = tx.prepare_cached(&format!(
            "insert into journal_{} (position, digest, record) values (?1, ?2, ?3)",
            append.partition
        ))?;
        let first = Position(*position + 1);
        for record in &append.records {
            *position += 1;
            let text = std::str::from_utf8(&record.bytes)
                .map_err(|error| GroupFailure::NotWritten(error.to_string()))?;
            insert.execute(params![*position, record.digest.0, text])?;
        }
        appended.push(Appended { first, last: Position(*position) });
    }
    {
        let mut update = tx.prepare_cached("update heads set position = ?2 where partition = ?1")?;
        let before = heads.lock().clone();
        for (partition, (old, new)) in before.iter().zip(&positions).enumerate() {
            if old != new {
                update.execute(params![partition, new])?;
            }
        }
    }
    tx.commit().map_err(GroupFailure::Unknown)?;
    *heads.lock() = positions;
    heads.grown.notify_all();
    Ok(appended)
}

struct SqliteReader {
    connection: Connection,
    partition: u32,
    after: Position,
    /// Of the writer in this process; without one, the file itself is asked.
    heads: Option<Arc<Heads>>,
}

impl SqliteReader {
    /// Waits until the partition reaches beyond what was read. `false`: the wait is over.
    fn wait_for_more(&self, wait: Duration) -> Result<bool, ReadError> {
        let Some(heads) = &self.heads else {
            return Ok(self.stored_head()? > self.after.0);
        };
        let partition = self.partition as usize;
        let is_behind =
            |positions: &mut Vec<u64>| positions.get(partition).is_none_or(|head| *head <= self.after.0);
        let (positions, _) = heads
            .grown
            .wait_timeout_while(heads.lock(), wait, is_behind)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        Ok(positions.get(partition).is_some_and(|head| *head > self.after.0))
    }

    fn stored_head(&self) -> Result<u64, ReadError> {
        let mut statement = self
            .connection
            .prepare_cached("select position from heads where partition = ?1")
            .map_err(|error| backend(&error))?;
        statement.query_row([self.partition], |row| row.get(0)).map_err(|error| backend(&error))
    }

    fn damaged(&self, position: Position, reason: impl Into<String>) -> ReadError {
        ReadError::Damaged { partition: self.partition, position, reason: reason.into() }
    }
}

impl Reader for SqliteReader {
    fn next(&mut self, wait: Duration) -> Result<Batch, ReadError> {
        if !self.wait_for_more(wait)? {
            // The file may hold fewer records than it says, or more: both are damage, seen once read to the end.
            let last = self.last_position()?;
            if last != self.after.0 {
                let reason =
                    format!("the journal says that its last record is {}, but {last} is", self.after);
                return Err(self.damaged(Position(last.max(self.after.0)), reason));
            }
            return Ok(Batch { records: Vec::new(), caught_up: true });
        }

        // The head first: whatever is read after it reaches it at least.
        let head = match &self.heads {
            Some(heads) => heads.lock().get(self.partition as usize).copied().unwrap_or(0),
            None => self.stored_head()?,
        };
        let sql = format!(
            "select position, digest, record from journal_{} where position > ?1 order by position limit ?2",
            self.partition
        );
        let mut records = Vec::new();
        let mut bytes = 0;
        {
            let mut statement = self.connection.prepare_cached(&sql).map_err(|error| backend(&error))?;
            let mut rows =
                statement.query(params![self.after.0, BATCH_RECORDS_MAX]).map_err(|error| backend(&error))?;
            let mut expected = self.after.next();
            while let Some(row) = rows.next().map_err(|error| backend(&error))? {
                let position = Position(row.get(0).map_err(|error| backend(&error))?);
                if position != expected {
                    return Err(self.damaged(expected, "it is missing"));
                }
                expected = expected.next();
                let digest: [u8; 32] =
                    row.get(1).map_err(|error| self.damaged(position, format!("its digest: {error}")))?;
                let record = row.get_ref(2).and_then(|value| Ok(value.as_bytes()?.to_vec()));
                let record = record.map_err(|error| self.damaged(position, error.to_string()))?;
                bytes += record.len();
                records.push(Stored { position, digest: Hash(digest), bytes: record });
                if bytes >= BATCH_BYTES_MAX {
                    break;
                }
            }
        }
        let Some(last) = records.last().map(|record| record.position) else {
            return Err(self.damaged(self.after.next(), "it is missing"));
        };
        self.after = last;
        Ok(Batch { records, caught_up: last.0 >= head })
    }
}

impl SqliteReader {
    fn last_position(&self) -> Result<u64, ReadError> {
        // A writer commits records and heads together, but this process may see the head a moment earlier.
        let sql = format!(
            "select case when (select position from heads where partition = ?1) > ?2 then ?2
             else (select coalesce(max(position), 0) from journal_{}) end",
            self.partition
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| backend(&error))?;
        statement
            .query_row(params![self.partition, self.after.0], |row| row.get(0))
            .map_err(|error| backend(&error))
    }
}

fn backend(error: &rusqlite::Error) -> ReadError {
    ReadError::Backend(error.to_string())
}
