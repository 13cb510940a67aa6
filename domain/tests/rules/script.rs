//! Scenarios as text: one step per line, what it comes to as the last word.
//!
//! ```text
//! expense e1 cash 12.50 for=food payee=shop      ok
//! vera: remove e1                                role_forbids
//! correct e1 account=gold                        unknown_account/account
//! balance cash                                   -12.50
//! import file start cash/-4:coffee cash/-4:tea   new,=e7
//! undo 3                                         undo_conflicts:5,6
//! ```
//!
//! A refusal is its code and, at once after it, the pointer. A name is an id of whatever kind the step needs.
//! Steps are olga's, who owns the book, unless another name stands before them. Each step that changes the book is
//! a version of its own, but for those with `times=`, which are as many.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveTime, Utc};
use domain::{
    Book, Command, Event, Rejection,
    book::{InvitationStanding, KeptEntry},
    command::{
        BulkEntry, CategoryPatch, EntryDraft, EntryFilter, EntryPatch, ImportChart, ImportLine, ImportStart,
        NewAccount, NewCategory, OpeningBalance, PostedTo, PostingDraft, Reading, SettingsPatch, Side, Sides,
        Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, Entry, EntryKind, statement_mark},
    event::{JudgedLine, RefusedItem, Role, Settings, Verdict, Weekday},
    id::{AccountId, CategoryId, EntryId, Id, ImportId, Kind},
    money::{Amount, Money},
    posting::{Ledger, Posting, Postings},
    text::Text,
};

use crate::{
    names::{amount, currency, date, id, name_of, text, today},
    rejections::codes,
    world::World,
};

/// Runs a scenario; answers with the refusals it met, those of lines of a statement by their code.
#[track_caller]
pub fn check(scenario: &str) -> BTreeSet<String> {
    let mut world = World::default();
    let mut refused = BTreeSet::new();
    for line in scenario.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        let Some((step, expected)) = line.rsplit_once(char::is_whitespace) else { continue };
        let answer = run(&mut world, step.trim(), &mut refused);
        assert_eq!(answer, expected, "in the step: {line}");
        world.check();
    }
    refused
}

/// Runs one step and answers what it came to.
pub fn run_step(world: &mut World, step: &str) -> String {
    run(world, step, &mut BTreeSet::new())
}

fn run(world: &mut World, step: &str, refused: &mut BTreeSet<String>) -> String {
    let (actor, step) = step.split_once(": ").unwrap_or(("olga", step));
    let step = Step { words: step.split_whitespace().collect() };
    if let Some(answer) = look(world, &step) {
        return answer;
    }
    if step.word(0) == "undo" {
        let version = step.word(1).parse().expect("a version");
        return match world.undo(id(actor), version) {
            Ok(()) => "ok".to_owned(),
            Err(rejection) => refuse(&rejection, refused),
        };
    }
    let mut commands = commands(world, &step);
    let last = commands.pop().expect("a step is at least one command");
    for command in &commands {
        world.execute(id(actor), command).unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"));
    }
    match world.execute(id(actor), &last) {
        Ok(events) => {
            for event in &events {
                let Event::ImportLinesJudged { lines, .. } = event else { continue };
                refused.extend(lines.iter().filter_map(|line| match &line.verdict {
                    Verdict::Refused { code, .. } => Some(code.clone()),
                    Verdict::Taken { .. } | Verdict::DuplicateOf { .. } | Verdict::MirrorOf { .. } => None,
                }));
            }
            told(&events)
        }
        Err(rejection) => refuse(&rejection, refused),
    }
}

fn refuse(rejection: &Rejection, refused: &mut BTreeSet<String>) -> String {
    assert!(codes(rejection).contains(&rejection.code()), "{rejection:?}");
    refused.insert(rejection.code().to_owned());
    refusal(rejection)
}

struct Step<'s> {
    words: Vec<&'s str>,
}

impl<'s> Step<'s> {
    /// The word at a place, the verb being at 0. Options and flags stand after the words that have a place.
    fn word(&self, place: usize) -> &'s str {
        self.words.get(place).unwrap_or_else(|| panic!("word {place} is missing: {:?}", self.words))
    }

    fn id<K: Kind>(&self, place: usize) -> Id<K> {
        id(self.word(place))
    }

    fn option(&self, name: &str) -> Option<&'s str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn has(&self, flag: &str) -> bool {
        self.words.contains(&flag)
    }

    /// An option of a patch: not given, taken away with `none`, or given.
    fn change<T>(&self, name: &str, read: impl Fn(&str) -> T) -> Option<Option<T>> {
        self.option(name).map(|word| (word != "none").then(|| read(word)))
    }
}

