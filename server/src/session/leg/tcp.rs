//! One TCP connection of a session to the TCP timestamp server.
//!
//! Only [`TcpLeg::ready`] waits; a turn does what can be done now.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use metrics::Histogram;
use streamgram_protocol::{Cause, Event, LegId, Link, Path, Unanswered};

use super::burst::{Bursts, DueLine};
use super::ended::{EndedLeg, Ending, Leaving};
use super::observations::Observations;
use super::packets::Packets;
use super::stream_match::StreamMatch;
use super::turn::STEPS_PER_TURN;
use crate::guard::ports::Port;
use crate::observe::{Event as Seen, Observation, cause_of};
use crate::operate::meters::{self, Present};
use crate::path::{Arrival, Route, TcpPath, TcpTurn};
use crate::session::bridge::Bridge;
use crate::session::outbox::{EVENT_BYTES, Outbox, data, micros};

/// A connection, from its SYN to its end.
#[derive(Debug)]
pub(crate) struct TcpLeg {
    id: LegId,
    target: SocketAddr,
    nodelay: bool,
    path: TcpPath,
    packets: Packets,
    stage: Stage,
    pub(crate) bursts: Bursts,
    writing: Option<Writing>,
    written: u64,
    received: u64,
    matching: StreamMatch,
    /// The same for replies that have come as far as the gateway of an emulated path.
    at_gateway: Option<StreamMatch>,
    passed_on: u64,
    observations: Observations,
    round_trips: Histogram,
    _present: Present,
    _port: Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Open,
    HalfClosed,
}

/// A line that is being written.
#[derive(Debug)]
struct Writing {
    due: DueLine,
    started: Instant,
    written: usize,
}

