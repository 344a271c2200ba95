//! What is known of a run on one leg: its lines, the server's reads, the replies' reads.
//! The boundary strip and the verdict are computed from this and from nothing else.

use std::ops::RangeInclusive;
use std::rc::Rc;

use serde::Serialize;
use streamgram_protocol::{Packet, Protocol, STAMP_LEN, Unanswered};

use super::payload::Payload;
use super::sent::Sent;
use super::trace::{LINUX_ACK_DELAY_US, Trace};

/// Reads, and pieces of replies, that are kept for one run; more are counted only.
pub(crate) const KEPT_PIECES: usize = 4_096;
/// Bytes of replies that are kept for one run on a leg, the first ones; of the others only the number is known.
pub(crate) const KEPT_REPLY_BYTES: usize = 64 * 1024;
/// For how long after the last line was settled, in microseconds, what comes still counts: copies, late replies, ACKs.
const AFTERMATH_US: u64 = 2_000_000;

/// How a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(crate) enum Status {
    Waiting,
    Answered { rtt_us: u64, late: bool, certain: bool },
    NoReply { cause: Unanswered, certain: bool },
}

/// A line that went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    pub(crate) status: Status,
    /// The offset of the reply that completed its answer.
    pub(crate) reply: Option<u64>,
}

/// What the server took at a time: for TCP a read, for UDP a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// Which read or datagram of the leg, from 0.
    pub(crate) number: u64,
    /// TCP: position of its first byte.
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    /// UDP: what a `recv(1024)` keeps.
    pub(crate) kept: usize,
}

/// A piece of the replies, as the leg read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    /// The bytes themselves, shared with the row of the transcript.
    pub(crate) payload: Payload,
    /// Its socket may have had it so much earlier.
    pub(crate) earlier_us: Option<u64>,
}

/// A run on one leg. Several sends that went out together are one here: their lines are numbered
/// through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegRun {
    pub(crate) protocol: Protocol,
    pub(crate) leg: u32,
    /// The first send's; those of the others follow it.
    pub(crate) id: u64,
    /// The last send's.
    last_id: u64,
    /// Sends that have not ended.
    going: u64,
    /// Lines of each send.
    each: u32,
    /// Lines of all of them.
    pub(crate) of: u32,
    pub(crate) finished: bool,
    /// Lines that were answered after a later one.
    pub(crate) overtaken: u64,
    /// The highest line that was answered.
    latest: u32,
    pub(crate) lines: Vec<Line>,
    pub(crate) reads: Vec<Read>,
    pub(crate) pieces: Vec<Piece>,
    /// Reads and pieces beyond [`KEPT_PIECES`].
    pub(crate) left_out: u64,
    /// Bytes of replies that are kept.
    reply_bytes: usize,
    /// The packets of the leg from the run's beginning on, or from its own opening. Captured ones do not say whose they
    /// are: see `carried.rs`.
    pub(crate) trace: Rc<Trace>,
    /// When the latest line was settled; Unix time in microseconds.
    settled_us: u64,
    /// When the latest of its answers had come; Unix time in microseconds.
    pub(crate) answered_us: Option<u64>,
    /// The next run has begun.
    left: bool,
    /// The next run began before it had ended.
    pub(crate) overlapped: bool,
    /// Its link was changed before it had ended.
    pub(crate) relinked: bool,
    /// Its session is gone.
    gone: bool,
}

impl LegRun {
    pub(crate) fn new(protocol: Protocol, leg: u32, id: u64, of: u32) -> Self {
        Self {
            protocol,
            leg,
            id,
            last_id: id,
            going: 1,
            each: of,
            of,
            finished: false,
            overtaken: 0,
            latest: 0,
            lines: Vec::new(),
            reads: Vec::new(),
            pieces: Vec::new(),
            left_out: 0,
            reply_bytes: 0,
            trace: Rc::default(),
            settled_us: 0,
            answered_us: None,
            left: false,
            overlapped: false,
            relinked: false,
            gone: false,
        }
    }

    /// Whether it is one of a leg's of this session.
    pub(super) fn is_on(&self, leg: u32) -> bool {
        self.leg == leg && !self.gone
    }

