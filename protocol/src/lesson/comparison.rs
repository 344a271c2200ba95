//! What must hold for a choice: `tcp.reads < 2 * tcp.lines`.

use std::cmp::Ordering;

use serde::Deserialize;

use super::figures::{Count, Figures};
use crate::Protocol;

/// A comparison of two figures, or of one and a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Comparison {
    left: Side,
    order: Ordering,
    right: Side,
}

/// So many times what was counted, or the number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side {
    times: u64,
    figure: Option<(Protocol, Count)>,
}

impl TryFrom<String> for Comparison {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or("expected a comparison, like tcp.reads < 2 * tcp.lines")
    }
}

impl Comparison {
    /// Reads `LEFT < RIGHT`, `LEFT = RIGHT` or `LEFT > RIGHT`; a side is a number, a figure, or a number times
    /// a figure.
    fn read(text: &str) -> Option<Self> {
        let orders = [('<', Ordering::Less), ('=', Ordering::Equal), ('>', Ordering::Greater)];
        let (left, order, right) = orders.into_iter().find_map(|(sign, order)| {
            let (left, right) = text.split_once(sign)?;
            Some((left, order, right))
        })?;
        Some(Self { left: Side::read(left)?, order, right: Side::read(right)? })
    }

    /// Whether it holds; nothing, where a figure is not known.
    pub(super) fn holds(self, figures: &Figures) -> Option<bool> {
        Some(self.left.value(figures)?.cmp(&self.right.value(figures)?) == self.order)
    }

    /// The figures that it compares.
    pub fn figures(self) -> impl Iterator<Item = (Protocol, Count)> {
        [self.left.figure, self.right.figure].into_iter().flatten()
    }
}

impl Side {
    fn read(text: &str) -> Option<Self> {
        let (times, name) = match text.split_once('*') {
            Some((times, name)) => (times.trim().parse().ok()?, name.trim()),
            None => (1, text.trim()),
        };
        match name.parse() {
            Ok(number) if !text.contains('*') => Some(Self { times: number, figure: None }),
            _ => {
                let (protocol, count) = name.split_once('.')?;
                Some(Self { times, figure: Some((protocol.parse().ok()?, count.parse().ok()?)) })
            }
        }
    }

    fn value(self, figures: &Figures) -> Option<u64> {
        match self.figure {
            None => Some(self.times),
            Some((protocol, count)) => figures.get(protocol, count)?.checked_mul(self.times),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_figures_are_compared_each_way() {
        let mut figures = Figures::default();
        figures.set(Protocol::Tcp, Count::Reads, 7);
        figures.set(Protocol::Udp, Count::Reads, 3);
        let holds = |text| Comparison::read(text).unwrap().holds(&figures);
        assert_eq!(holds("tcp.reads > 2 * udp.reads"), Some(true));
        assert_eq!(holds("tcp.reads = 3 * udp.reads"), Some(false));
        assert_eq!(holds("2<udp.reads"), Some(true));
        assert_eq!(holds("tcp.lines = 7"), None);
        assert_eq!(holds("18446744073709551615 * tcp.reads > 1"), None);
    }

    #[test]
    fn what_is_no_comparison_is_not_read() {
        for text in
            ["", "tcp.reads", "tcp.reads =", "= 1", "2 * 3 = 6", "tcp = 1", "x * tcp.reads = 1"]
        {
            assert_eq!(Comparison::read(text), None, "{text}");
        }
    }
}
