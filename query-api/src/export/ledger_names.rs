//! Names of accounts and categories as ledgers of plain text have them: paths of parts that their grammar allows, and
//! no two alike.

use std::collections::{BTreeMap, HashSet, VecDeque};

use domain::{
    entry::{AccountKind, CategoryKind},
    id::{AccountId, CategoryId},
    posting::Ledger,
    text::Text,
};

use super::chart::Chart;

/// What a ledger program asks of names.
pub struct Grammar {
    pub assets: &'static str,
    pub liabilities: &'static str,
    pub expenses: &'static str,
    pub income: &'static str,
    pub opening_balances: &'static str,
    pub conversion: &'static str,
    /// Makes a part of a path of what somebody wrote; never empty.
    pub part: fn(&str) -> String,
    /// Stands between a name that was taken and the number that tells its next owner apart.
    pub before_number: char,
}

pub struct LedgerNames {
    accounts: BTreeMap<AccountId, String>,
    categories: BTreeMap<CategoryId, String>,
    opening_balances: &'static str,
    conversion: &'static str,
}

impl LedgerNames {
    /// Of two that would be alike the one made later, by its id, gets a number. So names stay as they are when
    /// something new comes.
    pub fn of(chart: &Chart, grammar: &Grammar) -> Self {
        let mut taken = HashSet::new();
        let mut name = |parent: &str, text: &Text| {
            let part = (grammar.part)(text.as_str().unwrap_or_default());
            let mut name = format!("{parent}:{part}");
            let mut number = 1;
            while !taken.insert(name.clone()) {
                number += 1;
                name = format!("{parent}:{part}{}{number}", grammar.before_number);
            }
            name
        };

        let mut accounts = BTreeMap::new();
        for (id, account) in &chart.accounts {
            let parent = match account.kind {
                AccountKind::Cash | AccountKind::Bank | AccountKind::Savings | AccountKind::Other => {
                    grammar.assets
                }
                AccountKind::Card | AccountKind::Loan => grammar.liabilities,
            };
            accounts.insert(*id, name(parent, &account.name));
        }
        let mut categories: BTreeMap<CategoryId, String> = BTreeMap::new();
        let roots = chart.tree.iter().filter(|(_, category)| category.parent.is_none());
        let mut next: VecDeque<CategoryId> = roots.map(|(id, _)| id).collect();
        while let Some(id) = next.pop_front() {
            let Some(category) = chart.tree.get(id) else { continue };
            let root = match category.kind {
                CategoryKind::Expense => grammar.expenses,
                CategoryKind::Income => grammar.income,
            };
            let parent = category.parent.and_then(|parent| categories.get(&parent).cloned());
            categories.insert(id, name(parent.as_deref().unwrap_or(root), &category.name));
            let mut children = chart.tree.children(id).to_vec();
            children.sort_unstable();
            next.extend(children);
        }
        let Grammar { opening_balances, conversion, .. } = *grammar;
        Self { accounts, categories, opening_balances, conversion }
    }

    pub fn account(&self, id: AccountId) -> &str {
        self.accounts.get(&id).expect("entries name accounts of their own book")
    }

    pub fn category(&self, id: CategoryId) -> &str {
        self.categories.get(&id).expect("entries name categories of their own book")
    }

    pub fn ledger(&self, ledger: Ledger) -> &str {
        match ledger {
            Ledger::Account(id) => self.account(id),
            Ledger::Category(id) => self.category(id),
            Ledger::OpeningBalances => self.opening_balances,
            Ledger::Conversion => self.conversion,
        }
    }
}
