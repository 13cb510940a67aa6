//! What is asked of the tables. Each question is a function of a connection; several asked of one connection
//! within one read see the same version of the book.

mod rows;

pub mod accounts;
pub mod balances;
pub mod books;
pub mod categories;
pub mod entries;
pub mod export;
pub mod filter;
pub mod history;
pub mod imports;
pub mod invitations;
pub mod spending;
pub mod words;

pub use rusqlite::{Connection, Error as SqlError};
