//! A filter means the same entries where they are listed and where they are sorted anew. Two programs answer: the list
//! asks the tables, the command asks the state of its book.

use std::{collections::BTreeSet, fmt::Write};

use chrono::Days;
use domain::{
    Command, Event, Rejection,
    command::{EntryDraft, EntryFilter, PostedTo, PostingDraft, Sorting},
    decide,
    entry::{CategoryKind, EntryKind},
    event::Weekday,
    id::{AccountId, CategoryId, Id, Kind},
    money::Currency,
    text::Text,
};
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestCaseResult};

use crate::household::{Household, day, draft, settings, split};

const PAYEES: [Option<&str>; 5] =
    [None, Some("Shop"), Some("shop"), Some("Corner Shop & Söhne"), Some("Works")];
const NOTES: [Option<&str>; 4] = [None, Some("SHOP for two"), Some("übrig"), Some("a trip")];
const TAGS: [&str; 4] = ["trip", "Trip", "weekly", "für uns"];
const WORDS: [&str; 7] = ["shop", "SÖHNE", "tr", "Über", "two", "weekly shop", "für uns trip"];
const FIRST_DAY: &str = "2026-11-01";

#[derive(Debug, Clone)]
struct Happening {
    what: usize,
    days: u64,
    account: usize,
    categories: (usize, usize),
    minor: i64,
    words: (usize, usize),
    tags: usize,
    is_removed: bool,
}

fn happening() -> impl Strategy<Value = Happening> {
    let what = (0..10usize, 0..12u64, 0..3usize, (0..6usize, 0..6usize), 2..2_000i64);
    let said = ((0..PAYEES.len(), 0..NOTES.len()), 0..16usize, prop::bool::weighted(0.15));
    (what, said).prop_map(|((what, days, account, categories, minor), (words, tags, is_removed))| Happening {
        what,
        days,
        account,
        categories,
        minor,
        words,
        tags,
        is_removed,
    })
}

/// A filter, with indices for ids.
#[derive(Debug, Clone)]
struct Wanted {
    days: (Option<u64>, Option<u64>),
    accounts: Vec<usize>,
    categories: Vec<usize>,
    category_kinds: Vec<CategoryKind>,
    kinds: Vec<EntryKind>,
    payees: Vec<&'static str>,
    tags: Vec<&'static str>,
    text: Option<&'static str>,
    currency: Option<&'static str>,
    amounts: (Option<&'static str>, Option<&'static str>),
    weekday: Option<Weekday>,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let seldom = |likelihood| prop::bool::weighted(likelihood);
    let some = |is_given: bool, values: Vec<usize>| if is_given { values } else { Vec::new() };
    let days = (option::weighted(0.3, 0..12u64), option::weighted(0.3, 0..12u64));
    let places = (seldom(0.3), vec(0..3usize, 1..3), seldom(0.4), vec(0..8usize, 1..3));
    let kinds = (
        option::weighted(0.15, select(vec![CategoryKind::Expense, CategoryKind::Income])),
        option::weighted(0.2, vec(select(EntryKind::ALL.to_vec()), 1..4)),
    );
    let payee = select(vec!["", "Shop", "shop", "Corner Shop & Söhne", "nobody"]);
    let tag = select(vec!["", "trip", "Trip", "weekly", "für uns"]);
    let said = (
        option::weighted(0.25, vec(payee, 1..3)),
        option::weighted(0.25, vec(tag, 1..3)),
        option::weighted(0.25, select(WORDS.to_vec())),
    );
    let bound = || option::weighted(0.2, select(vec!["-1", "0", "5", "9.99", "10.005", "400", "400.5"]));
    let money = (option::weighted(0.2, select(vec!["EUR", "JPY", "USD"])), (bound(), bound()));
    let weekday = option::weighted(0.1, select(Weekday::ALL.to_vec()));
    (days, places, kinds, said, money, weekday).prop_map(
        move |(days, places, kinds, said, money, weekday)| {
            let (by_account, accounts, by_category, categories) = places;
            Wanted {
                days: match days {
                    (Some(from), Some(to)) => (Some(from.min(to)), Some(from.max(to))),
                    days => days,
                },
                accounts: some(by_account, accounts),
                categories: some(by_category, categories),
                category_kinds: kinds.0.into_iter().collect(),
                kinds: kinds.1.unwrap_or_default(),
                payees: said.0.unwrap_or_default(),
                tags: said.1.unwrap_or_default(),
                text: said.2,
                currency: money.0,
                amounts: money.1,
                weekday,
            }
        },
    )
}

struct Lived {
    home: Household,
    accounts: Vec<AccountId>,
    categories: Vec<CategoryId>,
    /// Nothing is in them.
    spare: [CategoryId; 2],
}

