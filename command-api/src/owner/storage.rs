//! The decision state of a partition in a local SQLite file, written behind in batches, each with the journal
//! position and the fence it stands for. The journal is the truth: a file that is missing, damaged or of another
//! journal is made anew by replay.
//!
//! One thread owns the file. What it is asked for later sees what it was given earlier.

use std::{
    collections::{HashSet, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use chrono::{DateTime, Utc};
use domain::{
    Book,
    book::{Account, Category, Import, Invitation, KeptEntry},
    event::Role,
    id::{AccountId, BookId, CategoryId, ImportId, InvitationId, UserId},
    touch::Touches,
};
use journal::{Fence, Hash, Position, ownership};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Answer, Print,
    working_set::{Hot, KeptAnswer, Unsaved, Withdrawable},
};

/// Of the tables below and of what their JSON means; another version is thrown away and replayed.
const STATE_VERSION: u32 = 2;

const SCHEMA: &str = include_str!("decision_state.sql");

/// What is replayed from the journal; besides them there is `origin`.
const TABLES: [&str; 7] = ["books", "accounts", "categories", "entries", "imports", "answers", "places"];

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the decision state {path} cannot be used")]
    File { path: PathBuf, source: io::Error },
    #[error("the decision state {path} cannot be used")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

/// Which journal the state was made from.
pub struct Origin<'a> {
    pub journal_id: &'a str,
    pub partition: u32,
    pub partitions: u32,
}

pub struct Storage {
    requests: mpsc::Sender<Request>,
    thread: Option<thread::JoinHandle<()>>,
}

enum Request {
    Save(Box<Save>),
    Load { book: BookId, reply: mpsc::Sender<Result<Option<Hot>, Broken>> },
    Answer { book: BookId, key: Print, reply: mpsc::Sender<Result<Option<KeptAnswer>, Broken>> },
    Place { book: BookId, version: u64, reply: mpsc::Sender<Result<Option<Position>, Broken>> },
    Wipe { reply: mpsc::Sender<Result<(), Broken>> },
}

struct Save {
    unsaved: Unsaved,
    position: Position,
    fence: Fence,
    forget_before: DateTime<Utc>,
}

/// The file cannot be used now; the thread has said why.
#[derive(Debug, Clone, Copy)]
pub struct Broken;

impl Storage {
    /// Opens the file and says how far it goes; position 0 for one that was just made.
    pub fn open(directory: &Path, origin: &Origin<'_>) -> Result<(Self, Position, Fence), StorageError> {
        fs::create_dir_all(directory)
            .map_err(|source| StorageError::File { path: directory.to_owned(), source })?;
        let path = directory.join(format!("partition-{}.sqlite", origin.partition));
        let sqlite = |source| StorageError::Sqlite { path: path.clone(), source };
        let (connection, position, fence) = match open_known(&path, origin) {
            Ok(known) => known,
            Err(reason) => {
                if path.exists() {
                    tracing::warn!(path = %path.display(), reason, "the decision state is made anew from the journal");
                }
                remove(&path).map_err(|source| StorageError::File { path: path.clone(), source })?;
                let connection = connect(&path).map_err(sqlite)?;
                create(&connection, origin).map_err(sqlite)?;
                (connection, Position::START, Fence::default())
            }
        };
        let (requests, inbox) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("decision-state-{}", origin.partition))
            .spawn(move || serve(connection, &inbox))
            .map_err(|source| StorageError::File { path: path.clone(), source })?;
        Ok((Self { requests, thread: Some(thread) }, position, fence))
    }

    /// Puts the changes in line to be saved; does not wait.
    pub fn save(&self, unsaved: Unsaved, position: Position, fence: Fence, forget_before: DateTime<Utc>) {
        let save = Save { unsaved, position, fence, forget_before };
        if self.requests.send(Request::Save(Box::new(save))).is_err() {
            tracing::error!("the decision state is not saved, because its thread has ended");
        }
    }

    pub fn load(&self, book: BookId) -> Result<Option<Hot>, Broken> {
        self.ask(|reply| Request::Load { book, reply })
    }

    pub fn answer(&self, book: BookId, key: Print) -> Result<Option<KeptAnswer>, Broken> {
        self.ask(|reply| Request::Answer { book, key, reply })
    }

    /// Where in the journal a commit stands.
    pub fn place(&self, book: BookId, version: u64) -> Result<Option<Position>, Broken> {
        self.ask(|reply| Request::Place { book, version, reply })
    }

    /// Forgets everything, so that it is replayed from the journal's start.
    pub fn wipe(&self) -> Result<(), Broken> {
        self.ask(|reply| Request::Wipe { reply })
    }

    fn ask<T>(&self, request: impl FnOnce(mpsc::Sender<Result<T, Broken>>) -> Request) -> Result<T, Broken> {
        let (reply, answer) = mpsc::channel();
        self.requests.send(request(reply)).map_err(|_| Broken)?;
        answer.recv().unwrap_or(Err(Broken))
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // The thread ends when the last sender is gone; it saves what is in line first.
        let (closed, _) = mpsc::channel();
        self.requests = closed;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the decision state's thread panicked");
        }
    }
}

