//! What the imports share: the parts of the upload, and a line of a statement as an entry.

use std::collections::HashSet;

use axum::extract::{FromRequest, Multipart, Request};
use domain::{
    command::{EntryDraft, ImportLine, Reading, Sorting},
    entry::{CategoryKind, EntryKind, statement_mark},
    id::{AccountId, CategoryId, EntryId},
    money::{Amount, Currency},
    text::{NOTE_MAX, PAYEE_MAX, Text},
};
use http_kit::{
    json,
    problem::{FieldError, Problem},
    resources,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    owner::{Chart, Sources},
    statements::csv::{Line, Mapping, Row, StatementError},
};

/// What an import is answered with.
#[derive(Serialize, ToSchema)]
pub struct ImportWritten {
    pub id: String,
    /// The version of the book that the last commit of this write made.
    pub version: u64,
    pub import: resources::Import,
}

/// The parts of the form.
pub struct Upload {
    pub file_name: String,
    pub file: axum::body::Bytes,
    pub mapping: Option<Mapping>,
    pub dry_run: bool,
    pub all_or_nothing: bool,
}

/// The form as OpenAPI shows it.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct ImportForm {
    /// The statement, at most 16 MiB.
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// How to read it, as JSON. Without it nothing is written: the format is guessed, and the guess is answered.
    mapping: Option<Mapping>,
    /// `true`: say what would become of each line, and write nothing.
    dry_run: Option<bool>,
    /// `each` (the default): lines that cannot be taken are reported, the others go in. `all`: one such line, and
    /// nothing goes in.
    #[schema(example = "each")]
    mode: Option<String>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let mut form = Multipart::from_request(request, state).await.map_err(|_| {
            Problem::new("unsupported_media_type").detail("Send the file as multipart/form-data.")
        })?;
        let (mut file, mut mapping, mut dry_run, mut all_or_nothing) = (None, None, false, false);
        let mut given = HashSet::new();
        while let Some(part) = form.next_field().await.map_err(|error| refused(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().unwrap_or("statement.csv").to_owned();
            let bytes = part.bytes().await.map_err(|error| refused(&error))?;
            if !given.insert(name.clone()) {
                return Err(fault(&name, "invalid_value", "This part is there twice."));
            }
            match name.as_str() {
                "file" => file = Some((file_name, bytes)),
                "mapping" => mapping = Some(json::parse::<Mapping>(&bytes).map_err(in_mapping)?),
                "dry_run" => dry_run = choice(&name, &bytes, &[("true", true), ("false", false)])?,
                "mode" => all_or_nothing = choice(&name, &bytes, &[("each", false), ("all", true)])?,
                _ => {
                    let detail = format!("There is no part {name:?} in this form.");
                    return Err(fault(&name, "unknown_field", &detail));
                }
            }
        }
        let (file_name, file) =
            file.ok_or_else(|| fault("file", "field_missing", "The part \"file\" is required."))?;
        Ok(Self { file_name, file, mapping, dry_run, all_or_nothing })
    }
}

fn refused(error: &axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => Problem::new("body_too_large"),
        _ => Problem::new("body_incomplete").detail("The form is not whole multipart/form-data."),
    }
}

/// The faults of the mapping, as the form sees them.
fn in_mapping(problem: Problem) -> Problem {
    if problem.errors().is_empty() {
        return problem;
    }
    let below = |error: &FieldError| FieldError {
        pointer: format!("/mapping{}", error.pointer),
        code: error.code,
        detail: error.detail.clone(),
    };
    Problem::from_fields(problem.errors().iter().map(below).collect())
}

fn choice(name: &str, bytes: &[u8], words: &[(&str, bool)]) -> Result<bool, Problem> {
    let found = words.iter().find(|(word, _)| word.as_bytes() == bytes);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        fault(name, "unknown_value", &format!("This is {}.", allowed.join(" or ")))
    })
}

pub fn fault(name: &str, code: &'static str, detail: &str) -> Problem {
    Problem::from_fields(vec![FieldError { pointer: format!("/{name}"), code, detail: detail.to_owned() }])
}

/// A file that cannot be read as a whole.
pub fn unreadable(error: &StatementError) -> Problem {
    let problem = Problem::new(error.code()).detail(error.to_string());
    match error.line() {
        Some(line) => problem.with("line", line),
        None => problem,
    }
}

/// Where the lines of a statement go.
pub struct Target {
    pub account: AccountId,
    pub currency: Currency,
    expense: CategoryId,
    income: CategoryId,
}

