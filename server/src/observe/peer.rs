//! The other end of what a server sees.

use std::net::SocketAddr;

use streamgram_protocol::Protocol;

/// An address as the server of a protocol sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
}

impl Peer {
    /// A server on `[::]` sees IPv4 peers as mapped addresses (RFC 4291, section 2.5.5.2): they are the
    /// same.
    pub(super) fn new(protocol: Protocol, address: SocketAddr) -> Self {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        Self { protocol, address }
    }
}
