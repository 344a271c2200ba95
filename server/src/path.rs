//! What lies between a leg and its server: a kernel socket, or an emulated link and a kernel socket
//! behind it. A leg cannot tell the difference, but for the packets that it also hears about.
//!
//! A leg's local address is known before anything is sent, so that it can be registered with the
//! [`Observer`](crate::observe::Observer) first. Nothing here waits but `ready`.

pub mod direct;
pub mod emulated;
mod turn;

use std::io;
use std::time::Instant;

use streamgram_lab::{BadDatagram, Packet};
use streamgram_protocol::{Line, Path};
pub use turn::{TcpTurn, UdpTurn};

use self::direct::{DirectTcp, DirectUdp};
use self::emulated::{EmulatedTcp, EmulatedUdp};

/// A TCP connection over either path.
#[derive(Debug)]
pub enum TcpPath {
    /// A kernel socket.
    Direct(DirectTcp),
    /// A lab.
    Emulated(Box<EmulatedTcp>),
}

/// A UDP socket over either path.
#[derive(Debug)]
pub enum UdpPath {
    /// A kernel socket.
    Direct(DirectUdp),
    /// A lab.
    Emulated(Box<EmulatedUdp>),
}

impl TcpPath {
    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Path {
        match self {
            Self::Direct(_) => Path::Direct,
            Self::Emulated(_) => Path::Emulated,
        }
    }

    /// Waits until a turn would do something, or there is room to write if something waits for it.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self, writes: bool) {
        match self {
            Self::Direct(connection) => connection.ready(writes).await,
            Self::Emulated(connection) => connection.ready().await,
        }
    }

    /// Does what can be done without waiting, up to the first thing that the leg must know.
    pub fn turn(&mut self, now: Instant) -> TcpTurn {
        match self {
            Self::Direct(connection) => connection.turn(),
            Self::Emulated(connection) => connection.turn(now),
        }
    }

    /// Takes bytes of a line; 0 if it takes none now.
    ///
    /// # Errors
    /// The connection has broken.
    pub fn write(&mut self, bytes: &[u8], line: Line, now: Instant) -> io::Result<usize> {
        match self {
            Self::Direct(connection) => connection.write(bytes),
            Self::Emulated(connection) => Ok(connection.write(bytes, line, now)),
        }
    }

    /// Turns TCP_NODELAY.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&mut self, on: bool, now: Instant) -> io::Result<()> {
        match self {
            Self::Direct(connection) => connection.set_nodelay(on),
            Self::Emulated(connection) => {
                connection.set_nodelay(on, now);
                Ok(())
            }
        }
    }

    /// Sends FIN; replies are still read.
    pub fn shut_down(&mut self, now: Instant) {
        match self {
            Self::Direct(connection) => connection.shut_down(),
            Self::Emulated(connection) => connection.close(now),
        }
    }

    /// The packets since the last call, and the moment from which their times count.
    pub fn take_packets(&mut self) -> Option<(Vec<Packet>, Instant)> {
        match self {
            Self::Direct(_) => None,
            Self::Emulated(connection) => Some(connection.take_packets()),
        }
    }
}

impl UdpPath {
    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Path {
        match self {
            Self::Direct(_) => Path::Direct,
            Self::Emulated(_) => Path::Emulated,
        }
    }

    /// Waits until a turn would do something, or there is room to send if something waits for it.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&self, sends: bool) {
        match self {
            Self::Direct(socket) => socket.ready(sends).await,
            Self::Emulated(socket) => socket.ready().await,
        }
    }

    /// Does what can be done without waiting, up to the first thing that the leg must know.
    pub fn turn(&mut self, now: Instant) -> UdpTurn {
        match self {
            Self::Direct(socket) => socket.turn(),
            Self::Emulated(socket) => socket.turn(now),
        }
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// There is no room now, an earlier datagram was refused, this one is too long, or what else the
    /// system says.
    pub fn send(&mut self, bytes: &[u8], line: Line, now: Instant) -> io::Result<usize> {
        match self {
            Self::Direct(socket) => socket.send(bytes),
            Self::Emulated(socket) => match socket.send(bytes, line, now) {
                Ok(()) => Ok(bytes.len()),
                Err(BadDatagram::QueueFull) => Err(io::ErrorKind::WouldBlock.into()),
                Err(too_long @ BadDatagram::TooLong(_)) => {
                    Err(io::Error::other(too_long.to_string()))
                }
            },
        }
    }

    /// The packets since the last call, and the moment from which their times count.
    pub fn take_packets(&mut self) -> Option<(Vec<Packet>, Instant)> {
        match self {
            Self::Direct(_) => None,
            Self::Emulated(socket) => Some(socket.take_packets()),
        }
    }
}
