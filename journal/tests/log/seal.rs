//! Personal text is sealed to its place, opens with its book's key only, and is nowhere in the clear.

use domain::{Event, id::BookId, text::Text};
use journal::{
    Hash,
    record::Record,
    seal::{BookKey, open, seal},
};

use crate::{
    events::one_of_each,
    names::id,
    writing::{commit, counting_nonces},
};

const MARKER: &str = "PERSONAL";

fn key() -> BookKey {
    BookKey::new([7; 32])
}

fn sealed(book: BookId, version: u64, mut events: Vec<Event>) -> Vec<Event> {
    seal(&key(), book, version, &mut events, &mut counting_nonces(version));
    events
}

fn texts(events: &[Event]) -> Vec<Text> {
    let mut texts = Vec::new();
    for mut event in events.iter().cloned() {
        event.for_each_text(&mut |text| texts.push(text.clone()));
    }
    texts
}

#[test]
fn what_was_sealed_opens_again() {
    let events = one_of_each("Bäckerei Ünal \u{1f956}\n\"2 loaves\"");
    let mut opened = sealed(id("book"), 3, events.clone());
    assert_ne!(opened, events);
    open(Some(&key()), id("book"), 3, &mut opened).unwrap();
    assert_eq!(opened, events);
}

#[test]
fn no_record_shows_a_personal_text_in_the_clear() {
    for event in one_of_each(MARKER) {
        let kind = event.type_name();
        let mut record = commit(1, "owner", 1, id("book"), 1, Hash::ZERO);
        record.events = sealed(id("book"), 1, vec![event]);
        let written = String::from_utf8(record.encode().bytes).unwrap();
        assert!(!written.contains(MARKER), "{kind} shows a personal text: {written}");
        assert!(written.contains(kind), "what is no personal text stays readable");
    }
}

#[test]
fn the_marker_would_show_if_it_were_not_sealed() {
    let mut record = commit(1, "owner", 1, id("book"), 1, Hash::ZERO);
    record.events = one_of_each(MARKER);
    let written = String::from_utf8(record.encode().bytes).unwrap();
    let marked = written.matches(MARKER).count();
    assert_eq!(marked, texts(&record.events).len(), "a personal text is not among those that get sealed");
    assert!(marked >= 15, "{marked} texts only");
}

#[test]
fn equal_texts_look_different_when_sealed() {
    let mut seen: Vec<_> = texts(&sealed(id("book"), 1, one_of_each(MARKER)));
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn a_text_moved_to_another_place_does_not_open() {
    let names = |a: &str, b: &str| {
        vec![
            Event::ImportStarted { import: id("a"), file_name: Text::known(a), lines: 1 },
            Event::ImportStarted { import: id("b"), file_name: Text::known(b), lines: 1 },
        ]
    };
    let book = id("book");
    let sealed_names = sealed(book, 1, names("first", "second"));

    let mut swapped = sealed_names.clone();
    swapped.swap(0, 1);
    assert!(open(Some(&key()), book, 1, &mut swapped).is_err(), "another place in the commit");
    assert!(open(Some(&key()), book, 2, &mut sealed_names.clone()).is_err(), "another commit");
    assert!(open(Some(&key()), id("other"), 1, &mut sealed_names.clone()).is_err(), "another book");
    let mut last_only = vec![sealed_names[1].clone()];
    assert!(open(Some(&key()), book, 1, &mut last_only).is_err(), "the first one dropped");
    open(Some(&key()), book, 1, &mut sealed_names.clone()).unwrap();
}

#[test]
fn a_wrong_key_opens_nothing_and_says_which_text() {
    let mut events = sealed(id("book"), 9, vec![one_of_each(MARKER).remove(0)]);
    let error = open(Some(&BookKey::new([8; 32])), id("book"), 9, &mut events).unwrap_err();
    let book: BookId = id("book");
    assert_eq!(error.to_string(), format!("text 0 of version 9 of {book} does not open with the book's key"));
}

#[test]
fn every_changed_letter_of_a_sealed_text_is_noticed() {
    let events = sealed(
        id("book"),
        1,
        vec![Event::ImportStarted { import: id("a"), file_name: Text::known(MARKER), lines: 1 }],
    );
    let sealed_text = texts(&events)[0].as_str().unwrap().to_owned();
    for index in 0..sealed_text.len() {
        let mut letters = sealed_text.clone().into_bytes();
        letters[index] = if letters[index] == b'A' { b'B' } else { b'A' };
        let file_name = Text::known(String::from_utf8(letters).unwrap());
        let mut changed = [Event::ImportStarted { import: id("a"), file_name, lines: 1 }];
        assert!(open(Some(&key()), id("book"), 1, &mut changed).is_err(), "letter {index}");
    }
    for broken in ["", "AAAA", "no base64!", &sealed_text[..sealed_text.len() - 4]] {
        let mut changed =
            [Event::ImportStarted { import: id("a"), file_name: Text::known(broken), lines: 1 }];
        assert!(open(Some(&key()), id("book"), 1, &mut changed).is_err(), "{broken:?}");
    }
}

#[test]
fn without_its_key_text_is_forgotten_and_everything_else_is_there() {
    let events = one_of_each(MARKER);
    let mut forgotten = sealed(id("book"), 1, events.clone());
    open(None, id("book"), 1, &mut forgotten).unwrap();
    assert!(texts(&forgotten).iter().all(|text| *text == Text::Forgotten));

    let mut expected = events;
    for event in &mut expected {
        event.for_each_text(&mut |text| *text = Text::Forgotten);
    }
    assert_eq!(forgotten, expected);
}

#[test]
fn a_forgotten_text_stays_forgotten_when_it_is_written_again() {
    let name = |file_name| Event::ImportStarted { import: id("a"), file_name, lines: 1 };
    let mut record = commit(1, "owner", 1, id("book"), 1, Hash::ZERO);
    record.events = sealed(id("book"), 1, vec![name(Text::Forgotten), name(Text::known("kept"))]);
    let Record::Commit(read) = Record::decode(&record.encode().bytes).unwrap() else { panic!("no commit") };
    let mut events = read.events;
    open(Some(&key()), id("book"), 1, &mut events).unwrap();
    assert_eq!(events, [name(Text::Forgotten), name(Text::known("kept"))]);
}

#[test]
fn a_key_does_not_print() {
    assert_eq!(format!("{:?}", key()), "BookKey([REDACTED])");
}

#[test]
fn a_key_vouches_for_its_own_words_and_purpose_only() {
    let tag = key().vouch("invitation", b"words");
    assert!(key().vouched("invitation", b"words", &tag));
    assert!(!key().vouched("invitation", b"other words", &tag));
    assert!(!key().vouched("invitationw", b"ords", &tag));
    assert!(!BookKey::new([8; 32]).vouched("invitation", b"words", &tag));
    for length in 0..tag.len() {
        assert!(!key().vouched("invitation", b"words", &tag[..length]));
    }
}
