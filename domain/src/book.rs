//! A book as its events made it: what is needed to decide the next command.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::OnceLock,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    entry::{AccountKind, CategoryKind, Entry},
    event::{Event, Role, Settings, Verdict},
    id::{AccountId, CategoryId, EntryId, ImportId, UserId},
    money::Currency,
    text::Text,
};

/// A book that has not been created is `Book::default()`: it has no members, so it is nobody's and not found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    pub settings: Option<Settings>,
    pub created_at: Option<DateTime<Utc>>,
    pub members: BTreeMap<UserId, Role>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub categories: BTreeMap<CategoryId, Category>,
    pub entries: HashMap<EntryId, KeptEntry>,
    pub imports: BTreeMap<ImportId, Import>,
    marks: Marks,
}

/// Entries that are not removed, by how a line of a statement would tell of them. Only imports ask, so it is made
/// when the first one does, and kept up from then on.
#[derive(Debug, Clone, Default)]
struct Marks(OnceLock<HashMap<String, BTreeSet<EntryId>>>);

/// Follows from the entries; two books are no less equal because one of them has been asked.
impl PartialEq for Marks {
    fn eq(&self, other: &Self) -> bool {
        self.0.get().zip(other.0.get()).is_none_or(|(mine, theirs)| mine == theirs)
    }
}

impl Eq for Marks {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: Text,
    pub kind: AccountKind,
    pub currency: Currency,
    pub opened_on: NaiveDate,
    pub closed: bool,
    pub balance_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub name: Text,
    pub kind: CategoryKind,
    pub parent: Option<CategoryId>,
    pub archived: bool,
    pub icon: Option<String>,
    pub colour: Option<String>,
}

/// An entry and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEntry {
    pub entry: Entry,
    /// The book's version that last touched the entry.
    pub version: u64,
    pub recorded_at: DateTime<Utc>,
    pub corrected_at: Option<DateTime<Utc>>,
    pub removed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub file_name: Text,
    pub lines: u64,
    pub judged: u64,
    pub duplicates: u64,
    pub refused: u64,
    pub finished: bool,
    pub reverted: bool,
    pub entries: BTreeSet<EntryId>,
    /// By mark, how many entries of the book lines of this file have told of so far; empty once the import is
    /// finished. Lines that were taken do not count: another import may have met the entries they made.
    pub twins_met: HashMap<String, u64>,
}

/// What the commit around an event says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    pub version: u64,
    pub at: DateTime<Utc>,
}

