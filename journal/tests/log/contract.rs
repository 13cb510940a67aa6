//! What every backend of the journal owes. `contract_suite!` puts the whole of it under one backend.

use std::{
    collections::HashSet,
    sync::{Arc, Barrier, mpsc},
    thread,
    time::{Duration, Instant},
};

use journal::{AppendError, Appended, Hash, Journal, NewRecord, Position, Reader, Stored};

use crate::writing::append;

/// Long enough that a test which has to wait for it has failed.
const FOREVER: Duration = Duration::from_secs(60);

/// Where one journal is kept. Opening it again, once nobody holds it any more, is a restart.
pub trait Backend {
    fn create() -> Self;

    /// Opens the journal with this many partitions; what is refused says so in a sentence.
    fn try_open(&self, partitions: u32) -> Result<Arc<dyn Journal>, String>;

    fn open(&self, partitions: u32) -> Arc<dyn Journal> {
        self.try_open(partitions).unwrap_or_else(|refusal| panic!("{refusal}"))
    }
}

macro_rules! contract_suite {
    ($backend:ty: $($name:ident)*) => {
        $(#[test]
        fn $name() {
            $crate::contract::$name::<$backend>();
        })*
    };
    ($backend:ty) => {
        $crate::contract::contract_suite! { $backend:
            records_keep_the_order_of_the_calls
            an_append_is_written_whole_or_not_at_all
            overlapping_appends_are_answered_in_order
            positions_are_contiguous_from_one
            reading_starts_after_any_position
            reading_beyond_the_end_is_refused
            the_end_of_a_partition_is_told
            a_long_partition_is_read_in_batches_and_only_the_last_is_caught_up
            a_wait_at_the_end_ends_empty_handed
            a_waiting_reader_wakes_on_an_append
            bytes_and_digests_are_kept_as_written
            the_head_is_the_last_durable_position
            everything_is_there_after_a_restart
            the_id_stays_and_tells_journals_apart
            partitions_do_not_see_each_other
            the_number_of_partitions_is_fixed_for_life
            an_unknown_partition_is_refused
            closing_writes_what_is_queued
            concurrent_appends_lose_nothing
        }
    };
}
pub(crate) use contract_suite;

/// Not a record anybody would judge: a backend does not look inside.
fn record(text: &str) -> NewRecord {
    let bytes = serde_json::to_vec(text).unwrap();
    let digest = Hash::of_claim(&bytes);
    NewRecord { bytes, digest }
}

fn records(names: impl IntoIterator<Item = String>) -> Vec<NewRecord> {
    names.into_iter().map(|name| record(&name)).collect()
}

fn text_of(stored: &Stored) -> String {
    serde_json::from_slice(&stored.bytes).unwrap()
}

/// What stands in the partition after this position.
fn read_after(journal: &dyn Journal, partition: u32, after: Position) -> Vec<Stored> {
    read_to_end(journal.read(partition, after).unwrap().as_mut())
}

fn read_to_end(reader: &mut dyn Reader) -> Vec<Stored> {
    let mut all = Vec::new();
    loop {
        let batch = reader.next(Duration::ZERO).unwrap();
        all.extend(batch.records);
        if batch.caught_up {
            return all;
        }
    }
}

fn texts(journal: &dyn Journal, partition: u32) -> Vec<String> {
    read_after(journal, partition, Position::START).iter().map(text_of).collect()
}

pub fn records_keep_the_order_of_the_calls<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(2);
    for call in 0..20 {
        append(journal.as_ref(), 0, records((0..3).map(|n| format!("{call}.{n}")))).unwrap();
    }
    let expected: Vec<_> = (0..20).flat_map(|call| (0..3).map(move |n| format!("{call}.{n}"))).collect();
    assert_eq!(texts(journal.as_ref(), 0), expected);
}

