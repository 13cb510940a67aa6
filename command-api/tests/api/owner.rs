//! The owner of a partition against a journal that goes wrong: what it acknowledges is there once, what it refuses is
//! not, and it finds its own way back.

use std::{fs, sync::Arc};

use daybook_command_api::{Order, Outcome, Owners, Print, Refusal};
use domain::{
    Command, Rejection,
    command::{NewCategory, SettingsPatch},
    entry::CategoryKind,
    id::{BookId, CategoryId},
    text::Text,
};
use serde_json::json;
use tokio::sync::oneshot::{Receiver, error::TryRecvError};
use uuid::Uuid;

use crate::{
    faulty_journal::{Fault, FaultyJournal},
    world::{Home, Place, Reply, World, ann, aside, copy_files, user, versions},
};

/// A world with a journal that can be told to go wrong, and a home in it.
async fn faulty(set: impl FnOnce(&mut daybook_command_api::Config)) -> (World, Arc<FaultyJournal>, Home) {
    let place = Place::new();
    let journal = FaultyJournal::around(place.journal());
    let world = World::on(place, Arc::clone(&journal) as _, set);
    let home = world.home().await;
    (world, journal, home)
}

async fn add(world: &World, home: &Home, key: &str) -> Reply {
    world.call(&format!("POST {}", home.entries())).json(&home.expense("1.00")).key(key).send().await
}

fn entries(world: &World, home: &Home) -> usize {
    let commits = world.commits();
    commits.iter().filter(|commit| commit.book == home.id() && commit.command == "add_entry").count()
}

fn rename(book: BookId, name: &str, key: u8) -> Order {
    order(
        book,
        Command::ChangeBook(SettingsPatch { name: Some(Text::known(name)), ..Default::default() }),
        key,
    )
}

fn add_category(book: BookId, name: &str, key: u8) -> Order {
    let category = NewCategory {
        category: CategoryId::from_uuid(Uuid::from_u128(u128::from(key) << 64)),
        name: Text::known(name),
        kind: CategoryKind::Expense,
        parent: None,
        icon: None,
        colour: None,
    };
    order(book, Command::AddCategory(category), key)
}

