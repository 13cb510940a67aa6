//! Properties of figures and lists, over random books.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use domain::{
    Command,
    book::KeptEntry,
    command::{EntryPatch, Sorting},
    entry::{CategoryKind, EntryKind},
    event::{Settings, Weekday},
    id::{AccountId, CategoryId, EntryId},
    text::Text,
};
use proptest::{prelude::*, test_runner::TestCaseResult};
use serde_json::Value;

use crate::household::{Household, day, draft, settings, split};

#[derive(Debug, Clone)]
struct Happening {
    kind: EntryKind,
    days: u64,
    account: usize,
    category: usize,
    other: usize,
    minor: i64,
    is_split: bool,
    payee: usize,
    tags: u8,
    afterwards: Afterwards,
}

#[derive(Debug, Clone)]
enum Afterwards {
    Kept,
    Removed,
    RemovedAndRestored,
    Moved { days: u64, minor: i64 },
}

const PAYEES: [Option<&str>; 4] = [None, Some("Rewe"), Some("Bäckerei & Söhne"), Some("rewe")];
const TAGS: [&str; 3] = ["food", "Food & fun", "später"];

fn happening() -> impl Strategy<Value = Happening> {
    use EntryKind::{Expense, Income, Refund, Transfer};
    let kind = prop::sample::select(vec![Expense, Expense, Expense, Income, Refund, Transfer]);
    let afterwards = prop_oneof![
        4 => Just(Afterwards::Kept),
        1 => Just(Afterwards::Removed),
        1 => Just(Afterwards::RemovedAndRestored),
        1 => (0u64..800, 2i64..5_000).prop_map(|(days, minor)| Afterwards::Moved { days, minor }),
    ];
    let where_and_what = (0usize..3, 0usize..8, 0usize..8, 2i64..5_000);
    (kind, 0u64..800, where_and_what, any::<bool>(), 0usize..4, 0u8..8, afterwards).prop_map(
        |(kind, days, (account, category, other, minor), is_split, payee, tags, afterwards)| Happening {
            kind,
            days,
            account,
            category,
            other,
            minor,
            is_split,
            payee,
            tags,
            afterwards,
        },
    )
}

struct Lived {
    home: Household,
    accounts: Vec<AccountId>,
    expenses: Vec<CategoryId>,
}

fn start() -> NaiveDate {
    day("2025-06-01")
}

async fn live(settings: Settings, happenings: &[Happening]) -> Lived {
    let mut home = Household::with(settings).await;
    let accounts = vec![
        home.account("Bank", "EUR", Some("100")),
        home.account("Cash", "EUR", None),
        home.account("Yen", "JPY", None),
    ];
    let mut expenses = Vec::new();
    for parent in [None, Some(0), Some(0), Some(1), None, Some(4), Some(5), None] {
        let parent = parent.map(|index: usize| expenses[index]);
        expenses.push(home.category(&format!("E{}", expenses.len()), CategoryKind::Expense, parent));
    }
    let salary = home.category("I0", CategoryKind::Income, None);
    let bonus = home.category("I1", CategoryKind::Income, Some(salary));

    for happening in happenings {
        let account = accounts[happening.account];
        let decimals = if happening.account == 2 { 0 } else { 2 };
        let amount = |minor: i64| match decimals {
            0 => minor.to_string(),
            _ => format!("{}.{:02}", minor / 100, minor % 100),
        };
        let (first, second) = match happening.kind {
            EntryKind::Income => {
                ([salary, bonus][happening.category % 2], [salary, bonus][happening.other % 2])
            }
            _ => (expenses[happening.category], expenses[happening.other]),
        };
        let sorting = match happening.kind {
            EntryKind::Transfer => Sorting::Unsorted,
            _ if happening.is_split => {
                let part = happening.minor / 2;
                split(&[(first, &amount(part)), (second, &amount(happening.minor - part))])
            }
            _ => Sorting::Whole(first),
        };
        let on = (start() + Days::new(happening.days)).to_string();
        let mut told = draft(happening.kind, &on, account, sorting, &amount(happening.minor));
        told.payee = PAYEES[happening.payee].map(Text::known);
        let tags = TAGS.iter().enumerate().filter(|(index, _)| happening.tags & (1 << index) != 0);
        told.tags = tags.map(|(_, tag)| Text::known(*tag)).collect();
        if happening.kind == EntryKind::Transfer {
            told.account = Some(accounts[0]);
            told.to_account = Some(accounts[1]);
            told.amount = Some(happening.minor.to_string().parse().unwrap());
        }
        let entry = home.add(told);
        match &happening.afterwards {
            Afterwards::Kept => {}
            Afterwards::Removed => home.run(Command::RemoveEntry { entry }).unwrap(),
            Afterwards::RemovedAndRestored => {
                home.run(Command::RemoveEntry { entry }).unwrap();
                home.run(Command::RestoreEntry { entry }).unwrap();
            }
            Afterwards::Moved { days, minor } => {
                let is_sorted = happening.kind != EntryKind::Transfer;
                let patch = EntryPatch {
                    occurred_on: Some(start() + Days::new(*days)),
                    amount: Some(amount(*minor).parse().unwrap()).filter(|_| is_sorted),
                    sorting: is_sorted.then_some(Sorting::Whole(second)),
                    ..EntryPatch::default()
                };
                home.run(Command::CorrectEntry { entry, patch }).unwrap();
            }
        }
    }
    home.project().await;
    Lived { home, accounts, expenses }
}

