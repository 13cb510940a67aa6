//! The tables against the domain: whatever people do, they show what the events say, however the commits are cut
//! into batches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, SecondsFormat, TimeDelta, Utc};
use daybook_read_model::{
    ApplyError, Batch, Commit, Config, Directory, Projection, ReadModel, compare, open_reader,
    queries::entries::largest_expense,
};
use domain::{
    Book, Command, Recorded, Thing,
    command::{
        CategoryPatch, EntryDraft, EntryFilter, EntryPatch, ImportLine, ImportStart, NewAccount, PostedTo,
        PostingDraft, Reading, SettingsPatch, Sorting, SplitDraft,
    },
    entry::{AccountKind, Entry, EntryKind, statement_mark},
    event::{Settings, Weekday},
    id::{AccountId, BookId, CategoryId, EntryId, ImportId, UserId},
    money::{Amount, Currency, Money},
    starter::starter_set,
    text::Text,
};
use proptest::prelude::*;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

/// What somebody does next, told in numbers that are read against the book as it then is.
#[derive(Debug, Clone)]
struct Step {
    book: usize,
    action: u8,
    pick: [usize; 4],
    minor: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..2usize, 0..20u8, any::<[u8; 4]>(), 1..10_000i64)
        .prop_map(|(book, action, pick, minor)| Step { book, action, pick: pick.map(usize::from), minor });
    prop::collection::vec(step, 1..60)
}

#[derive(Default)]
struct Household {
    books: Vec<(BookId, Book, u64)>,
    commits: Vec<Commit>,
    ids: u128,
}

fn actor() -> UserId {
    UserId::from_uuid(Uuid::from_u128(1))
}

