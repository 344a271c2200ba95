//! A session over a WebSocket: who may have one, frames to commands, events to frames.

use std::future::ready;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{FutureExt, SinkExt, Stream, StreamExt};
use streamgram_protocol::{ClientMessage, Limits, SUBPROTOCOL, ServerMessage};

use super::origin;
use super::socket::{self, Frame, Frames, SocketLimits, reason};
use crate::guard::accept::Place;
use crate::guard::admission::{Admitted, Full};
use crate::guard::refusals::{Refusal, Refusals};
use crate::operate::meters::Present;
use crate::session::{Command, Session};
use crate::web::http::client_address::{client_address, own_address};
use crate::web::http::listener::Peer;
use crate::web::page::lan;
use crate::web::state::Web;

/// Seconds after which somebody for whom there was no room may ask again.
const RETRY_AFTER_S: &str = "10";
/// Bytes of events that may wait for a client to read: above the largest event by far.
const UNREAD_BYTES: usize = 256 * 1024;

/// Upgrades a request to a session. A client that does not offer the subprotocol is served too.
pub(crate) async fn upgrade(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let now = Instant::now();
    if !origin::is_allowed(&headers, &web.http_limits) {
        let detail =
            "a page of another origin may not open a session; --allow-origin would let it\n";
        web.refusals.count(Refusal::WsOrigin, now, detail.trim_end());
        return (StatusCode::FORBIDDEN, detail).into_response();
    }
    let proxies = &web.http_limits.proxies;
    let address = client_address(peer.address.ip(), &headers, proxies);
    let own = own_address(peer.address.ip(), &headers, proxies);
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
    let lan = lan::addresses(&web, &peer, &headers).into_iter().next();
    upgrade.on_upgrade(move |socket| {
        let sessions = web.running.clone();
        sessions.track_future(serve(socket, (address, own, lan), limits, web, (peer.place, place)))
    })
}

/// Told over the WebSocket, because a page would not see a status.
fn address_full(web: &Web, address: IpAddr, limit: usize) -> CloseFrame {
    let detail = format!("{address} has {limit} sessions, the limit of an address is {limit}");
    web.refusals.count(Refusal::WsAddressFull, Instant::now(), &detail);
    reason(close_code::AGAIN, detail)
}

async fn serve(
    socket: WebSocket,
    (client, own, lan): (IpAddr, Option<IpAddr>, Option<String>),
    limits: SocketLimits,
    web: Web,
    (_connection, place): (Arc<Place>, Result<Admitted, CloseFrame>),
) {
    let Web { bridge, stop, refusals, .. } = web;
    let (frames, mut outgoing) = socket::split(socket, client, limits, Arc::clone(&refusals));
    let mut commands = Commands { frames, limits: bridge.limits };
    let _place = match place {
        Ok(place) => place,
        Err(full) => return socket::close(commands.frames, outgoing, Some(full)).await,
    };
    let _present = Present::session();
    let why = {
        let mut events = (&mut outgoing).with(|messages: Vec<ServerMessage>| {
            ready(Ok::<_, Error>(Message::Text(ServerMessage::encode_frame(&messages).into())))
        });
        let session = Session::new(bridge, own, lan).run(&mut commands, &mut events);
        // What is shared with other sessions is not left half done by a panic: locks are taken over. Pinned,
        // because a future that is handed over to another has its place in both.
        let running = pin!(AssertUnwindSafe(session).catch_unwind());
        told(stop.run_until_cancelled(running).await, client, &refusals)
    };
    socket::close(commands.frames, outgoing, why).await;
}

/// What the peer is told of a session that ran to its end, panicked, or had to stop.
fn told(
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

/// The commands in a socket's frames.
struct Commands {
    frames: Frames,
    limits: Limits,
}

impl Stream for Commands {
    type Item = Command;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Command>> {
        self.frames.poll_next_unpin(cx).map(|frame| match frame? {
            Frame::Text(text) => Some(ClientMessage::decode(&text, &self.limits)),
            Frame::Binary(_) => {
                let detail = "binary frames are not understood, send JSON in text frames";
                let close = reason(close_code::UNSUPPORTED, detail);
                self.frames.refuse(Refusal::WsProtocol, close);
                None
            }
        })
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
        let told = told(Some(panicked), [192, 0, 2, 1].into(), &refusals).unwrap();
        assert_eq!((told.code, refusals.of(Refusal::WsPanic)), (1011, 1));
    }
}
