//! Statements and ledgers as banks, cards and other programs export them, read into rows that an import can take.
//!
//! Everything here is pure: bytes in, rows and refusals out. Which account of the book a row belongs to, whether it is
//! known already and what it becomes is the caller's business. [`recognise`] tells the format of a file, [`read`] turns
//! it into a [`Statement`]: a line that cannot be taken is refused with its number and the others go on; only a file that
//! cannot be read as a whole is a [`StatementError`].
//!
//! Whatever a file holds stays text: a cell such as `=HYPERLINK(…)` is kept as it is, and whoever writes it into a
//! spreadsheet's file again has to neutralise it there.

mod actual;
mod amount;
mod camt053;
pub mod csv;
mod dates;
mod encoding;
mod fault;
mod firefly;
mod gather;
mod json;
mod lines;
mod marks;
mod markup;
mod ofx;
mod qif;
mod recognise;
mod statement;
mod table;
mod ynab;

pub use encoding::Encoding;
pub use fault::StatementError;
pub use recognise::recognise;
pub use statement::{
    Confidence, Line, NamedAccount, NamedCategory, NumberedBy, Reason, Refusal, Row, Split, Statement,
    Transfer,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Larger exports span decades; a person can ask the bank for one year at a time.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
pub const RECORDS_MAX: usize = 200_000;
pub const COLUMNS_MAX: usize = 512;
pub const FIELD_CHARS_MAX: usize = 10_000;
/// Accounts that one file may name; each may become one of the book's.
pub const ACCOUNTS_MAX: usize = 500;
/// Elements of XML or JSON inside one another. CAMT.053 needs about fifteen.
pub const DEPTH_MAX: usize = 64;
/// Parts that one split transaction may have; a book takes no more.
pub const SPLITS_MAX: usize = 100;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A bank's table, laid out as a mapping says.
    Csv,
    /// OFX 1 (SGML) and 2 (XML), and QFX, which is OFX under another name.
    Ofx,
    Qif,
    /// ISO 20022 bank to customer statement, versions 02 to 08 and those after them that kept its shape.
    Camt053,
    /// YNAB's export of its register.
    YnabCsv,
    ActualCsv,
    /// Actual's transactions as its API gives them: whole hundredths.
    ActualJson,
    FireflyCsv,
    /// Firefly III's transactions as its API gives them.
    FireflyJson,
}

impl Format {
    /// Another ledger's file: its accounts and categories were named by a person and are worth having in the book.
    pub fn is_ledger(self) -> bool {
        match self {
            Self::Csv | Self::Ofx | Self::Camt053 => false,
            Self::Qif
            | Self::YnabCsv
            | Self::ActualCsv
            | Self::ActualJson
            | Self::FireflyCsv
            | Self::FireflyJson => true,
        }
    }
}

/// What a person says about a file. What is not said is told by the file or guessed, and [`Statement::reasons`] says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hints {
    /// Instead of the encoding that an OFX or QIF file declares or seems to have.
    pub encoding: Option<Encoding>,
    /// For QIF and YNAB, whose files do not say it.
    pub date_order: Option<DateOrder>,
    /// `.` or `,`, for QIF and YNAB.
    pub decimal_mark: Option<char>,
    /// The layout of a CSV file.
    pub mapping: Option<csv::Mapping>,
}

/// The order of a date that is written in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    MonthFirst,
    DayFirst,
    YearFirst,
}

/// How many decimals the money of an account has, where the file does not name a currency: of the account as the file
/// names it, or of the one that the import is for.
pub type DecimalsOf<'a> = dyn Fn(Option<&NamedAccount>) -> u8 + 'a;

/// Reads a whole file.
pub fn read(
    bytes: &[u8],
    format: Format,
    hints: &Hints,
    decimals_of: &DecimalsOf<'_>,
) -> Result<Statement, StatementError> {
    refuse_size(bytes)?;
    if hints.decimal_mark.is_some_and(|mark| !matches!(mark, '.' | ',')) {
        let reason = "it has to be `.` or `,`".to_owned();
        return Err(StatementError::MappingInvalid { field: "decimal_mark", reason });
    }
    match format {
        Format::Csv => {
            let mapping = match &hints.mapping {
                Some(mapping) => mapping.clone(),
                None => csv::guess(bytes)?.mapping,
            };
            csv::read(bytes, &mapping, decimals_of(None))
        }
        Format::Ofx => ofx::read(bytes, hints, decimals_of),
        Format::Qif => qif::read(bytes, hints, decimals_of),
        Format::Camt053 => camt053::read(bytes, hints, decimals_of),
        Format::YnabCsv => ynab::read(bytes, hints, decimals_of),
        Format::ActualCsv => actual::read_csv(bytes, hints, decimals_of),
        Format::ActualJson => actual::read_json(bytes, decimals_of),
        Format::FireflyCsv => firefly::read_csv(bytes, hints, decimals_of),
        Format::FireflyJson => firefly::read_json(bytes, decimals_of),
    }
}

fn refuse_size(bytes: &[u8]) -> Result<(), StatementError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(StatementError::FileTooLarge { bytes: bytes.len() });
    }
    if bytes.iter().all(|byte| byte.is_ascii_whitespace()) {
        return Err(StatementError::FileEmpty);
    }
    Ok(())
}
