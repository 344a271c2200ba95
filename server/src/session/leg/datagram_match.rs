//! Which UDP reply belongs to which line.
//!
//! A reply is only a timestamp and does not say what it answers. But the server answers a leg's datagrams
//! in the order in which it observed them. So the k-th reply belongs to the k-th observed datagram, unless a
//! reply was lost. When the counts show that one was, an answer is not certain, and says so.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use streamgram_protocol::Line;

use super::answer::{Answer, Silence};

/// Lines that were given up and are remembered in case a reply comes late. Older ones are forgotten, and a
/// reply to one has no line.
const REMEMBERED_LINES: usize = 1_000;

/// The datagrams of one leg that are not answered yet.
#[derive(Debug)]
pub(super) struct DatagramMatch {
    patience: Duration,
    /// The path knows which reply answers which line, so nothing has to be concluded from counts.
    exact: bool,
    lines: VecDeque<SentLine>,
    answered: u64,
}

#[derive(Debug)]
struct SentLine {
    line: Line,
    sent: Instant,
    bytes: usize,
    /// The server has observed it.
    observed: bool,
    /// It has been reported as unanswered.
    given_up: bool,
    /// How many answers there had been when it was sent.
    answered_before: u64,
}

impl DatagramMatch {
    /// `patience`: how long a reply may take before its line is reported. `exact`: replies come with
    /// their line.
    pub(super) fn new(patience: Duration, exact: bool) -> Self {
        Self { patience, exact, lines: VecDeque::new(), answered: 0 }
    }

    pub(super) fn sent(&mut self, line: Line, sent: Instant, bytes: usize) {
        self.lines.push_back(SentLine {
            line,
            sent,
            bytes,
            observed: false,
            given_up: false,
            answered_before: self.answered,
        });
    }

    /// The server observed a datagram of this length. Loopback keeps the order, so it is the first line that
    /// it can be.
    pub(super) fn observed(&mut self, bytes: usize) {
        let could_be = |line: &&mut SentLine| !line.observed && line.bytes == bytes;
        let line = self.lines.iter_mut().filter(|line| !line.given_up).find(could_be);
        let line = match line {
            Some(line) => Some(line),
            None => self.lines.iter_mut().find(could_be),
        };
        if let Some(line) = line {
            line.observed = true;
        }
    }

    /// A reply came; the line that it answers, if one waits.
    pub(super) fn replied(&mut self) -> Option<Answer> {
        let first = |observed: bool, given_up: bool| {
            self.lines
                .iter()
                .position(|line| line.observed == observed && line.given_up == given_up)
        };
        let at = first(true, false)
            .or_else(|| first(true, true))
            .or_else(|| first(false, false))
            .or_else(|| first(false, true))?;
        let answered = self.lines.remove(at)?;
        // If another line was observed and given up, this reply could be a late one to it.
        let rival = self.lines.iter().any(|other| other.observed && other.given_up);
        self.answered += 1;
        let SentLine { line, sent, observed, given_up, .. } = answered;
        Some(Answer { line, sent, late: given_up, certain: observed && !rival })
    }

    /// A reply to this line came; none, if it is a duplicate of the reply.
    pub(super) fn replied_to(&mut self, line: Line) -> Option<Answer> {
        let at = self.lines.iter().position(|sent| sent.line == line)?;
        let SentLine { line, sent, given_up, .. } = self.lines.remove(at)?;
        Some(Answer { line, sent, late: given_up, certain: true })
    }

