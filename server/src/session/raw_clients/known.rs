//! The raw clients that a session knows: their numbers, and whose a sighting or a packet is.
//!
//! A TCP connection is a client. Its SYN is captured before the server accepts it; so whichever is told first makes
//! the client, and the other one joins it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_protocol::{Protocol, RAW_CLIENTS};

use crate::guard::rate::Rate;
use crate::observe::{Packet, Sighting};
use crate::session::captured::{PACKETS_AT_ONCE, PACKETS_PER_S};

/// How long a connection must be silent before a new client may replace it. Its end may have been missed. If
/// it is still open and sends again, it counts as a new client.
const SILENCE: Duration = Duration::from_secs(60);

/// All that are known.
#[derive(Debug, Default)]
pub(super) struct Known {
    clients: HashMap<u64, Box<Client>>,
    /// By the server's number of a connection.
    connections: HashMap<u64, u64>,
    /// By the capture's number of a connection or peer.
    flows: HashMap<u64, u64>,
    /// By address, the latest last.
    addresses: HashMap<Address, Vec<u64>>,
    /// How many clients have got a number.
    numbered: u64,
}

type Address = (Protocol, SocketAddr);

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) number: u64,
    pub(super) address: Address,
    /// When it was first and last seen.
    began: Instant,
    seen: Instant,
    /// The server's number of the connection, once it was accepted or refused.
    connection: Option<u64>,
    /// The capture's number of the connection or peer, once there was a packet.
    flow: Option<u64>,
    has_ended: bool,
    /// How many of its datagrams were reported.
    datagrams: u64,
    /// The server's number of the last.
    last_datagram: Option<u64>,
    /// How many of its packets were reported, and how many were left out since the last report of that.
    packets: u64,
    pub(super) packets_missed: u64,
    rate: Rate,
}

impl Client {
    /// Whether one more of its packets may be reported, of at most `most`.
    pub(super) fn may_report_packet(&mut self, most: u64, now: Instant) -> bool {
        let may = self.packets < most && self.rate.spend(1, now);
        self.packets += u64::from(may);
        may
    }

    /// Which of two clients gives its place first; none, if it does not. What was never accepted, or is over, goes
    /// before anything else.
    fn goes(&self, now: Instant) -> Option<(bool, Instant)> {
        let is_connection = self.address.0 == Protocol::Tcp;
        let is_nothing = is_connection && (self.has_ended || self.connection.is_none());
        let is_silent = now.saturating_duration_since(self.seen) >= SILENCE;
        (is_nothing || is_silent || !is_connection).then_some((!is_nothing, self.seen))
    }
}

impl Known {
    /// The client that was sighted; none, if there is no room for another.
    pub(super) fn sighted(&mut self, sighting: &Sighting) -> Option<&mut Client> {
        let address = (sighting.protocol, sighting.peer);
        let number = match self.find(sighting) {
            Some(number) => number,
            None => self.insert(address, sighting.at)?,
        };
        let client = self.clients.get_mut(&number)?;
        if sighting.protocol == Protocol::Tcp && client.connection.is_none() {
            client.connection = Some(sighting.id);
            self.connections.insert(sighting.id, number);
        }
        client.seen = client.seen.max(sighting.at);
        Some(client)
    }

    /// The number of a client whose connection has ended, or was turned away. It is forgotten, or, where its last
    /// packets may still come, may give its place at any time.
    pub(super) fn ended(&mut self, sighting: &Sighting, packets_may_come: bool) -> u64 {
        let found = if packets_may_come {
            self.sighted(sighting).map(|client| {
                client.has_ended = true;
                client.number
            })
        } else {
            self.find(sighting).and_then(|number| Some(self.remove(number)?.number))
        };
        found.unwrap_or_else(|| self.next_number())
    }

    fn find(&self, sighting: &Sighting) -> Option<u64> {
        let mut at_address = self.at((sighting.protocol, sighting.peer)).rev();
        match sighting.protocol {
            Protocol::Udp => at_address.next().map(|client| client.number),
            Protocol::Tcp => self.connections.get(&sighting.id).copied().or_else(|| {
                // There may have been packets of it, the first of which came before it was accepted.
                let is_it =
                    |client: &&Client| client.connection.is_none() && client.began <= sighting.at;
                at_address.find(is_it).map(|client| client.number)
            }),
        }
    }

    /// The clients that have had an address, the latest last.
    fn at(&self, address: Address) -> impl DoubleEndedIterator<Item = &Client> {
        let numbers = self.addresses.get(&address).map_or(&[][..], Vec::as_slice);
        numbers.iter().filter_map(|number| self.clients.get(number).map(Box::as_ref))
    }

