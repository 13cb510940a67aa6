//! QIF, as Quicken, GnuCash, Banktivity and many banks write it: one field per line, the first letter says which.
//! Layout: Intuit's description of the format, as kept by GnuCash and the Library of Congress (fdd000511).

use domain::entry::{AccountKind, CategoryKind, EntryKind};

use super::amount::Marks;
use super::dates::{NumericDate, order_of};
use super::encoding::decode_declared;
use super::gather::{Gathering, Part, date_refusal, refuse_parts_that_do_not_add_up};
use super::lines::numbered_lines;
use super::marks::marks_of;
use super::statement::{shown, single_spaced};
use super::{
    Confidence, DateOrder, DecimalsOf, Format, Hints, NamedAccount, RECORDS_MAX, Reason, Refusal, Row,
    SPLITS_MAX, Statement, StatementError, Transfer,
};

pub(super) fn read(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, None, hints.encoding, &mut gathering.reasons)?;
    let mut file = File::default();
    let mut last = 1;
    for (line, field) in numbered_lines(text.trim_start_matches('\u{feff}')) {
        last = line;
        file.read_line(line, field.trim_end(), &mut gathering)?;
    }
    if !file.record.is_blank() {
        let reason = "the file ends inside a transaction, which no `^` closes; it seems cut off".to_owned();
        return Err(StatementError::Malformed { line: last, reason });
    }

    let order = date_order(&file.records, hints, &mut gathering);
    let marks = marks(&file.records, hints, &mut gathering);
    let reader = Reader { order, marks };
    for record in file.records {
        let line = record.line;
        match reader.movement(&record, &mut gathering)? {
            Ok((head, parts)) if parts.is_empty() => gathering.take(line, Ok(head))?,
            Ok((head, parts)) => gathering.take_parts(line, head, parts)?,
            Err(refusal) => gathering.take(line, Err(refusal))?,
        }
    }
    gathering.finish(Format::Qif, true, last)
}

/// The file so far.
#[derive(Default)]
struct File<'t> {
    section: Section,
    account: Option<usize>,
    account_kind: Option<AccountKind>,
    record: Record<'t>,
    records: Vec<Record<'t>>,
    /// Records, splits and categories, which cost memory alike.
    kept: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Of whatever account: a type that we do not know may be another language's word for one.
    #[default]
    Transactions,
    Account,
    Categories,
    /// Classes, securities, prices, memorised payments: nothing that happened.
    Other,
    Investments,
}

/// A record's fields as the file writes them.
#[derive(Default)]
struct Record<'t> {
    line: u64,
    account: Option<usize>,
    is_investment: bool,
    too_many_splits: bool,
    date: &'t str,
    amount: &'t str,
    payee: &'t str,
    memo: &'t str,
    number: &'t str,
    category: &'t str,
    /// In lists of accounts and categories.
    name: &'t str,
    is_income: bool,
    splits: Vec<RecordSplit<'t>>,
}

#[derive(Default)]
struct RecordSplit<'t> {
    line: u64,
    category: &'t str,
    memo: &'t str,
    amount: &'t str,
}

impl Record<'_> {
    fn is_blank(&self) -> bool {
        self.line == 0
    }
}

impl<'t> File<'t> {
    fn read_line(
        &mut self,
        line: u64,
        field: &'t str,
        gathering: &mut Gathering<'_>,
    ) -> Result<(), StatementError> {
        if field.trim().is_empty() {
            return Ok(());
        }
        if let Some(header) = field.strip_prefix('!') {
            self.begin_section(header);
            return Ok(());
        }
        if field.starts_with('^') {
            return self.finish_record(gathering);
        }
        if self.record.is_blank() {
            self.record.line = line;
        }
        let mut letters = field.chars();
        let Some(letter) = letters.next() else { return Ok(()) };
        let value = letters.as_str().trim();
        let record = &mut self.record;
        match (self.section, letter) {
            (Section::Account | Section::Categories, 'N') => record.name = value,
            (Section::Account, 'T') => self.account_kind = account_kind(value),
            (Section::Categories, 'I') => record.is_income = true,
            (Section::Transactions | Section::Investments, 'D') => record.date = value,
            (Section::Transactions, 'T') => record.amount = value,
            // The same amount once more, for programs with larger numbers.
            (Section::Transactions, 'U') if record.amount.is_empty() => record.amount = value,
            (Section::Transactions, 'P') => record.payee = value,
            (Section::Transactions, 'M') => record.memo = value,
            (Section::Transactions, 'N') => record.number = value,
            (Section::Transactions, 'L') => record.category = value,
            (Section::Transactions, 'S') => {
                self.kept += 1;
                if self.kept > RECORDS_MAX {
                    return Err(StatementError::TooManyRecords { line });
                }
                record.too_many_splits |= record.splits.len() == SPLITS_MAX;
                record.splits.push(RecordSplit { line, category: value, ..RecordSplit::default() });
            }
            (Section::Transactions, 'E') => {
                if let Some(split) = record.splits.last_mut() {
                    split.memo = value;
                }
            }
            (Section::Transactions, '$') => {
                if let Some(split) = record.splits.last_mut() {
                    split.amount = value;
                }
            }
            (_, _) => {}
        }
        Ok(())
    }

