//! The auditor's check: that nothing in a journal, or in a book exported from it, was altered, dropped or
//! reordered. It needs no key: money, dates and hashes are in the clear.
//!
//! An export is one JSON object a line, `{"partition","position","hash","record"}`, the record byte for byte as it
//! stands in the journal, and a last line `{"book","version","hash","sha256"}` that says where the book's chain
//! ends, and the SHA-256 of all lines before it.

use std::{
    collections::HashMap,
    fmt,
    io::{self, BufRead, Write},
    time::Duration,
};

use domain::id::BookId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    journal::{Batch, Journal, Position, ReadError, Stored},
    ownership::{Fence, Judgement, RULE, Reason},
    partition_of,
    record::{Hash, Record, SealedCommit},
};

/// What was looked at and found to be right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub records: u64,
    pub commits: u64,
    pub events: u64,
    pub books: u64,
    /// Records of former owners and repetitions, which do not count.
    pub ignored: u64,
}

/// The first record that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `partition 2, record 118`, or `line 7` of an export.
    pub place: String,
    pub book: Option<BookId>,
    pub version: Option<u64>,
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let (Some(book), Some(version)) = (self.book, self.version) {
            write!(f, " ({book}, version {version})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("{0}")]
    Fault(Fault),
    #[error("the journal cannot be read: {0}")]
    Journal(String),
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    #[error("the journal holds no book {0}")]
    UnknownBook(BookId),
}

/// Where a book's chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    version: u64,
    hash: Hash,
}

#[derive(Default)]
struct Chains(HashMap<BookId, Head>);

impl Chains {
    /// Checks a commit against the ones of its book before it.
    fn link(&mut self, commit: &SealedCommit, digest: Hash) -> Result<(), String> {
        let head = self.0.get(&commit.book).copied().unwrap_or(Head { version: 0, hash: Hash::ZERO });
        if commit.version != head.version + 1 {
            return Err(format!("version {} follows version {} of its book", commit.version, head.version));
        }
        if commit.previous != head.hash {
            return Err(format!("it does not continue its book's chain, which stands at {}", head.hash));
        }
        self.0.insert(commit.book, Head { version: commit.version, hash: digest });
        Ok(())
    }
}

