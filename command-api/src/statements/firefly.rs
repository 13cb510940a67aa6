//! Firefly III's transactions: the CSV of its export, and JSON as its API answers `GET /api/v1/transactions`. Both tell of
//! journals: money that went from a source to a destination, of which one or both are accounts of the person's own.

use std::borrow::Cow;

use domain::entry::{AccountKind, EntryKind};
use domain::money::Money;
use domain::text::TAGS_MAX;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::csv::{Record, cell};
use super::dates::iso_date;
use super::encoding::decode_declared;
use super::gather::{Gathering, POINT, Part, currency, date_refusal};
use super::json::{Elements, element, parse, word};
use super::statement::single_spaced;
use super::table::{FIREFLY_COLUMNS, Table, is_passed_over, refuse_open_quote};
use super::{
    DecimalsOf, Format, Hints, NamedAccount, RECORDS_MAX, Refusal, Row, SPLITS_MAX, Statement,
    StatementError, Transfer,
};

pub(super) fn read_csv(
    bytes: &[u8],
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, Some("utf-8"), hints.encoding, &mut gathering.reasons)?;
    let table = Table::open(&text, &FIREFLY_COLUMNS)?;
    let mut records = table.records()?;
    let mut groups = Groups { gathering, open: Vec::new() };
    while let Some(record) = records.next()? {
        if !is_passed_over(&record) {
            let journal = journal_in(&record, &table);
            groups.add(record.line, journal)?;
        }
    }
    groups.finish_group()?;
    groups.gathering.finish(Format::FireflyCsv, false, records.line())
}

/// One movement as Firefly tells it; amounts are still text.
#[derive(Default)]
struct Journal {
    group: String,
    id: String,
    group_title: String,
    /// In lower case, as `withdrawal` or `opening balance`.
    kind: String,
    currency: String,
    amount: String,
    foreign_currency: String,
    foreign_amount: String,
    description: String,
    date: String,
    source: Side,
    destination: Side,
    category: String,
    tags: Vec<String>,
    notes: String,
}

#[derive(Default)]
struct Side {
    name: String,
    iban: String,
    /// In lower case, as `asset account`.
    kind: String,
}

fn journal_in(record: &Record<'_>, table: &Table<'_>) -> Result<Journal, Refusal> {
    refuse_open_quote(record)?;
    let text = |name: &str| {
        let at = table.column(&[name]);
        single_spaced(at.map_or("", |at| cell(record.fields, at)))
    };
    let tags = text("tags");
    refuse_too_many_tags(tags.split(',').take(TAGS_MAX + 1).count())?;
    let tags = tags.split(',').map(single_spaced).filter(|tag| !tag.is_empty()).collect();
    let side = |name: &str| Side {
        name: text(&format!("{name}_name")),
        iban: text(&format!("{name}_iban")),
        kind: text(&format!("{name}_type")).to_lowercase(),
    };
    Ok(Journal {
        group: text("group_id"),
        id: text("journal_id"),
        group_title: text("group_title"),
        kind: text("type").to_lowercase(),
        currency: text("currency_code"),
        amount: text("amount"),
        foreign_currency: text("foreign_currency_code"),
        foreign_amount: text("foreign_amount"),
        description: text("description"),
        date: text("date"),
        source: side("source"),
        destination: side("destination"),
        category: text("category"),
        tags,
        notes: text("notes"),
    })
}

/// The API's answer.
#[derive(Deserialize)]
struct Page<'f> {
    #[serde(borrow)]
    data: Elements<'f>,
}

#[derive(Deserialize)]
struct Group<'f> {
    #[serde(borrow, default)]
    id: Option<&'f RawValue>,
    #[serde(borrow)]
    attributes: Attributes<'f>,
}

#[derive(Deserialize)]
struct Attributes<'f> {
    #[serde(default)]
    group_title: Option<String>,
    #[serde(borrow)]
    transactions: Elements<'f>,
}

#[derive(Deserialize)]
struct Split<'f> {
    #[serde(borrow, default)]
    transaction_journal_id: Option<&'f RawValue>,
    #[serde(borrow, rename = "type", default)]
    kind: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    date: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    currency_code: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    amount: Option<&'f RawValue>,
    #[serde(borrow, default)]
    foreign_currency_code: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    foreign_amount: Option<&'f RawValue>,
    #[serde(borrow, default)]
    description: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    source_name: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    source_iban: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    source_type: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    destination_name: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    destination_iban: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    destination_type: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    category_name: Option<Cow<'f, str>>,
    #[serde(borrow, default)]
    tags: Option<Elements<'f>>,
    #[serde(borrow, default)]
    notes: Option<Cow<'f, str>>,
}

