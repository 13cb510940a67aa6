//! The hot books of a partition, and what of them has changed since the decision state was saved.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{
    Book, Event, Recorded, Thing,
    book::{Account, Category, Import, Invitation, KeptEntry},
    event::{Role, Settings},
    id::{AccountId, BookId, CategoryId, ImportId, InvitationId, UserId},
    touch::Touches,
};
use journal::{Hash, Position};

use super::{Answer, Print, answer};

/// A book in memory, as all orders so far leave it, written or not.
#[derive(Debug, Default)]
pub struct Hot {
    pub book: Book,
    pub version: u64,
    pub hash: Hash,
    pub recorded_at: Option<DateTime<Utc>>,
    /// Every idempotency key of the last weeks; the answers themselves lie in the decision state.
    pub keys: HashSet<Print>,
    /// Commits that are not saved yet; such a book stays in memory.
    pub unsaved: usize,
    /// When it was last asked for, as a count of orders.
    pub used: u64,
}

/// A commit as its book takes it in, decided just now or read back.
pub struct Step<'a> {
    pub book: BookId,
    pub hash: Hash,
    pub recorded: Recorded,
    pub actor: UserId,
    pub command: &'a str,
    pub key: Print,
    pub fingerprint: Print,
    pub events: &'a [Event],
}

/// The answer to an order, kept for those who ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub fingerprint: Print,
    pub answer: Answer,
    pub answered_at: DateTime<Utc>,
}

/// What one commit changed, as it stands after it: rows to save.
#[derive(Debug)]
pub struct Touched {
    pub book: BookId,
    pub version: u64,
    pub hash: Hash,
    pub recorded_at: DateTime<Utc>,
    pub key: Print,
    pub answer: KeptAnswer,
    pub settings: Option<SettingsRow>,
    pub accounts: Vec<(AccountId, Withdrawable<Account>)>,
    pub categories: Vec<(CategoryId, Withdrawable<Category>)>,
    pub entries: Vec<KeptEntry>,
    pub imports: Vec<(ImportId, Import)>,
}

/// A part of a book whose making may have been undone.
#[derive(Debug)]
pub struct Withdrawable<T> {
    pub part: T,
    pub is_withdrawn: bool,
}

#[derive(Debug)]
pub struct SettingsRow {
    pub settings: Option<Settings>,
    pub settings_touches: Touches,
    pub created_at: Option<DateTime<Utc>>,
    pub members: Vec<(UserId, Role)>,
    pub member_touches: Vec<(UserId, Touches)>,
    pub invitations: Vec<(InvitationId, Invitation)>,
    /// What was undone, each with the version of the commit that did it.
    pub undos: Vec<(u64, u64)>,
}

/// What the parts of a book are that an event has changed.
#[derive(Default)]
struct Parts {
    settings: bool,
    accounts: BTreeSet<AccountId>,
    categories: BTreeSet<CategoryId>,
    entries: BTreeSet<domain::id::EntryId>,
    imports: BTreeSet<ImportId>,
}

impl Hot {
    /// Lets the commit happen; says what it changed and how it is answered.
    pub fn take(&mut self, step: &Step<'_>) -> (Touched, Answer) {
        let parts = self.evolve(step.events, step.recorded);
        self.hash = step.hash;
        self.keys.insert(step.key);
        self.unsaved += 1;
        let answer = answer::answer(
            step.book,
            &self.book,
            step.recorded.version,
            step.actor,
            step.command,
            step.events,
        );
        let kept = KeptAnswer {
            fingerprint: step.fingerprint,
            answer: answer.clone(),
            answered_at: step.recorded.at,
        };
        (self.touched(step.book, parts, step.key, kept), answer)
    }

    /// Lets the events happen and says which parts they changed.
    fn evolve(&mut self, events: &[Event], recorded: Recorded) -> Parts {
        let mut parts = Parts::default();
        for event in events {
            // The accounts of an entry that a correction moves are those before and those after it.
            if let Some(entry) = event.entry() {
                self.add_accounts_of(entry, &mut parts);
            }
            self.book.evolve(event, recorded);
            if let Some(entry) = event.entry() {
                self.add_accounts_of(entry, &mut parts);
            }
            match Thing::of(event) {
                Some(Thing::Book | Thing::Invitation(_) | Thing::Member(_)) => parts.settings = true,
                Some(Thing::Account(account)) => drop(parts.accounts.insert(account)),
                Some(Thing::Category(category)) => drop(parts.categories.insert(category)),
                Some(Thing::Entry(entry)) => drop(parts.entries.insert(entry)),
                Some(Thing::Import(import)) => drop(parts.imports.insert(import)),
                // What was undone is kept beside the settings.
                None => parts.settings |= matches!(event, Event::CommitUndone { .. }),
            }
        }
        self.version = recorded.version;
        self.recorded_at = Some(recorded.at);
        parts
    }

