use anyhow::{Result, ensure};

use crate::daybook::{Daybook, rebuilt};
use crate::options::Options;
use crate::reads;
use crate::report::{Figure, Report};

/// Makes a journal and rebuilds the read model from it.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (mut daybook, _session, _book) = reads::filled(options).await?;
    if let Some(mib) = daybook.peak_memory_mib()? {
        report.figures.push(Figure::new("peak memory of the server, filling a book", mib, "MiB"));
    }
    daybook.stop().await?;
    of(options, &daybook, report)
}

/// Rebuilds what a stopped Daybook has in its journal.
pub fn of(options: &Options, daybook: &Daybook, report: &mut Report) -> Result<()> {
    eprintln!("rebuilding the read model");
    let (events, seconds) = rebuilt(&daybook.operate(options, &["rebuild", "--json"])?)?;
    ensure!(seconds > 0.0, "the rebuild says that it took no time");
    let per_s = events as f64 / seconds;
    report.figures.push(Figure::new("rebuild", per_s, "events/s").aim("100000"));
    report.notes.push(format!("The rebuild took {seconds:.2} s for {events} events."));
    Ok(())
}
