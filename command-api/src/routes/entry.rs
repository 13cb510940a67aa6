//! What the endpoints that take entries share.

use domain::{
    command::{EntryDraft, PostedTo, PostingDraft, Sorting, SplitDraft},
    entry::EntryKind,
    id::{AccountId, CategoryId, EntryId},
    money::{Currency, Money},
    text::{TAGS_MAX, Text},
};
use http_kit::problem::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fields::{CurrencyCode, Date, Note, Payee, PositiveAmount, SignedAmount, Tag, sentence, some};

/// The kinds of entries that people write; opening balances come with their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Expense,
    Income,
    Refund,
    Transfer,
    Balanced,
}

impl From<Kind> for EntryKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Expense => EntryKind::Expense,
            Kind::Income => EntryKind::Income,
            Kind::Refund => EntryKind::Refund,
            Kind::Transfer => EntryKind::Transfer,
            Kind::Balanced => EntryKind::Balanced,
        }
    }
}

/// An entry to add. Which fields it takes depends on its `kind`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEntry {
    /// Chosen by the client if it likes, so that it can be written offline; used once.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EntryId>,
    kind: Kind,
    /// `YYYY-MM-DD`.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    occurred_on: Date,
    /// Where the money went from; for income and refunds, where it came in. Required but for a balanced entry, which has
    /// none.
    #[schema(value_type = String, required = false)]
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    /// Positive, in the account's currency. Required but for a balanced entry, which has none.
    #[schema(value_type = String, required = false, example = "12.50")]
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    amount: Option<PositiveAmount>,
    /// Must be the account's, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// An expense category for expenses and refunds, an income category for income. This or `splits`.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<CategoryId>,
    /// Parts that add up to `amount`; at most 100.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    splits: Option<Vec<Split>>,
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<Payee>,
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    /// Of a refund: the expense that is given back. In a bulk it may be one that stands before it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_of: Option<EntryId>,
    /// Of a transfer: where the money goes.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    to_account: Option<AccountId>,
    /// Of a transfer between two currencies: what arrives, in the currency of `to_account`.
    #[schema(value_type = Option<String>, example = "13.60")]
    #[serde(skip_serializing_if = "Option::is_none")]
    to_amount: Option<PositiveAmount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign: Option<Foreign>,
    /// Of a balanced entry: 2 to 100, which sum to zero in each currency.
    #[schema(min_items = 2, max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    postings: Option<Vec<Posting>>,
}

impl NewEntry {
    /// What cannot be said of an entry of any book is a fault already; the rest is held against the book.
    pub fn draft(&self, faults: &mut Vec<FieldError>) -> EntryDraft {
        let is_told = self.kind != Kind::Balanced;
        for (field, is_missing) in [
            ("account", is_told && self.account.is_none()),
            ("amount", is_told && self.amount.is_none()),
            ("postings", !is_told && self.postings.is_none()),
        ] {
            if is_missing {
                let detail = format!("{field:?} is required for an entry of this kind.");
                faults.push(FieldError { pointer: format!("/{field}"), code: "field_missing", detail });
            }
        }
        EntryDraft {
            kind: self.kind.into(),
            occurred_on: self.occurred_on.0,
            account: self.account,
            amount: self.amount.map(|amount| amount.0),
            currency: self.currency.clone(),
            sorting: sorting(self.category, self.splits.as_deref(), faults),
            to_account: self.to_account,
            to_amount: self.to_amount.map(|amount| amount.0),
            postings: self.postings.as_deref().map(|postings| self::postings(postings, faults)),
            payee: self.payee.clone().and_then(|payee| payee.0),
            note: self.note.clone().and_then(|note| note.0),
            tags: tags(self.tags.as_deref().unwrap_or_default(), faults),
            refund_of: self.refund_of,
            foreign: self.foreign.as_ref().and_then(|foreign| foreign.read(faults)),
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

/// One leg of a balanced entry; names an account or a category, which may be of either kind.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostingToWrite)]
pub struct Posting {
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<CategoryId>,
    /// Signed and not zero: positive into an account, or spent; negative out of it, or earned.
    #[schema(value_type = String, example = "-12.50")]
    amount: SignedAmount,
    /// ISO 4217. An account's own, if it is given. A category takes that of the accounts beside it, or without any that
    /// of the book; where they keep several it is required.
    #[schema(value_type = Option<String>, example = "EUR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<CurrencyCode>,
    /// What this part was for.
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Note>,
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

/// The legs as they were given; each that names not exactly one thing is a fault.
pub fn postings(given: &[Posting], faults: &mut Vec<FieldError>) -> Vec<PostingDraft> {
    let mut postings = Vec::with_capacity(given.len());
    for (index, posting) in given.iter().enumerate() {
        let to = match (posting.account, posting.category) {
            (Some(account), None) => PostedTo::Account(account),
            (None, Some(category)) => PostedTo::Category(category),
            (None, None) => {
                faults.push(FieldError {
                    pointer: format!("/postings/{index}/account"),
                    code: "field_missing",
                    detail: "A posting names an account or a category.".to_owned(),
                });
                continue;
            }
            (Some(_), Some(_)) => {
                faults.push(FieldError {
                    pointer: format!("/postings/{index}/category"),
                    code: "field_not_allowed",
                    detail: "A posting names an account or a category, not both.".to_owned(),
                });
                continue;
            }
        };
        postings.push(PostingDraft {
            to,
            amount: posting.amount.0,
            currency: posting.currency.map(|code| code.0),
            note: posting.note.clone().and_then(|note| note.0),
        });
    }
    postings
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
