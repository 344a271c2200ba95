//! The external clients that the session told of, raw ones on the wire: `nc`, the article's clients, whoever
//! talks to the servers without a page. Bounded; what is not kept is counted. Times are the server's, as Unix
//! time in microseconds.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::{Cause, Data, Protocol, Raw, RawObservation};

/// Clients that are kept; the oldest goes for one more, and is counted.
pub(crate) const KEPT_CLIENTS: usize = 100;
/// Exchanges that are kept of each client, the first ones; those after them are counted. As many refusals.
pub(crate) const KEPT_EXCHANGES: usize = 64;

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
        self.protocol == Protocol::Tcp && !ended
    }

    /// Reads or datagrams that this page was not told of, because it came later or was too slow.
    pub(crate) fn unseen(&self) -> u64 {
        self.next.saturating_sub(self.reads)
    }

    /// Reads or datagrams that are counted and not kept.
    pub(crate) fn only_counted(&self) -> u64 {
        self.reads - self.exchanges.len() as u64
    }

    fn apply(&mut self, at_us: u64, observation: RawObservation) {
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
        }
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
    /// Observations that the session was too slow for.
    pub(crate) missed: u64,
    /// Why the session is told of nobody, as the server says it.
    pub(crate) refused: Option<String>,
    next_key: u64,
}

impl RawClients {
    /// Applies what the session saw of a client.
    pub(crate) fn apply(&mut self, at_us: u64, raw: Raw) {
        if let Some(client) = self.clients.iter_mut().find(|it| it.number == Some(raw.client)) {
            return Rc::make_mut(client).apply(at_us, raw.observation);
        }
        if self.clients.len() == KEPT_CLIENTS {
            self.clients.pop_front();
            self.dropped += 1;
        }
        let mut client = RawClient::new(self.next_key, at_us, &raw);
        client.apply(at_us, raw.observation);
        self.next_key += 1;
        self.clients.push_back(Rc::new(client));
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
    use super::*;

    fn raw(client: u64, observation: RawObservation) -> Raw {
        Raw { protocol: Protocol::Tcp, client, peer: "127.0.0.1:5".into(), observation }
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
}
