//! Undoing at any distance: the inverse of a commit, whatever came later.
//!
//! The state of a book is what its commits that hold come to; undoing one turns it off, undoing that turns it on
//! again. It takes that the parts it wrote are as it left them: where another commit that wrote them has come or gone
//! since, or something stands on what would go, those commits are in the way and nothing changes.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use chrono::DateTime;

use super::{
    ACCOUNTS_MAX, CATEGORIES_MAX, CATEGORY_DEPTH_MAX, height,
    members::{INVITATIONS_MAX, MEMBERS_MAX, refuse_without_owner},
};
use crate::{
    Book, Event, Recorded, Rejection,
    book::{InvitationStanding, KeptEntry, recategorised},
    command::Inverted,
    entry::Entry,
    event::{AccountWords, CategoryWords, Recategorised, Role, Settings},
    id::{AccountId, CategoryId, EntryId, ImportId, UserId},
    posting::{Ledger, Postings},
    touch::{Facet, Facets, Touches},
};

impl Book {
    /// The commits to invert, in this order, so that the one with this version no longer holds, or holds again
    /// if it was an undoing itself. A statement taken in or reverted by several commits is undone with all of them.
    pub fn to_invert(&self, version: u64) -> Result<Vec<u64>, Rejection> {
        if version == 0 || version > self.version {
            return Err(Rejection::CommitNotFound { version });
        }
        let root = self.undos.root_of(version);
        let last_turn = self.undos.last_turn(root);
        let already_undone = Rejection::AlreadyUndone { version, by: last_turn };
        let is_to_hold = self.undos.has_turned_since(root, version) == self.undos.holds(root);
        // Of several that turned the root the same way, only the last can be undone.
        if version != root && version != last_turn && self.undos.holds(root) != is_to_hold {
            return Err(already_undone);
        }
        let groups = self
            .imports
            .values()
            .flat_map(|import| std::iter::once(&import.taken_by).chain(&import.reverted_by));
        let own = vec![root];
        let together = groups.into_iter().find(|commits| commits.contains(&root)).unwrap_or(&own);
        // Where undoing them was cut short, the rest is left to do.
        let left = together.iter().filter(|commit| self.undos.holds(**commit) != is_to_hold);
        let mut to_invert: Vec<u64> = left.map(|commit| self.undos.last_turn(*commit)).collect();
        to_invert.sort_unstable_by(|one, other| other.cmp(one));
        if to_invert.is_empty() { Err(already_undone) } else { Ok(to_invert) }
    }
}

pub(super) fn undo(
    book: &Book,
    role: Role,
    version: u64,
    commit: Option<&Inverted>,
) -> Result<Vec<Event>, Rejection> {
    let to_invert = book.to_invert(version)?;
    let commit = commit.ok_or(Rejection::CommitNotFound { version })?;
    let asked = book.undos.root_of(version);
    if !to_invert.contains(&commit.version) {
        return Err(Rejection::UndoConflicts { versions: vec![book.undos.last_turn(asked)] });
    }
    let root = book.undos.root_of(commit.version);
    let undone = if root == asked { version } else { commit.version };
    if commit.events.iter().any(|event| matches!(event, Event::BookCreated { .. })) {
        return Err(Rejection::CommitNotUndoable);
    }

    let needed = commit.events.iter().map(least_role).max().unwrap_or(Role::Editor);
    if role < needed {
        return Err(Rejection::RoleForbids { needed });
    }
    let mut undoing = Undoing { book, root, inverted: commit.version, in_the_way: BTreeSet::new() };
    for event in &commit.events {
        undoing.find_overrun(event);
    }
    undoing.refuse_conflicts()?;
    let inverses: Vec<Event> =
        commit.events.iter().rev().filter_map(|event| undoing.inverse(event)).collect();
    undoing.find_dangling(&inverses);
    undoing.refuse_conflicts()?;
    refuse_unowned(book, &inverses)?;
    refuse_too_many(book, &inverses)?;
    refuse_overflow_of_undoing(book, &inverses)?;

    Ok([Event::CommitUndone { version: undone }].into_iter().chain(inverses).collect())
}

struct Undoing<'b> {
    book: &'b Book,
    root: u64,
    /// The commit whose events are taken back: the root, or the last that turned it.
    inverted: u64,
    in_the_way: BTreeSet<u64>,
}

