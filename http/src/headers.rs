//! The headers of the API as typed extractors.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};

use crate::problem::Problem;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const IDEMPOTENCY_KEY_LEN_MAX: usize = 255;

/// The client's name for one write: 1 to 255 visible ASCII characters, required.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new("idempotency_key_missing"));
        };
        if values.next().is_some() {
            return Err(Problem::new("idempotency_key_invalid"));
        }
        let bytes = value.as_bytes();
        if bytes.is_empty() || bytes.len() > IDEMPOTENCY_KEY_LEN_MAX {
            return Err(Problem::new("idempotency_key_invalid"));
        }
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return Err(Problem::new("idempotency_key_invalid"));
        }
        Ok(Self(bytes.iter().map(|byte| char::from(*byte)).collect()))
    }
}

/// `If-Match`: the version that the book must have for the write to happen; `None` where the client does not mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
        };
        let invalid = || Problem::new("if_match_invalid");
        if values.next().is_some() {
            return Err(invalid());
        }
        let text = value.to_str().map_err(|_| invalid())?.trim();
        if text == "*" {
            return Ok(Self(None));
        }
        version_of(text).map(|version| Self(Some(version))).ok_or_else(invalid)
    }
}

/// `If-None-Match`: the versions that the client already has. What cannot be read matches nothing, since a
/// full answer is never wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfNoneMatch(Vec<u64>);

impl IfNoneMatch {
    pub fn matches(&self, version: u64) -> bool {
        self.0.contains(&version)
    }

    pub fn of(headers: &HeaderMap) -> Self {
        let texts = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        Self(texts.flat_map(|text| text.split(',')).filter_map(|tag| version_of(tag.trim())).collect())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A version as an entity tag: `"7"`.
pub fn etag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("digits and quotes are allowed in a header")
}

/// Proxies that compress turn `"7"` into `W/"7"`; a version says the same either way.
fn version_of(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    async fn extract<T: FromRequestParts<()>>(name: HeaderName, values: &[&[u8]]) -> Result<T, T::Rejection> {
        let mut request = Request::new(());
        for value in values {
            request.headers_mut().append(&name, HeaderValue::from_bytes(value).unwrap());
        }
        T::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn an_idempotency_key_is_one_to_255_visible_ascii_characters() {
        let key: IdempotencyKey = extract(IDEMPOTENCY_KEY, &[b"a!~"]).await.unwrap();
        assert_eq!(key.as_str(), "a!~");
        let refusal = |values: &'static [&'static [u8]]| async move {
            extract::<IdempotencyKey>(IDEMPOTENCY_KEY, values).await.unwrap_err().code()
        };
        assert_eq!(refusal(&[]).await, "idempotency_key_missing");
        assert_eq!(refusal(&[b""]).await, "idempotency_key_invalid");
        assert_eq!(refusal(&[b"with space"]).await, "idempotency_key_invalid");
        assert_eq!(refusal(&[b"\xc3\xa9"]).await, "idempotency_key_invalid");
        assert_eq!(refusal(&[b"a", b"b"]).await, "idempotency_key_invalid");
        assert_eq!(refusal(&[&[b'a'; 256]]).await, "idempotency_key_invalid");
        assert!(extract::<IdempotencyKey>(IDEMPOTENCY_KEY, &[&[b'a'; 255]]).await.is_ok());
    }

    #[tokio::test]
    async fn if_match_is_one_version_or_none() {
        let read = |values: &'static [&'static [u8]]| async move {
            extract::<IfMatch>(header::IF_MATCH, values).await.map(|found| found.0).map_err(|p| p.code())
        };
        assert_eq!(read(&[]).await, Ok(None));
        assert_eq!(read(&[b"*"]).await, Ok(None));
        assert_eq!(read(&[b"\"7\""]).await, Ok(Some(7)));
        assert_eq!(read(&[b"W/\"7\""]).await, Ok(Some(7)));
        const WRONG: [&[&[u8]]; 7] = [
            &[b"7"],
            &[b"\"\""],
            &[b"\"-1\""],
            &[b"\"+1\""],
            &[b"\"1\", \"2\""],
            &[b"\"1\"", b"\"2\""],
            &[b"\"99999999999999999999\""],
        ];
        for wrong in WRONG {
            assert_eq!(read(wrong).await, Err("if_match_invalid"), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn if_none_match_takes_lists_and_ignores_what_it_cannot_read() {
        let found: IfNoneMatch =
            extract(header::IF_NONE_MATCH, &[b"\"1\", W/\"2\", nonsense", b"\"5\""]).await.unwrap();
        assert!(found.matches(1) && found.matches(2) && found.matches(5) && !found.matches(3));
    }

    #[test]
    fn a_version_is_its_own_entity_tag() {
        assert_eq!(etag(7), "\"7\"");
    }
}