/// Steps that look at the book or happen outside it.
fn look(world: &mut World, step: &Step<'_>) -> Option<String> {
    let book = &world.book;
    let answer = match step.word(0) {
        "member" => {
            let role = Role::parse(step.word(2)).expect("a role is named");
            world.commit(vec![Event::MemberAdded { user: step.id(1), role }]);
            "ok".to_owned()
        }
        "hoard" => {
            let money = Money::from_record(step.word(3), "EUR").expect("an amount of euros");
            world.commit(vec![World::hoarded(step.id(1), step.id(2), money)]);
            "ok".to_owned()
        }
        "many" => {
            let count: usize = step.word(2).parse().expect("a number");
            let entry = |number| Event::EntryAdded {
                entry: whole(book, &format!("{}{number}", step.word(1)), "expense:cash-1.00,food+1.00"),
            };
            let events = (1..=count).map(entry).collect();
            world.commit(events);
            "ok".to_owned()
        }
        "role" => book.role_of(step.id(1)).map_or("none", |role| role.as_str()).to_owned(),
        "invitation" => match book.invitations[&step.id(1)].standing {
            InvitationStanding::Open => "open".to_owned(),
            InvitationStanding::Accepted => "accepted".to_owned(),
            InvitationStanding::Withdrawn => "withdrawn".to_owned(),
        },
        "account?" => match book.accounts.get(&step.id(1)) {
            Some(known) if known.closed => format!("closed:{}", known.name.as_str().unwrap_or_default()),
            Some(known) => known.name.as_str().unwrap_or_default().to_owned(),
            None => "none".to_owned(),
        },
        "category?" => match book.categories.get(&step.id(1)) {
            Some(known) => match known.merged_into {
                Some(into) => format!("merged:{}", name_of(into)),
                None if known.archived => "archived".to_owned(),
                None => known.name.as_str().unwrap_or_default().to_owned(),
            },
            None => "none".to_owned(),
        },
        "payee" => {
            let payee = book.entries.get(&step.id(1)).and_then(|kept| kept.entry.payee.as_ref());
            payee.and_then(Text::as_str).unwrap_or("none").to_owned()
        }
        "version" => book.version.to_string(),
        "balance" => {
            let account = &book.accounts[&step.id(1)];
            Money { minor: account.balance_minor, currency: account.currency }.decimal()
        }
        "entry" => book.entries.get(&step.id(1)).map_or("none".to_owned(), shown),
        "count" => book.entries.values().filter(|kept| !kept.removed).count().to_string(),
        "path" => {
            let path = book.category_path(step.id(1));
            path.iter().filter_map(|category| category.name.as_str()).collect::<Vec<_>>().join(">")
        }
        _ => return None,
    };
    Some(answer)
}

/// `expense:cash-12.50,food+12.50`, and `removed:` before it where that is so.
fn shown(kept: &KeptEntry) -> String {
    let postings = kept.entry.postings.iter().map(|posting| {
        let ledger = match posting.ledger {
            Ledger::Account(id) => name_of(id),
            Ledger::Category(id) => name_of(id),
            Ledger::OpeningBalances => "before".to_owned(),
            Ledger::Conversion => "conversion".to_owned(),
        };
        let sign = if posting.money.minor < 0 { "" } else { "+" };
        format!("{ledger}{sign}{}", posting.money.decimal())
    });
    let removed = if kept.removed { "removed:" } else { "" };
    format!("{removed}{}:{}", kept.entry.kind.as_str(), postings.collect::<Vec<_>>().join(","))
}

/// The places of a bulk that were refused, or the versions in the way, stand after a colon.
fn refusal(rejection: &Rejection) -> String {
    let code = rejection.code();
    match rejection {
        Rejection::UndoConflicts { versions } => {
            let versions: Vec<String> = versions.iter().map(u64::to_string).collect();
            format!("{code}:{}", versions.join(","))
        }
        Rejection::BulkRefused { faults } => {
            format!("{code}:{}", faults.iter().map(fault).collect::<Vec<_>>().join(","))
        }
        _ => format!("{code}{}", rejection.pointer().unwrap_or_default()),
    }
}