    /// The client of a packet; none, if there is no room for another.
    pub(super) fn captured(&mut self, packet: &Packet) -> Option<&mut Client> {
        let address = (packet.protocol, packet.peer);
        let number = self.flows.get(&packet.flow).copied().or_else(|| {
            let mut at_address = self.at(address);
            let found = if packet.is_syn() {
                // It may have been accepted before this was read.
                at_address.find(|client| client.flow.is_none() && client.began >= packet.at)
            } else {
                at_address.next_back()
            };
            found.map(|client| client.number)
        });
        let number = match number {
            Some(number) => number,
            None => self.insert(address, packet.at)?,
        };
        let client = self.clients.get_mut(&number)?;
        if client.flow != Some(packet.flow) {
            if let Some(forgotten) = client.flow.replace(packet.flow) {
                self.flows.remove(&forgotten);
            }
            self.flows.insert(packet.flow, number);
        }
        client.seen = client.seen.max(packet.at);
        Some(client)
    }

    /// The number of one more datagram of a client, which has this number at the server.
    pub(super) fn datagram(&mut self, client: u64, id: u64) -> Option<u64> {
        let client = self.clients.get_mut(&client)?;
        client.datagrams += 1;
        client.last_datagram = Some(id);
        Some(client.datagrams - 1)
    }

    /// The number of a datagram that was answered; none, if it was missed. Else this would seem to be the reply to
    /// another one.
    pub(super) fn answered(&self, client: u64, id: u64) -> Option<u64> {
        let client = self.clients.get(&client).filter(|client| client.last_datagram == Some(id))?;
        client.datagrams.checked_sub(1)
    }

    fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    fn insert(&mut self, address: Address, at: Instant) -> Option<u64> {
        if self.clients.len() >= RAW_CLIENTS {
            let may_go = self.clients.values().filter_map(|it| Some((it.goes(at)?, it.number)));
            let (_, number) = may_go.min()?;
            self.remove(number);
        }
        let number = self.next_number();
        let client = Client {
            number,
            address,
            began: at,
            seen: at,
            connection: None,
            flow: None,
            has_ended: false,
            datagrams: 0,
            last_datagram: None,
            packets: 0,
            packets_missed: 0,
            rate: Rate::per_second(PACKETS_PER_S, PACKETS_AT_ONCE, at),
        };
        self.clients.insert(number, Box::new(client));
        self.addresses.entry(address).or_default().push(number);
        Some(number)
    }

    fn remove(&mut self, number: u64) -> Option<Box<Client>> {
        let client = self.clients.remove(&number)?;
        if let Some(id) = client.connection {
            self.connections.remove(&id);
        }
        if let Some(flow) = client.flow {
            self.flows.remove(&flow);
        }
        if let Entry::Occupied(mut at_address) = self.addresses.entry(client.address) {
            at_address.get_mut().retain(|other| *other != number);
            if at_address.get().is_empty() {
                at_address.remove();
            }
        }
        Some(client)
    }

    /// Forgets all, but not which numbers there were.
    pub(super) fn forget(&mut self) {
        *self = Self { numbered: self.numbered, ..Self::default() };
    }

    /// Those of which packets were left out.
    pub(super) fn with_missed_packets(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.values_mut().map(Box::as_mut).filter(|client| client.packets_missed > 0)
    }

