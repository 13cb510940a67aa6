//! The directory of everything that Daybook keeps, and the lock that says whose it is. Two processes on one
//! directory would each believe to own every partition.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process,
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

const LOCK_FILE: &str = "daybook.lock";

/// A data directory that this process has for itself, until this is dropped or the process ends in any way.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error(
        "the data directory {path} is in use by {holder}; stop that, or name another directory with --data"
    )]
    InUse { path: String, holder: String },
    #[error("the data directory {path} cannot be used: {attempted}: {source}")]
    Unusable { path: String, attempted: &'static str, source: io::Error },
}

impl DataDir {
    /// Makes the directory, which only its owner may enter, where it is missing, and takes its lock.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |attempted| {
            move |source| DataDirError::Unusable { path: path.display().to_string(), attempted, source }
        };
        make_private(path).map_err(unusable("making it"))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        options.mode(0o600);
        let mut lock = options.open(path.join(LOCK_FILE)).map_err(unusable("opening its lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder_of(&mut lock);
                return Err(DataDirError::InUse { path: path.display().to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(unusable("locking it")(error)),
        }
        write_pid(&mut lock).map_err(unusable("writing its lock"))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        // Somebody made it and may have reasons for its permissions; the keys in it have their own.
        return Ok(());
    }
    // Only the last directory holds secrets; those above it get what the system gives.
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    match builder.create(path) {
        // Another process was faster; the lock says whose it is.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// The process id that the holder wrote, where it has come to that already.
fn holder_of(lock: &mut File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        Ok(_) | Err(_) => "another process".to_owned(),
    }
}

fn write_pid(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_is_made_for_its_owner_only() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b/data");
        let dir = DataDir::take(&path).unwrap();
        assert_eq!(dir.path(), path);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o700);
            assert_eq!(mode(&path.join(LOCK_FILE)), 0o600);
        }
    }

    #[test]
    fn a_second_holder_is_refused_with_the_first_one_named() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataDir::take(parent.path()).unwrap();
        let refusal = DataDir::take(parent.path()).unwrap_err().to_string();
        let expected = format!(
            "the data directory {} is in use by process {}; stop that, or name another directory with --data",
            parent.path().display(),
            process::id()
        );
        assert_eq!(refusal, expected);
        drop(first);
        DataDir::take(parent.path()).unwrap();
    }

    #[test]
    fn a_lock_file_left_behind_by_a_dead_process_is_no_hindrance() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join(LOCK_FILE), "4194304999\n").unwrap();
        DataDir::take(parent.path()).unwrap();
        let text = fs::read_to_string(parent.path().join(LOCK_FILE)).unwrap();
        assert_eq!(text, format!("{}\n", process::id()));
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        fs::write(&path, "").unwrap();
        let refusal = DataDir::take(&path).unwrap_err().to_string();
        assert!(
            refusal
                .starts_with(&format!("the data directory {} cannot be used: making it: ", path.display()))
        );
    }
}
