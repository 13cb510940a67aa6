//! A book as its events made it: what is needed to decide the next command.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    ops::RangeInclusive,
    sync::OnceLock,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    entry::{AccountKind, CategoryKind, Entry, EntryKind, account_of_mark},
    event::{Event, Recategorised, Role, Settings, Verdict},
    id::{AccountId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::Currency,
    posting::Ledger,
    text::Text,
    touch::{Facet, Facets, Touches, Undos},
};

/// A book that has not been created is `Book::default()`: it has no members, so it is nobody's and not found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// The number of its last commit.
    pub version: u64,
    pub settings: Option<Settings>,
    pub settings_touches: Touches,
    pub created_at: Option<DateTime<Utc>>,
    pub members: BTreeMap<UserId, Role>,
    /// Of everybody who ever was a member.
    pub member_touches: BTreeMap<UserId, Touches>,
    pub invitations: BTreeMap<InvitationId, Invitation>,
    pub accounts: BTreeMap<AccountId, Account>,
    /// Accounts whose opening was undone; their ids stay taken.
    pub withdrawn_accounts: BTreeMap<AccountId, Account>,
    pub categories: BTreeMap<CategoryId, Category>,
    /// Categories whose adding was undone; their ids stay taken.
    pub withdrawn_categories: BTreeMap<CategoryId, Category>,
    pub entries: HashMap<EntryId, KeptEntry>,
    pub imports: BTreeMap<ImportId, Import>,
    pub undos: Undos,
    /// Entries that are not removed, by how a line of a statement would tell of them.
    marks: Index<String, EntryId>,
    /// Transfers that are not removed, by what they did to an account whose lines have not told of it.
    waiting: Index<Leg, (NaiveDate, EntryId)>,
    /// Other entries that an import made and that are not removed, by what they did to their account.
    imported: Index<Leg, (NaiveDate, EntryId)>,
}

/// An account and how much moved there.
type Leg = (AccountId, i64);

/// What only imports ask for: made when the first one does, and kept up from then on.
#[derive(Debug, Clone)]
struct Index<K, V>(OnceLock<HashMap<K, BTreeSet<V>>>);

impl<K, V> Default for Index<K, V> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

/// Follows from the entries; two books are no less equal because one of them has been asked.
impl<K: Eq + Hash, V: Ord> PartialEq for Index<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.0.get().zip(other.0.get()).is_none_or(|(mine, theirs)| mine == theirs)
    }
}

impl<K: Eq + Hash, V: Ord> Eq for Index<K, V> {}

impl<K: Eq + Hash, V: Ord> Index<K, V> {
    fn of(&self, pairs: impl Iterator<Item = (K, V)>) -> &HashMap<K, BTreeSet<V>> {
        self.0.get_or_init(|| {
            let mut made: HashMap<K, BTreeSet<V>> = HashMap::new();
            pairs.for_each(|(key, value)| {
                made.entry(key).or_default().insert(value);
            });
            made
        })
    }

    fn add(&mut self, pairs: impl Iterator<Item = (K, V)>) {
        if let Some(made) = self.0.get_mut() {
            pairs.for_each(|(key, value)| {
                made.entry(key).or_default().insert(value);
            });
        }
    }

