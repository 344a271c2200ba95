//! A distribution as bars: every bin has the same room, so that the scale is even for small values and logarithmic for
//! large ones, as bins are. Where there are too many to be told apart, neighbours share a bar.

use std::collections::BTreeMap;
use std::fmt;

use streamgram_protocol::room::{Distribution, bin};

use crate::i18n::figures::count;

/// Bars at most.
const BARS: usize = 40;
/// Bars that there is room for at least, so that a single one is no wall.
const PLACES: usize = 12;
/// Characters of labels that stand side by side below the bars.
const CHARACTERS: usize = 42;

/// Values from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = [self.first, self.last].map(|value| count(value.into()));
        if first == last { f.write_str(&first) } else { write!(f, "{first}–{last}") }
    }
}

impl Span {
    /// The values of the bin that a value belongs to.
    fn of(value: u32) -> Self {
        let first = bin(value);
        // A bin is a power of two wide and begins at a multiple of that.
        let next = (0..u32::BITS).map(|bit| first.checked_add(1 << bit));
        let next = next.flatten().find(|next| bin(*next) != first);
        Self { first, last: next.map_or(u32::MAX, |next| next - 1) }
    }
}

/// A bar of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) values: Span,
    pub(crate) members: u64,
    /// One's own value is among these.
    pub(crate) own: bool,
}

/// A distribution, and what can be said of it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bars {
    /// In the order of their values, those without a member too.
    pub(crate) bars: Vec<Bar>,
    pub(crate) members: u64,
    pub(crate) least: Span,
    /// Half of the members have this value, or a lower one.
    pub(crate) median: Span,
    pub(crate) most: Span,
}

impl Bars {
    /// The bars, among them that of one's own value; none, if there is no member.
    pub(crate) fn of(distribution: &Distribution, own: Option<u32>) -> Option<Self> {
        let mut bins = BTreeMap::<u32, u64>::new();
        for (value, members) in distribution.iter().filter(|(_, members)| **members > 0) {
            *bins.entry(bin(*value)).or_default() += u64::from(*members);
        }
        let (least, most) = (*bins.first_key_value()?.0, *bins.last_key_value()?.0);
        let members: u64 = bins.values().sum();
        let mut below = 0;
        let median = bins.iter().find(|(_, of_bin)| {
            below += **of_bin;
            below * 2 >= members
        });
        let median = median.map_or(least, |(value, _)| *value);
        let own = own.map(bin);
        let (from, to) = (least.min(own.unwrap_or(least)), most.max(own.unwrap_or(most)));
        let spans = spans(from, to);
        let bar = |spans: &[Span]| {
            let values = Span { first: spans[0].first, last: spans[spans.len() - 1].last };
            let range = values.first..=values.last;
            let own = own.is_some_and(|own| range.contains(&own));
            Bar { values, members: bins.range(range).map(|(_, members)| members).sum(), own }
        };
        let bars = spans.chunks(spans.len().div_ceil(BARS)).map(bar).collect();
        let [least, median, most] = [least, median, most].map(Span::of);
        Some(Self { bars, members, least, median, most })
    }

    /// Members of the highest bar.
    pub(crate) fn highest(&self) -> u64 {
        self.bars.iter().map(|bar| bar.members).max().unwrap_or(0)
    }

    /// Bars that have a member.
    pub(crate) fn spread(&self) -> usize {
        self.bars.iter().filter(|bar| bar.members > 0).count()
    }

    /// Where a bar stands in a width: its left side, and how wide it is.
    pub(crate) fn place(&self, at: usize, width: u64) -> (u64, u64) {
        let room = width / self.bars.len().max(PLACES) as u64;
        let left = (width - room * self.bars.len() as u64) / 2;
        (left + room * at as u64, (room * 85 / 100).max(1))
    }

    /// Which bars have a label, and what it says: the least value, the greatest, and some between them.
    pub(crate) fn labels(&self) -> Vec<(usize, String)> {
        let last = self.bars.len() - 1;
        let first_of = |bar: &Bar| count(bar.values.first.into());
        let greatest = count(self.bars[last].values.last.into());
        let longest = self.bars.iter().map(|bar| first_of(bar).len()).max().unwrap_or(0);
        let longest = longest.max(greatest.len());
        let every = (self.bars.len().max(PLACES) * (longest + 2)).div_ceil(CHARACTERS);
        let before = (0..last).step_by(every).filter(|at| *at == 0 || at + every <= last);
        // Between the first and the last is no room for both, where these are close.
        let before = before.filter(|_| last >= every);
        let mut labels: Vec<_> = before.map(|at| (at, first_of(&self.bars[at]))).collect();
        if labels.is_empty() && last > 0 {
            let all = Span { first: self.bars[0].values.first, last: self.bars[last].values.last };
            return vec![(last / 2, all.to_string())];
        }
        labels.push((last, if last == 0 { self.bars[0].values.to_string() } else { greatest }));
        labels
    }
}

