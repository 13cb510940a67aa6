//! What a command comes to: events, or the reason why not. Each decision is one flat ladder of refusals;
//! below its last rung nothing can be refused.

mod bulk;
mod import;
mod members;
mod recategorise;
mod undo;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, NaiveDate};

use crate::{
    Book, Command, Event, Recorded, Rejection,
    book::{Account, Category},
    command::{
        CategoryPatch, EntryDraft, EntryPatch, NewAccount, NewCategory, PostedTo, PostingDraft,
        SettingsPatch, Sorting, SplitDraft,
    },
    entry::{CategoryKind, Entry, EntryKind},
    event::{AccountWords, CategoryWords, Role, Settings},
    id::{AccountId, CategoryId, EntryId, UserId},
    money::{Amount, AmountError, Currency, Money},
    posting::{Ledger, Posting, Postings},
    text::Text,
};

pub use bulk::BULK_MAX;

pub const ACCOUNTS_MAX: usize = 500;
pub const CATEGORIES_MAX: usize = 2_000;
pub const CATEGORY_DEPTH_MAX: usize = 8;
/// Of a balanced entry its postings, of any other its splits.
pub const PARTS_MAX: usize = 100;

pub fn decide(book: &Book, actor: UserId, command: &Command) -> Result<Vec<Event>, Rejection> {
    if let Command::CreateBook { settings, accounts, categories } = command {
        return create_book(book, actor, settings, accounts, categories);
    }
    if let Command::AcceptInvitation { invitation, at } = command {
        return members::accept(book, actor, *invitation, *at);
    }
    let role = book.role_of(actor).ok_or(Rejection::BookNotFound)?;
    let settings = book.settings.as_ref().ok_or(Rejection::BookNotFound)?;
    let needed = command.least_role(actor);
    if role < needed {
        return Err(Rejection::RoleForbids { needed });
    }

    match command {
        Command::CreateBook { .. } => Err(Rejection::BookExists),
        Command::AcceptInvitation { .. } => Err(Rejection::AlreadyMember),
        Command::ChangeBook(patch) => change_book(settings, patch),
        Command::InviteMember { invitation, email, role, expires_at } => {
            members::invite(book, *invitation, email, *role, *expires_at)
        }
        Command::WithdrawInvitation { invitation } => members::withdraw(book, *invitation),
        Command::ChangeMember { user, role } => members::change(book, *user, *role),
        Command::RemoveMember { user } => members::remove(book, *user),
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
            let before = AccountWords { name: known.name.clone(), kind: known.kind };
            Ok(vec![Event::AccountChanged {
                account: *account,
                name,
                kind: kind.unwrap_or(known.kind),
                before,
            }])
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
            let known = category_to_change(book, *category)?;
            if !known.archived {
                return Err(Rejection::CategoryNotArchived);
            }
            Ok(vec![match known.merged_into {
                Some(into) => Event::CategoryUnmerged { category: *category, into, archived: false },
                None => Event::CategoryRestored { category: *category },
            }])
        }
        Command::MergeCategory { category, into } => recategorise::merge(book, *category, *into),
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
            let draft = corrected(book, &kept.entry, patch)?;
            let mut entry = post(book, *entry, &draft, Some(&kept.entry))?;
            entry.imported = kept.entry.imported.clone();
            Ok(vec![Event::EntryCorrected { entry: Box::new(entry), before: Box::new(kept.entry.clone()) }])
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
            // Where its adding was undone, what it stands on may be gone since.
            for (account, _) in kept.entry.accounts() {
                let is_there = book.accounts.contains_key(&account);
                let gone = || Rejection::UnknownAccount { account, pointer: String::new() };
                is_there.then_some(()).ok_or_else(gone)?;
            }
            for (category, _) in kept.entry.categories() {
                let is_there = book.categories.contains_key(&category);
                let gone = || Rejection::UnknownCategory { category, pointer: String::new() };
                is_there.then_some(()).ok_or_else(gone)?;
            }
            refuse_overflow(book, Some(&kept.entry), None)?;
            Ok(vec![Event::EntryRestored { entry: *entry }])
        }
        Command::AddEntries { entries, unreadable, all_or_nothing } => {
            bulk::add_entries(book, entries, unreadable, *all_or_nothing)
        }
        Command::RecategoriseEntries { filter, category } => {
            recategorise::recategorise(book, filter, *category)
        }
        Command::Undo { version, commit } => undo::undo(book, role, *version, commit.as_ref()),
        Command::StartImport { import, start, chart } => {
            import::start_import(book, settings, *import, start, chart)
        }
        Command::ImportLines { import, start, lines, finish, all_or_nothing } => {
            import::import_lines(book, *import, start.as_ref(), lines, *finish, *all_or_nothing)
        }
        Command::RevertImport { import, entries_max } => import::revert_import(book, *import, *entries_max),
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
        before: settings.clone(),
    }])
}

