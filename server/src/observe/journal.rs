//! What the servers saw of raw clients so far, for whoever asks afterwards.
//!
//! It is bounded by bytes and by clients. The client that came first goes as a whole, so that of all others the
//! beginning is there; of a client alone the beginning goes. What has gone is counted.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use streamgram_protocol::RAW_CLIENTS;
use tokio::sync::Semaphore;

use super::sighting::{ClientKey, Sighting};

/// Clients that are remembered: as many as a session knows, since an answer numbers them as a session does. One more
/// takes the place of the first.
pub const JOURNAL_CLIENTS: usize = RAW_CLIENTS;
/// Answers that are made and sent at a time; one more is refused.
pub const ANSWERS_AT_ONCE: usize = 8;

/// What was seen of raw clients.
#[derive(Debug)]
pub struct Journal {
    /// When it began.
    pub began: Instant,
    /// Bytes of sightings that it keeps.
    most: usize,
    /// A permit for each answer that may be made and sent at a time.
    pub answers: Arc<Semaphore>,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    /// In the order in which they came.
    clients: BTreeMap<u64, Client>,
    places: HashMap<ClientKey, u64>,
    came: u64,
    bytes: usize,
    gone: Gone,
}

#[derive(Debug, Default)]
struct Client {
    sightings: VecDeque<Arc<Sighting>>,
    bytes: usize,
}

/// What had to make room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// Clients, with all that was seen of them.
    pub clients: u64,
    /// Sightings.
    pub sightings: u64,
}

impl Journal {
    /// Keeps sightings of so many bytes together.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let answers = Arc::new(Semaphore::new(ANSWERS_AT_ONCE));
        Self { began: Instant::now(), most, answers, pages: Mutex::default() }
    }

    /// Notes a sighting. The latest is always kept.
    pub(super) fn note(&self, sighting: Arc<Sighting>) {
        let key = sighting.client();
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let place = pages.places.get(&key).copied();
        let place = place.unwrap_or_else(|| pages.begin(key));
        let weight = sighting.weight();
        let client = pages.clients.entry(place).or_default();
        client.sightings.push_back(sighting);
        client.bytes += weight;
        pages.bytes += weight;
        while pages.bytes > self.most || pages.clients.len() > JOURNAL_CLIENTS {
            if !pages.make_room() {
                return;
            }
        }
    }

    /// What is remembered of the clients of which somebody may be told, in the order in which it was seen; and what had
    /// to make room, whoever it was.
    #[must_use]
    pub fn recall(&self, is_for: impl Fn(&Sighting) -> bool) -> (Vec<Arc<Sighting>>, Gone) {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let clients = pages.clients.values().map(|client| &client.sightings);
        let theirs = clients.filter(|seen| seen.front().is_some_and(|first| is_for(first)));
        let mut sightings: Vec<_> = theirs.flatten().cloned().collect();
        let gone = pages.gone;
        drop(pages);
        sightings.sort_by_key(|sighting| sighting.at);
        (sightings, gone)
    }
}

impl Pages {
    fn begin(&mut self, key: ClientKey) -> u64 {
        self.came += 1;
        self.places.insert(key, self.came);
        self.came
    }

    /// Lets the first client go, or the first sighting of the only one; whether there was anything but the latest.
    fn make_room(&mut self) -> bool {
        if self.clients.len() > 1 {
            let Some((_, client)) = self.clients.pop_first() else { return false };
            if let Some(first) = client.sightings.front() {
                self.places.remove(&first.client());
            }
            self.bytes -= client.bytes;
            self.gone.clients += 1;
            self.gone.sightings += client.sightings.len() as u64;
            return true;
        }
        let only = self.clients.values_mut().next().filter(|only| only.sightings.len() > 1);
        let Some(only) = only else { return false };
        let Some(first) = only.sightings.pop_front() else { return false };
        only.bytes -= first.weight();
        self.bytes -= first.weight();
        self.gone.sightings += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Protocol;

    use super::super::machine::Machine;
    use super::super::sighting::RawEvent;
    use super::*;

    fn seen(id: u64) -> Arc<Sighting> {
        let (at, peer) = (Instant::now(), ([127, 0, 0, 1], 9).into());
        let (protocol, machine, event) = (Protocol::Tcp, Machine::Loopback, RawEvent::Accepted);
        Arc::new(Sighting { at, protocol, peer, machine, fault: None, id, event })
    }

    fn ids(journal: &Journal) -> Vec<u64> {
        journal.recall(|_| true).0.iter().map(|sighting| sighting.id).collect()
    }

    #[test]
    fn the_client_that_came_first_goes_as_a_whole_and_is_counted() {
        let journal = Journal::new(4 * seen(0).weight());
        for id in [1, 1, 2, 1, 3] {
            journal.note(seen(id));
        }
        assert_eq!(ids(&journal), [2, 3]);
        let gone = Gone { clients: 1, sightings: 3 };
        assert_eq!(journal.recall(|_| true).1, gone);
        // It comes again as another one.
        journal.note(seen(1));
        assert_eq!(ids(&journal), [2, 3, 1]);
        assert_eq!(journal.pages.lock().unwrap().places.len(), 3);
    }

    #[test]
    fn of_a_client_alone_the_beginning_goes_and_the_latest_is_always_kept() {
        let journal = Journal::new(2 * seen(0).weight());
        (0..5).for_each(|_| journal.note(seen(1)));
        assert_eq!((ids(&journal).len(), journal.recall(|_| true).1.sightings), (2, 3));
        let tiny = Journal::new(0);
        (0..2).for_each(|_| tiny.note(seen(1)));
        assert_eq!(ids(&tiny), [1]);
    }

    #[test]
    fn one_client_too_many_takes_the_place_of_the_first() {
        let journal = Journal::new(usize::MAX);
        (0..=JOURNAL_CLIENTS as u64).for_each(|id| journal.note(seen(id)));
        assert_eq!((ids(&journal).len(), ids(&journal)[0]), (JOURNAL_CLIENTS, 1));
    }

    #[test]
    fn nobody_is_told_of_the_clients_of_others() {
        let journal = Journal::new(usize::MAX);
        (0..4).for_each(|id| journal.note(seen(id)));
        let (sightings, _) = journal.recall(|sighting| sighting.id % 2 == 0);
        assert_eq!(sightings.iter().map(|sighting| sighting.id).collect::<Vec<_>>(), [0, 2]);
    }
}
