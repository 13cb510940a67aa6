//! A new file beside the current one, filled from the journal's start.

use std::fs::File;

use rusqlite::Connection;

use crate::{
    apply::{ApplyError, Batch, write_batch},
    connection::{Durability, OpenError, open_builder, open_writer},
    files::{Directory, FilesError},
};

pub struct Builder {
    directory: Directory,
    name: String,
    connection: Connection,
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("the new read model could not be written")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the new read model could not be brought to the disk")]
    Sync(#[source] std::io::Error),
}

impl Builder {
    /// `name` as [`Directory::free_name`] gave it.
    pub fn create(directory: Directory, name: String) -> Result<Self, BuildError> {
        let connection = open_builder(&directory.path_of(&name))?;
        // One tx for all of it: a page that many batches write to goes to the file once, when the cache is full
        // or all is done.
        connection.execute_batch("begin immediate")?;
        Ok(Self { directory, name, connection })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// After an error the file is worth nothing: nothing is rolled back in it.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), ApplyError> {
        write_batch(&self.connection, batch)
    }

    /// To look at what has been built so far.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Makes the file whole, durable and ready to be shared. It becomes the current one by
    /// [`Directory::set_current`] only.
    pub fn finish(self) -> Result<(), BuildError> {
        self.connection.execute_batch("commit")?;
        let path = self.directory.path_of(&self.name);
        drop(self.connection);
        drop(open_writer(&path, Durability::InOrder)?);
        File::open(&path).and_then(|file| file.sync_all()).map_err(BuildError::Sync)
    }
}
