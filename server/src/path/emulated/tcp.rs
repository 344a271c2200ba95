//! TCP over an emulated link. The lab's gateway ends the connection and goes on over a kernel socket:
//! bytes, FIN and RST pass through in both directions.

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Instant;

use streamgram_lab::{Micros, Options, Packet, State, TcpLab};
use streamgram_protocol::{Cause, End, Limits, Line, Link};
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep_until;

use super::allowance::Allowance;
use super::{GATEWAY_READ_BYTES, LabClock, Overrun, Permit, STEPS_PER_TURN};
use crate::path::{TcpTurn, direct};

/// A connection whose client end is in a lab.
pub struct EmulatedTcp {
    lab: TcpLab,
    target: SocketAddr,
    give_up_ms: u32,
    clock: LabClock,
    /// How far the lab has come.
    reached: Micros,
    opened: bool,
    server: ServerSide,
    /// From the client, not yet taken by the kernel.
    to_server: Vec<u8>,
    /// From the server, not yet taken by the lab; its lines are not known yet.
    from_server: Vec<u8>,
    allowance: Allowance,
    packets: Vec<Packet>,
    _permit: Permit,
}

/// The gateway's connection to the server.
enum ServerSide {
    /// Until the handshake in the lab is done.
    Bound(TcpSocket),
    Dialing(Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>),
    Dialed(io::Result<TcpStream>),
    Open(TcpStream),
    /// The client has sent FIN, and it was passed on.
    ShutDown(TcpStream),
    Gone,
}

impl EmulatedTcp {
    /// Starts the handshake over a [checked](Link::check) link, and says which address the server will see.
    ///
    /// # Errors
    /// What the system says of the gateway's socket.
    pub fn connect(
        target: SocketAddr,
        link: &Link,
        nodelay: bool,
        limits: &Limits,
        permit: Permit,
    ) -> io::Result<(Self, SocketAddr)> {
        let (socket, local) = direct::bind_tcp(target)?;
        let give_up = Micros::from(limits.lab_give_up_ms) * 1_000;
        let options = Options { give_up, nodelay, ..Options::default() };
        let path = Self {
            lab: TcpLab::open(link, options, 0),
            target,
            give_up_ms: limits.lab_give_up_ms,
            clock: LabClock(Instant::now()),
            reached: 0,
            opened: false,
            server: ServerSide::Bound(socket),
            to_server: Vec::new(),
            from_server: Vec::new(),
            allowance: Allowance::new(limits),
            packets: Vec::new(),
            _permit: permit,
        };
        Ok((path, local))
    }

