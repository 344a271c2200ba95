//! What a browser talks to: the page, a small API, and the WebSocket of a session.

pub mod http;
pub mod page;
pub mod ws;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use streamgram_protocol::Limits;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::HttpLimits;
use crate::guard::admission::Admission;
use crate::guard::refusals::Refusals;
use crate::operate::meters::Meters;
use crate::session::Bridge;
use crate::web::http::listener::Peer;
use crate::web::http::{headers, host};
use crate::web::page::{assets, lan, qr};

/// The format of measures (Prometheus, exposition formats).
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    /// A task for each session and each listener.
    pub running: TaskTracker,
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
    /// What is for the operator alone, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<SocketAddr>,
}

/// Every route there is.
pub fn router(web: Web) -> Router {
    Router::new()
        .route("/ws", get(ws::session::upgrade))
        .route("/api/info", get(info))
        .route("/api/refused", get(refused))
        .route("/api/qr.svg", get(qr::draw))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(assets::serve)
        .layer(from_fn_with_state(web.clone(), host::check))
        .layer(map_response(headers::add))
        .with_state(web)
}

/// What is for the operator alone. It goes by any name: whoever can reach it may see it.
pub fn admin(web: Web, meters: Meters) -> Router {
    let refusals = Arc::clone(&web.refusals);
    let meters = Arc::new(meters);
    let metrics = move || async move { ([(CONTENT_TYPE, PROMETHEUS)], meters.text(&refusals)) };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .layer(map_response(headers::add))
        .with_state(web)
}

#[derive(Serialize)]
struct Info {
    version: &'static str,
    #[serde(flatten)]
    addresses: Addresses,
    limits: Limits,
    /// Where others can open the page; told to this machine alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lan: Vec<String>,
}

async fn info(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Json<Info> {
    let lan = lan::addresses(&web, &peer, &headers);
    let Web { addresses, bridge, .. } = web;
    Json(Info { version: env!("CARGO_PKG_VERSION"), addresses, limits: bridge.limits, lan })
}

async fn refused(State(web): State<Web>) -> Response {
    Json(&*web.refusals).into_response()
}

/// The process lives: should a listener end, it would end as well.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether somebody new would be served.
async fn readyz(State(web): State<Web>) -> (StatusCode, &'static str) {
    if web.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if web.sessions.is_full() {
        (StatusCode::SERVICE_UNAVAILABLE, "there is no place for another session\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
