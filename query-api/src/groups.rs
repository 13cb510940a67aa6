//! The groups of a report as clients see them, each with the way to its entries.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use domain::{
    entry::CategoryKind,
    id::{AccountId, BookId, CategoryId},
    money::{Currency, Money},
};
use read_model::queries::categories::Tree;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    filter::EntriesParameters,
    periods::{Calendar, Period, PeriodKind, Span, weekday_number},
    tally::{self, Draft, Key, Rhythm, Sides, Trait},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    #[default]
    Category,
    Payee,
    Account,
    Tag,
    Day,
    Week,
    Month,
    Weekday,
}

/// What groups are made of, each read and put together in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Category,
    Trait(Trait),
    Rhythm(Rhythm),
}

impl GroupBy {
    pub(crate) fn by(self) -> By {
        match self {
            GroupBy::Category => By::Category,
            GroupBy::Payee => By::Trait(Trait::Payee),
            GroupBy::Account => By::Trait(Trait::Account),
            GroupBy::Tag => By::Trait(Trait::Tag),
            GroupBy::Day => By::Rhythm(Rhythm::Steps(PeriodKind::Day)),
            GroupBy::Week => By::Rhythm(Rhythm::Steps(PeriodKind::Week)),
            GroupBy::Month => By::Rhythm(Rhythm::Steps(PeriodKind::Month)),
            GroupBy::Weekday => By::Rhythm(Rhythm::Weekday),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportPeriod {
    #[schema(format = Date)]
    pub from: String,
    /// The last day, included.
    #[schema(format = Date)]
    pub to: String,
    /// `November 2026`, `2026-W48`, `2026-Q4`, `2026`; by its days where the book's months do not begin on the 1st. A
    /// week is numbered by the ISO week that its fourth day falls in.
    #[schema(example = "November 2026")]
    pub label: String,
    pub days: i64,
}

/// What money was for. Its amount is positive when money went the usual way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Group {
    /// The id of the category or account, the payee, the tag, the first day of the day or week, `2026-11` for the
    /// month that begins in it, `monday`. Empty for entries without payee or tag.
    pub key: String,
    /// `null` for entries without payee or tag.
    pub name: Option<String>,
    pub currency: String,
    /// With all below it.
    pub amount: String,
    /// Of all groups of this currency, 0 to 1, to four decimals; below 0 where refunds outweigh. `null` where the
    /// whole is not positive.
    #[schema(example = 0.2514)]
    pub share: Option<f64>,
    /// Each entry counts once, however it is split.
    pub entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_amount: Option<String>,
    /// Lists exactly the entries behind `previous_amount`. Left out for a day that the other period does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_entries_url: Option<String>,
    /// `amount` less `previous_amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// Of a category: what is below it, if anything was sorted there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub children: Vec<Group>,
    /// Lists exactly the entries behind `amount`. They add up by their `postings` in this currency to the category and
    /// those below it; in groups of anything else, to the categories of the report's side and filter. Income has its
    /// sign turned.
    pub entries_url: String,
}

/// Where the tree of groups begins: at the roots, or at the categories asked for that are not below another.
pub(crate) fn tops(tree: &Tree, asked: &[CategoryId]) -> Vec<CategoryId> {
    if asked.is_empty() {
        return tree.iter().filter(|(_, category)| category.parent.is_none()).map(|(id, _)| id).collect();
    }
    let asked: BTreeSet<CategoryId> = asked.iter().copied().collect();
    let is_top = |id: &CategoryId| {
        let others: Vec<CategoryId> = asked.iter().copied().filter(|other| other != id).collect();
        !tree.with_children(&others).contains(id)
    };
    asked.iter().copied().filter(is_top).collect()
}

impl ReportPeriod {
    pub(crate) fn of(calendar: Calendar, period: Period) -> Self {
        Self {
            from: period.span.from.to_string(),
            to: period.span.to.to_string(),
            label: calendar.label(period),
            days: period.span.days(),
        }
    }
}

/// What is needed to write groups down, with the way to their entries.
pub(crate) struct GroupWriter<'t> {
    pub book: BookId,
    pub tree: &'t Tree,
    pub calendar: Calendar,
    pub span: Span,
    /// The period it is held against.
    pub other: Option<Span>,
    pub kind: CategoryKind,
    pub group_by: GroupBy,
    /// What shares are shares of.
    pub whole: HashMap<Currency, Sides>,
    /// Needed only for groups by account.
    pub account_names: HashMap<AccountId, Option<String>>,
    /// The filters of the report itself.
    pub entries: EntriesParameters,
}

impl GroupWriter<'_> {
    pub fn groups(&self, mut drafts: Vec<Draft>) -> Vec<Group> {
        match self.group_by {
            GroupBy::Category | GroupBy::Payee | GroupBy::Account | GroupBy::Tag => {
                drafts.sort_by_cached_key(|draft| {
                    (Reverse(draft.now.minor), draft.key.clone(), draft.currency)
                });
            }
            GroupBy::Day | GroupBy::Week | GroupBy::Month | GroupBy::Weekday => {
                drafts.sort_by_cached_key(|draft| (self.place(&draft.key), draft.currency));
            }
        }
        drafts.into_iter().filter_map(|draft| self.group(draft)).collect()
    }

