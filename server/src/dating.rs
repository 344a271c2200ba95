//! When the kernel had something. It dates what it receives on the wall clock (socket(7), SO_TIMESTAMPNS); everything
//! else here counts on the monotonic clock, which nobody sets.

use std::cmp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How far apart two readings of the clocks may be, to be taken as one moment.
const APART: Duration = Duration::from_micros(1);
/// How often the clocks are read for that. A thread that is interrupted between two of them reads them again.
const READINGS: usize = 4;

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
        Self::read(|| (Instant::now(), SystemTime::now(), Instant::now()))
    }

    /// The moment at which the clocks were read closest together: the monotonic one, the wall's, the monotonic one
    /// again. The first of them counts, so that nothing is dated later than it was.
    fn read(mut clocks: impl FnMut() -> (Instant, SystemTime, Instant)) -> Self {
        let mut reading = || {
            let (monotonic, wall, again) = clocks();
            (again.saturating_duration_since(monotonic), Self { monotonic, wall })
        };
        let mut closest = reading();
        for _ in 1..READINGS {
            if closest.0 <= APART {
                break;
            }
            closest = cmp::min_by_key(closest, reading(), |(apart, _)| *apart);
        }
        closest.1
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
    fn a_thread_that_is_interrupted_between_the_clocks_dates_nothing_later_than_it_was() {
        let (us, start) = (Duration::from_micros, Instant::now());
        let wall = UNIX_EPOCH + us(5_000_000);
        let moment = |interruptions: &[u64]| {
            // Nothing but interruptions takes time: so long, each before one of three clocks is read.
            let (mut interruptions, mut passed) = (interruptions.iter(), 0);
            let mut interrupted = || {
                passed += interruptions.next().copied().unwrap_or_default();
                us(passed)
            };
            Moment::read(|| {
                let first = start + interrupted();
                let second = wall + interrupted();
                (first, second, start + interrupted())
            })
        };
        let happened = |moment: Moment| moment.date(us(4_999_900), start - us(100_000));
        for interruptions in [&[0, 0, 1_000][..], &[0, 1_000], &[0, 0, 1_000, 0, 2_000]] {
            assert_eq!(happened(moment(interruptions)), start - us(100), "{interruptions:?}");
        }
        let always = happened(moment(&[0, 30, 0, 0, 20, 0, 0, 40, 0, 0, 50]));
        assert_eq!(always, start - us(100 + 20));
    }

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
