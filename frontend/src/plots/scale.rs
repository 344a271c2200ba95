//! Scales of whole numbers: round ticks, and where a value stands between them.

/// Both sides of the drawing.
pub(crate) const PARTS: u64 = 1_000;
/// What is larger is drawn as this: 30 years of microseconds.
pub(super) const MOST: u64 = 1_000_000_000_000_000;
/// Intervals between ticks, about.
const INTERVALS: u64 = 4;

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From 0.
    Linear,
    Log,
    /// Rows at equal distances.
    Steps,
}

/// The ends of a scale and what lies between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ticks {
    /// In order; at least two.
    pub(crate) at: Vec<u64>,
    log: bool,
}

impl Ticks {
    /// Those of a scale with values from the least to the most.
    pub(super) fn new(scale: Scale, least: u64, most: u64) -> Self {
        let most = most.clamp(1, MOST);
        if scale != Scale::Log {
            let step = rounded(most.div_ceil(INTERVALS));
            return Self {
                at: (0..=most.div_ceil(step)).map(|at| at * step).collect(),
                log: false,
            };
        }
        let fine = Self::powers(least, most, after);
        let wide = fine.len() as u64 > INTERVALS + 2;
        let at = if wide { Self::powers(least, most, |tick| tick * 10) } else { fine };
        Self { at, log: true }
    }

    /// From the last that is not above the least to the first above the most.
    fn powers(least: u64, most: u64, after: fn(u64) -> u64) -> Vec<u64> {
        let (mut at, mut tick) = (vec![1], 1);
        while tick <= most {
            tick = after(tick);
            if tick <= least {
                at.clear();
            }
            at.push(tick);
        }
        at
    }

    /// Where a value stands, in [`PARTS`].
    pub(crate) fn place(&self, value: u64) -> u64 {
        let (low, high) = (self.at[0], self.at[self.at.len() - 1]);
        let value = value.clamp(low, high);
        let at = |value: u64| if self.log { (value as f64).log10() } else { value as f64 };
        part((at(value) - at(low)) / (at(high) - at(low)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
fn part(share: f64) -> u64 {
    (share * PARTS as f64).round() as u64
}

/// The next of 1, 2, 5, 10, 20, 50 and so on.
fn after(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10());
    match number / unit {
        1 => 2 * unit,
        2..5 => 5 * unit,
        _ => 10 * unit,
    }
}

/// The least of those that is no less.
pub(super) fn rounded(number: u64) -> u64 {
    let mut round = 1;
    while round < number {
        round = after(round);
    }
    round
}

/// The next of 0, 10, 15, 20, 30, 50, 70, 100, 150 and so on: six of a ratio of ten.
pub(super) fn sixth(number: u64) -> u64 {
    let tenth = 10_u64.pow(number.max(10).ilog10() - 1);
    let next = [10, 15, 20, 30, 50, 70, 100].into_iter().find(|next| next * tenth > number);
    next.unwrap_or(100) * tenth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_begin_at_zero_and_reach_the_most() {
        let ticks = |most| Ticks::new(Scale::Linear, 0, most).at;
        assert_eq!(ticks(0), [0, 1]);
        assert_eq!(ticks(4), [0, 1, 2, 3, 4]);
        assert_eq!(ticks(1_050), [0, 500, 1_000, 1_500]);
        assert_eq!(ticks(u64::MAX).last(), Some(&MOST));
    }

    #[test]
    fn ticks_of_a_log_scale_are_powers_of_ten_or_finer() {
        let ticks = |least, most| Ticks::new(Scale::Log, least, most).at;
        assert_eq!(ticks(30, 180), [20, 50, 100, 200]);
        assert_eq!(
            ticks(24_800, 19_880_000),
            [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]
        );
        assert_eq!(ticks(0, 0), [1, 2]);
        assert!(ticks(0, u64::MAX).len() < 20);
    }

    #[test]
    fn on_a_log_scale_equal_ratios_are_equally_far_apart() {
        let ticks = Ticks::new(Scale::Log, 1, 9_999);
        assert_eq!(ticks.at, [1, 10, 100, 1_000, 10_000]);
        assert_eq!(
            ticks.at.iter().map(|at| ticks.place(*at)).collect::<Vec<_>>(),
            [0, 250, 500, 750, PARTS]
        );
        assert_eq!([0, 20_000].map(|value| ticks.place(value)), [0, PARTS]);
    }
}
