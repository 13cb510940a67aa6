//! What a person says about a file: how it is laid out, where its lines go, what they were for.

use std::collections::BTreeMap;

use http_kit::{
    json,
    problem::{FieldError, Problem},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::statements::{
    DateOrder, Encoding, Format, Hints,
    csv::{self, CategoryRule},
};

/// How a file is read. A CSV file's columns are described; other formats describe themselves.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ImportMapping)]
#[allow(clippy::large_enum_variant)]
pub enum Mapping {
    Csv(csv::Mapping),
    File(FileMapping),
}

/// A file's format, where it is not a bank's CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// OFX 1 and 2, and QFX.
    Ofx,
    Qif,
    Camt053,
    YnabCsv,
    ActualCsv,
    ActualJson,
    FireflyCsv,
    FireflyJson,
    /// What this program exports as JSON: a whole book, which goes into an empty one, all of it or nothing.
    Daybook,
}

/// Where the lines of a file go that names its accounts and categories, or has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileMapping {
    pub format: FileFormat,
    /// The account of lines for which the file names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The accounts of the file, by name or number as the guess shows them, and which of the book's they are. `null` leaves
    /// an account's lines out. One that is not here is looked for by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, Option<String>>,
    /// The categories of the file, by their path as the guess shows it (`Food / Groceries`), and which of the book's they
    /// are. One that is not here is looked for by its path, then by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, String>,
    /// Whether accounts and categories that the book does not have are made.
    #[serde(default)]
    pub create_missing: bool,
    /// Tried in order before the file's categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<CategoryRule>,
    /// Texts that tell of money going to another account of the book, or coming from there: the other account's number,
    /// or what the bank writes. Tried before the rules.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub transfers: BTreeMap<String, String>,
    /// How many days the two sides of a transfer may be apart, at most 14. 3 if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_days: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_expense_category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_income_category: Option<String>,
    /// Instead of the encoding that the file declares or seems to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// For QIF and YNAB, whose files do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// `.` or `,`, for QIF and YNAB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<char>,
}

impl Mapping {
    /// A mapping that names a format other than CSV is of a file that describes itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Probe {
            format: Option<serde_json::Value>,
        }
        let named = serde_json::from_slice::<Probe>(bytes).ok().and_then(|probe| probe.format);
        let read = match named {
            None => json::parse(bytes).map(Self::Csv),
            Some(format) if format == "csv" => json::parse(&without_format(bytes)).map(Self::Csv),
            Some(_) => json::parse(bytes).map(Self::File),
        };
        read.map_err(in_mapping)
    }
}

fn without_format(bytes: &[u8]) -> Vec<u8> {
    let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_slice(bytes) else {
        return bytes.to_vec();
    };
    fields.remove("format");
    serde_json::Value::Object(fields).to_string().into_bytes()
}

/// The faults of the mapping, as the form sees them.
fn in_mapping(problem: Problem) -> Problem {
    if problem.errors().is_empty() {
        return problem;
    }
    let below = |error: &FieldError| FieldError {
        pointer: format!("/mapping{}", error.pointer),
        code: error.code,
        detail: error.detail.clone(),
    };
    Problem::from_fields(problem.errors().iter().map(below).collect())
}

impl FileFormat {
    /// `None` for a CSV, which has a mapping of its own.
    pub fn of(format: Format) -> Option<Self> {
        match format {
            Format::Csv => None,
            Format::Ofx => Some(Self::Ofx),
            Format::Qif => Some(Self::Qif),
            Format::Camt053 => Some(Self::Camt053),
            Format::YnabCsv => Some(Self::YnabCsv),
            Format::ActualCsv => Some(Self::ActualCsv),
            Format::ActualJson => Some(Self::ActualJson),
            Format::FireflyCsv => Some(Self::FireflyCsv),
            Format::FireflyJson => Some(Self::FireflyJson),
        }
    }

    /// `None` for a whole book.
    pub fn statement(self) -> Option<Format> {
        match self {
            Self::Ofx => Some(Format::Ofx),
            Self::Qif => Some(Format::Qif),
            Self::Camt053 => Some(Format::Camt053),
            Self::YnabCsv => Some(Format::YnabCsv),
            Self::ActualCsv => Some(Format::ActualCsv),
            Self::ActualJson => Some(Format::ActualJson),
            Self::FireflyCsv => Some(Format::FireflyCsv),
            Self::FireflyJson => Some(Format::FireflyJson),
            Self::Daybook => None,
        }
    }
}

impl FileMapping {
    /// With nothing said but the format.
    pub fn new(format: FileFormat) -> Self {
        Self {
            format,
            account: None,
            accounts: BTreeMap::new(),
            categories: BTreeMap::new(),
            create_missing: false,
            rules: Vec::new(),
            transfers: BTreeMap::new(),
            transfer_days: None,
            default_expense_category: None,
            default_income_category: None,
            encoding: None,
            date_order: None,
            decimal_mark: None,
        }
    }

    pub fn hints(&self) -> Hints {
        Hints {
            encoding: self.encoding,
            date_order: self.date_order,
            decimal_mark: self.decimal_mark,
            mapping: None,
        }
    }
}
