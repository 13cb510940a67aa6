//! One file per endpoint: its request, its handler, what it may refuse.

pub mod book_change;
pub mod book_create;

mod invitation;
pub mod invitation_accept;
pub mod invitation_withdraw;
mod member;
pub mod member_change;
pub mod member_invite;
pub mod member_remove;

pub mod account_change;
pub mod account_close;
pub mod account_open;
pub mod account_reopen;

pub mod category_add;
pub mod category_archive;
pub mod category_change;
pub mod category_merge;
pub mod category_restore;

pub mod entries_bulk;
pub mod entries_recategorise;
mod entry;
pub mod entry_add;
pub mod entry_correct;
pub mod entry_remove;
pub mod entry_restore;

pub mod undo;

mod import;
mod import_book;
mod import_guess;
mod import_mapping;
pub mod import_revert;
pub mod import_start;
mod import_target;

use http_kit::resources;
use serde::Serialize;
use utoipa::ToSchema;

/// What a write of the book itself is answered with.
#[derive(Serialize, ToSchema)]
pub struct BookWritten {
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    pub book: resources::Book,
}

#[derive(Serialize, ToSchema)]
pub struct AccountWritten {
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    pub account: resources::Account,
}

#[derive(Serialize, ToSchema)]
pub struct CategoryWritten {
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    pub category: resources::Category,
}

#[derive(Serialize, ToSchema)]
pub struct EntryWritten {
    pub id: String,
    /// The version of the book that this write made.
    pub version: u64,
    pub entry: resources::Entry,
}
