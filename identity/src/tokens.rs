//! Refresh tokens: 32 random bytes that the client keeps and we know only the SHA-256 of. They are random enough
//! that a plain hash suffices.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

const RANDOM_LEN: usize = 32;

pub struct RefreshToken(SecretString);

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl RefreshToken {
    pub fn generate() -> Self {
        let random: [u8; RANDOM_LEN] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(random).into())
    }

    /// Any text may be presented; only one that was issued has a hash that is found.
    pub fn presented(text: SecretString) -> Self {
        Self(text)
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.expose_secret()).into())
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl TokenHash {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken([REDACTED])")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_differ_and_one_is_known_by_its_hash() {
        let token = RefreshToken::generate();
        assert_ne!(token.expose(), RefreshToken::generate().expose());
        assert_eq!(token.expose().len(), 43);
        assert_eq!(RefreshToken::presented(token.expose().into()).hash(), token.hash());
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = RefreshToken::generate();
        assert!(!format!("{token:?} {:?}", token.hash()).contains(&token.expose()[..8]));
    }
}
