//! A packet that a page was told of, and the words for it: one of the lab, which knows what becomes of it, or one that
//! the server captured, of which only what was observed is known.

use std::rc::Rc;

use streamgram_protocol::{Captured, Data, End, Flags, Header, Packet, Side, Verdict};

use crate::i18n::figures::{Noun, count, counted, duration, short, time_of_day};
use crate::i18n::language::Language;

/// A packet and when it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Unix time in microseconds, as the packet's own times. Of a captured packet: when it was seen first.
    pub(crate) at_us: u64,
    /// Of a captured packet the gateway is the server, its arrival is known only if that was seen, and the verdict means
    /// nothing: no path of ours decides about it.
    pub(crate) packet: Packet,
    /// What was seen of it, if it was captured.
    pub(crate) seen: Option<Seen>,
}

/// What was observed of a captured packet, besides its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When it left its sender's system.
    pub(crate) left_us: Option<u64>,
    /// Its length with all headers.
    pub(crate) bytes: u32,
    pub(crate) segments: u16,
    pub(crate) checksum_offloaded: bool,
    /// Its place is known: TCP's numbers count from the SYN, and no datagram before it was missed.
    pub(crate) placed: bool,
    /// The packet as far as it was kept.
    hex: Rc<str>,
}

/// Which ends of a packet's way are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    Both,
    /// It did not arrive: the lab knows.
    Lost,
    /// It was captured on its sender's system only.
    Sender,
    /// It was captured on its receiver's system only.
    Receiver,
}

impl Sent {
    /// A captured packet, seen first at that time.
    pub(crate) fn of_captured(at_us: u64, captured: Captured, placed: bool) -> Self {
        let Captured { number, left_us, came_us, bytes, header, segments, .. } = captured;
        let from = if captured.from == Side::Client { End::Client } else { End::Gateway };
        let packet = Packet {
            number,
            from,
            verdict: Verdict::Delivered,
            arrives_us: came_us,
            copy_arrives_us: None,
            bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
            header,
            line: None,
            last_line: None,
            retransmission: captured.retransmission,
            duplicate_ack: captured.duplicate_ack,
            hex: String::new(),
        };
        let (checksum_offloaded, hex) = (captured.checksum_offloaded, captured.hex.into());
        let seen = Seen { left_us, bytes, segments, checksum_offloaded, placed, hex };
        Self { at_us, packet, seen: Some(seen) }
    }

    /// The packet, as hexadecimal digits.
    pub(crate) fn hex(&self) -> &str {
        self.seen.as_ref().map_or(&self.packet.hex, |seen| &seen.hex)
    }

