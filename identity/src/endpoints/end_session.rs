use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use http_kit::{access::Caller, json::Path, problem::Problem};

use crate::{
    identity::{Identity, IdentityError},
    store::SessionId,
};

/// Logs the person out of one place.
#[utoipa::path(
    delete,
    path = "/me/sessions/{session}",
    tag = "identity",
    params(("session" = String, Path, example = "ses_01kb0d5j6hf2xv9d6q8m4r7t3a")),
    responses((status = 204, description = "the session has ended")),
)]
pub async fn end_session(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    Path(session): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    let ended = identity.store.end_session(caller.user, session, identity.now()).await;
    match ended.map_err(IdentityError::from)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::new("session_not_found")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Fixture;

    #[tokio::test]
    async fn a_session_ends_once() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let there = fixture.log_in("ada@example.org").await;
        let path = format!("/api/v1/me/sessions/{}", there.session());
        assert_eq!(fixture.delete(&path).token(&here.access_token()).send().await.status, 204);
        let again = fixture.delete(&path).token(&here.access_token()).send().await;
        assert_eq!(again.problem(), (404, "session_not_found"));
        let body = json!({"refresh_token": there.refresh_token()});
        let refresh = fixture.post("/api/v1/auth/refresh").json(body).await;
        assert_eq!(refresh.problem(), (401, "refresh_invalid"));
    }

    #[tokio::test]
    async fn another_persons_session_is_not_to_be_found() {
        let fixture = Fixture::new();
        let ada = fixture.sign_up("ada@example.org").await;
        let bob = fixture.sign_up("bob@example.org").await;
        let path = format!("/api/v1/me/sessions/{}", bob.session());
        let answer = fixture.delete(&path).token(&ada.access_token()).send().await;
        assert_eq!(answer.problem(), (404, "session_not_found"));
        let body = json!({"refresh_token": bob.refresh_token()});
        assert_eq!(fixture.post("/api/v1/auth/refresh").json(body).await.status, 200);
    }

    #[tokio::test]
    async fn an_id_that_cannot_be_one_and_no_login_are_refused() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        let answer = fixture.delete("/api/v1/me/sessions/nonsense").token(&login.access_token()).send().await;
        assert_eq!(answer.problem(), (400, "invalid_parameter"));
        let answer = fixture.delete("/api/v1/me/sessions/nonsense").send().await;
        assert_eq!(answer.problem(), (401, "login_required"));
    }
}
