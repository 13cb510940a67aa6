//! Statements and other ledgers: their lines become entries, and an import is taken back.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use chrono::{DateTime, Days, NaiveDate};

use super::{add_category, add_checked, id_taken, open_account, post, refuse_balances};
use crate::{
    Book, Event, Recorded, Rejection,
    book::KeptEntry,
    command::{EntryDraft, ImportChart, ImportLine, ImportStart, Reading, Side, Sides},
    entry::{Entry, EntryKind, Imported},
    event::{JudgedLine, Settings, Verdict},
    id::{AccountId, EntryId, ImportId},
    posting::Posting,
    text::Text,
    touch::Facets,
};

/// Entries that are looked at for the other side of a transfer; more than one is too many already, unless they are equal.
const CANDIDATES_MAX: usize = 20;

pub(super) fn start_import(
    book: &Book,
    settings: &Settings,
    import: ImportId,
    start: &ImportStart,
    chart: &ImportChart,
) -> Result<Vec<Event>, Rejection> {
    if book.imports.contains_key(&import) {
        return Err(id_taken(&import));
    }
    let is_empty = book.entries.is_empty() && book.accounts.is_empty() && book.categories.is_empty();
    if chart.settings.is_some() && !is_empty {
        return Err(Rejection::BookNotEmpty);
    }
    let mut events =
        vec![Event::ImportStarted { import, file_name: start.file_name.clone(), lines: start.lines }];
    let settings = match &chart.settings {
        Some(given) if given != settings => {
            events.push(Event::BookChanged { settings: given.clone(), before: settings.clone() });
            given
        }
        Some(_) | None => settings,
    };

    // Each thing is held against the book as the ones before it leave it.
    let mut made = Book::default();
    made.accounts = book.accounts.clone();
    made.withdrawn_accounts = book.withdrawn_accounts.clone();
    made.categories = book.categories.clone();
    made.withdrawn_categories = book.withdrawn_categories.clone();
    let recorded = Recorded { version: book.version + 1, at: DateTime::UNIX_EPOCH };
    let mut make = |made: &mut Book, brought: Vec<Event>| {
        brought.iter().for_each(|event| made.evolve(event, recorded));
        events.extend(brought);
    };
    for account in &chart.accounts {
        if let Some(opening) = &account.opening_balance
            && book.entries.contains_key(&opening.entry)
        {
            return Err(id_taken(&opening.entry));
        }
        let opened = open_account(&made, settings, account)?;
        make(&mut made, opened);
    }
    for category in &chart.categories {
        let added = add_category(&made, category)?;
        make(&mut made, added);
    }
    for account in &chart.closed {
        let is_open = made.accounts.get(account).is_some_and(|known| !known.closed);
        if is_open {
            make(&mut made, vec![Event::AccountClosed { account: *account }]);
        }
    }
    for category in &chart.archived {
        let is_in_use = made.categories.get(category).is_some_and(|known| !known.archived);
        if is_in_use {
            make(&mut made, vec![Event::CategoryArchived { category: *category }]);
        }
    }
    Ok(events)
}

