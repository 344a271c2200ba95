//! The transcript: the rows of both protocols in the order in which they were told, and where the row
//! of a line is. Bounded in rows and in bytes.
//!
//! Rows stand in chunks behind `Rc`. A copy, which a reducer makes for every action, copies a few
//! hundred pointers; a change copies the chunk that it falls into. So a chunk that is still at the same
//! address has not changed.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::{Protocol, Unanswered};

use super::leg_run::Status;
use super::row::{Content, Row};

/// Rows that are kept, of both protocols together; the oldest goes for one more, and is counted.
pub(crate) const KEPT_ROWS: usize = 20_000;
/// Bytes of payloads that are kept; the oldest rows go for more, and are counted.
pub(crate) const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// Rows of a chunk. Row `key` stands in chunk `key / CHUNK_ROWS`.
pub(crate) const CHUNK_ROWS: u64 = 64;

/// Some rows, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    first: u64,
    pub(crate) rows: VecDeque<Rc<Row>>,
}

impl Chunk {
    /// Which chunk this is.
    pub(crate) fn number(&self) -> u64 {
        self.first / CHUNK_ROWS
    }

    /// The row with this key.
    pub(crate) fn row(&self, key: u64) -> Option<&Rc<Row>> {
        self.rows.get(usize::try_from(key.checked_sub(self.first)?).ok()?)
    }
}

/// The transcript.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) chunks: VecDeque<Rc<Chunk>>,
    /// Rows that were dropped since it was cleared.
    pub(crate) dropped: u64,
    rows: usize,
    bytes: usize,
    next: u64,
    /// The rows of the lines that may still be answered. Those that were given up stay.
    waiting: HashMap<Line, u64>,
}

/// A line: its protocol, the id of its send, and its number in that.
type Line = (Protocol, u64, u32);

