//! The records of the journal: JSON, so that they can be read without this program.
//!
//! A claim says who writes a partition from here on; a commit is what one command wrote. A book's commits are
//! chained: `hash = SHA-256("daybook.commit.v1\n" ‖ previous hash ‖ record bytes)`, where the previous hash of a
//! book's first commit is 32 zero bytes. The bytes are hashed as written, so nobody has to agree on how JSON is
//! to be spelled.

use std::{borrow::Cow, fmt, str::FromStr};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    Event,
    id::{BookId, UserId},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::{journal::Position, ownership};

/// The version of the format that this program writes.
pub const FORMAT: u32 = 1;

const COMMIT_TAG: &[u8] = b"daybook.commit.v1\n";
const CLAIM_TAG: &[u8] = b"daybook.claim.v1\n";

/// SHA-256; hexadecimal in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands before a book's first commit.
    pub const ZERO: Hash = Hash([0; 32]);

    pub fn of_commit(previous: &Hash, bytes: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(COMMIT_TAG)
                .chain_update(previous.0)
                .chain_update(bytes)
                .finalize()
                .into(),
        )
    }

    pub fn of_claim(bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(CLAIM_TAG).chain_update(bytes).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom(format!("{text:?} is no SHA-256 in hexadecimal")))
    }
}

/// Bytes on their way into the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    pub bytes: Vec<u8>,
    /// A commit's place in its book's chain, or a claim's own hash: stored beside the bytes, so that damage to
    /// the last record of a book shows as well.
    pub digest: Hash,
}

/// An accepted commit, its personal text opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub partition: u32,
    pub position: Position,
    pub epoch: u64,
    pub owner: String,
    pub seq: u64,
    pub book: BookId,
    pub version: u64,
    pub hash: Hash,
    pub previous: Hash,
    /// The command's name: `add_entry`.
    pub command: String,
    pub command_id: String,
    /// Of the caller's idempotency key; never the key itself.
    pub key: String,
    pub fingerprint: String,
    pub actor: UserId,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub recorded_at: DateTime<Utc>,
    pub events: Vec<Event>,
}

/// A record read without opening its personal text.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Claim(Claim),
    Commit(Box<SealedCommit>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version of the ownership rule that the claimant follows.
    pub rule: u32,
    pub epoch: u64,
    pub owner: String,
    pub claimed_at: DateTime<Utc>,
}

/// A commit as it stands in the journal: every personal text in it is a sealed one.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedCommit {
    pub epoch: u64,
    pub owner: String,
    pub seq: u64,
    pub book: BookId,
    pub version: u64,
    pub previous: Hash,
    pub command: String,
    pub command_id: String,
    pub key: String,
    pub fingerprint: String,
    pub actor: UserId,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub recorded_at: DateTime<Utc>,
    pub events: Vec<Event>,
}

/// What every record says of itself, in the order in which it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordJson<'a> {
    format: u32,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<u32>,
    epoch: u64,
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    book: Option<BookId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Hash>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    command: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    command_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actor: Option<UserId>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    correlation_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    causation_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Cow<'a, [Event]>>,
}

#[derive(Deserialize)]
struct FormatJson {
    format: u32,
}

fn unknown_format(format: u32) -> String {
    format!("format {format} is not known to this version of Daybook, which reads {FORMAT}")
}

const CLAIM: &str = "claim";
const COMMIT: &str = "commit";

impl Claim {
    pub fn encode(&self) -> NewRecord {
        let json = RecordJson {
            format: FORMAT,
            kind: CLAIM.into(),
            rule: Some(self.rule),
            epoch: self.epoch,
            owner: self.owner.as_str().into(),
            claimed_at: Some(instant(&self.claimed_at)),
            seq: None,
            book: None,
            version: None,
            previous: None,
            command: None,
            command_id: None,
            key: None,
            fingerprint: None,
            actor: None,
            correlation_id: None,
            causation_id: None,
            recorded_at: None,
            events: None,
        };
        let bytes = encode(&json);
        let digest = Hash::of_claim(&bytes);
        NewRecord { bytes, digest }
    }
}

