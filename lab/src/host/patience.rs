//! How long an end waits for a sign of life while something of its own is unanswered.
//!
//! smoltcp's own timeout also runs while nothing is outstanding, and its keep-alive would chatter on
//! an idle connection; both are therefore decided here.

use crate::Micros;

/// After this long without a word, a nudge: a zero window that was overtaken can leave data in
/// flight without any timer.
const NUDGE: Micros = 5_000_000;

#[derive(Debug)]
pub(super) struct Patience {
    give_up: Micros,
    /// Since when something is outstanding and nothing has been heard.
    since: Option<Micros>,
    nudged: Micros,
}

impl Patience {
    pub(super) fn new(give_up: Micros) -> Self {
        Self { give_up, since: None, nudged: 0 }
    }

    /// A packet has arrived.
    pub(super) fn heard(&mut self, now: Micros) {
        if let Some(since) = &mut self.since {
            *since = now;
        }
    }

    /// Whether something is outstanding, once all that can be sent has been sent.
    pub(super) fn outstanding(&mut self, now: Micros, outstanding: bool) {
        self.since = outstanding.then(|| self.since.unwrap_or(now));
    }

    pub(super) fn is_over(&self, now: Micros) -> bool {
        self.since.is_some_and(|since| now >= since + self.give_up)
    }

    /// Whether it is time for a nudge; if it is, the next one is due as much later.
    pub(super) fn nudges(&mut self, now: Micros) -> bool {
        let due = self.nudge_at().is_some_and(|at| now >= at);
        if due {
            self.nudged = now;
        }
        due
    }

    pub(super) fn due(&self) -> Option<Micros> {
        Some(self.nudge_at()?.min(self.since? + self.give_up))
    }

    fn nudge_at(&self) -> Option<Micros> {
        Some(self.since?.max(self.nudged) + NUDGE)
    }
}
