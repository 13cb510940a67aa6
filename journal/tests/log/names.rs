//! Ids, dates and amounts that a test can name and a failure can print.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    id::{Id, Kind},
    money::{Currency, Money},
};
use uuid::Uuid;

/// The id that spells this name, of at most 16 letters, in its bytes.
pub fn id<K: Kind>(name: &str) -> Id<K> {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    Id::from_uuid(Uuid::from_bytes(bytes))
}

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text} is no date: {error}"))
}

pub fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00.123Z".parse().unwrap()
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap_or_else(|error| panic!("{error}"))
}

pub fn money(amount: &str, code: &str) -> Money {
    Money::parse_decimal(amount, currency(code)).unwrap_or_else(|error| panic!("{amount}: {error}"))
}
