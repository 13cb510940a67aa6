use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use utoipa::ToSchema;

use crate::identity::Identity;

/// A JSON Web Key Set ([RFC 7517]) of Ed25519 public keys ([RFC 8037]).
///
/// [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517
/// [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
#[derive(ToSchema)]
#[schema(as = KeySet)]
#[allow(dead_code, reason = "describes what jsonwebtoken writes")]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "describes what jsonwebtoken writes")]
pub struct PublicKey {
    #[schema(example = "OKP")]
    kty: String,
    #[schema(example = "Ed25519")]
    crv: String,
    /// The public key in base64url.
    x: String,
    kid: String,
    #[schema(example = "EdDSA")]
    alg: String,
    #[schema(rename = "use", example = "sig")]
    usage: String,
}

/// The keys that access tokens are verified with. Fetch them again every minute, and no more often.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "identity",
    responses((status = 200, description = "all keys that are alive", body = KeySet)),
)]
pub async fn read_jwks(State(identity): State<Arc<Identity>>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=60")], Json(identity.keys.public())).into_response()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use http_kit::access::AccessKeys;

    use crate::{keys, testing::Fixture};

    #[tokio::test]
    async fn another_service_verifies_with_what_is_published() {
        let fixture = Fixture::new();
        let login = fixture.sign_up("ada@example.org").await;
        let answer = fixture.get("/.well-known/jwks.json").send().await;
        assert_eq!(
            (answer.status, answer.headers["cache-control"].as_bytes()),
            (200, &b"public, max-age=60"[..])
        );
        let elsewhere = AccessKeys::new("http://127.0.0.1:8080", "daybook");
        elsewhere.replace(&serde_json::from_value(answer.body).unwrap()).unwrap();
        let caller = elsewhere.verify(&login.access_token()).unwrap();
        assert_eq!(caller.user.to_string(), login.body["user"]["id"]);
    }

    #[tokio::test]
    async fn during_a_rotation_both_keys_are_published_and_good() {
        let fixture = Fixture::with(|config| config.key_settle_seconds = 0);
        let before = fixture.sign_up("ada@example.org").await.access_token();
        let new_id = keys::rotate(&fixture.identity.config.keys_dir, Utc::now()).unwrap();
        fixture.identity.upkeep_once().await;
        let jwks = fixture.get("/.well-known/jwks.json").send().await.body;
        let ids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
        assert_eq!((ids.len(), ids[1].as_str()), (2, Some(new_id.as_str())));
        let after = fixture.log_in("ada@example.org").await.access_token();
        assert_eq!(jsonwebtoken::decode_header(&after).unwrap().kid, Some(new_id));
        for token in [before, after] {
            assert_eq!(fixture.get("/api/v1/me").token(&token).send().await.status, 200);
        }
    }
}
