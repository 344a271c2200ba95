//! One UDP socket of a session to the UDP timestamp server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Histogram;
use streamgram_protocol::{
    Cause, Code, Data, Event, LegId, Line as LineId, Link, Path, Problem, Unanswered,
};

use super::burst::{Bursts, Line};
use super::datagram_match::DatagramMatch;
use super::ended::EndedLeg;
use super::observations::Observations;
use super::packets::Packets;
use super::turn::{LINES_PER_TURN, STEPS_PER_TURN};
use crate::observe::{self, Observer};
use crate::operate::meters::{self, Present};
use crate::path::{UdpPath, UdpTurn};
use crate::session::outbox::Outbox;

/// A socket and the datagrams that are under way.
#[derive(Debug)]
pub(crate) struct UdpLeg {
    on: LegId,
    target: SocketAddr,
    path: UdpPath,
    packets: Packets,
    pub(crate) bursts: Bursts,
    /// A line that the path had no room for.
    waiting: Option<Line>,
    sent: u64,
    replies: u64,
    matching: DatagramMatch,
    round_trips: Histogram,
    _present: Present,
    observations: Observations,
}

impl UdpLeg {
    /// A leg whose socket is there; a datagram without a reply is reported after `patience`.
    pub(crate) fn new(
        on: LegId,
        (path, local): (UdpPath, SocketAddr),
        target: SocketAddr,
        (packets, patience): (u64, Duration),
        observer: &Arc<Observer>,
    ) -> (Self, Event) {
        let opened = Event::Opened {
            path: path.kind(),
            local: local.to_string(),
            peer: target.to_string(),
            handshake_us: None,
            nodelay: None,
        };
        let leg = Self {
            on,
            target,
            bursts: Bursts::default(),
            waiting: None,
            sent: 0,
            round_trips: meters::round_trips(on.protocol, path.kind()),
            _present: Present::leg(on.protocol, path.kind()),
            replies: 0,
            matching: DatagramMatch::new(patience, path.kind() == Path::Emulated),
            path,
            packets: Packets::new(on, packets),
            observations: Observations::of(on, local, observer),
        };
        (leg, opened)
    }

    pub(crate) fn id(&self) -> LegId {
        self.on
    }

