//! Answers for programs: facts about the server, and whether it is ready.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use streamgram_protocol::Limits;

use super::http::visitor::Visitor;
use super::page::lan;
use super::page::shown::{page, shown};
use super::state::Web;

#[derive(Serialize)]
pub(super) struct Info {
    version: &'static str,
    /// Where this visitor reaches the page and the two servers.
    http: String,
    tcp: String,
    udp: String,
    limits: Limits,
    /// Where others can open the page; only for requests from this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lan: Vec<String>,
}

pub(super) async fn info(State(web): State<Web>, visitor: Visitor) -> Json<Info> {
    let Web { addresses, bridge, .. } = web;
    Json(Info {
        version: env!("CARGO_PKG_VERSION"),
        http: page(addresses.http, &visitor),
        tcp: shown(addresses.tcp, &visitor),
        udp: shown(addresses.udp, &visitor),
        limits: bridge.limits,
        lan: lan::addresses(addresses.http, &visitor),
    })
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
