//! What a command comes to: events, or the reason why not. Each decision is one flat ladder of refusals;
//! below its last rung nothing can be refused.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate};

use crate::{
    Book, Command, Event, Recorded, Rejection,
    book::{Account, Category},
    command::{
        CategoryPatch, EntryDraft, ImportLine, ImportStart, NewAccount, NewCategory, Reading, SettingsPatch,
        Sorting, SplitDraft,
    },
    entry::{CategoryKind, Entry, EntryKind, Imported},
    event::{JudgedLine, Role, Settings, Verdict},
    id::{AccountId, CategoryId, EntryId, ImportId, UserId},
    money::{Amount, AmountError, Money},
    posting::{Ledger, Posting, Postings},
    text::Text,
};

pub const ACCOUNTS_MAX: usize = 500;
pub const CATEGORIES_MAX: usize = 2_000;
pub const CATEGORY_DEPTH_MAX: usize = 8;

pub fn decide(book: &Book, actor: UserId, command: &Command) -> Result<Vec<Event>, Rejection> {
    if let Command::CreateBook { settings, accounts, categories } = command {
        return create_book(book, actor, settings, accounts, categories);
    }
    let role = book.role_of(actor).ok_or(Rejection::BookNotFound)?;
    let settings = book.settings.as_ref().ok_or(Rejection::BookNotFound)?;
    let needed = command.least_role();
    if role < needed {
        return Err(Rejection::RoleForbids { needed });
    }

    match command {
        Command::CreateBook { .. } => Err(Rejection::BookExists),
        Command::ChangeBook(patch) => change_book(settings, patch),
        Command::OpenAccount(new) => open_account(book, settings, new),
        Command::ChangeAccount { account, name, kind } => {
            let known = account_to_change(book, *account)?;
            if name.is_none() && kind.is_none() {
                return Err(Rejection::NothingToChange);
            }
            if let Some(name) = name {
                refuse_taken_account_name(book, name, Some(*account))?;
            }
            let name = name.clone().unwrap_or_else(|| known.name.clone());
            Ok(vec![Event::AccountChanged { account: *account, name, kind: kind.unwrap_or(known.kind) }])
        }
        Command::CloseAccount { account } => {
            if account_to_change(book, *account)?.closed {
                return Err(Rejection::AccountClosed { account: *account, pointer: String::new() });
            }
            Ok(vec![Event::AccountClosed { account: *account }])
        }
        Command::ReopenAccount { account } => {
            if !account_to_change(book, *account)?.closed {
                return Err(Rejection::AccountNotClosed);
            }
            Ok(vec![Event::AccountReopened { account: *account }])
        }
        Command::AddCategory(new) => add_category(book, new),
        Command::ChangeCategory { category, patch } => change_category(book, *category, patch),
        Command::ArchiveCategory { category } => {
            if category_to_change(book, *category)?.archived {
                return Err(Rejection::CategoryArchived { category: *category, pointer: String::new() });
            }
            Ok(vec![Event::CategoryArchived { category: *category }])
        }
        Command::RestoreCategory { category } => {
            if !category_to_change(book, *category)?.archived {
                return Err(Rejection::CategoryNotArchived);
            }
            Ok(vec![Event::CategoryRestored { category: *category }])
        }
        Command::AddEntry { entry, draft } => {
            if book.entries.contains_key(entry) {
                return Err(id_taken(entry));
            }
            let entry = post(book, *entry, draft, None)?;
            Ok(vec![Event::EntryAdded { entry }])
        }
        Command::CorrectEntry { entry, patch } => {
            let kept = book.entries.get(entry).ok_or(Rejection::EntryNotFound { entry: *entry })?;
            if kept.removed {
                return Err(Rejection::EntryRemoved);
            }
            if patch.is_empty() {
                return Err(Rejection::NothingToChange);
            }
            // 12.50 euros do not become 12.50 dollars by moving to another account.
            let currency_of =
                |account: AccountId| book.accounts.get(&account).map(|account| account.currency);
            let moves_to = patch.account.and_then(currency_of);
            let was_in = kept.entry.account().map(|(_, money)| money.currency);
            if patch.amount.is_none() && moves_to.is_some() && moves_to != was_in {
                return Err(Rejection::FieldMissing { field: "amount" });
            }
            let before = EntryDraft::of(&kept.entry).ok_or(Rejection::EntryNotFound { entry: *entry })?;
            let mut corrected = post(book, *entry, &patch.clone().apply(before), Some(&kept.entry))?;
            corrected.imported = kept.entry.imported.clone();
            Ok(vec![Event::EntryCorrected { entry: corrected }])
        }
        Command::RemoveEntry { entry } => {
            let kept = book.entries.get(entry).ok_or(Rejection::EntryNotFound { entry: *entry })?;
            if kept.removed {
                return Err(Rejection::EntryRemoved);
            }
            refuse_overflow(book, None, Some(&kept.entry))?;
            Ok(vec![Event::EntryRemoved { entry: *entry }])
        }
        Command::RestoreEntry { entry } => {
            let kept = book.entries.get(entry).ok_or(Rejection::EntryNotFound { entry: *entry })?;
            if !kept.removed {
                return Err(Rejection::EntryNotRemoved);
            }
            refuse_overflow(book, Some(&kept.entry), None)?;
            Ok(vec![Event::EntryRestored { entry: *entry }])
        }
        Command::ImportLines { import, start, lines, finish, all_or_nothing } => {
            import_lines(book, *import, start.as_ref(), lines, *finish, *all_or_nothing)
        }
        Command::RevertImport { import, entries_max } => revert_import(book, *import, *entries_max),
    }
}

