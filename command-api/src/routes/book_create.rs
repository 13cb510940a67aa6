use axum::{extract::State, response::Response};
use chrono::TimeZone as _;
use domain::{
    Command,
    event::{Settings, Weekday},
    starter::starter_set,
};
use http_kit::{json::Json, problem::Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BookWritten;
use crate::{
    ApiState,
    fields::{CurrencyCode, MonthStart, Name, TimeZone},
    writes::{Write, book_id},
};

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBook {
    #[schema(value_type = String, max_length = 100, example = "Home")]
    name: Name,
    /// ISO 4217. What accounts keep unless they say otherwise; it cannot be changed.
    #[schema(value_type = String, example = "EUR")]
    currency: CurrencyCode,
    /// IANA name; `UTC` unless given.
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<TimeZone>,
    /// `monday` unless given.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    week_starts_on: Option<Weekday>,
    /// 1 to 28, 1 unless given: a month of the book begins on this day (a pay-day month).
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 28)]
    #[serde(skip_serializing_if = "Option::is_none")]
    month_starts_on: Option<MonthStart>,
    /// `true`: without the usual accounts and categories to begin with.
    #[serde(default)]
    empty: bool,
}

/// Makes a book, owned by the caller.
///
/// A usable set of accounts and categories comes with it, unless `empty` is asked for. The book's id follows from
/// the caller and the key, so that a repetition finds the same book.
#[utoipa::path(
    post,
    path = "/books",
    operation_id = "create_book",
    tag = "books",
    params(
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
    ),
    request_body = NewBook,
    responses((status = 201, description = "The book; `Location` is where it is read.", body = BookWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Json(new): Json<NewBook>,
) -> Result<Response, Problem> {
    let book = book_id(write.caller.user, write.key.as_str());
    let time_zone = new.time_zone.map_or(chrono_tz::UTC, |zone| zone.0);
    let today = time_zone.from_utc_datetime(&(api.sources.now)().naive_utc()).date_naive();
    let (accounts, categories) = match new.empty {
        true => (Vec::new(), Vec::new()),
        false => starter_set(today, &mut || (api.sources.next_uuid)()),
    };
    let settings = Settings {
        name: new.name.0.clone(),
        currency: new.currency.0,
        time_zone: time_zone.name().to_owned(),
        week_starts_on: new.week_starts_on.unwrap_or(Weekday::Monday),
        month_starts_on: new.month_starts_on.map_or(1, |day| day.0),
    };
    write.submit(&api, book, &new, Command::CreateBook { settings, accounts, categories }).await
}
