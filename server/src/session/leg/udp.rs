//! One UDP socket of a session to the UDP timestamp server.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use metrics::Histogram;
use streamgram_protocol::{Cause, Code, Event, LegId, Line, Link, Path, Problem, Unanswered};

use super::burst::{Bursts, DueLine};
use super::datagram_match::DatagramMatch;
use super::ended::{EndedLeg, Ending};
use super::observations::Observations;
use super::packets::Packets;
use super::turn::{LINES_PER_TURN, STEPS_PER_TURN};
use crate::observe;
use crate::operate::meters::{self, Present};
use crate::path::{Route, UdpPath, UdpTurn};
use crate::session::bridge::Bridge;
use crate::session::outbox::{Outbox, data};

/// A socket and the datagrams that are under way.
#[derive(Debug)]
pub(crate) struct UdpLeg {
    id: LegId,
    target: SocketAddr,
    path: UdpPath,
    packets: Packets,
    pub(crate) bursts: Bursts,
    /// A line that the path had no room for.
    waiting: Option<DueLine>,
    sent: u64,
    replies: u64,
    matching: DatagramMatch,
    observations: Observations,
    round_trips: Histogram,
    _present: Present,
}

impl UdpLeg {
    /// Opens the socket, and reports that.
    ///
    /// # Errors
    /// What the system says of it.
    pub(crate) async fn open(
        id: LegId,
        route: Route,
        bridge: &Bridge,
        outbox: &mut Outbox,
    ) -> io::Result<Self> {
        let (target, limits) = (bridge.targets.udp, &bridge.limits);
        let path = UdpPath::open(route, target, limits).await?;
        let patience = Duration::from_millis(limits.no_reply_ms.into());
        let leg = Self {
            id,
            target,
            packets: Packets::new(id, limits.lab_packets),
            bursts: Bursts::of(id),
            waiting: None,
            sent: 0,
            replies: 0,
            matching: DatagramMatch::new(patience, path.kind() == Path::Emulated),
            observations: Observations::of(id, path.local(), &bridge.observer),
            round_trips: meters::round_trips(id.protocol, path.kind()),
            _present: Present::leg(id.protocol, path.kind()),
            path,
        };
        let opened = Event::Opened {
            path: leg.path.kind(),
            local: leg.path.local().to_string(),
            peer: target.to_string(),
            handshake_us: None,
            nodelay: None,
        };
        outbox.push(Instant::now(), id, opened);
        Ok(leg)
    }

