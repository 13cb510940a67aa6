//! Which entries a filter means, and what stands beside each other in a bulk.

use domain::{
    Command, Event, Rejection,
    command::{BulkEntry, EntryDraft, EntryFilter, Sorting},
    decide,
    entry::{CategoryKind, EntryKind},
    event::Weekday,
    id::EntryId,
};

use crate::{
    names::{amount, date, id, name_of, today},
    script::run_step,
    world::World,
};

/// Entries of every sort; `spare` is a category of each kind that nothing is in.
fn household() -> World {
    let mut world = World::default();
    for step in [
        "book EUR",
        "account cash",
        "account bank",
        "account yen currency=JPY",
        "category food",
        "category bread below=food",
        "category home",
        "category spare",
        "category pay kind=income",
        "category gifts kind=income",
        "expense shop cash 5 for=food payee=Shop note=milk tags=weekly,big on=2026-11-23",
        "expense bakery bank 2.50 for=bread payee=Bakery tags=weekly on=2026-11-22",
        "expense split cash 12 for=bread:2+home:10 payee=Shop on=2026-10-31",
        "refund back cash 5 for=food payee=shop",
        "income pay bank 2000 for=pay payee=Works on=2026-11-01",
        "transfer moved cash 5 to=bank",
        "expense sushi yen 900 for=food",
        "balanced slip legs=bank:100+pay:-120+home:20",
        "balanced both legs=cash:-5+food:5:EUR+yen:700+food:-700:JPY",
        "expense gone cash 5 for=food payee=Shop",
        "remove gone",
    ] {
        assert_eq!(run_step(&mut world, step), "ok", "{step}");
    }
    world
}

/// The entries that the filter sorts into the category, in alphabetical order.
fn sorted_into(world: &World, category: &str, filter: EntryFilter) -> Vec<String> {
    let command = Command::RecategoriseEntries { filter, category: id(category) };
    let events = match decide(&world.book, id("olga"), &command) {
        Ok(events) => events,
        Err(Rejection::NothingToChange) => Vec::new(),
        Err(rejection) => panic!("{rejection}"),
    };
    let mut names: Vec<String> = events.iter().filter_map(Event::entry).map(name_of).collect();
    names.sort();
    names
}

#[track_caller]
fn check(filter: EntryFilter, expected: &[&str]) {
    assert_eq!(sorted_into(&household(), "spare", filter.clone()), expected, "{filter:?}");
}

fn nothing() -> EntryFilter {
    EntryFilter::default()
}

#[test]
fn a_filter_means_what_fits_everything_that_is_given() {
    let all = ["back", "bakery", "both", "shop", "slip", "split", "sushi"];
    check(EntryFilter { from: Some(date("0001-01-01")), ..nothing() }, &all);
    check(
        EntryFilter { from: Some(date("2026-11-23")), ..nothing() },
        &["back", "both", "shop", "slip", "sushi"],
    );
    check(EntryFilter { to: Some(date("2026-11-22")), ..nothing() }, &["bakery", "split"]);
    let day = Some(date("2026-11-22"));
    check(EntryFilter { from: day, to: day, ..nothing() }, &["bakery"]);
    check(EntryFilter { weekday: Some(Weekday::Sunday), ..nothing() }, &["bakery"]);
    check(EntryFilter { weekday: Some(Weekday::Saturday), ..nothing() }, &["split"]);
    check(EntryFilter { accounts: vec![id("bank")], ..nothing() }, &["bakery", "slip"]);
    check(
        EntryFilter { accounts: vec![id("bank"), id("yen")], ..nothing() },
        &["bakery", "both", "slip", "sushi"],
    );
    check(EntryFilter { kinds: vec![EntryKind::Refund, EntryKind::Transfer], ..nothing() }, &["back"]);
    check(EntryFilter { payees: vec!["Shop".to_owned()], ..nothing() }, &["shop", "split"]);
    check(EntryFilter { payees: vec![String::new()], ..nothing() }, &["both", "slip", "sushi"]);
    check(EntryFilter { tags: vec!["weekly".to_owned()], ..nothing() }, &["bakery", "shop"]);
    check(EntryFilter { tags: vec!["weekly".to_owned(), "big".to_owned()], ..nothing() }, &["shop"]);
    check(
        EntryFilter { tags: vec![String::new()], accounts: vec![id("cash")], ..nothing() },
        &["back", "both", "split"],
    );
    check(EntryFilter { words: vec!["SHO".to_owned()], ..nothing() }, &["back", "shop", "split"]);
    check(
        EntryFilter { words: vec!["shop".to_owned(), "MILK".to_owned(), "week".to_owned()], ..nothing() },
        &["shop"],
    );
    check(EntryFilter { words: vec!["nowhere".to_owned()], ..nothing() }, &[]);
}

