//! From messages to sockets and back: a session owns one leg to each server.
//!
//! Nothing here knows what carries the messages; [`web`](crate::web) brings them over a WebSocket.

mod burst;
mod datagram_match;
mod outbox;
mod session;
mod stream_match;
mod tcp_leg;
mod udp_leg;

use std::net::SocketAddr;
use std::time::Instant;

pub use session::{Command, Session};
use streamgram_protocol::{Event, Unanswered};

/// Where the legs lead; fixed at start, no message of a client names an address.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

/// Bytes that a leg reads at a time; more come with the next read.
const LEG_READ_BYTES: usize = 4 * 1024;
/// Lines that a leg sends before the session looks at everything else again.
const LINES_PER_TURN: usize = 64;

/// A line that has found its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    id: u64,
    line: u32,
    sent: Instant,
    late: bool,
    certain: bool,
}

impl Answer {
    fn event(&self, now: Instant) -> Event {
        let Self { id, line, sent, late, certain } = *self;
        let rtt_us = outbox::micros(now.saturating_duration_since(sent));
        Event::Answered { id, line, rtt_us, late, certain }
    }
}

/// A line that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Silence {
    id: u64,
    line: u32,
    certain: bool,
}

impl Silence {
    fn event(&self, cause: Unanswered) -> Event {
        let Self { id, line, certain } = *self;
        Event::NoReply { id, line, cause, certain }
    }
}
