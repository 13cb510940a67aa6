//! Adding up what was read into figures. Pure: no rows, no requests. Two currencies never meet in one figure.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::Days;
use domain::{
    entry::CategoryKind,
    event::Weekday,
    id::{AccountId, CategoryId, EntryId},
    money::Currency,
};
use read_model::queries::{
    categories::Tree,
    spending::{ByDay, Cell, DaySides, Split, Sums},
};

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

    fn add_day(&mut self, day: &DaySides, kind: CategoryKind) {
        let (minor, entries) = match kind {
            CategoryKind::Expense => (day.expense_minor, day.expense_entries),
            CategoryKind::Income => (day.income_minor, day.income_entries),
        };
        self.minor = self.minor.saturating_add(minor);
        self.counted += entries;
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

/// What came in and what went out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    pub income: Sum,
    pub expense: Sum,
    /// Entries that were counted on both sides.
    both: i64,
}

impl Sides {
    pub fn of_days<'d>(days: impl IntoIterator<Item = &'d DaySides>) -> Self {
        let mut total = DaySides::default();
        days.into_iter().for_each(|day| total.add(day));
        let mut sides = Self { both: total.both_entries, ..Self::default() };
        sides.income.add_day(&total, CategoryKind::Income);
        sides.expense.add_day(&total, CategoryKind::Expense);
        sides
    }

    pub fn net_minor(&self) -> i64 {
        self.income.minor.saturating_sub(self.expense.minor)
    }

    pub fn of(&self, kind: CategoryKind) -> &Sum {
        match kind {
            CategoryKind::Income => &self.income,
            CategoryKind::Expense => &self.expense,
        }
    }

    fn of_mut(&mut self, kind: CategoryKind) -> &mut Sum {
        match kind {
            CategoryKind::Income => &mut self.income,
            CategoryKind::Expense => &mut self.expense,
        }
    }

    /// An entry with parts on both sides counts once.
    pub fn entries(&self) -> u64 {
        let mut all = self.income.clone();
        all.add(&self.expense);
        all.counted -= self.both;
        all.entries()
    }
}

pub fn sides(tree: &Tree, sums: &Sums) -> HashMap<Currency, Sides> {
    let mut sides: HashMap<Currency, Sides> = HashMap::new();
    for cell in &sums.cells {
        let Some(category) = tree.get(cell.category) else { continue };
        sides.entry(cell.currency).or_default().of_mut(category.kind).add_cell(cell, category.kind);
    }
    for split in &sums.splits {
        let sides = sides.entry(split.currency).or_default();
        let kinds = || split.categories.iter().filter_map(|id| tree.get(*id)).map(|category| category.kind);
        let mut kinds_met = 0;
        for kind in [CategoryKind::Income, CategoryKind::Expense] {
            let parts = kinds().filter(|of_part| *of_part == kind).count() as i64;
            sides.of_mut(kind).counted -= split.entries * (parts - 1).max(0);
            kinds_met += i64::from(parts > 0);
        }
        sides.both += split.entries * (kinds_met - 1).max(0);
    }
    sides
}

pub fn sides_of_days(by_day: &ByDay) -> HashMap<Currency, Sides> {
    by_day.iter().map(|(currency, days)| (*currency, Sides::of_days(days))).collect()
}

/// Only what went to these categories, in this currency if one is given.
pub fn keep(sums: &mut Sums, scope: &BTreeSet<CategoryId>, currency: Option<&str>) {
    let is_asked = |of: Currency| currency.is_none_or(|asked| asked == of.code());
    sums.cells.retain(|cell| is_asked(cell.currency) && scope.contains(&cell.category));
    for split in &mut sums.splits {
        split.categories.retain(|category| scope.contains(category));
    }
    sums.splits.retain(|split| is_asked(split.currency) && split.categories.len() > 1);
}

/// What was told entry by entry, day by day.
pub fn by_day(tree: &Tree, cells: &[Cell], span: Span) -> ByDay {
    let length = usize::try_from(span.days()).unwrap_or(0);
    let mut by_day = ByDay::new();
    let mut met: HashMap<(EntryId, Currency), Vec<CategoryKind>> = HashMap::new();
    for cell in cells {
        let Some(kind) = tree.get(cell.category).map(|category| category.kind) else { continue };
        let days = by_day.entry(cell.currency).or_insert_with(|| vec![DaySides::default(); length]);
        let index = usize::try_from((cell.day - span.from).num_days()).ok();
        let Some(day) = index.and_then(|index| days.get_mut(index)) else { continue };
        let kinds_met = cell.entry.map(|entry| met.entry((entry, cell.currency)).or_default());
        let is_first = kinds_met.is_some_and(|met| {
            let is_first = !met.contains(&kind);
            if is_first {
                day.both_entries += i64::from(!met.is_empty());
                met.push(kind);
            }
            is_first
        });
        let entries = i64::from(is_first);
        match kind {
            CategoryKind::Expense => {
                day.expense_minor = day.expense_minor.saturating_add(cell.amount_minor);
                day.expense_entries += entries;
            }
            CategoryKind::Income => {
                day.income_minor = day.income_minor.saturating_sub(cell.amount_minor);
                day.income_entries += entries;
            }
        }
    }
    by_day
}

/// The book's own currency first.
pub fn in_order<T>(by_currency: HashMap<Currency, T>, own: Currency) -> Vec<(Currency, T)> {
    let mut ordered: Vec<(Currency, T)> = by_currency.into_iter().collect();
    ordered.sort_by_key(|(currency, _)| (*currency != own, *currency));
    ordered
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

/// What entries are put together by, beside the tree of categories and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    Account,
    Payee,
    Tag,
}

