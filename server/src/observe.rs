//! What the servers saw, and who may see it.
//!
//! A session registers the address of each of its legs before the leg connects, so it misses nothing
//! that the servers saw of it. The servers look up who watches a peer and tell it; a watcher that is
//! too slow loses observations, counted, and never holds up a server. Whoever is not a leg is a raw
//! client, see [`raw_client`].

mod caller;
mod departed;
pub mod feed;
pub mod inbox;
pub mod raw_client;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

pub use caller::Caller;
use departed::Departed;
pub use feed::{RawFeed, Subscription, Unwatchable};
pub use inbox::{Inbox, Waiting};
pub use raw_client::{RawClient, Sight, Sighting};
use streamgram_protocol::{Cause, Feed, LegId, Protocol};

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
    departed: Departed,
    /// Who watches raw clients.
    pub feed: Arc<RawFeed>,
}

/// Where the observations of one peer go.
#[derive(Debug)]
pub struct Watcher {
    on: LegId,
    datagrams: AtomicU64,
    inbox: Inbox<Observation>,
}

/// Withdraws the registration of an address when it is dropped.
#[derive(Debug)]
pub struct Registration {
    observer: Arc<Observer>,
    key: (Protocol, SocketAddr),
}

impl Observer {
    /// Nobody watches anybody yet; `feed` says who may watch raw clients.
    #[must_use]
    pub fn new(feed: Feed) -> Self {
        Self { feed: Arc::new(RawFeed::new(feed)), ..Self::default() }
    }

    /// From now on, what the servers see of `address` goes to `inbox`.
    #[must_use]
    pub fn register(
        self: &Arc<Self>,
        on: LegId,
        address: SocketAddr,
        inbox: Inbox<Observation>,
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

    /// Whose connection the TCP server has accepted.
    #[must_use]
    pub fn caller(&self, peer: SocketAddr) -> Caller {
        let peer = canonical(peer);
        if let Some(watcher) = self.watcher_of(Protocol::Tcp, peer) {
            Caller::Leg(watcher)
        } else if self.departed.contains((Protocol::Tcp, peer), Instant::now()) {
            Caller::Departed
        } else {
            Caller::Raw(self.feed.client(Protocol::Tcp, peer))
        }
    }

    /// Who sent a datagram that is not a leg's, if anybody watches and it was none a moment ago either.
    #[must_use]
    pub fn raw_sender(&self, peer: SocketAddr) -> Option<RawClient> {
        if !self.feed.is_watched() {
            return None;
        }
        let peer = canonical(peer);
        let client = self.feed.client(Protocol::Udp, peer);
        let is_departed = self.departed.contains((Protocol::Udp, peer), Instant::now());
        (!is_departed).then_some(client)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let observer = &self.observer;
        // First: in between, what is still under way would be a stranger's.
        observer.departed.add(self.key, Instant::now());
        let mut watchers = observer.watchers.write().unwrap_or_else(PoisonError::into_inner);
        if watchers.remove(&self.key).is_some() {
            observer.watched.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Watcher {
    /// Hands an observation on, or counts it as missed; never waits.
    pub fn tell(&self, seen: Seen) {
        self.inbox.put(Observation { at: Instant::now(), on: self.on, seen });
    }

    /// Tells of one more datagram of `bytes` bytes.
    pub fn datagram(&self, bytes: usize, kept: usize) {
        let number = self.datagrams.fetch_add(1, Ordering::Relaxed);
        self.tell(Seen::Datagram { number, bytes, kept });
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
    use super::inbox::inbox;
    use super::*;

    const LEG: LegId = LegId { protocol: Protocol::Udp, leg: 1 };

    fn peer() -> SocketAddr {
        "127.0.0.1:9".parse().unwrap()
    }

    #[test]
    fn a_registration_lasts_as_long_as_its_guard() {
        let observer = Arc::new(Observer::default());
        let (inbox, _observations) = inbox(1);
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
    fn what_was_a_leg_a_moment_ago_is_no_raw_client() {
        let observer = Arc::new(Observer::default());
        let watching = observer.feed.watch(Some(peer().ip()));
        assert!(observer.raw_sender(peer()).is_some());
        assert!(matches!(observer.caller(peer()), Caller::Raw(_)));
        for protocol in Protocol::BOTH {
            let (inbox, _observations) = inbox(1);
            drop(observer.register(LegId { protocol, leg: 1 }, peer(), inbox));
        }
        let mapped = "[::ffff:127.0.0.1]:9".parse().unwrap();
        assert!(observer.raw_sender(mapped).is_none());
        assert!(matches!(observer.caller(mapped), Caller::Departed));
        assert!(watching.is_ok());
    }

    #[test]
    fn what_a_slow_session_misses_is_counted() {
        let observer = Arc::new(Observer::default());
        let (inbox, mut observations) = inbox(WAITING_OBSERVATIONS);
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
