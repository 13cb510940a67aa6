use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use http_kit::{json::Json, problem::Problem};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::login_answer::{LoginAnswer, SessionPlace, answer};
use crate::{
    client::Client,
    identity::{Identity, Opening},
    profile::Email,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogInRequest {
    #[schema(example = "ada@example.org")]
    email: String,
    #[schema(value_type = String, format = Password)]
    password: SecretString,
    #[serde(default)]
    session: SessionPlace,
}

/// Opens a session with e-mail address and password.
#[utoipa::path(
    post,
    path = "/auth/log-in",
    tag = "identity",
    request_body = LogInRequest,
    responses((status = 200, description = "logged in", body = LoginAnswer)),
)]
pub async fn log_in(
    State(identity): State<Arc<Identity>>,
    client: Client,
    Json(request): Json<LogInRequest>,
) -> Result<Response, Problem> {
    let in_cookie = request.session == SessionPlace::Cookie;
    // Logging somebody in as somebody else is an attack too, so asking for the cookie is guarded like using it.
    if in_cookie {
        client.check_same_site()?;
    }
    identity.throttle.attempt(&Email::lookup_of(&request.email), client.address)?;
    let user = identity.log_in(&request.email, request.password).await?;
    let opening = Opening { user_agent: client.user_agent.clone(), in_cookie };
    let login = identity.open_session(user, opening).await?;
    Ok(answer(StatusCode::OK, login, &identity, &client))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Fixture, PASSWORD};

    #[tokio::test]
    async fn a_person_logs_in_whatever_the_case_of_the_address() {
        let fixture = Fixture::new();
        let signed_up = fixture.sign_up("Ada@example.org").await;
        let body = json!({"email": "ada@EXAMPLE.org", "password": PASSWORD});
        let answer = fixture.post("/api/v1/auth/log-in").json(body).await;
        assert_eq!((answer.status, &answer.body["user"]), (200, &signed_up.body["user"]));
        assert_ne!(answer.body["refresh_token"], signed_up.body["refresh_token"]);
    }

    #[tokio::test]
    async fn wrong_password_and_unknown_address_are_told_in_equal_words() {
        let fixture = Fixture::new();
        fixture.sign_up("ada@example.org").await;
        let ask = |email: &'static str, password: &'static str| {
            fixture
                .post("/api/v1/auth/log-in")
                .header("x-request-id", "same")
                .json(json!({"email": email, "password": password}))
        };
        let wrong = ask("ada@example.org", "not the password").await;
        let unknown = ask("bob@example.org", "not the password").await;
        let malformed = ask("bob", "x").await;
        assert_eq!(wrong.problem(), (401, "login_failed"));
        assert_eq!((&wrong.body, &wrong.headers), (&unknown.body, &unknown.headers));
        assert_eq!((&wrong.body, &wrong.headers), (&malformed.body, &malformed.headers));
        assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    }

    #[tokio::test]
    async fn guessing_one_persons_password_is_slowed_down() {
        let fixture = Fixture::with(|config| config.attempts_per_email_per_minute = 2);
        fixture.sign_up("ada@example.org").await;
        let ask = |email: &'static str| {
            fixture.post("/api/v1/auth/log-in").json(json!({"email": email, "password": "a wrong guess"}))
        };
        assert_eq!(ask("ada@example.org").await.problem(), (401, "login_failed"));
        let refused = ask("ADA@example.org").await;
        assert_eq!(refused.problem(), (429, "rate_limited"));
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(ask("bob@example.org").await.problem(), (401, "login_failed"));
    }

    #[tokio::test]
    async fn passwords_that_do_not_fit_the_queue_are_refused_with_a_time() {
        let fixture = Fixture::with(|config| {
            (config.password_hashes_at_once, config.password_queue_max) = (1, 0);
        });
        let ask = || fixture.post("/api/v1/auth/log-in").json(json!({"email": "a@x", "password": PASSWORD}));
        let answers = tokio::join!(ask(), ask(), ask());
        let mut statuses = [answers.0.status, answers.1.status, answers.2.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [401, 503, 503]);
        for answer in [answers.0, answers.1, answers.2].iter().filter(|answer| answer.status == 503) {
            assert_eq!(answer.problem(), (503, "overloaded"));
            assert_eq!(answer.headers["retry-after"], "1");
        }
    }

    #[tokio::test]
    async fn a_page_of_another_site_cannot_log_a_browser_in() {
        let fixture = Fixture::new();
        fixture.sign_up("ada@example.org").await;
        let body = json!({"email": "ada@example.org", "password": PASSWORD, "session": "cookie"});
        let ask = |origin| {
            fixture.post("/api/v1/auth/log-in").header("host", "127.0.0.1:8080").header("origin", origin)
        };
        let refused = ask("https://evil.test").json(body.clone()).await;
        assert_eq!(refused.problem(), (403, "cross_site_refused"));
        let answer = ask("http://127.0.0.1:8080").json(body).await;
        assert_eq!(answer.status, 200);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "no TLS on loopback: {cookie}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_fit_is_refused() {
        let fixture = Fixture::new();
        for (body, refusal) in [
            ("{", (400, "malformed_json")),
            ("[\"ada@example.org\", \"a password\"]", (422, "wrong_type")),
            ("{}", (422, "invalid_fields")),
            (r#"{"email": "a@x", "password": "x", "remember": true}"#, (422, "unknown_field")),
        ] {
            assert_eq!(fixture.post("/api/v1/auth/log-in").text(body).await.problem(), refusal, "{body}");
        }
        let bare = fixture.post("/api/v1/auth/log-in").send().await;
        assert_eq!(bare.problem(), (415, "unsupported_media_type"));
        let large = format!(r#"{{"email": "{}"}}"#, "a".repeat(1_100_000));
        assert_eq!(fixture.post("/api/v1/auth/log-in").text(&large).await.problem(), (413, "body_too_large"));
        assert_eq!(fixture.get("/api/v1/auth/log-in").send().await.problem(), (405, "method_not_allowed"));
    }
}