async fn live(happenings: &[Happening]) -> Lived {
    let mut home = Household::with(settings()).await;
    let accounts = vec![
        home.account("Bank", "EUR", Some("100")),
        home.account("Cash", "EUR", None),
        home.account("Yen", "JPY", None),
    ];
    let expense = |home: &mut Household, name, parent| home.category(name, CategoryKind::Expense, parent);
    let food = expense(&mut home, "Food", None);
    let bread = expense(&mut home, "Bread", Some(food));
    let rolls = expense(&mut home, "Rolls", Some(bread));
    let rent = expense(&mut home, "Rent", None);
    let pay = home.category("Pay", CategoryKind::Income, None);
    let bonus = home.category("Bonus", CategoryKind::Income, Some(pay));
    let spare = [
        home.category("Spare", CategoryKind::Expense, None),
        home.category("Spare", CategoryKind::Income, None),
    ];
    let lived = [food, bread, rolls, rent];
    let earned = [pay, bonus];
    for happening in happenings {
        let entry = home.add(told(happening, &accounts, &lived, &earned));
        if happening.is_removed {
            home.run(Command::RemoveEntry { entry }).unwrap();
        }
    }
    home.project().await;
    Lived { home, accounts, categories: [&lived[..], &earned].concat(), spare }
}

fn told(
    happening: &Happening,
    accounts: &[AccountId],
    lived: &[CategoryId],
    earned: &[CategoryId],
) -> EntryDraft {
    let Happening { minor, account, .. } = *happening;
    let euros = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    let is_yen = account == 2;
    let amount = |minor: i64| if is_yen { minor.to_string() } else { euros(minor) };
    let (first, second) = happening.categories;
    let (spent, other) = (lived[first % 4], lived[second % 4]);
    let leg = |to, sign: &str, value: String, currency: Option<&str>| PostingDraft {
        to,
        amount: format!("{sign}{value}").parse().unwrap(),
        currency: currency.map(|code| Currency::parse(code).unwrap()),
        note: None,
    };
    let on = (day(FIRST_DAY) + Days::new(happening.days)).to_string();
    let whole = amount(minor);
    let told = |kind, sorting| draft(kind, &on, accounts[account], sorting, &whole);
    let balanced = |postings| EntryDraft {
        account: None,
        amount: None,
        postings: Some(postings),
        ..told(EntryKind::Balanced, Sorting::Unsorted)
    };
    let mut draft = match happening.what {
        0 | 1 => told(EntryKind::Expense, Sorting::Whole(spent)),
        2 | 3 => {
            let mut sorting = split(&[(spent, &amount(1)), (other, &amount(minor - 1))]);
            if let Sorting::Split(parts) = &mut sorting {
                parts[0].note = NOTES[happening.words.1].map(Text::known);
            }
            told(EntryKind::Expense, sorting)
        }
        4 => told(EntryKind::Income, Sorting::Whole(earned[first % 2])),
        5 => told(EntryKind::Refund, Sorting::Whole(spent)),
        6 => EntryDraft {
            to_account: Some(accounts[(account + 1) % 3]),
            to_amount: (account != 0).then(|| "7".parse().unwrap()),
            ..told(EntryKind::Transfer, Sorting::Unsorted)
        },
        7 => balanced(vec![
            leg(PostedTo::Account(accounts[account]), "-", amount(minor), None),
            leg(PostedTo::Category(spent), "", amount(minor - 1), None),
            leg(PostedTo::Category(earned[second % 2]), "", amount(1), None),
        ]),
        8 => balanced(vec![
            leg(PostedTo::Account(accounts[1]), "-", euros(minor), None),
            leg(PostedTo::Category(spent), "", euros(minor), Some("EUR")),
            leg(PostedTo::Account(accounts[2]), "", minor.to_string(), None),
            leg(PostedTo::Category(other), "-", minor.to_string(), Some("JPY")),
        ]),
        _ => balanced(vec![
            leg(PostedTo::Category(spent), "", euros(minor), None),
            leg(PostedTo::Category(earned[second % 2]), "-", euros(minor), None),
        ]),
    };
    draft.payee = PAYEES[happening.words.0].map(Text::known);
    draft.note = NOTES[happening.words.1].map(Text::known);
    let tags = TAGS.iter().enumerate().filter(|(index, _)| happening.tags & (1 << index) != 0);
    draft.tags = tags.map(|(_, tag)| Text::known(*tag)).collect();
    draft
}

