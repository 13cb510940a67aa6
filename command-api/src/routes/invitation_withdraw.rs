use axum::{extract::State, response::Response};
use domain::Command;
use http_kit::{json::Path, problem::Problem};

use super::invitation::InvitationWritten;
use crate::{
    ApiState,
    writes::{Write, book_in_path, invitation_in_path},
};

/// Withdraws an invitation: its token is worth nothing any more.
///
/// One that was accepted or withdrawn before is refused (`invitation_invalid`); whoever came in with it is a member,
/// to be removed as one.
#[utoipa::path(
    delete,
    path = "/books/{book}/invitations/{invitation}",
    operation_id = "withdraw_invitation",
    tag = "members",
    params(
        ("book" = String, Path),
        ("invitation" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    responses((status = 200, description = "It is withdrawn.", body = InvitationWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path((book, invitation)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let invitation = invitation_in_path(&invitation)?;
    write.submit(&api, book, &(), Command::WithdrawInvitation { invitation }).await
}
