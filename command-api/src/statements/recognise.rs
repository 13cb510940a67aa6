use super::encoding::{Encoding, detect};
use super::{Format, StatementError, refuse_size, table};

const HEAD_BYTES: usize = 8 * 1024;

/// The format a file is in. A table that no program we know writes is [`Format::Csv`], whatever it holds.
pub fn recognise(bytes: &[u8]) -> Result<Format, StatementError> {
    refuse_size(bytes)?;
    let head = head(bytes);
    let start = head.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    let upper = start.to_ascii_uppercase();
    if upper.starts_with("OFXHEADER")
        || upper.starts_with("<OFX")
        || upper.contains("<?OFX")
        || upper.contains("<OFX>")
    {
        return Ok(Format::Ofx);
    }
    if upper.starts_with("<!DOCTYPE HTML") || upper.starts_with("<HTML") {
        return Err(StatementError::FormatNotRead {
            what: "a web page",
            instead: "Log in to the bank again and export the statement itself.",
        });
    }
    // Whatever else is XML is told by the reader what is wrong with it.
    if start.starts_with('<') {
        return Ok(Format::Camt053);
    }
    if ["!TYPE:", "!ACCOUNT", "!OPTION:", "!CLEAR:"].iter().any(|header| upper.starts_with(header)) {
        return Ok(Format::Qif);
    }
    if start.starts_with(['{', '[']) {
        let is_firefly = ["\"attributes\"", "\"transaction_journal_id\""];
        let holds = |word: &&str| bytes.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        return Ok(if is_firefly.iter().any(holds) { Format::FireflyJson } else { Format::ActualJson });
    }
    Ok(table::ledger_of(start).unwrap_or(Format::Csv))
}

/// The beginning as text, good enough to recognise words in.
fn head(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let decoder = match detect(head).0 {
        Encoding::Utf16Le => encoding_rs::UTF_16LE,
        Encoding::Utf16Be => encoding_rs::UTF_16BE,
        Encoding::Utf8 | Encoding::Windows1252 | Encoding::Iso8859_15 => encoding_rs::UTF_8,
    };
    decoder.decode(head).0.into_owned()
}
