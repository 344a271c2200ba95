//! How fast a session may make the server work for it.

use std::time::Instant;

use crate::config::WebSocketLimits;
use crate::guard::rate::Rate;

/// How many minutes' worth of legs a session may open at once.
const LEGS_AT_ONCE_MIN: u32 = 10;
/// How many seconds' worth of lines a session may send at once.
const LINES_AT_ONCE_S: u32 = 10;

/// What one session has used.
#[derive(Debug)]
pub(crate) struct Rates {
    flags: WebSocketLimits,
    legs_paid: Instant,
    lines_paid: Instant,
}

impl Rates {
    pub(crate) fn new(flags: WebSocketLimits, now: Instant) -> Self {
        Self { flags, legs_paid: now, lines_paid: now }
    }

    /// Another leg.
    ///
    /// # Errors
    /// What a client is told that opens them too fast.
    pub(crate) fn leg(&mut self, now: Instant) -> Result<(), String> {
        let limit = self.flags.legs_per_min;
        let rate = Rate::per_minute(limit, limit.saturating_mul(LEGS_AT_ONCE_MIN));
        let allowed = rate.take(1, &mut self.legs_paid, now);
        allowed.then_some(()).ok_or_else(|| {
            format!("the session opens more than {limit} legs a minute, the limit is {limit}")
        })
    }

    /// A burst of `count` lines.
    ///
    /// # Errors
    /// What a client is told that sends them too fast.
    pub(crate) fn lines(&mut self, count: u32, now: Instant) -> Result<(), String> {
        let limit = self.flags.lines_per_s;
        let rate = Rate::new(limit, limit.saturating_mul(LINES_AT_ONCE_S));
        let allowed = rate.take(count, &mut self.lines_paid, now);
        allowed.then_some(()).ok_or_else(|| {
            format!("the session sends more than {limit} lines a second, the limit is {limit}")
        })
    }
}