fn create_book(
    book: &Book,
    actor: UserId,
    settings: &Settings,
    accounts: &[NewAccount],
    categories: &[NewCategory],
) -> Result<Vec<Event>, Rejection> {
    if book.settings.is_some() {
        return Err(Rejection::BookExists);
    }
    let mut events = vec![
        Event::BookCreated { settings: settings.clone() },
        Event::MemberAdded { user: actor, role: Role::Owner },
    ];
    // Each thing is held against the book as the ones before it make it; when that happens matters to no rule.
    let mut made = Book::default();
    let recorded = Recorded { version: 1, at: DateTime::UNIX_EPOCH };
    for account in accounts {
        let opened = open_account(&made, settings, account)?;
        opened.iter().for_each(|event| made.evolve(event, recorded));
        events.extend(opened);
    }
    for category in categories {
        let added = add_category(&made, category)?;
        added.iter().for_each(|event| made.evolve(event, recorded));
        events.extend(added);
    }
    Ok(events)
}

fn change_book(settings: &Settings, patch: &SettingsPatch) -> Result<Vec<Event>, Rejection> {
    if *patch == SettingsPatch::default() {
        return Err(Rejection::NothingToChange);
    }
    let patch = patch.clone();
    Ok(vec![Event::BookChanged {
        settings: Settings {
            name: patch.name.unwrap_or_else(|| settings.name.clone()),
            currency: settings.currency,
            time_zone: patch.time_zone.unwrap_or_else(|| settings.time_zone.clone()),
            week_starts_on: patch.week_starts_on.unwrap_or(settings.week_starts_on),
            month_starts_on: patch.month_starts_on.unwrap_or(settings.month_starts_on),
        },
    }])
}

fn open_account(book: &Book, settings: &Settings, new: &NewAccount) -> Result<Vec<Event>, Rejection> {
    if book.accounts.len() >= ACCOUNTS_MAX {
        return Err(Rejection::LimitReached { of: "accounts", at_most: ACCOUNTS_MAX });
    }
    if book.accounts.contains_key(&new.account) {
        return Err(id_taken(&new.account));
    }
    refuse_taken_account_name(book, &new.name, None)?;
    refuse_date(new.opened_on, "/opened_on")?;
    let currency = new.currency.unwrap_or(settings.currency);
    let opening = match &new.opening_balance {
        Some(opening) if !opening.amount.is_zero() => {
            Some((opening.entry, money(opening.amount, currency, "/opening_balance")?))
        }
        _ => None,
    };
    if let Some((entry, _)) = opening
        && book.entries.contains_key(&entry)
    {
        return Err(id_taken(&entry));
    }

    let mut events = vec![Event::AccountOpened {
        account: new.account,
        name: new.name.clone(),
        kind: new.kind,
        currency,
        opened_on: new.opened_on,
    }];
    if let Some((id, money)) = opening {
        let postings = vec![
            Posting::new(Ledger::Account(new.account), money),
            Posting::new(Ledger::OpeningBalances, money.negated()),
        ];
        events.push(Event::EntryAdded {
            entry: Entry {
                id,
                kind: EntryKind::OpeningBalance,
                occurred_on: new.opened_on,
                postings: balanced(postings),
                payee: None,
                note: None,
                tags: Vec::new(),
                refund_of: None,
                foreign: None,
                imported: None,
            },
        });
    }
    Ok(events)
}

