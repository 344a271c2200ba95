//! A draft that goes out once its legs are open: a link's scenario may need legs of its own.

use streamgram_protocol::{LegId, Path, Protocol, Scenario};
use yew::prelude::*;

use super::draft::Draft;
use crate::session::lane::{Lane, LegState};
use crate::session::notice::Notice;
use crate::session::page::{Absence, Page};

/// What waits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Awaited {
    pub(crate) draft: Draft,
    pub(crate) path: Path,
    /// The legs that are about to be closed; none if those that are there will do.
    pub(crate) old: Vec<LegId>,
}

fn leg(lane: &Lane) -> LegId {
    LegId { protocol: lane.protocol, number: lane.leg }
}

impl Awaited {
    /// What a scenario waits for when it is taken up now: new legs, or those that are there.
    pub(crate) fn of(scenario: &Scenario, page: &Page, anew: bool) -> Self {
        let path = scenario.link.as_ref().map_or(Path::Direct, |_| Path::Emulated);
        let legs = Protocol::BOTH.map(|protocol| leg(page.lane(protocol)));
        let old = if anew { legs.to_vec() } else { Vec::new() };
        Self { draft: Draft::from(scenario), path, old }
    }

    /// Whether it may be tried now: every leg is as wanted, or it is clear that one will not be.
    fn is_due(&self, page: &Page) -> bool {
        self.draft.to.protocols().iter().all(|protocol| {
            let lane = page.lane(*protocol);
            if self.old.is_empty() {
                !matches!(lane.state, LegState::None | LegState::Opening)
            } else {
                lane.is_open() && lane.path == self.path && !self.old.contains(&leg(lane))
            }
        })
    }
}

/// Whether something waits, and how to set or take back what does.
#[hook]
pub(crate) fn use_awaited(
    page: &Page,
    on_due: Callback<Draft, Result<(), Notice>>,
) -> (bool, Callback<Option<Awaited>>) {
    let awaited = use_state_eq(|| None::<Awaited>);
    let (set, absence) = (awaited.setter(), page.absence);
    let is_due = |it: &&Awaited| absence == Absence::Back || it.is_due(page);
    let due = awaited.as_ref().filter(is_due).map(|it| it.draft.clone());
    use_effect(move || match due {
        // Nothing is sent by itself when the server is back.
        _ if absence == Absence::Away => set.set(None),
        Some(draft) => {
            // Where it cannot go out, the prompt says why.
            drop(on_due.emit(draft));
            set.set(None);
        }
        None => {}
    });
    (awaited.is_some(), awaited.setter().into())
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{Cause, Target};

    use super::*;

    /// TCP is open over a direct path; UDP is as given.
    fn page(state: LegState, leg: u32, path: Path) -> Page {
        let mut page = Page::new();
        let tcp = Rc::make_mut(&mut page.tcp);
        (tcp.state, tcp.leg) = (LegState::Open, 1);
        let udp = Rc::make_mut(&mut page.udp);
        (udp.state, udp.leg, udp.path) = (state, leg, path);
        page
    }

    #[test]
    fn legs_that_are_there_are_waited_for_while_they_open() {
        let awaited = Awaited { draft: Draft::default(), path: Path::Direct, old: vec![] };
        let is_due = |state| awaited.is_due(&page(state, 1, Path::Direct));
        assert!(is_due(LegState::Open) && is_due(LegState::Closed(Cause::Closed)));
        assert!(!is_due(LegState::Opening) && !is_due(LegState::None));
    }

    #[test]
    fn new_legs_are_told_from_those_before() {
        let draft = Draft { to: Target::Udp, ..Draft::default() };
        let old = vec![LegId { protocol: Protocol::Udp, number: 1 }];
        let awaited = Awaited { draft, path: Path::Emulated, old };
        let is_due = |state, leg, path| awaited.is_due(&page(state, leg, path));
        assert!(!is_due(LegState::Open, 1, Path::Emulated));
        assert!(!is_due(LegState::Opening, 1, Path::Emulated));
        assert!(!is_due(LegState::Closed(Cause::Closed), 1, Path::Emulated));
        assert!(!is_due(LegState::Open, 2, Path::Direct));
        assert!(is_due(LegState::Open, 2, Path::Emulated));
    }
}