impl Undoing<'_> {
    fn refuse_conflicts(&self) -> Result<(), Rejection> {
        if self.in_the_way.is_empty() {
            return Ok(());
        }
        Err(Rejection::UndoConflicts { versions: self.in_the_way.iter().copied().collect() })
    }

    /// Finds the commits that wrote what the root wrote of this event's thing, and came or went since.
    fn find_overrun(&mut self, event: &Event) {
        if let Event::ImportStarted { import, .. }
        | Event::ImportReverted { import, .. }
        | Event::ImportReinstated { import } = event
        {
            self.find_overrun_of_import(*import);
        }
        let Some(touches) = touches_of(self.book, event) else { return };
        let writers: Vec<u64> = touches.writers(touches.by(self.root)).collect();
        self.block_by_turned(writers);
    }

    /// Taking lines, and each time that the import was reverted, say whether it is in force.
    fn find_overrun_of_import(&mut self, import: ImportId) {
        let Some(known) = self.book.imports.get(&import) else { return };
        let sayings = std::iter::once(&known.taken_by).chain(&known.reverted_by);
        let others = sayings.filter(|commits| !commits.contains(&self.root));
        self.block_by_turned(others.flatten().copied().collect::<Vec<u64>>());
    }

    fn block_by_turned(&mut self, roots: impl IntoIterator<Item = u64>) {
        let undos = &self.book.undos;
        let turned = roots
            .into_iter()
            .filter(|root| *root != self.root && undos.has_turned_since(*root, self.inverted))
            .map(|root| undos.last_turn(root));
        self.in_the_way.extend(turned);
    }

    /// Whoever wrote these parts of the thing last, so that they now stand in the way.
    fn block_by_last(&mut self, touches: &Touches, facet: Facet) {
        self.in_the_way.extend(self.last_turn(touches, facet));
    }

    fn last_turn(&self, touches: &Touches, facet: Facet) -> Option<u64> {
        touches.writers(Facets::of(facet)).map(|root| self.book.undos.last_turn(root)).max()
    }

    /// What takes the event back, as the book is now. Only what the root wrote goes back; what later commits
    /// wrote beside it stays.
    fn inverse(&self, event: &Event) -> Option<Event> {
        let book = self.book;
        match event {
            Event::BookCreated { .. }
            | Event::CommitUndone { .. }
            | Event::InvitationAccepted { .. }
            | Event::BulkRefused { .. }
            | Event::ImportLinesJudged { .. }
            | Event::ImportFinished { .. } => None,
            Event::BookChanged { settings, before } => {
                let now = book.settings.as_ref()?;
                let inverse = Settings {
                    name: back(&now.name, &settings.name, &before.name),
                    currency: back(&now.currency, &settings.currency, &before.currency),
                    time_zone: back(&now.time_zone, &settings.time_zone, &before.time_zone),
                    week_starts_on: back(
                        &now.week_starts_on,
                        &settings.week_starts_on,
                        &before.week_starts_on,
                    ),
                    month_starts_on: back(
                        &now.month_starts_on,
                        &settings.month_starts_on,
                        &before.month_starts_on,
                    ),
                };
                (inverse != *now).then(|| Event::BookChanged { settings: inverse, before: now.clone() })
            }
            // An accepted invitation stays used, even where the accepting was undone.
            Event::InvitationMade { invitation, .. } => {
                let standing = book.invitations.get(invitation)?.standing;
                (standing == InvitationStanding::Open)
                    .then_some(Event::InvitationWithdrawn { invitation: *invitation })
            }
            Event::InvitationWithdrawn { invitation } => {
                let known = book.invitations.get(invitation)?;
                (known.standing == InvitationStanding::Withdrawn).then(|| Event::InvitationMade {
                    invitation: *invitation,
                    email: known.email.clone(),
                    role: known.role,
                    expires_at: known.expires_at,
                })
            }
            Event::MemberAdded { user, role } => Some(Event::MemberRemoved { user: *user, before: *role }),
            Event::MemberRemoved { user, before } => Some(Event::MemberAdded { user: *user, role: *before }),
            Event::MemberRoleChanged { user, role, before } => {
                Some(Event::MemberRoleChanged { user: *user, role: *before, before: *role })
            }
            Event::AccountOpened { account, .. } | Event::AccountReinstated { account } => {
                Some(Event::AccountWithdrawn { account: *account })
            }
            Event::AccountWithdrawn { account } => Some(Event::AccountReinstated { account: *account }),
            Event::AccountChanged { account, name, kind, before } => {
                let now = book.accounts.get(account)?;
                let now = AccountWords { name: now.name.clone(), kind: now.kind };
                let name = back(&now.name, name, &before.name);
                let kind = back(&now.kind, kind, &before.kind);
                let is_change = name != now.name || kind != now.kind;
                is_change.then_some(Event::AccountChanged { account: *account, name, kind, before: now })
            }
            Event::AccountClosed { account } => Some(Event::AccountReopened { account: *account }),
            Event::AccountReopened { account } => Some(Event::AccountClosed { account: *account }),
            Event::CategoryAdded { category, .. } | Event::CategoryReinstated { category } => {
                Some(Event::CategoryWithdrawn { category: *category })
            }
            Event::CategoryWithdrawn { category } => Some(Event::CategoryReinstated { category: *category }),
            Event::CategoryChanged { category, name, parent, icon, colour, before } => {
                let now = book.categories.get(category)?;
                let now = CategoryWords {
                    name: now.name.clone(),
                    parent: now.parent,
                    icon: now.icon.clone(),
                    colour: now.colour.clone(),
                };
                let inverse = CategoryWords {
                    name: back(&now.name, name, &before.name),
                    parent: back(&now.parent, parent, &before.parent),
                    icon: back(&now.icon, icon, &before.icon),
                    colour: back(&now.colour, colour, &before.colour),
                };
                let CategoryWords { name, parent, icon, colour } = inverse.clone();
                let category = *category;
                (inverse != now).then_some(Event::CategoryChanged {
                    category,
                    name,
                    parent,
                    icon,
                    colour,
                    before: now,
                })
            }
            Event::CategoryArchived { category } => Some(Event::CategoryRestored { category: *category }),
            Event::CategoryRestored { category } => Some(Event::CategoryArchived { category: *category }),
            Event::CategoryMerged { category, into, was_archived } => {
                Some(Event::CategoryUnmerged { category: *category, into: *into, archived: *was_archived })
            }
            Event::CategoryUnmerged { category, into, archived } => {
                Some(Event::CategoryMerged { category: *category, into: *into, was_archived: *archived })
            }
            Event::EntryAdded { entry } => Some(Event::EntryRemoved { entry: entry.id }),
            Event::EntryRestored { entry } => Some(Event::EntryRemoved { entry: *entry }),
            Event::EntryRemoved { entry } => Some(Event::EntryRestored { entry: *entry }),
            Event::EntryCorrected { entry, before } => {
                let now = &book.entries.get(&entry.id)?.entry;
                let inverse = entry_back(now, entry, before);
                let is_change = inverse != *now;
                is_change.then(|| Event::EntryCorrected {
                    entry: Box::new(inverse),
                    before: Box::new(now.clone()),
                })
            }
            Event::EntryRecategorised { entry, postings } => {
                let swapped = postings.iter().map(|change| Recategorised {
                    posting: change.posting,
                    from: change.to,
                    to: change.from,
                });
                Some(Event::EntryRecategorised { entry: *entry, postings: swapped.collect() })
            }
            Event::ImportStarted { import, .. } | Event::ImportReinstated { import } => {
                Some(Event::ImportReverted { import: *import, complete: true })
            }
            Event::ImportReverted { import, complete } => {
                complete.then_some(Event::ImportReinstated { import: *import })
            }
        }
    }

    /// Finds what would stand on nothing, or two things in one place, once the inverses have happened.
    fn find_dangling(&mut self, inverses: &[Event]) {
        let after = &*chart_after(self.book, self.root, inverses);
        for inverse in inverses {
            match inverse {
                Event::AccountWithdrawn { account } => self.find_users_of_account(*account, inverses),
                Event::CategoryWithdrawn { category } => {
                    self.find_users_of_category(*category, after, inverses);
                }
                Event::AccountReinstated { account } | Event::AccountChanged { account, .. } => {
                    self.find_account_of_name(*account, after);
                }
                Event::CategoryReinstated { category } | Event::CategoryChanged { category, .. } => {
                    self.find_category_in_place(*category, after);
                }
                Event::EntryRestored { entry } => {
                    if let Some(kept) = self.book.entries.get(entry) {
                        self.find_gone_parts(&kept.entry, after);
                    }
                }
                Event::EntryCorrected { entry, .. } => self.find_gone_parts(entry, after),
                Event::EntryRecategorised { entry, postings } => {
                    if let Some(kept) = self.book.entries.get(entry) {
                        self.find_gone_parts(&recategorised(&kept.entry, postings), after);
                    }
                }
                Event::BookCreated { .. }
                | Event::BookChanged { .. }
                | Event::InvitationMade { .. }
                | Event::InvitationWithdrawn { .. }
                | Event::InvitationAccepted { .. }
                | Event::MemberAdded { .. }
                | Event::MemberRoleChanged { .. }
                | Event::MemberRemoved { .. }
                | Event::AccountOpened { .. }
                | Event::AccountClosed { .. }
                | Event::AccountReopened { .. }
                | Event::CategoryAdded { .. }
                | Event::CategoryArchived { .. }
                | Event::CategoryRestored { .. }
                | Event::CategoryMerged { .. }
                | Event::CategoryUnmerged { .. }
                | Event::EntryAdded { .. }
                | Event::EntryRemoved { .. }
                | Event::BulkRefused { .. }
                | Event::ImportStarted { .. }
                | Event::ImportLinesJudged { .. }
                | Event::ImportFinished { .. }
                | Event::ImportReverted { .. }
                | Event::ImportReinstated { .. }
                | Event::CommitUndone { .. } => {}
            }
        }
    }

    /// Entries that somebody added, removed or not: each may be brought back to stand on its accounts.
    fn entries_there(&self, inverses: &[Event]) -> Vec<&KeptEntry> {
        let going: BTreeSet<EntryId> = inverses
            .iter()
            .filter_map(|inverse| match inverse {
                Event::EntryRemoved { entry } => Some(*entry),
                _ => None,
            })
            .collect();
        let undos = &self.book.undos;
        let is_there = |kept: &&KeptEntry| {
            let is_made_by_root = kept.touches.made == self.root && going.contains(&kept.entry.id);
            kept.touches.is_made(undos) && !is_made_by_root
        };
        self.book.entries.values().filter(is_there).collect()
    }

    fn find_users_of_account(&mut self, account: AccountId, inverses: &[Event]) {
        let users: Vec<u64> = self
            .entries_there(inverses)
            .into_iter()
            .filter(|kept| kept.entry.accounts().any(|(posted, _)| posted == account))
            .filter_map(|kept| self.last_turn(&kept.touches, Facet::Money))
            .collect();
        self.in_the_way.extend(users);
    }

    fn find_users_of_category(&mut self, category: CategoryId, after: &Book, inverses: &[Event]) {
        let users: Vec<u64> = self
            .entries_there(inverses)
            .into_iter()
            .filter(|kept| kept.entry.categories().any(|(posted, _)| posted == category))
            .filter_map(|kept| self.last_turn(&kept.touches, Facet::Category))
            .collect();
        self.in_the_way.extend(users);
        for known in after.categories.values() {
            if known.parent == Some(category) {
                self.block_by_last(&known.touches, Facet::Parent);
            }
            if known.merged_into == Some(category) {
                self.block_by_last(&known.touches, Facet::Presence);
            }
        }
    }

    fn find_account_of_name(&mut self, id: AccountId, after: &Book) {
        let Some(named) = after.accounts.get(&id) else { return };
        let namesake =
            after.accounts.iter().find(|(other, known)| **other != id && known.name.reads_as(&named.name));
        if let Some((_, other)) = namesake {
            self.block_by_last(&other.touches, Facet::Name);
        }
    }

    /// Whether the category may stand where it would.
    fn find_category_in_place(&mut self, id: CategoryId, after: &Book) {
        let Some(placed) = after.categories.get(&id) else { return };
        let namesake = after.categories.iter().find(|(other, known)| {
            **other != id
                && known.parent == placed.parent
                && known.kind == placed.kind
                && known.name.reads_as(&placed.name)
        });
        if let Some((_, other)) = namesake {
            // Either of them may have been named or moved since.
            let turns = [&placed.touches, &other.touches]
                .into_iter()
                .flat_map(|touches| [Facet::Name, Facet::Parent].map(|facet| (touches, facet)))
                .filter_map(|(touches, facet)| self.last_turn(touches, facet))
                .collect();
            self.block_by_latest(turns);
        }

        let mut above: Vec<CategoryId> = Vec::new();
        let mut next = placed.parent;
        while let Some(parent) = next
            && parent != id
            && above.len() <= CATEGORY_DEPTH_MAX
        {
            let Some(known) = after.categories.get(&parent) else {
                let gone = self.book.withdrawn_categories.get(&parent);
                self.in_the_way.extend(gone.map(|gone| self.book.undos.last_turn(gone.touches.made)));
                return;
            };
            above.push(parent);
            next = known.parent;
        }
        if next.is_some() {
            self.block_by_moves(&above, after);
            return;
        }
        let depth = above.len() + height(after, id);
        if depth > CATEGORY_DEPTH_MAX {
            let mut below = vec![id];
            let mut reached = 0;
            while let Some(parent) = below.get(reached).copied() {
                let children = after.categories.iter().filter(|(_, known)| known.parent == Some(parent));
                below.extend(children.map(|(child, _)| *child));
                reached += 1;
            }
            above.extend(below.into_iter().skip(1));
            self.block_by_moves(&above, after);
        }
    }

    /// Whoever moved one of these categories to where it is.
    fn block_by_moves(&mut self, moved: &[CategoryId], after: &Book) {
        let moved = moved.iter().filter_map(|id| after.categories.get(id));
        let turns = moved.filter_map(|known| self.last_turn(&known.touches, Facet::Parent)).collect();
        self.block_by_latest(turns);
    }

    /// Those of the commits that came since; at the least the last of them, so that a fault is never without a name.
    fn block_by_latest(&mut self, turns: Vec<u64>) {
        self.in_the_way.extend(turns.iter().copied().filter(|turn| *turn > self.inverted));
        if self.in_the_way.is_empty() {
            self.in_the_way.extend(turns.into_iter().max());
        }
    }

    /// The undoings that took away what the entry would stand on.
    fn find_gone_parts(&mut self, entry: &Entry, after: &Book) {
        let book = self.book;
        for posting in &entry.postings {
            let gone = match posting.ledger {
                Ledger::Account(id) if !after.accounts.contains_key(&id) => {
                    book.withdrawn_accounts.get(&id).map(|gone| gone.touches.made)
                }
                Ledger::Category(id) if !after.categories.contains_key(&id) => {
                    book.withdrawn_categories.get(&id).map(|gone| gone.touches.made)
                }
                Ledger::Account(_) | Ledger::Category(_) | Ledger::OpeningBalances | Ledger::Conversion => {
                    None
                }
            };
            self.in_the_way.extend(gone.map(|made| book.undos.last_turn(made)));
        }
    }
}