/// How days are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Days, weeks or months, counted from the one that the span begins in.
    Steps(PeriodKind),
    Weekday,
}

pub type Groups = HashMap<(Key, Currency), Sum>;

/// An entry with several tags is in the group of each, so groups by tag may come to more than the total; so is a
/// balanced entry over several accounts.
pub fn by_trait(tree: &Tree, cells: &[Cell], kind: CategoryKind, by: Trait) -> Groups {
    let mut groups = Groups::new();
    for cell in cells.iter().filter(|cell| is_of(tree, cell.category, kind)) {
        for key in keys(cell, by) {
            groups.entry((key, cell.currency)).or_default().add_cell(cell, kind);
        }
    }
    groups
}

fn keys(cell: &Cell, by: Trait) -> Vec<Key> {
    let told = cell.told.as_ref();
    match by {
        Trait::Account => {
            let accounts: BTreeSet<AccountId> =
                told.iter().flat_map(|told| &told.accounts).copied().collect();
            accounts.into_iter().map(Key::Account).collect()
        }
        Trait::Payee => vec![Key::Payee(told.and_then(|told| told.payee.clone()))],
        Trait::Tag => {
            let tags: BTreeSet<&String> = told.iter().flat_map(|told| &told.tags).collect();
            if tags.is_empty() {
                return vec![Key::Tag(None)];
            }
            tags.into_iter().map(|tag| Key::Tag(Some(tag.clone()))).collect()
        }
    }
}

/// Days without an entry of this kind make no group.
pub fn by_rhythm(by_day: &ByDay, span: Span, kind: CategoryKind, by: Rhythm, calendar: Calendar) -> Groups {
    let mut groups = Groups::new();
    for (currency, days) in by_day {
        let mut next = span.from;
        for day in days {
            let date = next;
            next = next + Days::new(1);
            let mut sum = Sum::default();
            sum.add_day(day, kind);
            if sum.is_empty() {
                continue;
            }
            let key = match by {
                Rhythm::Steps(grain) => Key::Nth(calendar.ordinal(grain, span.from, date)),
                Rhythm::Weekday => Key::Weekday(weekday_number(weekday_of(date))),
            };
            groups.entry((key, *currency)).or_default().add(&sum);
        }
    }
    groups
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
pub fn paired(now: Groups, before: Option<Groups>) -> Vec<Draft> {
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
    now: &Sums,
    before: Option<&Sums>,
) -> Vec<Draft> {
    let own_now = Own::of(tree, now, kind);
    let own_before = before.map(|before| Own::of(tree, before, kind));
    let mut currencies: BTreeSet<Currency> = own_now.currencies().collect();
    currencies.extend(own_before.iter().flat_map(Own::currencies));
    let tops = tops.iter().filter(|top| is_of(tree, **top, kind));
    let groups = tops.flat_map(|top| {
        currencies.iter().filter_map(|currency| branch(tree, *top, *currency, &own_now, own_before.as_ref()))
    });
    groups.collect()
}

/// What was sorted into each category itself.
struct Own {
    sums: HashMap<(CategoryId, Currency), Sum>,
    /// How often entries are counted too much where a category and those just below it come together.
    doubles: HashMap<(CategoryId, Currency), i64>,
}

impl Own {
    fn of(tree: &Tree, sums: &Sums, kind: CategoryKind) -> Self {
        let mut own = Self { sums: HashMap::new(), doubles: HashMap::new() };
        for cell in sums.cells.iter().filter(|cell| is_of(tree, cell.category, kind)) {
            own.sums.entry((cell.category, cell.currency)).or_default().add_cell(cell, kind);
        }
        for split in &sums.splits {
            own.add_doubles(tree, split);
        }
        own
    }

    /// On the way from its parts to the root a split is met in a category once for itself, and once for each child
    /// that has a part of it.
    fn add_doubles(&mut self, tree: &Tree, split: &Split) {
        let mut met: HashMap<CategoryId, i64> = HashMap::new();
        for part in &split.categories {
            let mut next = Some(*part);
            while let Some(id) = next {
                let times = met.entry(id).or_default();
                *times += 1;
                if *times > 1 {
                    break;
                }
                next = tree.get(id).and_then(|category| category.parent);
            }
        }
        for (category, times) in met.into_iter().filter(|(_, times)| *times > 1) {
            *self.doubles.entry((category, split.currency)).or_default() += split.entries * (times - 1);
        }
    }

    fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.sums.keys().map(|(_, currency)| *currency)
    }

    fn sum(&self, id: CategoryId, currency: Currency) -> Sum {
        let mut sum = self.sums.get(&(id, currency)).cloned().unwrap_or_default();
        sum.counted -= self.doubles.get(&(id, currency)).copied().unwrap_or(0);
        sum
    }
}

/// `None` where nothing was sorted into the category or below it.
fn branch(
    tree: &Tree,
    id: CategoryId,
    currency: Currency,
    own_now: &Own,
    own_before: Option<&Own>,
) -> Option<Draft> {
    let children: Vec<Draft> = tree
        .children(id)
        .iter()
        .filter_map(|child| branch(tree, *child, currency, own_now, own_before))
        .collect();
    let mut now = own_now.sum(id, currency);
    let mut before = own_before.map(|own| own.sum(id, currency));
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
