//! The boundary strip: the same bytes cut where they were sent, where the server read them, and where the replies
//! to them were read; once more if a `recv(1024)` would have lost some. One scale of offsets for all rows, but for
//! TCP's replies: they are longer than what they answer, by their stamps. Of an external client only the server's
//! side is known: what it read, and what it replied.

use streamgram_protocol::{Protocol, STAMP_LEN};
use strum::IntoStaticStr;

use super::pointed::Pointed;
use super::stamps::{Stretch, answer, stamps};
use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;
use crate::session::leg_run::{LegRun, Line, Piece, Read, Status};
use crate::session::raw_clients::{Exchange, RawClient};

/// Lines that the strip shows; of a longer burst, the first ones.
pub(crate) const SHOWN_LINES: usize = 100;

/// The whole scale, in thousandths of a percent.
const PARTS: u64 = 100_000;

/// What a cell stands for; the style sheet has the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Kind {
    /// Bytes that were there.
    Whole,
    /// Bytes of a datagram that a `recv(1024)` throws away.
    Cut,
    /// A reply that is still awaited.
    Waiting,
    /// A line that was not seen, or not answered.
    Lost,
    /// Bytes of a stamp, drawn over the piece of the replies that they came in.
    Stamp,
}

/// A stretch of bytes; `from` and `to` in [`PARTS`] of the scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
    /// The lines that it has bytes of, or of their replies; for an external client, the reads.
    pub(crate) lines: Option<Pointed>,
}

/// The rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Strip {
    pub(crate) sends: Vec<Cell>,
    /// What the server took.
    pub(crate) reads: Vec<Cell>,
    /// UDP: what a `recv(1024)` would have got, if that is less anywhere.
    pub(crate) kept: Vec<Cell>,
    pub(crate) replies: Vec<Cell>,
    /// TCP: the stamps in the replies.
    pub(crate) stamps: Vec<Cell>,
    /// TCP: what the replies come to; they have a scale of their own.
    pub(crate) came: Option<String>,
    /// Bytes from end to end, with room for the lines that are still to go out.
    pub(crate) bytes: u64,
    /// Lines that are not shown.
    pub(crate) hidden: usize,
    /// The same in words.
    pub(crate) summary: String,
}

impl Strip {
    pub(crate) fn of(language: Language, send: &LegRun) -> Self {
        let hidden = send.lines.len().saturating_sub(SHOWN_LINES);
        let mut shown = send.clone();
        shown.lines.truncate(SHOWN_LINES);
        match send.protocol {
            Protocol::Tcp => Self { hidden, ..stream(language, &shown) },
            Protocol::Udp => Self { hidden, ..datagrams(language, &shown) },
        }
    }

    /// What the server took of an external client, and what it answered.
    pub(crate) fn of_client(language: Language, client: &RawClient) -> Self {
        let taken = match client.protocol {
            Protocol::Tcp => Noun::Read,
            Protocol::Udp => Noun::Datagram,
        };
        let summary = language.strip_client_summary(
            &counted(language, client.reads, taken),
            &counted(language, client.replies, Noun::Reply),
            &counted(language, client.bytes, Noun::Byte),
        );
        let bytes = client.exchanges.iter().map(|exchange| exchange.bytes as u64).sum();
        let mut strip = Self { bytes, summary, ..Self::default() };
        exchanges(language, client, &mut strip);
        strip
    }

    /// All lines that are drawn, from the first to the last.
    pub(crate) fn lines(&self) -> Option<Pointed> {
        let row = if self.sends.is_empty() { &self.reads } else { &self.sends };
        row.iter().filter_map(|cell| cell.lines).reduce(together)
    }
}

/// From the first of both to the last of both.
fn together(one: Pointed, other: Pointed) -> Pointed {
    let (first, last) = (one.first.min(other.first), one.last.max(other.last));
    Pointed { first, last, ..one }
}

