//! What somebody wants of a book. Imperative; may be refused. Ids, dates and instants are decided by the
//! caller and stand here as data, so that deciding twice comes to the same.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    entry::{AccountKind, CategoryKind, Entry, EntryKind},
    event::{Event, RefusedItem, Role, Settings, Weekday},
    id::{AccountId, CategoryId, EntryId, ImportId, InvitationId, UserId},
    money::{Amount, Currency, Money},
    posting::{Ledger, Posting},
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
    InviteMember {
        invitation: InvitationId,
        email: Text,
        role: Role,
        expires_at: DateTime<Utc>,
    },
    WithdrawInvitation {
        invitation: InvitationId,
    },
    /// By somebody who is no member yet, and has shown the invitation's token.
    AcceptInvitation {
        invitation: InvitationId,
        at: DateTime<Utc>,
    },
    ChangeMember {
        user: UserId,
        role: Role,
    },
    /// Members may remove themselves.
    RemoveMember {
        user: UserId,
    },
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
    /// Sorts all that is in the category, and what stands below it, into another one, and archives it.
    MergeCategory {
        category: CategoryId,
        into: CategoryId,
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
    AddEntries {
        entries: Vec<BulkEntry>,
        /// What of the bulk could not even be read. Each stands at a place of its own, once for each fault.
        unreadable: Vec<RefusedItem>,
        /// Whether one refused entry refuses the command.
        all_or_nothing: bool,
    },
    /// Sorts the entries that are meant into one category.
    RecategoriseEntries {
        filter: EntryFilter,
        category: CategoryId,
    },
    /// Begins an import that brings accounts and categories with it; the lines follow without a start of their own.
    StartImport {
        import: ImportId,
        start: ImportStart,
        chart: ImportChart,
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
    /// Appends the inverse of a commit.
    Undo {
        version: u64,
        /// What has to be inverted, as the journal has it; `None` where there is no such commit.
        commit: Option<Inverted>,
    },
}

/// The commit whose inverse undoes another: that one itself or, where it was undone and redone, the last redoing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inverted {
    pub version: u64,
    pub events: Vec<Event>,
}

impl Command {
    /// The name in the journal and the history.
    pub fn name(&self) -> &'static str {
        match self {
            Command::CreateBook { .. } => "create_book",
            Command::ChangeBook(_) => "change_book",
            Command::InviteMember { .. } => "invite_member",
            Command::WithdrawInvitation { .. } => "withdraw_invitation",
            Command::AcceptInvitation { .. } => "accept_invitation",
            Command::ChangeMember { .. } => "change_member",
            Command::RemoveMember { .. } => "remove_member",
            Command::OpenAccount(_) => "open_account",
            Command::ChangeAccount { .. } => "change_account",
            Command::CloseAccount { .. } => "close_account",
            Command::ReopenAccount { .. } => "reopen_account",
            Command::AddCategory(_) => "add_category",
            Command::ChangeCategory { .. } => "change_category",
            Command::ArchiveCategory { .. } => "archive_category",
            Command::RestoreCategory { .. } => "restore_category",
            Command::MergeCategory { .. } => "merge_category",
            Command::AddEntry { .. } => "add_entry",
            Command::CorrectEntry { .. } => "correct_entry",
            Command::RemoveEntry { .. } => "remove_entry",
            Command::RestoreEntry { .. } => "restore_entry",
            Command::AddEntries { .. } => "add_entries",
            Command::RecategoriseEntries { .. } => "recategorise_entries",
            Command::StartImport { .. } => "start_import",
            Command::ImportLines { .. } => "import_lines",
            Command::RevertImport { .. } => "revert_import",
            Command::Undo { .. } => "undo",
        }
    }

    /// The least role that may do this. Undoing takes the role that doing it took; what that is shows with the
    /// events.
    pub fn least_role(&self, actor: UserId) -> Role {
        match self {
            Command::AcceptInvitation { .. } => Role::Viewer,
            Command::RemoveMember { user } if *user == actor => Role::Viewer,
            Command::CreateBook { .. }
            | Command::ChangeBook(_)
            | Command::InviteMember { .. }
            | Command::WithdrawInvitation { .. }
            | Command::ChangeMember { .. }
            | Command::RemoveMember { .. } => Role::Owner,
            // Settings are the owner's.
            Command::StartImport { chart, .. } if chart.settings.is_some() => Role::Owner,
            Command::OpenAccount(_)
            | Command::ChangeAccount { .. }
            | Command::CloseAccount { .. }
            | Command::ReopenAccount { .. }
            | Command::AddCategory(_)
            | Command::ChangeCategory { .. }
            | Command::ArchiveCategory { .. }
            | Command::RestoreCategory { .. }
            | Command::MergeCategory { .. }
            | Command::AddEntry { .. }
            | Command::CorrectEntry { .. }
            | Command::RemoveEntry { .. }
            | Command::RestoreEntry { .. }
            | Command::AddEntries { .. }
            | Command::RecategoriseEntries { .. }
            | Command::StartImport { .. }
            | Command::ImportLines { .. }
            | Command::RevertImport { .. }
            | Command::Undo { .. } => Role::Editor,
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

/// An entry as a person tells it, not yet held against a book. Which fields belong to which kind is a rule like
/// any other; here all stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDraft {
    pub kind: EntryKind,
    pub occurred_on: NaiveDate,
    /// Of every kind but a balanced entry.
    pub account: Option<AccountId>,
    /// In the account's currency. Positive, but for an opening balance.
    pub amount: Option<Amount>,
    /// Has to be the account's, if it is given.
    pub currency: Option<String>,
    pub sorting: Sorting,
    pub to_account: Option<AccountId>,
    /// What arrives there, in its currency; needed where the two currencies differ.
    pub to_amount: Option<Amount>,
    /// Of a balanced entry.
    pub postings: Option<Vec<PostingDraft>>,
    pub payee: Option<Text>,
    pub note: Option<Text>,
    pub tags: Vec<Text>,
    pub refund_of: Option<EntryId>,
    pub foreign: Option<Money>,
}

/// A leg of a balanced entry. Signed: positive is money into an account, or spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingDraft {
    pub to: PostedTo,
    pub amount: Amount,
    /// An account's own, if it is given. A category takes that of the accounts where they keep one only.
    pub currency: Option<Currency>,
    pub note: Option<Text>,
}