pub(super) fn import_lines(
    book: &Book,
    import: ImportId,
    start: Option<&ImportStart>,
    lines: &[ImportLine],
    finish: bool,
    all_or_nothing: bool,
) -> Result<Vec<Event>, Rejection> {
    let known = book.imports.get(&import);
    if start.is_none() && known.is_none() {
        return Err(Rejection::ImportNotFound { import });
    }
    if known.is_some_and(|known| known.finished || known.reverted) {
        return Err(Rejection::ImportFinished);
    }
    if start.is_some() && known.is_some() {
        return Err(id_taken(&import));
    }

    let mut events = Vec::with_capacity(lines.len() + 3);
    if let Some(ImportStart { file_name, lines }) = start {
        events.push(Event::ImportStarted { import, file_name: file_name.clone(), lines: *lines });
    }
    let mut twins_by_mark: HashMap<&str, _> = HashMap::new();
    let mut taking = Taking::new(book, lines);
    let mut judged = Vec::with_capacity(lines.len());
    for ImportLine { line, reading } in lines {
        // Each entry that the book has from elsewhere stands for one line of the file. One walk for all the lines of
        // a mark, so that a thousand equal ones cost what a thousand different ones do.
        let mut twin_of = |mark| {
            let twins = twins_by_mark.entry(mark).or_insert_with(|| {
                let told_of = known.and_then(|import| import.twins_met.get(mark)).copied().unwrap_or(0);
                book.marked(mark, import).skip(usize::try_from(told_of).unwrap_or(usize::MAX))
            });
            twins.next().map(|entry| book.repeated(entry, mark))
        };
        let imported = |mark: &str| Some(Imported { import, line: *line, mark: Text::known(mark) });
        let verdict = match reading {
            Reading::Unreadable { code, detail } => {
                Ok(Verdict::Refused { code: code.clone(), detail: detail.clone() })
            }
            Reading::Entry { entry, draft, mark } => match twin_of(mark.as_str()) {
                Some(repeated) => Ok(repeated),
                None => taking.add(*entry, draft, imported(mark)),
            },
            Reading::Unsorted { entry, draft, mark, side } => match twin_of(mark.as_str()) {
                Some(repeated) => Ok(repeated),
                None => match taking.transfer(side, |_| true) {
                    Some(transfer) => Ok(taking.mirror(transfer, side, mark, None)),
                    None => taking.add(*entry, draft, imported(mark)),
                },
            },
            Reading::Transfer { entry, draft, mark, sides } => match twin_of(mark.as_str()) {
                Some(repeated) => Ok(repeated),
                None => match taking.other_side(sides) {
                    OtherSide::Transfer(transfer) => Ok(taking.mirror(transfer, &sides.own, mark, None)),
                    OtherSide::Several(entries) => Ok(ambiguous(&entries)),
                    OtherSide::Unsorted(known) => taking.make_transfer(&known, draft, sides, mark),
                    OtherSide::Unknown => taking.add(*entry, draft, imported(mark)),
                },
            },
            Reading::Whole { entry, removed } => taking.add_whole(entry, *removed),
        };
        let verdict = verdict.unwrap_or_else(|rejection| refused(rejection.code(), rejection.to_string()));
        if let Verdict::Refused { code, detail } = &verdict
            && all_or_nothing
        {
            let detail = detail.as_str().unwrap_or_default().to_owned();
            return Err(Rejection::ImportRefused { line: *line, code: code.clone(), detail });
        }
        judged.push(JudgedLine { line: *line, verdict });
    }
    events.append(&mut taking.events);
    refuse_overflow_of_import(book, &events)?;

    events.push(Event::ImportLinesJudged { import, lines: judged });
    if finish {
        events.push(Event::ImportFinished { import });
    }
    Ok(events)
}

impl Book {
    /// The line repeats an entry of the book, as told by its own account or by the other one of a transfer.
    fn repeated(&self, entry: EntryId, mark: &str) -> Verdict {
        let own = self.entries.get(&entry).and_then(|kept| kept.entry.mark());
        if own.as_deref() == Some(mark) {
            return Verdict::DuplicateOf { entry };
        }
        Verdict::MirrorOf { entry, mark: Text::known(mark), before: None }
    }
}

fn days_around(side: &Side) -> RangeInclusive<NaiveDate> {
    let days = Days::new(u64::from(side.days_max));
    let from = side.occurred_on.checked_sub_days(days).unwrap_or(NaiveDate::MIN);
    from..=side.occurred_on.checked_add_days(days).unwrap_or(NaiveDate::MAX)
}

fn days_apart(entry: &Entry, side: &Side) -> u64 {
    (entry.occurred_on - side.occurred_on).num_days().unsigned_abs()
}

/// Where the other side of a transfer is.
enum OtherSide {
    /// In this transfer, which no line of this account has told of.
    Transfer(EntryId),
    /// In this entry, which an import took for spending or income, and nobody has said otherwise since.
    Unsorted(Box<Entry>),
    /// In one of several such entries.
    Several(Vec<EntryId>),
    Unknown,
}

