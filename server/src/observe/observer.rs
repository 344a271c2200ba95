//! Which session watches which peer of the servers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use streamgram_protocol::{Feed, Protocol};

use super::caller::Caller;
use super::departed::Departed;
use super::feed::RawFeed;
use super::inbox::Sender;
use super::machine::Machine;
use super::peer::Peer;
use super::raw_client::RawClient;
use super::watcher::{Observation, Watcher};

/// Which session watches which peer.
#[derive(Debug, Default)]
pub struct Observer {
    // Checked first, so that with nobody watching an observation costs one load.
    watched: AtomicUsize,
    watchers: RwLock<HashMap<Peer, Arc<Watcher>>>,
    departed: Departed,
    /// Which sessions watch raw clients.
    pub feed: Arc<RawFeed>,
}

/// Withdraws the registration of an address when it is dropped.
#[derive(Debug)]
pub struct Registration {
    observer: Arc<Observer>,
    peer: Peer,
}

impl Observer {
    /// Without watchers; `feed` says who may watch raw clients.
    #[must_use]
    pub fn new(feed: Feed) -> Self {
        Self { feed: Arc::new(RawFeed::new(feed)), ..Self::default() }
    }

    /// The same, and what is seen of raw clients is kept, up to so many bytes; nothing, if it is none.
    #[must_use]
    pub fn keeping(feed: Feed, journal_bytes: usize) -> Self {
        let feed = match journal_bytes {
            0 => RawFeed::new(feed),
            bytes => RawFeed::keeping(feed, bytes),
        };
        Self { feed: Arc::new(feed), ..Self::default() }
    }

    /// From now on, what the protocol's server sees of `address` goes to `inbox`.
    #[must_use]
    pub fn register(
        self: &Arc<Self>,
        protocol: Protocol,
        address: SocketAddr,
        inbox: Sender<Observation>,
    ) -> Registration {
        let peer = Peer::new(protocol, address);
        let watcher = Arc::new(Watcher::new(inbox));
        let mut watchers = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        if watchers.insert(peer, watcher).is_none() {
            self.watched.fetch_add(1, Ordering::Release);
        }
        Registration { observer: Arc::clone(self), peer }
    }

    /// Who watches this peer, if anybody does.
    #[must_use]
    pub fn watcher_of(&self, protocol: Protocol, peer: SocketAddr) -> Option<Arc<Watcher>> {
        if self.watched.load(Ordering::Acquire) == 0 {
            return None;
        }
        let watchers = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        watchers.get(&Peer::new(protocol, peer)).cloned()
    }

    /// Whether this peer is a leg, or was one a moment ago.
    #[must_use]
    pub fn is_leg(&self, protocol: Protocol, peer: SocketAddr, now: Instant) -> bool {
        let is_watched = self.watcher_of(protocol, peer).is_some();
        is_watched || self.departed.contains(Peer::new(protocol, peer), now)
    }

    /// Who has connected to the TCP server at its address `local`.
    #[must_use]
    pub fn caller(&self, peer: SocketAddr, local: IpAddr) -> Caller {
        let machine = Machine::of(peer.ip(), local);
        let peer = Peer::new(Protocol::Tcp, peer);
        if let Some(watcher) = self.watcher_of(peer.protocol, peer.address) {
            Caller::Leg(watcher)
        } else if self.departed.contains(peer, Instant::now()) {
            Caller::Departed
        } else {
            Caller::Raw(RawClient::new(Arc::clone(&self.feed), peer, machine))
        }
    }

    /// The sender of a datagram to our address `local` that is not from a leg, nor from one that has just
    /// ended; only if somebody watches raw clients.
    #[must_use]
    pub fn raw_sender(&self, peer: SocketAddr, local: IpAddr) -> Option<RawClient> {
        if !self.feed.is_watched() {
            return None;
        }
        let machine = Machine::of(peer.ip(), local);
        let peer = Peer::new(Protocol::Udp, peer);
        let is_departed = self.departed.contains(peer, Instant::now());
        (!is_departed).then(|| RawClient::new(Arc::clone(&self.feed), peer, machine))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let observer = &self.observer;
        // First, so that nothing of the leg's can seem to come from a raw client in between.
        observer.departed.add(self.peer, Instant::now());
        let mut watchers = observer.watchers.write().unwrap_or_else(PoisonError::into_inner);
        if watchers.remove(&self.peer).is_some() {
            observer.watched.fetch_sub(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbox;
    use super::super::watcher::{Datagram, Event, WAITING_OBSERVATIONS, digest};
    use super::*;

    fn peer() -> SocketAddr {
        "127.0.0.1:9".parse().unwrap()
    }

    #[test]
    fn a_registration_lasts_as_long_as_its_guard() {
        let observer = Arc::new(Observer::default());
        let (sender, _inbox) = inbox::channel(1);
        assert!(observer.watcher_of(Protocol::Udp, peer()).is_none());
        let registration = observer.register(Protocol::Udp, peer(), sender);
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
        let (watching, local) = (observer.feed.watch(Some(Machine::This)), peer().ip());
        assert!(observer.raw_sender(peer(), local).is_some());
        assert!(matches!(observer.caller(peer(), local), Caller::Raw(_)));
        for protocol in Protocol::BOTH {
            let (sender, _inbox) = inbox::channel(1);
            drop(observer.register(protocol, peer(), sender));
        }
        let mapped = "[::ffff:127.0.0.1]:9".parse().unwrap();
        assert!(observer.raw_sender(mapped, local).is_none());
        assert!(matches!(observer.caller(mapped, local), Caller::Departed));
        assert!(watching.is_ok());
    }

    #[test]
    fn what_a_slow_session_misses_is_counted() {
        let observer = Arc::new(Observer::default());
        let (sender, mut inbox) = inbox::channel(WAITING_OBSERVATIONS);
        let _registration = observer.register(Protocol::Udp, peer(), sender);
        let watcher = observer.watcher_of(Protocol::Udp, peer()).unwrap();
        for _ in 0..WAITING_OBSERVATIONS + 3 {
            watcher.datagram(Instant::now(), b"x", None);
            watcher.datagram_replied();
        }
        assert_eq!((inbox.missed(), inbox.missed()), (3, 0));
        let second = std::iter::from_fn(|| inbox.try_recv()).nth(1).unwrap();
        let (digest, replies) = (digest(b"x"), 1);
        let seen = Datagram { number: 1, bytes: 1, digest, replies, drained: None };
        assert_eq!(second.event, Event::Datagram(seen));
    }
}
