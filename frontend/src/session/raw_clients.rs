//! The external clients that the session told of, raw ones on the wire: `nc`, the article's clients, whoever
//! talks to the servers without a page. Bounded; what is not kept is counted. Times are the server's, as Unix
//! time in microseconds.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{
    Captured, Cause, Data, FaultyServer, Header, Protocol, Raw, RawObservation,
};

use super::flow::Flow;
use super::sent::Sent;
use super::trace::{Trace, weight};

/// Clients that are kept; the oldest goes for one more, and is counted.
pub(crate) const KEPT_CLIENTS: usize = 100;
/// Exchanges that are kept of each client, the first ones; those after them are counted. As many refusals.
pub(crate) const KEPT_EXCHANGES: usize = 64;
/// What a faulty server did that is kept of each client, the first of it; what comes after that is counted.
pub(crate) const KEPT_DEEDS: usize = 500;
/// Packets that are kept of each client, the first ones; those after them are counted.
pub(crate) const KEPT_CLIENT_PACKETS: usize = 500;
/// Bytes of memory that the packets of all clients take, about; those of the oldest client go for more, and are counted.
pub(crate) const KEPT_PACKET_BYTES: usize = 8 * 1024 * 1024;

/// What the server took at a time, and what it answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exchange {
    /// Which read or datagram of the client, from 0.
    pub(crate) number: u64,
    /// When the server had it.
    pub(crate) at_us: u64,
    /// TCP: where its first byte stands in the stream.
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    /// UDP: what a `recv(1024)` keeps.
    pub(crate) kept: usize,
    pub(crate) data: Option<Data>,
    pub(crate) reply: Option<Reply>,
}

/// A reply that the system took to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    /// When the system took it.
    pub(crate) at_us: u64,
    pub(crate) bytes: usize,
    pub(crate) data: Option<Data>,
}

/// A connection or a datagram that was turned away.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) at_us: u64,
    pub(crate) reason: String,
}

/// Something that a faulty server did on purpose, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Done {
    pub(crate) at_us: u64,
    pub(crate) deed: Deed,
}

/// How a connection ended, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct End {
    pub(crate) at_us: u64,
    pub(crate) cause: Cause,
}

/// One client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawClient {
    /// Counts up as long as the page lives.
    pub(crate) key: u64,
    /// The session's number for it; none once that session is gone.
    number: Option<u64>,
    pub(crate) protocol: Protocol,
    pub(crate) peer: String,
    /// When it was seen first.
    pub(crate) at_us: u64,
    /// TCP: that was when it was accepted. A page that came later does not know when.
    pub(crate) accepted: bool,
    /// A server had to do with it. Before that, packets came: of somebody who is about to connect, or who only tries
    /// whether a port is open.
    pub(crate) met: bool,
    /// The faulty server that it talks to, if it is one.
    pub(crate) faulty: Option<Rc<FaultyServer>>,
    pub(crate) deeds: Vec<Done>,
    /// Deeds that are counted and not kept.
    pub(crate) deeds_dropped: u64,
    /// Its packets, if they are captured.
    pub(crate) trace: Rc<Trace>,
    flow: Flow,
    pub(crate) reads: u64,
    pub(crate) bytes: u64,
    pub(crate) replies: u64,
    pub(crate) exchanges: Vec<Exchange>,
    /// What was turned away, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) end: Option<End>,
    /// The session that told of it is gone.
    pub(crate) lost: bool,
    /// The number of the read or datagram that is to come.
    next: u64,
}

impl RawClient {
    fn new(key: u64, at_us: u64, raw: &Raw) -> Self {
        Self {
            key,
            number: Some(raw.client),
            protocol: raw.protocol,
            peer: raw.peer.clone(),
            at_us,
            accepted: false,
            met: false,
            faulty: None,
            deeds: Vec::new(),
            deeds_dropped: 0,
            trace: Rc::default(),
            flow: Flow::default(),
            reads: 0,
            bytes: 0,
            replies: 0,
            exchanges: Vec::new(),
            refused: BTreeMap::new(),
            refusals: Vec::new(),
            end: None,
            lost: false,
            next: 0,
        }
    }

