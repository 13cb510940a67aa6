//! The keys of books and the master key that seals them.

use std::{fs, os::unix::fs::PermissionsExt, sync::Barrier, thread};

use domain::{Event, id::BookId, text::Text};
use journal::{
    KeyStore,
    keys::KeyError,
    seal::{BookKey, open, seal},
};
use rusqlite::Connection;

use crate::{names::id, writing::counting_nonces};

/// Whether what one key sealed the other opens.
fn are_the_same(one: &BookKey, other: &BookKey) -> bool {
    let book: BookId = id("any");
    let mut events = [Event::ImportStarted { import: id("a"), file_name: Text::known("x"), lines: 1 }];
    seal(one, book, 1, &mut events, &mut counting_nonces(1));
    open(Some(other), book, 1, &mut events).is_ok()
}

#[test]
fn a_key_is_made_once_and_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (home, work): (BookId, BookId) = (id("home"), id("work"));
    let made = {
        let keys = KeyStore::open(directory.path()).unwrap();
        let made = keys.of_or_new(home).unwrap();
        assert!(are_the_same(&made, &keys.of_or_new(home).unwrap()));
        assert!(!are_the_same(&made, &keys.of_or_new(work).unwrap()), "each book has its own");
        made
    };
    let keys = KeyStore::open(directory.path()).unwrap();
    assert!(are_the_same(&made, &keys.of(home).unwrap().unwrap()));
}

#[test]
fn an_unknown_book_has_no_key_until_another_process_makes_one() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(directory.path()).unwrap();
    assert!(keys.of(id("home")).unwrap().is_none());
    let made = KeyStore::open(directory.path()).unwrap().of_or_new(id("home")).unwrap();
    assert!(are_the_same(&made, &keys.of(id("home")).unwrap().unwrap()));
}

#[test]
fn all_who_ask_at_once_for_a_new_key_get_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(directory.path()).unwrap();
    for book in ["one", "two", "three", "four"] {
        let start = Barrier::new(8);
        let made: Vec<BookKey> = thread::scope(|scope| {
            let askers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        keys.of_or_new(id(book)).unwrap()
                    })
                })
                .collect();
            askers.into_iter().map(|asker| asker.join().unwrap()).collect()
        });
        assert!(made.iter().all(|key| are_the_same(&made[0], key)));
    }
}

#[test]
fn no_key_lies_in_the_store_in_the_clear() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(directory.path()).unwrap();
    let made = keys.of_or_new(id("home")).unwrap();
    let store = Connection::open(directory.path().join("keys.sqlite")).unwrap();
    let sealed: Vec<u8> = store.query_row("select sealed from book_keys", [], |row| row.get(0)).unwrap();
    assert_eq!(sealed.len(), 24 + 32 + 16, "nonce, key, tag");
    for window in sealed.windows(32) {
        assert!(!are_the_same(&made, &BookKey::new(window.try_into().unwrap())));
    }
}

#[test]
fn a_sealed_key_moved_to_another_book_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(directory.path()).unwrap();
    keys.of_or_new(id("home")).unwrap();
    keys.of_or_new(id("work")).unwrap();
    drop(keys);
    let (home, work): (BookId, BookId) = (id("home"), id("work"));
    Connection::open(directory.path().join("keys.sqlite"))
        .unwrap()
        .execute(
            "update book_keys set sealed = (select sealed from book_keys where book = ?1) where book = ?2",
            (home.as_bytes(), work.as_bytes()),
        )
        .unwrap();
    let moved = KeyStore::open(directory.path()).and_then(|keys| keys.of(work));
    assert!(matches!(moved, Err(KeyError::WrongMasterKey { book, .. }) if book == work), "{moved:?}");
}

#[test]
fn the_master_key_is_readable_by_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    KeyStore::open(directory.path()).unwrap();
    let path = directory.path().join("master.key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["keys.sqlite", "master.key"], "no draft of the key is left lying about");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn a_master_key_that_others_can_read_is_refused_with_the_fix() {
    let directory = tempfile::tempdir().unwrap();
    KeyStore::open(directory.path()).unwrap();
    let path = directory.path().join("master.key");
    for mode in [0o640, 0o604, 0o660, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refusal = KeyStore::open(directory.path()).unwrap_err();
        assert!(matches!(refusal, KeyError::MasterKeyExposed { .. }), "{mode:o}: {refusal}");
        assert!(refusal.to_string().contains(&format!("chmod 600 {}", path.display())), "{refusal}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    KeyStore::open(directory.path()).unwrap();
}

#[test]
fn a_missing_master_key_is_refused_and_never_made_anew_over_keys() {
    let directory = tempfile::tempdir().unwrap();
    KeyStore::open(directory.path()).unwrap().of_or_new(id("home")).unwrap();
    let path = directory.path().join("master.key");
    fs::rename(&path, directory.path().join("elsewhere")).unwrap();
    let refusal = KeyStore::open(directory.path()).unwrap_err();
    assert!(matches!(refusal, KeyError::MasterKeyMissing { .. }), "{refusal}");
    assert!(!path.exists());
    fs::rename(directory.path().join("elsewhere"), &path).unwrap();
    assert!(KeyStore::open(directory.path()).unwrap().of(id("home")).unwrap().is_some());
}

#[test]
fn a_wrong_master_key_is_refused_before_a_key_is_sealed_with_it() {
    let directory = tempfile::tempdir().unwrap();
    KeyStore::open(directory.path()).unwrap().of_or_new(id("home")).unwrap();
    fs::write(directory.path().join("master.key"), "ab".repeat(32)).unwrap();
    let refusal = KeyStore::open(directory.path()).unwrap_err();
    assert!(matches!(refusal, KeyError::WrongMasterKey { book, .. } if book == id("home")), "{refusal}");
}

#[test]
fn a_master_key_that_is_none_is_refused() {
    for text in ["", "abc", &"zz".repeat(32), &"ab".repeat(31), &"ab".repeat(33)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let refusal = KeyStore::open(directory.path()).unwrap_err();
        assert!(matches!(refusal, KeyError::MasterKeyMalformed { .. }), "{text:?}: {refusal}");
    }
}

#[test]
fn a_master_key_may_end_in_a_newline() {
    let directory = tempfile::tempdir().unwrap();
    KeyStore::open(directory.path()).unwrap().of_or_new(id("home")).unwrap();
    let path = directory.path().join("master.key");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n")).unwrap();
    assert!(KeyStore::open(directory.path()).unwrap().of(id("home")).unwrap().is_some());
}

#[test]
fn no_key_prints() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(directory.path()).unwrap();
    let master = fs::read_to_string(directory.path().join("master.key")).unwrap();
    let printed = format!("{keys:?}");
    assert!(printed.contains("keys.sqlite") && !printed.contains(&master), "{printed}");
}
