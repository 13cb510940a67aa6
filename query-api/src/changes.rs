//! What a commit changed, thing by thing. Its events say what was before, so nothing has to be looked up.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use domain::Thing;
use domain::{
    Event,
    book::KeptEntry,
    event::{CategoryWords, Settings},
    id::BookId,
    text::Text,
    touch::Touches,
};
use http_kit::resources::{Entry, instant};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A thing that a commit changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changed {
    /// `book` (its name and settings), `member`, `invitation`, `account`, `category`, `entry` or `import`.
    pub thing: String,
    pub id: String,
    /// The fields that became something else, as the API shows them; `before` is `null` for what was not there, `after`
    /// for what is gone. `withdrawn` says of an account or a category that its adding was undone; `categories`, of an
    /// entry that was sorted anew, names those that its parts left and those they came to.
    pub changes: BTreeMap<String, Change>,
}

#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    pub before: Value,
    pub after: Value,
}

type Fields = Map<String, Value>;

/// In the order in which the things first come in the commit.
pub(crate) fn of_commit(book: BookId, events: &[Event]) -> Vec<Changed> {
    let mut places: HashMap<Thing, usize> = HashMap::new();
    let mut changed: Vec<Changed> = Vec::new();
    for event in events {
        let Some(thing) = Thing::of(event) else { continue };
        let place = *places.entry(thing).or_insert_with(|| {
            let (thing, id) = name(thing, book);
            changed.push(Changed { thing: thing.to_owned(), id, changes: BTreeMap::new() });
            changed.len() - 1
        });
        let (before, after) = sides(event);
        add(&mut changed[place].changes, &before, &after);
    }
    for changed in &mut changed {
        changed.changes.retain(|_, change| change.before != change.after);
    }
    changed
}

/// The fields that differ.
pub(crate) fn between(before: &Fields, after: &Fields) -> BTreeMap<String, Change> {
    let mut changes = BTreeMap::new();
    add(&mut changes, before, after);
    changes.retain(|_, change| change.before != change.after);
    changes
}

/// What was before the first of several events stays.
fn add(changes: &mut BTreeMap<String, Change>, before: &Fields, after: &Fields) {
    let value = |of: &Fields, name: &String| of.get(name).cloned().unwrap_or(Value::Null);
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        let (before, after) = (value(before, name), value(after, name));
        match changes.get_mut(name) {
            Some(change) => change.after = after,
            None => drop(changes.insert(name.clone(), Change { before, after })),
        }
    }
}

fn name(thing: Thing, book: BookId) -> (&'static str, String) {
    match thing {
        Thing::Book => ("book", book.to_string()),
        Thing::Invitation(invitation) => ("invitation", invitation.to_string()),
        Thing::Member(user) => ("member", user.to_string()),
        Thing::Account(account) => ("account", account.to_string()),
        Thing::Category(category) => ("category", category.to_string()),
        Thing::Entry(entry) => ("entry", entry.to_string()),
        Thing::Import(import) => ("import", import.to_string()),
    }
}

