//! Two repairs of smoltcp 0.14 at the level of packets, both or none.
//!
//! Without the first, a pure ACK sent after a timeout carries a sequence number that the peer takes
//! for out of window before it reads the ACK: with loss in both directions, both ends can wait for
//! ever. Without the second, a data segment with an old ACK is dropped without a word (smoltcp's
//! issue 12), and reordering alone makes for timeouts.

use std::borrow::Cow;
use std::sync::Arc;

use smoltcp::wire::{IpAddress, Ipv4Packet, TcpPacket, TcpSeqNumber};

/// What kind of segment the stack sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One that carries what is to be carried.
    Ordinary,
    /// One byte beyond a window of zero.
    WindowProbe,
    /// One made-up byte before the next one, to be answered.
    KeepAlive,
}

/// What one end remembers of its flow.
#[derive(Debug, Default)]
pub(crate) struct Shim {
    /// The highest sequence number sent, SND.MAX.
    sent: Option<TcpSeqNumber>,
    /// The newest acknowledgement that the peer has delivered, with its window.
    heard: Option<(TcpSeqNumber, u16)>,
}

impl Shim {
    /// Looks at a packet that the stack sends, and repairs the sequence number of a pure ACK.
    pub(crate) fn transmit(&mut self, packet: &mut Arc<[u8]>) -> Kind {
        let Some(segment) = segment(packet) else { return Kind::Ordinary };
        if segment.rst() {
            return Kind::Ordinary;
        }
        let (start, length) = (segment.seq_number(), segment.segment_len());
        if segment.syn() {
            *self = Self { sent: Some(start + length), heard: None };
            return Kind::Ordinary;
        }
        let Some(sent) = self.sent else { return Kind::Ordinary };
        let closed = self.heard.filter(|(_, window)| *window == 0);
        if length == 0 {
            let highest = closed.map_or(sent, |(ack, _)| ack);
            if start != highest
                && let Some(Opened { mut segment, ends }) = open(Arc::make_mut(packet))
            {
                segment.set_seq_number(highest);
                segment.fill_checksum(&ends[0], &ends[1]);
            }
            return Kind::Ordinary;
        }
        if closed.is_some() && start == sent && length == 1 && !segment.fin() {
            return Kind::WindowProbe;
        }
        if start + 1 == sent && segment.payload() == [0] {
            return Kind::KeepAlive;
        }
        self.sent = Some(sent.max(start + length));
        Kind::Ordinary
    }

    /// Looks at a packet that arrives, and brings an old ACK on a data segment up to date. The
    /// checksum stays: the stack that gets the packet does not look at it.
    pub(crate) fn receive<'p>(&mut self, packet: &'p [u8]) -> Cow<'p, [u8]> {
        let as_it_is = Cow::Borrowed(packet);
        let Some(segment) = segment(packet) else { return as_it_is };
        if segment.syn() {
            self.heard = None;
            return as_it_is;
        }
        if !segment.ack() || segment.rst() {
            return as_it_is;
        }
        let (ack, window) = (segment.ack_number(), segment.window_len());
        match self.heard {
            Some((newest, newest_window)) if ack < newest => {
                if segment.segment_len() == 0 {
                    return as_it_is;
                }
                let mut packet = packet.to_vec();
                if let Some(Opened { mut segment, .. }) = open(&mut packet) {
                    segment.set_ack_number(newest);
                    segment.set_window_len(newest_window);
                }
                packet.into()
            }
            _ => {
                self.heard = Some((ack, window));
                as_it_is
            }
        }
    }
}

/// A segment, with the addresses that its checksum covers.
struct Opened<'p> {
    segment: TcpPacket<&'p mut [u8]>,
    ends: [IpAddress; 2],
}

fn open(packet: &mut [u8]) -> Option<Opened<'_>> {
    let ip = Ipv4Packet::new_checked(packet).ok()?;
    let ends = [ip.src_addr().into(), ip.dst_addr().into()];
    let header = usize::from(ip.header_len());
    let packet = ip.into_inner();
    let segment = TcpPacket::new_checked(packet.get_mut(header..)?).ok()?;
    Some(Opened { segment, ends })
}

/// The segment in a packet.
pub(crate) fn segment(packet: &[u8]) -> Option<TcpPacket<&[u8]>> {
    TcpPacket::new_checked(Ipv4Packet::new_checked(packet).ok()?.payload()).ok()
}
