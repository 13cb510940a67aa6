use std::collections::BTreeMap;

use csv::StringRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::amount::Marks;
use super::super::{COLUMNS_MAX, Encoding, Row, StatementError};
use super::DateFormat;

/// How one bank lays out its CSV file, and what the book shall make of it. Ids of accounts and categories are kept as
/// they were sent; whoever imports resolves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    #[serde(default)]
    pub encoding: Encoding,
    #[serde(default = "comma")]
    #[schema(default = ",")]
    pub delimiter: char,
    /// `null` for a file whose quotes are ordinary letters.
    #[serde(default = "double_quote")]
    #[schema(default = "\"")]
    pub quote: Option<char>,
    /// Physical lines before the header, or before the first record where there is no header.
    #[serde(default)]
    pub header_lines: u64,
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub has_header: bool,
    pub date: Column,
    /// `YYYY`, `YY`, `MM`, `MMM` (a month's name), `DD` with signs between; a time after the date is read over.
    #[schema(value_type = String, example = "DD.MM.YYYY")]
    pub date_format: DateFormat,
    pub amount: AmountRule,
    #[serde(default = "point")]
    #[schema(default = ".")]
    pub decimal_mark: char,
    /// The sign between thousands; a space stands for every kind of space.
    #[serde(default)]
    pub thousands_mark: Option<char>,
    /// For cards that write purchases as positive amounts.
    #[serde(default)]
    pub invert_sign: bool,
    /// A fee that the bank takes besides the amount, positive when it costs.
    #[serde(default)]
    pub fee: Option<Column>,
    /// Joined by a space where there are several.
    #[serde(default)]
    pub payee: Vec<Column>,
    /// Where money coming in has its other side in a column of its own, it is used instead of `payee`.
    #[serde(default)]
    pub payer: Vec<Column>,
    #[serde(default)]
    pub note: Vec<Column>,
    #[serde(default)]
    pub currency: Option<Column>,
    #[serde(default)]
    pub category: Option<Column>,
    /// The running balance; it takes no part in reading but lets a person check the file.
    #[serde(default)]
    pub balance: Option<Column>,
    #[serde(default)]
    pub skip_rows_where: Vec<SkipRule>,
    /// The account the statement is of.
    #[serde(default)]
    pub account: Option<String>,
    /// Tried in order before the default categories.
    #[serde(default)]
    pub rules: Vec<CategoryRule>,
    /// Texts that tell of money going to another account of the book, or coming from there: the other account's number,
    /// or what the bank writes. Tried before the rules.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transfers: BTreeMap<String, String>,
    /// How many days the two sides of a transfer may be apart, at most 14. 3 if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_days: Option<u16>,
    #[serde(default)]
    pub default_expense_category: Option<String>,
    #[serde(default)]
    pub default_income_category: Option<String>,
}

fn comma() -> char {
    ','
}

fn point() -> char {
    '.'
}

fn double_quote() -> Option<char> {
    Some('"')
}

fn yes() -> bool {
    true
}

/// A column by the name in the header or by its number, counted from 1. Of several columns with one name, the name means
/// the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "a column's name, or its number counted from 1")]
pub enum Column {
    Number(u16),
    Name(String),
}

/// Which way the money went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "sign", rename_all = "snake_case", deny_unknown_fields)]
pub enum AmountRule {
    /// One column, negative when money goes out.
    Signed { column: Column },
    /// A column for money going out and one for money coming in; signs inside them are read over.
    DebitCredit { debit: Column, credit: Column },
    /// An amount without sign, and a column that says the direction in words.
    Direction { column: Column, direction: Column, debit: Vec<String>, credit: Vec<String> },
}

/// Rows that the file lists but that never moved money, or have not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkipRule {
    pub column: Column,
    pub when: SkipWhen,
    /// Compared without regard to case.
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipWhen {
    OneOf,
    NoneOf,
}

/// A text found in payee, note or the bank's category, without regard to case, chooses a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryRule {
    pub contains: String,
    pub category: String,
}

impl Mapping {
    /// The category id for a row: of the first rule that fits, else the default for its direction.
    pub fn category_of(&self, row: &Row) -> Option<&str> {
        let hint = row.category_hint.as_deref().unwrap_or_default().to_lowercase();
        let fits = |rule: &&CategoryRule| {
            let wanted = rule.contains.to_lowercase();
            row.text.contains(&wanted) || hint.contains(&wanted)
        };
        if let Some(rule) = self.rules.iter().find(fits) {
            return Some(&rule.category);
        }
        let default =
            if row.amount_minor < 0 { &self.default_expense_category } else { &self.default_income_category };
        default.as_deref()
    }

    pub(super) fn marks(&self) -> Marks {
        Marks { decimal: self.decimal_mark, thousands: self.thousands_mark }
    }

