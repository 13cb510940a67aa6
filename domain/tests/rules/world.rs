//! A book and all that happened to it, held against the rules that no command may break.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    Book, Command, Event, Recorded, Rejection,
    book::KeptEntry,
    command::Inverted,
    decide,
    entry::{Entry, EntryKind},
    id::{AccountId, EntryId, UserId},
    money::{Currency, Money},
    posting::{Ledger, Posting, Postings},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::names::today;

#[derive(Debug, Clone, Default)]
pub struct World {
    pub book: Book,
    pub commits: Vec<Vec<Event>>,
}

impl World {
    /// What a commit's number and instant would be; each commit comes a second after the one before.
    fn recorded(version: usize) -> Recorded {
        let at = DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::seconds(version as i64);
        Recorded { version: version as u64, at }
    }

    /// Takes events as facts, whether or not a command would come to them.
    pub fn commit(&mut self, events: Vec<Event>) {
        let recorded = Self::recorded(self.commits.len() + 1);
        events.iter().for_each(|event| self.book.evolve(event, recorded));
        self.commits.push(events);
    }

    /// An opening balance larger than a command may bring, so that the edge of what a balance holds is near.
    pub fn hoarded(id: EntryId, account: AccountId, money: Money) -> Event {
        let postings = vec![
            Posting::new(Ledger::Account(account), money),
            Posting::new(Ledger::OpeningBalances, money.negated()),
        ];
        Event::EntryAdded {
            entry: Entry {
                id,
                kind: EntryKind::OpeningBalance,
                occurred_on: today(),
                postings: Postings::balanced(postings).expect("both sides are of one amount"),
                payee: None,
                note: None,
                tags: vec![],
                refund_of: None,
                foreign: None,
                imported: None,
            },
        }
    }

    /// An undoing with the commit that it has to invert, as the journal has it.
    pub fn located(&self, command: &Command) -> Command {
        let Command::Undo { version, commit: None } = command else { return command.clone() };
        let to_invert = self.book.to_invert(*version).ok().and_then(|commits| commits.first().copied());
        let commit = to_invert.map(|version| {
            let events = self.commits[version as usize - 1].clone();
            Inverted { version, events }
        });
        let version = commit.as_ref().map_or(*version, |commit| commit.version);
        Command::Undo { version, commit }
    }

    pub fn execute(&mut self, actor: UserId, command: &Command) -> Result<Vec<Event>, Rejection> {
        let events = decide(&self.book, actor, &self.located(command))?;
        assert!(!events.is_empty(), "an accepted command says what happened: {command:?}");
        self.commit(events.clone());
        Ok(events)
    }

    /// Undoes a version as the API does: with all that goes together, or nothing of it.
    pub fn undo(&mut self, actor: UserId, version: u64) -> Result<(), Rejection> {
        let to_invert = self.book.to_invert(version)?;
        let command = |world: &Self, commit: u64| {
            let events = world.commits[commit as usize - 1].clone();
            Command::Undo { version: commit, commit: Some(Inverted { version: commit, events }) }
        };
        let mut in_the_way = BTreeSet::new();
        for commit in &to_invert {
            match decide(&self.book, actor, &command(self, *commit)) {
                Err(Rejection::UndoConflicts { versions }) => in_the_way.extend(versions),
                Err(rejection) => return Err(rejection),
                Ok(_) => {}
            }
        }
        in_the_way.retain(|commit| !to_invert.contains(commit));
        if !in_the_way.is_empty() {
            return Err(Rejection::UndoConflicts { versions: in_the_way.into_iter().collect() });
        }
        for commit in &to_invert {
            let command = command(self, *commit);
            self.execute(actor, &command)?;
        }
        Ok(())
    }

    pub fn balances(&self) -> BTreeMap<AccountId, i64> {
        self.book.accounts.iter().map(|(id, account)| (*id, account.balance_minor)).collect()
    }

    /// Everything that holds of every book, whatever was commanded.
    #[track_caller]
    pub fn check(&self) {
        self.check_postings();
        self.check_balances();
        self.check_categories();
        self.check_ids();
        assert_eq!(self.replayed(), self.book, "the journal alone makes the book again");
        assert_eq!(self.put_together(), self.book, "the stored parts make the book again");
    }

