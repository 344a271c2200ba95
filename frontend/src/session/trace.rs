//! The packets of a leg over an emulated path, as the session told them.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::{End, Flags, Header, Packet, Verdict};

use crate::i18n::figures::{Noun, counted, duration};
use crate::i18n::language::Language;

/// Packets that a lane keeps; the oldest goes for one more, and is counted.
pub(crate) const KEPT_PACKETS: usize = 5_000;

/// A packet and when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// On the clock of the session, as the packet's own times.
    pub(crate) at_us: u64,
    pub(crate) packet: Packet,
}

/// The packets of the latest leg.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    leg: u32,
    pub(crate) packets: VecDeque<Rc<Sent>>,
    /// Packets that are not kept any more.
    pub(crate) dropped: u64,
    /// Packets that were not told.
    pub(crate) missed: u64,
}

/// What the packets since a moment come to.
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
    pub(crate) fn push(&mut self, leg: u32, at_us: u64, packet: &Packet) {
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
        self.packets.insert(at, Rc::new(Sent { at_us, packet: packet.clone() }));
    }

    /// Adds up the packets from the first that carries a line of this send on.
    pub(crate) fn since(&self, send: u64) -> Sum {
        let is_of = |sent: &Rc<Sent>| sent.packet.line.is_some_and(|line| line.send == send);
        let first = self.packets.iter().position(is_of).unwrap_or(self.packets.len());
        let mut sum = Sum::default();
        let mut latest = HashMap::new();
        for sent in self.packets.range(first..) {
            let packet = &sent.packet;
            sum.packets += 1;
            sum.bytes += u64::from(packet.bytes);
            sum.again += u64::from(packet.retransmission);
            sum.lost += u64::from(sent.is_lost());
            sum.duplicated += u64::from(packet.copy_arrives_us.is_some());
            let latest = latest.entry(packet.from).or_insert(0);
            if let Some(arrives) = packet.arrives_us {
                sum.overtaken += u64::from(arrives < *latest);
                *latest = arrives.max(*latest);
            }
        }
        sum
    }
}

impl Sent {
    /// It does not arrive.
    pub(crate) fn is_lost(&self) -> bool {
        self.packet.arrives_us.is_none()
    }

    /// A few words for its arrow.
    pub(crate) fn label(&self, language: Language) -> String {
        let packet = &self.packet;
        let what = match (packet.header, packet.line) {
            (Header::Tcp { flags, .. }, None) => flag_names(flags),
            (Header::Udp { offset, .. }, None) if offset > 0 => language.packet_fragment().into(),
            (Header::Udp { .. }, None) => language.packet_datagram().into(),
            (header, Some(line)) => {
                let number = line.number.to_string();
                let what = if packet.from == End::Client {
                    language.packet_line(&number)
                } else {
                    language.packet_reply(&number)
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

    /// One line with everything but its payload.
    pub(crate) fn line(&self, language: Language) -> String {
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
        let time = format!("{}.{:06} s", at_us / 1_000_000, at_us % 1_000_000);
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
        sent.iter().for_each(|sent| trace.push(1, sent.at_us, &sent.packet));
        trace
    }

    #[test]
    fn packets_stand_in_the_order_of_their_times_and_a_new_leg_begins_anew() {
        let (early, late) = (segment(End::Gateway, 0, 5, false), segment(End::Client, 0, 9, false));
        let mut trace = traced(&[late.clone(), early]);
        assert_eq!(trace.packets[0].at_us, 5);
        trace.push(2, 11, &late.packet);
        trace.push(1, 12, &late.packet);
        assert_eq!(trace.packets.len(), 1);
    }

    #[test]
    fn a_send_is_summed_up_from_its_first_packet_on() {
        let mut again = with_line(segment(End::Client, 3, 4_000, false), 1);
        again.packet.retransmission = true;
        let trace = traced(&[
            segment(End::Client, 0, 0, false),
            with_line(segment(End::Client, 1, 1_000, true), 1),
            segment(End::Gateway, 0, 2_000, false),
            again,
        ]);
        let sum = Sum { packets: 3, bytes: 120, again: 1, lost: 1, ..Sum::default() };
        assert_eq!(trace.since(7), sum);
        assert_eq!(trace.since(8), Sum::default());
    }

    #[test]
    fn old_packets_go_and_are_counted() {
        let mut trace = Trace::default();
        for at in 0..KEPT_PACKETS as u64 + 3 {
            trace.push(1, at, &segment(End::Client, at, at, false).packet);
        }
        assert_eq!((trace.packets.len(), trace.dropped), (KEPT_PACKETS, 3));
    }

    #[test]
    fn a_label_says_what_it_is_and_what_it_is_again() {
        let mut sent = with_line(segment(End::Client, 0, 1_000_020, true), 3);
        assert_eq!(sent.label(Language::En), "line 3");
        sent.packet.retransmission = true;
        assert_eq!(sent.label(Language::En), "line 3 again");
        sent.packet.line = None;
        sent.packet.retransmission = false;
        sent.packet.duplicate_ack = true;
        assert_eq!(sent.label(Language::En), "dup ACK");
        assert_eq!(
            sent.line(Language::En),
            "1.000020 s · client → gateway · [ACK] seq 1 ack 1 window 9 length 0 · duplicate ACK · \
             40 bytes · lost by chance"
        );
    }
}
