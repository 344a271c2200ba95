//! Which lines the captured packets of a run carry, told from their places in the leg's streams, or among its
//! datagrams: the server does not say it. Computed from what is known now, in whatever order that was told.

use std::ops::Range;
use std::rc::Rc;

use streamgram_protocol::{End, Flags, Header, Line, Protocol, STAMP_LEN};

use super::leg_run::{LegRun, median};
use super::sent::Sent;
use super::trace::{Sum, Trace};

/// The packets of a run with the lines that they carry, without those that are of other runs alone. The lab's packets
/// have their lines from the start.
pub(crate) fn carried(run: &LegRun) -> Rc<Trace> {
    if !run.trace.is_captured() {
        return Rc::clone(&run.trace);
    }
    let streams = Streams::of(run);
    let own = run.trace.packets.iter().filter_map(|sent| match streams.owner(run, sent) {
        Owner::Another => None,
        Owner::Unknown => Some(Rc::clone(sent)),
        Owner::Lines([first, last]) => {
            let mut sent = (**sent).clone();
            let line = |number| Line { send: run.id, number };
            sent.packet.line = Some(line(first));
            sent.packet.last_line = (first != last).then(|| line(last));
            Some(Rc::new(sent))
        }
    });
    let Trace { leg, dropped, missed, unclaimed, .. } = *run.trace;
    Rc::new(Trace { leg, packets: own.collect(), dropped, missed, unclaimed })
}

/// What the packets of a run come to, if all of them are known; `trace` has their lines.
pub(crate) fn on_the_wire(run: &LegRun, trace: &Trace) -> Option<Sum> {
    // While lines are still going out something is missing, and adding up each time would be in vain.
    if trace.is_captured() && (run.is_open() || !has_everything(run, trace)) {
        return None;
    }
    trace.of(&run.ids(), run.until_us())
}

/// How much of the median round trip passed inside the timestamp server, at most: for each line, from the coming of its
/// first packet to the leaving of the first one of its reply. Nothing unless that is known of every answered line.
pub(crate) fn inside_us(run: &LegRun, trace: &Trace) -> Option<u64> {
    if run.is_open() || !trace.is_captured() {
        return None;
    }
    // Lines are numbered through from 1.
    let numbers = run.lines.iter().map(|line| line.number as usize);
    let mut passed = vec![[None::<u64>; 2]; numbers.max().unwrap_or(0) + 1];
    for sent in &trace.packets {
        let (Some([first, last]), Some(seen)) = (sent.packet.lines(), &sent.seen) else { continue };
        let time = match sent.packet.from {
            End::Client => sent.packet.arrives_us,
            End::Gateway => seen.left_us,
        };
        for line in passed.iter_mut().take(last.number as usize + 1).skip(first.number as usize) {
            let at = &mut line[sent.packet.from as usize];
            *at = at.iter().copied().chain(time).min();
        }
    }
    let answered = run.lines.iter().filter(|line| line.reply.is_some());
    let passed = answered.map(|line| {
        let [came, left] = passed[line.number as usize];
        Some(left?.saturating_sub(came?))
    });
    median(passed.collect::<Option<Vec<_>>>()?)
}

/// Whose a packet is.
enum Owner {
    /// These lines', from the first to the last, or their replies'.
    Lines([u32; 2]),
    /// The run's as far as is known: it carries no bytes, or its place is not known.
    Unknown,
    Another,
}

/// The parts of both streams that are a run's.
struct Streams {
    sent: Range<u64>,
    /// TCP: the replies' places among all replies, each with what it echoes. They stand in their order.
    replies: Vec<(Range<u64>, Range<u64>)>,
    /// UDP: its first reply, and from that on the numbers of the lines that each of them answered.
    answered: (u64, Vec<Option<u32>>),
    /// Its trace has the handshake.
    opens: bool,
}

