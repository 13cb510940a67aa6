//! What reports add up: cells of money that was sorted into categories.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::{
    entry::{CategoryKind, Entry},
    id::{AccountId, BookId, CategoryId, EntryId},
    money::Currency,
};
use rusqlite::{Connection, Row, params_from_iter};
use uuid::Uuid;

use super::{
    accounts,
    filter::{EntryFilter, Source, Statement},
    rows,
};
use crate::sheet::{self, DaySum};

/// Some money in one category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub category: CategoryId,
    pub day: NaiveDate,
    pub currency: Currency,
    /// As posted: positive was spent, negative came in.
    pub amount_minor: i64,
    /// How many entries, where they are not told one by one.
    pub entries: i64,
    pub entry: Option<EntryId>,
    /// What the sums of days do not know.
    pub told: Option<Told>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    pub payee: Option<String>,
    /// Read only if they are asked for.
    pub accounts: Vec<AccountId>,
    pub tags: Vec<String>,
}

/// So many entries went to all of these categories, two or more, and are counted in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub categories: Vec<CategoryId>,
    pub currency: Currency,
    pub entries: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub cells: Vec<Cell>,
    pub splits: Vec<Split>,
}

/// What came in and went out on a day, each positive when money went the usual way. An entry counts once on each side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaySides {
    pub income_minor: i64,
    pub expense_minor: i64,
    pub income_entries: i64,
    pub expense_entries: i64,
    /// Entries with parts on both sides.
    pub both_entries: i64,
}

impl DaySides {
    pub fn add(&mut self, other: &DaySides) {
        self.income_minor = self.income_minor.saturating_add(other.income_minor);
        self.expense_minor = self.expense_minor.saturating_add(other.expense_minor);
        self.income_entries += other.income_entries;
        self.expense_entries += other.expense_entries;
        self.both_entries += other.both_entries;
    }
}

/// All days of a span, one after the other.
pub type ByDay = BTreeMap<Currency, Vec<DaySides>>;

/// What is to be told of an entry beside its payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    Nothing,
    Accounts,
    Tags,
}

/// A stretch of days, both included.
pub type Days = (NaiveDate, NaiveDate);

