//! What somebody wants of a book. Imperative; may be refused. Ids, dates and instants are decided by the
//! caller and stand here as data, so that deciding twice comes to the same.

use chrono::NaiveDate;

use crate::{
    entry::{AccountKind, CategoryKind, Entry, EntryKind},
    event::{Role, Settings, Weekday},
    id::{AccountId, CategoryId, EntryId, ImportId},
    money::{Amount, Currency},
    posting::Ledger,
    text::Text,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Makes the book and its first member, who owns it.
    CreateBook {
        settings: Settings,
        accounts: Vec<NewAccount>,
        categories: Vec<NewCategory>,
    },
    ChangeBook(SettingsPatch),
    OpenAccount(NewAccount),
    ChangeAccount {
        account: AccountId,
        name: Option<Text>,
        kind: Option<AccountKind>,
    },
    CloseAccount {
        account: AccountId,
    },
    ReopenAccount {
        account: AccountId,
    },
    AddCategory(NewCategory),
    ChangeCategory {
        category: CategoryId,
        patch: CategoryPatch,
    },
    ArchiveCategory {
        category: CategoryId,
    },
    RestoreCategory {
        category: CategoryId,
    },
    AddEntry {
        entry: EntryId,
        draft: EntryDraft,
    },
    CorrectEntry {
        entry: EntryId,
        patch: EntryPatch,
    },
    RemoveEntry {
        entry: EntryId,
    },
    RestoreEntry {
        entry: EntryId,
    },
    /// Takes a stretch of lines of a statement; a long file comes as several commands.
    ImportLines {
        import: ImportId,
        /// Given with the first lines only.
        start: Option<ImportStart>,
        lines: Vec<ImportLine>,
        /// Whether these are the last lines.
        finish: bool,
        /// Whether one refused line refuses the command.
        all_or_nothing: bool,
    },
    /// Removes at most `entries_max` of the import's entries; the last such command marks it as reverted.
    RevertImport {
        import: ImportId,
        entries_max: usize,
    },
}

impl Command {
    /// The name in the journal and the history.
    pub fn name(&self) -> &'static str {
        match self {
            Command::CreateBook { .. } => "create_book",
            Command::ChangeBook(_) => "change_book",
            Command::OpenAccount(_) => "open_account",
            Command::ChangeAccount { .. } => "change_account",
            Command::CloseAccount { .. } => "close_account",
            Command::ReopenAccount { .. } => "reopen_account",
            Command::AddCategory(_) => "add_category",
            Command::ChangeCategory { .. } => "change_category",
            Command::ArchiveCategory { .. } => "archive_category",
            Command::RestoreCategory { .. } => "restore_category",
            Command::AddEntry { .. } => "add_entry",
            Command::CorrectEntry { .. } => "correct_entry",
            Command::RemoveEntry { .. } => "remove_entry",
            Command::RestoreEntry { .. } => "restore_entry",
            Command::ImportLines { .. } => "import_lines",
            Command::RevertImport { .. } => "revert_import",
        }
    }

    /// The least role that may do this.
    pub fn least_role(&self) -> Role {
        match self {
            Command::CreateBook { .. } | Command::ChangeBook(_) => Role::Owner,
            Command::OpenAccount(_)
            | Command::ChangeAccount { .. }
            | Command::CloseAccount { .. }
            | Command::ReopenAccount { .. }
            | Command::AddCategory(_)
            | Command::ChangeCategory { .. }
            | Command::ArchiveCategory { .. }
            | Command::RestoreCategory { .. }
            | Command::AddEntry { .. }
            | Command::CorrectEntry { .. }
            | Command::RemoveEntry { .. }
            | Command::RestoreEntry { .. }
            | Command::ImportLines { .. }
            | Command::RevertImport { .. } => Role::Editor,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsPatch {
    pub name: Option<Text>,
    pub time_zone: Option<String>,
    pub week_starts_on: Option<Weekday>,
    pub month_starts_on: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    pub account: AccountId,
    pub name: Text,
    pub kind: AccountKind,
    /// The book's, if it is not given.
    pub currency: Option<Currency>,
    pub opened_on: NaiveDate,
    pub opening_balance: Option<OpeningBalance>,
}

/// What was in an account before the book began; negative for debts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningBalance {
    pub entry: EntryId,
    pub amount: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCategory {
    pub category: CategoryId,
    pub name: Text,
    pub kind: CategoryKind,
    pub parent: Option<CategoryId>,
    pub icon: Option<String>,
    pub colour: Option<String>,
}

/// An outer `None` leaves a field as it is, an inner one takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryPatch {
    pub name: Option<Text>,
    pub parent: Option<Option<CategoryId>>,
    pub icon: Option<Option<String>>,
    pub colour: Option<Option<String>>,
}

/// An entry as a person tells it, not yet held against a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDraft {
    pub kind: EntryKind,
    pub occurred_on: NaiveDate,
    pub account: AccountId,
    /// In the account's currency. Positive, but for an opening balance.
    pub amount: Amount,
    /// Has to be the account's, if it is given.
    pub currency: Option<String>,
    pub sorting: Sorting,
    pub to_account: Option<AccountId>,
    pub payee: Option<Text>,
    pub note: Option<Text>,
    pub tags: Vec<Text>,
    pub refund_of: Option<EntryId>,
    pub foreign: Option<crate::money::Money>,
}

