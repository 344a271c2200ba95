//! Which raw clients are meant: those with a port, those whose first bytes contain a text.
//!
//! A port is known at once. For a text, what is seen of a connection waits until its first bytes are there. A UDP
//! peer is meant from the datagram on that contains the text.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use streamgram_protocol::{RAW_CLIENTS, TOKEN_WITHIN};

use super::packet::Packet;
use super::sighting::{ClientKey, RawEvent, Sighting};

/// Bytes of sightings that wait for the first bytes of their connections, for a session. With more, the connection
/// that has waited longest is given up, and what was seen of it is counted as missed.
pub const UNDECIDED_BYTES: usize = 48 * 1024;

/// Which raw clients are meant; all, if it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those with this port.
    pub port: Option<u16>,
    /// Those whose first bytes contain this text.
    pub token: Option<String>,
}

/// Lets through what was seen of the clients that are meant.
#[derive(Debug)]
pub struct Filter {
    wanted: Wanted,
    /// Bytes of sightings that may wait.
    most: usize,
    found: HashSet<ClientKey>,
    undecided: HashMap<ClientKey, Undecided>,
    waiting_bytes: usize,
    through: VecDeque<Arc<Sighting>>,
    missed: u64,
}

/// A connection whose first bytes are not all there.
#[derive(Debug, Default)]
struct Undecided {
    first: Vec<u8>,
    sightings: Vec<Arc<Sighting>>,
}

impl Filter {
    /// So many bytes of sightings may wait.
    #[must_use]
    pub fn new(wanted: Wanted, most: usize) -> Self {
        Self {
            wanted,
            most,
            found: HashSet::new(),
            undecided: HashMap::new(),
            waiting_bytes: 0,
            through: VecDeque::new(),
            missed: 0,
        }
    }

    /// Takes a sighting; what is [let through](Self::let_through) because of it comes next.
    pub fn take(&mut self, sighting: Arc<Sighting>) {
        if self.wanted.port.is_some_and(|port| port != sighting.peer.port()) {
            return;
        }
        let Some(token) = &self.wanted.token else {
            return self.through.push_back(sighting);
        };
        let key = sighting.client();
        if self.found.contains(&key) {
            if sighting.is_last() {
                self.found.remove(&key);
            }
            return self.through.push_back(sighting);
        }
        match (key, &sighting.event) {
            (ClientKey::Peer(_), RawEvent::Datagram(payload)) => {
                if payload.shown.as_ref().is_some_and(|bytes| contains(bytes, token)) {
                    self.find(key);
                    self.through.push_back(sighting);
                }
            }
            (ClientKey::Peer(_), _) => {}
            (ClientKey::Connection(_), _) => self.wait_with(key, &sighting),
        }
    }

    /// Whether a packet is of a client that is meant. Packets are read before anybody knows a client's first bytes, so
    /// with a text none is.
    #[must_use]
    pub fn wants_packet(&self, packet: &Packet) -> bool {
        let Wanted { port, token } = &self.wanted;
        token.is_none() && port.is_none_or(|port| port == packet.peer.port())
    }

    /// The next sighting that is let through.
    pub fn let_through(&mut self) -> Option<Arc<Sighting>> {
        self.through.pop_front()
    }

    /// How many were given up since the last call, without knowing whether they are meant.
    pub fn missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }

    fn find(&mut self, key: ClientKey) {
        // More are not known to a session either. Which goes is not important: it is found again by its next datagram.
        if self.found.len() >= RAW_CLIENTS
            && let Some(one) = self.found.iter().next().copied()
        {
            self.found.remove(&one);
        }
        self.found.insert(key);
    }

    /// Keeps a sighting until the first bytes of its connection are there.
    fn wait_with(&mut self, key: ClientKey, sighting: &Arc<Sighting>) {
        let begins = match &sighting.event {
            RawEvent::Accepted => true,
            RawEvent::Read { offset, .. } => *offset == 0,
            _ => false,
        };
        if sighting.is_last() || !begins && !self.undecided.contains_key(&key) {
            return drop(self.forget(key));
        }
        let token = self.wanted.token.as_deref().unwrap_or_default();
        let client = self.undecided.entry(key).or_default();
        self.waiting_bytes += sighting.weight();
        client.sightings.push(Arc::clone(sighting));
        let RawEvent::Read { offset, payload, .. } = &sighting.event else {
            return self.make_room();
        };
        let shown = payload.shown.as_deref().filter(|_| *offset == client.first.len() as u64);
        let Some(shown) = shown else { return drop(self.forget(key)) };
        client.first.extend_from_slice(shown);
        client.first.truncate(TOKEN_WITHIN);
        if contains(&client.first, token) {
            let sightings = self.forget(key);
            self.find(key);
            self.through.extend(sightings);
        } else if client.first.len() >= TOKEN_WITHIN {
            self.forget(key);
        } else {
            self.make_room();
        }
    }

    /// What waited for a connection, which waits no longer.
    fn forget(&mut self, key: ClientKey) -> Vec<Arc<Sighting>> {
        let sightings = self.undecided.remove(&key).unwrap_or_default().sightings;
        self.waiting_bytes -= sightings.iter().map(|sighting| sighting.weight()).sum::<usize>();
        sightings
    }

    fn make_room(&mut self) {
        while self.waiting_bytes > self.most {
            let since = |client: &Undecided| client.sightings.first().map(|first| first.at);
            let longest = self.undecided.iter().min_by_key(|(_, client)| since(client));
            let Some(key) = longest.map(|(key, _)| *key) else { return };
            self.missed += self.forget(key).len() as u64;
        }
    }
}