fn day(offset: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(offset as u64)
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Household {
    fn of(steps: &[Step]) -> Self {
        let mut household = Self::default();
        for _ in 0..2 {
            let id = BookId::from_uuid(household.next_id());
            household.books.push((id, Book::default(), 0));
        }
        for index in 0..2 {
            let mut ids = household.ids;
            let (accounts, categories) = starter_set(day(0), &mut || {
                ids += 1;
                Uuid::from_u128(ids)
            });
            household.ids = ids;
            let settings = Settings {
                name: Text::known("Home"),
                currency: Currency::parse("EUR").unwrap(),
                time_zone: "Europe/Berlin".to_owned(),
                week_starts_on: Weekday::Monday,
                month_starts_on: 1,
            };
            household.perform(index, Command::CreateBook { settings, accounts, categories });
            let dollars = NewAccount {
                account: AccountId::from_uuid(household.next_id()),
                name: Text::known("Dollars"),
                kind: AccountKind::Cash,
                currency: Some(Currency::parse("USD").unwrap()),
                opened_on: day(0),
                opening_balance: None,
            };
            household.perform(index, Command::OpenAccount(dollars));
        }
        for step in steps {
            let command = household.command(step);
            household.perform(step.book, command);
        }
        household
    }

    fn next_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// Refused commands leave nothing behind, as in life.
    fn perform(&mut self, index: usize, command: Command) {
        let (id, book, version) = &mut self.books[index];
        let Ok(events) = domain::decide(book, actor(), &command) else { return };
        *version += 1;
        let position = self.commits.len() as u64 + 1;
        let recorded_at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(position as i64);
        for event in &events {
            book.evolve(event, Recorded { version: *version, at: recorded_at });
        }
        self.commits.push(Commit {
            partition: 0,
            position,
            book: *id,
            version: *version,
            hash: [position as u8; 32],
            recorded_at,
            actor: actor(),
            command: command.name().to_owned(),
            events,
        });
    }

    fn command(&mut self, step: &Step) -> Command {
        let new_id = self.next_id();
        let book = &self.books[step.book].1;
        let accounts: Vec<AccountId> = book.accounts.keys().copied().collect();
        let categories: Vec<CategoryId> = book.categories.keys().copied().collect();
        let mut entries: Vec<EntryId> = book.entries.keys().copied().collect();
        entries.sort();
        let [a, b, c, d] = step.pick;
        let account = accounts[a % accounts.len()];
        let category = categories[b % categories.len()];
        let entry = if entries.is_empty() { EntryId::from_uuid(new_id) } else { entries[c % entries.len()] };
        let amount = Amount::from_minor(step.minor, Currency::parse("EUR").unwrap());
        let draft = EntryDraft {
            sorting: match (d % 5, d % 3) {
                (3 | 4, _) => Sorting::Unsorted,
                (_, 0) => self.split(step, category, categories[c % categories.len()]),
                _ => Sorting::Whole(category),
            },
            to_account: (d % 5 == 3).then(|| accounts[b % accounts.len()]),
            to_amount: (d % 5 == 3 && a % 2 == 0).then(|| "7".parse().unwrap()),
            payee: (a % 3 > 0).then(|| if a % 3 == 1 { Text::known("REWE Köln") } else { Text::Forgotten }),
            note: (b % 2 == 0).then(|| Text::known("for \"Ömer\"\nand us")),
            tags: if a % 4 == 0 { vec![Text::known("Trip"), Text::known("food")] } else { Vec::new() },
            ..EntryDraft::told(EntryKind::ALL[d % 5], day(c % 5), account, amount)
        };
        match step.action {
            0 | 1 if d % 3 == 0 => {
                let leg = |to, minor| PostingDraft {
                    to,
                    amount: Amount::from_minor(minor, Currency::parse("EUR").unwrap()),
                    currency: (a % 2 == 0).then(|| Currency::parse("EUR").unwrap()),
                    note: None,
                };
                let last = if c % 2 == 0 {
                    PostedTo::Account(accounts[c % accounts.len()])
                } else {
                    PostedTo::Category(categories[c % categories.len()])
                };
                let postings = vec![
                    leg(PostedTo::Category(category), step.minor),
                    leg(PostedTo::Category(categories[d % categories.len()]), -2 * step.minor),
                    leg(last, step.minor),
                ];
                let told =
                    EntryDraft { sorting: Sorting::Unsorted, to_account: None, to_amount: None, ..draft };
                let draft = EntryDraft {
                    kind: EntryKind::Balanced,
                    account: None,
                    amount: None,
                    postings: Some(postings),
                    ..told
                };
                Command::AddEntry { entry: EntryId::from_uuid(new_id), draft }
            }
            0..=6 => Command::AddEntry { entry: EntryId::from_uuid(new_id), draft },
            7 => Command::CorrectEntry {
                entry,
                patch: EntryPatch { amount: draft.amount, note: Some(draft.note), ..EntryPatch::default() },
            },
            8 => Command::CorrectEntry {
                entry,
                patch: EntryPatch {
                    occurred_on: Some(day(d % 5)),
                    account: Some(account),
                    sorting: Some(Sorting::Whole(category)),
                    ..EntryPatch::default()
                },
            },
            9 | 10 => Command::RemoveEntry { entry },
            11 => Command::RestoreEntry { entry },
            12 => Command::CloseAccount { account },
            13 => Command::ReopenAccount { account },
            14 => Command::ChangeCategory {
                category,
                patch: CategoryPatch {
                    icon: Some((d % 2 == 0).then(|| "cup".to_owned())),
                    ..Default::default()
                },
            },
            15 if d % 2 == 0 => Command::RecategoriseEntries {
                filter: EntryFilter { accounts: vec![account], ..EntryFilter::default() },
                category,
            },
            15 => Command::ArchiveCategory { category },
            16 if d % 2 == 0 => Command::MergeCategory { category, into: categories[c % categories.len()] },
            16 => Command::RestoreCategory { category },
            17 => Command::ChangeBook(SettingsPatch { month_starts_on: Some(25), ..Default::default() }),
            18 => self.import(new_id, draft),
            _ => match book.imports.keys().next() {
                Some(import) => Command::RevertImport { import: *import, entries_max: 1 + d % 3 },
                None => Command::ChangeAccount { account, name: Some(Text::known("Purse")), kind: None },
            },
        }
    }

    fn split(&self, step: &Step, first: CategoryId, second: CategoryId) -> Sorting {
        let euro = Currency::parse("EUR").unwrap();
        let part = step.minor / 2;
        let split = |category, minor| SplitDraft {
            category,
            amount: Amount::from_minor(minor, euro),
            note: Some(Text::known("Half")),
        };
        Sorting::Split(vec![split(first, part), split(second, step.minor - part)])
    }

    fn import(&self, id: Uuid, draft: EntryDraft) -> Command {
        let line = |line: u64| {
            let entry = EntryId::from_uuid(Uuid::from_u128(id.as_u128() + (u128::from(line) << 64)));
            let mark = statement_mark(draft.account.unwrap(), draft.occurred_on, 5, "coffee");
            ImportLine { line, reading: Reading::Entry { entry, draft: Box::new(draft.clone()), mark } }
        };
        let unreadable =
            Reading::Unreadable { code: "date_malformed".to_owned(), detail: Text::known("no date") };
        Command::ImportLines {
            import: ImportId::from_uuid(id),
            start: Some(ImportStart { file_name: Text::known("May.csv"), lines: 3 }),
            lines: vec![line(1), ImportLine { line: 2, reading: unreadable }, line(3)],
            finish: true,
            all_or_nothing: false,
        }
    }
}

/// Batches of the sizes given, over and over.
fn batches(commits: &[Commit], sizes: &[usize]) -> Vec<Batch> {
    let mut sizes = sizes.iter().copied().cycle();
    let (mut rest, mut after) = (commits, 0);
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(sizes.next().unwrap().clamp(1, rest.len()));
        let mut projection = Projection::default();
        now.iter().cloned().for_each(|commit| projection.take(commit));
        let through = now.last().unwrap().position;
        batches.push(Batch {
            partition: 0,
            after,
            through,
            fence: String::new(),
            rows: projection.into_rows(),
        });
        (rest, after) = (later, through);
    }
    batches
}

