use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::ImportId;
use http_kit::{
    json::{Path, Query},
    problem::Problem,
    resources::{Import, ImportLine},
};
use read_model::queries::imports::{self, KeptLine};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    answer::{QueryApi, Reader, View, is_no_part_of_the_view},
    imports::resource,
    pages::{self, Page},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    Taken,
    Duplicate,
    Refused,
}

#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Only lines that were judged so.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictName>,
    /// 1 to 200, default 50.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next_cursor` of the part before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Wait, up to two seconds, until the book has this version.
    #[serde(skip_serializing_if = "is_no_part_of_the_view")]
    pub min_version: Option<u64>,
}

/// An import and what became of its lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportWithLines {
    #[serde(flatten)]
    pub import: Import,
    /// Its lines in the order of the file.
    #[serde(flatten)]
    pub lines: Page<ImportLine>,
}

/// How far an import has come, and line by line what was taken, what was there before and what was refused.
#[utoipa::path(
    get,
    path = "/books/{book}/imports/{import}",
    tag = "imports",
    params(("book" = String, Path), ("import" = String, Path), Parameters),
    responses(
        (status = 200, description = "`ETag` is the book's version.", body = ImportWithLines),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`, `cursor_invalid`"),
        (status = 404, description = "`book_not_found`, `import_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn get_import(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Path((_book, import)): Path<(String, String)>,
    Query(asked): Query<Parameters>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let not_found = || Problem::new("import_not_found");
    let import: ImportId = import.parse().map_err(|_| not_found())?;
    let limit = pages::limit(asked.limit)?;
    let list = format!("import {} {import} {:?}", standing.book, asked.verdict);
    let after: u64 = pages::open(&api.cursors, &list, asked.cursor.as_deref())?.unwrap_or(0);
    let verdict = asked.verdict.map(VerdictName::in_rows);
    let cursors = api.cursors.clone();
    api.answer(&reader, standing, View::of(&format!("imports/{import}"), &asked), move |conn, standing| {
        let found = imports::one(conn, standing.book, import)?.ok_or_else(not_found)?;
        let mut lines = imports::lines(conn, standing.book, import, verdict, after, limit + 1)?;
        let goes_on = lines.len() > limit;
        lines.truncate(limit);
        let last = lines.last().filter(|_| goes_on);
        let next_cursor = last.map(|line| cursors.seal(&list, &line.line));
        let data = lines.into_iter().map(shown).collect();
        Ok(ImportWithLines { import: resource(&found), lines: Page { data, next_cursor } })
    })
    .await
}

impl VerdictName {
    fn in_rows(self) -> &'static str {
        match self {
            VerdictName::Taken => "taken",
            VerdictName::Duplicate => "duplicate_of",
            VerdictName::Refused => "refused",
        }
    }
}

fn shown(line: KeptLine) -> ImportLine {
    let verdict =
        if line.verdict == VerdictName::Duplicate.in_rows() { "duplicate".to_owned() } else { line.verdict };
    ImportLine {
        line: line.line,
        verdict,
        entry: line.entry.map(|entry| entry.to_string()),
        code: line.code,
        detail: line.detail,
    }
}
