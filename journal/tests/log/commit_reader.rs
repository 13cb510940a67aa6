//! Reading what counts, as the owner, the projector and the audit do.

use std::sync::Arc;

use domain::{Event, id::BookId, text::Text};
use journal::{
    Accepted, Commit, CommitReader, Fence, Hash, Journal, KeyStore, Position, ReadError, partition_of,
    record::Claim,
};
use tempfile::TempDir;

use crate::{
    contract::Backend,
    events::one_of_each,
    names::{id, noon},
    sqlite::Sqlite,
    writing::{Scribe, append, claim, commit},
};

pub fn keys() -> (TempDir, Arc<KeyStore>) {
    let directory = tempfile::tempdir().unwrap();
    let keys = Arc::new(KeyStore::open(directory.path()).unwrap());
    (directory, keys)
}

/// All that counts after a position, in batches, up to the end.
pub fn read_on(
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyStore>,
    partition: u32,
    after: Position,
    fence: Fence,
) -> Result<Vec<Accepted>, ReadError> {
    let mut reader = CommitReader::open(Arc::clone(journal), Arc::clone(keys), partition, after, fence)?;
    let mut batches = Vec::new();
    loop {
        let accepted = reader.next_blocking()?;
        let is_end = accepted.caught_up;
        batches.push(accepted);
        if is_end {
            return Ok(batches);
        }
    }
}

pub fn read_all(journal: &Arc<dyn Journal>, keys: &Arc<KeyStore>, partition: u32) -> Vec<Commit> {
    let batches = read_on(journal, keys, partition, Position::START, Fence::default()).unwrap();
    batches.into_iter().flat_map(|accepted| accepted.commits).collect()
}

#[test]
fn commits_come_back_with_their_text_opened_and_their_place_in_the_chain() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(1), keys, "ann");
    let book: BookId = id("book");
    let events = one_of_each("Corner shop");
    scribe.write(book, events.clone());
    scribe.write(book, events[..1].to_vec());

    let commits = read_all(&scribe.journal, &scribe.keys, 0);
    assert_eq!(commits.len(), 2);
    assert_eq!(commits[0].events, events);
    assert_eq!((commits[0].version, commits[0].previous), (1, Hash::ZERO));
    assert_eq!((commits[1].version, commits[1].previous), (2, commits[0].hash));
    assert_eq!(commits.iter().map(|commit| commit.position.0).collect::<Vec<_>>(), [2, 3], "1 is the claim");
    assert_eq!((commits[1].epoch, commits[1].owner.as_str(), commits[1].seq), (1, "ann", 2));
    assert_eq!(commits[0].recorded_at, noon());
}

#[test]
fn without_a_books_key_its_text_is_forgotten_and_the_rest_is_read() {
    let backend = Sqlite::create();
    let (_directory, with_key) = keys();
    let (_other_directory, without_key) = keys();
    let mut scribe = Scribe::new(backend.open(1), with_key, "ann");
    scribe.write(
        id("book"),
        vec![Event::ImportStarted { import: id("i"), file_name: Text::known("a"), lines: 3 }],
    );
    let commits = read_all(&scribe.journal, &without_key, 0);
    let expected = Event::ImportStarted { import: id("i"), file_name: Text::Forgotten, lines: 3 };
    assert_eq!(commits[0].events, [expected]);
}

#[test]
fn the_end_is_told_once_even_if_there_is_nothing_and_again_after_more() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    let open = CommitReader::open(Arc::clone(&journal), keys, 0, Position::START, Fence::default());
    let mut reader = open.unwrap();
    let accepted = reader.next_blocking().unwrap();
    assert!(accepted.caught_up && accepted.commits.is_empty());
    assert_eq!((accepted.through, accepted.fence), (Position::START, Fence::default()));

    append(journal.as_ref(), 0, vec![claim(1, "ann")]).unwrap();
    let accepted = reader.next_blocking().unwrap();
    assert!(accepted.caught_up && accepted.commits.is_empty());
    assert_eq!((accepted.through, accepted.fence.epoch), (Position(1), 1));
}