    /// Waits until a turn would do something.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self) {
        let due = self.lab.next().unwrap_or(Micros::MAX).min(self.allowance.ends_at());
        let due = self.clock.instant(due);
        let reads = self.from_server.is_empty() && self.lab.free(End::Gateway) > 0;
        let writes = !self.to_server.is_empty();
        tokio::select! {
            () = sleep_until(due.into()) => {}
            () = self.server.ready(reads, writes) => {}
        }
    }

    /// Lets the lab catch up with the clock, until there is something to tell.
    pub fn turn(&mut self, now: Instant) -> TcpTurn {
        let wall = self.clock.at(now);
        for _ in 0..STEPS_PER_TURN {
            let due = self.lab.next().filter(|due| *due <= wall);
            self.reached = due.unwrap_or(wall).max(self.reached);
            if due.is_some()
                && let Err(overrun) = self.step()
            {
                return over(overrun);
            }
            let moved = self.exchange(due.is_none());
            if let Some(turn) = self.news() {
                return turn;
            }
            if due.is_none() && !moved {
                return self.allowance.spend(wall, 0).err().map_or(TcpTurn::Idle, over);
            }
        }
        TcpTurn::More
    }

    fn step(&mut self) -> Result<(), Overrun> {
        self.lab.step(self.reached);
        let packets = self.lab.take_packets();
        let spent = self.allowance.spend(self.reached, packets.len());
        self.packets.extend(packets);
        spent
    }

    /// Goes on without a leg, so that FIN and RST arrive; true while there is something to wait for.
    pub fn linger(&mut self, now: Instant) -> bool {
        loop {
            match self.turn(now) {
                TcpTurn::Opened(..) | TcpTurn::Reply(..) | TcpTurn::More => {}
                TcpTurn::FromServer(bytes) => drop(self.pass_on(&[(bytes, None)])),
                TcpTurn::Idle => return !self.is_over(),
                TcpTurn::Ended(Cause::Limit, _) => return false,
                TcpTurn::Ended(..) => {
                    if self.lab.next().is_none_or(|due| due > self.clock.at(now)) {
                        return !self.is_over();
                    }
                }
            }
        }
    }

    /// Whether both ends know of the end, or the client does and nothing is under way to the gateway.
    fn is_over(&self) -> bool {
        let over =
            |end| matches!(self.lab.state(end), State::Closed | State::Reset | State::TimedOut);
        over(End::Client) && (over(End::Gateway) || self.lab.next().is_none())
    }

    /// What the client's end, or the leg, must hear of.
    fn news(&mut self) -> Option<TcpTurn> {
        let at = self.clock.instant(self.reached);
        let state = self.lab.state(End::Client);
        if !self.opened && state == State::Open {
            self.opened = true;
            return Some(TcpTurn::Opened(at, at - self.clock.0));
        }
        let bytes = self.lab.read(self.reached, End::Client);
        if !bytes.is_empty() {
            return Some(TcpTurn::Reply(bytes, at));
        }
        let passes = self.from_server.len().min(self.lab.free(End::Gateway));
        if passes > 0 {
            return Some(TcpTurn::FromServer(passes));
        }
        let (cause, detail) = match state {
            State::Connecting | State::Open | State::Closing => return None,
            State::PeerClosed | State::Closed => (Cause::PeerClosed, None),
            State::Reset => (Cause::PeerReset, None),
            State::TimedOut => (Cause::TimedOut, Some(self.given_up())),
        };
        Some(TcpTurn::Ended(cause, detail))
    }

    fn given_up(&self) -> io::Error {
        let ms = self.give_up_ms;
        io::Error::other(format!("nothing was acknowledged for {ms} ms, the limit of the path"))
    }

    /// Moves what can be moved between the gateway and the server; whether anything was. What the server
    /// says now reaches a lab that is level with the clock, else it would come before its time.
    fn exchange(&mut self, level: bool) -> bool {
        let state = self.lab.state(End::Gateway);
        let arrived = if self.to_server.is_empty() {
            self.lab.read(self.reached, End::Gateway)
        } else {
            Vec::new()
        };
        let mut moved = !arrived.is_empty();
        self.to_server.extend(arrived);
        moved |= self.server.advance(state, self.target);
        moved |= self.server.write(&mut self.to_server);
        let all_passed = self.to_server.is_empty();
        match state {
            State::PeerClosed | State::Closed if all_passed => self.server.shut_down(),
            State::Reset | State::TimedOut => self.server.reset(),
            _ => {}
        }
        if level && self.from_server.is_empty() && self.lab.free(End::Gateway) > 0 {
            moved |= self.read_server();
        }
        moved
    }

    fn read_server(&mut self) -> bool {
        let mut buffer = [0; GATEWAY_READ_BYTES];
        match self.server.read(&mut buffer) {
            Ok(Some(0)) => {
                self.lab.close(self.reached, End::Gateway);
                self.server.end();
                true
            }
            Ok(Some(bytes)) => {
                self.from_server.extend_from_slice(&buffer[..bytes]);
                true
            }
            Ok(None) => false,
            Err(_reset_or_refused) => {
                self.lab.reset(self.reached, End::Gateway);
                self.server.end();
                true
            }
        }
    }

    /// Passes replies on to the client: so many bytes for each line, in their order; how many there was
    /// room for.
    pub fn pass_on(&mut self, lines: &[(usize, Option<Line>)]) -> usize {
        let mut taken = 0;
        for &(bytes, line) in lines {
            let piece = &self.from_server[taken..(taken + bytes).min(self.from_server.len())];
            let written = self.lab.write(self.reached, End::Gateway, piece, line);
            taken += written;
            if written < bytes {
                break;
            }
        }
        self.from_server.drain(..taken);
        taken
    }

    /// Hands bytes of a line over for sending; how many were taken.
    pub fn write(&mut self, bytes: &[u8], line: Line, now: Instant) -> usize {
        self.lab.write(self.clock.at(now), End::Client, bytes, Some(line))
    }

    /// Sends FIN behind what was written.
    pub fn close(&mut self, now: Instant) {
        self.lab.close(self.clock.at(now), End::Client);
    }

    /// Tears the connection down with RST.
    pub fn reset(&mut self, now: Instant) {
        self.lab.reset(self.clock.at(now), End::Client);
    }

    /// Turns TCP_NODELAY.
    pub fn set_nodelay(&mut self, on: bool, now: Instant) {
        self.lab.set_nodelay(self.clock.at(now), on);
    }

    /// Turns the knobs of the link that can be turned under way.
    pub fn set_link(&mut self, link: &Link) {
        self.lab.set_link(link);
    }

    /// The packets that were sent since the last call, and the moment from which their times count.
    pub fn take_packets(&mut self) -> (Vec<Packet>, Instant) {
        (std::mem::take(&mut self.packets), self.clock.0)
    }
}

