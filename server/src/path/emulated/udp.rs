//! UDP over an emulated link. The lab's gateway hands datagrams to the server one at a time, so it knows
//! which datagram a reply answers.

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
use crate::path::turn::{Recording, UdpTurn};

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
    /// The datagram that the server has, and has not answered yet.
    awaited: Option<Awaited>,
    /// The lines of the client's datagrams, and of the replies.
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
    lines: VecDeque<Option<Line>>,
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

    /// Waits until a turn would do something.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&self) {
        let due = self.paced.due();
        let Some(Awaited { since, .. }) = self.awaited else {
            return sleep_until(due.into()).await;
        };
        tokio::select! {
            () = sleep_until(due.min(since + SERVER_PATIENCE).into()) => {}
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
            let moved = match self.exchange(now, level) {
                Ok(moved) => moved,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return UdpTurn::Refused;
                }
                // The error is about this datagram, which will have no reply.
                Err(_) => true,
            };
            if let Some(datagram) = self.paced.lab.receive(End::Client) {
                let line = self.replies.line(datagram.number);
                return UdpTurn::Reply { bytes: datagram.bytes, line, at: self.paced.now() };
            }
            if level && !moved {
                return UdpTurn::Idle;
            }
        }
        UdpTurn::More
    }

    /// Moves datagrams between the gateway and the server; whether there were any. A reply enters the lab
    /// only when it has caught up with the clock, else it would arrive too early.
    fn exchange(&mut self, now: Instant, level: bool) -> io::Result<bool> {
        if let Some(Awaited { line, since }) = self.awaited {
            if !level {
                return Ok(false);
            }
            let Some(reply) = direct::receive(&self.server).inspect_err(|_| self.awaited = None)?
            else {
                let overdue = now.saturating_duration_since(since) >= SERVER_PATIENCE;
                self.awaited = self.awaited.filter(|_| !overdue);
                return Ok(overdue);
            };
            self.awaited = None;
            if let Ok(number) = self.paced.lab.send(self.paced.reached, End::Gateway, &reply, line)
            {
                self.replies.remember(number, line);
            }
            return Ok(true);
        }
        let Some(datagram) = self.paced.lab.receive(End::Gateway) else { return Ok(false) };
        self.server.try_send(&datagram.bytes)?;
        self.awaited = Some(Awaited { line: self.lines.line(datagram.number), since: now });
        Ok(true)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// It is too long, or too many wait.
    pub fn send(&mut self, bytes: &[u8], line: Line, now: Instant) -> Result<(), BadDatagram> {
        let number = self.paced.lab.send(self.paced.at(now), End::Client, bytes, Some(line))?;
        self.lines.remember(number, Some(line));
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

impl Numbered {
    fn remember(&mut self, number: u64, line: Option<Line>) {
        self.lines.push_back(line);
        if self.lines.len() > REMEMBERED {
            self.lines.pop_front();
        }
        self.first = number + 1 - self.lines.len() as u64;
    }

    fn line(&self, number: u64) -> Option<Line> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.lines.get(at).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_remembered_while_it_may_still_arrive() {
        let line = |number| Some(Line { send: 1, number });
        let mut lines = Numbered::default();
        for number in 0..2_000_u32 {
            lines.remember(number.into(), line(number));
        }
        assert_eq!(lines.line(1_999), line(1_999));
        assert_eq!(lines.line(2_000 - REMEMBERED as u64), line(2_000 - 1_024));
        assert_eq!(lines.line(0), None);
        assert_eq!(lines.line(2_000), None);
    }
}
