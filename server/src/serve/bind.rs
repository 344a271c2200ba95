//! The sockets of all listeners: handed over by a service manager, or bound here. All of them or none.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};

use super::activation::{BadSocket, Inherited};
use crate::config::Serve;
use crate::room::BadStore;
use crate::web::{Addresses, FaultyAddress};

/// Connections that wait to be accepted; with more, a client tries again after a second.
pub(super) const BACKLOG: i32 = 1_024;

/// Bound sockets, not yet served.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) http: TcpListener,
    pub(super) tcp: TcpListener,
    pub(super) udp: UdpSocket,
    pub(super) admin: Option<TcpListener>,
    /// The real addresses, where port 0 was asked for too.
    pub(super) addresses: Addresses,
}

/// Why there is nothing to listen on.
#[derive(Debug, Error)]
pub enum BindError {
    /// An address that could not be bound.
    #[error("cannot listen on {surface} {address}: {cause}")]
    Address {
        /// Which listener.
        surface: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// A socket that was handed over and cannot be used.
    #[error(transparent)]
    Inherited(#[from] BadSocket),
    /// A shared store whose flags cannot be followed.
    #[error(transparent)]
    Store(#[from] BadStore),
}

impl Sockets {
    /// Takes the sockets that were handed over, and binds the other addresses; those of the faulty servers are bound.
    ///
    /// # Errors
    /// The first socket or address that fails; then nothing listens.
    pub(super) fn bind(
        config: &Serve,
        inherited: Inherited,
        faults: Vec<FaultyAddress>,
    ) -> Result<Self, BindError> {
        let failed = |surface, address| move |cause| BindError::Address { surface, address, cause };
        let http = listener(inherited.http, config.http);
        let http = http.map_err(failed("HTTP", config.http))?;
        let tcp = listener(inherited.tcp, config.tcp);
        let tcp = tcp.map_err(failed("TCP", config.tcp))?;
        let udp = socket(inherited.udp, config.udp);
        let udp = udp.map_err(failed("UDP", config.udp))?;
        let (admin, admin_address) = match config.admin {
            Some(address) => {
                let failed = failed("admin", address);
                let admin = listener(None, address).map_err(failed)?;
                let address = admin.local_addr().map_err(failed)?;
                (Some(admin), Some(address))
            }
            None => (None, None),
        };
        let addresses = Addresses {
            http: http.local_addr().map_err(failed("HTTP", config.http))?,
            tcp: tcp.local_addr().map_err(failed("TCP", config.tcp))?,
            udp: udp.local_addr().map_err(failed("UDP", config.udp))?,
            admin: admin_address,
            faults,
        };
        Ok(Self { http, tcp, udp, admin, addresses })
    }
}

fn listener(
    inherited: Option<std::net::TcpListener>,
    address: SocketAddr,
) -> io::Result<TcpListener> {
    let listener = match inherited {
        Some(listener) => listener,
        None => {
            let socket = bound(Type::STREAM, address)?;
            socket.listen(BACKLOG)?;
            socket.into()
        }
    };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn socket(inherited: Option<std::net::UdpSocket>, address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match inherited {
        Some(socket) => socket,
        None => bound(Type::DGRAM, address)?.into(),
    };
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// A socket of an address. `[::]` is every address of IPv4 too, whatever the system's default is.
pub(super) fn bound(kind: Type, address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Else connections that have just ended would keep the port. Windows has another meaning for it.
    if cfg!(unix) && kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}
