//! What has happened to a book. Past tense, facts, never changed once written.
//!
//! The names and shapes here are what the journal holds for decades: add events and optional fields, never
//! change the meaning of one. A new meaning is a new version of the name.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    entry::{AccountKind, CategoryKind, Entry},
    id::{AccountId, CategoryId, EntryId, ImportId, UserId},
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
    BookChanged { settings: Settings },
    #[serde(rename = "member_added.v1")]
    MemberAdded { user: UserId, role: Role },

    #[serde(rename = "account_opened.v1")]
    AccountOpened {
        account: AccountId,
        name: Text,
        kind: AccountKind,
        currency: Currency,
        opened_on: NaiveDate,
    },
    #[serde(rename = "account_changed.v1")]
    AccountChanged { account: AccountId, name: Text, kind: AccountKind },
    #[serde(rename = "account_closed.v1")]
    AccountClosed { account: AccountId },
    #[serde(rename = "account_reopened.v1")]
    AccountReopened { account: AccountId },

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
    },
    #[serde(rename = "category_archived.v1")]
    CategoryArchived { category: CategoryId },
    #[serde(rename = "category_restored.v1")]
    CategoryRestored { category: CategoryId },

    #[serde(rename = "entry_added.v1")]
    EntryAdded { entry: Entry },
    /// The entry as it stands from now on, whole.
    #[serde(rename = "entry_corrected.v1")]
    EntryCorrected { entry: Entry },
    #[serde(rename = "entry_removed.v1")]
    EntryRemoved { entry: EntryId },
    #[serde(rename = "entry_restored.v1")]
    EntryRestored { entry: EntryId },

    #[serde(rename = "import_started.v1")]
    ImportStarted { import: ImportId, file_name: Text, lines: u64 },
    /// What became of some lines of the file; the entries taken stand before it in the same commit.
    #[serde(rename = "import_lines_judged.v1")]
    ImportLinesJudged { import: ImportId, lines: Vec<JudgedLine> },
    #[serde(rename = "import_finished.v1")]
    ImportFinished { import: ImportId },
    /// The entries that went are named by `entry_removed` events in this commit and the ones before it.
    #[serde(rename = "import_reverted.v1")]
    ImportReverted { import: ImportId },
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
    Taken { entry: EntryId },
    DuplicateOf { entry: EntryId },
    Refused { code: String, detail: Text },
}

impl Event {
    /// The name on the wire: `entry_added.v1`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Event::BookCreated { .. } => "book_created.v1",
            Event::BookChanged { .. } => "book_changed.v1",
            Event::MemberAdded { .. } => "member_added.v1",
            Event::AccountOpened { .. } => "account_opened.v1",
            Event::AccountChanged { .. } => "account_changed.v1",
            Event::AccountClosed { .. } => "account_closed.v1",
            Event::AccountReopened { .. } => "account_reopened.v1",
            Event::CategoryAdded { .. } => "category_added.v1",
            Event::CategoryChanged { .. } => "category_changed.v1",
            Event::CategoryArchived { .. } => "category_archived.v1",
            Event::CategoryRestored { .. } => "category_restored.v1",
            Event::EntryAdded { .. } => "entry_added.v1",
            Event::EntryCorrected { .. } => "entry_corrected.v1",
            Event::EntryRemoved { .. } => "entry_removed.v1",
            Event::EntryRestored { .. } => "entry_restored.v1",
            Event::ImportStarted { .. } => "import_started.v1",
            Event::ImportLinesJudged { .. } => "import_lines_judged.v1",
            Event::ImportFinished { .. } => "import_finished.v1",
            Event::ImportReverted { .. } => "import_reverted.v1",
        }
    }

    /// The entry this event is about, if it is about one.
    pub fn entry(&self) -> Option<EntryId> {
        match self {
            Event::EntryAdded { entry } | Event::EntryCorrected { entry } => Some(entry.id),
            Event::EntryRemoved { entry } | Event::EntryRestored { entry } => Some(*entry),
            Event::BookCreated { .. }
            | Event::BookChanged { .. }
            | Event::MemberAdded { .. }
            | Event::AccountOpened { .. }
            | Event::AccountChanged { .. }
            | Event::AccountClosed { .. }
            | Event::AccountReopened { .. }
            | Event::CategoryAdded { .. }
            | Event::CategoryChanged { .. }
            | Event::CategoryArchived { .. }
            | Event::CategoryRestored { .. }
            | Event::ImportStarted { .. }
            | Event::ImportLinesJudged { .. }
            | Event::ImportFinished { .. }
            | Event::ImportReverted { .. } => None,
        }
    }

    /// Every personal text of the event, in a fixed order: what the journal seals. A field of type [`Text`]
    /// that is missing here would be written in the clear; the journal's tests look for that.
    pub fn for_each_text(&mut self, visit: &mut impl FnMut(&mut Text)) {
        match self {
            Event::BookCreated { settings } | Event::BookChanged { settings } => visit(&mut settings.name),
            Event::AccountOpened { name, .. }
            | Event::AccountChanged { name, .. }
            | Event::CategoryAdded { name, .. }
            | Event::CategoryChanged { name, .. } => visit(name),
            Event::EntryAdded { entry } | Event::EntryCorrected { entry } => {
                entry.payee.iter_mut().for_each(&mut *visit);
                entry.note.iter_mut().for_each(&mut *visit);
                entry.tags.iter_mut().for_each(&mut *visit);
                entry.postings.iter_mut().filter_map(|posting| posting.note.as_mut()).for_each(&mut *visit);
                entry.imported.iter_mut().for_each(|imported| visit(&mut imported.mark));
            }
            Event::ImportStarted { file_name, .. } => visit(file_name),
            Event::ImportLinesJudged { lines, .. } => {
                for line in lines {
                    match &mut line.verdict {
                        Verdict::Refused { detail, .. } => visit(detail),
                        Verdict::Taken { .. } | Verdict::DuplicateOf { .. } => {}
                    }
                }
            }
            Event::MemberAdded { .. }
            | Event::AccountClosed { .. }
            | Event::AccountReopened { .. }
            | Event::CategoryArchived { .. }
            | Event::CategoryRestored { .. }
            | Event::EntryRemoved { .. }
            | Event::EntryRestored { .. }
            | Event::ImportFinished { .. }
            | Event::ImportReverted { .. } => {}
        }
    }
}
