//! Postings: the legs of an entry. They sum to zero in every currency, by the only constructor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CategoryId},
    money::{Currency, Money},
    text::{self, Text},
};

/// Where a posting goes in the double entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ledger {
    /// Where money is.
    Account(AccountId),
    /// What money was for.
    Category(CategoryId),
    /// Where money came from before the book began.
    OpeningBalances,
    /// Where one currency becomes another: it takes the one and gives the other, so that each sums to zero.
    Conversion,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "PostingRecord", try_from = "PostingRecord")]
pub struct Posting {
    pub ledger: Ledger,
    /// Positive is a debit: money into an account, or an expense.
    pub money: Money,
    /// What this part of a split was for.
    pub note: Option<Text>,
}

impl Posting {
    pub fn new(ledger: Ledger, money: Money) -> Self {
        Self { ledger, money, note: None }
    }
}

/// The postings of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Posting>", try_from = "Vec<Posting>")]
pub struct Postings(Vec<Posting>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("postings do not sum to zero in every currency")]
pub struct Unbalanced;

impl Postings {
    pub fn balanced(postings: Vec<Posting>) -> Result<Self, Unbalanced> {
        // Minor units of two editions of a currency are no more to be added than those of two currencies.
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for posting in &postings {
            let sum = sums.entry(posting.money.currency).or_default();
            *sum = sum.checked_add(posting.money.minor).ok_or(Unbalanced)?;
        }
        let is_balanced = postings.len() >= 2 && sums.values().all(|sum| *sum == 0);
        if is_balanced { Ok(Self(postings)) } else { Err(Unbalanced) }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Posting> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Posting> {
        self.0.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Postings {
    type Item = &'a Posting;
    type IntoIter = std::slice::Iter<'a, Posting>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl From<Postings> for Vec<Posting> {
    fn from(postings: Postings) -> Self {
        postings.0
    }
}

impl TryFrom<Vec<Posting>> for Postings {
    type Error = Unbalanced;

    fn try_from(postings: Vec<Posting>) -> Result<Self, Unbalanced> {
        Self::balanced(postings)
    }
}

/// A posting as records write it: exactly one of `account`, `category` and `equity`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PostingRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equity: Option<Equity>,
    amount: String,
    currency: String,
    #[serde(default, deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    note: Option<Text>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Equity {
    OpeningBalances,
    Conversion,
}

impl From<Posting> for PostingRecord {
    fn from(posting: Posting) -> Self {
        let (mut account, mut category, mut equity) = (None, None, None);
        match posting.ledger {
            Ledger::Account(id) => account = Some(id),
            Ledger::Category(id) => category = Some(id),
            Ledger::OpeningBalances => equity = Some(Equity::OpeningBalances),
            Ledger::Conversion => equity = Some(Equity::Conversion),
        }
        let money = posting.money;
        let currency = money.currency.code().to_owned();
        Self { account, category, equity, amount: money.decimal(), currency, note: posting.note }
    }
}

impl TryFrom<PostingRecord> for Posting {
    type Error = String;

    fn try_from(record: PostingRecord) -> Result<Self, String> {
        let ledger = match (record.account, record.category, record.equity) {
            (Some(id), None, None) => Ledger::Account(id),
            (None, Some(id), None) => Ledger::Category(id),
            (None, None, Some(Equity::OpeningBalances)) => Ledger::OpeningBalances,
            (None, None, Some(Equity::Conversion)) => Ledger::Conversion,
            _ => return Err("a posting names exactly one of account, category and equity".to_owned()),
        };
        Ok(Self { ledger, money: Money::from_record(&record.amount, &record.currency)?, note: record.note })
    }
}