fn contains(bytes: &[u8], token: &str) -> bool {
    bytes.windows(token.len().max(1)).any(|window| window == token.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use streamgram_protocol::{Cause, Protocol};

    use super::*;
    use crate::observe::Machine;
    use crate::observe::sighting::Payload;

    fn seen(protocol: Protocol, id: u64, event: RawEvent) -> Arc<Sighting> {
        let peer = ([127, 0, 0, 1], 50_000 + u16::try_from(id).unwrap()).into();
        let (at, machine) = (Instant::now(), Machine::Loopback);
        Arc::new(Sighting { at, protocol, peer, machine, fault: None, id, event })
    }

    fn read(offset: u64, bytes: &[u8]) -> RawEvent {
        let payload = Payload { bytes: bytes.len(), shown: Some(bytes.into()) };
        RawEvent::Read { number: 0, offset, payload }
    }

    fn token(most: usize) -> Filter {
        Filter::new(Wanted { token: Some("ab12".into()), port: None }, most)
    }

    /// How many are let through of each.
    fn through(filter: &mut Filter) -> Vec<u64> {
        std::iter::from_fn(|| filter.let_through()).map(|sighting| sighting.id).collect()
    }

    #[test]
    fn a_connection_comes_through_from_its_beginning_once_its_first_bytes_have_the_token() {
        let mut filter = token(UNDECIDED_BYTES);
        for (id, event) in [
            (1, RawEvent::Accepted),
            (2, RawEvent::Accepted),
            (1, read(0, b"say a")),
            (2, read(0, b"say nothing")),
            (1, read(5, b"b12")),
            (1, RawEvent::Closed(Cause::PeerClosed)),
            (2, RawEvent::Closed(Cause::PeerClosed)),
            (3, read(9, b"ab12")),
        ] {
            filter.take(seen(Protocol::Tcp, id, event));
        }
        assert_eq!(through(&mut filter), [1, 1, 1, 1]);
        assert!(filter.undecided.is_empty() && filter.found.is_empty());
        assert_eq!((filter.waiting_bytes, filter.missed()), (0, 0));
    }

    #[test]
    fn what_comes_behind_the_first_bytes_is_not_looked_at() {
        let mut filter = token(UNDECIDED_BYTES);
        filter.take(seen(Protocol::Tcp, 1, read(0, &[b'x'; TOKEN_WITHIN])));
        filter.take(seen(Protocol::Tcp, 1, read(TOKEN_WITHIN as u64, b"ab12")));
        assert!(through(&mut filter).is_empty() && filter.undecided.is_empty());
    }

    #[test]
    fn a_peer_comes_through_from_the_datagram_on_that_has_the_token() {
        let mut filter = token(0);
        let datagram = |bytes: &[u8]| {
            RawEvent::Datagram(Payload { bytes: bytes.len(), shown: Some(bytes.into()) })
        };
        for bytes in [b"before".as_slice(), b"<ab12>", b"behind"] {
            filter.take(seen(Protocol::Udp, 7, datagram(bytes)));
        }
        assert_eq!(through(&mut filter), [7, 7]);
    }

    #[test]
    fn who_waits_longest_is_given_up_and_counted() {
        let one = seen(Protocol::Tcp, 1, RawEvent::Accepted).weight();
        let mut filter = token(3 * one);
        for id in 1..=4 {
            filter.take(seen(Protocol::Tcp, id, RawEvent::Accepted));
        }
        assert_eq!((filter.missed(), filter.missed(), filter.undecided.len()), (1, 0, 3));
        filter.take(seen(Protocol::Tcp, 1, RawEvent::Closed(Cause::PeerClosed)));
        assert!(through(&mut filter).is_empty());
    }

    #[test]
    fn a_port_is_enough() {
        let wanted = Wanted { port: Some(50_002), token: None };
        let mut filter = Filter::new(wanted, 0);
        (1..=3).for_each(|id| filter.take(seen(Protocol::Tcp, id, RawEvent::Accepted)));
        assert_eq!(through(&mut filter), [2]);
    }
}
