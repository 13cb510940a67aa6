//! Undoing, as callers see it: a book from which a commit was undone equals one in which it never happened.

use std::collections::BTreeMap;

use domain::{Book, Recorded, id::BookId};
use journal::Commit;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::world::{Home, Reply, World};

const SEQUENCES: u64 = 320;

/// A request in which things have names of their own: `<e3>` is the fourth entry of the book that it goes to.
#[derive(Debug, Clone)]
struct Act {
    route: String,
    body: String,
    /// The name of what it makes.
    makes: String,
}

/// A book, and the ids that its things have.
struct Told {
    book: BookId,
    at: String,
    ids: BTreeMap<String, String>,
}

impl Told {
    async fn new(world: &World) -> Self {
        let Home { book, at, bank, cash, groceries, salary } = world.home().await;
        let named = [("<a0>", bank), ("<a1>", cash), ("<c0>", groceries), ("<pay>", salary)];
        let ids = named.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
        Self { book: book.parse().unwrap(), at, ids }
    }

    fn with_ids(&self, text: &str) -> String {
        self.ids.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    async fn act(&mut self, world: &World, act: &Act) -> Reply {
        let (verb, path) = act.route.split_once(' ').unwrap();
        let call = world.call(&format!("{verb} {}{}", self.at, self.with_ids(path)));
        let body = self.with_ids(&act.body);
        let reply = if body.is_empty() {
            call.send().await
        } else {
            call.text("application/json", body).send().await
        };
        if reply.status < 300 && !act.makes.is_empty() {
            match reply.json()["results"].as_array() {
                Some(results) => {
                    for (place, result) in results.iter().enumerate() {
                        self.name(&format!("{}.{place}", act.makes), result["id"].as_str().unwrap());
                    }
                }
                None => self.name(&act.makes, &reply.id()),
            }
        }
        reply
    }

    fn name(&mut self, name: &str, id: &str) {
        self.ids.insert(format!("<{name}>"), id.to_owned());
    }

    async fn undo(&self, world: &World, version: u64) -> Reply {
        world.call(&format!("POST {}/history/{version}/undo", self.at)).send().await
    }

    /// Undoes a version, and before it what is said to be in the way. Answers with what was undone, each with the
    /// version that did it; `None` where one step would need another one taken back, as two names that changed hands
    /// may do.
    async fn undo_all(&self, world: &World, version: u64) -> Option<Vec<(u64, u64)>> {
        let mut done: Vec<(u64, u64)> = Vec::new();
        let mut wanted = vec![version];
        while let Some(next) = wanted.last().copied() {
            if done.iter().any(|(undone, _)| *undone == next) {
                wanted.pop();
                continue;
            }
            let reply = self.undo(world, next).await;
            if reply.status == 200 {
                assert_eq!(reply.json()["undoes"], next);
                done.push((next, reply.version()));
                wanted.pop();
                continue;
            }
            assert_eq!(reply.refusal(), "409 undo_conflicts", "undoing {next}: {}", reply.body);
            let in_the_way: Vec<u64> = serde_json::from_value(reply.json()["versions"].clone()).unwrap();
            assert!(in_the_way.iter().all(|other| *other > next), "undoing {next}: {}", reply.body);
            let is_own = |other: &u64| done.iter().any(|(_, turn)| turn == other);
            if in_the_way.iter().any(is_own) {
                return None;
            }
            wanted.extend(in_the_way);
        }
        Some(done)
    }

    /// What there is to see of the book, with names instead of ids.
    fn shown(&self, book: &Book) -> Vec<String> {
        let names = |text: String| self.ids.iter().fold(text, |text, (name, id)| text.replace(id, name));
        let accounts = book.accounts.iter().map(|(id, known)| {
            let (kind, closed, balance) = (known.kind, known.closed, known.balance_minor);
            format!("{id} {:?} {kind:?} closed={closed} {balance}", known.name)
        });
        let categories = book.categories.iter().map(|(id, known)| {
            let parent = known.parent.map(|parent| parent.to_string());
            let merged = known.merged_into.map(|into| into.to_string());
            format!("{id} {:?} {parent:?} archived={} {merged:?}", known.name, known.archived)
        });
        let there = book.entries.values().filter(|kept| kept.touches.is_made(&book.undos));
        let entries = there.map(|kept| {
            let entry = serde_json::to_string(&kept.entry).unwrap();
            // The entries of opening balances have no name.
            let id = kept.entry.id.to_string();
            let is_named = self.ids.values().any(|known| *known == id);
            format!("removed={} {}", kept.removed, if is_named { entry } else { entry.replace(&id, "") })
        });
        let mut shown: Vec<String> = accounts.chain(categories).chain(entries).map(names).collect();
        shown.sort();
        shown
    }
}

fn act(route: &str, body: Value, makes: &str) -> Act {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Act { route: route.to_owned(), body, makes: makes.to_owned() }
}

/// Without what makes others possible that do not build on it: reopening an account, restoring an entry. In a book
/// without them those others are refused, where undoing leaves them as they are.
fn drawn(dice: &mut StdRng, number: usize) -> Act {
    let mut pick = |of: char, count: usize| format!("<{of}{}>", dice.random_range(0..count));
    let (account, category, parent, entry) = (pick('a', 3), pick('c', 3), pick('c', 3), pick('e', 3));
    let amount = format!("{}.50", dice.random_range(1..20));
    let name = ["One", "Two", "Three"][dice.random_range(0..3)];
    let of = |path: &str, thing: &str, rest: &str| format!("{path}/{thing}{rest}");
    // Some entries first, so that there is something to change.
    let chosen = if number < 3 { 0 } else { dice.random_range(0..20) };
    match chosen {
        0..4 => {
            let new = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": account, "amount": amount, "category": category});
            act("POST /entries", new, &format!("e{}", number % 4))
        }
        4..9 => {
            let half = |category: &str| json!({"category": category, "amount": "1.00"});
            let patch = [
                json!({"amount": amount}),
                json!({"payee": name}),
                json!({"category": category}),
                json!({"account": account}),
                json!({"amount": "2.00", "splits": [half(&category), half(&parent)]}),
                json!({"occurred_on": "2026-11-24", "note": name, "tags": [name]}),
            ];
            act(&of("PATCH /entries", &entry, ""), patch[dice.random_range(0..patch.len())].clone(), "")
        }
        9 | 10 => act(&of("DELETE /entries", &entry, ""), Value::Null, ""),
        11 => act("POST /accounts", json!({"name": name, "kind": "card", "opening_balance": amount}), "a2"),
        12 => act(&of("PATCH /accounts", &account, ""), json!({"name": name}), ""),
        13 => act(&of("POST /accounts", &account, "/close"), Value::Null, ""),
        14 | 15 => {
            let new = json!({"name": name, "kind": "expense", "parent": parent});
            act("POST /categories", new, &format!("c{}", 1 + number % 2))
        }
        16 => act(&of("PATCH /categories", &category, ""), json!({"name": name}), ""),
        17 => act(&of("PATCH /categories", &category, ""), json!({"parent": parent}), ""),
        18 => act(&of("POST /categories", &category, "/archive"), Value::Null, ""),
        _ => {
            let new = json!({"kind": "expense", "occurred_on": "2026-11-23", "account": account, "amount": amount, "category": category});
            act("POST /entries/bulk", json!({"mode": "all", "entries": [new, new]}), &format!("b{number}"))
        }
    }
}

/// Which entries these change depends on what the book is, so that only as the last of all they do the same without
/// another.
fn drawn_last(dice: &mut StdRng) -> Act {
    let category = format!("<c{}>", dice.random_range(0..3));
    let other = format!("<c{}>", dice.random_range(0..3));
    if dice.random_bool(0.5) {
        return act(&format!("POST /categories/{category}/merge"), json!({"into": other}), "");
    }
    let filter = json!({"filter": {"account": "<a0>"}, "category": category});
    act("POST /entries/recategorise", filter, "")
}

/// A life, the undoing of one of its commits, and all that in turn.
struct Undone {
    told: Told,
    accepted: Vec<(u64, Act)>,
    /// What was undone, each with the version that did it, before it was undone in turn.
    turned: Vec<(u64, u64)>,
}

async fn undone(world: &World, seed: u64) -> Option<Undone> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut told = Told::new(world).await;
    let mut acts: Vec<Act> = (0..dice.random_range(8..20)).map(|number| drawn(&mut dice, number)).collect();
    let is_large = seed.is_multiple_of(4);
    if is_large {
        acts.push(drawn_last(&mut dice));
    }
    let mut accepted: Vec<(u64, Act)> = Vec::new();
    let mut last = None;
    for act in acts {
        // A name is given once, and used afterwards.
        let is_given = told.ids.contains_key(&format!("<{}>", act.makes));
        if is_given || told.with_ids(&act.route).contains('<') {
            continue;
        }
        let reply = told.act(world, &act).await;
        assert!(reply.status < 300 || reply.status == 422, "{act:?} {}", reply.body);
        last = (reply.status < 300).then(|| reply.version());
        accepted.extend(last.map(|version| (version, act)));
    }
    if accepted.is_empty() {
        return None;
    }
    // The earlier, the more came later.
    let any = accepted[dice.random_range(0..accepted.len().div_ceil(2))].0;
    let version = if is_large { last? } else { any };

