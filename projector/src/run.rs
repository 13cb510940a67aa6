//! The projector of a running process: one task for each partition.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::id::BookId;
use journal::{Accepted, CommitReader, Journal, KeyStore, Position};
use read_model::{ApplyError, Batch, Checkpoint, Progress, Projection, ReadModel, Visible};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{fence_from, fence_text, told};

/// How often it is looked whether a rebuild has made another file the current one.
const CHANGE_OVER_EVERY: Duration = Duration::from_millis(500);
/// A batch grows until it holds this many commits, or events: an import has hundreds of them in one commit.
const BATCH_COMMITS_MAX: usize = 5_000;
const BATCH_EVENTS_MAX: usize = 20_000;
/// The least time between two batches of a partition. Longer ones write fewer pages, and show a write later.
const PACE: Duration = Duration::from_millis(2);
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(10);

/// Keeps the read model up with the journal until `shutdown`. A failure is logged, and tried again from the
/// checkpoint; it ends no other partition.
pub async fn run(
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
    read_model: ReadModel,
    progress: Arc<Progress>,
    shutdown: CancellationToken,
) {
    match read_model.visible().await {
        Ok(visible) => publish(&progress, &visible),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the checkpoints cannot be read")
        }
    }
    let mut tasks = JoinSet::new();
    for partition in 0..journal.partitions() {
        let follower = Follower {
            journal: journal.clone(),
            keys: keys.clone(),
            read_model: read_model.clone(),
            progress: progress.clone(),
            partition,
        };
        tasks.spawn(follower.follow(shutdown.clone()));
    }
    tasks.spawn(watch_for_change_over(read_model, progress, shutdown));
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(error = &error as &dyn std::error::Error, "a task of the projector has failed");
        }
    }
}

struct Follower {
    journal: Arc<dyn Journal>,
    keys: Arc<KeyStore>,
    read_model: ReadModel,
    progress: Arc<Progress>,
    partition: u32,
}

/// Why a stretch of following ended without a failure.
enum Ended {
    Shutdown,
    /// The checkpoint is not where it was: another file, or another projector on this one.
    CheckpointMoved,
}

