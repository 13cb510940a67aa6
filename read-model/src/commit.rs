use chrono::{DateTime, Utc};
use domain::{
    Event,
    id::{BookId, UserId},
};

/// What a projection is told of a commit. The journal's own word for it knows more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub partition: u32,
    pub position: u64,
    pub book: BookId,
    /// The book's version that this commit made.
    pub version: u64,
    pub hash: [u8; 32],
    pub recorded_at: DateTime<Utc>,
    pub actor: UserId,
    pub command: String,
    pub events: Vec<Event>,
}
