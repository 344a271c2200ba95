//! The raw clients that a session watches. Each gets a number, sightings of it become events, and what is
//! left out is counted.

use std::collections::HashMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamgram_protocol::{Data, Event, Protocol, RAW_CLIENTS, READ_BYTES, Raw, RawObservation};
use tokio::time::sleep_until;

use super::outbox::Outbox;
use crate::observe::{
    Machine, Payload, RawEvent, RawFeed, Sighting, Subscription, Unwatchable, may_show_bytes,
};

/// Between two reports of how much was left out.
const MISSED_EVERY: Duration = Duration::from_secs(1);
/// Sightings that a session reports before it looks at everything else again.
const SIGHTINGS_PER_TURN: usize = 64;
/// The same, if other sessions watch too.
const SIGHTINGS_AMONG_OTHERS: usize = 16;
/// Between two turns of a session that watches, for each other session that does. All may see the same flood at the
/// same time. So whatever it is, they report about 16,000 sightings a second together, and whoever asks for something
/// else does not wait for all of them.
const PAUSE: Duration = Duration::from_millis(1);
/// How long a connection must be silent before a new client may replace it. Its end may have been missed. If
/// it is still open and sends again, it counts as a new client.
const SILENCE: Duration = Duration::from_secs(60);

/// What a session knows of the raw clients that it watches.
#[derive(Debug)]
pub(crate) struct RawClients {
    /// Where the session comes from, if that is known.
    session: Option<Machine>,
    subscription: Option<Subscription>,
    clients: HashMap<Key, Client>,
    /// How many clients have got a number.
    numbered: u64,
    missed: u64,
    missed_reported: Option<Instant>,
    /// When the next turn may be.
    due: Option<Instant>,
}

/// Identifies a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A TCP connection, by the server's number.
    Connection(u64),
    /// A UDP peer, by its address.
    Peer(SocketAddr),
}

#[derive(Debug)]
struct Client {
    number: u64,
    /// When it was last seen.
    seen: Instant,
    /// How many of its datagrams were reported.
    datagrams: u64,
    /// The server's number of the last.
    last_datagram: Option<u64>,
}

