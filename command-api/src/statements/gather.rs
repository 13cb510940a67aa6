//! What every format does with what it finds: accounts get a place, amounts become minor units, rows are looked through.

use std::collections::HashMap;

use domain::{
    entry::{CategoryKind, EntryKind},
    money::{AMOUNT_MINOR_MAX, Currency},
};

use super::amount::{AmountFault, Marks};
use super::statement::{shown, single_spaced};
use super::{
    ACCOUNTS_MAX, DecimalsOf, FIELD_CHARS_MAX, Format, Line, NamedAccount, NamedCategory, NumberedBy,
    RECORDS_MAX, Reason, Refusal, Row, SPLITS_MAX, Split, Statement, StatementError, Transfer,
};

/// Amounts of formats that write them for machines.
pub(super) const POINT: Marks = Marks { decimal: '.', thousands: None };

pub(super) struct Gathering<'d> {
    pub reasons: Vec<Reason>,
    /// Of the categories whose kind the file tells.
    pub category_kinds: HashMap<Vec<String>, CategoryKind>,
    accounts: Vec<NamedAccount>,
    places: HashMap<String, usize>,
    lines: Vec<Line>,
    decimals_of: &'d DecimalsOf<'d>,
}

/// A part of a movement.
pub(super) struct Part {
    pub line: u64,
    /// Not zero.
    pub amount_minor: i64,
    pub category: Vec<String>,
    pub note: String,
    /// The place of the account on the other side.
    pub transfer: Option<usize>,
}

impl<'d> Gathering<'d> {
    pub fn new(decimals_of: &'d DecimalsOf<'d>) -> Self {
        Self {
            reasons: Vec::new(),
            category_kinds: HashMap::new(),
            accounts: Vec::new(),
            places: HashMap::new(),
            lines: Vec::new(),
            decimals_of,
        }
    }

    /// The place of an account, new or known. A known one learns what it did not know yet.
    pub fn account(&mut self, line: u64, found: NamedAccount) -> Result<usize, StatementError> {
        let cleared = |text: Option<String>| {
            let text = text.map(|text| single_spaced(&text.replace(char::is_control, " ")));
            text.filter(|text| !text.is_empty())
        };
        let found = NamedAccount {
            name: cleared(found.name),
            number: cleared(found.number),
            bank: cleared(found.bank),
            currency: found.currency.filter(|code| Currency::parse(code).is_ok()),
            kind: found.kind,
        };
        // A number names an account for good; names are how ledgers without numbers tell accounts apart.
        let key = match &found.number {
            Some(number) => format!("{number}\n{}", found.bank.as_deref().unwrap_or_default()),
            None => found.name.as_deref().unwrap_or_default().to_lowercase(),
        };
        if let Some(at) = self.places.get(&key) {
            let known = &mut self.accounts[*at];
            known.currency = known.currency.take().or(found.currency);
            known.kind = known.kind.or(found.kind);
            return Ok(*at);
        }
        if self.accounts.len() == ACCOUNTS_MAX {
            return Err(StatementError::TooManyAccounts { line });
        }
        self.accounts.push(found);
        self.places.insert(key, self.accounts.len() - 1);
        Ok(self.accounts.len() - 1)
    }

    pub fn account_named(&mut self, line: u64, name: &str) -> Result<usize, StatementError> {
        self.account(line, NamedAccount { name: Some(name.to_owned()), ..NamedAccount::default() })
    }

    /// The place of an account that is known already, by the name a person gave it.
    pub fn known_account(&self, name: &str) -> Option<usize> {
        self.places.get(&single_spaced(name).to_lowercase()).copied()
    }