pub(super) fn read_json(bytes: &[u8], decimals_of: &DecimalsOf<'_>) -> Result<Statement, StatementError> {
    let mut gathering = Gathering::new(decimals_of);
    let text = decode_declared(bytes, Some("utf-8"), None, &mut gathering.reasons)?;
    let text = text.trim_start_matches('\u{feff}');
    // Pages put together are a list of what each page has under `data`.
    let data = if text.trim_start().starts_with('[') { parse(text)? } else { parse::<Page<'_>>(text)?.data };

    let mut groups = Groups { gathering, open: Vec::new() };
    let mut number = 0;
    for item in &data.items {
        let group: Group<'_> = match element(item) {
            Ok(group) => group,
            Err(refusal) => {
                number += 1;
                groups.add(number, Err(refusal))?;
                continue;
            }
        };
        let title = group.attributes.group_title.unwrap_or_default();
        for item in &group.attributes.transactions.items {
            number += 1;
            if number > RECORDS_MAX as u64 {
                return Err(StatementError::TooManyRecords { line: number });
            }
            groups.add(number, journal_of(item, group.id, &title))?;
        }
    }
    if data.too_many {
        return Err(StatementError::TooManyRecords { line: number + 1 });
    }
    groups.finish_group()?;
    groups.gathering.finish(Format::FireflyJson, false, number.max(1))
}

fn journal_of(item: &RawValue, group: Option<&RawValue>, title: &str) -> Result<Journal, Refusal> {
    let split: Split<'_> = element(item)?;
    let given = split.tags.as_ref().map_or(&[][..], |tags| &tags.items);
    refuse_too_many_tags(given.len())?;
    let tags: Vec<String> = given.iter().map(|tag| word(Some(tag))).collect::<Result<_, _>>()?;
    let tags = tags.iter().map(|tag| single_spaced(tag)).filter(|tag| !tag.is_empty()).collect();
    let text = |value: &Option<Cow<'_, str>>| single_spaced(value.as_deref().unwrap_or_default());
    let side =
        |name, iban, kind| Side { name: text(name), iban: text(iban), kind: text(kind).to_lowercase() };
    Ok(Journal {
        group: word(group)?,
        id: word(split.transaction_journal_id)?,
        group_title: single_spaced(title),
        kind: text(&split.kind).to_lowercase(),
        currency: text(&split.currency_code),
        amount: word(split.amount)?,
        foreign_currency: text(&split.foreign_currency_code),
        foreign_amount: word(split.foreign_amount)?,
        description: text(&split.description),
        date: text(&split.date),
        source: side(&split.source_name, &split.source_iban, &split.source_type),
        destination: side(&split.destination_name, &split.destination_iban, &split.destination_type),
        category: text(&split.category_name),
        tags,
        notes: text(&split.notes),
    })
}

/// Journals of one group that follow each other, and where they go.
struct Groups<'d> {
    gathering: Gathering<'d>,
    open: Vec<(u64, Journal, Row)>,
}

