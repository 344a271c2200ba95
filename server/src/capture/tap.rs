//! What the capture's thread and the sessions share: the filter in the kernel, who wants packets, and how many were
//! dropped.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streamgram_protocol::Protocol;
use tokio::sync::watch;
use tracing::warn;

use super::filter::{self, Step};
use super::socket::Socket;
use crate::observe::inbox::{self, Inbox, Sender};
use crate::observe::{Kept, Packet, WAITING_PACKET_BYTES};

/// Bytes of packets that wait for all sessions; a packet more is dropped and counted.
pub const HELD_BYTES_OF_ALL: usize = 16 << 20;

/// What is shared.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) socket: Socket,
    /// Takes the packets of the two servers.
    program: Vec<Step>,
    /// How many watch. The lock is held while a filter is attached.
    watching: Mutex<usize>,
    legs: Mutex<HashMap<(Protocol, SocketAddr), Leg>>,
    ids: AtomicU64,
    held: Arc<AtomicUsize>,
    dropped: watch::Sender<u64>,
}

/// A leg that wants its packets.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) id: u64,
    pub(super) inbox: Sender<Arc<Packet>>,
}

/// Packets are taken for as long as one of these lives.
#[derive(Debug)]
pub struct Watching(Arc<Tap>);

/// The packets of a leg, for as long as this lives.
#[derive(Debug)]
pub struct LegPackets {
    /// What was captured.
    pub packets: Inbox<Arc<Packet>>,
    watching: Watching,
    address: (Protocol, SocketAddr),
    id: u64,
}

impl Tap {
    pub(super) fn new(socket: Socket, servers: &[(Protocol, SocketAddr)]) -> Self {
        Self {
            socket,
            program: filter::of(servers),
            watching: Mutex::default(),
            legs: Mutex::default(),
            ids: AtomicU64::default(),
            held: Arc::default(),
            dropped: watch::Sender::default(),
        }
    }

    /// From now on the kernel takes packets.
    pub(super) fn watch(self: &Arc<Self>) -> Watching {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        *watching += 1;
        if *watching == 1 {
            self.attach(&self.program);
        }
        Watching(Arc::clone(self))
    }

    fn attach(&self, program: &[Step]) {
        if let Err(error) = self.socket.attach(program) {
            warn!(%error, "the filter of the capture could not be attached");
        }
    }

    fn legs(&self) -> MutexGuard<'_, HashMap<(Protocol, SocketAddr), Leg>> {
        self.legs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The leg at this address, if it wants its packets.
    pub(super) fn leg(&self, protocol: Protocol, peer: SocketAddr) -> Option<Leg> {
        self.legs().get(&(protocol, peer)).cloned()
    }

    /// Bytes of a packet, if there is room for them.
    pub(super) fn keep(&self, bytes: Box<[u8]>) -> Option<Kept> {
        Kept::within(HELD_BYTES_OF_ALL, bytes, &self.held)
    }

    /// How many packets were dropped so far, before anybody could say whose they were.
    pub(super) fn dropped(&self) -> watch::Receiver<u64> {
        self.dropped.subscribe()
    }

    /// Says so.
    pub(super) fn tell_dropped(&self, count: u64) {
        self.dropped.send_replace(count);
    }
}

impl Watching {
    /// Watches the packets of a leg, before it sends any.
    pub(super) fn leg(self, protocol: Protocol, local: SocketAddr) -> LegPackets {
        let (inbox, packets) = inbox::weighed_channel(WAITING_PACKET_BYTES, Packet::held);
        let id = self.0.ids.fetch_add(1, Ordering::Relaxed);
        // As the capture sees it: without a zone.
        let address = (protocol, SocketAddr::new(local.ip().to_canonical(), local.port()));
        self.0.legs().insert(address, Leg { id, inbox });
        LegPackets { packets, watching: self, address, id }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watching = self.0.watching.lock().unwrap_or_else(PoisonError::into_inner);
        *watching -= 1;
        if *watching == 0 {
            self.0.attach(&[filter::NOTHING]);
        }
    }
}

impl Drop for LegPackets {
    fn drop(&mut self) {
        let mut legs = self.watching.0.legs();
        // The next leg may have the same address already.
        if legs.get(&self.address).is_some_and(|leg| leg.id == self.id) {
            legs.remove(&self.address);
        }
    }
}
