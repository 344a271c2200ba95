//! A raw client: any client of a server that is not a leg.
//!
//! Reports cost little when nobody watches: one load. If somebody watches, the watchers of this address are
//! looked up, and only if there are any, or a journal is kept, a sighting is made.

use std::sync::Arc;
use std::time::Instant;

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, RAW_BYTES};

use super::feed::RawFeed;
use super::machine::Machine;
use super::peer::Peer;
use super::sighting::{RawEvent, Sighting, payload};
use crate::guard::refusals::Refusal;

/// A connection, or the sender of one datagram.
#[derive(Debug)]
pub struct RawClient {
    feed: Arc<RawFeed>,
    peer: Peer,
    machine: Machine,
    id: u64,
    /// The faulty server that it talks to.
    fault: Option<usize>,
}

impl RawClient {
    /// A client's connection, or one datagram of it.
    pub(super) fn new(feed: Arc<RawFeed>, peer: Peer, machine: Machine) -> Self {
        let id = feed.next_id();
        Self { feed, peer, machine, id, fault: None }
    }

    /// It talks to this faulty server.
    #[must_use]
    pub fn of_fault(self, fault: usize) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// Its connection was accepted.
    pub fn accepted(&self) {
        self.report(|_| RawEvent::Accepted);
    }

    /// The `number`th read, from 0, returned what stands at `offset` in its stream.
    pub fn read(&self, number: u64, offset: u64, bytes: &[u8]) {
        self.report(|machine| RawEvent::Read {
            number,
            offset,
            payload: payload(machine, bytes, RAW_BYTES),
        });
    }

    /// The system took the reply to the `number`th read, at `offset` in the stream of replies.
    pub fn replied(&self, number: u64, offset: u64, bytes: &[u8]) {
        self.report(|machine| RawEvent::Reply {
            number,
            offset,
            payload: payload(machine, bytes, bytes.len()),
        });
    }

    /// Its datagram came.
    pub fn datagram(&self, bytes: &[u8]) {
        self.report(|machine| RawEvent::Datagram(payload(machine, bytes, RAW_BYTES)));
    }

    /// The system took the reply to its datagram.
    pub fn datagram_replied(&self, bytes: &[u8]) {
        self.report(|machine| RawEvent::DatagramReply(payload(machine, bytes, bytes.len())));
    }

    /// Its connection or its datagram was turned away.
    pub fn refused(&self, reason: Refusal) {
        self.report(|_| RawEvent::Refused(reason));
    }

    /// A faulty server did something on purpose.
    pub fn fault(&self, deed: Deed) {
        self.report(|_| RawEvent::Fault(deed));
    }

    /// Its connection ended.
    pub fn closed(&self, cause: Cause) {
        self.report(|_| RawEvent::Closed(cause));
    }

    fn report(&self, event: impl FnOnce(Machine) -> RawEvent) {
        if !self.feed.is_watched() {
            return;
        }
        let Peer { protocol, address: peer } = self.peer;
        let (machine, fault) = (self.machine, self.fault);
        let Some(watchers) = self.feed.audience_of(machine) else { return };
        let (at, event) = (Instant::now(), event(machine));
        let sighting =
            Arc::new(Sighting { at, protocol, peer, machine, fault, id: self.id, event });
        for watcher in watchers.iter().flat_map(|watchers| watchers.iter()) {
            watcher.send_with(|| Arc::clone(&sighting));
        }
        if let Some(journal) = &self.feed.journal {
            journal.note(sighting);
        }
    }
}
