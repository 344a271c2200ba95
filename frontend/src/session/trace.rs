//! The packets of a leg over an emulated path, as the session told them.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

use streamgram_protocol::{End, Flags, Header, Packet, Verdict};

use crate::i18n::figures::{Noun, counted, duration, time_of_day};
use crate::i18n::language::Language;

/// Packets that a lane keeps; the oldest goes for one more, and is counted.
pub(crate) const KEPT_PACKETS: usize = 5_000;

/// How long an ACK may wait for company: the lab's delayed ACK.
const LONGEST_ACK_DELAY_US: u64 = 10_000;

/// A packet and when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Unix time in microseconds, as the packet's own times.
    pub(crate) at_us: u64,
    pub(crate) packet: Packet,
}

/// The packets of a leg, or those of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(super) leg: u32,
    pub(crate) packets: VecDeque<Rc<Sent>>,
    /// Packets that are not kept any more.
    pub(crate) dropped: u64,
    /// Packets that were not told.
    pub(crate) missed: u64,
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
    pub(crate) fn push(&mut self, leg: u32, at_us: u64, packet: Packet) {
        if leg < self.leg {
            return;
        }
        if leg > self.leg {
            *self = Self { leg, ..Self::default() };
        }
        if self.packets.len() == KEPT_PACKETS {
            self.packets.pop_front();
            self.dropped += 1;
        }
        // What the server's side sends can be told a little later than what came after it.
        let at = self.packets.iter().rposition(|sent| sent.at_us <= at_us).map_or(0, |at| at + 1);
        self.packets.insert(at, Rc::new(Sent { at_us, packet }));
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.packets.iter().map(|sent| size_of_val(&**sent) + sent.packet.hex.len()).sum()
    }

    /// Every packet is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.dropped == 0 && self.missed == 0
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
        if self.missed > 0 || first == 0 && self.dropped > 0 {
            return None;
        }
        let own = self.packets.iter().filter(|sent| is_own(sent) && sent.at_us <= until_us);
        let end = own.map(|sent| sent.gone_us() + LONGEST_ACK_DELAY_US).max()?;
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
            sum.bytes += u64::from(packet.bytes);
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

impl Sent {
    /// When nothing of it is under way any more.
    fn gone_us(&self) -> u64 {
        let arrivals = [self.packet.arrives_us, self.packet.copy_arrives_us];
        arrivals.into_iter().flatten().max().unwrap_or(self.at_us)
    }

    /// It neither opens nor ends a connection.
    fn is_plain(&self) -> bool {
        match self.packet.header {
            Header::Tcp { flags: Flags { syn, fin, rst, .. }, .. } => !(syn || fin || rst),
            Header::Udp { .. } => true,
        }
    }

    /// It does not arrive.
    pub(crate) fn is_lost(&self) -> bool {
        self.packet.arrives_us.is_none()
    }

    /// A few words for its arrow.
    pub(crate) fn label(&self, language: Language) -> String {
        let packet = &self.packet;
        let what = match (packet.header, packet.lines()) {
            (Header::Tcp { flags, .. }, None) => flag_names(flags),
            (Header::Udp { offset, .. }, None) if offset > 0 => language.packet_fragment().into(),
            (Header::Udp { .. }, None) => language.packet_datagram().into(),
            (header, Some([first, last])) => {
                let numbers = format!("{}–{}", first.number, last.number);
                let what = match (packet.from, first == last) {
                    (End::Client, true) => language.strip_line_named(&first.number.to_string()),
                    (End::Client, false) => language.strip_lines_named(&numbers),
                    (End::Gateway, true) => language.packet_reply(&first.number.to_string()),
                    (End::Gateway, false) => language.packet_replies(&numbers),
                };
                match header {
                    Header::Udp { offset: 0, more: false, .. } | Header::Tcp { .. } => what,
                    Header::Udp { .. } => language.packet_part(&what),
                }
            }
        };
        match (packet.retransmission, packet.duplicate_ack) {
            (true, _) => language.packet_again(&what),
            (_, true) => language.packet_dup(&what),
            _ => what,
        }
    }

    /// What the path did to it.
    fn verdict_text(&self, language: Language) -> &'static str {
        match self.packet.verdict {
            Verdict::Delivered => language.verdict_arrives(),
            Verdict::Duplicated => language.verdict_twice(),
            Verdict::Reordered => language.verdict_overtakes(),
            Verdict::Lost => language.verdict_lost(),
            Verdict::LostByRule => language.verdict_lost_by_rule(),
            Verdict::LostInBlackOut => language.verdict_lost_in_blackout(),
            Verdict::QueueFull => language.verdict_queue_full(),
        }
    }

    /// One line with everything but its payload, in a zone that many minutes east of UTC.
    pub(crate) fn line(&self, language: Language, zone: i32) -> String {
        let Self { at_us, packet } = self;
        let from = if packet.from == End::Client {
            language.client_to_gateway()
        } else {
            language.gateway_to_client()
        };
        // Names of header fields are the RFCs', in every language.
        let header = match packet.header {
            Header::Tcp { flags, seq, ack, window, length } => {
                let flags = flag_names(flags);
                format!("[{flags}] seq {seq} ack {ack} window {window} length {length}")
            }
            Header::Udp { ident, offset, more, length } if more || offset > 0 => {
                format!("UDP ident {ident} offset {offset} more {more} length {length}")
            }
            Header::Udp { length, .. } => format!("UDP length {length}"),
        };
        let time = format!("{}{:03}", time_of_day(*at_us, zone), at_us % 1_000);
        let mark = match (packet.retransmission, packet.duplicate_ack) {
            (true, _) => Some(language.mark_retransmission()),
            (_, true) => Some(language.mark_duplicate_ack()),
            _ => None,
        };
        let bytes = counted(language, packet.bytes.into(), Noun::Byte);
        let took = packet.arrives_us.map(|at| duration(at.saturating_sub(*at_us)));
        let fate = self.verdict_text(language);
        let fate = took.map_or_else(|| fate.into(), |time| language.verdict_after(fate, &time));
        let parts =
            [Some(time.as_str()), Some(from), Some(&header), mark, Some(&bytes), Some(&fate)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

fn flag_names(flags: Flags) -> String {
    let Flags { syn, ack, fin, rst, .. } = flags;
    let names = [(syn, "SYN"), (fin, "FIN"), (rst, "RST"), (ack, "ACK")];
    names.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::Line;

    use super::*;

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
        Sent { at_us, packet }
    }

    fn with_line(mut sent: Sent, number: u32) -> Sent {
        sent.packet.line = Some(Line { send: 7, number });
        sent
    }

    pub(crate) fn traced(sent: &[Sent]) -> Trace {
        let mut trace = Trace::default();
        sent.iter().for_each(|sent| trace.push(1, sent.at_us, sent.packet.clone()));
        trace
    }

    #[test]
    fn packets_stand_in_the_order_of_their_times_and_a_new_leg_begins_anew() {
        let (early, late) = (segment(End::Gateway, 0, 5, false), segment(End::Client, 0, 9, false));
        let mut trace = traced(&[late.clone(), early]);
        assert_eq!(trace.packets[0].at_us, 5);
        trace.push(2, 11, late.packet.clone());
        trace.push(1, 12, late.packet);
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
            trace.push(1, at, segment(End::Client, at, at, false).packet);
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
