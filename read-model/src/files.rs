//! The folder of a read model: its files, which of them is the current one, and who may delete them.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

const EXTENSION: &str = "sqlite";
/// Says in which run of the machine files here were last written without waiting for the disk.
const WRITTEN_IN: &str = "written-in-boot";

/// `<data>/read-model`: a file `<name>.sqlite` for each model, and `current`, which holds the name of one.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
}

/// While it is held, nobody else builds a file here and nobody deletes one.
#[derive(Debug)]
pub struct RebuildLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{attempt} in {path} failed")]
    Io { attempt: &'static str, path: String, source: io::Error },
    #[error("another rebuild is under way in {path}")]
    RebuildUnderWay { path: String },
    #[error("{name:?} cannot name a read model: 1 to 64 letters, digits, - and _")]
    Name { name: String },
    #[error("there is a read model {name} already; name another, or none")]
    NameTaken { name: String },
}

impl Directory {
    /// The read model's folder below the data directory; made if it is missing.
    pub fn open(data_dir: &Path) -> Result<Self, FilesError> {
        let directory = Self { path: data_dir.join("read-model") };
        fs::create_dir_all(&directory.path)
            .map_err(|source| directory.failed("making the folder", source))?;
        Ok(directory)
    }

    pub fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.{EXTENSION}"))
    }

    pub fn current(&self) -> Result<Option<String>, FilesError> {
        match fs::read_to_string(self.path.join("current")) {
            Ok(text) => checked(text.trim()).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("reading the name of the current model", error)),
        }
    }

    /// Makes `name` the current one. Readers see the old name or the new one, never half of it.
    pub fn set_current(&self, name: &str) -> Result<(), FilesError> {
        let unfinished = self.path.join("current.new");
        let write = || {
            let mut file = File::create(&unfinished)?;
            writeln!(file, "{name}")?;
            file.sync_all()?;
            fs::rename(&unfinished, self.path.join("current"))?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| self.failed("writing the name of the current model", source))
    }

    /// Whether what lies here is what was written: nothing was left to the system to bring to the disk when the
    /// machine went down.
    pub(crate) fn is_whole(&self, boot: &str) -> Result<bool, FilesError> {
        match fs::read_to_string(self.path.join(WRITTEN_IN)) {
            Ok(written_in) => Ok(written_in == boot),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(self.failed("reading when files were last written", error)),
        }
    }

    /// To be called before the first write that does not wait for the disk.
    pub(crate) fn begin_writing(&self, boot: &str) -> Result<(), FilesError> {
        let write = || {
            let mut file = File::create(self.path.join(WRITTEN_IN))?;
            file.write_all(boot.as_bytes())?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| self.failed("writing when files were last written", source))
    }

    /// Waits until a file that nobody writes any more is on the disk.
    pub(crate) fn end_writing(&self, name: &str) -> Result<(), FilesError> {
        let sync = || {
            for extension in [EXTENSION, "sqlite-wal"] {
                match File::open(self.path.join(format!("{name}.{extension}"))) {
                    Ok(file) => file.sync_all()?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            File::open(&self.path)?.sync_all()?;
            fs::remove_file(self.path.join(WRITTEN_IN))?;
            File::open(&self.path)?.sync_all()
        };
        sync().map_err(|source| self.failed("bringing the model to the disk", source))
    }

    /// The name wanted, or the next of `model-1`, `model-2`… that no file has.
    pub fn free_name(&self, wanted: Option<&str>) -> Result<String, FilesError> {
        let names = self.names()?;
        if let Some(wanted) = wanted {
            let name = checked(wanted)?;
            let is_taken = names.contains(&name) || self.current()?.as_ref() == Some(&name);
            return if is_taken { Err(FilesError::NameTaken { name }) } else { Ok(name) };
        }
        let number_of = |name: &String| name.strip_prefix("model-")?.parse::<u64>().ok();
        let current = self.current()?;
        let last = names.iter().chain(&current).filter_map(number_of).max().unwrap_or(0);
        Ok(format!("model-{}", last + 1))
    }

    pub fn lock(&self) -> Result<RebuildLock, FilesError> {
        let file = File::create(self.path.join("lock"))
            .map_err(|source| self.failed("opening the lock file", source))?;
        match file.try_lock() {
            Ok(()) => Ok(RebuildLock { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(FilesError::RebuildUnderWay { path: self.path.display().to_string() })
            }
            Err(TryLockError::Error(source)) => Err(self.failed("locking the lock file", source)),
        }
    }

    /// Deletes former models and what builds that died have left. A process that still reads one keeps it until
    /// it has changed over.
    pub fn delete_others(&self, kept: &str, _lock: &RebuildLock) -> Result<(), FilesError> {
        for name in self.names()?.iter().filter(|name| *name != kept) {
            self.delete(name)?;
        }
        Ok(())
    }

    pub(crate) fn delete(&self, name: &str) -> Result<(), FilesError> {
        for extension in [EXTENSION, "sqlite-wal", "sqlite-shm", "sqlite-journal"] {
            match fs::remove_file(self.path.join(format!("{name}.{extension}"))) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(self.failed("deleting a former model", error)),
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, FilesError> {
        let list = || {
            let mut names = Vec::new();
            for file in fs::read_dir(&self.path)? {
                let name = file?.file_name().to_string_lossy().into_owned();
                names.extend(name.strip_suffix(&format!(".{EXTENSION}")).map(str::to_owned));
            }
            Ok(names)
        };
        list().map_err(|source| self.failed("listing the models", source))
    }

    fn failed(&self, attempt: &'static str, source: io::Error) -> FilesError {
        FilesError::Io { attempt, path: self.path.display().to_string(), source }
    }
}

/// A name becomes part of a path, and may have come from a command line.
fn checked(name: &str) -> Result<String, FilesError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        return Err(FilesError::Name { name: name.chars().take(80).collect() });
    }
    Ok(name.to_owned())
}
