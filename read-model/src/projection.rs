//! From commits to rows. Pure: the one thing that has to be looked up, what an entry was before it was corrected
//! or removed, is left to whoever writes the rows.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
};

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::{
    Event, Thing,
    book::recategorised,
    entry::{AccountKind, CategoryKind, Entry},
    event::{JudgedLine, Recategorised, Role, Settings},
    id::{AccountId, BookId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::{Currency, Money},
    posting::Ledger,
    text::Text,
};
use uuid::Uuid;

use crate::{Commit, sheet::DaySum};

/// Rows in the making. Takes as many commits as shall become one tx; how they are cut into batches makes no
/// difference to the tables.
#[derive(Debug, Default)]
pub struct Projection {
    edits: Vec<Edit>,
    heads: HashMap<BookId, Head>,
    added: HashMap<(BookId, EntryId), EntryRow>,
    changed: HashMap<(BookId, EntryId), EntryChange>,
    thing_versions: Vec<ThingVersion>,
    commits: Vec<CommitRow>,
    events: usize,
}

/// What one batch of commits comes to.
#[derive(Debug, Default)]
pub struct Rows {
    pub(crate) edits: Vec<Edit>,
    pub(crate) heads: Vec<(BookId, Head)>,
    pub(crate) entries_added: Vec<EntryRow>,
    pub(crate) postings_added: PostingRows,
    pub(crate) entries_changed: Vec<EntryChange>,
    pub(crate) thing_versions: Vec<ThingVersion>,
    pub(crate) commits: Vec<CommitRow>,
    /// Of the entries added; those of entries changed come to them when it is known what they were.
    pub(crate) sums: Sums,
    events: usize,
}

/// A write to one of the small tables; in the order of the events.
#[derive(Debug)]
pub(crate) enum Edit {
    BookCreated {
        book: BookId,
        settings: Settings,
        created_at: String,
    },
    BookChanged {
        book: BookId,
        settings: Settings,
    },
    /// A member who is there already gets the role.
    MemberAdded {
        book: BookId,
        user: UserId,
        role: Role,
    },
    MemberRemoved {
        book: BookId,
        user: UserId,
    },
    InvitationMade {
        book: BookId,
        invitation: InvitationId,
        email: Text,
        role: Role,
        expires_at: String,
    },
    /// Accepted or withdrawn.
    InvitationGone {
        book: BookId,
        invitation: InvitationId,
    },
    AccountOpened {
        book: BookId,
        account: AccountId,
        name: Text,
        kind: AccountKind,
        currency: Currency,
        opened_on: NaiveDate,
    },
    AccountChanged {
        book: BookId,
        account: AccountId,
        name: Text,
        kind: AccountKind,
    },
    AccountClosed {
        book: BookId,
        account: AccountId,
        closed: bool,
    },
    AccountWithdrawn {
        book: BookId,
        account: AccountId,
        withdrawn: bool,
    },
    CategoryAdded {
        book: BookId,
        category: CategoryId,
        name: Text,
        kind: CategoryKind,
        parent: Option<CategoryId>,
        icon: Option<String>,
        colour: Option<String>,
    },
    CategoryChanged {
        book: BookId,
        category: CategoryId,
        name: Text,
        parent: Option<CategoryId>,
        icon: Option<String>,
        colour: Option<String>,
    },
    CategoryArchived {
        book: BookId,
        category: CategoryId,
        archived: bool,
        merged_into: Option<CategoryId>,
    },
    CategoryWithdrawn {
        book: BookId,
        category: CategoryId,
        withdrawn: bool,
    },
    ImportStarted {
        book: BookId,
        import: ImportId,
        file_name: Text,
        lines: u64,
        started_at: String,
        version: u64,
    },
    ImportLinesJudged {
        book: BookId,
        import: ImportId,
        lines: Vec<JudgedLine>,
        version: u64,
    },
    ImportFinished {
        book: BookId,
        import: ImportId,
        version: u64,
    },
    ImportReverted {
        book: BookId,
        import: ImportId,
        reverted: bool,
        version: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub version: u64,
    pub hash: [u8; 32],
}

#[derive(Debug)]
pub(crate) struct EntryRow {
    pub book: BookId,
    pub entry: Entry,
    pub body: String,
    pub words: String,
    pub version: u64,
    pub recorded_at: String,
    pub corrected_at: Option<String>,
    pub removed: bool,
}

/// Each in the order of its table's key: neighbours in the tree are written one after the other.
#[derive(Debug, Default)]
pub(crate) struct PostingRows {
    pub to_accounts: Vec<PostingRow>,
    pub to_categories: Vec<PostingRow>,
}

#[derive(Debug)]
pub(crate) struct PostingRow {
    pub book: BookId,
    /// Of the account or the category.
    pub ledger: Uuid,
    pub occurred_on: NaiveDate,
    pub entry: EntryId,
    /// Which of the entry's postings this is, from 0.
    pub position: usize,
    pub money: Money,
}

/// What becomes of an entry of an earlier batch.
#[derive(Debug)]
pub(crate) struct EntryChange {
    pub book: BookId,
    pub entry: EntryId,
    pub version: u64,
    pub corrected: Option<Correction>,
    /// Where only categories change: it takes what the entry was to say what it becomes.
    pub recategorised: Option<Recategorisation>,
    pub removed: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct Correction {
    pub entry: Entry,
    pub body: String,
    pub words: String,
    pub at: String,
}

#[derive(Debug)]
pub(crate) struct Recategorisation {
    /// In the order in which they happened; a later one may take up what an earlier one left.
    pub steps: Vec<Vec<Recategorised>>,
    pub at: String,
}

impl Recategorisation {
    pub fn apply(&self, before: &Entry) -> Correction {
        let entry = self.steps.iter().fold(before.clone(), |entry, step| recategorised(&entry, step));
        Correction { body: json(&entry), words: words(&entry), entry, at: self.at.clone() }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThingVersion {
    pub book: BookId,
    pub thing: Uuid,
    pub version: u64,
}

#[derive(Debug)]
pub(crate) struct CommitRow {
    pub book: BookId,
    pub version: u64,
    pub recorded_at: String,
    pub actor: UserId,
    pub command: String,
    pub events: String,
    pub hash: [u8; 32],
}

/// By how much balances and days move; each is written once a batch, however often it moved.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sums {
    pub balances: HashMap<(BookId, AccountId), i64>,
    pub categories: DaySums<CategoryId>,
    pub accounts: DaySums<AccountId>,
    /// How many entries went to exactly these categories, two or more; there is no amount to it.
    pub splits: DaySums<Vec<CategoryId>>,
}

pub(crate) type DaySums<S> = HashMap<(BookId, NaiveDate, S, Currency), DaySum>;

impl Rows {
    pub fn commits(&self) -> usize {
        self.commits.len()
    }

    pub fn events(&self) -> usize {
        self.events
    }

    /// The books that these rows are about, each once.
    pub fn books(&self) -> impl Iterator<Item = BookId> {
        self.heads.iter().map(|(book, _)| *book)
    }
}

impl Projection {
    pub fn commits(&self) -> usize {
        self.commits.len()
    }

    pub fn events(&self) -> usize {
        self.events
    }

    pub fn take(&mut self, commit: Commit) {
        let Commit { book, version, hash, recorded_at, actor, command, events, .. } = commit;
        let recorded_at = instant(recorded_at);
        self.heads.insert(book, Head { version, hash });
        self.events += events.len();

        let mut events_json = String::from("[");
        let mut touched = BTreeSet::new();
        for event in events {
            touched.extend(Thing::of(&event).map(|thing| thing.uuid(book)));
            if events_json.len() > 1 {
                events_json.push(',');
            }
            let mut body = String::new();
            if let Event::EntryAdded { entry } = &event {
                // An entry stands in the history and in its own row; written out once, it serves both.
                body = json(entry);
                let parts = ["{\"type\":\"", event.type_name(), "\",\"data\":{\"entry\":", &body, "}}"];
                events_json.extend(parts);
            } else {
                events_json.push_str(&json(&event));
            }

            match event {
                Event::BookCreated { settings } => {
                    self.edits.push(Edit::BookCreated { book, settings, created_at: recorded_at.clone() });
                }
                Event::BookChanged { settings, before: _ } => {
                    self.edits.push(Edit::BookChanged { book, settings })
                }
                Event::InvitationMade { invitation, email, role, expires_at } => {
                    let expires_at = instant(expires_at);
                    self.edits.push(Edit::InvitationMade { book, invitation, email, role, expires_at });
                }
                Event::InvitationWithdrawn { invitation } | Event::InvitationAccepted { invitation } => {
                    self.edits.push(Edit::InvitationGone { book, invitation });
                }
                Event::MemberAdded { user, role } | Event::MemberRoleChanged { user, role, before: _ } => {
                    self.edits.push(Edit::MemberAdded { book, user, role });
                }
                Event::MemberRemoved { user, before: _ } => {
                    self.edits.push(Edit::MemberRemoved { book, user });
                }
                Event::AccountOpened { account, name, kind, currency, opened_on } => {
                    self.edits.push(Edit::AccountOpened { book, account, name, kind, currency, opened_on });
                }
                Event::AccountChanged { account, name, kind, before: _ } => {
                    self.edits.push(Edit::AccountChanged { book, account, name, kind });
                }
                Event::AccountClosed { account } => {
                    self.edits.push(Edit::AccountClosed { book, account, closed: true });
                }
                Event::AccountReopened { account } => {
                    self.edits.push(Edit::AccountClosed { book, account, closed: false });
                }
                Event::AccountWithdrawn { account } => {
                    self.edits.push(Edit::AccountWithdrawn { book, account, withdrawn: true });
                }
                Event::AccountReinstated { account } => {
                    self.edits.push(Edit::AccountWithdrawn { book, account, withdrawn: false });
                }
                Event::CategoryAdded { category, name, kind, parent, icon, colour } => {
                    self.edits.push(Edit::CategoryAdded { book, category, name, kind, parent, icon, colour });
                }
                Event::CategoryChanged { category, name, parent, icon, colour, before: _ } => {
                    self.edits.push(Edit::CategoryChanged { book, category, name, parent, icon, colour });
                }
                Event::CategoryArchived { category } => self.set_archived(book, category, true, None),
                Event::CategoryRestored { category } => self.set_archived(book, category, false, None),
                Event::CategoryMerged { category, into, was_archived: _ } => {
                    self.set_archived(book, category, true, Some(into));
                }
                Event::CategoryUnmerged { category, into: _, archived } => {
                    self.set_archived(book, category, archived, None);
                }
                Event::CategoryWithdrawn { category } => {
                    self.edits.push(Edit::CategoryWithdrawn { book, category, withdrawn: true });
                }
                Event::CategoryReinstated { category } => {
                    self.edits.push(Edit::CategoryWithdrawn { book, category, withdrawn: false });
                }
                Event::EntryAdded { entry } => {
                    let row = EntryRow {
                        book,
                        words: words(&entry),
                        entry,
                        body,
                        version,
                        recorded_at: recorded_at.clone(),
                        corrected_at: None,
                        removed: false,
                    };
                    self.added.insert((book, row.entry.id), row);
                }
                Event::EntryCorrected { entry, before: _ } => {
                    let correction = Correction {
                        body: json(&entry),
                        words: words(&entry),
                        entry: *entry,
                        at: recorded_at.clone(),
                    };
                    self.correct(book, version, correction);
                }
                Event::EntryRecategorised { entry, postings } => {
                    self.recategorise(book, version, entry, postings, &recorded_at);
                }
                Event::EntryRemoved { entry } => self.set_removed(book, version, entry, true),
                Event::EntryRestored { entry } => self.set_removed(book, version, entry, false),
                Event::ImportStarted { import, file_name, lines } => {
                    let started_at = recorded_at.clone();
                    self.edits.push(Edit::ImportStarted {
                        book,
                        import,
                        file_name,
                        lines,
                        started_at,
                        version,
                    });
                }
                Event::ImportLinesJudged { import, lines } => {
                    self.edits.push(Edit::ImportLinesJudged { book, import, lines, version });
                }
                Event::ImportFinished { import } => {
                    self.edits.push(Edit::ImportFinished { book, import, version });
                }
                Event::ImportReverted { import, complete } => {
                    if complete {
                        self.edits.push(Edit::ImportReverted { book, import, reverted: true, version });
                    }
                }
                Event::ImportReinstated { import } => {
                    self.edits.push(Edit::ImportReverted { book, import, reverted: false, version });
                }
                // They stand in the history only.
                Event::BulkRefused { refused: _ } | Event::CommitUndone { version: _ } => {}
            }
        }
        events_json.push(']');
        self.thing_versions.extend(touched.into_iter().map(|thing| ThingVersion { book, thing, version }));
        self.commits.push(CommitRow {
            book,
            version,
            recorded_at,
            actor,
            command,
            events: events_json,
            hash,
        });
    }

    /// Sorted as the tables are, so that neighbours are written one after the other.
    pub fn into_rows(self) -> Rows {
        let mut sums = Sums::default();
        for row in self.added.values().filter(|row| !row.removed) {
            sums.post(row.book, &row.entry, 1);
        }
        let postings = self.added.values().map(|row| (row.book, &row.entry));
        let postings_added = PostingRows::of(postings);
        let mut rows = Rows {
            edits: self.edits,
            heads: self.heads.into_iter().collect(),
            entries_added: self.added.into_values().collect(),
            postings_added,
            entries_changed: self.changed.into_values().collect(),
            thing_versions: self.thing_versions,
            commits: self.commits,
            sums,
            events: self.events,
        };
        rows.heads.sort_unstable_by_key(|(book, _)| *book);
        rows.entries_added.sort_unstable_by_key(|row| (row.book, row.entry.id));
        rows.entries_changed.sort_unstable_by_key(|change| (change.book, change.entry));
        rows.thing_versions.sort_unstable();
        rows.commits.sort_unstable_by_key(|row| (row.book, row.version));
        rows
    }

    fn correct(&mut self, book: BookId, version: u64, correction: Correction) {
        let key = (book, correction.entry.id);
        if let Some(row) = self.added.get_mut(&key) {
            row.entry = correction.entry;
            row.body = correction.body;
            row.words = correction.words;
            row.version = version;
            row.corrected_at = Some(correction.at);
            return;
        }
        let change = self.change(key, version);
        change.corrected = Some(correction);
        change.recategorised = None;
    }

    fn recategorise(
        &mut self,
        book: BookId,
        version: u64,
        entry: EntryId,
        postings: Vec<Recategorised>,
        at: &str,
    ) {
        let key = (book, entry);
        let known = match self.added.get(&key) {
            Some(row) => Some(&row.entry),
            None => {
                let corrected = self.changed.get(&key).and_then(|change| change.corrected.as_ref());
                corrected.map(|correction| &correction.entry)
            }
        };
        if let Some(known) = known {
            let steps = vec![postings];
            let correction = Recategorisation { steps, at: at.to_owned() }.apply(known);
            self.correct(book, version, correction);
            return;
        }
        let change = self.change(key, version);
        let recategorised = change
            .recategorised
            .get_or_insert_with(|| Recategorisation { steps: Vec::new(), at: String::new() });
        recategorised.steps.push(postings);
        at.clone_into(&mut recategorised.at);
    }

    fn set_archived(
        &mut self,
        book: BookId,
        category: CategoryId,
        archived: bool,
        merged_into: Option<CategoryId>,
    ) {
        self.edits.push(Edit::CategoryArchived { book, category, archived, merged_into });
    }

    fn set_removed(&mut self, book: BookId, version: u64, entry: EntryId, removed: bool) {
        let key = (book, entry);
        if let Some(row) = self.added.get_mut(&key) {
            row.version = version;
            row.removed = removed;
            return;
        }
        self.change(key, version).removed = Some(removed);
    }

    fn change(&mut self, (book, entry): (BookId, EntryId), version: u64) -> &mut EntryChange {
        let new = EntryChange { book, entry, version, corrected: None, recategorised: None, removed: None };
        let change = self.changed.entry((book, entry)).or_insert(new);
        change.version = version;
        change
    }
}

impl PostingRows {
    pub fn of<'e>(entries: impl Iterator<Item = (BookId, &'e Entry)>) -> Self {
        let mut rows = Self::default();
        for (book, entry) in entries {
            for (position, posting) in entry.postings.iter().enumerate() {
                let (to, ledger) = match posting.ledger {
                    Ledger::Account(account) => (&mut rows.to_accounts, account.uuid()),
                    Ledger::Category(category) => (&mut rows.to_categories, category.uuid()),
                    Ledger::OpeningBalances | Ledger::Conversion => continue,
                };
                let (occurred_on, money) = (entry.occurred_on, posting.money);
                to.push(PostingRow { book, ledger, occurred_on, entry: entry.id, position, money });
            }
        }
        for rows in [&mut rows.to_accounts, &mut rows.to_categories] {
            rows.sort_unstable_by_key(|row| (row.book, row.ledger, row.occurred_on, row.entry, row.position));
        }
        rows
    }
}

impl Sums {
    /// Adds an entry with `sign` 1, takes it back with -1. Sums wrap around like the ones in the tables do:
    /// `decide` bounds a balance, but not by how much it moves in a batch.
    pub fn post(&mut self, book: BookId, entry: &Entry, sign: i64) {
        for (account, money) in entry.accounts() {
            let balance = self.balances.entry((book, account)).or_default();
            *balance = balance.wrapping_add(sign * money.minor);
        }
        post(&mut self.accounts, book, entry, entry.accounts(), sign);
        post(&mut self.categories, book, entry, entry.categories(), sign);
        let mut split: BTreeMap<Currency, BTreeSet<CategoryId>> = BTreeMap::new();
        if entry.categories().nth(1).is_some() {
            for (category, money) in entry.categories() {
                split.entry(money.currency).or_default().insert(category);
            }
        }
        for (currency, parts) in split.into_iter().filter(|(_, parts)| parts.len() > 1) {
            let key = (book, entry.occurred_on, parts.into_iter().collect(), currency);
            self.splits.entry(key).or_default().entries += sign;
        }
    }
}

/// An entry with several postings to the same counts once.
fn post<S: Copy + Eq + Hash>(
    sums: &mut DaySums<S>,
    book: BookId,
    entry: &Entry,
    postings: impl Iterator<Item = (S, Money)>,
    sign: i64,
) {
    let mut met: Vec<(S, Currency)> = Vec::with_capacity(2);
    for (subject, money) in postings {
        let sum = sums.entry((book, entry.occurred_on, subject, money.currency)).or_default();
        sum.amount_minor = sum.amount_minor.wrapping_add(sign * money.minor);
        if !met.contains(&(subject, money.currency)) {
            met.push((subject, money.currency));
            sum.entries += sign;
        }
    }
}

/// As every instant in the tables is written.
fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("an event has no maps with keys that JSON could not write")
}

/// What a search for a text looks in.
fn words(entry: &Entry) -> String {
    let split_notes = entry.postings.iter().filter_map(|posting| posting.note.as_ref());
    let texts = entry.payee.iter().chain(&entry.note).chain(split_notes).chain(&entry.tags);
    let lines: Vec<&str> = texts.filter_map(Text::as_str).collect();
    lines.join("\n").to_lowercase()
}