fn order(book: BookId, command: Command, key: u8) -> Order {
    Order {
        book,
        actor: ann(),
        key: Print([key; 16]),
        fingerprint: Print([key; 16]),
        if_match: None,
        command,
        correlation_id: None,
        causation_id: None,
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

fn is_waiting(answer: &mut Receiver<Outcome>) -> bool {
    matches!(answer.try_recv(), Err(TryRecvError::Empty))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_one_book_leave_no_gap_and_a_right_balance() {
    let world = Arc::new(World::new());
    let home = Arc::new(world.home().await);
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let (world, home) = (Arc::clone(&world), Arc::clone(&home));
            tokio::spawn(async move {
                let mut versions = Vec::new();
                for _ in 0..15 {
                    let amount = format!("0.{:02}", writer + 1);
                    versions.push(world.post(&home.entries(), home.expense(&amount)).await.version());
                }
                versions
            })
        })
        .collect();
    let mut seen = Vec::new();
    for writer in writers {
        let versions = writer.await.unwrap();
        assert!(versions.is_sorted());
        seen.extend(versions);
    }
    seen.sort_unstable();
    assert_eq!(seen, (6..6 + 64 * 15).collect::<Vec<u64>>());
    let spent: i64 = (1..=64).sum::<i64>() * 15;
    assert_eq!(
        world.balance(&home.book, &home.bank).await,
        format!("{}.{:02}", (100_000 - spent) / 100, (100_000 - spent) % 100)
    );
    let verified = world.verify();
    assert_eq!((verified.commits, verified.ignored), (965, 0));
    assert_eq!(versions(&world.commits())[&home.id()], (1..966).collect::<Vec<u64>>());
}

#[tokio::test]
async fn nobody_is_told_anything_before_what_it_rests_on_is_durable() {
    let (world, journal, home) = faulty(|_| {}).await;
    let submit = |order| world.owners.submit(order).unwrap();
    journal.plan([Fault::Hold]);
    let mut first = submit(add_category(home.id(), "Bread", 1));
    until(|| journal.held() == 1).await;
    let before = world.clock_reads();
    let mut refused = submit(add_category(home.id(), "bread", 2));
    let mut repeated = submit(add_category(home.id(), "Bread", 1));
    let mut conflict = submit(Order { if_match: Some(5), ..rename(home.id(), "x", 3) });
    // The clock is read once for each decision that no kept answer spares.
    until(|| world.clock_reads() == before + 2).await;
    for answer in [&mut first, &mut refused, &mut repeated, &mut conflict] {
        assert!(is_waiting(answer));
    }
    journal.release();
    assert_eq!(first.await.unwrap().unwrap().version, 6);
    assert_eq!(refused.await.unwrap(), Err(Refusal::Rejected(Rejection::NameTaken { of: "category" })));
    assert!(repeated.await.unwrap().unwrap().replayed);
    assert_eq!(conflict.await.unwrap(), Err(Refusal::VersionConflict { current: 6 }));
}

#[tokio::test]
async fn a_rejection_that_rested_on_a_commit_that_failed_is_reconsidered() {
    for fault in [Fault::Refuse, Fault::LoseAll, Fault::ForeignClaim] {
        let (world, journal, home) = faulty(|config| config.in_flight_max = 1).await;
        let submit = |order| world.owners.submit(order).unwrap();
        // The first is held, so that the others are decided together, in one batch, on top of each other.
        journal.plan([Fault::Hold]);
        let first = submit(rename(home.id(), "A", 1));
        until(|| journal.held() == 1).await;
        let bread = submit(add_category(home.id(), "Bread", 2));
        let taken = submit(add_category(home.id(), "Bread", 3));
        let again = submit(add_category(home.id(), "Bread", 2));
        journal.plan([fault]);
        journal.release();
        assert_eq!(first.await.unwrap().unwrap().version, 6);
        assert_eq!(bread.await.unwrap(), Err(Refusal::NotApplied), "{fault:?}");
        assert_eq!(taken.await.unwrap().map(|answer| answer.version), Ok(7), "{fault:?}");
        let again = again.await.unwrap();
        assert_eq!(again, Err(Refusal::Rejected(Rejection::NameTaken { of: "category" })), "{fault:?}");
        world.verify();
    }
}

#[tokio::test]
async fn a_refused_append_is_not_applied_and_the_next_one_is() {
    let (world, journal, home) = faulty(|_| {}).await;
    journal.plan([Fault::Refuse]);
    let refused = add(&world, &home, "one").await;
    assert_eq!(
        (refused.refusal().as_str(), refused.outcome().as_deref()),
        ("503 unavailable", Some("not_applied"))
    );
    assert!(refused.header("retry-after").is_some());
    assert_eq!(entries(&world, &home), 0);
    let again = add(&world, &home, "one").await;
    assert_eq!((again.version(), again.is_replayed()), (6, false));
    assert_eq!(entries(&world, &home), 1);
    world.verify();
}

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let (world, journal, home) = faulty(|_| {}).await;
    journal.plan([Fault::LoseAnswer]);
    let reply = add(&world, &home, "one").await;
    assert_eq!((reply.version(), reply.is_replayed()), (6, false));
    assert_eq!(add(&world, &home, "one").await.essence(), reply.essence());
    assert_eq!(entries(&world, &home), 1);
    world.verify();
}

#[tokio::test]
async fn a_lost_append_is_known_not_to_be_applied() {
    let (world, journal, home) = faulty(|_| {}).await;
    journal.plan([Fault::LoseAll]);
    let reply = add(&world, &home, "one").await;
    assert_eq!(
        (reply.refusal().as_str(), reply.outcome().as_deref()),
        ("503 unavailable", Some("not_applied"))
    );
    assert_eq!(add(&world, &home, "one").await.version(), 6);
    assert_eq!(entries(&world, &home), 1);
}

#[tokio::test]
async fn what_is_written_after_somebody_elses_claim_does_not_count() {
    let (world, journal, home) = faulty(|_| {}).await;
    journal.plan([Fault::ForeignClaim]);
    let reply = add(&world, &home, "one").await;
    assert_eq!(
        (reply.refusal().as_str(), reply.outcome().as_deref()),
        ("503 unavailable", Some("not_applied"))
    );
    assert_eq!(entries(&world, &home), 0);
    assert_eq!(add(&world, &home, "one").await.version(), 6);
    assert_eq!((entries(&world, &home), world.verify().ignored), (1, 1));
}

#[tokio::test]
async fn what_cannot_be_read_back_is_unknown_until_it_can() {
    for (fault, is_applied) in [(Fault::LoseAnswer, true), (Fault::LoseAll, false)] {
        let (world, journal, home) = faulty(|_| {}).await;
        journal.plan([fault]);
        journal.refuse_claims(2);
        let reply = add(&world, &home, "one").await;
        assert_eq!(
            (reply.refusal().as_str(), reply.outcome().as_deref()),
            ("503 unavailable", Some("unknown"))
        );
        // Whoever repeats it is not told that nothing was applied, as long as that is not known; others are.
        let repeated = add(&world, &home, "one").await;
        assert_eq!((repeated.status, repeated.outcome().as_deref()), (503, Some("unknown")));
        let other = add(&world, &home, "two").await;
        assert_eq!((other.status, other.outcome().as_deref()), (503, Some("not_applied")));

        let settled = loop {
            let reply = add(&world, &home, "one").await;
            if reply.status != 503 {
                break reply;
            }
            assert_eq!(reply.outcome().as_deref(), Some("unknown"));
            tokio::task::yield_now().await;
        };
        assert_eq!((settled.version(), settled.is_replayed()), (6, is_applied), "{fault:?}");
        assert_eq!(add(&world, &home, "two").await.version(), 7);
        assert_eq!(entries(&world, &home), 2);
        world.verify();
    }
}

