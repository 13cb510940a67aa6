use uuid::Uuid;

use crate::{
    Event,
    id::{AccountId, BookId, CategoryId, EntryId, ImportId, InvitationId, UserId},
};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// The book's name and settings.
    Book,
    Invitation(InvitationId),
    Member(UserId),
    Account(AccountId),
    Category(CategoryId),
    Entry(EntryId),
    Import(ImportId),
}

impl Thing {
    /// What tells it from all other things of the book.
    pub fn uuid(&self, book: BookId) -> Uuid {
        match self {
            Thing::Book => book.uuid(),
            Thing::Invitation(invitation) => invitation.uuid(),
            Thing::Member(user) => user.uuid(),
            Thing::Account(account) => account.uuid(),
            Thing::Category(category) => category.uuid(),
            Thing::Entry(entry) => entry.uuid(),
            Thing::Import(import) => import.uuid(),
        }
    }

    /// `None` for events that are about other commits, or about what was refused.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::BookCreated { .. } | Event::BookChanged { .. } => Thing::Book,
            Event::InvitationMade { invitation, .. }
            | Event::InvitationWithdrawn { invitation }
            | Event::InvitationAccepted { invitation } => Thing::Invitation(*invitation),
            Event::MemberAdded { user, .. }
            | Event::MemberRoleChanged { user, .. }
            | Event::MemberRemoved { user, .. } => Thing::Member(*user),
            Event::AccountOpened { account, .. }
            | Event::AccountChanged { account, .. }
            | Event::AccountClosed { account }
            | Event::AccountReopened { account }
            | Event::AccountWithdrawn { account }
            | Event::AccountReinstated { account } => Thing::Account(*account),
            Event::CategoryAdded { category, .. }
            | Event::CategoryChanged { category, .. }
            | Event::CategoryArchived { category }
            | Event::CategoryRestored { category }
            | Event::CategoryMerged { category, .. }
            | Event::CategoryUnmerged { category, .. }
            | Event::CategoryWithdrawn { category }
            | Event::CategoryReinstated { category } => Thing::Category(*category),
            Event::EntryAdded { entry } => Thing::Entry(entry.id),
            Event::EntryCorrected { entry, .. } => Thing::Entry(entry.id),
            Event::EntryRecategorised { entry, .. }
            | Event::EntryRemoved { entry }
            | Event::EntryRestored { entry } => Thing::Entry(*entry),
            Event::ImportStarted { import, .. }
            | Event::ImportLinesJudged { import, .. }
            | Event::ImportFinished { import }
            | Event::ImportReverted { import, .. }
            | Event::ImportReinstated { import } => Thing::Import(*import),
            Event::BulkRefused { .. } | Event::CommitUndone { .. } => return None,
        })
    }
}
