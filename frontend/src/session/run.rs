//! A run: what was asked once, over which path, and what came of it on each leg.

use std::rc::Rc;

use streamgram_protocol::{Capture, Link, Path, Preset, PresetName, Protocol, Send};

use super::leg_run::LegRun;

/// What a run goes over, as it was when the run was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conditions {
    pub(crate) path: Path,
    /// Of an emulated path.
    pub(crate) link: Rc<Link>,
    pub(crate) nodelay: bool,
    /// Of a direct path: whether the server captures its packets, if it said so.
    pub(crate) capture: Option<Capture>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { path: Path::default(), link: Rc::default(), nodelay: true, capture: None }
    }
}

impl Conditions {
    /// The preset that an emulated path's link is, if it is one.
    pub(crate) fn preset(&self) -> Option<PresetName> {
        let preset = || Preset::all().into_iter().find(|preset| preset.link == *self.link);
        (self.path == Path::Emulated).then(preset)?.map(|preset| preset.name)
    }
}

/// A run. Copies are cheap.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// Counts up from 1 as long as the page lives.
    pub(crate) number: u32,
    /// When its first line went out; Unix time in microseconds.
    pub(crate) at_us: Option<u64>,
    /// One send, or several that went out at once.
    pub(crate) sends: Rc<Vec<Rc<Send>>>,
    pub(crate) conditions: Conditions,
    pub(crate) tcp: Option<Rc<LegRun>>,
    pub(crate) udp: Option<Rc<LegRun>>,
}

impl Run {
    /// What came of it on a leg, if it went there.
    pub(crate) fn leg(&self, protocol: Protocol) -> Option<&Rc<LegRun>> {
        match protocol {
            Protocol::Tcp => self.tcp.as_ref(),
            Protocol::Udp => self.udp.as_ref(),
        }
    }

    pub(super) fn leg_mut(&mut self, protocol: Protocol) -> Option<&mut LegRun> {
        let leg = match protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
        };
        leg.as_mut().map(Rc::make_mut)
    }

    /// What came of it on both legs, TCP's first.
    pub(crate) fn legs(&self) -> impl Iterator<Item = &Rc<LegRun>> {
        [&self.tcp, &self.udp].into_iter().flatten()
    }

    /// Whether something is still to come.
    pub(crate) fn is_open(&self) -> bool {
        self.legs().any(|leg| leg.is_open())
    }

    /// Whether a send is one of its.
    pub(crate) fn has(&self, send: u64) -> bool {
        self.sends.iter().any(|own| own.id == send)
    }

    /// Bytes of memory that it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.legs().map(|leg| leg.weight()).sum()
    }
}
