//! From messages to sockets and back: a session owns one leg to each server.
//!
//! Nothing here knows what carries the messages; [`web`](crate::web) brings them over a WebSocket.

mod burst;
mod datagram_match;
mod leaving;
mod outbox;
mod packets;
mod rates;
mod raw_clients;
mod session;
mod stream_match;
mod tcp_leg;
mod udp_leg;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use session::{Command, Session};
use streamgram_protocol::{Event, Limits, Unanswered};
use tokio::sync::Semaphore;

use crate::config::WebSocketLimits;
use crate::observe::Observer;

/// What all sessions share.
#[derive(Debug, Clone)]
pub struct Bridge {
    /// Where legs lead.
    pub targets: Targets,
    /// What a session may do.
    pub limits: Limits,
    /// How fast.
    pub rates: WebSocketLimits,
    /// Who watches whom.
    observer: Arc<Observer>,
    /// A permit for every emulated path that may still be opened.
    labs: Arc<Semaphore>,
}

/// Where the legs lead; fixed at start, no message of a client names an address.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

impl Bridge {
    /// A bridge to the servers that report to `observer`.
    #[must_use]
    pub fn new(
        targets: Targets,
        limits: Limits,
        rates: WebSocketLimits,
        observer: Arc<Observer>,
    ) -> Self {
        let labs = Arc::new(Semaphore::new(limits.labs.min(Semaphore::MAX_PERMITS)));
        Self { targets, limits, rates, observer, labs }
    }
}

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
    fn round_trip(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.sent)
    }

    fn event(&self, now: Instant) -> Event {
        let Self { id, line, late, certain, .. } = *self;
        let rtt_us = outbox::micros(self.round_trip(now));
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
