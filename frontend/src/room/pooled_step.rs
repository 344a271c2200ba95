//! A step of a class, in words: where it was, and how many of it have voted and run.

use std::rc::Rc;

use streamgram_protocol::room::{Given, Outcome, Own, Pooled, Stage};

use crate::i18n::figures::count;
use crate::i18n::language::Language;

/// A step of a class, with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PooledShown {
    /// Which step of the class, from 1.
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) question: Option<String>,
    pub(crate) choices: Vec<String>,
    pub(crate) given: Given,
    pub(crate) pooled: Option<Rc<Pooled>>,
    pub(crate) own: Own,
    /// What came of the member's own run.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) members: u32,
}

/// What members give at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gift {
    Before,
    After,
    Ran,
}

impl Gift {
    /// The votes that were asked for last. Who reveals need not have asked again.
    pub(crate) fn votes(stage: Stage, given: Given) -> Self {
        match stage {
            Stage::Again => Self::After,
            Stage::Reveal if given.after > 0 => Self::After,
            Stage::Look | Stage::Predict | Stage::Reveal => Self::Before,
        }
    }

    /// How many have given it, of so many members.
    pub(crate) fn given(self, language: Language, given: Given, members: u32) -> String {
        let Given { before, after, ran } = given;
        // Those who left are no members any more, and what they gave stays.
        let figures = |number: u32| [number, members.max(number)].map(|it| count(it.into()));
        match self {
            Self::Before => {
                let [n, of] = figures(before);
                language.pooled_voted_before(&n, &of)
            }
            Self::After => {
                let [n, of] = figures(after);
                language.pooled_voted_after(&n, &of)
            }
            Self::Ran => {
                let [n, of] = figures(ran);
                language.pooled_ran(&n, &of)
            }
        }
    }
}

impl PooledShown {
    pub(crate) fn heading(&self, language: Language) -> String {
        language.pooled_step(&self.number.to_string(), &self.title)
    }

    /// How many have given it.
    pub(crate) fn given(&self, language: Language, gift: Gift) -> String {
        gift.given(language, self.given, self.members)
    }

    /// What can have been given so far.
    pub(crate) fn gifts(&self) -> Vec<Gift> {
        let has_question = !self.choices.is_empty();
        let before = has_question.then_some(Gift::Before);
        let after = (has_question && self.given.after > 0).then_some(Gift::After);
        before.into_iter().chain(after).chain([Gift::Ran]).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn pooled(before: &[u32], after: &[u32]) -> Pooled {
        Pooled { before: before.into(), after: after.into(), ..Pooled::default() }
    }

    /// A step with three choices.
    pub(crate) fn shown(pooled: Option<Pooled>) -> PooledShown {
        PooledShown {
            number: 2,
            title: "Records".into(),
            question: Some("In how many pieces?".into()),
            choices: ["Twenty", "Fewer", "More"].map(str::to_owned).into(),
            given: Given { before: 3, after: 0, ran: 2 },
            pooled: pooled.map(Rc::new),
            own: Own::default(),
            outcome: None,
            members: 4,
        }
    }

    #[test]
    fn what_was_revealed_without_asking_again_are_the_votes_before() {
        let once = Given { before: 3, after: 0, ran: 0 };
        let again = Given { after: 2, ..once };
        assert_eq!(Gift::votes(Stage::Reveal, once), Gift::Before);
        assert_eq!(Gift::votes(Stage::Reveal, again), Gift::After);
        // Nobody has yet.
        assert_eq!(Gift::votes(Stage::Again, once), Gift::After);
    }
}
