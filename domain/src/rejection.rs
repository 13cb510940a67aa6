//! Why a command was refused. The code is one word everywhere: here, in the API's answer, on the screen.

use crate::{
    event::Role,
    id::{AccountId, CategoryId, EntryId, ImportId},
    money::{AmountError, Currency},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no such book, or it is not yours")]
    BookNotFound,
    #[error("this takes the role of {}", needed.as_str())]
    RoleForbids { needed: Role },
    #[error("there is already a book here")]
    BookExists,
    #[error("nothing that could change was given")]
    NothingToChange,
    #[error("a book holds at most {at_most} {of}")]
    LimitReached { of: &'static str, at_most: usize },

    #[error("the book has no account {account}")]
    UnknownAccount { account: AccountId, pointer: String },
    #[error("the account {account} is closed; reopen it first")]
    AccountClosed { account: AccountId, pointer: String },
    #[error("the account is not closed")]
    AccountNotClosed,
    #[error("the book has another {of} of that name")]
    NameTaken { of: &'static str },

    #[error("the book has no category {category}")]
    UnknownCategory { category: CategoryId, pointer: String },
    #[error("the category {category} is archived; restore it first")]
    CategoryArchived { category: CategoryId, pointer: String },
    #[error("the category is not archived")]
    CategoryNotArchived,
    #[error(
        "the category {category} is of the other kind: expenses and refunds go to expense categories, income to income categories, and a parent is of its children's kind"
    )]
    CategoryKindMismatch { category: CategoryId, pointer: String },
    #[error("a category cannot stand below itself")]
    CategoryCycle,
    #[error("the tree of categories is at most {at_most} deep")]
    CategoryTooDeep { at_most: usize },

    #[error("there is no account {account} in this book")]
    AccountNotFound { account: AccountId },
    #[error("there is no category {category} in this book")]
    CategoryNotFound { category: CategoryId },
    #[error("there is no entry {entry} in this book")]
    EntryNotFound { entry: EntryId },
    #[error("there is no import {import} in this book")]
    ImportNotFound { import: ImportId },

    #[error("the id {id} is taken already; an id is used once")]
    IdTaken { id: String },
    #[error("the entry is removed; restore it first")]
    EntryRemoved,
    #[error("the entry is not removed")]
    EntryNotRemoved,

    #[error("a date is of the years 1 to 9999")]
    DateOutOfRange { pointer: String },
    #[error("{error}")]
    Amount { error: AmountError, pointer: String },
    #[error("the balance of the account would become larger than can be kept")]
    BalanceOutOfRange,
    #[error("the account keeps {account_currency}, not {given}")]
    CurrencyMismatch { account_currency: Currency, given: String },
    #[error("money moves between accounts of one currency; these keep {from} and {to}")]
    CurrenciesDiffer { from: Currency, to: Currency },
    #[error("a transfer goes to another account")]
    SameAccount,
    #[error("the splits add up to {splits}, the entry to {entry}")]
    SplitsDoNotAddUp { splits: String, entry: String },
    #[error("{field} is missing; an entry of this kind has one")]
    FieldMissing { field: &'static str },
    #[error("{field} does not belong to an entry of this kind")]
    FieldNotAllowed { field: &'static str },
    #[error("{entry} is no expense of this book that could be refunded")]
    UnknownRefundOf { entry: EntryId },

    #[error("line {line} is refused ({code}): {detail}")]
    ImportRefused { line: u64, code: String, detail: String },
    #[error("the import is not finished yet; send its file again with the same key to finish it")]
    ImportUnfinished,
    #[error("the import is finished and takes no more lines")]
    ImportFinished,
    #[error("the import was reverted before")]
    ImportReverted,
}

impl Rejection {
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::BookNotFound => "book_not_found",
            Rejection::RoleForbids { .. } => "role_forbids",
            Rejection::BookExists => "book_exists",
            Rejection::NothingToChange => "nothing_to_change",
            Rejection::LimitReached { .. } => "limit_reached",
            Rejection::UnknownAccount { .. } => "unknown_account",
            Rejection::AccountClosed { .. } => "account_closed",
            Rejection::AccountNotClosed => "account_not_closed",
            Rejection::NameTaken { .. } => "name_taken",
            Rejection::UnknownCategory { .. } => "unknown_category",
            Rejection::CategoryArchived { .. } => "category_archived",
            Rejection::CategoryNotArchived => "category_not_archived",
            Rejection::CategoryKindMismatch { .. } => "category_kind_mismatch",
            Rejection::CategoryCycle => "category_cycle",
            Rejection::CategoryTooDeep { .. } => "category_too_deep",
            Rejection::AccountNotFound { .. } => "account_not_found",
            Rejection::CategoryNotFound { .. } => "category_not_found",
            Rejection::EntryNotFound { .. } => "entry_not_found",
            Rejection::ImportNotFound { .. } => "import_not_found",
            Rejection::IdTaken { .. } => "id_taken",
            Rejection::EntryRemoved => "entry_removed",
            Rejection::EntryNotRemoved => "entry_not_removed",
            Rejection::DateOutOfRange { .. } => "date_out_of_range",
            Rejection::Amount { error, .. } => error.code(),
            Rejection::BalanceOutOfRange => "balance_out_of_range",
            Rejection::CurrencyMismatch { .. } => "currency_mismatch",
            Rejection::CurrenciesDiffer { .. } => "currencies_differ",
            Rejection::SameAccount => "same_account",
            Rejection::SplitsDoNotAddUp { .. } => "splits_do_not_add_up",
            Rejection::FieldMissing { .. } => "field_missing",
            Rejection::FieldNotAllowed { .. } => "field_not_allowed",
            Rejection::UnknownRefundOf { .. } => "unknown_refund_of",
            Rejection::ImportRefused { .. } => "import_refused",
            Rejection::ImportUnfinished => "import_unfinished",
            Rejection::ImportFinished => "import_finished",
            Rejection::ImportReverted => "import_reverted",
        }
    }

    /// Where in the command the fault is, as a JSON pointer; `None` where it is in no one field.
    pub fn pointer(&self) -> Option<String> {
        match self {
            Rejection::UnknownAccount { pointer, .. }
            | Rejection::AccountClosed { pointer, .. }
            | Rejection::UnknownCategory { pointer, .. }
            | Rejection::CategoryArchived { pointer, .. }
            | Rejection::CategoryKindMismatch { pointer, .. }
            | Rejection::DateOutOfRange { pointer }
            | Rejection::Amount { pointer, .. } => Some(pointer.clone()),
            Rejection::NameTaken { .. } => Some("/name".to_owned()),
            Rejection::CategoryCycle | Rejection::CategoryTooDeep { .. } => Some("/parent".to_owned()),
            Rejection::IdTaken { .. } => Some("/id".to_owned()),
            Rejection::CurrencyMismatch { .. } => Some("/currency".to_owned()),
            Rejection::CurrenciesDiffer { .. } | Rejection::SameAccount => Some("/to_account".to_owned()),
            Rejection::SplitsDoNotAddUp { .. } => Some("/splits".to_owned()),
            Rejection::FieldMissing { field } | Rejection::FieldNotAllowed { field } => {
                Some(format!("/{field}"))
            }
            Rejection::UnknownRefundOf { .. } => Some("/refund_of".to_owned()),
            Rejection::BalanceOutOfRange => Some("/amount".to_owned()),
            Rejection::BookNotFound
            | Rejection::RoleForbids { .. }
            | Rejection::BookExists
            | Rejection::NothingToChange
            | Rejection::LimitReached { .. }
            | Rejection::AccountNotClosed
            | Rejection::CategoryNotArchived
            | Rejection::AccountNotFound { .. }
            | Rejection::CategoryNotFound { .. }
            | Rejection::EntryNotFound { .. }
            | Rejection::ImportNotFound { .. }
            | Rejection::EntryRemoved
            | Rejection::EntryNotRemoved
            | Rejection::ImportRefused { .. }
            | Rejection::ImportUnfinished
            | Rejection::ImportFinished
            | Rejection::ImportReverted => None,
        }
    }
}