#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("the checkpoint of the partition cannot be read")]
    Checkpoint(#[from] read_model::ReadError),
    #[error("the checkpoint of the partition holds no fence that could be read")]
    Fence(#[from] serde_json::Error),
    #[error("the journal cannot be read on")]
    Journal(#[from] journal::ReadError),
    #[error("a batch cannot be applied")]
    Apply(#[from] ApplyError),
}

impl Follower {
    async fn follow(self, shutdown: CancellationToken) {
        let mut delay = RETRY_DELAY_MIN;
        loop {
            let started_at = Instant::now();
            let error = match self.follow_from_checkpoint(&shutdown).await {
                Ok(Ended::Shutdown) => return,
                Ok(Ended::CheckpointMoved) => continue,
                Err(error) => error,
            };
            report(&error, self.partition);
            metrics::counter!("projector_failures_total", "partition" => self.partition.to_string())
                .increment(1);
            if started_at.elapsed() > RETRY_DELAY_MAX {
                delay = RETRY_DELAY_MIN;
            }
            if shutdown.run_until_cancelled(sleep(delay)).await.is_none() {
                return;
            }
            delay = (delay * 2).min(RETRY_DELAY_MAX);
        }
    }

    async fn follow_from_checkpoint(&self, shutdown: &CancellationToken) -> Result<Ended, FollowError> {
        let mut changes = self.read_model.changes();
        changes.mark_unchanged();
        let Checkpoint { position, fence, .. } = self.read_model.checkpoint(self.partition).await?;
        let mut after = Position(position);
        let (journal, keys) = (self.journal.clone(), self.keys.clone());
        let mut reader = CommitReader::open(journal, keys, self.partition, after, fence_from(&fence)?)?;
        let mut paced_until = tokio::time::Instant::now();
        loop {
            // A write on its own is shown at once; under load commits gather, since a tx writes each page it touches
            // anew.
            tokio::time::sleep_until(paced_until).await;
            // What stands in the journal is shown before the process ends, so that the next one starts where it is.
            let is_at_end = self.journal.head(self.partition).is_none_or(|head| after >= head);
            let mut accepted = tokio::select! {
                () = shutdown.cancelled(), if is_at_end => return Ok(Ended::Shutdown),
                _ = changes.changed() => return Ok(Ended::CheckpointMoved),
                accepted = reader.next() => accepted?,
            };
            let mut projection = Projection::default();
            accepted.commits.drain(..).map(told).for_each(|commit| projection.take(commit));
            // Whatever has been read ahead meanwhile comes along: the further behind, the larger the tx.
            while projection.commits() < BATCH_COMMITS_MAX && projection.events() < BATCH_EVENTS_MAX {
                let Some(more) = ready_now(&mut reader).await else { break };
                accepted = more?;
                accepted.commits.drain(..).map(told).for_each(|commit| projection.take(commit));
            }

            if accepted.through > after {
                let rows = projection.into_rows();
                let books: Vec<_> = rows.books().collect();
                let batch = Batch {
                    partition: self.partition,
                    after: after.0,
                    through: accepted.through.0,
                    fence: fence_text(&accepted.fence),
                    rows,
                };
                match self.apply(batch).await {
                    Ok(visible) => {
                        publish(&self.progress, &visible);
                        self.tell_followers(&visible, books);
                    }
                    Err(ApplyError::CheckpointMoved { .. }) => return Ok(Ended::CheckpointMoved),
                    Err(error) => return Err(error.into()),
                }
                after = accepted.through;
                paced_until = tokio::time::Instant::now() + PACE;
            }
            if accepted.caught_up {
                self.progress.set_caught_up(self.partition);
            }
            if let Some(head) = self.journal.head(self.partition) {
                let lag = head.0.saturating_sub(after.0);
                metrics::gauge!("projector_lag", "partition" => self.partition.to_string()).set(lag as f64);
            }
        }
    }

    fn tell_followers(&self, visible: &[Visible], books: Vec<BookId>) {
        match visible {
            // A new file is being written, which queries do not see yet.
            [] => {}
            [visible] if visible.partition == self.partition => self.progress.tell_followers(books),
            // Queries have changed over to it: to more than this batch.
            _ => self.progress.tell_all_followers(),
        }
    }

    /// Tries a batch again for as long as somebody else holds the file.
    async fn apply(&self, batch: Batch) -> Result<Vec<Visible>, ApplyError> {
        let (commits, events) = (batch.rows.commits(), batch.rows.events());
        let batch = Arc::new(batch);
        let mut delay = RETRY_DELAY_MIN;
        loop {
            match self.read_model.apply(batch.clone()).await {
                Ok(visible) => {
                    metrics::counter!("projector_applied_total").increment(events as u64);
                    metrics::histogram!("projector_batch_commits").record(commits as f64);
                    return Ok(visible);
                }
                Err(error) if error.is_busy() && delay < RETRY_DELAY_MAX => sleep(delay).await,
                Err(error) => return Err(error),
            }
            delay *= 2;
        }
    }
}

fn report(error: &FollowError, partition: u32) {
    let error = error as &dyn std::error::Error;
    tracing::error!(error, partition, "a partition is not being projected");
}

/// The next batch if it has been read already.
async fn ready_now(reader: &mut CommitReader) -> Option<Result<Accepted, journal::ReadError>> {
    tokio::select! {
        biased;
        accepted = reader.next() => Some(accepted),
        () = std::future::ready(()) => None,
    }
}

async fn watch_for_change_over(read_model: ReadModel, progress: Arc<Progress>, shutdown: CancellationToken) {
    let mut ticks = interval(CHANGE_OVER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        match read_model.change_over().await {
            Ok(visible) if visible.is_empty() => {}
            Ok(visible) => {
                publish(&progress, &visible);
                progress.tell_all_followers();
            }
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                tracing::error!(error = cause, "the new read model cannot be taken over");
            }
        }
    }
}

fn publish(progress: &Progress, visible: &[Visible]) {
    for Visible { partition, position } in visible {
        progress.set_applied(*partition, *position);
    }
}
