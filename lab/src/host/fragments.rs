//! Fragments that wait for the rest of their datagram (RFC 791, section 3.2).
//!
//! smoltcp puts fragments together too, but has a fixed number of places: a burst of fragmented
//! datagrams with a little jitter fills them with halves, and most of what the wire delivers would be
//! lost. It is therefore given a datagram's fragments when they are all there, in order.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use smoltcp::wire::Ipv4Packet;

use crate::Micros;

/// Bytes of fragments that wait; beyond them, the datagram that began to arrive first is given up.
const WAITING_BYTES: usize = 64 * 1024;
/// How long a datagram waits to be whole: what Linux allows.
const PATIENCE: Micros = 30_000_000;

#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    ident: u16,
    since: Micros,
    /// By offset.
    pieces: BTreeMap<u16, Vec<u8>>,
}

impl Fragments {
    /// Takes a packet; returns what the stack shall have: the packet, or all the fragments that it
    /// makes whole, or nothing yet.
    pub(super) fn take<'p>(&mut self, now: Micros, packet: &'p [u8]) -> Vec<Cow<'p, [u8]>> {
        let Ok(ip) = Ipv4Packet::new_checked(packet) else { return Vec::new() };
        if !ip.more_frags() && ip.frag_offset() == 0 {
            return vec![packet.into()];
        }
        self.forget(now);
        let ident = ip.ident();
        let at = self.waiting.iter().position(|waiting| waiting.ident == ident);
        let at = at.unwrap_or_else(|| {
            self.waiting.push_back(Waiting { ident, since: now, pieces: BTreeMap::new() });
            self.waiting.len() - 1
        });
        let pieces = &mut self.waiting[at].pieces;
        self.bytes += packet.len();
        // An old datagram may have used the number before; its piece need not be as long.
        if let Some(replaced) = pieces.insert(ip.frag_offset(), packet.to_vec()) {
            self.bytes -= replaced.len();
        }
        if is_whole(pieces) {
            self.give(at).into_iter().map(Cow::Owned).collect()
        } else {
            Vec::new()
        }
    }

    /// Bytes of fragments that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn forget(&mut self, now: Micros) {
        while let Some(oldest) = self.waiting.front() {
            if self.bytes <= WAITING_BYTES && now < oldest.since + PATIENCE {
                break;
            }
            self.give(0);
        }
    }

    fn give(&mut self, at: usize) -> Vec<Vec<u8>> {
        let pieces = self.waiting.remove(at).map(|waiting| waiting.pieces).unwrap_or_default();
        let pieces: Vec<Vec<u8>> = pieces.into_values().collect();
        self.bytes -= pieces.iter().map(Vec::len).sum::<usize>();
        pieces
    }
}

/// Whether every fragment begins where the one before ends, up to one that says it is the last.
fn is_whole(pieces: &BTreeMap<u16, Vec<u8>>) -> bool {
    let mut end = 0;
    for (offset, packet) in pieces {
        let Ok(ip) = Ipv4Packet::new_checked(&packet[..]) else { return false };
        if usize::from(*offset) != end {
            return false;
        }
        end += ip.payload().len();
        if !ip.more_frags() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fragment that more follow: its header, and so many bytes.
    fn fragment(ident: u16, bytes: u8) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 20 + bytes, 0, 0, 0x20, 0, 64, 17];
        packet[4..6].copy_from_slice(&ident.to_be_bytes());
        packet.resize(20 + usize::from(bytes), 0);
        packet
    }

    #[test]
    fn a_fragment_in_the_place_of_another_is_counted_and_not_both() {
        let mut fragments = Fragments::default();
        for bytes in [8, 64, 16] {
            assert!(fragments.take(0, &fragment(1, bytes)).is_empty());
            assert_eq!(fragments.bytes, 20 + usize::from(bytes));
        }
        fragments.take(PATIENCE, &fragment(2, 8));
        assert_eq!(fragments.bytes, 28);
    }
}