/// The accounts and categories as the inverses leave them.
fn chart_after<'b>(book: &'b Book, root: u64, inverses: &[Event]) -> Cow<'b, Book> {
    let is_of_chart = |event: &&Event| {
        matches!(
            event,
            Event::AccountChanged { .. }
                | Event::AccountWithdrawn { .. }
                | Event::AccountReinstated { .. }
                | Event::CategoryChanged { .. }
                | Event::CategoryWithdrawn { .. }
                | Event::CategoryReinstated { .. }
        )
    };
    let mut changes = inverses.iter().filter(is_of_chart).peekable();
    if changes.peek().is_none() {
        return Cow::Borrowed(book);
    }
    let mut after = Book::default();
    after.accounts = book.accounts.clone();
    after.withdrawn_accounts = book.withdrawn_accounts.clone();
    after.categories = book.categories.clone();
    after.withdrawn_categories = book.withdrawn_categories.clone();
    let recorded = Recorded { version: book.version + 1, at: DateTime::UNIX_EPOCH };
    // An undoing touches nothing anew.
    after.evolve(&Event::CommitUndone { version: root }, recorded);
    changes.for_each(|change| after.evolve(change, recorded));
    Cow::Owned(after)
}

/// The touches of the thing that the event is about.
fn touches_of<'b>(book: &'b Book, event: &Event) -> Option<&'b Touches> {
    match event {
        Event::BookCreated { .. } | Event::BookChanged { .. } => Some(&book.settings_touches),
        Event::InvitationMade { invitation, .. }
        | Event::InvitationWithdrawn { invitation }
        | Event::InvitationAccepted { invitation } => {
            book.invitations.get(invitation).map(|known| &known.touches)
        }
        Event::MemberAdded { user, .. }
        | Event::MemberRoleChanged { user, .. }
        | Event::MemberRemoved { user, .. } => book.member_touches.get(user),
        Event::AccountOpened { account, .. }
        | Event::AccountChanged { account, .. }
        | Event::AccountClosed { account }
        | Event::AccountReopened { account }
        | Event::AccountWithdrawn { account }
        | Event::AccountReinstated { account } => {
            let known = book.accounts.get(account).or_else(|| book.withdrawn_accounts.get(account));
            known.map(|known| &known.touches)
        }
        Event::CategoryAdded { category, .. }
        | Event::CategoryChanged { category, .. }
        | Event::CategoryArchived { category }
        | Event::CategoryRestored { category }
        | Event::CategoryMerged { category, .. }
        | Event::CategoryUnmerged { category, .. }
        | Event::CategoryWithdrawn { category }
        | Event::CategoryReinstated { category } => {
            let known = book.categories.get(category).or_else(|| book.withdrawn_categories.get(category));
            known.map(|known| &known.touches)
        }
        Event::EntryAdded { .. }
        | Event::EntryCorrected { .. }
        | Event::EntryRecategorised { .. }
        | Event::EntryRemoved { .. }
        | Event::EntryRestored { .. } => {
            event.entry().and_then(|entry| book.entries.get(&entry)).map(|kept| &kept.touches)
        }
        Event::BulkRefused { .. }
        | Event::ImportStarted { .. }
        | Event::ImportLinesJudged { .. }
        | Event::ImportFinished { .. }
        | Event::ImportReverted { .. }
        | Event::ImportReinstated { .. }
        | Event::CommitUndone { .. } => None,
    }
}

