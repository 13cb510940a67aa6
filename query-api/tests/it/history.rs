//! How a book came to be: what each commit changed, who did it, and the search for it.

use domain::{
    Command, Event,
    command::{CategoryPatch, EntryPatch, SettingsPatch},
    entry::{AccountKind, CategoryKind},
    event::Role,
    id::{CategoryId, EntryId, UserId},
    text::Text,
};
use http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::household::{Household, expense, settings, split};

fn person(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

impl Household {
    /// What the last commit changed: of each thing its kind, its id and its fields.
    async fn last_changed(&mut self) -> Vec<(String, String, Value)> {
        self.project().await;
        let commit = self.read(&format!("/history/{}", self.version)).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let changed = commit["changed"].as_array().unwrap().iter();
        changed.map(|one| (text(&one["thing"]), text(&one["id"]), one["changes"].clone())).collect()
    }

    async fn versions(&self, query: &str) -> Vec<u64> {
        let commits = self.read_all(&format!("/api/v1/books/{}/history?limit=2&{query}", self.id)).await;
        commits.iter().map(|commit| commit["version"].as_u64().unwrap()).collect()
    }
}

fn change(before: impl serde::Serialize, after: impl serde::Serialize) -> Value {
    json!({"before": before, "after": after})
}

#[tokio::test]
async fn a_commit_tells_of_each_thing_what_it_was_and_what_it_became() {
    let mut home = Household::with(settings()).await;
    let (book, owner) = (home.id.to_string(), home.owner.to_string());
    let created = home.last_changed().await;
    assert_eq!((created[0].0.as_str(), &created[0].1), ("book", &book));
    assert_eq!(created[0].2["time_zone"], change(Value::Null, "Europe/Berlin"));
    assert_eq!(created[1], ("member".into(), owner, json!({"role": change(Value::Null, "owner")})));

    let patch = SettingsPatch { name: Some(Text::known("Our home")), ..SettingsPatch::default() };
    home.run(Command::ChangeBook(patch)).unwrap();
    let renamed = json!({"name": change("Home", "Our home")});
    assert_eq!(home.last_changed().await, [("book".into(), book, renamed)]);

    let bank = home.account("Bank", "EUR", Some("100"));
    let opened = home.last_changed().await;
    assert_eq!((opened[0].0.as_str(), &opened[0].2["currency"]), ("account", &change(Value::Null, "EUR")));
    assert_eq!((opened[1].0.as_str(), &opened[1].2["amount"]), ("entry", &change(Value::Null, "100.00")));
    let kind = Some(AccountKind::Savings);
    home.run(Command::ChangeAccount { account: bank, name: None, kind }).unwrap();
    let changed = json!({"kind": change("bank", "savings")});
    assert_eq!(home.last_changed().await, [("account".into(), bank.to_string(), changed)]);

    let food = home.category("Food", CategoryKind::Expense, None);
    let added = home.last_changed().await;
    assert_eq!(added[0].2["archived"], change(Value::Null, false));
    assert_eq!(added[0].2["parent"], Value::Null, "what is not there has not changed");
    let meals = home.category("Meals", CategoryKind::Expense, None);
    let patch = CategoryPatch { parent: Some(Some(food)), ..CategoryPatch::default() };
    home.run(Command::ChangeCategory { category: meals, patch }).unwrap();
    let moved = json!({"parent": change(Value::Null, food)});
    assert_eq!(home.last_changed().await, [("category".into(), meals.to_string(), moved)]);
    home.run(Command::ArchiveCategory { category: meals }).unwrap();
    let archived = json!({"archived": change(false, true)});
    assert_eq!(home.last_changed().await, [("category".into(), meals.to_string(), archived)]);

    let entry = home.add(expense("2026-11-22", bank, food, "5"));
    let patch = EntryPatch { note: Some(Some(Text::known("lunch"))), ..EntryPatch::default() };
    home.run(Command::CorrectEntry { entry, patch }).unwrap();
    let noted = json!({"note": change(Value::Null, "lunch")});
    assert_eq!(home.last_changed().await, [("entry".into(), entry.to_string(), noted)]);

    let guest = person(7);
    home.record_as(guest, "accept_invitation", vec![Event::MemberAdded { user: guest, role: Role::Viewer }]);
    home.run(Command::ChangeMember { user: guest, role: Role::Editor }).unwrap();
    let promoted = json!({"role": change("viewer", "editor")});
    assert_eq!(home.last_changed().await, [("member".into(), guest.to_string(), promoted)]);
    home.run(Command::RemoveMember { user: guest }).unwrap();
    let gone = json!({"role": change("editor", Value::Null)});
    assert_eq!(home.last_changed().await, [("member".into(), guest.to_string(), gone)]);
}

#[tokio::test]
async fn what_changes_twice_in_a_commit_is_told_once_and_what_comes_back_not_at_all() {
    let mut home = Household::with(settings()).await;
    let food = CategoryId::from_uuid(home.next_id());
    let [archived, restored] =
        [Event::CategoryArchived { category: food }, Event::CategoryRestored { category: food }];
    let merged = Event::CategoryMerged { category: food, into: food, was_archived: true };
    home.record("merge_categories", vec![archived.clone(), merged]);
    let expected = json!({"archived": change(false, true), "merged_into": change(Value::Null, food)});
    assert_eq!(home.last_changed().await, [("category".into(), food.to_string(), expected)]);
    home.record("restore_category", vec![archived, restored]);
    assert_eq!(home.last_changed().await, [("category".into(), food.to_string(), json!({}))]);
}

#[tokio::test]
async fn an_undo_names_the_commit_that_it_undid() {
    let mut home = Household::with(settings()).await;
    let cash = home.account("Cash", "EUR", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    let entry = home.add(expense("2026-11-22", cash, food, "5"));
    let undone = home.version;
    let events = vec![Event::CommitUndone { version: undone }, Event::EntryRemoved { entry }];
    home.record("undo", events);
    home.project().await;
    let commit = home.read(&format!("/history/{}", home.version)).await;
    assert_eq!(
        (&commit["undoes"], &commit["events"][0]["type"]),
        (&json!(undone), &json!("commit_undone.v1"))
    );
    let removed = json!({"removed": change(false, true)});
    assert_eq!(commit["changed"], json!([{"thing": "entry", "id": entry, "changes": removed}]));
    assert_eq!(home.read("/history?limit=1").await["data"][0]["undoes"], undone);
    let history = home.read(&format!("/entries/{entry}/history")).await;
    assert_eq!(
        (&history["data"][1]["undoes"], &history["data"][1]["command"]),
        (&json!(undone), &json!("undo"))
    );
    assert_eq!(home.read(&format!("/history/{undone}")).await["undoes"], Value::Null);
}

#[tokio::test]
async fn an_entry_that_was_sorted_anew_shows_its_categories() {
    let mut home = Household::with(settings()).await;
    let cash = home.account("Cash", "EUR", None);
    let [food, meals, tea] =
        ["Food", "Meals", "Tea"].map(|name| home.category(name, CategoryKind::Expense, None));
    let mut market = expense("2026-11-22", cash, food, "5");
    market.sorting = split(&[(food, "2"), (tea, "3")]);
    let entry = home.add(market);
    let place = home.book.entries[&entry]
        .entry
        .postings
        .iter()
        .position(|posting| posting.ledger == domain::posting::Ledger::Category(food))
        .unwrap();
    let moved = domain::event::Recategorised { posting: place, from: food, to: meals };
    home.record("recategorise", vec![Event::EntryRecategorised { entry, postings: vec![moved] }]);
    let expected = json!({"categories": change([food], [meals])});
    assert_eq!(home.last_changed().await, [("entry".into(), entry.to_string(), expected)]);
    let history = home.read(&format!("/entries/{entry}/history")).await;
    let splits = &history["data"][1]["changes"]["splits"];
    let of = |category: CategoryId| json!([{"category": category, "amount": "2.00", "note": null}, {"category": tea, "amount": "3.00", "note": null}]);
    assert_eq!(splits, &change(of(food), of(meals)));
}

#[tokio::test]
async fn commits_are_found_by_who_what_about_and_when() {
    let mut home = Household::with(settings()).await;
    let guest = person(7);
    home.record_as(guest, "accept_invitation", vec![Event::MemberAdded { user: guest, role: Role::Editor }]);
    let cash = home.account("Cash", "EUR", None);
    let food = home.category("Food", CategoryKind::Expense, None);
    let first = home.add(expense("2026-11-22", cash, food, "5"));
    for _ in 0..3 {
        let entry = EntryId::from_uuid(home.next_id());
        let draft = expense("2026-11-22", cash, food, "7");
        home.run_as(guest, Command::AddEntry { entry, draft }).unwrap();
    }
    home.run_as(guest, Command::RemoveEntry { entry: first }).unwrap();
    home.project().await;

    assert_eq!(home.versions("").await, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(home.versions(&format!("actor={guest}")).await, [9, 8, 7, 6, 2]);
    assert_eq!(home.versions("command=add_entry").await, [8, 7, 6, 5]);
    assert_eq!(home.versions(&format!("command=add_entry&actor={}", home.owner)).await, [5]);
    assert_eq!(home.versions(&format!("about={first}")).await, [9, 5]);
    assert_eq!(home.versions(&format!("about={first}&actor={guest}")).await, [9]);
    for (about, expected) in
        [(cash.to_string(), 3), (food.to_string(), 4), (guest.to_string(), 2), (home.id.to_string(), 1)]
    {
        assert_eq!(home.versions(&format!("about={about}")).await, [expected], "{about}");
    }
    assert_eq!(home.versions("from_version=4&to_version=6").await, [6, 5, 4]);
    assert_eq!(home.versions("command=add_entry&from_version=7").await, [8, 7]);
    assert!(home.versions("command=juggle").await.is_empty());
    for query in
        ["actor=nobody", "about=nonsense", "about=book_00000000000000000000000000", "from_version=-1"]
    {
        let refused = home.get(&format!("/history?{query}")).await;
        assert_eq!(
            (refused.status, refused.body["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_parameter")),
            "{query}"
        );
    }
    // A cursor belongs to its filter.
    let cursor = home.read("/history?limit=1").await["next_cursor"].as_str().unwrap().to_owned();
    let refused = home.get(&format!("/history?limit=1&command=add_entry&cursor={cursor}")).await;
    assert_eq!(refused.body["code"], "cursor_invalid");
}

/// A search looks through so many commits at a time, and says that it goes on.
#[tokio::test]
async fn a_search_through_many_commits_comes_in_parts() {
    let mut home = Household::with(settings()).await;
    for _ in 0..20_500 {
        home.record("change_book", Vec::new());
    }
    home.project().await;
    let empty = home.read("/history?command=create_book").await;
    assert_eq!((&empty["data"], empty["next_cursor"].is_string()), (&json!([]), true));
    assert_eq!(home.versions("command=create_book").await, [1]);
    assert!(home.versions("command=create_book&from_version=2").await.is_empty());
}
