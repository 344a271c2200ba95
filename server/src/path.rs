//! The path from a leg to its server: a kernel socket, or an emulated link with a kernel socket behind it.
//! A leg cannot see which of the two it is, except that an emulated path also reports packets.
//!
//! The local address is known before anything is sent, so that it can be registered with the
//! [`Observer`](crate::observe::Observer) first. Only `ready` waits.

pub mod direct;
pub mod emulated;
mod turn;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_lab::BadDatagram;
use streamgram_protocol::{Limits, Line, Link, Path};
pub use turn::{Answers, Arrival, Piece, Recording, TcpTurn, UdpTurn};

use self::direct::{DirectTcp, DirectUdp};
use self::emulated::{EmulatedTcp, EmulatedUdp, Permit};

/// Which path a leg asks for.
#[derive(Debug)]
pub enum Route {
    /// Straight to the server.
    Direct,
    /// Over a [checked](Link::check) link.
    Emulated(Box<Link>, Permit),
}

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
    /// Starts the handshake.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn connect(
        route: Route,
        target: SocketAddr,
        nodelay: bool,
        limits: &Limits,
    ) -> io::Result<Self> {
        Ok(match route {
            Route::Direct => {
                let patience = Duration::from_millis(limits.connect_ms.into());
                Self::Direct(DirectTcp::connect(target, nodelay, patience)?)
            }
            Route::Emulated(link, permit) => {
                let connection = EmulatedTcp::connect(target, &link, nodelay, limits, permit)?;
                Self::Emulated(Box::new(connection))
            }
        })
    }

    /// The address that the server sees as its peer.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        match self {
            Self::Direct(connection) => connection.local,
            Self::Emulated(connection) => connection.local,
        }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Path {
        match self {
            Self::Direct(_) => Path::Direct,
            Self::Emulated(_) => Path::Emulated,
        }
    }

    /// Bytes that it holds: packets, and what waits in queues.
    #[must_use]
    pub fn held(&self) -> usize {
        match self {
            Self::Direct(_) => 0,
            Self::Emulated(connection) => connection.held(),
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
            Self::Direct(connection) => connection.turn(now),
            Self::Emulated(connection) => connection.turn(now),
        }
    }

    /// Writes bytes of a line; how many there was room for.
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

    /// The packets that an emulated path has carried since the last call.
    pub fn drain_packets(&mut self) -> Option<Recording> {
        match self {
            Self::Direct(_) => None,
            Self::Emulated(connection) => Some(connection.drain_packets()),
        }
    }
}

impl UdpPath {
    /// Opens the socket.
    ///
    /// # Errors
    /// What the system says of it.
    pub async fn open(route: Route, target: SocketAddr, limits: &Limits) -> io::Result<Self> {
        Ok(match route {
            Route::Direct => Self::Direct(DirectUdp::open(target).await?),
            Route::Emulated(link, permit) => {
                let socket = EmulatedUdp::open(target, &link, limits, permit).await?;
                Self::Emulated(Box::new(socket))
            }
        })
    }

    /// The address that the server sees as its peer.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        match self {
            Self::Direct(socket) => socket.local,
            Self::Emulated(socket) => socket.local,
        }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> Path {
        match self {
            Self::Direct(_) => Path::Direct,
            Self::Emulated(_) => Path::Emulated,
        }
    }

    /// Bytes that it holds: packets, and what waits in queues.
    #[must_use]
    pub fn held(&self) -> usize {
        match self {
            Self::Direct(_) => 0,
            Self::Emulated(socket) => socket.held(),
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
            Self::Direct(socket) => socket.turn(now),
            Self::Emulated(socket) => socket.turn(now),
        }
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// There is no room now, an earlier datagram was refused, this one is too long, or the system reports
    /// something else.
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

    /// The packets that an emulated path has carried since the last call.
    pub fn drain_packets(&mut self) -> Option<Recording> {
        match self {
            Self::Direct(_) => None,
            Self::Emulated(socket) => Some(socket.drain_packets()),
        }
    }
}
