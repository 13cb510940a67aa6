use axum::{extract::State, response::Response};
use domain::Command;
use http_kit::{json::Path, problem::Problem};

use super::CategoryWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, category_in_path},
};

/// Archives a category: it takes no new entries and keeps its past. What stands below it stays in use.
#[utoipa::path(
    post,
    path = "/books/{book}/categories/{category}/archive",
    operation_id = "archive_category",
    tag = "categories",
    params(
        ("book" = String, Path),
        ("category" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "It is archived.", body = CategoryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, category)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let category = category_in_path(&category)?;
    write.submit(&api, book, &(), Command::ArchiveCategory { category }).await
}