/// What a person can post to; the book's equity is not among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostedTo {
    Account(AccountId),
    Category(CategoryId),
}

/// An entry of a bulk and its place there, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkEntry {
    pub index: usize,
    pub entry: EntryId,
    pub draft: EntryDraft,
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
    pub to_amount: Option<Option<Amount>>,
    pub postings: Option<Vec<PostingDraft>>,
    pub payee: Option<Option<Text>>,
    pub note: Option<Option<Text>>,
    pub tags: Option<Vec<Text>>,
    pub refund_of: Option<Option<EntryId>>,
    pub foreign: Option<Option<Money>>,
}

impl EntryPatch {
    pub fn is_empty(&self) -> bool {
        *self == EntryPatch::default()
    }

    pub fn apply(self, to: EntryDraft) -> EntryDraft {
        let kind = self.kind.unwrap_or(to.kind);
        // A new kind leaves behind what only the old one has.
        let is_sorted = kind.category_kind().is_some();
        let is_balanced = kind == EntryKind::Balanced;
        let is_transfer = kind == EntryKind::Transfer;
        let kept_sorting = if is_sorted { to.sorting } else { Sorting::Unsorted };
        let kept_refund_of = to.refund_of.filter(|_| kind == EntryKind::Refund);
        EntryDraft {
            kind,
            occurred_on: self.occurred_on.unwrap_or(to.occurred_on),
            account: self.account.or(to.account.filter(|_| !is_balanced)),
            amount: self.amount.or(to.amount.filter(|_| !is_balanced)),
            currency: self.currency,
            sorting: self.sorting.unwrap_or(kept_sorting),
            to_account: self.to_account.unwrap_or(to.to_account.filter(|_| is_transfer)),
            to_amount: self.to_amount.unwrap_or(to.to_amount.filter(|_| is_transfer)),
            postings: self.postings.or(to.postings.filter(|_| is_balanced)),
            payee: self.payee.unwrap_or(to.payee),
            note: self.note.unwrap_or(to.note),
            tags: self.tags.unwrap_or(to.tags),
            refund_of: self.refund_of.unwrap_or(kept_refund_of),
            foreign: self.foreign.unwrap_or(to.foreign),
        }
    }
}

impl EntryDraft {
    /// With nothing said but what every entry has that is told from an account.
    pub fn told(kind: EntryKind, occurred_on: NaiveDate, account: AccountId, amount: Amount) -> Self {
        Self {
            kind,
            occurred_on,
            account: Some(account),
            amount: Some(amount),
            currency: None,
            sorting: Sorting::Unsorted,
            to_account: None,
            to_amount: None,
            postings: None,
            payee: None,
            note: None,
            tags: Vec::new(),
            refund_of: None,
            foreign: None,
        }
    }

