//! The impaired wire between the two hosts: what becomes of a packet, and when it arrives.
//!
//! It knows nothing of what packets mean; a rule that wants one lost says so when it is sent.

use std::collections::VecDeque;
use std::sync::Arc;

use streamgram_protocol::{End, Impairment, Link, Verdict};

use crate::Micros;
use crate::dice::{Dice, Knob};

/// Bytes under way in one direction; a packet more is dropped as if the queue were full. A link of
/// 10,000 packets and 10 s could otherwise hold 90 MB.
pub const BYTES_UNDER_WAY: usize = 320 * 1024;

/// Bytes of memory that a packet under way takes besides its own and its place in the queue: the
/// allocation's.
const PACKET_BYTES: usize = 48;
/// Places for packets under way that are kept when there are none.
const PLACES: usize = 64;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// The packet's number in its direction, from 0.
    pub number: u64,
    /// What the wire does to it.
    pub verdict: Verdict,
    /// When it arrives, if it does.
    pub deliver_at: Option<Micros>,
    /// When its copy arrives, if there is one.
    pub duplicate_at: Option<Micros>,
}

/// A packet under way.
#[derive(Debug)]
pub(crate) struct Parcel {
    deliver_at: Micros,
    pub(crate) from: End,
    /// The sender's number of the datagram that this packet is of.
    pub(crate) datagram: Option<u64>,
    pub(crate) bytes: Arc<[u8]>,
}

/// Both directions of a link.
#[derive(Debug)]
pub(crate) struct Wire {
    dice: Dice,
    ways: [Way; 2],
    /// In the order in which they arrive; those of the same time, in which they were sent. Hardly any
    /// packet overtakes many others, so a place is found and made faster than in a heap.
    under_way: VecDeque<Parcel>,
}

#[derive(Debug)]
struct Way {
    impairment: Impairment,
    sent: u64,
    /// When the last packet that was let in has left the bottleneck.
    free_at: Micros,
    packets: u32,
    bytes: usize,
}

impl Wire {
    pub(crate) fn new(link: &Link) -> Self {
        let way = |impairment| Way { impairment, sent: 0, free_at: 0, packets: 0, bytes: 0 };
        Self {
            dice: Dice::new(link.seed),
            ways: [way(link.up), way(link.down)],
            under_way: VecDeque::new(),
        }
    }

    /// Turns the knobs of both directions; what is under way keeps its fate.
    pub(crate) fn set(&mut self, link: &Link) {
        let [up, down] = &mut self.ways;
        (up.impairment, down.impairment) = (link.up, link.down);
    }

    /// Takes a packet; with `condemned`, a rule has already decided that it is lost.
    pub(crate) fn send(
        &mut self,
        now: Micros,
        from: End,
        bytes: &Arc<[u8]>,
        datagram: Option<u64>,
        condemned: Option<Verdict>,
    ) -> Fate {
        let dice = self.dice;
        let way = &mut self.ways[from as usize];
        let number = way.sent;
        way.sent += 1;
        let lost = |verdict| Fate { number, verdict, deliver_at: None, duplicate_at: None };
        if let Some(verdict) = condemned {
            return lost(verdict);
        }
        let hit = |share, knob| dice.hits(share, from, number, knob);
        if hit(way.impairment.loss, Knob::Loss) {
            return lost(Verdict::Lost);
        }
        if !way.has_room(bytes.len()) {
            return lost(Verdict::QueueFull);
        }
        let reordered = hit(way.impairment.reorder, Knob::Reorder);
        let through = way.let_in(now, bytes.len());
        let late = |knob| way.delay(dice, from, number, knob);
        let deliver_at = if reordered { through } else { through + late(Knob::Jitter) };
        let copied = hit(way.impairment.duplicate, Knob::Duplicate) && way.has_room(bytes.len());
        let duplicate_at = copied.then(|| {
            let late = way.delay(dice, from, number, Knob::DuplicateJitter);
            way.let_in(now, bytes.len()) + late
        });
        for deliver_at in [Some(deliver_at), duplicate_at].into_iter().flatten() {
            let parcel = Parcel { deliver_at, from, datagram, bytes: Arc::clone(bytes) };
            let place = self.under_way.partition_point(|other| other.deliver_at <= deliver_at);
            self.under_way.insert(place, parcel);
        }
        let verdict = match (duplicate_at, reordered) {
            (Some(_), _) => Verdict::Duplicated,
            (None, true) => Verdict::Reordered,
            (None, false) => Verdict::Delivered,
        };
        Fate { number, verdict, deliver_at: Some(deliver_at), duplicate_at }
    }

    /// When the next packet arrives.
    pub(crate) fn next(&self) -> Option<Micros> {
        self.under_way.front().map(|parcel| parcel.deliver_at)
    }

    /// The next packet that has arrived by now.
    pub(crate) fn pop_due(&mut self, now: Micros) -> Option<Parcel> {
        if self.next()? > now {
            return None;
        }
        let parcel = self.under_way.pop_front()?;
        let way = &mut self.ways[parcel.from as usize];
        way.packets -= 1;
        way.bytes -= parcel.bytes.len();
        if self.under_way.is_empty() {
            self.under_way.shrink_to(PLACES);
        }
        Some(parcel)
    }