fn fault(item: &RefusedItem) -> String {
    format!("{}!{}{}", item.index, item.code, item.pointer.as_deref().unwrap_or_default())
}

/// What was answered: the verdicts of an import, the number of entries that a revert removed or a command sorted
/// anew, what of a bulk was taken and what not, or `ok`.
fn told(events: &[Event]) -> String {
    let count = |is_one: fn(&Event) -> bool| events.iter().filter(|event| is_one(event)).count();
    let added = count(|event| matches!(event, Event::EntryAdded { .. }));
    let removed = count(|event| matches!(event, Event::EntryRemoved { .. }));
    let sorted = count(|event| matches!(event, Event::EntryRecategorised { .. }));
    for event in events {
        match event {
            Event::ImportLinesJudged { lines, .. } if lines.is_empty() => return "nothing".to_owned(),
            Event::ImportLinesJudged { lines, .. } => {
                return lines.iter().map(verdict).collect::<Vec<_>>().join(",");
            }
            Event::ImportReverted { complete: true, .. } => return format!("{removed},reverted"),
            Event::ImportReverted { complete: false, .. } => return removed.to_string(),
            Event::BulkRefused { refused } => {
                let faults = refused.iter().map(fault).collect::<Vec<_>>().join(",");
                return format!("{added},{faults}");
            }
            _ => {}
        }
    }
    if sorted > 0 { format!("ok,{sorted}") } else { "ok".to_owned() }
}

fn verdict(line: &JudgedLine) -> String {
    match &line.verdict {
        Verdict::Taken { .. } => "new".to_owned(),
        Verdict::DuplicateOf { entry } => format!("={}", name_of(*entry)),
        Verdict::MirrorOf { entry, .. } => format!("~{}", name_of(*entry)),
        Verdict::Refused { code, .. } => format!("!{code}"),
    }
}

/// The end of a day.
fn instant(on: &str) -> DateTime<Utc> {
    date(on).and_time(NaiveTime::MIN).and_utc()
}