    /// Bytes of memory that are taken.
    pub(super) fn held(&self) -> usize {
        let Self { clients, connections, flows, addresses, numbered: _ } = self;
        clients.len() * size_of::<Client>()
            + (clients.capacity() + connections.capacity() + flows.capacity())
                * size_of::<[u64; 2]>()
            + addresses.capacity() * size_of::<(Address, Vec<u64>)>()
            + addresses.len() * size_of::<[u64; 4]>()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use streamgram_protocol::{Flags, Header, Side};

    use super::*;
    use crate::observe::{Kept, Machine, RawEvent};

    /// Clients, and when it began.
    struct Clients(Known, Instant);

    impl Clients {
        fn new() -> Self {
            Self(Known::default(), Instant::now())
        }

        fn after(&self, ms: u64) -> Instant {
            self.1 + Duration::from_millis(ms)
        }

        fn sighting(&self, protocol: Protocol, port: u16, id: u64, ms: u64) -> Sighting {
            let (peer, machine) = (([127, 0, 0, 1], port).into(), Machine::Loopback);
            Sighting {
                at: self.after(ms),
                protocol,
                peer,
                machine,
                fault: None,
                id,
                event: RawEvent::Accepted,
            }
        }

        /// The number of a connection of which the server saw something.
        fn sighted(&mut self, port: u16, id: u64, ms: u64) -> Option<u64> {
            let sighting = self.sighting(Protocol::Tcp, port, id, ms);
            self.0.sighted(&sighting).map(|client| client.number)
        }

        fn ended(&mut self, port: u16, id: u64, ms: u64) -> u64 {
            let sighting = self.sighting(Protocol::Tcp, port, id, ms);
            self.0.ended(&sighting, true)
        }

        /// The number of a client of which there was a packet.
        fn captured(&mut self, port: u16, flow: u64, is_syn: bool, ms: u64) -> Option<u64> {
            let flags = Flags { syn: is_syn, ..Flags::default() };
            let packet = Packet {
                protocol: Protocol::Tcp,
                peer: ([127, 0, 0, 1], port).into(),
                machine: Machine::Loopback,
                flow,
                number: 0,
                from: Side::Client,
                at: self.after(ms),
                left: None,
                came: None,
                bytes: 0,
                header: Header::Tcp { flags, seq: 0, ack: 0, window: 0, length: 0 },
                retransmission: false,
                duplicate_ack: false,
                segments: 1,
                checksum_offloaded: false,
                headers: 0,
                kept: Kept::within(0, [].into(), &Arc::default()).unwrap(),
            };
            self.0.captured(&packet).map(|client| client.number)
        }
    }

    #[test]
    fn a_syn_and_its_connection_are_one_client_whichever_is_told_first() {
        let mut some = Clients::new();
        assert_eq!(some.captured(7, 1, true, 1), Some(1));
        assert_eq!((some.sighted(7, 40, 2), some.captured(7, 1, false, 3)), (Some(1), Some(1)));
        assert_eq!((some.sighted(8, 41, 5), some.captured(8, 2, true, 4)), (Some(2), Some(2)));
        assert_eq!((some.ended(8, 41, 6), some.captured(8, 2, false, 7)), (2, Some(2)));
    }

    #[test]
    fn another_connection_from_the_same_address_is_another_client_however_late_its_packets_are_read()
     {
        let mut some = Clients::new();
        for id in [40, 41] {
            assert_eq!(some.sighted(7, id, id), Some(id - 39));
            assert_eq!(some.ended(7, id, id), id - 39);
        }
        let seen = [(1, true, 39), (1, false, 39), (2, true, 40), (1, false, 40), (2, false, 41)];
        let numbers = seen.map(|(flow, is_syn, ms)| some.captured(7, flow, is_syn, ms));
        assert_eq!(numbers, [1, 1, 2, 1, 2].map(Some));
        // A scan is never accepted, and the connection after it is another one.
        assert_eq!(
            (some.captured(7, 3, true, 50), some.captured(7, 4, true, 60)),
            (Some(3), Some(4))
        );
        assert_eq!(some.sighted(7, 42, 61), Some(4));
    }

    #[test]
    fn a_connection_that_is_older_than_the_watch_has_the_packets_of_its_address() {
        let mut some = Clients::new();
        assert_eq!((some.captured(7, 1, false, 1), some.sighted(7, 40, 2)), (Some(1), Some(1)));
        assert_eq!((some.sighted(8, 41, 3), some.captured(8, 2, false, 4)), (Some(2), Some(2)));
        // The capture has forgotten it, and begins another flow.
        assert_eq!((some.captured(8, 3, false, 5), some.sighted(8, 41, 6)), (Some(2), Some(2)));
    }

    #[test]
    fn who_was_never_accepted_goes_before_a_udp_peer_and_an_open_connection_stays() {
        let mut some = Clients::new();
        assert_eq!(some.sighted(1, 1, 0), Some(1));
        let peer = some.sighting(Protocol::Udp, 2, 0, 0);
        assert_eq!(some.0.sighted(&peer).map(|client| client.number), Some(2));
        for port in 3..3_000 {
            assert_eq!(some.captured(port, port.into(), true, 1), Some(port.into()));
        }
        assert_eq!((some.0.len(), some.sighted(1, 1, 2)), (RAW_CLIENTS, Some(1)));
        assert_eq!(some.0.sighted(&peer).map(|client| client.number), Some(2));
        assert!(some.0.addresses.len() <= RAW_CLIENTS && some.0.flows.len() <= RAW_CLIENTS);
    }

    #[test]
    fn packets_above_the_rate_and_beyond_the_most_are_not_reported() {
        let mut some = Clients::new();
        let now = some.after(1);
        some.captured(7, 1, true, 1);
        let client = some.0.clients.get_mut(&1).unwrap();
        let mut reported =
            |most, now| (0..9_000).filter(|_| client.may_report_packet(most, now)).count();
        assert_eq!(reported(u64::MAX, now), usize::try_from(PACKETS_AT_ONCE).unwrap());
        assert_eq!(
            reported(u64::MAX, now + Duration::from_secs(1)),
            usize::try_from(PACKETS_PER_S).unwrap()
        );
        assert_eq!(reported(6_010, now + Duration::from_secs(9)), 10);
    }
}
