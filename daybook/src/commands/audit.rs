use std::{
    fs::File,
    io::{self, BufReader, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Subcommand;
use domain::id::BookId;
use indicatif::{ProgressBar, ProgressStyle};
use journal::{
    sqlite::SqliteJournal,
    verify::{self, Verified, VerifyError},
};
use serde_json::json;

use crate::{cli::Failure, config::Settings, layout::Layout};

/// Check the journal, or take a book's records out of it.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  daybook audit verify
  daybook audit export --book book_01kae0w1vkf6r8sb2d1cnd2v0e > book.jsonl
  daybook audit verify book.jsonl")]
pub enum Audit {
    /// Check format, ownership rule, hash chain, versions and balance; ends with 1 and names the first bad record.
    Verify {
        /// Check this file, which `audit export` wrote, instead of the journal in the data directory.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// Check this book only.
        #[arg(long, value_name = "BOOK")]
        book: Option<BookId>,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Print the commits of a book as they stand in the journal, one JSON per line, with hashes.
    Export {
        #[arg(long, value_name = "BOOK")]
        book: BookId,
    },
}

pub fn run(audit: Audit, settings: &Settings) -> Result<(), Failure> {
    match audit {
        Audit::Verify { file: Some(file), book: None, json } => told(verify_file(&file), json),
        Audit::Verify { file: Some(_), book: Some(_), .. } => {
            Err(anyhow::anyhow!("an exported file holds one book; leave --book out").into())
        }
        Audit::Verify { file: None, book, json } => told(verify_journal(settings, book, json)?, json),
        Audit::Export { book } => export(settings, book),
    }
}

/// Reads beside a server that is writing; nothing is locked.
fn open_journal(settings: &Settings) -> Result<SqliteJournal, Failure> {
    let layout = Layout::of(&settings.data.dir);
    Ok(SqliteJournal::open_read_only(&layout.journal).context("open the journal")?)
}

fn verify_journal(
    settings: &Settings,
    book: Option<BookId>,
    json: bool,
) -> Result<Result<Verified, VerifyError>, Failure> {
    let journal = open_journal(settings)?;
    let bar = match io::stderr().is_terminal() && !json {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} records checked, {per_sec}") {
        bar.set_style(style);
    }
    let verified = verify::verify_journal(&journal, book, &mut |records| bar.set_position(records));
    bar.finish_and_clear();
    Ok(verified)
}

fn verify_file(path: &Path) -> Result<Verified, VerifyError> {
    verify::verify_export(&mut BufReader::new(File::open(path)?))
}

fn told(verified: Result<Verified, VerifyError>, json: bool) -> Result<(), Failure> {
    match verified {
        Ok(verified) => {
            let Verified { records, commits, events, books, ignored } = verified;
            match json {
                true => println!("{}", json!({"ok": true, "verified": verified})),
                false => println!(
                    "All is well: {commits} commits with {events} events of {books} books, in {records} records, \
                     of which {ignored} do not count."
                ),
            }
            Ok(())
        }
        Err(VerifyError::Fault(fault)) => {
            if json {
                println!("{}", json!({"ok": false, "fault": fault}));
            }
            Err(Failure::Check(format!("the first bad record: {fault}")))
        }
        Err(error) => Err(anyhow::Error::new(error).into()),
    }
}

fn export(settings: &Settings, book: BookId) -> Result<(), Failure> {
    let journal = open_journal(settings)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match verify::export_book(&journal, book, &mut out) {
        Ok(_) => Ok(out.flush().context("write the export")?),
        Err(VerifyError::Fault(fault)) => Err(Failure::Check(format!("the journal is not sound: {fault}"))),
        Err(error) => Err(anyhow::Error::new(error).into()),
    }
}
