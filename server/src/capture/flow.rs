//! What the packets of one connection, or of one UDP peer, mean beside each other: relative numbers, what is sent
//! again, and acknowledgements that are repeated. Words and rules are those of tshark.

use std::time::{Duration, Instant};

use streamgram_protocol::{Header, Side};

use super::dissect::{Segment, Transport};

/// The largest shift of a window (RFC 7323, section 2.3).
const MAX_SCALE: u8 = 14;
/// A segment that comes so soon after one that it should have come before was overtaken; later, it was sent again.
const OVERTAKEN: Duration = Duration::from_millis(3);

/// One connection, or one UDP peer.
#[derive(Debug)]
pub(super) struct Flow {
    /// A number that no other has.
    pub(super) id: u64,
    client: End,
    server: End,
}

/// What one of the two ends has sent.
#[derive(Debug, Default)]
struct End {
    packets: u64,
    /// The interface on which its packets are seen. Of a bridge, packets are seen on several.
    interface: Option<usize>,
    /// The number of its SYN.
    isn: Option<u32>,
    /// One beyond the highest number that was sent, and since when.
    next: Option<(u32, Instant)>,
    /// The last acknowledgement and window.
    last: Option<(u32, u16)>,
    /// The largest segment that it takes.
    mss: Option<u16>,
    scale: Option<u8>,
    /// The last segment was a keep-alive (RFC 9293, section 3.8.4).
    kept_alive: bool,
}

/// What a packet means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) number: u64,
    pub(super) header: Header,
    pub(super) retransmission: bool,
    pub(super) duplicate_ack: bool,
    pub(super) segments: u16,
}

impl Flow {
    pub(super) fn new(id: u64) -> Self {
        Self { id, client: End::default(), server: End::default() }
    }

    /// Whether the client begins another connection with this packet.
    pub(super) fn is_over_with(&self, from: Side, transport: &Transport) -> bool {
        let Transport::Tcp(Segment { flags, seq, .. }) = transport else { return false };
        from == Side::Client && flags.syn && !flags.ack && self.client.isn != Some(*seq)
    }

    /// Whether packets of this end are taken from this interface: from the first one on which there was any.
    pub(super) fn is_seen_on(&mut self, from: Side, interface: usize) -> bool {
        *self.ends(from).0.interface.get_or_insert(interface) == interface
    }

    /// Looks at the next packet. Whether it `left` its sender was seen `at` this time; else that it came.
    pub(super) fn see(
        &mut self,
        from: Side,
        transport: &Transport,
        left: bool,
        at: Instant,
    ) -> Meaning {
        let (end, peer) = self.ends(from);
        let number = end.packets;
        end.packets += 1;
        match *transport {
            Transport::Tcp(ref segment) => see_segment(end, peer, number, segment, left, at),
            Transport::Udp { ident, more, length } => Meaning {
                number,
                header: Header::Udp { ident, offset: 0, more, length: short(length) },
                retransmission: false,
                duplicate_ack: false,
                segments: 1,
            },
        }
    }