fn serve(mut connection: Connection, inbox: &mpsc::Receiver<Request>) {
    // Saves that failed come first, in order, before anything later is saved or read.
    let mut failed: VecDeque<Box<Save>> = VecDeque::new();
    while let Ok(request) = inbox.recv() {
        while let Some(save) = failed.front() {
            if write(&mut connection, save).is_err() {
                break;
            }
            failed.pop_front();
        }
        match request {
            Request::Save(save) => {
                let outcome = if failed.is_empty() { write(&mut connection, &save) } else { Ok(()) };
                if let Err(error) = &outcome {
                    tracing::error!(%error, "the decision state could not be saved; it will be tried again");
                }
                if outcome.is_err() || !failed.is_empty() {
                    failed.push_back(save);
                }
            }
            Request::Load { book, reply } => {
                let loaded = if failed.is_empty() {
                    logged("load a book", load(&connection, book))
                } else {
                    Err(Broken)
                };
                let _ = reply.send(loaded);
            }
            Request::Answer { book, key, reply } => {
                let found = if failed.is_empty() {
                    logged("load an answer", load_answer(&connection, book, key))
                } else {
                    Err(Broken)
                };
                let _ = reply.send(found);
            }
            Request::Place { book, version, reply } => {
                let found = if failed.is_empty() {
                    logged("find a commit", load_place(&connection, book, version))
                } else {
                    Err(Broken)
                };
                let _ = reply.send(found);
            }
            Request::Wipe { reply } => {
                failed.clear();
                let _ = reply.send(logged("wipe the state", wipe(&mut connection)));
            }
        }
    }
}