impl Groups<'_> {
    fn add(&mut self, line: u64, journal: Result<Journal, Refusal>) -> Result<(), StatementError> {
        let row = match &journal {
            Ok(journal) => self.row(line, journal)?,
            Err(refusal) => Err(refusal.clone()),
        };
        let (journal, row) = match (journal, row) {
            (Ok(journal), Ok(row)) => (journal, row),
            (_, Err(refusal)) | (Err(refusal), _) => return self.gathering.take(line, Err(refusal)),
        };
        let goes_on = self
            .open
            .last()
            .is_some_and(|(_, last, _)| !last.group.is_empty() && last.group == journal.group);
        if !goes_on {
            self.finish_group()?;
        }
        self.open.push((line, journal, row));
        Ok(())
    }

    /// A group is a split where its journals moved money between the same two in the same currency on the same day.
    fn finish_group(&mut self) -> Result<(), StatementError> {
        let open = std::mem::take(&mut self.open);
        let Some((line, _, first)) = open.first() else { return Ok(()) };
        let alike = |row: &Row| {
            (row.account, row.occurred_on, &row.currency)
                == (first.account, first.occurred_on, &first.currency)
                && (&row.payee, &row.counterpart) == (&first.payee, &first.counterpart)
                && (row.amount_minor > 0) == (first.amount_minor > 0)
                && matches!(row.kind, Some(EntryKind::Expense | EntryKind::Income))
                && row.foreign.is_none()
                && row.kind == first.kind
        };
        if open.len() < 2 || open.len() > SPLITS_MAX || !open.iter().all(|(_, _, row)| alike(row)) {
            for (line, _, row) in open {
                self.gathering.take(line, Ok(row))?;
            }
            return Ok(());
        }
        let line = *line;
        let mut tags: Vec<String> = open.iter().flat_map(|(_, _, row)| row.tags.iter().cloned()).collect();
        tags.sort_unstable();
        tags.dedup();
        let title = open[0].1.group_title.clone();
        let head = Row {
            tags,
            reference: Some(format!("group/{}", open[0].1.group)),
            category: Vec::new(),
            ..first.clone()
        };
        let payee = head.payee.clone();
        let head = head.with_texts(payee, title);
        let parts = open.into_iter().map(|(line, _, row)| Part {
            line,
            amount_minor: row.amount_minor,
            category: row.category,
            note: row.note,
            transfer: None,
        });
        self.gathering.take_parts(line, head, parts.collect())
    }

    fn row(&mut self, line: u64, journal: &Journal) -> Result<Result<Row, Refusal>, StatementError> {
        let mut place = |side: &Side, currency: &str| -> Result<Option<usize>, StatementError> {
            let Some(kind) = own_account(&side.kind) else { return Ok(None) };
            if side.name.is_empty() && side.iban.is_empty() {
                return Ok(None);
            }
            let account = NamedAccount {
                name: Some(side.name.clone()),
                number: Some(side.iban.clone()),
                currency: Some(currency.to_ascii_uppercase()),
                kind,
                ..NamedAccount::default()
            };
            self.gathering.account(line, account).map(Some)
        };
        let source = place(&journal.source, &journal.currency)?;
        // A transfer's foreign amount is what arrived, in the currency of the account where it did.
        let is_exchange = source.is_some() && !journal.foreign_currency.is_empty();
        let arrived = if is_exchange { &journal.foreign_currency } else { &journal.currency };
        let destination = place(&journal.destination, arrived)?;
        Ok(self.told(journal, source, destination))
    }

    fn told(
        &self,
        journal: &Journal,
        source: Option<usize>,
        destination: Option<usize>,
    ) -> Result<Row, Refusal> {
        let (account, sign, other) = match (source, destination) {
            (Some(source), _) => (source, -1, &journal.destination),
            (None, Some(destination)) => (destination, 1, &journal.source),
            (None, None) => {
                let detail = "Neither source nor destination is an account of your own.";
                return Err(Refusal::new("account_missing", detail));
            }
        };
        let occurred_on = iso_date(&journal.date).ok_or_else(|| date_refusal(&journal.date, "YYYY-MM-DD"))?;
        let money = currency(&journal.currency)?;
        // Which way it went is told by the sides; the sign of the CSV only repeats it.
        let amount_minor =
            sign * self.gathering.amount_minor(&journal.amount, POINT, Some(money), None)?.abs();
        let foreign = match journal.foreign_currency.as_str() {
            "" => None,
            code => {
                let currency = currency(code)?;
                let minor =
                    self.gathering.amount_minor(&journal.foreign_amount, POINT, Some(currency), None)?.abs();
                Some(Money { minor, currency })
            }
        };
        let transfer = source.zip(destination).map(|(_, account)| account);
        let kind = match (journal.kind.as_str(), transfer) {
            ("opening balance" | "liability credit", _) => Some(EntryKind::OpeningBalance),
            (_, Some(_)) => Some(EntryKind::Transfer),
            ("withdrawal", None) => Some(EntryKind::Expense),
            ("deposit", None) => Some(EntryKind::Income),
            (_, None) => None,
        };

        // Nothing below can be refused.
        let is_person =
            transfer.is_none() && !other.kind.contains("cash") && kind != Some(EntryKind::OpeningBalance);
        let payee = if is_person { other.name.clone() } else { String::new() };
        let is_sorted = transfer.is_none() && !journal.category.is_empty();
        let category = is_sorted.then(|| journal.category.clone());
        let mut notes = vec![journal.description.clone(), journal.notes.clone()];
        notes.retain(|note| !note.is_empty() && *note != payee);
        notes.dedup();
        let row = Row {
            account: Some(account),
            currency: Some(money.code().to_owned()),
            kind,
            counterpart: Some(other.iban.clone()).filter(|iban| !iban.is_empty() && transfer.is_none()),
            category: category.into_iter().collect(),
            foreign: if transfer.is_none() { foreign } else { None },
            transfer: transfer.map(|account| Transfer { account, other_amount: foreign }),
            tags: journal.tags.clone(),
            reference: Some(format!("journal/{}", journal.id)).filter(|_| !journal.id.is_empty()),
            ..Row::new(occurred_on, amount_minor)
        };
        Ok(row.with_texts(payee, notes.join(" ")))
    }
}

fn refuse_too_many_tags(tags: usize) -> Result<(), Refusal> {
    if tags > TAGS_MAX {
        return Err(Refusal::new("too_many_tags", format!("The line has more than {TAGS_MAX} tags.")));
    }
    Ok(())
}

/// The kind of an account of the person's own, as far as Firefly tells it; nothing for those of others.
fn own_account(kind: &str) -> Option<Option<AccountKind>> {
    match kind {
        "asset account" | "default account" => Some(None),
        "loan" | "debt" | "mortgage" => Some(Some(AccountKind::Loan)),
        _ => None,
    }
}
