//! What one end has put on the wire: sequence numbers made relative, what is sent again, and which
//! lines the bytes of a stream belong to.

use std::collections::VecDeque;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, TcpRepr, UDP_HEADER_LEN};
use streamgram_protocol::{Flags, Header, Line};

use crate::host::Outgoing;
use crate::record::Mark;
use crate::script::FirstCopy;
use crate::shim::Kind;

/// Room for spans that is kept when they are gone.
const SPANS: usize = 64;

/// What is known of a packet before the wire has seen it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) header: Header,
    pub(crate) mark: Option<Mark>,
    /// The first and the last line that it carries.
    pub(crate) lines: Option<[Line; 2]>,
    /// Lines of which it carries bytes that no packet before it did.
    pub(crate) first: Vec<FirstCopy>,
}

/// One end's side of a flow.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    /// The first sequence number.
    isn: u32,
    /// The shift of the windows that this end announces.
    scale: u8,
    /// One beyond the highest sequence number sent, relative to the first.
    next: u64,
    /// Likewise, with the bytes of window probes, which the stack does not count.
    carried: u64,
    /// The last acknowledgement and window sent.
    last_ack: Option<(u32, u16)>,
    lines: Lines,
}

impl Flow {
    /// The end writes bytes of a line to its stream; `queued` are not acknowledged, these included. No
    /// others will ever be sent from here on.
    pub(crate) fn write(&mut self, bytes: usize, line: Option<Line>, queued: usize) {
        self.lines.write(bytes as u64, line, queued as u64);
    }

    /// Bytes of memory that are taken.
    pub(crate) fn held(&self) -> usize {
        self.lines.spans.capacity() * size_of::<Span>()
    }

    /// Looks at a packet on its way out; `peer_isn` is the first sequence number of the other end.
    pub(crate) fn see(&mut self, packet: &Outgoing, peer_isn: u32) -> Option<Seen> {
        let ip = Ipv4Packet::new_checked(&packet.bytes[..]).ok()?;
        match ip.next_header() {
            IpProtocol::Tcp => self.see_segment(&ip, packet.kind, peer_isn),
            _ => Some(see_fragment(&ip, packet)),
        }
    }

    pub(crate) fn isn(&self) -> u32 {
        self.isn
    }

    fn see_segment(&mut self, ip: &Ipv4Packet<&[u8]>, kind: Kind, peer_isn: u32) -> Option<Seen> {
        let segment = TcpPacket::new_checked(ip.payload()).ok()?;
        if segment.syn() {
            self.begin(ip, &segment);
        }
        let seq = unwrapped(self.next, bits(segment.seq_number().0).wrapping_sub(self.isn));
        let length = segment.segment_len() as u64;
        let bytes = segment.payload().len() as u64;
        let mark = self.mark(&segment, kind, seq, length);
        // The SYN comes before the first byte.
        let (start, end) = (seq.saturating_sub(1), (seq + bytes).saturating_sub(1));
        let made_up = kind == Kind::KeepAlive;
        let first =
            if made_up { Vec::new() } else { self.lines.first(start.max(self.carried), end) };
        let lines = if made_up { None } else { self.lines.within(start, end) };
        if !made_up && bytes > 0 {
            self.carried = self.carried.max(end);
        }
        if kind == Kind::Ordinary {
            self.next = self.next.max(seq + length);
            self.last_ack = Some((bits(segment.ack_number().0), segment.window_len()));
        }
        let header = self.header(&segment, seq, peer_isn);
        Some(Seen { header, mark, lines, first })
    }

    fn begin(&mut self, ip: &Ipv4Packet<&[u8]>, segment: &TcpPacket<&[u8]>) {
        self.isn = bits(segment.seq_number().0);
        let ends = (ip.src_addr().into(), ip.dst_addr().into());
        let options = TcpRepr::parse(segment, &ends.0, &ends.1, &ChecksumCapabilities::ignored());
        self.scale = options.ok().and_then(|options| options.window_scale).unwrap_or(0);
    }

    fn mark(&self, segment: &TcpPacket<&[u8]>, kind: Kind, seq: u64, length: u64) -> Option<Mark> {
        match kind {
            Kind::WindowProbe => return Some(Mark::WindowProbe),
            Kind::KeepAlive => return Some(Mark::KeepAlive),
            Kind::Ordinary => {}
        }
        if length > 0 {
            return (seq < self.next).then_some(Mark::Retransmission);
        }
        let repeats = segment.window_len() > 0
            && !segment.rst()
            && seq == self.next
            && self.last_ack == Some((bits(segment.ack_number().0), segment.window_len()));
        repeats.then_some(Mark::DuplicateAck)
    }

    fn header(&self, segment: &TcpPacket<&[u8]>, seq: u64, peer_isn: u32) -> Header {
        let scale = if segment.syn() { 0 } else { self.scale };
        let ack = bits(segment.ack_number().0).wrapping_sub(peer_isn);
        Header::Tcp {
            flags: Flags {
                syn: segment.syn(),
                ack: segment.ack(),
                psh: segment.psh(),
                fin: segment.fin(),
                rst: segment.rst(),
            },
            seq: low(seq),
            ack: if segment.ack() { ack } else { 0 },
            window: u32::from(segment.window_len()) << scale,
            length: u16::try_from(segment.payload().len()).unwrap_or(u16::MAX),
        }
    }
}