    fn ends(&mut self, from: Side) -> (&mut End, &mut End) {
        match from {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }
}

fn see_segment(
    end: &mut End,
    peer: &mut End,
    number: u64,
    segment: &Segment,
    left: bool,
    at: Instant,
) -> Meaning {
    let Segment { flags, seq, ack, window, .. } = *segment;
    if flags.syn && end.isn != Some(seq) {
        let (mss, scale) = (segment.mss, segment.scale);
        *end = End {
            isn: Some(seq),
            mss,
            scale,
            packets: end.packets,
            interface: end.interface,
            ..End::default()
        };
    }
    // Without a SYN, the first byte that is seen has the number 1.
    let isn = *end.isn.get_or_insert(seq.wrapping_sub(1));
    let relative_ack =
        if flags.ack { ack.wrapping_sub(*peer.isn.get_or_insert(ack.wrapping_sub(1))) } else { 0 };
    let span = u32::try_from(segment.length).unwrap_or(u32::MAX)
        + u32::from(flags.syn)
        + u32::from(flags.fin);
    let is_control = flags.syn || flags.fin || flags.rst;
    let next = end.next.map(|(next, _)| next);
    let keeps_alive = !is_control && segment.length <= 1 && next == Some(seq.wrapping_add(1));
    let is_probe = !is_control
        && segment.length == 1
        && next == Some(seq)
        && peer.last.is_some_and(|(_, window)| window == 0);
    let overtaken =
        |(_, since): (u32, Instant)| !left && at.saturating_duration_since(since) < OVERTAKEN;
    let is_behind = next.is_some_and(|next| is_before(seq, next));
    let retransmission = is_behind && span > 0 && !keeps_alive && !end.next.is_some_and(overtaken);
    let duplicate_ack = span == 0
        && !flags.rst
        && window > 0
        && next == Some(seq)
        && end.last == Some((ack, window))
        && !peer.kept_alive;
    let beyond = seq.wrapping_add(span);
    if !is_probe && next.is_none_or(|next| is_before(next, beyond)) {
        end.next = Some((beyond, at));
    }
    if flags.ack {
        end.last = Some((ack, window));
    }
    end.kept_alive = keeps_alive;
    let scale = end.scale.filter(|_| !flags.syn).zip(peer.scale).map_or(0, |(scale, _)| scale);
    let size = peer.mss.map_or(usize::MAX, |mss| usize::from(mss).saturating_sub(segment.options));
    Meaning {
        number,
        header: Header::Tcp {
            flags,
            seq: seq.wrapping_sub(isn),
            ack: relative_ack,
            window: u32::from(window) << scale.min(MAX_SCALE),
            length: short(segment.length),
        },
        retransmission,
        duplicate_ack,
        segments: short(segment.length.div_ceil(size.max(1))).max(1),
    }
}

/// Of two numbers, the nearer way around the circle decides (RFC 9293, section 3.4).
fn is_before(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) > u32::MAX / 2
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::Flags;

    use super::*;

    const SYN: Flags = Flags { syn: true, ack: false, psh: false, fin: false, rst: false };
    const SYN_ACK: Flags = Flags { ack: true, ..SYN };
    const ACK: Flags = Flags { syn: false, ..SYN_ACK };
    const FIN: Flags = Flags { fin: true, ..ACK };

    /// A flow, and the time.
    struct Talk(Flow, Instant);

    impl Talk {
        fn new() -> Self {
            Self(Flow::new(1), Instant::now())
        }

        /// A connection with windows that are shifted by 2, from the client, and 3.
        fn connected() -> Self {
            let mut talk = Self::new();
            let (mss, scale) = (Some(1_460), Some(2));
            talk.see(
                Side::Client,
                Segment { flags: SYN, seq: 1_000, mss, scale, options: 8, ..Segment::default() },
            );
            let syn_ack = Segment {
                flags: SYN_ACK,
                seq: u32::MAX,
                ack: 1_001,
                window: 500,
                ..Segment::default()
            };
            talk.see(Side::Server, Segment { mss, scale: Some(3), options: 8, ..syn_ack });
            talk.client(1_001, 0);
            talk
        }

        fn see(&mut self, from: Side, segment: Segment) -> Meaning {
            self.0.see(from, &Transport::Tcp(segment), true, self.1)
        }

        /// A segment of the client's, which has seen nothing of the server but its SYN.
        fn client(&mut self, seq: u32, length: usize) -> Meaning {
            self.see(
                Side::Client,
                Segment { flags: ACK, seq, ack: 0, window: 100, length, ..Segment::default() },
            )
        }

        fn acknowledged(&mut self, ack: u32, window: u16) -> Meaning {
            self.see(
                Side::Server,
                Segment { flags: ACK, seq: 0, ack, window, ..Segment::default() },
            )
        }
    }

    fn numbers(meaning: Meaning) -> (u32, u32, u32) {
        let Header::Tcp { seq, ack, window, .. } = meaning.header else { panic!() };
        (seq, ack, window)
    }

    #[test]
    fn numbers_count_from_the_syn_and_windows_are_shifted_after_it() {
        let mut talk = Talk::connected();
        assert_eq!(numbers(talk.client(1_001, 5)), (1, 1, 400));
        // Its numbers go around.
        assert_eq!(numbers(talk.acknowledged(1_006, 500)), (1, 6, 4_000));
        assert_eq!(talk.client(1_006, 5).number, 3);
        let mut talk = Talk::new();
        talk.see(
            Side::Client,
            Segment { flags: SYN, seq: 7, scale: Some(2), ..Segment::default() },
        );
        let syn_ack = talk.see(
            Side::Server,
            Segment { flags: SYN_ACK, seq: 9, ack: 8, window: 5, ..Segment::default() },
        );
        assert_eq!(numbers(syn_ack), (0, 1, 5));
        let unshifted = Segment { flags: ACK, seq: 8, ack: 10, window: 100, ..Segment::default() };
        assert_eq!(numbers(talk.see(Side::Client, unshifted)), (1, 1, 100), "only both shift");
    }