fn add_category(book: &Book, new: &NewCategory) -> Result<Vec<Event>, Rejection> {
    if book.categories.len() >= CATEGORIES_MAX {
        return Err(Rejection::LimitReached { of: "categories", at_most: CATEGORIES_MAX });
    }
    if book.categories.contains_key(&new.category) {
        return Err(id_taken(&new.category));
    }
    refuse_parent(book, new.parent, new.kind)?;
    refuse_taken_category_name(book, &new.name, new.kind, new.parent, None)?;
    Ok(vec![Event::CategoryAdded {
        category: new.category,
        name: new.name.clone(),
        kind: new.kind,
        parent: new.parent,
        icon: new.icon.clone(),
        colour: new.colour.clone(),
    }])
}

fn change_category(book: &Book, id: CategoryId, patch: &CategoryPatch) -> Result<Vec<Event>, Rejection> {
    let known = category_to_change(book, id)?;
    if *patch == CategoryPatch::default() {
        return Err(Rejection::NothingToChange);
    }
    let parent = patch.parent.unwrap_or(known.parent);
    let name = patch.name.clone().unwrap_or_else(|| known.name.clone());
    if parent != known.parent {
        let is_below_itself = parent.is_some_and(|parent| has_ancestor(book, parent, id));
        if is_below_itself {
            return Err(Rejection::CategoryCycle);
        }
        refuse_parent(book, parent, known.kind)?;
        let depth = parent.map_or(0, |parent| book.category_path(parent).len()) + height(book, id);
        if depth > CATEGORY_DEPTH_MAX {
            return Err(Rejection::CategoryTooDeep { at_most: CATEGORY_DEPTH_MAX });
        }
    }
    refuse_taken_category_name(book, &name, known.kind, parent, Some(id))?;

    Ok(vec![Event::CategoryChanged {
        category: id,
        name,
        parent,
        icon: patch.icon.clone().unwrap_or_else(|| known.icon.clone()),
        colour: patch.colour.clone().unwrap_or_else(|| known.colour.clone()),
    }])
}

/// Holds a draft against the book and posts it. What `before` already names may have been closed or archived
/// since: a correction need not undo that.
fn post(book: &Book, id: EntryId, draft: &EntryDraft, before: Option<&Entry>) -> Result<Entry, Rejection> {
    let account = account_to_post(book, draft.account, "/account", before)?;
    if let Some(given) = &draft.currency
        && given != account.currency.code()
    {
        return Err(Rejection::CurrencyMismatch { account_currency: account.currency, given: given.clone() });
    }
    refuse_date(draft.occurred_on, "/occurred_on")?;
    let total = money(draft.amount, account.currency, "/amount")?;
    if total.minor <= 0 && draft.kind != EntryKind::OpeningBalance {
        return Err(Rejection::Amount { error: AmountError::NotPositive, pointer: "/amount".to_owned() });
    }
    if draft.kind != EntryKind::Transfer && draft.to_account.is_some() {
        return Err(Rejection::FieldNotAllowed { field: "to_account" });
    }
    if draft.kind != EntryKind::Refund && draft.refund_of.is_some() {
        return Err(Rejection::FieldNotAllowed { field: "refund_of" });
    }
    if let Some(purchase) = draft.refund_of {
        let is_expense =
            book.entries.get(&purchase).is_some_and(|kept| kept.entry.kind == EntryKind::Expense);
        let is_known_already = before.is_some_and(|before| before.refund_of == Some(purchase));
        // A correction that makes a refund of an expense still finds the expense in the book.
        let is_itself = purchase == id;
        if is_itself || (!is_expense && !is_known_already) {
            return Err(Rejection::UnknownRefundOf { entry: purchase });
        }
    }

    let own = |money: Money| Posting::new(Ledger::Account(draft.account), money);
    let postings = match draft.kind {
        EntryKind::Expense => {
            [own(total.negated())].into_iter().chain(sort(book, draft, total, 1, before)?).collect()
        }
        EntryKind::Income | EntryKind::Refund => {
            [own(total)].into_iter().chain(sort(book, draft, total, -1, before)?).collect()
        }
        EntryKind::Transfer => {
            refuse_sorting(draft)?;
            let to = draft.to_account.ok_or(Rejection::FieldMissing { field: "to_account" })?;
            if to == draft.account {
                return Err(Rejection::SameAccount);
            }
            let to_account = account_to_post(book, to, "/to_account", before)?;
            if to_account.currency != account.currency {
                return Err(Rejection::CurrenciesDiffer { from: account.currency, to: to_account.currency });
            }
            vec![own(total.negated()), Posting::new(Ledger::Account(to), total)]
        }
        EntryKind::OpeningBalance => {
            refuse_sorting(draft)?;
            vec![own(total), Posting::new(Ledger::OpeningBalances, total.negated())]
        }
    };
    let entry = Entry {
        id,
        kind: draft.kind,
        occurred_on: draft.occurred_on,
        postings: balanced(postings),
        payee: draft.payee.clone(),
        note: draft.note.clone(),
        tags: draft.tags.clone(),
        refund_of: draft.refund_of,
        foreign: draft.foreign,
        imported: None,
    };
    refuse_overflow(book, Some(&entry), before)?;
    Ok(entry)
}

