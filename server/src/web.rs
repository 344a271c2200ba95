//! What a browser talks to: the page, a small API, and the WebSocket of a session.

mod assets;
mod client_address;
mod connection;
mod headers;
mod host;
pub mod listener;
mod origin;
mod session;
pub mod socket;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use streamgram_protocol::Limits;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::bridge::Bridge;
use crate::config::HttpLimits;
use crate::refusals::Refusals;

/// What every request may need.
#[derive(Debug, Clone)]
pub struct Web {
    /// The addresses that everything listens on.
    pub addresses: Addresses,
    /// What sessions share.
    pub bridge: Bridge,
    /// Who may ask.
    pub http_limits: Arc<HttpLimits>,
    /// How many sessions there may be.
    pub sessions: Admission,
    /// Is told what was refused.
    pub refusals: Arc<Refusals>,
    /// Ends every session.
    pub stop: CancellationToken,
    /// Every session, and every listener that health depends on.
    pub tasks: Tasks,
}

/// The addresses that are really listened on.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Addresses {
    /// The page, the API and the WebSocket.
    pub http: SocketAddr,
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

/// What runs beside the requests.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    /// A task for each session.
    pub sessions: TaskTracker,
    /// A task for each of the two timestamp servers.
    pub listeners: TaskTracker,
}

/// How many listeners there are when all is well.
pub const LISTENERS: usize = 2;

/// Every route there is.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/ws", get(session::upgrade))
        .route("/api/info", get(info))
        .route("/api/refused", get(refused))
        .route("/healthz", get(healthz))
        .fallback(assets::serve)
        .layer(from_fn_with_state(web.clone(), host::check))
        .layer(map_response(headers::add))
        .with_state(web)
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
    #[serde(flatten)]
    addresses: Addresses,
    limits: Limits,
}

async fn info(State(web): State<Web>) -> Json<Info> {
    let Web { addresses, bridge, .. } = web;
    Json(Info { version: env!("CARGO_PKG_VERSION"), addresses, limits: bridge.limits })
}

async fn refused(State(web): State<Web>) -> Response {
    Json(&*web.refusals).into_response()
}

async fn healthz(State(web): State<Web>) -> (StatusCode, &'static str) {
    if web.tasks.listeners.len() == LISTENERS {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "a listener has ended\n")
    }
}