pub fn an_append_is_written_whole_or_not_at_all<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    append(journal.as_ref(), 0, vec![record("before")]).unwrap();
    let broken = NewRecord { bytes: vec![b'"', 0xff, b'"'], digest: Hash::ZERO };
    // The neighbours are in flight with the refused one: it must not take them down with it.
    let (sender, answers) = mpsc::channel();
    for append in [vec![record("left")], vec![record("half"), broken], vec![record("right")]] {
        let sender = sender.clone();
        journal.append(0, append, Box::new(move |outcome| sender.send(outcome.is_ok()).unwrap()));
    }
    drop(sender);
    assert_eq!(answers.iter().filter(|is_written| *is_written).count(), 2);
    assert_eq!(texts(journal.as_ref(), 0), ["before", "left", "right"]);
}

pub fn overlapping_appends_are_answered_in_order<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    let (sender, answers) = mpsc::channel();
    for call in 0..500u64 {
        let sender = sender.clone();
        let done = Box::new(move |outcome: Result<Appended, AppendError>| {
            sender.send((call, outcome.unwrap())).unwrap();
        });
        journal.append(0, records([format!("{call} a"), format!("{call} b")]), done);
    }
    drop(sender);
    let answered: Vec<_> = answers.iter().collect();
    let expected: Vec<_> = (0..500)
        .map(|call| (call, Appended { first: Position(2 * call + 1), last: Position(2 * call + 2) }))
        .collect();
    assert_eq!(answered, expected);
    let expected: Vec<_> = (0..500).flat_map(|call| [format!("{call} a"), format!("{call} b")]).collect();
    assert_eq!(texts(journal.as_ref(), 0), expected);
}

pub fn positions_are_contiguous_from_one<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    let first = append(journal.as_ref(), 0, records(["a".into(), "b".into(), "c".into()])).unwrap();
    assert_eq!(first, Appended { first: Position(1), last: Position(3) });
    let second = append(journal.as_ref(), 0, vec![record("d")]).unwrap();
    assert_eq!(second, Appended { first: Position(4), last: Position(4) });
    let positions: Vec<_> = read_after(journal.as_ref(), 0, Position::START)
        .into_iter()
        .map(|stored| stored.position.0)
        .collect();
    assert_eq!(positions, [1, 2, 3, 4]);
}

pub fn reading_starts_after_any_position<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    append(journal.as_ref(), 0, records((1..=10).map(|n| n.to_string()))).unwrap();
    for after in 0..=10u64 {
        let read: Vec<_> =
            read_after(journal.as_ref(), 0, Position(after)).iter().map(|stored| stored.position.0).collect();
        assert_eq!(read, (after + 1..=10).collect::<Vec<_>>());
    }
}

/// Whoever has read further than the journal reaches has read another one.
pub fn reading_beyond_the_end_is_refused<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    append(journal.as_ref(), 0, records(["a".into(), "b".into()])).unwrap();
    let refused = journal.read(0, Position(3)).and_then(|mut reader| reader.next(Duration::ZERO));
    assert!(refused.is_err(), "{refused:?}");
}

pub fn the_end_of_a_partition_is_told<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    let mut reader = journal.read(0, Position::START).unwrap();
    let batch = reader.next(Duration::ZERO).unwrap();
    assert!(batch.records.is_empty() && batch.caught_up, "an empty partition ends at once: {batch:?}");

    append(journal.as_ref(), 0, records(["a".into(), "b".into()])).unwrap();
    assert_eq!(read_to_end(reader.as_mut()).len(), 2);
    let batch = reader.next(Duration::ZERO).unwrap();
    assert!(batch.records.is_empty() && batch.caught_up, "{batch:?}");
}

pub fn a_long_partition_is_read_in_batches_and_only_the_last_is_caught_up<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    for call in 0..10 {
        append(journal.as_ref(), 0, records((0..700).map(|n| format!("{}", call * 700 + n)))).unwrap();
    }
    let mut reader = journal.read(0, Position::START).unwrap();
    let (mut read, mut batches) = (0, 0);
    loop {
        let batch = reader.next(Duration::ZERO).unwrap();
        for stored in &batch.records {
            assert_eq!(text_of(stored), read.to_string());
            read += 1;
        }
        batches += 1;
        assert_eq!(batch.caught_up, read == 7_000, "after {read} records");
        if batch.caught_up {
            break;
        }
    }
    assert!(batches > 1, "7,000 records came at once");
}