/// The postings to categories: `sign` is 1 where money was spent, -1 where it came in.
fn sort(
    book: &Book,
    draft: &EntryDraft,
    total: Money,
    sign: i64,
    before: Option<&Entry>,
) -> Result<Vec<Posting>, Rejection> {
    let Some(kind) = draft.kind.category_kind() else { return Ok(Vec::new()) };
    let signed = |money: Money| Money { minor: sign * money.minor, currency: money.currency };
    let splits = match &draft.sorting {
        Sorting::Unsorted => return Err(Rejection::FieldMissing { field: "category" }),
        Sorting::Whole(category) => {
            category_to_post(book, *category, kind, "/category", before)?;
            return Ok(vec![Posting::new(Ledger::Category(*category), signed(total))]);
        }
        Sorting::Split(splits) => splits,
    };
    if splits.is_empty() {
        return Err(Rejection::FieldMissing { field: "splits" });
    }
    let mut postings = Vec::with_capacity(splits.len());
    let mut sum: i64 = 0;
    for (index, SplitDraft { category, amount, note }) in splits.iter().enumerate() {
        category_to_post(book, *category, kind, &format!("/splits/{index}/category"), before)?;
        let pointer = format!("/splits/{index}/amount");
        let part = money(*amount, total.currency, &pointer)?;
        if part.minor <= 0 {
            return Err(Rejection::Amount { error: AmountError::NotPositive, pointer });
        }
        sum = sum
            .checked_add(part.minor)
            .ok_or(Rejection::Amount { error: AmountError::OutOfRange, pointer })?;
        postings.push(Posting {
            ledger: Ledger::Category(*category),
            money: signed(part),
            note: note.clone(),
        });
    }
    if sum != total.minor {
        let splits = Money { minor: sum, currency: total.currency }.decimal();
        return Err(Rejection::SplitsDoNotAddUp { splits, entry: total.decimal() });
    }
    Ok(postings)
}