impl ServerSide {
    async fn ready(&mut self, reads: bool, writes: bool) {
        let stream = match self {
            Self::Dialing(dialing) => {
                *self = Self::Dialed(dialing.await);
                return;
            }
            Self::Open(stream) | Self::ShutDown(stream) => stream,
            Self::Bound(_) | Self::Dialed(_) | Self::Gone => return pending().await,
        };
        let interest = match (reads, writes) {
            (true, true) => Interest::READABLE | Interest::WRITABLE,
            (true, false) => Interest::READABLE,
            (false, true) => Interest::WRITABLE,
            (false, false) => return pending().await,
        };
        // What `ready` fails with, the next read fails with too, and there it is handled.
        let _ready = stream.ready(interest).await;
    }

    /// Dials when the lab's handshake is done, and takes note when the server has answered.
    fn advance(&mut self, state: State, target: SocketAddr) -> bool {
        let open = !matches!(state, State::Connecting | State::Reset | State::TimedOut);
        match std::mem::replace(self, Self::Gone) {
            Self::Bound(socket) if open => *self = Self::Dialing(Box::pin(socket.connect(target))),
            Self::Dialed(Ok(stream)) => {
                // A reply of two chunks would wait for a delayed ACK; without the option it just does.
                let _set = stream.set_nodelay(true);
                *self = Self::Open(stream);
            }
            other => {
                *self = other;
                return false;
            }
        }
        true
    }

    fn write(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Self::Open(stream) = self else { return false };
        if bytes.is_empty() {
            return false;
        }
        // A connection that has broken is noticed by the next read.
        let written = stream.try_write(bytes).unwrap_or(0);
        bytes.drain(..written);
        written > 0
    }

    /// Bytes, 0 for FIN, nothing if there is nothing to read now.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Open(stream) | Self::ShutDown(stream) => match stream.try_read(buffer) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) => Err(error),
            },
            Self::Dialed(Err(_)) => Err(io::ErrorKind::ConnectionRefused.into()),
            Self::Bound(_) | Self::Dialing(_) | Self::Dialed(Ok(_)) | Self::Gone => Ok(None),
        }
    }

    /// Passes FIN on to the server.
    fn shut_down(&mut self) {
        match std::mem::replace(self, Self::Gone) {
            Self::Open(mut stream) => {
                direct::shut_down(&mut stream);
                *self = Self::ShutDown(stream);
            }
            other => *self = other,
        }
    }

    /// Passes RST on to the server.
    fn reset(&mut self) {
        if let Self::Open(stream) | Self::ShutDown(stream) = self {
            direct::reset_when_closed(stream);
        }
        self.end();
    }

    fn end(&mut self) {
        *self = Self::Gone;
    }
}

fn over(overrun: Overrun) -> TcpTurn {
    TcpTurn::Ended(Cause::Limit, Some(io::Error::other(overrun.to_string())))
}

impl fmt::Debug for EmulatedTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatedTcp").field("lab", &self.lab).finish_non_exhaustive()
    }
}
