//! Commands over HTTP: a request is read into a command, decided by the one owner of its book, and answered once
//! its commit stands in the journal.

mod config;
mod fields;
mod owner;
mod routes;
pub mod statements;
mod writes;

use std::{io, sync::Arc};

use axum::{Router, extract::DefaultBodyLimit};
use http_kit::{
    access::AccessKeys,
    layers::{self, RequestLimits},
    routes::{API_BASE, Policy, Routes},
    serve::{self, ServeLimits},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::UtoipaMethodRouterExt, routes};

pub use config::Config;
pub use owner::{Answer, Order, Outcome, Owners, Print, Refusal, Sources, StartError};
pub use writes::{book_id, key_print};

use domain::event::Role;

#[derive(Clone)]
pub struct ApiState {
    pub owners: Arc<Owners>,
    pub sources: Sources,
    pub config: Arc<Config>,
}

/// Every write of a book.
pub fn router(state: ApiState, access: Arc<AccessKeys>) -> (Router, OpenApi) {
    routes(&state.config).finish(access, state)
}

/// What [`router`] serves, grouped by what it is about.
pub fn routes(config: &Config) -> Routes<ApiState> {
    // A form is a little larger than the file in it.
    let import_body = DefaultBodyLimit::max(config.import_bytes_max + (1 << 20));
    Routes::at(API_BASE)
        .route(Policy::LoggedIn, routes!(routes::book_create::handler))
        .route(Policy::Member(Role::Owner), routes!(routes::book_change::handler))
        .route(Policy::Member(Role::Owner), routes!(routes::member_invite::handler))
        .route(Policy::Member(Role::Owner), routes!(routes::invitation_withdraw::handler))
        .route(Policy::LoggedIn, routes!(routes::invitation_accept::handler))
        .route(Policy::Member(Role::Owner), routes!(routes::member_change::handler))
        // Whoever is a member may leave; that only owners remove others is for the rules to say.
        .route(Policy::Member(Role::Viewer), routes!(routes::member_remove::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::account_open::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::account_change::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::account_close::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::account_reopen::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::category_add::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::category_change::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::category_archive::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::category_restore::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::category_merge::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entry_add::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entries_bulk::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entries_recategorise::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entry_correct::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entry_remove::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::entry_restore::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::import_start::handler).layer(import_body))
        .route(Policy::Member(Role::Editor), routes!(routes::import_revert::handler))
        .route(Policy::Member(Role::Editor), routes!(routes::undo::handler))
}

/// Serves the command API by itself until `shutdown` is cancelled.
pub async fn run(
    state: ApiState,
    access: Arc<AccessKeys>,
    request_limits: RequestLimits,
    serve_limits: ServeLimits,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (router, _) = router(state, access);
    serve::serve(listener, layers::wrap(router, request_limits), serve_limits, shutdown).await
}
