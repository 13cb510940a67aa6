//! What the two endpoints that take an entry share.

use domain::{
    command::{Sorting, SplitDraft},
    entry::EntryKind,
    id::CategoryId,
    money::{Currency, Money},
    text::{TAGS_MAX, Text},
};
use http_kit::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fields::{Note, PositiveAmount, Tag, sentence};

/// The kinds of entries that people write; opening balances come with their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Expense,
    Income,
    Refund,
    Transfer,
}

impl From<Kind> for EntryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Expense => EntryKind::Expense,
            Kind::Income => EntryKind::Income,
            Kind::Refund => EntryKind::Refund,
            Kind::Transfer => EntryKind::Transfer,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SplitToWrite)]
pub struct Split {
    #[schema(value_type = String)]
    pub category: CategoryId,
    #[schema(value_type = String, example = "4.20")]
    pub amount: PositiveAmount,
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// What the till said, where it spoke another currency. Informational.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForeignAmountToWrite)]
pub struct Foreign {
    #[schema(value_type = String, example = "20.00")]
    pub amount: PositiveAmount,
    #[schema(example = "USD")]
    pub currency: String,
}

impl Foreign {
    pub fn read(&self, faults: &mut Vec<FieldError>) -> Option<Money> {
        let mut fault = |pointer: &str, code, detail: String| {
            faults.push(FieldError { pointer: pointer.to_owned(), code, detail: sentence(&detail) });
        };
        let currency = Currency::parse(&self.currency)
            .map_err(|error| fault("/foreign/currency", "unknown_currency", error.to_string()))
            .ok()?;
        let money = self.amount.0.in_currency(currency);
        money.map_err(|error| fault("/foreign/amount", error.code(), error.to_string())).ok()
    }
}

/// What the money was for: a category, splits, or neither.
pub fn sorting(
    category: Option<CategoryId>,
    splits: Option<&[Split]>,
    faults: &mut Vec<FieldError>,
) -> Sorting {
    match (category, splits) {
        (None, None) => Sorting::Unsorted,
        (Some(category), None) => Sorting::Whole(category),
        (None, Some(splits)) => Sorting::Split(
            splits
                .iter()
                .map(|split| SplitDraft {
                    category: split.category,
                    amount: split.amount.0,
                    note: split.note.clone().and_then(|note| note.0),
                })
                .collect(),
        ),
        (Some(_), Some(_)) => {
            faults.push(FieldError {
                pointer: "/splits".to_owned(),
                code: "field_not_allowed",
                detail: "An entry has a category or splits, not both.".to_owned(),
            });
            Sorting::Unsorted
        }
    }
}

/// Each tag once, in the order given.
pub fn tags(given: &[Tag], faults: &mut Vec<FieldError>) -> Vec<Text> {
    let mut tags: Vec<Text> = Vec::new();
    for tag in given {
        if !tags.contains(&tag.0) {
            tags.push(tag.0.clone());
        }
    }
    if tags.len() > TAGS_MAX {
        faults.push(FieldError {
            pointer: "/tags".to_owned(),
            code: "too_many_tags",
            detail: format!("An entry has at most {TAGS_MAX} tags."),
        });
    }
    tags
}
