//! The raw clients that a session watches: each with a number, what the servers saw of them as events,
//! and a count of what is not told.

use std::collections::HashMap;
use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use streamgram_protocol::{Data, Event, Protocol, RAW_CLIENTS, READ_BYTES, Raw, RawObservation};

use super::outbox::Outbox;
use crate::observe::feed::WAITING_SIGHTINGS;
use crate::observe::{
    Payload, RawFeed, Sight, Sighting, Subscription, Unwatchable, may_show_bytes,
};

/// How often the count of what was left out is told at most.
const MISSED_EVERY: Duration = Duration::from_secs(1);

/// Sightings that are taken before the session looks at everything else again.
const SIGHTINGS_PER_TURN: usize = 64;

/// What a session watches, and what it knows of it.
#[derive(Debug)]
pub(crate) struct RawClients {
    /// The session's address, where it is known.
    session: Option<IpAddr>,
    subscription: Option<Subscription>,
    clients: HashMap<Key, Client>,
    /// Clients that have had a number.
    numbered: u64,
    /// Sightings so far; how long a client has been silent is counted in them.
    seen: u64,
    /// How many there are up to where some were lost, the end of a connection perhaps among them.
    lost_at: u64,
    missed: u64,
    told_missed: Option<Instant>,
}

/// A UDP peer, or with its number a TCP connection.
type Key = (SocketAddr, Option<u64>);

#[derive(Debug)]
struct Client {
    number: u64,
    /// When it was seen last, in sightings.
    seen: u64,
    /// Datagrams that were taken of it.
    datagrams: u64,
    /// The server's number of the last.
    datagram: Option<u64>,
    /// See [`Sighting::open`].
    open: Weak<()>,
}

impl RawClients {
    pub(crate) fn new(session: Option<IpAddr>) -> Self {
        Self {
            session,
            subscription: None,
            clients: HashMap::new(),
            numbered: 0,
            seen: 0,
            lost_at: 0,
            missed: 0,
            told_missed: None,
        }
    }

    /// Watches from now on.
    ///
    /// # Errors
    /// The session may not.
    pub(crate) fn watch(&mut self, feed: &Arc<RawFeed>) -> Result<(), Unwatchable> {
        if self.subscription.is_none() {
            self.subscription = Some(feed.watch(self.session)?);
        }
        Ok(())
    }

    /// Watches no longer, and forgets everybody: their ends would not be seen.
    pub(crate) fn unwatch(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(sighting) = self.next_waiting() {
            self.take(&sighting, outbox);
        }
        self.told_missed = None;
        self.tell_missed(now, outbox);
        self.subscription = None;
        self.clients = HashMap::new();
    }

