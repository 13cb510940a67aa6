//! CSV statements. A [`Mapping`] says how one bank writes its file, [`guess`] finds the mapping of an unknown file and
//! [`read`] turns the file into rows. A line that cannot be taken is refused with its number and the other lines go on;
//! only a file that cannot be read as a whole is a [`StatementError`].

mod amount;
mod date_format;
mod encoding;
mod guess;
mod header_words;
mod mapping;
mod read;
mod records;

pub use date_format::DateFormat;
pub use encoding::Encoding;
pub use guess::{Confidence, Guess, Reason, guess};
pub use mapping::{AmountRule, CategoryRule, Column, Mapping, SkipRule, SkipWhen};
pub use read::{Line, Refusal, Row, Statement, read};

use thiserror::Error;

/// Larger exports span decades; a person can ask the bank for one year at a time.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
pub const RECORDS_MAX: usize = 200_000;
pub const COLUMNS_MAX: usize = 512;
pub const FIELD_CHARS_MAX: usize = 10_000;

/// Why a file as a whole cannot be read. The text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    #[error("The file is empty. Export the statement again and send that file.")]
    FileEmpty,
    #[error("The file has {bytes} bytes, more than the {FILE_BYTES_MAX} allowed. Export a shorter period.")]
    FileTooLarge { bytes: usize },
    #[error("The file is {what}, not CSV text. Export the statement as CSV.")]
    FileNotText { what: &'static str },
    #[error("Line {line} has bytes that are not {encoding}. Choose another encoding in the mapping.")]
    EncodingInvalid { line: u64, encoding: &'static str },
    #[error("{reason} Send a mapping that names the columns.")]
    FormatNotRecognised { reason: &'static str },
    #[error("The mapping's {field} cannot be used: {reason}.")]
    MappingInvalid { field: &'static str, reason: String },
    #[error(
        "The mapping's {field} names column {column}, which the header on line {line} does not have. It has: {available}."
    )]
    ColumnNotFound { field: &'static str, column: String, line: u64, available: String },
    #[error("No transaction follows line {line}. Export a period that has some.")]
    NoRecords { line: u64 },
    #[error("Line {line} is beyond the {RECORDS_MAX} records allowed. Export a shorter period.")]
    TooManyRecords { line: u64 },
    #[error("Line {line} has {columns} columns, more than the {COLUMNS_MAX} allowed. Check the delimiter.")]
    TooManyColumns { line: u64, columns: usize },
    #[error("Line {line} cannot be read as CSV. Check the delimiter and the quote.")]
    RecordUnreadable { line: u64 },
}

impl StatementError {
    /// Stable, for problem documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileEmpty => "statement_empty",
            Self::FileTooLarge { .. } => "statement_too_large",
            Self::FileNotText { .. } => "statement_not_text",
            Self::EncodingInvalid { .. } => "statement_encoding_invalid",
            Self::FormatNotRecognised { .. } => "statement_format_not_recognised",
            Self::MappingInvalid { .. } => "statement_mapping_invalid",
            Self::ColumnNotFound { .. } => "statement_column_not_found",
            Self::NoRecords { .. } => "statement_without_records",
            Self::TooManyRecords { .. } => "statement_too_many_records",
            Self::TooManyColumns { .. } => "statement_too_many_columns",
            Self::RecordUnreadable { .. } => "statement_record_unreadable",
        }
    }

    /// The physical line, counted from 1, where the trouble is, when it is at one place.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::EncodingInvalid { line, .. }
            | Self::ColumnNotFound { line, .. }
            | Self::NoRecords { line }
            | Self::TooManyRecords { line }
            | Self::TooManyColumns { line, .. }
            | Self::RecordUnreadable { line } => Some(*line),
            Self::FileEmpty
            | Self::FileTooLarge { .. }
            | Self::FileNotText { .. }
            | Self::FormatNotRecognised { .. }
            | Self::MappingInvalid { .. } => None,
        }
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
