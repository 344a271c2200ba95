//! The median of several measurements, and how far apart they lie.

use std::fmt;

use serde::Serialize;
use streamgram_tests::grouped;

/// What was measured several times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let [least, most] = [values.first(), values.last()].map(|it| it.copied().unwrap_or(0.0));
        let middle = |at: usize| values.get(at).copied().unwrap_or(0.0);
        let median =
            f64::midpoint(middle(values.len().saturating_sub(1) / 2), middle(values.len() / 2));
        Self { median, least, most }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(f, "{} ({} to {})", figure(*median), figure(*least), figure(*most))
    }
}

/// Three digits, or all before the point.
pub(crate) fn figure(value: f64) -> String {
    match value {
        100.0.. => grouped(value),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_that_is_far_off() {
        let spread = Spread::of([3.0, 900.0, 1.0].into_iter());
        assert_eq!(spread.to_string(), "3.00 (1.00 to 900)");
        assert_eq!(Spread::of([3.0, 900.0, 1.0, 5.0].into_iter()).median, 4.0);
    }

    #[test]
    fn figures_have_three_digits_or_more() {
        let shown = [0.0, 0.5, 9.87, 12.345, 123.4, 1_234_567.0].map(figure);
        assert_eq!(shown, ["0.00", "0.50", "9.87", "12.3", "123", "1,234,567"]);
    }
}