/// The command a step stands for; several where it says `times=`, of which the last gives the step's answer.
fn commands(world: &World, step: &Step<'_>) -> Vec<Command> {
    let command = match step.word(0) {
        "book" => Command::CreateBook {
            settings: Settings {
                name: text("Home"),
                currency: currency(step.word(1)),
                time_zone: "Europe/Berlin".to_owned(),
                week_starts_on: Weekday::Monday,
                month_starts_on: 1,
            },
            accounts: vec![],
            categories: vec![],
        },
        "change-book" => Command::ChangeBook(SettingsPatch {
            name: step.option("name").map(text),
            ..SettingsPatch::default()
        }),
        "invite" => Command::InviteMember {
            invitation: step.id(1),
            email: text("somebody@example.org"),
            role: Role::parse(step.word(2)).expect("a role is named"),
            expires_at: instant(step.option("until").unwrap_or("2026-11-30")),
        },
        "withdraw" => Command::WithdrawInvitation { invitation: step.id(1) },
        "accept" => Command::AcceptInvitation {
            invitation: step.id(1),
            at: instant(step.option("on").unwrap_or("2026-11-23")),
        },
        "change-member" => Command::ChangeMember {
            user: step.id(1),
            role: Role::parse(step.word(2)).expect("a role is named"),
        },
        "remove-member" => Command::RemoveMember { user: step.id(1) },
        "account" => Command::OpenAccount(NewAccount {
            account: step.id(1),
            name: text(step.option("name").unwrap_or(step.word(1))),
            kind: AccountKind::Bank,
            currency: step.option("currency").map(currency),
            opened_on: step.option("on").map_or(today(), date),
            opening_balance: step.option("opening").map(|opening| OpeningBalance {
                entry: id(step.option("entry").unwrap_or("opening")),
                amount: amount(opening),
            }),
        }),
        "change-account" => Command::ChangeAccount {
            account: step.id(1),
            name: step.option("name").map(text),
            kind: step.option("kind").and_then(AccountKind::parse),
        },
        "close" => Command::CloseAccount { account: step.id(1) },
        "reopen" => Command::ReopenAccount { account: step.id(1) },
        "category" => Command::AddCategory(NewCategory {
            category: step.id(1),
            name: text(step.option("name").unwrap_or(step.word(1))),
            kind: step.option("kind").and_then(CategoryKind::parse).unwrap_or(CategoryKind::Expense),
            parent: step.option("below").map(id),
            icon: None,
            colour: None,
        }),
        "change-category" => Command::ChangeCategory {
            category: step.id(1),
            patch: CategoryPatch {
                name: step.option("name").map(text),
                parent: step.change("below", id),
                icon: step.change("icon", str::to_owned),
                colour: step.change("colour", str::to_owned),
            },
        },
        "merge" => Command::MergeCategory {
            category: step.id(1),
            into: id(step.option("into").expect("a category to merge into")),
        },
        "recategorise" => Command::RecategoriseEntries {
            filter: EntryFilter {
                accounts: step.option("account").map(id).into_iter().collect(),
                categories: step.option("in").map(id).into_iter().collect(),
                payees: step.option("payee").map(str::to_owned).into_iter().collect(),
                ..EntryFilter::default()
            },
            category: step.id(1),
        },
        "bulk" => bulk(step),
        "start-import" => Command::StartImport {
            import: step.id(1),
            start: ImportStart { file_name: text("book.json"), lines: 0 },
            chart: chart(world, step),
        },
        "archive" => Command::ArchiveCategory { category: step.id(1) },
        "unarchive" => Command::RestoreCategory { category: step.id(1) },
        "correct" => Command::CorrectEntry { entry: step.id(1), patch: entry_patch(world, step) },
        "remove" => Command::RemoveEntry { entry: step.id(1) },
        "restore" => Command::RestoreEntry { entry: step.id(1) },
        "import" => import_lines(world, step),
        "revert" => Command::RevertImport {
            import: step.id(1),
            entries_max: step.option("at_most").map_or(usize::MAX, |count| count.parse().expect("a number")),
        },
        verb => {
            let kind = EntryKind::parse(verb).unwrap_or_else(|| panic!("{verb} is no step"));
            Command::AddEntry { entry: step.id(1), draft: entry_draft(world, kind, step) }
        }
    };
    let Some(times) = step.option("times") else { return vec![command] };
    let numbered = |number: u64| {
        let name = format!("{}{number}", step.word(1));
        match command.clone() {
            Command::OpenAccount(new) => {
                Command::OpenAccount(NewAccount { account: id(&name), name: text(&name), ..new })
            }
            Command::AddCategory(new) => {
                Command::AddCategory(NewCategory { category: id(&name), name: text(&name), ..new })
            }
            Command::InviteMember { email, role, expires_at, .. } => {
                Command::InviteMember { invitation: id(&name), email, role, expires_at }
            }
            other => panic!("{other:?} cannot be repeated"),
        }
    };
    (1..=times.parse().expect("a number")).map(numbered).collect()
}

/// `food`, or `food:10+rent:2.50` for a split, `nothing` for one without parts, `none` for no sorting.
fn sorting(words: &str) -> Sorting {
    if words == "none" {
        return Sorting::Unsorted;
    }
    if words == "nothing" {
        return Sorting::Split(vec![]);
    }
    if !words.contains(':') {
        return Sorting::Whole(id(words));
    }
    let split = |part: &str| {
        let (category, value) =
            part.split_once(':').unwrap_or_else(|| panic!("{part} is no part of a split"));
        SplitDraft { category: id(category), amount: amount(value), note: None }
    };
    Sorting::Split(words.split('+').map(split).collect())
}

fn tags(words: &str) -> Vec<Text> {
    words.split(',').map(text).collect()
}

/// `cash:-5+food:5`, with the currency after a second colon where it is given; `nothing` for no postings.
fn legs(world: &World, words: &str) -> Vec<PostingDraft> {
    let leg = |part: &str| {
        let mut words = part.split(':');
        let (name, value) = (words.next().unwrap_or_default(), words.next().expect("a leg has an amount"));
        let is_category = world.book.categories.contains_key(&id(name));
        PostingDraft {
            to: if is_category { PostedTo::Category(id(name)) } else { PostedTo::Account(id(name)) },
            amount: amount(value),
            currency: words.next().map(currency),
            note: None,
        }
    };
    if words == "nothing" { vec![] } else { words.split('+').map(leg).collect() }
}