impl Streams {
    fn of(run: &LegRun) -> Self {
        let (first, last) = run.span();
        let replies = run.own_reads().map(|read| {
            let (echoed, stamps) =
                (read.offset + read.bytes as u64, STAMP_LEN as u64 * read.number);
            let reply = read.offset + stamps..echoed + stamps + STAMP_LEN as u64;
            (reply, read.offset..echoed)
        });
        let first_reply = run.lines.iter().filter_map(|line| line.reply).min().unwrap_or(0);
        let mut answered = vec![None; run.lines.len()];
        for line in &run.lines {
            // Beyond as many as there are lines it is a late one.
            let at = line.reply.and_then(|reply| usize::try_from(reply - first_reply).ok());
            if let Some(number) = at.and_then(|at| answered.get_mut(at)) {
                *number = Some(line.number);
            }
        }
        let is_syn = |sent: &Rc<Sent>| match sent.packet.header {
            Header::Tcp { flags, .. } => flags.syn,
            Header::Udp { .. } => false,
        };
        let opens = run.trace.packets.iter().any(is_syn);
        let answered = (first_reply, answered);
        Self { sent: first..last, replies: replies.collect(), answered, opens }
    }

    /// The part of the stream of replies that is the run's; none before the server read something.
    fn replied(&self) -> Option<Range<u64>> {
        Some(self.replies.first()?.0.start..self.replies.last()?.0.end)
    }

    /// What a part of the replies echoes. A piece that ends within a stamp is of what follows that.
    fn echoed(&self, part: &Range<u64>) -> Option<(u64, u64)> {
        let from = self.replies.partition_point(|(reply, _)| reply.end <= part.start);
        let replies = self.replies[from..].iter().take_while(|(reply, _)| reply.start < part.end);
        let echoes = replies.map(|(reply, echoed)| {
            let text = reply.start + STAMP_LEN as u64;
            let from = echoed.start + part.start.saturating_sub(text);
            let to = echoed.start + part.end.saturating_sub(text);
            if to > echoed.start { (from, to.min(echoed.end)) } else { (echoed.start, echoed.end) }
        });
        echoes.reduce(|(first, _), (_, last)| (first, last))
    }

    fn owner(&self, run: &LegRun, sent: &Sent) -> Owner {
        let is_placed = sent.seen.as_ref().is_some_and(|seen| seen.placed);
        match (sent.packet.header, sent.packet.from) {
            _ if !is_placed => Owner::Unknown,
            (Header::Tcp { flags, ack, length: 0, .. }, from) => {
                self.owner_of_ack(flags, (ack, sent.packet.duplicate_ack), from)
            }
            (Header::Tcp { seq, length, .. }, from) => {
                let begin = u64::from(seq.saturating_sub(1));
                let end = begin + u64::from(length);
                let part = match from {
                    End::Client => Some((begin, end)),
                    End::Gateway => self.echoed(&(begin..end)),
                };
                let lines = part.and_then(|(begin, end)| lines_within(run, begin, end));
                lines.map_or(Owner::Another, Owner::Lines)
            }
            (Header::Udp { .. }, End::Client) => {
                let at = run.lines.binary_search_by_key(&sent.packet.number, |line| line.offset);
                at.map_or(Owner::Another, |at| Owner::Lines([run.lines[at].number; 2]))
            }
            (Header::Udp { .. }, End::Gateway) => {
                let (first, numbers) = &self.answered;
                let at = sent.packet.number.checked_sub(*first);
                let at = at.and_then(|at| usize::try_from(at).ok());
                let number = at.and_then(|at| *numbers.get(at)?);
                number.map_or(Owner::Another, |number| Owner::Lines([number; 2]))
            }
        }
    }

    /// Whose a segment without bytes is.
    fn owner_of_ack(&self, flags: Flags, (ack, again): (u32, bool), from: End) -> Owner {
        if flags.syn || flags.fin || flags.rst || ack == 0 {
            return Owner::Unknown;
        }
        let acknowledged = u64::from(ack - 1);
        let stream = match from {
            End::Client => self.replied(),
            End::Gateway => Some(self.sent.clone()),
        };
        let is_own = match stream {
            _ if acknowledged == 0 => self.opens,
            // One beyond the end is a FIN; what acknowledges the run's beginning acknowledges the run before, unless it
            // asks for its first bytes once more.
            Some(own) => {
                acknowledged <= own.end + 1
                    && (own.start < acknowledged || again && own.start == acknowledged)
            }
            None => false,
        };
        if is_own { Owner::Unknown } else { Owner::Another }
    }
}

/// The numbers of the lines of which a part of the stream has bytes.
fn lines_within(run: &LegRun, begin: u64, end: u64) -> Option<[u32; 2]> {
    let from = run.lines.partition_point(|line| line.offset + line.bytes as u64 <= begin);
    let to = run.lines.partition_point(|line| line.offset < end);
    let lines = run.lines.get(from..to)?;
    // Those of sends that went out together take turns.
    let numbers = || lines.iter().map(|line| line.number);
    Some([numbers().min()?, numbers().max()?])
}

