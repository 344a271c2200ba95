//! The raw clients that a session watches. Each gets a number, sightings and packets of it become events, and what is
//! left out is counted.

mod known;

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamgram_protocol::{Data, Event, Protocol, READ_BYTES, Raw, RawObservation};
use tokio::time::sleep_until;

use self::known::{Client, Known};
use super::captured::captured;
use super::outbox::Outbox;
use crate::capture::{Capture, Watching};
use crate::observe::{
    Filter, Machine, Packet, PacketSubscription, Payload, RawEvent, RawFeed, Sighting,
    Subscription, UNDECIDED_BYTES, Unwatchable, Wanted, may_show_bytes,
};

/// Between two reports of how much was left out.
const MISSED_EVERY: Duration = Duration::from_secs(1);
/// Sightings, and packets, that a session reports before it looks at everything else again.
const SIGHTINGS_PER_TURN: usize = 64;
/// The same, if other sessions watch too.
const SIGHTINGS_AMONG_OTHERS: usize = 16;
/// Between two turns of a session that watches, for each other session that does. All may see the same flood at the
/// same time. So whatever it is, they report about 16,000 sightings a second together, and whoever asks for something
/// else does not wait for all of them.
const PAUSE: Duration = Duration::from_millis(1);
/// Bytes of what is known of clients that every session may hold besides; more of it takes the place of events.
const KNOWN_BYTES: usize = 180 * 1024;

/// What a session knows of the raw clients that it watches.
#[derive(Debug)]
pub(crate) struct RawClients {
    /// Where the session comes from, if that is known.
    session: Option<Machine>,
    subscription: Option<Subscription>,
    /// Which clients are watched.
    filter: Filter,
    packets: Option<Packets>,
    clients: Known,
    missed: u64,
    /// Packets of a client were left out.
    misses_packets: bool,
    missed_reported: Option<Instant>,
    /// When the next turn may be.
    due: Option<Instant>,
}

/// Packets of the same clients.
#[derive(Debug)]
struct Packets {
    subscription: PacketSubscription,
    /// How many of each client are reported.
    most: u64,
    /// The client reads, so that they can be reported.
    has_room: bool,
    _watching: Watching,
}

impl RawClients {
    pub(crate) fn new(session: Option<Machine>) -> Self {
        Self {
            session,
            subscription: None,
            filter: Filter::new(Wanted::default(), UNDECIDED_BYTES),
            packets: None,
            clients: Known::default(),
            missed: 0,
            misses_packets: false,
            missed_reported: None,
            due: None,
        }
    }

    /// Watches from now on, the clients that are wanted and no others.
    ///
    /// # Errors
    /// The session may not.
    pub(crate) fn watch(&mut self, feed: &Arc<RawFeed>, wanted: Wanted) -> Result<(), Unwatchable> {
        feed.allows(self.session, &wanted)?;
        self.filter = Filter::new(wanted, UNDECIDED_BYTES);
        if self.subscription.is_none() {
            self.subscription = Some(feed.watch(self.session)?);
        }
        Ok(())
    }

    /// Watches packets too, if they are captured; of each client `most` are reported.
    pub(crate) fn watch_packets(&mut self, capture: &Capture, most: u64) {
        if let (Some(subscription), None) = (&self.subscription, &self.packets) {
            self.packets = capture.watch().map(|watching| {
                let subscription = subscription.packets();
                Packets { subscription, most, has_room: true, _watching: watching }
            });
        }
    }

    /// Bytes that are held above those that every session may hold.
    pub(crate) fn held(&self) -> usize {
        self.clients.held().saturating_sub(KNOWN_BYTES)
    }

    /// Watches no packets any more.
    pub(crate) fn unwatch_packets(&mut self) {
        self.packets = None;
    }

    /// Whether packets are captured.
    pub(crate) fn are_captured(&self) -> bool {
        self.packets.is_some()
    }

    /// Watches no longer, and forgets all clients, because their ends will not be seen.
    pub(crate) fn unwatch(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Some(sighting) = self.next() {
            self.report(&sighting, outbox);
        }
        while outbox.has_room_for_packets()
            && let Some(packet) = self.next_packet()
        {
            self.report_packet(&packet, now, outbox);
        }
        self.missed_reported = None;
        self.report_missed(now, outbox);
        self.packets = None;
        self.subscription = None;
        self.clients.forget();
    }

