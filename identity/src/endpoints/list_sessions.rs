use std::sync::Arc;

use axum::extract::State;
use http_kit::{access::Caller, json::Json, problem::Problem, resources::instant};
use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::{Identity, IdentityError};

/// A place where the person is logged in.
#[derive(Serialize, ToSchema)]
pub struct Session {
    #[schema(example = "ses_01kb0d5j6hf2xv9d6q8m4r7t3a")]
    id: String,
    created_at: String,
    /// When the session last fetched an access token.
    last_used_at: String,
    /// When the session ends if it is not used again.
    expires_at: String,
    /// The program that logged in, as it names itself.
    user_agent: Option<String>,
    /// The session of this very request.
    current: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Sessions {
    data: Vec<Session>,
}

/// Where am I logged in? The session used last comes first.
#[utoipa::path(
    get,
    path = "/me/sessions",
    tag = "identity",
    responses((status = 200, description = "the sessions that are open", body = Sessions)),
)]
pub async fn list_sessions(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
) -> Result<Json<Sessions>, Problem> {
    let open =
        identity.store.open_sessions(caller.user, identity.now()).await.map_err(IdentityError::from)?;
    let data = open.into_iter().map(|session| Session {
        current: session.id.to_string() == caller.session,
        id: session.id.to_string(),
        created_at: instant(&session.created_at),
        last_used_at: instant(&session.last_used_at),
        expires_at: instant(&session.expires_at),
        user_agent: session.user_agent,
    });
    Ok(Json(Sessions { data: data.collect() }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{Fixture, PASSWORD};

    #[tokio::test]
    async fn a_person_sees_their_own_sessions_and_which_is_this() {
        let fixture = Fixture::new();
        let first = fixture.sign_up("ada@example.org").await;
        fixture.sign_up("bob@example.org").await;
        fixture.advance_seconds(60);
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let agent = "x".repeat(300);
        fixture.post("/api/v1/auth/log-in").header("user-agent", &agent).json(body).await;
        let list = fixture.get("/api/v1/me/sessions").token(&first.access_token()).send().await;
        let data = list.body["data"].as_array().unwrap();
        assert_eq!((list.status, data.len()), (200, 2));
        assert_eq!((&data[0]["current"], &data[1]["current"]), (&json!(false), &json!(true)));
        assert_eq!(data[0]["user_agent"], "x".repeat(200));
        assert_eq!(data[1]["user_agent"], json!(null));
        assert_eq!(data[1]["created_at"], data[1]["last_used_at"]);
        assert!(data[0]["created_at"].as_str() > data[1]["created_at"].as_str());

        fixture.advance_seconds(60);
        let body = json!({"refresh_token": first.refresh_token()});
        fixture.post("/api/v1/auth/refresh").json(body).await;
        let list = fixture.get("/api/v1/me/sessions").token(&first.access_token()).send().await;
        assert_eq!(list.body["data"][0]["current"], true);
        assert!(list.body["data"][0]["last_used_at"].as_str() > list.body["data"][0]["created_at"].as_str());
    }

    #[tokio::test]
    async fn it_takes_a_login() {
        let fixture = Fixture::new();
        assert_eq!(fixture.get("/api/v1/me/sessions").send().await.problem(), (401, "login_required"));
    }
}
