//! Which bytes of the TCP replies belong to which line.
//!
//! The server puts a stamp in front of the bytes of each of its reads. Where the stamps are is known from
//! the server's observations of its reads. Searching for brackets would not be safe, because anybody can
//! type them. The reply to byte `e` of the stream, in read `k`, ends at `e + STAMP_LEN * (k + 1)` of the
//! stream of replies. After an observation was missed, no answer is certain, until the account of the
//! server and the replies agree again and no line waits.

use std::collections::VecDeque;
use std::time::Instant;

use streamgram_protocol::{Line, STAMP_LEN};

use super::answer::{Answer, Silence};
use crate::path::Piece;

/// Room for lines and reads that is kept when there are none.
const SPARE: usize = 64;

/// The lines of one connection that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct StreamMatch {
    lines: VecDeque<SentLine>,
    reads: VecDeque<Read>,
    /// The number of the server's next read, and where the replies to all before it end.
    next_read: u64,
    replies_end: u64,
    /// A read was missed.
    incomplete: bool,
}

#[derive(Debug)]
struct SentLine {
    line: Line,
    sent: Instant,
    /// Position after its last byte.
    end: u64,
}

#[derive(Debug)]
struct Read {
    number: u64,
    offset: u64,
    end: u64,
}

impl StreamMatch {
    /// Whether every line is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines that are not answered.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// When the first of them was sent.
    pub(super) fn asked(&self) -> Option<Instant> {
        self.lines.front().map(|line| line.sent)
    }

    /// Bytes that they take.
    pub(super) fn held(&self) -> usize {
        self.lines.capacity() * size_of::<SentLine>() + self.reads.capacity() * size_of::<Read>()
    }

    /// Gives room back that nothing needs any more.
    fn tidy(&mut self) {
        if self.lines.is_empty() {
            self.lines.shrink_to(SPARE);
            self.reads.shrink_to(SPARE);
        }
    }

    pub(super) fn sent(&mut self, line: Line, sent: Instant, end: u64) {
        self.lines.push_back(SentLine { line, sent, end });
    }

    pub(super) fn server_read(&mut self, number: u64, offset: u64, bytes: usize) {
        let end = offset + bytes as u64;
        self.incomplete |= number != self.next_read;
        self.next_read = number + 1;
        self.replies_end = end + STAMP_LEN as u64 * self.next_read;
        self.reads.push_back(Read { number, offset, end });
    }

    /// The lines that are answered by a piece of the replies, with which `received` bytes of them have come.
    pub(super) fn received(&mut self, piece: u64, received: u64) -> Vec<Answer> {
        // A read is observed before its reply comes.
        self.incomplete |= received > self.replies_end;
        let mut answers = Vec::new();
        while let Some(end) = self.coverage()
            && end <= received
            && let Some(SentLine { line, sent, .. }) = self.lines.pop_front()
        {
            answers.push(Answer {
                line,
                sent,
                reply: piece,
                late: false,
                certain: !self.incomplete,
            });
        }
        self.incomplete &= !self.lines.is_empty() || received != self.replies_end;
        self.tidy();
        answers
    }

    /// Which lines the bytes `from` to `to` of the stream of replies belong to, in their order. A stamp
    /// belongs to the line after it. A line is forgotten when its reply has ended. Bytes of a read whose
    /// observation was missed belong to no line.
    pub(super) fn pieces(&mut self, from: u64, to: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut at = from;
        while at < to {
            let is_known = to <= self.replies_end;
            let line = self.lines.front().map(|sent| sent.line).filter(|_| is_known);
            let end = match self.coverage() {
                Some(end) if end <= to => {
                    self.lines.pop_front();
                    end.max(at)
                }
                _ => to,
            };
            pieces.push(Piece { bytes: usize::try_from(end - at).unwrap_or(usize::MAX), line });
            at = end;
        }
        self.tidy();
        pieces
    }

    /// Where the reply to the first line ends; none, until the read of the line's last byte is observed.
    fn coverage(&mut self) -> Option<u64> {
        let line = self.lines.front()?;
        while self.reads.front().is_some_and(|read| read.end < line.end) {
            self.reads.pop_front();
        }
        let read = self.reads.front()?;
        // If the observation of that read was missed, the line is answered at the latest when everything
        // before the next observed read has come.
        let is_missed = read.offset >= line.end;
        Some(if is_missed {
            read.offset + STAMP_LEN as u64 * read.number
        } else {
            line.end + STAMP_LEN as u64 * (read.number + 1)
        })
    }

