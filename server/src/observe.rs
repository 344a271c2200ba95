//! What the servers saw, and who may see it.
//!
//! A session registers the address of each of its legs before the leg connects, so it misses nothing
//! that the servers saw of it. The servers look up who watches a peer and tell it; a watcher that is
//! too slow loses observations, counted, and never holds up a server.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use streamgram_protocol::{Cause, LegId, Protocol};
use tokio::sync::mpsc;

/// Observations that wait for one session; one more is dropped and counted.
pub const WAITING_OBSERVATIONS: usize = 4_096;

/// Something a server saw of a leg, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The server's time.
    pub at: Instant,
    /// The leg whose address it was.
    pub on: LegId,
    /// What it saw.
    pub seen: Seen,
}

/// What a server can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
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

/// Knows who watches which peer.
#[derive(Debug, Default)]
pub struct Observer {
    // Looked at first: with nobody watching, an observation costs this one load.
    watched: AtomicUsize,
    watchers: RwLock<HashMap<(Protocol, SocketAddr), Arc<Watcher>>>,
}

/// Where the observations of one peer go.
#[derive(Debug)]
pub struct Watcher {
    on: LegId,
    datagrams: AtomicU64,
    inbox: Inbox,
}

/// The sending end of a session's observations; one for all its legs.
#[derive(Debug, Clone)]
pub struct Inbox {
    sender: mpsc::Sender<Observation>,
    missed: Arc<AtomicU64>,
}

/// The receiving end.
#[derive(Debug)]
pub struct Observations {
    receiver: mpsc::Receiver<Observation>,
    missed: Arc<AtomicU64>,
}

/// Withdraws the registration of an address when it is dropped.
#[derive(Debug)]
pub struct Registration {
    observer: Arc<Observer>,
    key: (Protocol, SocketAddr),
}

/// Both ends of a session's observations.
#[must_use]
pub fn observations() -> (Inbox, Observations) {
    let (sender, receiver) = mpsc::channel(WAITING_OBSERVATIONS);
    let missed = Arc::new(AtomicU64::new(0));
    (Inbox { sender, missed: Arc::clone(&missed) }, Observations { receiver, missed })
}

impl Observer {
    /// From now on, what the servers see of `address` goes to `inbox`.
    #[must_use]
    pub fn register(
        self: &Arc<Self>,
        on: LegId,
        address: SocketAddr,
        inbox: Inbox,
    ) -> Registration {
        let key = (on.protocol, canonical(address));
        let watcher = Arc::new(Watcher { on, datagrams: AtomicU64::new(0), inbox });
        let mut watchers = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        if watchers.insert(key, watcher).is_none() {
            self.watched.fetch_add(1, Ordering::Release);
        }
        Registration { observer: Arc::clone(self), key }
    }

    /// Who watches this peer, if anybody does.
    #[must_use]
    pub fn watcher_of(&self, protocol: Protocol, peer: SocketAddr) -> Option<Arc<Watcher>> {
        if self.watched.load(Ordering::Acquire) == 0 {
            return None;
        }
        let watchers = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        watchers.get(&(protocol, canonical(peer))).cloned()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let observer = &self.observer;
        let mut watchers = observer.watchers.write().unwrap_or_else(PoisonError::into_inner);
        if watchers.remove(&self.key).is_some() {
            observer.watched.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Watcher {
    /// Hands an observation on, or counts it as missed; never waits.
    pub fn tell(&self, seen: Seen) {
        let observation = Observation { at: Instant::now(), on: self.on, seen };
        if self.inbox.sender.try_send(observation).is_err() {
            self.inbox.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells of one more datagram of `bytes` bytes.
    pub fn datagram(&self, bytes: usize, kept: usize) {
        let number = self.datagrams.fetch_add(1, Ordering::Relaxed);
        self.tell(Seen::Datagram { number, bytes, kept });
    }
}

impl Observations {
    /// The next observation.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn recv(&mut self) -> Option<Observation> {
        self.receiver.recv().await
    }

    /// The next observation, if it is there already.
    pub fn try_recv(&mut self) -> Option<Observation> {
        self.receiver.try_recv().ok()
    }

    /// How many observations were dropped since the last call.
    pub fn take_missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

/// What a failed socket operation says about the end of its connection.
#[must_use]
pub fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Cause::PeerReset,
        io::ErrorKind::TimedOut => Cause::TimedOut,
        _ => Cause::Failed,
    }
}

/// A server on `[::]` sees IPv4 peers as mapped addresses (RFC 4291, section 2.5.5.2).
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEG: LegId = LegId { protocol: Protocol::Udp, leg: 1 };

    fn peer() -> SocketAddr {
        "127.0.0.1:9".parse().unwrap()
    }

    #[test]
    fn a_registration_lasts_as_long_as_its_guard() {
        let observer = Arc::new(Observer::default());
        let (inbox, _observations) = observations();
        assert!(observer.watcher_of(Protocol::Udp, peer()).is_none());
        let registration = observer.register(LEG, peer(), inbox);
        assert!(observer.watcher_of(Protocol::Udp, peer()).is_some());
        assert!(observer.watcher_of(Protocol::Tcp, peer()).is_none());
        let mapped = "[::ffff:127.0.0.1]:9".parse().unwrap();
        assert!(observer.watcher_of(Protocol::Udp, mapped).is_some());
        drop(registration);
        assert!(observer.watcher_of(Protocol::Udp, peer()).is_none());
    }

    #[test]
    fn what_a_slow_session_misses_is_counted() {
        let observer = Arc::new(Observer::default());
        let (inbox, mut observations) = observations();
        let _registration = observer.register(LEG, peer(), inbox);
        let watcher = observer.watcher_of(Protocol::Udp, peer()).unwrap();
        for _ in 0..WAITING_OBSERVATIONS + 3 {
            watcher.datagram(1, 1);
        }
        assert_eq!((observations.take_missed(), observations.take_missed()), (3, 0));
        let first = observations.try_recv().unwrap();
        assert_eq!(first.seen, Seen::Datagram { number: 0, bytes: 1, kept: 1 });
    }
}
