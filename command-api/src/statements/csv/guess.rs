//! The mapping of a file nobody has described: headers in six languages say what they can, the cells have to agree, and
//! a running balance, where there is one, proves which way the money went.

mod dates;
mod sheet;
mod sign;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::dates::is_date;
use self::sheet::Sheet;
use super::header_words::Role;
use super::records::Records;
use super::{AmountRule, Mapping};
use crate::statements::encoding::{decode, detect};
use crate::statements::marks::marks_of;
use crate::statements::{Confidence, Reason, StatementError, refuse_size};

/// More than any currency has, so that guessing never stumbles over decimals.
const DECIMALS: u8 = 6;

/// How many columns of one role are tried. Every amount is tried with every fee and every balance, and a hostile header
/// has five hundred of each.
const TRIED_MAX: usize = 4;

/// A mapping for confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Guess {
    pub mapping: Mapping,
    /// The least of the reasons'.
    pub confidence: Confidence,
    /// The one currency the whole file is in, where it says so.
    pub currency: Option<String>,
    pub reasons: Vec<Reason>,
}

#[derive(Default)]
struct Reasons(Vec<Reason>);

impl Reasons {
    fn add(&mut self, about: &str, confidence: Confidence, because: impl Into<String>) {
        self.0.push(Reason { about: about.to_owned(), because: because.into(), confidence });
    }
}

/// Finds the mapping of a file.
pub fn guess(bytes: &[u8]) -> Result<Guess, StatementError> {
    refuse_size(bytes)?;
    refuse_other_formats(bytes)?;
    let mut reasons = Reasons::default();
    let (encoding, because) = detect(bytes);
    let text = decode(bytes, encoding)?;
    refuse_binary(&text)?;
    reasons.add("encoding", Confidence::High, because);

    let table = table::find(&text)?;
    match &table.header {
        Some(_) => {
            let because = format!("Line {} names the columns.", table.header_lines + 1);
            reasons.add("header_lines", Confidence::High, because);
        }
        None => reasons.add(
            "has_header",
            Confidence::Medium,
            "No line names the columns; they are told by their cells.",
        ),
    }

    let sheet = Sheet::new(&table);
    let date = sheet.date_column()?;
    let others: Vec<usize> =
        sheet.columns().filter(|at| *at != date && sheet.mostly(*at, is_date)).take(TRIED_MAX).collect();
    let (amount_marks, confidence, because) = marks_of(&sheet.amount_cells(), table.delimiter);
    reasons.add("decimal_mark", confidence, because);
    let currency = sheet.currency();
    let month_first =
        amount_marks.decimal == '.' && currency.code.as_deref().is_none_or(|code| code == "USD");
    let cut = table.header_lines + u64::from(table.header.is_some());
    let records = Records::new(&text, table.delimiter, Some(b'"'), cut);
    let (date_format, confidence, because) = dates::format_of(records, date, &others, month_first)?;
    reasons.add("date_format", confidence, because);

    let texts = sheet.texts();
    let mut mapping = Mapping {
        encoding,
        delimiter: char::from(table.delimiter),
        quote: Some('"'),
        header_lines: table.header_lines,
        has_header: table.header.is_some(),
        date: sheet.column(date),
        date_format,
        amount: AmountRule::Signed { column: sheet.column(date) },
        decimal_mark: amount_marks.decimal,
        thousands_mark: amount_marks.thousands,
        invert_sign: false,
        fee: None,
        payee: sheet.named(&texts.payee),
        payer: sheet.named(&texts.payer),
        note: sheet.named(&texts.note),
        currency: currency.column.map(|at| sheet.column(at)),
        category: sheet.with_words(Role::Category).next().map(|at| sheet.column(at)),
        balance: None,
        skip_rows_where: sheet.skip_rules(),
        account: None,
        rules: Vec::new(),
        transfers: BTreeMap::new(),
        transfer_days: None,
        default_expense_category: None,
        default_income_category: None,
    };
    sign::settle_amount(&sheet, &mut mapping, &texts, &mut reasons)?;

    let confidence = reasons.0.iter().map(|reason| reason.confidence).min().unwrap_or(Confidence::Low);
    Ok(Guess { mapping, confidence, currency: currency.code, reasons: reasons.0 })
}

fn refuse_other_formats(bytes: &[u8]) -> Result<(), StatementError> {
    const BEGINNINGS: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"<", "an XML or HTML document"),
        (b"OFXHEADER", "an OFX statement"),
    ];
    let start = bytes.trim_ascii_start();
    match BEGINNINGS.iter().find(|(beginning, _)| start.starts_with(beginning)) {
        Some((_, what)) => Err(StatementError::FileNotText { what }),
        None => Ok(()),
    }
}

/// One stray control character is a line's matter; more than one in fifty is no text.
fn refuse_binary(text: &str) -> Result<(), StatementError> {
    let (mut letters, mut controls) = (0, 0);
    for letter in text.chars().take(65_536) {
        letters += 1;
        controls += usize::from(letter.is_control() && !letter.is_whitespace() && letter != '\u{1a}');
    }
    if controls * 50 > letters {
        return Err(StatementError::FileNotText { what: "binary data" });
    }
    Ok(())
}
