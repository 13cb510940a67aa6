use csv::StringRecord;

use super::mapping::{AmountPositions, Header, Positions};
use super::records::{Record, Records};
use super::{Mapping, SkipWhen};
use crate::statements::amount::{AmountFault, currency_code};
use crate::statements::encoding::decode;
use crate::statements::statement::{shown, single_spaced};
use crate::statements::{
    FIELD_CHARS_MAX, Format, Line, NumberedBy, Refusal, Row, Statement, StatementError, refuse_size,
};

/// Reads a whole file. `decimals` are those of the account's currency.
///
/// Blank lines and lines of nothing but signs (`*****`) are passed over. Every other line is in the answer: as a row, or
/// with the reason it is none. Totals under the table are refused like any line without a date, so that nothing that might
/// have been money disappears unseen.
pub fn read(bytes: &[u8], mapping: &Mapping, decimals: u8) -> Result<Statement, StatementError> {
    refuse_size(bytes)?;
    mapping.check()?;
    let text = decode(bytes, mapping.encoding)?;
    let mut records = Records::of_mapping(&text, mapping);

    let positions = if mapping.has_header {
        let Some(record) = records.next()? else {
            return Err(StatementError::NoRecords { line: records.line() });
        };
        Positions::find(mapping, &Header { fields: Some(record.fields), line: record.line })?
    } else {
        Positions::find(mapping, &Header { fields: None, line: 1 })?
    };

    let mut lines = Vec::new();
    while let Some(record) = records.next()? {
        if record.quote_closed && is_blank(record.fields) {
            continue;
        }
        lines.push(Line { number: record.line, outcome: row(&record, mapping, &positions, decimals) });
    }
    if lines.is_empty() {
        return Err(StatementError::NoRecords { line: records.line() });
    }
    Ok(Statement {
        format: Format::Csv,
        accounts: Vec::new(),
        categories: Vec::new(),
        transfers_stand_twice: false,
        numbered_by: NumberedBy::Line,
        reasons: Vec::new(),
        lines,
    })
}

/// No letter, no digit, and no zero byte that would tell of a damaged file.
pub(in crate::statements) fn is_blank(fields: &StringRecord) -> bool {
    !fields.as_slice().contains(|letter: char| letter.is_alphanumeric() || letter == '\0')
}

fn row(
    record: &Record<'_>,
    mapping: &Mapping,
    positions: &Positions<'_>,
    decimals: u8,
) -> Result<Row, Refusal> {
    if !record.quote_closed {
        return Err(Refusal::new("quote_not_closed", "A quote opens on this line and is not closed."));
    }
    let fields = record.fields;
    for (at, field) in fields.iter().enumerate() {
        if field.len() > FIELD_CHARS_MAX && field.chars().count() > FIELD_CHARS_MAX {
            let detail = format!("Column {} has more than {FIELD_CHARS_MAX} characters.", at + 1);
            return Err(Refusal::new("field_too_long", detail));
        }
        if let Some(control) = field.chars().find(|letter| letter.is_control() && !letter.is_whitespace()) {
            let detail = format!("Column {} holds the control character {:#04x}.", at + 1, control as u32);
            return Err(Refusal::new("control_character", detail));
        }
    }
    refuse_skipped(fields, mapping, positions)?;

    let cell = cell(fields, positions.date);
    if cell.is_empty() {
        return Err(Refusal::new("date_missing", "The date's column is empty."));
    }
    let Some(occurred_on) = mapping.date_format.parse(cell) else {
        let detail = format!("`{}` is no date written {}.", shown(cell), mapping.date_format);
        return Err(Refusal::new("date_invalid", detail));
    };

    let amount_minor = signed_amount(fields, mapping, positions, decimals)?;
    let currency = match positions.currency.map(|at| self::cell(fields, at)) {
        None | Some("") => None,
        Some(text) => Some(currency_code(text).ok_or_else(|| {
            Refusal::new("currency_invalid", format!("`{}` is no currency code such as EUR.", shown(text)))
        })?),
    };

    // Nothing below can be refused.
    let payer = if amount_minor > 0 { joined(fields, &positions.payer) } else { String::new() };
    let payee = if payer.is_empty() { joined(fields, &positions.payee) } else { payer };
    let note = joined(fields, &positions.note);
    let category_hint = positions.category.map(|at| single_spaced(self::cell(fields, at)));
    let row = Row {
        currency,
        category_hint: category_hint.filter(|hint| !hint.is_empty()),
        ..Row::new(occurred_on, amount_minor)
    };
    Ok(row.with_texts(payee, note))
}

