//! The raw clients that the session told of: `nc`, the article's clients, whoever talks to the servers
//! without a page. Bounded; what is not kept is counted.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::{Cause, Data, Protocol, Raw, RawObservation};

/// Clients that are kept; the oldest goes for one more, and is counted.
pub(crate) const KEPT_CLIENTS: usize = 100;
/// Exchanges that are kept of each client, the first ones; those after them are counted.
pub(crate) const KEPT_EXCHANGES: usize = 64;

/// What the server took at a time, and what it answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exchange {
    /// Which read or datagram of the client, from 0.
    pub(crate) number: u64,
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
    pub(crate) bytes: usize,
    pub(crate) data: Option<Data>,
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
    /// When it was seen first; Unix time in microseconds.
    pub(crate) at_us: u64,
    pub(crate) reads: u64,
    pub(crate) bytes: u64,
    pub(crate) replies: u64,
    pub(crate) exchanges: Vec<Exchange>,
    /// What was turned away, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
    /// How a connection ended.
    pub(crate) end: Option<Cause>,
    /// The session that told of it is gone.
    pub(crate) lost: bool,
}

impl RawClient {
    fn new(key: u64, at_us: u64, raw: &Raw) -> Self {
        Self {
            key,
            number: Some(raw.client),
            protocol: raw.protocol,
            peer: raw.peer.clone(),
            at_us,
            reads: 0,
            bytes: 0,
            replies: 0,
            exchanges: Vec::new(),
            refused: BTreeMap::new(),
            end: None,
            lost: false,
        }
    }

    fn apply(&mut self, observation: RawObservation) {
        match observation {
            RawObservation::Accepted {} => {}
            RawObservation::Read { number, offset, bytes, data } => {
                self.exchanged(Exchange { number, offset, bytes, kept: bytes, data, reply: None });
            }
            RawObservation::Datagram { number, bytes, kept, data } => {
                self.exchanged(Exchange { number, offset: number, bytes, kept, data, reply: None });
            }
            RawObservation::Reply { number, bytes, data, .. } => {
                self.replies += 1;
                let mut kept = self.exchanges.iter_mut();
                if let Some(exchange) = kept.find(|exchange| exchange.number == number) {
                    exchange.reply = Some(Reply { bytes, data });
                }
            }
            RawObservation::Refused { reason } => *self.refused.entry(reason).or_default() += 1,
            RawObservation::Closed { cause } => self.end = Some(cause),
        }
    }

    fn exchanged(&mut self, exchange: Exchange) {
        self.reads += 1;
        self.bytes += exchange.bytes as u64;
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
            return Rc::make_mut(client).apply(raw.observation);
        }
        if self.clients.len() == KEPT_CLIENTS {
            self.clients.pop_front();
            self.dropped += 1;
        }
        let mut client = RawClient::new(self.next_key, at_us, &raw);
        client.apply(raw.observation);
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

    fn read(number: u64) -> RawObservation {
        let data = Some(Data::Text("hello".into()));
        RawObservation::Read { number, offset: 5 * number, bytes: 5, data }
    }

    fn reply(number: u64) -> RawObservation {
        RawObservation::Reply { number, offset: 32 * number, bytes: 32, data: None }
    }

    /// A client that was read twice, answered once, and has ended.
    pub(crate) fn ended() -> RawClient {
        let mut clients = RawClients::default();
        let end = RawObservation::Closed { cause: Cause::PeerClosed };
        let accepted = RawObservation::Accepted {};
        for observation in [accepted, read(0), reply(0), read(1), end] {
            clients.apply(9, raw(1, observation));
        }
        (*clients.clients[0]).clone()
    }

    #[test]
    fn a_client_is_what_was_seen_of_it() {
        let client = ended();
        assert_eq!((client.reads, client.bytes, client.replies), (2, 10, 1));
        assert_eq!(client.exchanges[0].reply, Some(Reply { bytes: 32, data: None }));
        assert_eq!((&client.exchanges[1].reply, client.end), (&None, Some(Cause::PeerClosed)));
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