    let turned = told.undo_all(world, version).await?;
    assert_eq!(told.undo(world, version).await.refusal(), "409 already_undone");
    for (_, undoing) in turned.iter().rev() {
        let reply = told.undo(world, *undoing).await;
        assert_eq!(reply.status, 200, "undoing {undoing} in turn: {}", reply.body);
    }
    Some(Undone { told, accepted, turned })
}

/// The commits of each book.
fn by_book(world: &World) -> BTreeMap<BookId, Vec<Commit>> {
    let mut commits: BTreeMap<BookId, Vec<Commit>> = BTreeMap::new();
    for commit in world.commits() {
        commits.entry(commit.book).or_default().push(commit);
    }
    commits
}

fn book_at(commits: &[Commit], version: u64) -> Book {
    let mut book = Book::default();
    for commit in commits.iter().filter(|commit| commit.version <= version) {
        let recorded = Recorded { version: commit.version, at: commit.recorded_at };
        commit.events.iter().for_each(|event| book.evolve(event, recorded));
    }
    book
}

#[tokio::test]
async fn a_book_from_which_a_commit_was_undone_equals_one_without_it() {
    let world = World::new();
    let mut undone_books = Vec::new();
    for seed in 0..SEQUENCES {
        undone_books.extend(undone(&world, seed).await.map(|undone| (seed, undone)));
    }
    let in_the_way: usize = undone_books.iter().map(|(_, undone)| undone.turned.len() - 1).sum();
    assert!(undone_books.len() >= 200, "{} books", undone_books.len());
    assert!(in_the_way > 50, "{in_the_way} in the way");

    let commits = by_book(&world);
    let mut others = Vec::new();
    for (_, Undone { told, accepted, turned }) in &undone_books {
        let shown_at = |version| told.shown(&book_at(&commits[&told.book], version));
        let mut without = Told::new(&world).await;
        for (version, act) in accepted {
            let is_undone = turned.iter().any(|(undone, _)| undone == version);
            // What said again what was there already has nothing to say without it either.
            let said_nothing = shown_at(*version) == shown_at(version - 1);
            // What was overwritten may not even be possible without what it stood on.
            let is_possible = !without.with_ids(&act.route).contains('<');
            if !is_undone && !said_nothing && is_possible {
                without.act(&world, act).await;
            }
        }
        others.push(without);
    }

    let commits_of_others = by_book(&world);
    for ((seed, Undone { told, accepted, turned }), without) in undone_books.iter().zip(&others) {
        let shown_at = |version| told.shown(&book_at(&commits[&told.book], version));
        let expected = without.shown(&book_at(&commits_of_others[&without.book], u64::MAX));
        let version_undone = turned.last().unwrap().1;
        assert_eq!(shown_at(version_undone), expected, "seed {seed}: {turned:?} of {accepted:#?}");
        let version_before = accepted.last().unwrap().0;
        assert_eq!(shown_at(u64::MAX), shown_at(version_before), "seed {seed}: {turned:?} of {accepted:#?}");
    }
    world.verify();
}

