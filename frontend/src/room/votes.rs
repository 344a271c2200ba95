//! Votes as a class sees them: for each choice how many chose it before and after, and which was one's own.

use streamgram_protocol::room::{Own, Pooled};

use super::pooled_step::PooledShown;
use crate::i18n::figures::count;
use crate::i18n::language::Language;

/// Both sides of a bar's room.
pub(crate) const WHOLE: u64 = 1_000;

/// When a vote was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

impl When {
    pub(crate) const BOTH: [Self; 2] = [Self::Before, Self::After];

    /// What the style sheet calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    pub(crate) fn name(self, language: Language) -> &'static str {
        match self {
            Self::Before => language.votes_before(),
            Self::After => language.votes_after(),
        }
    }

    pub(crate) fn votes(self, pooled: &Pooled) -> &[u32] {
        match self {
            Self::Before => &pooled.before,
            Self::After => &pooled.after,
        }
    }

    fn own(self, own: &Own) -> Option<usize> {
        let choice = match self {
            Self::Before => own.before,
            Self::After => own.after,
        };
        choice.map(usize::from)
    }
}

/// A choice, with a bar for each time that anybody voted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) text: String,
    pub(crate) bars: Vec<Bar>,
}

/// Votes for a choice, of all votes of that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) when: When,
    pub(crate) votes: u64,
    pub(crate) of: u64,
    /// One's own vote is among them.
    pub(crate) own: bool,
}

impl Bar {
    /// How long it is, of [`WHOLE`].
    pub(crate) fn length(self) -> u64 {
        let length = self.votes * WHOLE / self.of.max(1);
        // One vote of two thousand is seen all the same.
        if self.votes > 0 { length.max(WHOLE / 200) } else { 0 }
    }

    /// `12 · 38 %`
    pub(crate) fn text(self) -> String {
        let of = self.of.max(1);
        let share = match (self.votes * 100 + of / 2) / of {
            0 if self.votes > 0 => "<1".into(),
            100 if self.votes < of => ">99".into(),
            percent => percent.to_string(),
        };
        format!("{} · {share} %", count(self.votes))
    }
}

/// The choices; none, if nobody has voted, or nothing is known of it yet.
pub(crate) fn choices(shown: &PooledShown) -> Vec<Choice> {
    let Some(pooled) = &shown.pooled else { return Vec::new() };
    let all = |when: When| when.votes(pooled).iter().copied().map(u64::from).sum::<u64>();
    let asked: Vec<_> =
        When::BOTH.into_iter().map(|when| (when, all(when))).filter(|(_, all)| *all > 0).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let bar = |at: usize, (when, of): (When, u64)| Bar {
        when,
        votes: when.votes(pooled).get(at).copied().unwrap_or(0).into(),
        of,
        own: when.own(&shown.own) == Some(at),
    };
    let choice = |(at, text): (usize, &String)| Choice {
        text: text.clone(),
        bars: asked.iter().map(|asked| bar(at, *asked)).collect(),
    };
    shown.choices.iter().enumerate().map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};

    #[test]
    fn a_choice_has_its_share_of_the_votes_of_that_time_and_one_s_own_is_marked() {
        let own = Own { before: Some(0), after: Some(1) };
        let shown = PooledShown { own, ..shown(Some(pooled(&[3, 1, 0], &[0, 1, 1]))) };
        let seen = choices(&shown);
        assert_eq!(seen.len(), 3);
        let texts = |at: usize| seen[at].bars.iter().map(|bar| bar.text()).collect::<Vec<_>>();
        assert_eq!(texts(0), ["3 · 75 %", "0 · 0 %"]);
        assert_eq!(texts(1), ["1 · 25 %", "1 · 50 %"]);
        let own = |at: usize| seen[at].bars.iter().map(|bar| bar.own).collect::<Vec<_>>();
        assert_eq!([own(0), own(1), own(2)], [[true, false], [false, true], [false, false]]);
        assert_eq!(seen[0].bars[0].length(), 750);
    }

    #[test]
    fn a_time_at_which_nobody_voted_has_no_bars() {
        let times = |before: &[u32], after: &[u32]| {
            let seen = choices(&shown(Some(pooled(before, after))));
            seen.first().map(|choice| choice.bars.iter().map(|bar| bar.when).collect::<Vec<_>>())
        };
        assert_eq!(times(&[1, 0, 0], &[]), Some(vec![When::Before]));
        assert_eq!(times(&[0, 0, 0], &[0, 0, 2]), Some(vec![When::After]));
        assert_eq!(times(&[0, 0, 0], &[]), None);
        assert_eq!(choices(&shown(None)), []);
    }

    #[test]
    fn one_vote_of_two_thousand_is_neither_nothing_nor_everything() {
        let bar = |votes| Bar { when: When::Before, votes, of: 2_000, own: false };
        assert_eq!(
            [0, 1, 1_999, 2_000].map(|votes| bar(votes).text()),
            ["0 · 0 %", "1 · <1 %", "1,999 · >99 %", "2,000 · 100 %"]
        );
        assert_eq!([0, 1, 2_000].map(|votes| bar(votes).length()), [0, 5, WHOLE]);
    }

    #[test]
    fn votes_for_choices_that_this_page_does_not_know_still_count_among_all() {
        let seen = choices(&shown(Some(pooled(&[1, 0, 0, 1], &[]))));
        assert_eq!((seen.len(), seen[0].bars[0].text()), (3, "1 · 50 %".into()));
    }
}
