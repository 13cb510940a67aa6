//! Access tokens for the tests of the services, signed by a key that everybody may know. Compiled only for tests
//! (feature `testing`).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::id::UserId;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet},
};
use serde_json::{Value, json};

use crate::access::{AccessKeys, TOKEN_TYPE};

pub const ISSUER: &str = "https://daybook.test";
pub const AUDIENCE: &str = "daybook";
pub const KEY_ID: &str = "test-key";

/// PKCS#8 v1 of an Ed25519 key whose seed is 32 times `7`.
const KEY_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Keys as a service has them, which accept [`token`].
pub fn access_keys() -> Arc<AccessKeys> {
    let keys = AccessKeys::new(ISSUER, AUDIENCE);
    keys.replace(&JwkSet { keys: vec![public_key()] }).expect("the test key is one");
    Arc::new(keys)
}

/// A token of this person that lives for an hour.
pub fn token(user: UserId) -> String {
    sign(&header(), &claims(user, Utc::now()))
}

pub fn claims(user: UserId, now: DateTime<Utc>) -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user,
        "iat": now.timestamp(),
        "exp": now.timestamp() + 3_600,
        "jti": "token-1",
        "sid": "session-1",
    })
}

pub fn header() -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(TOKEN_TYPE.to_owned());
    header.kid = Some(KEY_ID.to_owned());
    header
}

pub fn sign(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &private_key()).expect("the test key signs")
}

pub fn public_key() -> Jwk {
    let mut jwk =
        Jwk::from_encoding_key(&private_key(), Algorithm::EdDSA).expect("the test key has a public half");
    jwk.common.key_id = Some(KEY_ID.to_owned());
    jwk
}

fn private_key() -> EncodingKey {
    EncodingKey::from_ed_der(&[&KEY_PREFIX[..], &[7; 32]].concat())
}