    /// Whether its connection is open, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        let ended = self.end.is_some() || self.lost || !self.refused.is_empty();
        self.protocol == Protocol::Tcp && self.met && !ended
    }

    /// Whether its handshake is under way: no packet tore that down.
    pub(crate) fn is_connecting(&self) -> bool {
        let tears_down = |sent: &Rc<Sent>| match sent.packet.header {
            Header::Tcp { flags, .. } => flags.rst || flags.fin,
            Header::Udp { .. } => false,
        };
        let is_tcp = self.protocol == Protocol::Tcp;
        is_tcp && !self.met && !self.lost && !self.trace.packets.iter().any(tears_down)
    }

    /// Reads or datagrams that this page was not told of, because it came later or was too slow.
    pub(crate) fn unseen(&self) -> u64 {
        self.next.saturating_sub(self.reads)
    }

    /// Reads or datagrams that are counted and not kept.
    pub(crate) fn only_counted(&self) -> u64 {
        self.reads - self.exchanges.len() as u64
    }

    /// Bytes of memory that a packet takes more than before, about.
    fn apply(&mut self, at_us: u64, observation: RawObservation) -> usize {
        let is_of_packets =
            matches!(observation, RawObservation::Packet(_) | RawObservation::PacketsMissed { .. });
        if !is_of_packets && !self.met {
            (self.met, self.at_us) = (true, at_us);
        }
        match observation {
            RawObservation::Accepted {} => self.accepted = true,
            RawObservation::Read { number, offset, bytes, data } => {
                let kept = bytes;
                self.exchanged(Exchange { number, at_us, offset, bytes, kept, data, reply: None });
            }
            RawObservation::Datagram { number, bytes, kept, data } => {
                let offset = number;
                self.exchanged(Exchange { number, at_us, offset, bytes, kept, data, reply: None });
            }
            RawObservation::Reply { number, bytes, data, .. } => {
                self.replies += 1;
                let mut kept = self.exchanges.iter_mut();
                if let Some(exchange) = kept.find(|exchange| exchange.number == number) {
                    exchange.reply = Some(Reply { at_us, bytes, data });
                }
            }
            RawObservation::Refused { reason } => {
                if self.refusals.len() < KEPT_EXCHANGES {
                    self.refusals.push(Refusal { at_us, reason: reason.clone() });
                }
                *self.refused.entry(reason).or_default() += 1;
            }
            RawObservation::Closed { cause } => self.end = Some(End { at_us, cause }),
            RawObservation::Fault(deed) => {
                if self.deeds.len() < KEPT_DEEDS {
                    self.deeds.push(Done { at_us, deed });
                } else {
                    self.deeds_dropped += 1;
                }
            }
            RawObservation::Packet(packet) => return self.captured(at_us, *packet),
            RawObservation::PacketsMissed { count } => {
                self.flow.missed();
                Rc::make_mut(&mut self.trace).missed += count;
            }
        }
        0
    }

    fn captured(&mut self, at_us: u64, packet: Captured) -> usize {
        let placed = self.flow.places(0, &packet);
        let trace = Rc::make_mut(&mut self.trace);
        if trace.packets.len() == KEPT_CLIENT_PACKETS {
            trace.dropped += 1;
            return 0;
        }
        let sent = Rc::new(Sent::of_captured(at_us, packet, placed));
        trace.push(0, Rc::clone(&sent));
        weight(&sent)
    }

    /// Gives up its packets, which are only counted then. The bytes that they took, about.
    fn forget_packets(&mut self) -> usize {
        let trace = Rc::make_mut(&mut self.trace);
        let weight = trace.weight();
        trace.dropped += trace.packets.len() as u64;
        trace.packets.clear();
        weight
    }

    fn exchanged(&mut self, exchange: Exchange) {
        self.reads += 1;
        self.bytes += exchange.bytes as u64;
        self.next = exchange.number + 1;
        if self.exchanges.len() < KEPT_EXCHANGES {
            self.exchanges.push(exchange);
        }
    }
}

/// All of them, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RawClients {
    pub(crate) clients: VecDeque<Rc<RawClient>>,
    /// Clients that are not kept any more.
    pub(crate) dropped: u64,
    /// The same of those that no server had to do with.
    pub(crate) unmet: u64,
    /// Observations that the session was too slow for.
    pub(crate) missed: u64,
    /// Why the session is told of nobody, as the server says it.
    pub(crate) refused: Option<String>,
    /// The session's faulty servers, in its order.
    faulty: Vec<Rc<FaultyServer>>,
    next_key: u64,
    /// Bytes that the packets of all clients take, about.
    packet_bytes: usize,
}