#[test]
fn ignored_records_never_surface_but_are_passed_over() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    let book: BookId = id("book");
    let first = commit(1, "ann", 1, book, 1, Hash::ZERO).encode();
    let second = commit(2, "bob", 1, book, 2, first.digest).encode();
    let zombie = |seq| commit(1, "ann", seq, book, 2, first.digest).encode();
    let records = vec![
        claim(1, "ann"),
        first.clone(),
        first.clone(),
        claim(1, "bob"),
        claim(2, "bob"),
        zombie(2),
        second.clone(),
        zombie(3),
        claim(2, "ann"),
    ];
    append(journal.as_ref(), 0, records).unwrap();
    let batches = read_on(&journal, &keys, 0, Position::START, Fence::default()).unwrap();
    let hashes: Vec<_> = batches.iter().flat_map(|accepted| &accepted.commits).map(|it| it.hash).collect();
    assert_eq!(hashes, [first.digest, second.digest]);
    let last = batches.last().unwrap();
    assert_eq!(last.through, Position(9), "a checkpoint moves past what is ignored");
    assert_eq!(last.fence, Fence { epoch: 2, owner: "bob".to_owned(), seq: 1 });
}

#[test]
fn a_reader_that_goes_on_from_any_saved_place_reads_the_same() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(1), keys, "ann");
    for n in 0..30 {
        if n % 7 == 0 {
            scribe.take(0);
        }
        scribe.write(id(["one", "two", "three"][n % 3]), vec![Event::ImportFinished { import: id("i") }]);
    }
    let (journal, keys) = (&scribe.journal, &scribe.keys);
    let all = read_all(journal, keys, 0);
    let head = journal.head(0).unwrap();
    for after in 0..=head.0 {
        // The fence as a reader would have saved it, one record at a time.
        let mut reader = journal.read(0, Position::START).unwrap();
        let mut fence = Fence::default();
        for stored in reader.next(std::time::Duration::ZERO).unwrap().records.iter().take(after as usize) {
            fence.judge(journal::record::Record::decode(&stored.bytes).unwrap().header());
        }
        let rest = read_on(journal, keys, 0, Position(after), fence).unwrap();
        let rest: Vec<_> = rest.into_iter().flat_map(|accepted| accepted.commits).collect();
        let expected: Vec<_> = all.iter().filter(|commit| commit.position.0 > after).cloned().collect();
        assert_eq!(rest, expected, "after {after}");
    }
}

#[test]
fn a_later_ownership_rule_stops_the_reader() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let journal = backend.open(1);
    let later = Claim { rule: 2, epoch: 1, owner: "ann".to_owned(), claimed_at: noon() };
    append(journal.as_ref(), 0, vec![later.encode()]).unwrap();
    let error = read_on(&journal, &keys, 0, Position::START, Fence::default()).unwrap_err();
    assert!(error.to_string().contains("ownership rule 2"), "{error}");
}

#[test]
fn a_damaged_record_stops_the_reader_and_is_named() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(1), keys, "ann");
    let book: BookId = id("book");
    for _ in 0..3 {
        scribe.write(book, vec![Event::ImportFinished { import: id("i") }]);
    }
    backend
        .tamper()
        .execute(
            "update journal_0 set record = replace(record, 'add_entry', 'add_debts') where position = 3",
            [],
        )
        .unwrap();
    let error =
        read_on(&scribe.journal, &scribe.keys, 0, Position::START, Fence::default()).map(drop).unwrap_err();
    let ReadError::Damaged { partition, position, .. } = &error else { panic!("{error}") };
    assert_eq!((*partition, *position), (0, Position(3)));
}

#[test]
fn a_text_that_does_not_open_stops_the_reader() {
    let backend = Sqlite::create();
    let (_directory, with_key) = keys();
    let (_other_directory, other_key) = keys();
    let mut scribe = Scribe::new(backend.open(1), with_key, "ann");
    scribe.write(id("book"), one_of_each("x"));
    other_key.of_or_new(id("book")).unwrap();
    let error = read_on(&scribe.journal, &other_key, 0, Position::START, Fence::default()).unwrap_err();
    assert!(error.to_string().contains("does not open with the book's key"), "{error}");
}

#[test]
fn books_go_to_the_partitions_they_belong_to() {
    let backend = Sqlite::create();
    let (_directory, keys) = keys();
    let mut scribe = Scribe::new(backend.open(4), keys, "ann");
    let books: Vec<BookId> = (0..12).map(|n| id(&format!("book {n}"))).collect();
    for book in &books {
        scribe.write(*book, one_of_each("x"));
    }
    let mut found = 0;
    for partition in 0..4 {
        for commit in read_all(&scribe.journal, &scribe.keys, partition) {
            assert_eq!((commit.partition, partition_of(commit.book, 4)), (partition, partition));
            found += 1;
        }
    }
    assert_eq!(found, books.len());
}
