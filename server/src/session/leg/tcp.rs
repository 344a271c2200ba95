//! One TCP connection of a session to the TCP timestamp server.
//!
//! Nothing here waits but [`TcpLeg::ready`]; a turn does what can be done now.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Histogram;
use streamgram_protocol::{Cause, Data, Event, How, LegId, Line as LineId, Link, Path, Unanswered};

use super::burst::{Bursts, Finished, Line};
use super::ended::{EndedLeg, Leaving};
use super::observations::Observations;
use super::packets::Packets;
use super::stream_match::StreamMatch;
use super::turn::{LINES_PER_TURN, STEPS_PER_TURN};
use crate::observe::{self, Observer, cause_of};
use crate::operate::meters::{self, Present};
use crate::path::{TcpPath, TcpTurn};
use crate::session::outbox::{Outbox, micros};

/// A connection, from its SYN to its end.
#[derive(Debug)]
pub(crate) struct TcpLeg {
    on: LegId,
    target: SocketAddr,
    local: SocketAddr,
    nodelay: bool,
    path: TcpPath,
    packets: Packets,
    stage: Stage,
    pub(crate) bursts: Bursts,
    writing: Option<Writing>,
    written: u64,
    received: u64,
    matching: StreamMatch,
    /// Of an emulated path: what has come as far as its gateway.
    at_gateway: Option<StreamMatch>,
    passed_on: u64,
    round_trips: Histogram,
    _present: Present,
    observations: Observations,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Open,
    HalfClosed,
}

/// A line of which the path has taken some bytes, perhaps none.
#[derive(Debug)]
struct Writing {
    line: Line,
    started: Instant,
    written: usize,
}

/// The end of a connection.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) cause: Cause,
    /// The system's word, where it has one.
    pub(crate) error: Option<io::Error>,
}

impl TcpLeg {
    /// A leg whose handshake has begun.
    pub(crate) fn new(
        on: LegId,
        (path, local): (TcpPath, SocketAddr),
        target: SocketAddr,
        nodelay: bool,
        packets: u64,
        observer: &Arc<Observer>,
    ) -> Self {
        let round_trips = meters::round_trips(on.protocol, path.kind());
        let present = Present::leg(on.protocol, path.kind());
        Self {
            on,
            target,
            local,
            nodelay,
            at_gateway: (path.kind() == Path::Emulated).then(StreamMatch::default),
            path,
            packets: Packets::new(on, packets),
            stage: Stage::Connecting,
            bursts: Bursts::default(),
            writing: None,
            written: 0,
            received: 0,
            matching: StreamMatch::default(),
            passed_on: 0,
            round_trips,
            _present: present,
            observations: Observations::of(on, local, observer),
        }
    }

    pub(crate) fn id(&self) -> LegId {
        self.on
    }

    /// Whether a line is not answered yet.
    pub(crate) fn awaits_reply(&self) -> bool {
        !self.matching.is_empty()
    }