    fn take(&mut self, pairs: impl Iterator<Item = (K, V)>) {
        let Some(made) = self.0.get_mut() else { return };
        for (key, value) in pairs {
            let Some(values) = made.get_mut(&key) else { continue };
            values.remove(&value);
            if values.is_empty() {
                made.remove(&key);
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub email: Text,
    pub role: Role,
    pub expires_at: DateTime<Utc>,
    pub standing: InvitationStanding,
    pub touches: Touches,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStanding {
    Open,
    Accepted,
    Withdrawn,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub name: Text,
    pub kind: AccountKind,
    pub currency: Currency,
    pub opened_on: NaiveDate,
    pub closed: bool,
    pub balance_minor: i64,
    pub touches: Touches,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub name: Text,
    pub kind: CategoryKind,
    pub parent: Option<CategoryId>,
    pub archived: bool,
    /// Where what was sorted into it went, until it is restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CategoryId>,
    pub icon: Option<String>,
    pub colour: Option<String>,
    pub touches: Touches,
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
    pub touches: Touches,
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
    /// The commits that took its lines; they are undone together.
    pub taken_by: Vec<u64>,
    /// The commits of each time that it was reverted; those of one time are undone together.
    pub reverted_by: Vec<Vec<u64>>,
    /// By mark, how many entries of the book lines of this file have told of so far; empty once the import is
    /// finished. Lines that were taken do not count: another import may have met the entries they made.
    pub twins_met: HashMap<String, u64>,
    /// Transfers that another line had made, and that lines of this file tell of from the other account's side.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mirrors: BTreeMap<EntryId, Vec<Mirror>>,
}

/// The line on the other side of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    pub mark: Text,
    /// What was taken for spending or income before this line told that it was a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Entry>>,
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

    /// Entries of the book that a line with this mark may be telling of, but for those that `import` itself made.
    pub(crate) fn marked(&self, mark: &str, import: ImportId) -> impl Iterator<Item = EntryId> {
        let own = self.imports.get(&import).map(|import| &import.entries);
        let live = || self.entries.values().filter(|kept| !kept.removed);
        let marks = self.marks.of(live().flat_map(|kept| mark_of(&kept.entry)).chain(self.mirror_marks()));
        let ids = marks.get(mark).into_iter().flatten();
        // A mirror's mark stays in the index when its entry is removed.
        let is_there = |id: &EntryId| self.entries.get(id).is_some_and(|kept| !kept.removed);
        ids.filter(move |id| is_there(id) && own.is_none_or(|own| !own.contains(id))).copied()
    }

    fn mirror_marks(&self) -> impl Iterator<Item = (String, EntryId)> {
        let mirrors =
            self.imports.values().filter(|import| !import.reverted).flat_map(|import| &import.mirrors);
        mirrors.flat_map(|(entry, mirrors)| {
            mirrors.iter().filter_map(|mirror| Some((mirror.mark.as_str()?.to_owned(), *entry)))
        })
    }

    /// Transfers that moved this much in this account on these days, and that no line of it has told of.
    pub(crate) fn waiting(&self, leg: Leg, days: RangeInclusive<NaiveDate>) -> impl Iterator<Item = &Entry> {
        let live = self.entries.values().filter(|kept| !kept.removed);
        let legs = self.waiting.of(live.flat_map(|kept| self.waiting_legs(&kept.entry)));
        self.on_days(legs.get(&leg), days)
    }

    /// What imports took for spending or income that moved this much in this account on these days.
    pub(crate) fn imported(&self, leg: Leg, days: RangeInclusive<NaiveDate>) -> impl Iterator<Item = &Entry> {
        let live = self.entries.values().filter(|kept| !kept.removed);
        let legs = self.imported.of(live.flat_map(|kept| imported_legs(&kept.entry)));
        self.on_days(legs.get(&leg), days)
    }

    fn on_days<'b>(
        &'b self,
        found: Option<&'b BTreeSet<(NaiveDate, EntryId)>>,
        days: RangeInclusive<NaiveDate>,
    ) -> impl Iterator<Item = &'b Entry> {
        let from = (*days.start(), EntryId::from_uuid(Uuid::nil()));
        let later = found.into_iter().flat_map(move |found| found.range(from..));
        let found = later.take_while(move |(day, _)| day <= days.end());
        found.filter_map(|(_, id)| self.entries.get(id).map(|kept| &kept.entry))
    }

    fn waiting_legs(&self, entry: &Entry) -> Vec<(Leg, (NaiveDate, EntryId))> {
        if entry.kind != EntryKind::Transfer {
            return Vec::new();
        }
        let mut legs: Vec<_> = legs_of(entry).collect();
        legs.retain(|((account, _), _)| !self.is_told_from(*account, entry));
        legs
    }

    /// Whether a line of this account's statements told of the entry.
    pub(crate) fn is_told_from(&self, account: AccountId, entry: &Entry) -> bool {
        let is_of = |mark: &Text| mark.as_str().and_then(account_of_mark) == Some(account);
        let mut mirrors = self
            .imports
            .values()
            .filter(|import| !import.reverted)
            .filter_map(|import| import.mirrors.get(&entry.id))
            .flatten();
        entry.imported.as_ref().is_some_and(|imported| is_of(&imported.mark))
            || mirrors.any(|mirror| is_of(&mirror.mark))
    }

    /// Puts a kept entry back as it was read from storage. Balances are stored beside it and stay as they are.
    pub fn load_entry(&mut self, kept: KeptEntry) {
        if !kept.removed {
            self.mark(&kept.entry);
        }
        self.entries.insert(kept.entry.id, kept);
    }

    pub fn evolve(&mut self, event: &Event, recorded: Recorded) {
        self.version = recorded.version;
        match event {
            Event::BookCreated { settings } => {
                self.settings = Some(settings.clone());
                self.settings_touches = Touches::made_by(recorded.version);
                self.created_at = Some(recorded.at);
            }
            Event::BookChanged { settings, before } => {
                self.settings = Some(settings.clone());
                let written = Facets::NONE
                    .and(Facet::Name, settings.name != before.name)
                    .and(Facet::TimeZone, settings.time_zone != before.time_zone)
                    .and(Facet::WeekStart, settings.week_starts_on != before.week_starts_on)
                    .and(Facet::MonthStart, settings.month_starts_on != before.month_starts_on);
                if self.writes_anew(recorded) {
                    self.settings_touches.add(recorded.version, written);
                }
            }
            Event::InvitationMade { invitation, email, role, expires_at } => {
                let touches = match self.invitations.get(invitation) {
                    Some(known) => known.touches.clone(),
                    None => Touches::made_by(recorded.version),
                };
                let standing = InvitationStanding::Open;
                let made = Invitation {
                    email: email.clone(),
                    role: *role,
                    expires_at: *expires_at,
                    standing,
                    touches,
                };
                self.invitations.insert(*invitation, made);
            }
            Event::InvitationWithdrawn { invitation } => {
                self.set_standing(*invitation, InvitationStanding::Withdrawn, recorded);
            }
            Event::InvitationAccepted { invitation } => {
                self.set_standing(*invitation, InvitationStanding::Accepted, recorded);
            }
            Event::MemberAdded { user, role } | Event::MemberRoleChanged { user, role, .. } => {
                self.members.insert(*user, *role);
                self.touch_member(*user, recorded);
            }
            Event::MemberRemoved { user, .. } => {
                self.members.remove(user);
                self.touch_member(*user, recorded);
            }
            Event::AccountOpened { account, name, kind, currency, opened_on } => {
                let opened = Account {
                    name: name.clone(),
                    kind: *kind,
                    currency: *currency,
                    opened_on: *opened_on,
                    closed: false,
                    balance_minor: 0,
                    touches: Touches::made_by(recorded.version),
                };
                self.accounts.insert(*account, opened);
            }
            Event::AccountChanged { account, name, kind, before } => {
                let writes_anew = self.writes_anew(recorded);
                if let Some(changed) = self.accounts.get_mut(account) {
                    changed.name = name.clone();
                    changed.kind = *kind;
                    if writes_anew {
                        let written = Facets::NONE
                            .and(Facet::Name, *name != before.name)
                            .and(Facet::Kind, *kind != before.kind);
                        changed.touches.add(recorded.version, written);
                    }
                }
            }
            Event::AccountClosed { account } => self.set_closed(*account, true, recorded),
            Event::AccountReopened { account } => self.set_closed(*account, false, recorded),
            Event::AccountWithdrawn { account } => {
                self.withdrawn_accounts.extend(self.accounts.remove_entry(account));
            }
            Event::AccountReinstated { account } => {
                self.accounts.extend(self.withdrawn_accounts.remove_entry(account));
            }
            Event::CategoryAdded { category, name, kind, parent, icon, colour } => {
                let added = Category {
                    name: name.clone(),
                    kind: *kind,
                    parent: *parent,
                    archived: false,
                    merged_into: None,
                    icon: icon.clone(),
                    colour: colour.clone(),
                    touches: Touches::made_by(recorded.version),
                };
                self.categories.insert(*category, added);
            }
            Event::CategoryChanged { category, name, parent, icon, colour, before } => {
                let writes_anew = self.writes_anew(recorded);
                if let Some(changed) = self.categories.get_mut(category) {
                    changed.name = name.clone();
                    changed.parent = *parent;
                    changed.icon = icon.clone();
                    changed.colour = colour.clone();
                    if writes_anew {
                        let written = Facets::NONE
                            .and(Facet::Name, *name != before.name)
                            .and(Facet::Parent, *parent != before.parent)
                            .and(Facet::Icon, *icon != before.icon)
                            .and(Facet::Colour, *colour != before.colour);
                        changed.touches.add(recorded.version, written);
                    }
                }
            }
            Event::CategoryArchived { category } => self.set_archived(*category, true, None, recorded),
            Event::CategoryRestored { category } => self.set_archived(*category, false, None, recorded),
            Event::CategoryMerged { category, into, was_archived: _ } => {
                self.set_archived(*category, true, Some(*into), recorded);
            }
            Event::CategoryUnmerged { category, into: _, archived } => {
                self.set_archived(*category, *archived, None, recorded);
            }
            Event::CategoryWithdrawn { category } => {
                self.withdrawn_categories.extend(self.categories.remove_entry(category));
            }
            Event::CategoryReinstated { category } => {
                self.categories.extend(self.withdrawn_categories.remove_entry(category));
            }
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
                    touches: Touches::made_by(recorded.version),
                };
                self.entries.insert(entry.id, kept);
            }
            Event::EntryCorrected { entry, before } => {
                let Some(known) = self.entries.get(&entry.id).map(|kept| kept.entry.clone()) else { return };
                self.replace(&known, entry, Facets::between(before, entry), recorded);
            }
            Event::EntryRecategorised { entry, postings } => {
                let Some(known) = self.entries.get(entry).map(|kept| kept.entry.clone()) else { return };
                let recategorised = recategorised(&known, postings);
                self.replace(&known, &recategorised, Facets::between(&known, &recategorised), recorded);
            }
            Event::EntryRemoved { entry } => self.set_removed(*entry, true, recorded),
            Event::EntryRestored { entry } => self.set_removed(*entry, false, recorded),
            Event::BulkRefused { refused: _ } => {}
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
                    taken_by: vec![recorded.version],
                    reverted_by: Vec::new(),
                    twins_met: HashMap::new(),
                    mirrors: BTreeMap::new(),
                };
                self.imports.insert(*import, started);
            }
            Event::ImportLinesJudged { import, lines } => {
                let met: Vec<Option<String>> =
                    lines.iter().map(|line| self.mark_met(&line.verdict)).collect();
                let Some(import) = self.imports.get_mut(import) else { return };
                if import.taken_by.last() != Some(&recorded.version) {
                    import.taken_by.push(recorded.version);
                }
                import.judged += lines.len() as u64;
                for (judged, met) in lines.iter().zip(met) {
                    match &judged.verdict {
                        Verdict::Taken { entry } => {
                            import.entries.insert(*entry);
                        }
                        Verdict::DuplicateOf { .. } => import.duplicates += 1,
                        Verdict::MirrorOf { entry, mark, before } => {
                            import.duplicates += 1;
                            let mirror = Mirror { mark: mark.clone(), before: before.clone() };
                            import.mirrors.entry(*entry).or_default().push(mirror);
                            let account = mark.as_str().and_then(account_of_mark);
                            let mark = mark.as_str().map(|mark| (mark.to_owned(), *entry));
                            self.marks.add(mark.into_iter());
                            if let Some(kept) = self.entries.get(entry) {
                                let legs = legs_of(&kept.entry);
                                self.waiting.take(legs.filter(|((at, _), _)| Some(*at) == account));
                            }
                        }
                        Verdict::Refused { .. } => import.refused += 1,
                    }
                    if let Some(mark) = met {
                        *import.twins_met.entry(mark).or_default() += 1;
                    }
                }
            }
            Event::ImportFinished { import } => {
                if let Some(import) = self.imports.get_mut(import) {
                    import.finished = true;
                    import.twins_met = HashMap::new();
                }
            }
            Event::ImportReverted { import, complete } => {
                let writes_anew = self.writes_anew(recorded);
                if let Some(import) = self.imports.get_mut(import) {
                    import.reverted |= complete;
                    if writes_anew {
                        // A revert that was undone meanwhile is over; this one begins anew.
                        let is_under_way =
                            |commits: &[u64]| commits.iter().all(|commit| self.undos.holds(*commit));
                        match import.reverted_by.last_mut().filter(|commits| is_under_way(commits)) {
                            Some(commits) => commits.push(recorded.version),
                            None => import.reverted_by.push(vec![recorded.version]),
                        }
                    }
                }
                // The lines of its mirrors no longer count.
                self.marks = Index::default();
                self.waiting = Index::default();
            }
            Event::ImportReinstated { import } => {
                if let Some(import) = self.imports.get_mut(import) {
                    import.reverted = false;
                }
                self.marks = Index::default();
                self.waiting = Index::default();
            }
            Event::CommitUndone { version } => self.undos.add(*version, recorded.version),
        }
    }

    /// Whether the commit writes something new, and not the inverse of something.
    fn writes_anew(&self, recorded: Recorded) -> bool {
        !self.undos.is_undo(recorded.version)
    }

    /// Lets `entry` take the place of `known`. One that is removed counts nowhere, before and after.
    fn replace(&mut self, known: &Entry, entry: &Entry, written: Facets, recorded: Recorded) {
        if self.entries.get(&entry.id).is_some_and(|kept| !kept.removed) {
            self.post(known, -1);
            self.unmark(known);
            self.post(entry, 1);
            self.mark(entry);
        }
        let writes_anew = self.writes_anew(recorded);
        if let Some(kept) = self.entries.get_mut(&entry.id) {
            kept.entry = entry.clone();
            kept.version = recorded.version;
            kept.corrected_at = Some(recorded.at);
            if writes_anew {
                kept.touches.add(recorded.version, written);
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
        self.marks.add(mark_of(entry).into_iter());
        let waiting = self.waiting_legs(entry);
        self.waiting.add(waiting.into_iter());
        self.imported.add(imported_legs(entry));
    }

    fn unmark(&mut self, entry: &Entry) {
        self.marks.take(mark_of(entry).into_iter());
        self.waiting.take(legs_of(entry));
        self.imported.take(legs_of(entry));
    }

    /// By which mark a line that repeats an entry has told of it.
    fn mark_met(&self, verdict: &Verdict) -> Option<String> {
        match verdict {
            Verdict::DuplicateOf { entry } => self.entries.get(entry).and_then(|kept| kept.entry.mark()),
            Verdict::MirrorOf { mark, .. } => mark.as_str().map(str::to_owned),
            Verdict::Taken { .. } | Verdict::Refused { .. } => None,
        }
    }

    fn set_standing(&mut self, invitation: InvitationId, standing: InvitationStanding, recorded: Recorded) {
        let writes_anew = self.writes_anew(recorded);
        if let Some(invitation) = self.invitations.get_mut(&invitation) {
            invitation.standing = standing;
            if writes_anew {
                invitation.touches.add(recorded.version, Facets::of(Facet::Presence));
            }
        }
    }

    fn touch_member(&mut self, user: UserId, recorded: Recorded) {
        if self.writes_anew(recorded) {
            self.member_touches
                .entry(user)
                .or_insert_with(|| Touches::made_by(recorded.version))
                .add(recorded.version, Facets::of(Facet::Role));
        }
    }

    fn set_closed(&mut self, account: AccountId, closed: bool, recorded: Recorded) {
        let writes_anew = self.writes_anew(recorded);
        if let Some(account) = self.accounts.get_mut(&account) {
            account.closed = closed;
            if writes_anew {
                account.touches.add(recorded.version, Facets::of(Facet::Presence));
            }
        }
    }

    fn set_archived(
        &mut self,
        category: CategoryId,
        archived: bool,
        merged_into: Option<CategoryId>,
        recorded: Recorded,
    ) {
        let writes_anew = self.writes_anew(recorded);
        if let Some(category) = self.categories.get_mut(&category) {
            category.archived = archived;
            category.merged_into = merged_into;
            if writes_anew {
                category.touches.add(recorded.version, Facets::of(Facet::Presence));
            }
        }
    }

    fn set_removed(&mut self, entry: EntryId, removed: bool, recorded: Recorded) {
        let writes_anew = self.writes_anew(recorded);
        let Some(kept) = self.entries.get_mut(&entry) else { return };
        let was_removed = std::mem::replace(&mut kept.removed, removed);
        kept.version = recorded.version;
        if writes_anew {
            // Whoever restores an entry whose adding was undone makes all of it anew.
            let is_made_anew = !removed && !kept.touches.is_made(&self.undos);
            let written = if is_made_anew { Facets::ALL } else { Facets::of(Facet::Presence) };
            kept.touches.add(recorded.version, written);
        }
        let entry = kept.entry.clone();
        match (was_removed, removed) {
            (false, true) => {
                self.post(&entry, -1);
                self.unmark(&entry);
            }
            (true, false) => {
                self.post(&entry, 1);
                self.mark(&entry);
            }
            (false, false) | (true, true) => {}
        }
    }
}

fn mark_of(entry: &Entry) -> Option<(String, EntryId)> {
    entry.mark().map(|mark| (mark, entry.id))
}

fn legs_of(entry: &Entry) -> impl Iterator<Item = (Leg, (NaiveDate, EntryId))> {
    entry.accounts().map(|(account, money)| ((account, money.minor), (entry.occurred_on, entry.id)))
}

fn imported_legs(entry: &Entry) -> impl Iterator<Item = (Leg, (NaiveDate, EntryId))> {
    let is_spent_or_earned = matches!(entry.kind, EntryKind::Expense | EntryKind::Income | EntryKind::Refund);
    legs_of(entry).filter(move |_| is_spent_or_earned && entry.imported.is_some())
}

/// The entry with some of its postings in other categories.
pub fn recategorised(entry: &Entry, postings: &[Recategorised]) -> Entry {
    let mut changed = entry.clone();
    for (place, posting) in changed.postings.iter_mut().enumerate() {
        if let Some(to) = postings.iter().find(|change| change.posting == place) {
            posting.ledger = Ledger::Category(to.to);
        }
    }
    changed
}
