//! The faulty servers: their sockets, and the thread on which all of them answer.

use std::io;
use std::net::SocketAddr;

use futures_util::future::try_join_all;
use socket2::{Socket, Type};
use streamgram_protocol::Protocol;
use streamgram_protocol::fault::{Accept, TcpRecipe, UdpRecipe};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

use super::bind::{BACKLOG, BindError, bound};
use crate::config::{FaultyServers, TcpLimits, UdpLimits};
use crate::fault::tcp::{self, Door, STALLED_BYTES};
use crate::fault::udp::{self, Sockets};
use crate::timestamp::Shared;
use crate::web::FaultyAddress;

/// Bound sockets of the faulty servers, not yet served.
#[derive(Debug)]
pub(super) struct Faults {
    tcp: Vec<(usize, Socket, TcpRecipe)>,
    udp: Vec<(usize, Socket, Option<Socket>, UdpRecipe)>,
    /// The real addresses, where port 0 was asked for too.
    pub(super) addresses: Vec<FaultyAddress>,
}

impl Faults {
    /// Binds all of them.
    ///
    /// # Errors
    /// The first address that fails.
    pub(super) fn bind(asked: &FaultyServers) -> Result<Self, BindError> {
        let mut faults = Self { tcp: Vec::new(), udp: Vec::new(), addresses: Vec::new() };
        for faulty in &asked.fault_tcp {
            let (at, recipe) = (faulty.address, faulty.recipe.clone());
            let failed = |cause| BindError::Address { surface: "faulty TCP", address: at, cause };
            let socket = door(at, &recipe).map_err(failed)?;
            let (address, place) = (address_of(&socket).map_err(failed)?, faults.addresses.len());
            let protocol = Protocol::Tcp;
            faults.addresses.push(FaultyAddress { protocol, address, recipe: recipe.to_string() });
            faults.tcp.push((place, socket, recipe));
        }
        for faulty in &asked.fault_udp {
            let (at, recipe) = (faulty.address, faulty.recipe.clone());
            let failed = |cause| BindError::Address { surface: "faulty UDP", address: at, cause };
            let (socket, other) = sockets(at, &recipe).map_err(failed)?;
            let (address, place) = (address_of(&socket).map_err(failed)?, faults.addresses.len());
            let protocol = Protocol::Udp;
            faults.addresses.push(FaultyAddress { protocol, address, recipe: recipe.to_string() });
            faults.udp.push((place, socket, other, recipe));
        }
        Ok(faults)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// Serves all of them until `stop`.
    ///
    /// # Errors
    /// A socket that cannot be used, or a listener that has ended.
    pub(super) async fn serve(
        self,
        shared: Shared,
        limits: (TcpLimits, UdpLimits),
        stop: CancellationToken,
    ) -> io::Result<()> {
        let serve_tcp = |(place, socket, recipe): (usize, Socket, TcpRecipe)| {
            let (shared, stop) = (shared.clone(), stop.clone());
            async move {
                let door = if recipe.accept == Accept::Refuse {
                    Door::Closed(socket)
                } else {
                    Door::Open(TcpListener::from_std(socket.into())?)
                };
                tcp::serve((place, door), recipe, shared, limits.0, stop).await
            }
        };
        let serve_udp =
            |(place, asked, other, recipe): (usize, Socket, Option<Socket>, UdpRecipe)| {
                let (shared, stop) = (shared.clone(), stop.clone());
                async move {
                    let asked = UdpSocket::from_std(asked.into())?;
                    let other = other.map(|other| UdpSocket::from_std(other.into())).transpose()?;
                    udp::serve((place, Sockets { asked, other }), recipe, shared, limits.1, stop)
                        .await
                }
            };
        let tcp = try_join_all(self.tcp.into_iter().map(serve_tcp));
        let udp = try_join_all(self.udp.into_iter().map(serve_udp));
        tokio::try_join!(tcp, udp).map(drop)
    }
}

/// A socket that listens, unless nobody is to.
fn door(at: SocketAddr, recipe: &TcpRecipe) -> io::Result<Socket> {
    let socket = bound(Type::STREAM, at)?;
    if recipe.stall.is_some() {
        // Connections have it from the listener.
        socket.set_recv_buffer_size(STALLED_BYTES)?;
    }
    if recipe.accept != Accept::Refuse {
        socket.listen(BACKLOG)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The socket that is asked, and the one that answers if that is another.
fn sockets(at: SocketAddr, recipe: &UdpRecipe) -> io::Result<(Socket, Option<Socket>)> {
    let asked = bound(Type::DGRAM, at)?;
    asked.set_nonblocking(true)?;
    let own = address_of(&asked)?;
    if recipe.accept == Accept::Refuse {
        // The system refuses what comes from anybody but the peer of a connected socket: here, itself.
        asked.connect(&own.into())?;
    }
    let other = recipe.other_port.then(|| {
        let other = bound(Type::DGRAM, SocketAddr::new(own.ip(), 0))?;
        other.set_nonblocking(true)?;
        Ok::<_, io::Error>(other)
    });
    Ok((asked, other.transpose()?))
}

fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
