//! TCP over an emulated link. The emulated connection ends at the lab's gateway. The gateway passes bytes,
//! FIN and RST on to a kernel socket, and back.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use streamgram_lab::{Micros, Options, State, Tcp, TcpLab};
use streamgram_protocol::{Cause, End, Limits, Line, Link};
use tokio::time::sleep_until;

use super::allowance::Overrun;
use super::paced::{Paced, STEPS_PER_TURN};
use super::permit::Permit;
use super::server_side::ServerSide;
use crate::path::direct;
use crate::path::turn::{Piece, Recording, TcpTurn};

/// Bytes that the gateway reads of its server at a time.
const GATEWAY_READ_BYTES: usize = 4 * 1024;

/// A connection whose client end is in a lab.
pub struct EmulatedTcp {
    paced: Paced<Tcp>,
    target: SocketAddr,
    /// What the server sees as its peer.
    pub(crate) local: SocketAddr,
    give_up_ms: u32,
    opened: bool,
    server: ServerSide,
    /// From the client; the kernel had no room for it yet.
    to_server: Vec<u8>,
    /// From the server; not yet passed on, because the lines that it answers are not known yet.
    from_server: Vec<u8>,
    _permit: Permit,
}

impl EmulatedTcp {
    /// Starts the handshake over a [checked](Link::check) link.
    ///
    /// # Errors
    /// What the system says of the gateway's socket.
    pub fn connect(
        target: SocketAddr,
        link: &Link,
        nodelay: bool,
        limits: &Limits,
        permit: Permit,
    ) -> io::Result<Self> {
        let socket = direct::bind_tcp(target)?;
        let give_up = Micros::from(limits.lab_give_up_ms) * 1_000;
        let options = Options { give_up, nodelay, ..Options::default() };
        Ok(Self {
            paced: Paced::new(TcpLab::open(link, options, 0), limits),
            target,
            local: socket.local_addr()?,
            give_up_ms: limits.lab_give_up_ms,
            opened: false,
            server: ServerSide::Bound(socket),
            to_server: Vec::new(),
            from_server: Vec::new(),
            _permit: permit,
        })
    }

    /// Bytes that it holds beyond those of a path at rest.
    pub fn held(&self) -> usize {
        self.paced.lab.held() + self.to_server.len() + self.from_server.len()
    }