fn entry_draft(world: &World, kind: EntryKind, step: &Step<'_>) -> EntryDraft {
    let is_told = kind != EntryKind::Balanced;
    EntryDraft {
        kind,
        occurred_on: step.option("on").map_or(today(), date),
        account: is_told.then(|| step.id(2)),
        amount: is_told.then(|| amount(step.word(3))),
        currency: step.option("currency").map(str::to_owned),
        sorting: step.option("for").map_or(Sorting::Unsorted, sorting),
        to_account: step.option("to").map(id),
        to_amount: step.option("to_amount").map(amount),
        postings: step.option("legs").map(|words| legs(world, words)),
        payee: step.option("payee").map(text),
        note: step.option("note").map(text),
        tags: step.option("tags").map(tags).unwrap_or_default(),
        refund_of: step.option("of").map(id),
        foreign: None,
    }
}

/// `bulk all|each <entry>/<account>/<amount>/<category>…`, with `unreadable` where the last could not be read.
fn bulk(step: &Step<'_>) -> Command {
    let items = step.words.iter().filter(|word| word.contains('/')).enumerate();
    let entries: Vec<BulkEntry> = items
        .map(|(index, word)| {
            let words: Vec<&str> = word.split('/').collect();
            let [entry, account, value, category] = words[..] else { panic!("{word} is no item of a bulk") };
            let told = EntryDraft::told(EntryKind::Expense, today(), id(account), amount(value));
            let draft = EntryDraft { sorting: Sorting::Whole(id(category)), ..told };
            BulkEntry { index, entry: id(entry), draft }
        })
        .collect();
    let unreadable = RefusedItem {
        index: entries.len(),
        code: "field_missing".to_owned(),
        detail: text("missing"),
        pointer: Some("/amount".to_owned()),
    };
    Command::AddEntries {
        entries,
        unreadable: if step.has("unreadable") { vec![unreadable] } else { vec![] },
        all_or_nothing: step.has("all"),
    }
}

/// `account=<name>`, `category=<name>`, and `closed` or `archived` where they are; `whole` brings settings.
fn chart(world: &World, step: &Step<'_>) -> ImportChart {
    let account = |name: &str| NewAccount {
        account: id(name),
        name: text(name),
        kind: AccountKind::Bank,
        currency: None,
        opened_on: today(),
        opening_balance: None,
    };
    let category = |name: &str| NewCategory {
        category: id(name),
        name: text(name),
        kind: CategoryKind::Expense,
        parent: step.option("below").map(id),
        icon: None,
        colour: None,
    };
    let settings = world.book.settings.clone().map(|known| Settings { name: text("Imported"), ..known });
    ImportChart {
        settings: settings.filter(|_| step.has("whole")),
        accounts: step.option("account").map(account).into_iter().collect(),
        closed: step.option("account").filter(|_| step.has("closed")).map(id).into_iter().collect(),
        categories: step.option("category").map(category).into_iter().collect(),
        archived: step.option("category").filter(|_| step.has("archived")).map(id).into_iter().collect(),
    }
}

/// An entry written as [`shown`] shows it.
fn whole(book: &Book, name: &str, words: &str) -> Entry {
    let (kind, legs) = words.split_once(':').unwrap_or_else(|| panic!("{words} is no entry"));
    let posting = |leg: &str| {
        let place = leg.find(['+', '-']).unwrap_or_else(|| panic!("{leg} has no sign"));
        let (ledger, value) = leg.split_at(place);
        let is_category = book.categories.contains_key(&id(ledger));
        let ledger = if is_category { Ledger::Category(id(ledger)) } else { Ledger::Account(id(ledger)) };
        let value = value.trim_start_matches('+');
        Posting::new(ledger, Money::parse_decimal(value, currency("EUR")).expect("an amount"))
    };
    Entry {
        id: id(name),
        kind: EntryKind::parse(kind).unwrap_or_else(|| panic!("{kind} is no kind of entry")),
        occurred_on: today(),
        postings: Postings::balanced(legs.split(',').map(posting).collect()).expect("it balances"),
        payee: None,
        note: None,
        tags: vec![],
        refund_of: None,
        foreign: None,
        imported: None,
    }
}