fn open_account(book: &Book, settings: &Settings, new: &NewAccount) -> Result<Vec<Event>, Rejection> {
    if book.accounts.len() >= ACCOUNTS_MAX {
        return Err(Rejection::LimitReached { of: "accounts", at_most: ACCOUNTS_MAX });
    }
    if book.accounts.contains_key(&new.account) || book.withdrawn_accounts.contains_key(&new.account) {
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
    if book.categories.contains_key(&new.category) || book.withdrawn_categories.contains_key(&new.category) {
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
            return Err(Rejection::CategoryCycle { pointer: "/parent" });
        }
        refuse_parent(book, parent, known.kind)?;
        let depth = parent.map_or(0, |parent| book.category_path(parent).len()) + height(book, id);
        if depth > CATEGORY_DEPTH_MAX {
            return Err(Rejection::CategoryTooDeep { at_most: CATEGORY_DEPTH_MAX, pointer: "/parent" });
        }
    }
    refuse_taken_category_name(book, &name, known.kind, parent, Some(id))?;

    Ok(vec![Event::CategoryChanged {
        category: id,
        name,
        parent,
        icon: patch.icon.clone().unwrap_or_else(|| known.icon.clone()),
        colour: patch.colour.clone().unwrap_or_else(|| known.colour.clone()),
        before: CategoryWords {
            name: known.name.clone(),
            parent: known.parent,
            icon: known.icon.clone(),
            colour: known.colour.clone(),
        },
    }])
}

/// The entries that come before one in the same command, and will be in the book with it.
type Siblings = HashMap<EntryId, EntryKind>;

/// The entry with the patch applied, as a person would tell it.
fn corrected(book: &Book, entry: &Entry, patch: &EntryPatch) -> Result<EntryDraft, Rejection> {
    let before = EntryDraft::of(entry);
    let mut draft = patch.clone().apply(before.clone());
    let currency_of =
        |id: Option<AccountId>| id.and_then(|id| book.accounts.get(&id)).map(|known| known.currency);
    let (left_in, leaves_in) = (currency_of(before.account), currency_of(draft.account));
    let (arrived_in, arrives_in) = (currency_of(before.to_account), currency_of(draft.to_account));
    // 12.50 euros do not become 12.50 dollars by moving to another account.
    if patch.amount.is_none() && left_in.is_some() && leaves_in.is_some() && left_in != leaves_in {
        return Err(Rejection::FieldMissing { field: "amount" });
    }
    if patch.to_amount.is_none() && (arrives_in != arrived_in || arrives_in == leaves_in) {
        draft.to_amount = None;
    }
    Ok(draft)
}

/// Holds a draft against the book and posts it. What `before` already names may have been closed or archived
/// since: a correction need not undo that.
fn post(book: &Book, id: EntryId, draft: &EntryDraft, before: Option<&Entry>) -> Result<Entry, Rejection> {
    let entry = post_beside(book, &Siblings::new(), id, draft, before)?;
    refuse_overflow(book, Some(&entry), before)?;
    Ok(entry)
}

/// The same beside entries of the same command; whether the balances hold them all is left to whoever knows them.
fn post_beside(
    book: &Book,
    siblings: &Siblings,
    id: EntryId,
    draft: &EntryDraft,
    before: Option<&Entry>,
) -> Result<Entry, Rejection> {
    refuse_date(draft.occurred_on, "/occurred_on")?;
    refuse_fields_of_other_kinds(draft)?;
    if let Some(purchase) = draft.refund_of {
        let kind_of = |entry| book.entries.get(entry).map(|kept| kept.entry.kind);
        let is_expense = kind_of(&purchase).or(siblings.get(&purchase).copied()) == Some(EntryKind::Expense);
        let is_known_already = before.is_some_and(|before| before.refund_of == Some(purchase));
        // A correction that makes a refund of an expense still finds the expense in the book.
        let is_itself = purchase == id;
        if is_itself || (!is_expense && !is_known_already) {
            return Err(Rejection::UnknownRefundOf { entry: purchase });
        }
    }

    let postings = match draft.kind {
        EntryKind::Balanced => post_legs(book, draft.postings.as_deref().unwrap_or_default(), before)?,
        EntryKind::Expense
        | EntryKind::Income
        | EntryKind::Refund
        | EntryKind::Transfer
        | EntryKind::OpeningBalance => post_told(book, draft, before)?,
    };
    Ok(Entry {
        id,
        kind: draft.kind,
        occurred_on: draft.occurred_on,
        postings,
        payee: draft.payee.clone(),
        note: draft.note.clone(),
        tags: draft.tags.clone(),
        refund_of: draft.refund_of,
        foreign: draft.foreign,
        imported: None,
    })
}