/// What the money was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sorting {
    Unsorted,
    Whole(CategoryId),
    Split(Vec<SplitDraft>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitDraft {
    pub category: CategoryId,
    pub amount: Amount,
    pub note: Option<Text>,
}

/// Only the fields given change. An inner `None` takes a field away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPatch {
    pub kind: Option<EntryKind>,
    pub occurred_on: Option<NaiveDate>,
    pub account: Option<AccountId>,
    pub amount: Option<Amount>,
    pub currency: Option<String>,
    pub sorting: Option<Sorting>,
    pub to_account: Option<Option<AccountId>>,
    pub payee: Option<Option<Text>>,
    pub note: Option<Option<Text>>,
    pub tags: Option<Vec<Text>>,
    pub refund_of: Option<Option<EntryId>>,
    pub foreign: Option<Option<crate::money::Money>>,
}

impl EntryPatch {
    pub fn is_empty(&self) -> bool {
        *self == EntryPatch::default()
    }

    pub fn apply(self, to: EntryDraft) -> EntryDraft {
        let kind = self.kind.unwrap_or(to.kind);
        // A new kind leaves behind what only the old one has.
        let is_sorted = kind.category_kind().is_some();
        let kept_sorting = if is_sorted { to.sorting } else { Sorting::Unsorted };
        let kept_to_account = to.to_account.filter(|_| kind == EntryKind::Transfer);
        let kept_refund_of = to.refund_of.filter(|_| kind == EntryKind::Refund);
        EntryDraft {
            kind,
            occurred_on: self.occurred_on.unwrap_or(to.occurred_on),
            account: self.account.unwrap_or(to.account),
            amount: self.amount.unwrap_or(to.amount),
            currency: self.currency,
            sorting: self.sorting.unwrap_or(kept_sorting),
            to_account: self.to_account.unwrap_or(kept_to_account),
            payee: self.payee.unwrap_or(to.payee),
            note: self.note.unwrap_or(to.note),
            tags: self.tags.unwrap_or(to.tags),
            refund_of: self.refund_of.unwrap_or(kept_refund_of),
            foreign: self.foreign.unwrap_or(to.foreign),
        }
    }
}

impl EntryDraft {
    /// The entry as a person would tell it today; the other way from posting it. `None` for an entry without
    /// an account, which no command makes.
    pub fn of(entry: &Entry) -> Option<Self> {
        let mut accounts = entry.accounts();
        let (account, money) = accounts.next()?;
        let to_account = accounts.next().map(|(account, _)| account);
        let signed = entry.kind == EntryKind::OpeningBalance;
        let amount = |money: crate::money::Money| {
            Amount::from_minor(if signed { money.minor } else { money.minor.abs() }, money.currency)
        };
        let mut splits = entry.postings.iter().filter_map(|posting| match posting.ledger {
            Ledger::Category(category) => {
                Some(SplitDraft { category, amount: amount(posting.money), note: posting.note.clone() })
            }
            Ledger::Account(_) | Ledger::OpeningBalances => None,
        });
        let sorting = match (splits.next(), splits.next()) {
            (None, _) => Sorting::Unsorted,
            (Some(only), None) if only.note.is_none() => Sorting::Whole(only.category),
            (Some(first), rest) => Sorting::Split([first].into_iter().chain(rest).chain(splits).collect()),
        };
        Some(Self {
            kind: entry.kind,
            occurred_on: entry.occurred_on,
            account,
            amount: amount(money),
            currency: None,
            sorting,
            to_account,
            payee: entry.payee.clone(),
            note: entry.note.clone(),
            tags: entry.tags.clone(),
            refund_of: entry.refund_of,
            foreign: entry.foreign,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStart {
    pub file_name: Text,
    pub lines: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportLine {
    /// Counted from 1 in the file.
    pub line: u64,
    pub reading: Reading,
}

/// What could be read in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Entry { entry: EntryId, draft: Box<EntryDraft>, mark: String },
    Unreadable { code: String, detail: Text },
}