impl RawClients {
    pub(crate) fn new(session: Option<Machine>) -> Self {
        Self {
            session,
            subscription: None,
            clients: HashMap::new(),
            numbered: 0,
            missed: 0,
            missed_reported: None,
            due: None,
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

    /// Watches no longer, and forgets all clients, because their ends will not be seen.
    pub(crate) fn unwatch(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(sighting) = self.next() {
            self.report(&sighting, outbox);
        }
        self.missed_reported = None;
        self.report_missed(now, outbox);
        self.subscription = None;
        self.clients = HashMap::new();
    }

    /// Waits until there is a sighting.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self) {
        match &mut self.subscription {
            Some(subscription) => {
                subscription.sightings.ready().await;
                // Even a timer that is due may take a millisecond.
                if let Some(due) = self.due.filter(|due| *due > Instant::now()) {
                    sleep_until(due.into()).await;
                }
            }
            None => pending().await,
        }
    }

    /// Reports sightings if that is due, or leaves them out if there is no room; true if there are more.
    pub(crate) fn turn(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        if let Some(Subscription { sightings, .. }) = &self.subscription {
            // A session that has no room must not be woken for every datagram of others.
            sightings.miss_everything(!outbox.has_room_for_raw());
        }
        let more = self.due.is_none_or(|due| now >= due) && self.report_some(now, outbox);
        self.report_missed(now, outbox);
        more
    }

    fn report_some(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let others = self.subscription.as_ref().map_or(0, |it| it.watchers().saturating_sub(1));
        let most = if others == 0 { SIGHTINGS_PER_TURN } else { SIGHTINGS_AMONG_OTHERS };
        let mut reported = 0;
        while reported < most
            && let Some(sighting) = self.next()
        {
            self.report(&sighting, outbox);
            reported += 1;
        }
        let pause = PAUSE.saturating_mul(u32::try_from(others).unwrap_or(u32::MAX));
        self.due = (reported > 0 && others > 0).then(|| now + pause);
        reported == most && others == 0
    }

    /// The next sighting, if it is there already.
    fn next(&mut self) -> Option<Arc<Sighting>> {
        let sightings = &mut self.subscription.as_mut()?.sightings;
        self.missed += sightings.missed();
        sightings.try_recv()
    }

    /// Reports a sighting, or counts it as missed.
    fn report(&mut self, sighting: &Sighting, outbox: &mut Outbox) {
        match outbox.has_room_for_raw().then(|| self.raw(sighting)).flatten() {
            Some(raw) => outbox.push(sighting.at, None, Event::Raw(raw)),
            None => self.missed += 1,
        }
    }

    /// Reports how many sightings were left out, if that is due.
    fn report_missed(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.missed_due(outbox).is_some_and(|due| now >= due) {
            let count = std::mem::take(&mut self.missed);
            self.missed_reported = Some(now);
            outbox.push(now, None, Event::RawMissed { count });
        }
    }

    /// When the next such report is due, if there is something to report and room for it.
    pub(crate) fn missed_due(&self, outbox: &Outbox) -> Option<Instant> {
        let due = self.missed_reported.map_or(outbox.started(), |last| last + MISSED_EVERY);
        (self.missed > 0 && outbox.has_room_for_raw()).then_some(due)
    }

    /// The event of a sighting; none, if there is no room for another client or its datagram was missed.
    fn raw(&mut self, sighting: &Sighting) -> Option<Raw> {
        let Sighting { at, protocol, peer, machine, id, ref event } = *sighting;
        let key = match protocol {
            Protocol::Tcp => Key::Connection(id),
            Protocol::Udp => Key::Peer(peer),
        };
        let session = self.session;
        let data = |payload| shown_to(session, machine, payload);
        let mut ended;
        let client = match (key, event) {
            (Key::Connection(_), RawEvent::Refused(_) | RawEvent::Closed(_)) => {
                ended = self.clients.remove(&key).unwrap_or_else(|| self.new_client(at));
                &mut ended
            }
            _ => self.known(key, at)?,
        };
        let observation = match *event {
            RawEvent::Accepted => RawObservation::Accepted {},
            RawEvent::Read { number, offset, ref payload } => {
                RawObservation::Read { number, offset, bytes: payload.bytes, data: data(payload) }
            }
            RawEvent::Reply { number, offset, ref payload } => {
                RawObservation::Reply { number, offset, bytes: payload.bytes, data: data(payload) }
            }
            RawEvent::Datagram(ref payload) => {
                let (number, bytes) = (client.datagrams, payload.bytes);
                client.datagrams += 1;
                client.last_datagram = Some(id);
                let kept = bytes.min(READ_BYTES);
                RawObservation::Datagram { number, bytes, kept, data: data(payload) }
            }
            RawEvent::DatagramReply(ref payload) => {
                // Else the datagram was missed, and this would seem to be the reply to another one.
                if client.last_datagram != Some(id) {
                    return None;
                }
                let (number, bytes) = (client.datagrams - 1, payload.bytes);
                RawObservation::Reply { number, offset: number, bytes, data: data(payload) }
            }
            RawEvent::Refused(reason) => RawObservation::Refused { reason: reason.name().into() },
            RawEvent::Closed(cause) => RawObservation::Closed { cause },
        };
        Some(Raw { protocol, client: client.number, peer: peer.to_string(), observation })
    }

    fn new_client(&mut self, now: Instant) -> Client {
        self.numbered += 1;
        Client { number: self.numbered, seen: now, datagrams: 0, last_datagram: None }
    }

    /// A client, with a new number if it is not known yet; none, if there is no room for another.
    fn known(&mut self, key: Key, now: Instant) -> Option<&mut Client> {
        if !self.clients.contains_key(&key) {
            if self.clients.len() >= RAW_CLIENTS {
                let silent = self.longest_silent(now)?;
                self.clients.remove(&silent);
            }
            let client = self.new_client(now);
            self.clients.insert(key, client);
        }
        let client = self.clients.get_mut(&key)?;
        client.seen = now;
        Some(client)
    }

    /// The client that was silent the longest, of those that a new one may replace.
    fn longest_silent(&self, now: Instant) -> Option<Key> {
        let may_go = self.clients.iter().filter(|(key, client)| match key {
            Key::Peer(_) => true,
            Key::Connection(_) => now.saturating_duration_since(client.seen) >= SILENCE,
        });
        may_go.min_by_key(|(_, client)| client.seen).map(|(key, _)| *key)
    }
}

/// The bytes of a payload, if the session may see them.
fn shown_to(session: Option<Machine>, client: Machine, payload: &Payload) -> Option<Data> {
    let bytes = payload.shown.as_ref().filter(|_| may_show_bytes(client, session))?;
    Some(Data::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Feed};

    use super::*;
    use crate::guard::refusals::Refusal;
    use crate::observe::Observer;

    fn payload(bytes: &[u8]) -> Payload {
        Payload { bytes: bytes.len(), shown: Some(bytes.into()) }
    }

    fn read(bytes: &[u8]) -> RawEvent {
        RawEvent::Read { number: 0, offset: 0, payload: payload(bytes) }
    }

    /// Clients, where their events go, and the time.
    struct Watching {
        clients: RawClients,
        outbox: Outbox,
        now: Instant,
    }

    impl Watching {
        fn from(session: Machine) -> Self {
            let (clients, now) = (RawClients::new(Some(session)), Instant::now());
            Self { clients, outbox: Outbox::new(now), now }
        }

        /// What is reported of it: the client's number and what was seen.
        fn report(&mut self, sighting: &Sighting) -> Option<(u64, RawObservation)> {
            self.clients.report(sighting, &mut self.outbox);
            self.outbox.next_events().into_iter().find_map(|event| match event {
                Event::Raw(raw) => Some((raw.client, raw.observation)),
                _ => None,
            })
        }

        /// Something that is seen now of a client at a port.
        fn sighting(&self, protocol: Protocol, port: u16, id: u64, event: RawEvent) -> Sighting {
            let peer = ([127, 0, 0, 1], port).into();
            Sighting { at: self.now, protocol, peer, machine: Machine::Loopback, id, event }
        }

        fn tcp(&mut self, port: u16, id: u64, event: RawEvent) -> Option<(u64, RawObservation)> {
            self.report(&self.sighting(Protocol::Tcp, port, id, event))
        }

        fn udp(&mut self, port: u16, id: u64, event: RawEvent) -> Option<(u64, RawObservation)> {
            self.report(&self.sighting(Protocol::Udp, port, id, event))
        }

        /// The number that a client has, or gets.
        fn number_of_udp(&mut self, port: u16) -> Option<u64> {
            self.udp(port, 0, RawEvent::Datagram(payload(b""))).map(|(client, _)| client)
        }
    }

    #[test]
    fn a_connection_is_a_client_and_a_udp_peer_stays_one() {
        let mut watching = Watching::from(Machine::Loopback);
        let closed = || RawEvent::Closed(Cause::PeerClosed);
        let number = |reported: Option<(u64, RawObservation)>| reported.unwrap().0;
        assert_eq!(number(watching.tcp(7, 1, RawEvent::Accepted)), 1);
        assert_eq!(number(watching.tcp(7, 1, read(b"x"))), 1);
        assert_eq!(number(watching.tcp(7, 1, closed())), 1);
        assert_eq!(number(watching.tcp(7, 2, RawEvent::Accepted)), 2);
        assert_eq!([9, 9, 8].map(|port| watching.number_of_udp(port)), [Some(3), Some(3), Some(4)]);
        assert_eq!(number(watching.tcp(7, 3, RawEvent::Refused(Refusal::TcpFull))), 5);
        assert_eq!(number(watching.tcp(7, 2, closed())), 2);
        assert!(watching.clients.clients.keys().all(|key| matches!(key, Key::Peer(_))));
    }

    #[test]
    fn a_reply_has_the_number_of_its_datagram_or_is_missed() {
        let mut watching = Watching::from(Machine::Loopback);
        let (datagram, reply) =
            (|| RawEvent::Datagram(payload(b"x")), || RawEvent::DatagramReply(payload(b"now")));
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
        let mut watching = Watching::from(Machine::At([192, 0, 2, 1].into()));
        let (_, seen) = watching.tcp(7, 1, read(b"secret")).unwrap();
        assert_eq!(seen, RawObservation::Read { number: 0, offset: 0, bytes: 6, data: None });
        let (_, seen) = watching.udp(7, 1, RawEvent::Datagram(payload(&[0; 1_500]))).unwrap();
        assert_eq!(
            seen,
            RawObservation::Datagram { number: 0, bytes: 1_500, kept: 1_024, data: None }
        );
    }

    #[test]
    fn one_client_too_many_takes_the_place_of_the_udp_peer_silent_the_longest() {
        let mut watching = Watching::from(Machine::Loopback);
        for port in 1..=1_024 {
            watching.now += Duration::from_millis(1);
            assert_eq!(watching.number_of_udp(port), Some(port.into()));
        }
        watching.now += Duration::from_millis(1);
        assert_eq!(watching.number_of_udp(1), Some(1));
        assert_eq!(watching.number_of_udp(2_000), Some(1_025));
        assert_eq!(watching.clients.clients.len(), RAW_CLIENTS);
        // The second was forgotten, the first was not.
        assert_eq!([1, 2].map(|port| watching.number_of_udp(port)), [Some(1), Some(1_026)]);
        assert_eq!(watching.clients.missed, 0);
    }

    #[test]
    fn open_connections_are_not_forgotten_for_a_new_client() {
        let mut watching = Watching::from(Machine::Loopback);
        for id in 0..1_024 {
            assert!(watching.tcp(7, id, RawEvent::Accepted).is_some());
        }
        assert_eq!((watching.number_of_udp(1), watching.number_of_udp(1)), (None, None));
        assert_eq!(watching.tcp(8, 5_000, RawEvent::Accepted), None);
        assert_eq!(watching.clients.missed, 3);
        assert!(watching.tcp(7, 3, RawEvent::Closed(Cause::PeerReset)).is_some());
        assert_eq!(watching.number_of_udp(1), Some(1_025));
    }

    #[test]
    fn what_is_missed_is_reported_once_a_second() {
        let mut watching = Watching::from(Machine::Loopback);
        let now = Instant::now();
        let mut reported_at = |after_ms: u64| {
            watching.clients.missed += 2;
            let now = now + Duration::from_millis(after_ms);
            watching.clients.report_missed(now, &mut watching.outbox);
            watching.outbox.next_events().pop()
        };
        assert_eq!(reported_at(0), Some(Event::RawMissed { count: 2 }));
        assert_eq!(reported_at(999), None);
        assert_eq!(reported_at(1_000), Some(Event::RawMissed { count: 4 }));
        watching.clients.missed = 1;
        let due = watching.clients.missed_due(&watching.outbox);
        assert_eq!(due, Some(now + Duration::from_secs(2)));
    }

    #[test]
    fn a_connection_silent_for_a_minute_may_have_ended_and_gives_its_place_to_a_new_client() {
        let mut watching = Watching::from(Machine::Loopback);
        for id in 0..1_024 {
            watching.tcp(7, id, RawEvent::Accepted);
        }
        watching.now += Duration::from_secs(59);
        assert!(watching.tcp(7, 0, read(b"still there")).is_some());
        assert_eq!(watching.number_of_udp(1), None);
        watching.now += Duration::from_secs(1);
        for port in 1..=1_023 {
            assert_eq!(watching.number_of_udp(port), Some(1_024 + u64::from(port)));
        }
        assert_eq!(watching.tcp(7, 0, read(b"x")).map(|(client, _)| client), Some(1));
        // Who speaks again is a new client.
        assert_eq!(watching.tcp(7, 1, read(b"x")).map(|(client, _)| client), Some(2_048));
        assert_eq!(watching.clients.clients.len(), RAW_CLIENTS);
    }

    #[test]
    fn a_slow_client_learns_how_much_it_has_missed() {
        let mut watching = Watching::from(Machine::Loopback);
        let (mut reported, mut missed) = (0, 0);
        for id in 0..1_000 {
            let payload = payload(&[b'x'; 1_024]);
            let read = RawEvent::Read { number: id, offset: 1_024 * id, payload };
            let sighting = watching.sighting(Protocol::Tcp, 7, 1, read);
            watching.clients.report(&sighting, &mut watching.outbox);
        }
        // A flood leaves room for what the session's own legs have to tell.
        assert!(!watching.outbox.is_full() && !watching.outbox.has_room_for_raw());
        let mut count = |outbox: &mut Outbox| {
            while !outbox.is_empty() {
                for event in outbox.next_events() {
                    match event {
                        Event::Raw(_) => reported += 1,
                        Event::RawMissed { count } => missed += count,
                        other => unreachable!("{other:?}"),
                    }
                }
            }
        };
        count(&mut watching.outbox);
        watching.clients.report_missed(Instant::now(), &mut watching.outbox);
        count(&mut watching.outbox);
        assert!(reported > 50 && missed > 500, "{reported} reported, {missed} missed");
        assert_eq!(reported + missed, 1_000);
    }

    #[test]
    fn who_watches_no_longer_has_forgotten_everybody() {
        let observer = Observer::new(Feed::Own);
        let mut watching = Watching::from(Machine::Loopback);
        watching.clients.watch(&observer.feed).unwrap();
        let client = observer.caller("127.0.0.1:7".parse().unwrap(), [127, 0, 0, 1].into());
        client.accepted();
        watching.clients.unwatch(Instant::now(), &mut watching.outbox);
        assert_eq!(watching.outbox.next_events().len(), 1, "what had happened before is reported");
        client.closed(Cause::PeerClosed);
        assert!(watching.clients.next().is_none() && watching.clients.clients.is_empty());
        watching.clients.watch(&observer.feed).unwrap();
        assert_eq!(watching.number_of_udp(1), Some(2));
    }
}
