//! What has happened to a book. Past tense, facts, never changed once written.
//!
//! The names and shapes here are what the journal holds for decades: add events and optional fields, never
//! change the meaning of one. A new meaning is a new version of the name.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Thing,
    entry::{AccountKind, CategoryKind, Entry},
    id::{AccountId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::Currency,
    text::Text,
};

/// What a member of a book may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

impl Role {
    pub fn as_str(&self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Owner => "owner",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Role::Viewer, Role::Editor, Role::Owner].into_iter().find(|role| role.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    pub fn as_str(&self) -> &'static str {
        match self {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub name: Text,
    pub currency: Currency,
    /// An IANA name; says only which day "today" is. Entries carry civil dates and need no zone.
    pub time_zone: String,
    pub week_starts_on: Weekday,
    /// 1 to 28; a month of the book begins on this day of the calendar's month.
    pub month_starts_on: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    #[serde(rename = "book_created.v1")]
    BookCreated { settings: Settings },
    #[serde(rename = "book_changed.v1")]
    BookChanged { settings: Settings, before: Settings },

    #[serde(rename = "invitation_made.v1")]
    InvitationMade { invitation: InvitationId, email: Text, role: Role, expires_at: DateTime<Utc> },
    #[serde(rename = "invitation_withdrawn.v1")]
    InvitationWithdrawn { invitation: InvitationId },
    /// The member it made follows in the same commit.
    #[serde(rename = "invitation_accepted.v1")]
    InvitationAccepted { invitation: InvitationId },
    #[serde(rename = "member_added.v1")]
    MemberAdded { user: UserId, role: Role },
    #[serde(rename = "member_role_changed.v1")]
    MemberRoleChanged { user: UserId, role: Role, before: Role },
    #[serde(rename = "member_removed.v1")]
    MemberRemoved { user: UserId, before: Role },

    #[serde(rename = "account_opened.v1")]
    AccountOpened {
        account: AccountId,
        name: Text,
        kind: AccountKind,
        currency: Currency,
        opened_on: NaiveDate,
    },
    #[serde(rename = "account_changed.v1")]
    AccountChanged { account: AccountId, name: Text, kind: AccountKind, before: AccountWords },
    #[serde(rename = "account_closed.v1")]
    AccountClosed { account: AccountId },
    #[serde(rename = "account_reopened.v1")]
    AccountReopened { account: AccountId },
    /// Its opening was undone; the book is as if it had never been there.
    #[serde(rename = "account_withdrawn.v1")]
    AccountWithdrawn { account: AccountId },
    /// A withdrawn account is there again, as it was.
    #[serde(rename = "account_reinstated.v1")]
    AccountReinstated { account: AccountId },

    #[serde(rename = "category_added.v1")]
    CategoryAdded {
        category: CategoryId,
        name: Text,
        kind: CategoryKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        colour: Option<String>,
    },
    #[serde(rename = "category_changed.v1")]
    CategoryChanged {
        category: CategoryId,
        name: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<CategoryId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        colour: Option<String>,
        before: CategoryWords,
    },
    #[serde(rename = "category_archived.v1")]
    CategoryArchived { category: CategoryId },
    #[serde(rename = "category_restored.v1")]
    CategoryRestored { category: CategoryId },
    /// What was sorted into it, and what stood below it, went to another category by the events before this one.
    #[serde(rename = "category_merged.v1")]
    CategoryMerged { category: CategoryId, into: CategoryId, was_archived: bool },
    #[serde(rename = "category_unmerged.v1")]
    CategoryUnmerged { category: CategoryId, into: CategoryId, archived: bool },
    /// Its adding was undone; the book is as if it had never been there.
    #[serde(rename = "category_withdrawn.v1")]
    CategoryWithdrawn { category: CategoryId },
    /// A withdrawn category is there again, as it was.
    #[serde(rename = "category_reinstated.v1")]
    CategoryReinstated { category: CategoryId },

    #[serde(rename = "entry_added.v1")]
    EntryAdded { entry: Entry },
    /// The entry as it stands from now on, whole, and as it was.
    #[serde(rename = "entry_corrected.v1")]
    EntryCorrected { entry: Box<Entry>, before: Box<Entry> },
    /// Parts of the entry went to other categories; nothing else of it changed.
    #[serde(rename = "entry_recategorised.v1")]
    EntryRecategorised { entry: EntryId, postings: Vec<Recategorised> },
    #[serde(rename = "entry_removed.v1")]
    EntryRemoved { entry: EntryId },
    #[serde(rename = "entry_restored.v1")]
    EntryRestored { entry: EntryId },
    /// Entries of a bulk that were not taken; those that were stand before it in the same commit.
    #[serde(rename = "bulk_refused.v1")]
    BulkRefused { refused: Vec<RefusedItem> },

    #[serde(rename = "import_started.v1")]
    ImportStarted { import: ImportId, file_name: Text, lines: u64 },
    /// What became of some lines of the file; the entries taken stand before it in the same commit.
    #[serde(rename = "import_lines_judged.v1")]
    ImportLinesJudged { import: ImportId, lines: Vec<JudgedLine> },
    #[serde(rename = "import_finished.v1")]
    ImportFinished { import: ImportId },
    /// The entries that went are named by the `entry_removed` events of this commit; the last such commit is
    /// `complete`.
    #[serde(rename = "import_reverted.v1")]
    ImportReverted { import: ImportId, complete: bool },
    /// The revert was undone: the entries that it took are there again, by `entry_restored` events in this commit
    /// and the ones before it.
    #[serde(rename = "import_reinstated.v1")]
    ImportReinstated { import: ImportId },

    /// Stands first in its commit; what follows is the inverse of the commit that made `version`.
    #[serde(rename = "commit_undone.v1")]
    CommitUndone { version: u64 },
}

/// What people call an account, as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountWords {
    pub name: Text,
    pub kind: AccountKind,
}

/// What people see of a category and its place in the tree, as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryWords {
    pub name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

/// A posting of an entry that went from one category to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recategorised {
    /// Its place among the entry's postings, counted from 0.
    pub posting: usize,
    pub from: CategoryId,
    pub to: CategoryId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedItem {
    /// Its place in the bulk, counted from 0.
    pub index: usize,
    pub code: String,
    pub detail: Text,
    /// Where in the item the fault is, as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedLine {
    /// Counted from 1 in the file.
    pub line: u64,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    Taken {
        entry: EntryId,
    },
    DuplicateOf {
        entry: EntryId,
    },
    /// The line is the other account's side of a transfer that the book has.
    MirrorOf {
        entry: EntryId,
        /// By which the line is known again.
        mark: Text,
        /// The entry as it was, where this line told that it was a transfer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Entry>>,
    },
    Refused {
        code: String,
        detail: Text,
    },
}

impl Event {
    /// The name on the wire: `entry_added.v1`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Event::BookCreated { .. } => "book_created.v1",
            Event::BookChanged { .. } => "book_changed.v1",
            Event::InvitationMade { .. } => "invitation_made.v1",
            Event::InvitationWithdrawn { .. } => "invitation_withdrawn.v1",
            Event::InvitationAccepted { .. } => "invitation_accepted.v1",
            Event::MemberAdded { .. } => "member_added.v1",
            Event::MemberRoleChanged { .. } => "member_role_changed.v1",
            Event::MemberRemoved { .. } => "member_removed.v1",
            Event::AccountOpened { .. } => "account_opened.v1",
            Event::AccountChanged { .. } => "account_changed.v1",
            Event::AccountClosed { .. } => "account_closed.v1",
            Event::AccountReopened { .. } => "account_reopened.v1",
            Event::AccountWithdrawn { .. } => "account_withdrawn.v1",
            Event::AccountReinstated { .. } => "account_reinstated.v1",
            Event::CategoryAdded { .. } => "category_added.v1",
            Event::CategoryChanged { .. } => "category_changed.v1",
            Event::CategoryArchived { .. } => "category_archived.v1",
            Event::CategoryRestored { .. } => "category_restored.v1",
            Event::CategoryMerged { .. } => "category_merged.v1",
            Event::CategoryUnmerged { .. } => "category_unmerged.v1",
            Event::CategoryWithdrawn { .. } => "category_withdrawn.v1",
            Event::CategoryReinstated { .. } => "category_reinstated.v1",
            Event::EntryAdded { .. } => "entry_added.v1",
            Event::EntryCorrected { .. } => "entry_corrected.v1",
            Event::EntryRecategorised { .. } => "entry_recategorised.v1",
            Event::EntryRemoved { .. } => "entry_removed.v1",
            Event::EntryRestored { .. } => "entry_restored.v1",
            Event::BulkRefused { .. } => "bulk_refused.v1",
            Event::ImportStarted { .. } => "import_started.v1",
            Event::ImportLinesJudged { .. } => "import_lines_judged.v1",
            Event::ImportFinished { .. } => "import_finished.v1",
            Event::ImportReverted { .. } => "import_reverted.v1",
            Event::ImportReinstated { .. } => "import_reinstated.v1",
            Event::CommitUndone { .. } => "commit_undone.v1",
        }
    }

    /// The entry this event is about, if it is about one.
    pub fn entry(&self) -> Option<EntryId> {
        match Thing::of(self) {
            Some(Thing::Entry(entry)) => Some(entry),
            Some(_) | None => None,
        }
    }

    /// Every personal text of the event, in a fixed order: what the journal seals. A field of type [`Text`]
    /// that is missing here would be written in the clear; the journal's tests look for that.
    pub fn for_each_text(&mut self, visit: &mut impl FnMut(&mut Text)) {
        match self {
            Event::BookCreated { settings } => visit(&mut settings.name),
            Event::BookChanged { settings, before } => {
                visit(&mut settings.name);
                visit(&mut before.name);
            }
            Event::InvitationMade { email, .. } => visit(email),
            Event::AccountOpened { name, .. } | Event::CategoryAdded { name, .. } => visit(name),
            Event::AccountChanged { name, before, .. } => {
                visit(name);
                visit(&mut before.name);
            }
            Event::CategoryChanged { name, before, .. } => {
                visit(name);
                visit(&mut before.name);
            }
            Event::EntryAdded { entry } => for_each_text_of_entry(entry, visit),
            Event::EntryCorrected { entry, before } => {
                for_each_text_of_entry(entry, visit);
                for_each_text_of_entry(before, visit);
            }
            Event::BulkRefused { refused } => {
                refused.iter_mut().for_each(|item| visit(&mut item.detail));
            }
            Event::ImportStarted { file_name, .. } => visit(file_name),
            Event::ImportLinesJudged { lines, .. } => {
                for line in lines {
                    match &mut line.verdict {
                        Verdict::Refused { detail, .. } => visit(detail),
                        Verdict::MirrorOf { mark, before, .. } => {
                            visit(mark);
                            before.iter_mut().for_each(|before| for_each_text_of_entry(before, visit));
                        }
                        Verdict::Taken { .. } | Verdict::DuplicateOf { .. } => {}
                    }
                }
            }
            Event::InvitationWithdrawn { .. }
            | Event::InvitationAccepted { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRoleChanged { .. }
            | Event::MemberRemoved { .. }
            | Event::AccountClosed { .. }
            | Event::AccountReopened { .. }
            | Event::AccountWithdrawn { .. }
            | Event::AccountReinstated { .. }
            | Event::CategoryArchived { .. }
            | Event::CategoryRestored { .. }
            | Event::CategoryMerged { .. }
            | Event::CategoryUnmerged { .. }
            | Event::CategoryWithdrawn { .. }
            | Event::CategoryReinstated { .. }
            | Event::EntryRecategorised { .. }
            | Event::EntryRemoved { .. }
            | Event::EntryRestored { .. }
            | Event::ImportFinished { .. }
            | Event::ImportReverted { .. }
            | Event::ImportReinstated { .. }
            | Event::CommitUndone { .. } => {}
        }
    }
}

fn for_each_text_of_entry(entry: &mut Entry, visit: &mut impl FnMut(&mut Text)) {
    entry.payee.iter_mut().for_each(&mut *visit);
    entry.note.iter_mut().for_each(&mut *visit);
    entry.tags.iter_mut().for_each(&mut *visit);
    entry.postings.iter_mut().filter_map(|posting| posting.note.as_mut()).for_each(&mut *visit);
    entry.imported.iter_mut().for_each(|imported| visit(&mut imported.mark));
}
