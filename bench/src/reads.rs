use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::baseline::READ_ANSWER_BYTES_MAX;
use crate::books::{self, Book};
use crate::daybook::{Daybook, scratch};
use crate::http_client::HttpClient;
use crate::limits::{self, read_loads, read_settings};
use crate::open_loop;
use crate::options::Options;
use crate::report::{Against, Figure, Report, Row};
use crate::session::{Session, text};
use crate::workload::Workload;

const PAGE: u64 = 50;
/// Writes to the book while it is read: each makes a new version, so that no remembered answer fits for long.
const CHANGES_PER_S: f64 = 20.0;
const WRITE_CLIENTS: usize = 4;

struct Read {
    name: &'static str,
    path: String,
    bytes: usize,
}

/// Reads of one big book, as it stands and while it changes, and a bare handler that answers as many bytes. Returns
/// the Daybook, stopped, for what else is to be done with its data.
pub async fn measure(options: &Options, report: &mut Report) -> Result<Daybook> {
    let (mut daybook, mut session, book) = filled(options).await?;
    let reads = reads_of(&mut session, &book, options.entries()).await?;
    let changes = books::rendered_entries(std::slice::from_ref(&book), 4096)?;
    for read in &reads {
        eprintln!("reads, {}, {} bytes", read.name, read.bytes);
        let authorization = session.authorization().await?;
        let workload = Workload::reads(std::slice::from_ref(&read.path))?.authorized(authorization.clone());
        let (open, closed) = read_loads(options, daybook.address, &workload).await;
        let (open_setting, closed_setting) = read_settings(read.name);
        report.rows.push(Row::new(Against::Daybook, "reads", &open_setting, open));
        report.rows.push(Row::new(Against::Daybook, "reads", &closed_setting, closed));

        let changing = Workload::writes(changes.clone()).authorized(authorization);
        report.rows.extend(while_changing(options, daybook.address, read.name, &workload, &changing).await);
    }
    if let Some(mib) = daybook.peak_memory_mib()? {
        report.figures.push(Figure::new("peak memory of the server, reads", mib, "MiB"));
    }
    daybook.stop().await?;

    let directory = scratch(options)?;
    let server = limits::start_baseline(directory.path(), options.record_bytes(None)).await?;
    for read in &reads {
        let rows =
            limits::reads(options, server.address, read.name, read.bytes.min(READ_ANSWER_BYTES_MAX)).await?;
        report.rows.extend(rows);
    }
    server.stop().await?;
    Ok(daybook)
}

/// A Daybook with one book of the asked size in it.
pub async fn filled(options: &Options) -> Result<(Daybook, Session, Book)> {
    let daybook = Daybook::start(options).await?;
    let mut session = Session::sign_up(daybook.address).await?;
    let book = books::create(&mut session, 1).await?.pop().context("no book was made")?;
    eprintln!("filling a book with {} entries", options.entries());
    books::fill(&mut session, &book, options.entries()).await?;
    Ok((daybook, session, book))
}

async fn reads_of(session: &mut Session, book: &Book, entries: u64) -> Result<Vec<Read>> {
    let base = format!("/api/v1/books/{}", book.id);
    let day = books::busy_day();
    let deep = deep_page(session, &base, entries / 2 / PAGE).await?;
    let mut reads = Vec::new();
    for (name, path) in [
        ("overview", format!("{base}/overview?on={day}")),
        ("spending report of a month", format!("{base}/reports/spending?period=month&on={day}")),
        ("spending report of a year", format!("{base}/reports/spending?period=year&on={day}")),
        (
            "spending report of ten years",
            format!("{base}/reports/spending?from={}&to={}", books::first_day(), books::last_day()),
        ),
        ("entries, first page", format!("{base}/entries?limit={PAGE}")),
        ("entries, page in the middle", deep),
    ] {
        let bytes = session.api().await?.body_bytes(&path).await?;
        reads.push(Read { name, path, bytes });
    }
    Ok(reads)
}

/// The path of the page after so many: found as a client finds it, cursor by cursor.
async fn deep_page(session: &mut Session, base: &str, pages: u64) -> Result<String> {
    let mut path = format!("{base}/entries?limit={PAGE}");
    let mut api = session.api().await?;
    for _ in 0..pages {
        let cursor = text(&api.get(&path).await?, "next_cursor")?;
        path = format!("{base}/entries?limit={PAGE}&cursor={cursor}");
    }
    Ok(path)
}

/// The same read in an open loop, while another writes to the book at a low and even rate.
async fn while_changing(
    options: &Options,
    address: SocketAddr,
    name: &str,
    reading: &Workload,
    changing: &Workload,
) -> [Row; 2] {
    let (read, written) = tokio::join!(
        open_loop::run(
            HttpClient::many(limits::READ_CLIENTS, address, reading),
            options.read_rate(),
            options.duration()
        ),
        open_loop::run(HttpClient::many(WRITE_CLIENTS, address, changing), CHANGES_PER_S, options.duration()),
    );
    [
        Row::new(Against::Daybook, "reads", &format!("{name}, open loop, book changing"), read),
        Row::new(Against::Daybook, "writes beside them", &format!("beside {name}"), written),
    ]
}
