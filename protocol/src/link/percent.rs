//! A share of packets, in hundredths of a percent, typed as a percentage.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::OutOfRange;

/// Hundredths in a percentage of 100.
const WHOLE: i32 = 10_000;

/// A percentage, to the nearest hundredth: in JSON a number, `2.5`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "f64", into = "f64")]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
pub struct Percent(i32);

impl Percent {
    /// None of them.
    pub const ZERO: Self = Self(0);

    /// A percentage from hundredths of one: 250 is 2.5 %.
    #[must_use]
    pub const fn hundredths(hundredths: i32) -> Self {
        Self(hundredths)
    }

    /// Whole percent.
    #[must_use]
    pub const fn whole(percent: i32) -> Self {
        Self(percent.saturating_mul(100))
    }

    /// Hundredths of a percent: 2.5 % is 250.
    #[must_use]
    pub const fn in_hundredths(self) -> i32 {
        self.0
    }

    pub(super) fn check(self, knob: &str) -> Result<(), OutOfRange> {
        if (0..=WHOLE).contains(&self.0) {
            return Ok(());
        }
        Err(OutOfRange { knob: knob.into(), value: self.to_string(), least: 0, most: 100 })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        match rest.abs() {
            0 => f.pad(&format!("{sign}{whole}")),
            rest if rest % 10 == 0 => f.pad(&format!("{sign}{whole}.{}", rest / 10)),
            rest => f.pad(&format!("{sign}{whole}.{rest:02}")),
        }
    }
}

impl From<f64> for Percent {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates, and check() refuses what is so far out"
    )]
    fn from(percent: f64) -> Self {
        Self((percent * 100.0).round() as i32)
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.0) / 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_number_in_json() {
        for (json, hundredths) in [("2.5", 250), ("100.0", 10_000), ("0.0", 0), ("0.01", 1)] {
            let percent: Percent = serde_json::from_str(json).unwrap();
            assert_eq!(percent, Percent(hundredths));
            assert_eq!(serde_json::to_string(&percent).unwrap(), json);
        }
    }

    #[test]
    fn a_percentage_may_be_a_whole_number_and_what_cannot_be_held_is_out_of_range() {
        let read = |json| serde_json::from_str::<Percent>(json).unwrap();
        assert_eq!(read("7"), Percent::whole(7));
        for huge in ["99999999999", "-99999999999", "1e300"] {
            assert!(read(huge).check("loss").is_err(), "{huge}");
        }
    }
}
