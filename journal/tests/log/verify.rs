//! The auditor's check of a journal: what is whole passes, and whatever is done to the file shows.

use std::{
    fs,
    ops::Range,
    sync::{Arc, LazyLock},
};

use domain::{Event, id::BookId};
use journal::{
    Journal, Position, partition_of,
    record::Record,
    sqlite::SqliteJournal,
    verify::{Fault, Verified, VerifyError, verify_journal},
};
use proptest::{prelude::*, test_runner::Config};
use rusqlite::{Connection, params};

use crate::{
    commit_reader::keys,
    contract::Backend,
    names::id,
    sqlite::Sqlite,
    writing::{Scribe, append},
};

const PARTITIONS: u32 = 2;
pub const BOOKS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
const COMMITS: usize = 200;

pub struct Row {
    pub position: u64,
    pub record: Record,
    pub bytes: Vec<u8>,
}

/// A journal of a few books, some owners and some zombies, closed and whole in one file.
pub struct Sample {
    file: Vec<u8>,
    pub rows: Vec<Vec<Row>>,
    pub verified: Verified,
}

pub static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(PARTITIONS), keys, "owner");
    let mut ignored = 0;
    for n in 0..COMMITS {
        let book: BookId = id(BOOKS[n * 7 % 13 % BOOKS.len()]);
        let partition = partition_of(book, PARTITIONS);
        let events = if n < 5 { crate::events::one_of_each("x") } else { short_event(n) };
        scribe.write(book, events);
        if n % 45 == 44 {
            // A former owner's last commit, too late.
            let (_, late) = scribe.left_behind().next(book, short_event(n));
            scribe.take(partition);
            append(scribe.journal.as_ref(), partition, vec![late.encode()]).unwrap();
            ignored += 1;
        }
    }
    let rows = (0..PARTITIONS).map(|partition| rows_of(scribe.journal.as_ref(), partition)).collect();
    let verified = verify_journal(scribe.journal.as_ref(), None, &mut |_| {}).unwrap();
    assert_eq!((verified.commits, verified.ignored), (COMMITS as u64, ignored));
    drop(scribe);
    backend.tamper().pragma_update(None, "wal_checkpoint", "truncate").unwrap();
    Sample { file: fs::read(backend.path()).unwrap(), rows, verified }
});

fn short_event(n: usize) -> Vec<Event> {
    vec![Event::ImportStarted {
        import: id("import"),
        file_name: domain::text::Text::known(format!("{n}.csv")),
        lines: n as u64,
    }]
}

fn rows_of(journal: &dyn Journal, partition: u32) -> Vec<Row> {
    let mut reader = journal.read(partition, Position::START).unwrap();
    let batch = reader.next(std::time::Duration::ZERO).unwrap();
    assert!(batch.caught_up);
    let row = |stored: journal::Stored| Row {
        position: stored.position.0,
        record: Record::decode(&stored.bytes).unwrap(),
        bytes: stored.bytes,
    };
    batch.records.into_iter().map(row).collect()
}

impl Sample {
    /// A copy of the file to do something to.
    pub fn copy(&self) -> Sqlite {
        let backend = Sqlite::create();
        fs::write(backend.path(), &self.file).unwrap();
        backend
    }

    fn head(&self, partition: u32) -> u64 {
        self.rows[partition as usize].len() as u64
    }

    /// Places worth tampering with: the first claim and commit, a later claim, what stands around it, the
    /// middle, each book's last commit, and the last record.
    fn places(&self) -> Vec<(u32, u64)> {
        let mut places = Vec::new();
        for (partition, rows) in (0..).zip(&self.rows) {
            let claims: Vec<_> = rows
                .iter()
                .filter(|row| matches!(row.record, Record::Claim(_)))
                .map(|row| row.position)
                .collect();
            let later = claims[1];
            let head = rows.len() as u64;
            places.extend([1, 2, later - 1, later, later + 1, head / 2, head].map(|at| (partition, at)));
            for name in BOOKS {
                let book = id(name);
                let last = rows
                    .iter()
                    .filter(|row| matches!(&row.record, Record::Commit(commit) if commit.book == book))
                    .map(|row| row.position)
                    .max();
                places.extend(last.map(|at| (partition, at)));
            }
        }
        places.sort();
        places.dedup();
        places
    }
}

fn verify(backend: &Sqlite) -> Result<Verified, VerifyError> {
    let journal = SqliteJournal::open_read_only(&backend.path()).unwrap();
    verify_journal(&journal, None, &mut |_| {})
}

