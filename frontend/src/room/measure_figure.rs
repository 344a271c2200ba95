//! What was counted of a class's runs, drawn: a distribution with one's own value marked, and the same in words.

use streamgram_protocol::room::{Measure, Pooled};
use yew::prelude::*;

use super::distribution::Bars;
use super::marks::{Anchor, Ink, Mark, parts};
use super::pooled_step::PooledShown;
use crate::i18n::figures::count;
use crate::i18n::language::Language;

/// The drawing's width.
pub(crate) const WIDTH: u64 = 360;
/// Where bars stand: their highest top, and the axis.
const TOP: u64 = 20;
const AXIS: u64 = 108;
/// What is written below the axis: labels, and which value is one's own.
const LABELS: u64 = AXIS + 16;
const OWN: u64 = AXIS + 35;
/// Pixels of a label's character.
const CHARACTER: u64 = 7;

/// A measure with its distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MeasureFigure {
    pub(crate) measure: Measure,
    pub(crate) bars: Bars,
    own: Option<u32>,
}

impl MeasureFigure {
    /// One for each measure that anybody told.
    pub(crate) fn all(shown: &PooledShown, pooled: &Pooled) -> Vec<Self> {
        let own =
            |measure| shown.outcome.as_ref().and_then(|outcome| outcome.get(measure)).copied();
        let told = pooled.outcomes.iter().filter_map(|(measure, distribution)| {
            let own = own(measure);
            Some(Self { measure: *measure, bars: Bars::of(distribution, own)?, own })
        });
        told.collect()
    }

    /// The distribution in words.
    pub(crate) fn words(&self, language: Language) -> String {
        let Bars { members, least, median, most, .. } = &self.bars;
        let [least, median, most] = [least, median, most].map(ToString::to_string);
        let all = language.measure_words(&count(*members), &least, &median, &most);
        let own = self.own.map(|own| language.measure_own_words(&count(own.into())));
        own.map_or_else(|| all.clone(), |own| format!("{all}{}{own}", language.between_sentences()))
    }

    /// The drawing's height.
    pub(crate) fn height(&self) -> u64 {
        if self.own.is_some() { OWN + 6 } else { LABELS + 6 }
    }

    pub(crate) fn marks(&self, language: Language) -> Vec<Mark> {
        let (ink, others) = inks(self.measure);
        let others = if self.own.is_some() { others } else { ink };
        let highest = self.bars.highest().max(1);
        let mut marks = vec![Mark::Bar { at: (0, AXIS), size: (WIDTH, 1), ink: Ink::Line }];
        let text = |at, anchor, ink, text| Mark::Text { at, anchor, ink, text };
        let mut has_highest = false;
        for (at, bar) in self.bars.bars.iter().enumerate() {
            let (left, wide) = self.bars.place(at, WIDTH);
            let middle = left + wide / 2;
            if bar.members > 0 {
                // One member of two thousand is seen all the same.
                let height = (bar.members * (AXIS - TOP) / highest).max(2);
                let ink = if bar.own { ink } else { others };
                marks.push(Mark::Bar { at: (left, AXIS - height), size: (wide, height), ink });
            }
            if bar.members == highest && !has_highest {
                has_highest = true;
                marks.push(text((middle, TOP - 6), Anchor::Middle, Ink::Mute, count(highest)));
            }
            if let (true, Some(own)) = (bar.own, self.own) {
                let own = language.measure_own(&count(own.into()));
                let (anchor, own) = match middle * 2 < WIDTH {
                    true => (Anchor::Start, format!("▲ {own}")),
                    false => (Anchor::End, format!("{own} ▲")),
                };
                // The triangle is ten wide.
                let x = if anchor == Anchor::Start { middle.saturating_sub(5) } else { middle + 5 };
                marks.push(text((x, OWN), anchor, ink, own));
            }
        }
        for (at, label) in self.bars.labels() {
            let (left, wide) = self.bars.place(at, WIDTH);
            // The first and the last one would be cut off.
            let half = label.chars().count() as u64 * CHARACTER / 2;
            let middle = (left + wide / 2).clamp(half, WIDTH - half);
            marks.push(text((middle, LABELS), Anchor::Middle, Ink::Mute, label));
        }
        marks
    }
}