#[tokio::test]
async fn a_statement_is_undone_and_redone_with_all_its_commits() {
    let world = World::with(|config| config.import_commit_lines = 2);
    let home = world.home().await;
    let mapping = json!({
        "date": "Date", "date_format": "YYYY-MM-DD", "amount": {"sign": "signed", "column": "Amount"}, "payee": ["Payee"],
        "account": home.bank, "default_expense_category": home.groceries, "default_income_category": home.salary,
    });
    let file = "Date,Amount,Payee\n2026-10-01,-1.00,A\n2026-10-01,-1.00,B\n2026-10-02,-1.00,C\n2026-10-02,-1.00,D\n2026-10-02,-1.00,E\n";
    let before = world.patch(&home.at, json!({"name": "Ours"})).await.version();
    let imported = crate::imports::upload(&world, &home, file, Some(&mapping), &[]).send().await;
    let after = imported.version();
    assert!(after > before + 2, "{}", imported.body);
    assert_eq!(world.balance(&home.book, &home.bank).await, "995.00");

    let undo = |version: u64| world.call(&format!("POST {}/history/{version}/undo", home.at));
    let undone = undo(before + 2).key("whole").send().await;
    assert_eq!(undone.status, 200, "{}", undone.body);
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
    let again = undo(before + 2).key("whole").send().await;
    assert!(again.is_replayed());
    assert_eq!(again.essence(), undone.essence());
    for version in before + 1..=after {
        assert_eq!(undo(version).send().await.refusal(), "409 already_undone");
    }

    let redone = undo(undone.version()).send().await;
    assert_eq!(redone.status, 200, "{}", redone.body);
    assert_eq!(world.balance(&home.book, &home.bank).await, "995.00");
    world.verify();
}

