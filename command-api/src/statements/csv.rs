//! CSV statements. A [`Mapping`] says how one bank writes its file, [`guess`] finds the mapping of an unknown file and
//! [`read`] turns the file into rows.

mod date_format;
mod guess;
mod header_words;
mod mapping;
mod read;
mod records;

pub use date_format::DateFormat;
pub use guess::{Guess, guess};
pub use mapping::{AmountRule, CategoryRule, Column, Mapping, SkipRule, SkipWhen};
pub use read::read;
pub(super) use read::{cell, is_blank};
pub(super) use records::{Record, Records};