impl RawClients {
    /// Applies what the session saw of a client.
    pub(crate) fn apply(&mut self, at_us: u64, raw: Raw) {
        let mut at = self.clients.iter().position(|it| it.number == Some(raw.client));
        if at.is_none() && self.clients.len() == KEPT_CLIENTS {
            self.drop_one();
        }
        let at = *at.get_or_insert_with(|| {
            let client = RawClient::new(self.next_key, at_us, &raw);
            self.next_key += 1;
            self.clients.push_back(Rc::new(client));
            self.clients.len() - 1
        });
        let client = Rc::make_mut(&mut self.clients[at]);
        if client.faulty.is_none() {
            client.faulty = raw.fault.and_then(|place| self.faulty.get(place).cloned());
        }
        self.packet_bytes += client.apply(at_us, raw.observation);
        self.bound();
    }

    /// Makes room for a client. Who scans ports does not push out those that were served.
    fn drop_one(&mut self) {
        let at = self.clients.iter().position(|client| !client.met);
        if let Some(client) = self.clients.remove(at.unwrap_or(0)) {
            self.packet_bytes = self.packet_bytes.saturating_sub(client.trace.weight());
            *(if client.met { &mut self.dropped } else { &mut self.unmet }) += 1;
        }
    }

    /// Gives up the packets of the oldest clients that have some, down to what may be kept.
    fn bound(&mut self) {
        for client in &mut self.clients {
            if self.packet_bytes <= KEPT_PACKET_BYTES {
                return;
            }
            if !client.trace.packets.is_empty() {
                let weight = Rc::make_mut(client).forget_packets();
                self.packet_bytes = self.packet_bytes.saturating_sub(weight);
            }
        }
    }

    /// Clients that a server had to do with, those that are not kept any more included.
    pub(crate) fn met(&self) -> u64 {
        self.clients.iter().filter(|client| client.met).count() as u64 + self.dropped
    }

    /// The latest of those.
    pub(crate) fn latest(&self) -> Option<&Rc<RawClient>> {
        self.clients.iter().rev().find(|client| client.met)
    }

    /// Packets were dropped, of whom nobody knows.
    pub(super) fn packets_unclaimed(&mut self, count: u64) {
        // Who never had packets missed none, and whose connection is over hardly any.
        let may_miss = |client: &&mut Rc<RawClient>| {
            client.number.is_some() && client.end.is_none() && !client.trace.packets.is_empty()
        };
        for client in self.clients.iter_mut().filter(may_miss) {
            let client = Rc::make_mut(client);
            client.flow.missed();
            Rc::make_mut(&mut client.trace).unclaimed += count;
        }
    }

    /// A session has begun, whose server has these faulty ones beside it.
    pub(super) fn session_began(&mut self, faulty: &[FaultyServer]) {
        self.faulty = faulty.iter().cloned().map(Rc::new).collect();
    }

