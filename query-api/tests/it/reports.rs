//! Every figure of every report against the entries that it names, over random books.
//!
//! Each figure is held against two things: the domain's own book, from which it is worked out anew with the list of
//! its entries, and what `entries_url` lists, page by page. A seed that fails is printed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use domain::{
    Event,
    entry::{CategoryKind, Entry, EntryKind},
    event::{Settings, Weekday},
    id::{AccountId, CategoryId, EntryId},
    money::{Currency, Money},
    posting::{Ledger, Posting, Postings},
    text::Text,
};
use serde_json::Value;

use crate::household::{Household, day, settings};

const BOOKS: u64 = 12;
const ENTRIES: u64 = 90;
const PAYEES: [Option<&str>; 4] = [None, Some("Rewe"), Some("Bäckerei & Söhne"), Some("rewe")];
const TAGS: [&str; 3] = ["food", "Food & fun", "später"];

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u64) as usize]
    }
}

struct Lived {
    home: Household,
    accounts: Vec<(AccountId, Currency)>,
    expenses: Vec<CategoryId>,
    incomes: Vec<CategoryId>,
    dice: Dice,
}

fn start() -> NaiveDate {
    day("2025-06-01")
}

impl Lived {
    /// A book with trees of categories, accounts in three currencies and all kinds of entries over two years, some of
    /// them corrected, removed or removed and restored.
    async fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let week_starts_on = dice.one_of(&Weekday::ALL);
        let month_starts_on = 1 + dice.below(28) as u8 * dice.below(2) as u8;
        let home = Household::with(Settings { week_starts_on, month_starts_on, ..settings() }).await;
        let mut lived = Self { home, accounts: Vec::new(), expenses: Vec::new(), incomes: Vec::new(), dice };
        for (name, currency, opening) in [
            ("Bank", "EUR", Some("-100")),
            ("Cash", "EUR", None),
            ("Yen", "JPY", Some("5000")),
            ("Dollars", "USD", None),
        ] {
            let account = lived.home.account(name, currency, opening);
            lived.accounts.push((account, Currency::parse(currency).unwrap()));
        }
        for parent in [None, Some(0), Some(0), Some(1), None, Some(4), Some(5), None] {
            let parent = parent.map(|index: usize| lived.expenses[index]);
            let name = format!("E{}", lived.expenses.len());
            let category = lived.home.category(&name, CategoryKind::Expense, parent);
            lived.expenses.push(category);
        }
        let salary = lived.home.category("Salary", CategoryKind::Income, None);
        lived.incomes = vec![salary, lived.home.category("Bonus", CategoryKind::Income, Some(salary))];

