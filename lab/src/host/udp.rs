//! An end that sends and receives datagrams.

use std::collections::VecDeque;
use std::fmt;

use smoltcp::socket::udp::{PacketBuffer, PacketMetadata, Socket};
use smoltcp::wire::IpEndpoint;
use streamgram_protocol::{End, Line, Link, MAX_EMULATED_DATAGRAM};

use super::fragments::Fragments;
use super::stack::{Stack, address};
use super::{Host, OfDatagram, Outgoing};
use crate::shim::Kind;
use crate::{Micros, Options};

/// The article's port.
const GATEWAY_PORT: u16 = 23_135;
/// The first of the ports for clients (RFC 6335).
const CLIENT_PORT: u16 = 49_152;
/// Bytes of datagrams that wait to be sent; one more is refused.
pub const QUEUE_BYTES: usize = 64 * 1024;
/// Bytes of datagrams that wait to be received; one more is dropped, as a kernel would.
pub const INBOX_BYTES: usize = 64 * 1024;

/// Bytes of memory that a datagram in a queue takes besides its own: its place, and the allocation's.
const DATAGRAM_BYTES: usize = 96;
/// Places for datagrams that are kept when there are none.
const PLACES: usize = 64;

/// A datagram that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The sender's number of it, from 0: a copy has the same, one that overtakes keeps its own.
    pub number: u64,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// Why a datagram was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadDatagram {
    /// It has so many bytes, more than [`MAX_EMULATED_DATAGRAM`].
    TooLong(usize),
    /// [`QUEUE_BYTES`] wait already: step, then try again.
    QueueFull,
}

impl fmt::Display for BadDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(
                f,
                "datagram is {bytes} bytes, the limit on an emulated path is {MAX_EMULATED_DATAGRAM}"
            ),
            Self::QueueFull => write!(f, "{QUEUE_BYTES} bytes wait to be sent, that is the limit"),
        }
    }
}

impl std::error::Error for BadDatagram {}

/// A host with a UDP socket.
pub struct Udp {
    stack: Stack,
    fragments: Fragments,
    peer: IpEndpoint,
    taken: u64,
    waiting: VecDeque<(Option<Line>, Vec<u8>)>,
    waiting_bytes: usize,
    /// The datagram that the stack is sending: one at a time, so that every packet is known to be of
    /// it.
    current: OfDatagram,
    inbox: VecDeque<Datagram>,
    inbox_bytes: usize,
}

impl fmt::Debug for Udp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Udp").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Host for Udp {
    fn open(end: End, link: &Link, _options: Options, seed: u64, now: Micros) -> Self {
        let buffer =
            || PacketBuffer::new(vec![PacketMetadata::EMPTY; 1], vec![0; MAX_EMULATED_DATAGRAM]);
        let mut socket = Socket::new(buffer(), buffer());
        let (port, peer_port) = match end {
            End::Client => (CLIENT_PORT, GATEWAY_PORT),
            End::Gateway => (GATEWAY_PORT, CLIENT_PORT),
        };
        // It cannot fail: the socket is new and the port is not 0.
        let _bound = socket.bind(port);
        Self {
            stack: Stack::new(end, link, seed, now, socket),
            fragments: Fragments::default(),
            peer: IpEndpoint::new(address(end.peer()).into(), peer_port),
            taken: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            current: OfDatagram { number: 0, line: None, nth: 0 },
            inbox: VecDeque::new(),
            inbox_bytes: 0,
        }
    }

    fn ingress(&mut self, now: Micros, packet: &[u8], datagram: Option<u64>) {
        for packet in self.fragments.take(now, packet) {
            self.stack.ingress(now, &packet);
        }
        // If the packet has made a datagram whole, it is this packet's datagram.
        let socket = self.stack.socket_mut::<Socket<'static>>();
        while let (Ok((bytes, _)), Some(number)) = (socket.recv(), datagram) {
            if self.inbox_bytes + bytes.len() <= INBOX_BYTES {
                self.inbox_bytes += bytes.len();
                self.inbox.push_back(Datagram { number, bytes: bytes.to_vec() });
            }
        }
    }

    fn egress(&mut self, now: Micros) -> Option<Outgoing> {
        loop {
            if let Some(packet) = self.stack.egress(now) {
                self.current.nth += 1;
                let datagram = Some(self.current);
                return Some(Outgoing { bytes: packet, kind: Kind::Ordinary, datagram });
            }
            let (line, bytes) = self.waiting.pop_front()?;
            self.waiting_bytes -= bytes.len();
            if self.waiting.is_empty() {
                self.waiting.shrink_to(PLACES);
            }
            let number = self.taken - self.waiting.len() as u64 - 1;
            self.current = OfDatagram { number, line, nth: 0 };
            // It fits: the buffer holds the largest datagram, and the one before has left it.
            let _fits = self.stack.socket_mut::<Socket<'static>>().send_slice(&bytes, self.peer);
        }
    }

    fn due(&mut self, now: Micros) -> Option<Micros> {
        if self.waiting.is_empty() { self.stack.due(now) } else { Some(now) }
    }

    fn held(&self) -> usize {
        let queues =
            [(self.waiting.len(), self.waiting_bytes), (self.inbox.len(), self.inbox_bytes)];
        let queues = queues.map(|(datagrams, bytes)| datagrams * DATAGRAM_BYTES + bytes);
        queues.iter().sum::<usize>() + self.fragments.bytes()
    }
}

impl Udp {
    pub(crate) fn send(&mut self, bytes: &[u8], line: Option<Line>) -> Result<u64, BadDatagram> {
        if bytes.len() > MAX_EMULATED_DATAGRAM {
            return Err(BadDatagram::TooLong(bytes.len()));
        }
        if self.waiting_bytes + bytes.len() > QUEUE_BYTES {
            return Err(BadDatagram::QueueFull);
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push_back((line, bytes.to_vec()));
        self.taken += 1;
        Ok(self.taken - 1)
    }

    pub(crate) fn receive(&mut self) -> Option<Datagram> {
        let datagram = self.inbox.pop_front()?;
        self.inbox_bytes -= datagram.bytes.len();
        if self.inbox.is_empty() {
            self.inbox.shrink_to(PLACES);
        }
        Some(datagram)
    }
}