/// What the lines of one command have come to so far.
struct Taking<'b> {
    book: &'b Book,
    events: Vec<Event>,
    taken: HashSet<EntryId>,
    /// The entries of this command, where a later line may be the other side of one.
    entries: HashMap<EntryId, Entry>,
    waiting: HashMap<(AccountId, i64), Vec<EntryId>>,
    imported: HashMap<(AccountId, i64), Vec<EntryId>>,
    /// Transfers that lines of this command told of, and from which account.
    told: HashSet<(EntryId, AccountId)>,
    may_mirror: bool,
}

impl<'b> Taking<'b> {
    fn new(book: &'b Book, lines: &[ImportLine]) -> Self {
        Self {
            book,
            events: Vec::with_capacity(lines.len()),
            taken: HashSet::with_capacity(lines.len()),
            entries: HashMap::new(),
            waiting: HashMap::new(),
            imported: HashMap::new(),
            told: HashSet::new(),
            may_mirror: lines
                .iter()
                .any(|line| matches!(line.reading, Reading::Transfer { .. } | Reading::Unsorted { .. })),
        }
    }

    fn add(
        &mut self,
        id: EntryId,
        draft: &EntryDraft,
        imported: Option<Imported>,
    ) -> Result<Verdict, Rejection> {
        self.refuse_taken(id)?;
        let added = Entry { imported, ..post(self.book, id, draft, None)? };
        self.taken.insert(id);
        if self.may_mirror {
            self.remember(added.clone());
        }
        self.events.push(Event::EntryAdded { entry: added });
        Ok(Verdict::Taken { entry: id })
    }

    fn add_whole(&mut self, entry: &Entry, removed: bool) -> Result<Verdict, Rejection> {
        self.refuse_taken(entry.id)?;
        // Told anew it has to come to the same. Whatever it names was there when it was written, so that closed
        // accounts, archived categories and purchases further down do not matter.
        let told = post(self.book, entry.id, &EntryDraft::of(entry), Some(entry))?;
        if sorted(&told) != sorted(entry) {
            return Ok(refused(
                "entry_invalid",
                format!(
                    "the postings of {} are not what an entry of its kind has in these accounts",
                    entry.id
                ),
            ));
        }
        self.taken.insert(entry.id);
        self.events.push(Event::EntryAdded { entry: entry.clone() });
        if removed {
            self.events.push(Event::EntryRemoved { entry: entry.id });
        }
        Ok(Verdict::Taken { entry: entry.id })
    }

    fn refuse_taken(&self, id: EntryId) -> Result<(), Rejection> {
        let is_taken = self.book.entries.contains_key(&id) || self.taken.contains(&id);
        if is_taken { Err(id_taken(&id)) } else { Ok(()) }
    }

    fn remember(&mut self, entry: Entry) {
        for (account, money) in entry.accounts() {
            let leg = (account, money.minor);
            if entry.kind != EntryKind::Transfer {
                self.imported.entry(leg).or_default().push(entry.id);
            } else if !self.is_told(account, &entry) {
                self.waiting.entry(leg).or_default().push(entry.id);
            }
        }
        self.entries.insert(entry.id, entry);
    }

    /// The nearest transfer whose side in this account this is, and that no line of this account has told of.
    fn transfer(&self, side: &Side, is_meant: impl Fn(&Entry) -> bool) -> Option<EntryId> {
        let days = days_around(side);
        let kept = self.book.waiting((side.account, side.minor), days.clone());
        let fresh = self.fresh(self.waiting.get(&(side.account, side.minor)), days);
        let found = kept.chain(fresh).filter(|entry| {
            entry.kind == EntryKind::Transfer && !self.is_told(side.account, entry) && is_meant(entry)
        });
        found.min_by_key(|entry| (days_apart(entry, side), entry.id)).map(|entry| entry.id)
    }