        for _ in 0..ENTRIES {
            let id = EntryId::from_uuid(lived.home.next_id());
            let entry = lived.entry(id);
            lived.home.record("add_entry", vec![Event::EntryAdded { entry: entry.clone() }]);
            match lived.dice.below(8) {
                0 => lived.home.record("remove_entry", vec![Event::EntryRemoved { entry: id }]),
                1 => {
                    lived.home.record("remove_entry", vec![Event::EntryRemoved { entry: id }]);
                    lived.home.record("restore_entry", vec![Event::EntryRestored { entry: id }]);
                }
                2 => {
                    let (before, entry) = (Box::new(entry), Box::new(lived.entry(id)));
                    lived.home.record("correct_entry", vec![Event::EntryCorrected { entry, before }]);
                }
                _ => {}
            }
            // Some corrections and removals meet entries that the tables have already.
            if lived.dice.below(20) == 0 {
                lived.home.project().await;
            }
        }
        lived.home.project().await;
        lived
    }

    fn entry(&mut self, id: EntryId) -> Entry {
        use EntryKind::{Balanced, Expense, Income, Refund, Transfer};
        let kind =
            self.dice.one_of(&[Expense, Expense, Expense, Expense, Refund, Income, Transfer, Balanced]);
        let (account, currency) = self.dice.one_of(&self.accounts);
        let total = 10 + self.dice.below(5_000) as i64;
        let own = |minor| Posting::new(Ledger::Account(account), Money { minor, currency });
        let postings = match kind {
            Expense => [vec![own(-total)], self.sorted(true, total, currency)].concat(),
            Refund => [vec![own(total)], self.sorted(true, -total, currency)].concat(),
            Income => [vec![own(total)], self.sorted(false, -total, currency)].concat(),
            Transfer => self.transfer(account, currency, total),
            Balanced | EntryKind::OpeningBalance => self.balanced(account, currency, total),
        };
        let tags = TAGS.into_iter().filter(|_| self.dice.below(3) == 0).map(Text::known).collect();
        Entry {
            id,
            kind,
            occurred_on: start() + Days::new(self.dice.below(800)),
            postings: Postings::balanced(postings).unwrap(),
            payee: self.dice.one_of(&PAYEES).map(Text::known),
            note: None,
            tags,
            refund_of: None,
            foreign: None,
            imported: None,
        }
    }

    /// One to four parts, now and then two of them in one category.
    fn sorted(&mut self, is_expense: bool, total: i64, currency: Currency) -> Vec<Posting> {
        let parts = [1, 1, 1, 2, 2, 3, 4][self.dice.below(7) as usize];
        let mut postings = Vec::new();
        for part in 0..parts {
            let minor = if part == 0 { total - total / parts * (parts - 1) } else { total / parts };
            let categories = if is_expense { &self.expenses } else { &self.incomes };
            let category = categories[self.dice.below(categories.len() as u64) as usize];
            postings.push(Posting::new(Ledger::Category(category), Money { minor, currency }));
        }
        postings
    }

    fn transfer(&mut self, from: AccountId, currency: Currency, total: i64) -> Vec<Posting> {
        let others: Vec<_> = self.accounts.iter().copied().filter(|(account, _)| *account != from).collect();
        let (to, to_currency) = self.dice.one_of(&others);
        let out = Posting::new(Ledger::Account(from), Money { minor: -total, currency });
        if to_currency == currency {
            return vec![out, Posting::new(Ledger::Account(to), Money { minor: total, currency })];
        }
        let to_total = 10 + self.dice.below(5_000) as i64;
        let into = |minor| Money { minor, currency: to_currency };
        vec![
            out,
            Posting::new(Ledger::Account(to), into(to_total)),
            Posting::new(Ledger::Conversion, Money { minor: total, currency }),
            Posting::new(Ledger::Conversion, into(-to_total)),
        ]
    }

    /// Spent from two accounts, or earned and spent at once, or moved between categories, or in two currencies.
    fn balanced(&mut self, account: AccountId, currency: Currency, total: i64) -> Vec<Posting> {
        let money = |minor| Money { minor, currency };
        let own = |minor| Posting::new(Ledger::Account(account), money(minor));
        let (spent, earned) = (self.dice.one_of(&self.expenses), self.dice.one_of(&self.incomes));
        let in_category = |category, money| Posting::new(Ledger::Category(category), money);
        match self.dice.below(4) {
            0 => {
                let (euros, cash) = (self.accounts[0], self.accounts[1]);
                let of = |account, minor| {
                    Posting::new(Ledger::Account(account), Money { minor, currency: euros.1 })
                };
                let total_of = in_category(spent, Money { minor: total, currency: euros.1 });
                vec![of(euros.0, -total + 4), of(cash.0, -4), total_of]
            }
            1 => vec![own(total - 7), in_category(spent, money(7)), in_category(earned, money(-total))],
            2 => {
                let other = self.dice.one_of(&self.expenses);
                vec![in_category(spent, money(total)), in_category(other, money(-total))]
            }
            _ => {
                let dollars = self.accounts[3];
                let of_dollars = |minor| Money { minor, currency: dollars.1 };
                vec![
                    own(-total),
                    in_category(spent, money(total)),
                    Posting::new(Ledger::Account(dollars.0), of_dollars(-total)),
                    in_category(spent, of_dollars(total)),
                ]
            }
        }
    }

    fn below(&self, category: CategoryId) -> BTreeSet<CategoryId> {
        let is_below = |id: &CategoryId| {
            let mut next = Some(*id);
            while let Some(id) = next {
                if id == category {
                    return true;
                }
                next = self.home.book.categories[&id].parent;
            }
            false
        };
        self.home.book.categories.keys().copied().filter(is_below).collect()
    }

    fn everything(&self) -> BTreeSet<CategoryId> {
        self.home.book.categories.keys().copied().collect()
    }

    fn of_kind(&self, scope: &BTreeSet<CategoryId>, kind: CategoryKind) -> BTreeSet<CategoryId> {
        scope.iter().copied().filter(|id| self.home.book.categories[id].kind == kind).collect()
    }
}

/// Which postings make up a figure, of the entries that pass.
#[derive(Clone)]
struct Rule {
    from: NaiveDate,
    to: NaiveDate,
    counted: Counted,
    /// -1 where the figure shows what the postings have with the other sign.
    sign: i64,
    passes: Passes,
}

#[derive(Clone)]
enum Counted {
    Categories(BTreeSet<CategoryId>),
    Accounts(BTreeSet<AccountId>),
}

/// What a report was asked to look at only.
#[derive(Clone, Default)]
struct Passes {
    payee: Option<Option<String>>,
    /// `Some("")` for entries without tags.
    tags: Vec<String>,
    account: Option<AccountId>,
    weekday: Option<Weekday>,
    amount_min_minor: Option<i64>,
}

struct Figure {
    what: String,
    amount: String,
    currency: Currency,
    entries: Option<u64>,
    url: Option<String>,
    rule: Rule,
}

