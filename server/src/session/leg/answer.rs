//! What becomes of a line: it is answered, or it is not.

use std::time::{Duration, Instant};

use streamgram_protocol::{Event, Unanswered};

use crate::session::outbox::micros;

/// A line that has found its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) id: u64,
    pub(crate) line: u32,
    pub(crate) sent: Instant,
    pub(crate) late: bool,
    pub(crate) certain: bool,
}

impl Answer {
    pub(crate) fn round_trip(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.sent)
    }

    pub(crate) fn event(&self, now: Instant) -> Event {
        let Self { id, line, late, certain, .. } = *self;
        let rtt_us = micros(self.round_trip(now));
        Event::Answered { id, line, rtt_us, late, certain }
    }
}

/// A line that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) id: u64,
    pub(crate) line: u32,
    pub(crate) certain: bool,
}

impl Silence {
    pub(crate) fn event(&self, cause: Unanswered) -> Event {
        let Self { id, line, certain } = *self;
        Event::NoReply { id, line, cause, certain }
    }
}
