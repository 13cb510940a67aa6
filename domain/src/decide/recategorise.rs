//! Many entries sorted anew in one commit: those that a filter means, or all that a category holds.

use std::collections::HashSet;

use chrono::Datelike;

use super::{
    CATEGORY_DEPTH_MAX, category_in_use, category_to_change, has_ancestor, height, refuse_taken_category_name,
};
use crate::{
    Book, Event, Rejection,
    book::KeptEntry,
    command::EntryFilter,
    entry::Entry,
    event::{CategoryWords, Recategorised, Weekday},
    id::CategoryId,
    money::Money,
    posting::{Ledger, Posting},
    text::Text,
};

/// Entries that one commit sorts anew.
const RECATEGORISED_MAX: usize = 10_000;

pub(super) fn recategorise(
    book: &Book,
    filter: &EntryFilter,
    category: CategoryId,
) -> Result<Vec<Event>, Rejection> {
    // All entries of a book are seldom meant by leaving something out.
    if filter.is_empty() {
        return Err(Rejection::FieldMissing { field: "filter" });
    }
    let target = category_in_use(book, category, "/category", None)?;
    if let Some(account) = filter.accounts.iter().find(|id| !book.accounts.contains_key(id)) {
        let pointer = "/filter/account".to_owned();
        return Err(Rejection::UnknownAccount { account: *account, pointer });
    }
    if let Some(category) = filter.categories.iter().find(|id| !book.categories.contains_key(id)) {
        let pointer = "/filter/category".to_owned();
        return Err(Rejection::UnknownCategory { category: *category, pointer });
    }

    let meaning = Meaning::of(book, filter);
    let is_movable = |posted: CategoryId| {
        meaning.categories.contains(&posted)
            && book.categories.get(&posted).is_some_and(|known| known.kind == target.kind)
    };
    let meant = book.entries.values().filter(|kept| !kept.removed && meaning.fits(&kept.entry));
    let events = move_into(category, meant, is_movable)?;
    if events.is_empty() { Err(Rejection::NothingToChange) } else { Ok(events) }
}

pub(super) fn merge(book: &Book, id: CategoryId, into: CategoryId) -> Result<Vec<Event>, Rejection> {
    let known = category_to_change(book, id)?;
    // It was merged before, and has to be taken into use again first.
    if known.merged_into.is_some() {
        return Err(Rejection::CategoryArchived { category: id, pointer: String::new() });
    }
    let target = category_in_use(book, into, "/into", None)?;
    if has_ancestor(book, into, id) {
        return Err(Rejection::CategoryCycle { pointer: "/into" });
    }
    if target.kind != known.kind {
        return Err(Rejection::CategoryKindMismatch { category: into, pointer: "/into".to_owned() });
    }
    let depth = book.category_path(into).len();
    let children = book.categories.iter().filter(|(_, child)| child.parent == Some(id));
    let mut moves = Vec::new();
    for (child_id, child) in children {
        if depth + height(book, *child_id) > CATEGORY_DEPTH_MAX {
            return Err(Rejection::CategoryTooDeep { at_most: CATEGORY_DEPTH_MAX, pointer: "/into" });
        }
        refuse_taken_category_name(book, &child.name, child.kind, Some(into), Some(*child_id)).map_err(
            |_| Rejection::ChildNameTaken {
                child: child.name.as_str().map_or_else(|| child_id.to_string(), str::to_owned),
            },
        )?;
        moves.push(Event::CategoryChanged {
            category: *child_id,
            name: child.name.clone(),
            parent: Some(into),
            icon: child.icon.clone(),
            colour: child.colour.clone(),
            before: CategoryWords {
                name: child.name.clone(),
                parent: child.parent,
                icon: child.icon.clone(),
                colour: child.colour.clone(),
            },
        });
    }
    // Those removed too: whoever restores one finds it sorted like the rest.
    let there = book.entries.values().filter(|kept| kept.touches.is_made(&book.undos));
    let mut events = move_into(into, there, |posted| posted == id)?;

    events.extend(moves);
    events.push(Event::CategoryMerged { category: id, into, was_archived: known.archived });
    Ok(events)
}

