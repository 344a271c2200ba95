//! The steps of a class that the page has seen, each as it was seen last.

use std::rc::Rc;

use streamgram_protocol::room::{Given, Outcome, Own, Pooled, RoomState, Step};

use super::answers::Answers;

/// Steps that are kept; the oldest goes for one more.
const KEPT_STEPS: usize = 200;

/// The steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    /// The newest last.
    pub(crate) seen: Vec<SeenStep>,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenStep {
    pub(crate) step: Step,
    /// Members that were there.
    pub(crate) members: u32,
    pub(crate) given: Given,
    /// What all voted and saw, as far as that was told.
    pub(crate) pooled: Option<Rc<Pooled>>,
    pub(crate) own: Own,
    pub(crate) outcome: Option<Outcome>,
}

impl Steps {
    /// Writes down how the room stands, and what the member answered.
    pub(super) fn note(&mut self, state: &RoomState, step: &Step, answers: &Answers) {
        let last = self.seen.pop_if(|last| last.step.id == step.id);
        let pooled = last.and_then(|last| last.pooled);
        let pooled = match &state.pooled {
            Some(told) if pooled.as_deref() != Some(told) => Some(Rc::new(told.clone())),
            _ => pooled,
        };
        self.seen.push(SeenStep {
            step: step.clone(),
            members: state.here,
            given: state.given,
            pooled,
            own: answers.own(),
            outcome: answers.ran.as_ref().map(|ran| ran.value.clone()),
        });
        self.seen.drain(..self.seen.len().saturating_sub(KEPT_STEPS));
    }
}