    /// Weekdays in the order of the book's week.
    fn place(&self, key: &Key) -> i64 {
        match key {
            Key::Nth(nth) => *nth,
            Key::Weekday(number) => {
                let first = i64::from(weekday_number(self.calendar.week_starts_on));
                (i64::from(*number) + 7 - first) % 7
            }
            Key::Category(_) | Key::Account(_) | Key::Payee(_) | Key::Tag(_) => 0,
        }
    }

    /// `None` for a day that only the other period has, such as the 31st held against a month of 30.
    fn group(&self, draft: Draft) -> Option<Group> {
        let Draft { key, currency, now, before, children } = draft;
        let decimal = |minor| Money { minor, currency }.decimal();
        let mut entries = EntriesParameters {
            currency: Some(currency.code().to_owned()),
            category_kind: vec![self.kind],
            ..self.entries.clone()
        };
        let (mut span, mut other) = (self.span, self.other);
        let (key, name) = match key {
            Key::Category(id) => {
                entries.category = vec![id];
                // A category is of the kind that all below it are of.
                entries.category_kind = Vec::new();
                let name = self.tree.get(id).and_then(|category| category.name.as_str()).map(str::to_owned);
                (id.to_string(), name)
            }
            Key::Account(id) => {
                entries.account = vec![id];
                (id.to_string(), self.account_names.get(&id).cloned().flatten())
            }
            Key::Payee(payee) => {
                let text = payee.clone().unwrap_or_default();
                entries.payee = vec![text.clone()];
                (text, payee)
            }
            Key::Tag(tag) => {
                let text = tag.clone().unwrap_or_default();
                if !entries.tag.contains(&text) {
                    entries.tag.push(text.clone());
                }
                (text, tag)
            }
            Key::Nth(nth) => {
                let By::Rhythm(Rhythm::Steps(grain)) = self.group_by.by() else { return None };
                span = tally::nth_span(self.calendar, grain, self.span, nth)?;
                other = self.other.and_then(|other| tally::nth_span(self.calendar, grain, other, nth));
                let whole = self.calendar.containing(grain, span.from);
                let format = if grain == PeriodKind::Month { "%Y-%m" } else { "%Y-%m-%d" };
                let key = whole.span.from.format(format).to_string();
                (key, Some(self.calendar.label(whole)))
            }
            Key::Weekday(number) => {
                let weekday = tally::weekday_named(number);
                entries.weekday = Some(weekday);
                (weekday.as_str().to_owned(), Some(weekday.as_str().to_owned()))
            }
        };
        Some(Group {
            key,
            name,
            currency: currency.code().to_owned(),
            amount: decimal(now.minor),
            share: share(now.minor, self.whole.get(&currency).map_or(0, |sides| sides.of(self.kind).minor)),
            entries: now.entries(),
            previous_amount: before.as_ref().map(|before| decimal(before.minor)),
            change: before.as_ref().map(|before| decimal(now.minor.saturating_sub(before.minor))),
            previous_entries_url: other.map(|other| entries.within(other).url(self.book)),
            children: self.groups(children),
            entries_url: entries.within(span).url(self.book),
        })
    }
}

/// To four decimals, rounded half up in whole numbers; only the quotient is ever a float.
pub(crate) fn share(minor: i64, whole: i64) -> Option<f64> {
    if whole <= 0 {
        return None;
    }
    let (minor, whole) = (i128::from(minor), i128::from(whole));
    let ten_thousandths = (minor * 20_000 + whole).div_euclid(2 * whole);
    Some(ten_thousandths as f64 / 10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_four_decimals_and_no_meaning_without_a_whole() {
        assert_eq!(share(1, 3), Some(0.3333));
        assert_eq!(share(2, 3), Some(0.6667));
        assert_eq!(share(5, 5), Some(1.0));
        assert_eq!(share(-1, 2), Some(-0.5));
        assert_eq!(share(1, 0), None);
        assert_eq!(share(1, -5), None);
    }
}
