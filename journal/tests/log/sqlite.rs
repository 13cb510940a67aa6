//! The embedded journal keeps the contract; and what is its alone.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use journal::{
    AppendError, Journal, Position, ReadError,
    sqlite::{OpenError, SqliteJournal},
};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    contract::{Backend, contract_suite},
    writing::{append, claim},
};

pub struct Sqlite {
    directory: TempDir,
}

impl Sqlite {
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("journal.sqlite")
    }

    /// A connection past the journal, as somebody who tampers with the file would have.
    pub fn tamper(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

impl Backend for Sqlite {
    fn create() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn try_open(&self, partitions: u32) -> Result<Arc<dyn Journal>, String> {
        SqliteJournal::open(&self.path(), partitions, || Uuid::new_v4().to_string())
            .map(|journal| Arc::new(journal) as Arc<dyn Journal>)
            .map_err(|error| error.to_string())
    }
}

contract_suite!(Sqlite);

#[test]
fn a_journal_opened_for_reading_sees_what_a_writer_adds_and_refuses_to_add() {
    let backend = Sqlite::create();
    let writer = backend.open(2);
    let journal = SqliteJournal::open_read_only(&backend.path()).unwrap();
    assert_eq!((journal.id(), journal.partitions()), (writer.id(), 2));
    assert_eq!(journal.head(0), None);
    assert!(matches!(append(&journal, 0, vec![claim(1, "a")]), Err(AppendError::NotWritten(_))));

    let mut reader = journal.read(0, Position::START).unwrap();
    append(writer.as_ref(), 0, vec![claim(1, "a"), claim(2, "b")]).unwrap();
    let batch = reader.next(Duration::ZERO).unwrap();
    assert_eq!((batch.records.len(), batch.caught_up), (2, true));
}

#[test]
fn a_reader_beside_the_writers_process_waits_and_wakes_too() {
    let backend = Sqlite::create();
    let writer = backend.open(1);
    let journal = SqliteJournal::open_read_only(&backend.path()).unwrap();
    thread::scope(|scope| {
        let mut reader = journal.read(0, Position::START).unwrap();
        let (sender, read) = mpsc::channel();
        scope.spawn(move || {
            for _ in 0..5 {
                sender.send(reader.next(Duration::from_secs(60)).unwrap().records.len()).unwrap();
            }
        });
        for epoch in 1..=5 {
            append(writer.as_ref(), 0, vec![claim(epoch, "a")]).unwrap();
            assert_eq!(read.recv().unwrap(), 1);
        }
    });
}

#[test]
fn reading_where_there_is_no_journal_makes_none() {
    let backend = Sqlite::create();
    let missing = SqliteJournal::open_read_only(&backend.path());
    assert!(matches!(missing, Err(OpenError::Missing { .. })));
    assert!(!backend.path().exists());
}

#[test]
fn a_later_layout_is_refused() {
    let backend = Sqlite::create();
    drop(backend.open(1));
    backend.tamper().execute("update journal set layout = layout + 1", []).unwrap();
    let refusal = backend.try_open(1).err().unwrap();
    assert!(refusal.contains("layout"), "{refusal}");
}

#[test]
fn more_partitions_than_are_sensible_are_refused() {
    let backend = Sqlite::create();
    let refusal = backend.try_open(257).err().unwrap();
    assert!(refusal.contains("choose 1 to 256"), "{refusal}");
    assert!(!backend.path().exists());
}

#[test]
fn the_file_is_in_wal_mode() {
    let backend = Sqlite::create();
    drop(backend.open(1));
    let mode: String = backend.tamper().query_row("pragma journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn after_a_failed_group_the_appends_queued_behind_it_are_refused_as_well() {
    let backend = Sqlite::create();
    let journal = backend.open(2);
    append(journal.as_ref(), 0, vec![claim(1, "a")]).unwrap();
    backend.tamper().execute_batch("drop table journal_1").unwrap();

    // Holds the writer until everything is queued.
    let (go, gate) = mpsc::channel::<()>();
    journal.append(0, vec![claim(2, "a")], Box::new(move |_| gate.recv().unwrap()));
    let (sender, answers) = mpsc::channel();
    // More than one group: the first fails, and what follows it would leave a gap in the owner's numbers.
    for (partition, count) in [(1, 5_000), (0, 1), (0, 1)] {
        let sender = sender.clone();
        let records = (0..count).map(|n| claim(3 + n, "a")).collect();
        journal.append(partition, records, Box::new(move |outcome| sender.send(outcome).unwrap()));
    }
    drop(sender);
    go.send(()).unwrap();
    let outcomes: Vec<_> = answers.iter().collect();
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert!(matches!(outcome, Err(AppendError::NotWritten(_))), "{outcome:?}");
    }

    // What is handed in knowing of the failure is taken.
    append(journal.as_ref(), 0, vec![claim(3, "a")]).unwrap();
    assert_eq!(journal.head(0), Some(Position(3)));
}

#[test]
fn the_last_holder_may_let_go_on_the_journals_own_thread() {
    let backend = Sqlite::create();
    let journal = backend.open(1);
    let (sender, answer) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let held = Arc::clone(&journal);
    let done = Box::new(move |outcome: Result<_, AppendError>| {
        gate.recv().unwrap();
        drop(held);
        sender.send(outcome.is_ok()).unwrap();
    });
    journal.append(0, vec![claim(1, "a")], done);
    let (queued, last) = mpsc::channel();
    journal.append(0, vec![claim(2, "a")], Box::new(move |outcome| queued.send(outcome.is_ok()).unwrap()));
    drop(journal);
    go.send(()).unwrap();
    assert_eq!(answer.recv(), Ok(true));
    assert_eq!(last.recv(), Ok(true), "what was queued is written all the same");
}

#[test]
fn a_record_that_cannot_be_stored_names_its_place_when_read() {
    let backend = Sqlite::create();
    append(backend.open(1).as_ref(), 0, vec![claim(1, "a"), claim(2, "b")]).unwrap();
    backend.tamper().execute("update journal_0 set digest = x'00' where position = 2", []).unwrap();
    let journal = backend.open(1);
    let error = journal.read(0, Position::START).unwrap().next(Duration::ZERO).unwrap_err();
    assert!(matches!(error, ReadError::Damaged { position: Position(2), .. }), "{error}");
}