/// The filter as the command takes it, and as the list does.
fn both_ways(wanted: &Wanted, lived: &Lived) -> (EntryFilter, String) {
    let category = |index: &usize| match index {
        0..6 => lived.categories[*index],
        index => lived.spare[index - 6],
    };
    let on = |days: Option<u64>| days.map(|days| day(FIRST_DAY) + Days::new(days));
    let filter = EntryFilter {
        from: on(wanted.days.0),
        to: on(wanted.days.1),
        accounts: wanted.accounts.iter().map(|index| lived.accounts[*index]).collect(),
        categories: wanted.categories.iter().map(category).collect(),
        category_kinds: wanted.category_kinds.clone(),
        kinds: wanted.kinds.clone(),
        payees: wanted.payees.iter().map(|payee| (*payee).to_owned()).collect(),
        tags: wanted.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        words: wanted.text.into_iter().flat_map(str::split_whitespace).map(str::to_owned).collect(),
        currency: wanted.currency.map(str::to_owned),
        amount_min: wanted.amounts.0.map(|amount| amount.parse().unwrap()),
        amount_max: wanted.amounts.1.map(|amount| amount.parse().unwrap()),
        weekday: wanted.weekday,
    };
    let mut query = String::from("limit=200");
    let mut ask = |name: &str, value: &str| {
        write!(query, "&{name}=").unwrap();
        value.bytes().for_each(|byte| write!(query, "%{byte:02X}").unwrap());
    };
    filter.from.iter().for_each(|day| ask("from", &day.to_string()));
    filter.to.iter().for_each(|day| ask("to", &day.to_string()));
    filter.accounts.iter().for_each(|id| ask("account", &id.to_string()));
    filter.categories.iter().for_each(|id| ask("category", &id.to_string()));
    filter.category_kinds.iter().for_each(|kind| ask("category_kind", kind.as_str()));
    filter.kinds.iter().for_each(|kind| ask("kind", kind.as_str()));
    filter.payees.iter().for_each(|payee| ask("payee", payee));
    filter.tags.iter().for_each(|tag| ask("tag", tag));
    wanted.text.iter().for_each(|text| ask("text", text));
    wanted.currency.iter().for_each(|code| ask("currency", code));
    wanted.amounts.0.iter().for_each(|amount| ask("amount_min", amount));
    wanted.amounts.1.iter().for_each(|amount| ask("amount_max", amount));
    wanted.weekday.iter().for_each(|weekday| ask("weekday", weekday.as_str()));
    (filter, query)
}

async fn check(lived: &Lived, wanted: &Wanted) -> TestCaseResult {
    let home = &lived.home;
    let (filter, query) = both_ways(wanted, lived);
    let listed = home.read(&format!("/entries?{query}")).await;
    prop_assert!(listed["next_cursor"].is_null());
    for (spare, kind) in [(lived.spare[0], CategoryKind::Expense), (lived.spare[1], CategoryKind::Income)] {
        let moves = |category: CategoryId| {
            let is_named = |named: &CategoryId| is_at_or_below(home, category, *named);
            home.book.categories[&category].kind == kind
                && (filter.categories.is_empty() || filter.categories.iter().any(is_named))
                && (filter.category_kinds.is_empty() || filter.category_kinds.contains(&kind))
        };
        let listed = listed["data"].as_array().unwrap().iter().filter(|entry| {
            let mut postings = entry["postings"].as_array().unwrap().iter();
            postings.any(|posting| posting["category"].as_str().is_some_and(|id| moves(id.parse().unwrap())))
        });
        let listed: BTreeSet<String> = listed.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();

        let command = Command::RecategoriseEntries { filter: filter.clone(), category: spare };
        let events = match decide(&home.book, home.owner, &command) {
            Ok(events) => events,
            Err(Rejection::NothingToChange | Rejection::FieldMissing { .. }) => Vec::new(),
            Err(rejection) => return Err(TestCaseError::fail(rejection.to_string())),
        };
        let changed: BTreeSet<String> = events.iter().filter_map(Event::entry).map(text_of).collect();
        if filter.is_empty() {
            prop_assert!(changed.is_empty());
        } else {
            prop_assert_eq!(changed, listed, "{} {:?}", query, kind);
        }
    }
    Ok(())
}

fn text_of<K: Kind>(id: Id<K>) -> String {
    id.to_string()
}

fn is_at_or_below(home: &Household, category: CategoryId, named: CategoryId) -> bool {
    let mut next = Some(category);
    while let Some(id) = next {
        if id == named {
            return true;
        }
        next = home.book.categories[&id].parent;
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_listed_is_what_is_sorted_anew(happenings in vec(happening(), 0..40), wanted in vec(wanted(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lived = live(&happenings).await;
            for wanted in &wanted {
                check(&lived, wanted).await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
