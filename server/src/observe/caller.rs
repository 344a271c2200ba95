//! The peer of a TCP connection, which decides who gets the server's reports: the session of a leg, or the
//! sessions that watch raw clients.

use std::sync::Arc;

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, STAMP_LEN};

use super::raw_client::RawClient;
use super::watcher::{Event, Watcher};
use crate::guard::refusals::Refusal;

/// The peer of a connection.
#[derive(Debug)]
pub enum Caller {
    /// A leg of a session.
    Leg(Arc<Watcher>),
    /// Anybody else.
    Raw(RawClient),
    /// A leg that ended before the server accepted it.
    Departed,
}

impl Caller {
    /// The same, of this faulty server.
    #[must_use]
    pub fn of_fault(self, fault: usize) -> Self {
        match self {
            Self::Raw(client) => Self::Raw(client.of_fault(fault)),
            leg => leg,
        }
    }

    /// Its connection was accepted.
    pub fn accepted(&self) {
        match self {
            Self::Leg(watcher) => watcher.report(Event::Accepted),
            Self::Raw(client) => client.accepted(),
            Self::Departed => {}
        }
    }

    /// Its connection was turned away.
    pub fn refused(&self, reason: Refusal) {
        if let Self::Raw(client) = self {
            client.refused(reason);
        }
    }

    /// The `number`th read of its connection, from 0, returned what stands at `offset` in its stream.
    pub fn read(&self, number: u64, offset: u64, bytes: &[u8]) {
        match self {
            Self::Leg(watcher) => {
                watcher.report(Event::Read { number, offset, bytes: bytes.len() })
            }
            Self::Raw(client) => client.read(number, offset, bytes),
            Self::Departed => {}
        }
    }

    /// The system took the reply to that read. A leg sees the reply itself.
    pub fn replied(&self, number: u64, offset: u64, reply: &[u8]) {
        if let Self::Raw(client) = self {
            // There was a stamp for every read before this one.
            client.replied(number, offset + number * STAMP_LEN as u64, reply);
        }
    }

    /// A faulty server did something on purpose.
    pub fn fault(&self, deed: Deed) {
        match self {
            Self::Leg(watcher) => watcher.fault(deed),
            Self::Raw(client) => client.fault(deed),
            Self::Departed => {}
        }
    }

    /// Its connection ended.
    pub fn closed(&self, cause: Cause) {
        match self {
            Self::Leg(watcher) => watcher.report(Event::Closed { cause }),
            Self::Raw(client) => client.closed(cause),
            Self::Departed => {}
        }
    }
}
