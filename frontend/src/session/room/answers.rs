//! What the page's member answers at a step of its class: votes and what came of its run, each until it is counted.

use streamgram_protocol::room::{Outcome, Own, Ran, RoomRequest, Stage, Vote};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    /// Grows with every change, also from one session to the next.
    edit: u64,
    counting: Counting,
}

/// How far an answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counting {
    /// Only here.
    Kept,
    /// Sent in this session.
    Out,
    /// As safe as the room is.
    Counted,
}

impl<T> Answer<T> {
    fn new(value: T, edit: u64) -> Self {
        Self { value, edit, counting: Counting::Kept }
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counting == Counting::Counted
    }

    fn goes_out(&mut self) {
        if self.counting == Counting::Kept {
            self.counting = Counting::Out;
        }
    }

    fn comes_back(&mut self) {
        if self.counting == Counting::Out {
            self.counting = Counting::Kept;
        }
    }

    fn counted(&mut self, edit: u64) {
        if self.edit == edit || self.counting == Counting::Out && self.edit < edit {
            self.counting = Counting::Counted;
        }
    }
}

/// What a member answered at a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// The step's `id`.
    pub(crate) step: String,
    pub(crate) before: Option<Answer<u8>>,
    pub(crate) after: Option<Answer<u8>>,
    pub(crate) ran: Option<Answer<Outcome>>,
}

impl Answers {
    pub(super) fn at(step: &str) -> Self {
        Self { step: step.to_owned(), ..Self::default() }
    }

    /// The vote that is asked for at a stage.
    pub(crate) fn vote(&self, stage: Stage) -> Option<&Answer<u8>> {
        match stage {
            Stage::Predict => self.before.as_ref(),
            Stage::Again => self.after.as_ref(),
            Stage::Look | Stage::Reveal => None,
        }
    }

    /// What was voted, for marks in what all voted.
    pub(crate) fn own(&self) -> Own {
        let choice = |vote: &Option<Answer<u8>>| vote.as_ref().map(|vote| vote.value);
        Own { before: choice(&self.before), after: choice(&self.after) }
    }

    pub(super) fn voted(&mut self, stage: Stage, choice: u8, now_ms: u64) {
        let vote = Some(Answer::new(choice, self.next_edit(now_ms)));
        match stage {
            Stage::Predict => self.before = vote,
            Stage::Again => self.after = vote,
            Stage::Look | Stage::Reveal => {}
        }
    }

    pub(super) fn ran(&mut self, outcome: Outcome, now_ms: u64) {
        // What is told once more of the same run is nothing new.
        if self.ran.as_ref().is_none_or(|ran| ran.value != outcome) {
            self.ran = Some(Answer::new(outcome, self.next_edit(now_ms)));
        }
    }

    /// What the server knows of the member's votes. What was changed here since is newer.
    pub(super) fn told(&mut self, own: &Own) {
        let counted = |choice| Answer { value: choice, edit: 0, counting: Counting::Counted };
        self.before = self.before.take().or_else(|| own.before.map(counted));
        self.after = self.after.take().or_else(|| own.after.map(counted));
    }

    /// Everything with no higher edit is kept, of what was sent.
    pub(super) fn counted(&mut self, edit: u64) {
        self.before.iter_mut().chain(&mut self.after).for_each(|vote| vote.counted(edit));
        self.ran.iter_mut().for_each(|ran| ran.counted(edit));
    }

    /// What is asked for goes out. A vote of another stage would be refused, and stays here.
    pub(super) fn go_out(&mut self, stage: Stage) {
        for (of, vote) in [(Stage::Predict, &mut self.before), (Stage::Again, &mut self.after)] {
            let turn = if of == stage { Answer::goes_out } else { Answer::comes_back };
            vote.iter_mut().for_each(turn);
        }
        self.ran.iter_mut().for_each(Answer::goes_out);
    }

    /// Its session is gone: what was not counted is to be sent once more.
    pub(super) fn session_ended(&mut self) {
        self.before.iter_mut().chain(&mut self.after).for_each(Answer::comes_back);
        self.ran.iter_mut().for_each(Answer::comes_back);
    }

