//! Every route of the query API, by who may call it.

use std::{io, sync::Arc};

use axum::Router;
use http_kit::{
    access::AccessKeys,
    routes::{API_BASE, Policy, Role, Routes},
    serve::{ServeLimits, serve},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa_axum::routes;

use crate::{
    QueryApi, account, accounts, book, books, cash_flow, categories, category, commit, entries, entry,
    entry_history, export, history, import, import_progress, imports, invitations, live, members, net_worth,
    overview, payees, spending_report, statistics, tags,
};

pub fn router() -> Routes<Arc<QueryApi>> {
    let member = Policy::Member(Role::Viewer);
    Routes::at(API_BASE)
        // Anybody who is logged in.
        .route(Policy::LoggedIn, routes!(books::list_books))
        // Members of the book; what is there.
        .route(member, routes!(book::get_book))
        .route(member, routes!(members::list_members))
        .route(Policy::Member(Role::Owner), routes!(invitations::list_invitations))
        .route(member, routes!(accounts::list_accounts))
        .route(member, routes!(account::get_account))
        .route(member, routes!(categories::list_categories))
        .route(member, routes!(category::get_category))
        .route(member, routes!(entries::list_entries))
        .route(member, routes!(entry::get_entry))
        .route(member, routes!(payees::list_payees))
        .route(member, routes!(tags::list_tags))
        .route(member, routes!(export::export_book))
        .route(member, routes!(imports::list_imports))
        .route(member, routes!(import::get_import))
        .route(member, routes!(import_progress::follow_import))
        // What it comes to.
        .route(member, routes!(overview::get_overview))
        .route(member, routes!(spending_report::spending_report))
        .route(member, routes!(cash_flow::cash_flow_report))
        .route(member, routes!(net_worth::net_worth_report))
        .route(member, routes!(statistics::statistics_report))
        // How it came to be.
        .route(member, routes!(history::list_history))
        .route(member, routes!(commit::get_commit))
        .route(member, routes!(entry_history::get_entry_history))
        .route(member, routes!(live::follow_book))
}

/// Serves the query API alone, on a listener of its own.
pub async fn run(
    api: Arc<QueryApi>,
    access: Arc<AccessKeys>,
    limits: ServeLimits,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (router, _): (Router, _) = router().finish(access, api);
    let router = http_kit::layers::wrap(router, http_kit::layers::RequestLimits::default());
    serve(listener, router, limits, shutdown).await
}
