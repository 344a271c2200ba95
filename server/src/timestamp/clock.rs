//! The text of a timestamp: C's `ctime` without its newline, in local time, always in English.
//!
//! The text is made once a second, not for every reply. chrono checks the machine's time zone at most once
//! a second, so a change shows within two seconds.

use std::fmt;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, Local, TimeZone};
use streamgram_protocol::CTIME_LEN;
use streamgram_protocol::fault::Stamp;

/// `Mon Nov 23 05:52:57 2026`
pub type Ctime = [u8; CTIME_LEN];

/// The limits are a day away from the years 0000 and 9999, so that in every time zone a year has four
/// digits.
const FIRST_SECOND: i64 = -62_167_219_200 + 86_400;
const LAST_SECOND: i64 = 253_402_300_799 - 86_400;

/// Tells the time as text.
pub struct Clock {
    now: fn() -> SystemTime,
    // Locked to copy 24 bytes, and once a second to make them.
    latest: Mutex<Text>,
}

/// The text of a second.
struct Text {
    second: i64,
    ctime: Ctime,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that is shown")]
        Self::reading(SystemTime::now)
    }

    /// Any other clock.
    #[must_use]
    pub fn reading(now: fn() -> SystemTime) -> Self {
        let second = seconds(now());
        Self { now, latest: Mutex::new(Text { second, ctime: ctime(&Local, second) }) }
    }

    /// The text for this second.
    #[must_use]
    pub fn ctime(&self) -> Ctime {
        let second = seconds((self.now)());
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.second != second {
            *latest = Text { second, ctime: ctime(&Local, second) };
        }
        latest.ctime
    }
}

impl Clock {
    /// The text that a wrong clock would show: so many seconds off, or of another zone.
    #[must_use]
    pub fn ctime_of(&self, stamp: Stamp, off_s: i64) -> Ctime {
        let second = seconds((self.now)()).saturating_add(off_s);
        let zone = match stamp {
            Stamp::Zone(minutes) => FixedOffset::east_opt(minutes * 60),
            Stamp::Right | Stamp::Wrong => None,
        };
        zone.map_or_else(|| ctime(&Local, second), |zone| ctime(&zone, second))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}

/// Seconds since 1970, rounded down; negative before it.
fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let up = u64::from(before.subsec_nanos() > 0);
            i64::try_from(before.as_secs() + up).map_or(i64::MIN, |seconds| -seconds)
        }
    }
}

fn ctime(zone: &impl TimeZone<Offset: fmt::Display>, second: i64) -> Ctime {
    let second = second.clamp(FIRST_SECOND, LAST_SECOND);
    let utc = DateTime::from_timestamp(second, 0).unwrap_or_default();
    let mut text = [b' '; CTIME_LEN];
    // The years were clamped to four digits, so the text is 24 bytes and fits.
    let _fits = write!(text.as_mut_slice(), "{}", utc.with_timezone(zone).format("%a %b %e %T %Y"));
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use chrono::Utc;

    use super::*;

    fn utc(second: i64) -> String {
        String::from_utf8(ctime(&Utc, second).to_vec()).unwrap()
    }

    #[test]
    fn the_text_is_that_of_c() {
        assert_eq!(utc(1_795_413_177), "Mon Nov 23 05:52:57 2026");
        assert_eq!(utc(0), "Thu Jan  1 00:00:00 1970");
    }

    #[test]
    fn every_clock_shows_24_characters() {
        assert_eq!(utc(-1), "Wed Dec 31 23:59:59 1969");
        assert_eq!(utc(2_147_483_648), "Tue Jan 19 03:14:08 2038");
        assert_eq!(utc(253_402_000_000), "Tue Dec 28 12:26:40 9999");
        assert_eq!(utc(-60_000_000_000), "Mon Sep  3 13:20:00 0068");
        assert_eq!(utc(i64::MAX), "Thu Dec 30 23:59:59 9999");
        assert_eq!(utc(i64::MIN), "Sun Jan  2 00:00:00 0000");
        let east = FixedOffset::east_opt(86_399).unwrap();
        assert!(ctime(&east, i64::MAX).ends_with(b" 9999"));
        let west = FixedOffset::west_opt(86_399).unwrap();
        assert!(ctime(&west, i64::MIN).ends_with(b" 0000"));
    }

    #[test]
    fn a_clock_that_is_set_is_followed_at_once() {
        static SECOND: AtomicI64 = AtomicI64::new(0);
        fn now() -> SystemTime {
            let second = SECOND.load(Ordering::Relaxed);
            let distance = Duration::from_secs(second.unsigned_abs());
            if second < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
        }
        let clock = Clock::reading(now);
        let (new_year, hour, day) = (1_483_228_800, 3_600, 86_400);
        // An hour back, a day forward, a leap second that is the same second twice (2016-12-31).
        let steps = [new_year, new_year - hour, new_year + day, new_year - 1, new_year - 1];
        for second in steps.into_iter().chain([-1, 2_147_483_648, 253_402_300_799, 0]) {
            SECOND.store(second, Ordering::Relaxed);
            assert_eq!(clock.ctime(), ctime(&Local, second));
        }
    }

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_1970() {
        assert_eq!(seconds(UNIX_EPOCH + Duration::from_millis(1_999)), 1);
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_millis(1)), -1);
        assert_eq!(seconds(UNIX_EPOCH - Duration::from_secs(1)), -1);
    }
}
