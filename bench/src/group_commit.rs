//! The physical limit of a durable write on this machine: SQLite's own group commit of the same bytes, and nothing else.

use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::load::Client;

const QUEUED_MAX: usize = 4096;

struct Row {
    record: Bytes,
    committed: oneshot::Sender<i64>,
}

/// The queue into one writer thread. Whatever has queued up during a commit goes into the next, so that batches grow
/// by themselves. WAL and `synchronous=FULL`, as the journal has them.
#[derive(Clone)]
pub struct GroupCommit {
    queue: mpsc::Sender<Row>,
}

impl GroupCommit {
    /// The writer ends when the last clone of the queue is dropped.
    pub fn open(directory: &Path) -> Result<(Self, JoinHandle<()>)> {
        let connection =
            Connection::open(directory.join("raw.sqlite")).context("opening the raw database")?;
        connection.pragma_update(None, "journal_mode", "wal").context("switching to WAL")?;
        connection.pragma_update(None, "synchronous", "full").context("switching to full durability")?;
        connection
            .execute_batch("create table records (position integer primary key, record blob not null) strict")
            .context("creating the raw table")?;
        let (queue, rows) = mpsc::channel(QUEUED_MAX);
        let writer = thread::spawn(move || write_all(connection, rows));
        Ok((Self { queue }, writer))
    }

    /// Returns the row's position once it is durable.
    pub async fn append(&self, record: Bytes) -> Result<i64> {
        let (committed, position) = oneshot::channel();
        self.queue.send(Row { record, committed }).await.ok().context("the raw writer is gone")?;
        position.await.context("the raw writer is gone")
    }
}

/// Ends early only when the disk refuses a commit; every caller then learns that the writer is gone.
fn write_all(mut connection: Connection, mut rows: mpsc::Receiver<Row>) {
    let mut batch = Vec::with_capacity(QUEUED_MAX);
    while rows.blocking_recv_many(&mut batch, QUEUED_MAX) > 0 {
        match commit(&mut connection, &batch) {
            Ok(positions) => {
                for (row, position) in batch.drain(..).zip(positions) {
                    // Whoever no longer waits for the answer does not need it.
                    row.committed.send(position).ok();
                }
            }
            Err(error) => {
                eprintln!("the raw commit failed: {error}");
                return;
            }
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Row]) -> rusqlite::Result<Vec<i64>> {
    let tx = connection.transaction()?;
    let mut positions = Vec::with_capacity(batch.len());
    {
        let mut insert = tx.prepare_cached("insert into records (record) values (?1)")?;
        for row in batch {
            positions.push(insert.insert([row.record.as_ref()])?);
        }
    }
    tx.commit()?;
    Ok(positions)
}

/// Letters that do not repeat, as long as one journal record.
pub fn record(bytes: usize) -> Bytes {
    (0..bytes).map(|_| rand::random_range(b'a'..=b'z')).collect()
}

/// A client in this process, without HTTP.
pub struct CommitClient {
    pub commits: GroupCommit,
    pub record: Bytes,
}

impl Client for CommitClient {
    async fn call(&mut self) -> Result<(), String> {
        self.commits.append(self.record.clone()).await.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closed_loop::{self, Until};

    #[tokio::test]
    async fn every_answered_row_is_in_the_database_once() {
        let directory = tempfile::tempdir().unwrap();
        let (commits, writer) = GroupCommit::open(directory.path()).unwrap();
        let clients =
            (0..8).map(|_| CommitClient { commits: commits.clone(), record: record(100) }).collect();
        let load = closed_loop::run(clients, Until::Requests(200)).await;
        drop(commits);
        writer.join().unwrap();
        let stored = Connection::open(directory.path().join("raw.sqlite")).unwrap();
        let rows: i64 = stored.query_row("select count(*) from records", [], |row| row.get(0)).unwrap();
        assert_eq!((load.completed, load.failed, rows), (200, 0, 200));
    }
}
