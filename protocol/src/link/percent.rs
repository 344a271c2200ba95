//! A share of packets, in hundredths of a percent, typed as a percentage.

use std::fmt;

use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::OutOfRange;

/// Hundredths in a percentage of 100.
const WHOLE: i32 = 10_000;

/// A percentage, to the nearest hundredth: in JSON a number, `2.5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            serializer.serialize_i32(self.0 / 100)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 100.0)
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Number)
    }
}

struct Number;

impl Visitor<'_> for Number {
    type Value = Percent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage")
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "it saturates, and check() refuses what is so far out"
    )]
    fn visit_f64<E: serde::de::Error>(self, percent: f64) -> Result<Percent, E> {
        if !percent.is_finite() {
            return Err(E::invalid_value(Unexpected::Float(percent), &self));
        }
        Ok(Percent((percent * 100.0).round() as i32))
    }

    fn visit_u64<E: serde::de::Error>(self, percent: u64) -> Result<Percent, E> {
        i32::try_from(percent)
            .map(Percent::whole)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(percent), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, percent: i64) -> Result<Percent, E> {
        i32::try_from(percent)
            .map(Percent::whole)
            .map_err(|_| E::invalid_value(Unexpected::Signed(percent), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_number_in_json() {
        for (json, hundredths) in [("2.5", 250), ("100", 10_000), ("0", 0), ("0.01", 1)] {
            let percent: Percent = serde_json::from_str(json).unwrap();
            assert_eq!(percent, Percent(hundredths));
            assert_eq!(serde_json::to_string(&percent).unwrap(), json);
        }
    }

    #[test]
    fn a_percentage_too_large_to_hold_is_refused_or_out_of_range() {
        assert!(serde_json::from_str::<Percent>("99999999999").is_err());
        let huge: Percent = serde_json::from_str("1e300").unwrap();
        assert!(huge.check("loss").is_err());
    }
}