    /// Waits until there is a sighting, or a packet.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self) {
        match &mut self.subscription {
            Some(subscription) => {
                let packets = async {
                    match &mut self.packets {
                        Some(Packets { subscription, has_room: true, .. }) => {
                            subscription.packets.ready().await
                        }
                        _ => pending().await,
                    }
                };
                tokio::select! {
                    () = subscription.sightings.ready() => {}
                    () = packets => {}
                }
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
        if let Some(Packets { subscription, has_room, .. }) = &mut self.packets {
            subscription.packets.miss_everything(outbox.is_full());
            *has_room = outbox.has_room_for_packets();
        }
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
        let mut packets = 0;
        // Those for which there is no room wait: the client usually takes events at once.
        while packets < most
            && outbox.has_room_for_packets()
            && let Some(packet) = self.next_packet()
        {
            self.report_packet(&packet, now, outbox);
            packets += 1;
        }
        reported = reported.max(packets);
        let pause = PAUSE.saturating_mul(u32::try_from(others).unwrap_or(u32::MAX));
        self.due = (reported > 0 && others > 0).then(|| now + pause);
        reported == most && others == 0
    }

    /// The next sighting, if it is there already.
    fn next(&mut self) -> Option<Arc<Sighting>> {
        let sightings = &mut self.subscription.as_mut()?.sightings;
        self.missed += sightings.missed() + self.filter.missed();
        loop {
            if let Some(sighting) = self.filter.let_through() {
                return Some(sighting);
            }
            self.filter.take(sightings.try_recv()?);
        }
    }

    /// The next packet, if it is there already.
    fn next_packet(&mut self) -> Option<Arc<Packet>> {
        let packets = &mut self.packets.as_mut()?.subscription.packets;
        self.missed += packets.missed();
        loop {
            let packet = packets.try_recv()?;
            if self.filter.wants_packet(&packet) {
                return Some(packet);
            }
        }
    }

    /// Reports a packet, or counts it as missed.
    fn report_packet(&mut self, packet: &Packet, now: Instant, outbox: &mut Outbox) {
        let most = self.packets.as_ref().map_or(0, |packets| packets.most);
        let Some(client) = self.clients.captured(packet) else {
            self.missed += 1;
            return;
        };
        if !client.may_report_packet(most, now) {
            client.packets_missed += 1;
            self.misses_packets = true;
            return;
        }
        let shows_payload = may_show_bytes(packet.machine, self.session);
        let captured = Box::new(captured(packet, shows_payload, outbox));
        let raw = of_packets(client, RawObservation::Packet(captured));
        outbox.push(packet.at, None, Event::Raw(raw));
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
            self.missed_reported = Some(now);
            self.misses_packets = false;
            let count = std::mem::take(&mut self.missed);
            if count > 0 {
                outbox.push(now, None, Event::RawMissed { count });
            }
            for client in self.clients.with_missed_packets() {
                let count = std::mem::take(&mut client.packets_missed);
                let raw = of_packets(client, RawObservation::PacketsMissed { count });
                outbox.push(now, None, Event::Raw(raw));
            }
        }
    }

    /// When the next such report is due, if there is something to report and room for it.
    pub(crate) fn missed_due(&self, outbox: &Outbox) -> Option<Instant> {
        let due = self.missed_reported.map_or(outbox.started(), |last| last + MISSED_EVERY);
        let has_missed = self.missed > 0 || self.misses_packets;
        (has_missed && outbox.has_room_for_raw()).then_some(due)
    }

    /// The event of a sighting; none, if there is no room for another client or its datagram was missed.
    pub(super) fn raw(&mut self, sighting: &Sighting) -> Option<Raw> {
        let Sighting { protocol, peer, machine, fault, id, ref event, .. } = *sighting;
        let session = self.session;
        let data = |payload| shown_to(session, machine, payload);
        let client = match event {
            RawEvent::Refused(_) | RawEvent::Closed(_) if protocol == Protocol::Tcp => {
                self.clients.ended(sighting, self.are_captured())
            }
            _ => self.clients.sighted(sighting)?.number,
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
                let number = self.clients.datagram(client, id)?;
                let (bytes, kept) = (payload.bytes, payload.bytes.min(READ_BYTES));
                RawObservation::Datagram { number, bytes, kept, data: data(payload) }
            }
            RawEvent::DatagramReply(ref payload) => {
                let number = self.clients.answered(client, id)?;
                let (bytes, data) = (payload.bytes, data(payload));
                RawObservation::Reply { number, offset: number, bytes, data }
            }
            RawEvent::Refused(reason) => RawObservation::Refused { reason: reason.name().into() },
            RawEvent::Fault(deed) if protocol == Protocol::Tcp => RawObservation::Fault(deed),
            RawEvent::Fault(deed) => {
                RawObservation::Fault(deed.at(self.clients.answered(client, id)?))
            }
            RawEvent::Closed(cause) => RawObservation::Closed { cause },
        };
        Some(Raw { protocol, client, peer: peer.to_string(), fault, observation })
    }
}

/// Something of the packets of a client.
fn of_packets(client: &Client, observation: RawObservation) -> Raw {
    let (protocol, peer) = client.address;
    Raw { protocol, client: client.number, peer: peer.to_string(), fault: None, observation }
}

/// The bytes of a payload, if the session may see them.
fn shown_to(session: Option<Machine>, client: Machine, payload: &Payload) -> Option<Data> {
    let bytes = payload.shown.as_ref().filter(|_| may_show_bytes(client, session))?;
    Some(Data::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Feed, RAW_CLIENTS};

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
            Sighting {
                at: self.now,
                protocol,
                peer,
                machine: Machine::Loopback,
                fault: None,
                id,
                event,
            }
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
        assert_eq!(watching.clients.clients.len(), 2, "connections that are over are forgotten");
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
        watching.clients.watch(&observer.feed, Wanted::default()).unwrap();
        let client = observer.caller("127.0.0.1:7".parse().unwrap(), [127, 0, 0, 1].into());
        client.accepted();
        watching.clients.unwatch(Instant::now(), &mut watching.outbox);
        assert_eq!(watching.outbox.next_events().len(), 1, "what had happened before is reported");
        client.closed(Cause::PeerClosed);
        assert!(watching.clients.next().is_none() && watching.clients.clients.len() == 0);
        watching.clients.watch(&observer.feed, Wanted::default()).unwrap();
        assert_eq!(watching.number_of_udp(1), Some(2));
    }
}