/// The rows of an external client.
fn exchanges(language: Language, client: &RawClient, strip: &mut Strip) {
    let is_stream = client.protocol == Protocol::Tcp;
    let width = |exchange: &Exchange| exchange.bytes.max(1) as u64;
    // A datagram's reply stands below it; a stream's is as long as it is, or is going to be.
    let reply_width = |exchange: &Exchange| match &exchange.reply {
        _ if !is_stream => width(exchange),
        Some(reply) => reply.bytes as u64,
        None => (exchange.bytes + STAMP_LEN) as u64,
    };
    let end_to_end = |width: &dyn Fn(&Exchange) -> u64| Scale {
        first: 0,
        bytes: client.exchanges.iter().map(width).sum(),
    };
    let (scale, reply_scale) = (end_to_end(&width), end_to_end(&reply_width));
    let (mut from, mut reply_from, mut came) = (0, 0, 0);
    for exchange in &client.exchanges {
        let (span, reply_span) =
            ((from, from + width(exchange)), (reply_from, reply_from + reply_width(exchange)));
        (from, reply_from) = (span.1, reply_span.1);
        let number = u32::try_from(exchange.number + 1).unwrap_or(u32::MAX);
        let lines = Some(Pointed { protocol: client.protocol, first: number, last: number });
        let number = number.to_string();
        let size = counted(language, exchange.bytes as u64, Noun::Byte);
        let title = if is_stream {
            language.strip_client_read(&number, &size)
        } else {
            language.strip_datagram(&number, &size)
        };
        strip.reads.push(scale.cell(span, number.clone(), title, lines));
        short_recv(language, &scale, span, lines, (exchange.kept, exchange.bytes), &mut strip.kept);
        let Some(reply) = &exchange.reply else {
            let title = language.strip_no_answer_yet(&number);
            let cell = reply_scale.cell(reply_span, "…".into(), title, lines);
            strip.replies.push(Cell { kind: Kind::Waiting, ..cell });
            continue;
        };
        let size = counted(language, reply.bytes as u64, Noun::Byte);
        came += reply.bytes as u64;
        if is_stream {
            let stamp = (reply_span.0, (reply_span.0 + STAMP_LEN as u64).min(reply_span.1));
            let title = language.strip_stamp(&language.strip_client_read_named(&number));
            strip.stamps.push(reply_scale.stamp(stamp, title, lines));
        }
        let title = if is_stream {
            language.strip_client_reply(&number, &size)
        } else {
            language.strip_client_datagram(&number, &size)
        };
        strip.replies.push(reply_scale.cell(reply_span, number, title, lines));
    }
    strip.kept = if_cut(std::mem::take(&mut strip.kept));
    strip.came = is_stream.then(|| came_to(language, came, strip.stamps.len()));
}

fn stream(language: Language, send: &LegRun) -> Strip {
    let (first, last) = send.span();
    let scale = Scale { first, bytes: last - first + room(send, |line| line.bytes as u64) };
    let bytes = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let sends = send.lines.iter().map(|line| {
        let span = (line.offset, line.offset + line.bytes as u64);
        let number = line.number.to_string();
        let title = language.strip_line(&number, &bytes(line.bytes));
        scale.cell(span, number, title, Some(only(send, line)))
    });
    let reads = send.own_reads().map(|read| {
        let span = (read.offset, read.offset + read.bytes as u64);
        let lines = lines_within(send, span);
        let title = language.strip_read(&bytes(read.bytes), &named(language, lines));
        scale.cell(span, numbers(lines), title, lines)
    });
    let mut strip = Strip {
        sends: sends.collect(),
        reads: reads.collect(),
        bytes: scale.bytes,
        ..Strip::default()
    };
    replies(language, send, scale.bytes, &mut strip);
    strip.summary = language.strip_stream_summary(
        &counted(language, strip.sends.len() as u64, Noun::Send),
        &counted(language, strip.reads.len() as u64, Noun::Read),
        &counted(language, strip.replies.len() as u64, Noun::Read),
        &counted(language, last - first, Noun::Byte),
    );
    strip
}

/// TCP's replies as they were read, and the stamps in them, on a scale of their own.
fn replies(language: Language, send: &LegRun, sent: u64, strip: &mut Strip) {
    let end = |piece: &Piece| piece.offset + piece.bytes as u64;
    let answers: Vec<_> = send.own_reads().map(|read| answer(read).1).collect();
    let all = || Some((send.pieces.first()?.offset, end(send.pieces.last()?)));
    let account = || Some((answers.first()?.0, answers.last()?.1));
    let (first, last) = account().or_else(all).unwrap_or_default();
    // While something is to come, a stamp is expected for every line: so cells stay where they are.
    let stamps_to_come = answers.len().max((send.of as usize).min(SHOWN_LINES));
    let expected = if send.is_open() { sent + (STAMP_LEN * stamps_to_come) as u64 } else { 0 };
    let scale = Scale { first, bytes: expected.max(last - first) };
    let (mut came, mut begun) = (0, 0);
    for piece in send.pieces.iter().filter(|piece| piece.offset < last && end(piece) > first) {
        let (echo, begin_here) = send.echoed(piece);
        let lines = echo.and_then(|span| lines_within(send, span));
        let mut first_stamp = None;
        for (read, stretch) in stamps(send, piece) {
            let lines = lines_within(send, (read.offset, read.offset + read.bytes as u64));
            first_stamp = first_stamp.or(lines);
            let title = language.strip_stamp(&named(language, lines));
            strip.stamps.push(scale.stamp(stretch, title, lines));
        }
        let span = (piece.offset.max(first), end(piece).min(last));
        (came, begun) = (came + span.1 - span.0, begun + begin_here);
        let bytes = counted(language, piece.bytes as u64, Noun::Byte);
        let stamps = counted(language, begin_here as u64, Noun::Stamp);
        let answered = lines.or(first_stamp);
        let title = language.strip_reply(&bytes, &stamps, &named(language, answered));
        strip.replies.push(scale.cell(span, numbers(lines), title, answered));
    }
    strip.came = Some(came_to(language, came, begun));
}

