//! What can be asked of the program, and how it says that it did not work out.

use std::{fmt, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{commands, config::Faults, config::Flags, data_dir::DataDirError};

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  a check failed, or the work could not be finished
  2  wrong usage, wrong configuration, or a data directory that another process has

Settings: defaults, then the file, then variables such as DAYBOOK__SERVER__LISTEN, then flags.
`daybook config default` explains each of them.";

/// Keeps books for people: every entry is a fact in a journal, every report is computed from it.
#[derive(Debug, Parser)]
#[command(name = "daybook", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// Read settings from this file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep everything in this directory; goes over the setting `data.dir`.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Serve(commands::serve::Serve),
    Demo(commands::demo::Demo),
    #[command(subcommand)]
    Audit(commands::audit::Audit),
    Rebuild(commands::rebuild::Rebuild),
    #[command(subcommand)]
    Config(commands::config::Command),
    Openapi(commands::openapi::OpenApi),
    #[command(subcommand)]
    Keys(commands::keys::Keys),
}

impl Cli {
    /// The flags that stand for settings.
    pub fn flags(&self) -> Flags {
        let (listen, operations_listen) = match &self.command {
            Command::Serve(serve) => (serve.listen.clone(), serve.operations_listen.clone()),
            _ => (None, None),
        };
        Flags { config: self.config.clone(), data: self.data.clone(), listen, operations_listen }
    }
}

/// Why a command ended without being done.
#[derive(Debug)]
pub enum Failure {
    /// What was asked for cannot be done as it is configured.
    Configuration(Faults),
    DataDir(DataDirError),
    /// A check found something; the sentence says what.
    Check(String),
    /// Something that the command needs did not work.
    Unfinished(anyhow::Error),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Configuration(_) | Failure::DataDir(_) => ExitCode::from(2),
            Failure::Check(_) | Failure::Unfinished(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Configuration(faults) => write!(f, "the configuration cannot be used\n{faults}"),
            Failure::DataDir(error) => write!(f, "{error}"),
            Failure::Check(found) => write!(f, "{found}"),
            Failure::Unfinished(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Failure::Configuration(faults)
    }
}

impl From<DataDirError> for Failure {
    fn from(error: DataDirError) -> Self {
        Failure::DataDir(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Unfinished(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_every_command_may_stand_after_it() {
        let cli =
            Cli::try_parse_from(["daybook", "config", "show", "--data", "d", "--config", "c.toml"]).unwrap();
        assert_eq!(cli.flags().data, Some(PathBuf::from("d")));
        assert_eq!(cli.flags().config, Some(PathBuf::from("c.toml")));
    }

    #[test]
    fn wrong_usage_ends_with_2_and_help_with_0() {
        assert_eq!(Cli::try_parse_from(["daybook", "nonsense"]).unwrap_err().exit_code(), 2);
        assert_eq!(Cli::try_parse_from(["daybook", "--help"]).unwrap_err().exit_code(), 0);
    }
}