fn sides(event: &Event) -> (Fields, Fields) {
    let (before, after) = match event {
        Event::BookCreated { settings } => (Value::Null, of_settings(settings)),
        Event::BookChanged { settings, before } => (of_settings(before), of_settings(settings)),
        Event::InvitationMade { invitation: _, email, role, expires_at } => {
            let (email, expires_at) = (text(email), instant(expires_at));
            let after =
                json!({"email": email, "role": role.as_str(), "expires_at": expires_at, "status": "open"});
            (Value::Null, after)
        }
        Event::InvitationWithdrawn { .. } => turned("status", "open", "withdrawn"),
        Event::InvitationAccepted { .. } => turned("status", "open", "accepted"),
        Event::MemberAdded { user: _, role } => (Value::Null, json!({"role": role.as_str()})),
        Event::MemberRoleChanged { user: _, role, before } => turned("role", before.as_str(), role.as_str()),
        Event::MemberRemoved { user: _, before } => (json!({"role": before.as_str()}), Value::Null),
        Event::AccountOpened { account: _, name, kind, currency, opened_on } => {
            let (name, kind, currency) = (text(name), kind.as_str(), currency.code());
            let opened_on = opened_on.to_string();
            let after = json!({"name": name, "kind": kind, "currency": currency, "opened_on": opened_on, "closed": false});
            (Value::Null, after)
        }
        Event::AccountChanged { account: _, name, kind, before } => {
            let of = |name, kind| json!({"name": text(name), "kind": kind});
            (of(&before.name, before.kind.as_str()), of(name, kind.as_str()))
        }
        Event::AccountClosed { .. } => turned("closed", false, true),
        Event::AccountReopened { .. } => turned("closed", true, false),
        Event::AccountWithdrawn { .. } | Event::CategoryWithdrawn { .. } => turned("withdrawn", false, true),
        Event::AccountReinstated { .. } | Event::CategoryReinstated { .. } => {
            turned("withdrawn", true, false)
        }
        Event::CategoryAdded { category: _, name, kind, parent, icon, colour } => {
            let name = name.clone();
            let words = CategoryWords { name, parent: *parent, icon: icon.clone(), colour: colour.clone() };
            let mut after = of_category(&words);
            after["kind"] = json!(kind.as_str());
            after["archived"] = json!(false);
            (Value::Null, after)
        }
        Event::CategoryChanged { category: _, name, parent, icon, colour, before } => {
            let name = name.clone();
            let words = CategoryWords { name, parent: *parent, icon: icon.clone(), colour: colour.clone() };
            (of_category(before), of_category(&words))
        }
        Event::CategoryArchived { .. } => turned("archived", false, true),
        Event::CategoryRestored { .. } => turned("archived", true, false),
        Event::CategoryMerged { category: _, into, was_archived } => {
            let before = json!({"archived": was_archived, "merged_into": null});
            (before, json!({"archived": true, "merged_into": into}))
        }
        Event::CategoryUnmerged { category: _, into, archived } => {
            let before = json!({"archived": true, "merged_into": into});
            (before, json!({"archived": archived, "merged_into": null}))
        }
        Event::EntryAdded { entry } => (Value::Null, Value::Object(of_entry(entry, false))),
        // Whether it is removed is no matter of a correction.
        Event::EntryCorrected { entry, before } => {
            (Value::Object(of_entry(before, false)), Value::Object(of_entry(entry, false)))
        }
        Event::EntryRecategorised { entry: _, postings } => {
            let from: Vec<_> = postings.iter().map(|posting| posting.from).collect();
            let to: Vec<_> = postings.iter().map(|posting| posting.to).collect();
            (json!({"categories": from}), json!({"categories": to}))
        }
        Event::EntryRemoved { .. } => turned("removed", false, true),
        Event::EntryRestored { .. } => turned("removed", true, false),
        Event::ImportStarted { import: _, file_name, lines } => {
            (Value::Null, json!({"file_name": text(file_name), "lines": lines, "status": "running"}))
        }
        Event::ImportFinished { .. } => turned("status", "running", "finished"),
        Event::ImportReverted { import: _, complete: true } => turned("status", "finished", "reverted"),
        Event::ImportReinstated { .. } => turned("status", "reverted", "finished"),
        Event::ImportReverted { import: _, complete: false }
        | Event::ImportLinesJudged { .. }
        | Event::BulkRefused { .. }
        | Event::CommitUndone { .. } => (Value::Null, Value::Null),
    };
    (fields(before), fields(after))
}

fn turned(name: &str, before: impl Serialize, after: impl Serialize) -> (Value, Value) {
    (json!({name: before}), json!({name: after}))
}

fn fields(of: Value) -> Fields {
    match of {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn text(text: &Text) -> Option<&str> {
    text.as_str()
}

fn of_settings(settings: &Settings) -> Value {
    json!({
        "name": text(&settings.name),
        "currency": settings.currency.code(),
        "time_zone": settings.time_zone,
        "week_starts_on": settings.week_starts_on.as_str(),
        "month_starts_on": settings.month_starts_on,
    })
}

fn of_category(words: &CategoryWords) -> Value {
    let CategoryWords { name, parent, icon, colour } = words;
    json!({"name": text(name), "parent": parent, "icon": icon, "colour": colour})
}

/// What people change of an entry; when and by which commit is known without.
pub(crate) fn of_entry(entry: &domain::entry::Entry, removed: bool) -> Fields {
    let kept = KeptEntry {
        entry: entry.clone(),
        version: 0,
        recorded_at: DateTime::UNIX_EPOCH,
        corrected_at: None,
        removed,
        touches: Touches::default(),
    };
    let mut fields = fields(serde_json::to_value(Entry::of(&kept)).unwrap_or_default());
    fields.retain(|name, _| !matches!(name.as_str(), "id" | "version" | "recorded_at" | "corrected_at"));
    fields
}