impl Book {
    pub fn role_of(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).copied()
    }

    /// The name of a category after the names of its parents: `Living / Rent`.
    pub fn category_path(&self, category: CategoryId) -> Vec<&Category> {
        let mut path = Vec::new();
        let mut next = Some(category);
        while let Some(current) = next.and_then(|id| self.categories.get(&id)) {
            path.push(current);
            next = current.parent;
        }
        path.reverse();
        path
    }

    /// Entries of the book that a line with this mark may be telling of, but for those of `import` itself.
    pub(crate) fn marked(&self, mark: &str, import: ImportId) -> impl Iterator<Item = EntryId> {
        let own = self.imports.get(&import).map(|import| &import.entries);
        let marks = self.marks.0.get_or_init(|| {
            let mut marks: HashMap<String, BTreeSet<EntryId>> = HashMap::new();
            for kept in self.entries.values().filter(|kept| !kept.removed) {
                if let Some(mark) = kept.entry.mark() {
                    marks.entry(mark).or_default().insert(kept.entry.id);
                }
            }
            marks
        });
        let ids = marks.get(mark).into_iter().flatten();
        ids.filter(move |id| own.is_none_or(|own| !own.contains(id))).copied()
    }

    /// Puts a kept entry back as it was read from storage. Balances are stored beside it and stay as they are.
    pub fn load_entry(&mut self, kept: KeptEntry) {
        if !kept.removed {
            self.mark(&kept.entry);
        }
        self.entries.insert(kept.entry.id, kept);
    }

    pub fn evolve(&mut self, event: &Event, recorded: Recorded) {
        match event {
            Event::BookCreated { settings } => {
                self.settings = Some(settings.clone());
                self.created_at = Some(recorded.at);
            }
            Event::BookChanged { settings } => self.settings = Some(settings.clone()),
            Event::MemberAdded { user, role } => {
                self.members.insert(*user, *role);
            }
            Event::AccountOpened { account, name, kind, currency, opened_on } => {
                let opened = Account {
                    name: name.clone(),
                    kind: *kind,
                    currency: *currency,
                    opened_on: *opened_on,
                    closed: false,
                    balance_minor: 0,
                };
                self.accounts.insert(*account, opened);
            }
            Event::AccountChanged { account, name, kind } => {
                if let Some(changed) = self.accounts.get_mut(account) {
                    changed.name = name.clone();
                    changed.kind = *kind;
                }
            }
            Event::AccountClosed { account } => self.set_closed(*account, true),
            Event::AccountReopened { account } => self.set_closed(*account, false),
            Event::CategoryAdded { category, name, kind, parent, icon, colour } => {
                let added = Category {
                    name: name.clone(),
                    kind: *kind,
                    parent: *parent,
                    archived: false,
                    icon: icon.clone(),
                    colour: colour.clone(),
                };
                self.categories.insert(*category, added);
            }
            Event::CategoryChanged { category, name, parent, icon, colour } => {
                if let Some(changed) = self.categories.get_mut(category) {
                    changed.name = name.clone();
                    changed.parent = *parent;
                    changed.icon = icon.clone();
                    changed.colour = colour.clone();
                }
            }
            Event::CategoryArchived { category } => self.set_archived(*category, true),
            Event::CategoryRestored { category } => self.set_archived(*category, false),
            Event::EntryAdded { entry } => {
                self.post(entry, 1);
                self.mark(entry);
                if let Some(imported) = &entry.imported
                    && let Some(import) = self.imports.get_mut(&imported.import)
                {
                    import.entries.insert(entry.id);
                }
                let kept = KeptEntry {
                    entry: entry.clone(),
                    version: recorded.version,
                    recorded_at: recorded.at,
                    corrected_at: None,
                    removed: false,
                };
                self.entries.insert(entry.id, kept);
            }
            Event::EntryCorrected { entry } => {
                let Some(before) = self.entries.get(&entry.id).map(|kept| kept.entry.clone()) else { return };
                self.post(&before, -1);
                self.unmark(&before);
                self.post(entry, 1);
                self.mark(entry);
                if let Some(kept) = self.entries.get_mut(&entry.id) {
                    kept.entry = entry.clone();
                    kept.version = recorded.version;
                    kept.corrected_at = Some(recorded.at);
                }
            }
            Event::EntryRemoved { entry } => self.set_removed(*entry, true, recorded),
            Event::EntryRestored { entry } => self.set_removed(*entry, false, recorded),
            Event::ImportStarted { import, file_name, lines } => {
                let started = Import {
                    file_name: file_name.clone(),
                    lines: *lines,
                    judged: 0,
                    duplicates: 0,
                    refused: 0,
                    finished: false,
                    reverted: false,
                    entries: BTreeSet::new(),
                    twins_met: HashMap::new(),
                };
                self.imports.insert(*import, started);
            }
            Event::ImportLinesJudged { import, lines } => {
                for judged in lines {
                    let mark = match &judged.verdict {
                        Verdict::DuplicateOf { entry } => {
                            self.entries.get(entry).and_then(|kept| kept.entry.mark())
                        }
                        Verdict::Taken { .. } | Verdict::Refused { .. } => None,
                    };
                    if let Some(import) = self.imports.get_mut(import) {
                        import.judged += 1;
                        match &judged.verdict {
                            Verdict::Taken { .. } => {}
                            Verdict::DuplicateOf { .. } => import.duplicates += 1,
                            Verdict::Refused { .. } => import.refused += 1,
                        }
                        if let Some(mark) = mark {
                            *import.twins_met.entry(mark).or_default() += 1;
                        }
                    }
                }
            }
            Event::ImportFinished { import } => {
                if let Some(import) = self.imports.get_mut(import) {
                    import.finished = true;
                    import.twins_met = HashMap::new();
                }
            }
            Event::ImportReverted { import } => {
                if let Some(import) = self.imports.get_mut(import) {
                    import.reverted = true;
                }
            }
        }
    }

    /// Adds the entry's postings to the balances of its accounts, or takes them back with `sign` -1. `decide`
    /// has made sure that the balances fit after each command; between two of its events one may overstep, and
    /// wrapping brings it back where saturating would lose money.
    fn post(&mut self, entry: &Entry, sign: i64) {
        for (account, money) in entry.accounts() {
            if let Some(account) = self.accounts.get_mut(&account) {
                account.balance_minor = account.balance_minor.wrapping_add(sign * money.minor);
            }
        }
    }

    fn mark(&mut self, entry: &Entry) {
        if let Some(marks) = self.marks.0.get_mut()
            && let Some(mark) = entry.mark()
        {
            marks.entry(mark).or_default().insert(entry.id);
        }
    }

    fn unmark(&mut self, entry: &Entry) {
        if let Some(marks) = self.marks.0.get_mut()
            && let Some(mark) = entry.mark()
            && let Some(ids) = marks.get_mut(&mark)
        {
            ids.remove(&entry.id);
            if ids.is_empty() {
                marks.remove(&mark);
            }
        }
    }

    fn set_closed(&mut self, account: AccountId, closed: bool) {
        if let Some(account) = self.accounts.get_mut(&account) {
            account.closed = closed;
        }
    }

    fn set_archived(&mut self, category: CategoryId, archived: bool) {
        if let Some(category) = self.categories.get_mut(&category) {
            category.archived = archived;
        }
    }

    fn set_removed(&mut self, entry: EntryId, removed: bool, recorded: Recorded) {
        let Some(kept) = self.entries.get_mut(&entry) else { return };
        kept.removed = removed;
        kept.version = recorded.version;
        let entry = kept.entry.clone();
        if removed {
            self.post(&entry, -1);
            self.unmark(&entry);
        } else {
            self.post(&entry, 1);
            self.mark(&entry);
        }
    }
}
