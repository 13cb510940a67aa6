//! What a write is answered with. Made from the commit and the state it left behind, so that a replay of the
//! journal comes to the same bytes as the first time.

use domain::{
    Book, Event,
    id::{AccountId, BookId, CategoryId, UserId},
};
use http_kit::resources;
use serde::Serialize;
use serde_json::value::RawValue;

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

/// The thing that a commit is about.
enum Thing {
    Book,
    Account(AccountId),
    Category(CategoryId),
    Entry(domain::id::EntryId),
    Import(domain::id::ImportId),
}

/// Writes the answer to the commit that made `version` of the book. `book` is the state right after it.
pub(super) fn answer(id: BookId, book: &Book, version: u64, actor: UserId, events: &[Event]) -> Answer {
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
        Thing::Account(account) => {
            let json = book.accounts.get(&account).map(|known| raw(&resources::Account::of(account, known)));
            ("account", account.to_string(), format!("{base}/accounts/{account}"), json)
        }
        Thing::Category(category) => {
            let path = resources::category_path(book.category_path(category).iter().map(|known| &known.name));
            let json = book.categories.get(&category);
            let json = json.map(|known| raw(&resources::Category::of(category, known, &path)));
            ("category", category.to_string(), format!("{base}/categories/{category}"), json)
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

fn raw(resource: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(resource).expect("a resource is made of strings, numbers and lists only")
}

/// The first event names the thing, but for an import, whose last one does: its first ones are entries.
fn about(first: &Event, last: &Event) -> Thing {
    match last {
        Event::ImportStarted { import, .. }
        | Event::ImportLinesJudged { import, .. }
        | Event::ImportFinished { import }
        | Event::ImportReverted { import } => return Thing::Import(*import),
        _ => {}
    }
    match first {
        Event::BookCreated { .. } | Event::BookChanged { .. } | Event::MemberAdded { .. } => Thing::Book,
        Event::AccountOpened { account, .. }
        | Event::AccountChanged { account, .. }
        | Event::AccountClosed { account }
        | Event::AccountReopened { account } => Thing::Account(*account),
        Event::CategoryAdded { category, .. }
        | Event::CategoryChanged { category, .. }
        | Event::CategoryArchived { category }
        | Event::CategoryRestored { category } => Thing::Category(*category),
        Event::EntryAdded { entry } | Event::EntryCorrected { entry } => Thing::Entry(entry.id),
        Event::EntryRemoved { entry } | Event::EntryRestored { entry } => Thing::Entry(*entry),
        Event::ImportStarted { import, .. }
        | Event::ImportLinesJudged { import, .. }
        | Event::ImportFinished { import }
        | Event::ImportReverted { import } => Thing::Import(*import),
    }
}

fn makes_something(first: &Event) -> bool {
    matches!(
        first,
        Event::BookCreated { .. }
            | Event::AccountOpened { .. }
            | Event::CategoryAdded { .. }
            | Event::EntryAdded { .. }
            | Event::ImportStarted { .. }
    )
}
