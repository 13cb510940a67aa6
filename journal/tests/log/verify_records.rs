//! What the auditor finds by the records alone: a backend that holds records to their places is a second line,
//! and not every backend does.

use std::{sync::LazyLock, time::Duration};

use journal::{
    AppendDone, AppendError, Batch, Hash, Journal, NewRecord, Position, ReadError, Reader, Stored,
    record::{Claim, Record},
    verify::{Verified, VerifyError, verify_journal},
};

use crate::{
    names::{id, noon},
    verify::SAMPLE,
    writing::{claim, commit},
};

/// A journal that believes whatever it is told to hold.
struct Listed(Vec<Vec<NewRecord>>);

impl Journal for Listed {
    fn id(&self) -> &str {
        "listed"
    }

    fn partitions(&self) -> u32 {
        self.0.len() as u32
    }

    fn append(&self, _: u32, _: Vec<NewRecord>, done: AppendDone) {
        done(Err(AppendError::NotWritten("it is a list".to_owned())));
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        let records = (1..).zip(&self.0[partition as usize]).skip(after.0 as usize);
        let stored = |(position, NewRecord { digest, bytes }): (u64, &NewRecord)| Stored {
            position: Position(position),
            digest: *digest,
            bytes: bytes.clone(),
        };
        Ok(Box::new(ListReader(records.map(stored).collect())))
    }

    fn head(&self, _: u32) -> Option<Position> {
        None
    }
}

struct ListReader(Vec<Stored>);

impl Reader for ListReader {
    fn next(&mut self, _: Duration) -> Result<Batch, ReadError> {
        Ok(Batch { records: std::mem::take(&mut self.0), caught_up: true })
    }
}

fn verify(partitions: Vec<Vec<NewRecord>>) -> Result<Verified, VerifyError> {
    verify_journal(&Listed(partitions), None, &mut |_| {})
}

/// Partition 0 of the sample; its books miss nothing of the other one.
static RECORDS: LazyLock<Vec<NewRecord>> = LazyLock::new(|| {
    let encode = |record: &Record| match record {
        Record::Claim(claim) => claim.encode(),
        Record::Commit(commit) => commit.encode(),
    };
    SAMPLE.rows[0].iter().map(|row| encode(&row.record)).collect()
});

fn verify_changed(change: impl FnOnce(&mut Vec<NewRecord>)) -> Result<Verified, VerifyError> {
    let mut records = RECORDS.clone();
    change(&mut records);
    verify(vec![records, Vec::new()])
}

#[track_caller]
fn check(records: Vec<NewRecord>, place: u64, reason: &str) {
    match verify(vec![records]) {
        Err(VerifyError::Fault(fault)) => {
            assert_eq!(fault.place, format!("partition 0, record {place}"), "{fault}");
            assert!(fault.reason.contains(reason), "{fault}");
        }
        other => panic!("{other:?}"),
    }
}

/// Whether nothing after it in the partition builds on this record: neither its owner nor its book went on. The
/// records alone cannot tell whether there ever was such a one; the backend's own count of them can.
fn nothing_builds_on(index: usize) -> bool {
    let Record::Commit(it) = &SAMPLE.rows[0][index].record else { return false };
    let counts = |row: &&crate::verify::Row| match &row.record {
        Record::Claim(_) => false,
        Record::Commit(later) => later.epoch == it.epoch || later.book == it.book,
    };
    SAMPLE.rows[0][index + 1..].iter().find(counts).is_none()
}

fn is_ignored(index: usize) -> bool {
    let mut fence = journal::Fence::default();
    let mut judged = |row: &crate::verify::Row| fence.judge(row.record.header());
    SAMPLE.rows[0][..=index].iter().map(&mut judged).last() != Some(journal::ownership::Judgement::Accepted)
}

#[test]
fn the_records_as_they_are_pass() {
    assert!(verify_changed(|_| {}).is_ok());
}

#[test]
fn every_dropped_record_is_missed_by_those_that_build_on_it() {
    let mut found = 0;
    for index in 0..RECORDS.len() {
        let outcome = verify_changed(|records| drop(records.remove(index)));
        if nothing_builds_on(index) || is_ignored(index) {
            continue;
        }
        assert!(matches!(outcome, Err(VerifyError::Fault(_))), "record {} dropped: {outcome:?}", index + 1);
        found += 1;
    }
    assert!(found > RECORDS.len() * 8 / 10, "{found} of {}", RECORDS.len());
}

#[test]
fn swapped_commits_of_one_owner_are_found() {
    for index in 0..RECORDS.len() - 1 {
        let [Record::Commit(one), Record::Commit(other)] =
            [&SAMPLE.rows[0][index].record, &SAMPLE.rows[0][index + 1].record]
        else {
            continue;
        };
        if one.epoch != other.epoch {
            continue;
        }
        let outcome = verify_changed(|records| records.swap(index, index + 1));
        assert!(matches!(outcome, Err(VerifyError::Fault(_))), "record {}: {outcome:?}", index + 1);
    }
}

#[test]
fn a_repeated_record_does_not_count_and_is_told() {
    let whole = verify_changed(|_| {}).unwrap();
    for index in (0..RECORDS.len()).step_by(7) {
        let verified = verify_changed(|records| records.push(RECORDS[index].clone())).unwrap();
        assert_eq!((verified.commits, verified.ignored), (whole.commits, whole.ignored + 1));
    }
}

#[test]
fn what_does_not_follow_is_named_with_the_reason() {
    let book = id("book");
    let first = commit(1, "ann", 1, book, 1, Hash::ZERO).encode();
    let start = || vec![claim(1, "ann"), first.clone()];
    let then = |record: NewRecord| [start(), vec![record]].concat();

    let second = |epoch, seq, version, previous| commit(epoch, "ann", seq, book, version, previous).encode();
    assert!(verify(vec![then(second(1, 2, 2, first.digest))]).is_ok());
    check(then(second(1, 3, 2, first.digest)), 3, "it does not follow commit 1 of epoch 1");
    check(then(second(2, 1, 2, first.digest)), 3, "nobody claimed epoch 2");
    check(then(second(1, 2, 3, first.digest)), 3, "version 3 follows version 1");
    check(then(second(1, 2, 1, first.digest)), 3, "version 1 follows version 1");
    check(then(second(1, 2, 2, Hash::ZERO)), 3, "it does not continue its book's chain");

    let mut other_digest = second(1, 2, 2, first.digest);
    other_digest.digest = Hash([9; 32]);
    check(then(other_digest), 3, "its bytes are not those that were written");
    let mut respelled = second(1, 2, 2, first.digest);
    respelled.bytes.push(b' ');
    check(then(respelled), 3, "its bytes are not those that were written");
    check(then(NewRecord { bytes: b"{}".to_vec(), digest: Hash::ZERO }), 3, "missing field `format`");

    let later = Claim { rule: 2, epoch: 2, owner: "bob".to_owned(), claimed_at: noon() };
    check(then(later.encode()), 3, "it follows ownership rule 2; 1 is known here");
}

#[test]
fn a_book_in_a_partition_that_is_not_its_own_is_found() {
    let book = id("book");
    let first = commit(1, "ann", 1, book, 1, Hash::ZERO).encode();
    let mut partitions = vec![Vec::new(), Vec::new()];
    partitions[1 - journal::partition_of(book, 2) as usize] = vec![claim(1, "ann"), first];
    let outcome = verify(partitions);
    assert!(
        matches!(&outcome, Err(VerifyError::Fault(fault)) if fault.reason.contains("another partition")),
        "{outcome:?}"
    );
}
