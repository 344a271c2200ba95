//! UDP over an emulated link. The lab's gateway hands datagrams to the server one at a time. The leg knows
//! which of them a reply answers, even if it comes after its time.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_lab::{BadDatagram, Options, Udp, UdpLab};
use streamgram_protocol::{End, Limits, Line, Link};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::sleep_until;

use super::allowance::Overrun;
use super::paced::{Paced, STEPS_PER_TURN};
use super::permit::Permit;
use crate::path::direct;
use crate::path::turn::{Answers, Recording, UdpTurn};
use crate::udp_error;

/// How long the gateway waits for the server's reply before it hands over the next datagram.
const SERVER_PATIENCE: Duration = Duration::from_secs(1);
/// Datagrams whose line is remembered. For one that arrives after so many later ones it is not known.
const REMEMBERED: usize = 1_024;

/// A socket whose client end is in a lab.
#[derive(Debug)]
pub struct EmulatedUdp {
    paced: Paced<Udp>,
    server: UdpSocket,
    /// What the server sees as its peer.
    pub(crate) local: SocketAddr,
    /// The datagram whose reply the gateway waits for.
    awaited: Option<Awaited>,
    /// The lines of the client's datagrams, and those that the replies answer.
    lines: Numbered,
    replies: Numbered,
    _permit: Permit,
}

/// A datagram whose reply the gateway waits for.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    line: Option<Line>,
    since: Instant,
}

/// The lines of datagrams, by the lab's numbers.
#[derive(Debug, Default)]
struct Numbered {
    first: u64,
    lines: VecDeque<Answers>,
}

impl EmulatedUdp {
    /// Opens a [checked](Link::check) link and the gateway's socket.
    ///
    /// # Errors
    /// What the system says of the gateway's socket.
    pub async fn open(
        target: SocketAddr,
        link: &Link,
        limits: &Limits,
        permit: Permit,
    ) -> io::Result<Self> {
        let server = direct::connect_udp(target).await?;
        Ok(Self {
            paced: Paced::new(UdpLab::open(link, Options::default(), 0), limits),
            local: server.local_addr()?,
            server,
            awaited: None,
            lines: Numbered::default(),
            replies: Numbered::default(),
            _permit: permit,
        })
    }

    /// Bytes that it holds beyond those of a path at rest.
    pub fn held(&self) -> usize {
        let numbered = self.lines.lines.capacity() + self.replies.lines.capacity();
        self.paced.lab.held() + numbered * size_of::<Option<Line>>()
    }

    /// Waits until a turn would do something.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&self) {
        let due = self.paced.due();
        let due = self.awaited.map_or(due, |awaited| due.min(awaited.until()));
        tokio::select! {
            () = sleep_until(due.into()) => {}
            // A refusal alone does not make a socket readable.
            _ready = self.server.ready(Interest::READABLE | Interest::ERROR) => {}
        }
    }

    /// Lets the lab catch up with the clock, until there is something that the leg must know.
    pub fn turn(&mut self, now: Instant) -> UdpTurn {
        for _ in 0..STEPS_PER_TURN {
            let level = match self.paced.step(now) {
                Ok(level) => level,
                Err(overrun) => return over(overrun),
            };
            if let Some(turn) = self.at_gateway(now, level) {
                return turn;
            }
            if let Some(datagram) = self.paced.lab.receive(End::Client) {
                let answers = self.replies.line(datagram.number);
                return UdpTurn::Reply { bytes: datagram.bytes, answers, at: self.paced.now() };
            }
            if level {
                return UdpTurn::Idle;
            }
        }
        UdpTurn::More
    }

    /// What has come to the gateway, from either side. A reply is read only when the lab has caught up with
    /// the clock, else it would arrive too early.
    fn at_gateway(&mut self, now: Instant, level: bool) -> Option<UdpTurn> {
        if level {
            match direct::receive(&self.server) {
                Ok(Some(bytes)) => {
                    return Some(UdpTurn::FromServer { bytes, arrival: self.paced.now().into() });
                }
                Ok(None) => {}
                Err(error) => {
                    self.awaited = None;
                    return Some(failed(&error));
                }
            }
        }
        self.awaited = self.awaited.filter(|awaited| now < awaited.until());
        if self.awaited.is_some() {
            return None;
        }
        let datagram = self.paced.lab.receive(End::Gateway)?;
        let Answers { line, .. } = self.lines.line(datagram.number);
        Some(UdpTurn::ToServer { bytes: datagram.bytes, line })
    }

    /// Hands a datagram to the server.
    ///
    /// # Errors
    /// An earlier datagram was refused, or the system reports something else: this one is lost.
    pub fn hand_over(&mut self, bytes: &[u8], line: Option<Line>, now: Instant) -> io::Result<()> {
        self.server.try_send(bytes)?;
        self.awaited = Some(Awaited { line, since: now });
        Ok(())
    }

    /// Passes a reply of the server on to the client. One that comes after its time does not end the wait
    /// for the next.
    pub fn pass_on(&mut self, bytes: &[u8], answers: Answers) {
        let Answers { line, .. } = answers;
        self.awaited = self.awaited.filter(|awaited| line.is_some() && awaited.line != line);
        // A reply for which the link has no room is lost.
        if let Ok(number) = self.paced.lab.send(self.paced.reached, End::Gateway, bytes, line) {
            self.replies.remember(number, answers);
        }
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// It is too long, or too many wait.
    pub fn send(&mut self, bytes: &[u8], line: Line, now: Instant) -> Result<(), BadDatagram> {
        let number = self.paced.lab.send(self.paced.at(now), End::Client, bytes, Some(line))?;
        self.lines.remember(number, Answers { line: Some(line), certain: true });
        Ok(())
    }

    /// Changes the link, except for what is fixed when a path opens.
    pub fn set_link(&mut self, link: &Link) {
        self.paced.lab.set_link(link);
    }

    /// The packets that were sent since the last call.
    pub fn drain_packets(&mut self) -> Recording {
        self.paced.drain_packets()
    }
}

fn over(overrun: Overrun) -> UdpTurn {
    UdpTurn::Ended(io::Error::other(overrun.to_string()))
}

/// An error of the gateway's socket. If it is no refusal, it is about one datagram, which will have no reply.
fn failed(error: &io::Error) -> UdpTurn {
    if udp_error::is_refusal(error) { UdpTurn::Refused } else { UdpTurn::More }
}

impl Awaited {
    fn until(&self) -> Instant {
        self.since + SERVER_PATIENCE
    }
}

impl Numbered {
    fn remember(&mut self, number: u64, line: Answers) {
        self.lines.push_back(line);
        if self.lines.len() > REMEMBERED {
            self.lines.pop_front();
        }
        self.first = number + 1 - self.lines.len() as u64;
    }

    fn line(&self, number: u64) -> Answers {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.lines.get(at)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_remembered_while_it_may_still_arrive() {
        let line = |number| Answers { line: Some(Line { send: 1, number }), certain: true };
        let mut lines = Numbered::default();
        for number in 0..2_000_u32 {
            lines.remember(number.into(), line(number));
        }
        assert_eq!(lines.line(1_999), line(1_999));
        assert_eq!(lines.line(2_000 - REMEMBERED as u64), line(2_000 - 1_024));
        assert_eq!(lines.line(0), Answers::default());
        assert_eq!(lines.line(2_000), Answers::default());
    }
}
