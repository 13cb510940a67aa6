//! The bytes of records. The files in `golden/` are what journals hold for decades: this program has to write
//! the same bytes and to read them for ever. A new kind of event adds a file and a line of `digests.txt`
//! (`DAYBOOK_GOLDEN=write` writes those that are missing); no file there ever changes.

use std::{fs, path::PathBuf};

use domain::id::BookId;
use journal::{
    Hash, NewRecord, partition_of,
    record::{Record, SealedCommit},
    seal::{BookKey, open, seal},
};
use serde_json::{Value, json};

use crate::{
    events::one_of_each,
    names::id,
    writing::{claim, commit, counting_nonces},
};

const TEXT: &str = "Bäckerei \"Ünal\" \u{1f956}";

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/log/golden").join(name)
}

fn key() -> BookKey {
    BookKey::new([7; 32])
}

/// A claim, and a chain of commits with one event of every kind.
fn every_record() -> Vec<(String, NewRecord)> {
    let mut records = vec![("claim".to_owned(), claim(1, "daybook-1"))];
    let (book, mut previous) = (id("household"), Hash::ZERO);
    let mut last_command = String::new();
    for (version, event) in (1..).zip(one_of_each(TEXT)) {
        let name = event.type_name().to_owned();
        let mut commit = commit(1, "daybook-1", version, book, version, previous);
        commit.events = vec![event];
        seal(&key(), book, version, &mut commit.events, &mut counting_nonces(version));
        if version > 1 {
            commit.correlation_id = Some("req-7".to_owned());
            commit.causation_id = Some(last_command);
        }
        last_command = commit.command_id.clone();
        let record = commit.encode();
        previous = record.digest;
        records.push((name, record));
    }
    records
}

#[test]
fn records_are_written_as_they_always_were() {
    let records = every_record();
    let digests: String =
        records.iter().map(|(name, record)| format!("{} {name}\n", record.digest)).collect();
    if std::env::var("DAYBOOK_GOLDEN").is_ok_and(|wish| wish == "write") {
        for (name, record) in &records {
            let path = golden(&format!("{name}.json"));
            if !path.exists() {
                fs::write(path, &record.bytes).unwrap();
            }
        }
        let path = golden("digests.txt");
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(digests.starts_with(&kept), "a digest that was written down has changed");
        fs::write(path, &digests).unwrap();
    }

    for (name, record) in &records {
        let expected = fs::read_to_string(golden(&format!("{name}.json")))
            .unwrap_or_else(|error| panic!("golden/{name}.json: {error}"));
        assert_eq!(String::from_utf8_lossy(&record.bytes), expected, "golden/{name}.json");
    }
    assert_eq!(digests, fs::read_to_string(golden("digests.txt")).unwrap());
    let files = fs::read_dir(golden("")).unwrap().count();
    assert_eq!(files, records.len() + 1, "a file that no record belongs to");
}

#[test]
fn records_of_old_are_read_and_open_to_the_events_they_were_made_of() {
    let events = one_of_each(TEXT);
    for (version, event) in (1..).zip(events) {
        let bytes = fs::read(golden(&format!("{}.json", event.type_name()))).unwrap();
        let Record::Commit(mut read) = Record::decode(&bytes).unwrap() else { panic!("no commit") };
        open(Some(&key()), read.book, read.version, &mut read.events).unwrap();
        assert_eq!((read.version, read.events), (version, vec![event]));
    }
}

/// Computed with Python's hashlib from the files:
/// `sha256(b"daybook.claim.v1\n" + claim)` and `sha256(b"daybook.commit.v1\n" + previous + commit)`.
#[test]
fn a_hash_can_be_computed_without_this_program() {
    let digest = |name: &str| {
        let bytes = fs::read(golden(&format!("{name}.json"))).unwrap();
        Record::decode(&bytes).unwrap().digest(&bytes).to_string()
    };
    assert_eq!(digest("claim"), "c72f0f6e4e18ca902cad18f302533c84f77438e07e47a248c7bcb95610df445c");
    assert_eq!(digest("book_created.v1"), "486ff50c1a47cfce17be2f3935ccb6cee7d3ded3a55772862518903d076e4e0f");
    assert_eq!(
        digest("commit_undone.v1"),
        "d693ca0d0645d77d65ea2748a088ed74e7f29898c50ffc5da33ee04afa39618d"
    );
}

#[test]
fn a_record_reads_back_as_it_was_written() {
    for (name, record) in every_record() {
        let read = Record::decode(&record.bytes).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let again = match &read {
            Record::Claim(claim) => claim.encode(),
            Record::Commit(commit) => commit.encode(),
        };
        assert_eq!(again, record, "{name}");
        assert_eq!(read.digest(&record.bytes), record.digest, "{name}");
    }
}

