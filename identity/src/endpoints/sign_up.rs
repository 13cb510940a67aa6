use std::sync::Arc;

use axum::{extract::State, response::Response};
use domain::id::UserId;
use http::StatusCode;
use http_kit::{json::Json, problem::Problem};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::login_answer::{LoginAnswer, SessionPlace, answer};
use crate::{
    client::Client,
    identity::{Identity, Opening, SignUp},
    profile::Email,
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpRequest {
    #[schema(example = "ada@example.org")]
    email: String,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1024)]
    password: SecretString,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(example = "de-CH")]
    locale: Option<String>,
    #[schema(example = "Europe/Zurich")]
    time_zone: Option<String>,
    #[serde(default)]
    session: SessionPlace,
}

/// Makes an account for a person and logs them in.
#[utoipa::path(
    post,
    path = "/auth/sign-up",
    tag = "identity",
    request_body = SignUpRequest,
    responses((status = 201, description = "signed up and logged in", body = LoginAnswer)),
)]
pub async fn sign_up(
    State(identity): State<Arc<Identity>>,
    client: Client,
    Json(request): Json<SignUpRequest>,
) -> Result<Response, Problem> {
    let in_cookie = request.session == SessionPlace::Cookie;
    if in_cookie {
        client.check_same_site()?;
    }
    identity.throttle.attempt(&Email::lookup_of(&request.email), client.address)?;
    let SignUpRequest { email, password, name, locale, time_zone, session: _ } = request;
    let sign_up = SignUp { email, password, name, locale, time_zone };
    let user = identity.sign_up(UserId::from_uuid(Uuid::now_v7()), sign_up).await?;
    let opening = Opening { user_agent: client.user_agent.clone(), in_cookie };
    let login = identity.open_session(user, opening).await?;
    Ok(answer(StatusCode::CREATED, login, &identity, &client))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Fixture, PASSWORD};

    #[tokio::test]
    async fn a_person_signs_up_and_is_logged_in() {
        let fixture = Fixture::new();
        let answer = fixture
            .post("/api/v1/auth/sign-up")
            .json(json!({"email": " Ada@Example.org", "password": PASSWORD, "name": " Ada ",
                         "locale": "de-CH", "time_zone": "Europe/Zurich"}))
            .await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.headers.contains_key("set-cookie"));
        let user = &answer.body["user"];
        assert!(user["id"].as_str().unwrap().starts_with("usr_"));
        assert!(user["created_at"].as_str().unwrap().ends_with('Z'));
        let shown = json!([user["email"], user["name"], user["locale"], user["time_zone"]]);
        assert_eq!(shown, json!(["Ada@Example.org", "Ada", "de-CH", "Europe/Zurich"]));
        assert_eq!(
            (answer.body["token_type"].as_str(), &answer.body["expires_in"]),
            (Some("Bearer"), &json!(600))
        );
        let me = fixture.get("/api/v1/me").token(&answer.access_token()).send().await;
        assert_eq!((me.status, &me.body), (200, user));
    }

    #[tokio::test]
    async fn everything_wrong_is_named_at_once() {
        let fixture = Fixture::new();
        let answer = fixture
            .post("/api/v1/auth/sign-up")
            .json(
                json!({"email": "ada", "password": "short", "name": " ", "locale": "?", "time_zone": "Mars"}),
            )
            .await;
        assert_eq!(answer.problem(), (422, "invalid_fields"));
        let expected = json!([
            ["/email", "email_malformed"],
            ["/password", "password_too_short"],
            ["/name", "name_empty"],
            ["/locale", "locale_malformed"],
            ["/time_zone", "unknown_time_zone"],
        ]);
        let found: Vec<_> = answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| json!([e["pointer"], e["code"]]))
            .collect();
        assert_eq!(json!(found), expected);
    }

    #[tokio::test]
    async fn each_fault_alone_has_its_own_code() {
        let fixture = Fixture::new();
        for (field, value, code) in [
            ("email", json!("a@"), "email_malformed"),
            ("password", json!("1234567"), "password_too_short"),
            ("password", json!("x".repeat(1_025)), "password_too_long"),
            ("password", json!(12345678), "wrong_type"),
            ("name", json!(""), "name_empty"),
            ("name", json!("x".repeat(101)), "name_too_long"),
            ("locale", json!("en_US"), "locale_malformed"),
            ("time_zone", json!("Mars/Base"), "unknown_time_zone"),
            ("session", json!("pocket"), "unknown_value"),
            ("emial", json!("ada@example.org"), "unknown_field"),
        ] {
            let mut body = json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
            body[field] = value;
            let answer = fixture.post("/api/v1/auth/sign-up").json(body).await;
            assert_eq!(answer.problem(), (422, code));
            assert_eq!(answer.body["errors"][0]["pointer"], format!("/{field}"));
        }
        let answer =
            fixture.post("/api/v1/auth/sign-up").json(json!({"password": PASSWORD, "name": "Ada"})).await;
        assert_eq!(answer.problem(), (422, "field_missing"));
    }

    #[tokio::test]
    async fn an_address_in_any_spelling_is_taken_once() {
        let fixture = Fixture::new();
        fixture.sign_up("ada@example.org").await;
        let body = json!({"email": "ADA@example.ORG ", "password": PASSWORD, "name": "Other"});
        let answer = fixture.post("/api/v1/auth/sign-up").json(body).await;
        assert_eq!(answer.problem(), (422, "email_taken"));
    }

    #[tokio::test]
    async fn two_sign_ups_at_once_give_one_person() {
        let fixture = Fixture::new();
        let body = || json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
        let (one, two) = tokio::join!(
            fixture.post("/api/v1/auth/sign-up").json(body()),
            fixture.post("/api/v1/auth/sign-up").json(body())
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422]);
    }

    #[tokio::test]
    async fn a_browser_gets_its_token_in_a_cookie() {
        let fixture = Fixture::new();
        let body =
            json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada", "session": "cookie"});
        let crossing = fixture.post("/api/v1/auth/sign-up").header("sec-fetch-site", "cross-site");
        assert_eq!(crossing.json(body.clone()).await.problem(), (403, "cross_site_refused"));
        let answer = fixture.post("/api/v1/auth/sign-up").header("host", "daybook.test").json(body).await;
        assert_eq!(answer.status, 201);
        assert!(answer.body.get("refresh_token").is_none());
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        let (_, attributes) = cookie.split_once("; ").unwrap();
        assert!(cookie.starts_with("daybook_refresh="), "{cookie}");
        assert_eq!(attributes, "Path=/api/v1/auth; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure");
    }

    #[tokio::test]
    async fn too_many_attempts_are_told_when_to_come_back() {
        let fixture = Fixture::with(|config| config.attempts_per_address_per_minute = 1);
        let body = |email| json!({"email": email, "password": PASSWORD, "name": "Ada"});
        assert_eq!(fixture.post("/api/v1/auth/sign-up").json(body("a@example.org")).await.status, 201);
        let answer = fixture.post("/api/v1/auth/sign-up").json(body("b@example.org")).await;
        assert_eq!(answer.problem(), (429, "rate_limited"));
        let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=61).contains(&seconds), "{seconds}");
    }
}
