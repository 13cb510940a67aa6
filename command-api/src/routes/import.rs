//! What the imports share: the parts of the upload, and how a file is answered that cannot be read.

use std::collections::HashSet;

use axum::extract::{FromRequest, Multipart, Request};
use domain::id::ImportId;
use http_kit::{
    problem::{FieldError, Problem},
    resources,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::import_mapping::Mapping;
use crate::statements::StatementError;

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
    pub id: Option<ImportId>,
    pub dry_run: bool,
    pub all_or_nothing: bool,
}

/// The form as OpenAPI shows it.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct ImportForm {
    /// The file, at most 16 MiB; a whole book may have 64.
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// How to read it, as JSON. Without it nothing is written: the format is guessed, and the guess is answered.
    mapping: Option<Mapping>,
    /// Your id for the import, `imp_` and a UUID, so that its progress can be followed from the start; used once.
    #[schema(example = "imp_01kb0d5j6hf2xv9d6q8m4r7t3a")]
    id: Option<String>,
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
        let (mut file, mut mapping, mut id) = (None, None, None);
        let (mut dry_run, mut all_or_nothing) = (false, false);
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
                "mapping" => mapping = Some(Mapping::parse(&bytes)?),
                "id" => id = Some(id_of(&name, &bytes)?),
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
        Ok(Self { file_name, file, mapping, id, dry_run, all_or_nothing })
    }
}

fn refused(error: &axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => Problem::new("body_too_large"),
        _ => Problem::new("body_incomplete").detail("The form is not whole multipart/form-data."),
    }
}

fn id_of(name: &str, bytes: &[u8]) -> Result<ImportId, Problem> {
    let id = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| fault(name, "id_malformed", "An import's id is imp_ and a UUID in 26 letters."))
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
