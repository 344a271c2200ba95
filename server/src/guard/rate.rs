//! How often something may happen: so many a second, and some of them at once.
//!
//! The generic cell rate algorithm (ITU-T I.371, annex A), whose state is one point in time: when all
//! that was taken so far is paid for at the steady rate.

use std::time::{Duration, Instant};

/// A steady rate, and how far ahead of it one may be.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    each: Duration,
    ahead: Duration,
}

impl Rate {
    /// `per_second` in the long run, and `at_once` after a pause.
    #[must_use]
    pub fn new(per_second: u32, at_once: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        Self { each, ahead: each.saturating_mul(at_once) }
    }

    /// `per_minute` in the long run, and `at_once` after a pause.
    #[must_use]
    pub fn per_minute(per_minute: u32, at_once: u32) -> Self {
        let each = Duration::from_secs(60) / per_minute.max(1);
        Self { each, ahead: each.saturating_mul(at_once) }
    }

    /// Takes `count` at `now`; false, and nothing is taken, if that is too soon.
    ///
    /// `paid` is the state: any time in the past for somebody who has taken nothing yet.
    pub fn take(&self, count: u32, paid: &mut Instant, now: Instant) -> bool {
        let paid_then = now.max(*paid) + self.each * count;
        let allowed = paid_then <= now + self.ahead;
        if allowed {
            *paid = paid_then;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_at_once_as_is_said_and_then_one_at_a_time() {
        let (rate, start) = (Rate::new(10, 3), Instant::now());
        let mut paid = start;
        let mut take = |ms| rate.take(1, &mut paid, start + Duration::from_millis(ms));
        assert_eq!([0, 0, 0, 0].map(&mut take), [true, true, true, false]);
        assert_eq!([99, 100, 100, 199, 200].map(&mut take), [false, true, false, false, true]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(&mut take), [true, true, true, false]);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let (rate, now) = (Rate::new(1, 10), Instant::now());
        let mut paid = now;
        assert!(!rate.take(11, &mut paid, now));
        assert!(rate.take(10, &mut paid, now));
        assert!(!rate.take(1, &mut paid, now));
    }
}
