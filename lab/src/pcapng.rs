//! Packets as a file for Wireshark (pcapng, draft-ietf-opsawg-pcapng), as one end sees them.
//!
//! One vantage point per file: with both in one, every packet would be there twice, and Wireshark
//! would call half of them retransmissions.

use streamgram_protocol::End;

use crate::{Micros, Packet};

/// Packets that begin with an IP header.
const LINKTYPE_RAW: u16 = 101;
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// The number of a comment among a block's options.
const OPT_COMMENT: u16 = 1;

const COMMENT: &str = "Streamgram lab: an emulated path, TCP and UDP by smoltcp. The packets are \
    as they went over the wire, after two repairs of the stack: a pure ACK carries the highest \
    sequence number sent, and a late segment gets the newest ACK that arrived before it.";

/// A packet of a file, as it was seen at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<B> {
    /// When.
    pub at: Micros,
    /// Its first bytes, from the IP header on.
    pub bytes: B,
    /// How many bytes it had.
    pub length: u32,
}

/// The file of an emulated path: what this end sent, when it sent it, and what reached it, when it arrived. Packets
/// whose times are Unix times are dated.
#[must_use]
pub fn write(packets: &[Packet], vantage: End) -> Vec<u8> {
    let frames = seen_by(packets, vantage).map(|(at, packet)| {
        let bytes = &packet.bytes[..];
        Frame { at, bytes, length: u32::from(short(bytes.len())) }
    });
    file(COMMENT, frames)
}

/// A file of these packets, in their order; the comment says what they are.
#[must_use]
pub fn file<B: AsRef<[u8]>>(comment: &str, frames: impl IntoIterator<Item = Frame<B>>) -> Vec<u8> {
    let mut file = Vec::new();
    block(&mut file, SECTION_HEADER, |body| {
        body.extend(0x1a2b_3c4d_u32.to_le_bytes());
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend((-1_i64).to_le_bytes());
        body.extend(OPT_COMMENT.to_le_bytes());
        body.extend(short(comment.len()).to_le_bytes());
        body.extend(comment.as_bytes());
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([0; 4]);
    });
    block(&mut file, INTERFACE_DESCRIPTION, |body| {
        body.extend(LINKTYPE_RAW.to_le_bytes());
        body.extend([0; 6]);
    });
    for Frame { at, bytes, length } in frames {
        let bytes = bytes.as_ref();
        block(&mut file, ENHANCED_PACKET, |body| {
            body.extend(0_u32.to_le_bytes());
            let [low, high] = halves(at);
            body.extend(high.to_le_bytes());
            body.extend(low.to_le_bytes());
            let kept = u32::from(short(bytes.len()));
            body.extend(kept.to_le_bytes());
            body.extend(length.max(kept).to_le_bytes());
            body.extend(bytes);
        });
    }
    file
}

fn seen_by(packets: &[Packet], vantage: End) -> impl Iterator<Item = (Micros, &Packet)> {
    let seen = packets.iter().enumerate().flat_map(|(number, packet)| {
        let times = if packet.from == vantage {
            [Some(packet.sent_at), None]
        } else {
            [packet.deliver_at, packet.duplicate_at]
        };
        // An arrival comes before what it causes.
        times.into_iter().flatten().map(move |at| (at, packet.from == vantage, number))
    });
    let mut seen: Vec<_> = seen.collect();
    seen.sort_unstable();
    seen.into_iter().map(|(at, _, number)| (at, &packets[number]))
}

fn block(file: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    body.resize(body.len().next_multiple_of(4), 0);
    let length = u32::from(short(body.len() + 12));
    file.extend(kind.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(body);
    file.extend(length.to_le_bytes());
}

/// A length: of no packet more than an MTU is kept, and the comment is short.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The low and the high 32 bits.
fn halves(number: u64) -> [u32; 2] {
    [number & 0xffff_ffff, number >> 32].map(|half| u32::try_from(half).unwrap_or(0))
}
