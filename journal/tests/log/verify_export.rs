//! The auditor's check of an exported book, without its journal.

use std::sync::LazyLock;

use journal::{
    Hash,
    verify::{Verified, VerifyError, export_book, verify_export},
};
use proptest::{prelude::*, test_runner::Config};
use sha2::{Digest, Sha256};

use crate::{
    contract::Backend,
    names::id,
    verify::{BOOKS, SAMPLE},
};

/// Each book as it is exported.
static EXPORTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let backend = SAMPLE.copy();
    let journal = backend.open(2);
    let export = |name: &&str| {
        let mut file = Vec::new();
        export_book(journal.as_ref(), id(name), &mut file).unwrap();
        String::from_utf8(file).unwrap()
    };
    BOOKS.iter().map(export).collect()
});

fn verify(file: &[u8]) -> Result<Verified, VerifyError> {
    verify_export(&mut &file[..])
}

#[track_caller]
fn refused(what: &str, lines: &[&str], place: &str) {
    match verify(lines.concat().as_bytes()) {
        Err(VerifyError::Fault(fault)) => assert_eq!(fault.place, place, "{what}: {fault}"),
        other => panic!("{what}: {other:?}"),
    }
}

fn lines(export: usize) -> Vec<&'static str> {
    EXPORTS[export].split_inclusive('\n').collect()
}

#[test]
fn an_export_passes_and_holds_the_whole_book() {
    let mut commits = 0;
    for export in EXPORTS.iter() {
        let verified = verify(export.as_bytes()).unwrap();
        assert_eq!(verified.commits as usize, export.lines().count() - 1);
        assert_eq!(verified.books, 1);
        commits += verified.commits;
    }
    assert_eq!(commits, SAMPLE.verified.commits);
}

#[test]
fn an_export_holds_the_records_byte_for_byte() {
    let mut found = 0;
    for rows in &SAMPLE.rows {
        for row in rows {
            let bytes = std::str::from_utf8(&row.bytes).unwrap();
            found += usize::from(EXPORTS.iter().any(|export| export.contains(bytes)));
        }
    }
    assert_eq!(found, SAMPLE.verified.commits as usize);
}

#[test]
fn an_unknown_book_cannot_be_exported() {
    let backend = SAMPLE.copy();
    let journal = backend.open(2);
    let refused = export_book(journal.as_ref(), id("none"), &mut Vec::new());
    assert!(matches!(refused, Err(VerifyError::UnknownBook(_))), "{refused:?}");
}

#[test]
fn a_dropped_line_is_found() {
    let whole = lines(0);
    let end = "the end of the file";
    for index in 0..whole.len() {
        let mut without = whole.clone();
        without.remove(index);
        // The line after it no longer fits; after the last commit that is the end.
        let place = if index + 2 < whole.len() { format!("line {}", index + 1) } else { end.to_owned() };
        refused(&format!("line {} dropped", index + 1), &without, &place);
    }
    for kept in 0..whole.len() {
        refused("cut off", &whole[..kept], end);
    }
}

#[test]
fn a_repeated_line_is_found() {
    let whole = lines(0);
    for index in 0..whole.len() {
        let mut repeated = whole.clone();
        repeated.insert(index, whole[index]);
        refused("repeated", &repeated, &format!("line {}", index + 2));
    }
}

#[test]
fn swapped_lines_are_found() {
    let whole = lines(0);
    for one in 0..whole.len() {
        for other in one + 1..whole.len() {
            let mut swapped = whole.clone();
            swapped.swap(one, other);
            match verify(swapped.concat().as_bytes()) {
                Err(VerifyError::Fault(_)) => {}
                passed => panic!("{one} and {other}: {passed:?}"),
            }
        }
    }
}

#[test]
fn another_books_line_is_found() {
    let (whole, other) = (lines(0), lines(1));
    for index in 0..whole.len() {
        for foreign in [other[0], other[1], other[other.len() - 2]] {
            let mut mixed = whole.clone();
            mixed.insert(index, foreign);
            assert!(matches!(verify(mixed.concat().as_bytes()), Err(VerifyError::Fault(_))));
        }
        // The other book's first line could begin a chain; at the top the line after it is the foreign one.
        let mut mixed = whole.clone();
        mixed.insert(index, other[0]);
        refused("another book's first line", &mixed, &format!("line {}", index.max(1) + 1));
    }
    let mut replaced = whole.clone();
    let last = replaced.len() - 1;
    replaced[last] = other[other.len() - 1];
    refused("another book's end", &replaced, "the end of the file");
    refused(
        "two books in one file",
        &[EXPORTS[0].as_str(), EXPORTS[1].as_str()],
        &format!("line {}", whole.len() + 1),
    );
}

