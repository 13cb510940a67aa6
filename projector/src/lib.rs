//! Events in, rows out: keeps the read model up with the journal, and builds new ones.
//!
//! Each batch is written in one tx with the checkpoint it moves, and only from where the checkpoint stood. So a
//! batch counts once, whatever is repeated, restarted or done by two at once.

mod rebuild;
mod run;

pub use rebuild::{RebuildError, RebuildProgress, RebuildReport, Stage, rebuild};
pub use run::run;

/// The journal's word for a commit in the read model's.
fn told(commit: journal::Commit) -> read_model::Commit {
    read_model::Commit {
        partition: commit.partition,
        position: commit.position.0,
        book: commit.book,
        version: commit.version,
        hash: commit.hash.0,
        recorded_at: commit.recorded_at,
        actor: commit.actor,
        command: commit.command,
        events: commit.events,
    }
}

/// A fence as a checkpoint keeps it; a checkpoint at the start has none yet.
fn fence_from(text: &str) -> Result<journal::Fence, serde_json::Error> {
    if text.is_empty() { Ok(journal::Fence::default()) } else { serde_json::from_str(text) }
}

fn fence_text(fence: &journal::Fence) -> String {
    serde_json::to_string(fence).expect("a fence is made of numbers and a name")
}
