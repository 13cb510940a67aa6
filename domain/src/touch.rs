//! Which commit wrote what of a thing: what undoing an earlier commit must not overrun.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{
    entry::{Entry, EntryKind},
    posting::Ledger,
};

/// A part of a thing that can be changed without its other parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Facet {
    /// Whether it is in force: an entry not removed, an account not closed, an invitation open.
    Presence = 1 << 0,
    Name = 1 << 1,
    Kind = 1 << 2,
    Parent = 1 << 3,
    Icon = 1 << 4,
    Colour = 1 << 5,
    TimeZone = 1 << 6,
    WeekStart = 1 << 7,
    MonthStart = 1 << 8,
    Role = 1 << 9,
    Date = 1 << 10,
    /// Accounts and amounts.
    Money = 1 << 11,
    Category = 1 << 12,
    Payee = 1 << 13,
    Note = 1 << 14,
    Tags = 1 << 15,
    RefundOf = 1 << 16,
    Foreign = 1 << 17,
}

/// A set of [`Facet`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets(u32);

impl Facets {
    pub const NONE: Self = Self(0);
    /// What the commit that makes a thing writes.
    pub const ALL: Self = Self(u32::MAX);

    pub const fn of(facet: Facet) -> Self {
        Self(facet as u32)
    }

    pub fn has(&self, facet: Facet) -> bool {
        self.0 & facet as u32 != 0
    }

    pub fn overlaps(&self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn and(self, facet: Facet, is_in: bool) -> Self {
        if is_in { self.with(Self::of(facet)) } else { self }
    }

    /// What tells two editions of an entry apart. Categories and amounts of a split hang together, so there they
    /// are written as one.
    pub fn between(before: &Entry, after: &Entry) -> Self {
        let is_plain = before.is_plain() && after.is_plain() && before.kind == after.kind;
        let money = |entry: &Entry| -> Vec<_> {
            let legs = entry.postings.iter();
            legs.map(|posting| match posting.ledger {
                Ledger::Category(_) => (None, posting.money),
                ledger @ (Ledger::Account(_) | Ledger::OpeningBalances | Ledger::Conversion) => {
                    (Some(ledger), posting.money)
                }
            })
            .collect()
        };
        let written = if before.kind == after.kind && before.postings == after.postings {
            Self::NONE
        } else if is_plain {
            let sorted = |entry: &Entry| entry.categories().next().map(|(category, _)| category);
            Self::NONE
                .and(Facet::Money, money(before) != money(after))
                .and(Facet::Category, sorted(before) != sorted(after))
        } else {
            Self::of(Facet::Money).with(Self::of(Facet::Category))
        };
        written
            .and(Facet::Date, before.occurred_on != after.occurred_on)
            .and(Facet::Payee, before.payee != after.payee)
            .and(Facet::Note, before.note != after.note)
            .and(Facet::Tags, before.tags != after.tags)
            .and(Facet::RefundOf, before.refund_of != after.refund_of)
            .and(Facet::Foreign, before.foreign != after.foreign)
    }
}

/// A commit that wrote some facets of a thing, after the one that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    pub version: u64,
    pub facets: Facets,
}

/// The life of a thing, as commits that were no undoing wrote it. Whether they still hold is in [`Undos`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touches {
    /// The version that made it.
    pub made: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    later: Vec<Touch>,
}

impl Touches {
    pub fn made_by(version: u64) -> Self {
        Self { made: version, later: Vec::new() }
    }

    pub fn add(&mut self, version: u64, facets: Facets) {
        if facets.is_empty() || version == self.made {
            return;
        }
        match self.later.last_mut() {
            Some(last) if last.version == version => last.facets = last.facets.with(facets),
            Some(_) | None => self.later.push(Touch { version, facets }),
        }
    }

    /// What the commit wrote.
    pub fn by(&self, version: u64) -> Facets {
        if version == self.made {
            return Facets::ALL;
        }
        self.later.iter().find(|touch| touch.version == version).map_or(Facets::NONE, |touch| touch.facets)
    }

    /// The commits that wrote any of `facets`, in order.
    pub fn writers(&self, facets: Facets) -> impl Iterator<Item = u64> {
        let made = Touch { version: self.made, facets: Facets::ALL };
        let all = std::iter::once(made).chain(self.later.iter().copied());
        all.filter(move |touch| touch.facets.overlaps(facets)).map(|touch| touch.version)
    }

    /// Those of them after `version`.
    pub fn after(&self, version: u64, facets: Facets) -> impl Iterator<Item = u64> {
        self.writers(facets).filter(move |writer| *writer > version)
    }

    /// Whether a commit that holds made the thing, or brought it back whole after its making was undone.
    pub fn is_made(&self, undos: &Undos) -> bool {
        let brought_back = self.later.iter().filter(|touch| touch.facets == Facets::ALL);
        std::iter::once(self.made)
            .chain(brought_back.map(|touch| touch.version))
            .any(|root| undos.holds(root))
    }
}

/// Which commits were undone, and whether that was undone in turn.
///
/// A commit that is no undoing is a *root*. Each undoing turns its root off or on again, so a root holds where
/// it was turned an even number of times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undos {
    turns: BTreeMap<u64, Vec<u64>>,
    roots: HashMap<u64, u64>,
}

impl Undos {
    /// `undo` is the version of the commit that undid `version`.
    pub fn add(&mut self, version: u64, undo: u64) {
        let root = self.root_of(version);
        self.turns.entry(root).or_default().push(undo);
        self.roots.insert(undo, root);
    }

    pub fn root_of(&self, version: u64) -> u64 {
        self.roots.get(&version).copied().unwrap_or(version)
    }

    pub fn is_undo(&self, version: u64) -> bool {
        self.roots.contains_key(&version)
    }

    /// Whether what the root wrote is in force.
    pub fn holds(&self, root: u64) -> bool {
        self.turns.get(&root).is_none_or(|turns| turns.len().is_multiple_of(2))
    }

    /// Whether the root came into force or went out of it after the commit that made `version`.
    pub fn has_turned_since(&self, root: u64, version: u64) -> bool {
        if root > version {
            return self.holds(root);
        }
        let turns = self.turns.get(&root).into_iter().flatten();
        !turns.filter(|turn| **turn > version).count().is_multiple_of(2)
    }

    /// The commit that last turned the root, or the root itself where none did.
    pub fn last_turn(&self, root: u64) -> u64 {
        self.turns.get(&root).and_then(|turns| turns.last()).copied().unwrap_or(root)
    }

    /// Each undoing and what it undid, in the order in which they happened.
    pub fn turns(&self) -> Vec<(u64, u64)> {
        let mut turns: Vec<(u64, u64)> = self.roots.iter().map(|(undo, root)| (*root, *undo)).collect();
        turns.sort_unstable_by_key(|(_, undo)| *undo);
        turns
    }
}

impl FromIterator<(u64, u64)> for Undos {
    fn from_iter<T: IntoIterator<Item = (u64, u64)>>(turns: T) -> Self {
        let mut undos = Self::default();
        turns.into_iter().for_each(|(version, undo)| undos.add(version, undo));
        undos
    }
}

impl Entry {
    /// Whether all of its amount went to one category, or to none, without words of its own for a part.
    pub(crate) fn is_plain(&self) -> bool {
        let mut sorted = self.postings.iter().filter(|posting| matches!(posting.ledger, Ledger::Category(_)));
        let first_has_note = sorted.next().is_some_and(|posting| posting.note.is_some());
        self.kind != EntryKind::Balanced && !first_has_note && sorted.next().is_none()
    }
}
