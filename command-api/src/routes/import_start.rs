use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    Command, Event,
    command::{ImportChart, ImportLine, ImportStart},
    event::Verdict,
    id::{AccountId, BookId, ImportId},
    text::{NAME_MAX, Text},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_kit::{
    json::{Json, Path},
    problem::{FieldError, Problem},
    resources,
};
use serde::Serialize;
use tokio::sync::{Semaphore, oneshot};
use utoipa::ToSchema;

use super::{
    import::{ImportForm, ImportWritten, Upload, unreadable},
    import_book,
    import_guess::{self, GuessAnswer},
    import_mapping::{FileMapping, Mapping},
    import_revert::is_reverted,
    import_target::{Target, account_id_of_name},
};
use crate::{
    ApiState,
    owner::{Answer, Chart, Outcome, Print, Refusal, Sources},
    statements::{self, NamedAccount, Statement, csv},
    writes::{Write, book_in_path, derived_uuid, print, problem, respond},
};

/// With `mode=all` a file of up to this many lines is one commit.
const WHOLE_LINES_MAX: usize = 10_000;
/// Entries of a whole book that go into one commit; they are longer than lines of a statement.
const BOOK_COMMIT_ENTRIES: usize = 2_000;
/// Entries taken back in one commit, where a file turns out to be refused after its first lines went in.
const TAKEN_BACK_MAX: usize = 1_000;
/// Faults told at once when nothing goes in.
const FAULTS_MAX: usize = 200;
/// Files that are read and written at once. A file of the largest size takes some hundred megabytes while it is read.
const AT_ONCE_MAX: usize = 4;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: &str = "respond-async";

static AT_ONCE: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// What would become of each line. Nothing has been written.
#[derive(Serialize, ToSchema)]
pub struct DryRunAnswer {
    dry_run: bool,
    lines: Vec<resources::ImportLine>,
    taken: u64,
    duplicates: u64,
    refused: u64,
}

/// Imports a file: a bank's statement, another program's ledger, or a whole book.
///
/// Read are CSV, OFX and QFX, QIF, CAMT.053, what YNAB, Actual and Firefly III export, and the JSON that this program
/// exports; a whole book goes into an empty one, by its owner, with all ids. Without `mapping` the format is guessed and nothing is written (200). With `dry_run` nothing is written either:
/// the answer says what would become of each line (200). Otherwise the lines go in, several hundred to a commit, and the
/// answer comes when all are dealt with (201); meanwhile its progress can be followed. With `Prefer: respond-async` the
/// answer comes after the first commit (202). Where the answer gets lost, or comes as 503, send the same file with the
/// same key: the import goes on where it stopped, and nothing is taken twice.
///
/// A transfer that the files of both accounts tell of is one entry: a line that says that its money went to another
/// account of the book, or came from there, is the other side of an entry of that account with the same amount, at most
/// `transfer_days` away, that is a transfer already, or that an import left in a default category and nobody has touched
/// since. What says so is the file itself, the mapping's `transfers`, or the number of the other account. A line that
/// nothing is known of is the other side of a transfer of the book that waits for it.
#[utoipa::path(
    post,
    path = "/books/{book}/imports",
    operation_id = "start_import",
    tag = "imports",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
        ("Prefer" = Option<String>, Header, description = "`respond-async`: answer with 202 once the import has begun (RFC 7240)."),
    ),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The import, finished; `Location` is where it is read.", body = ImportWritten),
        (status = 202, description = "The import has begun and goes on; `Location` is where it is read.", body = ImportWritten),
        (status = 200, description = "A guess, or a dry run: nothing was written.", body = DryRunOrGuess),
    ),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    headers: HeaderMap,
    upload: Upload,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let chart = api.owners.chart(book, write.caller.user).await.map_err(|refusal| problem(&refusal))?;
    // Never closed, so that everybody's turn comes.
    let turn = AT_ONCE.acquire().await.map_err(|error| Problem::internal("wait for a turn", &error))?;
    let Some(mapping) = upload.mapping.clone() else {
        let file = upload.file.clone();
        return off_the_async_threads(move || import_guess::guess(&file, &chart))
            .await
            .map(|answer| Json(answer).into_response());
    };
    let import = upload.id.unwrap_or_else(|| import_of(&write, book));
    let is_known = chart.imports.contains(&import);
    let reading = {
        let (file, mapping, sources) = (upload.file.clone(), mapping.clone(), api.sources.clone());
        off_the_async_threads(move || Reading::of(&file, &mapping, &chart, import, sources)).await?
    };

    // A book that is half there is no book.
    let all_or_nothing = upload.all_or_nothing || reading.is_book;
    let start = ImportStart { file_name: file_name(&upload.file_name), lines: reading.count as u64 };
    if upload.dry_run {
        let (_, report) = preview(&api, &write, book, start, reading).await?;
        return Ok(Json(report).into_response());
    }
    // A repetition was looked through the first time; since then the book may have changed.
    let reading = if all_or_nothing && !is_known {
        let (reading, report) = preview(&api, &write, book, start.clone(), reading).await?;
        refuse_faulty(&report)?;
        reading
    } else {
        reading
    };
    let content = (print(&[&upload.file]).0, mapping, all_or_nothing, upload.id);
    let fingerprint = write.fingerprint(&content);
    let commit_lines = match (reading.is_book, all_or_nothing) {
        (true, _) => BOOK_COMMIT_ENTRIES,
        (false, true) => WHOLE_LINES_MAX,
        (false, false) => api.config.import_commit_lines,
    };
    let commits = Commits { write, book, import, start, fingerprint, all_or_nothing, commit_lines };
    let (begun, has_begun) = oneshot::channel();
    // On a task of its own: a client that hangs up does not leave half a statement behind.
    let task = tokio::spawn(async move {
        let outcome = commits.write(&api, reading, begun).await;
        drop(turn);
        if let Err(refusal) = &outcome {
            tracing::warn!(%import, %refusal, "an import has stopped");
        }
        outcome
    });
    if prefers_async(&headers)
        && let Ok(answer) = has_begun.await
    {
        let mut response = respond(Ok(Answer { status: 202, ..answer }))?;
        response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
        return Ok(response);
    }
    let outcome = task.await.map_err(|error| Problem::internal("import a statement", &error))?;
    respond(outcome)
}