async fn model_of(commits: &[Commit], sizes: &[usize]) -> (TempDir, ReadModel) {
    let data_dir = tempfile::tempdir().unwrap();
    let model = ReadModel::open(data_dir.path(), Config { readers: 1, ..Config::default() }).unwrap();
    for batch in batches(commits, sizes) {
        model.apply(Arc::new(batch)).await.unwrap();
    }
    (data_dir, model)
}

fn reader_of(data_dir: &TempDir) -> rusqlite::Connection {
    let directory = Directory::open(data_dir.path()).unwrap();
    open_reader(&directory.path_of(&directory.current().unwrap().unwrap())).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What the tables say, in the words of the domain.
fn assert_tables_show(connection: &rusqlite::Connection, household: &Household) {
    for (id, book, version) in &household.books {
        let key = id.as_bytes();
        let found: u64 = connection
            .query_row("select version from books where book = ?1", [key], |row| row.get(0))
            .unwrap();
        assert_eq!(found, *version);

        let mut select = connection
            .prepare("select account, balance_minor, closed from accounts where book = ?1")
            .unwrap();
        let accounts: BTreeMap<AccountId, (i64, bool)> = select
            .query_map([key], |row| {
                Ok((AccountId::from_uuid(Uuid::from_bytes(row.get(0)?)), (row.get(1)?, row.get(2)?)))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let expected =
            book.accounts.iter().map(|(id, account)| (*id, (account.balance_minor, account.closed)));
        assert_eq!(accounts, expected.collect());

        let mut select = connection
            .prepare("select body, version, recorded_at, corrected_at, removed, amount_minor, words from entries where book = ?1")
            .unwrap();
        let mut rows = select.query([key]).unwrap();
        let mut count = 0;
        while let Some(row) = rows.next().unwrap() {
            count += 1;
            let body: String = row.get(0).unwrap();
            let entry: Entry = serde_json::from_str(&body).unwrap();
            let kept = &book.entries[&entry.id];
            assert_eq!(entry, kept.entry);
            assert_eq!(row.get::<_, u64>(1).unwrap(), kept.version);
            assert_eq!(row.get::<_, String>(2).unwrap(), instant(kept.recorded_at));
            assert_eq!(row.get::<_, Option<String>>(3).unwrap(), kept.corrected_at.map(instant));
            assert_eq!(row.get::<_, bool>(4).unwrap(), kept.removed);
            assert_eq!(row.get::<_, i64>(5).unwrap(), kept.entry.told().minor);
            let words: String = row.get(6).unwrap();
            assert_eq!(
                words.contains("köln"),
                entry.payee.as_ref().is_some_and(|payee| payee.as_str().is_some())
            );
        }
        assert_eq!(count, book.entries.len());

        let euro = Currency::parse("EUR").unwrap();
        let live = book.entries.values().filter(|kept| !kept.removed).map(|kept| &kept.entry);
        let expenses = live.filter(|entry| entry.kind == EntryKind::Expense && entry.told().currency == euro);
        let largest = expenses.map(|entry| (entry.told().minor, entry.occurred_on, entry.id)).max();
        for entries in [0, u64::MAX] {
            let found = largest_expense(connection, *id, euro, (day(0), day(9)), entries).unwrap();
            assert_eq!(found.map(|kept| kept.entry.id), largest.map(|(_, _, entry)| entry));
        }

        for import in book.imports.iter() {
            let found: (u64, u64, u64, bool, bool) = connection
                .query_row(
                    "select judged, (select count(*) from import_lines l where l.book = i.book and l.import = i.import),
                            taken + duplicates + refused, finished, reverted
                     from imports i where book = ?1 and import = ?2",
                    (key, import.0.as_bytes()),
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
                )
                .unwrap();
            let judged = import.1.judged;
            assert_eq!(found, (judged, judged, judged, import.1.finished, import.1.reverted));
        }
    }

    assert_eq!(sheets(connection, "category_months", "month", "category"), days_of(household, to_categories));
    assert_eq!(sheets(connection, "account_months", "month", "account"), days_of(household, to_accounts));
    assert_eq!(sheets(connection, "split_years", "year", "categories"), days_of(household, splits));
    let postings: (i64, i64) = connection
        .query_row(
            "select (select count(*) from entry_accounts), (select count(*) from entry_categories)",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let kept = || household.books.iter().flat_map(|(_, book, _)| book.entries.values());
    let to_accounts: usize = kept().map(|kept| kept.entry.accounts().count()).sum();
    let to_categories: usize = kept().map(|kept| kept.entry.categories().count()).sum();
    assert_eq!(
        postings,
        (to_accounts as i64, to_categories as i64),
        "no posting of a former version stays behind"
    );
}

/// Amount and entries by book, subject, currency and day.
type DaySums = BTreeMap<(BookId, Vec<u8>, String, NaiveDate), (i64, i64)>;

/// Every day of a table of sheets, unpacked by its description.
fn sheets(connection: &rusqlite::Connection, table: &str, span: &str, subject: &str) -> DaySums {
    let mut select =
        connection.prepare(&format!("select book, {subject}, currency, {span}, days from {table}")).unwrap();
    let mut rows = select.query(()).unwrap();
    let mut days = DaySums::new();
    while let Some(row) = rows.next().unwrap() {
        let book = BookId::from_uuid(Uuid::from_bytes(row.get(0).unwrap()));
        let (subject, currency): (Vec<u8>, String) = (row.get(1).unwrap(), row.get(2).unwrap());
        let (span, packed): (String, Vec<u8>) = (row.get(3).unwrap(), row.get(4).unwrap());
        assert!(!packed.is_empty(), "what is empty has no row");
        let mut rest = packed.as_slice();
        let mut number = 0;
        while !rest.is_empty() {
            number += integer(&mut rest) as u32;
            let [amount_minor, entries] = [(); 2].map(|()| {
                let value = integer(&mut rest);
                if value.is_multiple_of(2) { (value / 2) as i64 } else { -((value / 2) as i64) - 1 }
            });
            let day = NaiveDate::from_yo_opt(span[..4].parse().unwrap(), number).unwrap();
            assert!(day.to_string().starts_with(&span));
            days.insert((book, subject.clone(), currency.clone(), day), (amount_minor, entries));
        }
    }
    days
}

fn integer(rest: &mut &[u8]) -> u64 {
    let end = rest.iter().position(|byte| *byte < 0x80).unwrap();
    let (bytes, after) = rest.split_at(end + 1);
    *rest = after;
    bytes.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

/// What the entries that are not removed come to, by what `parts` says of each.
fn days_of(household: &Household, parts: impl Fn(&Entry) -> Vec<(Vec<u8>, String, i64)>) -> DaySums {
    let mut days = DaySums::new();
    for (book, state, _) in &household.books {
        for kept in state.entries.values().filter(|kept| !kept.removed) {
            let mut met = BTreeSet::new();
            for (subject, currency, minor) in parts(&kept.entry) {
                let key = (*book, subject, currency, kept.entry.occurred_on);
                let sum = days.entry(key.clone()).or_default();
                sum.0 += minor;
                sum.1 += i64::from(met.insert(key));
            }
        }
    }
    days
}

fn to_categories(entry: &Entry) -> Vec<(Vec<u8>, String, i64)> {
    let part = |(category, money): (CategoryId, Money)| {
        (category.as_bytes().to_vec(), money.currency.code().to_owned(), money.minor)
    };
    entry.categories().map(part).collect()
}

fn to_accounts(entry: &Entry) -> Vec<(Vec<u8>, String, i64)> {
    let part = |(account, money): (AccountId, Money)| {
        (account.as_bytes().to_vec(), money.currency.code().to_owned(), money.minor)
    };
    entry.accounts().map(part).collect()
}

fn splits(entry: &Entry) -> Vec<(Vec<u8>, String, i64)> {
    let mut parts: BTreeMap<String, BTreeSet<CategoryId>> = BTreeMap::new();
    for (category, money) in entry.categories() {
        parts.entry(money.currency.code().to_owned()).or_default().insert(category);
    }
    let split = parts.into_iter().filter(|(_, parts)| parts.len() > 1);
    let one = |(currency, parts): (String, BTreeSet<CategoryId>)| {
        (parts.iter().flat_map(|category| *category.as_bytes()).collect(), currency, 0)
    };
    split.map(one).collect()
}

/// Each commit's events come back from the history as they were, and each thing names the commits that touched it.
fn assert_history_shows(connection: &rusqlite::Connection, commits: &[Commit]) {
    for commit in commits {
        let (events, hash): (String, [u8; 32]) = connection
            .query_row(
                "select events, hash from commits where book = ?1 and version = ?2",
                (commit.book.as_bytes(), commit.version),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        assert_eq!(events, serde_json::to_string(&commit.events).unwrap());
        assert_eq!(hash, commit.hash);
        for thing in commit.events.iter().filter_map(Thing::of) {
            let thing = thing.uuid(commit.book);
            let named: bool = connection
                .query_row(
                    "select exists (select 1 from thing_versions where book = ?1 and thing = ?2 and version = ?3)",
                    (commit.book.as_bytes(), thing.as_bytes(), commit.version),
                    |row| row.get(0),
                )
                .unwrap();
            assert!(named);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_show_what_the_events_say_however_they_are_cut_into_batches(
        steps in steps(),
        sizes in prop::collection::vec(1..12usize, 1..5),
    ) {
        let household = Household::of(&steps);
        let (whole_dir, _whole) = wait(model_of(&household.commits, &[usize::MAX]));
        let (cut_dir, _cut) = wait(model_of(&household.commits, &sizes));
        let (whole, cut) = (reader_of(&whole_dir), reader_of(&cut_dir));
        assert_tables_show(&whole, &household);
        assert_history_shows(&whole, &household.commits);
        prop_assert_eq!(compare(&whole, &cut).unwrap().differences, vec![]);
    }
}

fn some_steps() -> Vec<Step> {
    let step = |index: usize| Step {
        book: index % 2,
        action: (index % 20) as u8,
        pick: [index, 1, index / 3, 0],
        minor: 500,
    };
    (0..80).map(step).collect()
}

#[test]
fn a_batch_applied_twice_or_by_two_projectors_counts_once() {
    let household = Household::of(&some_steps());
    let (data_dir, model) = wait(model_of(&household.commits, &[7]));
    for batch in batches(&household.commits, &[7]) {
        let refused = wait(model.apply(Arc::new(batch)));
        assert!(matches!(refused, Err(ApplyError::CheckpointMoved { partition: 0, .. })), "{refused:?}");
    }

    // Two processes on one file, each from the start, in turns.
    let two_dir = tempfile::tempdir().unwrap();
    let one = ReadModel::open(two_dir.path(), Config { readers: 1, ..Config::default() }).unwrap();
    let other = ReadModel::open(two_dir.path(), Config { readers: 1, ..Config::default() }).unwrap();
    for (a, b) in batches(&household.commits, &[7]).into_iter().zip(batches(&household.commits, &[7])) {
        wait(one.apply(Arc::new(a))).unwrap();
        assert!(wait(other.apply(Arc::new(b))).is_err());
    }
    let comparison = compare(&reader_of(&data_dir), &reader_of(&two_dir)).unwrap();
    assert_eq!(comparison.differences, vec![]);
    assert_eq!(comparison.tables, 16);
    assert_tables_show(&reader_of(&two_dir), &household);
}

#[test]
fn a_comparison_names_the_first_row_that_differs_in_each_table() {
    let household = Household::of(&some_steps());
    let (dir_a, _a) = wait(model_of(&household.commits, &[7]));
    let (dir_b, _b) = wait(model_of(&household.commits, &[7]));
    let directory = Directory::open(dir_b.path()).unwrap();
    let tampered = rusqlite::Connection::open(directory.path_of("model-1")).unwrap();
    tampered
        .execute_batch(
            "update books set name = 'Hame' where book = (select max(book) from books);
             delete from commits where version = 2;
             insert into members values (x'00', x'00', 'owner');",
        )
        .unwrap();
    let found = compare(&reader_of(&dir_a), &reader_of(&dir_b)).unwrap().differences;
    let told: Vec<String> =
        found.iter().map(|found| format!("{}: {}: {}", found.table, found.key, found.what)).collect();
    assert_eq!(
        told,
        [
            "books: book 00000000000000000000000000000002: name differs",
            "commits: book 00000000000000000000000000000001, version 2: only the first has the row",
            "members: book 00, user 00: only the second has the row",
        ]
    );
}

#[test]
fn a_day_that_holds_more_than_64_bits_wraps_around_and_comes_back() {
    let mut household = Household::of(&[]);
    let book = &household.books[0].1;
    let (account, category) =
        (*book.accounts.keys().next().unwrap(), *book.categories.keys().next().unwrap());
    let euro = Currency::parse("EUR").unwrap();
    let largest = domain::money::AMOUNT_MINOR_MAX;
    let draft = |kind, minor, sorting| EntryDraft {
        sorting,
        ..EntryDraft::told(kind, day(0), account, Amount::from_minor(minor, euro))
    };
    let count = (i64::MAX / largest) as usize + 2;
    for _ in 0..count {
        for (kind, sorting) in
            [(EntryKind::OpeningBalance, Sorting::Unsorted), (EntryKind::Expense, Sorting::Whole(category))]
        {
            let entry = EntryId::from_uuid(household.next_id());
            household.perform(0, Command::AddEntry { entry, draft: draft(kind, largest, sorting) });
        }
    }
    let of_kind = |household: &Household, kind| -> Vec<EntryId> {
        let kept = household.books[0].1.entries.values().filter(|kept| kept.entry.kind == kind);
        kept.map(|kept| kept.entry.id).take(count - 1).collect()
    };
    let (spent, opened) =
        (of_kind(&household, EntryKind::Expense), of_kind(&household, EntryKind::OpeningBalance));
    for entry in opened.into_iter().zip(spent).flat_map(|(opened, spent)| [opened, spent]) {
        household.perform(0, Command::RemoveEntry { entry });
    }
    let (data_dir, _model) = wait(model_of(&household.commits, &[1_000]));
    let days = sheets(&reader_of(&data_dir), "category_months", "month", "category");
    let left: Vec<(i64, i64)> = days.into_values().collect();
    assert_eq!(left, [(largest, 1)]);
}
