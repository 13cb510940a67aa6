//! Which entries are meant, as bound SQL. Texts of the statement are ours, values of the client are parameters.

use chrono::NaiveDate;
use domain::{
    entry::{CategoryKind, EntryKind},
    event::Weekday,
    id::{AccountId, BookId, CategoryId},
    money::Currency,
};
use rusqlite::types::Value;

/// An entry is meant if it fits everything that is given. Of a list, one has to fit unless it says otherwise; an
/// empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub from: Option<NaiveDate>,
    /// Inclusive.
    pub to: Option<NaiveDate>,
    pub accounts: Vec<AccountId>,
    /// Each with its children.
    pub categories: Vec<CategoryId>,
    /// Sorted into a category of one of these kinds; of `categories` only those.
    pub category_kinds: Vec<CategoryKind>,
    pub kinds: Vec<EntryKind>,
    /// Exact; an empty one means entries without payee.
    pub payees: Vec<String>,
    /// Exact, and all of them; an empty one means entries without tags.
    pub tags: Vec<String>,
    /// Each has to be somewhere in payee, notes and tags, in whatever case.
    pub words: Vec<String>,
    /// Of the posting to one of the categories or accounts, where any are given; else of any posting.
    pub currency: Option<String>,
    pub amount_min: Option<AmountBound>,
    pub amount_max: Option<AmountBound>,
    pub weekday: Option<Weekday>,
    /// Only those removed, or only those that are not.
    pub removed: bool,
}

/// A bound for amounts of whatever currency, in millionths: no currency has more than six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountBound {
    pub millionths: i128,
}

impl AmountBound {
    fn minor_at_least(&self, currency: Currency) -> i64 {
        let unit = unit_of(currency);
        saturate(self.millionths.div_euclid(unit) + i128::from(self.millionths.rem_euclid(unit) != 0))
    }

    fn minor_at_most(&self, currency: Currency) -> i64 {
        saturate(self.millionths.div_euclid(unit_of(currency)))
    }
}

/// How many millionths the smallest unit of a currency is.
fn unit_of(currency: Currency) -> i128 {
    10i128.pow(6 - u32::from(currency.decimals()))
}

fn saturate(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

/// Where the rows of a list come from: the index that leaves least to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Book,
    Account(AccountId),
    Category(CategoryId),
}

/// A statement in the making and its parameters. In it `e` is the entry, `d` the row that carries the day.
pub(super) struct Statement {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Statement {
    /// Begins with what is selected; the source's own conditions follow.
    pub fn select(columns: &'static str, source: Source, book: BookId) -> Self {
        let mut statement = Self { sql: format!("select {columns} from "), values: Vec::new() };
        match source {
            Source::Book => statement.push(" entries e where e.book = ?", bytes(book.as_bytes())),
            Source::Account(account) => {
                statement.push_text(
                    "entry_accounts d cross join entries e on e.book = d.book and e.entry = d.entry",
                );
                statement.push(" where d.book = ?", bytes(book.as_bytes()));
                statement.push(" and d.account = ?", bytes(account.as_bytes()));
            }
            Source::Category(category) => {
                statement.push_text(
                    "entry_categories d cross join entries e on e.book = d.book and e.entry = d.entry",
                );
                statement.push(" where d.book = ?", bytes(book.as_bytes()));
                statement.push(" and d.category = ?", bytes(category.as_bytes()));
            }
        }
        statement
    }

