//! The embedded journal: one SQLite file, one writing thread.
//!
//! A table per partition (`journal_0`, `journal_1`, …) holds `position`, `digest`, `chain` and `record`, the JSON
//! as it was written; `heads` holds each partition's last position and chain, so that a tail that was cut off shows.
//! `chain = SHA-256("daybook.place.v1\n" ‖ the chain before ‖ digest)`, 32 zero bytes before the first record: it
//! holds each record to its place, also where the ownership rule and the books' own chains would not miss it.
//!
//! WAL with `synchronous=FULL`: an answered append is on disk. While one commit is in flight the next group
//! gathers, so groups grow by themselves with the load.

use std::{
    path::{Path, PathBuf},
    str,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use sha2::{Digest, Sha256};

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
/// How often a reader beside the writer's process looks for more.
const POLL_WAIT: Duration = Duration::from_millis(50);
const PLACE_TAG: &[u8] = b"daybook.place.v1\n";

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
    #[error("the journal {path} does not say where partition {partition} ends; run `daybook audit verify`")]
    HeadMissing { path: PathBuf, partition: u32 },
}

pub struct SqliteJournal {
    path: PathBuf,
    id: String,
    partitions: u32,
    writer: Option<Writer>,
}

struct Writer {
    heads: Arc<Heads>,
    appends: Option<Sender<Append>>,
    thread: Option<JoinHandle<()>>,
}

struct Append {
    partition: u32,
    records: Vec<NewRecord>,
    done: AppendDone,
}

/// The last record of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    position: u64,
    chain: [u8; 32],
}

impl Head {
    const START: Head = Head { position: 0, chain: [0; 32] };

    fn followed_by(&self, digest: &Hash) -> Self {
        let chain =
            Sha256::new().chain_update(PLACE_TAG).chain_update(self.chain).chain_update(digest.0).finalize();
        Self { position: self.position + 1, chain: chain.into() }
    }
}

/// The last durable record of each partition, and a bell for those who wait for more.
struct Heads {
    known: Mutex<Vec<Head>>,
    grown: Condvar,
}

impl Heads {
    fn lock(&self) -> MutexGuard<'_, Vec<Head>> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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

        let mut known = Vec::new();
        for partition in 0..partitions {
            let head = read_head(&connection, partition).map_err(sqlite)?;
            known.push(head.ok_or_else(|| OpenError::HeadMissing { path: path.to_owned(), partition })?);
        }
        let heads = Arc::new(Heads { known: Mutex::new(known), grown: Condvar::new() });
        let (appends, queue) = mpsc::channel();
        let thread_heads = Arc::clone(&heads);
        let thread = thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || write_groups(connection, &queue, &thread_heads))?;
        let writer = Some(Writer { heads, appends: Some(appends), thread: Some(thread) });
        Ok(Self { path: path.to_owned(), id: facts.id, partitions, writer })
    }

    /// Opens a journal that another process may be writing. Appends to it are refused.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing { path: path.to_owned() });
        }
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let connection = connect_read_only(path).map_err(sqlite)?;
        let facts = facts(path, &connection)?;
        Ok(Self { path: path.to_owned(), id: facts.id, partitions: facts.partitions, writer: None })
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
        // Refused here, where it takes no neighbour down with it.
        if records.iter().any(|record| str::from_utf8(&record.bytes).is_err()) {
            return done(Err(AppendError::NotWritten("a record is not UTF-8".to_owned())));
        }
        if let Err(mpsc::SendError(append)) = appends.send(Append { partition, records, done }) {
            (append.done)(Err(AppendError::NotWritten("its writer has stopped".to_owned())));
        }
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        if partition >= self.partitions {
            return Err(ReadError::Backend(format!("it has no partition {partition}")));
        }
        let connection = connect_read_only(&self.path).map_err(|error| backend(&error))?;
        let heads = self.writer.as_ref().map(|writer| Arc::clone(&writer.heads));
        let chain = (after == Position::START).then_some(Head::START.chain);
        Ok(Box::new(SqliteReader { connection, partition, after, chain, heads }))
    }

    fn head(&self, partition: u32) -> Option<Position> {
        let heads = self.writer.as_ref()?.heads.lock();
        heads.get(partition as usize).map(|head| Position(head.position))
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        let Some(writer) = &mut self.writer else { return };
        // With the sender gone the thread writes what is queued and ends.
        writer.appends = None;
        // The last one to let go may be an append's `done`, on that very thread: it cannot wait for itself.
        if let Some(thread) = writer.thread.take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer panicked");
        }
    }
}