    /// When the next line is due; none, while a line waits for room on the path.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts.next_due().filter(|_| self.waiting.is_none())
    }

    /// Waits until a turn would do something. Without `room` for more events, nothing is sent.
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
    /// due, and reports it. True if there is more to do at once.
    ///
    /// # Errors
    /// The path has ended.
    pub(crate) fn turn(&mut self, outbox: &mut Outbox) -> Result<bool, Ending> {
        for _ in 0..STEPS_PER_TURN {
            let now = Instant::now();
            let turn = self.path.turn(now);
            if let Some(recording) = self.path.drain_packets() {
                self.packets.report(recording, now, outbox);
            }
            // Between receiving a reply and matching it: the server reported the datagram before it replied.
            self.observe(outbox);
            match turn {
                UdpTurn::Reply { bytes, line, at } => self.replied(bytes, line, at, outbox),
                UdpTurn::Refused => self.refused(outbox),
                UdpTurn::Ended(error) => {
                    return Err(Ending { cause: Cause::Limit, error: Some(error) });
                }
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

    /// Sends what is due while the path has room; true if more could go at once.
    fn send(&mut self, outbox: &mut Outbox) -> bool {
        for _ in 0..LINES_PER_TURN {
            if outbox.is_full() {
                return false;
            }
            let now = Instant::now();
            let Some(due) = self.waiting.take().or_else(|| self.bursts.next_line(now)) else {
                return false;
            };
            let mut outcome = self.path.send(&due.bytes, due.line, now);
            if is_refusal(&outcome) {
                // An earlier datagram was refused; this one has not been sent yet.
                self.refused(outbox);
                outcome = self.path.send(&due.bytes, due.line, now);
            }
            match outcome {
                Ok(bytes) => self.went_out(due.line, bytes, now, outbox),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting = Some(due);
                    return false;
                }
                Err(error) => outbox.push(now, None, self.unsent(due.line, &error)),
            }
            if let Some(finished) = due.last {
                outbox.push(Instant::now(), self.id, finished.event());
            }
        }
        true
    }

    fn went_out(&mut self, line: Line, bytes: usize, started: Instant, outbox: &mut Outbox) {
        let sent = Event::Sent {
            id: line.send,
            line: line.number,
            offset: self.sent,
            bytes,
            done_us: outbox.at_us(Instant::now()),
        };
        outbox.push(started, self.id, sent);
        self.sent += 1;
        self.matching.sent(line, started, bytes);
    }

    fn unsent(&self, line: Line, error: &io::Error) -> Event {
        Event::Error(Problem {
            code: Code::Io,
            detail: format!("line {} could not be sent: {error}", line.number),
            message: Some("send".into()),
            field: None,
            id: Some(line.send),
            protocol: Some(self.id.protocol),
        })
    }

    fn replied(&mut self, reply: Vec<u8>, line: Option<Line>, at: Instant, outbox: &mut Outbox) {
        let (offset, bytes) = (self.replies, reply.len());
        self.replies += 1;
        outbox.push(at, self.id, Event::Reply { offset, bytes, data: data(reply) });
        let answer = match self.path.kind() {
            Path::Direct => self.matching.replied(),
            Path::Emulated => line.and_then(|line| self.matching.replied_to(line)),
        };
        if let Some(answer) = answer {
            self.round_trips.record(answer.round_trip(at));
            outbox.push(at, self.id, answer.event(at));
        }
    }

    pub(crate) fn is_emulated(&self) -> bool {
        self.path.kind() == Path::Emulated
    }

    /// Changes the link of an emulated path; whether it is one.
    pub(crate) fn set_link(&mut self, link: &Link, outbox: &mut Outbox) -> bool {
        let UdpPath::Emulated(path) = &mut self.path else { return false };
        path.set_link(link);
        outbox.push(Instant::now(), self.id, Event::LinkSet {});
        true
    }

    /// Whether a line is not answered yet, nor given up.
    pub(crate) fn awaits_reply(&self) -> bool {
        self.next_deadline().is_some()
    }

    /// When the next line has to be given up.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.matching.next_deadline()
    }

    /// Reports the lines that have waited too long.
    fn give_up(&mut self, now: Instant, outbox: &mut Outbox) {
        for silence in self.matching.give_up(now) {
            outbox.push(now, self.id, silence.event(Unanswered::TimedOut));
        }
    }

    /// Closes the socket and reports the lines that stay unanswered.
    pub(crate) fn end(mut self, Ending { cause, error }: Ending, outbox: &mut Outbox) -> EndedLeg {
        let now = Instant::now();
        self.bursts.stop_all(self.waiting.take(), outbox);
        for silence in self.matching.end() {
            outbox.push(now, self.id, silence.event(Unanswered::Closed));
        }
        self.packets.report_missed(now, outbox);
        let detail = error.map(|error| error.to_string());
        outbox.push(now, self.id, Event::Closed { cause, detail });
        EndedLeg::new(self.observations, None)
    }

    fn refused(&mut self, outbox: &mut Outbox) {
        let now = Instant::now();
        outbox.push(now, self.id, Event::Refused { peer: self.target.to_string() });
        for silence in self.matching.end() {
            outbox.push(now, self.id, silence.event(Unanswered::Refused));
        }
    }
}

fn is_refusal<T>(outcome: &io::Result<T>) -> bool {
    matches!(outcome, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}
