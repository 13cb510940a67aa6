//! Income and expense by currency as clients see them, each with the way to its entries.

use std::collections::HashMap;

use domain::{
    entry::CategoryKind,
    id::BookId,
    money::{Currency, Money},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    filter::EntriesParameters,
    periods::Span,
    tally::{self, Sides},
};

/// What came in and went out in one currency. The entries behind it add up by their `postings` in this currency to
/// categories: of those, where the report was asked for some, only to them and what is below them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Total {
    pub currency: String,
    #[schema(example = "2500.00")]
    pub income: String,
    /// What was spent, less refunds.
    pub expense: String,
    /// Income less expense.
    pub net: String,
    pub entries: u64,
    /// Lists the entries behind `income`: their postings to categories of kind `income`, with the sign turned.
    pub income_entries_url: String,
    /// Lists the entries behind `expense`: their postings to categories of kind `expense`.
    pub expense_entries_url: String,
    /// Lists the entries behind both, and so behind `net`.
    pub entries_url: String,
}

/// What is needed to write totals down.
pub(crate) struct TotalWriter {
    pub book: BookId,
    pub own: Currency,
    /// The filters of the report itself.
    pub entries: EntriesParameters,
}

impl TotalWriter {
    /// By currency, the book's own first and always there, unless another was asked for.
    pub fn totals(&self, mut sides: HashMap<Currency, Sides>, span: Span) -> Vec<Total> {
        if self.entries.currency.as_deref().is_none_or(|asked| asked == self.own.code()) {
            sides.entry(self.own).or_default();
        }
        let totals = tally::in_order(sides, self.own);
        totals.into_iter().map(|(currency, sides)| self.total(currency, &sides, span)).collect()
    }

    pub fn total(&self, currency: Currency, sides: &Sides, span: Span) -> Total {
        let decimal = |minor| Money { minor, currency }.decimal();
        let url = |kinds: &[CategoryKind]| self.entries(currency, kinds, span).url(self.book);
        Total {
            currency: currency.code().to_owned(),
            income: decimal(sides.income.minor),
            expense: decimal(sides.expense.minor),
            net: decimal(sides.net_minor()),
            entries: sides.entries(),
            income_entries_url: url(&[CategoryKind::Income]),
            expense_entries_url: url(&[CategoryKind::Expense]),
            entries_url: url(&[CategoryKind::Expense, CategoryKind::Income]),
        }
    }

    /// The list of the entries that posted to categories of these kinds.
    pub fn entries(&self, currency: Currency, kinds: &[CategoryKind], span: Span) -> EntriesParameters {
        EntriesParameters {
            currency: Some(currency.code().to_owned()),
            category_kind: kinds.to_vec(),
            ..self.entries.within(span)
        }
    }
}
