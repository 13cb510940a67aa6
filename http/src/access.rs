//! Access tokens: who is calling. Any service verifies them with the public keys of the identity service and
//! asks nobody else, so a token lives until it expires, ten minutes at most.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use chrono::{DateTime, Utc};
use domain::id::UserId;
use http::{HeaderMap, header, request::Parts};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use moka::sync::Cache;
use serde::Deserialize;
use std::sync::RwLock;

use crate::problem::Problem;

/// The media type of an access token in its header ([RFC 9068]), so that no other token of ours passes for one.
///
/// [RFC 9068]: https://www.rfc-editor.org/rfc/rfc9068
pub const TOKEN_TYPE: &str = "at+jwt";

const TOKEN_LEN_MAX: usize = 4_096;
const LEEWAY_SECONDS: i64 = 5;
/// Verifying costs 65 µs; this many tokens are remembered, at about half a kilobyte each.
const REMEMBERED_MAX: u64 = 20_000;

/// The person behind a request, as the access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// The login that the token came from.
    pub session: String,
    pub token_id: String,
    /// From when on the token is refused.
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    /// For answers that outlast the moment; nothing once the token has expired.
    pub fn expires_in(&self) -> Duration {
        (self.expires_at - Utc::now()).to_std().unwrap_or_default()
    }
}

/// The keys that access tokens are verified with, by key id. They can be replaced while the service runs.
pub struct AccessKeys {
    issuer: String,
    audience: String,
    keys: RwLock<HashMap<String, DecodingKey>>,
    remembered: Cache<String, Caller>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("a key of the set has no key id")]
    KeyIdMissing,
    #[error("the key {key_id} is not an Ed25519 public key")]
    NotEd25519 { key_id: String },
}

/// What [`jsonwebtoken`] does not check by itself; `aud` and `iss` it does.
#[derive(Deserialize)]
struct Claims {
    sub: UserId,
    exp: i64,
    iat: i64,
    jti: String,
    sid: String,
}

impl AccessKeys {
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys: RwLock::default(),
            remembered: Cache::new(REMEMBERED_MAX),
        }
    }

    /// Takes the keys of a JWKS in place of those it had. A token of a key that is gone is refused from now on.
    pub fn replace(&self, set: &JwkSet) -> Result<(), KeysError> {
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let key_id = jwk.common.key_id.clone().ok_or(KeysError::KeyIdMissing)?;
            let key = match &jwk.algorithm {
                jsonwebtoken::jwk::AlgorithmParameters::OctetKeyPair(_) => DecodingKey::from_jwk(jwk).ok(),
                _ => None,
            };
            let key = key.ok_or_else(|| KeysError::NotEd25519 { key_id: key_id.clone() })?;
            keys.insert(key_id, key);
        }
        *self.keys.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = keys;
        self.remembered.invalidate_all();
        Ok(())
    }

    pub fn verify(&self, token: &str) -> Result<Caller, Problem> {
        self.verify_at(token, Utc::now())
    }

    pub fn verify_at(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Problem> {
        let caller = match self.remembered.get(token) {
            Some(caller) => caller,
            None => {
                let caller = self.check(token, now)?;
                self.remembered.insert(token.to_owned(), caller.clone());
                caller
            }
        };
        if caller.expires_at <= now {
            return Err(Problem::new("token_expired"));
        }
        Ok(caller)
    }

    fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Problem> {
        let invalid = |_| Problem::new("token_invalid");
        if token.len() > TOKEN_LEN_MAX {
            return Err(Problem::new("token_invalid"));
        }
        let token_header = jsonwebtoken::decode_header(token).map_err(invalid)?;
        if token_header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(Problem::new("token_invalid"));
        }
        if token_header.crit.is_some() {
            return Err(Problem::new("token_invalid"));
        }
        let Some(key_id) = token_header.kid else {
            return Err(Problem::new("token_invalid"));
        };
        let key = {
            let keys = self.keys.read().unwrap_or_else(|poisoned| poisoned.into_inner());
            keys.get(&key_id).cloned()
        };
        let Some(key) = key else {
            return Err(Problem::new("token_invalid"));
        };

        // The algorithm is ours to say, never the token's.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Time is checked below, with the clock that was handed in.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(invalid)?.claims;
        if claims.iat > now.timestamp().saturating_add(LEEWAY_SECONDS) {
            return Err(Problem::new("token_invalid"));
        }
        let expires_at = DateTime::from_timestamp(claims.exp.saturating_add(LEEWAY_SECONDS), 0);
        Ok(Caller {
            user: claims.sub,
            session: claims.sid,
            token_id: claims.jti,
            expires_at: expires_at.ok_or_else(|| Problem::new("token_invalid"))?,
        })
    }

    /// The caller behind a request's `Authorization` header.
    pub fn caller_of(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new("login_required"));
        };
        if values.next().is_some() {
            return Err(Problem::new("token_invalid"));
        }
        let value = value.to_str().map_err(|_| Problem::new("token_invalid"))?;
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.verify(token.trim()),
            _ => Err(Problem::new("login_required")),
        }
    }
}

impl std::fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKeys").field("issuer", &self.issuer).field("audience", &self.audience).finish()
    }
}

