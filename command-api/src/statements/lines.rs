//! Physical lines of a text.

/// `\n`, `\r\n` and a lone `\r` each end one line.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let mut ends = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => ends += 1,
            b'\r' if bytes.get(at + 1) != Some(&b'\n') => ends += 1,
            _ => {}
        }
    }
    ends
}

/// Where the text begins after `lines` physical lines; its end when it has fewer.
pub(super) fn offset_of_line(text: &str, lines: u64) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    for _ in 0..lines {
        let Some(length) = bytes[at..].iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            return bytes.len();
        };
        at += length + if bytes[at + length..].starts_with(b"\r\n") { 2 } else { 1 };
    }
    at
}

/// Which physical line a place in the text is on. Places have to be asked for in rising order, so that a whole file costs
/// one pass.
pub(super) struct LineCounter<'t> {
    bytes: &'t [u8],
    counted_to: usize,
    line: u64,
}

impl<'t> LineCounter<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), counted_to: 0, line: 1 }
    }

    /// The line, counted from 1, on which the byte at `offset` stands.
    pub fn line_at(&mut self, offset: usize) -> u64 {
        let offset = offset.min(self.bytes.len());
        if offset > self.counted_to {
            self.line += line_ends(&self.bytes[self.counted_to..offset]);
            self.counted_to = offset;
        }
        self.line
    }
}

/// The physical lines of a text with their numbers, without their ends.
pub(super) fn numbered_lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let mut rest = text;
    (1..).map_while(move |number| {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = rest.split_at(offset_of_line(rest, 1));
        rest = after;
        Some((number, line.trim_end_matches(['\r', '\n'])))
    })
}
