//! One record for every packet that goes on the wire.

use std::sync::Arc;

use smoltcp::wire::{IPV4_HEADER_LEN, Ipv4Packet, TcpPacket, UDP_HEADER_LEN};
use streamgram_protocol::{End, Header, Line, Verdict};

use crate::Micros;

/// What a packet is besides its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Bytes, a SYN or a FIN that this end has sent before.
    Retransmission,
    /// The same acknowledgement as before, without any news.
    DuplicateAck,
    /// A made-up byte that asks whether the peer is there.
    KeepAlive,
    /// One byte that asks whether a window of zero has opened.
    WindowProbe,
}

/// A packet, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The end that sent it.
    pub from: End,
    /// Its number among those that this end sent, from 0.
    pub number: u64,
    /// When it was sent.
    pub sent_at: Micros,
    /// What the wire did to it.
    pub verdict: Verdict,
    /// When it arrives, if it does.
    pub deliver_at: Option<Micros>,
    /// When its copy arrives, if there is one.
    pub duplicate_at: Option<Micros>,
    /// Its header, decoded.
    pub header: Header,
    /// What it is besides.
    pub mark: Option<Mark>,
    /// The first and the last of the lines that it carries, or whose replies it carries.
    pub lines: Option<[Line; 2]>,
    /// The sender's number of the datagram that it is of, as in
    /// [`Datagram::number`](crate::Datagram::number).
    pub datagram: Option<u64>,
    /// All of it, from the IP header on.
    pub bytes: Arc<[u8]>,
}

impl Packet {
    /// What it carries, behind the headers of IP and of TCP or UDP.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        let Ok(ip) = Ipv4Packet::new_checked(&self.bytes[..]) else { return &[] };
        match self.header {
            Header::Tcp { .. } => {
                TcpPacket::new_checked(ip.payload()).map_or(&[], |segment| segment.payload())
            }
            Header::Udp { offset: 0, .. } => &self.bytes[IPV4_HEADER_LEN + UDP_HEADER_LEN..],
            Header::Udp { .. } => ip.payload(),
        }
    }
}

/// A hash over a whole trace (FNV-1a, 64 bits): equal traces have equal ones, on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    /// Adds one packet: who, when, what became of it, every byte.
    pub fn add(&mut self, packet: &Packet) {
        let times = [Some(packet.sent_at), packet.deliver_at, packet.duplicate_at];
        self.bytes(&[
            packet.from as u8,
            packet.verdict as u8,
            packet.mark.map_or(0, |mark| mark as u8 + 1),
        ]);
        self.add_number(packet.number);
        for time in times {
            self.add_number(time.unwrap_or(Micros::MAX));
        }
        self.bytes(&packet.bytes);
    }

    /// Adds a number that belongs to the trace.
    pub fn add_number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// The hash so far.
    #[must_use]
    pub fn value(self) -> u64 {
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
