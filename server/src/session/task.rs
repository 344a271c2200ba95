//! One client's session: a single task that owns both legs.
//!
//! It waits for the first thing that happens anywhere, then does everything that can be done without
//! waiting, in a fixed order, and waits again. It knows nothing of WebSockets: commands come as a
//! stream, events leave through a sink, as many at once as there are. When the commands end or the sink
//! breaks, the session ends, and with it its legs.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::poll_immediate;
use futures_util::{Sink, Stream, StreamExt};
use streamgram_protocol::{
    Cause, ClientMessage, Event, Feed, Hello, Invalid, Protocol, ServerMessage,
};
use tokio::task::yield_now;

use super::bridge::Bridge;
use super::leg::leaving::Leaving;
use super::leg::tcp::TcpLeg;
use super::leg::udp::UdpLeg;
use super::outbox::Outbox;
use super::rates::Rates;
use super::raw_clients::RawClients;
use super::waiting::{leaving_ready, sighting, tcp_ready, tell, udp_ready, until};
use crate::observe::inbox::inbox;
use crate::observe::{Inbox, Observation, Seen, Sighting, WAITING_OBSERVATIONS, Waiting, cause_of};
use crate::path::{TcpTurn, UdpTurn};

/// Turns of a leg before the session looks at everything else again.
const LEG_TURNS: usize = 64;

/// How often everybody else has their turn before events are handed to the client while a line waits for
/// its answer: what it brings about follows within microseconds, and all of it then leaves in one write.
const COLLECTING_TURNS: u8 = 3;

/// Sightings of raw clients that are taken before the session looks at everything else again.
const SIGHTINGS_PER_TURN: usize = 64;

/// What a client asked for, or what was wrong with it.
pub type Command = Result<ClientMessage, Invalid>;

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    pub(super) bridge: Bridge,
    pub(super) inbox: Inbox<Observation>,
    observations: Waiting<Observation>,
    pub(super) client: Option<IpAddr>,
    /// Since the session asked for it.
    pub(super) raw_clients: Option<Box<RawClients>>,
    pub(super) outbox: Outbox,
    /// The sink has taken messages that it has not passed on yet.
    unflushed: bool,
    /// Turns of everybody else since there was something to tell.
    collected: u8,
    pub(super) legs_opened: u32,
    pub(super) rates: Rates,
    pub(super) tcp: Option<Box<TcpLeg>>,
    /// The emulated connection before the present one, while its end is under way.
    pub(super) leaving: Option<Leaving>,
    pub(super) udp: Option<Box<UdpLeg>>,
}

/// What the session waited for.
enum Woken {
    Command(Option<Command>),
    Observation(Observation),
    Sighting(Arc<Sighting>),
    /// The client has taken every event, or can take none any more.
    Told(bool),
    /// A leg is ready, a line is due, or a reply is overdue: the next turn finds out.
    Turn,
}

impl Session {
    /// A session without legs, of a client at this address; without one it is told of no raw client as
    /// its own. `lan` is where others can open the page, as far as that client may know.
    #[must_use]
    pub fn new(bridge: Bridge, client: Option<IpAddr>, lan: Option<String>) -> Self {
        let (inbox, observations) = inbox(WAITING_OBSERVATIONS);
        let now = Instant::now();
        let mut outbox = Outbox::new(now);
        let feed = bridge.observer.feed.choice_for(client);
        outbox.push(now, None, Event::Hello(hello(&bridge, feed, lan)));
        Self {
            rates: Rates::new(bridge.rates, now),
            bridge,
            inbox,
            observations,
            client,
            raw_clients: None,
            outbox,
            unflushed: false,
            collected: 0,
            legs_opened: 0,
            tcp: None,
            leaving: None,
            udp: None,
        }
    }

