//! Head-of-line blocking: what arrives beyond a hole waits until the hole is filled, for TCP hands bytes over in
//! their order. Computed from the packets alone; where some of them are not known, nothing is said.

use std::ops::Range;

use streamgram_protocol::{End, Header};

use super::moments::{Moment, Step, moments};
use crate::i18n::language::Language;
use crate::session::sent::Sent;
use crate::session::trace::Trace;

/// A line and one not before it, by their numbers in the run.
type Lines = [u32; 2];

/// Segments that an end had, and could not hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Who held them.
    pub(crate) end: End,
    /// From the arrival of the first of them to that of what was missing.
    pub(crate) us: Range<u64>,
    /// The lines that waited, and those they waited for.
    pub(crate) lines: Option<[Lines; 2]>,
}

impl Held {
    /// Who waits for what.
    pub(crate) fn words(&self, language: Language) -> String {
        let Some([waiting, missing]) = self.lines else { return language.held_bytes().into() };
        let name = |[first, last]: Lines| match (self.end, first == last) {
            (End::Gateway, true) => language.strip_line_named(&first.to_string()),
            (End::Gateway, false) => language.strip_lines_named(&format!("{first}–{last}")),
            (End::Client, true) => language.packet_reply(&first.to_string()),
            (End::Client, false) => language.packet_replies(&format!("{first}–{last}")),
        };
        if waiting[0] == waiting[1] {
            language.held_one(&name(waiting), &name(missing))
        } else {
            language.held_several(&name(waiting), &name(missing))
        }
    }
}

/// Everything that waited.
pub(crate) fn held(trace: &Trace) -> Vec<Held> {
    if !trace.is_whole() {
        return Vec::new();
    }
    let moments = moments(trace.packets.iter(), Vec::new());
    let mut held = held_from(trace, &moments, End::Client);
    held.extend(held_from(trace, &moments, End::Gateway));
    held
}

/// Bytes that a segment brought, as sequence numbers: these wrap.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: u32,
    end: u32,
    arrived_us: u64,
    lines: Option<Lines>,
}

/// How far `seq` is beyond `from`; negative if it is not.
fn beyond(seq: u32, from: u32) -> i32 {
    seq.wrapping_sub(from).cast_signed()
}

/// What the receiver of one direction held.
fn held_from(trace: &Trace, moments: &[Moment], from: End) -> Vec<Held> {
    // Before it, nothing is known to be missing: a trace can begin amid a connection.
    let first = trace.packets.iter().find_map(|sent| {
        let is_new = sent.packet.from == from && !sent.packet.retransmission;
        stretch(sent, 0).filter(|it| is_new && it.start != it.end)
    });
    let Some(Stretch { start: mut next, .. }) = first else { return Vec::new() };
    let (mut waiting, mut held, mut last_us) = (Vec::<Stretch>::new(), Vec::new(), 0);
    for Moment { at_us, step, index } in moments.iter().copied() {
        let packet = &trace.packets[index].packet;
        let Header::Tcp { flags, ack, .. } = packet.header else { continue };
        let missing = match step {
            Step::Sent if flags.rst => break,
            // The receiver has it by other ways than those in sight: what waited is not told.
            Step::Sent if packet.from != from && flags.ack && beyond(ack, next) > 0 => {
                next = ack;
                None
            }
            Step::Arrives | Step::ArrivesAtOnce | Step::CopyArrives if packet.from == from => {
                let Some(new) = stretch(&trace.packets[index], at_us) else { continue };
                if beyond(new.start, next) > 0 {
                    waiting.push(new);
                    continue;
                }
                if beyond(new.end, next) <= 0 {
                    continue;
                }
                next = new.end;
                Some(new.lines)
            }
            _ => continue,
        };
        let mut released = Vec::new();
        while let Some(at) = waiting.iter().position(|it| beyond(it.start, next) <= 0) {
            let stretch = waiting.swap_remove(at);
            next = if beyond(stretch.end, next) > 0 { stretch.end } else { next };
            released.push(stretch);
        }
        let since = released.iter().map(|it| it.arrived_us).min();
        // What waits for a second hole is shown for the first one until that is filled.
        if let (Some(missing), Some(since)) = (missing, since.map(|since| since.max(last_us)))
            && since < at_us
        {
            let lines = missing.and_then(|missing| lines(&released, missing));
            held.push(Held { end: from.peer(), us: since..at_us, lines });
        }
        last_us = at_us;
    }
    held
}

/// The lines that waited, and those of the hole: a segment that fills it can bring lines again that are there.
fn lines(released: &[Stretch], [first, last]: Lines) -> Option<[Lines; 2]> {
    let waited = || released.iter().filter_map(|it| it.lines);
    let start = waited().map(|lines| lines[0]).min()?;
    let end = waited().map(|lines| lines[1]).max()?;
    Some([[start, end], [first, last.min(start.saturating_sub(1)).max(first)]])
}