pub fn a_wait_at_the_end_ends_empty_handed<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(1);
    append(journal.as_ref(), 0, vec![record("a")]).unwrap();
    let mut reader = journal.read(0, Position(1)).unwrap();
    let started_at = Instant::now();
    let batch = reader.next(Duration::from_millis(30)).unwrap();
    assert!(batch.records.is_empty() && batch.caught_up, "{batch:?}");
    assert!(started_at.elapsed() >= Duration::from_millis(30), "it did not wait");
}

pub fn a_waiting_reader_wakes_on_an_append<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(2);
    let started_at = Instant::now();
    thread::scope(|scope| {
        let mut reader = journal.read(1, Position::START).unwrap();
        let (sender, read) = mpsc::channel();
        scope.spawn(move || {
            for _ in 0..50 {
                let batch = reader.next(FOREVER).unwrap();
                sender.send(batch.records.iter().map(text_of).collect::<Vec<_>>()).unwrap();
            }
        });
        for n in 0..50 {
            // Another partition's records must neither be seen nor end the wait.
            append(journal.as_ref(), 0, vec![record("elsewhere")]).unwrap();
            append(journal.as_ref(), 1, vec![record(&n.to_string())]).unwrap();
            assert_eq!(read.recv().unwrap(), [n.to_string()]);
        }
    });
    assert!(started_at.elapsed() < FOREVER, "a wait ran out");
}

pub fn bytes_and_digests_are_kept_as_written<B: Backend>() {
    let backend = B::create();
    let texts = [
        "",
        "{}",
        "{ \"spelled\" :\t1.50e+3 ,\n\"and\":\"\\u00e4 ä \u{1f4b6} e\u{301}\" }\r\n",
        "quote ' and \" and ; -- and \\0 \u{0}",
        "'); drop table journal_0; --",
    ];
    let mut written: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| NewRecord { bytes: text.as_bytes().to_vec(), digest: Hash([n as u8 + 0xf0; 32]) })
        .collect();
    // A commit of a large import.
    written.push(NewRecord { bytes: "ß".repeat(1 << 20).into_bytes(), digest: Hash::ZERO });
    {
        let journal = backend.open(1);
        append(journal.as_ref(), 0, written.clone()).unwrap();
    }
    let journal = backend.open(1);
    let read: Vec<_> = read_after(journal.as_ref(), 0, Position::START)
        .into_iter()
        .map(|stored| NewRecord { bytes: stored.bytes, digest: stored.digest })
        .collect();
    assert!(read == written, "what was read is not what was written");
}

pub fn the_head_is_the_last_durable_position<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(2);
    assert_eq!(journal.head(0), Some(Position::START));
    append(journal.as_ref(), 0, records(["a".into(), "b".into()])).unwrap();
    assert_eq!(journal.head(0), Some(Position(2)));
    assert_eq!(journal.head(1), Some(Position::START));
    assert_eq!(journal.head(2), None);

    // Whoever is answered finds the head there already.
    let (sender, answer) = mpsc::channel();
    let known = Arc::downgrade(&journal);
    let done = Box::new(move |outcome: Result<Appended, AppendError>| {
        let head = known.upgrade().unwrap().head(1);
        sender.send((outcome.unwrap().last, head)).unwrap();
    });
    journal.append(1, vec![record("c")], done);
    assert_eq!(answer.recv().unwrap(), (Position(1), Some(Position(1))));
}

pub fn everything_is_there_after_a_restart<B: Backend>() {
    let backend = B::create();
    let mut expected = Vec::new();
    for run in 0..3 {
        let journal = backend.open(2);
        assert_eq!(texts(journal.as_ref(), 1), expected);
        assert_eq!(journal.head(1), Some(Position(expected.len() as u64)));
        let names: Vec<_> = (0..5).map(|n| format!("{run}.{n}")).collect();
        let appended = append(journal.as_ref(), 1, records(names.clone())).unwrap();
        assert_eq!(appended.first, Position(expected.len() as u64 + 1));
        expected.extend(names);
    }
    assert_eq!(texts(backend.open(2).as_ref(), 1), expected);
}

