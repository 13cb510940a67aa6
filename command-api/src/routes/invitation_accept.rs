use axum::{extract::State, response::Response};
use domain::{Command, Rejection};
use http_kit::{json::Json, problem::Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BookWritten, invitation};
use crate::{
    ApiState,
    owner::Refusal,
    writes::{Write, problem},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// As the owner who invited was told it.
    token: String,
}

/// Accepts an invitation: the caller becomes a member of its book.
///
/// A token that is unknown, used, withdrawn or out of date is refused in the same words, whichever it is
/// (`invitation_invalid`). The key belongs to the caller and the book of the token.
#[utoipa::path(
    post,
    path = "/invitations/accept",
    operation_id = "accept_invitation",
    tag = "members",
    params(
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
    ),
    request_body = Acceptance,
    responses((status = 200, description = "The book, with the caller's role in it.", body = BookWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Json(acceptance): Json<Acceptance>,
) -> Result<Response, Problem> {
    let opened = invitation::opened(&api, &acceptance.token).await?;
    let invalid = || problem(&Refusal::Rejected(Rejection::InvitationInvalid));
    let (book, invitation) = opened.ok_or_else(invalid)?;
    let command = Command::AcceptInvitation { invitation, at: (api.sources.now)() };
    write.submit(&api, book, &acceptance, command).await
}
