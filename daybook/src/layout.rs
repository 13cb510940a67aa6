//! Where things lie in the data directory.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub data: PathBuf,
    /// Has to be kept, and so have the keys and who people are; decision state and read model come back from them.
    pub journal: PathBuf,
    /// The keys of books and the master key over them. Back them up apart from the journal.
    pub keys: PathBuf,
    pub decision_state: PathBuf,
    pub identity: PathBuf,
    /// The keys that access tokens are signed with.
    pub signing_keys: PathBuf,
    /// Which demo household was made here.
    pub demo: PathBuf,
}

impl Layout {
    pub fn of(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            journal: data.join("journal.sqlite"),
            keys: data.join("keys"),
            decision_state: data.join("decision-state"),
            identity: data.join("identity.sqlite"),
            signing_keys: data.join("identity-keys"),
            demo: data.join("demo.json"),
        }
    }
}
