//! A captured packet, as a session tells it.

use streamgram_protocol::{Captured, Data};

use super::outbox::Outbox;
use crate::observe::Packet;

/// Packets of one leg, or of one raw client, that are told per second; one more is counted.
pub(super) const PACKETS_PER_S: u32 = 2_000;
/// As many may be told at once: what a burst of the most lines takes.
pub(super) const PACKETS_AT_ONCE: u32 = 4_000;

/// A packet, on the clock of a session; without its payload, if that may not be shown.
pub(super) fn captured(packet: &Packet, shows_payload: bool, outbox: &Outbox) -> Captured {
    let shown = if shows_payload { packet.kept.len() } else { packet.headers };
    Captured {
        number: packet.number,
        from: packet.from,
        left_us: packet.left.map(|at| outbox.at_us(at)),
        came_us: packet.came.map(|at| outbox.at_us(at)),
        bytes: packet.bytes,
        header: packet.header,
        retransmission: packet.retransmission,
        duplicate_ack: packet.duplicate_ack,
        segments: packet.segments,
        checksum_offloaded: packet.checksum_offloaded,
        hex: Data::hex(&packet.kept[..shown.min(packet.kept.len())]),
    }
}
