//! Random commands over small pools of names, dates and amounts, so that they collide.

use chrono::NaiveDate;
use domain::{
    Command, Event,
    command::{
        CategoryPatch, EntryDraft, EntryPatch, ImportLine, ImportStart, NewAccount, NewCategory,
        OpeningBalance, Reading, SettingsPatch, Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, EntryKind},
    event::{Role, Settings, Weekday},
    id::{AccountId, CategoryId, EntryId, Id, ImportId, Kind, UserId},
    money::{Amount, Currency, Money},
    text::Text,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    names::{amount, currency, date, id, today},
    world::World,
};

/// Stands in every text, so that a text that was not sealed can be found.
pub const MARKER: char = '¶';

fn pool<K: Kind + 'static>(letter: char, count: usize) -> impl Strategy<Value = Id<K>> + Clone {
    (0..count).prop_map(move |number| id(&format!("{letter}{number}")))
}

fn account() -> impl Strategy<Value = AccountId> + Clone {
    pool('a', 5)
}

fn category() -> impl Strategy<Value = CategoryId> + Clone {
    pool('c', 7)
}

fn entry() -> impl Strategy<Value = EntryId> + Clone {
    pool('e', 12)
}

fn import() -> impl Strategy<Value = ImportId> + Clone {
    pool('i', 3)
}

fn actor() -> impl Strategy<Value = UserId> {
    prop_oneof![
        8 => Just(id("owner")),
        4 => Just(id("editor")),
        1 => Just(id("viewer")),
        1 => Just(id("stranger")),
    ]
}

fn day() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![
        10 => select(vec![today(), date("2026-11-24"), date("2024-02-29")]),
        1 => select(vec![NaiveDate::MIN, date("0000-01-01"), date("0001-01-01"), date("9999-12-31"), NaiveDate::MAX]),
    ]
}

fn any_currency() -> impl Strategy<Value = Currency> {
    select(vec!["EUR", "EUR", "EUR", "USD", "JPY", "KWD"]).prop_map(currency)
}

fn value() -> impl Strategy<Value = Amount> + Clone {
    let usual = vec!["1", "2", "3", "12.50", "12.5", "15.50"];
    let edges = vec![
        "0",
        "0.01",
        "-1",
        "-12.50",
        "12.505",
        "10000000000000",
        "10000000000000.01",
        "9223372036854775807",
    ];
    prop_oneof![6 => select(usual), 1 => select(edges)].prop_map(amount)
}

