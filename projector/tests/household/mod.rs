//! A journal with somebody who writes it, as the owner of its partitions would.

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Book, Command, Recorded,
    command::{EntryDraft, Sorting},
    entry::EntryKind,
    event::{Settings, Weekday},
    id::{AccountId, BookId, CategoryId, EntryId, UserId},
    money::{Amount, Currency},
    starter::starter_set,
    text::Text,
};
use journal::{
    Fence, Hash, Journal, KeyStore, NewRecord, Position, partition_of,
    record::SealedCommit,
    seal::seal,
    sqlite::SqliteJournal,
    tenure::{Acquisition, Tenure, acquire},
};
use uuid::Uuid;

pub struct Household {
    pub journal: Arc<dyn Journal>,
    pub keys: Arc<KeyStore>,
    tenures: Vec<Tenure>,
    books: Vec<Kept>,
    ids: u128,
}

struct Kept {
    id: BookId,
    book: Book,
    version: u64,
    hash: Hash,
    account: AccountId,
    categories: Vec<CategoryId>,
}

fn actor() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

impl Household {
    pub fn new(directory: &Path, partitions: u32, books: usize) -> Self {
        let journal =
            SqliteJournal::open(&directory.join("journal.sqlite"), partitions, || "j".to_owned()).unwrap();
        let journal: Arc<dyn Journal> = Arc::new(journal);
        let keys = Arc::new(KeyStore::open(directory).unwrap());
        let tenures = (0..partitions).map(|partition| claim(&journal, &keys, partition)).collect();
        let mut household = Self { journal, keys, tenures, books: Vec::new(), ids: 100 };
        for _ in 0..books {
            household.create_book();
        }
        household
    }

    /// As if another instance had come and taken every partition.
    pub fn take_over(&mut self) {
        self.tenures = (0..self.journal.partitions())
            .map(|partition| claim(&self.journal, &self.keys, partition))
            .collect();
    }

    fn next_id(&mut self) -> Uuid {
        self.ids += 1 << 64;
        Uuid::from_u128(self.ids)
    }

    fn create_book(&mut self) {
        let id = BookId::from_uuid(self.next_id());
        let opened_on = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let (accounts, categories) = starter_set(opened_on, &mut || self.next_id());
        let account = accounts[0].account;
        let categories_of_expenses =
            categories.iter().filter(|new| new.kind.as_str() == "expense").map(|new| new.category).collect();
        let settings = Settings {
            name: Text::known("Home"),
            currency: Currency::parse("EUR").unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
            week_starts_on: Weekday::Monday,
            month_starts_on: 1,
        };
        let book = Book::default();
        self.books.push(Kept {
            id,
            book,
            version: 0,
            hash: Hash::ZERO,
            account,
            categories: categories_of_expenses,
        });
        let record =
            self.record(self.books.len() - 1, Command::CreateBook { settings, accounts, categories });
        self.append(partition_of(id, self.journal.partitions()), vec![record]);
    }

    /// One entry after the other, from book to book; every seventh is removed again.
    pub fn add_entries(&mut self, count: usize) {
        let mut records: Vec<Vec<NewRecord>> = vec![Vec::new(); self.tenures.len()];
        for index in 0..count {
            let of = index % self.books.len();
            let entry = EntryId::from_uuid(self.next_id());
            let Kept { id, account, ref categories, .. } = self.books[of];
            let occurred_on = NaiveDate::from_ymd_opt(2026, 1, 1 + (index % 28) as u32).unwrap();
            let amount = Amount::from_minor(1 + index as i64 % 9_999, Currency::parse("EUR").unwrap());
            let draft = EntryDraft {
                sorting: Sorting::Whole(categories[index % categories.len()]),
                payee: Some(Text::known("Rewe Markt Friedrichstrasse")),
                ..EntryDraft::told(EntryKind::Expense, occurred_on, account, amount)
            };
            let partition = partition_of(id, self.journal.partitions());
            records[partition as usize].push(self.record(of, Command::AddEntry { entry, draft }));
            if index % 7 == 3 {
                records[partition as usize].push(self.record(of, Command::RemoveEntry { entry }));
            }
        }
        for (partition, records) in (0..).zip(records) {
            self.append(partition, records);
        }
    }

    /// What the book's owner would append; the state moves on.
    fn record(&mut self, of: usize, command: Command) -> NewRecord {
        let Kept { id, book, version, hash, .. } = &mut self.books[of];
        let mut events = domain::decide(book, actor(), &command).unwrap();
        *version += 1;
        let recorded_at = DateTime::<Utc>::UNIX_EPOCH;
        for event in &events {
            book.evolve(event, Recorded { version: *version, at: recorded_at });
        }
        let key = self.keys.of_or_new(*id).unwrap();
        self.ids += 1 << 64;
        let nonce = self.ids;
        let mut next_nonce =
            || std::array::from_fn(|index| nonce.to_be_bytes().get(index).copied().unwrap_or(0));
        seal(&key, *id, *version, &mut events, &mut next_nonce);
        let partition = partition_of(*id, self.journal.partitions());
        let tenure = &mut self.tenures[partition as usize];
        tenure.seq += 1;
        let sealed = SealedCommit {
            epoch: tenure.epoch,
            owner: tenure.owner.clone(),
            seq: tenure.seq,
            book: *id,
            version: *version,
            previous: *hash,
            command: command.name().to_owned(),
            command_id: format!("c{version}"),
            key: "k".to_owned(),
            fingerprint: "f".to_owned(),
            actor: actor(),
            correlation_id: None,
            causation_id: None,
            recorded_at,
            events,
        };
        let record = sealed.encode();
        *hash = record.digest;
        record
    }

    pub fn append(&self, partition: u32, records: Vec<NewRecord>) {
        if records.is_empty() {
            return;
        }
        let (sender, answer) = mpsc::channel();
        self.journal.append(partition, records, Box::new(move |outcome| sender.send(outcome).unwrap()));
        answer.recv().unwrap().unwrap();
    }

    /// The record of an owner that has been superseded meanwhile.
    pub fn late_record(&mut self) -> (u32, NewRecord) {
        let partition = partition_of(self.books[0].id, self.journal.partitions());
        let (book, version, hash) = (self.books[0].book.clone(), self.books[0].version, self.books[0].hash);
        let record = self.record(0, Command::CloseAccount { account: self.books[0].account });
        (self.books[0].book, self.books[0].version, self.books[0].hash) = (book, version, hash);
        (partition, record)
    }
}

fn claim(journal: &Arc<dyn Journal>, keys: &Arc<KeyStore>, partition: u32) -> Tenure {
    let acquisition =
        Acquisition { journal, keys, partition, owner: "o", after: Position::START, fence: Fence::default() };
    // On a thread of its own: it blocks, and tests are asynchronous.
    let acquire = || acquire(acquisition, &|| DateTime::<Utc>::UNIX_EPOCH, &mut |_| {}).unwrap();
    std::thread::scope(|scope| scope.spawn(acquire).join().unwrap())
}
