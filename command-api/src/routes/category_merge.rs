use axum::{extract::State, response::Response};
use domain::{Command, id::CategoryId};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CategoryWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, category_in_path},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CategoryMerge)]
pub struct Merge {
    /// The category that takes over; of the same kind, and not below the one that goes.
    #[schema(value_type = String)]
    into: CategoryId,
}

/// Merges a category into another one: everything that is sorted into it goes there, removed entries too, and what
/// stands below it moves below the other. The category itself is archived; restored, it is there again and empty. At
/// most 10,000 entries change at once (`too_many_entries`); undone, all is as it was.
#[utoipa::path(
    post,
    path = "/books/{book}/categories/{category}/merge",
    operation_id = "merge_category",
    tag = "categories",
    params(
        ("book" = String, Path),
        ("category" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = Merge,
    responses((status = 200, description = "It is archived, and `merged_into` says where all went.", body = CategoryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, category)): Path<(String, String)>,
    Json(merge): Json<Merge>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let category = category_in_path(&category)?;
    write.submit(&api, book, &merge, Command::MergeCategory { category, into: merge.into }).await
}
