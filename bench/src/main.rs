//! Figures of a running Daybook beside the physical limits of the machine that it runs on. README.md says how to
//! read them.

mod options;

mod bulk;
mod limits;
mod live;
mod reads;
mod rebuild;
mod writes;

mod write_series;

mod closed_loop;
mod histogram;
mod load;
mod open_loop;
mod rate_search;
mod schedule;

mod books;
mod http_client;
mod session;
mod workload;

mod baseline;
mod daybook;
mod group_commit;
mod server;

mod machine;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::Builder;

use crate::machine::Machine;
use crate::options::Options;
use crate::report::Report;

/// Measures Daybook and the limits of this machine, and prints a table of figures
#[derive(Parser)]
#[command(name = "daybook-bench")]
struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum What {
    /// Single durable writes, over many books and to one, and the limits
    Writes,
    /// Bulks of 50 entries, one commit each
    Bulk,
    /// Overview, reports and lists of a big book, and a bare handler
    Reads,
    /// How soon a change by one client is at another, at half load
    Live,
    /// The read model made anew from the journal
    Rebuild,
    /// Raw group commit and a bare handler alone: needs no Daybook
    Limits,
    /// Everything
    All,
    /// The bare server, as this program starts it for itself
    #[command(hide = true)]
    Baseline { directory: PathBuf, bytes: usize },
}

fn main() -> ExitCode {
    let Arguments { what, options } = Arguments::parse();
    if options.url.is_some() && matches!(what, What::Rebuild | What::All) {
        let sentence = "a rebuild needs the data of a server that is started here: leave --url away";
        Arguments::command().error(ErrorKind::ArgumentConflict, sentence).exit();
    }
    let result = match what {
        What::Baseline { directory, bytes } => serve_baseline(&directory, bytes),
        What::Writes | What::Bulk | What::Reads | What::Live | What::Rebuild | What::Limits | What::All => {
            measure(&what, &options)
        }
    };
    match result {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(failure)) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve_baseline(directory: &Path, record_bytes: usize) -> Result<Option<String>> {
    let runtime = Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(baseline::serve(directory, record_bytes))?;
    Ok(None)
}

/// Prints the report and returns the first failure among the answers, if there was one.
fn measure(what: &What, options: &Options) -> Result<Option<String>> {
    fs::create_dir_all(&options.scratch).with_context(|| format!("making {}", options.scratch.display()))?;
    let mut report = Report::new(Machine::here(&options.scratch));
    // One thread for the generator: on two cores a second one would only take from the server.
    let runtime = Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(fill_in(&mut report, what, options))?;
    report.form_ratios();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report).context("printing the report")?);
    } else {
        println!("{}", report.markdown());
    }
    Ok(report.failure())
}

async fn fill_in(report: &mut Report, what: &What, options: &Options) -> Result<()> {
    match what {
        What::Writes => writes::measure(options, report).await?,
        What::Bulk => bulk::measure(options, report).await?,
        What::Reads => drop(reads::measure(options, report).await?),
        What::Live => live::measure(options, report).await?,
        What::Rebuild => rebuild::measure(options, report).await?,
        What::Limits => limits::measure(options, None, report).await?,
        What::All => {
            writes::measure(options, report).await?;
            bulk::measure(options, report).await?;
            let daybook = reads::measure(options, report).await?;
            rebuild::of(options, &daybook, report)?;
            live::measure(options, report).await?;
        }
        What::Baseline { .. } => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_bare_server_is_started_with_the_arguments_that_it_takes() {
        let arguments = Arguments::parse_from(["daybook-bench", "baseline", "data", "900"]);
        let What::Baseline { directory, bytes } = arguments.what else { panic!("another command") };
        assert_eq!((directory, bytes), (PathBuf::from("data"), 900));
    }
}