fn came_to(language: Language, bytes: u64, stamps: usize) -> String {
    let (bytes, stamps) =
        (counted(language, bytes, Noun::Byte), counted(language, stamps as u64, Noun::Stamp));
    language.verdict_pair(&bytes, &stamps)
}

fn datagrams(language: Language, send: &LegRun) -> Strip {
    // An empty datagram is drawn as wide as one byte: it is there.
    let width = |line: &Line| line.bytes.max(1) as u64;
    let bytes = |line: &Line| line.bytes as u64;
    let end_to_end = |of: fn(&Line) -> u64| send.lines.iter().map(of).sum::<u64>() + room(send, of);
    let scale = Scale { first: 0, bytes: end_to_end(width) };
    let (mut sends, mut reads, mut kept, mut replies) = (vec![], vec![], vec![], vec![]);
    let observed = send.observed_lines();
    let mut from = 0;
    for (line, read) in send.lines.iter().zip(&observed) {
        let span = (from, from + width(line));
        let lines = Some(only(send, line));
        let number = line.number.to_string();
        let size = counted(language, line.bytes as u64, Noun::Byte);
        let title = language.strip_datagram(&number, &size);
        sends.push(scale.cell(span, number, title, lines));
        let (kind, label, title) = taken(language, line, *read, send.is_open());
        reads.push(Cell { kind, ..scale.cell(span, label, title, lines) });
        if let Some(read) = read {
            short_recv(language, &scale, span, lines, (read.kept, read.bytes), &mut kept);
        }
        let (kind, label, title) = replied(language, line);
        replies.push(Cell { kind, ..scale.cell(span, label, title, lines) });
        from = span.1;
    }
    let answered = replies.iter().filter(|cell| cell.kind == Kind::Whole).count();
    let summary = language.strip_datagram_summary(
        &counted(language, sends.len() as u64, Noun::Datagram),
        &count(observed.iter().flatten().count() as u64),
        &count(answered as u64),
    );
    let (kept, bytes) = (if_cut(kept), end_to_end(bytes));
    Strip { sends, reads, kept, replies, bytes, summary, ..Strip::default() }
}

/// What the lines that are still to go out will take if each is as long as the last one. So cells stay
/// where they are while a burst goes out, and a frame draws only what is new.
fn room(send: &LegRun, of: impl Fn(&Line) -> u64) -> u64 {
    let shown = (send.of as usize).min(SHOWN_LINES);
    let to_come = if send.finished { 0 } else { shown.saturating_sub(send.lines.len()) };
    send.lines.last().map_or(0, of) * to_come as u64
}

/// Whether the server took a datagram: all of it.
fn taken(
    language: Language,
    line: &Line,
    read: Option<&Read>,
    open: bool,
) -> (Kind, String, String) {
    let number = line.number.to_string();
    if read.is_some() {
        let bytes = counted(language, line.bytes as u64, Noun::Byte);
        let title = language.strip_taken(&number, &bytes);
        return (Kind::Whole, number, title);
    }
    let kind = if open { Kind::Waiting } else { Kind::Lost };
    (kind, "✕".into(), language.strip_not_seen(&number))
}

