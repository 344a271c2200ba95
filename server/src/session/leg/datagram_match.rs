//! Which lines over UDP are answered, late, or not at all.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use streamgram_protocol::Line;

use super::answer::{Answer, Silence};
use super::reply_order::Owner;

/// Lines that were given up and are remembered in case a reply comes late. Older ones are forgotten, and a
/// reply to one has no line.
const REMEMBERED_LINES: usize = 1_000;

/// The lines of one leg that are not answered yet.
#[derive(Debug)]
pub(super) struct DatagramMatch {
    patience: Duration,
    lines: VecDeque<SentLine>,
    /// Replies whose line was not certain.
    doubts: u64,
}

#[derive(Debug)]
struct SentLine {
    line: Line,
    sent: Instant,
    /// It has been reported as unanswered.
    given_up: bool,
    /// How many doubts there had been when it was sent.
    doubts_before: u64,
}

impl DatagramMatch {
    /// `patience`: how long a reply may take before its line is reported.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, lines: VecDeque::new(), doubts: 0 }
    }

    /// Lines that are not answered, nor given up: what was sent first is given up first.
    pub(super) fn waiting(&self) -> usize {
        self.lines.len() - self.lines.partition_point(|line| line.given_up)
    }

    /// When the first was sent that is not answered.
    pub(super) fn asked(&self) -> Option<Instant> {
        self.lines.front().map(|line| line.sent)
    }

    /// Bytes that all take.
    pub(super) fn held(&self) -> usize {
        self.lines.len() * size_of::<SentLine>()
    }

    pub(super) fn sent(&mut self, line: Line, sent: Instant) {
        let doubts_before = self.doubts;
        self.lines.push_back(SentLine { line, sent, given_up: false, doubts_before });
    }

    /// A reply to a line came; none, if it is a copy of the reply, or the line is forgotten.
    pub(super) fn replied(&mut self, owner: &Owner) -> Option<Answer> {
        self.doubts += u64::from(!owner.certain);
        let at = self.lines.iter().position(|sent| Some(sent.line) == owner.line)?;
        let SentLine { line, sent, given_up, .. } = self.lines.remove(at)?;
        let (reply, certain) = (owner.reply.number, owner.certain);
        Some(Answer { line, sent, reply, late: given_up, certain })
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
        let doubts = self.doubts;
        let hopeless = self.lines.iter_mut().filter(|sent| !sent.given_up && hopeless(sent));
        hopeless
            .map(|sent| {
                sent.given_up = true;
                // A reply in doubt that came after this line went out may have been the reply to it.
                Silence { line: sent.line, certain: sent.doubts_before == doubts }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply_order::Reply;
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn line(send: u64, number: u32) -> Line {
        Line { send, number }
    }

    fn sent(lines: u32, now: Instant) -> DatagramMatch {
        let mut datagrams = DatagramMatch::new(PATIENCE);
        (1..=lines).for_each(|number| datagrams.sent(line(1, number), now));
        datagrams
    }

    /// Reply 10 answers line 1, reply 20 line 2.
    fn owner(number: u32, at: Instant, certain: bool) -> Owner {
        let reply = Reply { number: u64::from(number) * 10, at };
        Owner { line: Some(line(1, number)), reply, certain }
    }

    #[test]
    fn a_line_is_answered_once_and_one_that_was_given_up_is_late() {
        let now = Instant::now();
        let mut datagrams = sent(2, now);
        let answer = |number, reply, late| {
            Some(Answer { line: line(1, number), sent: now, reply, late, certain: true })
        };
        assert_eq!(datagrams.replied(&owner(2, now, true)), answer(2, 20, false));
        assert_eq!(datagrams.replied(&owner(2, now, true)), None);
        assert_eq!(datagrams.next_deadline(), Some(now + PATIENCE));
        let silences = datagrams.give_up(now + PATIENCE);
        assert_eq!(silences, [Silence { line: line(1, 1), certain: true }]);
        assert_eq!(datagrams.next_deadline(), None);
        assert_eq!(datagrams.replied(&owner(1, now, true)), answer(1, 10, true));
    }

    #[test]
    fn a_reply_in_doubt_makes_the_silence_of_what_was_under_way_uncertain() {
        let now = Instant::now();
        let mut datagrams = sent(2, now);
        let answer = datagrams.replied(&owner(1, now, false)).unwrap();
        assert!(!answer.certain);
        datagrams.sent(line(2, 1), now);
        let silences = datagrams.give_up(now + PATIENCE);
        let silence = |line, certain| Silence { line, certain };
        assert_eq!(silences, [silence(line(1, 2), false), silence(line(2, 1), true)]);
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
        assert_eq!(
            (datagrams.replied(&owner(1, now, true)), datagrams.next_deadline()),
            (None, None)
        );
    }
}
