//! Taking a partition and writing it: a claim says so in the log itself, and reading one's own claim back proves
//! that everything before it has been seen.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    CommitReader,
    journal::{AppendError, Appended, Journal, Position, ReadError},
    keys::KeyStore,
    ownership::{Fence, RULE},
    record::{Claim, Commit, NewRecord},
};

/// Claims lost in a row to other claimants before taking a partition is given up.
const ATTEMPTS_MAX: u32 = 10;
const APPEND_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    #[error("the partition could not be read")]
    Read(#[from] ReadError),
    #[error("the claim could not be written")]
    Append(#[from] AppendError),
    #[error("others claimed the partition {ATTEMPTS_MAX} times in a row")]
    Contested,
}

/// The right to write a partition, until somebody else claims it.
#[derive(Debug, Clone)]
pub struct Tenure {
    pub partition: u32,
    pub epoch: u64,
    pub owner: String,
    /// Of the last commit handed to the journal.
    pub seq: u64,
    /// Where the next record will stand, if nobody else writes.
    pub expected: Position,
}

pub struct Acquisition<'a> {
    pub journal: &'a Arc<dyn Journal>,
    pub keys: &'a Arc<KeyStore>,
    pub partition: u32,
    pub owner: &'a str,
    /// Where the caller's state stands.
    pub after: Position,
    pub fence: Fence,
}

/// Takes a partition: reads to its end, claims it, reads on to the claim. `apply` is given every accepted commit
/// after `after`. Blocking.
pub fn acquire(
    acquisition: Acquisition<'_>,
    now: &dyn Fn() -> DateTime<Utc>,
    apply: &mut dyn FnMut(Commit),
) -> Result<Tenure, AcquireError> {
    let Acquisition { journal, keys, partition, owner, after, fence } = acquisition;
    let mut reader = CommitReader::open(Arc::clone(journal), Arc::clone(keys), partition, after, fence)?;
    let mut claimed: Option<(u64, Position)> = None;
    let mut attempts = 0;
    loop {
        let accepted = reader.next_blocking()?;
        accepted.commits.into_iter().for_each(&mut *apply);
        let fence = accepted.fence;

        if let Some((epoch, position)) = claimed
            && accepted.through >= position
        {
            if fence.epoch == epoch && fence.owner == owner {
                let expected = accepted.through.next();
                return Ok(Tenure { partition, epoch, owner: owner.to_owned(), seq: 0, expected });
            }
            claimed = None;
        }
        if claimed.is_none() && accepted.caught_up {
            attempts += 1;
            if attempts > ATTEMPTS_MAX {
                return Err(AcquireError::Contested);
            }
            let epoch = fence.epoch + 1;
            let claim = Claim { rule: RULE, epoch, owner: owner.to_owned(), claimed_at: now() };
            let appended = append_and_wait(journal.as_ref(), partition, vec![claim.encode()])?;
            claimed = Some((epoch, appended.last));
        }
    }
}

fn append_and_wait(
    journal: &dyn Journal,
    partition: u32,
    records: Vec<NewRecord>,
) -> Result<Appended, AppendError> {
    let (sender, answer) = mpsc::channel();
    journal.append(
        partition,
        records,
        Box::new(move |outcome| {
            // Nobody listens any more once the wait below is over.
            let _ = sender.send(outcome);
        }),
    );
    answer
        .recv_timeout(APPEND_WAIT)
        .unwrap_or_else(|_| Err(AppendError::Unknown("it did not answer".to_owned())))
}