pub fn the_id_stays_and_tells_journals_apart<B: Backend>() {
    let (backend, other) = (B::create(), B::create());
    let id = backend.open(1).id().to_owned();
    assert!(!id.is_empty());
    assert_eq!(backend.open(1).id(), id);
    assert_ne!(other.open(1).id(), id);
}

pub fn partitions_do_not_see_each_other<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(4);
    assert_eq!(journal.partitions(), 4);
    for n in 0..40 {
        append(journal.as_ref(), n % 4, vec![record(&n.to_string())]).unwrap();
    }
    for partition in 0..4 {
        let expected: Vec<_> = (0..40).filter(|n| n % 4 == partition).map(|n| n.to_string()).collect();
        assert_eq!(texts(journal.as_ref(), partition), expected);
    }
}

pub fn the_number_of_partitions_is_fixed_for_life<B: Backend>() {
    let backend = B::create();
    append(backend.open(4).as_ref(), 3, vec![record("a")]).unwrap();
    for wanted in [1, 3, 5, 8] {
        let refusal = backend.try_open(wanted).err().expect("another number of partitions is refused");
        assert!(refusal.contains("set journal.partitions = 4"), "the fix is not named: {refusal}");
    }
    assert!(backend.try_open(0).is_err());
    assert_eq!(texts(backend.open(4).as_ref(), 3), ["a"]);
}

pub fn an_unknown_partition_is_refused<B: Backend>() {
    let backend = B::create();
    let journal = backend.open(2);
    for partition in [2, 3, u32::MAX] {
        let refused = append(journal.as_ref(), partition, vec![record("a")]);
        assert!(matches!(refused, Err(AppendError::NotWritten(_))), "{refused:?}");
        assert!(journal.read(partition, Position::START).is_err());
    }
    append(journal.as_ref(), 1, vec![record("b")]).unwrap();
    assert_eq!(texts(journal.as_ref(), 1), ["b"]);
}

pub fn closing_writes_what_is_queued<B: Backend>() {
    let backend = B::create();
    let (sender, answers) = mpsc::channel();
    {
        let journal = backend.open(1);
        for n in 0..1_000 {
            let sender = sender.clone();
            let done = Box::new(move |outcome: Result<Appended, AppendError>| {
                sender.send(outcome.is_ok()).unwrap();
            });
            journal.append(0, vec![record(&n.to_string())], done);
        }
    }
    drop(sender);
    // Closing has waited for them: all answers are there already.
    assert_eq!(answers.try_iter().filter(|is_written| *is_written).count(), 1_000);
    let expected: Vec<_> = (0..1_000).map(|n| n.to_string()).collect();
    assert_eq!(texts(backend.open(1).as_ref(), 0), expected);
}

pub fn concurrent_appends_lose_nothing<B: Backend>() {
    const THREADS: usize = 16;
    const CALLS: usize = 250;
    let backend = B::create();
    let journal = backend.open(4);
    let start = Barrier::new(THREADS);
    let answered: Vec<(u32, u64, String)> = thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|writer| {
                let (journal, start) = (&journal, &start);
                scope.spawn(move || {
                    start.wait();
                    let mut answered = Vec::new();
                    for call in 0..CALLS {
                        let partition = ((writer + call) % 4) as u32;
                        let name = format!("{writer}.{call}");
                        let appended =
                            append(journal.as_ref(), partition, records([name.clone(), format!("{name}'")]));
                        let Appended { first, last } = appended.unwrap();
                        assert_eq!(last, first.next());
                        answered.push((partition, first.0, name.clone()));
                        answered.push((partition, last.0, format!("{name}'")));
                    }
                    answered
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });

    let mut stored = HashSet::new();
    for partition in 0..4 {
        for record in read_after(journal.as_ref(), partition, Position::START) {
            stored.insert((partition, record.position.0, text_of(&record)));
        }
    }
    assert_eq!(stored.len(), THREADS * CALLS * 2);
    assert_eq!(answered.into_iter().collect::<HashSet<_>>(), stored);
}