/// What sorts the movable parts of these entries into the category, one event for each entry that changes.
fn move_into<'b>(
    category: CategoryId,
    entries: impl Iterator<Item = &'b KeptEntry>,
    is_movable: impl Fn(CategoryId) -> bool,
) -> Result<Vec<Event>, Rejection> {
    let mut moves = Vec::new();
    for KeptEntry { entry, .. } in entries {
        let mut postings = Vec::new();
        for (posting, leg) in entry.postings.iter().enumerate() {
            if let Ledger::Category(from) = leg.ledger
                && from != category
                && is_movable(from)
            {
                postings.push(Recategorised { posting, from, to: category });
            }
        }
        if !postings.is_empty() {
            moves.push((entry.id, postings));
        }
    }
    if moves.len() > RECATEGORISED_MAX {
        return Err(Rejection::TooManyEntries { found: moves.len(), at_most: RECATEGORISED_MAX });
    }
    // The same book comes to the same commit, in whatever order it keeps its entries.
    moves.sort_unstable_by_key(|(entry, _)| *entry);
    let event = |(entry, postings)| Event::EntryRecategorised { entry, postings };
    Ok(moves.into_iter().map(event).collect())
}

/// A filter held against one book: what is the same for every entry is worked out once.
struct Meaning<'f> {
    filter: &'f EntryFilter,
    /// Those that one of the entry's categories has to be of; all where none are asked for.
    categories: HashSet<CategoryId>,
    asks_for_categories: bool,
    words: Vec<String>,
}

impl<'f> Meaning<'f> {
    fn of(book: &Book, filter: &'f EntryFilter) -> Self {
        let is_meant = |id: CategoryId| {
            let is_named = filter.categories.iter().any(|named| has_ancestor(book, id, *named));
            let kind = book.categories.get(&id).map(|known| known.kind);
            let is_of_kind = kind.is_some_and(|kind| filter.category_kinds.contains(&kind));
            (filter.categories.is_empty() || is_named) && (filter.category_kinds.is_empty() || is_of_kind)
        };
        Self {
            filter,
            categories: book.categories.keys().copied().filter(|id| is_meant(*id)).collect(),
            asks_for_categories: !filter.categories.is_empty() || !filter.category_kinds.is_empty(),
            words: filter.words.iter().map(|word| word.to_lowercase()).collect(),
        }
    }

    fn fits(&self, entry: &Entry) -> bool {
        let filter = self.filter;
        filter.from.is_none_or(|from| from <= entry.occurred_on)
            && filter.to.is_none_or(|to| entry.occurred_on <= to)
            && (filter.kinds.is_empty() || filter.kinds.contains(&entry.kind))
            && filter.weekday.is_none_or(|weekday| is_on(entry, weekday))
            && self.fits_postings(entry)
            && self.fits_amount(entry.told())
            && self.fits_payee(entry)
            && filter.tags.iter().all(|tag| has_tag(entry, tag))
            && self.fits_words(entry)
    }

    /// The currency is that of the posting by which the entry was found.
    fn fits_postings(&self, entry: &Entry) -> bool {
        let filter = self.filter;
        let is_in = |money: &Money| filter.currency.as_ref().is_none_or(|code| code == money.currency.code());
        let is_of_account = |posting: &Posting| matches!(posting.ledger, Ledger::Account(id) if filter.accounts.contains(&id));
        let is_of_category = |posting: &Posting| matches!(posting.ledger, Ledger::Category(id) if self.categories.contains(&id));
        let mut postings = entry.postings.iter();
        if self.asks_for_categories {
            return postings.any(|posting| is_of_category(posting) && is_in(&posting.money))
                && (filter.accounts.is_empty() || entry.postings.iter().any(is_of_account));
        }
        if !filter.accounts.is_empty() {
            return postings.any(|posting| is_of_account(posting) && is_in(&posting.money));
        }
        filter.currency.is_none() || postings.any(|posting| is_in(&posting.money))
    }

    fn fits_amount(&self, told: Money) -> bool {
        let (least, most) = (self.filter.amount_min, self.filter.amount_max);
        least.is_none_or(|least| least.cmp_minor(told).is_le())
            && most.is_none_or(|most| most.cmp_minor(told).is_ge())
    }

    fn fits_payee(&self, entry: &Entry) -> bool {
        let payee = entry.payee.as_ref().and_then(Text::as_str).unwrap_or_default();
        self.filter.payees.is_empty() || self.filter.payees.iter().any(|wanted| wanted == payee)
    }

    fn fits_words(&self, entry: &Entry) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let split_notes = entry.postings.iter().filter_map(|posting| posting.note.as_ref());
        let texts = entry.payee.iter().chain(&entry.note).chain(split_notes).chain(&entry.tags);
        let texts: Vec<String> = texts.filter_map(Text::as_str).map(str::to_lowercase).collect();
        self.words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

fn has_tag(entry: &Entry, wanted: &str) -> bool {
    if wanted.is_empty() {
        return entry.tags.is_empty();
    }
    entry.tags.iter().any(|tag| tag.as_str() == Some(wanted))
}

fn is_on(entry: &Entry, weekday: Weekday) -> bool {
    let from_monday = entry.occurred_on.weekday().num_days_from_monday() as usize;
    Weekday::ALL[from_monday] == weekday
}
