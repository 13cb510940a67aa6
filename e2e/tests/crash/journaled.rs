//! The journal read as an auditor reads it, beside the server that wrote it.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::Path,
    sync::Arc,
};

use daybook::layout::Layout;
use domain::{
    Book, Recorded,
    id::{BookId, UserId},
};
use journal::{Commit, CommitReader, Fence, Hash, Journal, KeyStore, Position, sqlite::SqliteJournal};

use crate::{fault::Fault, writer::Taken};

/// Everything that the journal says, folded by the rules alone.
#[derive(Default)]
pub struct Journaled {
    pub books: BTreeMap<BookId, Folded>,
    /// By partition: how far it has been read, and the ownership rule's state there.
    places: BTreeMap<u32, (Position, Fence)>,
    /// By book and hash of the idempotency key: the versions that it made.
    keys: HashMap<(BookId, String), Vec<u64>>,
}

/// A book and how it came to be.
#[derive(Default)]
pub struct Folded {
    pub book: Book,
    pub hash: Hash,
    pub commits: Vec<Commit>,
}

impl Folded {
    pub fn version(&self) -> u64 {
        self.commits.len() as u64
    }
}

impl Journaled {
    /// Reads on in a copy of the data of a server that is dead: what the next one finds stays as it was, for SQLite
    /// to recover in that server and not here.
    pub async fn read_on_in_copy(&mut self, data: &Path) -> Result<(), Fault> {
        let copy = tempfile::tempdir().map_err(|error| Fault::Process(error.to_string()))?;
        copy_files(data, copy.path())
            .map_err(|error| Fault::Process(format!("copy {}: {error}", data.display())))?;
        self.read_on(copy.path()).await
    }

    /// Reads on to the end. A commit that does not continue its book is a fault.
    pub async fn read_on(&mut self, data: &Path) -> Result<(), Fault> {
        let layout = Layout::of(data);
        let keys = KeyStore::open(&layout.keys).map_err(|error| Fault::Journal(error.to_string()))?;
        let journal = SqliteJournal::open_read_only(&layout.journal)
            .map_err(|error| Fault::Journal(error.to_string()))?;
        let (keys, journal): (_, Arc<dyn Journal>) = (Arc::new(keys), Arc::new(journal));
        for partition in 0..journal.partitions() {
            let (after, fence) = self.places.remove(&partition).unwrap_or_default();
            let (journal, keys) = (Arc::clone(&journal), Arc::clone(&keys));
            let mut reader = CommitReader::open(journal, keys, partition, after, fence)
                .map_err(|error| Fault::Journal(error.to_string()))?;
            loop {
                let accepted = reader.next().await.map_err(|error| Fault::Journal(error.to_string()))?;
                for commit in accepted.commits {
                    self.take(commit)?;
                }
                self.places.insert(partition, (accepted.through, accepted.fence));
                if accepted.caught_up {
                    break;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, commit: Commit) -> Result<(), Fault> {
        let folded = self.books.entry(commit.book).or_default();
        if commit.version != folded.version() + 1 || commit.previous != folded.hash {
            let told = format!("{} has version {}, then comes {commit:?}", commit.book, folded.version());
            return Err(Fault::Journal(told));
        }
        for event in &commit.events {
            folded.book.evolve(event, Recorded { version: commit.version, at: commit.recorded_at });
        }
        folded.hash = commit.hash;
        self.keys.entry((commit.book, commit.key.clone())).or_default().push(commit.version);
        folded.commits.push(commit);
        Ok(())
    }

    pub fn commits(&self) -> usize {
        self.books.values().map(|folded| folded.commits.len()).sum()
    }

    /// The versions that a request made under its key, by the parts of the request.
    fn made_by(&self, user: UserId, book: BookId, key: &str, commits: usize) -> Vec<&[u64]> {
        let parts = (0..commits).map(|part| if part == 0 { String::new() } else { format!("import/{part}") });
        let prints = parts.map(|part| hex::encode(command_api::key_print(user, book, key, &part).0));
        prints.map(|print| self.keys.get(&(book, print)).map_or(&[][..], Vec::as_slice)).collect()
    }

    /// An acknowledged write stands here exactly once, with the version that it was answered with.
    pub fn holds(&self, taken: &Taken) -> Result<(), Fault> {
        let Taken { sent, commits, version, .. } = taken;
        let made = self.made_by(sent.user, sent.book, &sent.key, *commits);
        if made.iter().any(|versions| versions.is_empty()) {
            return Err(Fault::Lost(format!("{taken:?} made {made:?}")));
        }
        if made.iter().any(|versions| versions.len() > 1) {
            return Err(Fault::Surplus(format!("{taken:?} made {made:?}")));
        }
        if made.last().and_then(|versions| versions.first()) != Some(version) {
            return Err(Fault::Lost(format!(
                "{taken:?} was answered with version {version} and made {made:?}"
            )));
        }
        Ok(())
    }

    /// A refused request has left nothing.
    pub fn holds_nothing_of(&self, user: UserId, book: BookId, key: &str) -> Result<(), Fault> {
        match self.made_by(user, book, key, 1)[0] {
            [] => Ok(()),
            made => Err(Fault::Surplus(format!("{key} of {user} in {book} was refused and made {made:?}"))),
        }
    }
}

fn copy_files(data: &Path, copy: &Path) -> io::Result<()> {
    let (from, to) = (Layout::of(data), Layout::of(copy));
    fs::create_dir(&to.keys)?;
    for entry in fs::read_dir(&from.keys)? {
        let entry = entry?;
        fs::copy(entry.path(), to.keys.join(entry.file_name()))?;
    }
    fs::copy(&from.journal, &to.journal)?;
    let wal = |journal: &Path| journal.with_extension("sqlite-wal");
    if wal(&from.journal).exists() {
        fs::copy(wal(&from.journal), wal(&to.journal))?;
    }
    Ok(())
}
