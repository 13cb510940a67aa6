//! The projector and the rebuild on a real journal.

mod household;

use std::{path::Path, sync::Arc};

use daybook_projector::{RebuildReport, Stage, rebuild, run};
use domain::id::BookId;
use household::Household;
use read_model::{Config, Directory, Progress, ReadModel, compare, open_reader};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A projector at work, and what queries of its process would use.
struct Running {
    read_model: ReadModel,
    progress: Arc<Progress>,
    shutdown: CancellationToken,
    projector: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(household: &Household, data_dir: &Path) -> Self {
        let read_model = ReadModel::open(data_dir, Config { readers: 1, ..Config::default() }).unwrap();
        let journal = household.journal.clone();
        let progress =
            Progress::new(journal.partitions(), move |partition| journal.head(partition).map(|head| head.0));
        let shutdown = CancellationToken::new();
        let projector = tokio::spawn(run(
            household.journal.clone(),
            household.keys.clone(),
            read_model.clone(),
            progress.clone(),
            shutdown.clone(),
        ));
        Self { read_model, progress, shutdown, projector }
    }

    async fn reach_the_end(&self) {
        let mut applied = self.progress.applied();
        while !(self.progress.is_current() && self.progress.is_caught_up()) {
            applied.changed().await.unwrap();
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.projector.await.unwrap();
    }

    async fn first_book(&self) -> (BookId, u64) {
        let first = |connection: &rusqlite::Connection| {
            connection.query_row("select book, version from books order by book limit 1", (), |row| {
                Ok((BookId::from_uuid(Uuid::from_bytes(row.get(0)?)), row.get(1)?))
            })
        };
        self.read_model.read(first).await.unwrap()
    }

    async fn count(&self, of: &'static str) -> u64 {
        let count = move |connection: &rusqlite::Connection| {
            connection.query_row(&format!("select count(*) from {of}"), (), |row| row.get(0))
        };
        self.read_model.read(count).await.unwrap()
    }
}

async fn rebuild_now(household: &Household, data_dir: &Path, into: Option<&'static str>) -> RebuildReport {
    let (journal, keys, data_dir) = (household.journal.clone(), household.keys.clone(), data_dir.to_owned());
    let rebuild = move || rebuild(journal, keys, &data_dir, into, &mut |_| {});
    tokio::task::spawn_blocking(rebuild).await.unwrap().unwrap()
}

fn current(data_dir: &Path) -> String {
    Directory::open(data_dir).unwrap().current().unwrap().unwrap()
}

fn reader(data_dir: &Path, name: &str) -> rusqlite::Connection {
    open_reader(&Directory::open(data_dir).unwrap().path_of(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_journal_becomes_rows_once_and_after_a_restart_goes_on() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 3, 5);
    household.add_entries(300);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    assert_eq!(running.count("entries").await, 300);

    household.add_entries(20);
    running.reach_the_end().await;
    assert_eq!(running.count("entries").await, 320);
    running.stop().await;

    household.add_entries(10);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    assert_eq!(running.count("entries").await, 330);
    assert_eq!(running.count("entries where removed").await, 43 + 3 + 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_do_not_count_move_the_checkpoint_and_nothing_else() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 1, 1);
    household.add_entries(3);
    let (partition, late) = household.late_record();
    household.take_over();
    household.append(partition, vec![late]);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    assert_eq!(running.count("commits").await, 1 + 3);
    assert_eq!(running.count("accounts where closed").await, 0);
    // Claim, book, three entries, claim, and the late one.
    assert_eq!(running.read_model.checkpoint(0).await.unwrap().position, 7);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_beside_a_running_server_is_equal_and_is_taken_over() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 2, 4);
    household.add_entries(500);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;

    let mut taken_over = running.read_model.changes();
    let report = rebuild_now(&household, data_dir.path(), None).await;
    assert_eq!(report.differences, []);
    assert_eq!((report.commits, report.compared_tables), (4 + 500 + 71, 16));
    assert_eq!(current(data_dir.path()), "model-2");
    taken_over.changed().await.unwrap();
    household.add_entries(50);
    running.reach_the_end().await;
    assert_eq!(running.count("entries").await, 550);
    running.stop().await;
    assert_eq!(reader_count(data_dir.path(), "model-2"), 550);
    assert_eq!(reader_count(data_dir.path(), "model-1"), 500, "the former file is no longer written");
}

/// The lookups come only from being told, as those of live streams do.
#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_book_is_told_of_it_also_while_another_model_is_taken_over() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 2, 4);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;

