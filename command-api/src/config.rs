use serde::{Deserialize, Serialize};

/// The settings of the command API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Commands that may wait for one partition; further ones are shed with 503.
    pub queue_max: usize,
    /// Commits that may be on their way into the journal at once, per partition.
    pub in_flight_max: usize,
    /// For how many days a repeated idempotency key gets its first answer again. 30 is the least.
    pub keys_kept_days: u32,
    /// Books kept in memory per partition; the others are read from the decision state when they are needed.
    pub hot_books_max: usize,
    /// Entries kept in memory per partition, of all hot books together.
    pub hot_entries_max: usize,
    /// Commits after which the decision state is saved.
    pub save_every_commits: usize,
    /// The largest file that can be imported, in bytes. Statements have at most 16 MiB of it; a whole book may fill it.
    pub import_bytes_max: usize,
    /// Lines of an import that go into one commit.
    pub import_commit_lines: usize,
    /// For how many days an invitation can be accepted.
    pub invitation_days: u32,
    /// Where the decision state lies; filled in from the data directory.
    #[serde(skip)]
    pub directory: std::path::PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            queue_max: 10_000,
            in_flight_max: 2_048,
            keys_kept_days: 30,
            hot_books_max: 20_000,
            hot_entries_max: 500_000,
            save_every_commits: 5_000,
            import_bytes_max: 64 << 20,
            import_commit_lines: 500,
            invitation_days: 7,
            directory: std::path::PathBuf::new(),
        }
    }
}