fn import_lines(
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
    if known.is_some_and(|known| known.finished) {
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
    let mut taken: HashSet<EntryId> = HashSet::new();
    let mut judged = Vec::with_capacity(lines.len());
    for ImportLine { line, reading } in lines {
        let verdict = match reading {
            Reading::Unreadable { code, detail } => {
                Verdict::Refused { code: code.clone(), detail: detail.clone() }
            }
            Reading::Entry { entry, draft, mark } => {
                // Each entry that the book has from elsewhere stands for one line of the file. One walk for all
                // the lines of a mark, so that a thousand equal ones cost what a thousand different ones do.
                let twins = twins_by_mark.entry(mark.as_str()).or_insert_with(|| {
                    let told_of = known.and_then(|import| import.twins_met.get(mark)).copied().unwrap_or(0);
                    book.marked(mark, import).skip(usize::try_from(told_of).unwrap_or(usize::MAX))
                });
                match twins.next() {
                    Some(entry) => Verdict::DuplicateOf { entry },
                    None if book.entries.contains_key(entry) || taken.contains(entry) => {
                        refused(&id_taken(entry))
                    }
                    None => match post(book, *entry, draft, None) {
                        Err(rejection) => refused(&rejection),
                        Ok(mut added) => {
                            added.imported = Some(Imported { import, line: *line, mark: Text::known(mark) });
                            taken.insert(*entry);
                            events.push(Event::EntryAdded { entry: added });
                            Verdict::Taken { entry: *entry }
                        }
                    },
                }
            }
        };
        if let Verdict::Refused { code, detail } = &verdict
            && all_or_nothing
        {
            let detail = detail.as_str().unwrap_or_default().to_owned();
            return Err(Rejection::ImportRefused { line: *line, code: code.clone(), detail });
        }
        judged.push(JudgedLine { line: *line, verdict });
    }
    refuse_overflow_of_all(book, &events)?;

    events.push(Event::ImportLinesJudged { import, lines: judged });
    if finish {
        events.push(Event::ImportFinished { import });
    }
    Ok(events)
}

fn refused(rejection: &Rejection) -> Verdict {
    Verdict::Refused { code: rejection.code().to_owned(), detail: Text::known(rejection.to_string()) }
}

fn revert_import(book: &Book, import: ImportId, entries_max: usize) -> Result<Vec<Event>, Rejection> {
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
    let is_live = |entry: &&EntryId| book.entries.get(entry).is_some_and(|kept| !kept.removed);
    let mut live = known.entries.iter().filter(is_live);
    let mut events: Vec<Event> = Vec::new();
    let mut minor_by_account: HashMap<AccountId, i64> = HashMap::new();
    for entry in live.by_ref().take(entries_max) {
        for (account, money) in book.entries.get(entry).iter().flat_map(|kept| kept.entry.accounts()) {
            add_checked(minor_by_account.entry(account).or_default(), -money.minor)?;
        }
        events.push(Event::EntryRemoved { entry: *entry });
    }
    refuse_balances(book, &minor_by_account)?;
    if live.next().is_none() {
        events.push(Event::ImportReverted { import });
    }
    Ok(events)
}

fn id_taken(id: &impl ToString) -> Rejection {
    Rejection::IdTaken { id: id.to_string() }
}

/// Dates of other years do not sort as text, and are slips of the pen.
fn refuse_date(date: NaiveDate, pointer: &str) -> Result<(), Rejection> {
    if (1..=9999).contains(&date.year()) {
        Ok(())
    } else {
        Err(Rejection::DateOutOfRange { pointer: pointer.to_owned() })
    }
}

fn money(amount: Amount, currency: crate::money::Currency, pointer: &str) -> Result<Money, Rejection> {
    amount.in_currency(currency).map_err(|error| Rejection::Amount { error, pointer: pointer.to_owned() })
}

fn balanced(postings: Vec<Posting>) -> Postings {
    Postings::balanced(postings).expect("each kind of entry posts the same money to both sides")
}

fn account_to_change(book: &Book, account: AccountId) -> Result<&Account, Rejection> {
    book.accounts.get(&account).ok_or(Rejection::AccountNotFound { account })
}

fn account_to_post<'b>(
    book: &'b Book,
    id: AccountId,
    pointer: &str,
    before: Option<&Entry>,
) -> Result<&'b Account, Rejection> {
    let pointer = || pointer.to_owned();
    let account = book
        .accounts
        .get(&id)
        .ok_or_else(|| Rejection::UnknownAccount { account: id, pointer: pointer() })?;
    let was_there = before.is_some_and(|before| before.accounts().any(|(account, _)| account == id));
    if account.closed && !was_there {
        return Err(Rejection::AccountClosed { account: id, pointer: pointer() });
    }
    Ok(account)
}

fn category_to_change(book: &Book, category: CategoryId) -> Result<&Category, Rejection> {
    book.categories.get(&category).ok_or(Rejection::CategoryNotFound { category })
}

fn category_to_post(
    book: &Book,
    id: CategoryId,
    kind: CategoryKind,
    pointer: &str,
    before: Option<&Entry>,
) -> Result<(), Rejection> {
    let pointer = || pointer.to_owned();
    let category = book
        .categories
        .get(&id)
        .ok_or_else(|| Rejection::UnknownCategory { category: id, pointer: pointer() })?;
    let was_there = before.is_some_and(|before| before.categories().any(|(category, _)| category == id));
    if category.archived && !was_there {
        return Err(Rejection::CategoryArchived { category: id, pointer: pointer() });
    }
    if category.kind != kind {
        return Err(Rejection::CategoryKindMismatch { category: id, pointer: pointer() });
    }
    Ok(())
}

