//! Actual's transactions: the CSV that its register exports, and JSON as its API answers.
//!
//! The API has no file format of its own. What is read is its answers put together: `{"accounts": getAccounts(),
//! "categoryGroups": getCategoryGroups(), "payees": getPayees(), "transactions": getTransactions(…)}`, or the
//! transactions alone, whose ids then stand for the names. Amounts are whole hundredths in both programs and all
//! currencies.

use std::collections::HashMap;

use chrono::NaiveDate;
use domain::entry::{CategoryKind, EntryKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::csv::{Record, cell};
use super::dates::iso_date;
use super::encoding::decode_declared;
use super::gather::{Gathering, POINT, Part, date_refusal, refuse_parts_that_do_not_add_up};
use super::json::{Elements, element, parse, word};
use super::statement::{shown, single_spaced};
use super::table::{ACTUAL_COLUMNS, Table, is_passed_over, refuse_open_quote};
use super::{DecimalsOf, Format, Hints, RECORDS_MAX, Refusal, Row, Statement, StatementError, Transfer};

pub(super) fn read_csv(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, Some("utf-8"), hints.encoding, &mut gathering.reasons)?;
    let table = Table::open(&text, &ACTUAL_COLUMNS)?;
    // A column that is not there is empty in every row.
    let column = |name: &str| table.column(&[name]).unwrap_or(usize::MAX);
    let columns = Columns {
        account: column("Account"),
        date: column("Date"),
        payee: column("Payee"),
        notes: column("Notes"),
        category: column("Category"),
        amount: column("Amount"),
        split_amount: column("Split_Amount"),
    };

    // The payee of a transfer is the other account, so all accounts have to be known first.
    let mut records = table.records()?;
    while let Some(record) = records.next()? {
        let name = cell(record.fields, columns.account);
        if !name.is_empty() {
            gathering.account_named(record.line, name)?;
        }
    }

    let mut records = table.records()?;
    let mut split: Option<OpenSplit> = None;
    while let Some(record) = records.next()? {
        if is_passed_over(&record) {
            continue;
        }
        let line = record.line;
        let posting = match posting(&record, &columns, &gathering) {
            Ok(posting) => posting,
            Err(refusal) => {
                gathering.take(line, Err(refusal))?;
                continue;
            }
        };
        if let Some(open) = split.take_if(|open| !open.goes_on_with(&posting)) {
            open.finish(&mut gathering)?;
        }
        match (&mut split, posting.role) {
            (Some(open), _) => open.parts.push(posting),
            (None, Role::Whole { of }) => split = Some(OpenSplit { of, whole: posting, parts: Vec::new() }),
            (None, Role::Part { .. } | Role::Alone) => gathering.take(line, Ok(posting.row()))?,
        }
        if let Some(open) = split.take_if(|open| open.parts.len() == open.of) {
            open.finish(&mut gathering)?;
        }
    }
    if let Some(open) = split {
        open.finish(&mut gathering)?;
    }
    gathering.finish(Format::ActualCsv, true, records.line())
}

struct Columns {
    account: usize,
    date: usize,
    payee: usize,
    notes: usize,
    category: usize,
    amount: usize,
    split_amount: usize,
}

/// A transaction, or a part of one.
struct Posting {
    line: u64,
    account: usize,
    occurred_on: NaiveDate,
    amount_minor: i64,
    payee: String,
    note: String,
    category: Vec<String>,
    transfer: Option<usize>,
    is_opening: bool,
    reference: Option<String>,
    role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alone,
    /// The amount of the whole; its parts follow.
    Whole {
        of: usize,
    },
    Part {
        number: usize,
        of: usize,
    },
}