    fn add_accounts_of(&self, entry: domain::id::EntryId, parts: &mut Parts) {
        if let Some(kept) = self.book.entries.get(&entry) {
            parts.accounts.extend(kept.entry.accounts().map(|(account, _)| account));
        }
    }

    /// The changed parts as they stand now.
    fn touched(&self, book: BookId, parts: Parts, key: Print, answer: KeptAnswer) -> Touched {
        let pick = |id: AccountId| {
            let there = self.book.accounts.get(&id).map(|account| (account, false));
            let withdrawn = || self.book.withdrawn_accounts.get(&id).map(|account| (account, true));
            there
                .or_else(withdrawn)
                .map(|(account, is_withdrawn)| (id, Withdrawable { part: account.clone(), is_withdrawn }))
        };
        let pick_category = |id: CategoryId| {
            let there = self.book.categories.get(&id).map(|category| (category, false));
            let withdrawn = || self.book.withdrawn_categories.get(&id).map(|category| (category, true));
            there
                .or_else(withdrawn)
                .map(|(category, is_withdrawn)| (id, Withdrawable { part: category.clone(), is_withdrawn }))
        };
        Touched {
            book,
            version: self.version,
            hash: self.hash,
            recorded_at: answer.answered_at,
            key,
            settings: parts.settings.then(|| SettingsRow {
                settings: self.book.settings.clone(),
                settings_touches: self.book.settings_touches.clone(),
                created_at: self.book.created_at,
                members: self.book.members.iter().map(|(user, role)| (*user, *role)).collect(),
                member_touches: pairs(&self.book.member_touches),
                invitations: pairs(&self.book.invitations),
                undos: self.book.undos.turns(),
            }),
            accounts: parts.accounts.into_iter().filter_map(pick).collect(),
            categories: parts.categories.into_iter().filter_map(pick_category).collect(),
            entries: parts.entries.into_iter().filter_map(|id| self.book.entries.get(&id).cloned()).collect(),
            imports: parts
                .imports
                .into_iter()
                .filter_map(|id| self.book.imports.get(&id).map(|import| (id, import.clone())))
                .collect(),
            answer,
        }
    }
}

fn pairs<K: Copy, V: Clone>(map: &BTreeMap<K, V>) -> Vec<(K, V)> {
    map.iter().map(|(key, value)| (*key, value.clone())).collect()
}

/// Accepted changes on their way to the decision state; a later one of the same row replaces the earlier.
#[derive(Debug, Default)]
pub struct Unsaved {
    pub commits: usize,
    pub books: HashMap<BookId, UnsavedBook>,
    pub accounts: HashMap<(BookId, AccountId), Withdrawable<Account>>,
    pub categories: HashMap<(BookId, CategoryId), Withdrawable<Category>>,
    pub entries: HashMap<(BookId, domain::id::EntryId), KeptEntry>,
    pub imports: HashMap<(BookId, ImportId), Import>,
    pub answers: Vec<(BookId, Print, KeptAnswer)>,
    /// Where in the journal each commit stands.
    pub places: Vec<(BookId, u64, Position)>,
}

#[derive(Debug)]
pub struct UnsavedBook {
    pub version: u64,
    pub hash: Hash,
    pub recorded_at: DateTime<Utc>,
    pub settings: Option<SettingsRow>,
    pub commits: usize,
}

impl Unsaved {
    pub fn add(&mut self, touched: Touched, position: Position) {
        let Touched { book, version, hash, recorded_at, key, answer, settings, .. } = touched;
        let row = self.books.entry(book).or_insert(UnsavedBook {
            version,
            hash,
            recorded_at,
            settings: None,
            commits: 0,
        });
        row.version = version;
        row.hash = hash;
        row.recorded_at = recorded_at;
        row.commits += 1;
        if settings.is_some() {
            row.settings = settings;
        }
        self.accounts.extend(touched.accounts.into_iter().map(|(id, account)| ((book, id), account)));
        self.categories.extend(touched.categories.into_iter().map(|(id, category)| ((book, id), category)));
        self.entries.extend(touched.entries.into_iter().map(|kept| ((book, kept.entry.id), kept)));
        self.imports.extend(touched.imports.into_iter().map(|(id, import)| ((book, id), import)));
        self.answers.push((book, key, answer));
        self.places.push((book, version, position));
        self.commits += 1;
    }
}