    /// Whether lines can be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// When the next line is due; not while one waits for the path to take it.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts.next_due().filter(|_| self.is_open() && self.writing.is_none())
    }

    /// Waits until a turn would do something; without `room` for the events that come of it, nothing is
    /// read and nothing is sent.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self, room: bool) {
        tokio::select! {
            () = self.observations.ready() => {}
            () = self.path.ready(self.writing.is_some()), if room => {}
        }
    }

    /// Does what can be done without waiting: reads, sends what is due, and reports all of it. True if
    /// there is more to do at once.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) fn turn(&mut self, mut now: Instant, outbox: &mut Outbox) -> Result<bool, Ended> {
        for _ in 0..STEPS_PER_TURN {
            if outbox.is_full() {
                self.observe(outbox);
                return Ok(false);
            }
            let turn = self.path.turn(now);
            if let Some(packets) = self.path.take_packets() {
                self.packets.tell(packets, now, outbox);
            }
            // Between reading a reply and looking at it: the server reported its reads before it replied
            // to them.
            self.observe(outbox);
            match turn {
                TcpTurn::Opened(at, took) => self.opened(at, took, outbox),
                TcpTurn::FromServer(bytes) => self.pass_on(bytes),
                TcpTurn::Reply(bytes, at) => self.replied(&bytes, at, outbox),
                TcpTurn::Ended(cause, error) => return Err(Ended { cause, error }),
                TcpTurn::More => {}
                TcpTurn::Idle => {
                    let broken = |error| Ended { cause: cause_of(&error), error: Some(error) };
                    return self.send(outbox).map_err(broken);
                }
            }
            now = Instant::now();
        }
        Ok(true)
    }

    fn observe(&mut self, outbox: &mut Outbox) {
        while let Some(event) = self.observations.next(outbox) {
            if let observe::Event::Read { number, offset, bytes } = event {
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
            local: self.local.to_string(),
            peer: self.target.to_string(),
            handshake_us: Some(micros(took)),
            nodelay: Some(self.nodelay),
        };
        outbox.push(at, self.on, opened);
    }

    fn replied(&mut self, bytes: &[u8], at: Instant, outbox: &mut Outbox) {
        let (on, offset) = (self.on, self.received);
        self.received += bytes.len() as u64;
        let data = Data::from_bytes(bytes);
        outbox.push(at, on, Event::Reply { offset, bytes: bytes.len(), data });
        for answer in self.matching.received(self.received) {
            self.round_trips.record(answer.round_trip(at));
            outbox.push(at, on, answer.event(at));
        }
    }

    /// Tells an emulated path which lines the replies at its gateway answer, and lets them pass.
    fn pass_on(&mut self, bytes: usize) {
        let (TcpPath::Emulated(path), Some(at_gateway)) = (&mut self.path, &mut self.at_gateway)
        else {
            return;
        };
        let lines: Vec<_> = at_gateway
            .lines_of(self.passed_on, self.passed_on + bytes as u64)
            .into_iter()
            .map(|(bytes, line)| (bytes, line.map(|(send, number)| LineId { send, number })))
            .collect();
        self.passed_on += path.pass_on(&lines) as u64;
    }

    /// Sends what is due, as far as the path takes it; true if more could go at once.
    ///
    /// # Errors
    /// The connection has broken.
    fn send(&mut self, outbox: &mut Outbox) -> io::Result<bool> {
        if !self.is_open() || (self.writing.is_none() && self.bursts.len() == 0) {
            return Ok(false);
        }
        for _ in 0..LINES_PER_TURN {
            if outbox.is_full() {
                return Ok(false);
            }
            let now = Instant::now();
            let next = || {
                let line = self.bursts.take_line(now)?;
                Some(Writing { line, started: now, written: 0 })
            };
            let Some(mut writing) = self.writing.take().or_else(next) else {
                return Ok(false);
            };
            let out = writing.go_on(&mut self.path, now);
            if !matches!(out, Ok(true)) {
                // Also when the connection has broken: its end tells that this line did not go out.
                self.writing = Some(writing);
                return out;
            }
            self.went_out(&writing, outbox);
        }
        Ok(true)
    }

    fn went_out(&mut self, writing: &Writing, outbox: &mut Outbox) {
        let Writing { ref line, started, written } = *writing;
        let (on, done) = (self.on, Instant::now());
        let sent = Event::Sent {
            id: line.id,
            line: line.number,
            offset: self.written,
            bytes: written,
            done_us: outbox.at_us(done),
        };
        outbox.push(started, on, sent);
        self.written += written as u64;
        self.matching.sent(line.id, line.number, started, self.written);
        if let Some(at_gateway) = &mut self.at_gateway {
            at_gateway.sent(line.id, line.number, started, self.written);
        }
        if let Some(finished) = &line.last {
            outbox.push(done, on, finished.event());
        }
    }

    /// Turns TCP_NODELAY.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()> {
        self.path.set_nodelay(nodelay, Instant::now())?;
        self.nodelay = nodelay;
        Ok(())
    }

    /// Turns the knobs of an emulated path; whether it is one.
    pub(crate) fn set_link(&mut self, link: &Link) -> bool {
        let TcpPath::Emulated(path) = &mut self.path else { return false };
        path.set_link(link);
        true
    }

    /// Sends FIN; replies are still read.
    pub(crate) fn half_close(&mut self, outbox: &mut Outbox) {
        self.stop_sending(outbox);
        let now = Instant::now();
        self.path.shut_down(now);
        self.stage = Stage::HalfClosed;
        outbox.push(now, self.on, Event::HalfClosed {});
    }

    /// Ends the connection and reports what stays unanswered. An emulated path has packets under way
    /// and goes on for a while.
    pub(crate) fn end(mut self, Ended { cause, error }: Ended, outbox: &mut Outbox) -> EndedLeg {
        let (on, now) = (self.on, Instant::now());
        self.stop_sending(outbox);
        for silence in self.matching.end() {
            outbox.push(now, on, silence.event(Unanswered::Closed));
        }
        let is_refusal = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        let event = if error.as_ref().is_some_and(is_refusal) {
            Event::Refused { peer: self.target.to_string() }
        } else {
            Event::Closed { cause, detail: error.map(|error| error.to_string()) }
        };
        outbox.push(now, on, event);
        self.packets.tell_missed(now, outbox);
        let leaving = match self.path {
            TcpPath::Direct(path) => {
                if cause == Cause::Reset {
                    path.reset_when_closed();
                }
                None
            }
            TcpPath::Emulated(path) => Leaving::new(path, cause, self.packets, now),
        };
        EndedLeg::new(self.observations, leaving)
    }

    fn stop_sending(&mut self, outbox: &mut Outbox) {
        let cut = self.writing.take().map(|writing| writing.line);
        for finished in self.bursts.stop_all(cut) {
            outbox.push(Instant::now(), self.on, finished.event());
        }
    }
}

impl Writing {
    /// Writes until the line is out or the path is full; whether it is out.
    fn go_on(&mut self, path: &mut TcpPath, now: Instant) -> io::Result<bool> {
        let line = LineId { send: self.line.id, number: self.line.number };
        while self.written < self.line.bytes.len() {
            match path.write(&self.line.bytes[self.written..], line, now)? {
                0 => return Ok(false),
                bytes => self.written += bytes,
            }
        }
        Ok(true)
    }
}

impl Finished {
    pub(crate) fn event(&self) -> Event {
        let Self { id, lines, of } = *self;
        Event::Finished { id, lines, of }
    }
}

impl From<How> for Ended {
    /// What a client's way of closing means for the leg that is closed.
    fn from(how: How) -> Self {
        let cause = match how {
            How::Reset => Cause::Reset,
            How::Close | How::Half => Cause::Closed,
        };
        Self { cause, error: None }
    }
}
