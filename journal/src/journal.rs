//! What a backend of the journal does. The logic (who may write, what counts) stands above it, once.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::record::{Hash, NewRecord};

/// Where a record stands in its partition. Opaque and ordered within one partition only; the first record has
/// position 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first record.
    pub const START: Position = Position(0);

    pub fn next(self) -> Self {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A log of records in a fixed number of partitions.
pub trait Journal: Send + Sync {
    /// Tells this journal from any other; state kept beside a journal names the one it was made from.
    fn id(&self) -> &str;

    /// Fixed for the life of the journal.
    fn partitions(&self) -> u32;

    /// Appends records in order, all or none, and calls `done` once it is known what became of them. Calls may
    /// overlap; records keep the order of the calls. `done` runs on the backend's thread and must not block.
    /// Where an append fails, those queued behind it fail as well: they would leave a gap in their owner's numbers.
    /// Bytes that are not UTF-8 are refused.
    fn append(&self, partition: u32, records: Vec<NewRecord>, done: AppendDone);

    /// Reads on from the record after `after`.
    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError>;

    /// The last position that is durable, where this process knows it.
    fn head(&self, partition: u32) -> Option<Position>;
}

pub type AppendDone = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub first: Position,
    pub last: Position,
}

#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Nothing was written, and nothing of it ever will be.
    #[error("the journal refused the records: {0}")]
    NotWritten(String),
    /// The records may stand in the journal or not; only reading tells.
    #[error("it is not known whether the journal took the records: {0}")]
    Unknown(String),
}

/// Reads one partition in order. Belongs to one thread, which it may block.
pub trait Reader: Send {
    /// The next records, waiting at most `wait` for the first of them. Empty once the wait is over.
    fn next(&mut self, wait: Duration) -> Result<Batch, ReadError>;
}

#[derive(Debug, Default)]
pub struct Batch {
    pub records: Vec<Stored>,
    /// Whether these records reach the end of the partition as it was when they were read.
    pub caught_up: bool,
}

/// A record as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub position: Position,
    /// What [`NewRecord::digest`] was when the record was written.
    pub digest: Hash,
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("record {position} of partition {partition} is damaged: {reason}")]
    Damaged { partition: u32, position: Position, reason: String },
    #[error("the journal cannot be read: {0}")]
    Backend(String),
}