    /// Bytes of memory that packets under way take. A duplicate shares the bytes of its original, and is
    /// counted all the same.
    pub(crate) fn held(&self) -> usize {
        let places = self.under_way.capacity() * size_of::<Parcel>();
        let packets = self.ways.iter().map(|way| way.bytes + way.packets as usize * PACKET_BYTES);
        places + packets.sum::<usize>()
    }
}

impl Way {
    /// netem counts every packet that it holds, not only those that wait for the bottleneck.
    fn has_room(&self, bytes: usize) -> bool {
        self.packets < self.impairment.limit && self.bytes + bytes <= BYTES_UNDER_WAY
    }

    /// Lets a packet into the bottleneck and says when it is through.
    fn let_in(&mut self, now: Micros, bytes: usize) -> Micros {
        let on_the_wire = (bytes as u64 * 8_000).div_ceil(u64::from(self.impairment.rate_kbit));
        self.free_at = self.free_at.max(now) + on_the_wire;
        self.packets += 1;
        self.bytes += bytes;
        self.free_at
    }

    /// The delay, with its jitter: even, and never before the packet was sent.
    fn delay(&self, dice: Dice, from: End, number: u64, knob: Knob) -> Micros {
        let jitter = u64::from(self.impairment.jitter_ms) * 1_000;
        let late = if jitter > 0 { dice.below(2 * jitter + 1, from, number, knob) } else { 0 };
        (u64::from(self.impairment.delay_ms) * 1_000 + late).saturating_sub(jitter)
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Percent;

    use super::*;

    fn fates(up: Impairment) -> Vec<Fate> {
        let mut wire = Wire::new(&Link { up, ..Link::default() });
        let packet: Arc<[u8]> = vec![0; 1_000].into();
        (0..1_000)
            .map(|n| {
                let now = n * 10_000;
                while wire.pop_due(now).is_some() {}
                wire.send(now, End::Client, &packet, None, None)
            })
            .collect()
    }

    fn impairment() -> Impairment {
        Impairment {
            delay_ms: 50,
            jitter_ms: 20,
            loss: Percent::whole(5),
            duplicate: Percent::whole(5),
            reorder: Percent::whole(5),
            ..Impairment::default()
        }
    }

    #[test]
    fn turning_one_knob_does_not_move_what_another_decides() {
        let all = fates(impairment());
        let lossless = fates(Impairment { loss: Percent::ZERO, ..impairment() });
        let unjittered = fates(Impairment { jitter_ms: 0, ..impairment() });
        for (n, fate) in all.iter().enumerate() {
            if fate.verdict != Verdict::Lost {
                assert_eq!(*fate, lossless[n]);
            }
            assert_eq!(fate.verdict, unjittered[n].verdict);
        }
    }

    #[test]
    fn more_loss_loses_the_same_packets_and_some_more() {
        let few = fates(Impairment { loss: Percent::whole(2), ..impairment() });
        let many = fates(Impairment { loss: Percent::whole(20), ..impairment() });
        let lost = |fate: &Fate| fate.verdict == Verdict::Lost;
        assert!(few.iter().zip(&many).all(|(few, many)| !lost(few) || lost(many)));
    }

    #[test]
    fn a_packet_takes_its_time_through_the_bottleneck_and_waits_for_those_before() {
        let up = Impairment { rate_kbit: 8, delay_ms: 5, ..Impairment::default() };
        let mut wire = Wire::new(&Link { up, ..Link::default() });
        let packet: Arc<[u8]> = vec![0; 100].into();
        let mut arrives =
            || wire.send(0, End::Client, &packet, None, None).deliver_at.unwrap() / 1_000;
        assert_eq!([arrives(), arrives()], [105, 205]);
    }

    #[test]
    fn one_packet_more_than_the_limit_is_dropped() {
        let up = Impairment { limit: 3, delay_ms: 1, ..Impairment::default() };
        let mut wire = Wire::new(&Link { up, ..Link::default() });
        let packet: Arc<[u8]> = vec![0; 100].into();
        let mut verdict = |now| {
            while wire.pop_due(now).is_some() {}
            wire.send(now, End::Client, &packet, None, None).verdict
        };
        assert_eq!([verdict(0); 3], [Verdict::Delivered; 3]);
        let after: Vec<_> = (0..3).map(|_| verdict(0)).collect();
        assert_eq!(after, [Verdict::Delivered, Verdict::Delivered, Verdict::QueueFull]);
        assert_eq!(verdict(5_000), Verdict::Delivered);
    }

    #[test]
    fn a_direction_holds_no_more_bytes_than_it_may() {
        let up = Impairment { limit: 10_000, delay_ms: 10_000, ..Impairment::default() };
        let mut wire = Wire::new(&Link { up, ..Link::default() });
        let packet: Arc<[u8]> = vec![0; 9_000].into();
        let kept = (0..1_000)
            .filter(|_| {
                let fate = wire.send(0, End::Client, &packet, None, None);
                fate.verdict != Verdict::QueueFull
            })
            .count();
        assert_eq!(kept, BYTES_UNDER_WAY / 9_000);
    }
}
