//! Where the lab's TCP did otherwise than a modern Linux kernel would have, told from the packets of a run. It
//! says what happened, and nothing that only could have.

use streamgram_protocol::{End, Header};

use crate::i18n::figures::{Noun, count, counted, duration};
use crate::i18n::language::Language;
use crate::session::sent::Sent;
use crate::session::trace::Trace;

/// The least timeout for data, RFC 6298, 2.4.
const LEAST_TIMEOUT_US: u64 = 1_000_000;
/// Linux's (`TCP_RTO_MIN`): what it waits beyond the round trip, at least.
const LINUX_LEAST_TIMEOUT_US: u64 = 200_000;
/// What an ACK causes is sent within this time after it.
const AT_ONCE_US: u64 = 2_000;
/// An ACK that goes out later than this after what it acknowledges was kept back.
const KEPT_BACK_US: u64 = 5_000;
/// The congestion window that the lab's TCP begins with: two segments of 1,024 bytes.
const FIRST_WINDOW: u64 = 2_048;

/// A sentence for each difference that showed, at most one of a kind for each end.
pub(crate) fn differences(language: Language, trace: &Trace) -> Vec<String> {
    let segments: Vec<_> = trace.packets.iter().filter_map(|sent| Segment::of(sent)).collect();
    let said = End::BOTH.map(|end| {
        let name = match end {
            End::Client => language.client(),
            End::Gateway => language.gateway(),
        };
        let timeout = || said_of_timeout(language, name, &timeout(&segments, end)?);
        let kept_back =
            || kept_back(&segments, end).map(|wait| language.differs_ack(name, &duration(wait)));
        let bytes = || counted(language, FIRST_WINDOW, Noun::Byte);
        let window = || {
            held_by_first_window(&segments, end).then(|| language.differs_window(name, &bytes()))
        };
        [timeout(), kept_back(), window()]
    });
    said.into_iter().flatten().flatten().collect()
}

/// A TCP packet.
struct Segment<'a> {
    sent: &'a Sent,
    seq: u32,
    ack: u32,
    /// What it takes of the sequence numbers: its bytes, and one for a FIN.
    length: u32,
}

impl<'a> Segment<'a> {
    /// None of a datagram, and none of what opens or tears down.
    fn of(sent: &'a Sent) -> Option<Self> {
        match sent.packet.header {
            Header::Tcp { flags, seq, ack, length, .. } if !flags.syn && !flags.rst => {
                let length = u32::from(length) + u32::from(flags.fin);
                Some(Self { sent, seq, ack, length })
            }
            _ => None,
        }
    }

    fn is_from(&self, end: End) -> bool {
        self.sent.packet.from == end
    }

    /// One beyond its last byte. Sequence numbers of a run do not wrap: a leg ends long before.
    fn end(&self) -> u32 {
        self.seq.saturating_add(self.length)
    }

    /// When it, or the copy of it, comes first.
    fn arrives_us(&self) -> Option<u64> {
        let arrivals = [self.sent.packet.arrives_us, self.sent.packet.copy_arrives_us];
        arrivals.into_iter().flatten().min()
    }

    fn arrives_before(&self, at_us: u64) -> bool {
        self.arrives_us().is_some_and(|arrives| arrives <= at_us)
    }

    fn carries_new_bytes(&self) -> bool {
        self.length > 0 && !self.sent.packet.retransmission
    }
}

/// A segment that was sent again because time was up.
struct Timeout<'a> {
    first: &'a Segment<'a>,
    wait_us: u64,
    duplicate_acks: usize,
    linux: Linux,
}

/// After what time Linux would have sent it again, and why.
#[derive(Debug, PartialEq, Eq)]
enum Linux {
    Timer(u64),
    Rack(u64),
}

