use std::fmt::Write;

use http::HeaderValue;

const LETTERS_MAX: usize = 80;

/// `Content-Disposition` with a name that every system can store, and for those who cannot read all its letters
/// another one (RFC 6266).
pub fn attachment(title: &str, extension: &str) -> HeaderValue {
    // Path separators, and what Windows reserves.
    let plain = |letter: char| match letter {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
        letter if letter.is_control() => '-',
        letter => letter,
    };
    let title: String = title.chars().take(LETTERS_MAX).map(plain).collect();
    let name = format!("{}.{extension}", title.trim().trim_start_matches('.'));
    let ascii: String = name.chars().map(|letter| if letter.is_ascii() { letter } else { '_' }).collect();
    let mut header = format!("attachment; filename=\"{ascii}\"");
    if ascii != name {
        header.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                header.push(char::from(byte));
            } else {
                let _ = write!(header, "%{byte:02X}");
            }
        }
    }
    HeaderValue::try_from(header).expect("letters, digits and ASCII marks are allowed in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_safe_to_store_and_keeps_its_letters() {
        for (title, expected) in [
            ("Home 2026-11-23", "attachment; filename=\"Home 2026-11-23.csv\""),
            ("../a\"b\\c\r\n", "attachment; filename=\"-a-b-c--.csv\""),
            ("Café ☕", "attachment; filename=\"Caf_ _.csv\"; filename*=UTF-8''Caf%C3%A9%20%E2%98%95.csv"),
        ] {
            assert_eq!(attachment(title, "csv"), expected, "{title}");
        }
        assert!(attachment(&"ü".repeat(1_000), "csv").len() < 700);
    }
}
