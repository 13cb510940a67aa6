use std::sync::Arc;

use anyhow::Result;

use crate::books::{self, Book};
use crate::daybook::{Daybook, mean_record_bytes};
use crate::http_client::HttpClient;
use crate::limits;
use crate::options::Options;
use crate::report::{Against, Figure, Report, Row};
use crate::session::Session;
use crate::workload::{Rendered, Workload};
use crate::write_series;

/// For closed loops with 1, 16, 64 and 256 clients.
const AIMS_PER_S: [&str; 4] = ["1500/s", "8000/s", "10000/s", "15000/s"];

/// Single durable writes with login and key, over many books and to one, then the limits on the same machine state.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut daybook = Daybook::start(options).await?;
    let mut session = Session::sign_up(daybook.address).await?;
    eprintln!("making {} books", options.books());
    let books = books::create(&mut session, options.books()).await?;
    let what = format!("writes, {} books", books.len());
    let uniform = books::rendered_entries(&books, 4)?;
    let rows = series(options, &mut session, &what, uniform).await?;
    report.rows.extend(with_aims(rows));

    let hot = books::create(&mut session, 1).await?;
    let rendered = books::rendered_entries(&hot, 4096)?;
    report.rows.extend(series(options, &mut session, "writes, one hot book", rendered).await?);

    if let Some(mib) = daybook.peak_memory_mib()? {
        report.figures.push(Figure::new("peak memory of the server, writes", mib, "MiB"));
    }
    daybook.stop().await?;
    let measured = if options.url.is_some() { None } else { journal_record_bytes(options, &daybook, &books) };
    limits::measure(options, measured, report).await
}

async fn series(
    options: &Options,
    session: &mut Session,
    what: &str,
    rendered: Arc<[Rendered]>,
) -> Result<Vec<Row>> {
    write_series::run(options, Against::Daybook, what, async |count| {
        let workload = Workload::writes(Arc::clone(&rendered)).authorized(session.authorization().await?);
        Ok(HttpClient::many(count, session.address, &workload))
    })
    .await
}

fn with_aims(mut rows: Vec<Row>) -> Vec<Row> {
    for (row, aim) in rows.iter_mut().zip(AIMS_PER_S) {
        row.aim = Some(aim.to_owned());
    }
    if let Some(open) = rows.get_mut(AIMS_PER_S.len()) {
        open.aim = Some("0.3 of raw commit".to_owned());
    }
    rows
}

/// What one commit takes in the journal, from the export of a book that took its share of the writes. Without it the
/// limits are measured all the same, with the usual size.
fn journal_record_bytes(options: &Options, daybook: &Daybook, books: &[Book]) -> Option<usize> {
    let export = daybook.operate(options, &["audit", "export", "--book", &books.first()?.id]);
    export
        .inspect_err(|error| eprintln!("the record size could not be measured: {error:#}"))
        .ok()
        .as_deref()
        .and_then(mean_record_bytes)
}
