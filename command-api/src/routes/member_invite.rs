use axum::{extract::State, response::Response};
use chrono::{SubsecRound, TimeDelta};
use domain::{Command, event::Role, id::InvitationId};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
    resources,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invitation;
use crate::{
    ApiState,
    fields::Email,
    owner::Answer,
    writes::{Write, book_in_path, derived_uuid, problem, respond},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// For the owners to remember whom they asked. Whether anybody has an account with it is looked up nowhere.
    #[schema(value_type = String, max_length = 254, format = Email, example = "ada@example.org")]
    email: Email,
    /// What they will be: `owner`, `editor` or `viewer`.
    #[schema(value_type = String, example = "editor")]
    role: Role,
}

#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what the answer to the command and the token make together")]
pub struct Invited {
    id: String,
    /// The version of the book that this write made.
    version: u64,
    invitation: resources::Invitation,
    /// Give it to the person, who accepts with it. It is told in this answer only, and in repetitions of it.
    token: String,
}

/// Invites somebody to the book.
///
/// Whoever has the token can accept once, within the days that the operator has set (7 unless changed), whatever
/// e-mail address they signed up with: hand it over as you would a key. Nothing is mailed yet. A token that went
/// astray is made worthless by withdrawing the invitation.
#[utoipa::path(
    post,
    path = "/books/{book}/invitations",
    operation_id = "invite_member",
    tag = "members",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = NewInvitation,
    responses((status = 201, description = "The invitation; `Location` is where it is withdrawn.", body = Invited)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(new): Json<NewInvitation>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    // The same for a repetition, whose token then is the same as well.
    let invitation = InvitationId::from_uuid(derived_uuid(&[
        b"daybook.invitation.v1",
        write.caller.user.as_bytes(),
        book.as_bytes(),
        write.key.as_str().as_bytes(),
    ]));
    let lifetime = TimeDelta::days(i64::from(api.config.invitation_days));
    let command = Command::InviteMember {
        invitation,
        email: new.email.0.clone(),
        role: new.role,
        expires_at: (api.sources.now)().trunc_subsecs(3) + lifetime,
    };
    let order = write.order(book, write.key_print(book, ""), write.fingerprint(&new), command);
    let answer = api.owners.execute(order).await.map_err(|refusal| problem(&refusal))?;
    let token = invitation::token(&api, book, invitation).await?;
    // What is kept with the commit is the same object without the token.
    let without_token = answer.body.strip_suffix('}').unwrap_or(&answer.body);
    let body = format!(r#"{without_token},"token":"{token}"}}"#);
    respond(Ok(Answer { body, ..answer }))
}
