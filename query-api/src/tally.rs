//! Adding up cells into figures. Pure: no rows, no requests. Two currencies never meet in one figure.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use domain::{
    entry::CategoryKind,
    event::Weekday,
    id::{AccountId, CategoryId, EntryId},
    money::{Currency, Money},
};
use read_model::queries::{categories::Tree, spending::Cell};
use serde::Serialize;
use utoipa::ToSchema;

use crate::periods::{Calendar, PeriodKind, Span, weekday_number, weekday_of};

/// Money and the entries it is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Positive when money went the usual way: spent on an expense, received as income.
    pub minor: i64,
    counted: i64,
    named: HashSet<EntryId>,
}

impl Sum {
    fn add_cell(&mut self, cell: &Cell, kind: CategoryKind) {
        let usual = match kind {
            CategoryKind::Expense => cell.amount_minor,
            CategoryKind::Income => cell.amount_minor.saturating_neg(),
        };
        self.minor = self.minor.saturating_add(usual);
        self.counted += cell.entries;
        self.named.extend(cell.entry);
    }

    fn add(&mut self, other: &Sum) {
        self.minor = self.minor.saturating_add(other.minor);
        self.counted += other.counted;
        self.named.extend(&other.named);
    }

    pub fn entries(&self) -> u64 {
        u64::try_from(self.counted).unwrap_or(0) + self.named.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.entries() == 0
    }
}

/// What came in and went out in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Total {
    pub currency: String,
    #[schema(example = "2500.00")]
    pub income: String,
    /// What was spent, less refunds.
    pub expense: String,
    /// Income less expense.
    pub net: String,
    pub entries: u64,
}

/// Totals by currency, the book's own first and always there.
pub fn totals(tree: &Tree, cells: &[Cell], own: Currency) -> Vec<Total> {
    let mut sums: HashMap<Currency, (Sum, Sum)> = HashMap::new();
    for cell in cells {
        let Some(category) = tree.get(cell.category) else { continue };
        let (income, expense) = sums.entry(cell.currency).or_default();
        match category.kind {
            CategoryKind::Income => income.add_cell(cell, category.kind),
            CategoryKind::Expense => expense.add_cell(cell, category.kind),
        }
    }
    sums.entry(own).or_default();
    let mut totals: Vec<_> = sums.into_iter().collect();
    totals.sort_by_key(|(currency, _)| (*currency != own, *currency));
    let totals = totals.into_iter().map(|(currency, (income, expense))| {
        let decimal = |minor| Money { minor, currency }.decimal();
        let net = income.minor.saturating_sub(expense.minor);
        let mut both = income.clone();
        both.add(&expense);
        Total {
            currency: currency.code().to_owned(),
            income: decimal(income.minor),
            expense: decimal(expense.minor),
            net: decimal(net),
            entries: both.entries(),
        }
    });
    totals.collect()
}

/// What all groups of one kind come to, by currency: what their shares are shares of.
pub fn whole(tree: &Tree, cells: &[Cell], kind: CategoryKind) -> HashMap<Currency, i64> {
    let mut whole: HashMap<Currency, Sum> = HashMap::new();
    for cell in cells.iter().filter(|cell| is_of(tree, cell.category, kind)) {
        whole.entry(cell.currency).or_default().add_cell(cell, kind);
    }
    whole.into_iter().map(|(currency, sum)| (currency, sum.minor)).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Category(CategoryId),
    Account(AccountId),
    Payee(Option<String>),
    Tag(Option<String>),
    /// The nth day, week or month, counted from the one that the span begins in.
    Nth(i64),
    /// 0 for Monday.
    Weekday(u8),
}

/// How cells are put together, where it is not by the tree of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    Account,
    Payee,
    Tag,
    /// Days, weeks or months, counted from the day that the span begins with.
    Time(PeriodKind, NaiveDate),
    Weekday,
}

pub type Sums = HashMap<(Key, Currency), Sum>;

/// An entry with several tags is in the group of each, so groups by tag may come to more than the total.
pub fn grouped(tree: &Tree, cells: &[Cell], kind: CategoryKind, by: Grouping, calendar: Calendar) -> Sums {
    let mut sums = Sums::new();
    for cell in cells.iter().filter(|cell| is_of(tree, cell.category, kind)) {
        for key in keys(cell, by, calendar) {
            sums.entry((key, cell.currency)).or_default().add_cell(cell, kind);
        }
    }
    sums
}

