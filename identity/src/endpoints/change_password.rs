use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use http_kit::{access::Caller, json::Json, problem::Problem};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{client::Client, identity::Identity, profile::Email};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordRequest {
    #[schema(value_type = String, format = Password)]
    current_password: SecretString,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    new_password: SecretString,
}

/// Changes the password and ends all other sessions.
#[utoipa::path(
    post,
    path = "/auth/change-password",
    tag = "identity",
    request_body = ChangePasswordRequest,
    responses((status = 204, description = "changed; all other sessions have ended")),
)]
pub async fn change_password(
    State(identity): State<Arc<Identity>>,
    client: Client,
    caller: Caller,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let user = identity.user(caller.user).await?;
    // Who has stolen an access token must not guess the password here either.
    identity.throttle.attempt(&Email::lookup_of(&user.email), client.address)?;
    identity.change_password(&caller, request.current_password, request.new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Fixture, PASSWORD};

    async fn change(fixture: &Fixture, login: &Answer, current: &str, new: &str) -> Answer {
        let body = json!({"current_password": current, "new_password": new});
        fixture.post("/api/v1/auth/change-password").token(&login.access_token()).json(body).await
    }

    #[tokio::test]
    async fn the_new_password_counts_and_all_other_sessions_end() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let there = fixture.log_in("ada@example.org").await;
        assert_eq!(change(&fixture, &here, PASSWORD, "another password").await.status, 204);
        let log_in = |password: &'static str| {
            fixture
                .post("/api/v1/auth/log-in")
                .json(json!({"email": "ada@example.org", "password": password}))
        };
        assert_eq!(log_in(PASSWORD).await.problem(), (401, "login_failed"));
        assert_eq!(log_in("another password").await.status, 200);
        let refresh =
            |token: String| fixture.post("/api/v1/auth/refresh").json(json!({"refresh_token": token}));
        assert_eq!(refresh(here.refresh_token()).await.status, 200);
        assert_eq!(refresh(there.refresh_token()).await.problem(), (401, "refresh_invalid"));
    }

    #[tokio::test]
    async fn a_wrong_or_unfit_password_changes_nothing() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let there = fixture.log_in("ada@example.org").await;
        let wrong = change(&fixture, &here, "not the password", "another password").await;
        assert_eq!(wrong.problem(), (422, "password_wrong"));
        let short = change(&fixture, &here, PASSWORD, "1234567").await;
        assert_eq!(short.problem(), (422, "password_too_short"));
        assert_eq!(short.body["errors"][0]["pointer"], "/new_password");
        let long = change(&fixture, &here, PASSWORD, &"x".repeat(1_025)).await;
        assert_eq!(long.problem(), (422, "password_too_long"));
        assert_eq!(fixture.log_in("ada@example.org").await.status, 200);
        let body = json!({"refresh_token": there.refresh_token()});
        assert_eq!(fixture.post("/api/v1/auth/refresh").json(body).await.status, 200);
    }

    #[tokio::test]
    async fn an_access_token_whose_session_has_ended_cannot_change_the_password() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        fixture.post("/api/v1/auth/log-out").token(&here.access_token()).send().await;
        let answer = change(&fixture, &here, PASSWORD, "another password").await;
        assert_eq!(answer.problem(), (401, "token_invalid"));
    }

    #[tokio::test]
    async fn guessing_the_current_password_is_slowed_down() {
        let fixture = Fixture::with(|config| config.attempts_per_email_per_minute = 2);
        let here = fixture.sign_up("ada@example.org").await;
        assert_eq!(change(&fixture, &here, "wrong guess", "another password").await.status, 422);
        let refused = change(&fixture, &here, "wrong guess", "another password").await;
        assert_eq!(refused.problem(), (429, "rate_limited"));
    }

    #[tokio::test]
    async fn it_takes_a_login() {
        let fixture = Fixture::new();
        let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        let answer = fixture.post("/api/v1/auth/change-password").json(body).await;
        assert_eq!(answer.problem(), (401, "login_required"));
    }
}