    fn begin_section(&mut self, header: &str) {
        let header = header.trim().to_ascii_lowercase();
        // Options such as `!Option:AutoSwitch` stand between the parts of one section.
        if header.starts_with("option") || header.starts_with("clear") {
            return;
        }
        self.record = Record::default();
        self.section = match header.strip_prefix("type:").map(str::trim) {
            None if header == "account" => Section::Account,
            Some("invst") => Section::Investments,
            Some("cat") => Section::Categories,
            Some("class" | "memorized" | "security" | "prices" | "tag" | "template" | "budget" | "payee") => {
                Section::Other
            }
            Some(_) => Section::Transactions,
            None => Section::Other,
        };
        if self.section == Section::Transactions && self.account.is_none() {
            self.account_kind = header.strip_prefix("type:").and_then(account_kind);
        }
    }

    fn finish_record(&mut self, gathering: &mut Gathering<'_>) -> Result<(), StatementError> {
        let mut record = std::mem::take(&mut self.record);
        if record.is_blank() {
            return Ok(());
        }
        let line = record.line;
        match self.section {
            Section::Other => return Ok(()),
            Section::Account => {
                let name = Some(record.name.to_owned()).filter(|name| !name.is_empty());
                if name.is_some() {
                    let account = NamedAccount { name, kind: self.account_kind, ..NamedAccount::default() };
                    self.account = Some(gathering.account(line, account)?);
                }
                return Ok(());
            }
            Section::Categories => {
                self.kept += 1;
                if self.kept > RECORDS_MAX {
                    return Err(StatementError::TooManyRecords { line });
                }
                let kind = if record.is_income { CategoryKind::Income } else { CategoryKind::Expense };
                gathering.category_kinds.insert(category_path(record.name).0, kind);
                return Ok(());
            }
            Section::Investments => record.is_investment = true,
            Section::Transactions => {
                // A file of one account names it only in the transfer that opened it.
                if self.account.is_none()
                    && is_opening(&record)
                    && let Some(name) = account_in(record.category)
                {
                    let name = Some(name.to_owned());
                    let account = NamedAccount { name, kind: self.account_kind, ..NamedAccount::default() };
                    self.account = Some(gathering.account(line, account)?);
                }
            }
        }
        self.kept += 1;
        if self.kept > RECORDS_MAX {
            return Err(StatementError::TooManyRecords { line });
        }
        record.account = self.account;
        self.records.push(record);
        Ok(())
    }
}

fn account_kind(word: &str) -> Option<AccountKind> {
    match word.trim().to_ascii_lowercase().as_str() {
        "bank" => Some(AccountKind::Bank),
        "cash" => Some(AccountKind::Cash),
        "ccard" | "creditcard" => Some(AccountKind::Card),
        "oth l" => Some(AccountKind::Loan),
        "oth a" | "invst" | "port" | "mutual" | "401(k)/403(b)" => Some(AccountKind::Other),
        _ => None,
    }
}

fn is_opening(record: &Record<'_>) -> bool {
    record.payee.eq_ignore_ascii_case("opening balance")
}

/// `[Savings]` and `[Savings]/Trip` name an account.
fn account_in(category: &str) -> Option<&str> {
    let (name, _) = category.strip_prefix('[')?.split_once(']')?;
    Some(name.trim()).filter(|name| !name.is_empty())
}

/// `Food:Groceries/Trip` is a category in another, and a class.
fn category_path(category: &str) -> (Vec<String>, Option<String>) {
    let (path, class) = category.split_once('/').unwrap_or((category, ""));
    let parts = path.split(':').map(single_spaced).filter(|part| !part.is_empty()).collect();
    (parts, Some(single_spaced(class)).filter(|class| !class.is_empty()))
}

