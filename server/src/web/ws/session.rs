//! Sessions over WebSockets: upgrades requests, turns frames into commands and events into frames.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use streamgram_protocol::{ClientMessage, FaultyServer, Limits, SUBPROTOCOL};

use super::origin;
use super::socket::{self, Frame, Socket, SocketLimits, reason};
use crate::guard::accept::Place;
use crate::guard::admission::{Admitted, Full};
use crate::guard::refusals::{Refusal, Refusals};
use crate::observe::Machine;
use crate::operate::meters::Present;
use crate::session::{Command, Reachable, Session};
use crate::web::http::listener::Peer;
use crate::web::http::visitor::Visitor;
use crate::web::page::lan;
use crate::web::page::shown::shown;
use crate::web::state::{Addresses, FaultyAddress, Web};

/// Seconds after which a client may try again when there are too many sessions.
const RETRY_AFTER_S: &str = "10";
/// Bytes of events that may wait for the client to read; far more than the largest event.
const UNREAD_BYTES: usize = 256 * 1024;

/// Upgrades a request to a session. A client that does not offer the subprotocol is served too.
pub(crate) async fn upgrade(
    State(web): State<Web>,
    Extension(Peer { place: connection, received, .. }): Extension<Peer>,
    visitor: Visitor,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let now = Instant::now();
    if !origin::is_allowed(&headers, visitor.host.as_ref(), &web.http_limits) {
        let detail =
            "a page of another origin may not open a session; --allow-origin would let it\n";
        web.refusals.count(Refusal::WsOrigin, now, detail.trim_end());
        return (StatusCode::FORBIDDEN, detail).into_response();
    }
    let address = visitor.address;
    let place = match web.sessions.admit(address) {
        Err(Full::All(limit)) => {
            let detail = format!("there are {limit} sessions, the limit is {limit}\n");
            web.refusals.count(Refusal::WsFull, now, detail.trim_end());
            let retry = [(RETRY_AFTER, RETRY_AFTER_S)];
            return (StatusCode::SERVICE_UNAVAILABLE, retry, detail).into_response();
        }
        Err(Full::Address(limit)) => Err(address_full(&web, address, limit)),
        Ok(admitted) => Ok(admitted),
    };
    let limits = SocketLimits {
        message_bytes: web.bridge.limits.message_bytes,
        unread_bytes: UNREAD_BYTES,
        flags: web.bridge.rates,
    };
    let upgrade = socket::limited(upgrade.protocols([SUBPROTOCOL]), &limits);
    let Addresses { http, tcp, udp, ref faults, .. } = web.addresses;
    let faulty = |faulty: &FaultyAddress| FaultyServer {
        protocol: faulty.protocol,
        address: shown(faulty.address, &visitor),
        recipe: faulty.recipe.clone(),
    };
    let reachable = Reachable {
        tcp: shown(tcp, &visitor),
        udp: shown(udp, &visitor),
        faults: faults.iter().map(faulty).collect(),
        lan: lan::addresses(http, &visitor).into_iter().next(),
    };
    let browser = Browser { address, machine: visitor.machine, reachable, _connection: connection };
    upgrade.on_upgrade(move |socket| {
        let sessions = web.running.clone();
        let refusals = Arc::clone(&web.refusals);
        let socket = Socket::new(socket, address, limits, received, refusals);
        let client = Client { socket, limits: web.bridge.limits };
        sessions.track_future(serve(client, browser, web, place))
    })
}

/// The browser that opens a session.
struct Browser {
    /// The client's address.
    address: IpAddr,
    /// Where it comes from, if no proxy hides that.
    machine: Option<Machine>,
    /// The addresses that it is told.
    reachable: Reachable,
    _connection: Arc<Place>,
}

/// A reason for the close frame, because a page cannot see the status of a response.
fn address_full(web: &Web, address: IpAddr, limit: usize) -> CloseFrame {
    let detail = format!("{address} has {limit} sessions, the limit of an address is {limit}");
    web.refusals.count(Refusal::WsAddressFull, Instant::now(), &detail);
    reason(close_code::AGAIN, detail)
}

async fn serve(
    mut client: Client,
    browser: Browser,
    web: Web,
    place: Result<Admitted, CloseFrame>,
) {
    let Browser { address, machine, reachable, _connection } = browser;
    let Web { bridge, stop, refusals, .. } = web;
    let _place = match place {
        Ok(place) => place,
        Err(full) => return client.socket.close(Some(full)).await,
    };
    let _present = Present::session();
    let reason = {
        let session = Session::new(bridge, address, machine, reachable).run(&mut client);
        // A panic leaves nothing that sessions share half done: poisoned locks are used all the same. The
        // future is pinned here because moved into another future it would take its memory twice.
        let running = pin!(AssertUnwindSafe(session).catch_unwind());
        close_reason(stop.run_until_cancelled(running).await, address, &refusals)
    };
    client.socket.close(reason).await;
}

/// The reason for the close frame after a session has ended, panicked, or was stopped.
fn close_reason(
    ran: Option<thread::Result<()>>,
    client: IpAddr,
    refusals: &Refusals,
) -> Option<CloseFrame> {
    match ran {
        Some(Ok(())) => None,
        Some(Err(_panic)) => {
            let detail = format_args!("a session of {client} met a bug");
            refusals.count(Refusal::WsPanic, Instant::now(), detail);
            Some(reason(close_code::ERROR, "the server has a bug, and this session met it"))
        }
        None => Some(reason(close_code::AWAY, "the server is stopping")),
    }
}

/// A session's client: a command for each frame from it, and several events in a frame to it.
struct Client {
    socket: Socket,
    limits: Limits,
}

impl Stream for Client {
    type Item = Command;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Command>> {
        self.socket.poll_next_unpin(cx).map(|frame| match frame? {
            Frame::Text(text) => Some(ClientMessage::decode(&text, &self.limits)),
            Frame::Binary(_) => {
                let detail = "binary frames are not understood, send JSON in text frames";
                let close = reason(close_code::UNSUPPORTED, detail);
                self.socket.refuse(Refusal::WsProtocol, close);
                None
            }
        })
    }
}

impl Sink<String> for Client {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_ready_unpin(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: String) -> Result<(), Error> {
        self.socket.start_send_unpin(Message::Text(frame.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_flush_unpin(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_close_unpin(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_the_end_of_its_session_told_and_counted() {
        let buggy = async { panic!("a bug") };
        let panicked = AssertUnwindSafe(buggy).catch_unwind().await;
        let refusals = Refusals::default();
        let told = close_reason(Some(panicked), [192, 0, 2, 1].into(), &refusals).unwrap();
        assert_eq!((told.code, refusals.of(Refusal::WsPanic)), (1011, 1));
    }
}