impl Passes {
    fn lets(&self, entry: &Entry) -> bool {
        let payee = entry.payee.as_ref().and_then(Text::as_str).map(str::to_owned);
        let tags: Vec<&str> = entry.tags.iter().filter_map(Text::as_str).collect();
        let has_tag =
            |tag: &String| if tag.is_empty() { tags.is_empty() } else { tags.contains(&tag.as_str()) };
        self.payee.as_ref().is_none_or(|asked| *asked == payee)
            && self.tags.iter().all(has_tag)
            && self.account.is_none_or(|asked| entry.accounts().any(|(account, _)| account == asked))
            && self.weekday.is_none_or(|asked| {
                Weekday::ALL[entry.occurred_on.weekday().num_days_from_monday() as usize] == asked
            })
            && self.amount_min_minor.is_none_or(|least| entry.told().minor >= least)
    }
}

impl Rule {
    /// The part of an entry that counts; `None` where nothing of it does.
    fn part(&self, postings: &[(Ledger, Money)], currency: Currency) -> Option<i64> {
        let counts = |ledger: &Ledger| match (&self.counted, ledger) {
            (Counted::Categories(scope), Ledger::Category(id)) => scope.contains(id),
            (Counted::Accounts(scope), Ledger::Account(id)) => scope.contains(id),
            _ => false,
        };
        let mut parts =
            postings.iter().filter(|(ledger, money)| counts(ledger) && money.currency == currency).peekable();
        parts.peek()?;
        Some(parts.map(|(_, money)| self.sign * money.minor).sum())
    }
}

fn money(amount: &str, currency: Currency) -> i64 {
    let minor = Money::parse_decimal(amount, currency).unwrap();
    assert_eq!(minor.decimal(), amount, "an amount shows every decimal of its currency");
    minor.minor
}

fn posted(entry: &Value) -> Vec<(Ledger, Money)> {
    let read = |posting: &Value| {
        let currency = Currency::parse(posting["currency"].as_str().unwrap()).unwrap();
        let ledger = match (posting["account"].as_str(), posting["category"].as_str()) {
            (Some(id), None) => Ledger::Account(id.parse().unwrap()),
            (None, Some(id)) => Ledger::Category(id.parse().unwrap()),
            _ => Ledger::OpeningBalances,
        };
        (ledger, Money { minor: money(posting["amount"].as_str().unwrap(), currency), currency })
    };
    entry["postings"].as_array().unwrap().iter().map(read).collect()
}

/// Whether the listed entries add up to the figure, and each of them is behind it.
fn check_listed(figure: &Figure, listed: &[Value]) -> Result<(), String> {
    let mut sum = 0;
    for entry in listed {
        match figure.rule.part(&posted(entry), figure.currency) {
            Some(part) => sum += part,
            None => return Err(format!("{}: {} is listed and has no part in it", figure.what, entry["id"])),
        }
    }
    if sum != money(&figure.amount, figure.currency) {
        return Err(format!("{}: is {}, its entries come to {sum}", figure.what, figure.amount));
    }
    match figure.entries {
        Some(entries) if entries != listed.len() as u64 => {
            Err(format!("{}: told of {entries} entries, {} are listed", figure.what, listed.len()))
        }
        _ => Ok(()),
    }
}

/// Which entries of the domain's book are behind a figure, and what they come to.
fn worked_out(lived: &Lived, figure: &Figure) -> (BTreeSet<String>, i64) {
    let rule = &figure.rule;
    let mut ids = BTreeSet::new();
    let mut sum = 0;
    for kept in lived.home.book.entries.values().filter(|kept| !kept.removed) {
        let entry = &kept.entry;
        if entry.occurred_on < rule.from || entry.occurred_on > rule.to || !rule.passes.lets(entry) {
            continue;
        }
        let postings: Vec<(Ledger, Money)> =
            entry.postings.iter().map(|posting| (posting.ledger, posting.money)).collect();
        if let Some(part) = rule.part(&postings, figure.currency) {
            ids.insert(entry.id.to_string());
            sum += part;
        }
    }
    (ids, sum)
}

async fn check(lived: &Lived, figures: &[Figure]) -> Result<(), String> {
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for figure in figures {
        let (ids, sum) = worked_out(lived, figure);
        if sum != money(&figure.amount, figure.currency) {
            return Err(format!("{}: is {}, the book says {sum}", figure.what, figure.amount));
        }
        let Some(url) = &figure.url else {
            assert!(ids.is_empty(), "{}: has entries and names none", figure.what);
            continue;
        };
        if !lists.contains_key(url.as_str()) {
            lists.insert(url, lived.home.read_all(&format!("{url}&limit=40")).await);
        }
        let listed = &lists[url.as_str()];
        check_listed(figure, listed).map_err(|fault| format!("{fault}\n{url}"))?;
        let listed: BTreeSet<String> =
            listed.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();
        if listed != ids {
            return Err(format!("{}: lists {listed:?}, the book says {ids:?}\n{url}", figure.what));
        }
    }
    Ok(())
}