fn date_order(records: &[Record<'_>], hints: &Hints, gathering: &mut Gathering<'_>) -> DateOrder {
    if let Some(order) = hints.date_order {
        return order;
    }
    let (order, confidence, because) = order_of(records.iter().map(|record| record.date));
    gathering.reasons.push(Reason { about: "date_order".to_owned(), because, confidence });
    order
}

fn marks(records: &[Record<'_>], hints: &Hints, gathering: &mut Gathering<'_>) -> Marks {
    match hints.decimal_mark {
        Some(',') => return Marks { decimal: ',', thousands: Some('.') },
        Some(_) => return Marks { decimal: '.', thousands: Some(',') },
        None => {}
    }
    let amounts: Vec<&str> = records.iter().map(|record| record.amount).collect();
    let (marks, confidence, because) = marks_of(&amounts, b',');
    // Whole amounts read the same either way.
    if confidence > Confidence::Low || amounts.iter().any(|amount| amount.contains(['.', ','])) {
        let because = because.to_owned();
        gathering.reasons.push(Reason { about: "decimal_mark".to_owned(), because, confidence });
    }
    marks
}

/// A row, and the parts that it is told in, if it is.
type Told = Result<(Row, Vec<Part>), Refusal>;

struct Reader {
    order: DateOrder,
    marks: Marks,
}

impl Reader {
    fn movement(&self, record: &Record<'_>, gathering: &mut Gathering<'_>) -> Result<Told, StatementError> {
        // Accounts get their places first: they are what the whole file can be refused for.
        let other_account =
            |name: &str, gathering: &mut Gathering<'_>| -> Result<Option<usize>, StatementError> {
                let at = gathering.account_named(record.line, name)?;
                Ok(Some(at).filter(|at| Some(*at) != record.account))
            };
        let transfer = match account_in(record.category) {
            Some(name) => other_account(name, gathering)?,
            None => None,
        };
        let mut accounts = Vec::with_capacity(record.splits.len());
        for split in &record.splits {
            accounts.push(match account_in(split.category) {
                Some(name) => other_account(name, gathering)?,
                None => None,
            });
        }
        Ok(self.row(record, transfer, &accounts, gathering))
    }

    fn row(
        &self,
        record: &Record<'_>,
        transfer: Option<usize>,
        split_accounts: &[Option<usize>],
        gathering: &Gathering<'_>,
    ) -> Told {
        if record.is_investment {
            let detail = "Trades of securities are not kept by Daybook. Enter their money yourself.";
            return Err(Refusal::new("investment_not_read", detail));
        }
        if record.too_many_splits {
            let detail = format!("The transaction has more than {SPLITS_MAX} parts.");
            return Err(Refusal::new("too_many_splits", detail));
        }
        let Some(occurred_on) = NumericDate::parse(record.date).and_then(|date| date.date(self.order)) else {
            let written = match self.order {
                DateOrder::MonthFirst => "month/day/year",
                DateOrder::DayFirst => "day/month/year",
                DateOrder::YearFirst => "year-month-day",
            };
            return Err(date_refusal(record.date, written));
        };
        let amount = |text: &str| gathering.amount_minor(text, self.marks, None, record.account);
        let amount_minor = amount(record.amount)?;
        let mut parts = Vec::with_capacity(record.splits.len());
        for (split, transfer) in record.splits.iter().zip(split_accounts) {
            let amount_minor = match amount(split.amount) {
                // Quicken keeps parts that were emptied.
                Err(refusal) if refusal.code == "amount_zero" => continue,
                Err(refusal) => {
                    let detail = format!("The part `{}`: {}", shown(split.category), refusal.detail);
                    return Err(Refusal::new(refusal.code, detail));
                }
                Ok(minor) => minor,
            };
            let (path, _) = category_path(split.category);
            let category = if account_in(split.category).is_some() { Vec::new() } else { path };
            let note = single_spaced(split.memo);
            parts.push(Part { line: split.line, amount_minor, category, note, transfer: *transfer });
        }
        if !parts.is_empty() {
            refuse_parts_that_do_not_add_up(&parts, amount_minor)?;
        }

        // Nothing below can be refused.
        let (path, class) = category_path(record.category);
        let names_account = account_in(record.category).is_some();
        let category = if names_account || !parts.is_empty() { Vec::new() } else { path };
        let kind = if is_opening(record) && transfer.is_none() && parts.is_empty() {
            Some(EntryKind::OpeningBalance)
        } else if transfer.is_some() {
            Some(EntryKind::Transfer)
        } else {
            None
        };
        let mut notes = vec![single_spaced(record.memo), single_spaced(record.number)];
        notes.retain(|note| !note.is_empty());
        let row = Row {
            account: record.account,
            kind,
            category,
            transfer: transfer.map(|account| Transfer { account, other_amount: None }),
            tags: class.into_iter().collect(),
            ..Row::new(occurred_on, amount_minor)
        };
        Ok((row.with_texts(single_spaced(record.payee), notes.join(" ")), parts))
    }
}
