//! What becomes of a book whose personal text is forgotten.

use domain::{
    Book, Event, Recorded,
    entry::{AccountKind, CategoryKind, Entry, EntryKind, Imported},
    event::{
        AccountWords, CategoryWords, JudgedLine, Recategorised, RefusedItem, Role, Settings, Verdict, Weekday,
    },
    posting::{Ledger, Posting, Postings},
    text::Text,
};

use crate::{
    names::{currency, euros, id, text, today},
    world::through_json,
};

const MARKER: &str = "a person's own words";

/// One event of each kind, with every text it can have.
fn one_of_each() -> Vec<Event> {
    let name = || text(MARKER);
    let settings = Settings {
        name: name(),
        currency: currency("EUR"),
        time_zone: "Europe/Berlin".to_owned(),
        week_starts_on: Weekday::Monday,
        month_starts_on: 1,
    };
    let note = |posting: Posting| Posting { note: Some(name()), ..posting };
    let postings = vec![
        note(Posting::new(Ledger::Account(id("cash")), euros("-3"))),
        note(Posting::new(Ledger::Category(id("food")), euros("1"))),
        note(Posting::new(Ledger::Category(id("food")), euros("2"))),
    ];
    let entry = Entry {
        id: id("lunch"),
        kind: EntryKind::Expense,
        occurred_on: today(),
        postings: Postings::balanced(postings).unwrap(),
        payee: Some(name()),
        note: Some(name()),
        tags: vec![name(), name()],
        refund_of: None,
        foreign: None,
        imported: Some(Imported { import: id("file"), line: 1, mark: name() }),
    };
    let (account, category, import) = (id("cash"), id("food"), id("file"));
    let invitation = id("letter");
    let before = Some(Box::new(entry.clone()));
    let mirror = Verdict::MirrorOf { entry: entry.id, mark: name(), before };
    let refused = Verdict::Refused { code: "date_unreadable".to_owned(), detail: name() };
    vec![
        Event::BookCreated { settings: settings.clone() },
        Event::BookChanged { settings: settings.clone(), before: settings },
        Event::InvitationMade {
            invitation,
            email: name(),
            role: Role::Editor,
            expires_at: chrono::DateTime::UNIX_EPOCH,
        },
        Event::InvitationWithdrawn { invitation },
        Event::InvitationAccepted { invitation },
        Event::MemberAdded { user: id("olga"), role: Role::Owner },
        Event::MemberRoleChanged { user: id("olga"), role: Role::Editor, before: Role::Owner },
        Event::MemberRemoved { user: id("olga"), before: Role::Editor },
        Event::AccountOpened {
            account,
            name: name(),
            kind: AccountKind::Cash,
            currency: currency("EUR"),
            opened_on: today(),
        },
        Event::AccountChanged {
            account,
            name: name(),
            kind: AccountKind::Bank,
            before: AccountWords { name: name(), kind: AccountKind::Cash },
        },
        Event::AccountClosed { account },
        Event::AccountReopened { account },
        Event::AccountWithdrawn { account },
        Event::AccountReinstated { account },
        Event::CategoryAdded {
            category,
            name: name(),
            kind: CategoryKind::Expense,
            parent: None,
            icon: None,
            colour: None,
        },
        Event::CategoryChanged {
            category,
            name: name(),
            parent: None,
            icon: None,
            colour: None,
            before: CategoryWords { name: name(), parent: None, icon: None, colour: None },
        },
        Event::CategoryArchived { category },
        Event::CategoryRestored { category },
        Event::CategoryMerged { category, into: id("home"), was_archived: false },
        Event::CategoryUnmerged { category, into: id("home"), archived: false },
        Event::CategoryWithdrawn { category },
        Event::CategoryReinstated { category },
        Event::ImportStarted { import, file_name: name(), lines: 2 },
        Event::EntryAdded { entry: entry.clone() },
        Event::ImportLinesJudged {
            import,
            lines: vec![
                JudgedLine { line: 1, verdict: Verdict::Taken { entry: entry.id } },
                JudgedLine { line: 2, verdict: refused },
                JudgedLine { line: 3, verdict: Verdict::DuplicateOf { entry: entry.id } },
                JudgedLine { line: 4, verdict: mirror },
            ],
        },
        Event::ImportFinished { import },
        Event::EntryRemoved { entry: entry.id },
        Event::EntryRestored { entry: entry.id },
        Event::EntryRecategorised {
            entry: entry.id,
            postings: vec![Recategorised { posting: 1, from: category, to: id("home") }],
        },
        Event::EntryCorrected { entry: Box::new(entry.clone()), before: Box::new(entry) },
        Event::BulkRefused {
            refused: vec![RefusedItem {
                index: 0,
                code: "field_missing".to_owned(),
                detail: name(),
                pointer: None,
            }],
        },
        Event::ImportReverted { import, complete: true },
        Event::ImportReinstated { import },
        Event::CommitUndone { version: 1 },
    ]
}

fn forgotten(event: &Event) -> Event {
    let mut event = event.clone();
    event.for_each_text(&mut |text| *text = Text::Forgotten);
    event
}

fn book_of(events: &[Event]) -> Book {
    let recorded = Recorded { version: 1, at: chrono::DateTime::UNIX_EPOCH };
    let mut book = Book::default();
    events.iter().for_each(|event| book.evolve(event, recorded));
    book
}

#[test]
fn no_text_of_an_event_stays_behind_when_it_is_forgotten() {
    for event in one_of_each() {
        let with_texts = serde_json::to_string(&event).unwrap();
        let mut visited = 0;
        event.clone().for_each_text(&mut |_| visited += 1);
        assert_eq!(with_texts.matches(MARKER).count(), visited, "{with_texts}");

        let without = serde_json::to_string(&forgotten(&event)).unwrap();
        assert!(!without.contains(MARKER), "{without}");
    }
}

#[test]
fn a_forgotten_text_is_read_as_forgotten_and_not_as_missing() {
    for event in one_of_each() {
        assert_eq!(through_json(&event), event);
        assert_eq!(through_json(&forgotten(&event)), forgotten(&event));
    }
    let json = r#"{"type":"account_changed.v1","data":{"account":"acc_01h455vb4pex5vsknk084sn02q","name":null,"kind":"cash","before":{"name":"Purse","kind":"cash"}}}"#;
    let Event::AccountChanged { name, .. } = serde_json::from_str(json).unwrap() else { panic!("{json}") };
    assert_eq!(name, Text::Forgotten);
}

#[test]
fn the_name_of_an_event_is_the_one_it_is_written_with() {
    for event in one_of_each() {
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.type_name());
    }
}

#[test]
fn forgetting_keeps_every_balance() {
    let told: Vec<Event> = one_of_each();
    let silent: Vec<Event> = told.iter().map(forgotten).collect();
    let (told, silent) = (book_of(&told), book_of(&silent));
    assert_eq!(told.accounts[&id("cash")].balance_minor, -300);
    assert_eq!(silent.accounts[&id("cash")].balance_minor, -300);
    assert_eq!(silent.entries.len(), told.entries.len());
}

#[test]
fn two_things_whose_names_are_forgotten_are_not_taken_for_one_another() {
    assert!(!Text::Forgotten.reads_as(&Text::Forgotten));
    assert!(text("Café").reads_as(&text("CAFÉ")));
}
