//! The packets of a leg, as the session told them: the lab's over an emulated path, captured ones over a direct path.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use super::sent::Sent;

/// Packets that a lane keeps; the oldest goes for one more, and is counted.
pub(crate) const KEPT_PACKETS: usize = 5_000;

/// How long an ACK may wait for company: the lab's delayed ACK.
const LONGEST_ACK_DELAY_US: u64 = 10_000;
/// The same of a captured one: Linux's longest (`TCP_DELACK_MAX`).
pub(super) const LINUX_ACK_DELAY_US: u64 = 200_000;

/// The packets of a leg, or those of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(super) leg: u32,
    pub(crate) packets: VecDeque<Rc<Sent>>,
    /// Packets that are not kept any more.
    pub(crate) dropped: u64,
    /// Packets that were not told.
    pub(crate) missed: u64,
    /// Packets that were dropped before anybody could say whose they were: some may have been its own.
    pub(crate) unclaimed: u64,
}

/// What the packets of a send come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) again: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) overtaken: u64,
}

impl Trace {
    /// Takes a packet in; the packets of an older leg make way for those of a new one.
    pub(crate) fn push(&mut self, leg: u32, sent: Rc<Sent>) {
        if !self.is_of(leg) {
            return;
        }
        if self.packets.len() == KEPT_PACKETS {
            self.packets.pop_front();
            self.dropped += 1;
        }
        // What the server's side sends can be told a little later than what came after it.
        let is_before = |it: &Rc<Sent>| {
            let (one, other) = (&it.packet, &sent.packet);
            let in_turn = one.from != other.from || one.number <= other.number;
            it.at_us < sent.at_us || it.at_us == sent.at_us && in_turn
        };
        let at = self.packets.iter().rposition(is_before);
        self.packets.insert(at.map_or(0, |at| at + 1), sent);
    }

    /// Whether it takes what is told of a leg.
    pub(super) fn is_of(&mut self, leg: u32) -> bool {
        if leg > self.leg {
            *self = Self { leg, ..Self::default() };
        }
        leg == self.leg
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.packets.iter().map(|sent| weight(sent)).sum()
    }

    /// Every packet is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.dropped == 0 && self.missed == 0 && self.unclaimed == 0
    }

    /// Its packets are the kernel's, captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.packets.front().is_some_and(|sent| sent.seen.is_some())
    }

    /// Adds up the packets of sends: those with bytes of their lines or replies, and the segments without bytes from
    /// the first of them until the last is acknowledged. Nothing if some of them are not known.
    /// What is sent after `until_us` does not count.
    pub(crate) fn of(&self, sends: &RangeInclusive<u64>, until_us: u64) -> Option<Sum> {
        let is_own = |sent: &Rc<Sent>| {
            let lines = sent.packet.lines();
            lines.is_some_and(|[first, last]| {
                first.send <= *sends.end() && *sends.start() <= last.send
            })
        };
        let is_bare = |sent: &Rc<Sent>| sent.packet.line.is_none() && sent.is_plain();
        let first = self.packets.iter().position(is_own)?;
        if self.missed + self.unclaimed > 0 || first == 0 && self.dropped > 0 {
            return None;
        }
        let own = self.packets.iter().filter(|sent| is_own(sent) && sent.at_us <= until_us);
        let ack_delay_us =
            if self.is_captured() { LINUX_ACK_DELAY_US } else { LONGEST_ACK_DELAY_US };
        let end = own.map(|sent| sent.gone_us() + ack_delay_us).max()?;
        // An ACK that others have overtaken is answered when it arrives: RFC 9293, 3.10.7.4.
        let acks = self.packets.range(first..).filter(|sent| is_bare(sent) && sent.at_us <= end);
        let end = acks.map(|sent| sent.gone_us()).fold(end, u64::max);
        let mut sum = Sum::default();
        // The earliest arrival of what an end sends later; the packets are gone through from the last.
        let mut earliest = [u64::MAX; 2];
        for sent in self.packets.range(first..).rev() {
            let packet = &sent.packet;
            if sent.at_us > end.min(until_us) || !is_own(sent) && !is_bare(sent) {
                continue;
            }
            sum.packets += 1;
            sum.bytes += sent.bytes();
            sum.again += u64::from(packet.retransmission);
            sum.lost += u64::from(sent.is_lost());
            sum.duplicated += u64::from(packet.copy_arrives_us.is_some());
            if let Some(arrives) = packet.arrives_us {
                // Of two copies the first counts. Late is what comes after something that was sent after it: RFC 4737,
                // 3.3.
                let arrives = packet.copy_arrives_us.unwrap_or(arrives).min(arrives);
                let earliest = &mut earliest[packet.from as usize];
                sum.overtaken += u64::from(arrives > *earliest);
                *earliest = arrives.min(*earliest);
            }
        }
        Some(sum)
    }
}