/// What the days of a span come to by category. The day of a cell is the span's first.
///
/// The sums are made here: SQLite would sort the rows first to group them, which costs four times the reading.
pub fn sums(conn: &Connection, book: BookId, span: Days) -> rusqlite::Result<Sums> {
    let currencies = accounts::currencies(conn, book)?;
    let mut sums: HashMap<(CategoryId, Currency), DaySum> = HashMap::new();
    let mut statement = conn.prepare_cached(include_str!("category_months_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), month_of(span.0), month_of(span.1)))?;
    while let Some(row) = found.next()? {
        let key = (rows::id(row, 0)?, known_currency(row, 1, &currencies)?);
        sums.entry(key).or_default().add(&sum_within(row, span)?);
    }
    let cells = sums.into_iter().filter(|(_, sum)| sum.entries != 0);
    let cells = cells.map(|((category, currency), DaySum { amount_minor, entries })| Cell {
        category,
        day: span.0,
        currency,
        amount_minor,
        entries,
        entry: None,
        told: None,
    });

    let mut splits: HashMap<(Vec<u8>, Currency), i64> = HashMap::new();
    let mut statement = conn.prepare_cached(include_str!("split_years_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), year_of(span.0), year_of(span.1)))?;
    while let Some(row) = found.next()? {
        let key = (row.get_ref(0)?.as_blob()?.to_vec(), known_currency(row, 1, &currencies)?);
        *splits.entry(key).or_default() += sum_within(row, span)?.entries;
    }
    let splits = splits.into_iter().filter(|(_, entries)| *entries != 0);
    let splits = splits.map(|((categories, currency), entries)| Split {
        categories: categories_of(&categories).collect(),
        currency,
        entries,
    });
    Ok(Sums { cells: cells.collect(), splits: splits.collect() })
}

/// What each day of a span comes to, of the categories that `side_of` has a side for.
pub fn by_day(
    conn: &Connection,
    book: BookId,
    span: Days,
    side_of: impl Fn(CategoryId) -> Option<CategoryKind>,
) -> rusqlite::Result<ByDay> {
    let currencies = accounts::currencies(conn, book)?;
    let length = usize::try_from((span.1 - span.0).num_days() + 1).unwrap_or(0);
    let mut days = ByDay::new();
    let mut statement = conn.prepare_cached(include_str!("category_months_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), month_of(span.0), month_of(span.1)))?;
    while let Some(row) = found.next()? {
        let Some(side) = side_of(rows::id(row, 0)?) else { continue };
        let currency = known_currency(row, 1, &currencies)?;
        let days = days.entry(currency).or_insert_with(|| vec![DaySides::default(); length]);
        for (index, sum) in within(row, span)? {
            let day = &mut days[index];
            match side {
                CategoryKind::Expense => {
                    day.expense_minor = day.expense_minor.saturating_add(sum.amount_minor);
                    day.expense_entries += sum.entries;
                }
                CategoryKind::Income => {
                    day.income_minor = day.income_minor.saturating_sub(sum.amount_minor);
                    day.income_entries += sum.entries;
                }
            }
        }
    }

    // What was counted in several categories of one side counts once there.
    let mut statement = conn.prepare_cached(include_str!("split_years_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), year_of(span.0), year_of(span.1)))?;
    while let Some(row) = found.next()? {
        let (mut incomes, mut expenses) = (0, 0);
        for side in categories_of(row.get_ref(0)?.as_blob()?).filter_map(&side_of) {
            match side {
                CategoryKind::Income => incomes += 1,
                CategoryKind::Expense => expenses += 1,
            }
        }
        if incomes + expenses < 2 {
            continue;
        }
        let Some(days) = days.get_mut(&known_currency(row, 1, &currencies)?) else { continue };
        for (index, sum) in within(row, span)? {
            let day = &mut days[index];
            day.income_entries -= sum.entries * (incomes - 1).max(0);
            day.expense_entries -= sum.entries * (expenses - 1).max(0);
            if incomes > 0 && expenses > 0 {
                day.both_entries += sum.entries;
            }
        }
    }
    // A month that the span only touches may have a currency that the span has not.
    days.retain(|_, days| days.iter().any(|day| *day != DaySides::default()));
    Ok(days)
}

/// The days of a sheet that lie in the span, by their place in it. The sheet's month or year stands in the row's third
/// column, its days in the fourth.
fn within<'r>(row: &'r Row, span: Days) -> rusqlite::Result<impl Iterator<Item = (usize, DaySum)> + 'r> {
    let length = usize::try_from((span.1 - span.0).num_days() + 1).unwrap_or(0);
    let before_first = rows::parsed(row, 2, "month or year", |text| {
        let new_year = NaiveDate::from_yo_opt(text.get(..4)?.parse().ok()?, 1)?;
        Some((new_year - span.0).num_days() - 1)
    })?;
    let numbered = sheet::numbered(row.get_ref(3)?.as_blob()?);
    Ok(numbered.filter_map(move |(number, sum)| {
        let index = usize::try_from(before_first + i64::from(number)).ok()?;
        (index < length).then_some((index, sum))
    }))
}

fn sum_within(row: &Row, span: Days) -> rusqlite::Result<DaySum> {
    let mut total = DaySum::default();
    within(row, span)?.for_each(|(_, sum)| total.add(&sum));
    Ok(total)
}

fn categories_of(ids: &[u8]) -> impl Iterator<Item = CategoryId> {
    let ids = ids.chunks_exact(size_of::<Uuid>()).filter_map(|id| Uuid::from_slice(id).ok());
    ids.map(CategoryId::from_uuid)
}

/// Days before the year 1, which a comparison may reach, come before all others.
pub(super) fn month_of(day: NaiveDate) -> String {
    let mut text = day.to_string();
    text.truncate(7);
    text
}

fn year_of(day: NaiveDate) -> String {
    let mut text = day.to_string();
    text.truncate(4);
    text
}

/// The postings to these categories of the entries that fit the filter; the filter's own categories are not
/// looked at.
pub fn postings(
    conn: &Connection,
    book: BookId,
    categories: &BTreeSet<CategoryId>,
    filter: &EntryFilter,
    telling: Telling,
) -> rusqlite::Result<Vec<Cell>> {
    let currencies = accounts::currencies(conn, book)?;
    // Entries of one account say so in a column; only of the others is the whole entry read.
    let columns = match telling {
        Telling::Nothing => "d.occurred_on, d.entry, d.amount_minor, d.currency, e.payee, null, null",
        Telling::Accounts => {
            "d.occurred_on, d.entry, d.amount_minor, d.currency, e.payee, e.account, \
             case when e.kind = 'balanced' then e.body end"
        }
        Telling::Tags => {
            "d.occurred_on, d.entry, d.amount_minor, d.currency, e.payee, null, json_extract(e.body, '$.tags')"
        }
    };
    let mut cells = Vec::new();
    for category in categories {
        let source = Source::Category(*category);
        let mut built = Statement::select(columns, source, book);
        built.push_filter(filter, source, &currencies);
        if !filter.accounts.is_empty() {
            built.push_accounts(&filter.accounts);
        }
        let mut statement = conn.prepare_cached(&built.sql)?;
        let found = statement.query_map(params_from_iter(built.values), |row| {
            Ok(Cell {
                category: *category,
                day: rows::date(row, 0)?,
                currency: known_currency(row, 3, &currencies)?,
                amount_minor: row.get(2)?,
                entries: 0,
                entry: Some(rows::id(row, 1)?),
                told: Some(told(row, telling)?),
            })
        })?;
        for cell in found {
            cells.push(cell?);
        }
    }
    Ok(cells)
}

fn told(row: &Row, telling: Telling) -> rusqlite::Result<Told> {
    let mut told = Told { payee: row.get(4)?, ..Told::default() };
    let has_more = row.get_ref(6)?.as_str_or_null()?.is_some();
    match telling {
        Telling::Nothing => {}
        Telling::Accounts if has_more => {
            let entry: Entry = rows::json(row, 6)?;
            told.accounts = entry.accounts().map(|(account, _)| account).collect();
        }
        Telling::Accounts => told.accounts = vec![rows::id(row, 5)?],
        Telling::Tags if has_more => {
            let tags: Vec<Option<String>> = rows::json(row, 6)?;
            told.tags = tags.into_iter().flatten().collect();
        }
        Telling::Tags => {}
    }
    Ok(told)
}

/// Nearly always the currency of an account, with the decimals it had when the account was opened.
pub(super) fn known_currency(
    row: &Row,
    column: usize,
    currencies: &[Currency],
) -> rusqlite::Result<Currency> {
    rows::parsed(row, column, "currency", |code| {
        let known = currencies.iter().find(|currency| currency.code() == code).copied();
        known.or_else(|| Currency::parse(code).ok())
    })
}
