//! YNAB's export of its register, of today's program and of YNAB 4. It writes dates and amounts as the budget shows them,
//! the parts of a split in rows of their own, and a transfer as a row of each account.

use chrono::NaiveDate;
use domain::entry::{CategoryKind, EntryKind};

use super::amount::Marks;
use super::csv::{Record, cell};
use super::dates::{NumericDate, order_of};
use super::encoding::decode_declared;
use super::gather::{Gathering, Part, date_refusal};
use super::marks::marks_of;
use super::statement::single_spaced;
use super::table::{Table, YNAB_COLUMNS, is_passed_over, refuse_open_quote};
use super::{
    DateOrder, DecimalsOf, Format, Hints, Reason, Refusal, Row, Statement, StatementError, Transfer,
};

pub(super) fn read(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, None, hints.encoding, &mut gathering.reasons)?;
    let table = Table::open(text.trim_start_matches('\u{feff}'), &YNAB_COLUMNS)?;
    // A column that is not there is empty in every row.
    let column = |names: &[&str]| table.column(names).unwrap_or(usize::MAX);
    let is_ynab_4 = table.column(&["Sub Category"]).is_some();
    let columns = Columns {
        account: column(&["Account"]),
        date: column(&["Date"]),
        payee: column(&["Payee"]),
        group: column(&["Category Group", "Master Category"]),
        category: column(if is_ynab_4 { &["Sub Category"] } else { &["Category"] }),
        memo: column(&["Memo"]),
        outflow: column(&["Outflow"]),
        inflow: column(&["Inflow"]),
    };

    let register = Register::of(&table, columns, hints, &mut gathering)?;
    let mut records = table.records()?;
    let mut split: Option<OpenSplit> = None;
    while let Some(record) = records.next()? {
        if is_passed_over(&record) {
            continue;
        }
        let line = record.line;
        let account = cell(record.fields, register.columns.account);
        if account.is_empty() {
            let refusal = Refusal::new("account_missing", "The line does not say which account it is of.");
            gathering.take(line, Err(refusal))?;
            continue;
        }
        let account = gathering.account_named(line, account)?;
        let payee = single_spaced(cell(record.fields, register.columns.payee));
        let transfer = match transfer_name(&payee) {
            Some(name) => Some(gathering.account_named(line, name)?),
            None => None,
        };
        let posting = register.posting(&record, account, payee, transfer, &gathering);
        let posting = match posting {
            Ok(posting) => posting,
            Err(refusal) => {
                gathering.take(line, Err(refusal))?;
                continue;
            }
        };
        // Whatever is sorted in YNAB is spending, however much came back.
        if !posting.category.is_empty() && !gathering.category_kinds.contains_key(&posting.category) {
            gathering.category_kinds.insert(posting.category.clone(), CategoryKind::Expense);
        }
        if let Some(open) = split.take_if(|open| !open.goes_on_with(&posting)) {
            open.finish(&mut gathering)?;
        }
        match (&mut split, posting.part) {
            (Some(open), _) => open.postings.push(posting),
            (None, Some((1, of))) => split = Some(OpenSplit { of, postings: vec![posting] }),
            (None, _) => gathering.take(line, Ok(posting.row()))?,
        }
        if let Some(open) = split.take_if(|open| open.postings.len() == open.of) {
            open.finish(&mut gathering)?;
        }
    }
    if let Some(open) = split {
        open.finish(&mut gathering)?;
    }
    gathering.finish(Format::YnabCsv, true, records.line())
}

struct Columns {
    account: usize,
    date: usize,
    payee: usize,
    group: usize,
    category: usize,
    memo: usize,
    outflow: usize,
    inflow: usize,
}

/// A row of the register.
struct Posting {
    line: u64,
    account: usize,
    occurred_on: NaiveDate,
    amount_minor: i64,
    payee: String,
    memo: String,
    category: Vec<String>,
    is_income: bool,
    transfer: Option<usize>,
    /// The first of three parts is `(1, 3)`.
    part: Option<(usize, usize)>,
}

/// The columns of a register, and how it writes what stands in them.
struct Register {
    columns: Columns,
    order: DateOrder,
    marks: Marks,
}

impl Register {
    fn of(
        table: &Table<'_>,
        columns: Columns,
        hints: &Hints,
        gathering: &mut Gathering<'_>,
    ) -> Result<Self, StatementError> {
        let (mut dates, mut amounts) = (Vec::new(), Vec::new());
        let mut records = table.records()?;
        while let Some(record) = records.next()? {
            dates.push(cell(record.fields, columns.date).chars().take(20).collect::<String>());
            for at in [columns.outflow, columns.inflow] {
                amounts.push(cell(record.fields, at).chars().take(40).collect::<String>());
            }
        }
        let order = match hints.date_order {
            Some(order) => order,
            None => {
                let (order, confidence, because) = order_of(dates.iter().map(String::as_str));
                gathering.reasons.push(Reason { about: "date_order".to_owned(), because, confidence });
                order
            }
        };
        let marks = match hints.decimal_mark {
            Some(',') => Marks { decimal: ',', thousands: Some('.') },
            Some(_) => Marks { decimal: '.', thousands: Some(',') },
            None => {
                let amounts: Vec<&str> = amounts.iter().map(String::as_str).collect();
                let (marks, confidence, because) = marks_of(&amounts, b',');
                let because = because.to_owned();
                gathering.reasons.push(Reason { about: "decimal_mark".to_owned(), because, confidence });
                marks
            }
        };
        Ok(Self { columns, order, marks })
    }

