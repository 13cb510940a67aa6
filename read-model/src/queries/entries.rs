use std::cmp::Ordering;

use chrono::NaiveDate;
use domain::{
    book::KeptEntry,
    id::{BookId, EntryId},
    money::Currency,
};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};

use super::{
    accounts,
    categories::Tree,
    filter::{EntryFilter, Source, Statement, bytes, day_column},
    rows,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// Largest first, one currency after the other: amounts of two currencies have no order.
    Amount,
}

/// The place of an entry in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    currency: String,
    amount_minor: i64,
    occurred_on: NaiveDate,
    entry: EntryId,
}

/// A part of a list, and the place of its last entry where the list goes on.
pub struct Page {
    pub entries: Vec<KeptEntry>,
    pub next: Option<Place>,
}

pub fn one(conn: &Connection, book: BookId, entry: EntryId) -> rusqlite::Result<Option<KeptEntry>> {
    let mut statement = conn.prepare_cached(include_str!("entries_select_one.sql"))?;
    statement.query_row((book.as_bytes(), entry.as_bytes()), read).optional()
}

pub fn list(
    conn: &Connection,
    book: BookId,
    tree: &Tree,
    filter: &EntryFilter,
    sort: Sort,
    after: Option<&Place>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let needs_currencies = filter.amount_min.is_some() || filter.amount_max.is_some();
    let currencies = if needs_currencies { accounts::currencies(conn, book)? } else { Vec::new() };

    // Each source gives its own first entries by its index; what comes first of all is among them.
    let mut places = Vec::new();
    for source in sources(tree, filter) {
        let statement = page_statement(book, filter, source, &currencies, sort, after, limit + 1);
        let mut prepared = conn.prepare_cached(&statement.sql)?;
        let found = prepared.query_map(params_from_iter(statement.values), read_place)?;
        for place in found {
            places.push(place?);
        }
    }
    places.sort_unstable_by(|a, b| compare(sort, a, b));
    places.dedup_by_key(|place| place.entry);
    let goes_on = places.len() > limit;
    places.truncate(limit);

    let mut entries = Vec::with_capacity(places.len());
    for place in &places {
        entries.extend(one(conn, book, place.entry)?);
    }
    let next = if goes_on { places.pop() } else { None };
    Ok(Page { entries, next })
}

fn sources(tree: &Tree, filter: &EntryFilter) -> Vec<Source> {
    if !filter.categories.is_empty() {
        return tree.with_children(&filter.categories).into_iter().map(Source::Category).collect();
    }
    if !filter.accounts.is_empty() {
        return filter.accounts.iter().copied().map(Source::Account).collect();
    }
    vec![Source::Book]
}

fn page_statement(
    book: BookId,
    filter: &EntryFilter,
    source: Source,
    currencies: &[Currency],
    sort: Sort,
    after: Option<&Place>,
    limit: usize,
) -> Statement {
    let (day, entry) = (day_column(source), entry_column(source));
    // An entry that is split may be there once for each of its parts.
    let columns = match source {
        Source::Book => "e.occurred_on, e.entry, e.currency, e.amount_minor",
        Source::Account(_) | Source::Category(_) => {
            "distinct d.occurred_on, d.entry, e.currency, e.amount_minor"
        }
    };
    let mut statement = Statement::select(columns, source, book);
    statement.push_filter(filter, source, currencies);
    if matches!(source, Source::Category(_)) && !filter.accounts.is_empty() {
        statement.push_accounts(&filter.accounts);
    }
    if let Some(after) = after {
        let occurred_on = after.occurred_on.to_string();
        match sort {
            Sort::Newest => statement.push(&format!(" and ({day}, {entry}) < (?"), occurred_on),
            Sort::Oldest => statement.push(&format!(" and ({day}, {entry}) > (?"), occurred_on),
            Sort::Amount => {
                statement.push(" and (e.currency > ?", after.currency.clone());
                statement.push(" or e.currency = ?", after.currency.clone());
                statement.push(" and (e.amount_minor, e.occurred_on, e.entry) < (?", after.amount_minor);
                statement.push(", ?", occurred_on);
            }
        }
        statement.push(", ?)", bytes(after.entry.as_bytes()));
        if sort == Sort::Amount {
            statement.push_text(")");
        }
    }
    match sort {
        Sort::Newest => statement.push_text(&format!(" order by {day} desc, {entry} desc")),
        Sort::Oldest => statement.push_text(&format!(" order by {day}, {entry}")),
        Sort::Amount => {
            statement
                .push_text(" order by e.currency, e.amount_minor desc, e.occurred_on desc, e.entry desc");
        }
    }
    statement.push(" limit ?", Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    statement
}

fn entry_column(source: Source) -> &'static str {
    match source {
        Source::Book => "e.entry",
        Source::Account(_) | Source::Category(_) => "d.entry",
    }
}

fn compare(sort: Sort, a: &Place, b: &Place) -> Ordering {
    let by_day = (a.occurred_on, a.entry).cmp(&(b.occurred_on, b.entry));
    match sort {
        Sort::Newest => by_day.reverse(),
        Sort::Oldest => by_day,
        Sort::Amount => {
            let by_amount = a.amount_minor.cmp(&b.amount_minor).then(by_day).reverse();
            a.currency.cmp(&b.currency).then(by_amount)
        }
    }
}

fn read_place(row: &Row) -> rusqlite::Result<Place> {
    Ok(Place {
        occurred_on: rows::date(row, 0)?,
        entry: rows::id(row, 1)?,
        currency: row.get(2)?,
        amount_minor: row.get(3)?,
    })
}

fn read(row: &Row) -> rusqlite::Result<KeptEntry> {
    Ok(KeptEntry {
        entry: rows::json(row, 0)?,
        version: row.get(1)?,
        recorded_at: rows::instant(row, 2)?,
        corrected_at: rows::instant_or_none(row, 3)?,
        removed: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::open_writer;
    use domain::id::{AccountId, CategoryId};
    use uuid::Uuid;

    #[test]
    fn a_list_by_day_reads_an_index_in_order_and_sorts_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let conn = open_writer(&directory.path().join("model.sqlite")).unwrap();
        let uuid = Uuid::from_u128(1);
        let place = Place {
            currency: "EUR".to_owned(),
            amount_minor: 1,
            occurred_on: NaiveDate::MIN,
            entry: EntryId::from_uuid(uuid),
        };
        for source in [
            Source::Book,
            Source::Account(AccountId::from_uuid(uuid)),
            Source::Category(CategoryId::from_uuid(uuid)),
        ] {
            for sort in [Sort::Newest, Sort::Oldest] {
                for after in [None, Some(&place)] {
                    let filter = EntryFilter::default();
                    let statement =
                        page_statement(BookId::from_uuid(uuid), &filter, source, &[], sort, after, 51);
                    let mut explain = conn.prepare(&format!("explain query plan {}", statement.sql)).unwrap();
                    let steps =
                        explain.query_map(params_from_iter(statement.values), |row| row.get(3)).unwrap();
                    let plan: Vec<String> = steps.map(Result::unwrap).collect();
                    let plan = plan.join("; ");
                    assert!(
                        !plan.contains("SCAN") && !plan.contains("ORDER BY"),
                        "{source:?} {sort:?}: {plan}"
                    );
                }
            }
        }
    }
}
