//! What a write is answered with. Made from the commit and the state it left behind, so that a replay of the
//! journal comes to the same bytes as the first time.

use domain::{
    Book, Command, Event, Rejection, Thing,
    event::RefusedItem,
    id::{BookId, CategoryId, EntryId, UserId},
};
use http_kit::{
    problem::{FieldError, Problem},
    resources,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Outcome, Refusal};
use crate::writes::fault_of_item;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub version: u64,
    pub location: Option<String>,
    /// JSON.
    pub body: String,
    /// Whether the order had been carried out before.
    pub replayed: bool,
}

/// Writes the answer to the commit that made `version` of the book. `book` is the state right after it.
pub(super) fn answer(
    id: BookId,
    book: &Book,
    version: u64,
    actor: UserId,
    command: &str,
    events: &[Event],
) -> Answer {
    let of_many = match command {
        "add_entries" => Some(bulk(version, events)),
        "recategorise_entries" => recategorised(book, version, events),
        "undo" => undone(version, events),
        _ => None,
    };
    if let Some((status, body)) = of_many {
        return Answer { status, version, location: None, body, replayed: false };
    }
    let thing = events.last().map_or(Thing::Book, |last| about(events.first().unwrap_or(last), last));
    let base = format!("/api/v1/books/{id}");
    let (name, thing_id, path, json) = match thing {
        Thing::Book => {
            let json = book.settings.as_ref().zip(book.created_at.as_ref()).zip(book.role_of(actor)).map(
                |((settings, created_at), role)| {
                    raw(&resources::Book::of(id, settings, role, version, created_at))
                },
            );
            ("book", id.to_string(), base, json)
        }
        Thing::Invitation(invitation) => {
            let json = book.invitations.get(&invitation);
            let json = json.map(|known| raw(&resources::Invitation::of(invitation, known)));
            ("invitation", invitation.to_string(), format!("{base}/invitations/{invitation}"), json)
        }
        Thing::Member(user) => {
            let json = book.role_of(user);
            let json = json.map(|role| raw(&Member { id: user.to_string(), role: role.as_str() }));
            ("member", user.to_string(), format!("{base}/members/{user}"), json)
        }
        Thing::Account(account) => {
            let json = book.accounts.get(&account).map(|known| raw(&resources::Account::of(account, known)));
            ("account", account.to_string(), format!("{base}/accounts/{account}"), json)
        }
        Thing::Category(id) => {
            ("category", id.to_string(), format!("{base}/categories/{id}"), category(book, id))
        }
        Thing::Entry(entry) => {
            let json = book.entries.get(&entry).map(|kept| raw(&resources::Entry::of(kept)));
            ("entry", entry.to_string(), format!("{base}/entries/{entry}"), json)
        }
        Thing::Import(import) => {
            let json = book.imports.get(&import).map(|known| raw(&resources::Import::of(import, known)));
            ("import", import.to_string(), format!("{base}/imports/{import}"), json)
        }
    };
    let is_new = events.first().is_some_and(makes_something);
    let json = json.as_deref().map_or("null", RawValue::get);
    Answer {
        status: if is_new { 201 } else { 200 },
        version,
        location: is_new.then_some(path),
        body: format!(r#"{{"id":"{thing_id}","version":{version},"{name}":{json}}}"#),
        replayed: false,
    }
}

/// A member as a write shows them; names are not known where books are decided.
#[derive(Serialize)]
struct Member {
    id: String,
    role: &'static str,
}

#[derive(Serialize)]
struct Bulk {
    version: u64,
    results: Vec<BulkResult>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum BulkResult {
    Taken { id: EntryId, status: u16 },
    Refused { status: u16, problem: serde_json::Value },
}

/// One result for each entry of the bulk, in its order.
fn bulk(version: u64, events: &[Event]) -> (u16, String) {
    let taken = events.iter().filter_map(|event| match event {
        Event::EntryAdded { entry } => Some(entry.id),
        _ => None,
    });
    let refused = events.iter().find_map(|event| match event {
        Event::BulkRefused { refused } => Some(refused.as_slice()),
        _ => None,
    });
    let status = if refused.is_none() { 201 } else { 200 };
    (status, bulk_results(version, taken, refused.unwrap_or_default()))
}

/// What refused entries leave free is filled by those that were taken.
fn bulk_results(version: u64, mut taken: impl Iterator<Item = EntryId>, refused: &[RefusedItem]) -> String {
    let mut refused = refused.chunk_by(|one, next| one.index == next.index).peekable();
    let mut results = Vec::new();
    loop {
        if let Some(faults) = refused.next_if(|faults| faults[0].index == results.len()) {
            let problem = match faults {
                [only] if only.pointer.is_none() => {
                    let FieldError { code, detail, .. } = fault_of_item(only, "");
                    Problem::new(code).detail(detail)
                }
                _ => Problem::from_fields(faults.iter().map(|fault| fault_of_item(fault, "")).collect()),
            };
            let status = problem.status().as_u16();
            results.push(BulkResult::Refused { status, problem: problem.document(None) });
        } else if let Some(id) = taken.next() {
            results.push(BulkResult::Taken { id, status: 201 });
        } else {
            break;
        }
    }
    raw(&Bulk { version, results }).get().to_owned()
}

/// What an order that the rules refuse is answered with. A bulk that takes each entry by itself is not refused as a
/// whole: where none could be taken it is answered like any other, and the book stays as it is.
pub(super) fn refusal(command: &Command, version: u64, rejection: Rejection) -> Outcome {
    match (command, &rejection) {
        (Command::AddEntries { all_or_nothing: false, .. }, Rejection::BulkRefused { faults }) => {
            let body = bulk_results(version, std::iter::empty(), faults);
            Ok(Answer { status: 200, version, location: None, body, replayed: false })
        }
        _ => Err(Refusal::Rejected(rejection)),
    }
}

fn recategorised(book: &Book, version: u64, events: &[Event]) -> Option<(u16, String)> {
    let mut changes = events.iter().filter_map(|event| match event {
        Event::EntryRecategorised { postings, .. } => postings.first(),
        _ => None,
    });
    let target = changes.next()?.to;
    let entries = 1 + changes.count();
    let json = category(book, target);
    let json = json.as_deref().map_or("null", RawValue::get);
    Some((200, format!(r#"{{"version":{version},"entries":{entries},"category":{json}}}"#)))
}

fn category(book: &Book, id: CategoryId) -> Option<Box<RawValue>> {
    let path = resources::category_path(book.category_path(id).iter().map(|known| &known.name));
    book.categories.get(&id).map(|known| raw(&resources::Category::of(id, known, &path)))
}

fn undone(version: u64, events: &[Event]) -> Option<(u16, String)> {
    let undoes = events.iter().find_map(|event| match event {
        Event::CommitUndone { version } => Some(*version),
        _ => None,
    })?;
    Some((200, format!(r#"{{"version":{version},"undoes":{undoes}}}"#)))
}

fn raw(resource: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(resource).expect("a resource is made of strings, numbers and lists only")
}

/// The first event names the thing, but for an import, whose last one does: its first ones are entries.
fn about(first: &Event, last: &Event) -> Thing {
    // Accounts and categories that it brings follow.
    if let Event::ImportStarted { import, .. } = first {
        return Thing::Import(*import);
    }
    match last {
        Event::ImportStarted { import, .. }
        | Event::ImportLinesJudged { import, .. }
        | Event::ImportFinished { import }
        | Event::ImportReverted { import, .. } => return Thing::Import(*import),
        // What was sorted into it and stood below it comes before.
        Event::CategoryMerged { category, .. } => return Thing::Category(*category),
        _ => {}
    }
    match Thing::of(first) {
        // Whoever accepts an invitation wants to see the book.
        Some(Thing::Invitation(_)) if matches!(first, Event::InvitationAccepted { .. }) => Thing::Book,
        Some(thing) => thing,
        None => Thing::Book,
    }
}

fn makes_something(first: &Event) -> bool {
    matches!(
        first,
        Event::BookCreated { .. }
            | Event::InvitationMade { .. }
            | Event::AccountOpened { .. }
            | Event::CategoryAdded { .. }
            | Event::EntryAdded { .. }
            | Event::ImportStarted { .. }
    )
}