    #[test]
    fn without_a_syn_the_first_byte_that_is_seen_is_the_first() {
        let mut talk = Talk::new();
        assert_eq!(numbers(talk.client(70, 5)), (1, 1, 100));
        assert_eq!(numbers(talk.acknowledged(75, 9)), (1, 6, 9));
        assert_eq!(numbers(talk.client(75, 5)), (6, 1, 100));
    }

    #[test]
    fn what_begins_below_the_highest_is_sent_again() {
        let mut talk = Talk::connected();
        let again = |meaning: Meaning| meaning.retransmission;
        assert!(!again(talk.client(1_001, 10)) && !again(talk.client(1_011, 10)));
        assert!(again(talk.client(1_001, 10)) && again(talk.client(1_011, 30)));
        assert!(!again(talk.client(1_041, 0)), "an acknowledgement carries nothing");
        let fin = Segment { flags: FIN, seq: 1_041, ack: 0, window: 100, ..Segment::default() };
        assert!(!again(talk.see(Side::Client, fin)) && again(talk.see(Side::Client, fin)));
        let mut talk = Talk::new();
        let syn = Segment { flags: SYN, seq: 7, ..Segment::default() };
        assert!(!again(talk.see(Side::Client, syn)) && again(talk.see(Side::Client, syn)));
    }

    #[test]
    fn what_was_only_overtaken_on_its_way_here_is_not_sent_again() {
        let mut talk = Talk::connected();
        talk.client(1_011, 10);
        let late = Segment {
            flags: ACK,
            seq: 1_001,
            ack: 0,
            window: 100,
            length: 10,
            ..Segment::default()
        };
        let mut came =
            |at| talk.0.see(Side::Client, &Transport::Tcp(late), false, at).retransmission;
        assert!(!came(talk.1 + OVERTAKEN / 2));
        assert!(came(talk.1 + OVERTAKEN));
    }

    #[test]
    fn a_keep_alive_and_a_probe_of_the_window_are_not_sent_again() {
        let mut talk = Talk::connected();
        talk.client(1_001, 10);
        assert!(!talk.client(1_010, 0).retransmission && !talk.client(1_010, 1).retransmission);
        // Its answer repeats an acknowledgement because it was asked to.
        talk.acknowledged(1_011, 500);
        talk.client(1_010, 0);
        assert!(!talk.acknowledged(1_011, 500).duplicate_ack);
        talk.acknowledged(1_011, 0);
        assert!(!talk.client(1_011, 1).retransmission);
        assert!(!talk.client(1_011, 10).retransmission, "the byte of the probe did not count");
    }

    #[test]
    fn an_acknowledgement_that_says_nothing_new_is_a_duplicate() {
        let mut talk = Talk::connected();
        talk.client(1_001, 10);
        assert!(!talk.acknowledged(1_011, 500).duplicate_ack);
        assert!(talk.acknowledged(1_011, 500).duplicate_ack);
        assert!(!talk.acknowledged(1_011, 600).duplicate_ack, "it changes the window");
        assert!(!talk.acknowledged(1_012, 600).duplicate_ack);
    }

    #[test]
    fn segments_are_counted_by_what_the_receiver_takes() {
        let mut talk = Talk::connected();
        let mut segments = |length| {
            let segment = Segment {
                flags: ACK,
                seq: 1_001,
                ack: 0,
                options: 12,
                length,
                ..Segment::default()
            };
            talk.see(Side::Client, segment).segments
        };
        assert_eq!([0, 1_448, 1_449, 64 * 1_448].map(&mut segments), [1, 1, 2, 64]);
    }

    #[test]
    fn another_syn_is_another_connection_and_the_same_one_is_not() {
        let mut talk = Talk::connected();
        let syn = |seq| Transport::Tcp(Segment { flags: SYN, seq, ..Segment::default() });
        assert!(!talk.0.is_over_with(Side::Client, &syn(1_000)));
        assert!(talk.0.is_over_with(Side::Client, &syn(1_001)));
        assert!(!talk.0.is_over_with(Side::Server, &syn(5)));
        assert!(talk.0.is_seen_on(Side::Client, 2) && talk.0.is_seen_on(Side::Server, 3));
        assert!(!talk.0.is_seen_on(Side::Client, 3) && talk.0.is_seen_on(Side::Client, 2));
    }
}
