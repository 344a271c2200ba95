//! Answers for programs: facts about the server, and whether it is ready.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use streamgram_protocol::Limits;

use super::http::listener::Peer;
use super::page::lan;
use super::state::{Addresses, Web};

#[derive(Serialize)]
pub(super) struct Info {
    version: &'static str,
    #[serde(flatten)]
    addresses: Addresses,
    limits: Limits,
    /// Where others can open the page; only for requests from this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lan: Vec<String>,
}

pub(super) async fn info(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Json<Info> {
    let lan = lan::addresses(&web, &peer, &headers);
    let Web { addresses, bridge, .. } = web;
    Json(Info { version: env!("CARGO_PKG_VERSION"), addresses, limits: bridge.limits, lan })
}

pub(super) async fn refused(State(web): State<Web>) -> Response {
    Json(&*web.refusals).into_response()
}

/// The process is alive. If a listener failed, the process would end.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether a new session would be served.
pub(super) async fn readyz(State(web): State<Web>) -> (StatusCode, &'static str) {
    if web.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else if web.sessions.is_full() {
        (StatusCode::SERVICE_UNAVAILABLE, "there is no place for another session\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
