use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{json::Query, problem::Problem};
use read_model::queries::books;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    answer::{MinVersion, QueryApi, Reader, View},
    pages::List,
};

#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// The person's id.
    pub id: String,
    /// `null` for somebody who is gone.
    pub name: Option<String>,
    /// `owner`, `editor` or `viewer`.
    pub role: String,
}

/// Who keeps the book.
#[utoipa::path(
    get,
    path = "/books/{book}/members",
    tag = "members",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version. Names are those of the moment; they change without it.", body = List<Member>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_members(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    api.answer_named(
        &reader,
        standing,
        View::of("members", &asked),
        |conn, standing| Ok(books::members(conn, standing.book)?),
        |members| members.iter().map(|member| member.user).collect(),
        |members, named| {
            let shown = members.into_iter().map(|member| {
                let person = named.actor(member.user);
                Member { id: person.id, name: person.name, role: member.role.as_str().to_owned() }
            });
            List { data: shown.collect() }
        },
    )
    .await
}
