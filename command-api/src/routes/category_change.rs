use axum::{extract::State, response::Response};
use domain::{Command, command::CategoryPatch, id::CategoryId};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CategoryWritten;
use crate::{
    ApiState,
    fields::{Name, Word, given},
    writes::{Write, book_in_path, category_in_path},
};

/// Only what is given changes; `null` takes a field away.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryChange {
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// `null` moves it to the root of the tree.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    parent: Option<Option<CategoryId>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 40)]
    icon: Option<Option<Word>>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 40)]
    colour: Option<Option<Word>>,
}

/// Renames a category, moves it in the tree or changes its looks.
#[utoipa::path(
    patch,
    path = "/books/{book}/categories/{category}",
    operation_id = "change_category",
    tag = "categories",
    params(
        ("book" = String, Path),
        ("category" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = CategoryChange,
    responses((status = 200, description = "The category as it is now.", body = CategoryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, category)): Path<(String, String)>,
    Json(change): Json<CategoryChange>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let category = category_in_path(&category)?;
    let word = |word: &Option<Option<Word>>| word.clone().map(|word| word.map(|word| word.0));
    let patch = CategoryPatch {
        name: change.name.clone().map(|name| name.0),
        parent: change.parent,
        icon: word(&change.icon),
        colour: word(&change.colour),
    };
    write.submit(&api, book, &change, Command::ChangeCategory { category, patch }).await
}
