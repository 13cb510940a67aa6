use axum::{extract::State, response::Response};
use domain::{Command, event::Role};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::member::MemberWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, member_in_path},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberChange {
    /// `owner`, `editor` or `viewer`.
    #[schema(value_type = String, example = "viewer")]
    role: Role,
}

/// Changes what a member may do. Owners may make others owners and step back themselves; the last one stays
/// (`last_owner`).
#[utoipa::path(
    patch,
    path = "/books/{book}/members/{user}",
    operation_id = "change_member",
    tag = "members",
    params(
        ("book" = String, Path),
        ("user" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = MemberChange,
    responses((status = 200, description = "The member with the new role.", body = MemberWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, user)): Path<(String, String)>,
    Json(change): Json<MemberChange>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let user = member_in_path(&user)?;
    write.submit(&api, book, &change, Command::ChangeMember { user, role: change.role }).await
}
