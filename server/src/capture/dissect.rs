//! What the headers of a packet say. Nothing of a packet is trusted: what cannot be read is nothing.

use std::net::{IpAddr, SocketAddr};

use streamgram_protocol::{Flags, Protocol};

/// Numbers of protocols behind IP's header (RFC 9293, RFC 768, RFC 8200).
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const FRAGMENT: u8 = 44;

/// A packet of TCP or UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dissected {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    /// Its length from IP's header on. What is behind that fills up a frame.
    pub(super) bytes: usize,
    /// Bytes in front of its payload.
    pub(super) headers: usize,
    pub(super) checksum_offloaded: bool,
    pub(super) transport: Transport,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp(Segment),
    /// A datagram, or the first fragment of one.
    Udp {
        ident: u16,
        more: bool,
        /// Bytes of payload.
        length: usize,
    },
}

/// A segment of TCP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) flags: Flags,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) window: u16,
    /// The largest segment that its sender takes, and the shift of its windows, if it says so.
    pub(super) mss: Option<u16>,
    pub(super) scale: Option<u8>,
    /// Bytes of options.
    pub(super) options: usize,
    /// Bytes of payload.
    pub(super) length: usize,
}

impl Dissected {
    pub(super) fn protocol(&self) -> Protocol {
        match self.transport {
            Transport::Tcp(_) => Protocol::Tcp,
            Transport::Udp { .. } => Protocol::Udp,
        }
    }
}

/// A header of IP.
struct Ip<'packet> {
    source: &'packet [u8],
    destination: &'packet [u8],
    protocol: u8,
    header: usize,
    /// The length of the packet; IP says 0 where it does not fit the field.
    total: usize,
    ident: u16,
    more: bool,
}

/// Reads the headers of a packet of `length` bytes, of which these are the first.
pub(super) fn dissect(packet: &[u8], length: usize) -> Option<Dissected> {
    let ip = match packet.first()? >> 4 {
        4 => ipv4(packet),
        6 => ipv6(packet),
        _ => None,
    }?;
    let bytes = if ip.total == 0 { length } else { ip.total };
    if bytes > length {
        return None;
    }
    let packet = &packet[..packet.len().min(bytes)];
    let rest = packet.get(ip.header..)?;
    let space = bytes.checked_sub(ip.header)?;
    let (size, checksum, transport) = match ip.protocol {
        TCP => {
            let segment = segment(rest, space)?;
            (space - segment.length, short(rest, 16)?, Transport::Tcp(segment))
        }
        UDP => {
            let length = space.checked_sub(8)?;
            (8, short(rest, 6)?, Transport::Udp { ident: ip.ident, more: ip.more, length })
        }
        _ => return None,
    };
    let pseudo = pseudo(&ip, space);
    let is_whole = packet.len() == bytes && !ip.more;
    let is_right = is_whole && fold(pseudo + sum(rest)) == 0xffff;
    let address = |address, at| Some(SocketAddr::new(ip_address(address)?, short(rest, at)?));
    Some(Dissected {
        source: address(ip.source, 0)?,
        destination: address(ip.destination, 2)?,
        bytes,
        headers: ip.header + size,
        // What a card goes on from is the sum of the addresses, the protocol and the length.
        checksum_offloaded: !is_right && checksum == fold(pseudo),
        transport,
    })
}

fn ipv4(packet: &[u8]) -> Option<Ip<'_>> {
    let header = usize::from(packet.first()? & 15) * 4;
    let fragment = short(packet, 6)?;
    // Another than the first fragment has no ports.
    (header >= 20 && fragment & 0x1fff == 0).then_some(())?;
    Some(Ip {
        source: packet.get(12..16)?,
        destination: packet.get(16..20)?,
        protocol: *packet.get(9)?,
        header,
        total: short(packet, 2)?.into(),
        ident: short(packet, 4)?,
        more: fragment & 0x2000 != 0,
    })
}

