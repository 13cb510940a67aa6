//! A whole book as one JSON file: what the export writes and what an import reads. The shape is a promise of its own,
//! apart from the journal's and from what single reads show: a file that was written once can be read for ever.
//!
//! It holds what the book is now, not how it came to be, and nobody's membership. Ids are kept, so that importing it
//! into an empty book makes an equal one. What has no value is left out; texts that were forgotten have none.

use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    book::{self, KeptEntry},
    entry::{self, AccountKind, CategoryKind, EntryKind},
    event::{Settings, Weekday},
    id::{AccountId, CategoryId, EntryId, ImportId},
    money,
    posting::{self, Ledger, Postings},
    text::{NOTE_MAX, PAYEE_MAX, TAG_MAX, Text},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Names the shape of the file, so that a reader knows at its first line whether it can read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Format {
    #[serde(rename = "daybook.book.v1")]
    BookV1,
}

/// The file. Lists may be long: the export writes one thing a line, and a reader can take them one by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookFile)]
pub struct BookFile {
    pub format: Format,
    pub book: Book,
    pub accounts: Vec<Account>,
    /// A parent may stand after its children.
    pub categories: Vec<Category>,
    /// By day, those that were removed last. A purchase may stand after its refund.
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BookInFile)]
pub struct Book {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[schema(example = "EUR")]
    pub currency: String,
    /// How many decimals the book writes the currency with.
    pub currency_decimals: u8,
    /// IANA name.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    #[schema(value_type = String, example = "monday")]
    pub week_starts_on: Weekday,
    /// 1 to 28.
    pub month_starts_on: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountInFile)]