    /// Serves the client until its commands end or it can take no more events.
    pub async fn run(
        mut self,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<Vec<ServerMessage>> + Unpin),
    ) {
        loop {
            let more = self.turn();
            if self.collects() {
                yield_now().await;
                continue;
            }
            match self.wait(more, commands, client).await {
                Woken::Command(Some(command)) => self.obey(command).await,
                Woken::Observation(observation) => self.observed(observation),
                Woken::Sighting(sighting) => self.sighted(&sighting),
                Woken::Told(true) | Woken::Turn => {}
                Woken::Command(None) | Woken::Told(false) => return,
            }
        }
    }

    /// Whether what is to be told waits for more of the same, once more.
    fn collects(&mut self) -> bool {
        let awaited = self.tcp.as_ref().is_some_and(|leg| leg.awaits_reply())
            || self.udp.as_ref().is_some_and(|leg| leg.next_deadline().is_some());
        let more = awaited && !self.outbox.is_empty() && !self.outbox.is_full();
        let collects = more && self.collected < COLLECTING_TURNS;
        self.collected += u8::from(collects);
        collects
    }

    /// Waits for the first thing that happens; every arm can lose without losing anything.
    async fn wait(
        &mut self,
        more: bool,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<Vec<ServerMessage>> + Unpin),
    ) -> Woken {
        let full = self.outbox.is_full();
        if self.unflushed || !self.outbox.is_empty() {
            // Nearly always the client takes everything at once, and then only a full outbox has kept
            // the turn before from anything.
            let told = poll_immediate(tell(client, &mut self.outbox, &mut self.unflushed)).await;
            if let Some(told) = told {
                self.collected = 0;
                if full || !told {
                    return Woken::Told(told);
                }
            }
        }
        let deadline = self.next_deadline();
        let Self { outbox, unflushed, observations, raw_clients, tcp, leaving, udp, .. } = self;
        tokio::select! {
            biased;
            told = tell(client, outbox, unflushed), if *unflushed || !outbox.is_empty() => {
                self.collected = 0;
                Woken::Told(told)
            }
            command = commands.next(), if !full => Woken::Command(command),
            Some(observation) = observations.recv() => Woken::Observation(observation),
            () = tcp_ready(tcp.as_deref_mut()), if !full => Woken::Turn,
            () = leaving_ready(leaving.as_mut()), if !full => Woken::Turn,
            () = udp_ready(udp.as_deref(), !full) => Woken::Turn,
            () = until(deadline) => Woken::Turn,
            Some(sighting) = sighting(raw_clients.as_deref_mut()) => Woken::Sighting(sighting),
            () = yield_now(), if more => Woken::Turn,
        }
    }

    /// When something is to be done although nothing happens.
    fn next_deadline(&self) -> Option<Instant> {
        let full = self.outbox.is_full();
        let tcp = self.tcp.as_ref().filter(|leg| !full && leg.is_open());
        let udp = self.udp.as_ref();
        let lines = [
            tcp.and_then(|leg| leg.next_due()),
            udp.filter(|_| !full).and_then(|leg| leg.next_due()),
            udp.and_then(|leg| leg.next_deadline()),
            self.raw_clients.as_ref().and_then(|clients| clients.missed_due(&self.outbox)),
        ];
        lines.into_iter().flatten().min()
    }

    /// Does what can be done without waiting; true if there is more of it.
    fn turn(&mut self) -> bool {
        self.take_observations();
        let now = Instant::now();
        if !self.outbox.is_full() {
            let outbox = &mut self.outbox;
            self.leaving = self
                .leaving
                .take()
                .and_then(|mut leaving| leaving.turn(now, outbox).then_some(leaving));
        }
        let more = self.turn_tcp(now);
        let more = self.turn_udp() || more;
        self.take_sightings(now) || more
    }

    fn turn_tcp(&mut self, mut now: Instant) -> bool {
        for _ in 0..LEG_TURNS {
            let Some(leg) = self.tcp.as_mut().filter(|_| !self.outbox.is_full()) else {
                return false;
            };
            let turn = leg.turn(now, &mut self.outbox);
            let idle = matches!(turn, TcpTurn::Idle);
            if !idle {
                // The server reported its reads before it replied to them.
                self.take_observations();
                now = Instant::now();
            }
            let Some(leg) = &mut self.tcp else { return false };
            let sent = if idle { leg.send(&mut self.outbox) } else { Ok(true) };
            let sent = sent.map_err(|error| (cause_of(&error), Some(error)));
            match leg.take(turn, &mut self.outbox).and(sent) {
                Err((cause, error)) => self.end_tcp(cause, error.as_ref()),
                Ok(more) if idle => return more,
                Ok(_) => {}
            }
        }
        true
    }

    fn turn_udp(&mut self) -> bool {
        for _ in 0..LEG_TURNS {
            let Some(leg) = &mut self.udp else { return false };
            let now = Instant::now();
            let turn = leg.turn(now, &mut self.outbox);
            self.take_observations();
            let Some(leg) = &mut self.udp else { return false };
            if matches!(turn, UdpTurn::Idle) {
                leg.give_up(now, &mut self.outbox);
                return leg.send(&mut self.outbox);
            }
            if let Err(error) = leg.take(turn, &mut self.outbox) {
                self.end_udp(Cause::Limit, Some(&error));
            }
        }
        true
    }

    fn take_observations(&mut self) {
        while let Some(observation) = self.observations.try_recv() {
            self.observed(observation);
        }
        let count = self.observations.take_missed();
        if count > 0 {
            self.outbox.push(Instant::now(), None, Event::Missed { count });
        }
    }

    /// Takes what was seen of raw clients, and leaves out what there is no room for; true if there is
    /// more. Last of all: the session's own legs come first.
    fn take_sightings(&mut self, now: Instant) -> bool {
        let Self { raw_clients: Some(raw_clients), outbox, .. } = self else { return false };
        let mut taken = 0;
        while taken < SIGHTINGS_PER_TURN
            && let Some(sighting) = raw_clients.next_waiting()
        {
            raw_clients.take(&sighting, outbox);
            taken += 1;
        }
        raw_clients.tell_missed(now, outbox);
        taken == SIGHTINGS_PER_TURN
    }

    fn sighted(&mut self, sighting: &Sighting) {
        if let Some(raw_clients) = &mut self.raw_clients {
            raw_clients.take(sighting, &mut self.outbox);
        }
    }

    fn observed(&mut self, Observation { at, on, seen }: Observation) {
        match on.protocol {
            Protocol::Tcp => {
                if let Some(leg) = self.tcp.as_mut().filter(|leg| leg.id() == on) {
                    leg.note(&seen);
                }
            }
            Protocol::Udp => {
                if let Some(leg) = self.udp.as_mut().filter(|leg| leg.id() == on) {
                    leg.note(&seen);
                }
            }
        }
        let event = match seen {
            Seen::Accepted => Event::ServerAccepted {},
            Seen::Read { number, offset, bytes } => Event::ServerRead { number, offset, bytes },
            Seen::Datagram { number, bytes, kept } => Event::ServerDatagram { number, bytes, kept },
            Seen::Closed { cause } => Event::ServerClosed { cause },
        };
        self.outbox.push(at, on, event);
    }

    pub(super) fn end_tcp(&mut self, cause: Cause, error: Option<&io::Error>) {
        if let Some(leg) = self.tcp.take() {
            self.leaving = leg.end(cause, error, &mut self.outbox);
        }
    }

    pub(super) fn end_udp(&mut self, cause: Cause, error: Option<&io::Error>) {
        if let Some(leg) = self.udp.take() {
            leg.end(cause, error, &mut self.outbox);
        }
    }
}

fn hello(bridge: &Bridge, feed: Feed, lan: Option<String>) -> Hello {
    #[expect(clippy::disallowed_methods, reason = "the page shows it")]
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        tcp: bridge.targets.tcp.to_string(),
        udp: bridge.targets.udp.to_string(),
        feed,
        lan,
        limits: bridge.limits,
    }
}