fn ipv6(packet: &[u8]) -> Option<Ip<'_>> {
    let payload = usize::from(short(packet, 4)?);
    let ip = Ip {
        source: packet.get(8..24)?,
        destination: packet.get(24..40)?,
        protocol: *packet.get(6)?,
        header: 40,
        total: if payload == 0 { 0 } else { payload + 40 },
        ident: 0,
        more: false,
    };
    if ip.protocol != FRAGMENT {
        return Some(ip);
    }
    let fragment = short(packet, 42)?;
    (fragment & 0xfff8 == 0).then_some(())?;
    let (protocol, ident) = (*packet.get(40)?, short(packet, 46)?);
    Some(Ip { protocol, header: 48, ident, more: fragment & 1 != 0, ..ip })
}

/// A segment of which these are the first of `space` bytes.
fn segment(bytes: &[u8], space: usize) -> Option<Segment> {
    let (header, flags) = (usize::from(*bytes.get(12)? >> 4) * 4, *bytes.get(13)?);
    let length = space.checked_sub(header)?;
    let mut options = bytes.get(20..header)?;
    let is_set = |bit: u8| flags & bit != 0;
    let mut segment = Segment {
        flags: Flags {
            syn: is_set(0x02),
            ack: is_set(0x10),
            psh: is_set(0x08),
            fin: is_set(0x01),
            rst: is_set(0x04),
        },
        seq: word(bytes, 4)?,
        ack: word(bytes, 8)?,
        window: short(bytes, 14)?,
        options: options.len(),
        length,
        ..Segment::default()
    };
    // RFC 9293, section 3.1: 0 ends the list, 1 fills it, and others say how long they are.
    while let Some(kind) = options.first().filter(|kind| **kind != 0) {
        let size = if *kind == 1 { 1 } else { usize::from(*options.get(1)?) };
        let option = options.get(..size).filter(|_| *kind == 1 || size >= 2)?;
        match option {
            [2, 4, high, low] => segment.mss = Some(u16::from_be_bytes([*high, *low])),
            [3, 3, shift] => segment.scale = Some(*shift),
            _ => {}
        }
        options = &options[size..];
    }
    Some(segment)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The part of a checksum that is not in the segment or datagram (RFC 9293, section 3.1).
fn pseudo(ip: &Ip<'_>, space: usize) -> u64 {
    sum(ip.source) + sum(ip.destination) + u64::from(ip.protocol) + space as u64
}

fn sum(bytes: &[u8]) -> u64 {
    let (pairs, last) = bytes.as_chunks::<2>();
    let last = last.first().map_or(0, |last| u64::from(*last) << 8);
    pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum::<u64>() + last
}

/// Adds up the halves, as often as that carries (RFC 1071).
fn fold(mut sum: u64) -> u16 {
    loop {
        match u16::try_from(sum) {
            Ok(folded) => return folded,
            Err(_) => sum = (sum & 0xffff) + (sum >> 16),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A SYN over loopback, and a line.
    const SYN: &str = "4500003c93e140004006a8d87f0000017f000001800584cbec4a39fb00000000a002ffd7fe3000000204ffd70402080acc001cdc000000000103030a";
    const LINE: &str = "4500003993e340004006a8d97f0000017f000001800584cbec4a39fc106957f680180040fe2d00000101080acc001cdd23f74e0a68656c6c6f";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().as_chunks::<2>().0.iter();
        let byte = |digits: &[u8; 2]| {
            u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
        };
        digits.map(byte).collect()
    }

    /// Fills a checksum of TCP in.
    fn filled_in(mut packet: Vec<u8>) -> Vec<u8> {
        packet[36..38].fill(0);
        let ip = ipv4(&packet).unwrap();
        let checksum = !fold(pseudo(&ip, packet.len() - 20) + sum(&packet[20..]));
        packet[36..38].copy_from_slice(&checksum.to_be_bytes());
        packet
    }

    /// A datagram over IPv6, as the first of its fragments if `is_fragment`.
    fn ipv6_datagram(is_fragment: bool) -> Vec<u8> {
        let datagram = [0, 9, 0, 7, 0, 12, 0, 0, b'l', b'i', b'n', b'e'];
        let fragment = [17, 0, 0, 1, 0, 0, 0xab, 0xcd];
        let (next, behind) = if is_fragment { (44, &fragment[..]) } else { (17, &[][..]) };
        let length = u8::try_from(behind.len() + datagram.len()).unwrap();
        let mut packet = vec![0x60, 0, 0, 0, 0, length, next, 64];
        for last in [1, 2] {
            packet.extend([0; 15]);
            packet.push(last);
        }
        [&packet[..], behind, &datagram].concat()
    }

    #[test]
    fn a_segment_says_what_its_header_says() {
        let syn = bytes(SYN);
        let read = dissect(&syn, syn.len()).unwrap();
        assert_eq!(read.source, "127.0.0.1:32773".parse().unwrap());
        assert_eq!(read.destination, "127.0.0.1:33995".parse().unwrap());
        assert_eq!((read.bytes, read.headers, read.protocol()), (60, 60, Protocol::Tcp));
        let Transport::Tcp(segment) = read.transport else { panic!() };
        let flags = Flags { syn: true, ..Flags::default() };
        let (seq, ack, window) = (0xec4a_39fb, 0, 65_495);
        let (mss, scale) = (Some(65_495), Some(10));
        assert_eq!(
            segment,
            Segment { flags, seq, ack, window, mss, scale, options: 20, length: 0 }
        );
        let line = bytes(LINE);
        let Transport::Tcp(segment) = dissect(&line, line.len()).unwrap().transport else {
            panic!()
        };
        assert_eq!((segment.options, segment.length, segment.mss), (12, 5, None));
    }

    #[test]
    fn a_checksum_that_is_not_filled_in_is_known_also_of_a_packet_that_is_cut() {
        let line = bytes(LINE);
        for (packet, is_offloaded) in [(line.clone(), true), (filled_in(line), false)] {
            assert_eq!(dissect(&packet, 57).unwrap().checksum_offloaded, is_offloaded);
            let cut = dissect(&packet[..54], 57).unwrap();
            assert_eq!((cut.checksum_offloaded, cut.bytes), (is_offloaded, 57));
        }
    }

    #[test]
    fn what_fills_up_a_frame_is_none_of_the_packet() {
        let line = bytes(LINE);
        let padded = [&line[..], &[0; 9]].concat();
        assert_eq!(dissect(&padded, padded.len()), dissect(&line, line.len()));
        // A card puts segments together until the length does not fit its field.
        let mut long = line.clone();
        long[2..4].fill(0);
        let Transport::Tcp(segment) = dissect(&long, 70_057).unwrap().transport else { panic!() };
        assert_eq!(segment.length, 70_005);
    }

    #[test]
    fn datagrams_of_ipv6_are_read_and_first_fragments_too() {
        for is_fragment in [false, true] {
            let packet = ipv6_datagram(is_fragment);
            let read = dissect(&packet, packet.len()).unwrap();
            assert_eq!(read.source, "[::1]:9".parse().unwrap());
            assert_eq!(read.destination, "[::2]:7".parse().unwrap());
            let ident = if is_fragment { 0xabcd } else { 0 };
            assert_eq!(read.transport, Transport::Udp { ident, more: is_fragment, length: 4 });
        }
        let mut later = ipv6_datagram(true);
        later[43] = 9;
        assert_eq!(dissect(&later, later.len()), None);
        let mut later = bytes(LINE);
        later[7] = 1;
        assert_eq!(dissect(&later, later.len()), None);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_is_more_than_unreadable(
            base in prop_oneof![Just(bytes(SYN)), Just(bytes(LINE)), Just(ipv6_datagram(true))],
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<prop::sample::Index>(),
            more in 0..100_usize,
        ) {
            let mut packet = base;
            for (at, byte) in changes {
                let at = at.index(packet.len());
                packet[at] = byte;
            }
            let length = packet.len() + more;
            packet.truncate(cut.index(length));
            if let Some(read) = dissect(&packet, length) {
                prop_assert!(read.headers <= read.bytes && read.bytes <= length);
            }
        }

        #[test]
        fn arbitrary_bytes_are_no_more_than_unreadable(packet in vec(any::<u8>(), 0..200)) {
            let _nothing_or_something = dissect(&packet, packet.len());
        }
    }
}