pub struct Account {
    #[schema(value_type = String)]
    pub id: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `cash`, `bank`, `card`, `savings`, `loan` or `other`.
    #[schema(value_type = String)]
    pub kind: AccountKind,
    #[schema(example = "EUR")]
    pub currency: String,
    pub currency_decimals: u8,
    #[schema(value_type = String, format = Date)]
    pub opened_on: NaiveDate,
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CategoryInFile)]
pub struct Category {
    #[schema(value_type = String)]
    pub id: CategoryId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `expense` or `income`.
    #[schema(value_type = String)]
    pub kind: CategoryKind,
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// Where what was sorted into it went; only of one that is archived.
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EntryInFile)]
pub struct Entry {
    #[schema(value_type = String)]
    pub id: EntryId,
    /// As a single read of the entry shows it.
    #[schema(value_type = String, example = "expense")]
    pub kind: EntryKind,
    #[schema(value_type = String, format = Date)]
    pub occurred_on: NaiveDate,
    /// The account that the entry is told from stands first.
    pub postings: Vec<Posting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<EntryId>,
    /// What the till said, where it spoke another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: DateTime<Utc>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// One leg of the double entry; names exactly one of `account`, `category` and `equity`. The legs of an entry sum to
/// zero in each currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostingInFile)]
pub struct Posting {
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[schema(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equity: Option<Equity>,
    /// Signed, with every decimal of the currency: positive into an account or spent.
    #[schema(example = "-12.50")]
    pub amount: String,
    #[schema(example = "EUR")]
    pub currency: String,
    /// What this part of a split was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = EquityInFile)]
pub enum Equity {
    /// What was there before the book began.
    OpeningBalances,
    /// Where one currency becomes another.
    Conversion,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoneyInFile)]
pub struct Money {
    /// With every decimal of the currency.
    #[schema(example = "20.00")]
    pub amount: String,
    #[schema(example = "USD")]
    pub currency: String,
}

/// The line of a statement that the entry came from. The statement itself is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportedInFile)]
pub struct Imported {
    #[schema(value_type = String)]
    pub import: ImportId,
    pub line: u64,
    /// By which the same line is known again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn readable(text: &Text) -> Option<String> {
    text.as_str().map(str::to_owned)
}

impl Book {
    pub fn of(settings: &Settings) -> Self {
        Self {
            name: readable(&settings.name),
            currency: settings.currency.code().to_owned(),
            currency_decimals: settings.currency.decimals(),
            time_zone: settings.time_zone.clone(),
            week_starts_on: settings.week_starts_on,
            month_starts_on: settings.month_starts_on,
        }
    }
}

impl Account {
    pub fn of(id: AccountId, account: &book::Account) -> Self {
        Self {
            id,
            name: readable(&account.name),
            kind: account.kind,
            currency: account.currency.code().to_owned(),
            currency_decimals: account.currency.decimals(),
            opened_on: account.opened_on,
            closed: account.closed,
        }
    }
}

impl Category {
    pub fn of(id: CategoryId, category: &book::Category) -> Self {
        Self {
            id,
            name: readable(&category.name),
            kind: category.kind,
            parent: category.parent,
            archived: category.archived,
            merged_into: category.merged_into,
            icon: category.icon.clone(),
            colour: category.colour.clone(),
        }
    }
}

impl Entry {
    pub fn of(kept: &KeptEntry) -> Self {
        let entry = &kept.entry;
        Self {
            id: entry.id,
            kind: entry.kind,
            occurred_on: entry.occurred_on,
            postings: entry.postings.iter().map(Posting::of).collect(),
            payee: entry.payee.as_ref().and_then(readable),
            note: entry.note.as_ref().and_then(readable),
            tags: entry.tags.iter().filter_map(readable).collect(),
            refund_of: entry.refund_of,
            foreign: entry.foreign.as_ref().map(Money::of),
            imported: entry.imported.as_ref().map(|imported| Imported {
                import: imported.import,
                line: imported.line,
                mark: readable(&imported.mark),
            }),
            recorded_at: kept.recorded_at,
            corrected_at: kept.corrected_at,
            removed: kept.removed,
        }
    }

    /// The entry itself, balanced and with texts that fit. Whether its accounts and categories are there, and keep its
    /// currencies with so many decimals, is not looked at; what became of it (`removed`, the instants) stands beside it.
    pub fn read(&self) -> Result<entry::Entry, Unreadable> {
        let fault = |pointer: &str, reason: &dyn Display| Unreadable {
            pointer: pointer.to_owned(),
            reason: reason.to_string(),
        };
        let mut postings = Vec::with_capacity(self.postings.len());
        for (index, posting) in self.postings.iter().enumerate() {
            postings.push(posting.read().map_err(|reason| fault(&format!("/postings/{index}"), &reason))?);
        }
        let payee = self.payee.as_ref().map(|payee| Text::line(payee, PAYEE_MAX)).transpose();
        let note = self.note.as_ref().map(|note| Text::paragraph(note, NOTE_MAX)).transpose();
        let tags = self.tags.iter().map(|tag| Text::line(tag, TAG_MAX)).collect::<Result<_, _>>();
        let foreign = self.foreign.as_ref().map(Money::read).transpose();
        Ok(entry::Entry {
            id: self.id,
            kind: self.kind,
            occurred_on: self.occurred_on,
            postings: Postings::balanced(postings).map_err(|reason| fault("/postings", &reason))?,
            payee: payee.map_err(|reason| fault("/payee", &reason))?,
            note: note.map_err(|reason| fault("/note", &reason))?,
            tags: tags.map_err(|reason| fault("/tags", &reason))?,
            refund_of: self.refund_of,
            foreign: foreign.map_err(|reason| fault("/foreign", &reason))?,
            imported: self.imported.as_ref().map(|imported| entry::Imported {
                import: imported.import,
                line: imported.line,
                mark: imported.mark.clone().map_or(Text::Forgotten, Text::Known),
            }),
        })
    }
}

/// What is wrong with one entry of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct Unreadable {
    /// Where in the entry: `/postings/1`.
    pub pointer: String,
    pub reason: String,
}

impl Posting {
    fn of(posting: &posting::Posting) -> Self {
        let (mut account, mut category, mut equity) = (None, None, None);
        match posting.ledger {
            Ledger::Account(id) => account = Some(id),
            Ledger::Category(id) => category = Some(id),
            Ledger::OpeningBalances => equity = Some(Equity::OpeningBalances),
            Ledger::Conversion => equity = Some(Equity::Conversion),
        }
        let Money { amount, currency } = Money::of(&posting.money);
        Self { account, category, equity, amount, currency, note: posting.note.as_ref().and_then(readable) }
    }

