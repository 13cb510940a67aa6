//! The rules of Daybook. Pure: no async, no I/O, no clock, no randomness.
//!
//! Read in this order: the values ([`id`], [`money`], [`text`], [`posting`]), what is kept ([`entry`]), the
//! events and the state they fold into ([`event`], [`book`]), then the commands, what they are decided to be
//! ([`command`], [`decide()`]) and why they may be refused ([`Rejection`]).

pub mod book;
pub mod command;
mod decide;
pub mod entry;
pub mod event;
pub mod id;
pub mod money;
pub mod posting;
mod rejection;
pub mod starter;
pub mod text;
mod thing;
pub mod touch;

pub use book::{Book, Recorded};
pub use command::Command;
pub use decide::{BULK_MAX, decide};
pub use event::Event;
pub use rejection::Rejection;
pub use thing::Thing;