fn said_of_timeout(language: Language, end: &str, timeout: &Timeout<'_>) -> Option<String> {
    let Timeout { first, wait_us, duplicate_acks, linux } = timeout;
    let (Linux::Timer(linux_us) | Linux::Rack(linux_us)) = linux;
    if linux_us.saturating_mul(4) > wait_us.saturating_mul(3) {
        // Linux would hardly have been sooner.
        return None;
    }
    let what = match (first.sent.packet.lines(), first.length) {
        (None, 2..) => counted(language, first.length.into(), Noun::Byte),
        _ => first.sent.label(language),
    };
    let (wait, linux_wait) = (duration(*wait_us), duration(*linux_us));
    Some(match linux {
        Linux::Timer(_) => language.differs_timeout(&wait, end, &what, &linux_wait),
        Linux::Rack(_) => {
            let acks = count(*duplicate_acks as u64);
            language.differs_rack(&acks, end, &what, &wait, &linux_wait)
        }
    })
}

/// The first timeout of an end, if what it sent again then went out for the second time. The segments that follow it
/// say nothing new.
fn timeout<'a>(segments: &'a [Segment<'a>], end: End) -> Option<Timeout<'a>> {
    let round_trip_us = round_trip(segments)?;
    let own = || segments.iter().filter(|segment| segment.is_from(end) && segment.length > 0);
    let again = own().filter(|segment| segment.sent.packet.retransmission);
    let (first, again) = again
        .filter_map(|again| {
            let earlier = own().take_while(|it| it.sent.packet.number < again.sent.packet.number);
            let carried = earlier.filter(|it| it.seq <= again.seq && again.seq < it.end());
            Some((carried.last()?, again))
        })
        .find(|(first, again)| is_timeout(segments, first, again))?;
    if first.sent.packet.retransmission {
        return None;
    }
    let (first_us, again_us) = (first.sent.at_us, again.sent.at_us);
    let last_us = own().map(|segment| segment.sent.at_us).filter(|at| *at < again_us).max();
    let timer = linux_timer(round_trip_us, last_us.unwrap_or(first_us) - first_us);
    let acks = duplicate_acks(segments, again);
    let acks = acks.filter(|at| (first_us..again_us).contains(at));
    let (duplicate_acks, soonest) =
        acks.fold((0, u64::MAX), |(number, soonest), at| (number + 1, at.min(soonest)));
    // RACK, RFC 8985, 6.2: once something that was sent later is known to have come, what is older by more than a
    // round trip and a quarter of one is lost.
    let rack = soonest.saturating_sub(first_us).max(round_trip_us + round_trip_us / 4);
    let linux = if rack <= timer { Linux::Rack(rack) } else { Linux::Timer(timer) };
    Some(Timeout { first, wait_us: again_us - first_us, duplicate_acks, linux })
}

/// Whether a segment was sent again because time was up. The third duplicate ACK in a row repeats at once.
fn is_timeout(segments: &[Segment<'_>], first: &Segment<'_>, again: &Segment<'_>) -> bool {
    let wait_us = again.sent.at_us.saturating_sub(first.sent.at_us);
    let just_now = again.sent.at_us.saturating_sub(AT_ONCE_US)..=again.sent.at_us;
    wait_us >= LEAST_TIMEOUT_US && !duplicate_acks(segments, again).any(|at| just_now.contains(&at))
}

/// When duplicate ACKs came that ask for a segment.
fn duplicate_acks(segments: &[Segment<'_>], asked: &Segment<'_>) -> impl Iterator<Item = u64> {
    let (end, seq) = (asked.sent.packet.from, asked.seq);
    let acks = segments.iter().filter(move |it| !it.is_from(end) && it.ack == seq);
    acks.filter(|ack| ack.sent.packet.duplicate_ack).filter_map(Segment::arrives_us)
}

/// When Linux would have sent a segment again without any ACK, at the latest. `later_us` is how much later than the
/// segment its sender's last one went out.
fn linux_timer(round_trip_us: u64, later_us: u64) -> u64 {
    // RFC 6298, 2.2, as after the first measurement; later ones make RTTVAR smaller.
    let timeout = round_trip_us + LINUX_LEAST_TIMEOUT_US.max(2 * round_trip_us);
    // The tail loss probe, RFC 8985, 7.2: two round trips after the last segment, and if only one is under way, with
    // time for a delayed ACK. What stands before the tail follows when the probe is acknowledged.
    let probe = if later_us == 0 {
        2 * round_trip_us + LINUX_LEAST_TIMEOUT_US
    } else {
        later_us + 3 * round_trip_us
    };
    timeout.min(probe)
}

/// What the path takes there and back, on average.
fn round_trip(segments: &[Segment<'_>]) -> Option<u64> {
    let one_way = |end: End| {
        let delays = segments.iter().filter(|segment| segment.is_from(end));
        let delays = delays.filter_map(|it| it.arrives_us()?.checked_sub(it.sent.at_us));
        let (sum, number) = delays.fold((0, 0), |(sum, number), us| (sum + us, number + 1));
        u64::checked_div(sum, number)
    };
    Some(one_way(End::Client)? + one_way(End::Gateway)?)
}

/// How long an end kept an ACK back that then went alone: the first such time.
fn kept_back(segments: &[Segment<'_>], end: End) -> Option<u64> {
    let mut acknowledged = 0;
    segments.iter().enumerate().filter(|(_, ack)| ack.is_from(end)).find_map(|(at, ack)| {
        let before = acknowledged;
        acknowledged = ack.ack.max(before);
        if ack.length > 0 || acknowledged == before {
            return None;
        }
        let others = segments[..at].iter().rev().filter(|it| !it.is_from(end) && it.length > 0);
        let came = others.filter(|it| it.arrives_before(ack.sent.at_us));
        // Those that were sent last came last, give or take a few that changed places.
        let latest = came.take(8).filter_map(Segment::arrives_us).max()?;
        Some(ack.sent.at_us - latest).filter(|wait| *wait >= KEPT_BACK_US)
    })
}

/// Whether an end's first bytes were exactly its first window, ended in the midst of a line, and the rest of that
/// line went out the moment an ACK came.
fn held_by_first_window(segments: &[Segment<'_>], end: End) -> bool {
    let mut own = segments.iter().filter(|it| it.is_from(end) && it.carries_new_bytes()).peekable();
    let acks = segments.iter().filter(|it| it.is_from(end.peer()) && it.ack > 1);
    // Sequence number 0 is the SYN's.
    let (Some(ack_us), true) = (
        acks.filter_map(Segment::arrives_us).min(),
        own.peek().is_some_and(|first| first.seq == 1),
    ) else {
        return false;
    };
    let (mut bytes, mut cut) = (0, None);
    while let Some(segment) = own.next_if(|segment| segment.sent.at_us < ack_us) {
        bytes += u64::from(segment.length);
        cut = segment.sent.packet.lines().map(|[_, last]| last);
    }
    own.next().is_some_and(|next| {
        let goes_on = cut.is_some() && next.sent.packet.line == cut;
        bytes == FIRST_WINDOW && goes_on && next.sent.at_us < ack_us + AT_ONCE_US
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_lab::{Mark, Options, TcpLab};
    use streamgram_protocol::{Impairment, Line, Link, Packet, Rule};

    use super::*;
    use crate::session::trace::tests::{segment, traced};

    const MS: u64 = 1_000;

    /// A segment that arrives after 20 ms, or is lost.
    fn tcp(
        from: End,
        number: u64,
        at_ms: u64,
        (seq, ack, length): (u32, u32, u16),
        lost: bool,
    ) -> Sent {
        let mut sent = segment(from, number, at_ms * MS, lost);
        let Header::Tcp { flags, window, .. } = sent.packet.header else { unreachable!() };
        sent.packet.header = Header::Tcp { flags, seq, ack, window, length };
        sent
    }

    /// Line `number` of ten bytes.
    fn line(number: u32, at_ms: u64, lost: bool) -> Sent {
        let mut sent = tcp(End::Client, number.into(), at_ms, (10 * number - 9, 1, 10), lost);
        sent.packet.line = Some(Line { send: 7, number });
        sent
    }

    fn again(mut sent: Sent, number: u64) -> Sent {
        sent.packet.retransmission = true;
        sent.packet.number = number;
        sent
    }

    fn ack(number: u64, at_ms: u64, ack: u32) -> Sent {
        tcp(End::Gateway, number, at_ms, (1, ack, 0), false)
    }

    fn duplicate(mut sent: Sent) -> Sent {
        sent.packet.duplicate_ack = true;
        sent
    }

    fn said(sent: &[Sent]) -> Vec<String> {
        differences(Language::En, &traced(sent))
    }

    #[test]
    fn nothing_is_said_where_nothing_is_sent_again_or_kept_back() {
        assert_eq!(said(&[line(1, 0, false), ack(0, 20, 11)]), [""; 0]);
        assert_eq!(said(&[]), [""; 0]);
    }

    #[test]
    fn a_timeout_of_a_second_is_set_beside_linux_s_timer() {
        let sent = [
            line(1, 0, false),
            ack(0, 20, 11),
            line(2, 200, true),
            again(line(2, 1_200, false), 3),
            ack(1, 1_220, 21),
        ];
        let said = said(&sent);
        assert_eq!(said.len(), 1, "{said:?}");
        // A round trip of 40 ms, and 200 ms.
        for part in ["After 1.00 s", "the client sent line 2 again", "after about 240 ms"] {
            assert!(said[0].contains(part), "{part}: {said:?}");
        }
    }

    #[test]
    fn two_duplicate_acks_are_enough_for_rack() {
        let sent = [
            line(1, 0, true),
            line(2, 1, false),
            line(3, 2, false),
            ack(0, 0, 1),
            duplicate(ack(1, 21, 1)),
            duplicate(ack(2, 22, 1)),
            again(line(1, 1_000, false), 4),
            ack(3, 1_020, 31),
        ];
        let said = said(&sent);
        assert_eq!(said.len(), 1, "{said:?}");
        for part in ["(2)", "sent line 1 again", "1.00 s", "about 50.0 ms"] {
            assert!(said[0].contains(part), "{part}: {said:?}");
        }
    }

    #[test]
    fn what_the_third_duplicate_ack_repeats_is_no_timeout_even_on_a_long_path() {
        let acks = [21, 22, 979].map(|at| duplicate(ack(at, at, 1)));
        let sent = [
            vec![line(1, 0, true), line(2, 1, false), line(3, 2, false), line(4, 959, false)],
            acks.to_vec(),
            vec![again(line(1, 1_000, false), 5)],
        ];
        assert_eq!(said(&sent.concat()), [""; 0]);
    }

    /// What the lab makes of a link: five lines, each answered at once by a reply of ten bytes.
    fn trace(link: &Link, every_ms: u64) -> Trace {
        let mut lab = TcpLab::open(link, Options::default(), 0);
        let mut trace = Trace::default();
        let mut run = |lab: &mut TcpLab, until: u64| {
            while let Some(now) = lab.next().filter(|now| *now <= until) {
                lab.step(now);
                for line in lab.read(now, End::Gateway).chunks_exact(10) {
                    let line = Some(Line { send: 7, number: u32::from(line[0]) });
                    lab.write(now, End::Gateway, b"0123456789", line);
                }
                let _replies = lab.read(now, End::Client);
                for packet in lab.take_packets() {
                    let (at_us, packet) = (packet.sent_at, protocol_packet(&packet));
                    trace.push(1, Rc::new(Sent { at_us, packet, seen: None }));
                }
            }
        };
        for number in 1..=5u8 {
            let at = 1_000 * MS + u64::from(number) * every_ms * MS;
            run(&mut lab, at);
            lab.write(
                at,
                End::Client,
                &[number; 10],
                Some(Line { send: 7, number: number.into() }),
            );
        }
        run(&mut lab, 20_000 * MS);
        trace
    }

    fn protocol_packet(packet: &streamgram_lab::Packet) -> Packet {
        Packet {
            number: packet.number,
            from: packet.from,
            verdict: packet.verdict,
            arrives_us: packet.deliver_at,
            copy_arrives_us: packet.duplicate_at,
            bytes: 0,
            header: packet.header,
            line: packet.lines.map(|[first, _]| first),
            last_line: packet.lines.and_then(|[first, last]| (last != first).then_some(last)),
            retransmission: packet.mark == Some(Mark::Retransmission),
            duplicate_ack: packet.mark == Some(Mark::DuplicateAck),
            hex: String::new(),
        }
    }

    #[test]
    fn of_the_lab_s_own_packets_the_same_is_said() {
        let way = Impairment { delay_ms: 20, ..Impairment::default() };
        let perfect = Link { up: way, down: way, delayed_ack: false, ..Link::default() };
        let said = |link: &Link, every_ms| differences(Language::En, &trace(link, every_ms));
        assert_eq!(said(&perfect, 200), [""; 0]);
        let lost = |rule| Link { rules: vec![rule], ..perfect.clone() };
        let line_3 = lost(Rule::LoseLine { line: 3, packet: Some(1) });
        let cases = [
            (
                line_3.clone(),
                200,
                "Duplicate ACKs came (2), and yet the client sent line 3 again",
                "240 ms",
            ),
            (
                line_3,
                20,
                "Duplicate ACKs came (2), and yet the client sent line 3 again",
                "60.0 ms",
            ),
            // Nothing comes after the last line.
            (
                lost(Rule::LoseLine { line: 5, packet: Some(1) }),
                200,
                "After 1.00 s without an ACK the client",
                "240 ms",
            ),
            (
                lost(Rule::LoseReply { line: 3 }),
                200,
                "Duplicate ACKs came (2), and yet the gateway",
                "240 ms",
            ),
            (
                Link { delayed_ack: true, ..perfect.clone() },
                200,
                "The client kept an ACK back for 10.0 ms",
                "40 ms",
            ),
        ];
        for (link, every_ms, begins, linux) in cases {
            let said = said(&link, every_ms);
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].starts_with(begins) && said[0].contains(linux), "{said:?}");
        }
    }

    #[test]
    fn a_reply_that_is_sent_again_is_the_gateway_s() {
        let reply = |number, at_ms, lost| {
            let mut sent = tcp(End::Gateway, number, at_ms, (1, 11, 37), lost);
            sent.packet.line = Some(Line { send: 7, number: 1 });
            sent
        };
        let sent = [
            line(1, 0, false),
            reply(0, 20, true),
            again(reply(0, 1_020, false), 1),
            tcp(End::Client, 2, 1_040, (11, 38, 0), false),
        ];
        let said = said(&sent);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("the gateway sent reply 1 again"), "{said:?}");
    }

    #[test]
    fn an_ack_that_waits_for_company_is_named_once_with_its_wait() {
        let sent = [line(1, 0, false), ack(0, 30, 11), line(2, 100, false), ack(1, 130, 21)];
        assert_eq!(said(&sent).len(), 1);
        assert!(said(&sent)[0].starts_with("The gateway kept an ACK back for 10.0 ms"));
        // One that goes with data is no delay, and a window update no ACK.
        let reply = tcp(End::Gateway, 0, 30, (1, 11, 5), false);
        assert_eq!(said(&[line(1, 0, false), reply.clone(), ack(1, 90, 11)]), [""; 0]);
        // A FIN is acknowledged like a byte.
        let mut fin = tcp(End::Client, 2, 500, (11, 1, 0), false);
        if let Header::Tcp { flags, .. } = &mut fin.packet.header {
            flags.fin = true;
        }
        assert_eq!(said(&[line(1, 0, false), reply, fin, ack(1, 520, 12)]), [""; 0]);
    }

    #[test]
    fn a_line_that_the_first_window_cuts_is_told_and_one_that_ends_there_is_not() {
        let part = |number: u64, at_ms, (seq, length), line| {
            let mut sent = tcp(End::Client, number, at_ms, (seq, 1, length), false);
            sent.packet.line = Some(Line { send: 7, number: line });
            sent
        };
        let begin = |line| {
            vec![
                part(0, 0, (1, 1_460), 1),
                part(1, 0, (1_461, 588), 1),
                ack(0, 20, 1_461),
                part(2, 40, (2_049, 1_460), line),
            ]
        };
        assert!(said(&begin(1))[0].starts_with("The client began with 2,048 bytes"));
        assert_eq!(said(&begin(2)), [""; 0]);
    }
}
