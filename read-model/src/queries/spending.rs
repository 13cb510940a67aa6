//! What reports add up: cells of money that was sorted into categories.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use domain::{
    entry::Entry,
    id::{AccountId, BookId, CategoryId, EntryId},
    money::Currency,
};
use rusqlite::{Connection, Row, params_from_iter};

use super::{
    accounts,
    filter::{EntryFilter, Source, Statement},
    rows,
};

/// Some money in one category, and how many entries it is of. `entries` counts those that are in no other cell;
/// an entry that may be in several is named instead, so that it is counted once wherever cells come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub category: CategoryId,
    pub day: NaiveDate,
    pub currency: Currency,
    /// As posted: positive was spent, negative came in.
    pub amount_minor: i64,
    pub entries: i64,
    pub entry: Option<EntryId>,
    /// What the daily buckets do not know.
    pub told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub account: AccountId,
    pub payee: Option<String>,
    /// Read only if they are asked for.
    pub tags: Vec<String>,
}

/// A stretch of days, both included.
pub type Days = (NaiveDate, NaiveDate);

/// What the daily buckets of each span come to by category, in one pass over all of their days. The day of a cell
/// is the first of its span.
///
/// The sums are made here: SQLite would sort the buckets first to group them, which costs four times the reading.
pub fn sums(conn: &Connection, book: BookId, spans: &[Days]) -> rusqlite::Result<Vec<Vec<Cell>>> {
    let Some(all) = hull(spans) else { return Ok(Vec::new()) };
    let currencies = accounts::currencies(conn, book)?;
    // Dates sort as their text does, so no bucket's date has to be read.
    let texts: Vec<(String, String)> =
        spans.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    let mut sums: Vec<HashMap<(CategoryId, Currency), (i64, i64)>> = vec![HashMap::new(); spans.len()];
    let mut statement = conn.prepare_cached(include_str!("category_days_select_between.sql"))?;
    let mut found = statement.query((book.as_bytes(), all.0.to_string(), all.1.to_string()))?;
    while let Some(row) = found.next()? {
        let key = (rows::id(row, 0)?, known_currency(row, 1, &currencies)?);
        let (amount_minor, entries): (i64, i64) = (row.get(2)?, row.get(3)?);
        let day = row.get_ref(4)?.as_str()?;
        for (sums, (from, to)) in sums.iter_mut().zip(&texts) {
            if from.as_str() <= day && day <= to.as_str() {
                let sum = sums.entry(key).or_default();
                sum.0 = sum.0.saturating_add(amount_minor);
                sum.1 += entries;
            }
        }
    }

    let split = split_entries(conn, book, all)?;
    let cells = spans.iter().zip(sums).map(|((from, to), sums)| {
        let mut cells: Vec<Cell> = sums
            .into_iter()
            .map(|((category, currency), (amount_minor, entries))| Cell {
                category,
                day: *from,
                currency,
                amount_minor,
                entries,
                entry: None,
                told: None,
            })
            .collect();
        let within = split.iter().filter(|entry| (*from..=*to).contains(&entry.occurred_on));
        within.for_each(|entry| name_split(entry, *from, &mut cells));
        cells
    });
    Ok(cells.collect())
}

/// The daily buckets of a span one by one.
pub fn buckets(conn: &Connection, book: BookId, span: Days) -> rusqlite::Result<Vec<Cell>> {
    let currencies = accounts::currencies(conn, book)?;
    let mut statement = conn.prepare_cached(include_str!("category_days_select_between.sql"))?;
    let found = statement.query_map((book.as_bytes(), span.0.to_string(), span.1.to_string()), |row| {
        Ok(Cell {
            category: rows::id(row, 0)?,
            day: rows::date(row, 4)?,
            currency: known_currency(row, 1, &currencies)?,
            amount_minor: row.get(2)?,
            entries: row.get(3)?,
            entry: None,
            told: None,
        })
    })?;
    let mut cells: Vec<Cell> = found.collect::<rusqlite::Result<_>>()?;
    for entry in split_entries(conn, book, span)? {
        name_split(&entry, entry.occurred_on, &mut cells);
    }
    Ok(cells)
}

/// A split entry is counted in the bucket of each of its categories. It is taken out there and named.
fn name_split(entry: &Entry, day: NaiveDate, cells: &mut Vec<Cell>) {
    let parts: BTreeSet<(CategoryId, Currency)> =
        entry.categories().map(|(category, money)| (category, money.currency)).collect();
    cells.extend(parts.into_iter().map(|(category, currency)| Cell {
        category,
        day,
        currency,
        amount_minor: 0,
        entries: -1,
        entry: Some(entry.id),
        told: None,
    }));
}

fn split_entries(conn: &Connection, book: BookId, span: Days) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = conn.prepare_cached(include_str!("entries_select_split_between.sql"))?;
    let split = statement.query_map((book.as_bytes(), span.0.to_string(), span.1.to_string()), |row| {
        rows::json::<Entry>(row, 0)
    })?;
    split.collect()
}

fn hull(spans: &[Days]) -> Option<Days> {
    let from = spans.iter().map(|(from, _)| *from).min()?;
    let to = spans.iter().map(|(_, to)| *to).max()?;
    Some((from, to))
}

/// The postings to these categories of the entries that fit the filter; the filter's own categories are not
/// looked at.
pub fn postings(
    conn: &Connection,
    book: BookId,
    categories: &BTreeSet<CategoryId>,
    filter: &EntryFilter,
    with_tags: bool,
) -> rusqlite::Result<Vec<Cell>> {
    let currencies = accounts::currencies(conn, book)?;
    let columns = if with_tags {
        "d.occurred_on, d.entry, d.amount_minor, d.currency, e.account, e.payee, json_extract(e.body, '$.tags')"
    } else {
        "d.occurred_on, d.entry, d.amount_minor, d.currency, e.account, e.payee, null"
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
            let tags: Vec<Option<String>> = match row.get_ref(6)?.as_str_or_null()? {
                Some(_) => rows::json(row, 6)?,
                None => Vec::new(),
            };
            let tags = tags.into_iter().flatten().collect();
            Ok(Cell {
                category: *category,
                day: rows::date(row, 0)?,
                currency: known_currency(row, 3, &currencies)?,
                amount_minor: row.get(2)?,
                entries: 0,
                entry: Some(rows::id(row, 1)?),
                told: Some(Told { account: rows::id(row, 4)?, payee: row.get(5)?, tags }),
            })
        })?;
        for cell in found {
            cells.push(cell?);
        }
    }
    Ok(cells)
}

fn known_currency(row: &Row, column: usize, currencies: &[Currency]) -> rusqlite::Result<Currency> {
    rows::parsed(row, column, "currency of an account", |code| {
        currencies.iter().find(|currency| currency.code() == code).copied()
    })
}