fn books() -> impl Strategy<Value = (Settings, Vec<Happening>)> {
    let calendar = (0usize..7, prop::sample::select(vec![1u8, 25, 28]));
    (calendar, prop::collection::vec(happening(), 0..40)).prop_map(
        |((weekday, month_starts_on), happenings)| {
            let week_starts_on = Weekday::ALL[weekday];
            (Settings { week_starts_on, month_starts_on, ..settings() }, happenings)
        },
    )
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn minor_of(amount: &Value, decimals: u32) -> i64 {
    let text = amount.as_str().unwrap();
    let unit = 10i64.pow(decimals);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    whole.parse::<i64>().unwrap() * unit + sign * fraction.parse::<i64>().unwrap()
}

fn decimals_of(currency: &Value) -> u32 {
    if currency == "JPY" { 0 } else { 2 }
}

/// What the entries that the group names come to, held against the group; and so down its children.
async fn check_group(
    home: &Household,
    group: &Value,
    kind: CategoryKind,
    scope: &BTreeSet<CategoryId>,
) -> TestCaseResult {
    let decimals = decimals_of(&group["currency"]);
    let scope = match group["key"].as_str().unwrap().parse::<CategoryId>() {
        Ok(category) => below(home, category),
        Err(_) => scope.clone(),
    };
    let entries = home.read_all(group["entries_url"].as_str().unwrap()).await;
    let postings = entries.iter().flat_map(|entry| entry["postings"].as_array().unwrap());
    let mut sum = 0;
    let mut own = 0;
    for posting in postings {
        let Some(category) = posting["category"].as_str() else { continue };
        let id: CategoryId = category.parse().unwrap();
        if !scope.contains(&id) || home.book.categories[&id].kind != kind {
            continue;
        }
        let minor = minor_of(&posting["amount"], decimals);
        let usual = if kind == CategoryKind::Expense { minor } else { -minor };
        sum += usual;
        if group["key"] == category {
            own += usual;
        }
    }
    let amount = minor_of(&group["amount"], decimals);
    prop_assert_eq!(sum, amount, "{}", group);
    prop_assert_eq!(entries.len() as u64, group["entries"].as_u64().unwrap(), "{}", group);
    let Some(children) = group["children"].as_array() else { return Ok(()) };
    for child in children {
        Box::pin(check_group(home, child, kind, &scope)).await?;
    }
    let of_children: i64 = children.iter().map(|child| minor_of(&child["amount"], decimals)).sum();
    prop_assert_eq!(own + of_children, amount, "a parent is its own and its children's: {}", group);
    Ok(())
}

fn below(home: &Household, category: CategoryId) -> BTreeSet<CategoryId> {
    let is_below = |id: &CategoryId| {
        let mut next = Some(*id);
        while let Some(id) = next {
            if id == category {
                return true;
            }
            next = home.book.categories[&id].parent;
        }
        false
    };
    home.book.categories.keys().copied().filter(is_below).collect()
}

fn without_urls(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !name.ends_with("entries_url"));
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_figure_is_the_sum_of_the_entries_it_names(
        (settings, happenings) in books(),
        period in prop::sample::select(vec!["period=week", "period=month", "period=quarter", "period=year", "span"]),
        on in 0u64..800,
        filter in 0usize..6,
    ) {
        block_on(async {
            let Lived { home, accounts, expenses } = live(settings, &happenings).await;
            let on = start() + Days::new(on);
            let period = match period {
                "span" => format!("from={}&to={}", on, on + Days::new(200)),
                named => format!("{named}&on={on}"),
            };
            let everything: BTreeSet<CategoryId> = home.book.categories.keys().copied().collect();
            let (filter, scope) = match filter {
                0 => (String::new(), everything),
                1 => (format!("&category={}", expenses[1]), below(&home, expenses[1])),
                2 => (format!("&account={}", accounts[0]), everything),
                3 => ("&payee=Rewe&payee=".to_owned(), everything),
                4 => ("&tag=Food+%26+fun".to_owned(), everything),
                _ => ("&amount_min=3.5&amount_max=4000".to_owned(), everything),
            };
            for kind in [CategoryKind::Expense, CategoryKind::Income] {
                for group_by in ["category", "payee", "account", "tag", "day", "week", "month", "weekday"] {
                    let path = format!("/reports/spending?{period}{filter}&group_by={group_by}&kind={}", kind.as_str());
                    let report = home.read(&path).await;
                    let mut by_currency: BTreeMap<String, i64> = BTreeMap::new();
                    for group in report["groups"].as_array().unwrap() {
                        check_group(&home, group, kind, &scope).await?;
                        let currency = group["currency"].as_str().unwrap().to_owned();
                        *by_currency.entry(currency).or_default() +=
                            minor_of(&group["amount"], decimals_of(&group["currency"]));
                    }
                    for total in report["totals"].as_array().unwrap() {
                        let decimals = decimals_of(&total["currency"]);
                        let of_kind = minor_of(&total[kind.as_str()], decimals);
                        let of_groups = by_currency.get(total["currency"].as_str().unwrap()).copied().unwrap_or(0);
                        // An entry with two tags is in two groups.
                        if group_by != "tag" {
                            prop_assert_eq!(of_kind, of_groups, "{}", path);
                        }
                        let net = minor_of(&total["income"], decimals) - minor_of(&total["expense"], decimals);
                        prop_assert_eq!(net, minor_of(&total["net"], decimals));
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_sums_of_days_say_what_the_entries_say((settings, happenings) in books(), on in 0u64..800) {
        block_on(async {
            let Lived { home, expenses, .. } = live(settings, &happenings).await;
            let on = start() + Days::new(on);
            for group_by in ["category", "day", "week", "month", "weekday"] {
                for filter in [String::new(), format!("&category={}", expenses[0]), "&currency=EUR".to_owned()] {
                    let path = format!(
                        "/reports/spending?period=year&on={on}{filter}&group_by={group_by}&compare=previous",
                    );
                    let from_sums = home.read(&path).await;
                    // No amount is less, but the sums know no amounts of entries.
                    let from_entries = home.read(&format!("{path}&amount_min=0")).await;
                    prop_assert_eq!(without_urls(from_sums), without_urls(from_entries));
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_is_compared_with_is_the_other_periods_own_report(
        (settings, happenings) in books(),
        period in prop::sample::select(vec!["week", "month", "quarter", "year"]),
        compare in prop::sample::select(vec!["previous", "previous_year"]),
        group_by in prop::sample::select(vec!["category", "payee", "account", "tag", "weekday"]),
        on in 0u64..800,
    ) {
        block_on(async {
            let Lived { home, .. } = live(settings, &happenings).await;
            let on = start() + Days::new(on);
            let query = format!("period={period}&group_by={group_by}");
            let report = home.read(&format!("/reports/spending?{query}&on={on}&compare={compare}")).await;
            let other = &report["compared_with"];
            let (from, to) = (other["period"]["from"].as_str().unwrap(), other["period"]["to"].as_str().unwrap());
            let own = home.read(&format!("/reports/spending?from={from}&to={to}&group_by={group_by}")).await;
            prop_assert_eq!(&other["totals"], &own["totals"]);

            let amounts = |report: &Value, field: &str| -> BTreeMap<(String, String), i64> {
                let mut open: Vec<Value> = report["groups"].as_array().unwrap().clone();
                let mut found = BTreeMap::new();
                while let Some(mut group) = open.pop() {
                    if let Some(Value::Array(children)) = group.get_mut("children").map(Value::take) {
                        open.extend(children);
                    }
                    let text = |name: &str| group[name].as_str().unwrap().to_owned();
                    let minor = minor_of(&group[field], decimals_of(&group["currency"]));
                    found.insert((text("key"), text("currency")), minor);
                }
                found
            };
            let mut before = amounts(&report, "previous_amount");
            before.retain(|_, minor| *minor != 0);
            let mut expected = amounts(&own, "amount");
            expected.retain(|_, minor| *minor != 0);
            prop_assert_eq!(before, expected);
            let (now, changes) = (amounts(&report, "amount"), amounts(&report, "change"));
            let before = amounts(&report, "previous_amount");
            for (key, minor) in now {
                prop_assert_eq!(changes[&key], minor - before[&key]);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_list_visits_each_entry_once_and_in_order(
        (settings, happenings) in books(),
        limit in 1u16..9,
        filter in 0usize..10,
        sort in prop::sample::select(vec!["newest", "oldest", "amount"]),
    ) {
        block_on(async {
            let Lived { home, accounts, expenses } = live(settings, &happenings).await;
            let subtree = below(&home, expenses[0]);
            let both = below(&home, expenses[4]);
            type Fits<'f> = Box<dyn Fn(&KeptEntry) -> bool + 'f>;
            let touches = |kept: &KeptEntry, account: AccountId| kept.entry.accounts().any(|(id, _)| id == account);
            let sorted_to = |kept: &KeptEntry, scope: &BTreeSet<CategoryId>| {
                kept.entry.categories().any(|(id, _)| scope.contains(&id))
            };
            let payee = |kept: &KeptEntry| kept.entry.payee.as_ref().and_then(Text::as_str).map(str::to_owned);
            let (query, fits): (String, Fits) = match filter {
                0 => (String::new(), Box::new(|_| true)),
                1 => (format!("category={}", expenses[0]), Box::new(|kept| sorted_to(kept, &subtree))),
                2 => (format!("account={}", accounts[1]), Box::new(|kept| touches(kept, accounts[1]))),
                3 => (
                    format!("category={}&account={}&account={}", expenses[0], accounts[0], accounts[2]),
                    Box::new(|kept| {
                        sorted_to(kept, &subtree) && (touches(kept, accounts[0]) || touches(kept, accounts[2]))
                    }),
                ),
                4 => ("kind=refund&kind=income".to_owned(), Box::new(|kept| {
                    matches!(kept.entry.kind, EntryKind::Refund | EntryKind::Income)
                })),
                5 => ("payee=Rewe&payee=".to_owned(), Box::new(|kept| {
                    payee(kept).is_none_or(|payee| payee == "Rewe")
                })),
                6 => ("text=REWE".to_owned(), Box::new(|kept| {
                    payee(kept).is_some_and(|payee| payee.to_lowercase() == "rewe")
                })),
                7 => ("tag=food&tag=sp%C3%A4ter".to_owned(), Box::new(|kept| {
                    ["food", "später"].iter().all(|tag| kept.entry.tags.contains(&Text::known(*tag)))
                })),
                8 => ("from=2025-09-01&to=2026-02-28&amount_min=5".to_owned(), Box::new(|kept| {
                    let money = kept.entry.told();
                    let unit = 10i64.pow(u32::from(money.currency.decimals()));
                    (day("2025-09-01")..=day("2026-02-28")).contains(&kept.entry.occurred_on) && money.minor >= 5 * unit
                })),
                _ => (
                    format!("category={}&category={}", expenses[0], expenses[4]),
                    Box::new(|kept| sorted_to(kept, &subtree) || sorted_to(kept, &both)),
                ),
            };
            let is_removed = filter == 0 && limit % 2 == 0;
            let mut expected: Vec<&KeptEntry> =
                home.book.entries.values().filter(|kept| kept.removed == is_removed && fits(kept)).collect();
            expected.sort_by_key(|kept| (kept.entry.occurred_on, kept.entry.id));
            match sort {
                "newest" => expected.reverse(),
                "amount" => {
                    expected.reverse();
                    expected.sort_by_key(|kept| {
                        let money = kept.entry.told();
                        (money.currency.code().to_owned(), std::cmp::Reverse(money.minor))
                    });
                }
                _ => {}
            }
            let expected: Vec<EntryId> = expected.into_iter().map(|kept| kept.entry.id).collect();
            let path = format!(
                "/api/v1/books/{}/entries?{query}&sort={sort}&limit={limit}&removed={is_removed}", home.id,
            );
            let listed = home.read_all(&path).await;
            let listed: Vec<EntryId> =
                listed.iter().map(|entry| entry["id"].as_str().unwrap().parse().unwrap()).collect();
            prop_assert_eq!(listed, expected, "{}", path);
            Ok(())
        })?;
    }
}