    /// Its payload as far as that was kept. It stands at the end of a whole packet.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let hex = Data::Hex(self.hex().to_owned());
        let bytes = hex.to_bytes().unwrap_or_default();
        let headers = self.bytes().saturating_sub(self.length().into());
        let headers = usize::try_from(headers).unwrap_or(usize::MAX);
        bytes.get(headers..).map(<[u8]>::to_vec).unwrap_or_default()
    }

    /// Its length with all headers.
    pub(crate) fn bytes(&self) -> u64 {
        self.seen.as_ref().map_or(self.packet.bytes.into(), |seen| seen.bytes.into())
    }

    /// Bytes of its payload, or of a fragment's part.
    pub(crate) fn length(&self) -> u16 {
        match self.packet.header {
            Header::Tcp { length, .. } | Header::Udp { length, .. } => length,
        }
    }

    /// Which of its ends are known.
    pub(crate) fn ends(&self) -> Ends {
        match (&self.seen, self.packet.arrives_us) {
            (None, None) => Ends::Lost,
            (Some(_), None) => Ends::Sender,
            (Some(Seen { left_us: None, .. }), Some(_)) => Ends::Receiver,
            (_, Some(_)) => Ends::Both,
        }
    }

    /// It does not arrive. Where only its arrival was not seen, nobody knows.
    pub(crate) fn is_lost(&self) -> bool {
        self.ends() == Ends::Lost
    }

    /// When nothing of it is under way any more.
    pub(super) fn gone_us(&self) -> u64 {
        let arrivals = [self.packet.arrives_us, self.packet.copy_arrives_us];
        arrivals.into_iter().flatten().max().unwrap_or(self.at_us)
    }

    /// It neither opens nor ends a connection.
    pub(super) fn is_plain(&self) -> bool {
        match self.packet.header {
            Header::Tcp { flags: Flags { syn, fin, rst, .. }, .. } => !(syn || fin || rst),
            Header::Udp { .. } => true,
        }
    }

    /// A few words for its arrow.
    pub(crate) fn label(&self, language: Language) -> String {
        let packet = &self.packet;
        let bytes = || counted(language, self.length().into(), Noun::Byte);
        let carries = self.seen.is_some() && self.length() > 0;
        let what = match (packet.header, packet.lines()) {
            (Header::Tcp { .. }, None) if carries && self.is_plain() => bytes(),
            (Header::Tcp { flags, .. }, None) if carries => {
                format!("{} · {}", flag_names(flags), bytes())
            }
            (Header::Tcp { flags, .. }, None) => flag_names(flags),
            (Header::Udp { offset, .. }, None) if offset > 0 => language.packet_fragment().into(),
            (Header::Udp { .. }, None) if carries => bytes(),
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
                    Header::Tcp { flags, .. } if carries && !self.is_plain() => {
                        format!("{} · {what}", flag_names(flags))
                    }
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
    fn verdict_text(&self, language: Language) -> String {
        let verdict = match self.packet.verdict {
            Verdict::Delivered => language.verdict_arrives(),
            Verdict::Duplicated => language.verdict_twice(),
            Verdict::Reordered => language.verdict_overtakes(),
            Verdict::Lost => language.verdict_lost(),
            Verdict::LostByRule => language.verdict_lost_by_rule(),
            Verdict::LostInBlackOut => language.verdict_lost_in_blackout(),
            Verdict::QueueFull => language.verdict_queue_full(),
        };
        let took = self.packet.arrives_us.map(|at| duration(at.saturating_sub(self.at_us)));
        took.map_or_else(|| verdict.into(), |time| language.verdict_after(verdict, &time))
    }

    /// What was seen of a captured packet.
    fn seen_text(&self, language: Language, seen: &Seen) -> String {
        let ends = match (self.ends(), seen.left_us.zip(self.packet.arrives_us)) {
            (_, Some((left, came))) => language.seen_both(&short(came.saturating_sub(left))),
            (Ends::Receiver, _) => language.seen_coming().into(),
            _ => language.seen_leaving().into(),
        };
        let segments =
            (seen.segments > 1).then(|| language.seen_segments(&count(seen.segments.into())));
        let checksum = seen.checksum_offloaded.then(|| match self.ends() {
            Ends::Both => language.seen_without_checksum().into(),
            _ => language.seen_checksum_offloaded().into(),
        });
        [Some(ends), segments, checksum].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// One line with everything but its payload, in a zone that many minutes east of UTC.
    pub(crate) fn line(&self, language: Language, zone: i32) -> String {
        let Self { at_us, packet, seen } = self;
        let far = if seen.is_some() { language.server() } else { language.gateway() };
        let from = match packet.from {
            End::Client => format!("{} → {far}", language.client()),
            End::Gateway => format!("{far} → {}", language.client()),
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
        let bytes = counted(language, self.bytes(), Noun::Byte);
        let fate = match seen {
            Some(seen) => self.seen_text(language, seen),
            None => self.verdict_text(language),
        };
        let parts =
            [Some(time.as_str()), Some(&*from), Some(&*header), mark, Some(&bytes), Some(&fate)];
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
    use super::*;

    fn captured(from: Side, number: u64, header: Header, bytes: u32) -> Captured {
        Captured {
            number,
            from,
            left_us: Some(number * 100),
            came_us: Some(number * 100 + 7),
            bytes,
            header,
            retransmission: false,
            duplicate_ack: false,
            segments: 1,
            checksum_offloaded: true,
            hex: String::new(),
        }
    }

    /// A captured segment without SYN and FIN; it takes 7 µs.
    pub(crate) fn segment(from: Side, number: u64, seq: u32, length: u16) -> Captured {
        let flags = Flags { ack: true, ..Flags::default() };
        let header = Header::Tcp { flags, seq, ack: 1, window: 65_495, length };
        captured(from, number, header, 52 + u32::from(length))
    }

    /// A captured ACK of so many bytes.
    pub(crate) fn ack(from: Side, number: u64, bytes: u32) -> Captured {
        let flags = Flags { ack: true, ..Flags::default() };
        let header = Header::Tcp { flags, seq: 1, ack: 1 + bytes, window: 65_495, length: 0 };
        captured(from, number, header, 52)
    }

    /// The first packets of a connection: the SYN, and its answer.
    pub(crate) fn opening() -> [Captured; 2] {
        [Side::Client, Side::Server].map(|from| {
            let flags = Flags { syn: true, ack: from == Side::Server, ..Flags::default() };
            let header = Header::Tcp { flags, seq: 0, ack: 0, window: 65_495, length: 0 };
            captured(from, 0, header, 60)
        })
    }

    /// A captured datagram.
    pub(crate) fn datagram(from: Side, number: u64, length: u16) -> Captured {
        let header = Header::Udp { ident: 0, offset: 0, more: false, length };
        captured(from, number, header, 28 + u32::from(length))
    }

    fn sent(captured: Captured) -> Sent {
        Sent::of_captured(1_000_020, captured, true)
    }

    #[test]
    fn what_was_not_seen_is_not_lost_and_has_no_verdict() {
        let both = segment(Side::Client, 3, 1, 12);
        let came = Captured { left_us: None, ..both.clone() };
        let left = Captured { came_us: None, from: Side::Server, ..both.clone() };
        let told = [both, came, left].map(sent);
        assert_eq!(told.each_ref().map(Sent::ends), [Ends::Both, Ends::Receiver, Ends::Sender]);
        assert!(!told.iter().any(Sent::is_lost));
        let lines = told.map(|sent| sent.line(Language::En, 0));
        assert_eq!(
            lines[0],
            "00:00:01.000020 · client → server · [ACK] seq 1 ack 1 window 65495 length 12 · 64 bytes · \
             came 7 µs after it left · checksum never filled in: loopback does without"
        );
        assert!(lines[1].contains("when it left is not known"), "{lines:?}");
        assert!(lines[2].contains("server → client") && lines[2].contains("when it came is not"));
        assert!(lines.iter().all(|line| !line.contains("arrives")), "{lines:?}");
    }

    #[test]
    fn segments_that_a_card_cuts_up_are_counted() {
        let packet =
            Captured { segments: 12, came_us: None, ..segment(Side::Server, 0, 1, 17_376) };
        let line = sent(packet).line(Language::En, 0);
        assert!(line.contains("12 segments") && line.contains("filled in by the network card"));
    }

    #[test]
    fn without_lines_a_label_has_flags_or_a_size() {
        let mut fin = segment(Side::Client, 2, 1, 5);
        if let Header::Tcp { flags, .. } = &mut fin.header {
            flags.fin = true;
        }
        let [syn, _] = opening();
        let told = [syn, segment(Side::Client, 1, 1, 5), fin, ack(Side::Server, 0, 5)];
        let labels = told.map(|packet| sent(packet).label(Language::En));
        assert_eq!(labels, ["SYN", "5 bytes", "FIN ACK · 5 bytes", "ACK"]);
        assert_eq!(sent(datagram(Side::Client, 0, 0)).label(Language::En), "datagram");
    }

    #[test]
    fn a_payload_is_what_was_kept_of_it() {
        let packet =
            |hex: &str| Captured { hex: hex.into(), bytes: 5, ..segment(Side::Client, 0, 1, 3) };
        let payload = |hex| sent(packet(hex)).payload();
        assert_eq!(payload("4500616263"), b"abc");
        assert_eq!(payload("450061"), b"a");
        assert!(payload("45").is_empty());
    }
}