/// The layer of a route's policy has put the caller there; a handler that asks for one on a public route is a
/// mistake of ours.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Arc<Caller>>().map(|caller| Caller::clone(caller)).ok_or_else(|| {
            tracing::error!(
                path = parts.uri.path(),
                "a handler asks for the caller of a route that is public"
            );
            Problem::new("internal")
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Arc<Caller>>().map(|caller| Caller::clone(caller)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use http::HeaderValue;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn user() -> UserId {
        UserId::from_uuid(Uuid::from_u128(7))
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn refusal(token: &str) -> &'static str {
        testing::access_keys().verify_at(token, now()).unwrap_err().code()
    }

    fn signed_with(change: impl FnOnce(&mut Header, &mut Value)) -> String {
        let (mut header, mut claims) = (testing::header(), testing::claims(user(), now()));
        change(&mut header, &mut claims);
        testing::sign(&header, &claims)
    }

    #[test]
    fn a_token_of_ours_says_who_is_calling() {
        let keys = testing::access_keys();
        let token = signed_with(|_, _| {});
        let expected = Caller {
            user: user(),
            session: "session-1".to_owned(),
            token_id: "token-1".to_owned(),
            expires_at: now() + chrono::Duration::seconds(3_600 + LEEWAY_SECONDS),
        };
        assert_eq!(keys.verify_at(&token, now()).unwrap(), expected);
        // From memory the second time.
        assert_eq!(keys.verify_at(&token, now()).unwrap(), expected);
    }

    #[test]
    fn a_token_expires_also_when_it_is_remembered() {
        let keys = testing::access_keys();
        let token = signed_with(|_, _| {});
        let end = now() + chrono::Duration::seconds(3_600);
        assert!(keys.verify_at(&token, end).is_ok(), "the leeway for clocks that differ");
        let later = end + chrono::Duration::seconds(LEEWAY_SECONDS);
        assert_eq!(keys.verify_at(&token, later).unwrap_err().code(), "token_expired");
        assert_eq!(testing::access_keys().verify_at(&token, later).unwrap_err().code(), "token_expired");
    }

    #[test]
    fn every_claim_is_required_and_ours() {
        for claim in ["iss", "aud", "sub", "exp", "iat", "jti", "sid"] {
            let token = signed_with(|_, claims| drop(claims.as_object_mut().unwrap().remove(claim)));
            assert_eq!(refusal(&token), "token_invalid", "without {claim}");
        }
        for (claim, wrong) in [
            ("iss", json!("https://elsewhere.test")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("sub", json!("book_00000000000000000000000000")),
            ("exp", json!("1800003600")),
            ("iat", json!(now().timestamp() + 60)),
        ] {
            let token = signed_with(|_, claims| claims[claim] = wrong.clone());
            assert_eq!(refusal(&token), "token_invalid", "{claim} = {wrong}");
        }
    }

    #[test]
    fn a_token_of_another_type_or_key_is_refused() {
        assert_eq!(refusal(&signed_with(|header, _| header.typ = Some("JWT".into()))), "token_invalid");
        assert_eq!(refusal(&signed_with(|header, _| header.typ = None)), "token_invalid");
        assert_eq!(refusal(&signed_with(|header, _| header.kid = None)), "token_invalid");
        assert_eq!(refusal(&signed_with(|header, _| header.kid = Some("other".into()))), "token_invalid");
        assert_eq!(
            refusal(&signed_with(|header, _| header.crit = Some(vec!["b64".into()]))),
            "token_invalid"
        );
    }

    #[test]
    fn the_algorithm_is_not_the_tokens_to_choose() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = testing::claims(user(), now());
        for alg in ["none", "None", "NONE", ""] {
            let header = json!({"alg": alg, "typ": TOKEN_TYPE, "kid": testing::KEY_ID});
            assert_eq!(refusal(&format!("{}.{}.", encode(&header), encode(&claims))), "token_invalid");
        }
        // The public key as the secret of a symmetric signature, in each form somebody may have it.
        let jwk = testing::public_key();
        let public = serde_json::to_value(&jwk).unwrap()["x"].as_str().unwrap().to_owned();
        for secret in [public.clone().into_bytes(), URL_SAFE_NO_PAD.decode(&public).unwrap()] {
            let mut header = testing::header();
            header.alg = Algorithm::HS256;
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
            assert_eq!(refusal(&token), "token_invalid");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = signed_with(|_, _| {});
        for token in
            ["", ".", "..", "a.b.c", &good[..good.len() - 1], &"a".repeat(5_000), &format!("{good}.x")]
        {
            assert_eq!(refusal(token), "token_invalid", "{token:.40}");
        }
    }

    #[test]
    fn a_token_of_a_key_that_was_taken_away_is_refused() {
        let keys = testing::access_keys();
        let token = signed_with(|_, _| {});
        assert!(keys.verify_at(&token, now()).is_ok());
        keys.replace(&JwkSet { keys: Vec::new() }).unwrap();
        assert_eq!(keys.verify_at(&token, now()).unwrap_err().code(), "token_invalid");
    }

    #[test]
    fn a_symmetric_key_is_never_taken() {
        let keys = testing::access_keys();
        let set: JwkSet =
            serde_json::from_value(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]})).unwrap();
        assert!(matches!(keys.replace(&set), Err(KeysError::NotEd25519 { .. })));
    }

    #[test]
    fn the_header_carries_one_bearer_token() {
        let keys = testing::access_keys();
        let code = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            keys.caller_of(&headers).map(|caller| caller.user).map_err(|problem| problem.code())
        };
        let token = testing::token(user());
        assert_eq!(code(&[&format!("Bearer {token}")]), Ok(user()));
        assert_eq!(code(&[&format!("bearer  {token}")]), Ok(user()));
        assert_eq!(code(&[]), Err("login_required"));
        assert_eq!(code(&["Basic dXNlcjpwYXNz"]), Err("login_required"));
        assert_eq!(code(&["Bearer nonsense"]), Err("token_invalid"));
        assert_eq!(code(&[&format!("Bearer {token}"), &format!("Bearer {token}")]), Err("token_invalid"));
    }
}
