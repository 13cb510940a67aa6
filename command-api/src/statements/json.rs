//! JSON of which only the outermost shape has to be right: every element is read, or refused, by itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{RECORDS_MAX, Refusal, StatementError};

/// The elements of an array as they stand in the file, no more of them than are ever read.
#[derive(Default)]
pub(super) struct Elements<'f> {
    pub items: Vec<&'f RawValue>,
    pub too_many: bool,
}

impl<'de: 'f, 'f> Deserialize<'de> for Elements<'f> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Elements<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Elements<'de>, A::Error> {
                let mut elements = Elements::default();
                while elements.items.len() < RECORDS_MAX {
                    let Some(item) = list.next_element()? else { return Ok(elements) };
                    elements.items.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    elements.too_many = true;
                }
                Ok(elements)
            }
        }

        deserializer.deserialize_seq(Collect)
    }
}

/// The whole file.
pub(super) fn parse<'f, T: Deserialize<'f>>(text: &'f str) -> Result<T, StatementError> {
    serde_json::from_str(text).map_err(|error| StatementError::Malformed {
        line: error.line().max(1) as u64,
        reason: format!("the JSON cannot be read ({error})"),
    })
}

pub(super) fn element<'f, T: Deserialize<'f>>(element: &'f RawValue) -> Result<T, Refusal> {
    serde_json::from_str(element.get()).map_err(|error| {
        let told: String = error.to_string().chars().take(200).collect();
        let detail = format!("The element cannot be read: {told}.");
        Refusal::new("element_unreadable", detail)
    })
}

/// A text, or a number as the file writes it; nothing where there is neither.
pub(super) fn word(value: Option<&RawValue>) -> Result<String, Refusal> {
    let Some(value) = value else { return Ok(String::new()) };
    match value.get().as_bytes().first() {
        Some(b'"') => element(value),
        Some(b'-' | b'0'..=b'9') => Ok(value.get().to_owned()),
        Some(_) | None => Ok(String::new()),
    }
}