/// What a segment brings at that time; SYN and FIN count one each.
fn stretch(sent: &Sent, arrived_us: u64) -> Option<Stretch> {
    let Header::Tcp { flags, seq, length, .. } = sent.packet.header else { return None };
    let end = seq.wrapping_add(u32::from(length) + u32::from(flags.syn) + u32::from(flags.fin));
    let lines = sent.packet.lines().map(|lines| lines.map(|line| line.number));
    Some(Stretch { start: seq, end, arrived_us, lines })
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Flags, Line};

    use super::*;
    use crate::session::trace::tests::{segment, traced};

    const START: u32 = u32::MAX - 15;

    /// Line `line` of ten bytes, the first of which has the number `START`; arrives after 20 ms.
    fn line(number: u64, at_ms: u64, line: u32, lost: bool) -> Sent {
        lines(number, at_ms, [line, line], lost)
    }

    fn lines(number: u64, at_ms: u64, [first, last]: [u32; 2], lost: bool) -> Sent {
        let mut sent = segment(End::Client, number, at_ms * 1_000, lost);
        let Header::Tcp { seq, length, .. } = &mut sent.packet.header else { panic!("a segment") };
        *seq = START.wrapping_add(10 * (first - 1));
        *length = u16::try_from(10 * (last + 1 - first)).unwrap();
        sent.packet.line = Some(Line { send: 1, number: first });
        sent.packet.last_line = Some(Line { send: 1, number: last });
        sent
    }

    fn ack(number: u64, at_ms: u64, lines: u32) -> Sent {
        let mut sent = segment(End::Gateway, number, at_ms * 1_000, false);
        if let Header::Tcp { ack, .. } = &mut sent.packet.header {
            *ack = START.wrapping_add(10 * lines);
        }
        sent
    }

    fn again(mut sent: Sent) -> Sent {
        sent.packet.retransmission = true;
        sent
    }

    fn waits(sent: &[Sent]) -> Vec<(Range<u64>, String)> {
        let held = held(&traced(sent)).into_iter();
        held.map(|it| (it.us.start / 1_000..it.us.end / 1_000, it.words(Language::En))).collect()
    }

    #[test]
    fn later_lines_wait_for_a_lost_one_also_where_sequence_numbers_wrap() {
        let sent = [
            line(0, 0, 1, false),
            line(1, 1, 2, true),
            line(2, 2, 3, false),
            line(3, 3, 4, false),
            // Everything from the hole on is sent again.
            again(lines(4, 200, [2, 4], false)),
            line(5, 300, 5, false),
        ];
        assert_eq!(waits(&sent), [(22..220, "lines 3–4 wait for line 2".into())]);
        assert_eq!(held(&traced(&sent))[0].end, End::Gateway);
    }

    #[test]
    fn in_order_nothing_waits_whatever_comes_twice() {
        let mut twice = line(1, 1, 2, false);
        twice.packet.copy_arrives_us = Some(90_000);
        let sent = [
            line(0, 0, 1, false),
            twice,
            again(line(2, 50, 1, false)),
            again(lines(3, 60, [1, 2], false)),
            line(4, 70, 3, false),
        ];
        assert_eq!(waits(&sent), []);
    }

    #[test]
    fn a_segment_that_is_overtaken_is_waited_for_too() {
        let mut slow = line(1, 1, 2, false);
        slow.packet.arrives_us = Some(60_000);
        let sent = [line(0, 0, 1, false), slow, line(2, 2, 3, false)];
        assert_eq!(waits(&sent), [(22..60, "line 3 waits for line 2".into())]);
    }

    #[test]
    fn two_holes_make_two_waits_one_after_the_other() {
        let sent = [
            line(0, 0, 1, false),
            line(1, 1, 2, true),
            line(2, 2, 3, false),
            line(3, 3, 4, true),
            line(4, 4, 5, false),
            again(line(5, 100, 2, false)),
            again(line(6, 200, 4, false)),
        ];
        let expected = [
            (22..120, "line 3 waits for line 2".into()),
            (120..220, "line 5 waits for line 4".into()),
        ];
        assert_eq!(waits(&sent), expected);
    }

    #[test]
    fn a_syn_counts_one_and_so_does_a_fin() {
        let with = |mut sent: Sent, start: u32, set: fn(&mut Flags)| {
            let Header::Tcp { flags, seq, .. } = &mut sent.packet.header else {
                panic!("a segment")
            };
            *seq = start;
            set(flags);
            sent
        };
        let syn = |number, at, lost| {
            with(segment(End::Client, number, at, lost), START.wrapping_sub(1), |it| it.syn = true)
        };
        let fin = with(segment(End::Client, 3, 30_000, false), START.wrapping_add(10), |it| {
            it.fin = true
        });
        let whole =
            [syn(0, 0, true), again(syn(1, 1_000, false)), line(2, 25, 1, false), fin.clone()];
        assert_eq!(waits(&whole), []);
        let hole = [syn(0, 0, false), line(2, 25, 1, true), fin, again(line(4, 80, 1, false))];
        assert_eq!(waits(&hole), [(50..100, "later bytes wait for earlier ones".into())]);
    }

    #[test]
    fn what_the_receiver_acknowledges_has_not_waited() {
        // Of an earlier run: it is there, though this trace does not show how.
        let sent = [
            line(0, 0, 1, false),
            ack(0, 21, 2),
            again(line(1, 25, 2, true)),
            line(2, 30, 3, false),
            again(line(3, 90, 2, false)),
        ];
        assert_eq!(waits(&sent), []);
    }

    #[test]
    fn nothing_is_said_of_packets_that_are_not_known_or_never_come() {
        let sent = [line(0, 0, 1, false), line(1, 1, 2, true), line(2, 2, 3, false)];
        assert_eq!(waits(&sent), []);
        let mut trace = traced(&[&sent[..], &[again(line(3, 90, 2, false))]].concat());
        assert_eq!(held(&trace).len(), 1);
        trace.missed = 1;
        assert_eq!(held(&trace), []);
        (trace.missed, trace.dropped) = (0, 1);
        assert_eq!(held(&trace), []);
    }
}