#[tokio::test]
async fn a_repetition_of_a_write_in_doubt_is_settled_with_it() {
    let (world, journal, home) = faulty(|_| {}).await;
    journal.plan([Fault::LoseAnswer]);
    let replies = futures::future::join_all((0..20).map(|_| add(&world, &home, "one"))).await;
    assert!(replies.iter().all(|reply| reply.status == 201 && reply.essence() == replies[0].essence()));
    assert_eq!(replies.iter().filter(|reply| !reply.is_replayed()).count(), 1);
    assert_eq!(entries(&world, &home), 1);
}

#[tokio::test]
async fn an_overloaded_partition_sheds() {
    let (world, journal, home) = faulty(|config| (config.queue_max, config.in_flight_max) = (3, 1)).await;
    let submit = |order| world.owners.submit(order).unwrap();
    journal.plan([Fault::Hold]);
    let first = submit(rename(home.id(), "A", 1));
    until(|| journal.held() == 1).await;
    let waiting: Vec<_> = (2..5).map(|key| submit(rename(home.id(), "B", key))).collect();
    let shed = add(&world, &home, "shed").await;
    assert_eq!((shed.refusal().as_str(), shed.outcome().as_deref()), ("503 overloaded", Some("not_applied")));
    assert_eq!(shed.header("retry-after"), Some("1"));
    journal.release();
    assert_eq!(first.await.unwrap().unwrap().version, 6);
    for (waiting, version) in waiting.into_iter().zip(7..) {
        assert_eq!(waiting.await.unwrap().unwrap().version, version);
    }
    assert_eq!(add(&world, &home, "shed").await.version(), 10);
}

