use axum::{extract::State, response::Response};
use domain::{Command, command::SettingsPatch, event::Weekday};
use http_kit::{
    json::{Json, Path},
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::BookWritten;
use crate::{
    ApiState,
    fields::{MonthStart, Name, TimeZone},
    writes::{Write, book_in_path},
};

/// Only what is given changes.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookChange {
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<TimeZone>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    week_starts_on: Option<Weekday>,
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 28)]
    #[serde(skip_serializing_if = "Option::is_none")]
    month_starts_on: Option<MonthStart>,
}

/// Renames a book or changes its settings.
#[utoipa::path(
    patch,
    path = "/books/{book}",
    operation_id = "change_book",
    tag = "books",
    params(
        ("book" = String, Path),
        ("Idempotency-Key" = String, Header, description = "Your name for this write, 1 to 255 visible ASCII characters; a repetition gets the first answer again."),
        ("If-Match" = Option<String>, Header, description = "The version, in quotes, that the book has to have."),
    ),
    request_body = BookChange,
    responses((status = 200, description = "The book as it is now.", body = BookWritten)),
)]
pub async fn handler(
    State(api): State<ApiState>,
    write: Write,
    Path(book): Path<String>,
    Json(change): Json<BookChange>,
) -> Result<Response, Problem> {
    let book = book_in_path(&book)?;
    let patch = SettingsPatch {
        name: change.name.clone().map(|name| name.0),
        time_zone: change.time_zone.map(String::from),
        week_starts_on: change.week_starts_on,
        month_starts_on: change.month_starts_on.map(|day| day.0),
    };
    write.submit(&api, book, &change, Command::ChangeBook(patch)).await
}
