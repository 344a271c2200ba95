//! What a browser talks to: the page, a small API, and the WebSocket of a session.

mod api;
mod clients;
pub mod http;
pub mod page;
mod state;
pub mod ws;

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::get;
pub use state::{Addresses, FaultyAddress, Web};

use self::http::{headers, host};
use self::page::{assets, qr};
use crate::operate::meters::Meters;

/// The format of the meters (Prometheus, exposition formats).
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All routes of the page.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/ws", get(ws::session::upgrade))
        .route("/api/info", get(api::info))
        .route("/api/clients", get(clients::recall))
        .route("/api/refused", get(api::refused))
        .route("/api/qr.svg", get(qr::draw))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .fallback(assets::serve)
        .layer(from_fn_with_state(web.clone(), host::check))
        .layer(map_response(headers::add))
        .with_state(web)
}

/// All routes of the operator's listener. It answers to the same host names: a page that makes its own name lead
/// here (DNS rebinding) would reach it from the operator's browser.
pub fn admin(web: Web, meters: Meters) -> Router {
    let refusals = Arc::clone(&web.refusals);
    let meters = Arc::new(meters);
    let metrics =
        move || async move { ([(CONTENT_TYPE, PROMETHEUS)], meters.text(refusals.counts())) };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .layer(from_fn_with_state(web.clone(), host::check))
        .layer(map_response(headers::add))
        .with_state(web)
}
