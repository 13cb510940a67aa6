use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    book::Account,
    entry::Entry,
    id::{AccountId, CategoryId},
    money::Currency,
    posting::Ledger,
};
use http_kit::resources::category_path;
use read_model::queries::{
    Connection, SqlError, accounts,
    books::Standing,
    categories::{self, Tree},
    export,
};

/// The chart of accounts: all of a book but its entries.
pub struct Chart {
    pub standing: Standing,
    pub accounts: BTreeMap<AccountId, Account>,
    pub tree: Tree,
    /// By code.
    pub currencies: Vec<Currency>,
    /// By when there was everything that entries speak of.
    pub first_day: NaiveDate,
}

impl Chart {
    pub fn read(conn: &Connection, standing: &Standing) -> Result<Self, SqlError> {
        let book = standing.book;
        let accounts: BTreeMap<AccountId, Account> = accounts::all(conn, book)?.into_iter().collect();
        let opened = accounts.values().map(|account| account.opened_on);
        let first_day = opened.chain(export::first_day(conn, book)?).min();
        Ok(Self {
            tree: categories::tree(conn, book)?,
            first_day: first_day.unwrap_or(standing.created_at.date_naive()),
            standing: standing.clone(),
            accounts,
            currencies: export::currencies(conn, book)?,
        })
    }

    pub fn account_name(&self, id: AccountId) -> &str {
        self.accounts.get(&id).and_then(|account| account.name.as_str()).unwrap_or("?")
    }

    pub fn category_path(&self, id: CategoryId) -> String {
        category_path(self.tree.names(id))
    }

    /// Whether what the entry names is there. Undoing takes accounts and categories away; entries that were removed
    /// may still name them.
    pub fn has_all_of(&self, entry: &Entry) -> bool {
        entry.postings.iter().all(|posting| match posting.ledger {
            Ledger::Account(id) => self.accounts.contains_key(&id),
            Ledger::Category(id) => self.tree.get(id).is_some(),
            Ledger::OpeningBalances | Ledger::Conversion => true,
        })
    }
}
