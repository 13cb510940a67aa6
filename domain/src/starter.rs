//! The accounts and categories a new book begins with, so that the first expense can be written at once.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    command::{NewAccount, NewCategory},
    entry::{AccountKind, CategoryKind},
    id::{AccountId, CategoryId},
    text::Text,
};

const ACCOUNTS: &[(&str, AccountKind)] = &[
    ("Cash", AccountKind::Cash),
    ("Bank account", AccountKind::Bank),
    ("Credit card", AccountKind::Card),
    ("Savings", AccountKind::Savings),
];

/// Name, icon, and the names below it.
type Branch = (&'static str, &'static str, &'static [&'static str]);

const EXPENSES: &[Branch] = &[
    ("Housing", "house", &["Rent", "Utilities", "Internet and phone", "Furniture"]),
    ("Food", "basket", &["Groceries", "Restaurants", "Coffee and snacks"]),
    ("Transport", "bus", &["Public transport", "Fuel", "Car", "Taxi"]),
    ("Health", "heart", &["Pharmacy", "Doctor", "Sport"]),
    ("Family", "people", &["Children", "Gifts", "Pets"]),
    ("Leisure", "ticket", &["Culture", "Subscriptions", "Hobbies", "Holidays"]),
    ("Shopping", "bag", &["Clothing", "Electronics", "Household"]),
    ("Insurance", "shield", &[]),
    ("Education", "book", &[]),
    ("Taxes and fees", "receipt", &[]),
    ("Other expenses", "dots", &[]),
];

const INCOMES: &[Branch] = &[
    ("Salary", "briefcase", &[]),
    ("Interest and dividends", "chart", &[]),
    ("Gifts received", "gift", &[]),
    ("Other income", "dots", &[]),
];

/// The starter set, with an id from `next_id` for each thing in it.
pub fn starter_set(
    opened_on: NaiveDate,
    next_id: &mut impl FnMut() -> Uuid,
) -> (Vec<NewAccount>, Vec<NewCategory>) {
    let accounts = ACCOUNTS
        .iter()
        .map(|(name, kind)| NewAccount {
            account: AccountId::from_uuid(next_id()),
            name: Text::known(*name),
            kind: *kind,
            currency: None,
            opened_on,
            opening_balance: None,
        })
        .collect();
    let mut categories = Vec::new();
    for (kind, branches) in [(CategoryKind::Expense, EXPENSES), (CategoryKind::Income, INCOMES)] {
        for (name, icon, below) in branches {
            let mut add = |name: &str, parent: Option<CategoryId>, icon: Option<&str>| {
                let category = CategoryId::from_uuid(next_id());
                let icon = icon.map(str::to_owned);
                categories.push(NewCategory {
                    category,
                    name: Text::known(name),
                    kind,
                    parent,
                    icon,
                    colour: None,
                });
                category
            };
            let parent = add(name, None, Some(icon));
            for name in *below {
                add(name, Some(parent), None);
            }
        }
    }
    (accounts, categories)
}