    pub fn push_text(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    pub fn push(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push_str(sql);
        self.values.push(value.into());
    }

    pub fn push_list(&mut self, before: &str, values: impl Iterator<Item = Value>) {
        self.sql.push_str(before);
        self.sql.push('(');
        let count_before = self.values.len();
        for value in values {
            let mark = if self.values.len() == count_before { "?" } else { ", ?" };
            self.push(mark, value);
        }
        self.sql.push(')');
    }

    /// All of the filter but its categories and accounts.
    pub fn push_filter(&mut self, filter: &EntryFilter, source: Source, currencies: &[Currency]) {
        let day = day_column(source);
        self.push(" and e.removed = ?", i64::from(filter.removed));
        if let Some(from) = filter.from {
            self.push(&format!(" and {day} >= ?"), from.to_string());
        }
        if let Some(to) = filter.to {
            self.push(&format!(" and {day} <= ?"), to.to_string());
        }
        if !filter.kinds.is_empty() {
            let kinds = filter.kinds.iter().map(|kind| Value::from(kind.as_str().to_owned()));
            self.push_list(" and e.kind in ", kinds);
        }
        if !filter.payees.is_empty() {
            // An `or` of a value and null would keep the index on payees from being used.
            let (named, none): (Vec<&String>, Vec<&String>) =
                filter.payees.iter().partition(|text| !text.is_empty());
            match (named.is_empty(), none.is_empty()) {
                (true, _) => self.push_text(" and e.payee is null"),
                (false, true) => {
                    self.push_list(
                        " and e.payee in ",
                        named.into_iter().map(|text| Value::from(text.clone())),
                    );
                }
                (false, false) => {
                    self.push_list(
                        " and (e.payee is null or e.payee in ",
                        named.into_iter().map(|text| Value::from(text.clone())),
                    );
                    self.push_text(")");
                }
            }
        }
        self.push_tags(&filter.tags);
        for word in &filter.words {
            self.push(" and instr(e.words, ?) > 0", word.to_lowercase());
        }
        if let Some(currency) = &filter.currency {
            match source {
                Source::Account(_) | Source::Category(_) => {
                    self.push(" and d.currency = ?", currency.clone());
                }
                Source::Book => {
                    // Only these kinds can move money of several currencies.
                    self.push(" and (e.currency = ?", currency.clone());
                    self.push_text(" or e.kind in ('transfer', 'balanced')");
                    self.push(
                        " and exists (select 1 from json_each(e.body, '$.postings') p \
                         where json_extract(p.value, '$.currency') = ?))",
                        currency.clone(),
                    );
                }
            }
        }
        if filter.amount_min.is_some() || filter.amount_max.is_some() {
            self.push_text(" and (0");
            for currency in currencies {
                self.push(" or (e.currency = ?", currency.code().to_owned());
                if let Some(bound) = filter.amount_min {
                    self.push(" and e.amount_minor >= ?", bound.minor_at_least(*currency));
                }
                if let Some(bound) = filter.amount_max {
                    self.push(" and e.amount_minor <= ?", bound.minor_at_most(*currency));
                }
                self.push_text(")");
            }
            self.push_text(")");
        }
        if let Some(weekday) = filter.weekday {
            self.push(&format!(" and strftime('%u', {day}) = ?"), iso_weekday(weekday).to_owned());
        }
    }

    pub fn push_accounts(&mut self, accounts: &[AccountId]) {
        let ids = accounts.iter().map(|account| bytes(account.as_bytes()));
        self.push_list(
            " and exists (select 1 from entry_accounts a where a.book = e.book and a.occurred_on = e.occurred_on \
             and a.entry = e.entry and a.account in ",
            ids,
        );
        self.push_text(")");
    }

    fn push_tags(&mut self, tags: &[String]) {
        for tag in tags {
            if tag.is_empty() {
                self.push_text(" and json_extract(e.body, '$.tags') is null");
                continue;
            }
            // Looking into the words first spares reading the body of nearly every entry.
            self.push(" and instr(e.words, ?) > 0", tag.to_lowercase());
            self.push(
                " and exists (select 1 from json_each(e.body, '$.tags') t where t.value = ?)",
                tag.clone(),
            );
        }
    }
}

/// The column with the entry's day that the source's index is sorted by.
pub(super) fn day_column(source: Source) -> &'static str {
    match source {
        Source::Book => "e.occurred_on",
        Source::Account(_) | Source::Category(_) => "d.occurred_on",
    }
}

pub(super) fn bytes(id: &[u8; 16]) -> Value {
    Value::from(id.to_vec())
}

/// As `strftime('%u')` counts: 1 for Monday.
fn iso_weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "1",
        Weekday::Tuesday => "2",
        Weekday::Wednesday => "3",
        Weekday::Thursday => "4",
        Weekday::Friday => "5",
        Weekday::Saturday => "6",
        Weekday::Sunday => "7",
    }
}
