//! What holds whatever is commanded, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Book, Command, Event,
    command::{EntryDraft, EntryPatch},
    entry::Entry,
    id::EntryId,
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{
    names::id,
    random::{MARKER, entry_patch, furnished, short_life, steps},
    world::{World, through_json},
};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The patch that says every field of an entry.
fn all_of(entry: &Entry) -> EntryPatch {
    let draft = EntryDraft::of(entry);
    EntryPatch {
        kind: Some(draft.kind),
        occurred_on: Some(draft.occurred_on),
        account: draft.account,
        amount: draft.amount,
        currency: None,
        sorting: Some(draft.sorting),
        to_account: Some(draft.to_account),
        to_amount: Some(draft.to_amount),
        postings: draft.postings,
        payee: Some(draft.payee),
        note: Some(draft.note),
        tags: Some(draft.tags),
        refund_of: Some(draft.refund_of),
        foreign: Some(draft.foreign),
    }
}

fn live_entries(book: &Book) -> Vec<EntryId> {
    let mut live: Vec<EntryId> =
        book.entries.values().filter(|kept| !kept.removed).map(|kept| kept.entry.id).collect();
    live.sort();
    live
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn no_command_breaks_a_book(mut world in furnished(), steps in steps()) {
        for (actor, command) in &steps {
            let _ = world.execute(*actor, command);
            world.check();
        }
    }

    #[test]
    fn no_command_breaks_a_book_from_its_making_on(steps in steps()) {
        let mut world = World::default();
        for (actor, command) in &steps {
            let _ = world.execute(*actor, command);
            world.check();
        }
    }

    #[test]
    fn deciding_twice_comes_to_the_same(mut world in furnished(), steps in steps()) {
        for (actor, command) in &steps {
            let command = &world.located(command);
            let first = domain::decide(&world.book, *actor, command);
            prop_assert_eq!(&first, &domain::decide(&world.replayed(), *actor, command));
            let _ = world.execute(*actor, command);
        }
    }

    #[test]
    fn removing_and_restoring_an_entry_changes_no_balance(mut world in furnished(), steps in steps()) {
        for (actor, command) in &steps {
            let _ = world.execute(*actor, command);
        }
        for entry in live_entries(&world.book) {
            let before = world.clone();
            if world.execute(id("owner"), &Command::RemoveEntry { entry }).is_err() {
                continue;
            }
            let restored = world.execute(id("owner"), &Command::RestoreEntry { entry });
            prop_assert_eq!(restored, Ok(vec![Event::EntryRestored { entry }]));
            prop_assert_eq!(world.balances(), before.balances());
            prop_assert_eq!(&world.book.entries[&entry].entry, &before.book.entries[&entry].entry);
        }
    }

    #[test]
    fn correcting_back_brings_back_the_entry_and_the_balances(
        mut world in furnished(),
        steps in steps(),
        patch in entry_patch(),
    ) {
        for (actor, command) in &steps {
            let _ = world.execute(*actor, command);
        }
        // What was hoarded is more than a correction may say.
        for entry in live_entries(&world.book).into_iter().filter(|entry| *entry != id("hoard")) {
            let before = world.clone();
            let kept = &before.book.entries[&entry].entry;
            let there = Command::CorrectEntry { entry, patch: patch.clone() };
            if world.execute(id("owner"), &there).is_err() {
                continue;
            }
            let back = Command::CorrectEntry { entry, patch: all_of(kept) };
            let answer = world.execute(id("owner"), &back);
            if let Err(rejection) = answer {
                // What the entry had left for good may have been closed to newcomers meanwhile.
                let is_shut = ["account_closed", "category_archived", "unknown_refund_of"].contains(&rejection.code());
                prop_assert!(is_shut, "{rejection}");
                world = before;
                continue;
            }
            prop_assert_eq!(world.balances(), before.balances());
            prop_assert_eq!(&world.book.entries[&entry].entry, kept);
            world.check();
        }
    }

    /// The journal takes the texts out of an event in this order, seals them and puts them back.
    #[test]
    fn every_text_of_an_event_can_be_taken_out_and_put_back(mut world in furnished(), steps in steps()) {
        for (actor, command) in &steps {
            let _ = world.execute(*actor, command);
        }
        for event in world.commits.concat() {
            let mut texts = Vec::new();
            let mut sealed = event.clone();
            sealed.for_each_text(&mut |text| texts.push(std::mem::replace(text, domain::text::Text::known("sealed"))));
            let json = serde_json::to_string(&sealed).unwrap();
            prop_assert!(!json.contains(MARKER), "{json}");

            let mut opened: Event = through_json(&sealed);
            let mut texts = texts.into_iter();
            opened.for_each_text(&mut |text| *text = texts.next().expect("as many texts as before"));
            prop_assert_eq!(&opened, &event);
            prop_assert!(texts.next().is_none());
        }
    }

    #[test]
    fn a_file_sent_again_adds_nothing_and_after_its_revert_the_same(
        payees in prop::collection::vec(0..3u8, 1..20),
        by_hand in prop::collection::vec(0..3u8, 0..6),
        cut in 0..20usize,
    ) {
        let (first, second) = payees.split_at(cut.min(payees.len()));
        let lines = |payees: &[u8]| -> String { payees.iter().map(|payee| format!(" cash/-1:p{payee}")).collect() };
        let mut count: BTreeMap<u8, usize> = BTreeMap::new();
        payees.iter().for_each(|payee| *count.entry(*payee).or_default() += 1);
        let mut count_by_hand: BTreeMap<u8, usize> = BTreeMap::new();
        by_hand.iter().for_each(|payee| *count_by_hand.entry(*payee).or_default() += 1);
        // n equal lines against m in the book: the larger of both is there in the end.
        let expected: usize = (0..3u8)
            .map(|payee| count.get(&payee).copied().unwrap_or(0).max(count_by_hand.get(&payee).copied().unwrap_or(0)))
            .sum();

        let mut world = World::default();
        let mut run = |step: String| crate::script::run_step(&mut world, &step);
        run("book EUR".to_owned());
        run("account cash".to_owned());
        run("category food".to_owned());
        for (number, payee) in by_hand.iter().enumerate() {
            run(format!("expense h{number} cash 1 for=food payee=p{payee}"));
        }
        run(format!("import f1 start more{}", lines(first)));
        run(format!("import f1{}", lines(second)));
        prop_assert_eq!(run("count".to_owned()), expected.to_string());
        run(format!("import f2 start{}", lines(&payees)));
        prop_assert_eq!(run("count".to_owned()), expected.to_string());
        run("revert f1".to_owned());
        prop_assert_eq!(run("count".to_owned()), by_hand.len().to_string());
        run(format!("import f3 start more{}", lines(first)));
        run(format!("import f3{}", lines(second)));
        prop_assert_eq!(run("count".to_owned()), expected.to_string());
    }
}