/// Bytes of memory that a packet takes, about.
pub(super) fn weight(sent: &Sent) -> usize {
    size_of_val(sent) + sent.hex().len()
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::{End, Flags, Header, Line, Packet, Verdict};

    use super::*;
    use crate::i18n::language::Language;

    /// A segment without payload that arrives after 20 ms, or is lost.
    pub(crate) fn segment(from: End, number: u64, at_us: u64, lost: bool) -> Sent {
        let flags = Flags { ack: true, ..Flags::default() };
        let verdict = if lost { Verdict::Lost } else { Verdict::Delivered };
        let packet = Packet {
            number,
            from,
            verdict,
            arrives_us: (!lost).then_some(at_us + 20_000),
            copy_arrives_us: None,
            bytes: 40,
            header: Header::Tcp { flags, seq: 1, ack: 1, window: 9, length: 0 },
            line: None,
            last_line: None,
            retransmission: false,
            duplicate_ack: false,
            hex: String::new(),
        };
        Sent { at_us, packet, seen: None }
    }

    fn with_line(mut sent: Sent, number: u32) -> Sent {
        sent.packet.line = Some(Line { send: 7, number });
        sent
    }

    pub(crate) fn traced(sent: &[Sent]) -> Trace {
        let mut trace = Trace::default();
        sent.iter().for_each(|sent| trace.push(1, Rc::new(sent.clone())));
        trace
    }

    #[test]
    fn packets_stand_in_the_order_of_their_times_and_a_new_leg_begins_anew() {
        let (early, late) = (segment(End::Gateway, 0, 5, false), segment(End::Client, 0, 9, false));
        let mut trace = traced(&[late.clone(), early]);
        assert_eq!(trace.packets[0].at_us, 5);
        let late = |at_us| Rc::new(Sent { at_us, ..late.clone() });
        trace.push(2, late(11));
        trace.push(1, late(12));
        assert_eq!((trace.packets.len(), trace.packets[0].at_us), (1, 11));
    }

    #[test]
    fn a_send_is_summed_up_from_its_first_packet_to_its_last_ack() {
        let mut again = with_line(segment(End::Client, 3, 4_000, false), 1);
        again.packet.retransmission = true;
        let mut fin = segment(End::Client, 4, 24_500, false);
        if let Header::Tcp { flags, .. } = &mut fin.packet.header {
            flags.fin = true;
        }
        let sent = [
            segment(End::Client, 0, 0, false),
            with_line(segment(End::Client, 1, 1_000, true), 1),
            segment(End::Gateway, 0, 2_000, false),
            again,
            segment(End::Gateway, 1, 24_000, false),
            fin,
            // The answer to the ACK before it, which came late.
            segment(End::Client, 5, 44_000, false),
            // Long after all has arrived.
            segment(End::Gateway, 2, 5_024_000, false),
        ];
        let mut trace = traced(&sent);
        let sum = Sum { packets: 5, bytes: 200, again: 1, lost: 1, ..Sum::default() };
        assert_eq!(trace.of(&(7..=7), u64::MAX), Some(sum));
        assert_eq!(trace.of(&(8..=8), u64::MAX), None);
        // What is sent again after that does not count.
        let until = |until_us| trace.of(&(7..=7), until_us).unwrap().again;
        assert_eq!([until(3_999), until(4_000)], [0, 1]);
        trace.missed = 1;
        assert_eq!(trace.of(&(7..=7), u64::MAX), None);
    }

    #[test]
    fn of_packets_that_change_places_those_that_come_late_are_counted() {
        // Three overtake the first: RFC 4737 calls that one reordered, not the three.
        let at = [40_000, 20_000, 30_000, 35_000, 45_000];
        let sent = (0..).zip(at).map(|(number, arrives)| {
            let mut sent = with_line(segment(End::Client, number, number * 1_000, false), 1);
            sent.packet.arrives_us = Some(arrives);
            sent
        });
        let mut sent: Vec<_> = sent.collect();
        let overtaken = |sent: &[Sent]| traced(sent).of(&(7..=7), u64::MAX).unwrap().overtaken;
        assert_eq!(overtaken(&sent), 1);
        sent[3].packet.arrives_us = Some(19_000);
        assert_eq!(overtaken(&sent), 3);
        // A copy that is in time is enough.
        sent[0].packet.copy_arrives_us = Some(18_000);
        assert_eq!(overtaken(&sent), 2);
    }

    #[test]
    fn old_packets_go_and_are_counted() {
        let mut trace = Trace::default();
        for at in 0..KEPT_PACKETS as u64 + 3 {
            trace.push(1, Rc::new(segment(End::Client, at, at, false)));
        }
        assert_eq!((trace.packets.len(), trace.dropped), (KEPT_PACKETS, 3));
    }

    #[test]
    fn a_label_says_what_it_is_and_what_it_is_again() {
        let mut sent = with_line(segment(End::Client, 0, 1_000_020, true), 3);
        assert_eq!(sent.label(Language::En), "line 3");
        sent.packet.retransmission = true;
        assert_eq!(sent.label(Language::En), "line 3 again");
        sent.packet.last_line = Some(Line { send: 7, number: 5 });
        assert_eq!(sent.label(Language::En), "lines 3–5 again");
        (sent.packet.line, sent.packet.last_line) = (None, None);
        sent.packet.retransmission = false;
        sent.packet.duplicate_ack = true;
        assert_eq!(sent.label(Language::En), "dup ACK");
        assert_eq!(
            sent.line(Language::En, 60),
            "01:00:01.000020 · client → gateway · [ACK] seq 1 ack 1 window 9 length 0 · duplicate ACK · \
             40 bytes · lost by chance"
        );
    }
}