impl SealedCommit {
    pub fn encode(&self) -> NewRecord {
        let json = RecordJson {
            format: FORMAT,
            kind: COMMIT.into(),
            rule: None,
            epoch: self.epoch,
            owner: self.owner.as_str().into(),
            claimed_at: None,
            seq: Some(self.seq),
            book: Some(self.book),
            version: Some(self.version),
            previous: Some(self.previous),
            command: Some(self.command.as_str().into()),
            command_id: Some(self.command_id.as_str().into()),
            key: Some(self.key.as_str().into()),
            fingerprint: Some(self.fingerprint.as_str().into()),
            actor: Some(self.actor),
            correlation_id: self.correlation_id.as_deref().map(Into::into),
            causation_id: self.causation_id.as_deref().map(Into::into),
            recorded_at: Some(instant(&self.recorded_at)),
            events: Some(Cow::Borrowed(&self.events)),
        };
        let bytes = encode(&json);
        let digest = Hash::of_commit(&self.previous, &bytes);
        NewRecord { bytes, digest }
    }
}

fn encode(json: &RecordJson<'_>) -> Vec<u8> {
    serde_json::to_vec(json).expect("a record is made of strings, numbers and lists only")
}

/// Instants are kept to the millisecond.
fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Record {
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let json: RecordJson<'_> = serde_json::from_slice(bytes).map_err(|error| {
            // A later format is likely to have other fields; say the format, not the field.
            match serde_json::from_slice::<FormatJson>(bytes) {
                Ok(FormatJson { format }) if format != FORMAT => unknown_format(format),
                _ => error.to_string(),
            }
        })?;
        if json.format != FORMAT {
            return Err(unknown_format(json.format));
        }
        match json.kind.as_ref() {
            CLAIM => Ok(Record::Claim(Claim {
                rule: required(json.rule, "rule")?,
                epoch: json.epoch,
                owner: json.owner.into_owned(),
                claimed_at: parse_instant(json.claimed_at, "claimed_at")?,
            })),
            COMMIT => Ok(Record::Commit(Box::new(SealedCommit {
                epoch: json.epoch,
                owner: json.owner.into_owned(),
                seq: required(json.seq, "seq")?,
                book: required(json.book, "book")?,
                version: required(json.version, "version")?,
                previous: required(json.previous, "previous")?,
                command: required(json.command, "command")?.into_owned(),
                command_id: required(json.command_id, "command_id")?.into_owned(),
                key: required(json.key, "key")?.into_owned(),
                fingerprint: required(json.fingerprint, "fingerprint")?.into_owned(),
                actor: required(json.actor, "actor")?,
                correlation_id: json.correlation_id.map(Cow::into_owned),
                causation_id: json.causation_id.map(Cow::into_owned),
                recorded_at: parse_instant(json.recorded_at, "recorded_at")?,
                events: required(json.events, "events")?.into_owned(),
            }))),
            other => Err(format!("{other:?} is no kind of record")),
        }
    }

    /// What the digest beside these bytes has to be.
    pub fn digest(&self, bytes: &[u8]) -> Hash {
        match self {
            Record::Claim(_) => Hash::of_claim(bytes),
            Record::Commit(commit) => Hash::of_commit(&commit.previous, bytes),
        }
    }

    /// What the ownership rule looks at.
    pub fn header(&self) -> ownership::Header<'_> {
        match self {
            Record::Claim(claim) => {
                ownership::Header::Claim { rule: claim.rule, epoch: claim.epoch, owner: &claim.owner }
            }
            Record::Commit(commit) => {
                ownership::Header::Commit { epoch: commit.epoch, owner: &commit.owner, seq: commit.seq }
            }
        }
    }
}

fn required<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{name:?} is missing"))
}

fn parse_instant(text: Option<String>, name: &str) -> Result<DateTime<Utc>, String> {
    let text = required(text, name)?;
    let at = DateTime::parse_from_rfc3339(&text).map_err(|error| format!("{name} {text:?}: {error}"))?;
    Ok(at.with_timezone(&Utc))
}

/// The partition that a book lives in: the first four bytes of the SHA-256 of its id's 16, as a big-endian number,
/// modulo the number of partitions.
pub fn partition_of(book: BookId, partitions: u32) -> u32 {
    let digest: [u8; 32] = Sha256::digest(book.as_bytes()).into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % partitions.max(1)
}