fn refuse_fields_of_other_kinds(draft: &EntryDraft) -> Result<(), Rejection> {
    let kind = draft.kind;
    let is_balanced = kind == EntryKind::Balanced;
    let is_transfer = kind == EntryKind::Transfer;
    let is_sorted = kind.category_kind().is_some();
    let fields = [
        ("account", is_balanced && draft.account.is_some()),
        ("amount", is_balanced && draft.amount.is_some()),
        ("currency", is_balanced && draft.currency.is_some()),
        ("category", !is_sorted && matches!(draft.sorting, Sorting::Whole(_))),
        ("splits", !is_sorted && matches!(draft.sorting, Sorting::Split(_))),
        ("to_account", !is_transfer && draft.to_account.is_some()),
        ("to_amount", !is_transfer && draft.to_amount.is_some()),
        ("refund_of", kind != EntryKind::Refund && draft.refund_of.is_some()),
        ("postings", !is_balanced && draft.postings.is_some()),
    ];
    match fields.into_iter().find(|(_, is_misplaced)| *is_misplaced) {
        Some((field, _)) => Err(Rejection::FieldNotAllowed { field }),
        None => Ok(()),
    }
}

/// The postings of an entry that is told from an account.
fn post_told(book: &Book, draft: &EntryDraft, before: Option<&Entry>) -> Result<Postings, Rejection> {
    let id = draft.account.ok_or(Rejection::FieldMissing { field: "account" })?;
    let account = account_to_post(book, id, "/account", before)?;
    if let Some(given) = &draft.currency
        && given != account.currency.code()
    {
        return Err(Rejection::CurrencyMismatch {
            account_currency: account.currency,
            given: given.clone(),
            pointer: "/currency".to_owned(),
        });
    }
    let amount = draft.amount.ok_or(Rejection::FieldMissing { field: "amount" })?;
    let total = match draft.kind {
        EntryKind::OpeningBalance => money(amount, account.currency, "/amount")?,
        _ => positive_money(amount, account.currency, "/amount")?,
    };

    let own = |money: Money| Posting::new(Ledger::Account(id), money);
    let postings = match draft.kind {
        EntryKind::Expense => {
            [own(total.negated())].into_iter().chain(sort(book, draft, total, 1, before)?).collect()
        }
        EntryKind::Income | EntryKind::Refund => {
            [own(total)].into_iter().chain(sort(book, draft, total, -1, before)?).collect()
        }
        EntryKind::Transfer => {
            let to = draft.to_account.ok_or(Rejection::FieldMissing { field: "to_account" })?;
            if to == id {
                return Err(Rejection::SameAccount);
            }
            let currency = account_to_post(book, to, "/to_account", before)?.currency;
            let arriving = match draft.to_amount {
                None if currency == account.currency => total,
                None => return Err(Rejection::FieldMissing { field: "to_amount" }),
                Some(amount) => positive_money(amount, currency, "/to_amount")?,
            };
            if currency == account.currency && arriving != total {
                return Err(Rejection::ToAmountDiffers);
            }
            let mut postings = vec![own(total.negated()), Posting::new(Ledger::Account(to), arriving)];
            if currency != account.currency {
                postings.push(Posting::new(Ledger::Conversion, total));
                postings.push(Posting::new(Ledger::Conversion, arriving.negated()));
            }
            postings
        }
        EntryKind::OpeningBalance => {
            vec![own(total), Posting::new(Ledger::OpeningBalances, total.negated())]
        }
        // It is not told from an account.
        EntryKind::Balanced => return Err(Rejection::FieldMissing { field: "postings" }),
    };
    Ok(balanced(postings))
}

