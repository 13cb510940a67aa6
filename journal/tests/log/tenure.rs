//! Taking a partition, alone and against others.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use domain::id::BookId;
use journal::{
    AppendDone, AppendError, Commit, Fence, Hash, Journal, KeyStore, NewRecord, Position, ReadError, Reader,
    tenure::{AcquireError, Acquisition, Tenure, acquire},
};

use crate::{
    commit_reader::{keys, read_all},
    contract::Backend,
    names::{id, noon},
    sqlite::Sqlite,
    writing::{append, claim, commit},
};

fn take(
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyStore>,
    owner: &str,
) -> Result<(Tenure, Vec<Commit>), AcquireError> {
    let mut applied = Vec::new();
    let acquisition =
        Acquisition { journal, keys, partition: 0, owner, after: Position::START, fence: Fence::default() };
    let tenure = acquire(acquisition, &noon, &mut |commit| applied.push(commit))?;
    Ok((tenure, applied))
}

/// What a rival does around one of our appends.
#[derive(Default)]
struct Around {
    before: Vec<NewRecord>,
    after: Vec<NewRecord>,
}

/// A journal in which somebody else writes just before and just after our appends.
struct Contested {
    inner: Arc<dyn Journal>,
    rivals: Mutex<VecDeque<Around>>,
}

impl Contested {
    fn over(inner: &Arc<dyn Journal>, rivals: impl IntoIterator<Item = Around>) -> Arc<dyn Journal> {
        let rivals = Mutex::new(rivals.into_iter().collect());
        Arc::new(Self { inner: Arc::clone(inner), rivals })
    }
}

impl Journal for Contested {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn partitions(&self) -> u32 {
        self.inner.partitions()
    }

    fn append(&self, partition: u32, records: Vec<NewRecord>, done: AppendDone) {
        let Around { before, after } = self.rivals.lock().unwrap().pop_front().unwrap_or_default();
        if !before.is_empty() {
            append(self.inner.as_ref(), partition, before).unwrap();
        }
        self.inner.append(partition, records, done);
        if !after.is_empty() {
            append(self.inner.as_ref(), partition, after).unwrap();
        }
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        self.inner.read(partition, after)
    }

    fn head(&self, partition: u32) -> Option<Position> {
        self.inner.head(partition)
    }
}

#[test]
fn an_empty_partition_is_taken_with_the_first_epoch() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    let (tenure, applied) = take(&journal, &keys, "ann").unwrap();
    assert_eq!((tenure.partition, tenure.epoch, tenure.owner.as_str(), tenure.seq), (0, 1, "ann", 0));
    assert_eq!(tenure.expected, Position(2));
    assert!(applied.is_empty());
}

#[test]
fn a_successor_sees_every_commit_before_it_may_write() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    take(&journal, &keys, "ann").unwrap();
    let first = commit(1, "ann", 1, id("book"), 1, Hash::ZERO).encode();
    let second = commit(1, "ann", 2, id("book"), 2, first.digest).encode();
    append(journal.as_ref(), 0, vec![first.clone(), second.clone()]).unwrap();

    let (tenure, applied) = take(&journal, &keys, "bob").unwrap();
    assert_eq!((tenure.epoch, tenure.expected), (2, Position(5)));
    let applied: Vec<_> = applied.iter().map(|commit| commit.hash).collect();
    assert_eq!(applied, [first.digest, second.digest]);
}

#[test]
fn taking_goes_on_from_a_checkpoint() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    take(&journal, &keys, "ann").unwrap();
    let first = commit(1, "ann", 1, id("book"), 1, Hash::ZERO).encode();
    let second = commit(1, "ann", 2, id("book"), 2, first.digest).encode();
    append(journal.as_ref(), 0, vec![first, second.clone()]).unwrap();
    let mut applied = Vec::new();
    let acquisition = Acquisition {
        journal: &journal,
        keys: &keys,
        partition: 0,
        owner: "bob",
        after: Position(2),
        fence: Fence { epoch: 1, owner: "ann".to_owned(), seq: 1 },
    };
    let tenure = acquire(acquisition, &noon, &mut |commit| applied.push(commit.hash)).unwrap();
    assert_eq!((tenure.epoch, applied), (2, vec![second.digest]));
}