fn text() -> impl Strategy<Value = Text> + Clone {
    prop_oneof![
        12 => select(vec!["one", "One", "two", "three"]).prop_map(|word| Text::known(format!("{MARKER}{word}"))),
        1 => Just(Text::Forgotten),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    (text(), any_currency(), select(Weekday::ALL.to_vec()), 1..=28u8).prop_map(
        |(name, currency, week_starts_on, month_starts_on)| Settings {
            name,
            currency,
            time_zone: "Europe/Berlin".to_owned(),
            week_starts_on,
            month_starts_on,
        },
    )
}

fn new_account() -> impl Strategy<Value = NewAccount> {
    let opening_balance = (entry(), value()).prop_map(|(entry, amount)| OpeningBalance { entry, amount });
    (
        account(),
        text(),
        select(AccountKind::ALL.to_vec()),
        option::of(any_currency()),
        day(),
        option::of(opening_balance),
    )
        .prop_map(|(account, name, kind, currency, opened_on, opening_balance)| NewAccount {
            account,
            name,
            kind,
            currency,
            opened_on,
            opening_balance,
        })
}

fn category_kind() -> impl Strategy<Value = CategoryKind> {
    select(vec![CategoryKind::Expense, CategoryKind::Expense, CategoryKind::Income])
}

fn new_category() -> impl Strategy<Value = NewCategory> {
    let word = || option::of(select(vec!["dots".to_owned(), "blue".to_owned()]));
    (category(), text(), category_kind(), option::of(category()), word(), word()).prop_map(
        |(category, name, kind, parent, icon, colour)| NewCategory {
            category,
            name,
            kind,
            parent,
            icon,
            colour,
        },
    )
}

fn category_patch() -> impl Strategy<Value = CategoryPatch> {
    let word = || option::of(option::of(Just("dots".to_owned())));
    (option::of(text()), option::of(option::of(category())), word(), word())
        .prop_map(|(name, parent, icon, colour)| CategoryPatch { name, parent, icon, colour })
}

fn kind() -> impl Strategy<Value = EntryKind> {
    select(EntryKind::ALL.to_vec())
}

fn sorting() -> impl Strategy<Value = Sorting> {
    let split = (category(), value(), option::of(text())).prop_map(|(category, amount, note)| SplitDraft {
        category,
        amount,
        note,
    });
    prop_oneof![
        1 => Just(Sorting::Unsorted),
        5 => category().prop_map(Sorting::Whole),
        2 => vec(split, 0..3).prop_map(Sorting::Split),
    ]
}

fn foreign() -> impl Strategy<Value = Option<Money>> {
    option::weighted(0.1, any_currency().prop_map(|currency| Money { minor: 1_500, currency }))
}

/// A draft that is often right: with the fields its kind asks for, and seldom with others.
fn draft() -> impl Strategy<Value = EntryDraft> {
    let what = (kind(), day(), account(), value(), sorting(), account());
    let told = (option::of(text()), option::of(text()), vec(text(), 0..3), option::of(entry()), foreign());
    (what, told, 0..10).prop_map(|(what, told, carelessness)| {
        let (kind, occurred_on, account, amount, sorting, to_account) = what;
        let (payee, note, tags, refund_of, foreign) = told;
        let is_careless = carelessness == 0;
        let is_sorted = kind.category_kind().is_some() || is_careless;
        EntryDraft {
            kind,
            occurred_on,
            account,
            amount,
            currency: is_careless.then(|| "EUR".to_owned()),
            sorting: if is_sorted { sorting } else { Sorting::Unsorted },
            to_account: Some(to_account).filter(|_| kind == EntryKind::Transfer || is_careless),
            payee,
            note,
            tags,
            refund_of: refund_of.filter(|_| kind == EntryKind::Refund || is_careless),
            foreign,
        }
    })
}

pub fn entry_patch() -> impl Strategy<Value = EntryPatch> {
    let what = (
        option::weighted(0.3, kind()),
        option::weighted(0.3, day()),
        option::weighted(0.3, account()),
        option::weighted(0.5, value()),
        option::weighted(0.05, Just("EUR".to_owned())),
        option::weighted(0.4, sorting()),
        option::weighted(0.3, option::of(account())),
    );
    let told = (
        option::weighted(0.3, option::of(text())),
        option::weighted(0.3, option::of(text())),
        option::weighted(0.2, vec(text(), 0..3)),
        option::weighted(0.2, option::of(entry())),
        option::weighted(0.1, foreign()),
    );
    (what, told).prop_map(|(what, told)| {
        let (kind, occurred_on, account, amount, currency, sorting, to_account) = what;
        let (payee, note, tags, refund_of, foreign) = told;
        EntryPatch {
            kind,
            occurred_on,
            account,
            amount,
            currency,
            sorting,
            to_account,
            payee,
            note,
            tags,
            refund_of,
            foreign,
        }
    })
}

fn import_line() -> impl Strategy<Value = ImportLine> {
    // Marks from a pool of their own meet each other more often than those of random drafts.
    let mark = select(vec!["x", "y", "z"]).prop_map(|word| format!("{MARKER}{word}"));
    let readable = (entry(), draft(), mark).prop_map(|(entry, draft, mark)| Reading::Entry {
        entry,
        draft: Box::new(draft),
        mark,
    });
    let unreadable =
        text().prop_map(|detail| Reading::Unreadable { code: "date_unreadable".to_owned(), detail });
    (1..100u64, prop_oneof![8 => readable, 1 => unreadable])
        .prop_map(|(line, reading)| ImportLine { line, reading })
}

fn import_lines() -> impl Strategy<Value = Command> {
    let start = (text(), 0..10u64).prop_map(|(file_name, lines)| ImportStart { file_name, lines });
    (import(), option::of(start), vec(import_line(), 0..5), any::<bool>(), prop::bool::weighted(0.1))
        .prop_map(|(import, start, lines, finish, all_or_nothing)| Command::ImportLines {
            import,
            start,
            lines,
            finish,
            all_or_nothing,
        })
}

fn create_book() -> impl Strategy<Value = Command> {
    (settings(), vec(new_account(), 0..4), vec(new_category(), 0..5))
        .prop_map(|(settings, accounts, categories)| Command::CreateBook { settings, accounts, categories })
}

fn change_book() -> impl Strategy<Value = Command> {
    (option::of(text()), option::of(1..=28u8)).prop_map(|(name, month_starts_on)| {
        Command::ChangeBook(SettingsPatch { name, month_starts_on, ..SettingsPatch::default() })
    })
}

fn command() -> impl Strategy<Value = Command> {
    let change_account = (account(), option::of(text()), option::of(select(AccountKind::ALL.to_vec())))
        .prop_map(|(account, name, kind)| Command::ChangeAccount { account, name, kind });
    prop_oneof![
        1 => create_book(),
        1 => change_book(),
        4 => new_account().prop_map(Command::OpenAccount),
        1 => change_account,
        1 => account().prop_map(|account| Command::CloseAccount { account }),
        2 => account().prop_map(|account| Command::ReopenAccount { account }),
        4 => new_category().prop_map(Command::AddCategory),
        3 => (category(), category_patch())
            .prop_map(|(category, patch)| Command::ChangeCategory { category, patch }),
        1 => category().prop_map(|category| Command::ArchiveCategory { category }),
        2 => category().prop_map(|category| Command::RestoreCategory { category }),
        14 => (entry(), draft()).prop_map(|(entry, draft)| Command::AddEntry { entry, draft }),
        10 => (entry(), entry_patch()).prop_map(|(entry, patch)| Command::CorrectEntry { entry, patch }),
        4 => entry().prop_map(|entry| Command::RemoveEntry { entry }),
        4 => entry().prop_map(|entry| Command::RestoreEntry { entry }),
        6 => import_lines(),
        3 => (import(), 0..4usize)
            .prop_map(|(import, entries_max)| Command::RevertImport { import, entries_max }),
    ]
}

pub fn steps() -> impl Strategy<Value = Vec<(UserId, Command)>> {
    vec((actor(), command()), 1..60)
}

/// A book with a member of each role, some accounts, of which one may be near what a balance can hold, and
/// some categories.
pub fn furnished() -> impl Strategy<Value = World> {
    let edge = prop_oneof![
        3 => Just(None),
        1 => select(vec![i64::MAX, i64::MAX - 1_300, -i64::MAX, -i64::MAX + 1_300]).prop_map(Some),
    ];
    edge.prop_map(|edge_minor| {
        let mut world = World::default();
        let mut events = vec![
            Event::BookCreated {
                settings: Settings {
                    name: Text::known(format!("{MARKER}Home")),
                    currency: currency("EUR"),
                    time_zone: "Europe/Berlin".to_owned(),
                    week_starts_on: Weekday::Monday,
                    month_starts_on: 1,
                },
            },
            Event::MemberAdded { user: id("owner"), role: Role::Owner },
            Event::MemberAdded { user: id("editor"), role: Role::Editor },
            Event::MemberAdded { user: id("viewer"), role: Role::Viewer },
        ];
        for name in ["a0", "a1", "a2"] {
            events.push(Event::AccountOpened {
                account: id(name),
                name: Text::known(format!("{MARKER}{name}")),
                kind: AccountKind::Bank,
                currency: currency("EUR"),
                opened_on: today(),
            });
        }
        for (name, kind) in
            [("c0", CategoryKind::Expense), ("c1", CategoryKind::Expense), ("c2", CategoryKind::Income)]
        {
            events.push(Event::CategoryAdded {
                category: id(name),
                name: Text::known(format!("{MARKER}{name}")),
                kind,
                parent: None,
                icon: None,
                colour: None,
            });
        }
        if let Some(minor) = edge_minor {
            events.push(World::hoarded(id("hoard"), id("a0"), Money { minor, currency: currency("EUR") }));
        }
        world.commit(events);
        world
    })
}
