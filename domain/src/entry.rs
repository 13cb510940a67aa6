//! Entries: what happened to somebody's money, as balanced postings.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CategoryId, EntryId, ImportId},
    money::Money,
    posting::{Ledger, Postings},
    text::{self, Text},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Expense,
    Income,
    Refund,
    Transfer,
    OpeningBalance,
    /// Told by its postings, for what the other kinds cannot say.
    Balanced,
}

impl EntryKind {
    pub const ALL: [EntryKind; 6] = [
        EntryKind::Expense,
        EntryKind::Income,
        EntryKind::Refund,
        EntryKind::Transfer,
        EntryKind::OpeningBalance,
        EntryKind::Balanced,
    ];

    pub fn as_str(&self) -> &'static str {
        match self {
            EntryKind::Expense => "expense",
            EntryKind::Income => "income",
            EntryKind::Refund => "refund",
            EntryKind::Transfer => "transfer",
            EntryKind::OpeningBalance => "opening_balance",
            EntryKind::Balanced => "balanced",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The kind of category this kind of entry is sorted into; none for money that only moves.
    pub fn category_kind(&self) -> Option<CategoryKind> {
        match self {
            EntryKind::Expense | EntryKind::Refund => Some(CategoryKind::Expense),
            EntryKind::Income => Some(CategoryKind::Income),
            EntryKind::Transfer | EntryKind::OpeningBalance | EntryKind::Balanced => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryKind {
    Expense,
    Income,
}

impl CategoryKind {
    pub fn as_str(&self) -> &'static str {
        match self {
            CategoryKind::Expense => "expense",
            CategoryKind::Income => "income",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [CategoryKind::Expense, CategoryKind::Income].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Cash,
    Bank,
    Card,
    Savings,
    Loan,
    Other,
}

impl AccountKind {
    pub const ALL: [AccountKind; 6] = [
        AccountKind::Cash,
        AccountKind::Bank,
        AccountKind::Card,
        AccountKind::Savings,
        AccountKind::Loan,
        AccountKind::Other,
    ];

    pub fn as_str(&self) -> &'static str {
        match self {
            AccountKind::Cash => "cash",
            AccountKind::Bank => "bank",
            AccountKind::Card => "card",
            AccountKind::Savings => "savings",
            AccountKind::Loan => "loan",
            AccountKind::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One balanced set of postings and what people say about it. Events carry it whole, so that each record can
/// be read without the ones before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: EntryId,
    pub kind: EntryKind,
    pub occurred_on: NaiveDate,
    pub postings: Postings,
    #[serde(default, deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub payee: Option<Text>,
    #[serde(default, deserialize_with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<EntryId>,
    /// What the till said, where it spoke another currency. Informational.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// Where an imported entry came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    pub import: ImportId,
    /// The line of the file, counted from 1.
    pub line: u64,
    /// The line as [`statement_mark`] wrote it; stays when the entry is corrected, so that the same line is
    /// known again.
    pub mark: Text,
}

/// What two equal lines of a statement have in common. Amounts are signed: negative left the account. `text` is the
/// line's words or, after a `#`, the name that the bank has for it, so that the same movement told by two formats has
/// two marks.
pub fn statement_mark(account: AccountId, occurred_on: NaiveDate, minor: i64, text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    format!("{account}|{occurred_on}|{minor}|{}", words.join(" "))
}

/// The account whose statement the line with this mark stands in.
pub fn account_of_mark(mark: &str) -> Option<AccountId> {
    mark.split_once('|').and_then(|(account, _)| account.parse().ok())
}

impl Entry {
    /// The account the entry is told from: the first one posted to.
    pub fn account(&self) -> Option<(AccountId, Money)> {
        self.accounts().next()
    }

    /// What a list shows as its amount: positive, but for an opening balance that is a debt. Of a balanced entry
    /// what it moves in the currency of its first posting.
    pub fn told(&self) -> Money {
        let first = self.postings.iter().next().expect("postings that balance are two at least").money;
        let money = self.account().map_or(first, |(_, money)| money);
        let minor = match self.kind {
            EntryKind::OpeningBalance => money.minor,
            EntryKind::Expense | EntryKind::Income | EntryKind::Refund | EntryKind::Transfer => {
                money.minor.abs()
            }
            EntryKind::Balanced => {
                let alike = self.postings.iter().filter(|posting| posting.money.currency == money.currency);
                alike.map(|posting| posting.money.minor.max(0)).sum()
            }
        };
        Money { minor, currency: money.currency }
    }

    pub fn accounts(&self) -> impl Iterator<Item = (AccountId, Money)> {
        self.postings.iter().filter_map(|posting| match posting.ledger {
            Ledger::Account(id) => Some((id, posting.money)),
            Ledger::Category(_) | Ledger::OpeningBalances | Ledger::Conversion => None,
        })
    }

    pub fn categories(&self) -> impl Iterator<Item = (CategoryId, Money)> {
        self.postings.iter().filter_map(|posting| match posting.ledger {
            Ledger::Category(id) => Some((id, posting.money)),
            Ledger::Account(_) | Ledger::OpeningBalances | Ledger::Conversion => None,
        })
    }

    /// How a line of a statement that tells of this entry would be marked.
    pub fn mark(&self) -> Option<String> {
        if let Some(imported) = &self.imported {
            return imported.mark.as_str().map(str::to_owned);
        }
        let (account, money) = self.account()?;
        let payee = self.payee.as_ref().and_then(Text::as_str).unwrap_or_default();
        Some(statement_mark(account, self.occurred_on, money.minor, payee))
    }
}