    /// What went out and is not counted yet, with its edits.
    pub(crate) fn uncounted(&self) -> Vec<(u64, RoomRequest)> {
        let votes = [(Stage::Predict, &self.before), (Stage::Again, &self.after)];
        let votes = votes.into_iter().filter_map(|(stage, vote)| {
            let vote = vote.as_ref().filter(|vote| is_out(vote))?;
            let (step, choice, edit) = (self.step.clone(), vote.value, vote.edit);
            Some((edit, RoomRequest::Vote(Vote { step, stage, choice, edit })))
        });
        let ran = self.ran.iter().filter(|ran| is_out(ran)).map(|ran| {
            let (step, outcome, edit) = (self.step.clone(), ran.value.clone(), ran.edit);
            (edit, RoomRequest::Ran(Ran { step, outcome, edit }))
        });
        votes.chain(ran).collect()
    }

    /// Higher than every one before, even if the clock was set back.
    fn next_edit(&self, now_ms: u64) -> u64 {
        let votes = self.before.iter().chain(&self.after).map(|vote| vote.edit);
        let last = votes.chain(self.ran.iter().map(|ran| ran.edit)).max();
        last.map_or(now_ms, |last| now_ms.max(last + 1))
    }
}

fn is_out<T>(answer: &Answer<T>) -> bool {
    answer.counting == Counting::Out
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::room::Measure;

    use super::*;

    fn edits(answers: &Answers) -> Vec<u64> {
        answers.uncounted().into_iter().map(|(edit, _)| edit).collect()
    }

    #[test]
    fn what_is_not_counted_goes_out_again_in_the_next_session() {
        let mut answers = Answers::at("a");
        answers.voted(Stage::Predict, 2, 100);
        answers.go_out(Stage::Predict);
        answers.ran(Outcome::from([(Measure::TcpReads, 3)]), 100);
        answers.go_out(Stage::Predict);
        assert_eq!(edits(&answers), [100, 101]);
        answers.counted(100);
        assert_eq!(edits(&answers), [101]);
        assert!(answers.before.as_ref().unwrap().is_counted());
        answers.session_ended();
        assert_eq!(edits(&answers), [0; 0]);
        answers.go_out(Stage::Look);
        assert_eq!(edits(&answers), [101]);
    }

    #[test]
    fn a_vote_of_another_stage_stays_here_and_is_not_counted_by_what_is_newer() {
        let mut answers = Answers::at("a");
        answers.voted(Stage::Predict, 1, 100);
        answers.voted(Stage::Again, 2, 90);
        answers.go_out(Stage::Again);
        assert_eq!(edits(&answers), [101]);
        answers.counted(101);
        let counted = [&answers.before, &answers.after].map(|it| it.as_ref().unwrap().is_counted());
        assert_eq!(counted, [false, true]);
    }

    #[test]
    fn a_vote_that_was_on_its_way_when_the_class_went_on_is_counted_if_it_came_in_time() {
        let mut answers = Answers::at("a");
        answers.voted(Stage::Predict, 1, 100);
        answers.go_out(Stage::Predict);
        answers.go_out(Stage::Again);
        assert_eq!(edits(&answers), [0; 0]);
        answers.voted(Stage::Again, 2, 200);
        answers.go_out(Stage::Again);
        let is_counted = |answers: &Answers| answers.before.as_ref().unwrap().is_counted();
        answers.counted(200);
        assert!(!is_counted(&answers));
        answers.counted(100);
        assert!(is_counted(&answers));
    }

    #[test]
    fn a_vote_that_was_changed_here_is_newer_than_what_the_server_knows() {
        let mut answers = Answers::at("a");
        answers.voted(Stage::Predict, 1, 100);
        answers.told(&Own { before: Some(0), after: Some(2) });
        assert_eq!(answers.own(), Own { before: Some(1), after: Some(2) });
        assert!(answers.vote(Stage::Again).unwrap().is_counted());
    }

    #[test]
    fn the_same_outcome_is_not_told_twice() {
        let mut answers = Answers::at("a");
        let outcome = Outcome::from([(Measure::UdpLost, 1)]);
        answers.ran(outcome.clone(), 100);
        answers.go_out(Stage::Look);
        answers.counted(100);
        answers.ran(outcome, 200);
        answers.go_out(Stage::Look);
        assert_eq!(edits(&answers), [0; 0]);
        answers.ran(Outcome::default(), 300);
        answers.go_out(Stage::Reveal);
        assert_eq!(edits(&answers), [300]);
    }
}
