//! What came of a member's own run, in numbers that a class can pool.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// What is counted of a run.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Measure {
    /// Reads of the TCP server.
    TcpReads,
    /// TCP segments that were sent again, where packets are seen.
    TcpSentAgain,
    /// Milliseconds from the first line to the last of TCP's replies.
    TcpLastMs,
    /// Datagrams without a reply.
    UdpLost,
    /// Datagrams that were answered after a later one.
    UdpReordered,
    /// Milliseconds from the first line to the last of UDP's replies.
    UdpLastMs,
}

impl Measure {
    /// All of them, in the order of a table.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name, as messages have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What was counted of one run. What is not known of it is left out.
pub type Outcome = BTreeMap<Measure, u32>;

/// How many members had a value, for every value that one had. Values of one [`bin`] are one, its least.
pub type Distribution = BTreeMap<u32, u32>;

/// Bits of a value that are kept: below 32 every value has its own bin, and above 16 bins halve no more than a
/// sixteenth.
const KEPT_BITS: u32 = 5;

/// The least value of the bin that a value belongs to: itself below 32, above that to a sixteenth. So no distribution
/// has more than 464 bins, however many members there are.
#[must_use]
pub fn bin(value: u32) -> u32 {
    let cut = (u32::BITS - value.leading_zeros()).saturating_sub(KEPT_BITS);
    value >> cut << cut
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn small_values_have_bins_of_their_own_and_large_ones_are_a_sixteenth_wide() {
        assert_eq!([0, 1, 20, 31, 32, 33, 63].map(bin), [0, 1, 20, 31, 32, 32, 62]);
        assert_eq!([1_000, 1_023, 1_024, u32::MAX].map(bin), [992, 992, 1_024, 0xf800_0000]);
        let bins: BTreeSet<_> = (0..32)
            .flat_map(|bits| (0..64_u64).map(move |part| (1_u64 << bits) + (part << bits) / 64))
            .filter_map(|value| u32::try_from(value).ok())
            .map(bin)
            .collect();
        assert!(bins.len() < 464, "{}", bins.len());
    }
}
