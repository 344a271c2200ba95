//! The path that legs are opened over: direct or emulated, and when it needs legs of its own.

use std::rc::Rc;

use streamgram_protocol::{
    ClientMessage, FaultyServer, Link, Open, Path, Preset, Protocol, Scenario,
};

use crate::session::page::Page;
use crate::session::run::Conditions;
use crate::session::servers::Servers;

/// The path that legs are opened over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) path: Path,
    pub(crate) link: Rc<Link>,
    /// Whether TCP's leg is opened with TCP_NODELAY.
    pub(crate) nodelay: bool,
    pub(crate) servers: Servers,
}

impl Default for Route {
    fn default() -> Self {
        let (path, link) = (Path::default(), Rc::default());
        Self { path, link, nodelay: true, servers: Servers::default() }
    }
}

impl From<&Preset> for Route {
    fn from(preset: &Preset) -> Self {
        let link = Rc::new(preset.link.clone());
        Self { path: Path::Emulated, link, ..Self::default() }
    }
}

impl Route {
    /// What opens a leg over it, with the faulty servers that there are; `capture` also asks for the packets of a
    /// direct path.
    pub(crate) fn open(
        &self,
        protocol: Protocol,
        capture: bool,
        faults: &[FaultyServer],
    ) -> ClientMessage {
        let link = (self.path == Path::Emulated).then(|| Box::new((*self.link).clone()));
        let nodelay = (protocol == Protocol::Tcp).then_some(self.nodelay);
        let capture = capture && self.path == Path::Direct;
        let fault = self.servers.place(protocol, faults);
        ClientMessage::Open(Open { protocol, nodelay, path: self.path, link, capture, fault })
    }

    /// As a scenario wants it: with ordinary servers, of which its words and a lesson's checks speak.
    pub(crate) fn taking(&self, scenario: &Scenario) -> Self {
        Self {
            path: scenario.link.as_ref().map_or(Path::Direct, |_| Path::Emulated),
            link: scenario.link.clone().map_or_else(|| Rc::clone(&self.link), Rc::new),
            nodelay: scenario.nodelay,
            servers: Servers::default(),
        }
    }

    /// Whether legs have to be opened for it. What is taken up `whole`, a scenario or a preset, gets new ones
    /// over an emulated path, whose first packets count, and in place of legs that are not there.
    pub(crate) fn needs_legs(&self, page: &Page, before: &Self, whole: bool) -> bool {
        let are_open = || Protocol::BOTH.into_iter().all(|protocol| page.lane(protocol).is_open());
        (self.path, self.nodelay) != (before.path, before.nodelay)
            || self.servers != before.servers
            || whole && (self.path == Path::Emulated || !are_open())
    }

    /// What a run over it goes over; TCP's option may have been turned since the leg was opened.
    pub(crate) fn conditions(&self, nodelay: bool) -> Conditions {
        let link = Rc::clone(&self.link);
        Conditions { path: self.path, link, nodelay, capture: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::lane::LegState;
    use crate::session::servers::tests::faulty;

    fn page(state: LegState) -> Page {
        let mut page = Page::new();
        for lane in [&mut page.tcp, &mut page.udp] {
            Rc::make_mut(lane).state = state;
        }
        page
    }

    #[test]
    fn a_scenario_over_an_emulated_path_gets_new_legs_each_time() {
        let scenario = Scenario { link: Some(Link::default()), ..Scenario::default() };
        let first = Route::default().taking(&scenario);
        // Taken up again, nothing about it differs.
        assert!(first.taking(&scenario).needs_legs(&page(LegState::Open), &first, true));
        assert!(!first.needs_legs(&page(LegState::Open), &first, false));
    }

    #[test]
    fn a_direct_path_keeps_legs_that_are_open_and_as_wanted() {
        let (before, scenario) = (Route::default(), Scenario::default());
        let needs = |next: &Route, state, whole| next.needs_legs(&page(state), &before, whole);
        let direct = before.taking(&scenario);
        assert!(!needs(&direct, LegState::Open, true));
        assert!(needs(&direct, LegState::HalfClosed, true));
        assert!(!needs(&direct, LegState::None, false));
        let nagle = before.taking(&Scenario { nodelay: false, ..scenario });
        assert!(needs(&nagle, LegState::Open, true));
    }

    #[test]
    fn tcp_is_opened_with_its_option_and_udp_has_none() {
        let route = Route { nodelay: false, ..Route::default() };
        let opened = Protocol::BOTH.map(|protocol| match route.open(protocol, false, &[]) {
            ClientMessage::Open(open) => (open.nodelay, open.link),
            other => panic!("{other:?}"),
        });
        assert_eq!(opened, [(Some(false), None), (None, None)]);
    }

    #[test]
    fn a_leg_goes_to_the_server_that_was_chosen_until_a_scenario_is_taken_up() {
        let faults = [faulty(Protocol::Udp, "drop=30"), faulty(Protocol::Tcp, "split=1")];
        let servers = Servers::default().choosing(Protocol::Tcp, Some(&faults[1]));
        let route = Route { servers, ..Route::default() };
        let fault = |route: &Route| match route.open(Protocol::Tcp, false, &faults) {
            ClientMessage::Open(open) => open.fault,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(&route), Some(1));
        let next = route.taking(&Scenario::default());
        assert_eq!(fault(&next), None);
        assert!(next.needs_legs(&page(LegState::Open), &route, true));
    }

    #[test]
    fn packets_are_asked_for_over_a_direct_path() {
        let asks = |path, capture| {
            let route = Route { path, ..Route::default() };
            match route.open(Protocol::Udp, capture, &[]) {
                ClientMessage::Open(open) => open.capture,
                other => panic!("{other:?}"),
            }
        };
        assert!(asks(Path::Direct, true));
        assert!(!asks(Path::Direct, false) && !asks(Path::Emulated, true));
    }
}