fn posting(record: &Record<'_>, columns: &Columns, gathering: &Gathering<'_>) -> Result<Posting, Refusal> {
    refuse_open_quote(record)?;
    let fields = record.fields;
    let Some(account) = gathering.known_account(cell(fields, columns.account)) else {
        return Err(Refusal::new("account_missing", "The line does not say which account it is of."));
    };
    let date = cell(fields, columns.date);
    let occurred_on = iso_date(date).ok_or_else(|| date_refusal(date, "YYYY-MM-DD"))?;
    let notes = single_spaced(cell(fields, columns.notes));
    let (role, note) = role_in(&notes);
    let amount = match role {
        Role::Whole { .. } => cell(fields, columns.split_amount),
        Role::Part { .. } | Role::Alone => cell(fields, columns.amount),
    };
    let amount_minor = gathering.amount_minor(amount, POINT, None, Some(account))?;

    // Nothing below can be refused.
    let category = single_spaced(cell(fields, columns.category));
    // One of the two exports puts the group in front.
    let (group, name) = match category.split_once(": ") {
        Some((group, name)) if columns.split_amount == usize::MAX => (group, name),
        Some(_) | None => ("", category.as_str()),
    };
    let path = [group, name].into_iter().filter(|name| !name.is_empty()).map(str::to_owned);
    let payee = single_spaced(cell(fields, columns.payee));
    let transfer = gathering.known_account(&payee).filter(|other| *other != account);
    Ok(Posting {
        line: record.line,
        account,
        occurred_on,
        amount_minor,
        note: note.to_owned(),
        category: if name == "Starting Balances" || transfer.is_some() { Vec::new() } else { path.collect() },
        transfer,
        is_opening: name == "Starting Balances",
        payee,
        reference: None,
        role,
    })
}

/// `(SPLIT INTO 2) note` is the whole, `(SPLIT 1 OF 2) note` its first part.
fn role_in(notes: &str) -> (Role, &str) {
    let marked = notes.strip_prefix("(SPLIT ").and_then(|rest| rest.split_once(')'));
    let Some((counts, note)) = marked else { return (Role::Alone, notes) };
    let role = match counts.split(' ').collect::<Vec<_>>()[..] {
        ["INTO", of] => of.parse().ok().map(|of| Role::Whole { of }),
        [number, "OF", of] => {
            let number = number.parse().ok();
            number.zip(of.parse().ok()).map(|(number, of)| Role::Part { number, of })
        }
        _ => None,
    };
    role.map_or((Role::Alone, notes), |role| (role, note.trim()))
}

impl Posting {
    fn row(self) -> Row {
        let kind = match self.transfer {
            Some(_) => Some(EntryKind::Transfer),
            None if self.is_opening => Some(EntryKind::OpeningBalance),
            None => None,
        };
        let row = Row {
            account: Some(self.account),
            kind,
            category: self.category,
            transfer: self.transfer.map(|account| Transfer { account, other_amount: None }),
            reference: self.reference,
            ..Row::new(self.occurred_on, self.amount_minor)
        };
        // The payee of a transfer only repeats which account is on the other side.
        let payee = if self.transfer.is_some() { String::new() } else { self.payee };
        row.with_texts(payee, self.note)
    }

    fn part(self) -> Part {
        Part {
            line: self.line,
            amount_minor: self.amount_minor,
            category: self.category,
            note: self.note,
            transfer: self.transfer,
        }
    }
}

/// A whole and its parts so far.
struct OpenSplit {
    of: usize,
    whole: Posting,
    parts: Vec<Posting>,
}

impl OpenSplit {
    fn goes_on_with(&self, next: &Posting) -> bool {
        next.role == Role::Part { number: self.parts.len() + 1, of: self.of }
            && (next.account, next.occurred_on) == (self.whole.account, self.whole.occurred_on)
    }

    /// Where the parts are elsewhere in the file they are taken there, each by itself, and the whole is not counted twice.
    fn finish(self, gathering: &mut Gathering<'_>) -> Result<(), StatementError> {
        let line = self.whole.line;
        let sum: i64 = self.parts.iter().map(|part| part.amount_minor).sum();
        if self.parts.len() < self.of || sum != self.whole.amount_minor {
            let detail =
                "This is the sum of a split whose parts do not follow it; they are taken by themselves.";
            gathering.take(line, Err(Refusal::new("split_taken_apart", detail)))?;
            for part in self.parts {
                gathering.take(part.line, Ok(part.row()))?;
            }
            return Ok(());
        }
        let row = self.whole.row();
        let row = Row { kind: None, category: Vec::new(), transfer: None, ..row };
        gathering.take_parts(line, row, self.parts.into_iter().map(Posting::part).collect())
    }
}

/// The API's answers, put together.
#[derive(Deserialize)]
struct Budget<'f> {
    #[serde(borrow, default)]
    accounts: Elements<'f>,
    #[serde(borrow, default, rename = "categoryGroups", alias = "category_groups")]
    category_groups: Elements<'f>,
    #[serde(borrow, default)]
    categories: Elements<'f>,
    #[serde(borrow, default)]
    payees: Elements<'f>,
    #[serde(borrow)]
    transactions: Elements<'f>,
}