    let (book, mut seen) = running.first_book().await;
    let mut followed = running.progress.follow(book);
    let mut taken_over = running.read_model.changes();
    for round in 0..4 {
        match round {
            1 => drop(rebuild_now(&household, data_dir.path(), None).await),
            2 => taken_over.changed().await.unwrap(),
            _ => {}
        }
        household.add_entries(8);
        let before = seen;
        while seen == before {
            followed.changed().await;
            seen = running.first_book().await.1;
        }
    }
    assert_eq!(current(data_dir.path()), "model-2");
    running.stop().await;
}

fn reader_count(data_dir: &Path, name: &str) -> u64 {
    reader(data_dir, name).query_row("select count(*) from entries", (), |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_compares_where_the_old_model_stood_and_then_reads_on() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 2, 3);
    household.add_entries(100);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    running.stop().await;
    // The old model stands in the middle of what the journal's reader hands over at once.
    household.add_entries(40);

    let mut stages = Vec::new();
    let (journal, keys) = (household.journal.clone(), household.keys.clone());
    let report = tokio::task::block_in_place(|| {
        rebuild(journal, keys, data_dir.path(), Some("june"), &mut |progress| {
            stages.push(progress.stage);
        })
    })
    .unwrap();
    stages.dedup();
    assert_eq!(stages, [Stage::Building, Stage::Comparing, Stage::CatchingUp, Stage::Finishing]);
    assert_eq!((report.differences.len(), report.name.as_str()), (0, "june"));
    assert_eq!(reader_count(data_dir.path(), "june"), 140);

    // Read on by the projector, it is equal to one that is built in one go.
    household.add_entries(10);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    running.stop().await;
    let second = rebuild_now(&household, data_dir.path(), None).await;
    assert_eq!(second.differences, []);
    let comparison =
        compare(&reader(data_dir.path(), "june"), &reader(data_dir.path(), &second.name)).unwrap();
    assert_eq!(comparison.differences, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_finds_a_difference_names_it_and_leaves_the_old_model_in_place() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 1, 2);
    household.add_entries(30);
    let running = Running::start(&household, data_dir.path());
    running.reach_the_end().await;
    running.stop().await;
    let path = Directory::open(data_dir.path()).unwrap().path_of("model-1");
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch("update accounts set balance_minor = balance_minor + 1 where balance_minor < 0")
        .unwrap();

    let report = rebuild_now(&household, data_dir.path(), None).await;
    let tables: Vec<(&str, &str)> =
        report.differences.iter().map(|found| (found.table.as_str(), found.what.as_str())).collect();
    assert_eq!(tables, [("accounts", "balance_minor differs")]);
    assert_eq!(current(data_dir.path()), "model-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_without_an_old_model_or_with_an_unreadable_one_compares_nothing() {
    let data_dir = tempfile::tempdir().unwrap();
    let mut household = Household::new(data_dir.path(), 2, 2);
    household.add_entries(30);
    let report = rebuild_now(&household, data_dir.path(), None).await;
    assert_eq!((report.compared_tables, report.old_unreadable.is_some()), (0, false));
    assert_eq!(current(data_dir.path()), "model-1");

    let path = Directory::open(data_dir.path()).unwrap().path_of("model-1");
    std::fs::write(path, "this is no database, and never was one".repeat(100)).unwrap();
    let report = rebuild_now(&household, data_dir.path(), None).await;
    assert_eq!((report.compared_tables, report.old_unreadable.is_some()), (0, true));
    assert_eq!(reader_count(data_dir.path(), &current(data_dir.path())), 30);
}