#[test]
fn a_rival_that_claims_first_is_outbid_with_the_next_epoch() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let inner = backend.open(1);
    let rivals_commit = commit(1, "rival", 1, id("book"), 1, Hash::ZERO).encode();
    let before = vec![claim(1, "rival"), rivals_commit.clone()];
    let journal = Contested::over(&inner, [Around { before, after: vec![] }]);
    let (tenure, applied) = take(&journal, &keys, "ann").unwrap();
    assert_eq!(tenure.epoch, 2);
    assert_eq!(applied.len(), 1, "what the rival committed meanwhile counts and is applied");
    assert_eq!(applied[0].hash, rivals_commit.digest);
    // The rival's two, our stale claim, our claim.
    assert_eq!(tenure.expected, Position(5));
}

#[test]
fn a_rival_that_claims_between_our_claim_and_our_look_at_it_is_outbid_too() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let inner = backend.open(1);
    let rivals_commit = commit(2, "rival", 1, id("book"), 1, Hash::ZERO).encode();
    let after = vec![claim(2, "rival"), rivals_commit.clone()];
    let journal = Contested::over(&inner, [Around { before: vec![], after }]);
    let (tenure, applied) = take(&journal, &keys, "ann").unwrap();
    // Either our claim was seen as ours before the rival's arrived, or it was outbid; never both own.
    let fence = last_fence(&inner, &keys);
    if tenure.epoch == 1 {
        assert_eq!((fence.epoch, fence.owner.as_str()), (2, "rival"));
        assert!(applied.is_empty());
    } else {
        assert_eq!((tenure.epoch, fence.epoch, fence.owner.as_str()), (3, 3, "ann"));
        assert_eq!(applied.iter().map(|commit| commit.hash).collect::<Vec<_>>(), [rivals_commit.digest]);
    }
}

fn last_fence(journal: &Arc<dyn Journal>, keys: &Arc<KeyStore>) -> Fence {
    let batches = crate::commit_reader::read_on(journal, keys, 0, Position::START, Fence::default()).unwrap();
    batches.last().unwrap().fence.clone()
}

#[test]
fn a_partition_that_is_always_claimed_by_others_first_is_given_up() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let inner = backend.open(1);
    let rivals = (1..100).map(|epoch| Around { before: vec![claim(epoch, "rival")], after: vec![] });
    let refused = take(&Contested::over(&inner, rivals), &keys, "ann").map(drop);
    assert!(matches!(refused, Err(AcquireError::Contested)), "{refused:?}");
}

#[test]
fn what_a_former_owner_still_writes_is_ignored_by_every_reader() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    let book: BookId = id("book");
    let (ann, _) = take(&journal, &keys, "ann").unwrap();
    let kept = commit(ann.epoch, "ann", 1, book, 1, Hash::ZERO).encode();
    append(journal.as_ref(), 0, vec![kept.clone()]).unwrap();
    let (bob, _) = take(&journal, &keys, "bob").unwrap();
    // Ann does not know yet.
    let late = commit(ann.epoch, "ann", 2, book, 2, kept.digest).encode();
    let appended = append(journal.as_ref(), 0, vec![late]).unwrap();
    assert_ne!(appended.first, ann.expected.next(), "the place tells her that somebody else has written");
    let bobs = commit(bob.epoch, "bob", 1, book, 2, kept.digest).encode();
    append(journal.as_ref(), 0, vec![bobs.clone()]).unwrap();
    let later = commit(ann.epoch, "ann", 3, book, 3, bobs.digest).encode();
    append(journal.as_ref(), 0, vec![later]).unwrap();

    let hashes: Vec<_> = read_all(&journal, &keys, 0).iter().map(|commit| commit.hash).collect();
    assert_eq!(hashes, [kept.digest, bobs.digest]);
    let (ann_again, applied) = take(&journal, &keys, "ann").unwrap();
    assert_eq!((ann_again.epoch, applied.len()), (3, 2));
}

#[test]
fn a_claim_that_is_not_written_is_an_error() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    drop(backend.open(1));
    let journal: Arc<dyn Journal> =
        Arc::new(journal::sqlite::SqliteJournal::open_read_only(&backend.path()).unwrap());
    let refused = take(&journal, &keys, "ann").map(drop);
    assert!(matches!(refused, Err(AcquireError::Append(AppendError::NotWritten(_)))), "{refused:?}");
}
