//! A draft that goes out once its legs are open: a link's scenario may need legs of its own.

use streamgram_protocol::{Path, Protocol, Scenario};
use yew::prelude::*;

use super::draft::Draft;
use crate::session::lane::LegState;
use crate::session::page::{Absence, Page};

/// What waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Awaited {
    pub(crate) draft: Draft,
    pub(crate) path: Path,
    /// The legs that are about to be closed; none if those that are there will do.
    pub(crate) old: Option<[u32; 2]>,
}

/// How a lane stands, as far as it matters here.
type Standing = (LegState, u32, Path);

fn standing(page: &Page) -> [Standing; 2] {
    Protocol::BOTH.map(|protocol| {
        let lane = page.lane(protocol);
        (lane.state, lane.leg, lane.path)
    })
}

impl Awaited {
    /// What a scenario waits for when it is taken up now: new legs, or those that are there.
    pub(crate) fn of(scenario: &Scenario, page: &Page, anew: bool) -> Self {
        let path = scenario.link.as_ref().map_or(Path::Direct, |_| Path::Emulated);
        let old = anew.then(|| Protocol::BOTH.map(|protocol| page.lane(protocol).leg));
        Self { draft: Draft::from(scenario), path, old }
    }

    /// Whether it may be tried now: every leg is as wanted, or it is clear that one will not be.
    fn is_due(&self, lanes: [Standing; 2]) -> bool {
        let wanted = self.draft.to.protocols();
        let lanes = Protocol::BOTH.into_iter().zip(lanes).enumerate();
        let mut lanes = lanes.filter(|(_, (protocol, _))| wanted.contains(protocol));
        lanes.all(|(at, (_, (state, leg, path)))| match self.old {
            Some(old) => state == LegState::Open && path == self.path && leg != old[at],
            None => !matches!(state, LegState::None | LegState::Opening),
        })
    }
}

/// Whether something waits, and how to set or take back what does.
#[hook]
pub(crate) fn use_awaited(
    page: &Page,
    on_due: Callback<Draft, bool>,
) -> (bool, Callback<Option<Awaited>>) {
    let awaited = use_state(|| None::<Awaited>);
    let set = awaited.setter();
    use_effect_with(
        ((*awaited).clone(), standing(page), page.absence),
        move |(awaited, lanes, absence)| {
            if let Some(due) = awaited {
                if *absence == Absence::Away {
                    // Nothing is sent by itself when the server is back.
                    set.set(None);
                } else if *absence == Absence::Back || due.is_due(*lanes) {
                    // Where it cannot go out, the prompt says why.
                    let _went_out = on_due.emit(due.draft.clone());
                    set.set(None);
                }
            }
        },
    );
    (awaited.is_some(), Callback::from(move |next| awaited.set(next)))
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Target};

    use super::*;

    const OPEN: Standing = (LegState::Open, 1, Path::Direct);

    #[test]
    fn legs_that_are_there_are_waited_for_while_they_open() {
        let awaited = Awaited { draft: Draft::default(), path: Path::Direct, old: None };
        let is_due = |state| awaited.is_due([OPEN, (state, 1, Path::Direct)]);
        assert!(is_due(LegState::Open) && is_due(LegState::Closed(Cause::Closed)));
        assert!(!is_due(LegState::Opening) && !is_due(LegState::None));
    }

    #[test]
    fn new_legs_are_told_from_those_before() {
        let draft = Draft { to: Target::Udp, ..Draft::default() };
        let awaited = Awaited { draft, path: Path::Emulated, old: Some([1, 1]) };
        let is_due = |udp| awaited.is_due([OPEN, udp]);
        assert!(!is_due((LegState::Open, 1, Path::Emulated)));
        assert!(!is_due((LegState::Opening, 1, Path::Emulated)));
        assert!(!is_due((LegState::Closed(Cause::Closed), 1, Path::Emulated)));
        assert!(!is_due((LegState::Open, 2, Path::Direct)));
        assert!(is_due((LegState::Open, 2, Path::Emulated)));
    }
}
