//! What a session owns: its legs, its outbox, its raw clients. And what it does with them without waiting.

use std::mem;
use std::net::IpAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use streamgram_protocol::{Event, Feed, Hello};
use tokio::sync::watch;

use super::bridge::Bridge;
use super::leg::ended::{EndedLeg, Ending};
use super::leg::tcp::TcpLeg;
use super::leg::udp::UdpLeg;
use super::outbox::Outbox;
use super::raw_clients::RawClients;
use super::reachable::Reachable;
use super::room::Room;
use crate::guard::rate::Rate;
use crate::observe::Machine;

/// How many minutes' worth of legs a session may open at once.
const LEGS_AT_ONCE_MIN: u32 = 10;
/// How many seconds' worth of lines a session may send at once.
const LINES_AT_ONCE_S: u32 = 10;

/// Both legs, legs that have ended, the raw clients that are watched, and the outbox.
#[derive(Debug)]
pub(super) struct State {
    pub(super) bridge: Bridge,
    /// Where the session comes from.
    pub(super) address: IpAddr,
    /// Where the client comes from, if that is known.
    pub(super) machine: Option<Machine>,
    pub(super) outbox: Outbox,
    pub(super) legs_opened: u32,
    pub(super) leg_rate: Rate,
    pub(super) line_rate: Rate,
    pub(super) tcp: Option<Box<TcpLeg>>,
    pub(super) udp: Option<Box<UdpLeg>>,
    pub(super) ended: Vec<EndedLeg>,
    /// None until the session watches for the first time.
    pub(super) raw_clients: Option<Box<RawClients>>,
    /// How many packets the capture has dropped; none until the session asks for packets for the first time.
    pub(super) dropped: Option<watch::Receiver<u64>>,
    /// How many of them the session does not have to be told.
    dropped_told: u64,
    /// Where the session is with its class.
    pub(super) room: Room,
}

impl State {
    pub(super) fn new(
        bridge: Bridge,
        address: IpAddr,
        machine: Option<Machine>,
        reachable: Reachable,
    ) -> Self {
        let now = Instant::now();
        let mut outbox = Outbox::new(now);
        let (legs, lines) = (bridge.rates.legs_per_min, bridge.rates.lines_per_s);
        let feed = bridge.observer.feed.choice_for(machine);
        outbox.push(now, None, Event::Hello(hello(&bridge, feed, reachable)));
        let room = Room::none(&bridge, now);
        Self {
            bridge,
            address,
            machine,
            outbox,
            legs_opened: 0,
            leg_rate: Rate::per_minute(legs, legs.saturating_mul(LEGS_AT_ONCE_MIN), now),
            line_rate: Rate::per_second(lines, lines.saturating_mul(LINES_AT_ONCE_S), now),
            tcp: None,
            udp: None,
            ended: Vec::new(),
            raw_clients: None,
            dropped: None,
            room,
            dropped_told: 0,
        }
    }

    /// Packets are wanted from now on, if they are: what was dropped before is not missed.
    pub(super) fn begin_to_capture(&mut self, wanted: bool) {
        if wanted && !self.is_captured() {
            self.dropped = self.bridge.capture.dropped();
            self.dropped_told = self.dropped.as_ref().map_or(0, |dropped| *dropped.borrow());
        }
    }

    /// Whether packets are captured for the session.
    fn is_captured(&self) -> bool {
        self.tcp.as_ref().is_some_and(|leg| leg.is_captured())
            || self.udp.as_ref().is_some_and(|leg| leg.is_captured())
            || self.ended.iter().any(EndedLeg::is_captured)
            || self.raw_clients.as_ref().is_some_and(|clients| clients.are_captured())
    }

    /// Reports how many packets the capture has dropped.
    fn report_dropped(&mut self, now: Instant) {
        let Some(dropped) = &mut self.dropped else { return };
        let all = *dropped.borrow_and_update();
        if all == self.dropped_told || !self.outbox.has_room_for_raw() {
            return;
        }
        let count = all - mem::replace(&mut self.dropped_told, all);
        if self.is_captured() {
            self.outbox.push(now, None, Event::CaptureMissed { count });
        }
    }

    /// Does what can be done without waiting; true if there is more of it.
    pub(super) fn turn(&mut self) -> bool {
        let (now, outbox) = (Instant::now(), &mut self.outbox);
        let had_room = outbox.has_room_for_lines();
        self.ended.retain_mut(|leg| leg.turn(now, outbox));
        let more = self.turn_tcp(now);
        let more = self.turn_udp() || more;
        let Self { raw_clients, outbox, .. } = self;
        // The session's own legs come first.
        let more = raw_clients.as_mut().is_some_and(|clients| clients.turn(now, outbox)) || more;
        self.report_dropped(now);
        self.turn_room();
        self.weigh();
        // A line may have waited for what was given back.
        more || !had_room && self.outbox.has_room_for_lines()
    }

    /// Adds up what is held besides the events: for legs, and for raw clients what is above their own limit.
    fn weigh(&mut self) {
        let Self { outbox, tcp, udp, ended, raw_clients, .. } = self;
        let legs = tcp.as_ref().map_or(0, |leg| leg.held())
            + udp.as_ref().map_or(0, |leg| leg.held())
            + ended.iter().map(EndedLeg::held).sum::<usize>()
            + raw_clients.as_ref().map_or(0, |clients| clients.held());
        outbox.weigh(legs);
    }

    fn turn_tcp(&mut self, now: Instant) -> bool {
        let Some(leg) = &mut self.tcp else { return false };
        leg.turn(now, &mut self.outbox).unwrap_or_else(|ending| {
            self.end_tcp(ending);
            false
        })
    }

    fn turn_udp(&mut self) -> bool {
        let Some(leg) = &mut self.udp else { return false };
        leg.turn(&mut self.outbox).unwrap_or_else(|ending| {
            self.end_udp(ending);
            false
        })
    }

    /// When there is something to do even if nothing happens.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let has_room = self.outbox.has_room_for_lines();
        let (tcp, udp) = (self.tcp.as_ref(), self.udp.as_ref());
        let deadlines = [
            tcp.filter(|_| has_room).and_then(|leg| leg.next_due()),
            udp.filter(|_| has_room).and_then(|leg| leg.next_due()),
            udp.filter(|_| !self.outbox.is_full()).and_then(|leg| leg.next_deadline()),
            tcp.and_then(|leg| leg.packets_due(&self.outbox)),
            udp.and_then(|leg| leg.packets_due(&self.outbox)),
            self.raw_clients.as_ref().and_then(|clients| clients.missed_due(&self.outbox)),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Whether a line is not answered yet.
    pub(super) fn awaits_reply(&self) -> bool {
        self.tcp.as_ref().is_some_and(|leg| leg.awaits_reply())
            || self.udp.as_ref().is_some_and(|leg| leg.awaits_reply())
    }

    pub(super) fn end_tcp(&mut self, ending: impl Into<Ending>) {
        if let Some(leg) = self.tcp.take() {
            self.ended.push(leg.end(ending.into(), &mut self.outbox));
        }
    }

    pub(super) fn end_udp(&mut self, ending: impl Into<Ending>) {
        if let Some(leg) = self.udp.take() {
            self.ended.push(leg.end(ending.into(), &mut self.outbox));
        }
    }
}

fn hello(bridge: &Bridge, feed: Feed, Reachable { tcp, udp, faults, lan }: Reachable) -> Hello {
    #[expect(clippy::disallowed_methods, reason = "the page shows it")]
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        tcp,
        udp,
        feed,
        capture: bridge.capture.status(),
        faults,
        lan,
        limits: bridge.limits,
    }
}
