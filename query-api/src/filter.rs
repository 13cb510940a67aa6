//! Which entries a request means, as parameters of the query.

use chrono::{Datelike, NaiveDate};
use domain::{
    entry::{CategoryKind, EntryKind},
    event::Weekday,
    id::{AccountId, BookId, CategoryId},
    money::Amount,
};
use http_kit::{problem::Problem, routes::API_BASE};
use read_model::queries::filter::{AmountBound, EntryFilter};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{canonical, is_no_part_of_the_view},
    pages::invalid_parameter,
    periods::Span,
};

const TEXT_LETTERS_MAX: usize = 200;
const VALUES_MAX: usize = 50;
/// As many as a book can have, because what several hold together names them all.
const ACCOUNTS_MAX: usize = 500;
/// No currency has more decimals.
const DECIMALS_MAX: usize = 6;

/// A day in a query: `YYYY-MM-DD` and nothing else, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub NaiveDate);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = text.parse::<NaiveDate>().ok().filter(|day| (1..=9999).contains(&day.year()));
        // chrono reads `2026-1-5` as well.
        let day = day.filter(|day| day.to_string() == text);
        day.map(Day).ok_or_else(|| de::Error::custom("a date is written YYYY-MM-DD and is a day that exists"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortName {
    #[default]
    Newest,
    Oldest,
    /// Largest first, one currency after the other.
    Amount,
}

/// The parameters of the list of entries. Also how a report says which entries are behind a figure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EntriesParameters {
    /// The first day.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last day, included.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// An account that money went into or out of; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub account: Vec<AccountId>,
    /// A category with all below it; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub category: Vec<CategoryId>,
    /// Only entries that were sorted into a category of this kind, `expense` or `income`, of `category` where that is
    /// given; repeat for either.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub category_kind: Vec<CategoryKind>,
    /// `expense`, `income`, `refund`, `transfer`, `balanced` or `opening_balance`; repeat for any of several.
    #[param(value_type = Vec<String>, required = false)]
    #[serde(default)]
    pub kind: Vec<EntryKind>,
    /// Exactly this payee; empty for entries without one; repeat for any of several.
    #[param(required = false)]
    #[serde(default)]
    pub payee: Vec<String>,
    /// Exactly this tag; empty for entries without any; repeat for entries that have all of several.
    #[param(required = false)]
    #[serde(default)]
    pub tag: Vec<String>,
    /// Words that are each somewhere in payee, notes or tags, in whatever case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The least amount, a decimal string; held against each currency for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<String>,
    /// The largest amount, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<String>,
    /// Only entries that moved money in this currency (ISO 4217): in the category asked for, else in the account, else
    /// anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Only entries of this day of the week, `monday` to `sunday`.
    #[param(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<Weekday>,
    /// `true` lists the entries that were removed, and only those. Default `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<bool>,
    /// Default `newest`.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<SortName>,
    /// 1 to 200, default 50.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the part before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

impl EntriesParameters {
    pub fn filter(&self) -> Result<EntryFilter, Problem> {
        let lists = [
            ("account", self.account.len(), ACCOUNTS_MAX),
            ("category", self.category.len(), VALUES_MAX),
            ("category_kind", self.category_kind.len(), VALUES_MAX),
            ("kind", self.kind.len(), VALUES_MAX),
            ("payee", self.payee.len(), VALUES_MAX),
            ("tag", self.tag.len(), VALUES_MAX),
        ];
        for (name, count, count_max) in lists {
            if count > count_max {
                return Err(invalid_parameter(name, format!("it can be repeated {count_max} times")));
            }
        }
        let text = self.text.as_deref().unwrap_or_default();
        if text.chars().count() > TEXT_LETTERS_MAX {
            return Err(invalid_parameter("text", format!("it has at most {TEXT_LETTERS_MAX} letters")));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from.0 > to.0
        {
            return Err(invalid_parameter("to", "it lies before from"));
        }
        Ok(EntryFilter {
            from: self.from.map(|day| day.0),
            to: self.to.map(|day| day.0),
            accounts: self.account.clone(),
            categories: self.category.clone(),
            category_kinds: self.category_kind.clone(),
            kinds: self.kind.clone(),
            payees: self.payee.clone(),
            tags: self.tag.clone(),
            words: text.split_whitespace().map(str::to_owned).collect(),
            currency: self.currency.clone(),
            amount_min: bound("amount_min", self.amount_min.as_deref())?,
            amount_max: bound("amount_max", self.amount_max.as_deref())?,
            weekday: self.weekday,
            removed: self.removed.unwrap_or(false),
        })
    }

    /// What a cursor is bound to: the list, wherever in it.
    pub fn list(&self, book: BookId) -> String {
        let whole = Self { limit: None, cursor: None, ..self.clone() };
        format!("entries {book} {}", canonical(&whole))
    }

    /// The same of these days, as far as entries can have them: none is older than the year 1.
    pub fn within(&self, span: Span) -> Self {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("the first day of a year exists");
        let day = |day: NaiveDate| Some(Day(day.max(first)));
        Self { from: day(span.from), to: day(span.to), ..self.clone() }
    }

    pub fn url(&self, book: BookId) -> String {
        format!("{API_BASE}/books/{book}/entries?{}", canonical(self))
    }
}

fn bound(name: &'static str, text: Option<&str>) -> Result<Option<AmountBound>, Problem> {
    let Some(text) = text else { return Ok(None) };
    if let Err(error) = text.parse::<Amount>() {
        return Err(invalid_parameter(name, error));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > DECIMALS_MAX {
        return Err(invalid_parameter(name, format!("it has at most {DECIMALS_MAX} decimals")));
    }
    let digits = format!("{whole}{fraction:0<DECIMALS_MAX$}");
    let millionths = digits.parse().map_err(|_| invalid_parameter(name, "it is too large"))?;
    Ok(Some(AmountBound { millionths }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_in_millionths_whatever_the_currency() {
        let read = |text| bound("amount_min", Some(text)).map(|bound| bound.unwrap().millionths);
        assert_eq!(read("12.5").unwrap(), 12_500_000);
        assert_eq!(read("12").unwrap(), 12_000_000);
        assert_eq!(read("-0.000001").unwrap(), -1);
        for wrong in ["", "1e3", "NaN", "12,5", "0.0000001", "999999999999999999999999999999"] {
            assert_eq!(read(wrong).unwrap_err().code(), "invalid_parameter", "{wrong}");
        }
    }

    #[test]
    fn a_day_is_one_that_exists_in_four_two_and_two_digits() {
        let read = |text: &str| serde_json::from_value::<Day>(text.into()).is_ok();
        assert!(read("2026-11-23") && read("2028-02-29") && read("0001-01-01"));
        for wrong in
            ["2026-04-31", "0000-01-01", "10000-01-01", "+2026-01-1", "2026-1-01", "23.11.2026", "2026-11-2x"]
        {
            assert!(!read(wrong), "{wrong}");
        }
    }
}
