use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::lines::line_ends;
use super::statement::shown;
use super::{Confidence, Reason, StatementError};

/// How the file's bytes are letters. A byte order mark is skipped wherever there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
    #[serde(rename = "iso-8859-15")]
    Iso8859_15,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
            Self::Iso8859_15 => "iso-8859-15",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }
}

const UTF_8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF_16_LE_MARK: &[u8] = &[0xff, 0xfe];
const UTF_16_BE_MARK: &[u8] = &[0xfe, 0xff];

/// A whole file is refused for one wrong byte: taken with replacement characters, the same line would look new again
/// after the encoding is put right.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, StatementError> {
    match encoding {
        Encoding::Utf8 => {
            let bytes = bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes);
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|fault| {
                let line = 1 + line_ends(&bytes[..fault.valid_up_to()]);
                StatementError::EncodingInvalid { line, encoding: encoding.name() }
            })
        }
        Encoding::Windows1252 => Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0),
        Encoding::Iso8859_15 => Ok(encoding_rs::ISO_8859_15.decode_without_bom_handling(bytes).0),
        Encoding::Utf16Le => decode_utf16(bytes, encoding, UTF_16_LE_MARK, encoding_rs::UTF_16LE),
        Encoding::Utf16Be => decode_utf16(bytes, encoding, UTF_16_BE_MARK, encoding_rs::UTF_16BE),
    }
}

fn decode_utf16<'b>(
    bytes: &'b [u8],
    encoding: Encoding,
    mark: &[u8],
    decoder: &'static encoding_rs::Encoding,
) -> Result<Cow<'b, str>, StatementError> {
    let bytes = bytes.strip_prefix(mark).unwrap_or(bytes);
    let (text, broken) = decoder.decode_without_bom_handling(bytes);
    if broken {
        let sound = text.find(char::REPLACEMENT_CHARACTER).unwrap_or(text.len());
        let line = 1 + line_ends(&text.as_bytes()[..sound]);
        return Err(StatementError::EncodingInvalid { line, encoding: encoding.name() });
    }
    Ok(text)
}

/// Decodes a file that declares its encoding by a name, or does not. What a person says counts more than the declaration,
/// and a byte order mark more than a name; a file that declares a Latin encoding and is UTF-8 throughout is UTF-8.
pub(super) fn decode_declared<'b>(
    bytes: &'b [u8],
    declared: Option<&str>,
    hint: Option<Encoding>,
    reasons: &mut Vec<Reason>,
) -> Result<Cow<'b, str>, StatementError> {
    if let Some(hint) = hint {
        return decode(bytes, hint);
    }
    let (detected, because) = detect(bytes);
    let name = declared.unwrap_or_default().trim().to_ascii_lowercase();
    let encoding = match name.as_str() {
        _ if matches!(detected, Encoding::Utf16Le | Encoding::Utf16Be) => detected,
        "" | "us-ascii" | "usascii" | "ascii" => {
            if detected != Encoding::Utf8 {
                let because = because.to_owned();
                reasons.push(Reason {
                    about: "encoding".to_owned(),
                    because,
                    confidence: Confidence::Medium,
                });
            }
            detected
        }
        "utf-8" | "utf8" | "unicode" => Encoding::Utf8,
        "windows-1252" | "cp1252" | "1252" | "iso-8859-1" | "8859-1" | "latin1" | "latin-1"
        | "iso-8859-15" => {
            if detected == Encoding::Utf8 && !bytes.is_ascii() {
                let because = format!("The file declares {name}, but all its bytes are valid UTF-8.");
                reasons.push(Reason { about: "encoding".to_owned(), because, confidence: Confidence::High });
                Encoding::Utf8
            } else if name == "iso-8859-15" {
                Encoding::Iso8859_15
            } else {
                Encoding::Windows1252
            }
        }
        _ => {
            let reason = format!("the encoding `{}` is declared, which is not read", shown(&name));
            return Err(StatementError::Malformed { line: 1, reason });
        }
    };
    decode(bytes, encoding)
}

/// The likeliest encoding and the sentence that says why.
pub(super) fn detect(bytes: &[u8]) -> (Encoding, &'static str) {
    if bytes.starts_with(UTF_8_MARK) {
        return (Encoding::Utf8, "The file begins with the byte order mark of UTF-8.");
    }
    if bytes.starts_with(UTF_16_LE_MARK) {
        return (Encoding::Utf16Le, "The file begins with the byte order mark of UTF-16, little end first.");
    }
    if bytes.starts_with(UTF_16_BE_MARK) {
        return (Encoding::Utf16Be, "The file begins with the byte order mark of UTF-16, big end first.");
    }

    // Latin text in UTF-16 has a zero in every second byte.
    let head = &bytes[..bytes.len().min(4096)];
    let zeros_at = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    let many = head.len() / 5;
    if odd > many && even < odd / 10 {
        return (Encoding::Utf16Le, "Every second byte is zero, as in UTF-16 with the little end first.");
    }
    if even > many && odd < even / 10 {
        return (Encoding::Utf16Be, "Every first byte is zero, as in UTF-16 with the big end first.");
    }

    if std::str::from_utf8(bytes).is_ok() {
        return (Encoding::Utf8, "All bytes are valid UTF-8.");
    }
    if bytes.iter().any(|byte| (0x80..=0x9f).contains(byte)) {
        return (Encoding::Windows1252, "There are bytes that only Windows-1252 uses for letters and signs.");
    }
    if holds_latin_9(bytes) {
        return (Encoding::Iso8859_15, "The euro sign or œ stands where only ISO-8859-15 has it.");
    }
    (Encoding::Windows1252, "The bytes are not UTF-8; Windows-1252 is the usual one of Western banks.")
}

/// 0xA4 is the euro sign in ISO-8859-15 and an unused currency sign in Windows-1252; Œ, œ and Ÿ are fractions there, and
/// fractions do not stand beside letters.
fn holds_latin_9(bytes: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0xc0;
    bytes.contains(&0xa4)
        || bytes.windows(2).any(|pair| {
            matches!(pair, [first, 0xbc..=0xbe] if is_letter(first))
                || matches!(pair, [0xbc..=0xbe, second] if is_letter(second))
        })
}
