use axum::{extract::State, response::Response};
use domain::Command;
use http_kit::{json::Path, problem::Problem};

use super::member::MemberWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, member_in_path},
};

/// Removes a member, or leaves the book: with one's own id any member may, with another's an owner.
///
/// From the answer on every write of theirs is refused. Reads follow within milliseconds; with the answer's version
/// as `min_version` a read is refused for certain. What they wrote stays, under their name. The last owner
/// stays (`last_owner`).
#[utoipa::path(
    delete,
    path = "/books/{book}/members/{user}",
    operation_id = "remove_member",
    tag = "members",
    params(
        ("book" = String, Path),
        ("user" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again, after leaving too."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "They are no member any more.", body = MemberWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, user)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let user = member_in_path(&user)?;
    write.submit(&api, book, &(), Command::RemoveMember { user }).await
}