/// The two answers that write nothing.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, clippy::large_enum_variant)]
pub enum DryRunOrGuess {
    Guess(GuessAnswer),
    DryRun(DryRunAnswer),
}

fn prefers_async(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split([',', ';']));
    preferences.any(|preference| preference.trim().eq_ignore_ascii_case(RESPOND_ASYNC))
}

/// The same caller, book and key always name the same import, so that a repetition goes on with it.
fn import_of(write: &Write, book: BookId) -> ImportId {
    ImportId::from_uuid(derived_uuid(&[
        b"daybook.import.v1",
        write.caller.user.as_bytes(),
        book.as_bytes(),
        write.key.as_str().as_bytes(),
    ]))
}

fn file_name(given: &str) -> Text {
    let name = given.rsplit(['/', '\\']).next().unwrap_or(given);
    let cut: String = name.chars().filter(|letter| !letter.is_control()).take(NAME_MAX).collect();
    Text::line(&cut, NAME_MAX).unwrap_or_else(|_| Text::known("statement.csv"))
}

/// A file may have many megabytes; whoever else is being served must not wait for it.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::internal("read a statement", &error)))
}

/// A file that has been read, on its way into the book.
struct Reading {
    /// Accounts and categories that go in first. Whether there is such a beginning follows from the mapping alone, so that
    /// a repetition of the request comes to the same commits.
    chart: Option<ImportChart>,
    count: usize,
    lines: Box<dyn Iterator<Item = ImportLine> + Send>,
    is_book: bool,
}

impl Reading {
    fn of(
        file: &[u8],
        mapping: &Mapping,
        chart: &Chart,
        import: ImportId,
        sources: Sources,
    ) -> Result<Self, Problem> {
        let (statement, target, makes_chart) = match mapping {
            Mapping::Csv(mapping) => {
                let (statement, target) = read_csv(file, mapping, chart, import)?;
                (statement, target, false)
            }
            Mapping::File(mapping) if mapping.format.statement().is_none() => return Self::of_book(file),
            Mapping::File(mapping) => {
                let (statement, target) = read_file(file, mapping, chart, import)?;
                (statement, target, mapping.create_missing)
            }
        };
        let mut lines = statement.lines;
        lines.retain(|line| !target.leaves_out(line));
        let made = makes_chart.then(|| target.chart().clone());
        Ok(Self {
            chart: made,
            count: lines.len(),
            lines: Box::new(lines.into_iter().map(move |line| target.line(line, &sources))),
            is_book: false,
        })
    }

