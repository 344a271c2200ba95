//! Sockets that a service manager has opened already, so that a restart refuses nobody
//! (sd_listen_fds(3)).

use std::env;
use std::net::{TcpListener, UdpSocket};

use listenfd::ListenFd;
use thiserror::Error;

/// What was handed over; the rest this process opens itself.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    /// The page, the API and the WebSocket.
    pub(super) http: Option<TcpListener>,
    /// The TCP timestamp server.
    pub(super) tcp: Option<TcpListener>,
    /// The UDP timestamp server.
    pub(super) udp: Option<UdpSocket>,
}

/// A socket that was handed over and cannot be used.
#[derive(Debug, Error)]
pub enum BadSocket {
    /// Its name is not known.
    #[error("socket {index} of LISTEN_FDS has the name {name:?}; http, tcp and udp are known")]
    Name {
        /// Which one, from 0.
        index: usize,
        /// Its name in `LISTEN_FDNAMES`.
        name: String,
    },
    /// There is another one with its name.
    #[error("socket {index} of LISTEN_FDS: there is another one with the name {name}")]
    Twice {
        /// Which one, from 0.
        index: usize,
        /// Its name in `LISTEN_FDNAMES`.
        name: String,
    },
    /// It is of another kind than its name says.
    #[error("socket {index} of LISTEN_FDS, {name}: {cause}")]
    Kind {
        /// Which one, from 0.
        index: usize,
        /// Its name in `LISTEN_FDNAMES`.
        name: String,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Takes the sockets that were handed over, by the names that `FileDescriptorName=` gave them.
///
/// # Errors
/// One of them has another name or the same as another one, or is of another kind.
pub(super) fn inherited() -> Result<Inherited, BadSocket> {
    let mut sockets = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut inherited = Inherited::default();
    for index in 0..sockets.len() {
        let name = names.next().unwrap_or_default();
        let replaced = match name.as_str() {
            "http" => sockets.take_tcp_listener(index).map(|it| replaces(&mut inherited.http, it)),
            "tcp" => sockets.take_tcp_listener(index).map(|it| replaces(&mut inherited.tcp, it)),
            "udp" => sockets.take_udp_socket(index).map(|it| replaces(&mut inherited.udp, it)),
            _ => return Err(BadSocket::Name { index, name }),
        };
        match replaced {
            Ok(false) => {}
            Ok(true) => return Err(BadSocket::Twice { index, name }),
            Err(cause) => return Err(BadSocket::Kind { index, name, cause }),
        }
    }
    Ok(inherited)
}

/// Puts a socket in its place; whether there was one.
fn replaces<Socket>(place: &mut Option<Socket>, socket: Option<Socket>) -> bool {
    std::mem::replace(place, socket).is_some()
}