/// `before` where the commit wrote this field; else what is there now.
fn back<T: Clone + PartialEq>(now: &T, after: &T, before: &T) -> T {
    if after == before { now.clone() } else { before.clone() }
}

fn entry_back(now: &Entry, after: &Entry, before: &Entry) -> Entry {
    let written = Facets::between(before, after);
    let (kind, postings) = match (written.has(Facet::Money), written.has(Facet::Category)) {
        (false, false) => (now.kind, now.postings.clone()),
        (true, true) => (before.kind, before.postings.clone()),
        (true, false) => (now.kind, sorted_as(before, now)),
        (false, true) => (now.kind, sorted_as(now, before)),
    };
    let choose = |facet, old, current| if written.has(facet) { old } else { current };
    Entry {
        id: now.id,
        kind,
        occurred_on: if written.has(Facet::Date) { before.occurred_on } else { now.occurred_on },
        postings,
        payee: choose(Facet::Payee, &before.payee, &now.payee).clone(),
        note: choose(Facet::Note, &before.note, &now.note).clone(),
        tags: if written.has(Facet::Tags) { before.tags.clone() } else { now.tags.clone() },
        refund_of: if written.has(Facet::RefundOf) { before.refund_of } else { now.refund_of },
        foreign: if written.has(Facet::Foreign) { before.foreign } else { now.foreign },
        imported: now.imported.clone(),
    }
}

