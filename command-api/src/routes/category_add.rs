use axum::{extract::State, response::Response};
use domain::{Command, command::NewCategory, entry::CategoryKind, id::CategoryId};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CategoryWritten;
use crate::{
    ApiState,
    fields::{Name, Word},
    writes::{Write, book_in_path},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryToAdd {
    #[schema(value_type = String, max_length = 100, example = "Groceries")]
    name: Name,
    /// `expense` or `income`.
    #[schema(value_type = String, example = "expense")]
    kind: CategoryKind,
    /// The category above it, of the same kind.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<CategoryId>,
    /// A name that the client has a picture for.
    #[schema(value_type = Option<String>, max_length = 40)]
    #[serde(skip_serializing_if = "Option::is_none")]
    icon: Option<Word>,
    #[schema(value_type = Option<String>, max_length = 40, example = "#3b82f6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    colour: Option<Word>,
}

/// Adds a category to the tree.
#[utoipa::path(
    post,
    path = "/books/{book}/categories",
    operation_id = "add_category",
    tag = "categories",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = CategoryToAdd,
    responses((status = 201, description = "The category; `Location` is where it is read.", body = CategoryWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(new): Json<CategoryToAdd>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let category = NewCategory {
        category: CategoryId::from_uuid((api.sources.next_uuid)()),
        name: new.name.0.clone(),
        kind: new.kind,
        parent: new.parent,
        icon: new.icon.clone().map(|icon| icon.0),
        colour: new.colour.clone().map(|colour| colour.0),
    };
    write.submit(&api, book, &new, Command::AddCategory(category)).await
}
