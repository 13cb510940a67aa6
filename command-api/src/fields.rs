//! The fields of requests: each reads itself, or says with a stable code why it cannot. They also write themselves,
//! in one spelling, which is what a request's fingerprint is made of.

use chrono::{Datelike, NaiveDate};
use domain::{
    money::{Amount, Currency},
    text::{NAME_MAX, NOTE_MAX, PAYEE_MAX, TAG_MAX, Text, TextError},
};
use http_kit::{email, json::fault};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A decimal string that is more than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PositiveAmount(pub Amount);

impl<'de> Deserialize<'de> for PositiveAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            Amount::parse_positive(text).map(Self).map_err(|error| (error.code(), error.to_string()))
        })
    }
}

/// A decimal string of either sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SignedAmount(pub Amount);

impl<'de> Deserialize<'de> for SignedAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            text.parse()
                .map(Self)
                .map_err(|error: domain::money::AmountError| (error.code(), error.to_string()))
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Date(pub NaiveDate);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| date(text).map(Self))
    }
}

/// A day of the years 1 to 9999, as `YYYY-MM-DD` and in no other spelling.
fn date(text: &str) -> Result<NaiveDate, (&'static str, String)> {
    let malformed = || ("date_malformed", "a date is a day of the calendar, written YYYY-MM-DD".to_owned());
    let is_spelled_out = text.chars().all(|letter| letter.is_ascii_digit() || letter == '-');
    let out_of_range = || ("date_out_of_range", "a date lies in the years 0001 to 9999".to_owned());
    if !is_spelled_out {
        return Err(malformed());
    }
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(malformed()) };
    if year.len() > 4 && month.len() == 2 && day.len() == 2 {
        return Err(out_of_range());
    }
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return Err(malformed());
    }
    let found = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| malformed())?;
    if (1..=9999).contains(&found.year()) { Ok(found) } else { Err(out_of_range()) }
}

/// A code of today's ISO 4217 list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CurrencyCode(pub Currency);

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            Currency::parse(text).map(Self).map_err(|error| ("unknown_currency", error.to_string()))
        })
    }
}

/// An IANA name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct TimeZone(pub chrono_tz::Tz);

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.0.name().to_owned()
    }
}

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            text.parse().map(Self).map_err(|_| {
                (
                    "unknown_time_zone",
                    "a time zone is a name of the IANA database, such as Europe/Berlin".to_owned(),
                )
            })
        })
    }
}

/// The day on which the book's months begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MonthStart(pub u8);

impl<'de> Deserialize<'de> for MonthStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = u8::deserialize(deserializer)?;
        if (1..=28).contains(&day) {
            return Ok(Self(day));
        }
        Err(fault("invalid_value", "a month begins on a day from 1 to 28, which every month has"))
    }
}

/// The name of a book, an account or a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Name(pub Text);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            Text::line(text, NAME_MAX).map(Self).map_err(|error| match error {
                TextError::Empty => ("name_empty", "a name has at least one letter".to_owned()),
                TextError::TooLong { .. } => ("name_too_long", error.to_string()),
                TextError::ControlCharacter => ("invalid_value", error.to_string()),
            })
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Email(pub Text);

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            let malformed = "an e-mail address has one @ with something on both sides and no spaces";
            let address = email::address(text).ok_or(("email_malformed", malformed.to_owned()))?;
            Ok(Self(Text::known(address)))
        })
    }
}

/// Text that may be left empty, which is as good as leaving it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payee(pub Option<Text>);

impl<'de> Deserialize<'de> for Payee {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| optional(Text::line(text, PAYEE_MAX)).map(Self))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note(pub Option<Text>);

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| optional(Text::paragraph(text, NOTE_MAX)).map(Self))
    }
}

fn optional(text: Result<Text, TextError>) -> Result<Option<Text>, (&'static str, String)> {
    match text {
        Ok(text) => Ok(Some(text)),
        Err(TextError::Empty) => Ok(None),
        Err(error @ TextError::TooLong { .. }) => Err(("text_too_long", error.to_string())),
        Err(error @ TextError::ControlCharacter) => Err(("invalid_value", error.to_string())),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag(pub Text);

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            let tag = optional(Text::line(text, TAG_MAX))?;
            tag.map(Self).ok_or(("invalid_value", "a tag has at least one letter".to_owned()))
        })
    }
}

/// An icon's name or a colour: short words of the client's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, |text| {
            let is_word = !text.is_empty()
                && text.len() <= 40
                && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_#".contains(letter));
            if !is_word {
                return Err((
                    "invalid_value",
                    "this takes 1 to 40 ASCII letters, digits, -, _ or #".to_owned(),
                ));
            }
            Ok(Self(text.to_owned()))
        })
    }
}

/// Reads a field that may be absent, but not `null`.
pub fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads a field that may be absent, `null` or a value, and tells the three apart.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, (&'static str, String)>,
) -> Result<T, D::Error> {
    struct Visitor<P>(P);
    impl<T, P: FnOnce(&str) -> Result<T, (&'static str, String)>> de::Visitor<'_> for Visitor<P> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.0)(text).map_err(|(code, detail)| fault(code, &sentence(&detail)))
        }
    }
    deserializer.deserialize_str(Visitor(parse))
}

/// The rule's words as a sentence.
pub fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar_in_one_spelling() {
        for (text, expected) in [
            ("2026-11-23", "2026-11-23"),
            ("2024-02-29", "2024-02-29"),
            ("9999-12-31", "9999-12-31"),
            ("0001-01-01", "0001-01-01"),
            ("2026-04-31", "date_malformed"),
            ("2023-02-29", "date_malformed"),
            ("2026-1-1", "date_malformed"),
            ("23.11.2026", "date_malformed"),
            ("2026-11-23T00:00:00Z", "date_malformed"),
            ("", "date_malformed"),
            ("-001-01-01", "date_malformed"),
            ("0000-01-01", "date_out_of_range"),
            ("10000-01-01", "date_out_of_range"),
        ] {
            let found = date(text).map_or_else(|(code, _)| code.to_owned(), |date| date.to_string());
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
