//! A step of a class as one picture: what was asked, the votes, and the distributions.

use super::marks::{Anchor, Ink, Mark, file, wrapped};
use super::measure_figure::{self, MeasureFigure};
use super::pooled_step::PooledShown;
use super::votes::{Choice, WHOLE, When, choices};
use crate::i18n::language::Language;

const WIDTH: u64 = 800;
const MARGIN: u64 = 24;
const LINE: u64 = 20;
/// Halves of wide characters that a line of the picture, and one above a distribution, has room for.
const HALVES: usize = 98;
const MEASURE_HALVES: usize = 56;
/// Pixels of a bar, and where it begins and its votes are written.
const BAR: u64 = 14;
const BARS: (u64, u64) = (MARGIN + 60, 540);

/// What is drawn so far, and how far down it reaches.
#[derive(Default)]
struct Picture {
    marks: Vec<Mark>,
    down: u64,
}

impl Picture {
    fn text(&mut self, ink: Ink, (x, halves): (u64, usize), text: &str) {
        for text in wrapped(text, halves) {
            self.down += LINE;
            self.marks.push(Mark::Text { at: (x, self.down), anchor: Anchor::Start, ink, text });
        }
    }

    fn choice(&mut self, language: Language, choice: &Choice) {
        self.down += LINE / 2;
        self.text(Ink::Text, (MARGIN, HALVES), &choice.text);
        for bar in &choice.bars {
            let (left, width) = BARS;
            self.down += LINE;
            let ink = if bar.when == When::Before { Ink::Before } else { Ink::After };
            let at = |x| (x, self.down);
            let text = |x, anchor, ink, text| Mark::Text { at: at(x), anchor, ink, text };
            let (own, share) = if bar.own {
                (format!(" ◆ {}", language.votes_own()), Ink::Title)
            } else {
                (String::new(), Ink::Mute)
            };
            let size = (bar.length() * width / WHOLE, BAR);
            self.marks.extend([
                text(left - 8, Anchor::End, Ink::Mute, bar.when.name(language).into()),
                Mark::Bar { at: (left, self.down + 3 - BAR), size, ink },
                text(left + width + 8, Anchor::Start, share, bar.text() + &own),
            ]);
        }
    }

    /// A distribution in one half of the width.
    fn measure(&mut self, language: Language, figure: &MeasureFigure, left: u64) {
        let name = measure_figure::name(language, figure.measure);
        self.text(Ink::Title, (left, MEASURE_HALVES), name);
        let down = self.down;
        self.marks.extend(figure.marks(language).into_iter().map(|mark| match mark {
            Mark::Bar { at: (x, y), size, ink } => {
                Mark::Bar { at: (left + x, down + y), size, ink }
            }
            Mark::Text { at: (x, y), anchor, ink, text } => {
                Mark::Text { at: (left + x, down + y), anchor, ink, text }
            }
        }));
        self.down += figure.height();
        self.text(Ink::Mute, (left, MEASURE_HALVES), &figure.words(language));
    }
}

/// The picture as a file.
pub(crate) fn svg(language: Language, shown: &PooledShown) -> String {
    let mut picture = Picture { down: MARGIN / 2, ..Picture::default() };
    picture.text(Ink::Title, (MARGIN, HALVES), &shown.heading(language));
    if let Some(question) = &shown.question {
        picture.text(Ink::Text, (MARGIN, HALVES), question);
    }
    for choice in choices(shown) {
        picture.choice(language, &choice);
    }
    let figures =
        shown.pooled.as_ref().map(|pooled| MeasureFigure::all(shown, pooled)).unwrap_or_default();
    for pair in figures.chunks(2) {
        let top = picture.down + LINE;
        let mut bottom = top;
        for (at, figure) in (0_u64..).zip(pair) {
            picture.down = top;
            picture.measure(language, figure, MARGIN + at * (WIDTH - MARGIN) / 2);
            bottom = bottom.max(picture.down);
        }
        picture.down = bottom;
    }
    let height = picture.down + MARGIN + LINE;
    picture.marks.push(Mark::Text {
        at: (WIDTH - MARGIN, height - 10),
        anchor: Anchor::End,
        ink: Ink::Mute,
        text: "Streamgram".into(),
    });
    file(&picture.marks, (WIDTH, height))
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::room::{Measure, Own};

    use super::*;
    use crate::room::pooled_step::tests::{pooled, shown};

    #[test]
    fn the_picture_has_what_the_card_has_and_text_is_no_markup() {
        let mut pooled = pooled(&[3, 1, 0], &[0, 4, 0]);
        pooled.outcomes.insert(Measure::TcpReads, [(1, 3), (2, 1)].into());
        let own = Own { before: Some(0), after: Some(1) };
        let title = "<script>".to_owned();
        let outcome = Some([(Measure::TcpReads, 2)].into());
        let svg = svg(Language::En, &PooledShown { own, title, outcome, ..shown(Some(pooled)) });
        for text in [
            "Step 2 · &lt;script>",
            "In how many pieces?",
            "3 · 75 % ◆ your vote",
            "4 · 100 % ◆ your vote",
            "yours: 2 ▲",
            "Members: 4. Least 1, median 1, most 2. Yours is 2.",
        ] {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}: {svg}");
        }
        // The ground, six bars of votes, an axis and two bars of values.
        assert_eq!(svg.matches("<rect").count(), 1 + 6 + 1 + 2);
    }

    #[test]
    fn six_distributions_stand_in_three_rows_below_each_other() {
        let mut pooled = pooled(&[], &[]);
        for measure in Measure::ALL {
            pooled.outcomes.insert(*measure, [(1, 1)].into());
        }
        let svg = svg(Language::Zh, &shown(Some(pooled)));
        let height: u64 = svg.split('"').nth(5).unwrap().parse().unwrap();
        assert!((3 * 130..1_000).contains(&height), "{height}");
    }
}
