//! One event of every kind, every optional field filled.

use chrono::DateTime;
use domain::{
    Event,
    entry::{AccountKind, CategoryKind, Entry, EntryKind, Imported},
    event::{
        AccountWords, CategoryWords, JudgedLine, Recategorised, RefusedItem, Role, Settings, Verdict, Weekday,
    },
    posting::{Ledger, Posting, Postings},
    text::Text,
};

use crate::names::{currency, date, id, money};

/// One event of every kind; every personal text in them reads `text`.
pub fn one_of_each(text: &str) -> Vec<Event> {
    std::iter::successors(event_after(None, text), |event| event_after(Some(event), text)).collect()
}

/// A new kind of event does not compile until it is given its place here: put it at the end of the row.
fn event_after(event: Option<&Event>, text: &str) -> Option<Event> {
    let text = || Text::known(text);
    let next = match event {
        None => Event::BookCreated { settings: settings(text()) },
        Some(Event::BookCreated { .. }) => {
            Event::BookChanged { settings: settings(text()), before: settings(text()) }
        }
        Some(Event::BookChanged { .. }) => Event::MemberAdded { user: id("ben"), role: Role::Editor },
        Some(Event::MemberAdded { .. }) => Event::AccountOpened {
            account: id("wallet"),
            name: text(),
            kind: AccountKind::Cash,
            currency: currency("EUR"),
            opened_on: date("2026-01-01"),
        },
        Some(Event::AccountOpened { .. }) => {
            let before = AccountWords { name: text(), kind: AccountKind::Cash };
            Event::AccountChanged { account: id("wallet"), name: text(), kind: AccountKind::Bank, before }
        }
        Some(Event::AccountChanged { .. }) => Event::AccountClosed { account: id("wallet") },
        Some(Event::AccountClosed { .. }) => Event::AccountReopened { account: id("wallet") },
        Some(Event::AccountReopened { .. }) => Event::CategoryAdded {
            category: id("bread"),
            name: text(),
            kind: CategoryKind::Expense,
            parent: Some(id("food")),
            icon: Some("bread".to_owned()),
            colour: Some("#c08040".to_owned()),
        },
        Some(Event::CategoryAdded { .. }) => Event::CategoryChanged {
            category: id("bread"),
            name: text(),
            parent: Some(id("food")),
            icon: Some("loaf".to_owned()),
            colour: Some("#804020".to_owned()),
            before: CategoryWords {
                name: text(),
                parent: Some(id("food")),
                icon: Some("bread".to_owned()),
                colour: Some("#c08040".to_owned()),
            },
        },
        Some(Event::CategoryChanged { .. }) => Event::CategoryArchived { category: id("bread") },
        Some(Event::CategoryArchived { .. }) => Event::CategoryRestored { category: id("bread") },
        Some(Event::CategoryRestored { .. }) => Event::EntryAdded { entry: split_expense(text()) },
        Some(Event::EntryAdded { .. }) => Event::EntryCorrected {
            entry: Box::new(opening_balance()),
            before: Box::new(split_expense(text())),
        },
        Some(Event::EntryCorrected { .. }) => Event::EntryRemoved { entry: id("dinner") },
        Some(Event::EntryRemoved { .. }) => Event::EntryRestored { entry: id("dinner") },
        Some(Event::EntryRestored { .. }) => {
            Event::ImportStarted { import: id("march"), file_name: text(), lines: 3 }
        }
        Some(Event::ImportStarted { .. }) => {
            Event::ImportLinesJudged { import: id("march"), lines: judged(text()) }
        }
        Some(Event::ImportLinesJudged { .. }) => Event::ImportFinished { import: id("march") },
        Some(Event::ImportFinished { .. }) => Event::ImportReverted { import: id("march"), complete: true },
        Some(Event::ImportReverted { .. }) => Event::ImportReinstated { import: id("march") },
        Some(Event::ImportReinstated { .. }) => Event::InvitationMade {
            invitation: id("letter"),
            email: text(),
            role: Role::Editor,
            expires_at: DateTime::from_timestamp_millis(1_800_000_000_123).unwrap(),
        },
        Some(Event::InvitationMade { .. }) => Event::InvitationWithdrawn { invitation: id("letter") },
        Some(Event::InvitationWithdrawn { .. }) => Event::InvitationAccepted { invitation: id("letter") },
        Some(Event::InvitationAccepted { .. }) => {
            Event::MemberRoleChanged { user: id("ben"), role: Role::Owner, before: Role::Editor }
        }
        Some(Event::MemberRoleChanged { .. }) => {
            Event::MemberRemoved { user: id("ben"), before: Role::Owner }
        }
        Some(Event::MemberRemoved { .. }) => Event::AccountWithdrawn { account: id("wallet") },
        Some(Event::AccountWithdrawn { .. }) => Event::AccountReinstated { account: id("wallet") },
        Some(Event::AccountReinstated { .. }) => Event::CategoryWithdrawn { category: id("bread") },
        Some(Event::CategoryWithdrawn { .. }) => Event::CategoryReinstated { category: id("bread") },
        Some(Event::CategoryReinstated { .. }) => {
            Event::CategoryMerged { category: id("bread"), into: id("food"), was_archived: true }
        }
        Some(Event::CategoryMerged { .. }) => {
            Event::CategoryUnmerged { category: id("bread"), into: id("food"), archived: true }
        }
        Some(Event::CategoryUnmerged { .. }) => Event::EntryRecategorised {
            entry: id("dinner"),
            postings: vec![Recategorised { posting: 1, from: id("bread"), to: id("food") }],
        },
        Some(Event::EntryRecategorised { .. }) => Event::BulkRefused { refused: refused(text()) },
        Some(Event::BulkRefused { .. }) => Event::CommitUndone { version: 1 },
        Some(Event::CommitUndone { .. }) => return None,
    };
    Some(next)
}