/// What a report was asked for, beside its days.
#[derive(Clone)]
struct Asked {
    query: String,
    scope: BTreeSet<CategoryId>,
    passes: Passes,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn date(value: &Value) -> NaiveDate {
    text(value).parse().unwrap()
}

fn currency(value: &Value) -> Currency {
    Currency::parse(&text(value)).unwrap()
}

fn url(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

impl Lived {
    fn total(&self, what: &str, total: &Value, days: &Value, asked: &Asked) -> Vec<Figure> {
        let figure = |name: &str, kinds: &[CategoryKind], sign, entries, url_name: &str| Figure {
            what: format!("{what} {name} {} {}", days["from"], total["currency"]),
            amount: text(&total[name]),
            currency: currency(&total["currency"]),
            entries,
            url: url(&total[url_name]),
            rule: Rule {
                from: date(&days["from"]),
                to: date(&days["to"]),
                counted: Counted::Categories(
                    kinds.iter().flat_map(|kind| self.of_kind(&asked.scope, *kind)).collect(),
                ),
                sign,
                passes: asked.passes.clone(),
            },
        };
        use CategoryKind::{Expense, Income};
        vec![
            figure("income", &[Income], -1, None, "income_entries_url"),
            figure("expense", &[Expense], 1, None, "expense_entries_url"),
            figure("net", &[Income, Expense], -1, total["entries"].as_u64(), "entries_url"),
        ]
    }

    fn totals(&self, what: &str, totals: &Value, days: &Value, asked: &Asked) -> Vec<Figure> {
        let totals = totals.as_array().unwrap().iter();
        totals.flat_map(|total| self.total(what, total, days, asked)).collect()
    }

    fn group(
        &self,
        what: &str,
        group: &Value,
        kind: CategoryKind,
        by: &str,
        days: [&Value; 2],
        asked: &Asked,
    ) -> Vec<Figure> {
        let key = text(&group["key"]);
        let mut scope = self.of_kind(&asked.scope, kind);
        let mut passes = asked.passes.clone();
        match by {
            "category" => scope = self.below(key.parse().unwrap()),
            "payee" => passes.payee = Some(Some(key.clone()).filter(|key| !key.is_empty())),
            "tag" => passes.tags.push(key.clone()),
            "account" => passes.account = Some(key.parse().unwrap()),
            "weekday" => passes.weekday = Weekday::parse(&key),
            _ => {}
        }
        let figure = |name: &str, url_name: &str, days: &Value, entries| {
            // Groups of time name their days in the url only; that they are the right ones shows when all groups are
            // held against the total.
            let (from, to) = match (by, group[url_name].as_str()) {
                ("day" | "week" | "month", Some(url)) => days_of(url),
                _ => (date(&days["from"]), date(&days["to"])),
            };
            Figure {
                what: format!("{what} {name} of {key} {from} {}", group["currency"]),
                amount: text(&group[name]),
                currency: currency(&group["currency"]),
                entries,
                url: url(&group[url_name]),
                rule: Rule {
                    from,
                    to,
                    counted: Counted::Categories(scope.clone()),
                    sign: if kind == CategoryKind::Expense { 1 } else { -1 },
                    passes: passes.clone(),
                },
            }
        };
        let mut figures = vec![figure("amount", "entries_url", days[0], group["entries"].as_u64())];
        // A day that the other period does not have has no entries to name.
        if !group["previous_entries_url"].is_null() {
            figures.push(figure("previous_amount", "previous_entries_url", days[1], None));
        }
        for child in group["children"].as_array().into_iter().flatten() {
            figures.extend(self.group(what, child, kind, by, days, asked));
        }
        figures
    }

    async fn spending(
        &self,
        period: &str,
        by: &str,
        kind: CategoryKind,
        compare: &str,
        asked: &Asked,
    ) -> (Value, Vec<Figure>) {
        let what = format!("spending?{period}&group_by={by}&kind={}{compare}{}", kind.as_str(), asked.query);
        let report = self.home.read(&format!("/reports/{what}")).await;
        let days = [&report["period"], &report["compared_with"]["period"]];
        let mut figures = self.totals(&what, &report["totals"], days[0], asked);
        if !days[1].is_null() {
            figures.extend(self.totals(&what, &report["compared_with"]["totals"], days[1], asked));
        }
        for group in report["groups"].as_array().unwrap() {
            figures.extend(self.group(&what, group, kind, by, days, asked));
        }
        (report, figures)
    }

    async fn cash_flow(&self, period: &str, granularity: &str, asked: &Asked) -> (Value, Vec<Figure>) {
        let what = format!("cash-flow?{period}&granularity={granularity}{}", asked.query);
        let report = self.home.read(&format!("/reports/{what}")).await;
        let mut figures = self.totals(&what, &report["totals"], &report["period"], asked);
        for step in report["series"].as_array().unwrap() {
            figures.extend(self.totals(&what, &step["totals"], step, asked));
        }
        assert_steps(&report, granularity);
        (report, figures)
    }

    async fn net_worth(
        &self,
        period: &str,
        granularity: &str,
        only: Option<AccountId>,
        asked: &str,
    ) -> (Value, Vec<Figure>) {
        let what = format!("net-worth?{period}&granularity={granularity}{asked}");
        let report = self.home.read(&format!("/reports/{what}")).await;
        let mut figures = Vec::new();
        for step in report["series"].as_array().unwrap() {
            let to = date(&step["to"]);
            let figure = |what: String, amount: &Value, of: &Value, url_of: &Value, accounts, sign| Figure {
                what,
                amount: text(amount),
                currency: currency(of),
                entries: None,
                url: url(url_of),
                rule: Rule {
                    from: NaiveDate::MIN,
                    to,
                    counted: Counted::Accounts(accounts),
                    sign,
                    passes: Passes::default(),
                },
            };
            let mut balances: BTreeMap<String, BTreeMap<AccountId, i64>> = BTreeMap::new();
            for account in step["accounts"].as_array().unwrap() {
                let id: AccountId = text(&account["account"]).parse().unwrap();
                let minor = money(&text(&account["balance"]), currency(&account["currency"]));
                balances.entry(text(&account["currency"])).or_default().insert(id, minor);
                figures.push(figure(
                    format!("{what} {id} {to}"),
                    &account["balance"],
                    &account["currency"],
                    &account["entries_url"],
                    BTreeSet::from([id]),
                    1,
                ));
            }
            for total in step["totals"].as_array().unwrap() {
                let of_currency = balances.get(&text(&total["currency"])).cloned().unwrap_or_default();
                let side = |is_there: &dyn Fn(i64) -> bool| -> BTreeSet<AccountId> {
                    of_currency.iter().filter(|(_, minor)| is_there(**minor)).map(|(id, _)| *id).collect()
                };
                let all: BTreeSet<AccountId> = match only {
                    Some(only) => BTreeSet::from([only]),
                    None => self.accounts.iter().map(|(id, _)| *id).collect(),
                };
                for (name, url_name, accounts, sign) in [
                    ("assets", "assets_entries_url", side(&|minor| minor > 0), 1),
                    ("liabilities", "liabilities_entries_url", side(&|minor| minor < 0), -1),
                    ("net", "entries_url", all, 1),
                ] {
                    figures.push(figure(
                        format!("{what} {name} {to}"),
                        &total[name],
                        &total["currency"],
                        &total[url_name],
                        accounts,
                        sign,
                    ));
                }
            }
        }
        assert_steps(&report, granularity);
        (report, figures)
    }

    async fn statistics(&self, period: &str, asked: &Asked) -> (Value, Vec<Figure>) {
        let what = format!("statistics?{period}{}", asked.query);
        let report = self.home.read(&format!("/reports/{what}")).await;
        let mut figures = Vec::new();
        for statistics in report["statistics"].as_array().unwrap() {
            figures.extend(self.total(&what, &statistics["total"], &report["counted"], asked));
            let spent = |what: String, of: &Value, name: &str, days: &Value, weekday, entries| Figure {
                what,
                amount: text(&of[name]),
                currency: currency(&statistics["currency"]),
                entries,
                url: url(&of["entries_url"]),
                rule: Rule {
                    from: date(&days["from"]),
                    to: date(&days["to"]),
                    counted: Counted::Categories(self.of_kind(&asked.scope, CategoryKind::Expense)),
                    sign: 1,
                    passes: Passes { weekday, ..Passes::default() },
                },
            };
            let (previous, six) = (&statistics["previous"], &statistics["mean_of_six"]);
            figures.push(spent(
                format!("{what} previous"),
                previous,
                "expense",
                &previous["period"],
                None,
                None,
            ));
            figures.push(spent(format!("{what} six before"), six, "expense", six, None, None));
            let busiest = &statistics["busiest_weekday"];
            if !busiest.is_null() {
                let (weekday, entries) =
                    (Weekday::parse(&text(&busiest["weekday"])), busiest["entries"].as_u64());
                figures.push(spent(
                    format!("{what} busiest"),
                    busiest,
                    "amount",
                    &report["counted"],
                    weekday,
                    entries,
                ));
            }
        }
        (report, figures)
    }
}

fn days_of(url: &str) -> (NaiveDate, NaiveDate) {
    let parameter = |name: &str| {
        let found = url.split(['?', '&']).find_map(|part| part.strip_prefix(name)).unwrap();
        found.parse().unwrap()
    };
    (parameter("from="), parameter("to="))
}

/// The steps of a series touch each other and cover the period; whole ones begin where the book's calendar says.
fn assert_steps(report: &Value, granularity: &str) {
    let steps = report["series"].as_array().unwrap();
    assert_eq!(report["granularity"], granularity);
    assert_eq!(steps[0]["from"], report["period"]["from"]);
    assert_eq!(steps[steps.len() - 1]["to"], report["period"]["to"]);
    for pair in steps.windows(2) {
        assert_eq!(date(&pair[0]["to"]) + Days::new(1), date(&pair[1]["from"]));
    }
    for step in steps {
        let days = (date(&step["to"]) - date(&step["from"])).num_days() + 1;
        assert_eq!(step["days"], days);
    }
}

/// Every amount of the answer but the ones that are worked out of others, and every url: as many as there are figures.
fn assert_all_are_figures(report: &Value, figures: &[Figure]) {
    fn count(value: &Value, amounts: &mut usize, urls: &mut usize) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let is_amount = matches!(
                        name.as_str(),
                        "amount"
                            | "previous_amount"
                            | "income"
                            | "expense"
                            | "net"
                            | "assets"
                            | "liabilities"
                            | "balance"
                    );
                    *amounts += usize::from(is_amount);
                    *urls += usize::from(name.ends_with("entries_url") && !value.is_null());
                    // The largest expense is an entry, not a sum of entries.
                    if name != "largest_expense" {
                        count(value, amounts, urls);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| count(item, amounts, urls)),
            _ => {}
        }
    }
    let (mut amounts, mut urls) = (0, 0);
    count(report, &mut amounts, &mut urls);
    let named = figures.iter().filter(|figure| figure.url.is_some()).count();
    assert_eq!(named, urls, "every url is one that is checked");
    let unnamed = report["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|group| group["previous_entries_url"].is_null() && !group["previous_amount"].is_null());
    assert_eq!(figures.len() + unnamed.count(), amounts, "every amount is one that is checked");
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A period of some kind, or a span, somewhere in the two years.
fn some_period(dice: &mut Dice, days_max: u64) -> String {
    let on = start() + Days::new(dice.below(800));
    match dice.one_of(&["week", "month", "quarter", "year", "span"]) {
        "span" => format!("from={on}&to={}", on + Days::new(dice.below(days_max))),
        "year" if days_max < 366 => format!("period=quarter&on={on}"),
        named => format!("period={named}&on={on}"),
    }
}

fn some_filter(lived: &mut Lived, is_wide: bool) -> Asked {
    let mut asked = Asked { query: String::new(), scope: lived.everything(), passes: Passes::default() };
    match lived.dice.below(if is_wide { 8 } else { 5 }) {
        0 | 1 => {}
        2 => {
            let category = lived.dice.one_of(&lived.expenses);
            asked.query = format!("&category={category}");
            asked.scope = lived.below(category);
        }
        3 => {
            let (expense, income) = (lived.expenses[1], lived.incomes[1]);
            asked.query = format!("&category={expense}&category={income}");
            asked.scope = lived.below(expense).union(&lived.below(income)).copied().collect();
        }
        4 => {
            let (account, _) = lived.dice.one_of(&lived.accounts);
            asked.query = format!("&account={account}");
            asked.passes.account = Some(account);
        }
        5 => {
            asked.query = "&payee=Rewe".to_owned();
            asked.passes.payee = Some(Some("Rewe".to_owned()));
        }
        6 => {
            asked.query = "&tag=Food+%26+fun".to_owned();
            asked.passes.tags = vec!["Food & fun".to_owned()];
        }
        _ => {
            // In yen the same digits are a hundred times as much.
            asked.query = "&amount_min=7.5&currency=EUR".to_owned();
            asked.passes.amount_min_minor = Some(750);
        }
    }
    asked
}

fn run(seed: u64, what: &str, outcome: Result<(), String>) {
    if let Err(fault) = outcome {
        panic!("seed {seed}, {what}: {fault}");
    }
}

#[test]
fn every_figure_of_the_spending_report_is_the_sum_of_its_entries() {
    for seed in 0..BOOKS {
        block_on(async {
            let mut lived = Lived::of(seed).await;
            for kind in [CategoryKind::Expense, CategoryKind::Income] {
                for by in ["category", "payee", "account", "tag", "day", "week", "month", "weekday"] {
                    let period = some_period(&mut lived.dice, 400);
                    let compare = lived.dice.one_of(&["", "&compare=previous", "&compare=previous_year"]);
                    let asked = some_filter(&mut lived, true);
                    let (report, figures) = lived.spending(&period, by, kind, compare, &asked).await;
                    run(seed, "spending", check(&lived, &figures).await);
                    assert_all_are_figures(&report, &figures);
                }
            }
        });
    }
}

#[test]
fn every_figure_of_the_cash_flow_is_the_sum_of_its_entries() {
    for seed in 0..BOOKS {
        block_on(async {
            let mut lived = Lived::of(seed).await;
            for (granularity, days_max) in [("day", 40), ("week", 200), ("month", 700), ("year", 1200)] {
                let period = some_period(&mut lived.dice, days_max);
                let asked = some_filter(&mut lived, false);
                let (report, figures) = lived.cash_flow(&period, granularity, &asked).await;
                run(seed, "cash flow", check(&lived, &figures).await);
                assert_all_are_figures(&report, &figures);
            }
        });
    }
}

#[test]
fn every_figure_of_the_net_worth_is_the_sum_of_its_entries() {
    for seed in 0..BOOKS {
        block_on(async {
            let mut lived = Lived::of(seed).await;
            for (granularity, days_max) in [("day", 40), ("week", 200), ("month", 700), ("year", 1200)] {
                let period = some_period(&mut lived.dice, days_max);
                let only = lived.dice.one_of(&lived.accounts).0;
                let (only, asked) = match lived.dice.below(3) {
                    0 => (Some(only), format!("&account={only}")),
                    _ => (None, String::new()),
                };
                let (report, figures) = lived.net_worth(&period, granularity, only, &asked).await;
                assert_all_are_figures(&report, &figures);
                run(seed, "net worth", check(&lived, &figures).await);
            }
        });
    }
}

#[test]
fn every_figure_of_the_statistics_is_the_sum_of_its_entries() {
    for seed in 0..BOOKS {
        block_on(async {
            let mut lived = Lived::of(seed).await;
            let asked = Asked { query: String::new(), scope: lived.everything(), passes: Passes::default() };
            for _ in 0..4 {
                let period = some_period(&mut lived.dice, 400);
                let (report, figures) = lived.statistics(&period, &asked).await;
                run(seed, "statistics", check(&lived, &figures).await);
                assert_all_are_figures(&report, &figures);
            }
        });
    }
}

/// The figure with one unit more or less of its smallest.
fn off_by_one(figure: &Figure, by: i64) -> Figure {
    let minor = money(&figure.amount, figure.currency) + by;
    Figure {
        what: figure.what.clone(),
        amount: Money { minor, currency: figure.currency }.decimal(),
        currency: figure.currency,
        entries: figure.entries,
        url: figure.url.clone(),
        rule: figure.rule.clone(),
    }
}

#[test]
fn the_check_finds_a_figure_that_is_off_and_an_entry_that_is_missing_or_too_many() {
    block_on(async {
        let mut lived = Lived::of(1).await;
        let asked = Asked { query: String::new(), scope: lived.everything(), passes: Passes::default() };
        let year = "period=year&on=2026-03-01";
        let mut figures =
            lived.spending(year, "category", CategoryKind::Expense, "&compare=previous", &asked).await.1;
        figures.extend(lived.cash_flow(year, "month", &asked).await.1);
        figures.extend(lived.net_worth(year, "month", None, "").await.1);
        figures.extend(lived.statistics(year, &asked).await.1);
        assert_eq!(check(&lived, &figures).await, Ok(()));
        for figure in &figures {
            for by in [-1, 1] {
                assert!(
                    check(&lived, &[off_by_one(figure, by)]).await.is_err(),
                    "{} off by {by}",
                    figure.what
                );
            }
        }

        let mut dropped = 0;
        for figure in figures.iter().filter(|figure| figure.url.is_some()) {
            let listed = lived.home.read_all(figure.url.as_ref().unwrap()).await;
            for index in 0..listed.len() {
                let mut fewer = listed.clone();
                let entry = fewer.remove(index);
                // An entry whose parts cancel each other out is missed by the count alone.
                if figure.rule.part(&posted(&entry), figure.currency) != Some(0) {
                    assert!(check_listed(figure, &fewer).is_err(), "{} without {}", figure.what, entry["id"]);
                    dropped += 1;
                }
            }
        }
        assert!(dropped > 100);

        // An entry that only moves money is behind no expense.
        let moved =
            lived.home.read_all(&format!("/api/v1/books/{}/entries?kind=transfer", lived.home.id)).await;
        let spent = figures.iter().find(|figure| figure.what.contains(" expense ")).unwrap();
        let mut more = lived.home.read_all(spent.url.as_ref().unwrap()).await;
        more.push(moved[0].clone());
        assert!(check_listed(spent, &more).is_err());

        // What was said of the tables is said of another book: one more expense that nobody projected.
        let id = EntryId::from_uuid(lived.home.next_id());
        let (account, currency) = lived.accounts[0];
        let money = |minor| Money { minor, currency };
        let postings = vec![
            Posting::new(Ledger::Account(account), money(-1)),
            Posting::new(Ledger::Category(lived.expenses[0]), money(1)),
        ];
        let mut entry = lived.entry(id);
        entry.occurred_on = day("2026-03-01");
        entry.postings = Postings::balanced(postings).unwrap();
        lived.home.record("add_entry", vec![Event::EntryAdded { entry }]);
        assert!(check(&lived, &figures).await.is_err());
    });
}

#[test]
fn statistics_are_what_the_days_of_the_book_say() {
    for seed in 0..BOOKS {
        block_on(async {
            let mut lived = Lived::of(seed).await;
            let asked = Asked { query: String::new(), scope: lived.everything(), passes: Passes::default() };
            for _ in 0..4 {
                let period = some_period(&mut lived.dice, 400);
                let (report, _) = lived.statistics(&period, &asked).await;
                let (from, to) = (date(&report["counted"]["from"]), date(&report["counted"]["to"]));
                let today = day("2026-11-23");
                let end = date(&report["period"]["to"]);
                let is_running = date(&report["period"]["from"]) <= today && today <= end;
                assert_eq!(to, if is_running { today } else { end });
                for statistics in report["statistics"].as_array().unwrap() {
                    assert_statistics(&lived, statistics, from, to);
                }
            }
        });
    }
}

/// Everything worked out by hand, day by day and entry by entry.
fn assert_statistics(lived: &Lived, statistics: &Value, from: NaiveDate, to: NaiveDate) {
    let currency = currency(&statistics["currency"]);
    let expenses = lived.of_kind(&lived.everything(), CategoryKind::Expense);
    let minor = |amount: &Value| money(amount.as_str().unwrap(), currency);
    let spent_by = |entry: &Entry| -> Option<i64> {
        let mut parts = entry
            .categories()
            .filter(|(id, money)| expenses.contains(id) && money.currency == currency)
            .peekable();
        parts.peek()?;
        Some(parts.map(|(_, money)| money.minor).sum())
    };
    let live = || lived.home.book.entries.values().filter(|kept| !kept.removed).map(|kept| &kept.entry);
    let within = || live().filter(|entry| (from..=to).contains(&entry.occurred_on));

    let mut days: Vec<i64> = Vec::new();
    let mut next = from;
    while next <= to {
        days.push(within().filter(|entry| entry.occurred_on == next).filter_map(spent_by).sum());
        next = next + Days::new(1);
    }
    let spent: i64 = days.iter().sum();
    let half_up = |numerator: i64, by: i64| (numerator as f64 / by as f64 + 0.5).floor() as i64;
    let count = days.len() as i64;
    assert_eq!(minor(&statistics["daily_mean"]), half_up(spent, count));
    assert_eq!(statistics["days_without_spending"], days.iter().filter(|minor| **minor <= 0).count());
    days.sort_unstable();
    let middle = days.len() / 2;
    let median = if days.len() % 2 == 1 { days[middle] } else { half_up(days[middle - 1] + days[middle], 2) };
    assert_eq!(minor(&statistics["daily_median"]), median);

    let largest = within()
        .filter(|entry| entry.kind == EntryKind::Expense && entry.told().currency == currency)
        .max_by_key(|entry| (entry.told().minor, entry.occurred_on, entry.id));
    assert_eq!(
        statistics["largest_expense"]["entry"]["id"].as_str().map(str::to_owned),
        largest.map(|entry| entry.id.to_string())
    );
    if let Some(largest) = largest {
        assert_eq!(minor(&statistics["largest_expense"]["amount"]), largest.told().minor);
    }

    let of_weekday = |number: u32| {
        let entries = within().filter(|entry| entry.occurred_on.weekday().num_days_from_monday() == number);
        let parts: Vec<i64> = entries.filter_map(spent_by).collect();
        (parts.len(), parts.iter().sum::<i64>())
    };
    let busiest = (0..7).map(of_weekday).max().unwrap();
    match statistics["busiest_weekday"]["weekday"].as_str() {
        None => assert_eq!(busiest.0, 0),
        Some(weekday) => {
            let number = Weekday::ALL.iter().position(|day| day.as_str() == weekday).unwrap() as u32;
            assert_eq!(of_weekday(number), busiest);
        }
    }

    let income = minor(&statistics["total"]["income"]);
    match statistics["savings_rate"].as_f64() {
        None => assert!(income <= 0),
        Some(rate) => assert!((rate - (income - spent) as f64 / income as f64).abs() <= 0.000_050_1),
    }
    let six = minor(&statistics["mean_of_six"]["expense"]);
    assert_eq!(minor(&statistics["mean_of_six"]["mean"]), half_up(six, 6));
    assert_eq!(minor(&statistics["mean_of_six"]["change"]), spent - half_up(six, 6));
    let previous = minor(&statistics["previous"]["expense"]);
    assert_eq!(minor(&statistics["previous"]["change"]), spent - previous);
}
