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

const NONCE_LEN: usize = 24;

/// The key of one book's personal text.
#[derive(Clone)]
pub struct BookKey(XChaCha20Poly1305);

impl BookKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&Key::from(key)))
    }
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
            .0
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
    let clear = key.0.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: place.as_bytes() }).ok()?;
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
