use std::sync::Arc;

use axum::extract::State;
use http_kit::{access::Caller, json::Json, problem::Problem};

use super::user::User;
use crate::identity::Identity;

/// Who am I?
#[utoipa::path(get, path = "/me", tag = "identity", responses((status = 200, description = "the person", body = User)))]
pub async fn read_me(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Json<User>, Problem> {
    Ok(Json(User::of(identity.user(caller.user).await?)))
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use http_kit::access::TOKEN_TYPE;
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};

    use crate::testing::{Fixture, base64url, claims_of};

    #[tokio::test]
    async fn a_person_sees_themselves() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        let answer = fixture.get("/api/v1/me").token(&login.access_token()).send().await;
        assert_eq!((answer.status, &answer.body), (200, &login.body["user"]));
        let mut names: Vec<_> = answer.body.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["created_at", "email", "id", "locale", "name", "time_zone"]);
    }

    #[tokio::test]
    async fn a_token_has_the_claims_that_were_promised() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        let token = login.access_token();
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!((header.typ.as_deref(), header.alg), (Some(TOKEN_TYPE), Algorithm::EdDSA));
        let claims = claims_of(&token);
        assert_eq!(claims["sub"], login.body["user"]["id"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("http://127.0.0.1:8080"), &json!("daybook")));
        assert!(claims["jti"].is_string() && claims["sid"].as_str().unwrap().starts_with("ses_"));
    }

    async fn refusal(fixture: &Fixture, token: &str) -> String {
        let answer = fixture.get("/api/v1/me").token(token).send().await;
        assert_eq!(answer.status, 401, "{token}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        answer.body["code"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_request_without_a_login_is_refused() {
        let fixture = Fixture::new();
        let answer = fixture.get("/api/v1/me").send().await;
        assert_eq!(answer.problem(), (401, "login_required"));
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(refusal(&fixture, "nonsense").await, "token_invalid");
    }

    #[tokio::test]
    async fn the_token_does_not_choose_how_it_is_verified() {
        let fixture = Fixture::new();
        let good = fixture.sign_up("ada@example.org").await.access_token();
        let claims = claims_of(&good);
        let key_id = jsonwebtoken::decode_header(&good).unwrap().kid.unwrap();

        let header = json!({"alg": "none", "typ": TOKEN_TYPE, "kid": key_id});
        let unsigned = format!("{}.{}.", base64url(&header.to_string()), base64url(&claims.to_string()));
        assert_eq!(refusal(&fixture, &unsigned).await, "token_invalid");

        let jwks = fixture.get("/.well-known/jwks.json").send().await.body;
        let public = jwks["keys"][0]["x"].as_str().unwrap();
        let mut header = Header::new(Algorithm::HS256);
        (header.typ, header.kid) = (Some(TOKEN_TYPE.into()), Some(key_id));
        let decoded = EncodingKey::from_urlsafe_base64_secret(&format!("{public}=")).unwrap();
        for secret in [EncodingKey::from_secret(public.as_bytes()), decoded] {
            let symmetric = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
            assert_eq!(refusal(&fixture, &symmetric).await, "token_invalid");
        }
    }

    #[tokio::test]
    async fn every_claim_of_the_token_is_checked() {
        let fixture = Fixture::new();
        let good = claims_of(&fixture.sign_up("ada@example.org").await.access_token());
        let now = Utc::now().timestamp();
        let changed = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        assert_eq!(
            refusal(&fixture, &fixture.sign(TOKEN_TYPE, &changed("exp", json!(now - 10)))).await,
            "token_expired"
        );
        for (name, value) in [
            ("aud", json!("other")),
            ("iss", json!("http://elsewhere.test")),
            ("sub", json!("nobody")),
            ("iat", json!(now + 100)),
            ("exp", json!(null)),
            ("jti", json!(null)),
        ] {
            let token = fixture.sign(TOKEN_TYPE, &changed(name, value.clone()));
            assert_eq!(refusal(&fixture, &token).await, "token_invalid", "{name} = {value}");
        }
        assert_eq!(refusal(&fixture, &fixture.sign("JWT", &good)).await, "token_invalid");
        assert_eq!(
            fixture.get("/api/v1/me").token(&fixture.sign(TOKEN_TYPE, &good)).send().await.status,
            200
        );
    }

    #[tokio::test]
    async fn a_token_of_nobody_we_know_is_refused() {
        let fixture = Fixture::new();
        let mut claims = claims_of(&fixture.sign_up("ada@example.org").await.access_token());
        claims["sub"] = json!("usr_00000000000000000000000007");
        assert_eq!(refusal(&fixture, &fixture.sign(TOKEN_TYPE, &claims)).await, "token_invalid");
    }
}
