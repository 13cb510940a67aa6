use std::fmt;

/// What a run has found to be wrong.
#[derive(Debug)]
pub enum Fault {
    /// A write that was answered does not stand in the journal, or not as it was answered.
    Lost(String),
    /// The journal holds what nobody was answered for: a second effect, or one of a refused write.
    Surplus(String),
    /// The journal cannot be read, or its books do not add up.
    Journal(String),
    /// A request was answered otherwise than it had to be.
    Answer(String),
    /// A read shows something else than the journal comes to.
    Shown(String),
    /// A command of the operator failed, or the process did.
    Process(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Lost(told) => write!(f, "a write is lost: {told}"),
            Fault::Surplus(told) => write!(f, "a write is there that must not be: {told}"),
            Fault::Journal(told) => write!(f, "the journal is wrong: {told}"),
            Fault::Answer(told) => write!(f, "a wrong answer: {told}"),
            Fault::Shown(told) => write!(f, "a read differs from the journal: {told}"),
            Fault::Process(told) => write!(f, "a process failed: {told}"),
        }
    }
}
