//! A WebSocket with limits (RFC 6455): on sizes and rates, with pings that notice when the peer is gone, and
//! with a reason in the close frame.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Error;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite;

use crate::config::WebSocketLimits;
use crate::guard::rate::Rate;
use crate::guard::refusals::{Refusal, Refusals};
use crate::web::http::connection::Received;
use crate::web::http::listener::is_unread;

/// The read buffer. The library's default, 128 KiB, would be allocated for every idle session.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// Messages are buffered up to this size before they are written.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// How many seconds' worth of its rate a peer may spend at once.
const AT_ONCE_S: u32 = 10;
/// Pings without anything from the peer, after which it is taken for gone.
const PINGS: u8 = 3;
/// Bytes of a control frame besides its payload: its head and its mask (RFC 6455, section 5.2).
const CONTROL_BYTES: u64 = 6;
/// Pings in a row at which a message was begun and none finished, after which the peer is refused.
const UNFINISHED_PINGS: u8 = 2;
/// How long a close frame may take to be sent.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// How long the connection then stays open. Closing it with unread bytes would send RST, and the peer might
/// not see the close frame.
const CLOSE_LINGER: Duration = Duration::from_millis(300);

/// What a peer may do.
#[derive(Debug, Clone)]
pub struct SocketLimits {
    /// Bytes of one message. A longer one ends the socket with close code 1009.
    pub message_bytes: usize,
    /// Bytes that may wait for the peer to read; far more than the largest message to it.
    pub unread_bytes: usize,
    /// The rates of messages and of their bytes, and the time between pings.
    pub flags: WebSocketLimits,
}

/// What a peer sends.
#[derive(Debug)]
pub enum Frame {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

/// A WebSocket with limits: a stream of the peer's frames, and a sink for messages to it. The stream ends
/// when the socket ends, or when the peer exceeds a limit or breaks the protocol.
#[derive(Debug)]
pub struct Socket {
    socket: WebSocket,
    client: IpAddr,
    limits: SocketLimits,
    messages: Rate,
    bytes: Rate,
    pings: Interval,
    /// Pings since something was last received.
    unheard: u8,
    received: Received,
    /// Of what was received, the bytes of frames that were dealt with. The others are of a message that has
    /// begun, and take memory until it is whole.
    dealt_with: u64,
    /// Pings in a row at which there were such bytes, and no message was finished since.
    unfinished: u8,
    ping: Ping,
    refusals: Arc<Refusals>,
    refusal: Option<CloseFrame>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    Sent,
    Due,
    Unflushed,
}

/// Sets the limits that the library checks.
pub fn limited(upgrade: WebSocketUpgrade, limits: &SocketLimits) -> WebSocketUpgrade {
    upgrade
        .max_message_size(limits.message_bytes)
        .max_frame_size(limits.message_bytes)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(limits.unread_bytes)
}

/// A close code (RFC 6455, section 7.4.1) and why.
pub fn reason(code: u16, reason: impl Into<Utf8Bytes>) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}

