use std::sync::Arc;

use axum::{extract::State, response::Response};
use http_kit::{access::Caller, problem::Problem};

use super::log_out::logged_out;
use crate::{client::Client, identity::Identity, identity::IdentityError};

/// Ends all sessions of the person, this one too.
#[utoipa::path(
    post,
    path = "/auth/log-out-everywhere",
    tag = "identity",
    responses((status = 204, description = "logged out everywhere")),
)]
pub async fn log_out_everywhere(
    State(identity): State<Arc<Identity>>,
    client: Client,
    caller: Caller,
) -> Result<Response, Problem> {
    let ended = identity.store.end_all_sessions(caller.user, identity.now()).await;
    ended.map_err(IdentityError::from)?;
    Ok(logged_out(&client))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Fixture;

    #[tokio::test]
    async fn all_sessions_of_the_person_end_and_nobody_elses() {
        let fixture = Fixture::new();
        let here = fixture.sign_up("ada@example.org").await;
        let there = fixture.log_in("ada@example.org").await;
        let other = fixture.sign_up("bob@example.org").await;
        let answer = fixture.post("/api/v1/auth/log-out-everywhere").token(&here.access_token()).send().await;
        assert_eq!(answer.status, 204);
        let refresh =
            |token: String| fixture.post("/api/v1/auth/refresh").json(json!({"refresh_token": token}));
        assert_eq!(refresh(here.refresh_token()).await.problem(), (401, "refresh_invalid"));
        assert_eq!(refresh(there.refresh_token()).await.problem(), (401, "refresh_invalid"));
        assert_eq!(refresh(other.refresh_token()).await.status, 200);
    }

    #[tokio::test]
    async fn it_takes_a_login() {
        let fixture = Fixture::new();
        let answer = fixture.post("/api/v1/auth/log-out-everywhere").send().await;
        assert_eq!(answer.problem(), (401, "login_required"));
    }
}
