//! What is kept of a room: when it ends, who may teach, and where the class is. Only the teacher changes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use streamgram_protocol::room::{Place, Stage, Step};

use super::Refused;

/// A room, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// When it is too old; Unix time in milliseconds.
    ends_ms: u64,
    /// Of the teacher's key.
    fingerprint: String,
    /// Steps so far.
    steps: u32,
    /// Where the class is.
    pub(super) step: Option<Step>,
    /// The teacher ended it.
    pub(super) ended: bool,
}

/// What a teacher changes. Done twice it changes nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Leads the class somewhere; the step's `id` is new.
    Lead { id: String, place: Place },
    /// Says what is asked at a step.
    Stage { step: String, stage: Stage },
    /// Ends the room.
    End,
}

impl Record {
    /// A new room.
    pub(super) fn new(fingerprint: String, now_ms: u64, age: Duration) -> Self {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let ends_ms = now_ms.saturating_add(age_ms);
        Self { ends_ms, fingerprint, steps: 0, step: None, ended: false }
    }

    /// Whether whoever has a key of this fingerprint may teach.
    pub(super) fn may_teach(&self, fingerprint: &str) -> bool {
        self.fingerprint == fingerprint
    }

    /// How long it still lives.
    pub(super) fn rest(&self, now_ms: u64) -> Duration {
        Duration::from_millis(self.ends_ms.saturating_sub(now_ms))
    }

    /// Whether it is over.
    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        self.ended || self.rest(now_ms).is_zero()
    }

    /// The change that puts the present step at a stage.
    ///
    /// # Errors
    /// The class is nowhere, or there is nothing to vote on.
    pub(super) fn staging(&self, stage: Stage) -> Result<Change, Refused> {
        let step = self.step.as_ref().ok_or(Refused::Nowhere)?;
        if matches!(stage, Stage::Predict | Stage::Again) && step.place.choices() == 0 {
            return Err(Refused::NoQuestion);
        }
        Ok(Change::Stage { step: step.id.clone(), stage })
    }

    /// Carries out a change. One of a step that the class has left does nothing, and so does one that was carried out.
    pub(super) fn change(&mut self, change: &Change) {
        match (change, &mut self.step) {
            (Change::End, _) => self.ended = true,
            (Change::Lead { id, .. }, Some(step)) if step.id == *id => {}
            (Change::Lead { id, place }, _) => {
                self.steps = self.steps.saturating_add(1);
                let (number, id, place) = (self.steps, id.clone(), place.clone());
                self.step = Some(Step { number, id, place, stage: Stage::Look });
            }
            (Change::Stage { step: id, stage }, Some(step)) if step.id == *id => {
                step.stage = *stage
            }
            (Change::Stage { .. }, _) => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn lesson() -> Place {
        Place::Lesson { id: "records".into(), choices: 3 }
    }

    pub(in super::super) fn lead(id: &str) -> Change {
        Change::Lead { id: id.into(), place: lesson() }
    }

    pub(in super::super) fn room() -> Record {
        Record::new("f".into(), 1_000, Duration::from_secs(60))
    }

    #[test]
    fn a_change_that_is_carried_out_again_changes_nothing() {
        let mut room = room();
        assert_eq!(room.staging(Stage::Predict), Err(Refused::Nowhere));
        room.change(&lead("a"));
        let predict = room.staging(Stage::Predict).unwrap();
        room.change(&predict);
        let once = room.clone();
        room.change(&lead("a"));
        room.change(&predict);
        assert_eq!(room, once);
        let step = room.step.as_ref().unwrap();
        assert_eq!((step.number, step.stage), (1, Stage::Predict));
    }

    #[test]
    fn what_is_asked_at_one_step_is_not_asked_at_the_next() {
        let mut room = room();
        room.change(&lead("a"));
        let late = room.staging(Stage::Reveal).unwrap();
        room.change(&lead("b"));
        room.change(&late);
        let step = room.step.as_ref().unwrap();
        assert_eq!((step.number, step.stage), (2, Stage::Look));
    }

    #[test]
    fn without_a_question_there_is_nothing_to_vote_on() {
        let mut room = room();
        let place = Place::Path("v1&delay=20".into());
        room.change(&Change::Lead { id: "a".into(), place });
        assert_eq!(room.staging(Stage::Predict), Err(Refused::NoQuestion));
        assert_eq!(room.staging(Stage::Again), Err(Refused::NoQuestion));
        assert!(room.staging(Stage::Reveal).is_ok());
    }

    #[test]
    fn a_room_is_over_at_its_age_or_when_it_is_ended() {
        let mut room = room();
        assert_eq!([1_000, 60_999, 61_000].map(|now| room.is_over(now)), [false, false, true]);
        room.change(&Change::End);
        assert!(room.is_over(1_000));
    }
}