/// The postings of one plain entry, in the category of another.
fn sorted_as(money_of: &Entry, sorted_of: &Entry) -> Postings {
    let category = sorted_of.categories().next().map(|(category, _)| category);
    let mut postings = money_of.postings.clone();
    for posting in postings.iter_mut() {
        if let (Ledger::Category(_), Some(category)) = (posting.ledger, category) {
            posting.ledger = Ledger::Category(category);
        }
    }
    postings
}

/// The role that doing this anew would take.
fn least_role(event: &Event) -> Role {
    match event {
        Event::BookCreated { .. }
        | Event::BookChanged { .. }
        | Event::InvitationMade { .. }
        | Event::InvitationWithdrawn { .. }
        | Event::InvitationAccepted { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRoleChanged { .. }
        | Event::MemberRemoved { .. } => Role::Owner,
        Event::AccountOpened { .. }
        | Event::AccountChanged { .. }
        | Event::AccountClosed { .. }
        | Event::AccountReopened { .. }
        | Event::AccountWithdrawn { .. }
        | Event::AccountReinstated { .. }
        | Event::CategoryAdded { .. }
        | Event::CategoryChanged { .. }
        | Event::CategoryArchived { .. }
        | Event::CategoryRestored { .. }
        | Event::CategoryMerged { .. }
        | Event::CategoryUnmerged { .. }
        | Event::CategoryWithdrawn { .. }
        | Event::CategoryReinstated { .. }
        | Event::EntryAdded { .. }
        | Event::EntryCorrected { .. }
        | Event::EntryRecategorised { .. }
        | Event::EntryRemoved { .. }
        | Event::EntryRestored { .. }
        | Event::BulkRefused { .. }
        | Event::ImportStarted { .. }
        | Event::ImportLinesJudged { .. }
        | Event::ImportFinished { .. }
        | Event::ImportReverted { .. }
        | Event::ImportReinstated { .. }
        | Event::CommitUndone { .. } => Role::Editor,
    }
}

fn refuse_unowned(book: &Book, inverses: &[Event]) -> Result<(), Rejection> {
    let leaving = inverses.iter().filter_map(|inverse| match inverse {
        Event::MemberRemoved { user, .. } => Some(*user),
        Event::MemberRoleChanged { user, role, .. } if *role != Role::Owner => Some(*user),
        _ => None,
    });
    leaving.into_iter().try_for_each(|user: UserId| refuse_without_owner(book, user))
}

fn refuse_too_many(book: &Book, inverses: &[Event]) -> Result<(), Rejection> {
    let count = |is_one: fn(&Event) -> bool| inverses.iter().filter(|inverse| is_one(inverse)).count();
    let is_open = |standing: InvitationStanding| standing == InvitationStanding::Open;
    let open = book.invitations.values().filter(|known| is_open(known.standing)).count();
    let coming = [
        (
            "members",
            book.members.len(),
            count(|event| matches!(event, Event::MemberAdded { .. })),
            MEMBERS_MAX,
        ),
        (
            "open invitations",
            open,
            count(|event| matches!(event, Event::InvitationMade { .. })),
            INVITATIONS_MAX,
        ),
        (
            "accounts",
            book.accounts.len(),
            count(|event| matches!(event, Event::AccountReinstated { .. })),
            ACCOUNTS_MAX,
        ),
        (
            "categories",
            book.categories.len(),
            count(|event| matches!(event, Event::CategoryReinstated { .. })),
            CATEGORIES_MAX,
        ),
    ];
    for (of, there, more, at_most) in coming {
        if more > 0 && there + more > at_most {
            return Err(Rejection::LimitReached { of, at_most });
        }
    }
    Ok(())
}

/// Held against the sum of all, since one inverse may overstep what another takes back.
fn refuse_overflow_of_undoing(book: &Book, inverses: &[Event]) -> Result<(), Rejection> {
    let mut moved: HashMap<AccountId, i128> = HashMap::new();
    let mut add = |entry: &Entry, sign: i128| {
        for (account, money) in entry.accounts() {
            *moved.entry(account).or_default() += sign * i128::from(money.minor);
        }
    };
    for inverse in inverses {
        let kept = inverse.entry().and_then(|entry| book.entries.get(&entry));
        match (inverse, kept) {
            (Event::EntryRemoved { .. }, Some(kept)) => add(&kept.entry, -1),
            (Event::EntryRestored { .. }, Some(kept)) => add(&kept.entry, 1),
            (Event::EntryCorrected { entry, before }, Some(kept)) if !kept.removed => {
                add(before, -1);
                add(entry, 1);
            }
            _ => {}
        }
    }
    for (account, minor) in moved {
        let balance = book.accounts.get(&account).map_or(0, |account| account.balance_minor);
        i64::try_from(i128::from(balance) + minor).map_err(|_| Rejection::BalanceOutOfRange)?;
    }
    Ok(())
}
