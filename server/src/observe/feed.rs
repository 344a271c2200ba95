//! Which session watches which raw clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use streamgram_protocol::Feed;
use thiserror::Error;

use super::audience::{Audience, Watched, Watchers};
use super::filter::Wanted;
use super::inbox::{self, Inbox, Sender};
use super::journal::{Gone, Journal};
use super::machine::Machine;
use super::packet::{Packet, WAITING_PACKET_BYTES};
use super::sighting::Sighting;
use crate::operate::meters::Present;

/// Sightings that wait for one session; one more is dropped and counted.
pub const WAITING_SIGHTINGS: usize = 512;
/// Sessions that may watch the same clients: a server hands each a copy, and has to get done. One more
/// is refused.
pub const WATCHERS: usize = 256;

/// Which sessions watch raw clients.
#[derive(Debug, Default)]
pub struct RawFeed {
    choice: Feed,
    sightings: Audience<Arc<Sighting>>,
    packets: Audience<Arc<Packet>>,
    ids: AtomicU64,
    /// What was seen so far, if that is kept.
    pub journal: Option<Journal>,
}

/// Why a session may not watch raw clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unwatchable {
    /// The operator does not want it, or the session's address is not known.
    #[error("this session is told of no raw clients: --feed is off, or its proxy is not trusted")]
    Off,
    /// A text is looked for in bytes that the session may not see.
    #[error(
        "a token is looked for in the clients' bytes, which are for visitors over loopback: use port"
    )]
    Token,
    /// The limit of watchers.
    #[error("{WATCHERS} sessions watch these raw clients, the limit is {WATCHERS}")]
    Full,
}

/// A session's right to watch, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    feed: Arc<RawFeed>,
    watched: Watched,
    /// Identifies the subscription in the feed.
    sender: Sender<Arc<Sighting>>,
    /// What the servers see.
    pub sightings: Inbox<Arc<Sighting>>,
    _present: Present,
}

/// A session's right to the packets of the clients that it watches, until it is dropped.
#[derive(Debug)]
pub struct PacketSubscription {
    feed: Arc<RawFeed>,
    watched: Watched,
    sender: Sender<Arc<Packet>>,
    /// What was captured.
    pub packets: Inbox<Arc<Packet>>,
}

impl RawFeed {
    /// Nobody watches yet.
    #[must_use]
    pub fn new(choice: Feed) -> Self {
        Self { choice, ..Self::default() }
    }

    /// Nobody watches yet, and what is seen meanwhile is kept, up to so many bytes.
    #[must_use]
    pub fn keeping(choice: Feed, bytes: usize) -> Self {
        Self { choice, journal: Some(Journal::new(bytes)), ..Self::default() }
    }

    /// Whether a session from this machine may be told of the clients that it wants.
    ///
    /// # Errors
    /// It may not.
    pub fn allows(&self, session: Option<Machine>, wanted: &Wanted) -> Result<(), Unwatchable> {
        self.watched_from(session).ok_or(Unwatchable::Off)?;
        // Else whoever may not see bytes could guess them.
        let may_look = wanted.token.is_none() || session == Some(Machine::Loopback);
        if may_look { Ok(()) } else { Err(Unwatchable::Token) }
    }

    /// What is kept in a journal of the clients that a session from this machine may see.
    #[must_use]
    pub fn recall(
        &self,
        journal: &Journal,
        session: Option<Machine>,
    ) -> (Vec<Arc<Sighting>>, Gone) {
        let theirs = self.watched_from(session);
        journal.recall(|sighting| match theirs {
            Some(Watched::Of(machine)) => sighting.machine.whole() == machine,
            Some(Watched::All) => true,
            None => false,
        })
    }

    /// Which clients a session from this machine may watch. Where that is not known, it has no clients of its own.
    #[must_use]
    pub fn choice_for(&self, session: Option<Machine>) -> Feed {
        if self.watched_from(session).is_some() { self.choice } else { Feed::Off }
    }

    fn watched_from(&self, session: Option<Machine>) -> Option<Watched> {
        match self.choice {
            Feed::Own => session.map(|machine| Watched::Of(machine.whole())),
            Feed::All => Some(Watched::All),
            Feed::Off => None,
        }
    }

    /// Makes a session from this machine watch raw clients.
    ///
    /// # Errors
    /// It may not.
    pub fn watch(self: &Arc<Self>, session: Option<Machine>) -> Result<Subscription, Unwatchable> {
        let watched = self.watched_from(session).ok_or(Unwatchable::Off)?;
        let (sender, sightings) = inbox::channel(WAITING_SIGHTINGS);
        if !self.sightings.add(watched, &sender, WATCHERS) {
            return Err(Unwatchable::Full);
        }
        let (feed, present) = (Arc::clone(self), Present::watcher());
        Ok(Subscription { feed, watched, sender, sightings, _present: present })
    }

    /// Whether anybody watches.
    pub(super) fn is_watched(&self) -> bool {
        self.sightings.count() > 0 || self.journal.is_some()
    }

