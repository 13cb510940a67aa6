//! Opening a file of the read model: settings of the connection, and the migrations.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_first_tables.sql")];

/// Every statement of this crate and its queries stays prepared.
const STATEMENTS_KEPT: usize = 256;
/// How long a connection waits for another process that writes or moves the write-ahead log.
const BUSY_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path} cannot be opened as a read model")]
    Sqlite { path: String, source: rusqlite::Error },
    #[error("{path} was made by a newer Daybook (tables of version {found}, known up to {known})")]
    Newer { path: String, found: usize, known: usize },
}

/// Up to which record of a partition a read model has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub partition: u32,
    pub position: u64,
    pub fence: String,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing: the system brings pages to the disk when it likes, so a file that was being written when the machine
    /// went down is worth nothing.
    UntilTheMachineStops,
    /// The order of writes: a power cut may cost the last commits, and leaves whole tables behind.
    InOrder,
}

/// For the writer: makes the file where it is missing and brings its tables up to date. The journal is the
/// truth, so a commit here need not outlive a power cut.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    // A commit touches some ten pages all over the file, each of which is written whole: so they are small. Where a
    // checkpoint waits for the disk, it keeps the journal waiting too, so it brings little.
    let settings = match durability {
        Durability::UntilTheMachineStops => "pragma synchronous = off; pragma wal_autocheckpoint = 16000;",
        Durability::InOrder => "pragma synchronous = normal; pragma wal_autocheckpoint = 4000;",
    };
    connection
        .execute_batch("pragma page_size = 2048; pragma journal_mode = wal; pragma cache_size = -65536;")
        .and_then(|()| connection.execute_batch(settings))
        .map_err(|source| failed(path, source))?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// For the builder of a new file, which nobody reads before it is finished: a build that dies is thrown away, so
/// nothing is logged and nothing waits for the disk.
pub(crate) fn open_builder(path: &Path) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = open(path, flags)?;
    let settings = "pragma page_size = 2048; pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive;
        pragma cache_size = -131072;";
    connection.execute_batch(settings).map_err(|source| failed(path, source))?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

pub fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let settings = "pragma cache_size = -16384; pragma mmap_size = 268435456;";
    connection.execute_batch(settings).map_err(|source| failed(path, source))?;
    Ok(connection)
}

pub fn checkpoints(connection: &Connection) -> rusqlite::Result<Vec<Checkpoint>> {
    let mut select = connection.prepare_cached(include_str!("../sql/checkpoints_select_all.sql"))?;
    let rows = select.query_map((), |row| {
        Ok(Checkpoint { partition: row.get(0)?, position: row.get(1)?, fence: row.get(2)? })
    })?;
    rows.collect()
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags).map_err(|source| failed(path, source))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(BUSY_WAIT).map_err(|source| failed(path, source))?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let known = MIGRATIONS.len();
    let found = || connection.query_row("pragma user_version", (), |row| row.get::<_, usize>(0));
    let found = found().map_err(|source| failed(path, source))?;
    if found > known {
        return Err(OpenError::Newer { path: path.display().to_string(), found, known });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        let migrate = |connection: &mut Connection| {
            let tx = connection.transaction()?;
            tx.execute_batch(migration)?;
            tx.pragma_update(None, "user_version", index + 1)?;
            tx.commit()
        };
        migrate(connection).map_err(|source| failed(path, source))?;
    }
    Ok(())
}

fn failed(path: &Path, source: rusqlite::Error) -> OpenError {
    OpenError::Sqlite { path: path.display().to_string(), source }
}
