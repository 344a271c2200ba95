//! The boundary strip: the same bytes three times, cut where they were sent, where the server read them, and
//! where the replies to them were read; once more if a `recv(1024)` would have lost some. One scale of offsets
//! for all rows. Of a raw client only the server's side is known: what it read, and what it replied.

use streamgram_protocol::Protocol;
use strum::IntoStaticStr;

use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;
use crate::session::leg_run::{LegRun, Line, Read, Status};
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
}

/// A stretch of bytes; `from` and `to` in [`PARTS`] of the scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) label: String,
    pub(crate) title: String,
    pub(crate) kind: Kind,
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

    /// What the server took of a raw client and what it answered, drawn on the bytes that it took.
    pub(crate) fn of_client(language: Language, client: &RawClient) -> Self {
        let width = |exchange: &Exchange| exchange.bytes.max(1) as u64;
        let bytes = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
        let scale = Scale { first: 0, bytes: client.exchanges.iter().map(width).sum() };
        let (mut reads, mut kept, mut replies, mut from) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for exchange in &client.exchanges {
            let span = (from, from + width(exchange));
            from = span.1;
            let number = (exchange.number + 1).to_string();
            let title = match client.protocol {
                Protocol::Tcp => language.strip_client_read(&number, &bytes(exchange.bytes)),
                Protocol::Udp => language.strip_datagram(&number, &bytes(exchange.bytes)),
            };
            reads.push(scale.cell(span, number.clone(), title));
            let taken = (exchange.kept, exchange.bytes);
            short_recv(language, &scale, span, &number, taken, &mut kept);
            replies.push(match &exchange.reply {
                Some(reply) => {
                    let size = bytes(reply.bytes);
                    let title = match client.protocol {
                        Protocol::Tcp => language.strip_client_reply(&number, &size),
                        Protocol::Udp => language.strip_client_datagram(&number, &size),
                    };
                    scale.cell(span, number, title)
                }
                None => {
                    let title = language.strip_no_answer_yet(&number);
                    Cell { kind: Kind::Waiting, ..scale.cell(span, "…".into(), title) }
                }
            });
        }
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
        Self { reads, kept: if_cut(kept), replies, bytes, summary, ..Self::default() }
    }
}

fn stream(language: Language, send: &LegRun) -> Strip {
    let (first, last) = send.span();
    let scale = Scale { first, bytes: last - first + room(send, |line| line.bytes as u64) };
    let bytes = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let sends = send.lines.iter().map(|line| {
        let span = (line.offset, line.offset + line.bytes as u64);
        let number = line.number.to_string();
        let title = language.strip_line(&number, &bytes(line.bytes));
        scale.cell(span, number, title)
    });
    let reads = send.own_reads().map(|read| {
        let span = (read.offset, read.offset + read.bytes as u64);
        let lines = lines_within(send, span);
        let title = language.strip_read(&bytes(read.bytes), &named(language, &lines));
        scale.cell(span, lines, title)
    });
    let replies = send.pieces.iter().filter_map(|piece| {
        let (span, stamps) = send.echoed(piece);
        let span = span?;
        let lines = lines_within(send, span);
        let stamps = counted(language, stamps as u64, Noun::Stamp);
        let title = language.strip_reply(&bytes(piece.bytes), &stamps, &named(language, &lines));
        Some(scale.cell(span, lines, title))
    });
    let (sends, reads, replies): (Vec<_>, Vec<_>, Vec<_>) =
        (sends.collect(), reads.collect(), replies.collect());
    let summary = language.strip_stream_summary(
        &counted(language, sends.len() as u64, Noun::Send),
        &counted(language, reads.len() as u64, Noun::Read),
        &counted(language, replies.len() as u64, Noun::Read),
        &counted(language, last - first, Noun::Byte),
    );
    Strip { sends, reads, replies, bytes: scale.bytes, summary, ..Strip::default() }
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
        let number = line.number.to_string();
        let size = counted(language, line.bytes as u64, Noun::Byte);
        let title = language.strip_datagram(&number, &size);
        sends.push(scale.cell(span, number, title));
        reads.push(taken(language, &scale, span, line, *read, send.is_open()));
        if let Some(read) = read {
            let number = line.number.to_string();
            short_recv(language, &scale, span, &number, (read.kept, read.bytes), &mut kept);
        }
        replies.push(replied(language, &scale, span, line));
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
    scale: &Scale,
    span: (u64, u64),
    line: &Line,
    read: Option<&Read>,
    open: bool,
) -> Cell {
    let label = line.number.to_string();
    if read.is_some() {
        let bytes = counted(language, line.bytes as u64, Noun::Byte);
        let title = language.strip_taken(&label, &bytes);
        return scale.cell(span, label, title);
    }
    let kind = if open { Kind::Waiting } else { Kind::Lost };
    Cell { kind, ..scale.cell(span, "✕".into(), language.strip_not_seen(&label)) }
}

