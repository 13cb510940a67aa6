//! Why a command was refused. The code is one word everywhere: here, in the API's answer, on the screen.

use crate::{
    event::{RefusedItem, Role},
    id::{AccountId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::{AmountError, Currency, Money},
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
    #[error("the limit is {at_most} {of}")]
    LimitReached { of: &'static str, at_most: usize },

    #[error("{user} is no member of this book")]
    MemberNotFound { user: UserId },
    #[error("there is no invitation {invitation} in this book")]
    InvitationNotFound { invitation: InvitationId },
    #[error("the invitation is used, withdrawn or out of date; ask for a new one")]
    InvitationInvalid,
    #[error("you are a member of this book already")]
    AlreadyMember,
    #[error("a book has at least one owner; make somebody else owner first")]
    LastOwner,

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
    #[error("a category cannot stand below itself, nor what is in it go to itself or below")]
    CategoryCycle { pointer: &'static str },
    #[error("the tree of categories is at most {at_most} deep")]
    CategoryTooDeep { at_most: usize, pointer: &'static str },
    #[error(
        "{child} below it cannot move along, since the other category has one of that name; rename it first"
    )]
    ChildNameTaken { child: String },

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
    CurrencyMismatch { account_currency: Currency, given: String, pointer: String },
    #[error("no currency changes here, so what arrives is what left; leave to_amount out")]
    ToAmountDiffers,
    #[error("the accounts keep several currencies; say in which one this is")]
    CurrencyMissing { pointer: String },
    #[error("a posting moves money; its amount is not zero")]
    AmountZero { pointer: String },
    #[error("the postings do not sum to zero; {} remains", remainders_in_words(remainders))]
    PostingsUnbalanced { remainders: Vec<Money> },
    #[error("a transfer goes to another account")]
    SameAccount,
    #[error("the splits add up to {splits}, the entry to {entry}")]
    SplitsDoNotAddUp { splits: String, entry: String },
    #[error("{field} is required here")]
    FieldMissing { field: &'static str },
    #[error("{field} does not belong to an entry of this kind")]
    FieldNotAllowed { field: &'static str },
    #[error("{entry} is no expense of this book that could be refunded")]
    UnknownRefundOf { entry: EntryId },

    #[error("{} of the entries cannot be taken, so none was", items_in(faults))]
    BulkRefused { faults: Vec<RefusedItem> },
    #[error(
        "{found} entries would change, and one commit changes {at_most} at most; sort some of them first, by a narrower filter"
    )]
    TooManyEntries { found: usize, at_most: usize },

    #[error("the book has no version {version}")]
    CommitNotFound { version: u64 },
    #[error("the making of a book cannot be undone")]
    CommitNotUndoable,
    #[error("version {version} is undone already, by version {by}")]
    AlreadyUndone { version: u64, by: u64 },
    #[error("{}", conflicts_in_words(versions))]
    UndoConflicts { versions: Vec<u64> },

    #[error("line {line} is refused ({code}): {detail}")]
    ImportRefused { line: u64, code: String, detail: String },
    #[error("the import is not finished yet; send its file again with the same key to finish it")]
    ImportUnfinished,
    #[error("the import is finished and takes no more lines")]
    ImportFinished,
    #[error("the import was reverted before")]
    ImportReverted,
    #[error("a whole book goes into one that has no accounts, categories and entries yet")]
    BookNotEmpty,
}

impl Rejection {
    pub fn code(&self) -> &'static str {
        match self {
            Rejection::BookNotFound => "book_not_found",
            Rejection::RoleForbids { .. } => "role_forbids",
            Rejection::BookExists => "book_exists",
            Rejection::NothingToChange => "nothing_to_change",
            Rejection::LimitReached { .. } => "limit_reached",
            Rejection::MemberNotFound { .. } => "member_not_found",
            Rejection::InvitationNotFound { .. } => "invitation_not_found",
            Rejection::InvitationInvalid => "invitation_invalid",
            Rejection::AlreadyMember => "already_member",
            Rejection::LastOwner => "last_owner",
            Rejection::UnknownAccount { .. } => "unknown_account",
            Rejection::AccountClosed { .. } => "account_closed",
            Rejection::AccountNotClosed => "account_not_closed",
            Rejection::NameTaken { .. } => "name_taken",
            Rejection::UnknownCategory { .. } => "unknown_category",
            Rejection::CategoryArchived { .. } => "category_archived",
            Rejection::CategoryNotArchived => "category_not_archived",
            Rejection::CategoryKindMismatch { .. } => "category_kind_mismatch",
            Rejection::CategoryCycle { .. } => "category_cycle",
            Rejection::CategoryTooDeep { .. } => "category_too_deep",
            Rejection::ChildNameTaken { .. } => "name_taken",
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
            Rejection::ToAmountDiffers => "field_not_allowed",
            Rejection::CurrencyMissing { .. } => "field_missing",
            Rejection::AmountZero { .. } => "amount_zero",
            Rejection::PostingsUnbalanced { .. } => "postings_unbalanced",
            Rejection::SameAccount => "same_account",
            Rejection::SplitsDoNotAddUp { .. } => "splits_do_not_add_up",
            Rejection::FieldMissing { .. } => "field_missing",
            Rejection::FieldNotAllowed { .. } => "field_not_allowed",
            Rejection::UnknownRefundOf { .. } => "unknown_refund_of",
            Rejection::BulkRefused { .. } => "bulk_refused",
            Rejection::TooManyEntries { .. } => "too_many_entries",
            Rejection::CommitNotFound { .. } => "version_unknown",
            Rejection::CommitNotUndoable => "commit_not_undoable",
            Rejection::AlreadyUndone { .. } => "already_undone",
            Rejection::UndoConflicts { .. } => "undo_conflicts",
            Rejection::ImportRefused { .. } => "import_refused",
            Rejection::ImportUnfinished => "import_unfinished",
            Rejection::ImportFinished => "import_finished",
            Rejection::ImportReverted => "import_reverted",
            Rejection::BookNotEmpty => "book_not_empty",
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
            | Rejection::Amount { pointer, .. }
            | Rejection::CurrencyMismatch { pointer, .. }
            | Rejection::CurrencyMissing { pointer }
            | Rejection::AmountZero { pointer } => Some(pointer.clone()),
            Rejection::NameTaken { .. } => Some("/name".to_owned()),
            Rejection::CategoryCycle { pointer } | Rejection::CategoryTooDeep { pointer, .. } => {
                Some((*pointer).to_owned())
            }
            Rejection::ChildNameTaken { .. } => Some("/into".to_owned()),
            Rejection::IdTaken { .. } => Some("/id".to_owned()),
            Rejection::SameAccount => Some("/to_account".to_owned()),
            Rejection::ToAmountDiffers => Some("/to_amount".to_owned()),
            Rejection::PostingsUnbalanced { .. } => Some("/postings".to_owned()),
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
            | Rejection::MemberNotFound { .. }
            | Rejection::InvitationNotFound { .. }
            | Rejection::InvitationInvalid
            | Rejection::AlreadyMember
            | Rejection::LastOwner
            | Rejection::BulkRefused { .. }
            | Rejection::TooManyEntries { .. }
            | Rejection::CommitNotFound { .. }
            | Rejection::CommitNotUndoable
            | Rejection::AlreadyUndone { .. }
            | Rejection::UndoConflicts { .. }
            | Rejection::AccountNotFound { .. }
            | Rejection::CategoryNotFound { .. }
            | Rejection::EntryNotFound { .. }
            | Rejection::ImportNotFound { .. }
            | Rejection::EntryRemoved
            | Rejection::EntryNotRemoved
            | Rejection::ImportRefused { .. }
            | Rejection::ImportUnfinished
            | Rejection::ImportFinished
            | Rejection::ImportReverted
            | Rejection::BookNotEmpty => None,
        }
    }
}

/// How many items of a bulk the faults are in; those of one stand together.
fn items_in(faults: &[RefusedItem]) -> usize {
    faults.chunk_by(|one, next| one.index == next.index).count()
}

fn remainders_in_words(remainders: &[Money]) -> String {
    let words: Vec<String> = remainders.iter().map(Money::to_string).collect();
    words.join(" and ")
}

fn conflicts_in_words(versions: &[u64]) -> String {
    const NAMED_MAX: usize = 10;
    let named: Vec<String> = versions.iter().take(NAMED_MAX).map(u64::to_string).collect();
    let more = versions.len().saturating_sub(NAMED_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (word, verb) = if versions.len() == 1 { ("version", "stands") } else { ("versions", "stand") };
    format!("{word} {}{rest} came later and {verb} in the way; undo them first", named.join(", "))
}
