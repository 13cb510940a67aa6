use std::sync::Arc;

use anyhow::{Context, Result};

use crate::books;
use crate::closed_loop::{self, Until};
use crate::daybook::Daybook;
use crate::http_client::HttpClient;
use crate::options::Options;
use crate::report::{Against, Figure, Report, Row};
use crate::session::Session;
use crate::workload::Workload;

/// Entries in a bulk, which is one commit.
const SIZE: u64 = 50;
const CLIENTS: [usize; 2] = [1, 16];
const BOOKS: usize = 64;
const VARIANTS: u64 = 32;

/// Bulks of 50 entries, each one durable commit, over some books. The rows count bulks, the figures entries.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut daybook = Daybook::start(options).await?;
    let mut session = Session::sign_up(daybook.address).await?;
    let books = books::create(&mut session, BOOKS).await?;
    let rendered = books::rendered_bulks(&books, VARIANTS, SIZE)?;
    let what = format!("bulks of {SIZE}, {BOOKS} books");
    eprintln!("{what}");
    for clients in CLIENTS {
        let workload = Workload::writes(Arc::clone(&rendered)).authorized(session.authorization().await?);
        let clients_of = HttpClient::many(clients, session.address, &workload);
        let load = closed_loop::run(clients_of, Until::Elapsed(options.duration())).await;
        let entries_per_s = load.achieved_per_s() * SIZE as f64;
        eprintln!("  closed loop, {clients} clients: {entries_per_s:.0} entries/s, {} failed", load.failed);
        let name = format!("entries written in bulks of {SIZE}, {clients} clients");
        report.figures.push(Figure::new(&name, entries_per_s, "entries/s").aim("60000/s with 16 clients"));
        report.rows.push(Row::new(Against::Daybook, &what, &format!("closed loop, {clients} clients"), load));
    }
    let last = books.last().context("no book was made")?;
    books::wait_until_shown(&mut session, last).await?;
    daybook.stop().await
}
