//! A socket that tells at which of this machine's addresses a datagram came, and answers from there.
//!
//! A socket that listens on every address would otherwise answer from the address that the system prefers.
//! A client that has connected its own socket to another one never sees such a reply. To ask for the address
//! costs up to a tenth of a reply, some of which batches save; a socket of one address does not ask.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Datagrams that one system call receives; recvmmsg(2) is Linux's. With more, a call hardly costs less per
/// datagram.
const BATCH: usize = if cfg!(target_os = "linux") { 8 } else { 1 };
/// Room for the largest datagram that UDP's length field allows (RFC 768), so that its full length is
/// known, and not only what a `recv(1024)` would keep.
const BUFFER_BYTES: usize = 65_535;

/// A socket of one or of all addresses.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    /// The address that it is bound to.
    pub(crate) own: SocketAddr,
    /// What asks the system where a datagram came, if that can be anywhere.
    asks: Option<UdpSocketState>,
}

/// The two ends that a datagram has travelled between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    /// Its sender.
    pub(crate) peer: SocketAddr,
    /// The address of this machine that it was sent to.
    pub(crate) local: IpAddr,
}

/// Room for a batch of datagrams.
#[derive(Debug)]
pub(crate) struct Batch {
    buffers: [Vec<u8>; BATCH],
    about: [RecvMeta; BATCH],
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: std::array::from_fn(|_| vec![0; BUFFER_BYTES]),
            about: [RecvMeta::default(); BATCH],
        }
    }
}

impl Socket {
    /// A bound socket.
    ///
    /// # Errors
    /// It has no address, or the system cannot tell where datagrams came.
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let own = socket.local_addr()?;
        let is_anywhere = own.ip().is_unspecified();
        let asks =
            is_anywhere.then(|| UdpSocketState::new(UdpSockRef::from(&socket))).transpose()?;
        Ok(Self { socket, own, asks })
    }

    /// Waits until there is something to receive.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// The datagrams that have come, as many as a batch has room for.
    ///
    /// # Errors
    /// There are none, or what the system says.
    pub(crate) fn try_receive<'a>(
        &self,
        batch: &'a mut Batch,
    ) -> io::Result<impl Iterator<Item = (&'a [u8], Ends)> + use<'a>> {
        let Batch { buffers, about } = batch;
        let received = if let Some(asks) = &self.asks {
            let mut places = buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
            // A batch that is not full has met the end of what was there. The next call looks again all the
            // same: with what it does not find, sessions date what is lost.
            let receive = || asks.recv(UdpSockRef::from(&self.socket), &mut places, about);
            self.socket.try_io(Interest::READABLE, receive)?
        } else {
            let (bytes, peer) = self.socket.try_recv_from(&mut buffers[0])?;
            (about[0].addr, about[0].len, about[0].stride) = (peer, bytes, bytes);
            1
        };
        let bound = self.own.ip();
        let filled = buffers.iter().zip(&*about).take(received);
        Ok(filled.flat_map(move |(buffer, about)| {
            let ends = Ends { peer: about.addr, local: about.dst_ip.unwrap_or(bound) };
            datagrams(&buffer[..about.len], about.stride).map(move |payload| (payload, ends))
        }))
    }

    /// Sends a datagram back to where one came from.
    ///
    /// # Errors
    /// There is no room now, or what the system says.
    pub(crate) fn try_send(&self, contents: &[u8], Ends { peer, local }: Ends) -> io::Result<()> {
        let anyhow = || self.socket.try_send_to(contents, peer).map(drop);
        let Some(asks) = &self.asks else { return anyhow() };
        let src_ip = Some(local);
        let datagram =
            Transmit { destination: peer, ecn: None, contents, segment_size: None, src_ip };
        let send = || asks.try_send(UdpSockRef::from(&self.socket), &datagram);
        match self.socket.try_io(Interest::WRITABLE, send) {
            // Nobody can send from a broadcast address, nor from one that this machine has no longer.
            Err(error) if error.kind() != ErrorKind::WouldBlock => anyhow(),
            sent => sent,
        }
    }

    /// The same, once there is room.
    pub(crate) async fn send(&self, contents: &[u8], ends: Ends) -> io::Result<()> {
        loop {
            self.socket.writable().await?;
            match self.try_send(contents, ends) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                sent => return sent,
            }
        }
    }
}

/// The datagrams in a buffer: the system may have put several of one sender and one length together, of which
/// the last can be shorter (UDP_GRO, udp(7)).
fn datagrams(filled: &[u8], length: usize) -> impl Iterator<Item = &[u8]> {
    let empty = filled.is_empty().then_some(filled);
    empty.into_iter().chain(filled.chunks(length.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_put_together_comes_apart_again() {
        let apart = |filled, length| datagrams(filled, length).collect::<Vec<_>>();
        assert_eq!(apart(b"", 0), [b""]);
        assert_eq!(apart(b"abc", 3), [b"abc"]);
        assert_eq!(apart(b"abcdefgh", 3), [b"abc".as_slice(), b"def", b"gh"]);
    }
}