    /// What the types let through.
    pub(super) fn check(&self) -> Result<(), StatementError> {
        let invalid =
            |field, reason: &str| Err(StatementError::MappingInvalid { field, reason: reason.to_owned() });
        let separates =
            |sign: char| sign.is_ascii() && !sign.is_ascii_alphanumeric() && !"\r\n\0".contains(sign);
        if !separates(self.delimiter) {
            return invalid("delimiter", "it has to be one ASCII sign such as `;`");
        }
        if let Some(quote) = self.quote
            && (!separates(quote) || quote == self.delimiter)
        {
            return invalid("quote", "it has to be one ASCII sign other than the delimiter");
        }
        if !matches!(self.decimal_mark, '.' | ',') {
            return invalid("decimal_mark", "it has to be `.` or `,`");
        }
        if let Some(mark) = self.thousands_mark
            && (!matches!(mark, '.' | ',' | ' ' | '\'') || mark == self.decimal_mark)
        {
            return invalid(
                "thousands_mark",
                "it has to be `.`, `,`, `'` or a space and not the decimal mark",
            );
        }
        if let AmountRule::Direction { debit, credit, .. } = &self.amount
            && (debit.is_empty() || credit.is_empty())
        {
            return invalid("amount", "both directions need at least one word");
        }
        if self.rules.iter().any(|rule| rule.contains.trim().is_empty()) {
            return invalid("rules", "a rule's text must not be empty, it would fit every row");
        }
        Ok(())
    }
}

/// The mapping's columns as positions counted from 0.
pub(super) struct Positions<'m> {
    pub date: usize,
    pub amount: AmountPositions<'m>,
    pub fee: Option<usize>,
    pub payee: Vec<usize>,
    pub payer: Vec<usize>,
    pub note: Vec<usize>,
    pub currency: Option<usize>,
    pub category: Option<usize>,
    /// One for each of the mapping's `skip_rows_where`.
    pub skip: Vec<usize>,
}

pub(super) enum AmountPositions<'m> {
    Signed { amount: usize },
    DebitCredit { debit: usize, credit: usize },
    Direction { amount: usize, direction: usize, debit: &'m [String], credit: &'m [String] },
}

/// The header a mapping's names are looked up in, with its line, or nothing for a file without one.
pub(super) struct Header<'r> {
    pub fields: Option<&'r StringRecord>,
    pub line: u64,
}

impl<'m> Positions<'m> {
    pub fn find(mapping: &'m Mapping, header: &Header<'_>) -> Result<Self, StatementError> {
        let one = |field, column: &Column| header.position(field, column);
        let maybe =
            |field, column: &Option<Column>| column.as_ref().map(|column| one(field, column)).transpose();
        let many = |field, columns: &[Column]| -> Result<Vec<usize>, StatementError> {
            columns.iter().map(|column| one(field, column)).collect()
        };
        let amount = match &mapping.amount {
            AmountRule::Signed { column } => AmountPositions::Signed { amount: one("amount", column)? },
            AmountRule::DebitCredit { debit, credit } => {
                AmountPositions::DebitCredit { debit: one("amount", debit)?, credit: one("amount", credit)? }
            }
            AmountRule::Direction { column, direction, debit, credit } => AmountPositions::Direction {
                amount: one("amount", column)?,
                direction: one("amount", direction)?,
                debit,
                credit,
            },
        };
        // Looked up only so that a wrong name is told.
        maybe("balance", &mapping.balance)?;
        Ok(Self {
            date: one("date", &mapping.date)?,
            amount,
            fee: maybe("fee", &mapping.fee)?,
            payee: many("payee", &mapping.payee)?,
            payer: many("payer", &mapping.payer)?,
            note: many("note", &mapping.note)?,
            currency: maybe("currency", &mapping.currency)?,
            category: maybe("category", &mapping.category)?,
            skip: mapping
                .skip_rows_where
                .iter()
                .map(|rule| one("skip_rows_where", &rule.column))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Header<'_> {
    fn position(&self, field: &'static str, column: &Column) -> Result<usize, StatementError> {
        match (column, self.fields) {
            (Column::Number(number), None) if (1..=COLUMNS_MAX).contains(&usize::from(*number)) => {
                Ok(usize::from(*number) - 1)
            }
            (Column::Number(number), Some(names)) if (1..=names.len()).contains(&usize::from(*number)) => {
                Ok(usize::from(*number) - 1)
            }
            (Column::Number(_), None) => Err(StatementError::MappingInvalid {
                field,
                reason: format!("columns are counted from 1 to {COLUMNS_MAX}"),
            }),
            (Column::Name(_), None) => Err(StatementError::MappingInvalid {
                field,
                reason: "a file without a header has no column names; give the column's number".to_owned(),
            }),
            (Column::Number(number), Some(names)) => Err(self.not_found(field, number.to_string(), names)),
            (Column::Name(wanted), Some(names)) => {
                let wanted = wanted.trim();
                let exact = names.iter().position(|name| name.trim() == wanted);
                exact
                    .or_else(|| {
                        names.iter().position(|name| name.trim().to_lowercase() == wanted.to_lowercase())
                    })
                    .ok_or_else(|| self.not_found(field, format!("`{wanted}`"), names))
            }
        }
    }

    fn not_found(&self, field: &'static str, column: String, names: &StringRecord) -> StatementError {
        let mut available = names.iter().take(40).map(str::trim).collect::<Vec<_>>().join(", ");
        if let Some((cut, _)) = available.char_indices().nth(500) {
            available.truncate(cut);
        }
        StatementError::ColumnNotFound { field, column, line: self.line, available }
    }
}
