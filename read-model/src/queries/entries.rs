use std::{cmp::Ordering, collections::BTreeSet};

use chrono::NaiveDate;
use domain::{
    book::{Category, KeptEntry},
    entry::EntryKind,
    id::{BookId, CategoryId, EntryId},
    money::Currency,
};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};

use super::{
    accounts,
    categories::Tree,
    filter::{EntryFilter, Source, Statement, bytes, day_column},
    rows,
    spending::Days,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// Largest first, one currency after the other: amounts of two currencies have no order.
    Amount,
}

/// A look at the index of amounts would be slower for fewer.
const LOOKED_THROUGH_MAX: u64 = 1_000;

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
    for walk in walks(conn, book, sources(tree, filter), filter, sort, after)? {
        let statement = page_statement(book, filter, &walk, &currencies, sort, after, limit + 1);
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

/// The entry of kind expense with the largest amount of these days, the newest of several. `entries` tells about how
/// many there are to look through.
pub fn largest_expense(
    conn: &Connection,
    book: BookId,
    currency: Currency,
    (from, to): Days,
    entries: u64,
) -> rusqlite::Result<Option<KeptEntry>> {
    // Few are looked through one by one. Of many one is soon met on the way down from the largest of all days.
    let sql = if entries <= LOOKED_THROUGH_MAX {
        include_str!("entries_select_largest_by_day.sql")
    } else {
        include_str!("entries_select_largest_by_amount.sql")
    };
    let mut statement = conn.prepare_cached(sql)?;
    let key = (book.as_bytes(), currency.code(), from.to_string(), to.to_string());
    statement.query_row(key, read).optional()
}

fn sources(tree: &Tree, filter: &EntryFilter) -> Vec<Source> {
    if !filter.categories.is_empty() || !filter.category_kinds.is_empty() {
        let mut categories: BTreeSet<CategoryId> = if filter.categories.is_empty() {
            tree.iter().map(|(id, _)| id).collect()
        } else {
            tree.with_children(&filter.categories)
        };
        if !filter.category_kinds.is_empty() {
            let is_of_kind = |category: &Category| filter.category_kinds.contains(&category.kind);
            categories.retain(|id| tree.get(*id).is_some_and(is_of_kind));
        }
        return categories.into_iter().map(Source::Category).collect();
    }
    if !filter.accounts.is_empty() {
        return filter.accounts.iter().copied().map(Source::Account).collect();
    }
    vec![Source::Book]
}

/// One way through an index.
#[derive(Debug)]
struct Walk {
    source: Source,
    /// Only entries of this kind whose amount is in this currency.
    alike: Option<(EntryKind, String)>,
}

/// The whole book is in order of amounts within each kind and currency, so each is walked for itself.
fn walks(
    conn: &Connection,
    book: BookId,
    sources: Vec<Source>,
    filter: &EntryFilter,
    sort: Sort,
    after: Option<&Place>,
) -> rusqlite::Result<Vec<Walk>> {
    if sort != Sort::Amount || sources != [Source::Book] {
        return Ok(sources.into_iter().map(|source| Walk { source, alike: None }).collect());
    }
    let first = after.map_or("", |place| place.currency.as_str());
    let mut select = conn.prepare_cached(include_str!("entries_select_currencies_of_kind.sql"))?;
    let mut walks = Vec::new();
    for kind in EntryKind::ALL {
        if !filter.kinds.is_empty() && !filter.kinds.contains(&kind) {
            continue;
        }
        let key = (book.as_bytes(), filter.removed, kind.as_str(), first);
        for currency in select.query_map(key, |row| row.get(0))? {
            walks.push(Walk { source: Source::Book, alike: Some((kind, currency?)) });
        }
    }
    Ok(walks)
}

fn page_statement(
    book: BookId,
    filter: &EntryFilter,
    walk: &Walk,
    currencies: &[Currency],
    sort: Sort,
    after: Option<&Place>,
    limit: usize,
) -> Statement {
    let source = walk.source;
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
    if let Some((kind, currency)) = &walk.alike {
        statement.push(" and e.kind = ?", kind.as_str().to_owned());
        statement.push(" and e.currency = ?", currency.clone());
    }
    let is_of_later_currency =
        |after: &&Place| walk.alike.as_ref().is_some_and(|(_, currency)| *currency > after.currency);
    if let Some(after) = after.filter(|after| !is_of_later_currency(after)) {
        let occurred_on = after.occurred_on.to_string();
        match sort {
            Sort::Newest => statement.push(&format!(" and ({day}, {entry}) < (?"), occurred_on),
            Sort::Oldest => statement.push(&format!(" and ({day}, {entry}) > (?"), occurred_on),
            Sort::Amount if walk.alike.is_some() => {
                statement.push(" and (e.amount_minor, e.occurred_on, e.entry) < (?", after.amount_minor);
                statement.push(", ?", occurred_on);
            }
            Sort::Amount => {
                statement.push(" and (e.currency > ?", after.currency.clone());
                statement.push(" or e.currency = ?", after.currency.clone());
                statement.push(" and (e.amount_minor, e.occurred_on, e.entry) < (?", after.amount_minor);
                statement.push(", ?", occurred_on);
            }
        }
        statement.push(", ?)", bytes(after.entry.as_bytes()));
        if sort == Sort::Amount && walk.alike.is_none() {
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

pub(super) fn read(row: &Row) -> rusqlite::Result<KeptEntry> {
    Ok(KeptEntry {
        entry: rows::json(row, 0)?,
        version: row.get(1)?,
        recorded_at: rows::instant(row, 2)?,
        corrected_at: rows::instant_or_none(row, 3)?,
        removed: row.get(4)?,
        touches: domain::touch::Touches::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{Durability, open_writer};
    use domain::id::{AccountId, CategoryId};
    use uuid::Uuid;

    #[test]
    fn a_list_by_day_or_amount_reads_an_index_in_order_and_sorts_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let conn = open_writer(&directory.path().join("model.sqlite"), Durability::InOrder).unwrap();
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
            for (sort, kind) in
                [(Sort::Newest, None), (Sort::Oldest, None), (Sort::Amount, Some(EntryKind::Expense))]
            {
                if sort == Sort::Amount && source != Source::Book {
                    continue;
                }
                let walk = Walk { source, alike: kind.map(|kind| (kind, "EUR".to_owned())) };
                for after in [None, Some(&place)] {
                    let filter = EntryFilter::default();
                    let statement =
                        page_statement(BookId::from_uuid(uuid), &filter, &walk, &[], sort, after, 51);
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