    /// When the next line is due; not while one waits for the path to take it.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts.next_due().filter(|_| self.waiting.is_none())
    }

    /// Waits until a turn would do something; without `room` for the events that come of it, nothing is
    /// sent.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(crate) async fn ready(&mut self, room: bool) {
        tokio::select! {
            () = self.observations.ready() => {}
            () = self.path.ready(room && self.waiting.is_some()) => {}
        }
    }

    /// Does what can be done without waiting: receives, gives up what has waited too long, sends what is
    /// due, and reports all of it. True if there is more to do at once.
    ///
    /// # Errors
    /// The path has ended.
    pub(crate) fn turn(&mut self, outbox: &mut Outbox) -> io::Result<bool> {
        for _ in 0..STEPS_PER_TURN {
            let now = Instant::now();
            let turn = self.path.turn(now);
            if let Some(packets) = self.path.take_packets() {
                self.packets.tell(packets, now, outbox);
            }
            // Between receiving a reply and looking at it: the server reported its datagram before.
            self.observe(outbox);
            match turn {
                UdpTurn::Reply { bytes, line, at } => self.replied(&bytes, line, at, outbox),
                UdpTurn::Refused => self.refused(outbox),
                UdpTurn::Ended(error) => return Err(error),
                UdpTurn::More => {}
                UdpTurn::Idle => {
                    self.give_up(now, outbox);
                    return Ok(self.send(outbox));
                }
            }
        }
        Ok(true)
    }

    fn observe(&mut self, outbox: &mut Outbox) {
        while let Some(event) = self.observations.next(outbox) {
            if let observe::Event::Datagram { bytes, .. } = event {
                self.matching.observed(bytes);
            }
        }
    }

    /// Sends what is due, as far as the path takes it; true if more could go at once.
    fn send(&mut self, outbox: &mut Outbox) -> bool {
        for _ in 0..LINES_PER_TURN {
            if outbox.is_full() {
                return false;
            }
            let now = Instant::now();
            let Some(line) = self.waiting.take().or_else(|| self.bursts.take_line(now)) else {
                return false;
            };
            let id = LineId { send: line.id, number: line.number };
            let mut outcome = self.path.send(&line.bytes, id, now);
            if is_refusal(&outcome) {
                // The refusal of an earlier datagram: this one has not been sent yet.
                self.refused(outbox);
                outcome = self.path.send(&line.bytes, id, now);
            }
            match outcome {
                Ok(bytes) => self.went_out(&line, bytes, now, outbox),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting = Some(line);
                    return false;
                }
                Err(error) => outbox.push(now, None, self.unsent(&line, &error)),
            }
            if let Some(finished) = line.last {
                outbox.push(Instant::now(), self.on, finished.event());
            }
        }
        true
    }

    fn went_out(&mut self, line: &Line, bytes: usize, started: Instant, outbox: &mut Outbox) {
        let (id, line) = (line.id, line.number);
        let done_us = outbox.at_us(Instant::now());
        let sent = Event::Sent { id, line, offset: self.sent, bytes, done_us };
        outbox.push(started, self.on, sent);
        self.sent += 1;
        self.matching.sent(id, line, started, bytes);
    }

    fn unsent(&self, line: &Line, error: &io::Error) -> Event {
        Event::Error(Problem {
            code: Code::Io,
            detail: format!("line {} could not be sent: {error}", line.number),
            message: Some("send".into()),
            field: None,
            id: Some(line.id),
            protocol: Some(self.on.protocol),
        })
    }

    fn replied(&mut self, bytes: &[u8], line: Option<LineId>, at: Instant, outbox: &mut Outbox) {
        let (on, offset) = (self.on, self.replies);
        self.replies += 1;
        let data = Data::from_bytes(bytes);
        outbox.push(at, on, Event::Reply { offset, bytes: bytes.len(), data });
        let answer = match (self.path.kind(), line) {
            (Path::Direct, _) => self.matching.replied(),
            (Path::Emulated, Some(LineId { send, number })) => {
                self.matching.replied_to(send, number)
            }
            (Path::Emulated, None) => None,
        };
        if let Some(answer) = answer {
            self.round_trips.record(answer.round_trip(at));
            outbox.push(at, on, answer.event(at));
        }
    }

    pub(crate) fn is_emulated(&self) -> bool {
        self.path.kind() == Path::Emulated
    }

    /// Turns the knobs of an emulated path; whether it is one.
    pub(crate) fn set_link(&mut self, link: &Link) -> bool {
        let UdpPath::Emulated(path) = &mut self.path else { return false };
        path.set_link(link);
        true
    }

    /// When the next datagram is to be reported as unanswered.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.matching.next_deadline()
    }

    /// Reports the datagrams that have waited too long.
    fn give_up(&mut self, now: Instant, outbox: &mut Outbox) {
        for silence in self.matching.give_up(now) {
            outbox.push(now, self.on, silence.event(Unanswered::TimedOut));
        }
    }

    /// Closes the socket and reports what stays unanswered.
    pub(crate) fn end(
        mut self,
        cause: Cause,
        error: Option<&io::Error>,
        outbox: &mut Outbox,
    ) -> EndedLeg {
        let (on, now) = (self.on, Instant::now());
        for finished in self.bursts.stop_all(self.waiting.take()) {
            outbox.push(now, on, finished.event());
        }
        for silence in self.matching.end() {
            outbox.push(now, on, silence.event(Unanswered::Closed));
        }
        self.packets.tell_missed(now, outbox);
        outbox.push(now, on, Event::Closed { cause, detail: error.map(ToString::to_string) });
        EndedLeg::new(self.observations, None)
    }

    fn refused(&mut self, outbox: &mut Outbox) {
        let (on, now) = (self.on, Instant::now());
        outbox.push(now, on, Event::Refused { peer: self.target.to_string() });
        for silence in self.matching.end() {
            outbox.push(now, on, silence.event(Unanswered::Refused));
        }
    }
}

fn is_refusal<T>(outcome: &io::Result<T>) -> bool {
    matches!(outcome, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}
