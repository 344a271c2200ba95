//! When the kernel had something. It dates what it receives on the wall clock (socket(7), SO_TIMESTAMPNS); everything
//! else here counts on the monotonic clock, which nobody sets.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// This moment.
    #[must_use]
    pub(crate) fn now() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the kernel's own dates are on this clock")]
        let wall = SystemTime::now();
        Self { monotonic: Instant::now(), wall }
    }

    /// When something happened that the kernel dated `since_1970`: before this moment, and not before `earliest`,
    /// however the wall clock was set meanwhile.
    #[must_use]
    pub(crate) fn date(self, since_1970: Duration, earliest: Instant) -> Instant {
        let ago = self.wall.duration_since(UNIX_EPOCH + since_1970).unwrap_or_default();
        let at = self.monotonic.checked_sub(ago).unwrap_or(earliest);
        at.max(earliest).min(self.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_dated_lies_between_what_is_known_of_it() {
        let (now, wall) = (Instant::now(), UNIX_EPOCH + Duration::from_secs(10_000));
        let moment = Moment { monotonic: now, wall };
        let (ms, earliest) =
            (Duration::from_millis, now.checked_sub(Duration::from_millis(50)).unwrap());
        let date = |since_1970| moment.date(since_1970, earliest);
        assert_eq!(date(Duration::from_secs(10_000)), now);
        assert_eq!(date(Duration::from_secs(10_000) - ms(20)), now.checked_sub(ms(20)).unwrap());
        // The clock was set an hour forward, or back, in between.
        assert_eq!(date(Duration::from_secs(10_000) - ms(3_600_000)), earliest);
        assert_eq!(date(Duration::from_secs(13_600)), now);
    }
}