fn refuse_sorting(draft: &EntryDraft) -> Result<(), Rejection> {
    match draft.sorting {
        Sorting::Unsorted => Ok(()),
        Sorting::Whole(_) => Err(Rejection::FieldNotAllowed { field: "category" }),
        Sorting::Split(_) => Err(Rejection::FieldNotAllowed { field: "splits" }),
    }
}

fn refuse_taken_account_name(book: &Book, name: &Text, own: Option<AccountId>) -> Result<(), Rejection> {
    let is_taken = book.accounts.iter().any(|(id, account)| Some(*id) != own && account.name.reads_as(name));
    if is_taken { Err(Rejection::NameTaken { of: "account" }) } else { Ok(()) }
}

fn refuse_taken_category_name(
    book: &Book,
    name: &Text,
    kind: CategoryKind,
    parent: Option<CategoryId>,
    own: Option<CategoryId>,
) -> Result<(), Rejection> {
    let is_taken = book.categories.iter().any(|(id, category)| {
        Some(*id) != own && category.parent == parent && category.kind == kind && category.name.reads_as(name)
    });
    if is_taken { Err(Rejection::NameTaken { of: "category" }) } else { Ok(()) }
}

fn refuse_parent(book: &Book, parent: Option<CategoryId>, kind: CategoryKind) -> Result<(), Rejection> {
    let Some(id) = parent else { return Ok(()) };
    category_to_post(book, id, kind, "/parent", None)?;
    if book.category_path(id).len() >= CATEGORY_DEPTH_MAX {
        return Err(Rejection::CategoryTooDeep { at_most: CATEGORY_DEPTH_MAX });
    }
    Ok(())
}

fn has_ancestor(book: &Book, start: CategoryId, wanted: CategoryId) -> bool {
    let mut next = Some(start);
    while let Some(id) = next {
        if id == wanted {
            return true;
        }
        next = book.categories.get(&id).and_then(|category| category.parent);
    }
    false
}

/// How many levels the tree below and with `id` has.
fn height(book: &Book, id: CategoryId) -> usize {
    let children = book.categories.iter().filter(|(_, category)| category.parent == Some(id));
    1 + children.map(|(child, _)| height(book, *child)).max().unwrap_or(0)
}

/// Refuses what would bring a balance beyond what 64 bits hold.
fn refuse_overflow(book: &Book, added: Option<&Entry>, taken_back: Option<&Entry>) -> Result<(), Rejection> {
    let mut minor_by_account: HashMap<AccountId, i64> = HashMap::new();
    for (account, money) in taken_back.iter().flat_map(|entry| entry.accounts()) {
        add_checked(minor_by_account.entry(account).or_default(), -money.minor)?;
    }
    for (account, money) in added.iter().flat_map(|entry| entry.accounts()) {
        add_checked(minor_by_account.entry(account).or_default(), money.minor)?;
    }
    refuse_balances(book, &minor_by_account)
}

fn refuse_overflow_of_all(book: &Book, events: &[Event]) -> Result<(), Rejection> {
    let mut minor_by_account: HashMap<AccountId, i64> = HashMap::new();
    for event in events {
        if let Event::EntryAdded { entry } = event {
            for (account, money) in entry.accounts() {
                add_checked(minor_by_account.entry(account).or_default(), money.minor)?;
            }
        }
    }
    refuse_balances(book, &minor_by_account)
}

fn add_checked(sum: &mut i64, minor: i64) -> Result<(), Rejection> {
    *sum = sum.checked_add(minor).ok_or(Rejection::BalanceOutOfRange)?;
    Ok(())
}

fn refuse_balances(book: &Book, minor_by_account: &HashMap<AccountId, i64>) -> Result<(), Rejection> {
    for (account, minor) in minor_by_account {
        let balance = book.accounts.get(account).map_or(0, |account| account.balance_minor);
        balance.checked_add(*minor).ok_or(Rejection::BalanceOutOfRange)?;
    }
    Ok(())
}
