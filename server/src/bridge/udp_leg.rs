//! One UDP socket of a session, connected to the UDP timestamp server.
//!
//! "Connected" sends nothing; it only fixes the peer, so that a closed port is heard of.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamgram_protocol::{Cause, Code, Data, Event, LegId, Path, Problem, Unanswered};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::burst::{Bursts, Line};
use super::datagram_match::DatagramMatch;
use super::outbox::Outbox;
use super::{LEG_READ_BYTES, LINES_PER_TURN};
use crate::observe::{Inbox, Observer, Registration, Seen};
use crate::path::direct;

/// A socket and the datagrams that are under way.
#[derive(Debug)]
pub(super) struct UdpLeg {
    on: LegId,
    target: SocketAddr,
    socket: UdpSocket,
    pub(super) bursts: Bursts,
    /// A line that the socket had no room for.
    waiting: Option<Line>,
    sent: u64,
    replies: u64,
    matching: DatagramMatch,
    _registration: Registration,
}

impl UdpLeg {
    /// Opens the socket; a datagram without a reply is reported after `patience`.
    pub(super) async fn open(
        on: LegId,
        target: SocketAddr,
        patience: Duration,
        observer: &Arc<Observer>,
        inbox: Inbox,
        outbox: &mut Outbox,
    ) -> io::Result<Self> {
        let (socket, local) = direct::connect_udp(target).await?;
        let registration = observer.register(on, local, inbox);
        let opened = Event::Opened {
            path: Path::Direct,
            local: local.to_string(),
            peer: target.to_string(),
            handshake_us: None,
            nodelay: None,
        };
        outbox.push(Instant::now(), on, opened);
        Ok(Self {
            on,
            target,
            socket,
            bursts: Bursts::default(),
            waiting: None,
            sent: 0,
            replies: 0,
            matching: DatagramMatch::new(patience),
            _registration: registration,
        })
    }

    pub(super) fn id(&self) -> LegId {
        self.on
    }

    /// Waits until something can be received, or sent if something waits for it and there is `room`
    /// for the events that come of it.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub(super) async fn ready(&self, room: bool) {
        // A refusal alone does not make a socket readable.
        let mut interest = Interest::READABLE | Interest::ERROR;
        if room && self.waiting.is_some() {
            interest |= Interest::WRITABLE;
        }
        if self.socket.ready(interest).await.is_err() {
            // Only a runtime that is shutting down fails here; there is nothing left to wait for.
            pending().await
        }
    }

    /// Sends what is due, as far as the socket takes it; true if more could go at once.
    pub(super) fn send(&mut self, outbox: &mut Outbox) -> bool {
        for _ in 0..LINES_PER_TURN {
            if outbox.is_full() {
                return false;
            }
            let now = Instant::now();
            let Some(line) = self.waiting.take().or_else(|| self.bursts.take_line(now)) else {
                return false;
            };
            let mut outcome = self.socket.try_send(&line.bytes);
            if is_refusal(&outcome) {
                // The refusal of an earlier datagram: this one has not been sent yet.
                self.refused(outbox);
                outcome = self.socket.try_send(&line.bytes);
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

    /// Takes a datagram that has come, if there is one. A refusal is reported here too.
    pub(super) fn receive(&mut self, outbox: &mut Outbox) -> Option<Vec<u8>> {
        // A refusal alone is no reason for `try_recv` to look at the socket.
        let error = self.socket.try_io(Interest::ERROR, || {
            let error = self.socket.take_error()?;
            error.ok_or_else(|| io::ErrorKind::WouldBlock.into())
        });
        let mut buffer = [0; LEG_READ_BYTES];
        let outcome = match error {
            Ok(error) => Err(error),
            Err(_no_error) => self.socket.try_recv(&mut buffer),
        };
        if is_refusal(&outcome) {
            self.refused(outbox);
        }
        outcome.ok().map(|bytes| buffer[..bytes].to_vec())
    }

    /// Reports a datagram that was received. What the server saw before it sent it must have been
    /// [`noted`](Self::note) first.
    pub(super) fn replied(&mut self, bytes: &[u8], now: Instant, outbox: &mut Outbox) {
        let (on, offset) = (self.on, self.replies);
        self.replies += 1;
        let data = Data::from_bytes(bytes);
        outbox.push(now, on, Event::Reply { offset, bytes: bytes.len(), data });
        if let Some(answer) = self.matching.replied() {
            outbox.push(now, on, answer.event(now));
        }
    }

    /// Takes note of what the server saw of this leg.
    pub(super) fn note(&mut self, seen: &Seen) {
        if let Seen::Datagram { bytes, .. } = *seen {
            self.matching.observed(bytes);
        }
    }

    /// When the next datagram is to be reported as unanswered.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.matching.next_deadline()
    }

    /// Reports the datagrams that have waited too long.
    pub(super) fn give_up(&mut self, now: Instant, outbox: &mut Outbox) {
        for silence in self.matching.give_up(now) {
            outbox.push(now, self.on, silence.event(Unanswered::TimedOut));
        }
    }

    /// Closes the socket and reports what stays unanswered.
    pub(super) fn end(mut self, outbox: &mut Outbox) {
        let (on, now) = (self.on, Instant::now());
        for finished in self.bursts.stop_all(self.waiting.take()) {
            outbox.push(now, on, finished.event());
        }
        for silence in self.matching.end() {
            outbox.push(now, on, silence.event(Unanswered::Closed));
        }
        outbox.push(now, on, Event::Closed { cause: Cause::Closed, detail: None });
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
