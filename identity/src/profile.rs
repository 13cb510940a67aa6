//! What a person says about themselves, checked.

use chrono_tz::Tz;
use domain::text::{NAME_MAX, Text, TextError};
use http_kit::{email, problem::FieldError};

const LOCALE_LEN_MAX: usize = 35;

/// Name, language and zone of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
}

/// An e-mail address as it was typed, and as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    pub shown: String,
    pub lookup: String,
}

impl Email {
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let Some(shown) = email::address(text) else {
            let detail = "An e-mail address has one @ with something on both sides and no spaces.";
            return Err(fault("/email", "email_malformed", detail));
        };
        Ok(Self { shown: shown.to_owned(), lookup: Self::lookup_of(shown) })
    }

    /// How an address is looked up. Nothing longer than an address can be is carried further.
    pub fn lookup_of(text: &str) -> String {
        text.trim().chars().take(email::LEN_MAX).flat_map(char::to_lowercase).collect()
    }
}

pub fn name(text: &str) -> Result<String, FieldError> {
    match Text::line(text, NAME_MAX) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(TextError::Empty) => Err(fault("/name", "name_empty", "A name has at least one letter.")),
        Err(TextError::TooLong { letters_max }) => {
            Err(fault("/name", "name_too_long", &format!("A name has at most {letters_max} letters.")))
        }
        Err(TextError::ControlCharacter) => {
            Err(fault("/name", "invalid_value", "A name holds no control characters."))
        }
    }
}

/// A language tag by its form ([RFC 5646]): letters, then groups of letters and digits.
///
/// [RFC 5646]: https://www.rfc-editor.org/rfc/rfc5646
pub fn locale(text: &str) -> Result<String, FieldError> {
    let mut groups = text.split('-');
    let language = groups.next().unwrap_or_default();
    let is_language = (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let mut rest = groups
        .map(|group| (1..=8).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_alphanumeric()));
    if !is_language || !rest.all(|is_group| is_group) || text.len() > LOCALE_LEN_MAX {
        return Err(fault("/locale", "locale_malformed", "A locale is a language tag such as en or de-CH."));
    }
    Ok(text.to_owned())
}

pub fn time_zone(text: &str) -> Result<String, FieldError> {
    match text.parse::<Tz>() {
        Ok(zone) => Ok(zone.name().to_owned()),
        Err(_) => {
            let detail = "A time zone is a name of the IANA database, such as Europe/Berlin.";
            Err(fault("/time_zone", "unknown_time_zone", detail))
        }
    }
}

pub fn fault(pointer: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_up_without_case_and_space() {
        let email = Email::parse("  Ada.L@Example.ORG ").unwrap();
        assert_eq!((email.shown.as_str(), email.lookup.as_str()), ("Ada.L@Example.ORG", "ada.l@example.org"));
        assert!(Email::parse("a@localhost").is_ok());
        for text in ["", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\n.c", &format!("{}@b", "a".repeat(254))] {
            assert_eq!(Email::parse(text).unwrap_err().code, "email_malformed", "{text:?}");
        }
    }

    #[test]
    fn a_name_has_between_one_and_a_hundred_letters() {
        assert_eq!(name(" Ada "), Ok("Ada".to_owned()));
        assert!(name(&"ä".repeat(100)).is_ok());
        assert_eq!(name(" ").unwrap_err().code, "name_empty");
        assert_eq!(name(&"a".repeat(101)).unwrap_err().code, "name_too_long");
        assert_eq!(name("a\u{7}b").unwrap_err().code, "invalid_value");
    }

    #[test]
    fn a_locale_has_the_form_of_a_language_tag() {
        for text in ["en", "de-CH", "zh-Hant-TW", "pt-BR", "es-419"] {
            assert_eq!(locale(text), Ok(text.to_owned()));
        }
        for text in ["", "e", "en_US", "12", "en-", "-en", "en--US", &format!("en{}", "-abcdefgh".repeat(5))]
        {
            assert_eq!(locale(text).unwrap_err().code, "locale_malformed", "{text:?}");
        }
    }

    #[test]
    fn a_time_zone_is_one_of_the_iana_database() {
        assert_eq!(time_zone("Europe/Berlin"), Ok("Europe/Berlin".to_owned()));
        for text in ["", "Mars/Base", "CET+1", "europe/berlin "] {
            assert_eq!(time_zone(text).unwrap_err().code, "unknown_time_zone", "{text:?}");
        }
    }
}
