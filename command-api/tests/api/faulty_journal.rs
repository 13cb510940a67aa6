//! A journal that goes wrong as it is told to. It keeps the promise of the real ones: what follows a failed append is
//! refused until the partition has been claimed anew, so that no record is written with a gap before it.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
};

use journal::{
    AppendDone, AppendError, Journal, NewRecord, Position, ReadError, Reader, ownership::RULE, record::Claim,
};

use crate::world::{append, noon};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Takes the commits as it should.
    None,
    Refuse,
    /// Takes them and loses the answer.
    LoseAnswer,
    /// Loses them and the answer.
    LoseAll,
    /// Somebody else claims the partition before they arrive.
    ForeignClaim,
    /// Keeps them back until [`FaultyJournal::release`].
    Hold,
}

pub struct FaultyJournal {
    inner: Arc<dyn Journal>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What becomes of the next appends of commits; all is well after the last.
    script: VecDeque<Fault>,
    claims_to_refuse: usize,
    /// Partitions whose last append failed.
    failed: HashSet<u32>,
    held: Vec<(u32, Vec<NewRecord>, AppendDone)>,
    is_holding: bool,
    foreign_claims: u64,
}

impl FaultyJournal {
    pub fn around(inner: Arc<dyn Journal>) -> Arc<Self> {
        Arc::new(Self { inner, state: Mutex::default() })
    }

    pub fn plan(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().script.extend(faults);
    }

    pub fn refuse_claims(&self, claims: usize) {
        self.state.lock().unwrap().claims_to_refuse = claims;
    }

    pub fn faults_left(&self) -> usize {
        self.state.lock().unwrap().script.len()
    }

    /// How many appends are kept back.
    pub fn held(&self) -> usize {
        self.state.lock().unwrap().held.len()
    }

    pub fn release(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_holding = false;
        for (partition, records, done) in std::mem::take(&mut state.held) {
            self.inner.append(partition, records, done);
        }
    }

    fn claim_as_stranger(&self, partition: u32, number: u64) {
        let owner = format!("stranger-{number}");
        // Above any epoch that the owner under test can have reached by single steps.
        let claim = Claim { rule: RULE, epoch: number * 1_000, owner, claimed_at: noon() };
        append(self.inner.as_ref(), partition, vec![claim.encode()]);
    }
}

impl Journal for FaultyJournal {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn partitions(&self) -> u32 {
        self.inner.partitions()
    }

    fn append(&self, partition: u32, records: Vec<NewRecord>, done: AppendDone) {
        let refused = || Err(AppendError::NotWritten("told to refuse".to_owned()));
        let mut state = self.state.lock().unwrap();
        let is_claim =
            records.iter().any(|record| record.bytes.starts_with(br#"{"format":1,"kind":"claim""#));
        if is_claim {
            if state.claims_to_refuse > 0 {
                state.claims_to_refuse -= 1;
                return done(refused());
            }
            state.failed.remove(&partition);
            return self.inner.append(partition, records, done);
        }
        if state.failed.contains(&partition) {
            return done(refused());
        }
        let fault = state.script.pop_front().unwrap_or(Fault::None);
        if fault == Fault::Hold || state.is_holding {
            state.is_holding = true;
            state.held.push((partition, records, done));
            return;
        }
        match fault {
            Fault::None | Fault::Hold => self.inner.append(partition, records, done),
            Fault::Refuse => {
                state.failed.insert(partition);
                done(refused());
            }
            Fault::LoseAnswer => {
                state.failed.insert(partition);
                append(self.inner.as_ref(), partition, records);
                done(Err(AppendError::Unknown("told to lose the answer".to_owned())));
            }
            Fault::LoseAll => {
                state.failed.insert(partition);
                done(Err(AppendError::Unknown("told to lose all".to_owned())));
            }
            Fault::ForeignClaim => {
                state.foreign_claims += 1;
                self.claim_as_stranger(partition, state.foreign_claims);
                self.inner.append(partition, records, done);
            }
        }
    }

    fn read(&self, partition: u32, after: Position) -> Result<Box<dyn Reader>, ReadError> {
        self.inner.read(partition, after)
    }

    fn head(&self, partition: u32) -> Option<Position> {
        self.inner.head(partition)
    }
}