#[test]
fn a_category_means_those_below_it_too_and_an_amount_each_currency_for_itself() {
    check(
        EntryFilter { categories: vec![id("food")], ..nothing() },
        &["back", "bakery", "both", "shop", "split", "sushi"],
    );
    check(EntryFilter { categories: vec![id("bread")], ..nothing() }, &["bakery", "split"]);
    // What the filter names is what moves, and income does not go to a category for expenses.
    let income = EntryFilter { category_kinds: vec![CategoryKind::Income], ..nothing() };
    check(income.clone(), &[]);
    assert_eq!(sorted_into(&household(), "gifts", income), ["pay", "slip"]);
    let income_of_food =
        EntryFilter { categories: vec![id("food")], category_kinds: vec![CategoryKind::Income], ..nothing() };
    check(income_of_food, &[]);
    check(EntryFilter { amount_min: Some(amount("5.01")), ..nothing() }, &["slip", "split", "sushi"]);
    check(EntryFilter { amount_max: Some(amount("5")), ..nothing() }, &["back", "bakery", "both", "shop"]);
    let about = |least, most| EntryFilter {
        amount_min: Some(amount(least)),
        amount_max: Some(amount(most)),
        ..nothing()
    };
    check(about("2.5", "2.500000"), &["bakery"]);
    check(about("899.999", "900.001"), &["sushi"]);
    check(about("-5", "0"), &[]);
    check(EntryFilter { currency: Some("JPY".to_owned()), ..nothing() }, &["both", "sushi"]);
    let cash =
        |code: &str| EntryFilter { accounts: vec![id("cash")], currency: Some(code.to_owned()), ..nothing() };
    check(cash("JPY"), &[]);
    check(cash("EUR"), &["back", "both", "shop", "split"]);
}

#[test]
fn only_what_is_in_a_category_of_the_same_kind_is_sorted_anew() {
    let world = household();
    let all = EntryFilter { from: Some(date("0001-01-01")), ..nothing() };
    assert_eq!(sorted_into(&world, "gifts", all.clone()), ["pay", "slip"]);
    // What is there already does not change.
    assert_eq!(sorted_into(&world, "home", all), ["back", "bakery", "both", "shop", "split", "sushi"]);

    let filter = EntryFilter { categories: vec![id("bread")], ..nothing() };
    let command = Command::RecategoriseEntries { filter, category: id("spare") };
    let events = decide(&world.book, id("olga"), &command).unwrap();
    let moved: Vec<(String, Vec<usize>)> = events
        .iter()
        .filter_map(|event| match event {
            Event::EntryRecategorised { entry, postings } => {
                Some((name_of(*entry), postings.iter().map(|part| part.posting).collect()))
            }
            _ => None,
        })
        .collect();
    // Of the split the part that was named, and not the one for the home.
    assert_eq!(moved, [("bakery".to_owned(), vec![1]), ("split".to_owned(), vec![1])]);
}

#[test]
fn a_refund_finds_a_purchase_that_stands_before_it_in_the_bulk() {
    let mut world = household();
    let item = |index, name: &str, kind, refund_of: Option<EntryId>| BulkEntry {
        index,
        entry: id(name),
        draft: EntryDraft {
            sorting: Sorting::Whole(id("food")),
            refund_of,
            ..EntryDraft::told(kind, today(), id("cash"), amount("5"))
        },
    };
    let purchase = |index| item(index, "bought", EntryKind::Expense, None);
    let refund = |index, of: &str| item(index, "refunded", EntryKind::Refund, Some(id(of)));
    let bulk = |entries: [BulkEntry; 2]| Command::AddEntries {
        entries: entries.to_vec(),
        unreadable: vec![],
        all_or_nothing: true,
    };
    for entries in [[refund(0, "bought"), purchase(1)], [purchase(0), refund(1, "back")]] {
        let refused = world.execute(id("olga"), &bulk(entries)).unwrap_err();
        assert!(
            matches!(&refused, Rejection::BulkRefused { faults } if faults[0].code == "unknown_refund_of"),
            "{refused}"
        );
    }
    world.execute(id("olga"), &bulk([purchase(0), refund(1, "bought")])).unwrap();
    world.check();
}
