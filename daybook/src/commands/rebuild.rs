use std::{
    io::{self, IsTerminal},
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use journal::{KeyStore, sqlite::SqliteJournal};
use projector::{RebuildProgress, RebuildReport, Stage};
use serde_json::json;

use crate::{cli::Failure, config::Settings, layout::Layout};

/// Build a new read model from the journal beside the one in use, compare the two, and switch.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daybook rebuild
  daybook rebuild --into spring --json")]
pub struct Rebuild {
    /// The name of the new read model; without it, one that is free.
    #[arg(long, value_name = "NAME")]
    pub into: Option<String>,
    /// Print progress and result as one JSON per line.
    #[arg(long)]
    pub json: bool,
}

/// Works beside a running server as well as without one.
pub fn run(rebuild: &Rebuild, settings: &Settings) -> Result<(), Failure> {
    let layout = Layout::of(&settings.data.dir);
    let journal = Arc::new(SqliteJournal::open_read_only(&layout.journal).context("open the journal")?);
    let keys = Arc::new(KeyStore::open(&layout.keys).context("open the key store")?);
    let mut shown = Shown::new(rebuild.json);
    let report = projector::rebuild(journal, keys, &layout.data, rebuild.into.as_deref(), &mut |progress| {
        shown.tell(progress);
    });
    shown.bar.finish_and_clear();
    let report = report.context("rebuild the read model")?;
    tell(&report, rebuild.json);
    match report.differences.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Check(format!(
            "the new read model differs from the old one, which stays in use; first in {first:?}"
        ))),
    }
}

fn tell(report: &RebuildReport, json: bool) {
    let RebuildReport { name, commits, events, seconds, compared_tables, compared_rows, .. } = report;
    if json {
        let differences: Vec<String> = report.differences.iter().map(|found| format!("{found:?}")).collect();
        println!(
            "{}",
            json!({
                "name": name, "commits": commits, "events": events, "seconds": seconds,
                "compared_tables": compared_tables, "compared_rows": compared_rows, "differences": differences,
                "old_unreadable": report.old_unreadable.as_ref().map(ToString::to_string),
            })
        );
        return;
    }
    if let Some(reason) = &report.old_unreadable {
        println!("The old read model could not be read, so nothing was compared: {reason}");
    }
    println!(
        "{events} events of {commits} commits in {seconds:.1} s; {compared_rows} rows of {compared_tables} tables \
         compared. The read model in use is {name:?}."
    );
}

/// A bar on a terminal, plain lines otherwise.
struct Shown {
    bar: ProgressBar,
    json: bool,
    stage: Option<Stage>,
}

impl Shown {
    fn new(json: bool) -> Self {
        let is_terminal = io::stderr().is_terminal() && !json;
        let bar = if is_terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) =
            ProgressStyle::with_template("{msg:11} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self { bar, json, stage: None }
    }

    fn tell(&mut self, progress: RebuildProgress) {
        self.bar.set_length(progress.records_expected.max(progress.records));
        self.bar.set_position(progress.records);
        if self.stage == Some(progress.stage) {
            return;
        }
        self.stage = Some(progress.stage);
        let stage = match progress.stage {
            Stage::Building => "building",
            Stage::Comparing => "comparing",
            Stage::CatchingUp => "catching up",
            Stage::Finishing => "finishing",
        };
        self.bar.set_message(stage);
        match (self.json, self.bar.is_hidden()) {
            (true, _) => println!("{}", json!({"stage": stage, "records": progress.records})),
            (false, true) => eprintln!("{stage}: {} records, {} events", progress.records, progress.events),
            (false, false) => {}
        }
    }
}
