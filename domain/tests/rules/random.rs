//! Random commands over small pools of names, dates and amounts, so that they collide.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    Command, Event,
    command::{
        BulkEntry, CategoryPatch, EntryDraft, EntryFilter, EntryPatch, ImportChart, ImportLine, ImportStart,
        NewAccount, NewCategory, OpeningBalance, PostedTo, PostingDraft, Reading, SettingsPatch, Side, Sides,
        Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, EntryKind},
    event::{RefusedItem, Role, Settings, Weekday},
    id::{AccountId, CategoryId, EntryId, Id, ImportId, InvitationId, Kind, UserId},
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
    // Some are there more often than others, so that several commands meet in one.
    prop_oneof![2 => pool('e', 3), 1 => pool('e', 12)]
}

fn import() -> impl Strategy<Value = ImportId> + Clone {
    pool('i', 3)
}

fn invitation() -> impl Strategy<Value = InvitationId> + Clone {
    pool('l', 2)
}

fn user() -> impl Strategy<Value = UserId> + Clone {
    select(vec!["owner", "editor", "viewer", "stranger"]).prop_map(id)
}

fn role() -> impl Strategy<Value = Role> + Clone {
    select(vec![Role::Viewer, Role::Editor, Role::Owner])
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> + Clone {
    (0..10i64).prop_map(|days| DateTime::UNIX_EPOCH + TimeDelta::days(days))
}

fn actor() -> impl Strategy<Value = UserId> {
    prop_oneof![
        8 => Just(id("owner")),
        4 => Just(id("editor")),
        1 => Just(id("viewer")),
        2 => Just(id("stranger")),
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

/// Two legs that balance, or some that may not.
fn legs() -> impl Strategy<Value = Vec<PostingDraft>> {
    let posted_to = || prop_oneof![1 => account().prop_map(PostedTo::Account), 1 => category().prop_map(PostedTo::Category)];
    let leg = |to, value: &str| PostingDraft { to, amount: amount(value), currency: None, note: None };
    let pair = (posted_to(), posted_to(), select(vec![("-2", "2"), ("-3", "3"), ("-12.50", "12.50")]))
        .prop_map(move |(from, to, (left, arrived))| vec![leg(from, left), leg(to, arrived)]);
    let any = (posted_to(), value(), option::of(any_currency()), option::of(text()))
        .prop_map(|(to, amount, currency, note)| PostingDraft { to, amount, currency, note });
    prop_oneof![6 => pair, 1 => vec(any, 0..4)]
}

/// A draft that is often right: with the fields its kind asks for, and seldom with others.
fn draft() -> impl Strategy<Value = EntryDraft> {
    let what = (kind(), day(), account(), value(), sorting(), account());
    let told = (option::of(text()), option::of(text()), vec(text(), 0..3), option::of(entry()), foreign());
    let more = (option::weighted(0.1, value()), legs());
    (what, told, more, 0..10).prop_map(|(what, told, (to_amount, legs), carelessness)| {
        let (kind, occurred_on, account, amount, sorting, to_account) = what;
        let (payee, note, tags, refund_of, foreign) = told;
        let is_careless = carelessness == 0;
        let is_sorted = kind.category_kind().is_some() || is_careless;
        EntryDraft {
            kind,
            occurred_on,
            account: Some(account).filter(|_| kind != EntryKind::Balanced || is_careless),
            amount: Some(amount).filter(|_| kind != EntryKind::Balanced || is_careless),
            currency: is_careless.then(|| "EUR".to_owned()),
            sorting: if is_sorted { sorting } else { Sorting::Unsorted },
            to_account: Some(to_account).filter(|_| kind == EntryKind::Transfer || is_careless),
            to_amount: to_amount.filter(|_| kind == EntryKind::Transfer || is_careless),
            postings: Some(legs).filter(|_| kind == EntryKind::Balanced || is_careless),
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
    let more = (option::weighted(0.1, option::of(value())), option::weighted(0.1, legs()));
    (what, told, more).prop_map(|(what, told, (to_amount, postings))| {
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
            to_amount,
            postings,
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
    let transfer =
        (entry(), account(), account(), select(vec!["2", "3", "12.50"]), any::<bool>(), option::of(text()))
            .prop_map(|(entry, account, other_account, value, is_out, payee)| {
                let (from, to) = if is_out { (account, other_account) } else { (other_account, account) };
                let minor = amount(value).in_currency(currency("EUR")).expect("an amount of euros").minor;
                let minor = if is_out { -minor } else { minor };
                let told = EntryDraft::told(EntryKind::Transfer, today(), from, amount(value));
                Reading::Transfer {
                    entry,
                    draft: Box::new(EntryDraft { to_account: Some(to), payee, ..told }),
                    mark: format!("{MARKER}{account}{minor}"),
                    sides: Sides {
                        own: Side { account, occurred_on: today(), minor, days_max: 3 },
                        other_account,
                        other_minor: -minor,
                        unsorted: vec![id("c0"), id("c2")],
                    },
                }
            });
    let unreadable =
        text().prop_map(|detail| Reading::Unreadable { code: "date_unreadable".to_owned(), detail });
    (1..100u64, prop_oneof![8 => readable, 2 => transfer, 1 => unreadable])
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

fn start_import() -> impl Strategy<Value = Command> {
    let chart = (
        vec(new_account(), 0..2),
        vec(new_category(), 0..3),
        any::<bool>(),
        option::weighted(0.1, settings()),
    );
    (import(), text(), chart).prop_map(|(import, file_name, (accounts, categories, is_over, settings))| {
        let closed = accounts.iter().filter(|_| is_over).map(|new| new.account).collect();
        let archived = categories.iter().filter(|_| is_over).map(|new| new.category).collect();
        let chart = ImportChart { settings, accounts, closed, categories, archived };
        Command::StartImport { import, start: ImportStart { file_name, lines: 3 }, chart }
    })
}

fn add_entries() -> impl Strategy<Value = Command> {
    let unreadable = text().prop_map(|detail| RefusedItem {
        index: 9,
        code: "field_missing".to_owned(),
        detail,
        pointer: None,
    });
    (vec((entry(), draft()), 0..4), option::weighted(0.1, unreadable), any::<bool>()).prop_map(
        |(entries, unreadable, all_or_nothing)| {
            let item = |(index, (entry, draft))| BulkEntry { index, entry, draft };
            let entries = entries.into_iter().enumerate().map(item).collect();
            Command::AddEntries { entries, unreadable: unreadable.into_iter().collect(), all_or_nothing }
        },
    )
}

fn recategorise() -> impl Strategy<Value = Command> {
    let payee = select(vec!["one", "two"]).prop_map(|word| format!("{MARKER}{word}"));
    (vec(category(), 0..2), vec(account(), 0..2), vec(payee, 0..2), category()).prop_map(
        |(categories, accounts, payees, category)| Command::RecategoriseEntries {
            filter: EntryFilter { categories, accounts, payees, ..EntryFilter::default() },
            category,
        },
    )
}

fn membership() -> impl Strategy<Value = Command> {
    let invite =
        (invitation(), text(), role(), instant()).prop_map(|(invitation, email, role, expires_at)| {
            Command::InviteMember { invitation, email, role, expires_at }
        });
    prop_oneof![
        4 => invite,
        1 => invitation().prop_map(|invitation| Command::WithdrawInvitation { invitation }),
        4 => (invitation(), instant())
            .prop_map(|(invitation, at)| Command::AcceptInvitation { invitation, at }),
        2 => (user(), role()).prop_map(|(user, role)| Command::ChangeMember { user, role }),
        1 => user().prop_map(|user| Command::RemoveMember { user }),
    ]
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
        2 => start_import(),
        4 => add_entries(),
        3 => recategorise(),
        3 => (category(), category()).prop_map(|(category, into)| Command::MergeCategory { category, into }),
        5 => membership(),
        12 => (0..16u64).prop_map(|version| Command::Undo { version, commit: None }),
    ]
}

/// Commands that a book like a furnished one most often takes, about few things, so that they meet.
fn plausible() -> impl Strategy<Value = Command> {
    let entry = || pool('e', 3);
    let account = || pool('a', 4);
    let category = || pool('c', 5);
    let expense = (pool('e', 4), pool('a', 3), pool('c', 2), value(), option::of(text())).prop_map(
        |(entry, account, category, amount, payee)| {
            let told = EntryDraft::told(EntryKind::Expense, today(), account, amount);
            let draft = EntryDraft { sorting: Sorting::Whole(category), payee, ..told };
            Command::AddEntry { entry, draft }
        },
    );
    let halves = (category(), category()).prop_map(|(one, other)| {
        let half = |category| SplitDraft { category, amount: amount("1"), note: None };
        EntryPatch {
            amount: Some(amount("2")),
            sorting: Some(Sorting::Split(vec![half(one), half(other)])),
            ..EntryPatch::default()
        }
    });
    let patch = prop_oneof![
        2 => option::of(text()).prop_map(|payee| EntryPatch { payee: Some(payee), ..EntryPatch::default() }),
        2 => value().prop_map(|amount| EntryPatch { amount: Some(amount), ..EntryPatch::default() }),
        2 => category().prop_map(|category| EntryPatch {
            sorting: Some(Sorting::Whole(category)),
            ..EntryPatch::default()
        }),
        1 => account().prop_map(|account| EntryPatch { account: Some(account), ..EntryPatch::default() }),
        1 => halves,
    ];
    let opening = option::of((pool('e', 8), value()));
    let new_account = (pool('a', 5), text(), opening).prop_map(|(account, name, opening)| {
        let opening_balance = opening.map(|(entry, amount)| OpeningBalance { entry, amount });
        let (kind, currency) = (AccountKind::Cash, None);
        Command::OpenAccount(NewAccount {
            account,
            name,
            kind,
            currency,
            opened_on: today(),
            opening_balance,
        })
    });
    let new_category = (pool('c', 7), text(), option::of(category())).prop_map(|(category, name, parent)| {
        let (kind, icon, colour) = (CategoryKind::Expense, None, None);
        Command::AddCategory(NewCategory { category, name, kind, parent, icon, colour })
    });
    let moved = (category(), option::of(category())).prop_map(|(category, parent)| Command::ChangeCategory {
        category,
        patch: CategoryPatch { parent: Some(parent), ..CategoryPatch::default() },
    });
    let renamed = (category(), text()).prop_map(|(category, name)| Command::ChangeCategory {
        category,
        patch: CategoryPatch { name: Some(name), ..CategoryPatch::default() },
    });
    prop_oneof![
        10 => expense,
        10 => (entry(), patch).prop_map(|(entry, patch)| Command::CorrectEntry { entry, patch }),
        4 => entry().prop_map(|entry| Command::RemoveEntry { entry }),
        4 => entry().prop_map(|entry| Command::RestoreEntry { entry }),
        3 => new_account,
        2 => (account(), text()).prop_map(|(account, name)| Command::ChangeAccount {
            account,
            name: Some(name),
            kind: None,
        }),
        4 => new_category,
        3 => moved,
        2 => renamed,
        2 => category().prop_map(|category| Command::ArchiveCategory { category }),
        2 => category().prop_map(|category| Command::RestoreCategory { category }),
        2 => (category(), category()).prop_map(|(category, into)| Command::MergeCategory { category, into }),
        2 => recategorise(),
        3 => import_lines(),
        1 => start_import(),
        3 => (import(), 1..4usize)
            .prop_map(|(import, entries_max)| Command::RevertImport { import, entries_max }),
        12 => (2..14u64).prop_map(|version| Command::Undo { version, commit: None }),
    ]
}

pub fn short_life() -> impl Strategy<Value = Vec<(UserId, Command)>> {
    let plausible = (prop_oneof![9 => Just(id("owner")), 1 => Just(id("editor"))], plausible());
    vec(prop_oneof![5 => plausible, 1 => (actor(), command())], 8..30)
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
