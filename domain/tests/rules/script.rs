//! Scenarios as text: one step per line, what it comes to as the last word.
//!
//! ```text
//! expense e1 cash 12.50 for=food payee=shop      ok
//! vera: remove e1                                role_forbids
//! correct e1 account=gold                        unknown_account/account
//! balance cash                                   -12.50
//! import file start cash/-4:coffee cash/-4:tea   new,=e7
//! ```
//!
//! A refusal is its code and, at once after it, the pointer. A name is an id of whatever kind the step needs.
//! Steps are olga's, who owns the book, unless another name stands before them.

use std::collections::BTreeSet;

use domain::{
    Command, Event, Rejection,
    book::KeptEntry,
    command::{
        CategoryPatch, EntryDraft, EntryPatch, ImportLine, ImportStart, NewAccount, NewCategory,
        OpeningBalance, Reading, SettingsPatch, Sorting, SplitDraft,
    },
    entry::{AccountKind, CategoryKind, EntryKind, statement_mark},
    event::{JudgedLine, Role, Settings, Verdict, Weekday},
    id::{AccountId, CategoryId, EntryId, Id, ImportId, Kind},
    money::{Amount, Money},
    posting::Ledger,
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
                    Verdict::Taken { .. } | Verdict::DuplicateOf { .. } => None,
                }));
            }
            told(&events)
        }
        Err(rejection) => {
            assert!(codes(&rejection).contains(&rejection.code()), "{rejection:?}");
            refused.insert(rejection.code().to_owned());
            refusal(&rejection)
        }
    }
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
        };
        let sign = if posting.money.minor < 0 { "" } else { "+" };
        format!("{ledger}{sign}{}", posting.money.decimal())
    });
    let removed = if kept.removed { "removed:" } else { "" };
    format!("{removed}{}:{}", kept.entry.kind.as_str(), postings.collect::<Vec<_>>().join(","))
}

fn refusal(rejection: &Rejection) -> String {
    format!("{}{}", rejection.code(), rejection.pointer().unwrap_or_default())
}

/// What was answered: the verdicts of an import, the number of entries a revert removed, or `ok`.
fn told(events: &[Event]) -> String {
    let removed = events.iter().filter(|event| matches!(event, Event::EntryRemoved { .. })).count();
    for event in events {
        match event {
            Event::ImportLinesJudged { lines, .. } if lines.is_empty() => return "nothing".to_owned(),
            Event::ImportLinesJudged { lines, .. } => {
                return lines.iter().map(verdict).collect::<Vec<_>>().join(",");
            }
            Event::ImportReverted { .. } => return format!("{removed},reverted"),
            _ => {}
        }
    }
    if removed > 1 { removed.to_string() } else { "ok".to_owned() }
}

fn verdict(line: &JudgedLine) -> String {
    match &line.verdict {
        Verdict::Taken { .. } => "new".to_owned(),
        Verdict::DuplicateOf { entry } => format!("={}", name_of(*entry)),
        Verdict::Refused { code, .. } => format!("!{code}"),
    }
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
        "archive" => Command::ArchiveCategory { category: step.id(1) },
        "unarchive" => Command::RestoreCategory { category: step.id(1) },
        "correct" => Command::CorrectEntry { entry: step.id(1), patch: entry_patch(step) },
        "remove" => Command::RemoveEntry { entry: step.id(1) },
        "restore" => Command::RestoreEntry { entry: step.id(1) },
        "import" => import_lines(world, step),
        "revert" => Command::RevertImport {
            import: step.id(1),
            entries_max: step.option("at_most").map_or(usize::MAX, |count| count.parse().expect("a number")),
        },
        verb => {
            let kind = EntryKind::parse(verb).unwrap_or_else(|| panic!("{verb} is no step"));
            Command::AddEntry { entry: step.id(1), draft: entry_draft(kind, step) }
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

fn entry_draft(kind: EntryKind, step: &Step<'_>) -> EntryDraft {
    EntryDraft {
        kind,
        occurred_on: step.option("on").map_or(today(), date),
        account: step.id(2),
        amount: amount(step.word(3)),
        currency: step.option("currency").map(str::to_owned),
        sorting: step.option("for").map_or(Sorting::Unsorted, sorting),
        to_account: step.option("to").map(id),
        payee: step.option("payee").map(text),
        note: step.option("note").map(text),
        tags: step.option("tags").map(tags).unwrap_or_default(),
        refund_of: step.option("of").map(id),
        foreign: None,
    }
}

fn entry_patch(step: &Step<'_>) -> EntryPatch {
    EntryPatch {
        kind: step.option("kind").and_then(EntryKind::parse),
        occurred_on: step.option("on").map(date),
        account: step.option("account").map(id),
        amount: step.option("amount").map(amount),
        currency: step.option("currency").map(str::to_owned),
        sorting: step.option("for").map(sorting),
        to_account: step.change("to", id),
        payee: step.change("payee", text),
        note: step.change("note", text),
        tags: step.option("tags").map(tags),
        refund_of: step.change("of", id),
        foreign: None,
    }
}

/// `import <id> [start] [more] [strict] <line>…`: `start` with the first lines, `more` when others follow,
/// `strict` when one refused line is to refuse all. A line is `account/amount:payee`, with `@entry` after it
/// where the id matters, or `?code` where nothing could be read.
fn import_lines(world: &World, step: &Step<'_>) -> Command {
    let import: ImportId = step.id(1);
    let judged = world.book.imports.get(&import).map_or(0, |known| known.judged);
    let words = step.words.iter().skip(2).filter(|word| word.contains('/') || word.starts_with('?'));
    let lines: Vec<ImportLine> = (judged + 1..)
        .zip(words)
        .map(|(line, word)| {
            let reading = match word.strip_prefix('?') {
                Some(code) => Reading::Unreadable { code: code.to_owned(), detail: text("unreadable") },
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
    let account: AccountId = id(account);
    let signed =
        Money::parse_decimal(value, currency("EUR")).unwrap_or_else(|error| panic!("{line}: {error}"));
    let (kind, category): (_, CategoryId) =
        if signed.minor < 0 { (EntryKind::Expense, id("food")) } else { (EntryKind::Income, id("pay")) };
    let draft = EntryDraft {
        kind,
        occurred_on: today(),
        account,
        amount: Amount::from_minor(signed.minor.abs(), signed.currency),
        currency: None,
        sorting: Sorting::Whole(category),
        to_account: None,
        payee: Some(text(payee)),
        note: None,
        tags: vec![],
        refund_of: None,
        foreign: None,
    };
    let entry: EntryId = id(entry);
    Reading::Entry {
        entry,
        draft: Box::new(draft),
        mark: statement_mark(account, today(), signed.minor, payee),
    }
}
