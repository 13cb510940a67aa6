//! A whole book as one file, for other programs: a spreadsheet, another Daybook, hledger, beancount.
//!
//! The file is read from one moment of the book, a batch of entries at a time, and the next batch is read once the
//! client has taken the one before: whatever the book holds, an export keeps a few hundred entries in memory.

mod beancount;
mod chart;
mod csv;
mod file_name;
mod hledger;
mod json;
mod ledger_names;

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::Response,
};
use chrono::NaiveDate;
use domain::{
    book::KeptEntry,
    id::{BookId, EntryId, UserId},
};
use http::{HeaderValue, StatusCode, header};
use http_kit::{exchange::BookFile, json::Query, problem::Problem};
use read_model::{
    ModelError, ReadModel,
    queries::{
        Connection, SqlError,
        books::{self, Standing},
        export,
        spending::Days,
    },
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task,
    time::{self, Instant},
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, View, etag, is_no_part_of_the_view, respond},
    filter::Day,
    pages::invalid_parameter,
};
use chart::Chart;

/// How many entries are read at once. Each takes a few hundred bytes, and at most some 20 kB.
const BATCH_ENTRIES: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExportFormat)]
pub enum Format {
    /// For spreadsheets: a line for each entry, and for each part of one that is split.
    Csv,
    /// All of the book, also what was removed; importing it into an empty book makes an equal one.
    Json,
    /// A journal for hledger.
    Hledger,
    /// A file for beancount.
    Beancount,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Json => "application/json",
            Format::Hledger => "text/x-hledger; charset=utf-8",
            Format::Beancount => "text/x-beancount; charset=utf-8",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Hledger => "journal",
            Format::Beancount => "beancount",
        }
    }
}

#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    #[param(inline)]
    pub format: Format,
    /// The first day. For `csv` only: the balances of a ledger that lacks its beginning would be wrong.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last day, included. For `csv` only.
    #[param(value_type = Option<String>, format = Date)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

