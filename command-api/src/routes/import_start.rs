use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{
    Command, Event,
    command::{ImportLine, ImportStart},
    entry::AccountKind,
    event::Verdict,
    id::{BookId, ImportId},
    text::{NAME_MAX, Text},
};
use http_kit::{
    json::{Json, Path},
    problem::{FieldError, Problem},
    resources,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::import::{ImportForm, ImportWritten, Target, Upload, unreadable, usual_category};
use crate::{
    ApiState,
    owner::{Answer, Chart, Outcome, Sources},
    statements::csv::{self, Guess, Mapping},
    writes::{Write, book_in_path, derived_uuid, print, problem, respond},
};

/// With `mode=all` a file of up to this many lines is one commit.
const WHOLE_LINES_MAX: usize = 10_000;
/// Lines shown with a guess.
const PREVIEW_LINES: usize = 20;
/// Faults told at once when nothing goes in.
const FAULTS_MAX: usize = 200;

/// How the file seems to be laid out. Nothing has been written: send it again with `guess.mapping` as `mapping`.
#[derive(Serialize, ToSchema)]
pub struct GuessAnswer {
    guess: Guess,
    /// The first lines as the guess reads them.
    preview: Vec<PreviewLine>,
}

#[derive(Serialize, ToSchema)]
struct PreviewLine {
    line: u64,
    occurred_on: Option<String>,
    /// Signed: negative left the account.
    amount: Option<String>,
    payee: Option<String>,
    note: Option<String>,
    /// Why the line would be refused.
    code: Option<String>,
    detail: Option<String>,
}

/// What would become of each line. Nothing has been written.
#[derive(Serialize, ToSchema)]
pub struct DryRunAnswer {
    dry_run: bool,
    lines: Vec<resources::ImportLine>,
    taken: u64,
    duplicates: u64,
    refused: u64,
}

/// Imports a statement.
///
/// Without `mapping` the format is guessed and nothing is written (200). With `dry_run` nothing is written either: the
/// answer says what would become of each line (200). Otherwise the lines go in, several hundred to a commit, and the
/// answer comes when all are dealt with (201); meanwhile the import can be read. Where the answer gets lost, or comes as
/// 503, send the same file with the same key: the import goes on where it stopped, and nothing is taken twice.
#[utoipa::path(
    post,
    path = "/books/{book}/imports",
    operation_id = "start_import",
    tag = "imports",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body(content = ImportForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The import, finished; `Location` is where it is read.", body = ImportWritten),
        (status = 200, description = "A guess, or a dry run: nothing was written.", body = DryRunOrGuess),
    ),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    upload: Upload,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let chart = api.owners.chart(book, write.caller.user).await.map_err(|refusal| problem(&refusal))?;
    let imports = chart.imports.clone();
    let Some(mapping) = upload.mapping.clone() else {
        let file = upload.file.clone();
        return off_the_async_threads(move || guess(&file, &chart))
            .await
            .map(|answer| Json(answer).into_response());
    };
    let lines = {
        let (file, mapping, sources) = (upload.file.clone(), mapping.clone(), api.sources.clone());
        off_the_async_threads(move || read(&file, &mapping, &chart, &sources)).await?
    };

    let import = import_of(&write, book);
    let start = ImportStart { file_name: file_name(&upload.file_name), lines: lines.len() as u64 };
    if upload.dry_run {
        let report = preview(&api, &write, book, start, lines).await?;
        return Ok(Json(report).into_response());
    }
    // A repetition was looked through the first time; since then the book may have changed.
    if upload.all_or_nothing && !imports.contains(&import) {
        let report = preview(&api, &write, book, start.clone(), lines.clone()).await?;
        refuse_faulty(&report)?;
    }
    let content = (print(&[&upload.file]).0, mapping, upload.all_or_nothing);
    let commit_lines = match upload.all_or_nothing {
        true => WHOLE_LINES_MAX,
        false => api.config.import_commit_lines,
    };
    let commits = Commits { write, book, import, start, all_or_nothing: upload.all_or_nothing, commit_lines };
    // On a task of its own: a client that hangs up does not leave half a statement behind.
    let outcome = tokio::spawn(async move { commits.write(&api, &content, lines).await });
    let outcome = outcome.await.map_err(|error| Problem::internal("import a statement", &error))?;
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

/// A file may have 16 MiB; whoever else is being served must not wait for it.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Problem::internal("read a statement", &error)))
}