    fn of_book(file: &[u8]) -> Result<Self, Problem> {
        let file = import_book::read(file)?;
        let chart = import_book::chart(&file)?;
        let count = file.entries.len();
        Ok(Self {
            chart: Some(chart),
            count,
            lines: Box::new(import_book::lines(file.entries)),
            is_book: true,
        })
    }
}

fn read_csv(
    file: &[u8],
    mapping: &csv::Mapping,
    chart: &Chart,
    import: ImportId,
) -> Result<(Statement, Target), Problem> {
    let account = mapping.account.as_deref().and_then(|id| id.parse::<AccountId>().ok());
    let decimals = decimals_of(chart, account);
    let statement = csv::read(file, mapping, decimals).map_err(|error| unreadable(&error))?;
    let target = Target::of_csv(mapping, &statement, chart, import)?;
    Ok((statement, target))
}

fn read_file(
    file: &[u8],
    mapping: &FileMapping,
    chart: &Chart,
    import: ImportId,
) -> Result<(Statement, Target), Problem> {
    let Some(format) = mapping.format.statement() else {
        return Err(Problem::new("book_file_invalid"));
    };
    let own = mapping.account.as_deref().and_then(|id| id.parse::<AccountId>().ok());
    let decimals = |named: Option<&NamedAccount>| match named {
        None => decimals_of(chart, own),
        Some(named) => {
            let mapped = mapping.accounts.get(named.label()).and_then(Option::as_deref);
            let mapped = mapped.and_then(|id| id.parse::<AccountId>().ok());
            let known = mapped.or_else(|| account_id_of_name(chart, named));
            let code = named.currency.as_deref();
            match (known.or(own), code.and_then(|code| domain::money::Currency::parse(code).ok())) {
                (None, Some(currency)) => currency.decimals(),
                (known, _) => decimals_of(chart, known),
            }
        }
    };
    let statement =
        statements::read(file, format, &mapping.hints(), &decimals).map_err(|error| unreadable(&error))?;
    let target = Target::of_file(mapping, &statement, chart, import)?;
    Ok((statement, target))
}

/// Of the account's currency, or of the book's.
fn decimals_of(chart: &Chart, account: Option<AccountId>) -> u8 {
    let of_account = account.and_then(|id| chart.accounts.get(&id)).map(|account| account.currency);
    let of_book = || chart.settings.as_ref().map(|settings| settings.currency);
    of_account.or_else(of_book).map_or(2, |currency| currency.decimals())
}

/// What would become of the lines; they are handed back.
async fn preview(
    api: &ApiState,
    write: &Write,
    book: BookId,
    start: ImportStart,
    reading: Reading,
) -> Result<(Reading, DryRunAnswer), Problem> {
    // Not the request's own id: its key may have been used already.
    let import = ImportId::from_uuid((api.sources.next_uuid)());
    let Reading { chart, count, lines, is_book } = reading;
    let lines: Vec<ImportLine> = lines.collect();
    let mut commands = Vec::with_capacity(2);
    let begins_with_chart = chart.is_some();
    if let Some(chart) = &chart {
        commands.push(Command::StartImport { import, start: start.clone(), chart: chart.clone() });
    }
    commands.push(Command::ImportLines {
        import,
        start: (!begins_with_chart).then_some(start),
        lines: lines.clone(),
        finish: true,
        all_or_nothing: false,
    });
    let events = api.owners.preview_all(book, write.caller.user, commands).await;
    let events = events.map_err(|refusal| problem(&refusal))?;
    let mut answer = DryRunAnswer { dry_run: true, lines: Vec::new(), taken: 0, duplicates: 0, refused: 0 };
    for event in &events {
        let Event::ImportLinesJudged { lines, .. } = event else { continue };
        for judged in lines {
            let (verdict, entry, code, detail) = match &judged.verdict {
                Verdict::Taken { .. } => {
                    answer.taken += 1;
                    ("taken", None, None, None)
                }
                Verdict::DuplicateOf { entry } | Verdict::MirrorOf { entry, .. } => {
                    answer.duplicates += 1;
                    ("duplicate", Some(entry.to_string()), None, None)
                }
                Verdict::Refused { code, detail } => {
                    answer.refused += 1;
                    ("refused", None, Some(code.clone()), detail.as_str().map(str::to_owned))
                }
            };
            answer.lines.push(resources::ImportLine {
                line: judged.line,
                verdict: verdict.to_owned(),
                entry,
                code,
                detail,
            });
        }
    }
    Ok((Reading { chart, count, lines: Box::new(lines.into_iter()), is_book }, answer))
}