#[tokio::test]
async fn accounts_that_a_statement_brought_go_and_come_with_it() {
    let world = World::new();
    let home = crate::import_formats::taken_in(&world, "ynab_register.csv").await;
    let there = async || world.owners.chart(home.id(), crate::world::ann()).await.unwrap();
    let before = there().await;
    assert!(!before.accounts.is_empty());
    let last = by_book(&world)[&home.id()].last().unwrap().version;
    let undo = |version: u64| world.call(&format!("POST {}/history/{version}/undo", home.at));
    let undone = undo(last).send().await;
    assert_eq!(undone.status, 200, "{}", undone.body);
    let without = there().await;
    assert!(without.accounts.is_empty() && without.categories.is_empty());
    let redone = undo(undone.version()).send().await;
    assert_eq!(redone.status, 200, "{}", redone.body);
    let after = there().await;
    assert_eq!(after.accounts, before.accounts);
    assert_eq!(after.categories.len(), before.categories.len());
    world.verify();
}

#[tokio::test]
async fn an_undoing_is_answered_once_and_the_same_again() {
    let world = World::new();
    let home = world.home().await;
    let added = world.post(&home.entries(), home.expense("5.00")).await;
    let undo = || world.call(&format!("POST {}/history/{}/undo", home.at, added.version())).key("undo");
    let undone = undo().send().await;
    assert_eq!((undone.status, undone.json()["undoes"].as_u64()), (200, Some(added.version())));
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
    let again = undo().send().await;
    assert!(again.is_replayed());
    assert_eq!(again.essence(), undone.essence());
    let other = world.call(&format!("POST {}/history/{}/undo", home.at, added.version())).send().await;
    assert_eq!(other.refusal(), "409 already_undone");
}

#[tokio::test]
async fn what_cannot_be_undone_says_why() {
    let world = World::new();
    let home = world.home().await;
    world.join(&home.at, crate::world::user(2), "editor").await;
    let invited = world
        .post(&format!("{}/invitations", home.at), json!({"email": "x@example.org", "role": "viewer"}))
        .await;
    let undo = |version: &str| world.call(&format!("POST {}/history/{version}/undo", home.at));
    assert_eq!(undo("1").send().await.refusal(), "422 commit_not_undoable");
    assert_eq!(undo("99").send().await.refusal(), "400 version_unknown");
    assert_eq!(undo("0").send().await.refusal(), "400 version_unknown");
    assert_eq!(undo("x").send().await.refusal(), "400 version_unknown");
    let version = invited.version().to_string();
    assert_eq!(undo(&version).by(crate::world::user(2)).send().await.refusal(), "403 role_forbids");
    assert_eq!(undo(&version).by(crate::world::user(3)).send().await.refusal(), "404 book_not_found");
    assert_eq!(undo(&version).if_match(1).send().await.refusal(), "412 version_conflict");
    assert_eq!(undo(&version).send().await.status, 200);
}
