use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use http_kit::{access::Caller, problem::Problem};

use crate::{client::Client, identity::Identity, identity::IdentityError};

/// Ends the session of the access token. The token itself lives out its minutes.
#[utoipa::path(post, path = "/auth/log-out", tag = "identity", responses((status = 204, description = "logged out")))]
pub async fn log_out(
    State(identity): State<Arc<Identity>>,
    client: Client,
    caller: Caller,
) -> Result<Response, Problem> {
    // A session that has ended already is what was asked for.
    if let Ok(session) = caller.session.parse() {
        let ended = identity.store.end_session(caller.user, session, identity.now()).await;
        ended.map_err(IdentityError::from)?;
    }
    Ok(logged_out(&client))
}

pub fn logged_out(client: &Client) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if client.cookie.is_some() {
        response.headers_mut().insert(header::SET_COOKIE, client.clear_cookie());
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Fixture;

    #[tokio::test]
    async fn logging_out_ends_this_session_only_and_can_be_repeated() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let there = fixture.log_in("ada@example.org").await;
        for _ in 0..2 {
            let answer = fixture.post("/api/v1/auth/log-out").token(&here.access_token()).send().await;
            assert_eq!(answer.status, 204);
            assert!(!answer.headers.contains_key("set-cookie"));
        }
        let refresh =
            |token: String| fixture.post("/api/v1/auth/refresh").json(json!({"refresh_token": token}));
        assert_eq!(refresh(here.refresh_token()).await.problem(), (401, "refresh_invalid"));
        assert_eq!(refresh(there.refresh_token()).await.status, 200);
    }

    #[tokio::test]
    async fn logging_out_takes_the_cookie_back() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let ask = fixture.post("/api/v1/auth/log-out").token(&here.access_token());
        let answer = ask.header("cookie", "daybook_refresh=abc").send().await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.starts_with("daybook_refresh=; Path=/api/v1/auth; Max-Age=0;"), "{cookie}");
    }

    #[tokio::test]
    async fn logging_out_takes_a_login() {
        let fixture = Fixture::new();
        assert_eq!(fixture.post("/api/v1/auth/log-out").send().await.problem(), (401, "login_required"));
    }
}
