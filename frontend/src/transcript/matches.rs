//! Which rows of the transcript are shown: found once, kept as long as row and question stay the same,
//! and looked for in steps, so that a long transcript holds nobody up.

use std::collections::VecDeque;
use std::rc::Rc;

use streamgram_protocol::Protocol;

use super::view::Test;
use crate::session::log::{CHUNK_ROWS, Chunk, Log};
use crate::session::row::Row;

/// What is looked through in a step: bytes of payloads, and so many more for each row. The rest
/// waits for the next step.
pub(crate) const STEP_BYTES: usize = 256 * 1024;
const ROW_BYTES: usize = 64;

/// A chunk, and the keys of its rows that are shown: of both protocols, and of each.
#[derive(Debug, PartialEq, Eq)]
struct ChunkMatches {
    chunk: Rc<Chunk>,
    both: Vec<u64>,
    tcp: Vec<u64>,
    udp: Vec<u64>,
}

impl ChunkMatches {
    /// The keys of its rows in a list.
    fn keys(&self, list: Option<Protocol>) -> &[u64] {
        match list {
            None => &self.both,
            Some(Protocol::Tcp) => &self.tcp,
            Some(Protocol::Udp) => &self.udp,
        }
    }

    /// Looks through a chunk. Rows that are the same as before need not be looked at again; what is
    /// looked at is taken from `budget`.
    fn of(chunk: &Rc<Chunk>, before: Option<&Self>, test: &Test, budget: &mut usize) -> Self {
        let (mut both, mut tcp, mut udp) = (Vec::new(), Vec::new(), Vec::new());
        for row in &chunk.rows {
            let known = before
                .filter(|part| part.chunk.row(row.key).is_some_and(|same| Rc::ptr_eq(same, row)));
            let passes = known.map_or_else(
                || {
                    *budget = budget.saturating_sub(ROW_BYTES + test.looks_through(row));
                    test.passes(row)
                },
                |part| part.both.binary_search(&row.key).is_ok(),
            );
            if passes {
                both.push(row.key);
                match row.protocol {
                    Protocol::Tcp => tcp.push(row.key),
                    Protocol::Udp => udp.push(row.key),
                }
            }
        }
        Self { chunk: Rc::clone(chunk), both, tcp, udp }
    }
}

/// The rows that are shown. A list is that of one protocol, or of both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    test: Test,
    parts: VecDeque<Rc<ChunkMatches>>,
}

impl Matches {
    /// Brings itself up to date, in one step; whether it is. The newest rows come first.
    pub(crate) fn update(&mut self, log: &Log, test: &Test) -> bool {
        if self.test != *test {
            *self = Self { test: test.clone(), parts: VecDeque::new() };
        }
        let mut budget = STEP_BYTES;
        let mut complete = true;
        let mut parts = VecDeque::new();
        let mut old = self.parts.iter().rev().peekable();
        for chunk in log.chunks.iter().rev() {
            while old.next_if(|part| part.chunk.number() > chunk.number()).is_some() {}
            let before = old.next_if(|part| part.chunk.number() == chunk.number());
            match before {
                Some(part) if Rc::ptr_eq(&part.chunk, chunk) => parts.push_front(Rc::clone(part)),
                _ if budget > 0 => {
                    let before = before.map(Rc::as_ref);
                    parts.push_front(Rc::new(ChunkMatches::of(chunk, before, test, &mut budget)));
                }
                _ => {
                    complete = false;
                    if let Some(part) = before {
                        parts.push_front(Rc::clone(part));
                    }
                }
            }
        }
        self.parts = parts;
        complete
    }

    /// How many rows a list has.
    pub(crate) fn count(&self, list: Option<Protocol>) -> usize {
        self.parts.iter().map(|part| part.keys(list).len()).sum()
    }

    /// The rows of a list from place `from` on.
    pub(crate) fn rows(
        &self,
        list: Option<Protocol>,
        from: usize,
    ) -> impl Iterator<Item = &Rc<Row>> {
        let mut skip = from;
        self.parts.iter().flat_map(move |part| {
            let keys = part.keys(list);
            let skipped = skip.min(keys.len());
            skip -= skipped;
            keys[skipped..].iter().filter_map(|key| part.chunk.row(*key))
        })
    }

