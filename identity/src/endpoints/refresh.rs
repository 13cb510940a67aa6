use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::StatusCode;
use http_kit::{json::Json, problem::Problem};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::login_answer::{LoginAnswer, answer};
use crate::{client::Client, identity::Identity, profile::fault, tokens::RefreshToken};

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// Left out where it is in the cookie.
    #[schema(value_type = Option<String>)]
    refresh_token: Option<SecretString>,
}

/// Exchanges a refresh token for a new one and a new access token.
///
/// A refresh token can be used once; a second use ends its session (`refresh_reused`). A browser's token is taken
/// from its cookie, where the second of two tabs is forgiven for some seconds.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    tag = "identity",
    request_body = Option<RefreshRequest>,
    responses((status = 200, description = "the session goes on", body = LoginAnswer)),
)]
pub async fn refresh_login(
    State(identity): State<Arc<Identity>>,
    client: Client,
    request: Option<Json<RefreshRequest>>,
) -> Result<Response, Problem> {
    let in_body = request.and_then(|Json(request)| request.refresh_token);
    let (presented, in_cookie) = match (in_body, client.cookie.clone()) {
        (Some(presented), _) => (presented, false),
        (None, Some(presented)) => {
            client.check_same_site()?;
            (presented, true)
        }
        (None, None) => {
            let detail = "The refresh token is required, in the body or in the cookie.";
            return Err(Problem::from_fields(vec![fault("/refresh_token", "field_missing", detail)]));
        }
    };
    let login = identity.refresh(RefreshToken::presented(presented), in_cookie).await?;
    Ok(answer(StatusCode::OK, login, &identity, &client))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Answer, Fixture, PASSWORD};

    async fn refresh(fixture: &Fixture, token: &str) -> Answer {
        fixture.post("/api/v1/auth/refresh").json(json!({"refresh_token": token})).await
    }

    async fn refresh_cookie(fixture: &Fixture, token: &str) -> Answer {
        fixture
            .post("/api/v1/auth/refresh")
            .header("cookie", &format!("daybook_refresh={token}"))
            .send()
            .await
    }

    async fn cookie_session(fixture: &Fixture) -> String {
        let body =
            json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada", "session": "cookie"});
        fixture.post("/api/v1/auth/sign-up").json(body).await.cookie_token()
    }

    #[tokio::test]
    async fn a_session_goes_on_from_token_to_token() {
        let fixture = Fixture::new();
        let first = fixture.sign_up("ada@example.org").await;
        let second = refresh(&fixture, &first.refresh_token()).await;
        assert_eq!((second.status, &second.body["user"]), (200, &first.body["user"]));
        assert_eq!(second.headers["cache-control"], "no-store");
        assert_ne!(second.refresh_token(), first.refresh_token());
        assert_eq!(refresh(&fixture, &second.refresh_token()).await.status, 200);
        assert_eq!(fixture.get("/api/v1/me").token(&second.access_token()).send().await.status, 200);
    }

    #[tokio::test]
    async fn a_token_used_twice_ends_its_session_and_no_other() {
        let fixture = Fixture::new();
        let first = fixture.sign_up("ada@example.org").await;
        let other = fixture.log_in("ada@example.org").await;
        let second = refresh(&fixture, &first.refresh_token()).await;
        let reused = refresh(&fixture, &first.refresh_token()).await;
        assert_eq!(reused.problem(), (401, "refresh_reused"));
        assert_eq!(refresh(&fixture, &second.refresh_token()).await.problem(), (401, "refresh_invalid"));
        assert_eq!(refresh(&fixture, &other.refresh_token()).await.status, 200);
    }

    #[tokio::test]
    async fn of_two_uses_at_once_in_bodies_one_is_a_theft() {
        let fixture = Fixture::new();
        let token = fixture.sign_up("ada@example.org").await.refresh_token();
        let (one, two) = tokio::join!(refresh(&fixture, &token), refresh(&fixture, &token));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }

    #[tokio::test]
    async fn two_tabs_that_race_are_forgiven_for_some_seconds() {
        let fixture = Fixture::new();
        let token = cookie_session(&fixture).await;
        let first = refresh_cookie(&fixture, &token).await;
        fixture.advance_seconds(9);
        let second = refresh_cookie(&fixture, &token).await;
        assert_eq!((first.status, second.status), (200, 200));
        assert!(second.body.get("refresh_token").is_none());
        // The browser may keep either; both go on, and using one retires the other.
        fixture.advance_seconds(600);
        assert_eq!(refresh_cookie(&fixture, &first.cookie_token()).await.status, 200);
        fixture.advance_seconds(600);
        assert_eq!(refresh_cookie(&fixture, &second.cookie_token()).await.problem(), (401, "refresh_reused"));
    }

    #[tokio::test]
    async fn after_the_grace_a_cookies_second_use_is_a_theft_too() {
        let fixture = Fixture::new();
        let token = cookie_session(&fixture).await;
        let next = refresh_cookie(&fixture, &token).await.cookie_token();
        fixture.advance_seconds(11);
        assert_eq!(refresh_cookie(&fixture, &token).await.problem(), (401, "refresh_reused"));
        assert_eq!(refresh_cookie(&fixture, &next).await.problem(), (401, "refresh_invalid"));
    }

    #[tokio::test]
    async fn a_cookie_counts_only_for_pages_of_this_site() {
        let fixture = Fixture::new();
        let cookie = format!("daybook_refresh={}", cookie_session(&fixture).await);
        for (name, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "null")]
        {
            let ask = fixture.post("/api/v1/auth/refresh").header("cookie", &cookie).header(name, value);
            assert_eq!(ask.send().await.problem(), (403, "cross_site_refused"));
        }
        let ask = fixture.post("/api/v1/auth/refresh").header("cookie", &cookie);
        assert_eq!(ask.header("sec-fetch-site", "same-origin").json(json!({})).await.status, 200);
    }

    #[tokio::test]
    async fn a_token_that_left_its_place_is_not_taken() {
        let fixture = Fixture::new();
        let in_cookie = cookie_session(&fixture).await;
        assert_eq!(refresh(&fixture, &in_cookie).await.problem(), (401, "refresh_invalid"));
        let in_body = fixture.log_in("ada@example.org").await.refresh_token();
        assert_eq!(refresh_cookie(&fixture, &in_body).await.problem(), (401, "refresh_invalid"));
    }

    #[tokio::test]
    async fn a_session_that_is_not_used_ends_and_so_does_an_old_one() {
        let fixture = Fixture::new();
        let mut token = fixture.sign_up("ada@example.org").await.refresh_token();
        let idle = fixture.log_in("ada@example.org").await.refresh_token();
        for _ in 0..18 {
            fixture.advance_seconds(20 * 86_400);
            token = refresh(&fixture, &token).await.refresh_token();
        }
        assert_eq!(refresh(&fixture, &idle).await.problem(), (401, "refresh_invalid"));
        fixture.advance_seconds(5 * 86_400);
        assert_eq!(refresh(&fixture, &token).await.problem(), (401, "refresh_invalid"));
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused() {
        let fixture = Fixture::new();
        assert_eq!(refresh(&fixture, "nonsense").await.problem(), (401, "refresh_invalid"));
        assert_eq!(refresh_cookie(&fixture, "nonsense").await.problem(), (401, "refresh_invalid"));
        let missing = fixture.post("/api/v1/auth/refresh").send().await;
        assert_eq!(missing.problem(), (422, "field_missing"));
        let missing = fixture.post("/api/v1/auth/refresh").json(json!({})).await;
        assert_eq!(missing.problem(), (422, "field_missing"));
        let number = fixture.post("/api/v1/auth/refresh").json(json!({"refresh_token": 7})).await;
        assert_eq!(number.problem(), (422, "wrong_type"));
    }
}
