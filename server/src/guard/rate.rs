//! How often something may happen: so many a second, and some of them at once.
//!
//! This is the generic cell rate algorithm (ITU-T I.371, annex A). Its state is one point in time: when
//! everything that was spent so far is paid for at the steady rate.

use std::time::{Duration, Instant};

/// A steady rate, how far one may be ahead of it, and how far one is.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    each: Duration,
    ahead: Duration,
    paid: Instant,
}

impl Rate {
    /// `per_second` in the long run, and `at_once` after a pause; nothing is spent yet.
    #[must_use]
    pub fn per_second(per_second: u32, at_once: u32, now: Instant) -> Self {
        Self::of(Duration::from_secs(1) / per_second.max(1), at_once, now)
    }

    /// `per_minute` in the long run, and `at_once` after a pause; nothing is spent yet.
    #[must_use]
    pub fn per_minute(per_minute: u32, at_once: u32, now: Instant) -> Self {
        Self::of(Duration::from_secs(60) / per_minute.max(1), at_once, now)
    }

    fn of(each: Duration, at_once: u32, now: Instant) -> Self {
        Self { each, ahead: each.saturating_mul(at_once), paid: now }
    }

    /// Spends `count` at `now`. If that is too soon it returns false, and spends nothing.
    #[must_use]
    pub fn spend(&mut self, count: u32, now: Instant) -> bool {
        let paid = now.max(self.paid) + self.each * count;
        let is_allowed = paid <= now + self.ahead;
        if is_allowed {
            self.paid = paid;
        }
        is_allowed
    }

    /// When one more may be spent, if it was too soon.
    #[must_use]
    pub fn free(&self) -> Instant {
        (self.paid + self.each).checked_sub(self.ahead).unwrap_or(self.paid)
    }

    /// When everything that was spent is paid for. From then on the rate is as good as new.
    #[must_use]
    pub fn paid(&self) -> Instant {
        self.paid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_at_once_as_is_said_and_then_one_at_a_time() {
        let start = Instant::now();
        let mut rate = Rate::per_second(10, 3, start);
        let mut spend = |ms| rate.spend(1, start + Duration::from_millis(ms));
        assert_eq!([0, 0, 0, 0].map(&mut spend), [true, true, true, false]);
        assert_eq!([99, 100, 100, 199, 200].map(&mut spend), [false, true, false, false, true]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(&mut spend), [true, true, true, false]);
    }

    #[test]
    fn what_was_too_soon_may_be_spent_once_it_is_free() {
        let now = Instant::now();
        let mut rate = Rate::per_second(10, 3, now);
        while rate.spend(1, now) {}
        let free = rate.free();
        assert_eq!(free, now + Duration::from_millis(100));
        assert!(!rate.spend(1, free - Duration::from_millis(1)));
        assert!(rate.spend(1, free));
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let now = Instant::now();
        let mut rate = Rate::per_second(1, 10, now);
        assert!(!rate.spend(11, now));
        assert!(rate.spend(10, now));
        assert!(!rate.spend(1, now));
    }
}
