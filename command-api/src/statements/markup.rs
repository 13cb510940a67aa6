//! Marked-up text in pieces, one after the other, so that a file of any shape costs no more memory than its longest value.

use std::collections::VecDeque;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::lines::LineCounter;
use super::{DEPTH_MAX, StatementError};

/// A piece of XML or SGML: an element that has others inside it begins and ends, one with nothing but text is a leaf.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Begin { name: String, line: u64 },
    Leaf { name: String, line: u64, text: String, currency: Option<String> },
    End { name: String },
}

/// XML, without any of what makes it dangerous: a document type declaration is refused, and with it every entity.
pub(super) struct Xml<'t> {
    reader: Reader<&'t [u8]>,
    lines: LineCounter<'t>,
    open: Vec<Open>,
    ready: VecDeque<Piece>,
}

struct Open {
    name: String,
    line: u64,
    text: String,
    /// The attribute `Ccy`, the only one that a statement needs.
    currency: Option<String>,
    begun: bool,
}

impl<'t> Xml<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            reader: Reader::from_str(text),
            lines: LineCounter::new(text),
            open: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    /// The line that reading has come to.
    pub fn line(&mut self) -> u64 {
        self.lines.line_at(self.reader.buffer_position() as usize)
    }

    pub fn next(&mut self) -> Result<Option<Piece>, StatementError> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Ok(Some(piece));
            }
            let line = self.line();
            let event = self.reader.read_event().map_err(|error| StatementError::Malformed {
                line,
                reason: format!("the XML cannot be read ({error})"),
            })?;
            match event {
                Event::Start(start) => self.open(&start, line)?,
                Event::Empty(start) => {
                    self.open(&start, line)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(text) => self.append(&text.xml10_content()),
                Event::CData(text) => self.append(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let letter = letter_of(&reference)
                        .ok_or(StatementError::EntityRefused { line, what: "an entity of its own" })?;
                    self.append(letter.encode_utf8(&mut [0; 4]));
                }
                Event::DocType(_) => {
                    let what = "a document type declaration";
                    return Err(StatementError::EntityRefused { line, what });
                }
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => {
                    let Some(innermost) = self.open.last() else { return Ok(None) };
                    let reason = format!("the file ends inside <{}>; it seems cut off", innermost.name);
                    return Err(StatementError::Malformed { line, reason });
                }
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: u64) -> Result<(), StatementError> {
        if self.open.len() == DEPTH_MAX {
            return Err(StatementError::TooDeep { line });
        }
        if let Some(parent) = self.open.last_mut().filter(|parent| !parent.begun) {
            parent.begun = true;
            parent.text.clear();
            self.ready.push_back(Piece::Begin { name: parent.name.clone(), line: parent.line });
        }
        let currency = start.try_get_attribute("Ccy").ok().flatten();
        self.open.push(Open {
            name: start.local_name().as_ref().to_owned(),
            line,
            text: String::new(),
            currency: currency.map(|attribute| attribute.value.into_owned()),
            begun: false,
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(Open { name, line, text, currency, begun }) = self.open.pop() else { return };
        self.ready.push_back(match begun {
            true => Piece::End { name },
            false => Piece::Leaf { name, line, text, currency },
        });
    }

    /// Text beside elements has no meaning in a statement.
    fn append(&mut self, text: &str) {
        if let Some(innermost) = self.open.last_mut().filter(|innermost| !innermost.begun) {
            innermost.text.push_str(text);
        }
    }
}

/// One of the five entities that every XML has, or a letter by its number.
fn letter_of(reference: &BytesRef<'_>) -> Option<char> {
    match reference.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

/// The encoding that the first line of an XML file declares. It is ASCII in every encoding but UTF-16.
pub(super) fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(256)];
    let head = &head[..head.iter().position(|byte| *byte == b'>')?];
    let at = head.windows(8).position(|letters| letters == b"encoding")?;
    let mut quoted = head[at..].split(|byte| matches!(byte, b'"' | b'\''));
    std::str::from_utf8(quoted.nth(1)?).ok()
}