    /// Looks for the entry that tells of the same money from the other account. The line has said that it is a
    /// transfer, and between which accounts; the same amount alone never makes a transfer of an entry.
    fn other_side(&self, sides: &Sides) -> OtherSide {
        let is_between = |entry: &Entry| {
            entry
                .accounts()
                .any(|(account, money)| account == sides.other_account && money.minor == sides.other_minor)
        };
        if let Some(transfer) = self.transfer(&sides.own, is_between) {
            return OtherSide::Transfer(transfer);
        }
        let days = days_around(&sides.own);
        let kept = self.book.imported((sides.other_account, sides.other_minor), days.clone());
        // A correction by this command stands for what the book has.
        let kept = kept.filter(|entry| !self.entries.contains_key(&entry.id));
        let fresh = self.fresh(self.imported.get(&(sides.other_account, sides.other_minor)), days);
        let mut unsorted: Vec<&Entry> =
            kept.chain(fresh).filter(|entry| self.is_unsorted(entry, sides)).take(CANDIDATES_MAX).collect();
        unsorted.sort_by_key(|entry| (days_apart(entry, &sides.own), entry.id));
        let Some(nearest) = unsorted.first() else { return OtherSide::Unknown };
        // Lines that cannot be told apart are as good as one another.
        if unsorted.iter().any(|entry| entry.mark() != nearest.mark()) {
            return OtherSide::Several(unsorted.iter().map(|entry| entry.id).collect());
        }
        OtherSide::Unsorted(Box::new((*nearest).clone()))
    }

    /// Entries of this command, on these days.
    fn fresh<'t>(
        &'t self,
        found: Option<&'t Vec<EntryId>>,
        days: RangeInclusive<NaiveDate>,
    ) -> impl Iterator<Item = &'t Entry> {
        let found = found.into_iter().flatten().filter_map(|id| self.entries.get(id));
        found.filter(move |entry| days.contains(&entry.occurred_on))
    }

    fn is_told(&self, account: AccountId, entry: &Entry) -> bool {
        self.told.contains(&(entry.id, account)) || self.book.is_told_from(account, entry)
    }

    /// Whether the entry is as an import left it that knew nothing better: in a category for all else, and touched by
    /// nobody since.
    fn is_unsorted(&self, entry: &Entry, sides: &Sides) -> bool {
        let kept = self.book.entries.get(&entry.id);
        let is_untouched = kept.is_none_or(|kept| is_touched_by_imports_only(self.book, kept));
        let is_spent_or_earned =
            matches!(entry.kind, EntryKind::Expense | EntryKind::Income | EntryKind::Refund);
        let mut categories = entry.categories();
        let category = categories.next().filter(|_| categories.next().is_none());
        let is_in_rest = category.is_some_and(|(category, _)| sides.unsorted.contains(&category));
        let is_refunded = || self.book.entries.values().any(|kept| kept.entry.refund_of == Some(entry.id));
        entry.imported.is_some() && is_untouched && is_spent_or_earned && is_in_rest && !is_refunded()
    }

    fn mirror(&mut self, transfer: EntryId, side: &Side, mark: &str, before: Option<Box<Entry>>) -> Verdict {
        self.told.insert((transfer, side.account));
        Verdict::MirrorOf { entry: transfer, mark: Text::known(mark), before }
    }

    /// Makes a transfer of what was taken for spending or income. Its day and words stay, and where it came from.
    fn make_transfer(
        &mut self,
        known: &Entry,
        draft: &EntryDraft,
        sides: &Sides,
        mark: &str,
    ) -> Result<Verdict, Rejection> {
        let draft = EntryDraft {
            occurred_on: known.occurred_on,
            payee: known.payee.clone(),
            note: known.note.clone(),
            tags: known.tags.clone(),
            foreign: known.foreign,
            ..draft.clone()
        };
        let posted = post(self.book, known.id, &draft, Some(known))?;
        let transfer = Entry { imported: known.imported.clone(), ..posted };
        self.remember(transfer.clone());
        let before = Box::new(known.clone());
        self.events.push(Event::EntryCorrected { entry: Box::new(transfer), before: before.clone() });
        Ok(self.mirror(known.id, &sides.own, mark, Some(before)))
    }
}