fn logged<T>(attempted: &'static str, outcome: rusqlite::Result<T>) -> Result<T, Broken> {
    outcome.map_err(|error| {
        tracing::error!(attempted, %error, "the decision state cannot be used");
        Broken
    })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A crash of the machine may cost the last batches, which the journal still has, but never their order.
    connection.pragma_update(None, "synchronous", "normal")?;
    // Each checkpoint waits for the disk; 16 MiB of changes go into one.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The file and how far it goes, if it is sound and was made from this journal; else why not.
fn open_known(path: &Path, origin: &Origin<'_>) -> Result<(Connection, Position, Fence), String> {
    if !path.exists() {
        return Err("there is none".to_owned());
    }
    let connection = connect(path).map_err(|error| error.to_string())?;
    let sound: String = connection
        .query_row("pragma quick_check(1)", [], |row| row.get(0))
        .map_err(|error| error.to_string())?;
    if sound != "ok" {
        return Err(format!("it is damaged: {sound}"));
    }
    let found: (u32, u32, String, u32, u32) = connection
        .query_row("select state_version, rule, journal_id, partition, partitions from origin", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .map_err(|error| error.to_string())?;
    let wanted =
        (STATE_VERSION, ownership::RULE, origin.journal_id.to_owned(), origin.partition, origin.partitions);
    if found != wanted {
        return Err(format!("it is of {found:?}, not of {wanted:?}"));
    }
    let (position, fence) = read_place(&connection).map_err(|error| error.to_string())?;
    for table in TABLES {
        connection.prepare(&format!("select 1 from {table}")).map_err(|error| error.to_string())?;
    }
    Ok((connection, position, fence))
}

fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn create(connection: &Connection, origin: &Origin<'_>) -> rusqlite::Result<()> {
    let tx = connection.unchecked_transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.execute(
        "insert into origin (state_version, rule, journal_id, partition, partitions, position, fence)
         values (?1, ?2, ?3, ?4, ?5, 0, ?6)",
        params![
            STATE_VERSION,
            ownership::RULE,
            origin.journal_id,
            origin.partition,
            origin.partitions,
            json(&Fence::default())
        ],
    )?;
    tx.commit()
}

fn wipe(connection: &mut Connection) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    for table in TABLES {
        tx.execute(&format!("delete from {table}"), [])?;
    }
    tx.execute("update origin set position = 0, fence = ?1", [json(&Fence::default())])?;
    tx.commit()
}

fn read_place(connection: &Connection) -> rusqlite::Result<(Position, Fence)> {
    connection.query_row("select position, fence from origin", [], |row| {
        Ok((Position(row.get(0)?), parse(row.get_ref(1)?.as_str()?)?))
    })
}

fn write(connection: &mut Connection, save: &Save) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    let Unsaved { books, accounts, categories, entries, imports, answers, places, .. } = &save.unsaved;
    {
        let mut head = tx.prepare_cached(
            "insert into books (book, version, hash, recorded_at) values (?1, ?2, ?3, ?4)
             on conflict (book) do update set version = ?2, hash = ?3, recorded_at = ?4",
        )?;
        let mut settings = tx.prepare_cached(
            "update books set settings = ?2, settings_touches = ?3, created_at = ?4, members = ?5,
             member_touches = ?6, invitations = ?7, undos = ?8 where book = ?1",
        )?;
        for (book, row) in books {
            head.execute(params![
                book.as_bytes(),
                row.version,
                row.hash.0,
                row.recorded_at.timestamp_millis()
            ])?;
            if let Some(changed) = &row.settings {
                let created_at = changed.created_at.map(|at| at.timestamp_millis());
                settings.execute(params![
                    book.as_bytes(),
                    json(&changed.settings),
                    json(&changed.settings_touches),
                    created_at,
                    json(&changed.members),
                    json(&changed.member_touches),
                    json(&changed.invitations),
                    json(&changed.undos),
                ])?;
            }
        }
        let mut put = tx.prepare_cached(
            "insert or replace into accounts (book, account, withdrawn, state) values (?1, ?2, ?3, ?4)",
        )?;
        for ((book, id), Withdrawable { part, is_withdrawn }) in accounts {
            put.execute(params![book.as_bytes(), id.as_bytes(), is_withdrawn, json(part)])?;
        }
        let mut put = tx.prepare_cached(
            "insert or replace into categories (book, category, withdrawn, state) values (?1, ?2, ?3, ?4)",
        )?;
        for ((book, id), Withdrawable { part, is_withdrawn }) in categories {
            put.execute(params![book.as_bytes(), id.as_bytes(), is_withdrawn, json(part)])?;
        }
        let mut put =
            tx.prepare_cached("insert or replace into entries (book, entry, state) values (?1, ?2, ?3)")?;
        for ((book, id), kept) in entries {
            put.execute(params![book.as_bytes(), id.as_bytes(), json(kept)])?;
        }
        let mut put =
            tx.prepare_cached("insert or replace into imports (book, import, state) values (?1, ?2, ?3)")?;
        for ((book, id), import) in imports {
            put.execute(params![book.as_bytes(), id.as_bytes(), json(import)])?;
        }
        let mut put = tx.prepare_cached(
            "insert or replace into answers (book, key, fingerprint, answered_at, status, version, location, body)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for (book, key, KeptAnswer { fingerprint, answer, answered_at }) in answers {
            let Answer { status, version, location, body, .. } = answer;
            let at = answered_at.timestamp_millis();
            put.execute(params![book.as_bytes(), key.0, fingerprint.0, at, status, version, location, body])?;
        }
    }
    let mut put =
        tx.prepare_cached("insert or replace into places (book, version, position) values (?1, ?2, ?3)")?;
    for (book, version, position) in places {
        put.execute(params![book.as_bytes(), version, position.0])?;
    }
    drop(put);
    tx.execute("delete from answers where answered_at < ?1", [save.forget_before.timestamp_millis()])?;
    tx.execute("update origin set position = ?1, fence = ?2", params![save.position.0, json(&save.fence)])?;
    tx.commit()
}