/// Checks every record of the journal as it stands now, or only what concerns one book. `progress` is told how
/// many records have been looked at.
pub fn verify_journal(
    journal: &dyn Journal,
    only: Option<BookId>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, VerifyError> {
    let mut verified = Verified::default();
    let mut chains = Chains::default();
    for_each_accepted(journal, only, &mut verified, progress, &mut |partition, stored, commit| {
        if partition_of(commit.book, journal.partitions()) != partition {
            return Err("its book belongs to another partition".to_owned());
        }
        chains.link(commit, stored.digest)
    })?;
    verified.books = chains.0.len() as u64;
    match only {
        Some(book) if verified.books == 0 => Err(VerifyError::UnknownBook(book)),
        _ => Ok(verified),
    }
}

/// Writes the commits of a book as they stand in the journal.
pub fn export_book(
    journal: &dyn Journal,
    book: BookId,
    out: &mut dyn Write,
) -> Result<Verified, VerifyError> {
    let mut verified = Verified::default();
    let mut chains = Chains::default();
    let mut failed = None;
    let mut lines = Sha256::new();
    for_each_accepted(journal, Some(book), &mut verified, &mut |_| {}, &mut |partition, stored, commit| {
        chains.link(commit, stored.digest)?;
        if failed.is_none() {
            let line = export_line(partition, stored);
            lines.update(&line);
            failed = out.write_all(&line).err();
        }
        Ok(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let head = chains.0.get(&book).ok_or(VerifyError::UnknownBook(book))?;
    let sha256 = Hash(lines.finalize().into());
    let last = ExportEnd { book, version: head.version, hash: head.hash, sha256 };
    out.write_all(last.line()?.as_bytes())?;
    verified.books = 1;
    Ok(verified)
}

fn export_line(partition: u32, stored: &Stored) -> Vec<u8> {
    let Stored { position, digest, bytes } = stored;
    let start = format!(r#"{{"partition":{partition},"position":{position},"hash":"{digest}","record":"#);
    [start.as_bytes(), bytes, b"}\n"].concat()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportLine<'a> {
    #[serde(rename = "partition")]
    _partition: u32,
    position: u64,
    hash: Hash,
    #[serde(borrow)]
    record: &'a RawValue,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportEnd {
    book: BookId,
    version: u64,
    hash: Hash,
    /// Of every byte before this line: positions and spelling are in no other hash.
    sha256: Hash,
}

impl ExportEnd {
    fn line(&self) -> io::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// Checks an exported book without its journal.
pub fn verify_export(file: &mut dyn BufRead) -> Result<Verified, VerifyError> {
    let mut verified = Verified::default();
    let mut chains = Chains::default();
    let mut last: Option<(Position, (u64, u64))> = None;
    let mut end: Option<ExportEnd> = None;
    let mut lines = Sha256::new();
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        let fault = |commit: Option<&SealedCommit>, reason: String| {
            VerifyError::Fault(Fault {
                place: format!("line {number}"),
                book: commit.map(|commit| commit.book),
                version: commit.map(|commit| commit.version),
                reason,
            })
        };
        match file.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(fault(None, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
        if end.is_some() {
            return Err(fault(None, "something follows the line that ends the export".to_owned()));
        }
        if let Ok(found) = serde_json::from_str::<ExportEnd>(&line) {
            if found.line()? != line {
                return Err(fault(None, "it is not spelled as an export ends".to_owned()));
            }
            end = Some(found);
            continue;
        }
        lines.update(&line);
        let parsed: ExportLine<'_> = serde_json::from_str(&line)
            .map_err(|error| fault(None, format!("it is no line of an export: {error}")))?;
        let bytes = parsed.record.get().as_bytes();
        let record = Record::decode(bytes).map_err(|reason| fault(None, reason))?;
        if record.digest(bytes) != parsed.hash {
            return Err(fault(None, "its bytes are not those that its hash was made of".to_owned()));
        }
        let Record::Commit(commit) = record else {
            return Err(fault(None, "an export holds commits only".to_owned()));
        };
        let place = (Position(parsed.position), (commit.epoch, commit.seq));
        if last.is_some_and(|last| last.0 >= place.0 || last.1 >= place.1) {
            return Err(fault(Some(&commit), "it does not come after the line before it".to_owned()));
        }
        last = Some(place);
        if chains.0.keys().any(|book| *book != commit.book) {
            return Err(fault(Some(&commit), "it is of another book than the lines before it".to_owned()));
        }
        chains.link(&commit, parsed.hash).map_err(|reason| fault(Some(&commit), reason))?;
        verified.records += 1;
        verified.commits += 1;
        verified.events += commit.events.len() as u64;
    }

    let missing = |reason: &str| {
        VerifyError::Fault(Fault {
            place: "the end of the file".to_owned(),
            book: None,
            version: None,
            reason: reason.to_owned(),
        })
    };
    let end = end.ok_or_else(|| missing("the line that says where the chain ends is missing"))?;
    let is_whole = chains.0.len() == 1
        && chains.0.get(&end.book) == Some(&Head { version: end.version, hash: end.hash });
    if !is_whole {
        return Err(missing("the chain does not end where the last line says; records are missing"));
    }
    if Hash(lines.finalize().into()) != end.sha256 {
        return Err(missing("the lines are not spelled as they were when the file was written"));
    }
    verified.books = 1;
    Ok(verified)
}

/// Walks all partitions to their ends; `visit` sees the accepted commits, of one book or all.
fn for_each_accepted(
    journal: &dyn Journal,
    only: Option<BookId>,
    verified: &mut Verified,
    progress: &mut dyn FnMut(u64),
    visit: &mut dyn FnMut(u32, &Stored, &SealedCommit) -> Result<(), String>,
) -> Result<(), VerifyError> {
    let partitions = match only {
        Some(book) => {
            let partition = partition_of(book, journal.partitions());
            partition..partition + 1
        }
        None => 0..journal.partitions(),
    };
    for partition in partitions {
        let mut reader = journal.read(partition, Position::START).map_err(refused)?;
        let mut walk = Walk { partition, only, fence: Fence::default(), gap: None };
        loop {
            let Batch { records, caught_up } = reader.next(Duration::ZERO).map_err(refused)?;
            for stored in &records {
                walk.check(stored, verified, visit)?;
            }
            progress(verified.records);
            // One look beyond the last record: a reader tells only there whether the partition ends as it says.
            if caught_up && records.is_empty() {
                break;
            }
        }
        walk.end()?;
    }
    Ok(())
}

/// The way through one partition.
struct Walk {
    partition: u32,
    only: Option<BookId>,
    fence: Fence,
    /// A commit of the owner that does not follow its last one. An append that failed may leave it behind, and then
    /// the owner claims anew; where no claim follows, a record went missing.
    gap: Option<Fault>,
}

impl Walk {
    fn end(self) -> Result<(), VerifyError> {
        self.gap.map_or(Ok(()), |gap| Err(VerifyError::Fault(gap)))
    }

    fn check(
        &mut self,
        stored: &Stored,
        verified: &mut Verified,
        visit: &mut dyn FnMut(u32, &Stored, &SealedCommit) -> Result<(), String>,
    ) -> Result<(), VerifyError> {
        let (partition, only) = (self.partition, self.only);
        let found = |commit: Option<&SealedCommit>, reason: String| Fault {
            place: format!("partition {partition}, record {}", stored.position),
            book: commit.map(|commit| commit.book),
            version: commit.map(|commit| commit.version),
            reason,
        };
        let fault = |commit: Option<&SealedCommit>, reason: String| VerifyError::Fault(found(commit, reason));
        verified.records += 1;
        let record = Record::decode(&stored.bytes).map_err(|reason| fault(None, reason))?;
        let commit = match &record {
            Record::Claim(claim) if claim.rule > RULE => {
                return Err(fault(
                    None,
                    format!("it follows ownership rule {}; {RULE} is known here", claim.rule),
                ));
            }
            Record::Claim(_) => None,
            Record::Commit(commit) => Some(commit.as_ref()),
        };
        if record.digest(&stored.bytes) != stored.digest {
            return Err(fault(commit, "its bytes are not those that were written".to_owned()));
        }
        match (self.fence.judge(record.header()), commit) {
            (Judgement::Accepted, None) => {
                self.gap = None;
                Ok(())
            }
            (Judgement::Accepted, Some(commit)) => {
                if only.is_some_and(|only| only != commit.book) {
                    return Ok(());
                }
                verified.commits += 1;
                verified.events += commit.events.len() as u64;
                visit(partition, stored, commit).map_err(|reason| fault(Some(commit), reason))
            }
            (Judgement::Ignored(Reason::Gap), commit) => {
                let Fence { epoch, seq, .. } = &self.fence;
                let reason = format!("it does not follow commit {seq} of epoch {epoch}");
                self.gap.get_or_insert_with(|| found(commit, reason));
                verified.ignored += 1;
                Ok(())
            }
            // Nobody writes before their claim.
            (Judgement::Ignored(Reason::NotTheOwner), Some(commit)) if commit.epoch > self.fence.epoch => {
                Err(fault(Some(commit), format!("nobody claimed epoch {}", commit.epoch)))
            }
            (Judgement::Ignored(Reason::NotTheOwner | Reason::StaleClaim | Reason::Repeated), _) => {
                verified.ignored += 1;
                Ok(())
            }
        }
    }
}

fn refused(error: ReadError) -> VerifyError {
    match error {
        ReadError::Damaged { partition, position, reason } => VerifyError::Fault(Fault {
            place: format!("partition {partition}, record {position}"),
            book: None,
            version: None,
            reason,
        }),
        ReadError::Backend(reason) => VerifyError::Journal(reason),
    }
}