impl Socket {
    /// A socket that was just upgraded; `client` is for the log, `received` is the count of its connection.
    #[must_use]
    pub fn new(
        socket: WebSocket,
        client: IpAddr,
        limits: SocketLimits,
        received: Received,
        refusals: Arc<Refusals>,
    ) -> Self {
        let now = Instant::now();
        let rate = |per_second: u32| {
            Rate::per_second(per_second, per_second.saturating_mul(AT_ONCE_S), now)
        };
        let period = Duration::from_secs(limits.flags.ping_s.into());
        let mut pings = interval_at((now + period).into(), period);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            socket,
            client,
            messages: rate(limits.flags.messages_per_s),
            bytes: rate(limits.flags.message_bytes_per_s),
            limits,
            pings,
            unheard: 0,
            dealt_with: received.bytes(),
            received,
            unfinished: 0,
            ping: Ping::Sent,
            refusals,
            refusal: None,
        }
    }

    /// Ends the stream. [`close`](Self::close) sends the reason.
    pub fn refuse(&mut self, refusal: Refusal, close: CloseFrame) {
        let detail = format_args!("WebSocket of {}: {}", self.client, close.reason);
        self.refusals.count(refusal, Instant::now(), detail);
        self.refusal = Some(close);
    }

    /// Closes the socket, with a reason or with that of [`refuse`](Self::refuse).
    pub async fn close(&mut self, reason: Option<CloseFrame>) {
        let Some(reason) = reason.or(self.refusal.take()) else { return };
        let closing = async {
            // Else an owed pong would be sent after the close frame.
            self.flush().await?;
            self.send(Message::Close(Some(reason))).await
        };
        if let Ok(Ok(())) = timeout(CLOSE_PATIENCE, closing).await {
            sleep(CLOSE_LINGER).await;
        }
    }

    /// Bytes of a message that has begun, with the heads of its frames.
    fn begun(&self) -> u64 {
        self.received.bytes().saturating_sub(self.dealt_with)
    }

    /// Counts a frame as dealt with; a message of `bytes` is whole, or they are those of a control frame.
    fn deal_with(&mut self, bytes: usize, is_message: bool) {
        let received = self.received.bytes();
        if is_message {
            (self.dealt_with, self.unfinished) = (received, 0);
        } else {
            // Control frames stand between the frames of a message.
            self.dealt_with = received.min(self.dealt_with + bytes as u64 + CONTROL_BYTES);
        }
    }

    /// Sends the pings that are due; refuses a peer that has not answered them, or has not finished a message.
    fn ping(&mut self, cx: &mut Context<'_>) {
        while self.pings.poll_tick(cx).is_ready() {
            self.unfinished = if self.begun() > 0 { self.unfinished + 1 } else { 0 };
            if self.unfinished == UNFINISHED_PINGS {
                let seconds = self.limits.flags.ping_s * u32::from(UNFINISHED_PINGS);
                let detail = format!("a message was not finished within {seconds} s");
                return self.refuse(Refusal::WsUnfinished, reason(close_code::POLICY, detail));
            }
            self.unheard += 1;
            if self.unheard == PINGS {
                let seconds = self.limits.flags.ping_s * u32::from(PINGS);
                let silence = format!("nothing was heard from you for up to {seconds} s");
                return self.refuse(Refusal::WsSilent, reason(close_code::POLICY, silence));
            }
            self.ping = Ping::Due;
        }
        // If the socket fails, reading from it fails too.
        if self.ping == Ping::Due && self.socket.poll_ready_unpin(cx).is_ready() {
            let _sent = self.socket.start_send_unpin(Message::Ping(Bytes::new()));
            self.ping = Ping::Unflushed;
        }
        if self.ping == Ping::Unflushed && self.socket.poll_flush_unpin(cx).is_ready() {
            self.ping = Ping::Sent;
        }
    }

    /// Spends a message and its bytes; refuses a peer that is too fast.
    fn pay(&mut self, bytes: usize) {
        let now = Instant::now();
        let flags = &self.limits.flags;
        if !self.messages.spend(1, now) {
            let limit = flags.messages_per_s;
            let detail = format!("more than {limit} messages a second");
            self.refuse(Refusal::WsMessages, reason(close_code::POLICY, detail));
        } else if !self.bytes.spend(u32::try_from(bytes).unwrap_or(u32::MAX), now) {
            let limit = flags.message_bytes_per_s;
            let detail = format!("more than {limit} bytes of messages a second");
            self.refuse(Refusal::WsBytes, reason(close_code::POLICY, detail));
        }
    }

    /// Returns the error, and counts it if the peer does not read.
    fn noted(&self, error: Error) -> Error {
        if is_unread(&error) {
            let detail = format_args!("WebSocket of {} reads nothing", self.client);
            self.refusals.count(Refusal::HttpUnread, Instant::now(), detail);
        }
        error
    }

    /// Refuses a peer that broke the protocol, unless it is gone.
    fn broken(&mut self, error: Error) {
        use tungstenite::Error as Cause;
        use tungstenite::error::ProtocolError;
        // Reading also sends pongs, so it can fail because the peer does not read.
        let error = self.noted(error);
        let Ok(cause) = error.into_inner().downcast::<Cause>() else { return };
        let close = match *cause {
            Cause::Capacity(_) => {
                let limit = self.limits.message_bytes;
                let detail = format!("message is too long, the limit is {limit} bytes");
                reason(close_code::SIZE, detail)
            }
            Cause::Utf8(_) => reason(close_code::INVALID, "text is not UTF-8"),
            Cause::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return,
            Cause::Protocol(broken) => reason(close_code::PROTOCOL, broken.to_string()),
            _ => return,
        };
        self.refuse(Refusal::WsProtocol, close);
    }
}

impl Stream for Socket {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.ping(cx);
        while self.refusal.is_none() {
            let message = match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.broken(error);
                    break;
                }
                None => break,
            };
            self.unheard = 0;
            let (bytes, frame) = match message {
                Message::Text(text) => (text.len(), Some(Frame::Text(text))),
                Message::Binary(bytes) => (bytes.len(), Some(Frame::Binary(bytes))),
                // Answered by the library.
                Message::Ping(bytes) | Message::Pong(bytes) => (bytes.len(), None),
                // Answered by the library with the next call, which then returns the end.
                Message::Close(_) => continue,
            };
            self.deal_with(bytes, frame.is_some());
            self.pay(bytes);
            if let (None, Some(_)) = (&self.refusal, &frame) {
                return Poll::Ready(frame);
            }
        }
        Poll::Ready(None)
    }
}

impl Sink<Message> for Socket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outcome = self.socket.poll_ready_unpin(cx);
        outcome.map_err(|error| self.noted(error))
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.socket.start_send_unpin(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let outcome = self.socket.poll_flush_unpin(cx);
        outcome.map_err(|error| self.noted(error))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.socket.poll_close_unpin(cx)
    }
}