    /// Waits until there is a sighting.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self) {
        match &mut self.subscription {
            Some(subscription) => subscription.sightings.ready().await,
            None => pending().await,
        }
    }

    /// Takes what was seen, and leaves out what there is no room for; true if there is more.
    pub(crate) fn turn(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let mut taken = 0;
        while taken < SIGHTINGS_PER_TURN
            && let Some(sighting) = self.next_waiting()
        {
            self.take(&sighting, outbox);
            taken += 1;
        }
        self.tell_missed(now, outbox);
        taken == SIGHTINGS_PER_TURN
    }

    /// The next sighting, if it is there already.
    fn next_waiting(&mut self) -> Option<Arc<Sighting>> {
        let subscription = self.subscription.as_mut()?;
        let lost = subscription.sightings.missed();
        if lost > 0 {
            self.missed += lost;
            // What waits already came before.
            self.lost_at = self.seen + WAITING_SIGHTINGS as u64;
        }
        subscription.sightings.try_recv()
    }

    /// Tells of a sighting, or counts it.
    fn take(&mut self, sighting: &Sighting, outbox: &mut Outbox) {
        self.seen += 1;
        let told = self.raw(sighting);
        match told.filter(|_| outbox.has_room_for_raw()) {
            Some(raw) => outbox.push(sighting.at, None, Event::Raw(raw)),
            None => self.missed += 1,
        }
    }

    /// Tells how many sightings were left out and not counted yet, if it is time.
    fn tell_missed(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.missed_due(outbox).is_some_and(|due| now >= due) {
            let count = std::mem::take(&mut self.missed);
            self.told_missed = Some(now);
            outbox.push(now, None, Event::RawMissed { count });
        }
    }

    /// When that is, if there is something to tell and room for it.
    pub(crate) fn missed_due(&self, outbox: &Outbox) -> Option<Instant> {
        let next = self.told_missed.map_or(outbox.started(), |told| told + MISSED_EVERY);
        (self.missed > 0 && outbox.has_room_for_raw()).then_some(next)
    }

    /// A sighting with the client's number; none, if there is no number to be had.
    fn raw(&mut self, sighting: &Sighting) -> Option<Raw> {
        let Sighting { protocol, peer, id, ref open, ref sight, .. } = *sighting;
        let key = (peer, (protocol == Protocol::Tcp).then_some(id));
        let is_end = matches!(sight, Sight::Refused(_) | Sight::Closed(_));
        let client = if protocol == Protocol::Tcp && is_end {
            self.clients.remove(&key).map_or_else(|| self.next_number(), |client| client.number)
        } else {
            self.known(key, open)?.number
        };
        let data = |payload: &Payload| self.data(peer.ip(), payload);
        let observation = match *sight {
            Sight::Accepted => RawObservation::Accepted {},
            Sight::Read(number, offset, ref read) => {
                RawObservation::Read { number, offset, bytes: read.bytes, data: data(read) }
            }
            Sight::Reply(number, offset, ref reply) if protocol == Protocol::Tcp => {
                RawObservation::Reply { number, offset, bytes: reply.bytes, data: data(reply) }
            }
            Sight::Datagram(ref datagram) => {
                let (bytes, data) = (datagram.bytes, data(datagram));
                let client = self.clients.get_mut(&key)?;
                let number = client.datagrams;
                client.datagrams += 1;
                client.datagram = Some(id);
                RawObservation::Datagram { number, bytes, kept: bytes.min(READ_BYTES), data }
            }
            Sight::Reply(_, _, ref reply) => {
                let (bytes, data) = (reply.bytes, data(reply));
                let client = self.clients.get(&key)?;
                // Else its datagram was lost on the way here, and the reply would seem to answer another.
                let number = client.datagrams.checked_sub(1)?;
                (client.datagram == Some(id)).then_some(())?;
                RawObservation::Reply { number, offset: number, bytes, data }
            }
            Sight::Refused(reason) => RawObservation::Refused { reason: reason.name().into() },
            Sight::Closed(cause) => RawObservation::Closed { cause },
        };
        Some(Raw { protocol, client, peer: peer.to_string(), observation })
    }

    fn data(&self, client: IpAddr, payload: &Payload) -> Option<Data> {
        let bytes = payload.kept.as_ref().filter(|_| may_show_bytes(client, self.session))?;
        Some(Data::from_bytes(bytes))
    }

    fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// A client, with a new number if it is not known; none, if there is no room for it.
    fn known(&mut self, key: Key, open: &Weak<()>) -> Option<&mut Client> {
        if !self.clients.contains_key(&key) {
            if self.clients.len() >= RAW_CLIENTS {
                let least = self.least_missed()?;
                self.clients.remove(&least);
            }
            let number = self.next_number();
            let open = Weak::clone(open);
            let client = Client { number, seen: 0, datagrams: 0, datagram: None, open };
            self.clients.insert(key, client);
        }
        let client = self.clients.get_mut(&key)?;
        client.seen = self.seen;
        Some(client)
    }

    /// Who is silent the longest of those that may be forgotten: UDP peers, and connections that have
    /// ended unnoticed.
    fn least_missed(&self) -> Option<Key> {
        let may_go = |((_, connection), client): &(&Key, &Client)| {
            connection.is_none() || client.seen <= self.lost_at && client.open.strong_count() == 0
        };
        let may_go = self.clients.iter().filter(may_go);
        may_go.min_by_key(|(_, client)| client.seen).map(|(key, _)| *key)
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Feed};

    use super::*;
    use crate::guard::refusals::Refusal;
    use crate::observe::RawClient;

    /// Something that was seen of a client at a port, in the words of the test.
    fn sighting(protocol: Protocol, port: u16, id: u64, sight: Sight) -> Sighting {
        let peer = ([127, 0, 0, 1], port).into();
        Sighting { at: Instant::now(), protocol, peer, id, open: Weak::new(), sight }
    }

    fn payload(bytes: &[u8]) -> Payload {
        Payload { bytes: bytes.len(), kept: Some(bytes.into()) }
    }

    /// Clients, and where their events go.
    struct Watching {
        clients: RawClients,
        outbox: Outbox,
    }

    impl Watching {
        fn from(session: &str) -> Self {
            let clients = RawClients::new(Some(session.parse().unwrap()));
            Self { clients, outbox: Outbox::new(Instant::now()) }
        }

        /// What is told of it: the client's number and what was seen.
        fn take(&mut self, sighting: &Sighting) -> Option<(u64, RawObservation)> {
            self.clients.take(sighting, &mut self.outbox);
            std::iter::from_fn(|| self.outbox.pop()).find_map(|message| match message.event {
                Event::Raw(raw) => Some((raw.client, raw.observation)),
                _ => None,
            })
        }

        fn tcp(&mut self, port: u16, id: u64, sight: Sight) -> Option<(u64, RawObservation)> {
            self.take(&sighting(Protocol::Tcp, port, id, sight))
        }

        fn udp(&mut self, port: u16, id: u64, sight: Sight) -> Option<(u64, RawObservation)> {
            self.take(&sighting(Protocol::Udp, port, id, sight))
        }

        /// The number that a client has, or gets.
        fn number_of_udp(&mut self, port: u16) -> Option<u64> {
            self.udp(port, 0, Sight::Datagram(payload(b""))).map(|(client, _)| client)
        }
    }

    #[test]
    fn a_connection_is_a_client_and_a_udp_peer_stays_one() {
        let mut watching = Watching::from("127.0.0.1");
        let closed = || Sight::Closed(Cause::PeerClosed);
        let number = |told: Option<(u64, RawObservation)>| told.unwrap().0;
        assert_eq!(number(watching.tcp(7, 1, Sight::Accepted)), 1);
        assert_eq!(number(watching.tcp(7, 1, Sight::Read(0, 0, payload(b"x")))), 1);
        assert_eq!(number(watching.tcp(7, 1, closed())), 1);
        assert_eq!(number(watching.tcp(7, 2, Sight::Accepted)), 2);
        assert_eq!([9, 9, 8].map(|port| watching.number_of_udp(port)), [Some(3), Some(3), Some(4)]);
        assert_eq!(number(watching.tcp(7, 3, Sight::Refused(Refusal::TcpFull))), 5);
        assert_eq!(number(watching.tcp(7, 2, closed())), 2);
        assert!(watching.clients.clients.keys().all(|(_, connection)| connection.is_none()));
    }

    #[test]
    fn a_reply_has_the_number_of_its_datagram_or_is_missed() {
        let mut watching = Watching::from("127.0.0.1");
        let (datagram, reply) =
            (|| Sight::Datagram(payload(b"x")), || Sight::Reply(0, 0, payload(b"now")));
        for (id, expected) in [(40, 0), (50, 1)] {
            let (_, seen) = watching.udp(9, id, datagram()).unwrap();
            let data = Some(Data::Text("x".into()));
            assert_eq!(
                seen,
                RawObservation::Datagram { number: expected, bytes: 1, kept: 1, data }
            );
            let (_, seen) = watching.udp(9, id, reply()).unwrap();
            let data = Some(Data::Text("now".into()));
            assert_eq!(
                seen,
                RawObservation::Reply { number: expected, offset: expected, bytes: 3, data }
            );
        }
        assert_eq!(watching.udp(9, 60, reply()), None);
        assert_eq!(watching.clients.missed, 1);
    }

    #[test]
    fn bytes_are_left_out_for_a_session_from_elsewhere() {
        let mut watching = Watching::from("192.0.2.1");
        let (_, seen) = watching.tcp(7, 1, Sight::Read(0, 0, payload(b"secret"))).unwrap();
        assert_eq!(seen, RawObservation::Read { number: 0, offset: 0, bytes: 6, data: None });
        let (_, seen) = watching.udp(7, 1, Sight::Datagram(payload(&[0; 1_500]))).unwrap();
        assert_eq!(
            seen,
            RawObservation::Datagram { number: 0, bytes: 1_500, kept: 1_024, data: None }
        );
    }

    #[test]
    fn one_client_too_many_takes_the_place_of_the_udp_peer_silent_the_longest() {
        let mut watching = Watching::from("127.0.0.1");
        for port in 1..=1_024 {
            assert_eq!(watching.number_of_udp(port), Some(port.into()));
        }
        assert_eq!(watching.number_of_udp(1), Some(1));
        assert_eq!(watching.number_of_udp(2_000), Some(1_025));
        assert_eq!(watching.clients.clients.len(), RAW_CLIENTS);
        // The second was forgotten, the first was not.
        assert_eq!([1, 2].map(|port| watching.number_of_udp(port)), [Some(1), Some(1_026)]);
        assert_eq!(watching.clients.missed, 0);
    }

    #[test]
    fn open_connections_are_not_forgotten_for_a_new_client() {
        let mut watching = Watching::from("127.0.0.1");
        for id in 0..1_024 {
            assert!(watching.tcp(7, id, Sight::Accepted).is_some());
        }
        assert_eq!((watching.number_of_udp(1), watching.number_of_udp(1)), (None, None));
        assert_eq!(watching.tcp(8, 5_000, Sight::Accepted), None);
        assert_eq!(watching.clients.missed, 3);
        assert!(watching.tcp(7, 3, Sight::Closed(Cause::PeerReset)).is_some());
        assert_eq!(watching.number_of_udp(1), Some(1_025));
    }

    #[test]
    fn what_is_missed_is_told_once_a_second() {
        let mut watching = Watching::from("127.0.0.1");
        let now = Instant::now();
        let mut told_at = |after_ms: u64| {
            watching.clients.missed += 2;
            let now = now + Duration::from_millis(after_ms);
            watching.clients.tell_missed(now, &mut watching.outbox);
            watching.outbox.pop().map(|message| message.event)
        };
        assert_eq!(told_at(0), Some(Event::RawMissed { count: 2 }));
        assert_eq!(told_at(999), None);
        assert_eq!(told_at(1_000), Some(Event::RawMissed { count: 4 }));
        watching.clients.missed = 1;
        let due = watching.clients.missed_due(&watching.outbox);
        assert_eq!(due, Some(now + Duration::from_secs(2)));
    }

    #[test]
    fn a_connection_whose_end_was_lost_is_forgotten_for_a_new_client() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        let mut watching = Watching::from("127.0.0.1");
        watching.clients.watch(&feed).unwrap();
        let accepted = |watching: &mut Watching| {
            let connection =
                RawClient::new(Arc::clone(&feed), Protocol::Tcp, "127.0.0.1:7".parse().unwrap());
            connection.event(Sight::Accepted);
            let sighting = watching.clients.next_waiting().unwrap();
            (connection, watching.take(&sighting).map(|(client, _)| client))
        };
        let mut connections: Vec<_> = (0..1_024).map(|_| accepted(&mut watching).0).collect();
        // Half of them end at once, and the end of the last is lost.
        connections[WAITING_SIGHTINGS - 1].read(0, 0, b"x");
        for connection in connections.drain(..WAITING_SIGHTINGS) {
            connection.event(Sight::Closed(Cause::PeerClosed));
        }
        while let Some(sighting) = watching.clients.next_waiting() {
            watching.take(&sighting);
        }
        assert_eq!(watching.clients.clients.len(), connections.len() + 1);
        while watching.clients.clients.len() < RAW_CLIENTS {
            connections.push(accepted(&mut watching).0);
        }
        let (_takes_its_place, number) = accepted(&mut watching);
        assert_eq!(number, Some(1_024 + 511 + 1));
        assert_eq!(accepted(&mut watching).1, None, "the others are open");
    }

    #[test]
    fn a_slow_client_is_told_how_much_it_has_missed() {
        let mut watching = Watching::from("127.0.0.1");
        let (mut told, mut missed) = (0, 0);
        for id in 0..1_000 {
            let read = Sight::Read(id, 1_024 * id, payload(&[b'x'; 1_024]));
            watching.clients.take(&sighting(Protocol::Tcp, 7, 1, read), &mut watching.outbox);
        }
        // A flood leaves room for what the session's own legs have to tell.
        assert!(!watching.outbox.is_full() && !watching.outbox.has_room_for_raw());
        let mut count = |outbox: &mut Outbox| {
            for message in std::iter::from_fn(|| outbox.pop()) {
                match message.event {
                    Event::Raw(_) => told += 1,
                    Event::RawMissed { count } => missed += count,
                    other => unreachable!("{other:?}"),
                }
            }
        };
        count(&mut watching.outbox);
        watching.clients.tell_missed(Instant::now(), &mut watching.outbox);
        count(&mut watching.outbox);
        assert!(told > 50 && missed > 500, "{told} told, {missed} missed");
        assert_eq!(told + missed, 1_000);
    }

    #[test]
    fn who_watches_no_longer_has_forgotten_everybody() {
        let feed = Arc::new(RawFeed::new(Feed::Own));
        let mut watching = Watching::from("127.0.0.1");
        watching.clients.watch(&feed).unwrap();
        let client =
            RawClient::new(Arc::clone(&feed), Protocol::Tcp, "127.0.0.1:7".parse().unwrap());
        client.event(Sight::Accepted);
        watching.clients.unwatch(Instant::now(), &mut watching.outbox);
        assert!(watching.outbox.pop().is_some(), "what had happened before is told");
        client.event(Sight::Closed(Cause::PeerClosed));
        assert!(watching.clients.next_waiting().is_none() && watching.clients.clients.is_empty());
        watching.clients.watch(&feed).unwrap();
        assert_eq!(watching.number_of_udp(1), Some(2));
    }
}
