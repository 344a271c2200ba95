//! Chance without state: a hash of seed, direction, packet number and knob.
//!
//! The same seed gives the same fates, and turning one knob does not move what another one decides.

use streamgram_protocol::{End, Percent};

use crate::chance::{below, mix};

/// What a roll is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Knob {
    Loss,
    Duplicate,
    Reorder,
    Jitter,
    DuplicateJitter,
}

/// Every random choice of one link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Whether a knob that hits `share` of the packets hits this one.
    pub(crate) fn hits(self, share: Percent, from: End, number: u64, knob: Knob) -> bool {
        let share = u64::try_from(share.in_hundredths()).unwrap_or(0);
        share > 0 && self.below(10_000, from, number, knob) < share
    }

    /// An even choice from `0..limit`.
    pub(crate) fn below(self, limit: u64, from: End, number: u64, knob: Knob) -> u64 {
        let roll = mix(self.seed ^ mix(number << 4 | (knob as u64) << 1 | from as u64));
        below(limit, roll)
    }

    /// A seed for something else that must not follow the packets' fates.
    pub(crate) fn seed_for(self, end: End) -> u64 {
        mix(!self.seed ^ mix(end as u64 + 1))
    }

    /// The seed of one of many links that share nothing; at most `MAX_ID`, which has 53 bits.
    pub(crate) fn link_seed(self, number: u64) -> u64 {
        mix(self.seed ^ mix(!number)) >> 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_hit_as_often_as_it_says() {
        let dice = Dice::new(1);
        for percent in [1, 10, 50] {
            let hits = (0..100_000)
                .filter(|n| dice.hits(Percent::whole(percent), End::Client, *n, Knob::Loss))
                .count();
            let expected = usize::try_from(percent).unwrap() * 1_000;
            assert!(hits.abs_diff(expected) < 600, "{hits} for {percent} %");
        }
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        let dice = Dice::new(7);
        let hits =
            |share| (0..10_000).filter(move |n| dice.hits(share, End::Gateway, *n, Knob::Loss));
        assert_eq!(hits(Percent::ZERO).count(), 0);
        assert_eq!(hits(Percent::whole(100)).count(), 10_000);
    }
}
