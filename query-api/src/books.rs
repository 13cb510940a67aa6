use std::sync::Arc;

use axum::extract::State;
use http_kit::{
    access::Caller,
    json::{Json, Query},
    problem::Problem,
    resources::Book,
};
use serde::Deserialize;

use crate::{answer::QueryApi, book::resource, pages::List};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {}

/// The books that the caller is a member of, the oldest first.
#[utoipa::path(
    get,
    path = "/books",
    tag = "books",
    responses(
        (status = 200, description = "Each with the caller's role and its version; together they have none.", body = List<Book>),
        (status = 400, description = "`unknown_parameter`"),
        (status = 503, description = "`overloaded`, `unavailable`"),
    ),
)]
pub async fn list_books(
    State(api): State<Arc<QueryApi>>,
    caller: Caller,
    Query(Parameters {}): Query<Parameters>,
) -> Result<Json<List<Book>>, Problem> {
    let books = api.books_of(caller.user).await?;
    Ok(Json(List { data: books.iter().map(resource).collect() }))
}