    fn read(&self) -> Result<posting::Posting, String> {
        let ledger = match (self.account, self.category, self.equity) {
            (Some(id), None, None) => Ledger::Account(id),
            (None, Some(id), None) => Ledger::Category(id),
            (None, None, Some(Equity::OpeningBalances)) => Ledger::OpeningBalances,
            (None, None, Some(Equity::Conversion)) => Ledger::Conversion,
            _ => return Err("a posting names exactly one of account, category and equity".to_owned()),
        };
        let money = money::Money::from_record(&self.amount, &self.currency)?;
        let note = self.note.as_ref().map(|note| Text::paragraph(note, NOTE_MAX)).transpose();
        Ok(posting::Posting { ledger, money, note: note.map_err(|error| error.to_string())? })
    }
}

impl Money {
    fn of(money: &money::Money) -> Self {
        Self { amount: money.decimal(), currency: money.currency.code().to_owned() }
    }

    fn read(&self) -> Result<money::Money, String> {
        money::Money::from_record(&self.amount, &self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Currency;
    use serde_json::json;
    use uuid::Uuid;

    fn kept() -> KeptEntry {
        let euros = |minor| money::Money { minor, currency: Currency::parse("EUR").unwrap() };
        let account = Ledger::Account(AccountId::from_uuid(Uuid::from_u128(1)));
        let category = Ledger::Category(CategoryId::from_uuid(Uuid::from_u128(2)));
        let mut part = posting::Posting::new(category, euros(250));
        part.note = Some(Text::known("for two\nof us"));
        let postings = vec![posting::Posting::new(account, euros(-250)), part];
        KeptEntry {
            entry: entry::Entry {
                id: EntryId::from_uuid(Uuid::from_u128(3)),
                kind: EntryKind::Refund,
                occurred_on: "2026-11-23".parse().unwrap(),
                postings: Postings::balanced(postings).unwrap(),
                payee: Some(Text::known("Café \"Ö\"")),
                note: Some(Text::known("two\nlines")),
                tags: vec![Text::known("a b")],
                refund_of: Some(EntryId::from_uuid(Uuid::from_u128(4))),
                foreign: Some(money::Money { minor: 400, currency: Currency::parse("JPY").unwrap() }),
                imported: Some(entry::Imported {
                    import: ImportId::from_uuid(Uuid::from_u128(5)),
                    line: 7,
                    mark: Text::known("mark"),
                }),
            },
            version: 12,
            recorded_at: "2026-11-23T12:00:00.120Z".parse().unwrap(),
            corrected_at: Some("2026-11-24T12:00:00Z".parse().unwrap()),
            removed: true,
            touches: Default::default(),
        }
    }

    #[test]
    fn an_entry_comes_back_from_its_line_of_the_file() {
        let kept = kept();
        let line = serde_json::to_string(&Entry::of(&kept)).unwrap();
        let read: Entry = serde_json::from_str(&line).unwrap();
        assert_eq!(read.read(), Ok(kept.entry));
        let rest = (read.recorded_at, read.corrected_at, read.removed);
        assert_eq!(rest, (kept.recorded_at, kept.corrected_at, kept.removed));
    }

    #[test]
    fn a_line_that_is_wrong_is_refused_where_it_is_wrong() {
        let whole = serde_json::to_value(Entry::of(&kept())).unwrap();
        for (pointer, value, expected) in [
            ("/postings/0/amount", json!("-2.51"), "/postings"),
            ("/postings/0/amount", json!("2,50"), "/postings/0"),
            ("/postings/0/equity", json!("opening_balances"), "/postings/0"),
            ("/postings/1/note", json!("\u{0}"), "/postings/1"),
            ("/payee", json!("two\nlines"), "/payee"),
            ("/note", json!("x".repeat(2_001)), "/note"),
            ("/tags", json!([""]), "/tags"),
            ("/foreign/currency", json!("yen"), "/foreign"),
        ] {
            let mut wrong = whole.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            wrong.pointer_mut(parent).unwrap()[name] = value;
            let read: Entry = serde_json::from_value(wrong).unwrap();
            assert_eq!(read.read().unwrap_err().pointer, expected, "{pointer}");
        }
        let mut unknown = whole.clone();
        unknown["colour"] = json!("red");
        assert!(serde_json::from_value::<Entry>(unknown).is_err());
    }
}