/// Whether every byte, or every datagram, of a run and of its replies was captured, and as it went over the wire.
fn has_everything(run: &LegRun, trace: &Trace) -> bool {
    let own = |from| {
        let own = trace.packets.iter().filter(move |sent| sent.packet.from == from);
        own.filter(|sent| sent.packet.line.is_some() && !sent.packet.retransmission)
    };
    let bytes = |from| own(from).map(|sent| u64::from(sent.length())).sum::<u64>();
    let is_cut = |sent: &Rc<Sent>| match sent.packet.header {
        Header::Tcp { .. } => sent.seen.as_ref().is_some_and(|seen| seen.segments > 1),
        // Those after the first name no port, and are not captured.
        Header::Udp { more, .. } => more,
    };
    let streams = Streams::of(run);
    let length = |part: &Range<u64>| part.end - part.start;
    let has_all = match run.protocol {
        Protocol::Tcp => {
            bytes(End::Client) >= length(&streams.sent)
                && streams.replied().is_some_and(|part| bytes(End::Gateway) >= length(&part))
        }
        Protocol::Udp => {
            own(End::Client).count() >= run.lines.len()
                && own(End::Gateway).count() >= streams.answered.1.iter().flatten().count()
        }
    };
    has_all && !trace.packets.iter().any(is_cut)
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Captured, Side};

    use super::*;
    use crate::i18n::language::Language;
    use crate::session::leg_run::tests::{ANSWERED, merged, sent};
    use crate::session::leg_run::{Line, Status};
    use crate::session::sent::tests::{ack, datagram, opening, segment};

    /// The run with these packets, which all have a place.
    fn with(mut run: LegRun, packets: impl IntoIterator<Item = Captured>) -> LegRun {
        for packet in packets {
            let at_us = packet.left_us.or(packet.came_us).unwrap();
            run.captured(Rc::new(Sent::of_captured(at_us, packet, true)));
        }
        run.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        run.finished = true;
        run
    }

    fn labels(run: &LegRun) -> Vec<String> {
        carried(run).packets.iter().map(|sent| sent.label(Language::En)).collect()
    }

    /// The packets of `merged`: two segments of lines, three replies, and what acknowledges them.
    fn packets() -> Vec<Captured> {
        vec![
            // Of the run before it: its reply, and the ACK of that.
            segment(Side::Server, 1, 1, 127),
            ack(Side::Client, 2, 127),
            segment(Side::Client, 3, 101, 7),
            segment(Side::Client, 4, 108, 28),
            segment(Side::Server, 5, 128, 34),
            ack(Side::Client, 6, 161),
            segment(Side::Server, 7, 162, 82),
            ack(Side::Client, 8, 243),
            // Of the run after it.
            segment(Side::Client, 9, 136, 7),
            ack(Side::Server, 10, 142),
        ]
    }

    #[test]
    fn a_segment_carries_the_lines_at_its_place_in_the_stream() {
        let labels = labels(&with(merged(), packets()));
        let expected = ["line 1", "lines 2–5", "reply 1", "ACK", "replies 2–5", "ACK"];
        assert_eq!(labels, expected);
    }

    #[test]
    fn packets_that_are_told_before_the_lines_are_found_all_the_same() {
        let mut run = LegRun::new(Protocol::Tcp, 1, 9, 5);
        run = with(run, packets());
        assert_eq!(labels(&run), [""; 0]);
        (run.lines, run.reads) = (merged().lines, merged().reads);
        assert_eq!(labels(&run), labels(&with(merged(), packets())));
    }

    #[test]
    fn the_first_run_of_a_leg_has_its_handshake() {
        let [syn, syn_ack] = opening();
        let packets = [syn, syn_ack, ack(Side::Client, 1, 0), segment(Side::Client, 2, 1, 7)];
        let first = with(sent(Protocol::Tcp, &[(7, ANSWERED)]), packets.clone());
        assert_eq!(labels(&first), ["SYN", "SYN ACK", "ACK", "line 1"]);
    }

    #[test]
    fn a_segment_that_is_sent_again_carries_the_same_lines() {
        let again = Captured { retransmission: true, ..segment(Side::Client, 5, 108, 28) };
        assert_eq!(labels(&with(merged(), [again])), ["lines 2–5 again"]);
        // The ACK that asks for the run's first bytes once more says nothing that the run before has not said.
        let dup = Captured { duplicate_ack: true, ..ack(Side::Server, 6, 100) };
        assert_eq!(labels(&with(merged(), [dup, ack(Side::Server, 7, 100)])), ["dup ACK"]);
    }

    #[test]
    fn a_part_of_a_stamp_is_of_the_reply_that_it_begins() {
        let run =
            with(merged(), [segment(Side::Server, 1, 128, 9), segment(Side::Server, 2, 137, 25)]);
        assert_eq!(labels(&run), ["reply 1", "reply 1"]);
    }

    /// Three datagrams behind ten others; the replies to the first and the last have come.
    fn datagrams() -> LegRun {
        let mut run = LegRun::new(Protocol::Udp, 1, 9, 3);
        for (number, reply) in [(1, Some(10)), (2, None), (3, Some(11))] {
            let offset = 9 + u64::from(number);
            run.lines.push(Line { number, offset, bytes: 5, status: Status::Waiting, reply });
        }
        run
    }

    #[test]
    fn datagrams_are_the_lines_of_their_numbers_and_replies_those_that_they_answered() {
        let from = |from, numbers: Range<u64>| numbers.map(move |it| datagram(from, it, 5));
        let packets = from(Side::Client, 9..13).chain(from(Side::Server, 10..13));
        let labels = labels(&with(datagrams(), packets));
        assert_eq!(labels, ["line 1", "reply 1", "line 2", "reply 3", "line 3"]);
    }

    #[test]
    fn what_has_no_place_has_no_line() {
        let mut run = datagrams();
        let packet = datagram(Side::Client, 10, 5);
        run.captured(Rc::new(Sent::of_captured(1, packet, false)));
        assert_eq!(labels(&run), ["5 bytes"]);
        assert_eq!(on_the_wire(&run, &carried(&run)), None);
    }

    #[test]
    fn packets_are_summed_up_where_all_of_them_are_known() {
        let sum = |run: &LegRun| {
            let sum = on_the_wire(run, &carried(run))?;
            Some((sum.packets, sum.bytes, sum.lost))
        };
        let whole = with(merged(), packets());
        // Six packets of 52 bytes of headers each, 35 bytes there and 116 back.
        assert_eq!(sum(&whole), Some((6, 6 * 52 + 35 + 116, 0)));
        let mut missed = whole.clone();
        missed.packets_missed(1);
        let mut unclaimed = whole.clone();
        unclaimed.packets_unclaimed(1);
        let fewer = with(merged(), packets().into_iter().filter(|packet| packet.number != 4));
        let cut = packets().into_iter().map(|packet| Captured { segments: 2, ..packet });
        for run in [missed, unclaimed, fewer, with(merged(), cut)] {
            assert_eq!(sum(&run), None);
        }
        let mut fragment = datagram(Side::Client, 0, 1_480);
        if let Header::Udp { more, .. } = &mut fragment.header {
            *more = true;
        }
        let reply = datagram(Side::Server, 0, 24);
        let mut run = with(sent(Protocol::Udp, &[(3_000, ANSWERED)]), [fragment, reply]);
        run.completed(0, 1, 1, 0);
        assert_eq!(
            (labels(&run).join(", "), sum(&run)),
            ("line 1, fragment, reply 1".into(), None)
        );
    }

    #[test]
    fn what_passed_inside_the_server_is_told_where_both_its_ends_were_seen() {
        let mut run = with(merged(), packets());
        assert_eq!(inside_us(&run, &carried(&run)), None);
        run.lines.iter_mut().for_each(|line| line.reply = Some(0));
        // Lines 2 to 5 came at 407, and their replies left at 700; line 1 took from 307 to 500.
        assert_eq!(inside_us(&run, &carried(&run)), Some(293));
        let unseen = packets().into_iter().map(|packet| Captured { left_us: None, ..packet });
        let mut unseen = with(merged(), unseen);
        unseen.lines.iter_mut().for_each(|line| line.reply = Some(0));
        assert_eq!(inside_us(&unseen, &carried(&unseen)), None);
    }

    #[test]
    fn packets_of_the_lab_stay_as_they_are() {
        let run = merged();
        assert!(Rc::ptr_eq(&carried(&run), &run.trace));
    }
}
