use std::sync::Arc;

use axum::extract::State;
use http_kit::{access::Caller, json::Json, problem::Problem};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::user::User;
use crate::identity::{Identity, ProfileChange};

/// Only the fields given change; `null` empties `locale` and `time_zone`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMeRequest {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "de-CH")]
    locale: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Europe/Zurich")]
    time_zone: Option<Option<String>>,
}

/// Tells `null` from a field that is not there.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes the profile.
#[utoipa::path(
    patch,
    path = "/me",
    tag = "identity",
    request_body = ChangeMeRequest,
    responses((status = 200, description = "the person as changed", body = User)),
)]
pub async fn change_me(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    Json(request): Json<ChangeMeRequest>,
) -> Result<Json<User>, Problem> {
    let ChangeMeRequest { name, locale, time_zone } = request;
    if name.is_none() && locale.is_none() && time_zone.is_none() {
        return Err(Problem::new("nothing_to_change"));
    }
    let user = identity.change_profile(caller.user, ProfileChange { name, locale, time_zone }).await?;
    Ok(Json(User::of(user)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{Answer, Fixture};

    async fn change(fixture: &Fixture, login: &Answer, body: Value) -> Answer {
        fixture.patch("/api/v1/me").token(&login.access_token()).json(body).await
    }

    #[tokio::test]
    async fn what_is_given_changes_and_the_rest_stays() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        let answer = change(&fixture, &login, json!({"name": "Ada L.", "locale": "fr-CH"})).await;
        assert_eq!(
            (answer.status, &answer.body["name"], &answer.body["locale"]),
            (200, &json!("Ada L."), &json!("fr-CH"))
        );
        let answer = change(&fixture, &login, json!({"time_zone": "Europe/Zurich", "locale": null})).await;
        let mut expected = login.body["user"].clone();
        expected["name"] = json!("Ada L.");
        expected["time_zone"] = json!("Europe/Zurich");
        assert_eq!(answer.body, expected);
        let me = fixture.get("/api/v1/me").token(&login.access_token()).send().await;
        assert_eq!(me.body, expected);
    }

    #[tokio::test]
    async fn what_is_wrong_is_refused_and_changes_nothing() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        for (body, code) in [
            (json!({}), "nothing_to_change"),
            (json!({"name": null}), "nothing_to_change"),
            (json!({"name": ""}), "name_empty"),
            (json!({"name": "x".repeat(101)}), "name_too_long"),
            (json!({"locale": "?"}), "locale_malformed"),
            (json!({"time_zone": "Mars"}), "unknown_time_zone"),
            (json!({"name": "Eve", "time_zone": "Mars"}), "unknown_time_zone"),
            (json!({"name": "", "locale": "?"}), "invalid_fields"),
            (json!({"email": "eve@example.org"}), "unknown_field"),
        ] {
            assert_eq!(change(&fixture, &login, body).await.problem(), (422, code));
        }
        let me = fixture.get("/api/v1/me").token(&login.access_token()).send().await;
        assert_eq!(me.body, login.body["user"]);
    }

    #[tokio::test]
    async fn it_takes_a_login() {
        let fixture = Fixture::new();
        let answer = fixture.patch("/api/v1/me").json(json!({"name": "Ada"})).await;
        assert_eq!(answer.problem(), (401, "login_required"));
    }
}
