//! The tables that queries read: how commits become rows, and the files the rows are kept in.
//!
//! Nothing here is truth. A [`Projection`] maps commits to [`Rows`] without looking at anything else, `apply`
//! writes them in one tx with the checkpoint they stand for, and any file can be built again from the
//! journal's start and [`compare()`]d with another, row by row.

mod apply;
mod boot;
mod builder;
mod commit;
mod compare;
mod connection;
mod files;
mod model;
mod progress;
mod projection;
pub mod queries;
mod sheet;

pub use apply::{ApplyError, Batch};
pub use builder::{BuildError, Builder};
pub use commit::Commit;
pub use compare::{Comparison, Difference, Snapshot, compare};
pub use connection::{Checkpoint, OpenError, checkpoints, open_reader};
pub use files::{Directory, FilesError, RebuildLock};
pub use model::{Config, ModelError, ReadError, ReadModel, Visible};
pub use progress::{Followed, Partition, Progress};
pub use projection::{Projection, Rows};