#[test]
fn the_random_commands_reach_every_event_of_a_book_that_is_there() {
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    let lives = [steps().boxed(), short_life().boxed()];
    for life in lives.iter().cycle().take(1_500) {
        let mut world = furnished().new_tree(&mut runner).expect("a book").current();
        for (actor, command) in life.new_tree(&mut runner).expect("steps").current() {
            let events = world.execute(actor, &command).unwrap_or_default();
            reached.extend(events.iter().map(Event::type_name));
        }
    }
    // A book is furnished by then: its making is no answer to a command.
    let expected = BTreeSet::from([
        "book_changed.v1",
        "invitation_made.v1",
        "invitation_withdrawn.v1",
        "invitation_accepted.v1",
        "member_added.v1",
        "member_role_changed.v1",
        "member_removed.v1",
        "account_opened.v1",
        "account_changed.v1",
        "account_closed.v1",
        "account_reopened.v1",
        "account_withdrawn.v1",
        "account_reinstated.v1",
        "category_added.v1",
        "category_changed.v1",
        "category_archived.v1",
        "category_restored.v1",
        "category_merged.v1",
        "category_unmerged.v1",
        "category_withdrawn.v1",
        "category_reinstated.v1",
        "entry_added.v1",
        "entry_corrected.v1",
        "entry_recategorised.v1",
        "entry_removed.v1",
        "entry_restored.v1",
        "bulk_refused.v1",
        "import_started.v1",
        "import_lines_judged.v1",
        "import_finished.v1",
        "import_reverted.v1",
        "import_reinstated.v1",
        "commit_undone.v1",
    ]);
    assert_eq!(reached, expected);
}