fn load(connection: &Connection, id: BookId) -> rusqlite::Result<Option<Hot>> {
    let head = connection
        .prepare_cached(
            "select version, hash, recorded_at, settings, settings_touches, created_at, members, member_touches,
             invitations, undos from books where book = ?1",
        )?
        .query_row([id.as_bytes()], |row| {
            let recorded_at: i64 = row.get(2)?;
            let created_at: Option<i64> = row.get(5)?;
            let members: Vec<(UserId, Role)> = parse(row.get_ref(6)?.as_str()?)?;
            let member_touches: Vec<(UserId, Touches)> = parse(row.get_ref(7)?.as_str()?)?;
            let invitations: Vec<(InvitationId, Invitation)> = parse(row.get_ref(8)?.as_str()?)?;
            let undos: Vec<(u64, u64)> = parse(row.get_ref(9)?.as_str()?)?;
            let mut book = Book::default();
            book.version = row.get(0)?;
            book.settings = parse(row.get_ref(3)?.as_str()?)?;
            book.settings_touches = parse(row.get_ref(4)?.as_str()?)?;
            book.created_at = created_at.and_then(instant);
            book.members = members.into_iter().collect();
            book.member_touches = member_touches.into_iter().collect();
            book.invitations = invitations.into_iter().collect();
            book.undos = undos.into_iter().collect();
            let (hash, recorded_at) = (Hash(row.get(1)?), instant(recorded_at));
            Ok(Hot { version: book.version, hash, recorded_at, book, ..Hot::default() })
        })
        .optional()?;
    let Some(mut hot) = head else { return Ok(None) };
    let book = &mut hot.book;

    for (is_withdrawn, accounts) in [(false, &mut book.accounts), (true, &mut book.withdrawn_accounts)] {
        let rows = match is_withdrawn {
            false => "select account, state from accounts where book = ?1 and withdrawn = 0",
            true => "select account, state from accounts where book = ?1 and withdrawn = 1",
        };
        let found = parts::<Account>(connection, rows, id)?;
        accounts.extend(found.into_iter().map(|(account, state)| (AccountId::from_uuid(account), state)));
    }
    for (is_withdrawn, categories) in [(false, &mut book.categories), (true, &mut book.withdrawn_categories)]
    {
        let rows = match is_withdrawn {
            false => "select category, state from categories where book = ?1 and withdrawn = 0",
            true => "select category, state from categories where book = ?1 and withdrawn = 1",
        };
        let found = parts::<Category>(connection, rows, id)?;
        categories
            .extend(found.into_iter().map(|(category, state)| (CategoryId::from_uuid(category), state)));
    }
    let rows = "select import, state from imports where book = ?1";
    for (import, state) in parts::<Import>(connection, rows, id)? {
        book.imports.insert(ImportId::from_uuid(import), state);
    }
    for (_, kept) in parts::<KeptEntry>(connection, "select entry, state from entries where book = ?1", id)? {
        book.load_entry(kept);
    }
    let mut keys = connection.prepare_cached("select key from answers where book = ?1")?;
    hot.keys =
        keys.query_map([id.as_bytes()], |row| row.get(0).map(Print))?.collect::<Result<HashSet<_>, _>>()?;
    Ok(Some(hot))
}

fn parts<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    book: BookId,
) -> rusqlite::Result<Vec<(Uuid, T)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([book.as_bytes()], |row| {
        Ok((Uuid::from_bytes(row.get(0)?), parse(row.get_ref(1)?.as_str()?)?))
    })?;
    rows.collect()
}

fn load_place(connection: &Connection, book: BookId, version: u64) -> rusqlite::Result<Option<Position>> {
    connection
        .prepare_cached("select position from places where book = ?1 and version = ?2")?
        .query_row(params![book.as_bytes(), version], |row| row.get(0).map(Position))
        .optional()
}

fn load_answer(connection: &Connection, book: BookId, key: Print) -> rusqlite::Result<Option<KeptAnswer>> {
    connection
        .prepare_cached(
            "select fingerprint, answered_at, status, version, location, body from answers where book = ?1 and key = ?2",
        )?
        .query_row(params![book.as_bytes(), key.0], |row| {
            let answer = Answer {
                status: row.get(2)?,
                version: row.get(3)?,
                location: row.get(4)?,
                body: row.get(5)?,
                replayed: false,
            };
            let answered_at = instant(row.get(1)?).unwrap_or_default();
            Ok(KeptAnswer { fingerprint: Print(row.get(0)?), answer, answered_at })
        })
        .optional()
}

fn instant(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value)
        .expect("the state is made of strings, numbers, lists and maps keyed by strings")
}

fn parse<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