    /// The connection has ended: no line will be answered.
    pub(super) fn end(&mut self) -> Vec<Silence> {
        let certain = !self.incomplete;
        self.lines.drain(..).map(|sent| Silence { line: sent.line, certain }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(answers: &[Answer]) -> Vec<u32> {
        answers.iter().map(|answer| answer.line.number).collect()
    }

    /// The lines that are answered when a piece ends here.
    fn received(stream: &mut StreamMatch, end: u64) -> Vec<u32> {
        lines(&stream.received(0, end))
    }

    fn five_lines_of_seven() -> StreamMatch {
        let mut stream = StreamMatch::default();
        for number in 1..=5 {
            stream.sent(Line { send: 1, number }, Instant::now(), u64::from(number) * 7);
        }
        stream
    }

    #[test]
    fn merged_lines_are_answered_by_the_bytes_that_cover_them() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 7);
        assert!(received(&mut stream, 33).is_empty());
        assert_eq!(received(&mut stream, 34), [1]);
        stream.server_read(1, 7, 28);
        assert_eq!(received(&mut stream, 34 + 27 + 20), [2, 3]);
        assert_eq!(received(&mut stream, 34 + 27 + 28), [4, 5]);
    }

    #[test]
    fn an_answer_names_the_piece_that_completed_it() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 35);
        let mut named = Vec::new();
        for (piece, end) in [(0, 10), (10, 27 + 6), (33, 27 + 20), (47, 27 + 35)] {
            named.extend(stream.received(piece, end).iter().map(|answer| answer.reply));
        }
        assert_eq!(named, [33, 33, 47, 47, 47]);
    }

    #[test]
    fn a_line_of_two_reads_is_answered_by_the_second() {
        let mut stream = StreamMatch::default();
        stream.sent(Line { send: 1, number: 1 }, Instant::now(), 1_500);
        stream.server_read(0, 0, 1_024);
        assert!(received(&mut stream, 1_051).is_empty());
        stream.server_read(1, 1_024, 476);
        assert!(received(&mut stream, 1_500 + 53).is_empty());
        assert_eq!(received(&mut stream, 1_500 + 54), [1]);
    }

    #[test]
    fn a_read_that_was_missed_makes_lines_uncertain_until_all_is_answered() {
        let mut stream = five_lines_of_seven();
        stream.server_read(1, 14, 21);
        let mut answers = stream.received(0, 14 + 27);
        assert_eq!(lines(&answers), [1, 2]);
        answers.extend(stream.received(0, 35 + 54));
        assert_eq!(lines(&answers), [1, 2, 3, 4, 5]);
        assert!(answers.iter().all(|answer| !answer.certain));
        stream.sent(Line { send: 2, number: 1 }, Instant::now(), 42);
        stream.server_read(2, 35, 7);
        let answers = stream.received(0, 42 + 81);
        assert!(lines(&answers) == [1] && answers[0].certain);
    }

    #[test]
    fn a_line_whose_first_read_was_missed_is_uncertain() {
        let mut stream = StreamMatch::default();
        stream.sent(Line { send: 1, number: 1 }, Instant::now(), 1_500);
        stream.server_read(1, 1_024, 476);
        let answers = stream.received(0, 1_500 + 54);
        assert!(lines(&answers) == [1] && !answers[0].certain);
    }

    #[test]
    fn replies_to_reads_that_were_missed_leave_no_silence_certain() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 7);
        assert_eq!(received(&mut stream, 35 + 54), [1]);
        let silences = stream.end();
        assert_eq!(silences.len(), 4);
        assert!(silences.iter().all(|silence| !silence.certain));
    }

    #[test]
    fn every_byte_of_a_reply_has_its_line() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 7);
        stream.server_read(1, 7, 28);
        let piece = |bytes, number| Piece { bytes, line: Some(Line { send: 1, number }) };
        assert_eq!(stream.pieces(0, 34), [piece(34, 1)]);
        assert_eq!(stream.pieces(34, 64), [piece(30, 2)]);
        assert_eq!(stream.pieces(64, 89), [piece(4, 2), piece(7, 3), piece(7, 4), piece(7, 5)]);
    }

    #[test]
    fn bytes_of_a_read_that_was_missed_have_no_line() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 7);
        stream.pieces(0, 34);
        assert_eq!(stream.pieces(34, 64), [Piece { bytes: 30, line: None }]);
    }

    #[test]
    fn what_is_left_at_the_end_has_no_reply() {
        let mut stream = five_lines_of_seven();
        stream.server_read(0, 0, 35);
        stream.received(0, 27 + 20);
        assert_eq!(stream.end().len(), 3);
    }
}
