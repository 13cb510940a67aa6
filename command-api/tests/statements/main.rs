//! Statements laid out as real banks, cards and ledgers export them, with invented lines, and files that are broken on
//! purpose.

mod broken;
mod broken_formats;
mod formats;
mod mutations;
mod samples;