    #[track_caller]
    fn check_postings(&self) {
        for kept in self.book.entries.values() {
            let mut sums: HashMap<Currency, i128> = HashMap::new();
            for posting in &kept.entry.postings {
                *sums.entry(posting.money.currency).or_default() += i128::from(posting.money.minor);
            }
            assert!(sums.values().all(|sum| *sum == 0), "an entry is out of balance: {kept:?}");
            for (account, money) in kept.entry.accounts() {
                let known = self.book.accounts.get(&account);
                let known = known.or_else(|| self.book.withdrawn_accounts.get(&account));
                assert_eq!(known.map(|known| known.currency), Some(money.currency), "{kept:?}");
            }
        }
    }

    #[track_caller]
    fn check_balances(&self) {
        let mut sums: BTreeMap<AccountId, i128> = self.book.accounts.keys().map(|id| (*id, 0)).collect();
        for kept in self.book.entries.values().filter(|kept| !kept.removed) {
            for (category, _) in kept.entry.categories() {
                assert!(self.book.categories.contains_key(&category), "sorted into nothing: {kept:?}");
            }
            for (account, money) in kept.entry.accounts() {
                *sums.entry(account).or_default() += i128::from(money.minor);
            }
        }
        let balances: BTreeMap<AccountId, i128> =
            self.balances().into_iter().map(|(id, minor)| (id, i128::from(minor))).collect();
        assert_eq!(balances, sums, "balances are the sums of the entries that are not removed");
    }

    #[track_caller]
    fn check_categories(&self) {
        for (id, category) in &self.book.categories {
            let mut depth = 1;
            let mut next = category.parent;
            while let Some(parent) = next {
                depth += 1;
                assert!(depth <= 8, "{id} is too deep, or below itself");
                let parent = &self.book.categories[&parent];
                assert_eq!(parent.kind, category.kind, "{id} stands below the other kind");
                next = parent.parent;
            }
        }
    }

    /// Each id was given to one thing only.
    #[track_caller]
    fn check_ids(&self) {
        let mut seen = BTreeSet::new();
        // An undoing brings back what it takes back.
        let is_undoing = |commit: &&Vec<Event>| matches!(commit.first(), Some(Event::CommitUndone { .. }));
        for event in self.commits.iter().filter(|commit| !is_undoing(commit)).flatten() {
            let id = match event {
                Event::InvitationMade { invitation, .. } => invitation.to_string(),
                Event::AccountOpened { account, .. } => account.to_string(),
                Event::CategoryAdded { category, .. } => category.to_string(),
                Event::EntryAdded { entry } => entry.id.to_string(),
                Event::ImportStarted { import, .. } => import.to_string(),
                _ => continue,
            };
            assert!(seen.insert(id.clone()), "{id} was given twice");
        }
    }

    /// The book as a reader of the journal makes it: from the events' JSON and nothing else.
    #[track_caller]
    pub fn replayed(&self) -> Book {
        let mut book = Book::default();
        for (index, commit) in self.commits.iter().enumerate() {
            for event in commit {
                let read = through_json(event);
                assert_eq!(&read, event);
                book.evolve(&read, Self::recorded(index + 1));
            }
        }
        book
    }

    /// The book as it comes back from where its parts are stored.
    #[track_caller]
    fn put_together(&self) -> Book {
        let mut book = Book::default();
        book.version = self.book.version;
        book.settings = through_json(&self.book.settings);
        book.settings_touches = through_json(&self.book.settings_touches);
        book.created_at = through_json(&self.book.created_at);
        book.members = through_json(&self.book.members);
        book.member_touches = through_json(&self.book.member_touches);
        book.invitations = through_json(&self.book.invitations);
        book.accounts = through_json(&self.book.accounts);
        book.withdrawn_accounts = through_json(&self.book.withdrawn_accounts);
        book.categories = through_json(&self.book.categories);
        book.withdrawn_categories = through_json(&self.book.withdrawn_categories);
        book.imports = through_json(&self.book.imports);
        book.undos = through_json(&self.book.undos.turns()).into_iter().collect();
        for kept in self.book.entries.values() {
            book.load_entry(through_json::<KeptEntry>(kept));
        }
        book
    }
}

#[track_caller]
pub fn through_json<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).unwrap();
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"))
}
