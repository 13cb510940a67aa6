//! A new read model beside the old one: built from the journal's start, compared with the old one where that
//! stands, brought to the journal's end, made the current one.
//!
//! Only the journal is read and only the new file is written, so this works beside a running server. Three
//! threads share the work: the journal's reader decodes, one projects, this one writes.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};

use journal::{Accepted, CommitReader, Fence, Journal, KeyStore, Position};
use read_model::{
    ApplyError, Batch, BuildError, Builder, Checkpoint, Comparison, Difference, Directory, FilesError,
    OpenError, Projection, ReadError, Snapshot, compare,
};

use crate::{fence_text, told};

/// Rows are written in the order of their tables' keys, so that a larger batch meets more neighbours: with 1,000
/// books 20,000 commits are written at twice the rate of 5,000; more gain nothing. Some 50 MB.
const BATCH_COMMITS_MAX: usize = 20_000;
const BATCH_EVENTS_MAX: usize = 60_000;
/// Batches that may wait for the writing thread.
const QUEUE_MAX: usize = 1;

#[derive(Debug)]
pub struct RebuildReport {
    /// The new model's name; the current one unless there are differences.
    pub name: String,
    pub commits: u64,
    pub events: u64,
    pub seconds: f64,
    /// The part of them that went into the comparison.
    pub seconds_comparing: f64,
    /// 0 where there was no old model to compare with.
    pub compared_tables: usize,
    pub compared_rows: u64,
    /// The first of each table. Where there are any, the old model stays the current one; the new file lies beside
    /// it until the next rebuild or start.
    pub differences: Vec<Difference>,
    /// Why there was an old model but no comparison.
    pub old_unreadable: Option<OpenError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Building,
    Comparing,
    CatchingUp,
    /// Making the indexes and bringing the file to the disk.
    Finishing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    pub stage: Stage,
    /// Records read, claims and ignored ones included.
    pub records: u64,
    /// How many there are, as far as the old model or the journal tells; 0 where neither does.
    pub records_expected: u64,
    pub commits: u64,
    pub events: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the journal cannot be read")]
    Journal(#[from] journal::ReadError),
    #[error("a batch cannot be written to the new read model")]
    Apply(#[from] ApplyError),
    #[error("the old and the new read model cannot be compared")]
    Compare(#[source] ReadError),
    #[error("the projecting thread cannot be started")]
    Thread(#[source] std::io::Error),
    #[error("the projecting thread has failed")]
    ThreadFailed,
}

/// Blocks until it is done. `into` names the new model; without it the next free name is taken. `on_progress` is
/// called after each batch and whenever the stage changes.
pub fn rebuild(
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
    data_dir: &Path,
    into: Option<&str>,
    on_progress: &mut dyn FnMut(RebuildProgress),
) -> Result<RebuildReport, RebuildError> {
    let started_at = Instant::now();
    let directory = Directory::open(data_dir)?;
    let lock = directory.lock()?;
    let current = directory.current()?;
    if let Some(current) = &current {
        directory.delete_others(current, &lock)?;
    }
    let name = directory.free_name(into)?;
    // A model that cannot be read is a reason to rebuild, not a reason not to.
    let (old, old_unreadable) = match current.map(|current| Snapshot::open(&directory.path_of(&current))) {
        None => (None, None),
        Some(Ok(old)) => (Some(old), None),
        Some(Err(error)) => (None, Some(error)),
    };
    let stops = old.as_ref().map(|old| old.checkpoints.as_slice()).unwrap_or_default();

    let heads = (0..journal.partitions()).filter_map(|partition| journal.head(partition));
    let records_expected =
        heads.map(|head| head.0).sum::<u64>().max(stops.iter().map(|stop| stop.position).sum());
    let progress =
        RebuildProgress { stage: Stage::Building, records: 0, records_expected, commits: 0, events: 0 };
    let builder = Builder::create(directory.clone(), name.clone())?;
    let mut build = Build { journal, keys, builder, progress, on_progress };

    let starts = (0..build.journal.partitions()).map(Cursor::start).collect();
    let mut cursors = starts;
    let (mut comparison, mut seconds_comparing) = (Comparison::default(), 0.0);
    if let Some(old) = &old {
        cursors = build.feed(cursors, Until::Checkpoints(stops))?;
        build.enter(Stage::Comparing);
        let comparing_since = Instant::now();
        comparison = compare(old.connection(), build.builder.connection())
            .map_err(|error| RebuildError::Compare(error.into()))?;
        seconds_comparing = comparing_since.elapsed().as_secs_f64();
    }
    if comparison.differences.is_empty() {
        build.enter(Stage::CatchingUp);
        build.feed(cursors, Until::End)?;
    }
    build.enter(Stage::Finishing);
    let RebuildProgress { commits, events, .. } = build.progress;
    build.builder.finish()?;
    if comparison.differences.is_empty() {
        directory.set_current(&name)?;
    }
    Ok(RebuildReport {
        name,
        commits,
        events,
        seconds: started_at.elapsed().as_secs_f64(),
        seconds_comparing,
        compared_tables: comparison.tables,
        compared_rows: comparison.rows,
        differences: comparison.differences,
        old_unreadable,
    })
}

#[derive(Clone, Copy)]
enum Until<'a> {
    /// As far as the old model had come. A partition that it does not know is not read.
    Checkpoints(&'a [Checkpoint]),
    End,
}

/// Where a partition is to be read on.
struct Cursor {
    partition: u32,
    after: Position,
    fence: Fence,
    /// What was read beyond the old model's checkpoint.
    held: Option<Accepted>,
}

impl Cursor {
    fn start(partition: u32) -> Self {
        Self { partition, after: Position::START, fence: Fence::default(), held: None }
    }
}

struct Build<'a> {
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
    builder: Builder,
    progress: RebuildProgress,
    on_progress: &'a mut dyn FnMut(RebuildProgress),
}

impl Build<'_> {
    fn enter(&mut self, stage: Stage) {
        self.progress.stage = stage;
        (self.on_progress)(self.progress);
    }

    /// Reads and projects on a thread of its own, writes on this one.
    fn feed(&mut self, cursors: Vec<Cursor>, until: Until<'_>) -> Result<Vec<Cursor>, RebuildError> {
        let (sender, batches) = sync_channel(QUEUE_MAX);
        let (journal, keys) = (&self.journal, &self.keys);
        thread::scope(|scope| {
            let read_all = move || {
                cursors
                    .into_iter()
                    .map(|cursor| read_partition(journal, keys, cursor, until, &sender))
                    .collect()
            };
            let reading = thread::Builder::new()
                .name("rebuild-projection".to_owned())
                .spawn_scoped(scope, read_all)
                .map_err(RebuildError::Thread)?;
            for batch in batches {
                self.builder.apply(&batch)?;
                self.progress.records += batch.through - batch.after;
                self.progress.commits += batch.rows.commits() as u64;
                self.progress.events += batch.rows.events() as u64;
                (self.on_progress)(self.progress);
            }
            reading.join().unwrap_or(Err(RebuildError::ThreadFailed))
        })
    }
}

fn read_partition(
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyStore>,
    cursor: Cursor,
    until: Until<'_>,
    batches: &SyncSender<Batch>,
) -> Result<Cursor, RebuildError> {
    let Cursor { partition, mut after, mut fence, mut held } = cursor;
    let stop = match until {
        Until::End => None,
        Until::Checkpoints(checkpoints) => {
            let Some(stop) = checkpoints.iter().find(|stop| stop.partition == partition) else {
                return Ok(Cursor { partition, after, fence, held });
            };
            Some(stop)
        }
    };
    let (read_after, read_fence) = match &held {
        Some(held) => (held.through, held.fence.clone()),
        None => (after, fence.clone()),
    };
    let mut reader = CommitReader::open(journal.clone(), keys.clone(), partition, read_after, read_fence)?;
    let mut projection = Projection::default();
    loop {
        let mut accepted = match held.take() {
            Some(held) => held,
            None => reader.next_blocking()?,
        };
        let mut rest = None;
        let mut fence_then = fence_text(&accepted.fence);
        if let Some(stop) = stop
            && accepted.through.0 > stop.position
        {
            let is_beyond = |commit: &mut journal::Commit| commit.position.0 > stop.position;
            let beyond = accepted.commits.extract_if(.., is_beyond).collect();
            rest = Some(Accepted { commits: beyond, fence: accepted.fence.clone(), ..accepted });
            accepted.through = Position(stop.position);
            // The rule's state in the middle of what was read is not known here. The old model's stands in for
            // it until the rest is written.
            fence_then = stop.fence.clone();
        }
        accepted.commits.into_iter().map(told).for_each(|commit| projection.take(commit));

        let through = accepted.through;
        let is_at_stop = stop.is_some_and(|stop| through.0 >= stop.position);
        let is_done = is_at_stop || accepted.caught_up;
        let is_full = projection.commits() >= BATCH_COMMITS_MAX || projection.events() >= BATCH_EVENTS_MAX;
        if (is_done || is_full) && through > after {
            let rows = std::mem::take(&mut projection).into_rows();
            let batch = Batch { partition, after: after.0, through: through.0, fence: fence_then, rows };
            if batches.send(batch).is_err() {
                return Err(RebuildError::ThreadFailed);
            }
            after = through;
        }
        fence = accepted.fence;
        if is_done {
            return Ok(Cursor { partition, after, fence, held: rest });
        }
    }
}
