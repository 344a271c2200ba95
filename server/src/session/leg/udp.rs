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
use super::reply_order::{Owner, Reply, ReplyOrder};
use super::turn::{LINES_PER_TURN, STEPS_PER_TURN};
use crate::observe::{Event as Seen, Observation, digest};
use crate::operate::meters::{self, Present};
use crate::path::{Answers, Arrival, Route, UdpPath, UdpTurn};
use crate::session::bridge::Bridge;
use crate::session::outbox::{EVENT_BYTES, Outbox, data, micros};
use crate::udp_error;

/// A socket and the datagrams that are under way.
#[derive(Debug)]
pub(crate) struct UdpLeg {
    id: LegId,
    target: SocketAddr,
    /// Its server may leave out, repeat and reorder replies: none says for certain what it answers.
    is_faulty: bool,
    path: UdpPath,
    packets: Packets,
    pub(crate) bursts: Bursts,
    /// A line that the path had no room for.
    waiting: Option<DueLine>,
    sent: u64,
    replies: u64,
    matching: DatagramMatch,
    /// The datagrams of the socket at the server: the leg's own, or that of an emulated path's gateway.
    order: ReplyOrder,
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
        (target, is_faulty): (SocketAddr, bool),
        captures: bool,
        bridge: &Bridge,
        outbox: &mut Outbox,
    ) -> io::Result<Self> {
        let limits = &bridge.limits;
        let path = UdpPath::open(route, target, limits).await?;
        let patience = Duration::from_millis(limits.no_reply_ms.into());
        let captured = captures.then(|| bridge.capture.leg(id.protocol, path.local())).flatten();
        let leg = Self {
            id,
            target,
            is_faulty,
            packets: Packets::new(id, limits.lab_packets, captured),
            bursts: Bursts::of(id),
            waiting: None,
            sent: 0,
            replies: 0,
            matching: DatagramMatch::new(patience),
            // A reply at a gateway is passed on at once.
            order: ReplyOrder::new(patience, path.kind() == Path::Direct),
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

    /// Whether its packets are captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.packets.are_captured()
    }

    /// When it is due to report how many of them were left out.
    pub(crate) fn packets_due(&self, outbox: &Outbox) -> Option<Instant> {
        self.packets.missed_due(outbox)
    }

    /// When the next line is due; none, while a line waits for room on the path.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.bursts.next_due().filter(|_| self.waiting.is_none())
    }

    /// Bytes that are held for it.
    pub(crate) fn held(&self) -> usize {
        let waiting = self.waiting.as_ref().map_or(0, |due| due.bytes.len());
        let lines =
            self.matching.waiting() * EVENT_BYTES + self.matching.held() + self.order.held();
        self.bursts.held() + waiting + lines + self.path.held()
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
            () = self.path.ready(sends && self.waiting.is_some()), if reads => {}
        }
    }

    /// Does what can be done without waiting: receives, gives up what has waited too long, sends what is
    /// due, and reports it. True if there is more to do at once.
    ///
    /// # Errors
    /// The path has ended.
    pub(crate) fn turn(&mut self, outbox: &mut Outbox) -> Result<bool, Ending> {
        self.packets.report_captured(Instant::now(), outbox);
        for _ in 0..STEPS_PER_TURN {
            if outbox.is_full() {
                self.observe(outbox);
                return Ok(false);
            }
            let now = Instant::now();
            let turn = self.path.turn(now);
            if let Some(recording) = self.path.drain_packets() {
                self.packets.report(recording, now, outbox);
            }
            // Between receiving a reply and matching it: the server reported the datagram before it replied.
            self.observe(outbox);
            match turn {
                UdpTurn::ToServer { bytes, line } => self.hand_over(&bytes, line, outbox),
                UdpTurn::FromServer { bytes, arrival } => self.came_back(bytes, arrival, outbox),
                UdpTurn::Reply { bytes, answers, at } => {
                    let Answers { line, certain } = answers;
                    let reply = self.received(bytes, at.into(), outbox);
                    self.replied(&Owner { line, reply, certain }, outbox);
                }
                UdpTurn::Refused => self.refused(outbox),
                UdpTurn::Ended(error) => {
                    return Err(Ending { cause: Cause::Limit, error: Some(error) });
                }
                UdpTurn::More => {}
                UdpTurn::Idle => {
                    self.order.emptied(now);
                    self.give_up(now, outbox);
                    return Ok(self.send(outbox));
                }
            }
        }
        Ok(true)
    }

    fn observe(&mut self, outbox: &mut Outbox) {
        while let Some(Observation { at, event }) = self.observations.next(outbox) {
            if let Seen::Datagram(datagram) = event
                && !self.is_faulty
            {
                for owner in self.order.observed(at, &datagram) {
                    self.replied(&owner, outbox);
                }
            }
        }
    }

    /// Hands a datagram over from the gateway of an emulated path to the server.
    fn hand_over(&mut self, bytes: &[u8], line: Option<Line>, outbox: &mut Outbox) {
        let UdpPath::Emulated(path) = &mut self.path else { return };
        let now = Instant::now();
        let mut outcome = path.hand_over(bytes, line, now);
        if is_refusal(&outcome) {
            // An earlier datagram was refused; this one has not been sent yet.
            self.refused(outbox);
            let UdpPath::Emulated(path) = &mut self.path else { return };
            outcome = path.hand_over(bytes, line, now);
        }
        // Any other error is about this datagram, which is lost.
        if outcome.is_ok() {
            self.order.sent(line, digest(bytes), [now, Instant::now()]);
        }
    }

    /// A reply of the server has come to the leg, or to the gateway of an emulated path.
    fn came_back(&mut self, bytes: Vec<u8>, arrival: Arrival, outbox: &mut Outbox) {
        if let UdpPath::Emulated(path) = &mut self.path {
            let owner = self.order.replied(Reply { number: self.replies, at: arrival.at });
            let answers = owner.map(|Owner { line, certain, .. }| Answers { line, certain });
            path.pass_on(&bytes, answers.unwrap_or_default());
            return;
        }
        let reply = self.received(bytes, arrival, outbox);
        if let Some(owner) = self.order.replied(reply) {
            self.replied(&owner, outbox);
        }
    }

    /// Sends what is due while the path has room; true if more could go at once.
    fn send(&mut self, outbox: &mut Outbox) -> bool {
        for _ in 0..LINES_PER_TURN {
            if !outbox.has_room_for_lines() {
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
                Ok(_bytes) => self.went_out(&due, now, outbox),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting = Some(due);
                    return false;
                }
                Err(error) => outbox.push(now, None, self.unsent(&due, error)),
            }
            if let Some(finished) = due.last {
                outbox.push(Instant::now(), self.id, finished.event());
            }
        }
        true
    }

    fn went_out(&mut self, due: &DueLine, started: Instant, outbox: &mut Outbox) {
        let (line, done) = (due.line, Instant::now());
        let sent = Event::Sent {
            id: line.send,
            line: line.number,
            offset: self.sent,
            bytes: due.bytes.len(),
            done_us: outbox.at_us(done),
        };
        outbox.push(started, self.id, sent);
        self.sent += 1;
        self.matching.sent(line, started);
        if self.path.kind() == Path::Direct {
            self.order.sent(Some(line), digest(&due.bytes), [started, done]);
        }
    }

    fn unsent(&self, DueLine { line, bytes, .. }: &DueLine, error: io::Error) -> Event {
        let error = udp_error::explained(error, bytes.len());
        Event::Error(Problem {
            code: Code::Io,
            detail: format!("line {} could not be sent: {error}", line.number),
            message: Some("send".into()),
            field: None,
            id: Some(line.send),
            protocol: Some(self.id.protocol),
        })
    }

    fn received(&mut self, reply: Vec<u8>, arrival: Arrival, outbox: &mut Outbox) -> Reply {
        let (at, number, bytes) = (arrival.at, self.replies, reply.len());
        self.replies += 1;
        let earlier_us = arrival.earlier(self.matching.asked()).map(micros);
        let reply = Event::Reply { offset: number, bytes, data: data(reply), earlier_us };
        outbox.push(at, self.id, reply);
        Reply { number, at }
    }

    fn replied(&mut self, owner: &Owner, outbox: &mut Outbox) {
        if let Some(answer) = self.matching.replied(owner) {
            self.round_trips.record(answer.round_trip(owner.reply.at));
            outbox.push(owner.reply.at, self.id, answer.event(owner.reply.at));
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
        for owner in self.order.give_up(now) {
            self.replied(&owner, outbox);
        }
        for silence in self.matching.give_up(now) {
            outbox.push(now, self.id, silence.event(Unanswered::TimedOut));
        }
    }

    /// Closes the socket and reports the lines that stay unanswered.
    pub(crate) fn end(mut self, Ending { cause, error }: Ending, outbox: &mut Outbox) -> EndedLeg {
        let now = Instant::now();
        self.bursts.stop_all(self.waiting.take(), outbox);
        for owner in self.order.refused() {
            self.replied(&owner, outbox);
        }
        for silence in self.matching.end() {
            outbox.push(now, self.id, silence.event(Unanswered::Closed));
        }
        self.packets.report_missed(now, outbox);
        let detail = error.map(|error| error.to_string());
        outbox.push(now, self.id, Event::Closed { cause, detail });
        EndedLeg::new(self.observations, None).with_captured(self.packets, now)
    }

    fn refused(&mut self, outbox: &mut Outbox) {
        let now = Instant::now();
        outbox.push(now, self.id, Event::Refused { peer: self.target.to_string() });
        for owner in self.order.refused() {
            self.replied(&owner, outbox);
        }
        for silence in self.matching.end() {
            outbox.push(now, self.id, silence.event(Unanswered::Refused));
        }
    }
}

fn is_refusal<T>(outcome: &io::Result<T>) -> bool {
    outcome.as_ref().is_err_and(udp_error::is_refusal)
}