/// All bins from one to another.
fn spans(from: u32, to: u32) -> Vec<Span> {
    let mut spans = vec![Span::of(from)];
    while let Some(last) = spans.last().map(|span| span.last).filter(|last| *last < to) {
        spans.push(Span::of(last + 1));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(of: &[(u32, u32)]) -> Distribution {
        of.iter().copied().collect()
    }

    fn bars(of: &[(u32, u32)], own: Option<u32>) -> Bars {
        Bars::of(&distribution(of), own).unwrap()
    }

    #[test]
    fn small_values_have_a_bar_each_with_those_that_nobody_had() {
        let bars = bars(&[(1, 3), (4, 1)], Some(4));
        let seen: Vec<_> = bars.bars.iter().map(|bar| (bar.values.first, bar.members)).collect();
        assert_eq!(seen, [(1, 3), (2, 0), (3, 0), (4, 1)]);
        assert_eq!(bars.bars.iter().position(|bar| bar.own), Some(3));
        assert_eq!((bars.members, bars.highest(), bars.spread()), (4, 3, 2));
        assert_eq!([bars.least, bars.median, bars.most].map(|it| it.to_string()), ["1", "1", "4"]);
    }

    #[test]
    fn what_is_told_of_large_values_is_no_more_exact_than_their_bin() {
        let bars = bars(&[(992, 5), (2_048, 4)], None);
        let said = [bars.least, bars.median, bars.most].map(|it| it.to_string());
        assert_eq!(said, ["992–1,023", "992–1,023", "2,048–2,175"]);
        assert_eq!(Span::of(u32::MAX), Span { first: 0xf800_0000, last: u32::MAX });
    }

    #[test]
    fn all_bins_that_there_are_stay_few_enough_to_be_told_apart() {
        let all: Vec<_> = spans(0, u32::MAX).iter().map(|span| (span.first, 1)).collect();
        assert_eq!(all.len(), 464);
        let bars = bars(&all, Some(70_000));
        assert_eq!(bars.bars.len(), 39);
        assert_eq!(bars.bars.iter().map(|bar| bar.members).sum::<u64>(), 464);
        assert_eq!(bars.bars.iter().filter(|bar| bar.own).count(), 1);
        assert!(bars.bars.windows(2).all(|two| two[0].values.last + 1 == two[1].values.first));
    }

    #[test]
    fn all_in_one_bin_are_one_bar_in_the_middle() {
        let bars = bars(&[(3, 2_000)], Some(3));
        let only = Bar { values: Span { first: 3, last: 3 }, members: 2_000, own: true };
        assert_eq!(bars.bars, [only]);
        assert_eq!(bars.place(0, 360), (165, 25));
        assert_eq!(bars.labels(), [(0, "3".into())]);
    }

    #[test]
    fn one_s_own_value_has_its_place_before_the_others_know_of_it() {
        let bars = bars(&[(3, 1)], Some(5));
        let seen: Vec<_> = bars.bars.iter().map(|bar| (bar.members, bar.own)).collect();
        assert_eq!(seen, [(1, false), (0, false), (0, true)]);
        assert_eq!(bars.most.to_string(), "3");
    }

    #[test]
    fn without_members_there_is_nothing() {
        assert_eq!(Bars::of(&Distribution::new(), Some(1)), None);
        assert_eq!(Bars::of(&distribution(&[(1, 0)]), None), None);
    }

    #[test]
    fn labels_say_the_ends_and_do_not_meet() {
        let all: Vec<_> = spans(0, u32::MAX).iter().map(|span| (span.first, 1)).collect();
        for (values, own) in [
            (vec![(0, 1), (20, 1)], None),
            (vec![(0, 1), (1, 1)], Some(2)),
            (vec![(1_000, 1), (1_100, 1)], None),
            (vec![(250, 1), (60_000, 1)], None),
            (all, None),
        ] {
            let bars = bars(&values, own);
            let labels = bars.labels();
            let room = 360 / bars.bars.len().max(PLACES) as u64;
            for two in labels.windows(2) {
                // Seven of 360 for a character, each label in the middle of its bar.
                let apart = (two[1].0 - two[0].0) as u64 * room;
                assert!(apart >= (two[0].1.len() + two[1].1.len()) as u64 * 7 / 2, "{labels:?}");
            }
        }
        assert_eq!(
            bars(&[(0, 1), (20, 1)], None).labels().iter().map(|it| &*it.1).collect::<Vec<_>>(),
            ["0", "2", "4", "6", "8", "10", "12", "14", "16", "18", "20"]
        );
    }
}