#[tokio::test]
async fn orders_in_line_keep_their_order() {
    let (world, journal, home) = faulty(|config| config.in_flight_max = 1).await;
    let submit = |order| world.owners.submit(order).unwrap();
    journal.plan([Fault::Hold]);
    let first = submit(rename(home.id(), "A", 0));
    until(|| journal.held() == 1).await;
    // More than one batch of refusals, which are answered without the journal, then one that goes through.
    let refused: Vec<_> = (0..600).map(|_| submit(add_category(home.id(), "Groceries", 200))).collect();
    let last = submit(rename(home.id(), "B", 1));
    journal.release();
    assert_eq!(first.await.unwrap().unwrap().version, 6);
    for refused in refused {
        assert_eq!(refused.await.unwrap(), Err(Refusal::Rejected(Rejection::NameTaken { of: "category" })));
    }
    assert_eq!(last.await.unwrap().unwrap().version, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_answers_what_is_in_line_and_refuses_what_comes_later() {
    let (world, journal, home) = faulty(|config| config.in_flight_max = 1).await;
    journal.plan([Fault::Hold]);
    let waiting: Vec<_> =
        (0..10).map(|key| world.owners.submit(rename(home.id(), "A", key)).unwrap()).collect();
    until(|| journal.held() == 1).await;
    let owners = Arc::clone(&world.owners);
    let stopping = std::thread::spawn(move || owners.stop());
    // It is being stopped once it refuses.
    let refused = loop {
        let submitted = world.owners.submit(rename(home.id(), "B", 100));
        let Ok(mut answer) = submitted else { panic!("the owner does not listen") };
        // Messages are taken in order.
        world.owners.chart(home.id(), ann()).await.unwrap();
        match answer.try_recv() {
            Ok(outcome) => break outcome,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(refused, Err(Refusal::NotApplied));
    journal.release();
    stopping.join().unwrap();
    for (waiting, version) in waiting.into_iter().zip(6..) {
        assert_eq!(waiting.await.unwrap().unwrap().version, version);
    }
    assert_eq!(world.owners.execute(rename(home.id(), "C", 101)).await, Err(Refusal::NotApplied));
    assert_eq!(world.owners.chart(home.id(), ann()).await.unwrap_err(), Refusal::NotApplied);
    world.verify();
}

#[tokio::test]
async fn a_client_that_hangs_up_in_line_leaves_nothing_behind() {
    let (world, journal, home) = faulty(|config| config.in_flight_max = 1).await;
    journal.plan([Fault::Hold]);
    let first = world.owners.submit(rename(home.id(), "A", 1)).unwrap();
    until(|| journal.held() == 1).await;
    drop(world.owners.submit(rename(home.id(), "gone", 2)).unwrap());
    journal.release();
    first.await.unwrap().unwrap();
    let next = world.owners.execute(rename(home.id(), "B", 3)).await.unwrap();
    assert_eq!(next.version, 7);
}

#[tokio::test]
async fn a_decision_state_ahead_of_its_journal_is_made_anew() {
    let world = World::new();
    let home = world.home().await;
    let backup = tempfile::tempdir().unwrap();
    let world = world.restarted(|place| {
        for file in ["journal.sqlite", "journal.sqlite-wal"] {
            let _ = fs::copy(place.path().join(file), backup.path().join(file));
        }
    });
    for key in ["one", "two", "three"] {
        add(&world, &home, key).await;
    }
    let world = world.restarted(|place| restore(backup.path(), place));
    assert_eq!(world.balance(&home.book, &home.bank).await, "1000.00");
    let again = add(&world, &home, "three").await;
    assert_eq!((again.version(), again.is_replayed()), (6, false));
    world.verify();
}

#[tokio::test]
async fn a_decision_state_of_another_past_of_its_journal_is_made_anew() {
    let world = World::new();
    let home = world.home().await;
    let (backup, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let world = world.restarted(|place| {
        for file in ["journal.sqlite", "journal.sqlite-wal"] {
            let _ = fs::copy(place.path().join(file), backup.path().join(file));
        }
    });
    add(&world, &home, "lost").await;
    // The journal is put back, grows longer than it was, and meets the state of its lost past.
    let world = world.restarted(|place| {
        copy_files(&place.decisions(), state.path());
        restore(backup.path(), place);
        fs::remove_dir_all(place.decisions()).unwrap();
    });
    for key in ["one", "two", "three", "four"] {
        add(&world, &home, key).await;
    }
    let world = world.restarted(|place| {
        fs::remove_dir_all(place.decisions()).unwrap();
        copy_files(state.path(), &place.decisions());
    });
    assert_eq!(world.balance(&home.book, &home.bank).await, "996.00");
    assert!(add(&world, &home, "four").await.is_replayed());
    assert_eq!(add(&world, &home, "lost").await.version(), 10);
    world.verify();
}

fn restore(backup: &std::path::Path, place: &Place) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(place.path().join(format!("journal.sqlite{suffix}")));
    }
    copy_files(backup, place.path());
}

#[tokio::test]
async fn books_that_were_let_go_of_come_back_whole() {
    for (hot_books_max, save_every_commits) in [(1, 1), (0, 5_000), (2, 3)] {
        let world = World::with(|config| {
            (config.hot_books_max, config.save_every_commits) = (hot_books_max, save_every_commits);
        });
        let mut homes = Vec::new();
        for _ in 0..8 {
            homes.push(world.home().await);
        }
        for round in 1..=5u64 {
            for (number, home) in homes.iter().enumerate() {
                let reply = add(&world, home, &format!("{number}-{round}")).await;
                assert_eq!(reply.version(), 5 + round);
                // Strangers' questions bring no book into memory for good.
                let question = world.call(&format!("PATCH {}", home.at)).json(&json!({"name": "x"}));
                assert_eq!(question.by(user(9)).send().await.status, 404);
            }
        }
        for (number, home) in homes.iter().enumerate() {
            assert_eq!(world.balance(&home.book, &home.bank).await, "995.00");
            assert!(add(&world, home, &format!("{number}-1")).await.is_replayed());
        }
        world.verify();
    }
}

#[tokio::test]
async fn a_partition_that_cannot_be_taken_stops_the_start() {
    let place = Place::new();
    let journal = FaultyJournal::around(place.journal());
    journal.refuse_claims(1);
    let config = daybook_command_api::Config { directory: place.decisions(), ..Default::default() };
    let sources = daybook_command_api::Sources::system();
    let keys = place.keys();
    let started =
        aside(|| Owners::start(Arc::clone(&journal) as _, Arc::clone(&keys), sources.clone(), &config));
    assert!(matches!(started, Err(daybook_command_api::StartError::Acquire { partition: 0, .. })));
    // The other way round: the first partition is taken, and let go of again.
    let weak = Arc::downgrade(&keys);
    journal.refuse_claims(0);
    let owners = aside(|| Owners::start(Arc::clone(&journal) as _, keys, sources, &config)).unwrap();
    drop(owners);
    while weak.strong_count() > 0 {
        std::thread::yield_now();
    }
}
