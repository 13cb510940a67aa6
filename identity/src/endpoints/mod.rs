//! The routes of identity, one file each.

mod sign_up;

mod log_in;
mod refresh;

mod change_password;
mod log_out;
mod log_out_everywhere;

mod change_me;
mod read_me;

mod end_session;
mod list_sessions;

mod jwks;

mod login_answer;
mod user;

use std::sync::Arc;

use axum::Router;
use http_kit::routes::{API_BASE, Policy, Routes};
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::identity::Identity;

pub fn router(identity: &Arc<Identity>) -> (Router, OpenApi) {
    let (api, mut description) = api().finish(identity.access_keys(), identity.clone());
    let (well_known, more) = well_known().finish(identity.access_keys(), identity.clone());
    description.merge(more);
    (api.merge(well_known), description)
}

pub fn describe() -> OpenApi {
    let mut description = api().describe();
    description.merge(well_known().describe());
    description
}

fn api() -> Routes<Arc<Identity>> {
    Routes::at(API_BASE)
        // Anybody: who has no access token yet, or no more.
        .route(Policy::Public, routes!(sign_up::sign_up))
        .route(Policy::Public, routes!(log_in::log_in))
        .route(Policy::Public, routes!(refresh::refresh_login))
        // The person logged in, about themselves.
        .route(Policy::LoggedIn, routes!(log_out::log_out))
        .route(Policy::LoggedIn, routes!(log_out_everywhere::log_out_everywhere))
        .route(Policy::LoggedIn, routes!(change_password::change_password))
        .route(Policy::LoggedIn, routes!(read_me::read_me))
        .route(Policy::LoggedIn, routes!(change_me::change_me))
        .route(Policy::LoggedIn, routes!(list_sessions::list_sessions))
        .route(Policy::LoggedIn, routes!(end_session::end_session))
}

fn well_known() -> Routes<Arc<Identity>> {
    // The services that verify access tokens.
    Routes::new().route(Policy::Public, routes!(jwks::read_jwks))
}