#[derive(Deserialize)]
struct Named<'f> {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    transfer_acct: Option<String>,
    #[serde(default)]
    group_id: Option<String>,
    #[serde(default)]
    is_income: Option<bool>,
    #[serde(borrow, default)]
    categories: Elements<'f>,
}

#[derive(Deserialize)]
struct Transaction<'f> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    date: Option<String>,
    #[serde(borrow, default)]
    amount: Option<&'f RawValue>,
    #[serde(default)]
    payee: Option<String>,
    #[serde(default)]
    payee_name: Option<String>,
    #[serde(default)]
    imported_payee: Option<String>,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    starting_balance_flag: Option<bool>,
    #[serde(borrow, default)]
    subtransactions: Option<Elements<'f>>,
}

/// What the ids of a budget stand for.
#[derive(Default)]
struct Names {
    accounts: HashMap<String, String>,
    categories: HashMap<String, Vec<String>>,
    payees: HashMap<String, String>,
    transfer_accounts: HashMap<String, String>,
}

pub(super) fn read_json(bytes: &[u8], decimals_of: &DecimalsOf<'_>) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, Some("utf-8"), None, &mut gathering.reasons)?;
    let text = text.trim_start_matches('\u{feff}');
    let budget = if text.trim_start().starts_with('[') {
        Budget {
            accounts: Elements::default(),
            category_groups: Elements::default(),
            categories: Elements::default(),
            payees: Elements::default(),
            transactions: parse(text)?,
        }
    } else {
        parse(text)?
    };
    let names = Names::of(&budget, &mut gathering);

    let mut number = 0;
    for item in &budget.transactions.items {
        number += 1;
        let line = number;
        let transaction: Transaction<'_> = match element(item) {
            Ok(transaction) => transaction,
            Err(refusal) => {
                gathering.take(line, Err(refusal))?;
                continue;
            }
        };
        let parts = transaction.subtransactions.as_ref().map_or(&[][..], |parts| &parts.items);
        let account = transaction.account.clone().unwrap_or_default();
        let whole = names.posting(line, &account, &transaction, &mut gathering)?;
        let mut read = Vec::new();
        let mut fault = None;
        for item in parts {
            number += 1;
            if number > RECORDS_MAX as u64 {
                return Err(StatementError::TooManyRecords { line: number });
            }
            let posting = match element::<Transaction<'_>>(item) {
                Ok(part) => {
                    let date = part.date.or_else(|| transaction.date.clone());
                    names.posting(number, &account, &Transaction { date, ..part }, &mut gathering)?
                }
                Err(refusal) => Err(refusal),
            };
            match posting {
                Ok(posting) => read.push(posting.part()),
                // Actual keeps parts that were emptied.
                Err(refusal) if refusal.code == "amount_zero" => {}
                Err(refusal) => fault = fault.or(Some(refusal)),
            }
        }
        let outcome = whole.and_then(|whole| {
            if let Some(refusal) = fault {
                return Err(refusal);
            }
            if !read.is_empty() {
                refuse_parts_that_do_not_add_up(&read, whole.amount_minor)?;
            }
            Ok(whole)
        });
        match outcome {
            Ok(whole) if read.is_empty() => gathering.take(line, Ok(whole.row()))?,
            Ok(whole) => gathering.take_parts(line, Row { category: Vec::new(), ..whole.row() }, read)?,
            Err(refusal) => gathering.take(line, Err(refusal))?,
        }
    }
    if budget.transactions.too_many {
        return Err(StatementError::TooManyRecords { line: number + 1 });
    }
    gathering.finish(Format::ActualJson, true, number.max(1))
}

