//! Positions in a list, handed to the client and taken back. A cursor is authenticated and bound to the
//! filter it was made for, so a client can neither forge a position nor carry one into another list.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::problem::Problem;

const DOMAIN_TAG: &[u8] = b"daybook cursor v1";
const TAG_LEN: usize = 16;
const CURSOR_LEN_MAX: usize = 2_048;

/// The secret that makes cursors ours. Losing it only costs clients a restart of their list.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// `filter` is whatever makes the list what it is: book, route and parameters, in one canonical text.
    pub fn seal<T: Serialize>(&self, filter: &str, position: &T) -> String {
        let position = serde_json::to_vec(position).expect("a list's position is plain data");
        let mut sealed = self.tag(filter, &position).to_vec();
        sealed.extend_from_slice(&position);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    pub fn open<T: DeserializeOwned>(&self, filter: &str, text: &str) -> Result<T, Problem> {
        let invalid = || Problem::new("cursor_invalid");
        if text.len() > CURSOR_LEN_MAX {
            return Err(invalid());
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (tag, position) = sealed.split_at_checked(TAG_LEN).ok_or_else(invalid)?;
        if !bool::from(tag.ct_eq(&self.tag(filter, position))) {
            return Err(invalid());
        }
        serde_json::from_slice(position).map_err(|_| invalid())
    }

    fn tag(&self, filter: &str, position: &[u8]) -> [u8; TAG_LEN] {
        let mut mac = self.0.clone();
        mac.update(DOMAIN_TAG);
        // The length keeps a filter's end from being read as a position's beginning.
        mac.update(&(filter.len() as u64).to_be_bytes());
        mac.update(filter.as_bytes());
        mac.update(position);
        let mut tag = [0; TAG_LEN];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_LEN]);
        tag
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Position = (String, u64);

    #[test]
    fn a_cursor_opens_in_its_own_list() {
        let key = CursorKey::new(b"secret");
        let cursor = key.seal("entries book_1 kind=expense", &("2026-11-23", 7u64));
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let position: Position = key.open("entries book_1 kind=expense", &cursor).unwrap();
        assert_eq!(position, ("2026-11-23".to_owned(), 7));
    }

    #[test]
    fn a_cursor_of_another_list_key_or_making_is_invalid() {
        let key = CursorKey::new(b"secret");
        let cursor = key.seal("entries a", &("x", 1u64));
        let refused = |key: &CursorKey, filter: &str, text: &str| {
            key.open::<Position>(filter, text).unwrap_err().code() == "cursor_invalid"
        };
        assert!(refused(&key, "entries b", &cursor));
        assert!(refused(&CursorKey::new(b"other"), "entries a", &cursor));
        for text in ["", "!!!", "AAAA", &cursor[1..], &format!("{cursor}A"), &"A".repeat(10_000)] {
            assert!(refused(&key, "entries a", text), "{text:?}");
        }
        // Any single letter changed.
        for index in 0..cursor.len() {
            let mut letters = cursor.clone().into_bytes();
            letters[index] = if letters[index] == b'A' { b'B' } else { b'A' };
            assert!(refused(&key, "entries a", std::str::from_utf8(&letters).unwrap()), "{index}");
        }
    }
}
