//! Who watches a leg, and what a server can see of it.

use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamgram_protocol::Cause;
use streamgram_protocol::fault::Deed;

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
    Datagram(Datagram),
    /// A faulty server did something on purpose.
    Fault(Deed),
    /// The connection ended.
    Closed {
        /// How, as the server saw it.
        cause: Cause,
    },
}

/// A datagram of a leg, and how far its server had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram {
    /// Which datagram of this peer, from 0.
    pub number: u64,
    /// Its length.
    pub bytes: usize,
    /// Its [`digest`].
    pub digest: u64,
    /// How many datagrams of this peer had been answered before it.
    pub replies: u64,
    /// When the server last found its socket empty: everything that had come before was taken.
    pub drained: Option<Instant>,
}

/// Tells payloads apart: those with different digests are different.
#[must_use]
pub fn digest(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(payload);
    hasher.finish()
}

/// Where the observations of one leg go.
#[derive(Debug)]
pub struct Watcher {
    datagrams: AtomicU64,
    replies: AtomicU64,
    inbox: Sender<Observation>,
}

impl Watcher {
    pub(super) fn new(inbox: Sender<Observation>) -> Self {
        Self { datagrams: AtomicU64::new(0), replies: AtomicU64::new(0), inbox }
    }

    /// Reports an observation, or counts it as missed; never waits.
    pub fn report(&self, event: Event) {
        self.report_at(Instant::now(), event);
    }

    /// A faulty server did something on purpose.
    pub fn fault(&self, deed: Deed) {
        self.report(Event::Fault(deed));
    }

    /// A faulty server did something on purpose about the latest datagram.
    pub fn datagram_fault(&self, deed: Deed) {
        let latest = self.datagrams.load(Ordering::Relaxed).saturating_sub(1);
        self.fault(deed.at(latest));
    }

    fn report_at(&self, at: Instant, event: Event) {
        self.inbox.send(Observation { at, event });
    }

    /// Reports one more datagram, which came `at` a time. The server had last found its socket empty at `drained`.
    pub fn datagram(&self, at: Instant, payload: &[u8], drained: Option<Instant>) {
        let datagram = Datagram {
            number: self.datagrams.fetch_add(1, Ordering::Relaxed),
            bytes: payload.len(),
            digest: digest(payload),
            replies: self.replies.load(Ordering::Relaxed),
            drained,
        };
        self.report_at(at, Event::Datagram(datagram));
    }

    /// The system took the reply to the latest datagram. The next report says so.
    pub fn datagram_replied(&self) {
        self.replies.fetch_add(1, Ordering::Relaxed);
    }
}