#[test]
fn what_is_added_is_found() {
    let whole = lines(0);
    let after = format!("line {}", whole.len() + 1);
    for added in ["\n", " ", "{}\n", "x"] {
        let mut longer = whole.clone();
        longer.push(added);
        refused("added at the end", &longer, &after);
    }
    let spaced = EXPORTS[0].replacen("\"record\":", "\"record\": ", 1);
    assert!(verify(spaced.as_bytes()).is_err(), "a space");
    let windows = EXPORTS[0].replace('\n', "\r\n");
    assert!(verify(windows.as_bytes()).is_err(), "line ends of another system");
    assert!(verify(EXPORTS[0].trim_end().as_bytes()).is_err(), "the last line end missing");
    assert!(verify(b"").is_err());
    assert!(verify(&[0xff, 0xfe, b'\n']).is_err());
}

#[test]
fn a_changed_position_or_partition_is_found() {
    let whole = lines(0);
    let position = whole[whole.len() - 2].split("\"position\":").nth(1).unwrap().split(',').next().unwrap();
    for (from, to) in [("\"partition\":", "\"partition\":1"), (position, "999999")] {
        let changed = EXPORTS[0].replace(from, to);
        assert_ne!(changed, EXPORTS[0]);
        assert!(matches!(verify(changed.as_bytes()), Err(VerifyError::Fault(_))), "{from} to {to}");
    }
}

#[test]
fn positions_that_run_backwards_are_found_even_if_the_file_is_hashed_anew() {
    let mut whole: Vec<String> = lines(0).into_iter().map(str::to_owned).collect();
    let end = whole.pop().unwrap();
    let digest = |lines: &[String]| Hash(Sha256::digest(lines.concat()).into()).to_string();
    let honest = digest(&whole);
    assert!(end.contains(&honest), "the last line holds the SHA-256 of the lines before it");

    let position =
        |line: &str| line.split("\"position\":").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let third = position(&whole[2]);
    whole[1] = whole[1].replacen(
        &format!("\"position\":{}", position(&whole[1])),
        &format!("\"position\":{third}"),
        1,
    );
    let end = end.replace(&honest, &digest(&whole));
    whole.push(end);
    let changed: Vec<&str> = whole.iter().map(String::as_str).collect();
    refused("a position twice", &changed, "line 3");
}

proptest! {
    #![proptest_config(Config { cases: 400, failure_persistence: None, ..Config::default() })]

    #[test]
    fn one_changed_byte_anywhere_in_an_export_is_found(
        export in 0..BOOKS.len(),
        offset in any::<prop::sample::Index>(),
        mask in 1u8..,
    ) {
        let mut file = EXPORTS[export].clone().into_bytes();
        let offset = offset.index(file.len());
        file[offset] ^= mask;
        let outcome = verify(&file);
        prop_assert!(matches!(outcome, Err(VerifyError::Fault(_))), "byte {offset}: {outcome:?}");
    }

    /// The bytes that no record's hash covers.
    #[test]
    fn one_changed_byte_outside_the_records_is_found(
        export in 0..BOOKS.len(),
        line in any::<prop::sample::Index>(),
        offset in any::<prop::sample::Index>(),
        mask in 1u8..128,
    ) {
        let lines: Vec<_> = EXPORTS[export].split_inclusive('\n').collect();
        let line = line.index(lines.len());
        let before: usize = lines[..line].iter().map(|line| line.len()).sum();
        let envelope = lines[line].find("\"record\":").unwrap_or(lines[line].len());
        let mut file = EXPORTS[export].clone().into_bytes();
        let offset = before + offset.index(envelope);
        file[offset] ^= mask;
        let outcome = verify(&file);
        prop_assert!(matches!(outcome, Err(VerifyError::Fault(_))), "byte {offset}: {outcome:?}");
    }
}
