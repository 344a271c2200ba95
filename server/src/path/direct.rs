//! The direct path: a kernel socket, straight to the server.

mod arrivals;

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use socket2::SockRef;
use streamgram_protocol::Cause;
use tokio::io::{AsyncWrite, Interest};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use self::arrivals::{Arrivals, Received, received};
use super::turn::{TcpTurn, UdpTurn};
use crate::observe::cause_of;
use crate::udp_error;

/// A TCP socket with a local address, not yet connected.
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub fn bind_tcp(target: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(local(target))?;
    Ok(socket)
}

/// A UDP socket that is connected to its server, so that a closed port is noticed: ICMP port unreachable
/// then fails the next call (RFC 1122, section 4.1.3.3).
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub async fn connect_udp(target: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(local(target)).await?;
    socket.connect(target).await?;
    Ok(socket)
}

/// The servers are on this machine, so their address is also one of our own. A link-local one keeps its
/// zone, without which it is no address (RFC 4007, section 6).
fn local(mut target: SocketAddr) -> SocketAddr {
    target.set_port(0);
    target
}

/// Sends FIN. It is one system call that never waits. If the connection has broken, the next read fails.
pub(super) fn shut_down(stream: &mut TcpStream) {
    let mut context = Context::from_waker(Waker::noop());
    let _done = Pin::new(stream).poll_shutdown(&mut context);
}

/// Makes closing the socket send RST instead of FIN, by a linger time of zero (socket(7)).
pub(super) fn reset_when_closed(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection is closed instead of reset");
    }
}

/// A datagram from a connected socket, if one has come; a refusal is an error.
pub(super) fn receive(socket: &UdpSocket) -> io::Result<Option<Vec<u8>>> {
    refused(socket)?;
    match received(|buffer| Ok((socket.try_recv(buffer)?, ()))) {
        Ok((bytes, ())) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails if an earlier datagram was refused. If there is only that, receiving does not look at the socket.
fn refused(socket: &UdpSocket) -> io::Result<()> {
    let error = socket.try_io(Interest::ERROR, || {
        let error = socket.take_error()?;
        error.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    });
    error.map_or(Ok(()), Err)
}

/// A connection, from its SYN to its end.
pub struct DirectTcp {
    state: State,
    arrivals: Arrivals,
    nodelay: bool,
    /// What the server sees as its peer.
    pub(super) local: SocketAddr,
}

enum State {
    Connecting(Pin<Box<dyn Future<Output = io::Result<Handshake>> + Send>>),
    Connected(io::Result<Handshake>),
    Open(TcpStream),
    Ended,
}

struct Handshake {
    stream: TcpStream,
    took: Duration,
}

impl DirectTcp {
    /// Starts the handshake, which is given up after `patience`.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn connect(target: SocketAddr, nodelay: bool, patience: Duration) -> io::Result<Self> {
        let socket = bind_tcp(target)?;
        let (local, arrivals) = (socket.local_addr()?, Arrivals::of(&SockRef::from(&socket)));
        let handshake = async move {
            let started = Instant::now();
            let stream = tokio::time::timeout(patience, socket.connect(target)).await??;
            Ok(Handshake { stream, took: started.elapsed() })
        };
        Ok(Self { state: State::Connecting(Box::pin(handshake)), arrivals, nodelay, local })
    }

    /// Waits until a turn would do something, or there is room to write if something waits for it.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&mut self, writes: bool) {
        match &mut self.state {
            State::Connecting(handshake) => self.state = State::Connected(handshake.await),
            State::Connected(_) => {}
            State::Open(stream) => {
                let read = Interest::READABLE;
                let interest = if writes { read | Interest::WRITABLE } else { read };
                // If `ready` fails, the next read fails too, which is handled there.
                let _ready = stream.ready(interest).await;
            }
            State::Ended => pending().await,
        }
    }

    /// Completes the handshake, or reads; `now` is before that.
    pub fn turn(&mut self, now: Instant) -> TcpTurn {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Connected(Ok(Handshake { stream, took })) => {
                let set = stream.set_nodelay(self.nodelay);
                self.state = State::Open(stream);
                match set {
                    Ok(()) => TcpTurn::Opened { at: Instant::now(), took },
                    Err(error) => broken(error),
                }
            }
            State::Connected(Err(error)) => broken(error),
            State::Open(stream) => {
                let turn = read(&stream, &mut self.arrivals, now);
                self.state = State::Open(stream);
                turn
            }
            waiting => {
                self.state = waiting;
                TcpTurn::Idle
            }
        }
    }

    /// Writes as much as the socket has room for.
    ///
    /// # Errors
    /// The connection has broken.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let State::Open(stream) = &self.state else { return Ok(0) };
        self.arrivals.expect();
        match stream.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    /// Turns TCP_NODELAY.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_nodelay(&mut self, on: bool) -> io::Result<()> {
        self.nodelay = on;
        let State::Open(stream) = &self.state else { return Ok(()) };
        stream.set_nodelay(on)
    }

    /// Sends FIN; replies are still read.
    pub fn shut_down(&mut self) {
        if let State::Open(stream) = &mut self.state {
            shut_down(stream);
        }
    }

    /// Makes the end of the connection an RST.
    pub fn reset_when_closed(&self) {
        if let State::Open(stream) = &self.state {
            reset_when_closed(stream);
        }
    }
}

