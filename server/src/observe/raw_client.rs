//! A raw client, whoever talks to a server without a leg, and what the server tells of it.
//!
//! A server looks at one number before it tells anything. Only when somebody watches does it look up
//! who, and only when somebody watches this address is anything made to tell.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use streamgram_protocol::{Protocol, RAW_BYTES};

use super::feed::RawFeed;
use super::sighting::{Sight, Sighting, payload};

/// A raw client as a server knows it: a connection, or the sender of one datagram.
#[derive(Debug)]
pub struct RawClient {
    feed: Arc<RawFeed>,
    protocol: Protocol,
    peer: SocketAddr,
    id: u64,
    open: Option<Arc<()>>,
}

impl RawClient {
    /// A client's connection, or one datagram of it.
    pub(crate) fn new(feed: Arc<RawFeed>, protocol: Protocol, peer: SocketAddr) -> Self {
        let id = feed.next_id();
        let open = (protocol == Protocol::Tcp).then(Arc::default);
        Self { feed, protocol, peer, id, open }
    }

    /// Tells of a read, the `number`th, at `offset` in the stream.
    pub fn read(&self, number: u64, offset: u64, bytes: &[u8]) {
        self.tell(|peer| Sight::Read(number, offset, payload(peer, bytes, RAW_BYTES)));
    }

    /// Tells of a datagram.
    pub fn datagram(&self, bytes: &[u8]) {
        self.tell(|peer| Sight::Datagram(payload(peer, bytes, RAW_BYTES)));
    }

    /// Tells of a reply, to the `number`th read, at `offset` in the stream of replies.
    pub fn reply(&self, number: u64, offset: u64, bytes: &[u8]) {
        self.tell(|peer| Sight::Reply(number, offset, payload(peer, bytes, bytes.len())));
    }

    /// Tells of what has no bytes.
    pub fn event(&self, sight: Sight) {
        self.tell(|_| sight);
    }

    fn tell(&self, sight: impl FnOnce(IpAddr) -> Sight) {
        if !self.feed.is_watched() {
            return;
        }
        let address = self.peer.ip();
        let Some(watchers) = self.feed.watchers_of(address) else { return };
        let Self { protocol, peer, id, .. } = *self;
        let (at, sight) = (Instant::now(), sight(address));
        let open = self.open.as_ref().map(Arc::downgrade).unwrap_or_default();
        let sighting = Arc::new(Sighting { at, protocol, peer, id, open, sight });
        for watcher in &*watchers {
            watcher.send(Arc::clone(&sighting));
        }
    }
}
