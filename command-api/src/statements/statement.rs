use chrono::NaiveDate;
use domain::{
    entry::{AccountKind, CategoryKind, EntryKind},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Format;

/// A file's lines in file order, and what the file tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub format: Format,
    /// The accounts that the file names, those that only stand on the other side of a transfer too. Empty where the file
    /// is of one account and does not name it.
    pub accounts: Vec<NamedAccount>,
    /// The categories that rows and splits of another ledger are sorted into, in order of appearance.
    pub categories: Vec<NamedCategory>,
    /// A transfer between two accounts that both have rows in the file stands there twice, as a row of each.
    pub transfers_stand_twice: bool,
    pub numbered_by: NumberedBy,
    /// What the file left open and how it was read.
    pub reasons: Vec<Reason>,
    /// Their numbers rise strictly.
    pub lines: Vec<Line>,
}

/// What a line's number counts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberedBy {
    /// The physical line where the transaction, or a part that became a row of its own, begins.
    Line,
    /// The transactions of the file, and their parts that became rows of their own: JSON has no lines to speak of, and
    /// some banks write all their XML into one.
    Transaction,
}

/// An account as a file names it. At least one of name and number is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedAccount {
    /// As a person named it.
    pub name: Option<String>,
    /// IBAN, or the number the bank has for it.
    pub number: Option<String>,
    /// The bank's own number, such as a sort code or a BIC.
    pub bank: Option<String>,
    /// ISO 4217 code of a currency that is known.
    pub currency: Option<String>,
    pub kind: Option<AccountKind>,
}

/// A category as a person named it in another ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCategory {
    /// The outermost first.
    pub path: Vec<String>,
    /// As the ledger says, or as the file's sum through it suggests.
    pub kind: CategoryKind,
}

impl NamedAccount {
    /// What to show a person.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.number.as_deref()).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// See [`Statement::numbered_by`].
    pub number: u64,
    pub outcome: Result<Row, Refusal>,
}

/// One movement of money, as seen from its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub occurred_on: NaiveDate,
    /// Minor units of `currency`; positive when money came in. Never zero.
    pub amount_minor: i64,
    /// As the line says; the account's own where it says nothing.
    pub currency: Option<String>,
    /// Its place in [`Statement::accounts`]; none where the file does not say, so that it is the import's own.
    pub account: Option<usize>,
    /// Where the file tells, or the category's kind does; else the sign of the amount has to. A transfer without `transfer`
    /// is what a bank calls one without saying where it went. A row of an income category that took money away has none.
    pub kind: Option<EntryKind>,
    pub payee: String,
    pub note: String,
    /// The bank's word for the kind of spending.
    pub category_hint: Option<String>,
    /// The other side's IBAN or number, whosoever it is.
    pub counterpart: Option<String>,
    /// The category that a person chose in another ledger, the outermost first. Empty where nobody did, and where there
    /// are splits.
    pub category: Vec<String>,
    /// At least two where there are any; they add up to the amount.
    pub splits: Vec<Split>,
    /// The money went to another account of the same person, or came from there.
    pub transfer: Option<Transfer>,
    /// What the till said in another currency; positive.
    pub foreign: Option<Money>,
    pub tags: Vec<String>,
    /// The bank's or the other ledger's own name for this movement, unique in its account: it recognises the line in
    /// another export of the same format.
    pub reference: Option<String>,
    /// Payee and note in lower case with single spaces: with date and amount it recognises the line in another export.
    pub text: String,
}

/// A part of a movement. Transfers are never parts: they are rows of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Signed as the row's; one part may have the other sign. Never zero.
    pub amount_minor: i64,
    pub category: Vec<String>,
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The other account's place in [`Statement::accounts`].
    pub account: usize,
    /// What arrived or left there, where it is another amount; positive.
    pub other_amount: Option<Money>,
}

impl Row {
    /// A movement of which nothing else is known yet.
    pub(super) fn new(occurred_on: NaiveDate, amount_minor: i64) -> Self {
        Self {
            occurred_on,
            amount_minor,
            currency: None,
            account: None,
            kind: None,
            payee: String::new(),
            note: String::new(),
            category_hint: None,
            counterpart: None,
            category: Vec::new(),
            splits: Vec::new(),
            transfer: None,
            foreign: None,
            tags: Vec::new(),
            reference: None,
            text: String::new(),
        }
    }

    /// Payee and note are settled; the text that recognises the line follows from them.
    pub(super) fn with_texts(self, payee: String, note: String) -> Self {
        let text = single_spaced(&format!("{payee} {note}")).to_lowercase();
        Self { payee, note, text, ..self }
    }
}

/// Why one line was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, in snake case.
    pub code: &'static str,
    pub detail: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Why something the file left open was read as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// The mapping's field, or the hint's.
    pub about: String,
    pub because: String,
    pub confidence: Confidence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

pub(super) fn single_spaced(text: &str) -> String {
    let mut spaced = String::new();
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// A cell's beginning, for a sentence.
pub(super) fn shown(cell: &str) -> String {
    match cell.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &cell[..cut]),
        None => cell.to_owned(),
    }
}
