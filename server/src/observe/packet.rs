//! A packet of a client, as it was captured.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use streamgram_protocol::{Header, Protocol, Side};

use super::machine::Machine;

/// Bytes of packets that wait for a session, of one leg or of raw clients; one more is dropped and counted.
pub const WAITING_PACKET_BYTES: usize = 512 << 10;

/// A packet of a client of one of the servers, or to it.
#[derive(Debug)]
pub struct Packet {
    /// Which server.
    pub protocol: Protocol,
    /// The client's address.
    pub peer: SocketAddr,
    /// Where the client is.
    pub machine: Machine,
    /// A number of the connection, or of a UDP peer for as long as it is known.
    pub flow: u64,
    /// Which packet of its sender in the flow, from 0.
    pub number: u64,
    /// Who sent it.
    pub from: Side,
    /// When it was first seen.
    pub at: Instant,
    /// When it left its sender's system, if that was seen.
    pub left: Option<Instant>,
    /// When it came to its receiver's system, if that was seen.
    pub came: Option<Instant>,
    /// Its length with all headers from IP's on.
    pub bytes: u32,
    /// What its header says.
    pub header: Header,
    /// It begins with something that has been sent before.
    pub retransmission: bool,
    /// It acknowledges again what was acknowledged before, and says nothing else.
    pub duplicate_ack: bool,
    /// How many segments of the largest size its payload takes.
    pub segments: u16,
    /// Its checksum is not filled in.
    pub checksum_offloaded: bool,
    /// Bytes of its headers.
    pub headers: usize,
    /// Its first bytes.
    pub kept: Kept,
}

impl Packet {
    /// Bytes of memory that it takes.
    #[must_use]
    pub fn held(packet: &Arc<Self>) -> usize {
        size_of::<Self>() + packet.kept.len()
    }

    /// Whether a client begins a connection with it.
    #[must_use]
    pub fn is_syn(&self) -> bool {
        let is_syn = matches!(self.header, Header::Tcp { flags, .. } if flags.syn);
        is_syn && self.from == Side::Client
    }
}

/// Bytes that count as held for as long as this lives.
pub struct Kept {
    bytes: Box<[u8]>,
    held: Arc<AtomicUsize>,
}

impl Kept {
    /// These bytes, if no more than `most` are held then.
    #[must_use]
    pub fn within(most: usize, bytes: Box<[u8]>, held: &Arc<AtomicUsize>) -> Option<Self> {
        let before = held.fetch_add(bytes.len(), Ordering::Relaxed);
        let kept = Self { bytes, held: Arc::clone(held) };
        // Else it is dropped, and gives them back.
        (before + kept.len() <= most).then_some(kept)
    }
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_may_be_and_it_is_given_back() {
        let held = Arc::default();
        let one = Kept::within(5, [1; 3].into(), &held).unwrap();
        assert!(Kept::within(5, [2; 3].into(), &held).is_none());
        let two = Kept::within(5, [2; 2].into(), &held).unwrap();
        assert_eq!((one[0], two[0], held.load(Ordering::Relaxed)), (1, 2, 5));
        drop((one, two));
        assert_eq!(held.load(Ordering::Relaxed), 0);
    }
}