    /// Whether what happens on its leg can be about it.
    pub(super) fn takes(&self) -> bool {
        self.is_open() || !self.left
    }

    /// Whether what happens now counts for its figures, which stay as they are from then on.
    fn counts(&self, at_us: u64) -> bool {
        self.is_open() || at_us <= self.until_us()
    }

    /// Until when something counts for it.
    pub(crate) fn until_us(&self) -> u64 {
        self.settled_us.saturating_add(AFTERMATH_US)
    }

    pub(super) fn is_left(&self) -> bool {
        self.left
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// The next run begins.
    pub(super) fn leave(&mut self) {
        self.overlapped |= self.is_open();
        self.left = true;
    }

    /// The link was changed.
    pub(super) fn link_set(&mut self) {
        self.relinked |= self.is_open();
    }

    /// Its session is gone: what was awaited does not come.
    pub(super) fn session_ended(&mut self) {
        let status = Status::NoReply { cause: Unanswered::Closed, certain: true };
        for line in self.lines.iter_mut().filter(|line| line.status == Status::Waiting) {
            line.status = status;
        }
        (self.finished, self.left, self.gone) = (true, true, true);
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        let Self { lines, reads, pieces, reply_bytes, trace, .. } = self;
        size_of_val(&**lines)
            + size_of_val(&**reads)
            + size_of_val(&**pieces)
            + reply_bytes
            + trace.weight()
    }

    /// Round trips of its lines, in their order.
    pub(crate) fn round_trips(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().filter_map(|line| match line.status {
            Status::Answered { rtt_us, .. } => Some(rtt_us),
            _ => None,
        })
    }

    pub(crate) fn median_round_trip(&self) -> Option<u64> {
        median(self.round_trips().collect())
    }

    /// Another send, of as many lines, went out together with these.
    pub(crate) fn together_with(&mut self, id: u64) {
        self.last_id = id;
        self.going += 1;
        self.of += self.each;
    }

    /// One of the sends has ended.
    pub(crate) fn one_ended(&mut self) {
        self.going = self.going.saturating_sub(1);
        self.finished = self.going == 0;
    }

    /// The number here of a line of one of the sends.
    pub(crate) fn number(&self, id: u64, line: u32) -> Option<u32> {
        let before = self.ids().contains(&id).then(|| id - self.id)?;
        u32::try_from(before).ok()?.checked_mul(self.each)?.checked_add(line)
    }

    /// Where a line comes from: which of the sends, from 0, and its number there.
    pub(crate) fn origin(&self, number: u32) -> (usize, u32) {
        let before = number.saturating_sub(1);
        let each = self.each.max(1);
        (usize::try_from(before / each).unwrap_or(usize::MAX), before % each + 1)
    }

    /// A line of one of the sends went out; its number here.
    pub(super) fn went_out(&mut self, id: u64, line: Line) -> Option<u32> {
        let number = self.number(id, line.number)?;
        self.lines.push(Line { number, ..line });
        Some(number)
    }

    /// The server took something on its leg.
    pub(crate) fn read(&mut self, at_us: u64, read: Read) {
        if !self.counts(at_us) {
            return;
        }
        if self.reads.len() < KEPT_PIECES {
            self.reads.push(read);
        } else {
            self.left_out += 1;
        }
    }

    /// Its leg read something of the replies.
    pub(crate) fn piece(&mut self, at_us: u64, mut piece: Piece) {
        if !self.counts(at_us) {
            return;
        }
        let room = KEPT_REPLY_BYTES - self.reply_bytes;
        if piece.payload.kept() > room {
            piece.payload = Payload::Bytes(piece.payload.head(room).into());
        }
        self.reply_bytes += piece.payload.kept();
        if self.pieces.len() < KEPT_PIECES { self.pieces.push(piece) } else { self.left_out += 1 }
    }

    /// A packet went over its leg. Packets with bytes of other runs alone are not its.
    pub(super) fn packet(&mut self, at_us: u64, mut packet: Packet) {
        if let Some([first, last]) = packet.lines()
            && (last.send < self.id || self.last_id < first.send)
        {
            return;
        }
        // Lines of sends that went out together are numbered through.
        for line in [&mut packet.line, &mut packet.last_line].into_iter().flatten() {
            line.number = self.number(line.send, line.number).unwrap_or(line.number);
        }
        let sent = Sent { at_us, packet, seen: None };
        Rc::make_mut(&mut self.trace).push(self.leg, Rc::new(sent));
    }

    /// UDP: a reply answers a line. If that is one of another run, the reply does not count for this one.
    pub(crate) fn answered(&mut self, id: u64, reply: u64) {
        if self.protocol == Protocol::Udp && self.number(id, 1).is_none() {
            self.pieces.retain(|piece| piece.offset != reply);
        }
    }

    /// A packet of its leg was captured. Which lines it carries is found out when it is drawn.
    pub(super) fn captured(&mut self, sent: Rc<Sent>) {
        Rc::make_mut(&mut self.trace).push(self.leg, sent);
    }

    /// Whether a packet that was captured then can be its: what it caused last is an ACK that was kept back.
    pub(super) fn can_own(&self, at_us: u64) -> bool {
        self.takes() || at_us <= self.settled_us.saturating_add(LINUX_ACK_DELAY_US)
    }

    /// Packets of its leg were not told.
    pub(super) fn packets_missed(&mut self, count: u64) {
        Rc::make_mut(&mut self.trace).missed += count;
    }

    /// Packets were dropped that may have been its.
    pub(super) fn packets_unclaimed(&mut self, count: u64) {
        Rc::make_mut(&mut self.trace).unclaimed += count;
    }

    /// A line of one of the sends has its answer, with the reply at this offset.
    pub(super) fn completed(&mut self, at_us: u64, id: u64, line: u32, reply: u64) {
        if !self.counts(at_us) {
            return;
        }
        let number = self.number(id, line);
        if let Some(line) = self.lines.iter_mut().find(|line| Some(line.number) == number) {
            line.reply = Some(reply);
        }
    }

    /// How much of a round trip may be this server's own, at most: how late it read the reply.
    pub(crate) fn read_late_us(&self) -> Option<u64> {
        // Only once, and only where the system does not tell when the socket had it.
        if self.is_open() || self.pieces.iter().all(|piece| piece.earlier_us.is_none()) {
            return None;
        }
        let is_own = |it: &&Piece| self.lines.iter().any(|line| line.reply == Some(it.offset));
        self.pieces.iter().filter(is_own).filter_map(|piece| piece.earlier_us).max()
    }

    /// The ids of the sends.
    pub(crate) fn ids(&self) -> RangeInclusive<u64> {
        self.id..=self.last_id
    }

    /// A line of one of the sends is answered or given up.
    pub(super) fn settle(&mut self, at_us: u64, id: u64, line: u32, status: Status) {
        if let (true, Some(line)) = (self.counts(at_us), self.number(id, line)) {
            self.settled_us = self.settled_us.max(at_us);
            if matches!(status, Status::Answered { .. }) {
                self.answered_us = self.answered_us.max(Some(at_us));
            }
            self.set_status(line, status);
        }
    }

    pub(crate) fn set_status(&mut self, line: u32, status: Status) {
        if matches!(status, Status::Answered { .. }) {
            self.overtaken += u64::from(line < self.latest);
            self.latest = self.latest.max(line);
        }
        if let Some(line) = self.lines.iter_mut().find(|other| other.number == line) {
            line.status = status;
        }
    }

    /// The part of the stream that the lines stand in: first byte, and the one after the last.
    pub(crate) fn span(&self) -> (u64, u64) {
        let first = self.lines.first().map_or(0, |line| line.offset);
        let last = self.lines.last().map_or(0, |line| line.offset + line.bytes as u64);
        (first, last)
    }

    /// TCP: the server's reads that took bytes of this send. They stand in the order of the stream.
    pub(crate) fn own_reads(&self) -> impl Iterator<Item = &Read> {
        let (first, last) = self.span();
        let end = |read: &Read| read.offset + read.bytes as u64;
        let from = self.reads.partition_point(|read| end(read) <= first);
        self.reads[from..].iter().take_while(move |read| read.offset < last)
    }

    /// TCP: what of the stream a piece of the replies echoes, without the stamps in it, and how many
    /// stamps begin in it. The reply to read `k` begins at `offset + STAMP_LEN * k` of the replies.
    pub(crate) fn echoed(&self, piece: &Piece) -> (Option<(u64, u64)>, usize) {
        let (begin, end) = (piece.offset, piece.offset + piece.bytes as u64);
        let (mut span, mut stamps) = (None::<(u64, u64)>, 0);
        for read in self.own_reads() {
            let stamp = read.offset + STAMP_LEN as u64 * read.number;
            if (begin..end).contains(&stamp) {
                stamps += 1;
            }
            let shift = STAMP_LEN as u64 * (read.number + 1);
            let from = begin.saturating_sub(shift).max(read.offset);
            let to = end.saturating_sub(shift).min(read.offset + read.bytes as u64);
            if from < to {
                span =
                    Some(span.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
            }
        }
        (span, stamps)
    }

    /// UDP: for each line the datagram that the server took, by order and length. What was answered was
    /// taken; a datagram that never reached the server leaves its line out.
    pub(crate) fn observed_lines(&self) -> Vec<Option<&Read>> {
        let first = self.lines.first().map_or(0, |line| line.offset);
        let mut reads = self.reads.iter().filter(|read| read.number >= first).peekable();
        let all = self.reads.len() >= self.lines.len();
        let answered = |line: &Line| matches!(line.status, Status::Answered { .. });
        let certain = self.lines.iter().filter(|line| answered(line)).count();
        let mut others = self.reads.len().saturating_sub(certain);
        let mut observed = Vec::new();
        for line in &self.lines {
            let own = if all || answered(line) {
                reads.next()
            } else {
                reads
                    .next_if(|read| others > 0 && read.bytes == line.bytes)
                    .inspect(|_| others -= 1)
            };
            observed.push(own);
        }
        observed
    }

    /// Lines that stand so.
    pub(crate) fn count(&self, wanted: impl Fn(Status) -> bool) -> u64 {
        self.lines.iter().filter(|line| wanted(line.status)).count() as u64
    }

    /// Whether something is still to come.
    pub(crate) fn is_open(&self) -> bool {
        !self.finished || self.lines.iter().any(|line| line.status == Status::Waiting)
    }
}

/// Of an even number of them, the mean of the middle two.
pub(super) fn median(mut numbers: Vec<u64>) -> Option<u64> {
    numbers.sort_unstable();
    let lower = *numbers.get(numbers.len().saturating_sub(1) / 2)?;
    Some(u64::midpoint(lower, *numbers.get(numbers.len() / 2)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const ANSWERED: Status =
        Status::Answered { rtt_us: 310, late: false, certain: true };
    pub(crate) const WAITING: Status = Status::Waiting;
    pub(crate) const LOST: Status = Status::NoReply { cause: Unanswered::TimedOut, certain: true };

    /// A piece of the replies of so many bytes; what they are does not matter.
    pub(crate) fn piece(offset: u64, bytes: usize) -> Piece {
        Piece { offset, bytes, payload: Payload::Bytes(vec![b'x'; bytes].into()), earlier_us: None }
    }

    /// A send whose lines have gone out: how long each was, and how it stands.
    pub(crate) fn sent(protocol: Protocol, lines: &[(usize, Status)]) -> LegRun {
        let mut send = LegRun::new(protocol, 1, 1, lines.len().try_into().unwrap());
        let mut offset = 0;
        for (number, &(bytes, status)) in (1..).zip(lines) {
            send.lines.push(Line { number, offset, bytes, status, reply: None });
            offset += if protocol == Protocol::Tcp { bytes as u64 } else { 1 };
        }
        send.finished = true;
        send
    }

    /// Five lines of seven bytes behind 100 others, read as 1, 2, and 3 to 5.
    pub(crate) fn merged() -> LegRun {
        let mut send = LegRun::new(Protocol::Tcp, 1, 9, 5);
        for number in 1..=5 {
            let offset = 100 + u64::from(number - 1) * 7;
            send.lines.push(Line {
                number,
                offset,
                bytes: 7,
                status: Status::Waiting,
                reply: None,
            });
        }
        for (number, offset, bytes) in [(0, 0, 100), (1, 100, 7), (2, 107, 7), (3, 114, 21)] {
            send.read(0, Read { number, offset, bytes, kept: bytes });
        }
        send.finished = true;
        send
    }

    #[test]
    fn reads_of_earlier_sends_do_not_count() {
        assert_eq!(merged().span(), (100, 135));
        assert_eq!(merged().own_reads().count(), 3);
    }

    #[test]
    fn a_piece_of_the_replies_is_mapped_back_without_its_stamps() {
        let send = merged();
        // Read 1 is answered at 127: 27 bytes of stamp, 7 of echo; read 2 follows at 161.
        let echoed = |offset, bytes| send.echoed(&piece(offset, bytes));
        assert_eq!(echoed(127, 34), (Some((100, 107)), 1));
        assert_eq!(echoed(127, 68), (Some((100, 114)), 2));
        assert_eq!(echoed(127, 27), (None, 1));
        assert_eq!(echoed(195, 27 + 10), (Some((114, 124)), 1));
        assert_eq!(echoed(232, 11), (Some((124, 135)), 0));
    }

    #[test]
    fn a_line_that_is_answered_after_a_later_one_was_overtaken() {
        let mut send = merged();
        [1, 4, 2, 3, 5].iter().for_each(|line| send.set_status(*line, ANSWERED));
        assert_eq!(send.overtaken, 2);
    }

    #[test]
    fn a_datagram_that_was_lost_leaves_its_line_out() {
        let mut send = LegRun::new(Protocol::Udp, 2, 9, 3);
        for (number, bytes) in [(1, 5), (2, 6), (3, 7)] {
            let offset = 10 + u64::from(number);
            let status = Status::Waiting;
            send.lines.push(Line { number, offset, bytes, status, reply: None });
        }
        send.read(0, Read { number: 11, offset: 0, bytes: 5, kept: 5 });
        send.read(0, Read { number: 12, offset: 0, bytes: 7, kept: 7 });
        let observed = send.observed_lines();
        assert_eq!(
            observed.iter().map(|read| read.is_some()).collect::<Vec<_>>(),
            [true, false, true]
        );
    }

    #[test]
    fn of_lines_of_one_length_the_unanswered_one_was_not_seen() {
        let mut send = sent(Protocol::Udp, &[(6, ANSWERED), (6, LOST), (6, ANSWERED)]);
        (0..2).for_each(|number| send.read(0, Read { number, offset: 0, bytes: 6, kept: 6 }));
        let observed = send.observed_lines();
        assert_eq!(observed.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let answered = |rtt_us| (5, Status::Answered { rtt_us, late: false, certain: true });
        let median = |rtts: &[u64]| {
            let lines: Vec<_> = rtts.iter().map(|rtt_us| answered(*rtt_us)).collect();
            sent(Protocol::Udp, &lines).median_round_trip()
        };
        assert_eq!(
            [median(&[]), median(&[9, 1, 5]), median(&[9, 1, 5, 8])],
            [None, Some(5), Some(6)]
        );
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_rest_counted() {
        let mut send = LegRun::new(Protocol::Tcp, 1, 1, 1);
        for number in 0..KEPT_PIECES as u64 + 2 {
            send.read(0, Read { number, offset: number, bytes: 1, kept: 1 });
        }
        assert_eq!((send.reads.len(), send.left_out), (KEPT_PIECES, 2));
        (0..3).for_each(|offset| send.piece(0, piece(offset, KEPT_REPLY_BYTES / 2)));
        let kept = send.pieces.iter().map(|piece| piece.payload.kept());
        assert_eq!(kept.collect::<Vec<_>>(), [KEPT_REPLY_BYTES / 2, KEPT_REPLY_BYTES / 2, 0]);
    }
}
