//! The things of a book as the API shows them: one shape for the answer to a write, the answer to a read and
//! the OpenAPI document. Every field is always there; what a thing does not have is `null`.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    book::{self, KeptEntry},
    command::{EntryDraft, Sorting},
    event::{Role, Settings},
    id::{AccountId, BookId, CategoryId, ImportId, InvitationId},
    money::Money,
    posting::{Ledger, Posting},
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An instant as the API writes it: RFC 3339 in UTC, to the millisecond.
pub fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn readable(text: &Text) -> Option<String> {
    text.as_str().map(str::to_owned)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Book {
    #[schema(example = "book_01kb0d5j6hf2xv9d6q8m4r7t3a")]
    pub id: String,
    /// `null` once the book's personal text has been forgotten; so are all other texts.
    pub name: Option<String>,
    /// ISO 4217; what new accounts keep unless they say otherwise.
    #[schema(example = "EUR")]
    pub currency: String,
    /// IANA name; decides which day is today.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// `monday` to `sunday`.
    pub week_starts_on: String,
    /// 1 to 28: the day of the calendar's month on which a month of this book begins.
    pub month_starts_on: u8,
    /// What the caller may do: `owner`, `editor` or `viewer`.
    pub role: String,
    pub version: u64,
    pub created_at: String,
}

impl Book {
    pub fn of(id: BookId, settings: &Settings, role: Role, version: u64, created_at: &DateTime<Utc>) -> Self {
        Self {
            id: id.to_string(),
            name: readable(&settings.name),
            currency: settings.currency.code().to_owned(),
            time_zone: settings.time_zone.clone(),
            week_starts_on: settings.week_starts_on.as_str().to_owned(),
            month_starts_on: settings.month_starts_on,
            role: role.as_str().to_owned(),
            version,
            created_at: instant(created_at),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    pub id: String,
    pub name: Option<String>,
    /// `cash`, `bank`, `card`, `savings`, `loan` or `other`.
    pub kind: String,
    pub currency: String,
    /// Signed: what is there, negative for what is owed.
    #[schema(example = "-12.50")]
    pub balance: String,
    pub closed: bool,
    /// `YYYY-MM-DD`.
    pub opened_on: String,
}

impl Account {
    pub fn of(id: AccountId, account: &book::Account) -> Self {
        Self {
            id: id.to_string(),
            name: readable(&account.name),
            kind: account.kind.as_str().to_owned(),
            currency: account.currency.code().to_owned(),
            balance: Money { minor: account.balance_minor, currency: account.currency }.decimal(),
            closed: account.closed,
            opened_on: account.opened_on.to_string(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    pub id: String,
    pub name: Option<String>,
    /// `expense` or `income`.
    pub kind: String,
    pub parent: Option<String>,
    /// The names from the root of the tree to this one.
    #[schema(example = "Food / Groceries")]
    pub path: String,
    pub archived: bool,
    /// Where what was sorted into it has gone; `null` unless it was merged, and again once it is restored.
    pub merged_into: Option<String>,
    pub icon: Option<String>,
    pub colour: Option<String>,
}

impl Category {
    pub fn of(id: CategoryId, category: &book::Category, path: &str) -> Self {
        Self {
            id: id.to_string(),
            name: readable(&category.name),
            kind: category.kind.as_str().to_owned(),
            parent: category.parent.map(|parent| parent.to_string()),
            path: path.to_owned(),
            archived: category.archived,
            merged_into: category.merged_into.map(|other| other.to_string()),
            icon: category.icon.clone(),
            colour: category.colour.clone(),
        }
    }
}

/// The path of a category from the names on the way to it.
pub fn category_path<'t>(names: impl IntoIterator<Item = &'t Text>) -> String {
    let names: Vec<&str> = names.into_iter().map(|name| name.as_str().unwrap_or("?")).collect();
    names.join(" / ")
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    pub id: String,
    /// `expense`, `income`, `refund`, `transfer`, `balanced` or `opening_balance`.
    pub kind: String,
    /// `YYYY-MM-DD`, a day in the person's own life.
    pub occurred_on: String,
    /// `null` for a balanced entry, which its postings tell.
    pub account: Option<String>,
    /// Positive; signed for an opening balance only. Of a balanced entry what it moves in `currency`: the sum of its
    /// positive postings.
    #[schema(example = "12.50")]
    pub amount: String,
    /// Of the account; of a balanced entry that of the first posting to an account, else of the first posting.
    pub currency: String,
    /// `null` for a split, a transfer, a balanced entry or an opening balance.
    pub category: Option<String>,
    pub splits: Option<Vec<Split>>,
    pub payee: Option<String>,
    pub note: Option<String>,
    pub tags: Vec<String>,
    pub refund_of: Option<String>,
    pub to_account: Option<String>,
    /// Of a transfer: what arrives, in the currency of `to_account`.
    pub to_amount: Option<String>,
    pub foreign: Option<ForeignAmount>,
    pub imported: Option<Origin>,
    /// The book's version that last touched the entry.
    pub version: u64,
    pub recorded_at: String,
    pub corrected_at: Option<String>,
    pub removed: bool,
    /// The double entry: signed, positive into an account or spent; they sum to zero in each currency.
    pub postings: Vec<EntryPosting>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Split {
    pub category: String,
    pub amount: String,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ForeignAmount {
    pub amount: String,
    pub currency: String,
}

/// The line of an imported file that the entry came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    pub import: String,
    pub line: u64,
}

/// One leg of the double entry; names exactly one of `account`, `category` and `equity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryPosting {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `opening_balances`: what was there before the book began. `conversion`: where one currency becomes another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equity: Option<String>,
    pub amount: String,
    pub currency: String,
    /// What this part was for, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl EntryPosting {
    fn of(posting: &Posting) -> Self {
        let (mut account, mut category, mut equity) = (None, None, None);
        match posting.ledger {
            Ledger::Account(id) => account = Some(id.to_string()),
            Ledger::Category(id) => category = Some(id.to_string()),
            Ledger::OpeningBalances => equity = Some("opening_balances".to_owned()),
            Ledger::Conversion => equity = Some("conversion".to_owned()),
        }
        let currency = posting.money.currency.code().to_owned();
        let note = posting.note.as_ref().and_then(readable);
        Self { account, category, equity, amount: posting.money.decimal(), currency, note }
    }
}

impl Entry {
    pub fn of(kept: &KeptEntry) -> Self {
        let entry = &kept.entry;
        let told = EntryDraft::of(entry);
        let money = entry.told();
        let unsigned = |money: Money| Money { minor: money.minor.abs(), currency: money.currency }.decimal();
        let (category, splits) = match told.sorting {
            Sorting::Unsorted => (None, None),
            Sorting::Whole(category) => (Some(category.to_string()), None),
            Sorting::Split(_) => {
                let parts = entry.postings.iter().filter_map(|posting| match posting.ledger {
                    Ledger::Category(category) => Some(Split {
                        category: category.to_string(),
                        amount: unsigned(posting.money),
                        note: posting.note.as_ref().and_then(readable),
                    }),
                    Ledger::Account(_) | Ledger::OpeningBalances | Ledger::Conversion => None,
                });
                (None, Some(parts.collect()))
            }
        };
        Self {
            id: entry.id.to_string(),
            kind: entry.kind.as_str().to_owned(),
            occurred_on: entry.occurred_on.to_string(),
            account: told.account.map(|account| account.to_string()),
            amount: money.decimal(),
            currency: money.currency.code().to_owned(),
            category,
            splits,
            payee: entry.payee.as_ref().and_then(readable),
            note: entry.note.as_ref().and_then(readable),
            tags: entry.tags.iter().filter_map(readable).collect(),
            refund_of: entry.refund_of.map(|purchase| purchase.to_string()),
            to_account: told.to_account.map(|account| account.to_string()),
            to_amount: told.to_account.and_then(|to| {
                let arriving = entry.accounts().find(|(account, _)| *account == to);
                arriving.map(|(_, money)| unsigned(money))
            }),
            foreign: entry.foreign.map(|money| ForeignAmount {
                amount: money.decimal(),
                currency: money.currency.code().to_owned(),
            }),
            imported: entry
                .imported
                .as_ref()
                .map(|imported| Origin { import: imported.import.to_string(), line: imported.line }),
            version: kept.version,
            recorded_at: instant(&kept.recorded_at),
            corrected_at: kept.corrected_at.as_ref().map(instant),
            removed: kept.removed,
            postings: entry.postings.iter().map(EntryPosting::of).collect(),
        }
    }
}

/// A member to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    pub id: String,
    pub email: Option<String>,
    /// What they will be: `owner`, `editor` or `viewer`.
    pub role: String,
    /// From this instant on it cannot be accepted.
    pub expires_at: String,
    /// `open`, `accepted` or `withdrawn`; a list of open ones calls those that are out of date `expired`.
    pub status: String,
}

impl Invitation {
    pub fn of(id: InvitationId, invitation: &book::Invitation) -> Self {
        let status = match invitation.standing {
            book::InvitationStanding::Open => "open",
            book::InvitationStanding::Accepted => "accepted",
            book::InvitationStanding::Withdrawn => "withdrawn",
        };
        Self {
            id: id.to_string(),
            email: readable(&invitation.email),
            role: invitation.role.as_str().to_owned(),
            expires_at: instant(&invitation.expires_at),
            status: status.to_owned(),
        }
    }
}

/// A statement taken into a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    pub id: String,
    pub file_name: Option<String>,
    /// `running`, `finished` or `reverted`. One that stays `running` was cut short: send the file again with the
    /// same key and it goes on where it stopped.
    pub status: String,
    /// How many lines the file has that could hold an entry.
    pub lines: u64,
    /// How many of them have been dealt with.
    pub judged: u64,
    pub taken: u64,
    pub duplicates: u64,
    pub refused: u64,
}

impl Import {
    pub fn of(id: ImportId, import: &book::Import) -> Self {
        let status = match (import.reverted, import.finished) {
            (true, _) => "reverted",
            (false, true) => "finished",
            (false, false) => "running",
        };
        Self {
            id: id.to_string(),
            file_name: readable(&import.file_name),
            status: status.to_owned(),
            lines: import.lines,
            judged: import.judged,
            taken: import.judged - import.duplicates - import.refused,
            duplicates: import.duplicates,
            refused: import.refused,
        }
    }
}

/// What became of one line of an imported file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportLine {
    /// Counted from 1 in the file.
    pub line: u64,
    /// `taken`, `duplicate` or `refused`.
    pub verdict: String,
    /// The entry made of it, or the one it repeats.
    pub entry: Option<String>,
    pub code: Option<String>,
    pub detail: Option<String>,
}
