//! Fragments that wait for the rest of their datagram (RFC 791, section 3.2).
//!
//! smoltcp puts fragments together too, but has a fixed number of places: a burst of fragmented
//! datagrams with a little jitter fills them with halves, and most of what the wire delivers would be
//! lost. It is therefore given a datagram's fragments when they are all there, in order.

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
    pub(super) fn take(&mut self, now: Micros, packet: &[u8]) -> Vec<Vec<u8>> {
        let Ok(ip) = Ipv4Packet::new_checked(packet) else { return Vec::new() };
        if !ip.more_frags() && ip.frag_offset() == 0 {
            return vec![packet.to_vec()];
        }
        self.forget(now);
        let ident = ip.ident();
        let at = self.waiting.iter().position(|waiting| waiting.ident == ident);
        let at = at.unwrap_or_else(|| {
            self.waiting.push_back(Waiting { ident, since: now, pieces: BTreeMap::new() });
            self.waiting.len() - 1
        });
        let pieces = &mut self.waiting[at].pieces;
        if pieces.insert(ip.frag_offset(), packet.to_vec()).is_none() {
            self.bytes += packet.len();
        }
        if is_whole(pieces) { self.give(at) } else { Vec::new() }
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