/// Adds what a `recv(1024)` would have got of a datagram, and what it would have thrown away.
fn short_recv(
    language: Language,
    scale: &Scale,
    (from, to): (u64, u64),
    number: &str,
    (kept, bytes): (usize, usize),
    row: &mut Vec<Cell>,
) {
    let split = if kept < bytes { from + kept as u64 } else { to };
    let size = |bytes: usize| counted(language, bytes as u64, Noun::Byte);
    let title = language.strip_keeps(&count(kept as u64), &size(bytes));
    row.push(scale.cell((from, split), number.into(), title));
    if kept < bytes {
        let title = language.strip_throws(&size(bytes - kept));
        let cut = scale.cell((split, to), language.strip_cut().into(), title);
        row.push(Cell { kind: Kind::Cut, ..cut });
    }
}

/// A row that says something only if something is cut.
fn if_cut(cells: Vec<Cell>) -> Vec<Cell> {
    if cells.iter().any(|cell| cell.kind == Kind::Cut) { cells } else { Vec::new() }
}

/// Whether a datagram was answered.
fn replied(language: Language, scale: &Scale, span: (u64, u64), line: &Line) -> Cell {
    let number = line.number.to_string();
    let (kind, label, title) = match line.status {
        Status::Answered { .. } => (Kind::Whole, number.clone(), language.strip_answered(&number)),
        Status::Waiting => (Kind::Waiting, "…".into(), language.strip_no_answer_yet(&number)),
        Status::NoReply { .. } => (Kind::Lost, "✕".into(), language.strip_no_answer(&number)),
    };
    Cell { kind, ..scale.cell(span, label, title) }
}

/// Numbers of the lines that have bytes in a stretch of the stream: `3` or `3–5`.
fn lines_within(send: &LegRun, (from, to): (u64, u64)) -> String {
    let mut within = send
        .lines
        .iter()
        .filter(|line| line.offset < to && line.offset + line.bytes as u64 > from)
        .map(|line| line.number);
    match (within.next(), within.next_back()) {
        (Some(first), Some(last)) => format!("{first}–{last}"),
        (Some(only), None) => only.to_string(),
        _ => String::new(),
    }
}

fn named(language: Language, lines: &str) -> String {
    if lines.contains('–') {
        language.strip_lines_named(lines)
    } else {
        language.strip_line_named(lines)
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

    fn cell(&self, (from, to): (u64, u64), label: String, title: String) -> Cell {
        let (from, to) = (self.part(from), self.part(to));
        Cell { from, to, label, title, kind: Kind::Whole }
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
        send.piece(piece(127, 68));
        send.piece(piece(195, 48));
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
    fn a_long_datagram_shows_what_is_cut_and_a_lost_one_a_cross() {
        let mut send = sent(Protocol::Udp, &[(1_500, ANSWERED), (500, LOST)]);
        send.read(Read { number: 0, offset: 0, bytes: 1_500, kept: 1_024 });
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
