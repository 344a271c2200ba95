//! The WebSocket of a session: frames to commands, events to frames, and a reason when it ends.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, Stream, StreamExt};
use streamgram_protocol::{ClientMessage, Limits, SUBPROTOCOL, ServerMessage};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::Web;
use crate::bridge::{Command, Session};

/// What a socket reads at a time. The library's default, 128 KiB, would stay with every idle session.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Events are collected up to this size before they are written.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// Above the largest event by far; beyond it the session ends, for the client reads nothing.
const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;
/// How long a close frame may take to be sent.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the connection then stays: closing it over bytes that nobody has read would reset it, and
/// the peer might never see why.
const CLOSE_LINGER: Duration = Duration::from_millis(300);

/// Upgrades a request to a session. A client that does not offer the subprotocol is served too.
pub(super) async fn upgrade(upgrade: WebSocketUpgrade, State(web): State<Web>) -> Response {
    let limit = web.bridge.limits.message_bytes;
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .on_upgrade(|socket| {
            let sessions = web.tasks.sessions.clone();
            sessions.track_future(serve(socket, web))
        })
}

async fn serve(socket: WebSocket, web: Web) {
    let Web { bridge, stop, .. } = web;
    let (sink, frames) = socket.split();
    let mut sink = sink.with(|message: ServerMessage| {
        ready(message.encode().map(|json| Message::Text(json.into())).map_err(Error::new))
    });
    let mut commands = Commands { frames, limits: bridge.limits, refusal: None };
    let session = Session::new(bridge);
    let reason = stop.run_until_cancelled(session.run(&mut commands, &mut sink)).await;
    let close = match reason {
        Some(()) => commands.refusal,
        None => Some(frame(close_code::AWAY, "the server is stopping")),
    };
    if let Some(close) = close {
        let mut sink = sink.into_inner();
        let closed = timeout(CLOSE_PATIENCE, sink.send(Message::Close(Some(close)))).await;
        if let Ok(Ok(())) = closed {
            sleep(CLOSE_LINGER).await;
        }
    }
}

/// The commands in a socket's frames; ends with the socket, or with a frame that cannot be served.
struct Commands {
    frames: SplitStream<WebSocket>,
    limits: Limits,
    refusal: Option<CloseFrame>,
}

impl Stream for Commands {
    type Item = Command;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Command>> {
        loop {
            match std::task::ready!(self.frames.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => {
                    return Poll::Ready(Some(ClientMessage::decode(&text, &self.limits)));
                }
                // Answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => {
                    let reason = "binary frames are not understood, send JSON in text frames";
                    self.refusal = Some(frame(close_code::UNSUPPORTED, reason));
                    return Poll::Ready(None);
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(None),
                Some(Err(error)) => {
                    self.refusal = refusal(error, &self.limits);
                    return Poll::Ready(None);
                }
            }
        }
    }
}

/// What to tell a peer whose frames broke the rules (RFC 6455, section 7.4.1); nothing, if it is gone.
fn refusal(error: Error, limits: &Limits) -> Option<CloseFrame> {
    use tungstenite::Error as Cause;
    let cause = error.into_inner().downcast::<Cause>().ok()?;
    match *cause {
        Cause::Capacity(_) => {
            let limit = limits.message_bytes;
            let reason = format!("message is too long, the limit is {limit} bytes");
            Some(frame(close_code::SIZE, &reason))
        }
        Cause::Utf8(_) => Some(frame(close_code::INVALID, "text is not UTF-8")),
        Cause::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => None,
        Cause::Protocol(broken) => Some(frame(close_code::PROTOCOL, &broken.to_string())),
        _ => None,
    }
}

fn frame(code: u16, reason: &str) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}