impl Log {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// All rows, the oldest first.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Rc<Row>> {
        self.chunks.iter().flat_map(|chunk| &chunk.rows)
    }

    /// The row with this key, if it is still kept.
    pub(crate) fn row(&self, key: u64) -> Option<&Rc<Row>> {
        self.chunks.get(self.place(key)?)?.row(key)
    }

    /// Puts a row at the end; its key, which is counted here.
    pub(crate) fn push(&mut self, row: Row) -> u64 {
        let key = self.next;
        let row = Row { key, ..row };
        self.next += 1;
        self.rows += 1;
        self.bytes += row.weight();
        if let Content::Line { id, number, .. } = row.content {
            self.waiting.insert((row.protocol, id, number), key);
        }
        if self.chunks.is_empty() || key.is_multiple_of(CHUNK_ROWS) {
            self.chunks.push_back(Rc::new(Chunk { first: key, rows: VecDeque::new() }));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            Rc::make_mut(chunk).rows.push_back(Rc::new(row));
        }
        while self.rows > KEPT_ROWS || (self.bytes > KEPT_BYTES && self.rows > 1) {
            self.drop_oldest();
        }
        key
    }

    /// Notes how a line ended.
    pub(crate) fn settle(&mut self, protocol: Protocol, id: u64, number: u32, status: Status) {
        let line = (protocol, id, number);
        let Some(&key) = self.waiting.get(&line) else { return };
        // A line without a reply stays known: the reply may still come late.
        if !matches!(status, Status::NoReply { cause: Unanswered::TimedOut, .. }) {
            self.waiting.remove(&line);
        }
        if let Some(Row { content: Content::Line { status: shown, .. }, .. }) = self.row_mut(key) {
            *shown = status;
        }
    }

    /// Notes at the row of a reply which line it answers, and of which run.
    pub(crate) fn answers(&mut self, reply: u64, run: u32, line: u32) {
        let Some(row) = self.row_mut(reply) else { return };
        row.run = run;
        if let Content::Reply { answers, .. } = &mut row.content {
            *answers = Some(answers.map_or((line, line), |(first, _)| (first, line)));
        }
    }

    /// A run begins on a leg: how that was opened belongs to it, unless another run was there before.
    pub(crate) fn belong(&mut self, protocol: Protocol, leg: u32, run: u32) {
        let rows = self.rows().rev().filter(|row| row.protocol == protocol);
        let own = rows.take_while(|row| row.leg != leg || row.run == 0);
        let own = own.filter(|row| row.leg == leg).map(|row| row.key);
        for key in own.collect::<Vec<_>>() {
            self.row_mut(key).into_iter().for_each(|row| row.run = run);
        }
    }

    /// The lines of a protocol that may still be answered: their sends and numbers.
    pub(crate) fn waiting(&self, protocol: Protocol) -> Vec<(u64, u32)> {
        let of_it = self.waiting.keys().filter(|(of, ..)| *of == protocol);
        of_it.map(|&(_, id, number)| (id, number)).collect()
    }

    /// Forgets all rows; keys go on.
    pub(crate) fn clear(&mut self) {
        *self = Self { next: self.next, ..Self::default() };
    }

    fn place(&self, key: u64) -> Option<usize> {
        let first = self.chunks.front()?.number();
        usize::try_from((key / CHUNK_ROWS).checked_sub(first)?).ok()
    }

    fn row_mut(&mut self, key: u64) -> Option<&mut Row> {
        let chunk = self.place(key).and_then(|place| self.chunks.get_mut(place))?;
        let place = usize::try_from(key.checked_sub(chunk.first)?).ok()?;
        Rc::make_mut(chunk).rows.get_mut(place).map(Rc::make_mut)
    }

    fn drop_oldest(&mut self) {
        let Some(chunk) = self.chunks.front_mut().map(Rc::make_mut) else {
            return;
        };
        chunk.first += 1;
        let row = chunk.rows.pop_front();
        if chunk.rows.is_empty() {
            self.chunks.pop_front();
        }
        if let Some(row) = row {
            (self.rows, self.dropped) = (self.rows - 1, self.dropped + 1);
            self.bytes -= row.weight();
            if let Content::Line { id, number, .. } = row.content {
                self.waiting.remove(&(row.protocol, id, number));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use streamgram_protocol::Data;

    use super::*;
    use crate::session::leg_run::tests::ANSWERED;
    use crate::session::note::Note;
    use crate::session::payload::Payload;

    /// A row of TCP; its key is counted by the log.
    pub(crate) fn row(content: Content) -> Row {
        Row { key: 0, at_us: 0, protocol: Protocol::Tcp, leg: 1, run: 1, content }
    }

    pub(crate) fn line(id: u64, number: u32) -> Row {
        let payload = Payload::of(&Data::Text("hi".into()));
        row(Content::Line { id, number, place: number, payload, bytes: 2, status: Status::Waiting })
    }

    pub(crate) fn reply(text: &str) -> Row {
        row(Content::Reply { payload: Payload::of(&Data::Text(text.into())), answers: None })
    }

    /// How the line in this row stands.
    pub(crate) fn status(log: &Log, key: u64) -> Status {
        match &log.row(key).unwrap().content {
            Content::Line { status, .. } => *status,
            other => panic!("{other:?}"),
        }
    }

    /// The lines of a send.
    pub(crate) fn lines(numbers: std::ops::Range<u32>) -> Log {
        let mut log = Log::default();
        for number in numbers {
            log.push(line(1, number));
        }
        log
    }

    fn keys(log: &Log) -> (u64, u64) {
        let (mut rows, mut back) = (log.rows(), log.rows().rev());
        (rows.next().unwrap().key, back.next().unwrap().key)
    }

    #[test]
    fn rows_are_bounded_and_the_dropped_ones_counted() {
        let log = lines(0..20_100);
        assert_eq!((log.len(), log.dropped), (KEPT_ROWS, 100));
        assert_eq!((log.rows().count(), keys(&log)), (KEPT_ROWS, (100, 20_099)));
        assert_eq!(log.waiting(Protocol::Tcp).len(), KEPT_ROWS);
        assert!(log.row(99).is_none() && log.row(20_100).is_none());
        assert_eq!(log.row(100).unwrap().key, 100);
    }

    #[test]
    fn bytes_are_bounded_and_the_oldest_rows_go_for_them() {
        let mut log = Log::default();
        let long = "x".repeat(64 * 1024);
        for _ in 0..300 {
            log.push(reply(&long));
        }
        assert_eq!((log.len(), log.dropped, log.bytes), (256, 44, KEPT_BYTES));
        log.push(row(Content::Note(Note::SocketOpen)));
        assert_eq!(log.len(), 257);
    }

    #[test]
    fn a_line_s_row_is_found_again_wherever_it_stands() {
        let mut log = Log::default();
        for number in 0..20_050 {
            log.push(line(number / 1_000, u32::try_from(number % 1_000).unwrap()));
        }
        // Dropped, the oldest that is kept, and the newest.
        for (id, number) in [(0, 49), (0, 50), (20, 49)] {
            log.settle(Protocol::Tcp, id, number, ANSWERED);
            log.settle(Protocol::Udp, id, number, Status::Waiting);
        }
        let settled = log.rows().filter(|row| {
            matches!(&row.content, Content::Line { status: Status::Answered { .. }, .. })
        });
        assert_eq!(settled.map(|row| row.key).collect::<Vec<_>>(), [50, 20_049]);
    }

    #[test]
    fn a_change_leaves_copies_and_other_chunks_as_they_were() {
        let mut log = lines(0..200);
        let before = log.clone();
        log.settle(Protocol::Tcp, 1, 70, ANSWERED);
        let same = log.chunks.iter().zip(&before.chunks).map(|(new, old)| Rc::ptr_eq(new, old));
        assert_eq!(same.collect::<Vec<_>>(), [true, false, true, true]);
        assert_eq!((status(&before, 70), status(&log, 70)), (Status::Waiting, ANSWERED));
    }

    #[test]
    fn after_clearing_keys_go_on_and_rows_are_found() {
        let mut log = lines(0..100);
        log.clear();
        assert_eq!((log.len(), log.dropped, log.waiting(Protocol::Tcp).len()), (0, 0, 0));
        for number in 0..100 {
            assert_eq!(log.push(line(2, number)), 100 + u64::from(number));
        }
        log.settle(Protocol::Tcp, 2, 99, ANSWERED);
        assert_eq!((log.len(), log.row(199).unwrap().key), (100, 199));
    }

    #[test]
    fn a_reply_names_the_first_and_the_last_line_that_it_answers() {
        let mut log = Log::default();
        let key = log.push(reply("reply"));
        log.push(row(Content::Note(Note::SocketOpen)));
        (3..=5).for_each(|line| log.answers(key, 4, line));
        assert!(matches!(
            log.row(key).unwrap().content,
            Content::Reply { answers: Some((3, 5)), .. }
        ));
    }
}