fn settings(name: Text) -> Settings {
    Settings {
        name,
        currency: currency("EUR"),
        time_zone: "Europe/Berlin".to_owned(),
        week_starts_on: Weekday::Monday,
        month_starts_on: 25,
    }
}

fn split_expense(text: Text) -> Entry {
    let part = |category: &str, amount: &str| Posting {
        ledger: Ledger::Category(id(category)),
        money: money(amount, "EUR"),
        note: Some(text.clone()),
    };
    let paid = Posting {
        ledger: Ledger::Account(id("wallet")),
        money: money("-12.50", "EUR"),
        note: Some(text.clone()),
    };
    Entry {
        id: id("dinner"),
        kind: EntryKind::Expense,
        occurred_on: date("2026-03-01"),
        postings: Postings::balanced(vec![paid, part("bread", "2.50"), part("wine", "10.00")]).unwrap(),
        payee: Some(text.clone()),
        note: Some(text.clone()),
        tags: vec![text.clone(), text.clone()],
        refund_of: Some(id("lunch")),
        foreign: Some(money("1250", "JPY")),
        imported: Some(Imported { import: id("march"), line: 2, mark: text }),
    }
}

/// The shortest entry there is: every optional field missing.
fn opening_balance() -> Entry {
    let postings = vec![
        Posting::new(Ledger::Account(id("wallet")), money("100.00", "EUR")),
        Posting::new(Ledger::OpeningBalances, money("-100.00", "EUR")),
    ];
    Entry {
        id: id("opening"),
        kind: EntryKind::OpeningBalance,
        occurred_on: date("2026-01-01"),
        postings: Postings::balanced(postings).unwrap(),
        payee: None,
        note: None,
        tags: Vec::new(),
        refund_of: None,
        foreign: None,
        imported: None,
    }
}

fn refused(detail: Text) -> Vec<RefusedItem> {
    let code = "too_many_decimals".to_owned();
    let pointed_at = Some("/splits/0/amount".to_owned());
    vec![
        RefusedItem { index: 0, code: code.clone(), detail: detail.clone(), pointer: pointed_at },
        RefusedItem { index: 2, code, detail, pointer: None },
    ]
}

fn judged(detail: Text) -> Vec<JudgedLine> {
    let before = Some(Box::new(split_expense(detail.clone())));
    let mirror = Verdict::MirrorOf { entry: id("dinner"), mark: detail.clone(), before };
    vec![
        JudgedLine { line: 1, verdict: Verdict::Taken { entry: id("dinner") } },
        JudgedLine { line: 2, verdict: Verdict::DuplicateOf { entry: id("lunch") } },
        JudgedLine { line: 3, verdict: Verdict::Refused { code: "date_invalid".to_owned(), detail } },
        JudgedLine { line: 4, verdict: mirror },
    ]
}
