//! The server's side of an emulated connection: a kernel socket from the gateway to the real server. It
//! connects when the handshake in the lab is done.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use streamgram_lab::State;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream};

use crate::path::direct;

/// The gateway's connection to the server.
pub(super) enum ServerSide {
    /// Until the handshake in the lab is done.
    Bound(TcpSocket),
    Dialing(Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>),
    Dialed(io::Result<TcpStream>),
    Open(TcpStream),
    /// The client has sent FIN, and it was passed on.
    ShutDown(TcpStream),
    Gone,
}

impl ServerSide {
    pub(super) async fn ready(&mut self, reads: bool, writes: bool) {
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
        // If `ready` fails, the next read fails too, which is handled there.
        let _ready = stream.ready(interest).await;
    }

    /// Connects when the lab's handshake is done; whether anything changed.
    pub(super) fn advance(&mut self, state: State, target: SocketAddr) -> bool {
        let open = !matches!(state, State::Connecting | State::Reset | State::TimedOut);
        match std::mem::replace(self, Self::Gone) {
            Self::Bound(socket) if open => *self = Self::Dialing(Box::pin(socket.connect(target))),
            Self::Dialed(Ok(stream)) => {
                // Else a reply of two chunks would wait for a delayed ACK. If the option fails, it waits.
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

    pub(super) fn write(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Self::Open(stream) = self else { return false };
        if bytes.is_empty() {
            return false;
        }
        // If the connection has broken, the next read fails.
        let written = stream.try_write(bytes).unwrap_or(0);
        bytes.drain(..written);
        written > 0
    }

    /// Bytes, 0 for FIN, nothing if there is nothing to read now.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
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
    pub(super) fn shut_down(&mut self) {
        match std::mem::replace(self, Self::Gone) {
            Self::Open(mut stream) => {
                direct::shut_down(&mut stream);
                *self = Self::ShutDown(stream);
            }
            other => *self = other,
        }
    }

    /// Passes RST on to the server.
    pub(super) fn reset(&mut self) {
        if let Self::Open(stream) | Self::ShutDown(stream) = self {
            direct::reset_when_closed(stream);
        }
        self.end();
    }

    pub(super) fn end(&mut self) {
        *self = Self::Gone;
    }
}