fn see_fragment(ip: &Ipv4Packet<&[u8]>, packet: &Outgoing) -> Seen {
    let line = packet.datagram.and_then(|datagram| datagram.line);
    let nth = packet.datagram.map_or(0, |datagram| datagram.nth);
    let udp_header = if ip.frag_offset() == 0 { UDP_HEADER_LEN } else { 0 };
    let length = ip.payload().len() - udp_header;
    Seen {
        header: Header::Udp {
            ident: ip.ident(),
            offset: ip.frag_offset(),
            more: ip.more_frags(),
            length: u16::try_from(length).unwrap_or(u16::MAX),
        },
        mark: None,
        lines: line.map(|line| [line; 2]),
        first: line.map(|line| FirstCopy { line, nth }).into_iter().collect(),
    }
}

/// Which bytes of a stream belong to which line; only those that may still be sent (again).
#[derive(Debug, Default)]
struct Lines {
    spans: VecDeque<Span>,
    written: u64,
}

#[derive(Debug)]
struct Span {
    start: u64,
    end: u64,
    line: Option<Line>,
    /// Packets that carried bytes of it for the first time.
    packets: u32,
}

impl Lines {
    fn write(&mut self, bytes: u64, line: Option<Line>, queued: u64) {
        let start = self.written;
        let end = start + bytes;
        self.written = end;
        match self.spans.back_mut() {
            Some(last) if last.line == line => last.end = end,
            _ => self.spans.push_back(Span { start, end, line, packets: 0 }),
        }
        while self.spans.front().is_some_and(|span| span.end + queued < self.written) {
            self.spans.pop_front();
        }
        if self.spans.len() == 1 {
            self.spans.shrink_to(SPANS);
        }
    }

    /// The spans with bytes between two offsets; between an offset and itself there are none, even in the midst of
    /// a span.
    fn between(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        let first = self.spans.partition_point(|span| span.end <= start);
        let last = self.spans.partition_point(|span| span.start < end);
        if start < end { first..last.max(first) } else { first..first }
    }

    fn within(&self, start: u64, end: u64) -> Option<[Line; 2]> {
        let mut lines = self.spans.range(self.between(start, end)).filter_map(|span| span.line);
        let first = lines.next()?;
        Some([first, lines.next_back().unwrap_or(first)])
    }

    /// Counts a packet for every line between two offsets that no packet has carried before.
    fn first(&mut self, start: u64, end: u64) -> Vec<FirstCopy> {
        let between = self.between(start, end);
        let spans = self.spans.range_mut(between);
        spans
            .filter_map(|span| {
                span.packets += 1;
                Some(FirstCopy { line: span.line?, nth: span.packets })
            })
            .collect()
    }
}

/// The sequence number with these low bits that is nearest to another.
fn unwrapped(near: u64, low_bits: u32) -> u64 {
    let distance = i32::from_ne_bytes(low_bits.wrapping_sub(low(near)).to_ne_bytes());
    near.saturating_add_signed(distance.into())
}

fn low(number: u64) -> u32 {
    (number & 0xffff_ffff) as u32
}

fn bits(number: i32) -> u32 {
    u32::from_ne_bytes(number.to_ne_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32) -> Option<Line> {
        Some(Line { send: 1, number })
    }

    #[test]
    fn bytes_know_their_line_until_they_cannot_be_sent_again() {
        let mut lines = Lines::default();
        for (bytes, number) in [(10, 1), (5, 2), (5, 2), (10, 3)] {
            lines.write(bytes, line(number), 25);
        }
        assert_eq!(lines.within(0, 10), Some([line(1).unwrap(); 2]));
        assert_eq!(lines.within(9, 21), Some([line(1).unwrap(), line(3).unwrap()]));
        assert_eq!(lines.within(20, 20), None);
        // An ACK between two segments of a line carries nothing of it.
        assert_eq!(lines.within(5, 5), None);
        lines.write(10, line(4), 25);
        assert_eq!(lines.within(0, 10), None);
        assert_eq!(lines.within(10, 11), Some([line(2).unwrap(); 2]));
    }

    #[test]
    fn the_packets_of_a_line_are_counted_from_one() {
        let mut lines = Lines::default();
        lines.write(30, line(1), 100);
        lines.write(30, line(2), 100);
        let nth = |copies: Vec<FirstCopy>| -> Vec<(u32, u32)> {
            copies.iter().map(|copy| (copy.line.number, copy.nth)).collect()
        };
        assert_eq!(nth(lines.first(0, 20)), [(1, 1)]);
        assert_eq!(nth(lines.first(20, 20)), []);
        assert_eq!(nth(lines.first(20, 40)), [(1, 2), (2, 1)]);
        assert_eq!(nth(lines.first(40, 60)), [(2, 2)]);
    }

    #[test]
    fn sequence_numbers_go_on_where_their_bits_wrap() {
        let near = (1 << 32) + 5;
        assert_eq!(unwrapped(near, 3), (1 << 32) + 3);
        assert_eq!(unwrapped(near, u32::MAX), (1 << 32) - 1);
        assert_eq!(unwrapped(0, 7), 7);
    }
}