struct Facts {
    id: String,
    partitions: u32,
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
    Ok(Facts { id, partitions })
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
         create table heads (partition integer primary key, position integer not null, chain blob not null) strict;",
    );
    for partition in 0..partitions {
        schema.push_str(&format!(
            "create table journal_{partition}
                 (position integer primary key, digest blob not null, chain blob not null, record text not null) strict;
             insert into heads values ({partition}, 0, zeroblob(32));"
        ));
    }
    let tx = connection.unchecked_transaction()?;
    tx.execute_batch(&schema)?;
    tx.execute("insert into journal values (1, ?1, ?2)", params![new_id(), partitions])?;
    tx.commit()
}

/// `None`: the file has lost it.
fn read_head(connection: &Connection, partition: u32) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("select position, chain from heads where partition = ?1")?
        .query_row([partition], |row| Ok(Head { position: row.get(0)?, chain: row.get(1)? }))
        .optional()
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
        match outcome {
            Ok(appended) => {
                metrics::counter!("journal_records_total").increment(records as u64);
                metrics::counter!("journal_bytes_total").increment(bytes as u64);
                for (append, appended) in group.into_iter().zip(appended) {
                    (append.done)(Ok(appended));
                }
            }
            Err(failure) => {
                tracing::error!(error = %failure, records, "a group could not be written to the journal");
                // Where the file stands is known to the file only.
                for (partition, head) in (0..).zip(heads.lock().iter_mut()) {
                    if let Ok(Some(stored)) = read_head(&connection, partition) {
                        *head = stored;
                    }
                }
                for append in group {
                    (append.done)(Err(failure.to_error()));
                }
                // Their callers did not know of the failure yet; written now, they would leave a gap behind it.
                let behind: Vec<Append> = queue.try_iter().collect();
                for append in behind {
                    let reason = "an append before it failed".to_owned();
                    (append.done)(Err(AppendError::NotWritten(reason)));
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
    let before = heads.lock().clone();
    let mut after = before.clone();
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut appended = Vec::with_capacity(group.len());
    for append in group {
        let head = after
            .get_mut(append.partition as usize)
            .ok_or_else(|| GroupFailure::NotWritten(format!("there is no partition {}", append.partition)))?;
        let mut insert = tx.prepare_cached(&format!(
            "insert into journal_{} (position, digest, chain, record) values (?1, ?2, ?3, ?4)",
            append.partition
        ))?;
        let first = Position(head.position).next();
        for record in &append.records {
            *head = head.followed_by(&record.digest);
            let text =
                str::from_utf8(&record.bytes).map_err(|error| GroupFailure::NotWritten(error.to_string()))?;
            insert.execute(params![head.position, record.digest.0, head.chain, text])?;
        }
        appended.push(Appended { first, last: Position(head.position) });
    }
    {
        let mut update =
            tx.prepare_cached("update heads set position = ?2, chain = ?3 where partition = ?1")?;
        for (partition, (old, new)) in before.iter().zip(&after).enumerate() {
            if old != new {
                update.execute(params![partition, new.position, new.chain])?;
            }
        }
    }
    tx.commit().map_err(GroupFailure::Unknown)?;
    *heads.lock() = after;
    heads.grown.notify_all();
    Ok(appended)
}

struct SqliteReader {
    connection: Connection,
    partition: u32,
    after: Position,
    /// Of the record at `after`; read from there where reading does not begin at the start.
    chain: Option<[u8; 32]>,
    /// Of the writer in this process; without one, the file itself is asked.
    heads: Option<Arc<Heads>>,
}

impl SqliteReader {
    /// Waits until the partition reaches beyond what was read. `false`: the wait is over.
    fn wait_for_more(&self, wait: Duration) -> Result<bool, ReadError> {
        let Some(heads) = &self.heads else {
            return self.poll_for_more(wait);
        };
        let partition = self.partition as usize;
        let is_behind =
            |known: &mut Vec<Head>| known.get(partition).is_none_or(|head| head.position <= self.after.0);
        let (known, _) = heads
            .grown
            .wait_timeout_while(heads.lock(), wait, is_behind)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        Ok(known.get(partition).is_some_and(|head| head.position > self.after.0))
    }

    /// Another process rings no bell here.
    fn poll_for_more(&self, wait: Duration) -> Result<bool, ReadError> {
        let until = Instant::now() + wait;
        loop {
            if self.stored_head()?.position > self.after.0 {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            thread::sleep(left.min(POLL_WAIT));
        }
    }

    fn stored_head(&self) -> Result<Head, ReadError> {
        read_head(&self.connection, self.partition)
            .map_err(|error| self.unreadable(self.after, &error))?
            .ok_or_else(|| self.damaged(self.after, "what says where the partition ends is missing"))
    }

    fn damaged(&self, position: Position, reason: impl Into<String>) -> ReadError {
        ReadError::Damaged { partition: self.partition, position, reason: reason.into() }
    }

    /// What SQLite says of a file that was changed past it is damage, not an outage.
    fn unreadable(&self, position: Position, error: &rusqlite::Error) -> ReadError {
        match error.sqlite_error_code() {
            None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch) => {
                self.damaged(position, error.to_string())
            }
            Some(_) => backend(error),
        }
    }
}

impl Reader for SqliteReader {
    fn next(&mut self, wait: Duration) -> Result<Batch, ReadError> {
        if !self.wait_for_more(wait)? {
            self.check_end()?;
            return Ok(Batch { records: Vec::new(), caught_up: true });
        }

        // The head first: whatever is read after it reaches it at least.
        let head = match &self.heads {
            Some(heads) => heads.lock().get(self.partition as usize).copied().unwrap_or(Head::START),
            None => self.stored_head()?,
        };
        let mut tip = Head { position: self.after.0, chain: self.chain()? };
        let sql = format!(
            "select position, digest, chain, record from journal_{} where position > ?1 order by position limit ?2",
            self.partition
        );
        let mut records = Vec::new();
        let mut bytes = 0;
        {
            let first = self.after.next();
            let mut statement =
                self.connection.prepare_cached(&sql).map_err(|error| self.unreadable(first, &error))?;
            let mut rows = statement
                .query(params![self.after.0, BATCH_RECORDS_MAX])
                .map_err(|error| self.unreadable(first, &error))?;
            loop {
                let expected = Position(tip.position).next();
                let unreadable = |error| self.unreadable(expected, &error);
                let Some(row) = rows.next().map_err(unreadable)? else { break };
                let position = Position(row.get(0).map_err(unreadable)?);
                if position != expected {
                    return Err(self.damaged(expected, "it is missing"));
                }
                let digest = Hash(row.get(1).map_err(unreadable)?);
                let chain: [u8; 32] = row.get(2).map_err(unreadable)?;
                let record = row.get_ref(3).and_then(|value| Ok(value.as_bytes()?.to_vec()));
                let record = record.map_err(unreadable)?;
                tip = tip.followed_by(&digest);
                if tip.chain != chain {
                    return Err(self.damaged(position, "it is not the record that was written at this place"));
                }
                bytes += record.len();
                records.push(Stored { position, digest, bytes: record });
                if bytes >= BATCH_BYTES_MAX {
                    break;
                }
            }
        }
        if records.is_empty() {
            return Err(self.damaged(self.after.next(), "it is missing"));
        }
        self.after = Position(tip.position);
        self.chain = Some(tip.chain);
        Ok(Batch { records, caught_up: tip.position >= head.position })
    }
}

impl SqliteReader {
    /// The chain up to where reading goes on.
    fn chain(&self) -> Result<[u8; 32], ReadError> {
        if let Some(chain) = self.chain {
            return Ok(chain);
        }
        let sql = format!("select chain from journal_{} where position = ?1", self.partition);
        let found = self
            .connection
            .query_row(&sql, [self.after.0], |row| row.get(0))
            .optional()
            .map_err(|error| self.unreadable(self.after, &error))?;
        found.ok_or_else(|| self.damaged(self.after, "it is missing"))
    }

    /// The file may hold fewer records than it says, or more: both are damage, seen once read to the end.
    fn check_end(&self) -> Result<(), ReadError> {
        // A writer commits records and head together; one statement sees both as of one moment.
        let sql = format!(
            "select position, chain, (select coalesce(max(position), 0) from journal_{}) from heads where partition = ?1",
            self.partition
        );
        let found = self
            .connection
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement
                    .query_row([self.partition], |row| {
                        Ok((Head { position: row.get(0)?, chain: row.get(1)? }, row.get::<_, u64>(2)?))
                    })
                    .optional()
            })
            .map_err(|error| self.unreadable(self.after, &error))?;
        let Some((head, last)) = found else {
            return Err(self.damaged(self.after, "what says where the partition ends is missing"));
        };
        // A state kept beside the journal may be ahead of one that was put back from a copy.
        if head.position < self.after.0 {
            let reason = format!("the journal ends at {}, before {}", head.position, self.after);
            return Err(self.damaged(self.after, reason));
        }
        let is_read_to_it = head.position == self.after.0 && self.chain.is_some();
        if head.position != last {
            let reason = format!("the journal says that its last record is {}, but {last} is", head.position);
            return Err(self.damaged(Position(last.max(head.position)), reason));
        }
        if is_read_to_it && self.chain != Some(head.chain) {
            return Err(self.damaged(self.after, "it is not the record that was written last"));
        }
        Ok(())
    }
}

fn backend(error: &rusqlite::Error) -> ReadError {
    ReadError::Backend(error.to_string())
}