    /// Signed minor units, not zero, of the currency that the file names, or of the account's where it names none.
    pub fn amount_minor(
        &self,
        text: &str,
        marks: Marks,
        currency: Option<Currency>,
        account: Option<usize>,
    ) -> Result<i64, Refusal> {
        let decimals = self.decimals(currency, account);
        let minor = marks.parse(text, decimals).map_err(|fault| fault.refusal(text, marks, decimals))?;
        if minor == 0 {
            return Err(Refusal::new("amount_zero", "The amount is zero, so no money moved."));
        }
        if minor.unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
            return Err(AmountFault::TooLarge.refusal(text, marks, decimals));
        }
        Ok(minor)
    }

    pub fn decimals(&self, currency: Option<Currency>, account: Option<usize>) -> u8 {
        let known = account.and_then(|at| self.accounts.get(at));
        let told = known.and_then(|account| Currency::parse(account.currency.as_deref()?).ok());
        match currency.or(told) {
            Some(currency) => currency.decimals(),
            None => (self.decimals_of)(known),
        }
    }

    /// The next line. Nothing of a row but its texts is looked at here: they may come from anywhere in the file.
    pub fn take(&mut self, number: u64, outcome: Result<Row, Refusal>) -> Result<(), StatementError> {
        if self.lines.len() == RECORDS_MAX {
            return Err(StatementError::TooManyRecords { line: number });
        }
        let outcome = outcome.and_then(|row| refuse_strange_texts(&row).map(|()| row));
        self.lines.push(Line { number, outcome });
        Ok(())
    }

    /// A movement that is told in parts. Those that went to or came from another account become rows of their own; the
    /// others stay together under the head's number, as splits where there are several.
    pub fn take_parts(&mut self, line: u64, head: Row, parts: Vec<Part>) -> Result<(), StatementError> {
        if parts.len() > SPLITS_MAX {
            let detail = format!("The transaction has more than {SPLITS_MAX} parts.");
            return self.take(line, Err(Refusal::new("too_many_splits", detail)));
        }
        let mut rows: Vec<(u64, Row)> = Vec::new();
        let mut sorted = Vec::new();
        for (part, number) in parts.into_iter().zip(1..) {
            let Some(account) = part.transfer else {
                sorted.push(part);
                continue;
            };
            let row = Row {
                amount_minor: part.amount_minor,
                kind: Some(EntryKind::Transfer),
                category: Vec::new(),
                transfer: Some(Transfer { account, other_amount: None }),
                reference: head.reference.as_ref().map(|reference| format!("{reference}/{number}")),
                ..head.clone()
            };
            let note = if part.note.is_empty() { head.note.clone() } else { part.note };
            rows.push((part.line, row.with_texts(head.payee.clone(), note)));
        }
        let sum: i64 = sorted.iter().map(|part| part.amount_minor).sum();
        if sorted.len() > 1 && sum != 0 {
            let splits = sorted.into_iter().map(|part| Split {
                amount_minor: part.amount_minor,
                category: part.category,
                note: part.note,
            });
            rows.push((line, Row { amount_minor: sum, splits: splits.collect(), ..head }));
        } else {
            // One part needs no split, and parts that cancel each other move nothing together.
            let alone = sorted.len() == 1;
            for part in sorted {
                let number = if alone { line } else { part.line };
                let note = if part.note.is_empty() { head.note.clone() } else { part.note };
                let reference = if alone { head.reference.clone() } else { None };
                let row = Row {
                    amount_minor: part.amount_minor,
                    category: part.category,
                    reference,
                    ..head.clone()
                };
                rows.push((number, row.with_texts(head.payee.clone(), note)));
            }
        }
        for (number, row) in rows {
            self.take(number, Ok(row))?;
        }
        Ok(())
    }

    /// Rows that name no account can only be the import's own when nothing else in the file names one.
    pub fn refuse_rows_without_account(&mut self) {
        for line in &mut self.lines {
            if matches!(&line.outcome, Ok(row) if row.account.is_none()) {
                let detail = "The file holds several statements, and this one does not say which account it is of. \
                              Export the account by itself.";
                line.outcome = Err(Refusal::new("account_missing", detail));
            }
        }
    }

    /// `last` is the file's last line.
    pub fn finish(
        self,
        format: Format,
        transfers_stand_twice: bool,
        last: u64,
    ) -> Result<Statement, StatementError> {
        if self.lines.is_empty() {
            return Err(StatementError::NoRecords { line: last });
        }
        let mut lines = self.lines;
        let categories = settle_categories(&mut lines, &self.category_kinds);
        // The parts of a movement are taken after those of its lines that needed no others.
        lines.sort_by_key(|line| line.number);
        let rising = lines.windows(2).all(|pair| pair[0].number < pair[1].number);
        // An import keeps its verdicts by number, so that no two lines may share one.
        if !rising {
            for (line, number) in lines.iter_mut().zip(1..) {
                line.number = number;
            }
        }
        let is_json = matches!(format, Format::ActualJson | Format::FireflyJson);
        let numbered_by = if rising && !is_json { NumberedBy::Line } else { NumberedBy::Transaction };
        Ok(Statement {
            format,
            accounts: self.accounts,
            categories,
            transfers_stand_twice,
            numbered_by,
            reasons: self.reasons,
            lines,
        })
    }
}