/// Adds what a `recv(1024)` would have got of a datagram, and what it would have thrown away.
fn short_recv(
    language: Language,
    scale: &Scale,
    (from, to): Stretch,
    lines: Option<Pointed>,
    (kept, bytes): (usize, usize),
    row: &mut Vec<Cell>,
) {
    let split = if kept < bytes { from + kept as u64 } else { to };
    let size = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let title = language.strip_keeps(&count(kept as u64), &size(bytes));
    row.push(scale.cell((from, split), numbers(lines), title, lines));
    if kept < bytes {
        let title = language.strip_throws(&size(bytes - kept));
        let cut = scale.cell((split, to), language.strip_cut().into(), title, lines);
        row.push(Cell { kind: Kind::Cut, ..cut });
    }
}

/// A row that says something only if something is cut.
fn if_cut(cells: Vec<Cell>) -> Vec<Cell> {
    if cells.iter().any(|cell| cell.kind == Kind::Cut) { cells } else { Vec::new() }
}

/// Whether a datagram was answered.
fn replied(language: Language, line: &Line) -> (Kind, String, String) {
    let number = line.number.to_string();
    match line.status {
        Status::Answered { .. } => (Kind::Whole, number.clone(), language.strip_answered(&number)),
        Status::Waiting => (Kind::Waiting, "…".into(), language.strip_no_answer_yet(&number)),
        Status::NoReply { .. } => (Kind::Lost, "✕".into(), language.strip_no_answer(&number)),
    }
}

fn only(send: &LegRun, line: &Line) -> Pointed {
    Pointed { protocol: send.protocol, first: line.number, last: line.number }
}

/// The lines that have bytes in a stretch of the stream.
fn lines_within(send: &LegRun, (from, to): Stretch) -> Option<Pointed> {
    let within = |line: &&Line| line.offset < to && line.offset + line.bytes as u64 > from;
    send.lines.iter().filter(within).map(|line| only(send, line)).reduce(together)
}

/// `3`, or `3–5`.
fn numbers(lines: Option<Pointed>) -> String {
    match lines {
        Some(Pointed { first, last, .. }) if first < last => format!("{first}–{last}"),
        Some(Pointed { first, .. }) => first.to_string(),
        None => String::new(),
    }
}

fn named(language: Language, lines: Option<Pointed>) -> String {
    match lines {
        Some(Pointed { first, last, .. }) if first < last => {
            language.strip_lines_named(&numbers(lines))
        }
        Some(_) => language.strip_line_named(&numbers(lines)),
        None => language.strip_no_lines().into(),
    }
}

/// From offsets to parts of the scale.
struct Scale {
    first: u64,
    bytes: u64,
}

impl Scale {
    fn part(&self, offset: u64) -> u64 {
        let within = offset.saturating_sub(self.first).min(self.bytes);
        within * PARTS / self.bytes.max(1)
    }

    fn cell(
        &self,
        (from, to): Stretch,
        label: String,
        title: String,
        lines: Option<Pointed>,
    ) -> Cell {
        let (from, to) = (self.part(from), self.part(to));
        Cell { from, to, label, title, kind: Kind::Whole, lines }
    }

