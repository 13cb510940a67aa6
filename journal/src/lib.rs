//! The log of record: what has been decided, in order, for ever.
//!
//! - [`record`]: the bytes of a claim and of a commit, and the hash that chains a book's commits.
//! - [`ownership`]: the one rule by which every reader tells what counts from what is ignored.
//! - [`Journal`]: the few verbs a backend has; [`sqlite`] is one.
//! - [`seal`], [`keys`]: personal text is sealed before it is hashed, under a key of its book.
//! - [`CommitReader`], [`tenure`]: reading accepted commits; taking and writing a partition.
//! - [`verify`]: the auditor's check, of a journal or of an exported file.

mod commit_reader;
mod journal;
pub mod keys;
pub mod ownership;
pub mod record;
pub mod seal;
pub mod sqlite;
pub mod tenure;
pub mod verify;

pub use commit_reader::{Accepted, CommitReader, commit_at};
pub use journal::{AppendDone, AppendError, Appended, Batch, Journal, Position, ReadError, Reader, Stored};
pub use keys::KeyStore;
pub use ownership::Fence;
pub use record::{Commit, Hash, NewRecord, partition_of};
