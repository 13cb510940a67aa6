//! Writes commits as an owner does: claimed, numbered, chained, sealed.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc},
};

use domain::{
    Event,
    id::{BookId, kind},
};
use journal::{
    AppendError, Appended, Fence, Hash, Journal, KeyStore, NewRecord,
    ownership::RULE,
    partition_of,
    record::{Claim, SealedCommit},
    seal,
    tenure::{Acquisition, Tenure, acquire},
};

use crate::names::{id, noon};

pub fn claim(epoch: u64, owner: &str) -> NewRecord {
    Claim { rule: RULE, epoch, owner: owner.to_owned(), claimed_at: noon() }.encode()
}

/// A commit without events, for tests that look at order and ownership only.
pub fn commit(epoch: u64, owner: &str, seq: u64, book: BookId, version: u64, previous: Hash) -> SealedCommit {
    SealedCommit {
        epoch,
        owner: owner.to_owned(),
        seq,
        book,
        version,
        previous,
        command: "add_entry".to_owned(),
        command_id: id::<kind::Command>(&format!("{epoch}.{seq}")).to_string(),
        key: format!("{version:064x}"),
        fingerprint: "f".repeat(64),
        actor: id("ann"),
        correlation_id: None,
        causation_id: None,
        recorded_at: noon(),
        events: Vec::new(),
    }
}

/// Appends and waits for the answer.
pub fn append(
    journal: &dyn Journal,
    partition: u32,
    records: Vec<NewRecord>,
) -> Result<Appended, AppendError> {
    let (sender, answer) = mpsc::channel();
    journal.append(partition, records, Box::new(move |outcome| sender.send(outcome).unwrap()));
    answer.recv().expect("every append is answered")
}

/// The owner of all partitions, as far as it knows.
pub struct Scribe {
    pub journal: Arc<dyn Journal>,
    pub keys: Arc<KeyStore>,
    tenures: HashMap<u32, Tenure>,
    chains: HashMap<BookId, (u64, Hash)>,
    owner: String,
}

impl Scribe {
    pub fn new(journal: Arc<dyn Journal>, keys: Arc<KeyStore>, owner: &str) -> Self {
        Self { journal, keys, tenures: HashMap::new(), chains: HashMap::new(), owner: owner.to_owned() }
    }

    /// An owner that stays behind when this one takes the partition anew, and does not know.
    pub fn left_behind(&self) -> Self {
        Self {
            journal: Arc::clone(&self.journal),
            keys: Arc::clone(&self.keys),
            tenures: self.tenures.clone(),
            chains: self.chains.clone(),
            owner: self.owner.clone(),
        }
    }

    /// Takes the partition anew, reading all that counts in it.
    pub fn take(&mut self, partition: u32) -> Tenure {
        let chains = &mut self.chains;
        let acquisition = Acquisition {
            journal: &self.journal,
            keys: &self.keys,
            partition,
            owner: &self.owner,
            after: journal::Position::START,
            fence: Fence::default(),
        };
        let tenure = acquire(acquisition, &noon, &mut |commit| {
            chains.insert(commit.book, (commit.version, commit.hash));
        })
        .expect("the partition is there to be taken");
        self.tenures.insert(partition, tenure.clone());
        tenure
    }

    /// The next commit of the book, not yet appended.
    pub fn next(&mut self, book: BookId, mut events: Vec<Event>) -> (u32, SealedCommit) {
        let partition = partition_of(book, self.journal.partitions());
        if !self.tenures.contains_key(&partition) {
            self.take(partition);
        }
        let tenure = self.tenures.get_mut(&partition).unwrap();
        tenure.seq += 1;
        let (version, previous) = self.chains.get(&book).copied().unwrap_or((0, Hash::ZERO));
        let key = self.keys.of_or_new(book).unwrap();
        let mut nonce = counting_nonces(tenure.epoch << 32 | tenure.seq);
        seal::seal(&key, book, version + 1, &mut events, &mut nonce);
        let mut commit = commit(tenure.epoch, &tenure.owner, tenure.seq, book, version + 1, previous);
        commit.events = events;
        self.chains.insert(book, (commit.version, commit.encode().digest));
        (partition, commit)
    }

    pub fn write(&mut self, book: BookId, events: Vec<Event>) -> Appended {
        let (partition, commit) = self.next(book, events);
        append(self.journal.as_ref(), partition, vec![commit.encode()]).unwrap()
    }
}

/// Nonces that are never the same, so that a test writes the same bytes every time. Real ones are random.
pub fn counting_nonces(stretch: u64) -> impl FnMut() -> [u8; 24] {
    let mut count = 0u64;
    move || {
        count += 1;
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&stretch.to_be_bytes());
        nonce[16..].copy_from_slice(&count.to_be_bytes());
        nonce
    }
}
