//! The outcome of a line: it is answered, or it is not.

use std::time::{Duration, Instant};

use streamgram_protocol::{Event, Line, Unanswered};

use crate::session::outbox::micros;

/// A line that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) line: Line,
    pub(super) sent: Instant,
    /// The offset of the reply that completed it.
    pub(super) reply: u64,
    pub(super) late: bool,
    pub(super) certain: bool,
}

impl Answer {
    pub(super) fn round_trip(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.sent)
    }

    pub(super) fn event(&self, now: Instant) -> Event {
        let Self { line: Line { send: id, number: line }, reply, late, certain, .. } = *self;
        let rtt_us = micros(self.round_trip(now));
        Event::Answered { id, line, reply, rtt_us, late, certain }
    }
}

/// A line that is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) line: Line,
    pub(super) certain: bool,
}

impl Silence {
    pub(super) fn event(&self, cause: Unanswered) -> Event {
        let Self { line: Line { send: id, number: line }, certain } = *self;
        Event::NoReply { id, line, cause, certain }
    }
}