fn keys(cell: &Cell, by: Grouping, calendar: Calendar) -> Vec<Key> {
    let told = cell.told.as_ref();
    match by {
        Grouping::Account => told.map(|told| Key::Account(told.account)).into_iter().collect(),
        Grouping::Payee => vec![Key::Payee(told.and_then(|told| told.payee.clone()))],
        Grouping::Tag => {
            let tags: BTreeSet<&String> = told.iter().flat_map(|told| &told.tags).collect();
            if tags.is_empty() {
                return vec![Key::Tag(None)];
            }
            tags.into_iter().map(|tag| Key::Tag(Some(tag.clone()))).collect()
        }
        Grouping::Time(grain, from) => vec![Key::Nth(calendar.ordinal(grain, from, cell.day))],
        Grouping::Weekday => vec![Key::Weekday(weekday_number(weekday_of(cell.day)))],
    }
}

/// A group before it is written down: what it comes to now, and in the period it is held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub key: Key,
    pub currency: Currency,
    pub now: Sum,
    pub before: Option<Sum>,
    pub children: Vec<Draft>,
}

/// Groups that are there now or were there before.
pub fn paired(now: Sums, before: Option<Sums>) -> Vec<Draft> {
    let mut drafts: HashMap<(Key, Currency), Draft> = HashMap::new();
    let is_compared = before.is_some();
    let draft = |key: &Key, currency: Currency| Draft {
        key: key.clone(),
        currency,
        now: Sum::default(),
        before: is_compared.then(Sum::default),
        children: Vec::new(),
    };
    for ((key, currency), sum) in now {
        drafts.entry((key.clone(), currency)).or_insert_with(|| draft(&key, currency)).now = sum;
    }
    for ((key, currency), sum) in before.into_iter().flatten() {
        drafts.entry((key.clone(), currency)).or_insert_with(|| draft(&key, currency)).before = Some(sum);
    }
    drafts.into_values().collect()
}

/// The tree of categories as groups: each with what its children come to. `tops` are where it begins.
pub fn by_category(
    tree: &Tree,
    tops: &[CategoryId],
    kind: CategoryKind,
    now: &[Cell],
    before: Option<&[Cell]>,
) -> Vec<Draft> {
    let own_now = own_sums(tree, now, kind);
    let own_before = before.map(|before| own_sums(tree, before, kind));
    let mut currencies: BTreeSet<Currency> = own_now.keys().map(|(_, currency)| *currency).collect();
    currencies.extend(own_before.iter().flat_map(|own| own.keys()).map(|(_, currency)| *currency));
    let tops = tops.iter().filter(|top| is_of(tree, **top, kind));
    let groups = tops.flat_map(|top| {
        currencies.iter().filter_map(|currency| branch(tree, *top, *currency, &own_now, own_before.as_ref()))
    });
    groups.collect()
}

type OwnSums = HashMap<(CategoryId, Currency), Sum>;

fn own_sums(tree: &Tree, cells: &[Cell], kind: CategoryKind) -> OwnSums {
    let mut sums = OwnSums::new();
    for cell in cells.iter().filter(|cell| is_of(tree, cell.category, kind)) {
        sums.entry((cell.category, cell.currency)).or_default().add_cell(cell, kind);
    }
    sums
}

/// `None` where nothing was sorted into the category or below it.
fn branch(
    tree: &Tree,
    id: CategoryId,
    currency: Currency,
    own_now: &OwnSums,
    own_before: Option<&OwnSums>,
) -> Option<Draft> {
    let children: Vec<Draft> = tree
        .children(id)
        .iter()
        .filter_map(|child| branch(tree, *child, currency, own_now, own_before))
        .collect();
    let mut now = own_now.get(&(id, currency)).cloned().unwrap_or_default();
    let mut before = own_before.map(|own| own.get(&(id, currency)).cloned().unwrap_or_default());
    for child in &children {
        now.add(&child.now);
        if let (Some(before), Some(of_child)) = (before.as_mut(), &child.before) {
            before.add(of_child);
        }
    }
    let is_there = !now.is_empty() || before.as_ref().is_some_and(|before| !before.is_empty());
    is_there.then_some(Draft { key: Key::Category(id), currency, now, before, children })
}

fn is_of(tree: &Tree, category: CategoryId, kind: CategoryKind) -> bool {
    tree.get(category).is_some_and(|category| category.kind == kind)
}

/// The span of the nth day, week or month, as far as it lies in the whole.
pub fn nth_span(calendar: Calendar, grain: PeriodKind, whole: Span, nth: i64) -> Option<Span> {
    let nth = u32::try_from(nth).ok()?;
    calendar.at_ordinal(grain, whole.from, nth).span.within(whole)
}

pub fn weekday_named(number: u8) -> Weekday {
    Weekday::ALL[usize::from(number) % 7]
}
