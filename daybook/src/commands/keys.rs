use anyhow::Context;
use chrono::Utc;
use clap::Subcommand;

use crate::{cli::Failure, config::Settings, layout::Layout};

/// The keys that access tokens are signed with.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  daybook keys new
  daybook keys rotate --data /var/lib/daybook")]
pub enum Keys {
    /// Make the first key, where there is none yet.
    New,
    /// Sign with a new key from now on; tokens signed with the old one stay valid until they expire.
    Rotate,
}

pub fn run(keys: &Keys, settings: &Settings) -> Result<(), Failure> {
    let folder = Layout::of(&settings.data.dir).signing_keys;
    match keys {
        Keys::New if has_keys(&folder) => {
            return Err(Failure::Check(format!(
                "there is a key in {} already; `daybook keys rotate` makes the next one",
                folder.display()
            )));
        }
        Keys::New | Keys::Rotate => {}
    }
    let made = identity::keys::rotate(&folder, Utc::now()).context("make a key")?;
    println!("Made the key {made} in {}.", folder.display());
    Ok(())
}

fn has_keys(folder: &std::path::Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