/// The postings of a balanced entry, as they were given. Accounts and categories of either kind may stand on either
/// side, and none of the one or the other.
fn post_legs(book: &Book, legs: &[PostingDraft], before: Option<&Entry>) -> Result<Postings, Rejection> {
    if legs.is_empty() {
        return Err(Rejection::FieldMissing { field: "postings" });
    }
    if legs.len() > PARTS_MAX {
        return Err(Rejection::LimitReached { of: "postings of an entry", at_most: PARTS_MAX });
    }
    let kept_by_accounts: Vec<Currency> = legs
        .iter()
        .filter_map(|leg| match leg.to {
            PostedTo::Account(account) => Some(book.accounts.get(&account)?.currency),
            PostedTo::Category(_) => None,
        })
        .collect();
    let mut postings = Vec::with_capacity(legs.len());
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for (index, leg) in legs.iter().enumerate() {
        let at = |field: &str| format!("/postings/{index}/{field}");
        let (ledger, currency) = match leg.to {
            PostedTo::Account(id) => {
                let currency = account_to_post(book, id, &at("account"), before)?.currency;
                if let Some(given) = leg.currency
                    && given.code() != currency.code()
                {
                    return Err(Rejection::CurrencyMismatch {
                        account_currency: currency,
                        given: given.code().to_owned(),
                        pointer: at("currency"),
                    });
                }
                (Ledger::Account(id), currency)
            }
            PostedTo::Category(id) => {
                category_in_use(book, id, &at("category"), before)?;
                let currency = currency_of_category(book, &kept_by_accounts, leg.currency)
                    .ok_or_else(|| Rejection::CurrencyMissing { pointer: at("currency") })?;
                (Ledger::Category(id), currency)
            }
        };
        let money = money(leg.amount, currency, &at("amount"))?;
        if money.minor == 0 {
            return Err(Rejection::AmountZero { pointer: at("amount") });
        }
        // A hundred of the largest amounts are far from what 64 bits hold.
        *sums.entry(currency).or_default() += money.minor;
        postings.push(Posting { ledger, money, note: leg.note.clone() });
    }
    let remainders = sums.into_iter().filter(|(_, minor)| *minor != 0);
    let remainders: Vec<Money> = remainders.map(|(currency, minor)| Money { minor, currency }).collect();
    Postings::balanced(postings).map_err(|_| Rejection::PostingsUnbalanced { remainders })
}

/// The currency of a leg to a category: the one given, else the only one of the accounts or, without accounts, of
/// the book. An account's edition of a currency goes before the one of today.
fn currency_of_category(
    book: &Book,
    kept_by_accounts: &[Currency],
    given: Option<Currency>,
) -> Option<Currency> {
    let of_book = book.settings.as_ref().map(|settings| settings.currency);
    if let Some(given) = given {
        let known = kept_by_accounts.iter().copied().chain(of_book);
        return known.into_iter().find(|known| known.code() == given.code()).or(Some(given));
    }
    match kept_by_accounts {
        [] => of_book,
        [first, rest @ ..] => rest.iter().all(|other| other == first).then_some(*first),
    }
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
    if splits.len() > PARTS_MAX {
        return Err(Rejection::LimitReached { of: "splits of an entry", at_most: PARTS_MAX });
    }
    let mut postings = Vec::with_capacity(splits.len());
    let mut sum: i64 = 0;
    for (index, SplitDraft { category, amount, note }) in splits.iter().enumerate() {
        category_to_post(book, *category, kind, &format!("/splits/{index}/category"), before)?;
        let pointer = format!("/splits/{index}/amount");
        let part = positive_money(*amount, total.currency, &pointer)?;
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

fn money(amount: Amount, currency: Currency, pointer: &str) -> Result<Money, Rejection> {
    amount.in_currency(currency).map_err(|error| Rejection::Amount { error, pointer: pointer.to_owned() })
}

fn positive_money(amount: Amount, currency: Currency, pointer: &str) -> Result<Money, Rejection> {
    let money = money(amount, currency, pointer)?;
    if money.minor <= 0 {
        let error = AmountError::NotPositive;
        return Err(Rejection::Amount { error, pointer: pointer.to_owned() });
    }
    Ok(money)
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
    if category_in_use(book, id, pointer, before)?.kind != kind {
        return Err(Rejection::CategoryKindMismatch { category: id, pointer: pointer.to_owned() });
    }
    Ok(())
}

/// A category of either kind that takes entries.
fn category_in_use<'b>(
    book: &'b Book,
    id: CategoryId,
    pointer: &str,
    before: Option<&Entry>,
) -> Result<&'b Category, Rejection> {
    let pointer = || pointer.to_owned();
    let category = book
        .categories
        .get(&id)
        .ok_or_else(|| Rejection::UnknownCategory { category: id, pointer: pointer() })?;
    let was_there = before.is_some_and(|before| before.categories().any(|(category, _)| category == id));
    if category.archived && !was_there {
        return Err(Rejection::CategoryArchived { category: id, pointer: pointer() });
    }
    Ok(category)
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
        return Err(Rejection::CategoryTooDeep { at_most: CATEGORY_DEPTH_MAX, pointer: "/parent" });
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
