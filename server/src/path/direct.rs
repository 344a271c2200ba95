//! The direct path: a kernel socket, straight to the server.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpSocket, UdpSocket};

/// A TCP socket with a local address, not yet connected.
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub fn bind_tcp(target: SocketAddr) -> io::Result<(TcpSocket, SocketAddr)> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(local(target))?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// A UDP socket connected to its server. Connected, so that a closed port is heard of: ICMP port
/// unreachable then fails the next call (RFC 1122, section 4.1.3.3).
///
/// # Errors
/// What the system says, for example that there are no descriptors or ports left.
pub async fn connect_udp(target: SocketAddr) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind(local(target)).await?;
    socket.connect(target).await?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

/// The servers are on this machine, so what reaches them can also be left from.
fn local(target: SocketAddr) -> SocketAddr {
    SocketAddr::new(target.ip(), 0)
}
