//! Statements of many equal lines: each costs what a line costs, however many are like it.

use std::time::{Duration, Instant};

use domain::{
    Command, Event,
    command::{EntryDraft, ImportLine, ImportStart, Reading, Sorting},
    decide,
    entry::{EntryKind, statement_mark},
    event::Verdict,
    id::EntryId,
};
use uuid::Uuid;

use crate::{
    names::{amount, id, text, today},
    script::run_step,
    world::World,
};

fn furnished() -> World {
    let mut world = World::default();
    for step in ["book EUR", "account cash", "category food"] {
        assert_eq!(run_step(&mut world, step), "ok");
    }
    world
}

/// One command with this many lines, whose marks repeat after so many.
fn statement(file: &str, first_id: u128, count: usize, marks: usize) -> Command {
    let draft = EntryDraft {
        sorting: Sorting::Whole(id("food")),
        payee: Some(text("Ticket")),
        ..EntryDraft::told(EntryKind::Expense, today(), id("cash"), amount("2.80"))
    };
    let line = |number: usize| ImportLine {
        line: number as u64 + 1,
        reading: Reading::Entry {
            entry: EntryId::from_uuid(Uuid::from_u128(first_id + number as u128)),
            draft: Box::new(draft.clone()),
            mark: statement_mark(id("cash"), today(), -280, &format!("Ticket {}", number % marks)),
        },
    };
    Command::ImportLines {
        import: id(file),
        start: Some(ImportStart { file_name: text("tickets.csv"), lines: count as u64 }),
        lines: (0..count).map(line).collect(),
        finish: true,
        all_or_nothing: false,
    }
}

/// Imports a statement, then the same again; how long it took to decide that all of it is there already.
#[allow(clippy::disallowed_methods, reason = "how long it takes is the question here")]
fn time_of_duplicates(count: usize, marks: usize) -> Duration {
    let mut world = furnished();
    world.execute(id("olga"), &statement("f1", 1_000_000, count, marks)).unwrap();
    let again = statement("f2", 2_000_000, count, marks);

    let began = Instant::now();
    let events = decide(&world.book, id("olga"), &again).unwrap();
    let took = began.elapsed();

    let Some(Event::ImportLinesJudged { lines, .. }) = events.get(1) else { panic!("{events:?}") };
    let duplicates = lines.iter().filter(|line| matches!(line.verdict, Verdict::DuplicateOf { .. }));
    assert_eq!(duplicates.count(), count);
    took
}

#[test]
fn equal_lines_cost_what_different_ones_do() {
    // The shortest of a few runs is the one that nothing disturbed. Were each line to walk over its twins, the
    // equal ones would take some hundred times as long as the different ones.
    let shortest = |marks| (0..3).map(|_| time_of_duplicates(20_000, marks)).min().expect("three runs");
    let (different, equal) = (shortest(20_000), shortest(1));
    assert!(equal < different * 8, "different lines took {different:?}, equal ones {equal:?}");
}