/// Tampers with a copy; the place that the audit names, and why.
#[track_caller]
fn fault_after(what: &str, tamper: impl FnOnce(&Connection)) -> Fault {
    let backend = SAMPLE.copy();
    tamper(&backend.tamper());
    match verify(&backend) {
        Err(VerifyError::Fault(fault)) => fault,
        other => panic!("{what}: {other:?}"),
    }
}

#[track_caller]
fn check(what: &str, expected: (u32, Range<u64>), tamper: impl FnOnce(&Connection)) {
    let (partition, expected) = expected;
    let fault = fault_after(what, tamper);
    let is_named = expected
        .into_iter()
        .any(|position| fault.place == format!("partition {partition}, record {position}"));
    assert!(is_named, "{what}: {fault}");
}

fn at(partition: u32, position: u64) -> (u32, Range<u64>) {
    (partition, position..position + 1)
}

#[test]
fn a_whole_journal_passes_and_is_counted() {
    let verified = verify(&SAMPLE.copy()).unwrap();
    assert_eq!(verified, SAMPLE.verified);
    assert_eq!(verified.books, BOOKS.len() as u64);
    assert!(SAMPLE.rows.iter().all(|rows| rows.len() > 50), "both partitions are in use");
    assert!(verified.ignored > 0 && verified.events > verified.commits);
}

#[test]
fn an_empty_journal_passes() {
    let backend = Sqlite::create();
    drop(backend.open(PARTITIONS));
    assert_eq!(verify(&backend).unwrap(), Verified::default());
}

#[test]
fn one_book_can_be_checked_alone() {
    let backend = SAMPLE.copy();
    let journal = backend.open(PARTITIONS);
    let mut commits = 0;
    for name in BOOKS {
        let verified = verify_journal(journal.as_ref(), Some(id(name)), &mut |_| {}).unwrap();
        assert_eq!(verified.books, 1);
        commits += verified.commits;
    }
    assert_eq!(commits, COMMITS as u64);
    let unknown = verify_journal(journal.as_ref(), Some(id("none")), &mut |_| {});
    assert!(matches!(unknown, Err(VerifyError::UnknownBook(_))), "{unknown:?}");
}

#[test]
fn progress_reaches_the_number_of_records() {
    let backend = SAMPLE.copy();
    let journal = backend.open(PARTITIONS);
    let mut told = Vec::new();
    verify_journal(journal.as_ref(), None, &mut |records| told.push(records)).unwrap();
    assert!(told.is_sorted());
    assert_eq!(told.last(), Some(&SAMPLE.verified.records));
}

#[test]
fn one_changed_byte_anywhere_in_a_record_is_found_and_named() {
    for (partition, position) in SAMPLE.places() {
        let bytes = &SAMPLE.rows[partition as usize][position as usize - 1].bytes;
        // A step that is no multiple of anything meets all fields over the places.
        let step = bytes.len() / 11 + 1;
        for index in (position as usize % step..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[index] = if changed[index] == b'1' { b'2' } else { b'1' };
            let text = String::from_utf8_lossy(&changed);
            check(&format!("byte {index} of {position}"), at(partition, position), |file| {
                set(file, partition, position, "record", &text);
            });
        }
    }
}

fn set(file: &Connection, partition: u32, position: u64, column: &str, value: &dyn rusqlite::ToSql) {
    let sql = format!("update journal_{partition} set {column} = ?1 where position = ?2");
    assert_eq!(file.execute(&sql, params![value, position]).unwrap(), 1);
}

#[test]
fn a_respelled_record_is_found_though_it_says_the_same() {
    check("a space", at(0, 2), |file| {
        file.execute("update journal_0 set record = record || ' ' where position = 2", []).unwrap();
    });
}

#[test]
fn a_changed_digest_or_chain_is_found_and_named() {
    for (partition, position) in SAMPLE.places() {
        for column in ["digest", "chain"] {
            check(&format!("{column} of {position}"), at(partition, position), |file| {
                set(file, partition, position, column, &[7u8; 32]);
            });
            check(&format!("short {column} of {position}"), at(partition, position), |file| {
                set(file, partition, position, column, &[7u8; 31]);
            });
        }
    }
}

#[test]
fn a_dropped_record_is_found_and_named() {
    for (partition, position) in SAMPLE.places() {
        check(&format!("{position} dropped"), at(partition, position), |file| {
            drop_record(file, partition, position);
        });
    }
}

fn drop_record(file: &Connection, partition: u32, position: u64) {
    let sql = format!("delete from journal_{partition} where position = ?1");
    assert_eq!(file.execute(&sql, [position]).unwrap(), 1);
}