fn entry_patch(world: &World, step: &Step<'_>) -> EntryPatch {
    EntryPatch {
        kind: step.option("kind").and_then(EntryKind::parse),
        occurred_on: step.option("on").map(date),
        account: step.option("account").map(id),
        amount: step.option("amount").map(amount),
        currency: step.option("currency").map(str::to_owned),
        sorting: step.option("for").map(sorting),
        to_account: step.change("to", id),
        to_amount: step.change("to_amount", amount),
        postings: step.option("legs").map(|words| legs(world, words)),
        payee: step.change("payee", text),
        note: step.change("note", text),
        tags: step.option("tags").map(tags),
        refund_of: step.change("of", id),
        foreign: None,
    }
}

/// `import <id> [start] [more] [strict] <line>…`: `start` with the first lines, `more` when others follow,
/// `strict` when one refused line is to refuse all. A line is `account/amount:payee`, with `@entry` after it
/// where the id matters, or `?code` where nothing could be read. A line `account>other/amount:payee` says that it is
/// a transfer, and `whole/entry@kind:postings` is an entry of another book.
fn import_lines(world: &World, step: &Step<'_>) -> Command {
    let import: ImportId = step.id(1);
    let judged = world.book.imports.get(&import).map_or(0, |known| known.judged);
    let words = step.words.iter().skip(2).filter(|word| word.contains('/') || word.starts_with('?'));
    let lines: Vec<ImportLine> = (judged + 1..)
        .zip(words)
        .map(|(line, word)| {
            let reading = match word.strip_prefix('?') {
                Some(code) => Reading::Unreadable { code: code.to_owned(), detail: text("unreadable") },
                None if word.starts_with("whole/") => {
                    let (name, words) =
                        word["whole/".len()..].split_once('@').expect("an entry and its postings");
                    let entry = Box::new(whole(&world.book, name, words.trim_end_matches('!')));
                    Reading::Whole { entry, removed: words.ends_with('!') }
                }
                None => statement_line(word, &format!("{}.{line}", step.word(1))),
            };
            ImportLine { line, reading }
        })
        .collect();
    let start = ImportStart { file_name: text("statement.csv"), lines: lines.len() as u64 };
    Command::ImportLines {
        import,
        start: step.has("start").then_some(start),
        lines,
        finish: !step.has("more"),
        all_or_nothing: step.has("strict"),
    }
}

fn statement_line(word: &str, entry: &str) -> Reading {
    let (line, entry) = word.split_once('@').unwrap_or((word, entry));
    let (account, rest) = line.split_once('/').unwrap_or_else(|| panic!("{line} names no account"));
    let (value, payee) = rest.split_once(':').unwrap_or_else(|| panic!("{line} names no payee"));
    let (account, other) = account.split_once('>').unwrap_or((account, ""));
    let account: AccountId = id(account);
    let signed =
        Money::parse_decimal(value, currency("EUR")).unwrap_or_else(|error| panic!("{line}: {error}"));
    let (kind, category): (_, CategoryId) =
        if signed.minor < 0 { (EntryKind::Expense, id("food")) } else { (EntryKind::Income, id("pay")) };
    let amount = Amount::from_minor(signed.minor.abs(), signed.currency);
    let mark = statement_mark(account, today(), signed.minor, payee);
    let entry: EntryId = id(entry);
    if other.is_empty() {
        let told = EntryDraft::told(kind, today(), account, amount);
        let draft = EntryDraft { sorting: Sorting::Whole(category), payee: Some(text(payee)), ..told };
        return Reading::Entry { entry, draft: Box::new(draft), mark };
    }
    let other_account: AccountId = id(other);
    let (from, to) = if signed.minor < 0 { (account, other_account) } else { (other_account, account) };
    let draft = EntryDraft {
        to_account: Some(to),
        payee: Some(text(payee)),
        ..EntryDraft::told(EntryKind::Transfer, today(), from, amount)
    };
    let sides = Sides {
        own: Side { account, occurred_on: today(), minor: signed.minor, days_max: 3 },
        other_account,
        other_minor: -signed.minor,
        unsorted: vec![id("food"), id("pay")],
    };
    Reading::Transfer { entry, draft: Box::new(draft), mark, sides }
}
