//! Who watches a leg, and what a server can see of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamgram_protocol::Cause;

use super::inbox::Sender;

/// Observations that wait for the session of one leg; one more is dropped and counted.
pub const WAITING_OBSERVATIONS: usize = 4_096;

/// Something a server saw of a leg, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The server's time.
    pub at: Instant,
    /// What it saw.
    pub event: Event,
}

/// What a server can see of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A connection was accepted.
    Accepted,
    /// A read of a connection returned `bytes` bytes that stand at `offset` in its stream.
    Read {
        /// Which read of the connection, from 0.
        number: u64,
        /// Position of its first byte.
        offset: u64,
        /// Its length.
        bytes: usize,
    },
    /// A datagram came.
    Datagram {
        /// Which datagram of this peer, from 0.
        number: u64,
        /// Its length.
        bytes: usize,
        /// What a `recv(1024)` keeps of it.
        kept: usize,
    },
    /// The connection ended.
    Closed {
        /// How, as the server saw it.
        cause: Cause,
    },
}

/// Where the observations of one leg go.
#[derive(Debug)]
pub struct Watcher {
    datagrams: AtomicU64,
    inbox: Sender<Observation>,
}

impl Watcher {
    pub(super) fn new(inbox: Sender<Observation>) -> Self {
        Self { datagrams: AtomicU64::new(0), inbox }
    }

    /// Reports an observation, or counts it as missed; never waits.
    pub fn report(&self, event: Event) {
        self.inbox.send(Observation { at: Instant::now(), event });
    }

    /// Reports one more datagram of `bytes` bytes.
    pub fn datagram(&self, bytes: usize, kept: usize) {
        let number = self.datagrams.fetch_add(1, Ordering::Relaxed);
        self.report(Event::Datagram { number, bytes, kept });
    }
}