impl TcpLeg {
    /// Begins the handshake.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub(crate) fn connect(
        id: LegId,
        route: Route,
        (target, nodelay): (SocketAddr, bool),
        captures: bool,
        bridge: &Bridge,
        port: Port,
    ) -> io::Result<Self> {
        let limits = &bridge.limits;
        let path = TcpPath::connect(route, target, nodelay, limits)?;
        // Before the handshake.
        let captured = captures.then(|| bridge.capture.leg(id.protocol, path.local())).flatten();
        Ok(Self {
            id,
            target,
            nodelay,
            packets: Packets::new(id, limits.lab_packets, captured),
            stage: Stage::Connecting,
            bursts: Bursts::of(id),
            writing: None,
            written: 0,
            received: 0,
            matching: StreamMatch::default(),
            at_gateway: (path.kind() == Path::Emulated).then(StreamMatch::default),
            passed_on: 0,
            observations: Observations::of(id, path.local(), &bridge.observer),
            round_trips: meters::round_trips(id.protocol, path.kind()),
            _present: Present::leg(id.protocol, path.kind()),
            _port: port,
            path,
        })
    }

    /// Whether a line is not answered yet.
    pub(crate) fn awaits_reply(&self) -> bool {
        !self.matching.is_empty()
    }

    /// Whether its packets are captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.packets.are_captured()
    }

    /// When it is due to report how many of them were left out.
    pub(crate) fn packets_due(&self, outbox: &Outbox) -> Option<Instant> {
        self.packets.missed_due(outbox)
    }

    /// Whether lines can be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// When the next line is due; none, while a line waits for room on the path.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts.next_due().filter(|_| self.is_open() && self.writing.is_none())
    }

    /// Bytes that are held for it.
    pub(crate) fn held(&self) -> usize {
        let writing = self.writing.as_ref().map_or(0, |writing| writing.due.bytes.len());
        let at_gateway = self.at_gateway.as_ref().map_or(0, StreamMatch::held);
        let lines = self.matching.len() * EVENT_BYTES + self.matching.held() + at_gateway;
        self.bursts.held() + writing + lines + self.path.held()
    }

    /// Waits until a turn would do something. Unless it `reads`, it waits for what the server observes only;
    /// unless it `sends`, not for room on the path. Where it reads and does not `observe`, what the server observes
    /// waits for the reply.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self, observe: bool, reads: bool, sends: bool) {
        tokio::select! {
            () = self.observations.ready(), if observe || !reads => {}
            () = self.packets.ready(), if observe || !reads => {}
            () = self.path.ready(sends && self.writing.is_some()), if reads => {}
        }
    }

    /// Does what can be done without waiting: reads, sends what is due, and reports it. True if there is
    /// more to do at once.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn turn(&mut self, mut now: Instant, outbox: &mut Outbox) -> Result<bool, Ending> {
        self.packets.report_captured(now, outbox);
        for _ in 0..STEPS_PER_TURN {
            if outbox.is_full() {
                self.observe(outbox);
                return Ok(false);
            }
            let turn = self.path.turn(now);
            if let Some(recording) = self.path.drain_packets() {
                self.packets.report(recording, now, outbox);
            }
            // Between reading a reply and matching it: the server reported its own read before it replied.
            self.observe(outbox);
            match turn {
                TcpTurn::Opened { at, took } => self.opened(at, took, outbox),
                TcpTurn::AtGateway(bytes) => self.pass_on(bytes),
                TcpTurn::Reply { bytes, arrival } => self.replied(bytes, arrival, outbox),
                TcpTurn::Ended { cause, error } => return Err(Ending { cause, error }),
                TcpTurn::More => {}
                TcpTurn::Idle => {
                    let broken = |error| Ending { cause: cause_of(&error), error: Some(error) };
                    // What is answered already is read before the next line.
                    if !self.send(outbox).map_err(broken)? {
                        return Ok(false);
                    }
                }
            }
            now = Instant::now();
        }
        Ok(true)
    }

    fn observe(&mut self, outbox: &mut Outbox) {
        while let Some(Observation { event, .. }) = self.observations.next(outbox) {
            if let Seen::Read { number, offset, bytes } = event {
                self.matching.server_read(number, offset, bytes);
                if let Some(at_gateway) = &mut self.at_gateway {
                    at_gateway.server_read(number, offset, bytes);
                }
            }
        }
    }

    fn opened(&mut self, at: Instant, took: Duration, outbox: &mut Outbox) {
        self.stage = Stage::Open;
        let opened = Event::Opened {
            path: self.path.kind(),
            local: self.path.local().to_string(),
            peer: self.target.to_string(),
            handshake_us: Some(micros(took)),
            nodelay: Some(self.nodelay),
        };
        outbox.push(at, self.id, opened);
    }

    fn replied(&mut self, reply: Vec<u8>, arrival: Arrival, outbox: &mut Outbox) {
        let (at, offset, bytes) = (arrival.at, self.received, reply.len());
        self.received += bytes as u64;
        let earlier_us = arrival.earlier(self.matching.asked()).map(micros);
        outbox.push(at, self.id, Event::Reply { offset, bytes, data: data(reply), earlier_us });
        for answer in self.matching.received(offset, self.received) {
            self.round_trips.record(answer.round_trip(at));
            outbox.push(at, self.id, answer.event(at));
        }
    }

    /// Passes replies on from the gateway of an emulated path, with the lines that they answer.
    fn pass_on(&mut self, bytes: usize) {
        let (TcpPath::Emulated(path), Some(at_gateway)) = (&mut self.path, &mut self.at_gateway)
        else {
            return;
        };
        let pieces = at_gateway.pieces(self.passed_on, self.passed_on + bytes as u64);
        self.passed_on += path.pass_on(&pieces) as u64;
    }

    /// Sends a line that is due if the path has room for it; true if it is out, and another could go at once.
    ///
    /// # Errors
    /// The connection has broken.
    fn send(&mut self, outbox: &mut Outbox) -> io::Result<bool> {
        if !self.is_open() || (self.writing.is_none() && self.bursts.len() == 0) {
            return Ok(false);
        }
        if !outbox.has_room_for_lines() {
            return Ok(false);
        }
        let now = Instant::now();
        let next = || {
            let due = self.bursts.next_line(now)?;
            Some(Writing { due, started: now, written: 0 })
        };
        let Some(mut writing) = self.writing.take().or_else(next) else {
            return Ok(false);
        };
        let is_out = writing.go_on(&mut self.path, now);
        if !matches!(is_out, Ok(true)) {
            // Kept even if the connection has broken: its end reports that this line did not go out.
            self.writing = Some(writing);
            return is_out;
        }
        self.went_out(&writing, outbox);
        Ok(self.next_due().is_some_and(|due| due <= now))
    }

    fn went_out(&mut self, writing: &Writing, outbox: &mut Outbox) {
        let Writing { ref due, started, written } = *writing;
        let (line, done) = (due.line, Instant::now());
        let sent = Event::Sent {
            id: line.send,
            line: line.number,
            offset: self.written,
            bytes: written,
            done_us: outbox.at_us(done),
        };
        outbox.push(started, self.id, sent);
        self.written += written as u64;
        self.matching.sent(line, started, self.written);
        if let Some(at_gateway) = &mut self.at_gateway {
            at_gateway.sent(line, started, self.written);
        }
        if let Some(finished) = &due.last {
            outbox.push(done, self.id, finished.event());
        }
    }

    /// Switches TCP_NODELAY.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn set_nodelay(&mut self, on: bool, outbox: &mut Outbox) -> io::Result<()> {
        let now = Instant::now();
        self.path.set_nodelay(on, now)?;
        self.nodelay = on;
        outbox.push(now, self.id, Event::NodelaySet { nodelay: on });
        Ok(())
    }

    /// Changes the link of an emulated path; whether it is one.
    pub(crate) fn set_link(&mut self, link: &Link, outbox: &mut Outbox) -> bool {
        let TcpPath::Emulated(path) = &mut self.path else { return false };
        path.set_link(link);
        outbox.push(Instant::now(), self.id, Event::LinkSet {});
        true
    }

    /// Sends FIN; replies are still read.
    pub(crate) fn half_close(&mut self, outbox: &mut Outbox) {
        self.stop_sending(outbox);
        let now = Instant::now();
        self.path.shut_down(now);
        self.stage = Stage::HalfClosed;
        outbox.push(now, self.id, Event::HalfClosed {});
    }

    /// Ends the connection and reports the lines that stay unanswered. An emulated connection goes on until
    /// its FIN or RST has arrived.
    pub(crate) fn end(mut self, Ending { cause, error }: Ending, outbox: &mut Outbox) -> EndedLeg {
        let now = Instant::now();
        self.stop_sending(outbox);
        for silence in self.matching.end() {
            outbox.push(now, self.id, silence.event(Unanswered::Closed));
        }
        let is_refusal = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        let event = if error.as_ref().is_some_and(is_refusal) {
            Event::Refused { peer: self.target.to_string() }
        } else {
            Event::Closed { cause, detail: error.map(|error| error.to_string()) }
        };
        outbox.push(now, self.id, event);
        self.packets.report_missed(now, outbox);
        match self.path {
            TcpPath::Direct(path) => {
                if cause == Cause::Reset {
                    path.reset_when_closed();
                }
                EndedLeg::new(self.observations, None).with_captured(self.packets, now)
            }
            TcpPath::Emulated(path) => {
                let leaving = Leaving::new(path, cause, self.packets, now);
                EndedLeg::new(self.observations, leaving)
            }
        }
    }

    fn stop_sending(&mut self, outbox: &mut Outbox) {
        self.bursts.stop_all(self.writing.take().map(|writing| writing.due), outbox);
    }
}

impl Writing {
    /// Writes until the line is out or the path is full; whether it is out.
    fn go_on(&mut self, path: &mut TcpPath, now: Instant) -> io::Result<bool> {
        while self.written < self.due.bytes.len() {
            match path.write(&self.due.bytes[self.written..], self.due.line, now)? {
                0 => return Ok(false),
                bytes => self.written += bytes,
            }
        }
        Ok(true)
    }
}
