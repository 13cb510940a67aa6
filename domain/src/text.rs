//! Text that may name or describe a person. It is kept apart by type, so that the journal can seal it and so
//! that it can be forgotten.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub const NAME_MAX: usize = 100;
pub const PAYEE_MAX: usize = 200;
pub const NOTE_MAX: usize = 2_000;
pub const TAG_MAX: usize = 50;
pub const TAGS_MAX: usize = 20;

/// Personal text: readable, or forgotten because the key it was sealed with has been destroyed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Text {
    Known(String),
    Forgotten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the text is empty")]
    Empty,
    #[error("the text is longer than {letters_max} letters")]
    TooLong { letters_max: usize },
    #[error("the text holds a control character")]
    ControlCharacter,
}

impl Text {
    /// One line of text, trimmed, between one and `letters_max` Unicode scalar values.
    pub fn line(text: &str, letters_max: usize) -> Result<Self, TextError> {
        Self::checked(text, letters_max, char::is_control)
    }

    /// Text that may run over several lines.
    pub fn paragraph(text: &str, letters_max: usize) -> Result<Self, TextError> {
        Self::checked(text, letters_max, |letter| {
            letter.is_control() && !matches!(letter, '\n' | '\t' | '\r')
        })
    }

    fn checked(text: &str, letters_max: usize, is_refused: impl Fn(char) -> bool) -> Result<Self, TextError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(TextError::Empty);
        }
        if trimmed.chars().count() > letters_max {
            return Err(TextError::TooLong { letters_max });
        }
        if trimmed.chars().any(is_refused) {
            return Err(TextError::ControlCharacter);
        }
        Ok(Text::Known(trimmed.to_owned()))
    }

    /// Text that was checked before, or that no person chose.
    pub fn known(text: impl Into<String>) -> Self {
        Text::Known(text.into())
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Text::Known(text) => Some(text),
            Text::Forgotten => None,
        }
    }

    /// As a person would compare two names: without regard to case.
    pub fn reads_as(&self, other: &Text) -> bool {
        match (self, other) {
            (Text::Known(a), Text::Known(b)) => a.to_lowercase() == b.to_lowercase(),
            (Text::Forgotten, _) | (_, Text::Forgotten) => false,
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Text::Forgotten, Text::Known))
    }
}

/// Reads an optional text that is there: `null` is a text that was forgotten, a missing field is none.
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_counted_in_letters_and_free_of_control_characters() {
        assert_eq!(Text::line("  Rewe \n", 10), Ok(Text::known("Rewe")));
        assert_eq!(Text::line("äöü", 3), Ok(Text::known("äöü")));
        assert_eq!(Text::line("abcd", 3), Err(TextError::TooLong { letters_max: 3 }));
        assert_eq!(Text::line(" \t", 3), Err(TextError::Empty));
        assert_eq!(Text::line("a\nb", 3), Err(TextError::ControlCharacter));
        assert_eq!(Text::paragraph("a\nb", 3), Ok(Text::known("a\nb")));
        assert_eq!(Text::paragraph("a\0b", 3), Err(TextError::ControlCharacter));
    }
}
