//! Ids, dates and texts that a test can name and a failure can print.

use chrono::NaiveDate;
use domain::{
    id::{Id, Kind},
    money::{Amount, Currency, Money},
    text::Text,
};
use uuid::Uuid;

/// The id that spells this name, of at most 16 letters, in its bytes.
pub fn id<K: Kind>(name: &str) -> Id<K> {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Id::from_uuid(Uuid::from_bytes(bytes))
}

pub fn name_of<K: Kind>(id: Id<K>) -> String {
    String::from_utf8_lossy(id.as_bytes()).trim_end_matches('\0').to_owned()
}

pub fn text(text: &str) -> Text {
    Text::known(text)
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text} is no date: {error}"))
}

pub fn today() -> NaiveDate {
    date("2026-11-23")
}

pub fn amount(text: &str) -> Amount {
    text.parse().unwrap_or_else(|error| panic!("{text} is no amount: {error}"))
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap_or_else(|error| panic!("{error}"))
}

pub fn euros(text: &str) -> Money {
    amount(text).in_currency(currency("EUR")).unwrap_or_else(|error| panic!("{text}: {error}"))
}
