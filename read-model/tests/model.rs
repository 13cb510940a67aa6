//! One process and its files: reading, changing over to a new file, and what is deleted when.

use std::sync::Arc;

use daybook_read_model::{
    Batch, Builder, Config, Directory, FilesError, Projection, ReadError, ReadModel, Visible, checkpoints,
};
use tempfile::TempDir;

fn batch(partition: u32, after: u64, through: u64) -> Batch {
    Batch {
        partition,
        after,
        through,
        fence: format!("fence {through}"),
        rows: Projection::default().into_rows(),
    }
}

fn open(data_dir: &TempDir) -> ReadModel {
    ReadModel::open(data_dir.path(), Config::default()).unwrap()
}

fn files(data_dir: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(data_dir.path().join("read-model"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sqlite"))
        .collect();
    names.sort();
    names
}

async fn position_read(model: &ReadModel, partition: u32) -> u64 {
    let seen = model.read(checkpoints).await.unwrap();
    seen.iter()
        .find(|checkpoint| checkpoint.partition == partition)
        .map_or(0, |checkpoint| checkpoint.position)
}

#[tokio::test]
async fn a_checkpoint_comes_back_with_its_fence_after_a_restart() {
    let data_dir = tempfile::tempdir().unwrap();
    let model = open(&data_dir);
    assert_eq!(model.checkpoint(1).await.unwrap().position, 0);
    model.apply(Arc::new(batch(1, 0, 5))).await.unwrap();
    model.apply(Arc::new(batch(1, 5, 9))).await.unwrap();
    drop(model);

    let checkpoint = open(&data_dir).checkpoint(1).await.unwrap();
    assert_eq!((checkpoint.position, checkpoint.fence.as_str()), (9, "fence 9"));
}

#[tokio::test]
async fn readers_stay_with_the_old_file_until_the_new_one_has_come_as_far() {
    let data_dir = tempfile::tempdir().unwrap();
    let model = open(&data_dir);
    model.apply(Arc::new(batch(0, 0, 10))).await.unwrap();
    model.apply(Arc::new(batch(1, 0, 4))).await.unwrap();
    assert_eq!(model.change_over().await.unwrap(), [], "nothing is new");

    let directory = Directory::open(data_dir.path()).unwrap();
    let mut builder = Builder::create(directory.clone(), directory.free_name(None).unwrap()).unwrap();
    builder.apply(&batch(0, 0, 7)).unwrap();
    let name = builder.name().to_owned();
    builder.finish().unwrap();
    directory.set_current(&name).unwrap();

    let mut changes = model.changes();
    assert_eq!(model.change_over().await.unwrap(), [], "queries see nothing new yet");
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(
        model.checkpoint(0).await.unwrap().position,
        7,
        "the new file is written on from its own checkpoint"
    );
    assert!(
        model.apply(Arc::new(batch(0, 10, 11))).await.is_err(),
        "the old file's next batch is not the new one's"
    );

    assert_eq!(model.apply(Arc::new(batch(0, 7, 12))).await.unwrap(), []);
    assert_eq!(position_read(&model, 0).await, 10, "one partition is still behind");
    let visible = model.apply(Arc::new(batch(1, 0, 4))).await.unwrap();
    let expected = [(0, 12), (1, 4)].map(|(partition, position)| Visible { partition, position });
    assert_eq!(visible, expected);
    assert_eq!(position_read(&model, 0).await, 12);
    assert_eq!(model.change_over().await.unwrap(), []);
}

#[tokio::test]
async fn former_files_are_deleted_at_the_next_start_unless_a_rebuild_is_under_way() {
    let data_dir = tempfile::tempdir().unwrap();
    drop(open(&data_dir));
    let directory = Directory::open(data_dir.path()).unwrap();
    Builder::create(directory.clone(), "half-built".to_owned()).unwrap();
    assert_eq!(files(&data_dir), ["half-built.sqlite", "model-1.sqlite"]);

    let lock = directory.lock().unwrap();
    drop(open(&data_dir));
    assert_eq!(files(&data_dir), ["half-built.sqlite", "model-1.sqlite"]);
    assert!(matches!(directory.lock(), Err(FilesError::RebuildUnderWay { .. })));
    drop(lock);
    drop(open(&data_dir));
    assert_eq!(files(&data_dir), ["model-1.sqlite"]);
}

/// Elsewhere every write waits for the disk, and nothing has to be made anew.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_model_that_was_being_written_when_the_machine_went_down_is_made_anew() {
    let data_dir = tempfile::tempdir().unwrap();
    let written_in = data_dir.path().join("read-model/written-in-boot");
    let model = open(&data_dir);
    model.apply(Arc::new(batch(0, 0, 3))).await.unwrap();
    drop(model);

    let model = open(&data_dir);
    assert_eq!(model.checkpoint(0).await.unwrap().position, 3, "the process ended, not the machine");
    drop(model);
    std::fs::write(&written_in, "another run of the machine").unwrap();
    let model = open(&data_dir);
    assert_eq!(files(&data_dir), ["model-2.sqlite"]);
    assert_eq!(model.checkpoint(0).await.unwrap().position, 0);

    model.apply(Arc::new(batch(0, 0, 5))).await.unwrap();
    model.sync().await.unwrap();
    assert!(!written_in.exists(), "what was brought to the disk outlives the machine");
    drop(model);
    assert_eq!(open(&data_dir).checkpoint(0).await.unwrap().position, 5);
    assert_eq!(files(&data_dir), ["model-2.sqlite"]);
}

#[test]
fn names_are_free_plain_and_never_paths() {
    let data_dir = tempfile::tempdir().unwrap();
    let directory = Directory::open(data_dir.path()).unwrap();
    assert_eq!(directory.free_name(None).unwrap(), "model-1");
    directory.set_current("model-7").unwrap();
    assert_eq!(directory.free_name(None).unwrap(), "model-8");
    assert_eq!(directory.free_name(Some("may")).unwrap(), "may");
    assert!(matches!(directory.free_name(Some("model-7")), Err(FilesError::NameTaken { .. })));
    for name in ["", "../up", "a b", "a/b", "ä", ".", &"x".repeat(65)] {
        assert!(matches!(directory.free_name(Some(name)), Err(FilesError::Name { .. })), "{name:?}");
    }
}

#[tokio::test]
async fn a_query_that_fails_or_panics_leaves_its_reader_usable() {
    let data_dir = tempfile::tempdir().unwrap();
    let model = ReadModel::open(data_dir.path(), Config { readers: 1, ..Config::default() }).unwrap();
    let refused = model.read(|connection| connection.execute("delete from books", ())).await;
    assert!(matches!(refused, Err(ReadError::Sqlite(_))), "a reader cannot write");
    let panicked = model.read(|_| -> rusqlite::Result<()> { panic!("a fault in a query") }).await;
    assert!(matches!(panicked, Err(ReadError::Stopped)));
    assert_eq!(position_read(&model, 0).await, 0);
}

#[tokio::test]
async fn a_file_made_by_a_newer_daybook_is_refused_by_name() {
    let data_dir = tempfile::tempdir().unwrap();
    drop(open(&data_dir));
    let path = data_dir.path().join("read-model/model-1.sqlite");
    rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = ReadModel::open(data_dir.path(), Config::default()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("made by a newer Daybook"), "{error}");
}