    /// A number that no other connection and no other datagram has.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether a sighting of this machine's clients is for anybody, and for which sessions.
    pub(super) fn audience_of(&self, machine: Machine) -> Option<Option<Watchers<Arc<Sighting>>>> {
        let watchers = self.watchers_of(machine);
        (watchers.is_some() || self.journal.is_some()).then_some(watchers)
    }

    /// Who watches clients of this machine, if anybody does.
    fn watchers_of(&self, machine: Machine) -> Option<Watchers<Arc<Sighting>>> {
        self.sightings.of(self.watched(machine))
    }

    /// Whether anybody wants packets of clients of this machine.
    #[must_use]
    pub fn wants_packets_of(&self, machine: Machine) -> bool {
        self.packets.count() > 0 && self.packets.of(self.watched(machine)).is_some()
    }

    /// Tells a packet to everybody who watches its client; never waits.
    pub fn tell(&self, packet: &Arc<Packet>) {
        let Some(watchers) = self.packets.of(self.watched(packet.machine)) else { return };
        for watcher in &*watchers {
            watcher.send_with(|| Arc::clone(packet));
        }
    }

    /// What those watch who watch clients of this machine.
    fn watched(&self, machine: Machine) -> Watched {
        if self.choice == Feed::Own { Watched::Of(machine.whole()) } else { Watched::All }
    }
}

impl Subscription {
    /// How many sessions watch raw clients.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.feed.sightings.count()
    }

    /// From now on, the packets of the same clients too.
    #[must_use]
    pub fn packets(&self) -> PacketSubscription {
        let (sender, packets) = inbox::weighed_channel(WAITING_PACKET_BYTES, Packet::held);
        let (feed, watched) = (Arc::clone(&self.feed), self.watched);
        // There are never more of them than subscriptions.
        feed.packets.add(watched, &sender, usize::MAX);
        PacketSubscription { feed, watched, sender, packets }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.sightings.remove(self.watched, &self.sender);
    }
}

impl Drop for PacketSubscription {
    fn drop(&mut self) {
        self.feed.packets.remove(self.watched, &self.sender);
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;

    use super::super::peer::Peer;
    use super::super::raw_client::RawClient;
    use super::*;

    fn machine(last: u8) -> Machine {
        Machine::At([192, 0, 2, last].into())
    }

    fn address(last: u8) -> Option<Machine> {
        Some(machine(last))
    }

    fn client(feed: &Arc<RawFeed>, last: u8) -> RawClient {
        let peer = Peer::new(Protocol::Tcp, ([192, 0, 2, last], 50_000).into());
        RawClient::new(Arc::clone(feed), peer, machine(last))
    }

    fn seen(subscription: &mut Subscription) -> usize {
        std::iter::from_fn(|| subscription.sightings.try_recv()).count()
    }

    #[test]
    fn own_is_what_comes_from_the_same_address() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        let [mut one, mut also, mut other] =
            [1, 1, 2].map(|last| feed.watch(address(last)).unwrap());
        client(&feed, 1).accepted();
        assert_eq!([&mut one, &mut also, &mut other].map(seen), [1, 1, 0]);
        drop(one);
        client(&feed, 1).accepted();
        assert_eq!([&mut also, &mut other].map(seen), [1, 0]);
        assert_eq!(feed.watch(None).unwrap_err(), Unwatchable::Off);
    }

    #[test]
    fn all_is_everybody_and_off_nobody() {
        let feed = Arc::new(RawFeed::new(Feed::All));
        let mut watchers = [address(1), None].map(|session| feed.watch(session).unwrap());
        client(&feed, 9).accepted();
        assert_eq!(watchers.each_mut().map(seen), [1, 1]);
        let off = Arc::new(RawFeed::new(Feed::Off));
        assert_eq!(off.watch(address(1)).unwrap_err(), Unwatchable::Off);
    }

    #[test]
    fn with_the_last_watcher_the_servers_report_nothing() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        assert!(!feed.is_watched());
        let watching = [1, 1, 2].map(|last| feed.watch(address(last)).unwrap());
        assert!(feed.is_watched());
        drop(watching);
        assert!(!feed.is_watched() && feed.watchers_of(machine(1)).is_none());
    }

    #[test]
    fn one_watcher_above_the_limit_is_refused() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        let mut watching: Vec<_> = (0..WATCHERS).map(|_| feed.watch(address(1)).unwrap()).collect();
        let refused = feed.watch(address(1)).unwrap_err();
        let words = "256 sessions watch these raw clients, the limit is 256";
        assert_eq!((refused, refused.to_string().as_str()), (Unwatchable::Full, words));
        assert!(feed.watch(address(2)).is_ok());
        watching.pop();
        assert!(feed.watch(address(1)).is_ok());
    }

    #[test]
    fn what_a_session_is_too_slow_for_is_counted() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        let mut slow = feed.watch(address(1)).unwrap();
        for _ in 0..WAITING_SIGHTINGS + 3 {
            client(&feed, 1).accepted();
        }
        assert_eq!((slow.sightings.missed(), seen(&mut slow)), (3, WAITING_SIGHTINGS));
    }
}