pub(super) fn refuse_skipped(
    fields: &StringRecord,
    mapping: &Mapping,
    positions: &Positions<'_>,
) -> Result<(), Refusal> {
    for (rule, at) in mapping.skip_rows_where.iter().zip(&positions.skip) {
        let value = cell(fields, *at);
        let listed = holds(&rule.values, value);
        let skipped = match rule.when {
            SkipWhen::OneOf => listed,
            SkipWhen::NoneOf => !listed,
        };
        if skipped {
            let detail = format!("The mapping skips rows with `{}` in column {}.", shown(value), at + 1);
            return Err(Refusal::new("row_skipped", detail));
        }
    }
    Ok(())
}

pub(super) fn signed_amount(
    fields: &StringRecord,
    mapping: &Mapping,
    positions: &Positions<'_>,
    decimals: u8,
) -> Result<i64, Refusal> {
    let marks = mapping.marks();
    let parse = |at| {
        let text = cell(fields, at);
        marks.parse(text, decimals).or_else(|fault| match fault {
            AmountFault::Missing => Ok(0),
            AmountFault::Invalid | AmountFault::TooManyDecimals | AmountFault::TooLarge => {
                Err(fault.refusal(text, marks, decimals))
            }
        })
    };
    let missing = |columns: &[usize]| columns.iter().all(|at| cell(fields, *at).is_empty());
    let too_large = || Refusal::new("amount_too_large", "The amount is too large.");

    let (columns, amount) = match positions.amount {
        AmountPositions::Signed { amount } => (vec![amount], parse(amount)?),
        AmountPositions::DebitCredit { debit, credit } => {
            let (out, into) = (parse(debit)?.abs(), parse(credit)?.abs());
            if out != 0 && into != 0 {
                let detail = "Debit and credit are both filled; a line moves money one way.";
                return Err(Refusal::new("debit_and_credit", detail));
            }
            (vec![debit, credit], into - out)
        }
        AmountPositions::Direction { amount, direction, debit, credit } => {
            let sign = direction_sign(cell(fields, direction), debit, credit)?;
            (vec![amount], sign * parse(amount)?.abs())
        }
    };
    if missing(&columns) {
        return Err(Refusal::new("amount_missing", "The line has no amount."));
    }
    let fee = positions.fee.map_or(Ok(0), parse)?;
    let amount = if mapping.invert_sign { -amount } else { amount };
    let amount = amount.checked_sub(fee).ok_or_else(too_large)?;
    if amount == 0 {
        return Err(Refusal::new("amount_zero", "The amount is zero, so no money moved."));
    }
    Ok(amount)
}

fn direction_sign(word: &str, debit: &[String], credit: &[String]) -> Result<i64, Refusal> {
    if holds(debit, word) {
        return Ok(-1);
    }
    if holds(credit, word) {
        return Ok(1);
    }
    let detail = format!(
        "`{}` is neither one of {} (money out) nor of {} (money in).",
        shown(word),
        debit.join(", "),
        credit.join(", ")
    );
    Err(Refusal::new("direction_unknown", detail))
}

fn holds(words: &[String], wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    words.iter().any(|word| word.trim().to_lowercase() == wanted)
}

/// Empty where the record is shorter than the header.
pub(in crate::statements) fn cell(fields: &StringRecord, at: usize) -> &str {
    fields.get(at).unwrap_or_default().trim()
}

fn joined(fields: &StringRecord, columns: &[usize]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for at in columns {
        let part = single_spaced(cell(fields, *at));
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(" ")
}