/// A book as a file, as it was at one moment. An answer that ends early is cut off and not completed.
///
/// `csv` has amounts signed as they change the account, and text that a spreadsheet would take for a formula begins
/// with an apostrophe. In `hledger` and `beancount` names are changed where their grammars ask for it; the id stands
/// beside each. Entries that were removed are in `json` only.
#[utoipa::path(
    get,
    path = "/books/{book}/export",
    tag = "books",
    params(("book" = String, Path), Parameters),
    responses(
        (
            status = 200,
            description = "`ETag` is the book's version; `Content-Disposition` names the file.",
            content((BookFile = "application/json"), (String = "text/csv"), (String = "text/x-hledger"), (String = "text/x-beancount")),
        ),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded` (too many exports at once), `unavailable`"),
    ),
)]
pub async fn export_book(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let days = days(&asked)?;
    let standing = api.standing(&reader, asked.min_version).await?;
    let view = View::of("export", &asked);
    if let Some(not_modified) = api.not_modified(&reader, &standing, &view) {
        return Ok(not_modified);
    }
    let permit = api.exports.clone().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new("overloaded").retry_after(10))?;
    let (model, user, format) = (api.read_model.clone(), reader.user, asked.format);
    let begun = task::spawn_blocking(move || Export::begin(&model, standing.book, user, format, days)).await;
    let begun = begun.map_err(|panic| Problem::internal("begin an export", &panic))?;
    let (standing, export) = match begun {
        Ok(Some(begun)) => begun,
        Ok(None) => return Err(Problem::new("book_not_found")),
        // The file may have been replaced by a rebuild a moment ago.
        Err(error @ ModelError::Open(_)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "an export found no read model");
            return Err(Problem::new("unavailable").retry_after(1));
        }
        Err(error) => return Err(Problem::internal("begin an export", &error)),
    };

    let (parts, taken) = mpsc::channel(1);
    let deadline = Instant::now() + Duration::from_millis(api.config.export_deadline_ms);
    tokio::spawn(write(export, parts, deadline, permit));
    let mut response = respond(StatusCode::OK, etag(&standing, &view), body(taken));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let name = format!("{} {}", standing.settings.name.as_str().unwrap_or("Book"), api.today(&standing));
    headers.insert(header::CONTENT_DISPOSITION, file_name::attachment(&name, format.extension()));
    Ok(response)
}

fn days(asked: &Parameters) -> Result<Days, Problem> {
    if asked.format != Format::Csv {
        for (name, day) in [("from", asked.from), ("to", asked.to)] {
            if day.is_some() {
                return Err(invalid_parameter(name, "only csv can be asked for some of the days"));
            }
        }
    }
    // Entries lie in these years.
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("the day exists");
    let from = asked.from.map_or(day(1, 1, 1), |from| from.0);
    let to = asked.to.map_or(day(9999, 12, 31), |to| to.0);
    if from > to {
        return Err(invalid_parameter("to", "it lies before from"));
    }
    Ok((from, to))
}

/// How a format writes a book.
trait Write: Send {
    fn head(&mut self) -> Vec<u8>;
    fn entries(&mut self, batch: &[KeptEntry]) -> Vec<u8>;
    fn tail(&mut self) -> Vec<u8>;
    /// Whether the format tells of entries that were removed.
    fn has_removed(&self) -> bool;
}

/// An export under way.
struct Export {
    snapshot: Connection,
    book: BookId,
    days: Days,
    format: Box<dyn Write>,
    stage: Stage,
}

/// What is to be written next.
enum Stage {
    Head,
    Entries { removed: bool, after: Option<(NaiveDate, EntryId)> },
    Tail,
    Complete,
}

impl Export {
    /// `None` if the book is no longer theirs.
    fn begin(
        model: &ReadModel,
        book: BookId,
        user: UserId,
        format: Format,
        days: Days,
    ) -> Result<Option<(Standing, Self)>, ModelError> {
        let snapshot = model.snapshot()?;
        let read = || -> Result<_, SqlError> {
            let Some(standing) = books::standing(&snapshot, book, user)? else { return Ok(None) };
            Ok(Some((Chart::read(&snapshot, &standing)?, standing)))
        };
        let Some((chart, standing)) = read().map_err(read_model::ReadError::from)? else { return Ok(None) };
        let format: Box<dyn Write> = match format {
            Format::Csv => Box::new(csv::Csv::new(chart)),
            Format::Json => Box::new(json::Json::new(chart)),
            Format::Hledger => Box::new(hledger::Hledger::new(chart)),
            Format::Beancount => Box::new(beancount::Beancount::new(chart)),
        };
        Ok(Some((standing, Self { snapshot, book, days, format, stage: Stage::Head })))
    }

    /// The next bytes of the file; `None` once it is complete.
    fn next(&mut self) -> Result<Option<Vec<u8>>, SqlError> {
        match self.stage {
            Stage::Head => {
                self.stage = Stage::Entries { removed: false, after: None };
                Ok(Some(self.format.head()))
            }
            Stage::Entries { removed, after } => {
                let batch = export::entries_after(
                    &self.snapshot,
                    self.book,
                    removed,
                    self.days,
                    after,
                    BATCH_ENTRIES,
                )?;
                self.stage = match batch.last() {
                    Some(last) if batch.len() == BATCH_ENTRIES => {
                        Stage::Entries { removed, after: Some((last.entry.occurred_on, last.entry.id)) }
                    }
                    _ if !removed && self.format.has_removed() => {
                        Stage::Entries { removed: true, after: None }
                    }
                    _ => Stage::Tail,
                };
                Ok(Some(self.format.entries(&batch)))
            }
            Stage::Tail => {
                self.stage = Stage::Complete;
                Ok(Some(self.format.tail()))
            }
            Stage::Complete => Ok(None),
        }
    }
}

/// A piece of the file, or the word that there is no more. Without that word the file is not complete.
enum Part {
    Bytes(Bytes),
    Complete,
}

/// Reads and writes for as long as somebody takes what is written.
async fn write(
    mut export: Export,
    parts: mpsc::Sender<Part>,
    deadline: Instant,
    _permit: OwnedSemaphorePermit,
) {
    loop {
        let next = task::spawn_blocking(move || (export.next(), export)).await;
        let part = match next {
            Ok((Ok(Some(bytes)), rest)) => {
                export = rest;
                Part::Bytes(bytes.into())
            }
            Ok((Ok(None), rest)) => {
                export = rest;
                Part::Complete
            }
            Ok((Err(error), _)) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "an export was cut off, since the read model could not be read");
                return;
            }
            // Who installed the panic hook has logged it.
            Err(_) => return,
        };
        let is_last = matches!(part, Part::Complete);
        match time::timeout_at(deadline, parts.send(part)).await {
            Ok(Ok(())) if !is_last => {}
            // Complete, or the client is gone.
            Ok(_) => return,
            Err(_) => {
                tracing::warn!("an export was cut off, since the client took it too slowly");
                return;
            }
        }
    }
}

/// Ends well only after the word that the file is complete; anything else cuts the answer off, and the client sees
/// that.
fn body(mut parts: mpsc::Receiver<Part>) -> Body {
    Body::from_stream(futures::stream::poll_fn(move |context| {
        parts.poll_recv(context).map(|part| match part {
            Some(Part::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Part::Complete) => None,
            None => Some(Err(io::Error::other("the export was cut off"))),
        })
    }))
}