    fn posting(
        &self,
        record: &Record<'_>,
        account: usize,
        payee: String,
        transfer: Option<usize>,
        gathering: &Gathering<'_>,
    ) -> Result<Posting, Refusal> {
        let Self { columns, order, marks } = self;
        refuse_open_quote(record)?;
        let fields = record.fields;
        let date = cell(fields, columns.date);
        let occurred_on = NumericDate::parse(date).and_then(|date| date.date(*order));
        let occurred_on = occurred_on.ok_or_else(|| date_refusal(date, "as in the lines before"))?;
        let (outflow, inflow) = (cell(fields, columns.outflow), cell(fields, columns.inflow));
        let minor = |text: &str| match gathering.amount_minor(text, *marks, None, Some(account)) {
            Err(refusal) if matches!(refusal.code, "amount_zero" | "amount_missing") => Ok(0),
            other => other,
        };
        let amount_minor = minor(inflow)? - minor(outflow)?;
        if amount_minor == 0 {
            return Err(Refusal::new("amount_zero", "The amount is zero, so no money moved."));
        }

        // Nothing below can be refused.
        let category = single_spaced(cell(fields, columns.category));
        let group = single_spaced(cell(fields, columns.group));
        // An older export has both in one column.
        let (group, category) = match category.split_once(": ") {
            Some((first, second)) if columns.group == usize::MAX => (first.to_owned(), second.to_owned()),
            Some(_) | None => (group, category),
        };
        // Income is not sorted in YNAB: it waits to be budgeted.
        let is_income = matches!(group.as_str(), "Inflow" | "Income");
        let category = if is_income || transfer.is_some() { Vec::new() } else { vec![group, category] };
        let memo = single_spaced(cell(fields, columns.memo));
        let (part, memo) = match split_of(&memo) {
            Some((part, of, note)) if of > 1 => (Some((part, of)), note.to_owned()),
            Some(_) | None => (None, memo),
        };
        Ok(Posting {
            line: record.line,
            account,
            occurred_on,
            amount_minor,
            payee,
            memo,
            category: category.into_iter().filter(|name| !name.is_empty()).collect(),
            is_income,
            transfer,
            part,
        })
    }
}

fn transfer_name(payee: &str) -> Option<&str> {
    let rest = payee.strip_prefix("Transfer")?.trim_start().strip_prefix(':')?;
    Some(rest.trim()).filter(|name| !name.is_empty())
}

/// `Split (1/3) note` of today's YNAB, `(Split 1/3) note` of YNAB 4.
fn split_of(memo: &str) -> Option<(usize, usize, &str)> {
    let rest = memo.strip_prefix("Split (").or_else(|| memo.strip_prefix("(Split "))?;
    let (counts, note) = rest.split_once(')')?;
    let (part, of) = counts.split_once('/')?;
    Some((part.trim().parse().ok()?, of.trim().parse().ok()?, note.trim()))
}

impl Posting {
    fn row(self) -> Row {
        let kind = match self.transfer {
            Some(_) => Some(EntryKind::Transfer),
            None if self.payee == "Starting Balance" => Some(EntryKind::OpeningBalance),
            None if self.is_income && self.amount_minor > 0 => Some(EntryKind::Income),
            None => None,
        };
        let row = Row {
            account: Some(self.account),
            kind,
            category: self.category,
            transfer: self.transfer.map(|account| Transfer { account, other_amount: None }),
            ..Row::new(self.occurred_on, self.amount_minor)
        };
        // The payee of a transfer only repeats which account is on the other side.
        let payee = if self.transfer.is_some() { String::new() } else { self.payee };
        row.with_texts(payee, self.memo)
    }
}

/// The rows of one split so far.
struct OpenSplit {
    of: usize,
    postings: Vec<Posting>,
}

impl OpenSplit {
    fn goes_on_with(&self, next: &Posting) -> bool {
        let first = &self.postings[0];
        next.part == Some((self.postings.len() + 1, self.of))
            && (next.account, next.occurred_on) == (first.account, first.occurred_on)
    }

    /// Rows of a split that is not whole stand for themselves: each has an amount and a category.
    fn finish(self, gathering: &mut Gathering<'_>) -> Result<(), StatementError> {
        if self.postings.len() < self.of {
            for posting in self.postings {
                gathering.take(posting.line, Ok(posting.row()))?;
            }
            return Ok(());
        }
        let named = self.postings.iter().find(|posting| posting.transfer.is_none());
        let head = named.unwrap_or(&self.postings[0]);
        let payee = if head.transfer.is_some() { String::new() } else { head.payee.clone() };
        let row = Row { account: Some(head.account), ..Row::new(head.occurred_on, head.amount_minor) };
        let (line, row) = (head.line, row.with_texts(payee, String::new()));
        let parts = self.postings.into_iter().map(|posting| Part {
            line: posting.line,
            amount_minor: posting.amount_minor,
            category: posting.category,
            note: posting.memo,
            transfer: posting.transfer,
        });
        gathering.take_parts(line, row, parts.collect())
    }
}
