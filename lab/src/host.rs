//! The two hosts of a lab: each one smoltcp interface with one socket.

mod fragments;
mod patience;
mod stack;
mod tcp;
mod udp;

use std::sync::Arc;

use streamgram_protocol::{End, Line, Link};

use crate::shim::Kind;
use crate::{Micros, Options};

pub use tcp::{State, Tcp};
pub use udp::{BadDatagram, Datagram, INBOX_BYTES, QUEUE_BYTES, Udp};

/// A host with a socket of one protocol, as a [`Lab`](crate::Lab) drives it.
pub trait Host {
    /// A host that has just been switched on.
    fn open(end: End, link: &Link, options: Options, seed: u64, now: Micros) -> Self;
    /// Takes one packet from the wire.
    fn ingress(&mut self, now: Micros, packet: &[u8], datagram: Option<u64>);
    /// The next packet that goes on the wire, until there is none or nothing is due.
    fn egress(&mut self, now: Micros) -> Option<Outgoing>;
    /// When it has something to do without being asked: to be asked for after each packet.
    fn due(&mut self, now: Micros) -> Option<Micros>;
    /// Bytes of memory that a host at rest does not take.
    fn held(&self) -> usize;
}

/// A packet on its way out.
#[derive(Debug)]
pub struct Outgoing {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) kind: Kind,
    pub(crate) datagram: Option<OfDatagram>,
}

/// Which datagram a packet is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfDatagram {
    pub(crate) number: u64,
    pub(crate) line: Option<Line>,
    /// Which of its packets this is, from 1.
    pub(crate) nth: u32,
}