/// The ink of one's own bar, and that of the others.
fn inks(measure: Measure) -> (Ink, Ink) {
    match measure {
        Measure::TcpReads | Measure::TcpSentAgain | Measure::TcpLastMs => {
            (Ink::Tcp, Ink::TcpOthers)
        }
        Measure::UdpLost | Measure::UdpReordered | Measure::UdpLastMs => (Ink::Udp, Ink::UdpOthers),
    }
}

pub(crate) fn name(language: Language, measure: Measure) -> &'static str {
    match measure {
        Measure::TcpReads => language.measure_tcp_reads(),
        Measure::TcpSentAgain => language.measure_tcp_sent_again(),
        Measure::TcpLastMs => language.measure_tcp_last(),
        Measure::UdpLost => language.measure_udp_lost(),
        Measure::UdpReordered => language.measure_udp_reordered(),
        Measure::UdpLastMs => language.measure_udp_last(),
    }
}

/// The distribution of a measure.
pub(crate) fn measure_figure(language: Language, figure: &MeasureFigure) -> Html {
    let (name, words) = (name(language, figure.measure), figure.words(language));
    let height = figure.height();
    html! {
        <figure key={figure.measure.name()} class="measure" data-measure={figure.measure.name()}>
            <figcaption>{ name }</figcaption>
            <svg class="measure-picture" translate="no" role="img" viewBox={format!("0 0 {WIDTH} {height}")}
                aria-label={name}>{ parts(&figure.marks(language)) }</svg>
            <p class="measure-words">{ words }</p>
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};
    use crate::ui::tests::rendered;

    fn figure(told: &[(u32, u32)], own: Option<u32>) -> MeasureFigure {
        let mut pooled = pooled(&[], &[]);
        pooled.outcomes.insert(Measure::UdpLost, told.iter().copied().collect());
        let outcome = own.map(|own| [(Measure::UdpLost, own)].into());
        let shown = PooledShown { outcome, ..shown(None) };
        MeasureFigure::all(&shown, &pooled).remove(0)
    }

    #[tokio::test]
    async fn one_s_own_value_is_marked_by_a_mark_and_a_word() {
        let own = rendered(measure_figure(Language::En, &figure(&[(0, 9), (1, 1)], Some(1)))).await;
        assert!(own.contains("▲ yours: 1") || own.contains("yours: 1 ▲"), "{own}");
        assert_eq!(own.matches("data-ink=\"udp\"").count(), 2, "its bar and its mark: {own}");
        assert_eq!(own.matches("data-ink=\"udp-others\"").count(), 1, "{own}");
        let none = rendered(measure_figure(Language::En, &figure(&[(0, 9), (1, 1)], None))).await;
        assert!(!none.contains("yours") && !none.contains("Yours"), "{none}");
        assert_eq!(none.matches("data-ink=\"udp\"").count(), 2, "{none}");
    }

    #[test]
    fn the_words_say_what_the_bars_show() {
        let words = |language| figure(&[(0, 1_500), (4, 500)], Some(4)).words(language);
        let english = "Members: 2,000. Least 0, median 0, most 4. Yours is 4.";
        assert_eq!(words(Language::En), english);
        assert_eq!(words(Language::Zh), "共 2,000 人。最小 0，中位数 0，最大 4。你的是 4。");
    }

    #[test]
    fn every_mark_is_within_the_drawing() {
        let many: Vec<_> =
            (2..32).flat_map(|bit| [(1 << bit, 1), (5 << (bit - 2), 2_000)]).collect();
        for (told, own) in [(&many[..], Some(u32::MAX)), (&many[..], Some(0)), (&[(7, 1)], Some(7))]
        {
            let figure = figure(told, own);
            for mark in figure.marks(Language::En) {
                let (right, bottom) = match mark {
                    Mark::Bar { at: (x, y), size: (width, height), .. } => (x + width, y + height),
                    Mark::Text { at, .. } => at,
                };
                assert!(right <= WIDTH && bottom <= figure.height(), "{right} {bottom}");
            }
        }
    }
}