    /// Waits until a turn would do something.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self) {
        let reads = self.from_server.is_empty() && self.paced.lab.free(End::Gateway) > 0;
        let writes = !self.to_server.is_empty();
        tokio::select! {
            () = sleep_until(self.paced.due().into()) => {}
            () = self.server.ready(reads, writes) => {}
        }
    }

    /// Lets the lab catch up with the clock, until there is something that the leg must know.
    pub fn turn(&mut self, now: Instant) -> TcpTurn {
        for _ in 0..STEPS_PER_TURN {
            let level = match self.paced.step(now) {
                Ok(level) => level,
                Err(overrun) => return over(overrun),
            };
            let moved = self.exchange(level);
            if let Some(turn) = self.news() {
                return turn;
            }
            if level && !moved {
                return TcpTurn::Idle;
            }
        }
        TcpTurn::More
    }

    /// Goes on after the leg's end, so that FIN and RST arrive; true while there is something to wait for.
    pub fn linger(&mut self, now: Instant) -> bool {
        loop {
            match self.turn(now) {
                TcpTurn::Opened { .. } | TcpTurn::Reply { .. } | TcpTurn::More => {}
                TcpTurn::AtGateway(bytes) => {
                    self.pass_on(&[Piece { bytes, line: None }]);
                }
                TcpTurn::Idle => return !self.is_over(),
                TcpTurn::Ended { cause: Cause::Limit, .. } => return false,
                TcpTurn::Ended { .. } => {
                    if self.paced.is_idle_at(now) {
                        return !self.is_over();
                    }
                }
            }
        }
    }

    /// Whether both ends know of the end, or the client does and nothing is on its way to the gateway.
    fn is_over(&self) -> bool {
        let over = |end| {
            matches!(self.paced.lab.state(end), State::Closed | State::Reset | State::TimedOut)
        };
        over(End::Client) && (over(End::Gateway) || self.paced.lab.next().is_none())
    }

    /// What the leg must know.
    fn news(&mut self) -> Option<TcpTurn> {
        let at = self.paced.now();
        let state = self.paced.lab.state(End::Client);
        if !self.opened && state == State::Open {
            self.opened = true;
            return Some(TcpTurn::Opened { at, took: self.paced.lived() });
        }
        let bytes = self.paced.lab.read(self.paced.reached, End::Client);
        if !bytes.is_empty() {
            return Some(TcpTurn::Reply { bytes, arrival: at.into() });
        }
        let passes = self.from_server.len().min(self.paced.lab.free(End::Gateway));
        if passes > 0 {
            return Some(TcpTurn::AtGateway(passes));
        }
        let (cause, error) = match state {
            State::Connecting | State::Open | State::Closing => return None,
            State::PeerClosed | State::Closed => (Cause::PeerClosed, None),
            State::Reset => (Cause::PeerReset, None),
            State::TimedOut => (Cause::TimedOut, Some(self.given_up())),
        };
        Some(TcpTurn::Ended { cause, error })
    }

    fn given_up(&self) -> io::Error {
        let ms = self.give_up_ms;
        io::Error::other(format!("nothing was acknowledged for {ms} ms, the limit of the path"))
    }

    /// Moves bytes between the gateway and the server; whether there were any. Bytes from the server enter
    /// the lab only when it has caught up with the clock, else they would arrive too early.
    fn exchange(&mut self, level: bool) -> bool {
        let state = self.paced.lab.state(End::Gateway);
        let mut moved = false;
        if self.to_server.is_empty() {
            let Paced { lab, reached, .. } = &mut self.paced;
            moved |= lab.read_into(*reached, End::Gateway, &mut self.to_server) > 0;
        }
        moved |= self.server.advance(state, self.target);
        moved |= self.server.write(&mut self.to_server);
        let all_passed = self.to_server.is_empty();
        match state {
            State::PeerClosed | State::Closed if all_passed => self.server.shut_down(),
            State::Reset | State::TimedOut => self.server.reset(),
            _ => {}
        }
        if level && self.from_server.is_empty() && self.paced.lab.free(End::Gateway) > 0 {
            moved |= self.read_server();
        }
        moved
    }

    fn read_server(&mut self) -> bool {
        let mut buffer = [0; GATEWAY_READ_BYTES];
        match self.server.read(&mut buffer) {
            Ok(Some(0)) => {
                self.paced.lab.close(self.paced.reached, End::Gateway);
                self.server.end();
                true
            }
            Ok(Some(bytes)) => {
                self.from_server.extend_from_slice(&buffer[..bytes]);
                true
            }
            Ok(None) => false,
            Err(_reset_or_refused) => {
                self.paced.lab.reset(self.paced.reached, End::Gateway);
                self.server.end();
                true
            }
        }
    }

    /// Passes replies on to the client, piece by piece; how many bytes there was room for.
    pub fn pass_on(&mut self, pieces: &[Piece]) -> usize {
        let mut passed = 0;
        for &Piece { bytes, line } in pieces {
            let piece = &self.from_server[passed..(passed + bytes).min(self.from_server.len())];
            let written = self.paced.lab.write(self.paced.reached, End::Gateway, piece, line);
            passed += written;
            if written < bytes {
                break;
            }
        }
        self.from_server.drain(..passed);
        passed
    }

    /// Sends bytes of a line; how many there was room for.
    pub fn write(&mut self, bytes: &[u8], line: Line, now: Instant) -> usize {
        self.paced.lab.write(self.paced.at(now), End::Client, bytes, Some(line))
    }

    /// Sends FIN after everything that was written.
    pub fn close(&mut self, now: Instant) {
        self.paced.lab.close(self.paced.at(now), End::Client);
    }

    /// Tears the connection down with RST.
    pub fn reset(&mut self, now: Instant) {
        self.paced.lab.reset(self.paced.at(now), End::Client);
    }

    /// Turns TCP_NODELAY.
    pub fn set_nodelay(&mut self, on: bool, now: Instant) {
        self.paced.lab.set_nodelay(self.paced.at(now), on);
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

fn over(overrun: Overrun) -> TcpTurn {
    TcpTurn::Ended { cause: Cause::Limit, error: Some(io::Error::other(overrun.to_string())) }
}

impl fmt::Debug for EmulatedTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedTcp").field("lab", &self.paced).finish_non_exhaustive()
    }
}
