//! The direct path: a kernel socket, straight to the server.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use streamgram_protocol::Cause;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::turn::{TcpTurn, UdpTurn};
use crate::observe::cause_of;

/// Bytes that are read at a time; more come with the next read.
const READ_BYTES: usize = 4 * 1024;

/// A TCP socket with a local address, not yet connected.
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub fn bind_tcp(target: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(local(target))?;
    Ok(socket)
}

/// A UDP socket connected to its server. Connected, so that a closed port is heard of: ICMP port
/// unreachable then fails the next call (RFC 1122, section 4.1.3.3).
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub async fn connect_udp(target: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(local(target)).await?;
    socket.connect(target).await?;
    Ok(socket)
}

/// The servers are on this machine, so what reaches them can also be left from.
fn local(target: SocketAddr) -> SocketAddr {
    SocketAddr::new(target.ip(), 0)
}

/// Sends FIN. It is one system call and never waits; if the connection has broken, the next read tells.
pub(super) fn shut_down(stream: &mut TcpStream) {
    let mut context = Context::from_waker(Waker::noop());
    let _done = Pin::new(stream).poll_shutdown(&mut context);
}

/// Makes the end of the socket an RST instead of a FIN: a linger time of zero does (socket(7)).
pub(super) fn reset_when_closed(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection is closed instead of reset");
    }
}

/// A datagram from a connected socket, if one has come; a refusal is an error.
pub(super) fn receive(socket: &UdpSocket) -> io::Result<Option<Vec<u8>>> {
    // A refusal alone is no reason for `try_recv` to look at the socket.
    let error = socket.try_io(Interest::ERROR, || {
        let error = socket.take_error()?;
        error.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    });
    if let Ok(error) = error {
        return Err(error);
    }
    match received(|buffer| socket.try_recv(buffer)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// What `receive` has put into a buffer.
fn received(receive: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Vec<u8>> {
    thread_local! {
        // A turn asks many times in vain: a buffer of its own each time would have to be cleared, and
        // one for each leg would stay with it while it is idle.
        static BUFFER: RefCell<[u8; READ_BYTES]> = const { RefCell::new([0; READ_BYTES]) };
    }
    BUFFER.with_borrow_mut(|buffer| receive(buffer).map(|bytes| buffer[..bytes].to_vec()))
}

/// A connection, from its SYN to its end.
pub struct DirectTcp {
    state: State,
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
        let local = socket.local_addr()?;
        let handshake = async move {
            let started = Instant::now();
            let stream = tokio::time::timeout(patience, socket.connect(target)).await??;
            Ok(Handshake { stream, took: started.elapsed() })
        };
        Ok(Self { state: State::Connecting(Box::pin(handshake)), nodelay, local })
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
                // What `ready` fails with, the next read fails with too, and there it is handled.
                let _ready = stream.ready(interest).await;
            }
            State::Ended => pending().await,
        }
    }

    /// Takes note of the end of the handshake, or reads.
    pub fn turn(&mut self) -> TcpTurn {
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
            State::Open(mut stream) => {
                let turn = read(&mut stream);
                self.state = State::Open(stream);
                turn
            }
            waiting => {
                self.state = waiting;
                TcpTurn::Idle
            }
        }
    }

    /// Writes what the socket takes; 0 if it takes nothing now.
    ///
    /// # Errors
    /// The connection has broken.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let State::Open(stream) = &self.state else { return Ok(0) };
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

fn read(stream: &mut TcpStream) -> TcpTurn {
    // Unlike `try_read` this remembers of a short read that there is no more, so that the next turn need not
    // ask the system in vain. Whom to wake, `ready` tells.
    let mut context = Context::from_waker(Waker::noop());
    let read = received(|buffer| {
        let mut place = ReadBuf::new(buffer);
        match Pin::new(stream).poll_read(&mut context, &mut place) {
            Poll::Ready(read) => read.map(|()| place.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    });
    match read {
        Ok(bytes) if bytes.is_empty() => TcpTurn::Ended { cause: Cause::PeerClosed, error: None },
        Ok(bytes) => TcpTurn::Reply { bytes, at: Instant::now() },
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
        Ok(Self { local: socket.local_addr()?, socket })
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
            // Only a runtime that is shutting down fails here; there is nothing left to wait for.
            pending().await
        }
    }

    /// Receives.
    pub fn turn(&self) -> UdpTurn {
        match receive(&self.socket) {
            Ok(None) => UdpTurn::Idle,
            Ok(Some(bytes)) => UdpTurn::Reply { bytes, line: None, at: Instant::now() },
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => UdpTurn::Refused,
            // Such an error is about a datagram that is gone; its line will have no reply.
            Err(_) => UdpTurn::More,
        }
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// There is no room now, an earlier datagram was refused, or what else the system says.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.try_send(bytes)
    }
}