fn refuse_faulty(report: &DryRunAnswer) -> Result<(), Problem> {
    if report.refused == 0 {
        return Ok(());
    }
    let refused = report.lines.iter().filter(|line| line.verdict == "refused");
    let faults = refused.take(FAULTS_MAX).map(|line| FieldError {
        pointer: format!("/lines/{}", line.line),
        code: "import_refused",
        detail: format!(
            "Line {}: {} ({})",
            line.line,
            line.detail.as_deref().unwrap_or_default(),
            line.code.as_deref().unwrap_or_default()
        ),
    });
    let detail = format!("{} lines cannot be taken, so nothing was. The errors name them.", report.refused);
    let problem = faults.fold(Problem::new("import_refused").detail(detail), |problem, fault| {
        problem.field(fault.pointer, fault.code, fault.detail)
    });
    Err(problem.with("outcome", "not_applied"))
}

/// An import cut into commits. Each has a key of its own that follows from the request's, so that a repetition of the
/// request finds those that were made and makes the others.
struct Commits {
    write: Write,
    book: BookId,
    import: ImportId,
    start: ImportStart,
    fingerprint: Print,
    all_or_nothing: bool,
    commit_lines: usize,
}

impl Commits {
    /// `begun` hears the answer to the first commit, where more are to come.
    async fn write(self, api: &ApiState, reading: Reading, begun: oneshot::Sender<Answer>) -> Outcome {
        let Reading { chart, count, mut lines, .. } = reading;
        let commit_lines = self.commit_lines.max(1);
        let parts = count.div_ceil(commit_lines).max(1);
        let begins_with_chart = chart.is_some();
        let beginning =
            chart.map(|chart| Command::StartImport { import: self.import, start: self.start.clone(), chart });
        let stretches = (0..parts).map(|part| Command::ImportLines {
            import: self.import,
            start: (part == 0 && !begins_with_chart).then(|| self.start.clone()),
            lines: lines.by_ref().take(commit_lines).collect(),
            finish: part + 1 == parts,
            all_or_nothing: self.all_or_nothing,
        });
        let mut begun = Some(begun);
        let mut was_replayed = true;
        let mut final_answer = None;
        for (number, command) in beginning.into_iter().chain(stretches).enumerate() {
            let key_part = if number == 0 { String::new() } else { format!("import/{number}") };
            let answer = match self.execute(api, &key_part, command).await {
                Ok(answer) => answer,
                Err(refusal @ Refusal::Rejected(_)) if self.all_or_nothing && number > 0 => {
                    // The book has changed since the file was looked through.
                    self.take_back(api).await;
                    return Err(refusal);
                }
                Err(refusal) => return Err(refusal),
            };
            was_replayed &= answer.replayed;
            let is_last = number + 1 == parts + usize::from(begins_with_chart);
            let answer = self.located(answer);
            // Who asked may have gone away.
            if !is_last && let Some(begun) = begun.take() {
                let _ = begun.send(answer.clone());
            }
            final_answer = Some(answer);
        }
        let answer = final_answer.ok_or(Refusal::NotApplied)?;
        Ok(Answer { replayed: was_replayed, ..answer })
    }

    fn located(&self, answer: Answer) -> Answer {
        let location = Some(format!("/api/v1/books/{}/imports/{}", self.book, self.import));
        Answer { status: 201, location, ..answer }
    }

    async fn execute(&self, api: &ApiState, key_part: &str, command: Command) -> Outcome {
        let key = self.write.key_print(self.book, key_part);
        let mut order = self.write.order(self.book, key, self.fingerprint, command);
        if !key_part.is_empty() {
            order.if_match = None;
            order.causation_id = Some(self.import.to_string());
        }
        api.owners.execute(order).await
    }

    /// Takes the first lines of a refused file back, as far as that goes; what does not is in the import's report.
    async fn take_back(&self, api: &ApiState) {
        let import = self.import;
        let finish = Command::ImportLines {
            import,
            start: None,
            lines: Vec::new(),
            finish: true,
            all_or_nothing: true,
        };
        let mut outcome = self.execute(api, "import/refused", finish).await;
        for number in 0u64.. {
            match &outcome {
                Ok(answer) if is_reverted(answer) => return,
                Ok(_) => {}
                Err(refusal) => {
                    tracing::warn!(%import, %refusal, "a refused import is not taken back whole");
                    return;
                }
            }
            let revert = Command::RevertImport { import, entries_max: TAKEN_BACK_MAX };
            outcome = self.execute(api, &format!("import/refused/{number}"), revert).await;
        }
    }
}