    /// When the next line has to be given up.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.lines.iter().find(|line| !line.given_up).map(|line| line.sent + self.patience)
    }

    /// Gives up the lines that have waited too long. They are remembered for a late reply.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<Silence> {
        let patience = self.patience;
        let silences = self.give_up_if(|line| line.sent + patience <= now);
        let given_up = self.lines.iter().filter(|line| line.given_up).count();
        let mut forget = given_up.saturating_sub(REMEMBERED_LINES);
        self.lines.retain(|line| {
            let forgotten = line.given_up && forget > 0;
            forget -= usize::from(forgotten);
            !forgotten
        });
        silences
    }

    /// The server refused, or the leg has ended: no line will be answered.
    pub(super) fn end(&mut self) -> Vec<Silence> {
        let silences = self.give_up_if(|_| true);
        self.lines.clear();
        silences
    }

    fn give_up_if(&mut self, hopeless: impl Fn(&SentLine) -> bool) -> Vec<Silence> {
        let (answered, exact) = (self.answered, self.exact);
        let hopeless = self.lines.iter_mut().filter(|sent| !sent.given_up && hopeless(sent));
        hopeless
            .map(|sent| {
                sent.given_up = true;
                // A reply that came after this line went out may have been the reply to it.
                let certain = exact || sent.answered_before == answered;
                Silence { line: sent.line, certain }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn line(send: u64, number: u32) -> Line {
        Line { send, number }
    }

    fn sent(lines: u32, now: Instant) -> DatagramMatch {
        let mut datagrams = DatagramMatch::new(PATIENCE, false);
        for number in 1..=lines {
            datagrams.sent(line(1, number), now, 7);
        }
        datagrams
    }

    fn answer(number: u32, sent: Instant, late: bool, certain: bool) -> Option<Answer> {
        Some(Answer { line: line(1, number), sent, late, certain })
    }

    #[test]
    fn replies_follow_the_order_of_observation() {
        let now = Instant::now();
        let mut datagrams = sent(2, now);
        datagrams.observed(7);
        datagrams.observed(7);
        assert_eq!(datagrams.replied(), answer(1, now, false, true));
        assert_eq!(datagrams.replied(), answer(2, now, false, true));
        assert_eq!(datagrams.replied(), None);
    }

    #[test]
    fn where_the_path_knows_the_line_copies_and_losses_are_certain() {
        let now = Instant::now();
        let mut datagrams = DatagramMatch::new(PATIENCE, true);
        (1..=2).for_each(|number| datagrams.sent(line(1, number), now, 7));
        assert_eq!(datagrams.replied_to(line(1, 2)), answer(2, now, false, true));
        assert_eq!(datagrams.replied_to(line(1, 2)), None);
        let silences = datagrams.give_up(now + PATIENCE);
        assert_eq!(silences, [Silence { line: line(1, 1), certain: true }]);
        assert_eq!(datagrams.replied_to(line(1, 1)), answer(1, now, true, true));
    }

    #[test]
    fn a_datagram_that_the_server_never_saw_is_told_by_its_length() {
        let now = Instant::now();
        let mut datagrams = sent(1, now);
        datagrams.sent(line(1, 2), now, 9);
        datagrams.observed(9);
        assert_eq!(datagrams.replied(), answer(2, now, false, true));
        let silences = datagrams.give_up(now + PATIENCE);
        assert_eq!((silences.len(), silences[0].line), (1, line(1, 1)));
    }

    #[test]
    fn a_lost_reply_is_one_of_those_under_way_together() {
        let now = Instant::now();
        let mut datagrams = sent(2, now);
        datagrams.observed(7);
        datagrams.observed(7);
        datagrams.replied();
        assert_eq!(datagrams.next_deadline(), Some(now + PATIENCE));
        let silences = datagrams.give_up(now + PATIENCE);
        assert_eq!(silences, [Silence { line: line(1, 2), certain: false }]);
        assert_eq!(datagrams.next_deadline(), None);
    }

    #[test]
    fn a_late_reply_finds_its_line_and_a_newer_one_is_uncertain() {
        let now = Instant::now();
        let mut datagrams = sent(1, now);
        datagrams.observed(7);
        let silences = datagrams.give_up(now + PATIENCE);
        assert_eq!(silences, [Silence { line: line(1, 1), certain: true }]);
        datagrams.sent(line(2, 1), now + PATIENCE, 7);
        datagrams.observed(7);
        let newer = datagrams.replied().unwrap();
        assert_eq!((newer.line, newer.late, newer.certain), (line(2, 1), false, false));
        assert_eq!(datagrams.replied(), answer(1, now, true, true));
    }

    #[test]
    fn without_the_servers_account_an_answer_is_uncertain() {
        let now = Instant::now();
        assert_eq!(sent(1, now).replied(), answer(1, now, false, false));
    }

    #[test]
    fn a_thousand_lines_are_remembered_for_a_late_reply_and_no_more() {
        let now = Instant::now();
        let mut datagrams = sent(1_005, now);
        assert_eq!(datagrams.give_up(now + PATIENCE).len(), 1_005);
        assert_eq!(datagrams.lines.len(), REMEMBERED_LINES);
        assert_eq!(datagrams.lines[0].line, line(1, 6));
    }

    #[test]
    fn after_the_end_nothing_is_expected() {
        let now = Instant::now();
        let mut datagrams = sent(3, now);
        assert_eq!(datagrams.end().len(), 3);
        assert_eq!((datagrams.replied(), datagrams.next_deadline()), (None, None));
    }
}
