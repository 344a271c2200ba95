//! What a host tells all members. Only the newest is kept: a slow member holds nobody up.

use streamgram_protocol::room::{Given, LeftCause, Pooled, RoomState, Stage, Step, StoreState};

/// How a room stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) here: u32,
    pub(super) step: Option<Step>,
    pub(super) given: Given,
    pub(super) pooled: Pooled,
    pub(super) store: StoreState,
    /// What members gave is kept up to this number of the host's.
    pub(super) kept: u64,
    /// Why there is no room any more.
    pub(super) over: Option<LeftCause>,
}

impl Told {
    /// What a member may know of it.
    pub(super) fn state(&self, teaches: bool) -> RoomState {
        let is_revealed = self.step.as_ref().is_some_and(|step| step.stage == Stage::Reveal);
        let Self { here, ref step, given, ref pooled, store, .. } = *self;
        let pooled = (step.is_some() && (teaches || is_revealed)).then(|| pooled.clone());
        RoomState { here, step: step.clone(), given, pooled, store }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::record::tests::lesson;

    #[test]
    fn what_all_voted_is_the_teacher_s_alone_until_it_is_revealed() {
        let at = |stage| Told {
            step: Some(Step { number: 1, id: "a".into(), place: lesson(), stage }),
            ..Told::default()
        };
        for stage in [Stage::Look, Stage::Predict, Stage::Again] {
            assert_eq!(at(stage).state(false).pooled, None, "{stage:?}");
            assert!(at(stage).state(true).pooled.is_some(), "{stage:?}");
        }
        assert!(at(Stage::Reveal).state(false).pooled.is_some());
        assert_eq!(Told::default().state(true).pooled, None);
    }
}