#[test]
fn a_hash_covers_the_chain_before_and_every_byte() {
    let commit = commit(1, "owner", 1, id("book"), 2, Hash([1; 32]));
    let digest = commit.encode().digest;
    let other = SealedCommit { previous: Hash([2; 32]), ..commit.clone() };
    assert_ne!(other.encode().digest, digest);
    let bytes = commit.encode().bytes;
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        assert_ne!(Hash::of_commit(&commit.previous, &changed), digest, "byte {index}");
    }
    assert_ne!(Hash::of_claim(&bytes), Hash::of_commit(&Hash::ZERO, &bytes), "claims and commits never meet");
}

fn claim_json() -> Value {
    serde_json::from_slice(&claim(1, "owner").bytes).unwrap()
}

fn commit_json() -> Value {
    let mut commit = commit(1, "owner", 1, id("book"), 1, Hash::ZERO);
    commit.events = one_of_each("x");
    serde_json::from_slice(&commit.encode().bytes).unwrap()
}

#[track_caller]
fn refused(record: &Value, reason: &str) {
    let refusal = Record::decode(record.to_string().as_bytes()).expect_err("it was read");
    assert!(refusal.contains(reason), "{refusal:?} does not say {reason:?}");
}

#[test]
fn a_later_format_is_refused_and_not_guessed_at() {
    for mut record in [claim_json(), commit_json()] {
        record["format"] = json!(2);
        refused(&record, "format 2 is not known to this version of Daybook, which reads 1");
    }
}

#[test]
fn a_later_format_is_told_even_if_its_fields_are_new() {
    let mut record = commit_json();
    record["format"] = json!(2);
    record["weather"] = json!("rain");
    refused(&record, "format 2 is not known");
}

#[test]
fn every_field_is_needed() {
    for record in [claim_json(), commit_json()] {
        for name in record.as_object().unwrap().keys() {
            let mut without = record.clone();
            without.as_object_mut().unwrap().remove(name);
            let refusal = Record::decode(without.to_string().as_bytes()).expect_err(name);
            assert!(refusal.contains(name) && refusal.contains("missing"), "{name}: {refusal}");
        }
    }
}

#[test]
fn a_field_nobody_knows_is_refused() {
    for mut record in [claim_json(), commit_json()] {
        record["weather"] = json!("rain");
        refused(&record, "unknown field `weather`");
    }
    for index in 0..one_of_each("x").len() {
        let mut record = commit_json();
        record["events"][index]["data"]["weather"] = json!("rain");
        refused(&record, "weather");
    }
}

#[test]
fn what_is_no_record_is_refused_with_a_sentence() {
    let changed = |name: &str, value: Value| {
        let mut record = commit_json();
        record[name] = value;
        record
    };
    refused(&changed("kind", json!("note")), "\"note\" is no kind of record");
    refused(&changed("previous", json!("abc")), "is no SHA-256 in hexadecimal");
    refused(&changed("recorded_at", json!("yesterday")), "recorded_at \"yesterday\"");
    refused(&changed("book", json!("ent_01h455vb4pex5vsknk084sn02q")), "book_");
    refused(&changed("seq", json!(-1)), "-1");
    refused(&changed("events", json!([{"type": "rain_fell.v1", "data": {}}])), "rain_fell.v1");
    let unbalanced = json!([{"type": "entry_added.v1", "data": {"entry": {
        "id": "ent_01h455vb4pex5vsknk084sn02q", "kind": "expense", "occurred_on": "2026-01-01",
        "postings": [{"equity": "opening_balances", "amount": "1.00", "currency": "EUR"}]}}}]);
    refused(&changed("events", unbalanced), "do not sum to zero");
    for bytes in [b"".as_slice(), b"{", b"[]", b"null", b"\xff", b"{\"format\":1,\"format\":1}"] {
        assert!(Record::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_books_partition_never_changes() {
    let book: BookId = "book_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    // The first four bytes of sha256(bytes of the id), big-endian, as Python's hashlib finds them: 2,532,881,786.
    assert_eq!([1, 2, 4, 7, 256].map(|partitions| partition_of(book, partitions)), [0, 0, 2, 1, 122]);
    let mut books = [0; 4];
    for n in 0..1_000 {
        books[partition_of(id(&format!("book {n}")), 4) as usize] += 1;
    }
    assert!(books.iter().all(|count| (200..300).contains(count)), "{books:?}");
}