/// Moves what stands after a position by some places.
fn shift(file: &Connection, partition: u32, after: u64, by: i64) {
    // By way of the negative numbers, since two rows never have one position.
    file.execute(
        &format!("update journal_{partition} set position = -(position + ?2) where position > ?1"),
        params![after, by],
    )
    .unwrap();
    file.execute(&format!("update journal_{partition} set position = -position where position < 0"), [])
        .unwrap();
}

fn set_head(file: &Connection, partition: u32, position: u64) {
    file.execute("update heads set position = ?2 where partition = ?1", params![partition, position])
        .unwrap();
}

#[test]
fn a_dropped_record_is_found_after_the_others_were_renumbered() {
    for (partition, position) in SAMPLE.places() {
        check(&format!("{position} dropped"), at(partition, position), |file| {
            drop_record(file, partition, position);
            shift(file, partition, position, -1);
        });
    }
}

#[test]
fn a_dropped_record_is_found_after_the_others_were_renumbered_and_counted_anew() {
    for (partition, position) in SAMPLE.places() {
        // Of the last record the head alone still knows: the one before it is named.
        let last_kept = SAMPLE.head(partition) - 1;
        check(&format!("{position} dropped"), at(partition, position.min(last_kept)), |file| {
            drop_record(file, partition, position);
            shift(file, partition, position, -1);
            set_head(file, partition, last_kept);
        });
    }
}

#[test]
fn a_cut_off_tail_is_found() {
    for kept in [0, 1, SAMPLE.head(0) / 2] {
        let first_missing = kept + 1;
        check("a tail", at(0, first_missing), |file| {
            file.execute("delete from journal_0 where position > ?1", [kept]).unwrap();
        });
        fault_after("a tail, counted anew", |file| {
            file.execute("delete from journal_0 where position > ?1", [kept]).unwrap();
            set_head(file, 0, kept);
        });
    }
}