impl Target {
    /// What the mapping names, held against the book; its default categories may be left to the book's own.
    pub fn find(mapping: &Mapping, chart: &Chart) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code, detail: &str| {
            faults.push(FieldError {
                pointer: format!("/mapping/{pointer}"),
                code,
                detail: detail.to_owned(),
            });
        };
        let account = match mapping.account.as_deref().map(str::parse::<AccountId>) {
            None => {
                fault("account", "field_missing", "Say which account the statement is of.");
                None
            }
            Some(id) => {
                let known = id.ok().and_then(|id| Some((id, chart.accounts.get(&id)?.currency)));
                if known.is_none() {
                    fault("account", "unknown_account", "The book has no such account.");
                }
                known
            }
        };
        let mut category = |name: &str, given: &Option<String>, kind: CategoryKind| match given {
            Some(text) => {
                let known = text.parse().ok().filter(|id| chart.categories.contains_key(id));
                if known.is_none() {
                    fault(name, "unknown_category", "The book has no such category.");
                }
                known
            }
            None => {
                let usual = usual_category(chart, kind);
                if usual.is_none() {
                    fault(name, "field_missing", "Say which category takes what no rule sorts.");
                }
                usual
            }
        };
        let expense =
            category("default_expense_category", &mapping.default_expense_category, CategoryKind::Expense);
        let income =
            category("default_income_category", &mapping.default_income_category, CategoryKind::Income);
        for (number, rule) in mapping.rules.iter().enumerate() {
            category(
                &format!("rules/{number}/category"),
                &Some(rule.category.clone()),
                CategoryKind::Expense,
            );
        }
        match (account, expense, income) {
            (Some((account, currency)), Some(expense), Some(income)) if faults.is_empty() => {
                Ok(Self { account, currency, expense, income })
            }
            _ => Err(Problem::from_fields(faults)),
        }
    }

    /// What the line says, as an entry.
    pub fn reading(&self, line: Line, mapping: &Mapping, chart: &Chart, sources: &Sources) -> ImportLine {
        let reading = match line.outcome {
            Err(refusal) => {
                Reading::Unreadable { code: refusal.code.to_owned(), detail: Text::known(refusal.detail) }
            }
            Ok(row) => {
                let mark = statement_mark(self.account, row.occurred_on, row.amount_minor, &row.text);
                let entry = EntryId::from_uuid((sources.next_uuid)());
                Reading::Entry { entry, draft: Box::new(self.draft(&row, mapping, chart)), mark }
            }
        };
        ImportLine { line: line.number, reading }
    }

    fn draft(&self, row: &Row, mapping: &Mapping, chart: &Chart) -> EntryDraft {
        let is_spent = row.amount_minor < 0;
        let chosen = mapping.category_of(row).and_then(|id| id.parse().ok());
        let category = chosen.unwrap_or(if is_spent { self.expense } else { self.income });
        let category_kind = chart.categories.get(&category).map(|known| known.kind);
        let kind = match (is_spent, category_kind) {
            (true, _) => EntryKind::Expense,
            // Money that comes back for something once spent on.
            (false, Some(CategoryKind::Expense)) => EntryKind::Refund,
            (false, Some(CategoryKind::Income) | None) => EntryKind::Income,
        };
        EntryDraft {
            kind,
            occurred_on: row.occurred_on,
            account: self.account,
            amount: Amount::from_minor(row.amount_minor.saturating_abs(), self.currency),
            currency: row.currency.clone(),
            sorting: Sorting::Whole(category),
            to_account: None,
            payee: readable(&row.payee, PAYEE_MAX),
            note: readable(&row.note, NOTE_MAX),
            tags: Vec::new(),
            refund_of: None,
            foreign: None,
        }
    }
}

/// The category that takes what nothing else does: the one named `Other …`, else the first of its kind.
pub fn usual_category(chart: &Chart, kind: CategoryKind) -> Option<CategoryId> {
    let usable = || chart.categories.iter().filter(|(_, known)| known.kind == kind && !known.archived);
    let is_other = |name: &Text| name.as_str().is_some_and(|name| name.to_lowercase().starts_with("other"));
    usable().find(|(_, known)| is_other(&known.name)).or_else(|| usable().next()).map(|(id, _)| *id)
}

/// A bank's text, cut to what an entry holds.
fn readable(text: &str, letters_max: usize) -> Option<Text> {
    let cleared: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let cut: String = cleared.trim().chars().take(letters_max).collect();
    Text::line(&cut, letters_max).ok()
}
