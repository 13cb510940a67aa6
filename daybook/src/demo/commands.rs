//! The household as the commands of somebody who writes it all down.

use std::collections::HashMap;

use chrono::NaiveTime;
use domain::{
    Command,
    command::{EntryDraft, NewAccount, NewCategory, OpeningBalance, Sorting},
    event::{Settings, Weekday},
    id::{AccountId, CategoryId},
    money::{Amount, Currency, Money},
    starter::starter_set,
    text::Text,
};
use rand::{Rng, SeedableRng, rngs::Xoshiro256PlusPlus};
use uuid::{Builder, Uuid};

use super::{CURRENCY, DemoEntry, Dice, Household};

/// A command and the idempotency key it is sent with, so that sending it all again adds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub key: String,
    pub command: Command,
}

impl Household {
    /// The book first, then entry by entry. Ids and keys depend on seed and last day alone.
    pub fn commands(&self) -> Vec<Planned> {
        let currency = Currency::parse(CURRENCY).expect("a currency of the list");
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(u64::from(self.seed));
        let millis = self.first_day.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let mut next_id = || {
            let mut random = [0; 10];
            generator.fill_bytes(&mut random);
            Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &random).into_uuid()
        };
        let (accounts, categories) = self.opened(currency, &mut next_id);
        let names = Names {
            accounts: accounts.iter().map(|new| (known(&new.name), new.account)).collect(),
            // No name stands for an expense category and an income category at once.
            categories: categories.iter().map(|new| (known(&new.name), new.category)).collect(),
        };
        let entries: Vec<Planned> = (1..)
            .zip(&self.entries)
            .map(|(number, entry)| Planned {
                key: self.key(&number.to_string()),
                command: Command::AddEntry { entry: entry.id, draft: names.draft(entry, currency) },
            })
            .collect();

        let settings = Settings {
            name: Text::known("The Bergers"),
            currency,
            time_zone: "Europe/Berlin".to_owned(),
            week_starts_on: Weekday::Monday,
            month_starts_on: 1,
        };
        let book = Planned {
            key: self.key("book"),
            command: Command::CreateBook { settings, accounts, categories },
        };
        [book].into_iter().chain(entries).collect()
    }

    fn key(&self, of: &str) -> String {
        format!("demo-{}-{}-{of}", self.seed, self.last_day)
    }

    /// The starter set with this household's balances, and what it has beyond that.
    fn opened(
        &self,
        currency: Currency,
        next_id: &mut impl FnMut() -> Uuid,
    ) -> (Vec<NewAccount>, Vec<NewCategory>) {
        let (mut accounts, mut categories) = starter_set(self.first_day, next_id);
        for account in self.accounts {
            let is_there = accounts.iter().any(|new| known(&new.name) == account.name);
            if !is_there {
                accounts.push(NewAccount {
                    account: AccountId::from_uuid(next_id()),
                    name: Text::known(account.name),
                    kind: account.kind,
                    currency: None,
                    opened_on: self.first_day,
                    opening_balance: None,
                });
            }
        }
        let mut dice = Dice::of(self.seed, "opening balances");
        for new in &mut accounts {
            let found = self.accounts.iter().find(|account| account.name == known(&new.name));
            new.opening_balance = found.map(|account| OpeningBalance {
                entry: dice.entry_id(self.first_day),
                amount: Amount::from_minor(account.opening_minor, currency),
            });
        }
        for category in self.categories {
            let parent = category.parent.and_then(|parent| {
                categories.iter().find(|new| known(&new.name) == parent).map(|new| new.category)
            });
            categories.push(NewCategory {
                category: CategoryId::from_uuid(next_id()),
                name: Text::known(category.name),
                kind: category.kind,
                parent,
                icon: None,
                colour: None,
            });
        }
        (accounts, categories)
    }
}

struct Names {
    accounts: HashMap<String, AccountId>,
    categories: HashMap<String, CategoryId>,
}

impl Names {
    fn draft(&self, entry: &DemoEntry, currency: Currency) -> EntryDraft {
        EntryDraft {
            kind: entry.flow.kind(),
            occurred_on: entry.occurred_on,
            account: Some(self.accounts[entry.account]),
            amount: Some(Amount::from_minor(entry.amount_minor, currency)),
            currency: None,
            sorting: entry
                .flow
                .category()
                .map_or(Sorting::Unsorted, |name| Sorting::Whole(self.categories[name])),
            to_account: entry.flow.to_account().map(|name| self.accounts[name]),
            to_amount: None,
            postings: None,
            payee: entry.payee.map(Text::known),
            note: entry.note.map(Text::known),
            tags: entry.tags.iter().map(Text::known).collect(),
            refund_of: entry.refund_of,
            foreign: entry.foreign.and_then(|(minor, code)| {
                let currency = Currency::parse(code).ok()?;
                Some(Money { minor, currency })
            }),
        }
    }
}

fn known(text: &Text) -> String {
    text.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{ACCOUNTS, household};
    use chrono::NaiveDate;
    use domain::{Book, Recorded, decide, id::UserId};
    use std::collections::{BTreeMap, HashSet};

    #[test]
    fn the_rules_accept_every_command_and_come_to_the_same_balances() {
        let last_day: NaiveDate = "2026-11-23".parse().unwrap();
        let household = household(1, last_day);
        let actor = UserId::from_uuid(Uuid::from_u128(1));
        let at = last_day.and_time(NaiveTime::MIN).and_utc();
        let mut book = Book::default();
        for (version, planned) in (1..).zip(household.commands()) {
            let events = decide(&book, actor, &planned.command)
                .unwrap_or_else(|rejection| panic!("{rejection}: {:?}", planned.command));
            for event in &events {
                book.evolve(event, Recorded { version, at });
            }
        }

        let mut expected: BTreeMap<String, i64> =
            ACCOUNTS.iter().map(|account| (account.name.to_owned(), account.opening_minor)).collect();
        for entry in &household.entries {
            for (account, change) in entry.changes() {
                *expected.get_mut(account).unwrap() += change;
            }
        }
        let balances: BTreeMap<String, i64> =
            book.accounts.values().map(|account| (known(&account.name), account.balance_minor)).collect();
        assert_eq!(balances, expected);
        assert_eq!(book.entries.len(), household.entries.len() + ACCOUNTS.len());
    }

    #[test]
    fn commands_and_keys_are_the_same_each_time_and_keys_are_used_once() {
        let last_day: NaiveDate = "2026-11-23".parse().unwrap();
        let planned = household(1, last_day).commands();
        assert_eq!(planned, household(1, last_day).commands());
        let keys: HashSet<&str> = planned.iter().map(|planned| planned.key.as_str()).collect();
        assert_eq!(keys.len(), planned.len());
        assert_eq!(planned[0].key, "demo-1-2026-11-23-book");
        assert_eq!(planned[1].key, "demo-1-2026-11-23-1");
    }
}
