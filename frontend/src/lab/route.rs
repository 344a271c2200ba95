//! The path that legs are opened over: direct or emulated, and when it needs legs of its own.

use std::rc::Rc;

use streamgram_protocol::{ClientMessage, Link, Open, Path, Preset, Protocol, Scenario};

use crate::session::page::Page;
use crate::session::run::Conditions;

/// The path that legs are opened over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Route {
    pub(crate) path: Path,
    pub(crate) link: Rc<Link>,
    /// Whether TCP's leg is opened with TCP_NODELAY.
    pub(crate) nodelay: bool,
}

impl Default for Route {
    fn default() -> Self {
        let (path, link) = (Path::default(), Rc::default());
        Self { path, link, nodelay: true }
    }
}

impl From<&Preset> for Route {
    fn from(preset: &Preset) -> Self {
        Self { path: Path::Emulated, link: Rc::new(preset.link.clone()), nodelay: true }
    }
}

impl Route {
    /// What opens a leg over it.
    pub(crate) fn open(&self, protocol: Protocol) -> ClientMessage {
        let link = (self.path == Path::Emulated).then(|| Box::new((*self.link).clone()));
        let nodelay = (protocol == Protocol::Tcp).then_some(self.nodelay);
        ClientMessage::Open(Open { protocol, nodelay, path: self.path, link })
    }

    /// As a scenario wants it.
    pub(crate) fn taking(&self, scenario: &Scenario) -> Self {
        Self {
            path: scenario.link.as_ref().map_or(Path::Direct, |_| Path::Emulated),
            link: scenario.link.clone().map_or_else(|| Rc::clone(&self.link), Rc::new),
            nodelay: scenario.nodelay,
        }
    }

    /// Whether legs have to be opened for it. What is taken up `whole`, a scenario or a preset, gets new ones
    /// over an emulated path, whose first packets count, and in place of legs that are not there.
    pub(crate) fn needs_legs(&self, page: &Page, before: &Self, whole: bool) -> bool {
        let are_open = || Protocol::BOTH.into_iter().all(|protocol| page.lane(protocol).is_open());
        (self.path, self.nodelay) != (before.path, before.nodelay)
            || whole && (self.path == Path::Emulated || !are_open())
    }

    /// What a run over it goes over; TCP's option may have been turned since the leg was opened.
    pub(crate) fn conditions(&self, nodelay: bool) -> Conditions {
        Conditions { path: self.path, link: Rc::clone(&self.link), nodelay }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::lane::LegState;

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
        let opened = Protocol::BOTH.map(|protocol| match route.open(protocol) {
            ClientMessage::Open(open) => (open.nodelay, open.link),
            other => panic!("{other:?}"),
        });
        assert_eq!(opened, [(Some(false), None), (None, None)]);
    }
}