    /// The entry as a person would tell it today; the other way from posting it.
    pub fn of(entry: &Entry) -> Self {
        let is_balanced = entry.kind == EntryKind::Balanced;
        let signed = entry.kind == EntryKind::OpeningBalance;
        let amount = |money: Money| {
            Amount::from_minor(if signed { money.minor } else { money.minor.abs() }, money.currency)
        };
        let mut accounts = entry.accounts().filter(|_| !is_balanced);
        let own = accounts.next();
        let to = accounts.next();
        let is_converted = |(_, arrived): &(AccountId, Money)| {
            own.is_some_and(|(_, left)| left.currency != arrived.currency)
        };
        Self {
            kind: entry.kind,
            occurred_on: entry.occurred_on,
            account: own.map(|(account, _)| account),
            amount: own.map(|(_, money)| amount(money)),
            currency: None,
            sorting: if is_balanced { Sorting::Unsorted } else { Sorting::of(entry, amount) },
            to_account: to.map(|(account, _)| account),
            to_amount: to.filter(is_converted).map(|(_, money)| amount(money)),
            postings: is_balanced.then(|| entry.postings.iter().filter_map(PostingDraft::of).collect()),
            payee: entry.payee.clone(),
            note: entry.note.clone(),
            tags: entry.tags.clone(),
            refund_of: entry.refund_of,
            foreign: entry.foreign,
        }
    }
}

impl Sorting {
    fn of(entry: &Entry, amount: impl Fn(Money) -> Amount) -> Self {
        let mut splits = entry.postings.iter().filter_map(|posting| match posting.ledger {
            Ledger::Category(category) => {
                Some(SplitDraft { category, amount: amount(posting.money), note: posting.note.clone() })
            }
            Ledger::Account(_) | Ledger::OpeningBalances | Ledger::Conversion => None,
        });
        match (splits.next(), splits.next()) {
            (None, _) => Sorting::Unsorted,
            (Some(only), None) if only.note.is_none() => Sorting::Whole(only.category),
            (Some(first), rest) => Sorting::Split([first].into_iter().chain(rest).chain(splits).collect()),
        }
    }
}

impl PostingDraft {
    fn of(posting: &Posting) -> Option<Self> {
        let to = match posting.ledger {
            Ledger::Account(account) => PostedTo::Account(account),
            Ledger::Category(category) => PostedTo::Category(category),
            Ledger::OpeningBalances | Ledger::Conversion => return None,
        };
        let Money { minor, currency } = posting.money;
        let amount = Amount::from_minor(minor, currency);
        Some(Self { to, amount, currency: Some(currency), note: posting.note.clone() })
    }
}

/// Which entries are meant, with the meaning that the list of entries gives the same words. An entry is meant if it
/// fits everything that is given. Of a list, one has to fit unless it says otherwise; an empty list asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub from: Option<NaiveDate>,
    /// Inclusive.
    pub to: Option<NaiveDate>,
    pub accounts: Vec<AccountId>,
    /// Each with its children.
    pub categories: Vec<CategoryId>,
    /// Sorted into a category of one of these kinds; of `categories` only those.
    pub category_kinds: Vec<CategoryKind>,
    pub kinds: Vec<EntryKind>,
    /// Exact; an empty one means entries without payee.
    pub payees: Vec<String>,
    /// Exact, and all of them; an empty one means entries without tags.
    pub tags: Vec<String>,
    /// Each has to be somewhere in payee, notes and tags, in whatever case.
    pub words: Vec<String>,
    /// Of the posting to one of the categories or accounts, where any are given; else of any posting.
    pub currency: Option<String>,
    /// Held against each currency for itself.
    pub amount_min: Option<Amount>,
    pub amount_max: Option<Amount>,
    pub weekday: Option<Weekday>,
}

impl EntryFilter {
    pub fn is_empty(&self) -> bool {
        *self == EntryFilter::default()
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
    Entry {
        entry: EntryId,
        draft: Box<EntryDraft>,
        mark: String,
    },
    /// Nobody has said what the money was for, so that it may be the other side of a transfer that the book has.
    Unsorted {
        entry: EntryId,
        draft: Box<EntryDraft>,
        mark: String,
        side: Side,
    },
    /// The line says that the money went to another account of the book, or came from there.
    Transfer {
        entry: EntryId,
        draft: Box<EntryDraft>,
        mark: String,
        sides: Sides,
    },
    /// An entry of another book, as it was there.
    Whole {
        entry: Box<Entry>,
        removed: bool,
    },
    Unreadable {
        code: String,
        detail: Text,
    },
}

/// What a line says of its own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    pub account: AccountId,
    pub occurred_on: NaiveDate,
    /// Signed: negative left the account.
    pub minor: i64,
    /// How many days the two sides of a transfer may be apart.
    pub days_max: u16,
}

/// A transfer as a line of one of its accounts tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    pub own: Side,
    pub other_account: AccountId,
    /// Signed, of the opposite sign.
    pub other_minor: i64,
    /// Where an import puts what it knows nothing better for. An entry of the other account that still stands there is
    /// made a transfer by this line.
    pub unsorted: Vec<CategoryId>,
}

/// What an import brings besides entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportChart {
    /// Those of a whole book, which only an empty one takes in.
    pub settings: Option<Settings>,
    pub accounts: Vec<NewAccount>,
    pub closed: Vec<AccountId>,
    /// Parents stand before their children.
    pub categories: Vec<NewCategory>,
    pub archived: Vec<CategoryId>,
}
