//! What its server sees of one leg.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use streamgram_protocol::{Event, LegId, READ_BYTES};

use crate::observe::inbox::{self, Inbox};
use crate::observe::{self, Datagram, Observation, Observer, Registration, WAITING_OBSERVATIONS};
use crate::session::outbox::Outbox;

/// The observations of a leg. Its address is registered until the leg ends. Observations from before that can
/// still come afterwards.
#[derive(Debug)]
pub(super) struct Observations {
    leg: LegId,
    inbox: Inbox<Observation>,
    registration: Option<Registration>,
    /// Those that were not reported, because the client does not read.
    left_out: u64,
}

impl Observations {
    /// Registers the address of a leg.
    pub(super) fn of(leg: LegId, address: SocketAddr, observer: &Arc<Observer>) -> Self {
        let (sender, inbox) = inbox::channel(WAITING_OBSERVATIONS);
        let registration = Some(observer.register(leg.protocol, address, sender));
        Self { leg, inbox, registration, left_out: 0 }
    }

    /// Withdraws the registration: the leg has ended.
    pub(super) fn withdraw(&mut self) {
        self.registration = None;
    }

    /// Waits until there is one, or until there will be none any more.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(super) async fn ready(&mut self) {
        self.inbox.ready().await;
    }

    /// The next one, if there is one. It is also reported to the client, if there is room.
    pub(super) fn next(&mut self, outbox: &mut Outbox) -> Option<Observation> {
        let Some(observation) = self.inbox.try_recv() else {
            self.left_out += self.inbox.missed();
            if self.left_out > 0 && !outbox.is_full() {
                let count = std::mem::take(&mut self.left_out);
                outbox.push(Instant::now(), None, Event::Missed { count });
            }
            return None;
        };
        if outbox.is_full() {
            self.left_out += 1;
            return Some(observation);
        }
        let Observation { at, ref event } = observation;
        let reported = match *event {
            observe::Event::Accepted => Event::ServerAccepted {},
            observe::Event::Read { number, offset, bytes } => {
                Event::ServerRead { number, offset, bytes }
            }
            observe::Event::Datagram(Datagram { number, bytes, .. }) => {
                // As much as a `recv(1024)` would get.
                Event::ServerDatagram { number, bytes, kept: bytes.min(READ_BYTES) }
            }
            observe::Event::Fault(deed) => Event::Fault(deed),
            observe::Event::Closed { cause } => Event::ServerClosed { cause },
        };
        outbox.push(at, self.leg, reported);
        Some(observation)
    }

    /// Whether the client has not been told yet how many were left out.
    pub(super) fn has_left_out(&self) -> bool {
        self.left_out > 0
    }

    /// Whether there is none, and there will be none any more.
    pub(super) fn is_over(&self) -> bool {
        self.inbox.is_over()
    }
}
