use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{
    json::Query,
    problem::Problem,
    resources::{Invitation, instant},
};
use read_model::queries::invitations::{self, OpenInvitation};

use crate::{
    answer::{MinVersion, QueryApi, Reader, View, etag, json, ok, only_for_owners},
    pages::List,
};

/// The invitations that are neither accepted nor withdrawn, the first to expire first.
///
/// For owners alone: nobody else learns who was invited. One that is out of date has the status `expired`, and stays
/// until it is withdrawn.
#[utoipa::path(
    get,
    path = "/books/{book}/invitations",
    tag = "members",
    params(("book" = String, Path), MinVersion),
    responses(
        (status = 200, description = "`ETag` is the book's version and, once one has expired, the instant at which the last one did.", body = List<Invitation>),
        (status = 304, description = "Nothing has changed since the `ETag` in `If-None-Match`."),
        (status = 400, description = "`unknown_parameter`, `invalid_parameter`, `version_unknown`"),
        (status = 403, description = "`role_forbids`"),
        (status = 404, description = "`book_not_found`"),
        (status = 503, description = "`not_yet_visible`, `overloaded`, `unavailable`"),
    ),
)]
pub async fn list_invitations(
    State(api): State<Arc<QueryApi>>,
    reader: Reader,
    Query(asked): Query<MinVersion>,
) -> Result<Response, Problem> {
    let standing = api.standing(&reader, asked.min_version).await?;
    let read = api.read(&reader, standing, |conn, standing| {
        only_for_owners(standing)?;
        Ok(invitations::open(conn, standing.book)?)
    });
    let (standing, open) = read.await?;
    let now = api.now();
    let expired = |open: &OpenInvitation| open.expires_at <= now;
    let view = View::of("invitations", &asked);
    let view = match open.iter().filter(|open| expired(open)).map(|open| open.expires_at).max() {
        Some(last) => view.since(last),
        None => view,
    };
    if let Some(not_modified) = api.not_modified(&reader, &standing, &view) {
        return Ok(not_modified);
    }
    let shown = open.iter().map(|open| Invitation {
        id: open.invitation.to_string(),
        email: open.email.as_str().map(str::to_owned),
        role: open.role.as_str().to_owned(),
        expires_at: instant(&open.expires_at),
        status: if expired(open) { "expired" } else { "open" }.to_owned(),
    });
    Ok(ok(etag(&standing, &view), json(&List { data: shown.collect() })))
}
