//! Which session watches which raw clients.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use streamgram_protocol::Feed;
use thiserror::Error;

use super::inbox::{self, Inbox, Sender};
use super::machine::Machine;
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
    // Checked first, so that with nobody watching a sighting costs one load.
    watching: AtomicUsize,
    /// By what they watch. A list is never changed but replaced, so that a server need not copy it.
    watchers: RwLock<HashMap<Watched, Watchers>>,
    ids: AtomicU64,
}

/// Which clients somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Watched {
    /// The clients of a [whole](Machine::whole) machine.
    Of(Machine),
    All,
}

/// The sessions that watch the same clients.
pub(super) type Watchers = Arc<[Sender<Arc<Sighting>>]>;

/// Why a session may not watch raw clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unwatchable {
    /// The operator does not want it, or the session's address is not known.
    #[error("this session is told of no raw clients: --feed is off, or its proxy is not trusted")]
    Off,
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

impl RawFeed {
    /// Nobody watches yet.
    #[must_use]
    pub fn new(choice: Feed) -> Self {
        Self { choice, ..Self::default() }
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
        let mut all = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(&watched).map_or(&[][..], |senders| &**senders);
        if before.len() >= WATCHERS {
            return Err(Unwatchable::Full);
        }
        let now = before.iter().chain([&sender]).cloned().collect();
        all.insert(watched, now);
        self.watching.fetch_add(1, Ordering::Release);
        let (feed, present) = (Arc::clone(self), Present::watcher());
        Ok(Subscription { feed, watched, sender, sightings, _present: present })
    }

    /// Whether anybody watches.
    pub(super) fn is_watched(&self) -> bool {
        self.watching.load(Ordering::Acquire) > 0
    }

    /// A number that no other connection and no other datagram has.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Who watches clients of this machine, if anybody does.
    pub(super) fn watchers_of(&self, machine: Machine) -> Option<Watchers> {
        let watched =
            if self.choice == Feed::Own { Watched::Of(machine.whole()) } else { Watched::All };
        let all = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&watched).cloned()
    }
}

impl Subscription {
    /// How many sessions watch raw clients.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.feed.watching.load(Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut all = self.feed.watchers.write().unwrap_or_else(PoisonError::into_inner);
        let others = all.remove(&self.watched).map(|senders| {
            let others = senders.iter().filter(|sender| !sender.is_same(&self.sender));
            others.cloned().collect::<Arc<[_]>>()
        });
        if let Some(others) = others.filter(|others| !others.is_empty()) {
            all.insert(self.watched, others);
        }
        self.feed.watching.fetch_sub(1, Ordering::Release);
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
        assert!(!feed.is_watched() && feed.watchers.read().unwrap().is_empty());
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
