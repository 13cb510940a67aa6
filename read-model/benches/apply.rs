//! How fast commits become rows of a new file: `cargo bench -p daybook-read-model`. Arguments: books, entries of
//! each, commits of a batch.

use std::time::{Duration, Instant};

use chrono::{DateTime, Days, NaiveDate, Utc};
use daybook_read_model::{Batch, Builder, Commit, Directory, Projection};
use domain::{
    Command, Recorded,
    command::{EntryDraft, Sorting},
    entry::EntryKind,
    event::{Settings, Weekday},
    id::{AccountId, BookId, CategoryId, EntryId, UserId},
    money::{Amount, Currency},
    starter::starter_set,
    text::Text,
};
use uuid::Uuid;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<usize>().ok());
    let books = numbers.next().unwrap_or(1_000);
    let entries_of_each = numbers.next().unwrap_or(300);
    let batch_size = numbers.next().unwrap_or(5_000);
    let commits = commits(books, entries_of_each);
    let (count, events) = (commits.len(), commits.iter().map(|commit| commit.events.len()).sum::<usize>());
    println!("{books} books, {count} commits, {events} events, {batch_size} commits a batch");

    let data_dir = tempfile::tempdir().expect("a temporary folder can be made");
    let directory = Directory::open(data_dir.path()).expect("the folder can be made");
    let mut builder = Builder::create(directory, "new".to_owned()).expect("a file can be made");
    let (mut projecting, mut writing) = (Duration::ZERO, Duration::ZERO);
    let mut after = 0;
    let mut rest = commits.into_iter().peekable();
    while rest.peek().is_some() {
        let start = Instant::now();
        let mut projection = Projection::default();
        let mut through = after;
        for commit in rest.by_ref().take(batch_size) {
            through = commit.position;
            projection.take(commit);
        }
        let rows = projection.into_rows();
        projecting += start.elapsed();
        let start = Instant::now();
        builder
            .apply(&Batch { partition: 0, after, through, fence: String::new(), rows })
            .expect("rows are new");
        writing += start.elapsed();
        after = through;
    }
    let start = Instant::now();
    builder.finish().expect("the file can be finished");
    let finishing = start.elapsed();

    for (what, time) in [("projection", projecting), ("writing", writing), ("indexes and sync", finishing)] {
        let rate = events as f64 / time.as_secs_f64();
        println!("{what:<18} {:>8.0} ms {rate:>10.0} events/s", time.as_secs_f64() * 1000.0);
    }
}

/// An expense at a time, now in this book and now in that.
fn commits(books: usize, entries_of_each: usize) -> Vec<Commit> {
    let euro = Currency::parse("EUR").expect("the euro is a currency");
    let opened_on = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
    let recorded_at = DateTime::<Utc>::UNIX_EPOCH;
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % limit as u64) as usize
    };
    // As UUIDv7 ids do, these grow with time.
    let mut last: u128 = 0;
    let mut next_id = |noise: usize| {
        last += 1 << 64;
        Uuid::from_u128(last | noise as u128)
    };

    let actor = UserId::from_uuid(next_id(0));
    let mut all = Vec::new();
    let mut states = Vec::new();
    let mut push = |book: BookId, state: &mut domain::Book, version: u64, command: Command| {
        let events = domain::decide(state, actor, &command).expect("the command is sound");
        for event in &events {
            state.evolve(event, Recorded { version, at: recorded_at });
        }
        let position = all.len() as u64 + 1;
        let (hash, command) = ([7; 32], command.name().to_owned());
        all.push(Commit { partition: 0, position, book, version, hash, recorded_at, actor, command, events });
    };
    for _ in 0..books {
        let book = BookId::from_uuid(next_id(below(1 << 30)));
        let mut state = domain::Book::default();
        let (accounts, categories) = starter_set(opened_on, &mut || next_id(0));
        let settings = Settings {
            name: Text::known("Home"),
            currency: euro,
            time_zone: "Europe/Berlin".to_owned(),
            week_starts_on: Weekday::Monday,
            month_starts_on: 1,
        };
        push(book, &mut state, 1, Command::CreateBook { settings, accounts, categories });
        let accounts: Vec<AccountId> = state.accounts.keys().copied().collect();
        let expenses = state.categories.iter().filter(|(_, category)| category.kind.as_str() == "expense");
        let categories: Vec<CategoryId> = expenses.map(|(id, _)| *id).collect();
        states.push((book, state, accounts, categories));
    }
    for round in 0..entries_of_each {
        for (book, state, accounts, categories) in &mut states {
            let occurred_on = opened_on + Days::new((round + below(10)) as u64);
            let account = accounts[below(accounts.len())];
            let amount = Amount::from_minor(1 + below(10_000) as i64, euro);
            let draft = EntryDraft {
                sorting: Sorting::Whole(categories[below(categories.len())]),
                payee: Some(Text::known("Rewe Markt Friedrichstrasse")),
                ..EntryDraft::told(EntryKind::Expense, occurred_on, account, amount)
            };
            let entry = EntryId::from_uuid(next_id(below(1 << 30)));
            push(*book, state, round as u64 + 2, Command::AddEntry { entry, draft });
        }
    }
    all
}