/// Swaps what two places hold.
fn swap(file: &Connection, partition: u32, one: u64, other: u64, columns: &str) {
    let held: Vec<(Vec<u8>, Vec<u8>, String)> = [one, other]
        .iter()
        .map(|position| {
            file.query_row(
                &format!("select digest, chain, record from journal_{partition} where position = ?1"),
                [position],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .unwrap()
        })
        .collect();
    for (position, (digest, chain, record)) in [(one, &held[1]), (other, &held[0])] {
        if columns.contains("digest") {
            set(file, partition, position, "digest", digest);
        }
        if columns.contains("chain") {
            set(file, partition, position, "chain", chain);
        }
        if columns.contains("record") {
            set(file, partition, position, "record", record);
        }
    }
}

#[test]
fn two_swapped_records_are_found_and_the_first_is_named() {
    for (partition, position) in SAMPLE.places() {
        let head = SAMPLE.head(partition);
        for other in [position % head + 1, (position + head / 3) % head + 1, head] {
            if other == position {
                continue;
            }
            for columns in ["record", "digest", "digest record", "digest chain record"] {
                let expected = at(partition, position.min(other));
                check(&format!("{columns} of {position} and {other} swapped"), expected, |file| {
                    swap(file, partition, position, other, columns);
                });
            }
        }
    }
}

#[test]
fn a_repeated_record_is_found() {
    for (partition, position) in SAMPLE.places() {
        let head = SAMPLE.head(partition);
        let copy = |file: &Connection, to: u64| {
            file.execute(
                &format!(
                    "insert into journal_{partition} select ?2, digest, chain, record from journal_{partition} where position = ?1"
                ),
                [position, to],
            )
            .unwrap();
        };
        check(&format!("{position} again at the end"), at(partition, head + 1), |file| copy(file, head + 1));
        check(&format!("{position} again at the end, counted"), at(partition, head + 1), |file| {
            copy(file, head + 1);
            set_head(file, partition, head + 1);
        });
        check(&format!("{position} again at once, counted"), at(partition, position + 1), |file| {
            shift(file, partition, position, 1);
            copy(file, position + 1);
            set_head(file, partition, head + 1);
        });
    }
}

#[test]
fn a_changed_head_is_found() {
    for partition in 0..PARTITIONS {
        let head = SAMPLE.head(partition);
        for wrong in [0, 1, head - 1, head + 1, head + 1_000] {
            let expected = if wrong > head { head + 1..wrong + 1 } else { head..head + 1 };
            check(&format!("head {wrong}"), (partition, expected), |file| set_head(file, partition, wrong));
            // The process that writes the journal finds it as well.
            let backend = SAMPLE.copy();
            set_head(&backend.tamper(), partition, wrong);
            let outcome = verify_journal(backend.open(PARTITIONS).as_ref(), None, &mut |_| {});
            assert!(matches!(outcome, Err(VerifyError::Fault(_))), "head {wrong}: {outcome:?}");
        }
        check("the head's chain", at(partition, head), |file| {
            file.execute("update heads set chain = zeroblob(32) where partition = ?1", [partition]).unwrap();
        });
    }
    fault_after("heads swapped", |file| {
        file.execute_batch("update heads set partition = -1 where partition = 0; update heads set partition = 0 where partition = 1; update heads set partition = 1 where partition = -1").unwrap();
    });
}

#[test]
fn a_partition_whose_head_is_gone_is_found_and_not_written_to() {
    let backend = SAMPLE.copy();
    backend.tamper().execute("delete from heads where partition = 0", []).unwrap();
    let journal = SqliteJournal::open_read_only(&backend.path()).unwrap();
    let outcome = verify_journal(&journal, None, &mut |_| {});
    assert!(
        matches!(&outcome, Err(VerifyError::Fault(fault)) if fault.place.starts_with("partition 0")),
        "{outcome:?}"
    );
    let refusal = backend.try_open(PARTITIONS).err().unwrap();
    assert!(refusal.contains("partition 0"), "{refusal}");
}

#[test]
fn a_record_moved_to_another_partition_is_found() {
    let (from, to) = (SAMPLE.head(0), SAMPLE.head(1));
    check("moved", (1, to + 1..to + 2), |file| {
        file.execute(
            "insert into journal_1 select ?2, digest, chain, record from journal_0 where position = ?1",
            [from, to + 1],
        )
        .unwrap();
        file.execute(
            "update heads set position = ?1, chain = (select chain from journal_0 where position = ?2) where partition = 1",
            [to + 1, from],
        )
        .unwrap();
    });
}

#[test]
fn an_added_record_is_found() {
    let Record::Commit(last) = &SAMPLE.rows[0].last().unwrap().record else { panic!("no commit") };
    let mut forged = last.as_ref().clone();
    forged.seq += 1;
    let record = forged.encode();
    let head = SAMPLE.head(0) + 1;
    check("a forged record", at(0, head), |file| {
        file.execute(
            "insert into journal_0 values (?1, ?2, zeroblob(32), ?3)",
            params![head, record.digest.0, std::str::from_utf8(&record.bytes).unwrap()],
        )
        .unwrap();
        set_head(file, 0, head);
    });
}

#[test]
fn a_fault_reads_as_a_sentence() {
    let fault = fault_after("a digest", |file| set(file, 0, 2, "record", &"{}"));
    let sentence = fault.to_string();
    assert!(sentence.starts_with("partition 0, record 2: "), "{sentence}");
}

proptest! {
    #![proptest_config(Config { cases: 300, failure_persistence: None, ..Config::default() })]

    /// Whoever edits the file itself, past SQLite: either it shows or it has touched no record.
    #[test]
    fn a_byte_changed_in_the_file_shows_or_touches_no_record(offset in any::<prop::sample::Index>(), mask in 1u8..) {
        let backend = SAMPLE.copy();
        let mut file = SAMPLE.file.clone();
        let offset = offset.index(file.len());
        file[offset] ^= mask;
        fs::write(backend.path(), &file).unwrap();
        let Ok(journal) = SqliteJournal::open_read_only(&backend.path()) else { return Ok(()) };
        let outcome = verify_journal(&journal, None, &mut |_| {});
        if outcome.is_ok() {
            for (partition, rows) in (0..).zip(&SAMPLE.rows) {
                let found = rows_of(&journal, partition);
                prop_assert_eq!(found.len(), rows.len(), "offset {}", offset);
                for (row, found) in rows.iter().zip(&found) {
                    prop_assert_eq!(&row.bytes, &found.bytes, "offset {}", offset);
                }
            }
        }
    }
}

#[test]
fn the_journal_can_be_checked_while_it_is_written() {
    let backend = SAMPLE.copy();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(PARTITIONS), keys, "writer");
    let reading = Arc::new(SqliteJournal::open_read_only(&backend.path()).unwrap());
    std::thread::scope(|scope| {
        let checks: Vec<_> = (0..2)
            .map(|_| {
                let journal = Arc::clone(&reading);
                scope.spawn(move || {
                    for _ in 0..3 {
                        verify_journal(journal.as_ref(), None, &mut |_| {}).unwrap();
                    }
                })
            })
            .collect();
        while checks.iter().any(|check| !check.is_finished()) {
            scribe.write(id("a new book"), short_event(1));
        }
    });
    let verified = verify_journal(scribe.journal.as_ref(), None, &mut |_| {}).unwrap();
    assert_eq!(verified.books, BOOKS.len() as u64 + 1);
}
