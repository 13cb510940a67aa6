//! Personal text is sealed under its book's key before it is hashed and written. Whoever destroys the key has
//! forgotten the text, and no hash changes.
//!
//! A sealed text is the standard base64 of `nonce (24 bytes) ‖ XChaCha20-Poly1305 ciphertext and tag`, with the
//! associated data `<book>|<version>|<n>`: the book, the commit, and the text's place among the texts of the
//! commit. So no sealed text can be moved to another place unnoticed. Nonces are random, since a record that the
//! journal ignores may hold a text for the same version.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{Event, id::BookId, text::Text};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const NONCE_LEN: usize = 24;

/// The key of one book: seals its personal text, and vouches for what was handed out in its name.
#[derive(Clone)]
pub struct BookKey(Zeroizing<[u8; 32]>);

impl BookKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// A tag that nobody makes without this key: the HMAC-SHA256 of the words, under a key that is derived from this
    /// one for each `purpose`, so that no tag is good for another.
    pub fn vouch(&self, purpose: &str, words: &[u8]) -> [u8; 32] {
        self.vouching(purpose, words).finalize().into_bytes().into()
    }

    /// Whether this key vouched for these words. Takes the same time whatever is wrong with the tag.
    pub fn vouched(&self, purpose: &str, words: &[u8], tag: &[u8]) -> bool {
        self.vouching(purpose, words).verify_slice(tag).is_ok()
    }

    fn vouching(&self, purpose: &str, words: &[u8]) -> Hmac<Sha256> {
        let derived = hmac(self.0.as_ref()).chain_update(purpose).finalize().into_bytes();
        hmac(&derived).chain_update(words)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl std::fmt::Debug for BookKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BookKey([REDACTED])")
    }
}

#[derive(Debug, thiserror::Error)]
#[error("text {index} of version {version} of {book} does not open with the book's key")]
pub struct OpenError {
    pub book: BookId,
    pub version: u64,
    pub index: usize,
}

/// Seals every personal text of a commit's events. `next_nonce` has to be random.
pub fn seal(
    key: &BookKey,
    book: BookId,
    version: u64,
    events: &mut [Event],
    next_nonce: &mut impl FnMut() -> [u8; NONCE_LEN],
) {
    for_each_text(events, |index, text| {
        let Text::Known(clear) = text else { return };
        let nonce = next_nonce();
        let place = place(book, version, index);
        let payload = Payload { msg: clear.as_bytes(), aad: place.as_bytes() };
        let sealed = key
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("the cipher takes any text shorter than 256 GiB");
        *text = Text::Known(BASE64.encode([nonce.as_slice(), &sealed].concat()));
    });
}

/// Opens every personal text; without a key they are forgotten.
pub fn open(
    key: Option<&BookKey>,
    book: BookId,
    version: u64,
    events: &mut [Event],
) -> Result<(), OpenError> {
    let mut fault = None;
    for_each_text(events, |index, text| {
        let Text::Known(sealed) = text else { return };
        match key {
            None => *text = Text::Forgotten,
            Some(key) => match open_text(key, &place(book, version, index), sealed) {
                Some(clear) => *text = Text::Known(clear),
                None => fault = Some(OpenError { book, version, index }),
            },
        }
    });
    fault.map_or(Ok(()), Err)
}

fn open_text(key: &BookKey, place: &str, sealed: &str) -> Option<String> {
    let bytes = BASE64.decode(sealed).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
    let clear =
        key.cipher().decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: place.as_bytes() }).ok()?;
    String::from_utf8(clear).ok()
}

fn place(book: BookId, version: u64, index: usize) -> String {
    format!("{book}|{version}|{index}")
}

fn for_each_text(events: &mut [Event], mut visit: impl FnMut(usize, &mut Text)) {
    let mut index = 0;
    for event in events {
        event.for_each_text(&mut |text| {
            visit(index, text);
            index += 1;
        });
    }
}