fn read(
    file: &[u8],
    mapping: &Mapping,
    chart: &Chart,
    sources: &Sources,
) -> Result<Vec<ImportLine>, Problem> {
    let target = Target::find(mapping, chart)?;
    let statement =
        csv::read(file, mapping, target.currency.decimals()).map_err(|error| unreadable(&error))?;
    Ok(statement.lines.into_iter().map(|line| target.reading(line, mapping, chart, sources)).collect())
}

fn guess(file: &[u8], chart: &Chart) -> Result<GuessAnswer, Problem> {
    let mut guess = csv::guess(file).map_err(|error| unreadable(&error))?;
    // The first open account of a bank is the likeliest; whoever confirms the guess sees which one it is.
    let mut open = chart.accounts.iter().filter(|(_, account)| !account.closed);
    let first = open.clone().find(|(_, account)| account.kind == AccountKind::Bank).or_else(|| open.next());
    guess.mapping.account = first.map(|(id, _)| id.to_string());
    let usual = |kind| usual_category(chart, kind).map(|id| id.to_string());
    guess.mapping.default_expense_category = usual(domain::entry::CategoryKind::Expense);
    guess.mapping.default_income_category = usual(domain::entry::CategoryKind::Income);

    let currency = first.map(|(_, account)| account.currency);
    let decimals = currency.map_or(2, |currency| currency.decimals());
    let statement = csv::read(file, &guess.mapping, decimals).map_err(|error| unreadable(&error))?;
    let preview = statement.lines.into_iter().take(PREVIEW_LINES).map(|line| match line.outcome {
        Ok(row) => PreviewLine {
            line: line.number,
            occurred_on: Some(row.occurred_on.to_string()),
            amount: currency
                .map(|currency| domain::money::Money { minor: row.amount_minor, currency }.decimal()),
            payee: Some(row.payee),
            note: Some(row.note),
            code: None,
            detail: None,
        },
        Err(refusal) => PreviewLine {
            line: line.number,
            occurred_on: None,
            amount: None,
            payee: None,
            note: None,
            code: Some(refusal.code.to_owned()),
            detail: Some(refusal.detail),
        },
    });
    Ok(GuessAnswer { preview: preview.collect(), guess })
}

async fn preview(
    api: &ApiState,
    write: &Write,
    book: BookId,
    start: ImportStart,
    lines: Vec<ImportLine>,
) -> Result<DryRunAnswer, Problem> {
    // Not the request's own id: its key may have been used already.
    let import = ImportId::from_uuid((api.sources.next_uuid)());
    let command =
        Command::ImportLines { import, start: Some(start), lines, finish: true, all_or_nothing: false };
    let events =
        api.owners.preview(book, write.caller.user, command).await.map_err(|refusal| problem(&refusal))?;
    let mut answer = DryRunAnswer { dry_run: true, lines: Vec::new(), taken: 0, duplicates: 0, refused: 0 };
    for event in &events {
        let Event::ImportLinesJudged { lines, .. } = event else { continue };
        for judged in lines {
            let (verdict, entry, code, detail) = match &judged.verdict {
                Verdict::Taken { .. } => {
                    answer.taken += 1;
                    ("taken", None, None, None)
                }
                Verdict::DuplicateOf { entry } => {
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
    Ok(answer)
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
    all_or_nothing: bool,
    commit_lines: usize,
}

impl Commits {
    async fn write(self, api: &ApiState, content: &impl Serialize, lines: Vec<ImportLine>) -> Outcome {
        let fingerprint = self.write.fingerprint(content);
        let parts: Vec<&[ImportLine]> = lines.chunks(self.commit_lines.max(1)).collect();
        let last = parts.len().saturating_sub(1);
        let mut was_replayed = true;
        let mut final_answer = None;
        for (number, part) in parts.into_iter().enumerate() {
            let key_part = if number == 0 { String::new() } else { format!("import/{number}") };
            let command = Command::ImportLines {
                import: self.import,
                start: (number == 0).then(|| self.start.clone()),
                lines: part.to_vec(),
                finish: number == last,
                all_or_nothing: self.all_or_nothing,
            };
            let key = self.write.key_print(self.book, &key_part);
            let mut order = self.write.order(self.book, key, fingerprint, command);
            if number > 0 {
                order.if_match = None;
                order.causation_id = Some(self.import.to_string());
            }
            let answer = api.owners.execute(order).await?;
            was_replayed &= answer.replayed;
            final_answer = Some(answer);
        }
        let answer = final_answer.ok_or(crate::owner::Refusal::NotApplied)?;
        let location = Some(format!("/api/v1/books/{}/imports/{}", self.book, self.import));
        Ok(Answer { status: 201, location, replayed: was_replayed, ..answer })
    }
}
