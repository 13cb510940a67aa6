//! The SGML of OFX 1: values are not closed, groups are.

use winnow::Parser;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, repeat};
use winnow::token::{rest, take_till, take_until, take_while};

use super::super::StatementError;
use super::super::lines::LineCounter;
use super::super::markup::Piece;

/// What stands in front of the first tag is the header and is read over.
pub(super) struct Sgml<'t> {
    text: &'t str,
    rest: &'t str,
    lines: LineCounter<'t>,
}

#[derive(Clone)]
enum Token<'t> {
    /// A tag, and the text between it and the next.
    Open(&'t str, &'t str),
    Close(&'t str),
    /// A comment, a processing instruction, text that belongs to no tag.
    Aside,
    Declaration,
}

impl<'t> Sgml<'t> {
    pub fn new(text: &'t str) -> Self {
        let start = text.find('<').unwrap_or(text.len());
        Self { text, rest: &text[start..], lines: LineCounter::new(text) }
    }

    /// The line that reading has come to.
    pub fn line(&mut self) -> u64 {
        self.lines.line_at(self.text.len() - self.rest.len())
    }

    /// A tag without a value begins a group, or is a value that is empty; whoever knows the groups can tell.
    pub fn next(&mut self) -> Result<Option<Piece>, StatementError> {
        loop {
            self.rest = self.rest.trim_start();
            let line = self.line();
            if self.rest.is_empty() {
                return Ok(None);
            }
            let token = token.parse_next(&mut self.rest).map_err(|_| {
                let reason = "a tag is broken or cut off".to_owned();
                StatementError::Malformed { line, reason }
            })?;
            let upper = |name: &str| name.to_ascii_uppercase();
            return Ok(Some(match token {
                Token::Aside => continue,
                Token::Declaration => {
                    let what = "a document type declaration";
                    return Err(StatementError::EntityRefused { line, what });
                }
                Token::Open(name, "") => Piece::Begin { name: upper(name), line },
                Token::Open(name, text) => {
                    Piece::Leaf { name: upper(name), line, text: unescaped(text), currency: None }
                }
                Token::Close(name) => Piece::End { name: upper(name) },
            }));
        }
    }
}

fn token<'t>(text: &mut &'t str) -> winnow::Result<Token<'t>> {
    alt((
        ("<!--", take_until(0.., "-->"), "-->").value(Token::Aside),
        ("<?", take_until(0.., ">"), ">").value(Token::Aside),
        ("<!", rest).value(Token::Declaration),
        delimited("</", name, (multispace0, ">")).map(Token::Close),
        (delimited("<", name, (multispace0, ">")), value).map(|(name, text)| Token::Open(name, text.trim())),
        take_till(1.., '<').value(Token::Aside),
    ))
    .parse_next(text)
}

fn name<'t>(text: &mut &'t str) -> winnow::Result<&'t str> {
    take_while(1.., |sign: char| sign.is_ascii_alphanumeric() || "._-:".contains(sign)).parse_next(text)
}

/// Up to the next tag. Banks write `<` into their texts, so it has to look like one.
fn value<'t>(text: &mut &'t str) -> winnow::Result<&'t str> {
    let begins_tag = |sign: char| sign.is_ascii_alphabetic() || "/!?".contains(sign);
    let mut from = 0;
    while let Some(found) = text[from..].find('<') {
        let at = from + found;
        if text[at + 1..].starts_with(begins_tag) {
            return winnow::token::take(text[..at].chars().count()).parse_next(text);
        }
        from = at + 1;
    }
    rest.parse_next(text)
}

/// The references that occur in the wild; everything else that begins with `&` is a bank's ordinary text.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let reference = alt((
        "&amp;".value('&'),
        "&lt;".value('<'),
        "&gt;".value('>'),
        "&quot;".value('"'),
        "&apos;".value('\''),
        "&nbsp;".value(' '),
        delimited("&#", winnow::ascii::dec_uint::<_, u32, _>, ";").verify_map(char::from_u32),
        winnow::token::any,
    ));
    let letters: winnow::Result<String> = repeat(0.., reference).parse_next(&mut &*text);
    letters.unwrap_or_else(|_| text.to_owned())
}

/// What the header of OFX 1 says, as a name that other formats use too.
pub(super) fn declared_encoding(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = &head[..head.iter().position(|byte| *byte == b'<').unwrap_or(head.len())];
    let head = String::from_utf8_lossy(head).to_ascii_uppercase();
    // Some banks write the whole header into one line, with nothing between the fields.
    let field = |name: &str| {
        let value = head.split(name).nth(1)?.trim_start();
        Some(value.split(|sign: char| sign.is_whitespace()).next()?.to_owned())
    };
    let (encoding, charset) = (field("ENCODING:")?, field("CHARSET:").unwrap_or_default());
    if encoding.starts_with("UTF-8") || encoding.starts_with("UNICODE") || charset.starts_with("UTF-8") {
        return Some("utf-8");
    }
    if charset.starts_with("ISO-8859-15") || charset.starts_with("8859-15") {
        return Some("iso-8859-15");
    }
    if charset.starts_with("1252") || charset.starts_with("ISO-8859-1") || charset.starts_with("8859-1") {
        return Some("windows-1252");
    }
    Some("us-ascii")
}
