//! Account statements as banks and cards export them, read into rows that an import can take.
//!
//! Everything here is pure: bytes in, rows and refusals out. Which account a row belongs to, whether it is known already
//! and what it becomes in the book is the caller's business.

pub mod csv;