fn read(stream: &TcpStream, arrivals: &mut Arrivals, now: Instant) -> TcpTurn {
    match arrivals.read(stream, now) {
        Ok(Received { bytes, .. }) if bytes.is_empty() => {
            TcpTurn::Ended { cause: Cause::PeerClosed, error: None }
        }
        Ok(Received { bytes, arrival }) => TcpTurn::Reply { bytes, arrival },
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => TcpTurn::Idle,
        Err(error) => broken(error),
    }
}

fn broken(error: io::Error) -> TcpTurn {
    TcpTurn::Ended { cause: cause_of(&error), error: Some(error) }
}

impl fmt::Debug for DirectTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectTcp").field("nodelay", &self.nodelay).finish_non_exhaustive()
    }
}

/// A socket connected to its server.
#[derive(Debug)]
pub struct DirectUdp {
    socket: UdpSocket,
    arrivals: Arrivals,
    /// What the server sees as its peer.
    pub(super) local: SocketAddr,
}

impl DirectUdp {
    /// Opens the socket.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub async fn open(target: SocketAddr) -> io::Result<Self> {
        let socket = connect_udp(target).await?;
        let arrivals = Arrivals::of(&SockRef::from(&socket));
        Ok(Self { local: socket.local_addr()?, arrivals, socket })
    }

    /// Waits until a turn would do something, or there is room to send if something waits for it.
    ///
    /// # Cancel safety
    /// Losing a `select!` loses nothing.
    pub async fn ready(&self, sends: bool) {
        // A refusal alone does not make a socket readable.
        let mut interest = Interest::READABLE | Interest::ERROR;
        if sends {
            interest |= Interest::WRITABLE;
        }
        if self.socket.ready(interest).await.is_err() {
            // This fails only if the runtime is shutting down; there is nothing left to wait for.
            pending().await
        }
    }

    /// Receives; `now` is before that.
    pub fn turn(&mut self, now: Instant) -> UdpTurn {
        let Self { socket, arrivals, .. } = self;
        match refused(socket).and_then(|()| arrivals.receive(socket, now)) {
            Ok(Received { bytes, arrival }) => UdpTurn::FromServer { bytes, arrival },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => UdpTurn::Idle,
            Err(error) if udp_error::is_refusal(&error) => UdpTurn::Refused,
            // The error is about a datagram that is lost; its line will have no reply.
            Err(_) => UdpTurn::More,
        }
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// There is no room now, an earlier datagram was refused, or the system reports something else.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_send(bytes)
    }
}