    /// The place of the row with this key; if it is not in the list, of the one after it.
    pub(crate) fn place(&self, list: Option<Protocol>, key: u64) -> usize {
        let number = key / CHUNK_ROWS;
        let earlier = self.parts.iter().take_while(|part| part.chunk.number() <= number);
        earlier.map(|part| part.keys(list).partition_point(|other| *other < key)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::language::Language;
    use crate::session::leg_run::Status;
    use crate::session::leg_run::tests::ANSWERED;
    use crate::session::log::KEPT_ROWS;
    use crate::session::log::tests::{line, reply};
    use crate::session::row::Content;
    use crate::transcript::view::{Filter, Outcome, View};

    /// Lines of TCP and replies of UDP by turns; line `n` has key `2 n`.
    fn log(lines: u32) -> Log {
        let mut log = Log::default();
        for number in 0..lines {
            log.push(line(1, number));
            log.push(Row { protocol: Protocol::Udp, ..reply(&format!("reply {number}")) });
        }
        log
    }

    fn test(query: &str, outcome: Outcome) -> Test {
        let filter = Filter { query: query.into(), outcome, ..Filter::default() };
        View { filter, ..View::default() }.test(Language::En, None)
    }

    fn all(log: &Log, test: &Test) -> Matches {
        let mut matches = Matches::default();
        while !matches.update(log, test) {}
        matches
    }

    fn keys(matches: &Matches, list: Option<Protocol>, from: usize) -> Vec<u64> {
        matches.rows(list, from).map(|row| row.key).collect()
    }

    #[test]
    fn a_list_has_its_rows_in_order_from_any_place() {
        let matches = all(&log(200), &Test::default());
        let counts = [None, Some(Protocol::Tcp), Some(Protocol::Udp)].map(|it| matches.count(it));
        assert_eq!(counts, [400, 200, 200]);
        assert_eq!(keys(&matches, None, 397), [397, 398, 399]);
        assert_eq!(keys(&matches, Some(Protocol::Udp), 197), [395, 397, 399]);
        assert_eq!(keys(&matches, None, 400), [0; 0]);
    }

    #[test]
    fn a_row_s_place_is_known_and_that_of_the_one_after_a_row_that_is_not_there() {
        let matches = all(&log(200), &Test::default());
        for place in [0, 1, 31, 32, 33, 150, 199] {
            let key = keys(&matches, Some(Protocol::Udp), place)[0];
            assert_eq!(matches.place(Some(Protocol::Udp), key), place);
            assert_eq!(matches.place(Some(Protocol::Udp), key - 1), place);
        }
        assert_eq!(matches.place(None, 1_000), 400);
    }

    #[test]
    fn what_comes_goes_and_changes_is_followed() {
        let mut log = log(200);
        let waiting = test("", Outcome::Waiting);
        let mut matches = all(&log, &waiting);
        assert_eq!(matches.count(None), 200);
        log.settle(Protocol::Tcp, 1, 7, ANSWERED);
        log.push(line(2, 1));
        log.push(line(2, 2));
        assert!(matches.update(&log, &waiting));
        assert_eq!(matches, all(&log, &waiting));
        assert_eq!(matches.count(None), 201);
        for number in 0..u32::try_from(KEPT_ROWS).unwrap() {
            log.push(line(3, number));
        }
        while !matches.update(&log, &waiting) {}
        assert_eq!(matches, all(&log, &waiting));
        assert_eq!(keys(&matches, None, 0)[0], 402);
        log.clear();
        assert!(matches.update(&log, &waiting));
        assert_eq!(matches.count(None), 0);
    }

    #[test]
    fn a_long_transcript_is_looked_through_in_steps_the_newest_rows_first() {
        let log = log(10_000);
        let found = test("reply 9", Outcome::All);
        let mut matches = Matches::default();
        let mut steps = 1;
        assert!(!matches.update(&log, &found));
        let newest = keys(&matches, None, 0);
        assert!(newest[0] > 10_000 && newest.ends_with(&[19_999]), "{}", newest[0]);
        while !matches.update(&log, &found) {
            steps += 1;
        }
        assert!((4..20).contains(&steps), "{steps}");
        // 9, 90 to 99, 900 to 999, 9000 to 9999.
        assert_eq!(matches.count(Some(Protocol::Udp)), 1_111);
    }

    #[test]
    fn rows_that_stay_are_not_looked_at_again() {
        let mut log = log(100);
        let test = test("reply", Outcome::All);
        let before = all(&log, &test);
        log.settle(Protocol::Tcp, 1, 0, Status::Waiting);
        let mut budget = STEP_BYTES;
        let part = ChunkMatches::of(
            &log.chunks[0],
            before.parts.front().map(Rc::as_ref),
            &test,
            &mut budget,
        );
        assert_eq!(part.both, before.parts[0].both);
        let row = log.row(0).unwrap();
        assert!(matches!(row.content, Content::Line { .. }));
        assert_eq!(STEP_BYTES - budget, ROW_BYTES + 2);
    }
}
