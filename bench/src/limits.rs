//! What this machine can do at best: the figures of Daybook mean something only beside these, from the same run.

use std::env;
use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::closed_loop::{self, Until};
use crate::daybook::scratch;
use crate::group_commit::{CommitClient, GroupCommit, record};
use crate::http_client::HttpClient;
use crate::load::Load;
use crate::open_loop;
use crate::options::Options;
use crate::report::{Against, Figure, Report, Row};
use crate::server::Server;
use crate::workload::{Rendered, Workload};
use crate::write_series;

pub const READ_CLIENTS: usize = 16;
/// What `limits` alone reads, where no answer of Daybook says how long one is.
const USUAL_READ_BYTES: usize = 4096;

/// The writes' limits, with records as long as the journal's where that is known, and a read of the usual length.
pub async fn measure(options: &Options, measured: Option<usize>, report: &mut Report) -> Result<()> {
    let record_bytes = options.record_bytes(measured);
    let source = if measured.is_some() { "as measured in the journal" } else { "as given or usual" };
    report.notes.push(format!("Raw commits and bare axum write records of {record_bytes} bytes, {source}."));
    report.figures.push(synced_appends(options, record_bytes)?);

    let directory = scratch(options)?;
    let (commits, writer) = GroupCommit::open(directory.path())?;
    let rows = write_series::run(options, Against::RawCommit, "raw SQLite group commit", async |count| {
        let client = || CommitClient { commits: commits.clone(), record: record(record_bytes) };
        Ok((0..count).map(|_| client()).collect())
    });
    report.rows.extend(rows.await?);
    drop(commits);
    writer.join().ok().context("the raw writer panicked")?;

    let directory = scratch(options)?;
    let server = start_baseline(directory.path(), record_bytes).await?;
    let body = r#"{"kind":"expense","occurred_on":"2026-11-23","amount":"12.50","payee":"Corner Bakery"}"#;
    let workload = Workload::writes(vec![Rendered::new("/write", body)?].into());
    let rows = write_series::run(options, Against::BareHttp, "bare axum over group commit", async |count| {
        Ok(HttpClient::many(count, server.address, &workload))
    });
    report.rows.extend(rows.await?);
    let rows = reads(options, server.address, "of the usual length", USUAL_READ_BYTES).await?;
    report.rows.extend(rows);
    server.stop().await?;
    Ok(())
}

/// This program again, as the bare server.
pub async fn start_baseline(directory: &Path, record_bytes: usize) -> Result<Server> {
    let mut command = Command::new(env::current_exe().context("finding this program")?);
    command.arg("baseline").arg(directory).arg(record_bytes.to_string());
    Server::start(command, &directory.join("baseline.log")).await
}

/// A bare handler answering as many bytes as Daybook does to the read of this name.
pub async fn reads(options: &Options, address: SocketAddr, name: &str, bytes: usize) -> Result<Vec<Row>> {
    let workload = Workload::reads(&[format!("/read/{bytes}")])?;
    let (open, closed) = read_loads(options, address, &workload).await;
    let what = format!("bare axum read, {bytes} bytes");
    let (open_setting, closed_setting) = read_settings(name);
    Ok(vec![
        Row::new(Against::BareHttp, &what, &open_setting, open),
        Row::new(Against::BareHttp, &what, &closed_setting, closed),
    ])
}

/// How every read is measured, Daybook's and the bare one's: (open loop at the fixed rate, closed loop).
pub async fn read_loads(options: &Options, address: SocketAddr, workload: &Workload) -> (Load, Load) {
    let clients = || HttpClient::many(READ_CLIENTS, address, workload);
    closed_loop::run(clients(), Until::Requests(100)).await;
    let open = open_loop::run(clients(), options.read_rate(), options.duration()).await;
    let closed = closed_loop::run(clients(), Until::Elapsed(options.duration())).await;
    (open, closed)
}

/// The settings' names of both loads, by which Daybook's rows find those of the limit.
pub fn read_settings(name: &str) -> (String, String) {
    (format!("{name}, open loop"), format!("{name}, closed loop, {READ_CLIENTS} clients"))
}

/// One record appended to a file and synced, over and over: what one commit costs the disk.
fn synced_appends(options: &Options, record_bytes: usize) -> Result<Figure> {
    let directory = scratch(options)?;
    let mut file = File::create(directory.path().join("appended")).context("creating a file")?;
    let record = record(record_bytes);
    let (start, mut appended) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_secs(1) {
        file.write_all(&record).context("appending a record")?;
        file.sync_data().context("syncing a record")?;
        appended += 1;
    }
    let per_s = f64::from(appended) / start.elapsed().as_secs_f64();
    Ok(Figure::new("synced appends of one record, one after the other", per_s, "per s"))
}
