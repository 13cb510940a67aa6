//! Many entries in one commit.

use std::collections::HashMap;

use super::{Siblings, add_checked, id_taken, post_beside};
use crate::{
    Book, Event, Rejection, command::BulkEntry, entry::Entry, event::RefusedItem, id::AccountId, text::Text,
};

pub const BULK_MAX: usize = 500;

pub(super) fn add_entries(
    book: &Book,
    entries: &[BulkEntry],
    unreadable: &[RefusedItem],
    all_or_nothing: bool,
) -> Result<Vec<Event>, Rejection> {
    if entries.is_empty() && unreadable.is_empty() {
        return Err(Rejection::FieldMissing { field: "entries" });
    }
    if entries.len() > BULK_MAX {
        return Err(Rejection::LimitReached { of: "entries in a bulk", at_most: BULK_MAX });
    }
    let mut events = Vec::with_capacity(entries.len() + 1);
    let mut taken = Siblings::with_capacity(entries.len());
    let mut moved: HashMap<AccountId, i64> = HashMap::new();
    let mut faults: Vec<RefusedItem> = unreadable.to_vec();
    for BulkEntry { index, entry: id, draft } in entries {
        let posted = if book.entries.contains_key(id) || taken.contains_key(id) {
            Err(id_taken(id))
        } else {
            post_beside(book, &taken, *id, draft, None)
        };
        match posted.and_then(|entry| move_beside(book, &mut moved, &entry).map(|()| entry)) {
            Ok(entry) => {
                taken.insert(*id, entry.kind);
                events.push(Event::EntryAdded { entry });
            }
            Err(rejection) => faults.push(refused(*index, &rejection)),
        }
    }
    faults.sort_by_key(|fault| fault.index);
    if !faults.is_empty() && (all_or_nothing || events.is_empty()) {
        return Err(Rejection::BulkRefused { faults });
    }

    if !faults.is_empty() {
        events.push(Event::BulkRefused { refused: faults });
    }
    Ok(events)
}

/// Adds what the entry moves to what those before it do, or refuses it where a balance would not hold both.
fn move_beside(book: &Book, moved: &mut HashMap<AccountId, i64>, entry: &Entry) -> Result<(), Rejection> {
    let mut with_this: Vec<(AccountId, i64)> = Vec::with_capacity(2);
    for (account, money) in entry.accounts() {
        let mut sum = match with_this.iter().find(|(known, _)| *known == account) {
            Some((_, sum)) => *sum,
            None => moved.get(&account).copied().unwrap_or_default(),
        };
        add_checked(&mut sum, money.minor)?;
        let balance = book.accounts.get(&account).map_or(0, |account| account.balance_minor);
        balance.checked_add(sum).ok_or(Rejection::BalanceOutOfRange)?;
        with_this.retain(|(known, _)| *known != account);
        with_this.push((account, sum));
    }
    moved.extend(with_this);
    Ok(())
}

fn refused(index: usize, rejection: &Rejection) -> RefusedItem {
    RefusedItem {
        index,
        code: rejection.code().to_owned(),
        detail: Text::known(rejection.to_string()),
        pointer: rejection.pointer().filter(|pointer| !pointer.is_empty()),
    }
}
