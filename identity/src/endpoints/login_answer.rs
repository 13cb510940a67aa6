use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use http_kit::json::Json;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::User;
use crate::{client::Client, identity::Identity, identity::Login};

/// Where a client wants its refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionPlace {
    /// In the answer, for clients that keep it themselves.
    #[default]
    Body,
    /// In a cookie that no script can read, for browsers.
    Cookie,
}

/// What a sign-up, a log-in and a refresh answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Login)]
pub struct LoginAnswer {
    user: User,
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 600)]
    expires_in: u64,
    /// Can be used once. Not in the answer where it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

pub fn answer(status: StatusCode, login: Login, identity: &Identity, client: &Client) -> Response {
    let cookie =
        login.in_cookie.then(|| client.set_cookie(&login.refresh_token, identity.config.session_idle_days));
    let body = LoginAnswer {
        user: User::of(login.user),
        access_token: login.access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: identity.config.access_token_seconds,
        refresh_token: (!login.in_cookie).then(|| login.refresh_token.expose().to_owned()),
    };
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
