//! The ownership rule: who may write a partition is decided by the log itself.
//!
//! ```text
//! Claim  { epoch, owner }        accepted iff epoch > current epoch        → (epoch, owner, seq 0)
//! Commit { epoch, owner, seq }   accepted iff epoch and owner are current and seq = last + 1
//! anything else                  ignored by every reader, for ever
//! ```
//!
//! Every reader applies this one function: the owner, the projector, audit, rebuild. So they agree on what
//! counts without asking each other, whatever a former owner still writes.

use serde::{Deserialize, Serialize};

/// The version of the rule; claims carry it. A reader that meets a later one must not guess.
pub const RULE: u32 = 1;

/// What the rule has to remember of the records before. `Default` is the start of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fence {
    /// 0 where nobody has claimed the partition yet.
    pub epoch: u64,
    pub owner: String,
    /// Of the last accepted commit of this epoch; 0 right after the claim.
    pub seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header<'r> {
    Claim { rule: u32, epoch: u64, owner: &'r str },
    Commit { epoch: u64, owner: &'r str, seq: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Accepted,
    Ignored(Reason),
}

/// Why a record does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A claim that does not raise the epoch: somebody else claimed first.
    StaleClaim,
    /// A commit of an owner that has been superseded, or of one that never claimed.
    NotTheOwner,
    /// The owner's commit, written a second time.
    Repeated,
    /// The owner's commit, but one before it never arrived.
    Gap,
}

impl Reason {
    pub fn as_str(&self) -> &'static str {
        match self {
            Reason::StaleClaim => "stale_claim",
            Reason::NotTheOwner => "not_the_owner",
            Reason::Repeated => "repeated",
            Reason::Gap => "gap",
        }
    }
}

impl Fence {
    /// Judges the next record of the partition and moves on.
    pub fn judge(&mut self, header: Header<'_>) -> Judgement {
        match header {
            Header::Claim { epoch, owner, .. } => {
                if epoch <= self.epoch {
                    return Judgement::Ignored(Reason::StaleClaim);
                }
                *self = Fence { epoch, owner: owner.to_owned(), seq: 0 };
                Judgement::Accepted
            }
            Header::Commit { epoch, owner, seq } => {
                if epoch != self.epoch || owner != self.owner {
                    return Judgement::Ignored(Reason::NotTheOwner);
                }
                if seq <= self.seq {
                    return Judgement::Ignored(Reason::Repeated);
                }
                if seq != self.seq + 1 {
                    return Judgement::Ignored(Reason::Gap);
                }
                self.seq = seq;
                Judgement::Accepted
            }
        }
    }
}