    /// The session is gone: of the clients that it told of nothing more will be known.
    pub(crate) fn session_ended(&mut self) {
        for client in self.clients.iter_mut().filter(|client| client.number.is_some()) {
            let client = Rc::make_mut(client);
            client.number = None;
            client.lost = client.end.is_none();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::Side;

    use super::*;
    use crate::session::sent::tests::{opening, segment};

    fn raw(client: u64, observation: RawObservation) -> Raw {
        Raw {
            protocol: Protocol::Tcp,
            client,
            peer: "127.0.0.1:5".into(),
            fault: None,
            observation,
        }
    }

    /// What was seen of one client, each a microsecond after the one before.
    pub(crate) fn client(
        protocol: Protocol,
        observations: impl IntoIterator<Item = RawObservation>,
    ) -> RawClient {
        let mut clients = RawClients::default();
        for (at_us, observation) in (9..).zip(observations) {
            clients.apply(at_us, Raw { protocol, ..raw(1, observation) });
        }
        (*clients.clients[0]).clone()
    }

    /// These clients, the oldest first, and what was left out.
    pub(crate) fn all(clients: Vec<RawClient>, (dropped, missed): (u64, u64)) -> RawClients {
        let numbered = (0..).zip(clients).map(|(key, client)| Rc::new(RawClient { key, ..client }));
        RawClients { clients: numbered.collect(), dropped, missed, ..RawClients::default() }
    }

    /// A read of this text.
    pub(crate) fn read_of(number: u64, text: &str) -> RawObservation {
        let data = Some(Data::Text(text.into()));
        RawObservation::Read { number, offset: 0, bytes: text.len(), data }
    }

    /// A read of so many bytes at a place in the stream.
    pub(crate) fn read_at(number: u64, offset: u64, bytes: usize) -> RawObservation {
        RawObservation::Read { number, offset, bytes, data: None }
    }

    fn read(number: u64) -> RawObservation {
        read_of(number, "hello")
    }

    /// A reply of 32 bytes.
    pub(crate) fn reply(number: u64) -> RawObservation {
        RawObservation::Reply { number, offset: 32 * number, bytes: 32, data: None }
    }

    /// A client that was read twice, answered once, and has ended.
    pub(crate) fn ended() -> RawClient {
        let end = RawObservation::Closed { cause: Cause::PeerClosed };
        client(Protocol::Tcp, [RawObservation::Accepted {}, read(0), reply(0), read(1), end])
    }

    #[test]
    fn a_client_is_what_was_seen_of_it_and_when() {
        let client = ended();
        assert_eq!((client.reads, client.bytes, client.replies), (2, 10, 1));
        assert_eq!((client.at_us, client.accepted, client.exchanges[0].at_us), (9, true, 10));
        assert_eq!(client.exchanges[0].reply, Some(Reply { at_us: 11, bytes: 32, data: None }));
        let end = End { at_us: 13, cause: Cause::PeerClosed };
        assert_eq!((&client.exchanges[1].reply, client.end), (&None, Some(end)));
        assert!(!client.is_open());
    }

    #[test]
    fn what_was_turned_away_is_dated_and_counted() {
        let refused = || RawObservation::Refused { reason: "tcp_full".into() };
        let client = client(Protocol::Tcp, (0..100).map(|_| refused()));
        assert_eq!((client.refused["tcp_full"], client.refusals.len()), (100, KEPT_EXCHANGES));
        assert_eq!((client.refusals[1].at_us, client.is_open()), (10, false));
    }

    #[test]
    fn what_a_faulty_server_did_is_dated_and_bounded_and_the_rest_counted() {
        let deed = |offset| RawObservation::Fault(Deed::Stalled { offset });
        let client = client(Protocol::Tcp, (0..KEPT_DEEDS as u64 + 3).map(deed));
        assert_eq!((client.deeds.len(), client.deeds_dropped), (KEPT_DEEDS, 3));
        let second = Done { at_us: 10, deed: Deed::Stalled { offset: 1 } };
        assert_eq!((client.deeds[1], client.met), (second, true));
    }

    #[test]
    fn a_client_keeps_its_faulty_server_whatever_the_next_session_has() {
        let server = |recipe: &str| {
            let (protocol, address) = (Protocol::Tcp, "127.0.0.1:9".into());
            FaultyServer { protocol, address, recipe: recipe.into() }
        };
        let mut clients = RawClients::default();
        clients.session_began(&[server("split=1"), server("fin=3")]);
        for (client, fault) in [(1, Some(1)), (2, None), (3, Some(7))] {
            clients.apply(0, Raw { fault, ..raw(client, RawObservation::Accepted {}) });
        }
        clients.session_ended();
        clients.session_began(&[]);
        let recipes = clients.clients.iter().map(|client| Some(&*client.faulty.as_ref()?.recipe));
        assert_eq!(recipes.collect::<Vec<_>>(), [Some("fin=3"), None, None]);
    }

    #[test]
    fn who_was_there_before_the_page_has_reads_that_are_not_known() {
        let client = client(Protocol::Tcp, [read(4), reply(4), read(6)]);
        assert_eq!((client.reads, client.unseen(), client.accepted), (2, 5, false));
        assert!(client.is_open());
    }

    #[test]
    fn clients_and_their_exchanges_are_bounded_and_the_rest_counted() {
        let mut clients = RawClients::default();
        for client in 1..=KEPT_CLIENTS as u64 + 3 {
            clients.apply(0, raw(client, RawObservation::Accepted {}));
        }
        assert_eq!((clients.clients.len(), clients.dropped), (KEPT_CLIENTS, 3));
        let exchanges = KEPT_EXCHANGES as u64 + 2;
        (0..exchanges).for_each(|number| clients.apply(0, raw(50, read(number))));
        let client = clients.clients.iter().find(|client| client.reads > 0).unwrap();
        assert_eq!((client.exchanges.len(), client.reads), (KEPT_EXCHANGES, exchanges));
    }

    #[test]
    fn who_was_dropped_and_comes_again_is_there_again() {
        let mut clients = RawClients::default();
        for client in 1..=KEPT_CLIENTS as u64 + 1 {
            clients.apply(0, raw(client, RawObservation::Accepted {}));
        }
        clients.apply(0, raw(1, read(7)));
        assert_eq!(clients.clients.back().unwrap().reads, 1);
    }

    #[test]
    fn numbers_of_a_new_session_are_other_clients() {
        let mut clients = RawClients::default();
        clients.apply(0, raw(1, read(0)));
        clients.session_ended();
        clients.apply(0, raw(1, read(0)));
        let lost: Vec<_> = clients.clients.iter().map(|client| client.lost).collect();
        assert_eq!(lost, [true, false]);
    }

    fn packet(captured: Captured) -> RawObservation {
        RawObservation::Packet(Box::new(captured))
    }

    #[test]
    fn who_is_known_by_a_syn_is_connecting_and_then_accepted() {
        let [syn, syn_ack] = opening().map(packet);
        let mut clients = RawClients::default();
        clients.apply(5, raw(1, syn));
        clients.apply(6, raw(1, syn_ack));
        let client = Rc::clone(&clients.clients[0]);
        assert!(client.is_connecting() && !client.is_open());
        assert_eq!((clients.met(), clients.latest()), (0, None));
        clients.apply(9, raw(1, RawObservation::Accepted {}));
        let client = &clients.clients[0];
        assert_eq!((client.is_open(), client.is_connecting(), client.at_us), (true, false, 9));
        assert_eq!((clients.met(), client.trace.packets.len()), (1, 2));
    }

    #[test]
    fn a_scan_of_ports_is_no_client_and_pushes_none_out() {
        let mut clients = RawClients::default();
        clients.apply(0, raw(1, RawObservation::Accepted {}));
        for client in 2..=KEPT_CLIENTS as u64 + 4 {
            let [syn, mut reset] = opening();
            if let Header::Tcp { flags, .. } = &mut reset.header {
                flags.rst = true;
            }
            clients.apply(1, raw(client, packet(syn)));
            clients.apply(2, raw(client, packet(reset)));
        }
        assert_eq!((clients.met(), clients.dropped, clients.unmet), (1, 0, 4));
        assert!(clients.clients[0].met && !clients.clients[1].is_connecting());
    }

    #[test]
    fn packets_of_a_client_and_of_all_are_bounded_and_the_rest_counted() {
        let mut clients = RawClients::default();
        let extra = 3;
        for number in 0..KEPT_CLIENT_PACKETS as u64 + extra {
            clients.apply(number, raw(1, packet(segment(Side::Client, number, 1, 0))));
        }
        let trace = |clients: &RawClients, at: usize| {
            let trace = &clients.clients[at].trace;
            (trace.packets.len(), trace.dropped)
        };
        assert_eq!(trace(&clients, 0), (KEPT_CLIENT_PACKETS, extra));
        let large = "00".repeat(KEPT_PACKET_BYTES / 6);
        for client in [2, 3, 4] {
            let captured = Captured { hex: large.clone(), ..segment(Side::Client, 0, 1, 0) };
            clients.apply(9, raw(client, packet(captured)));
        }
        // The oldest give theirs up.
        assert_eq!(trace(&clients, 0), (0, KEPT_CLIENT_PACKETS as u64 + extra));
        assert_eq!([1, 2, 3].map(|at| trace(&clients, at)), [(0, 1), (1, 0), (1, 0)]);
        clients.packets_unclaimed(7);
        let unclaimed = [0, 3].map(|at| clients.clients[at].trace.unclaimed);
        assert_eq!(unclaimed, [0, 7]);
    }
}