/// Whether no person has changed the entry, or what they changed was undone.
fn is_touched_by_imports_only(book: &Book, kept: &KeptEntry) -> bool {
    let is_by_import = |version: u64| {
        book.imports.values().any(|import| {
            let reverted_by = import.reverted_by.iter().flatten();
            import.taken_by.iter().chain(reverted_by).any(|commit| *commit == version)
        })
    };
    let mut touched_by = kept.touches.writers(Facets::ALL).filter(|version| *version != kept.touches.made);
    touched_by.all(|version| !book.undos.holds(version) || is_by_import(version))
}

fn refused(code: &str, detail: impl Into<String>) -> Verdict {
    Verdict::Refused { code: code.to_owned(), detail: Text::known(detail) }
}

fn ambiguous(entries: &[EntryId]) -> Verdict {
    let named: Vec<String> = entries.iter().map(EntryId::to_string).collect();
    refused(
        "transfer_ambiguous",
        format!(
            "several entries could be the other side of this transfer: {}; make the right one a transfer, then import the file again",
            named.join(", ")
        ),
    )
}

fn sorted(entry: &Entry) -> Vec<&Posting> {
    let mut postings: Vec<&Posting> = entry.postings.iter().collect();
    postings.sort_by_key(|posting| (posting.ledger, posting.money.currency, posting.money.minor));
    postings
}

/// Takes back what the import did: its entries go, and what it made a transfer is what it was before, unless somebody
/// has changed it since.
pub(super) fn revert_import(
    book: &Book,
    import: ImportId,
    entries_max: usize,
) -> Result<Vec<Event>, Rejection> {
    let known = book.imports.get(&import).ok_or(Rejection::ImportNotFound { import })?;
    if known.reverted {
        return Err(Rejection::ImportReverted);
    }
    if !known.finished {
        return Err(Rejection::ImportUnfinished);
    }
    if entries_max == 0 {
        return Err(Rejection::NothingToChange);
    }
    let is_live = |entry: &EntryId| book.entries.get(entry).is_some_and(|kept| !kept.removed);
    let made_transfers = known.mirrors.iter().filter_map(|(entry, mirrors)| {
        let before = mirrors.iter().find_map(|mirror| mirror.before.as_deref())?;
        let kept = book.entries.get(entry).filter(|kept| !kept.removed)?;
        let is_as_made = kept.entry.kind == EntryKind::Transfer
            && is_touched_by_imports_only(book, kept)
            && !known.entries.contains(entry);
        is_as_made.then(|| Event::EntryCorrected {
            entry: Box::new(before.clone()),
            before: Box::new(kept.entry.clone()),
        })
    });
    let removed = known.entries.iter().filter(|entry| is_live(entry));
    let mut undone = made_transfers.chain(removed.map(|entry| Event::EntryRemoved { entry: *entry }));
    let mut events: Vec<Event> = undone.by_ref().take(entries_max).collect();
    refuse_overflow_of_import(book, &events)?;
    events.push(Event::ImportReverted { import, complete: undone.next().is_none() });
    Ok(events)
}

/// Refuses what would bring a balance beyond what 64 bits hold.
fn refuse_overflow_of_import(book: &Book, events: &[Event]) -> Result<(), Rejection> {
    let mut minor_by_account: HashMap<AccountId, i64> = HashMap::new();
    let mut added: HashMap<EntryId, &Entry> = HashMap::new();
    let mut post = |entry: &Entry, sign: i64| {
        entry.accounts().try_for_each(|(account, money)| {
            add_checked(minor_by_account.entry(account).or_default(), sign * money.minor)
        })
    };
    for event in events {
        match event {
            Event::EntryAdded { entry } => {
                added.insert(entry.id, entry);
                post(entry, 1)?;
            }
            Event::EntryCorrected { entry, before } => {
                post(before, -1)?;
                post(entry, 1)?;
            }
            Event::EntryRemoved { entry } => {
                let kept = || book.entries.get(entry).map(|kept| &kept.entry);
                if let Some(removed) = added.get(entry).copied().or_else(kept) {
                    post(removed, -1)?;
                }
            }
            _ => {}
        }
    }
    refuse_balances(book, &minor_by_account)
}
