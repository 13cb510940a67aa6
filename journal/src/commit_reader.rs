//! Reading what counts: accepted commits of one partition, in order, their personal text opened.
//!
//! A thread of its own reads, checks and decodes ahead, so that whoever applies the commits does so while the
//! next ones are being read.

use std::{sync::Arc, thread, time::Duration};

use domain::id::BookId;
use tokio::sync::mpsc;

use crate::{
    journal::{Batch, Journal, Position, ReadError, Reader, Stored},
    keys::{KeyError, KeyStore},
    ownership::{Fence, Judgement, RULE},
    record::{Commit, Record, SealedCommit},
    seal,
};

/// How many batches are read ahead.
const AHEAD_BATCHES: usize = 2;
/// How often an idle reader looks whether anybody still wants to hear from it.
const IDLE_WAIT: Duration = Duration::from_millis(250);

/// The accepted commits of a stretch of the partition.
#[derive(Debug)]
pub struct Accepted {
    pub commits: Vec<Commit>,
    /// The last record looked at, accepted or ignored: where to go on from.
    pub through: Position,
    pub fence: Fence,
    /// Whether the end of the partition was reached.
    pub caught_up: bool,
}

pub struct CommitReader {
    batches: mpsc::Receiver<Result<Accepted, ReadError>>,
}

impl CommitReader {
    /// Reads on after `after`, where the ownership rule stood at `fence`.
    pub fn open(
        journal: Arc<dyn Journal>,
        keys: Arc<KeyStore>,
        partition: u32,
        after: Position,
        fence: Fence,
    ) -> Result<Self, ReadError> {
        let reader = journal.read(partition, after)?;
        let (sender, batches) = mpsc::channel(AHEAD_BATCHES);
        thread::Builder::new()
            .name(format!("journal-reader-{partition}"))
            .spawn(move || {
                let mut decoder = Decoder { keys, partition, fence, through: after };
                // Keeps the journal open for as long as it is read.
                let _journal = journal;
                read_ahead(reader, &mut decoder, &sender);
            })
            .map_err(|error| ReadError::Backend(error.to_string()))?;
        Ok(Self { batches })
    }

    /// The next batch. Waits for more at the end of the partition; right after opening, and whenever the end has
    /// been reached, one batch says so, even if it is empty.
    pub async fn next(&mut self) -> Result<Accepted, ReadError> {
        self.batches
            .recv()
            .await
            .unwrap_or_else(|| Err(ReadError::Backend("the reading thread ended".to_owned())))
    }

    /// [`CommitReader::next`] for threads.
    pub fn next_blocking(&mut self) -> Result<Accepted, ReadError> {
        self.batches
            .blocking_recv()
            .unwrap_or_else(|| Err(ReadError::Backend("the reading thread ended".to_owned())))
    }
}

/// The commit at a place that its owner knows to be accepted.
pub fn commit_at(
    journal: &dyn Journal,
    keys: Arc<KeyStore>,
    partition: u32,
    position: Position,
) -> Result<Commit, ReadError> {
    let after = Position(position.0.saturating_sub(1));
    let batch = journal.read(partition, after)?.next(Duration::ZERO)?;
    let damaged = |reason: String| ReadError::Damaged { partition, position, reason };
    let stored = batch.records.into_iter().find(|stored| stored.position == position);
    let stored = stored.ok_or_else(|| damaged("the journal no longer has it".to_owned()))?;
    let decoder = Decoder { keys, partition, fence: Fence::default(), through: position };
    match decoder.decode_record(&stored).map_err(damaged)? {
        Record::Commit(sealed) => decoder.open(&stored, *sealed).map_err(damaged),
        Record::Claim(_) => Err(damaged("it is a claim, and a commit was expected".to_owned())),
    }
}

fn read_ahead(
    mut reader: Box<dyn Reader>,
    decoder: &mut Decoder,
    batches: &mpsc::Sender<Result<Accepted, ReadError>>,
) {
    let mut has_said_caught_up = false;
    loop {
        // The first look must not wait: whoever opened the reader wants to know where the end is.
        let wait = if has_said_caught_up { IDLE_WAIT } else { Duration::ZERO };
        let accepted = reader.next(wait).and_then(|batch| decoder.decode(batch));
        let is_news = match &accepted {
            Ok(accepted) => {
                let is_news = !has_said_caught_up || accepted.through > decoder.through;
                has_said_caught_up = accepted.caught_up;
                is_news
            }
            Err(_) => true,
        };
        let failed = accepted.is_err();
        if is_news {
            decoder.through = accepted.as_ref().map_or(decoder.through, |accepted| accepted.through);
            if batches.blocking_send(accepted).is_err() {
                return;
            }
        }
        if failed || batches.is_closed() {
            return;
        }
    }
}

struct Decoder {
    keys: Arc<KeyStore>,
    partition: u32,
    fence: Fence,
    through: Position,
}

impl Decoder {
    fn decode(&mut self, batch: Batch) -> Result<Accepted, ReadError> {
        let through = batch.records.last().map_or(self.through, |record| record.position);
        let mut commits = Vec::with_capacity(batch.records.len());
        for stored in batch.records {
            let position = stored.position;
            commits.extend(self.accept(stored).map_err(|reason| ReadError::Damaged {
                partition: self.partition,
                position,
                reason,
            })?);
        }
        Ok(Accepted { commits, through, fence: self.fence.clone(), caught_up: batch.caught_up })
    }

    /// The commit, if the record is one and counts.
    fn accept(&mut self, stored: Stored) -> Result<Option<Commit>, String> {
        let record = self.decode_record(&stored)?;
        if let Record::Claim(claim) = &record
            && claim.rule > RULE
        {
            let rule = claim.rule;
            return Err(format!("it follows ownership rule {rule}; this version of Daybook knows {RULE}"));
        }
        if let Judgement::Ignored(reason) = self.fence.judge(record.header()) {
            metrics::counter!("journal_records_ignored_total", "reason" => reason.as_str()).increment(1);
            return Ok(None);
        }
        let Record::Commit(sealed) = record else { return Ok(None) };
        self.open(&stored, *sealed).map(Some)
    }

    fn decode_record(&self, stored: &Stored) -> Result<Record, String> {
        let record = Record::decode(&stored.bytes)?;
        if record.digest(&stored.bytes) != stored.digest {
            return Err("its bytes are not those that were written".to_owned());
        }
        Ok(record)
    }

    fn open(&self, stored: &Stored, sealed: SealedCommit) -> Result<Commit, String> {
        let mut events = sealed.events;
        let key = self.key_of(sealed.book)?;
        seal::open(key.as_ref(), sealed.book, sealed.version, &mut events)
            .map_err(|error| error.to_string())?;
        Ok(Commit {
            partition: self.partition,
            position: stored.position,
            epoch: sealed.epoch,
            owner: sealed.owner,
            seq: sealed.seq,
            book: sealed.book,
            version: sealed.version,
            hash: stored.digest,
            previous: sealed.previous,
            command: sealed.command,
            command_id: sealed.command_id,
            key: sealed.key,
            fingerprint: sealed.fingerprint,
            actor: sealed.actor,
            correlation_id: sealed.correlation_id,
            causation_id: sealed.causation_id,
            recorded_at: sealed.recorded_at,
            events,
        })
    }

    fn key_of(&self, book: BookId) -> Result<Option<seal::BookKey>, String> {
        self.keys.of(book).map_err(|error: KeyError| error.to_string())
    }
}
