//! What one emulated path may cost: packets per second, and a lifetime.

use std::fmt;

use streamgram_lab::Micros;
use streamgram_protocol::Limits;

const SECOND: Micros = 1_000_000;

/// Counts what a lab has used.
#[derive(Debug)]
pub(super) struct Allowance {
    packets_per_s: u32,
    lifetime_s: u32,
    second: Micros,
    packets: u32,
}

/// A limit that a lab has exceeded; it ends its leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overrun {
    /// More packets within a second than `lab_packets_per_s`.
    Packets(u32),
    /// Longer than `lab_lifetime_s`.
    Lifetime(u32),
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packets(limit) => {
                write!(f, "the path carried more packets in a second than its limit of {limit}")
            }
            Self::Lifetime(limit) => {
                write!(f, "the path has lived for {limit} s, which is its limit")
            }
        }
    }
}

impl Allowance {
    pub(super) fn new(limits: &Limits) -> Self {
        let Limits { lab_packets_per_s, lab_lifetime_s, .. } = *limits;
        Self { packets_per_s: lab_packets_per_s, lifetime_s: lab_lifetime_s, second: 0, packets: 0 }
    }

    /// Counts packets that were sent at a time.
    pub(super) fn spend(&mut self, at: Micros, packets: usize) -> Result<(), Overrun> {
        let second = at / SECOND;
        if second >= self.lifetime_s.into() {
            return Err(Overrun::Lifetime(self.lifetime_s));
        }
        if second != self.second {
            (self.second, self.packets) = (second, 0);
        }
        self.packets = self.packets.saturating_add(u32::try_from(packets).unwrap_or(u32::MAX));
        if self.packets > self.packets_per_s {
            return Err(Overrun::Packets(self.packets_per_s));
        }
        Ok(())
    }

    /// When the lifetime ends.
    pub(super) fn ends_at(&self) -> Micros {
        Micros::from(self.lifetime_s) * SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance() -> Allowance {
        Allowance::new(&Limits { lab_packets_per_s: 3, lab_lifetime_s: 2, ..Limits::default() })
    }

    #[test]
    fn a_second_has_its_packets_and_the_next_one_its_own() {
        let mut allowance = allowance();
        assert_eq!(allowance.spend(0, 3), Ok(()));
        assert_eq!(allowance.spend(SECOND, 3), Ok(()));
        assert_eq!(allowance.spend(SECOND + 1, 1), Err(Overrun::Packets(3)));
    }

    #[test]
    fn a_life_ends() {
        let mut allowance = allowance();
        assert_eq!(allowance.spend(allowance.ends_at() - 1, 0), Ok(()));
        assert_eq!(allowance.spend(allowance.ends_at(), 0), Err(Overrun::Lifetime(2)));
    }
}
