use thiserror::Error;

use super::{ACCOUNTS_MAX, COLUMNS_MAX, DEPTH_MAX, FILE_BYTES_MAX, RECORDS_MAX};

/// Why a file as a whole cannot be read. The text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    #[error("The file is empty. Export the statement again and send that file.")]
    FileEmpty,
    #[error("The file has {bytes} bytes, more than the {FILE_BYTES_MAX} allowed. Export a shorter period.")]
    FileTooLarge { bytes: usize },
    #[error("The file is {what}, not a statement that can be read. Export it as CSV, OFX, QIF or CAMT.053.")]
    FileNotText { what: &'static str },
    #[error("Line {line} has bytes that are not {encoding}. Choose another encoding.")]
    EncodingInvalid { line: u64, encoding: &'static str },
    #[error("{reason} Send a mapping that names the columns.")]
    FormatNotRecognised { reason: &'static str },
    #[error("The file is {what}, which is not read. {instead}")]
    FormatNotRead { what: &'static str, instead: &'static str },
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
    #[error("Line {line} names an account beyond the {ACCOUNTS_MAX} allowed. Export fewer accounts.")]
    TooManyAccounts { line: u64 },
    #[error("Line {line} cannot be read as CSV. Check the delimiter and the quote.")]
    RecordUnreadable { line: u64 },
    #[error("On line {line} {reason}. Export the statement again and send that file unchanged.")]
    Malformed { line: u64, reason: String },
    #[error("Line {line} is inside more than {DEPTH_MAX} others, which no statement needs. Export it again.")]
    TooDeep { line: u64 },
    #[error(
        "Line {line} has {what}, which may name other files or blow up in memory and is never read. \
         Remove it, or export the statement without it."
    )]
    EntityRefused { line: u64, what: &'static str },
}

impl StatementError {
    /// Stable, for problem documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FileEmpty => "statement_empty",
            Self::FileTooLarge { .. } => "statement_too_large",
            Self::FileNotText { .. } => "statement_not_text",
            Self::EncodingInvalid { .. } => "statement_encoding_invalid",
            Self::FormatNotRecognised { .. } | Self::FormatNotRead { .. } => {
                "statement_format_not_recognised"
            }
            Self::MappingInvalid { .. } => "statement_mapping_invalid",
            Self::ColumnNotFound { .. } => "statement_column_not_found",
            Self::NoRecords { .. } => "statement_without_records",
            Self::TooManyRecords { .. } => "statement_too_many_records",
            Self::TooManyColumns { .. } => "statement_too_many_columns",
            Self::TooManyAccounts { .. } => "statement_too_many_accounts",
            Self::RecordUnreadable { .. } => "statement_record_unreadable",
            Self::Malformed { .. } => "statement_malformed",
            Self::TooDeep { .. } => "statement_too_deep",
            Self::EntityRefused { .. } => "statement_entity_refused",
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
            | Self::TooManyAccounts { line }
            | Self::RecordUnreadable { line }
            | Self::Malformed { line, .. }
            | Self::TooDeep { line }
            | Self::EntityRefused { line, .. } => Some(*line),
            Self::FileEmpty
            | Self::FileTooLarge { .. }
            | Self::FileNotText { .. }
            | Self::FormatNotRecognised { .. }
            | Self::FormatNotRead { .. }
            | Self::MappingInvalid { .. } => None,
        }
    }
}