impl Names {
    fn of(budget: &Budget<'_>, gathering: &mut Gathering<'_>) -> Self {
        let mut names = Self::default();
        for account in budget.accounts.items.iter().filter_map(|item| element::<Named<'_>>(item).ok()) {
            names.accounts.insert(account.id, single_spaced(&account.name));
        }
        let mut groups: HashMap<String, String> = HashMap::new();
        let mut categories: Vec<Named<'_>> = Vec::new();
        for group in budget.category_groups.items.iter().filter_map(|item| element::<Named<'_>>(item).ok()) {
            let room = RECORDS_MAX.saturating_sub(categories.len());
            for category in group.categories.items.iter().take(room) {
                if let Ok(category) = element::<Named<'_>>(category) {
                    let is_income = category.is_income.or(group.is_income);
                    categories.push(Named { group_id: Some(group.id.clone()), is_income, ..category });
                }
            }
            groups.insert(group.id, single_spaced(&group.name));
        }
        categories.extend(budget.categories.items.iter().filter_map(|item| element::<Named<'_>>(item).ok()));
        for category in categories {
            let group = category.group_id.and_then(|id| groups.get(&id)).cloned();
            let path = group.into_iter().chain([single_spaced(&category.name)]);
            let path: Vec<String> = path.filter(|name| !name.is_empty()).collect();
            let kind = category.is_income.map(|is_income| match is_income {
                true => CategoryKind::Income,
                false => CategoryKind::Expense,
            });
            gathering.category_kinds.extend(kind.map(|kind| (path.clone(), kind)));
            names.categories.insert(category.id, path);
        }
        for payee in budget.payees.items.iter().filter_map(|item| element::<Named<'_>>(item).ok()) {
            if let Some(account) = payee.transfer_acct {
                names.transfer_accounts.insert(payee.id.clone(), account);
            }
            names.payees.insert(payee.id, single_spaced(&payee.name));
        }
        names
    }

    fn account<'n>(&'n self, id: &'n str) -> &'n str {
        self.accounts.get(id).map_or(id, String::as_str)
    }

    fn posting(
        &self,
        line: u64,
        account: &str,
        transaction: &Transaction<'_>,
        gathering: &mut Gathering<'_>,
    ) -> Result<Result<Posting, Refusal>, StatementError> {
        if account.is_empty() {
            let refusal =
                Refusal::new("account_missing", "The transaction does not say which account it is of.");
            return Ok(Err(refusal));
        }
        let at = gathering.account_named(line, self.account(account))?;
        let payee = transaction.payee.as_deref().unwrap_or_default();
        let transfer = match self.transfer_accounts.get(payee) {
            Some(other) => {
                Some(gathering.account_named(line, self.account(other))?).filter(|other| *other != at)
            }
            None => None,
        };
        Ok(self.told(line, at, transfer, transaction, gathering))
    }

    fn told(
        &self,
        line: u64,
        account: usize,
        transfer: Option<usize>,
        transaction: &Transaction<'_>,
        gathering: &Gathering<'_>,
    ) -> Result<Posting, Refusal> {
        let date = transaction.date.as_deref().unwrap_or_default();
        let occurred_on = iso_date(date).ok_or_else(|| date_refusal(date, "YYYY-MM-DD"))?;
        let amount = hundredths(&word(transaction.amount)?)?;
        let amount_minor = gathering.amount_minor(&amount, POINT, None, Some(account))?;
        let id = transaction.payee.as_deref().unwrap_or_default();
        let named = self.payees.get(id).map(String::as_str).filter(|name| !name.is_empty());
        let payee = named.or(transaction.payee_name.as_deref()).or(transaction.imported_payee.as_deref());
        let category = transaction.category.as_ref().and_then(|id| self.categories.get(id));
        let is_opening = transaction.starting_balance_flag == Some(true);
        let has_category = transfer.is_none() && !is_opening;
        Ok(Posting {
            line,
            account,
            occurred_on,
            amount_minor,
            payee: single_spaced(payee.unwrap_or_default()),
            note: single_spaced(transaction.notes.as_deref().unwrap_or_default()),
            category: category.filter(|_| has_category).cloned().unwrap_or_default(),
            transfer,
            is_opening,
            reference: transaction.id.clone().filter(|id| !id.is_empty()),
            role: Role::Alone,
        })
    }
}

/// `-1250` as `-12.50`.
fn hundredths(amount: &str) -> Result<String, Refusal> {
    let (sign, digits) = match amount.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", amount),
    };
    if digits.is_empty() {
        return Err(Refusal::new("amount_missing", "The transaction has no amount."));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = format!("`{}` is no whole number of hundredths.", shown(amount));
        return Err(Refusal::new("amount_invalid", detail));
    }
    let padded = format!("{digits:0>3}");
    let (whole, cents) = padded.split_at(padded.len() - 2);
    Ok(format!("{sign}{whole}.{cents}"))
}
