//! Rows in, HTTP out: a book's lists, overview, reports and history, read from the read model.
//!
//! Every read of a book goes the same way (`answer.rs`): who asks is held against the book's members, the version
//! that is shown becomes the `ETag`, and an answer that was computed before for that version is given again.
//! [`routes`] is the table of all routes; each has a file of its own.

pub mod routes;

mod answer;
pub mod clock;
mod config;
pub mod names;

mod asked_period;
mod filter;
mod pages;

mod groups;
mod periods;
mod tally;
mod totals;

mod account;
mod accounts;
mod book;
mod books;
mod cash_flow;
mod categories;
mod category;
mod changes;
mod commit;
mod entries;
mod entry;
mod entry_history;
mod export;
mod history;
mod import;
mod import_progress;
mod imports;
mod invitations;
mod live;
mod members;
mod net_worth;
mod overview;
mod payees;
mod spending_report;
mod statistics;
mod tags;

pub use answer::QueryApi;
pub use config::Config;
pub use routes::{router, run};