/// The categories in order of appearance, and the kind of every row that is sorted into one. Most ledgers do not say
/// whether a category is of spending or of income; what went through it over the whole file does.
fn settle_categories(lines: &mut [Line], told: &HashMap<Vec<String>, CategoryKind>) -> Vec<NamedCategory> {
    let mut places: HashMap<&[String], usize> = HashMap::new();
    let mut found: Vec<(&[String], i128)> = Vec::new();
    for row in lines.iter().filter_map(|line| line.outcome.as_ref().ok()) {
        let of_splits = row.splits.iter().map(|split| (&split.category[..], split.amount_minor));
        for (path, amount_minor) in [(&row.category[..], row.amount_minor)].into_iter().chain(of_splits) {
            if path.is_empty() {
                continue;
            }
            let at = *places.entry(path).or_insert(found.len());
            if at == found.len() {
                found.push((path, 0));
            }
            found[at].1 += i128::from(amount_minor);
        }
    }
    let by_sum = |sum: i128| if sum < 0 { CategoryKind::Expense } else { CategoryKind::Income };
    let categories: Vec<NamedCategory> = found
        .iter()
        .map(|(path, sum)| NamedCategory {
            path: path.to_vec(),
            kind: told.get(*path).copied().unwrap_or(by_sum(*sum)),
        })
        .collect();

    let kinds: HashMap<&[String], CategoryKind> =
        categories.iter().map(|category| (&category.path[..], category.kind)).collect();
    for row in lines.iter_mut().filter_map(|line| line.outcome.as_mut().ok()) {
        let Some(kind) = kinds.get(&row.category[..]) else { continue };
        if matches!(row.kind, Some(EntryKind::Transfer | EntryKind::OpeningBalance)) {
            continue;
        }
        row.kind = match (kind, row.amount_minor > 0) {
            (CategoryKind::Expense, false) => Some(EntryKind::Expense),
            (CategoryKind::Expense, true) => Some(EntryKind::Refund),
            (CategoryKind::Income, true) => Some(EntryKind::Income),
            // Income that was taken back is none of the simple kinds.
            (CategoryKind::Income, false) => None,
        };
    }
    categories
}

/// Sums cannot overflow: no amount is larger than 10^15 and no movement has more than a few hundred parts.
pub(super) fn refuse_parts_that_do_not_add_up(parts: &[Part], whole: i64) -> Result<(), Refusal> {
    let sum: i64 = parts.iter().map(|part| part.amount_minor).sum();
    if parts.len() <= SPLITS_MAX && sum != whole {
        let detail = "The parts of the transaction do not add up to its amount.";
        return Err(Refusal::new("splits_do_not_add_up", detail));
    }
    Ok(())
}

pub(super) fn currency(code: &str) -> Result<Currency, Refusal> {
    Currency::parse(&code.trim().to_ascii_uppercase()).map_err(|_| {
        Refusal::new("currency_invalid", format!("`{}` is no currency code such as EUR.", shown(code)))
    })
}

pub(super) fn date_refusal(text: &str, written: &str) -> Refusal {
    if text.trim().is_empty() {
        return Refusal::new("date_missing", "The line has no date.");
    }
    Refusal::new("date_invalid", format!("`{}` is no date written {written}.", shown(text)))
}

fn refuse_strange_texts(row: &Row) -> Result<(), Refusal> {
    let single = [&row.payee, &row.note].into_iter().chain(&row.category_hint).chain(&row.counterpart);
    let several = row.reference.iter().chain(&row.category).chain(&row.tags);
    let of_splits = row.splits.iter().flat_map(|split| split.category.iter().chain([&split.note]));
    for text in single.chain(several).chain(of_splits) {
        if text.len() > FIELD_CHARS_MAX && text.chars().count() > FIELD_CHARS_MAX {
            let detail = format!("A text has more than {FIELD_CHARS_MAX} characters.");
            return Err(Refusal::new("field_too_long", detail));
        }
        if let Some(control) = text.chars().find(|letter| letter.is_control()) {
            let detail = format!("A text holds the control character {:#04x}.", control as u32);
            return Err(Refusal::new("control_character", detail));
        }
    }
    Ok(())
}