    fn stamp(&self, span: Stretch, title: String, lines: Option<Pointed>) -> Cell {
        Cell { kind: Kind::Stamp, ..self.cell(span, String::new(), title, lines) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::leg_run::tests::{ANSWERED, LOST, merged, piece, sent};

    fn labels(cells: &[Cell]) -> Vec<&str> {
        cells.iter().map(|cell| cell.label.as_str()).collect()
    }

    #[test]
    fn merged_lines_share_a_cell_on_the_same_scale() {
        let mut send = merged();
        send.piece(0, piece(127, 68));
        send.piece(0, piece(195, 48));
        let strip = Strip::of(Language::En, &send);
        assert_eq!(labels(&strip.sends), ["1", "2", "3", "4", "5"]);
        assert_eq!(labels(&strip.reads), ["1", "2", "3–5"]);
        assert_eq!(labels(&strip.replies), ["1–2", "3–5"]);
        assert_eq!((strip.reads[2].from, strip.reads[2].to), (40_000, PARTS));
        assert_eq!(
            strip.summary,
            "TCP: 5 sends, 3 reads by the server, 2 reads of the replies, 35 bytes in all"
        );
    }

    #[test]
    fn replies_have_a_scale_of_their_own_with_their_stamps_in_it() {
        let mut run = merged();
        // The replies are 116 bytes, three times 27 of them stamps; the second stamp comes in two pieces.
        run.piece(0, piece(127, 44));
        run.piece(0, piece(171, 72));
        let strip = Strip::of(Language::En, &run);
        let places = |cells: &[Cell]| -> Vec<_> {
            let at = |part: u64| (part * 116).div_ceil(PARTS);
            cells.iter().map(|cell| (at(cell.from), at(cell.to))).collect()
        };
        run.lines.iter_mut().for_each(|line| line.status = ANSWERED);
        let strip_of_ended = Strip::of(Language::En, &run);
        assert_eq!(places(&strip_of_ended.stamps), [(0, 27), (34, 44), (44, 61), (68, 95)]);
        assert_eq!(places(&strip_of_ended.replies), [(0, 44), (44, 116)]);
        assert_eq!(strip_of_ended.came.as_deref(), Some("116 bytes, 3 timestamps"));
        let lines: Vec<_> = strip.stamps.iter().map(|cell| numbers(cell.lines)).collect();
        assert_eq!(lines, ["1", "2", "2", "3–5"]);
        // While lines are waited for, there is room for a stamp for each.
        assert!(strip.replies[1].to < PARTS);
    }

    #[test]
    fn without_the_server_s_account_replies_are_drawn_and_nothing_is_made_of_them() {
        let mut run = sent(Protocol::Tcp, &[(7, ANSWERED)]);
        run.piece(0, piece(0, 34));
        let strip = Strip::of(Language::En, &run);
        assert_eq!((labels(&strip.replies), strip.stamps.len()), (vec![""], 0));
        assert_eq!(strip.replies[0].to, PARTS);
    }

    #[test]
    fn a_long_datagram_shows_what_is_cut_and_a_lost_one_a_cross() {
        let mut send = sent(Protocol::Udp, &[(1_500, ANSWERED), (500, LOST)]);
        send.read(0, Read { number: 0, offset: 0, bytes: 1_500, kept: 1_024 });
        let strip = Strip::of(Language::En, &send);
        // The server took all of it: only a program that asks for less would lose bytes.
        assert_eq!(labels(&strip.reads), ["1", "✕"]);
        assert_eq!((strip.reads[0].kind, strip.reads[0].to), (Kind::Whole, 75_000));
        assert_eq!(labels(&strip.kept), ["1", "cut"]);
        assert_eq!((strip.kept[1].from, strip.kept[1].to), (51_200, 75_000));
        assert_eq!(labels(&strip.replies), ["1", "✕"]);
        assert_eq!(strip.replies[1].kind, Kind::Lost);
        assert_eq!(strip.summary, "UDP: 2 datagrams, 1 seen by the server, 1 answered");
    }

    #[test]
    fn a_raw_client_is_drawn_from_the_server_s_side() {
        let strip = Strip::of_client(Language::En, &crate::session::raw_clients::tests::ended());
        assert_eq!((strip.sends.len(), labels(&strip.reads)), (0, vec!["1", "2"]));
        assert!(strip.kept.is_empty());
        assert_eq!(labels(&strip.replies), ["1", "…"]);
        assert_eq!(strip.replies[1].kind, Kind::Waiting);
        // The reply that came is as long as the one that is awaited: a stamp and five bytes.
        assert_eq!((strip.stamps[0].to, strip.replies[0].to), (PARTS * 27 / 64, PARTS / 2));
        assert_eq!(strip.came.as_deref(), Some("32 bytes, 1 timestamp"));
        assert_eq!(strip.summary, "2 reads by the server, 1 reply, 10 bytes in all");
    }

    #[test]
    fn an_empty_datagram_is_there() {
        let strip = Strip::of(Language::En, &sent(Protocol::Udp, &[(0, Status::Waiting)]));
        assert_eq!((strip.sends[0].to, strip.bytes), (PARTS, 0));
    }

    #[test]
    fn the_lines_that_are_to_go_out_have_their_room() {
        let places = |send: &LegRun| {
            let strip = Strip::of(Language::En, send);
            (strip.sends.iter().map(|cell| cell.to).collect::<Vec<_>>(), strip.bytes)
        };
        for protocol in Protocol::BOTH {
            let mut send = merged();
            (send.of, send.protocol) = (4, protocol);
            send.lines.truncate(2);
            assert_eq!(places(&send), (vec![50_000, PARTS], 14));
            send.finished = false;
            assert_eq!(places(&send), (vec![25_000, 50_000], 28));
        }
    }

    #[test]
    fn a_long_burst_shows_its_first_lines_and_says_so() {
        let send = sent(Protocol::Tcp, &[(1, Status::Waiting); 150]);
        let strip = Strip::of(Language::En, &send);
        assert_eq!((strip.sends.len(), strip.hidden, strip.bytes), (SHOWN_LINES, 50, 100));
    }
}
