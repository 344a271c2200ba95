//! The labels of a ladder: what a packet is, what waits, and the column of times. None covers another, for the
//! ladder leaves room for each: see the test.

use std::cmp::Ordering;

use streamgram_protocol::End;

use super::ladder::{Arrow, Band, Fold, Ladder, lifeline};
use crate::i18n::figures::{duration, short};
use crate::i18n::language::Language;

/// A text and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// In percent of the width of its lane, or of the column of times.
    pub(crate) x: u64,
    /// Its line of writing, in pixels from the top.
    pub(crate) y: u64,
    /// SVG's `text-anchor`: on which side of it `x` is.
    pub(crate) anchor: &'static str,
    pub(crate) text: String,
}

impl Label {
    /// Beside the lifeline of an end.
    fn beside(end: End, y: u64, text: String) -> Self {
        let (x, anchor) = match end {
            End::Client => (lifeline(end) + 1, "start"),
            End::Gateway => (lifeline(end) - 1, "end"),
        };
        Self { x, y: y.saturating_sub(2), anchor, text }
    }

    /// In the column of times.
    fn of_time(y: u64, text: String) -> Self {
        Self { x: 94, y: y + 4, anchor: "end", text }
    }
}

impl Arrow {
    /// What it is, above where it begins.
    pub(crate) fn label(&self, language: Language) -> Label {
        let copy = if self.copy.is_some() { " ×2" } else { "" };
        let text = self.sent.label(language) + copy;
        Label::beside(self.label_end(), self.from, text)
    }
}

impl Band {
    /// Who waits for what.
    pub(crate) fn label(&self, language: Language) -> Label {
        Label::beside(self.held.end, self.label, self.held.words(language))
    }
}

impl Fold {
    /// How long the wait was.
    pub(crate) fn label(&self) -> Label {
        Label::of_time(self.at, format!("⋮ {}", duration(self.us)))
    }
}

impl Ladder {
    /// When a packet was sent; nothing where that would repeat what stands above.
    pub(crate) fn time(&self, at: usize) -> Option<Label> {
        let begins_us = self.begins_us();
        let time = if self.is_captured() { short } else { duration };
        let text = |arrow: &Arrow| match arrow.sent.at_us.cmp(&begins_us) {
            Ordering::Less => format!("−{}", time(begins_us - arrow.sent.at_us)),
            Ordering::Equal => "0".to_owned(),
            Ordering::Greater => format!("+{}", time(arrow.sent.at_us - begins_us)),
        };
        let arrow = self.arrows.get(at)?;
        let above = at.checked_sub(1).map(|above| text(&self.arrows[above]));
        let text = text(arrow);
        (above.as_ref() != Some(&text)).then(|| Label::of_time(arrow.from, text))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use streamgram_protocol::{Header, Line, Protocol};

    use super::*;
    use crate::result::ladder::{ZOOM_ONE, ZOOMS};
    use crate::session::sent::Sent;
    use crate::session::trace::tests::{segment, traced};

    /// A rectangle in pixels: left, top, right, bottom.
    type Rectangle = [u64; 4];

    const LANE: u64 = 320;

    /// What a label covers: 7 pixels a character, 10 above its line and 3 below.
    fn covers(left: u64, width: u64, label: &Label) -> Rectangle {
        let long = 7 * label.text.chars().count() as u64;
        let x = left + 200 + label.x * width / 100;
        let x = if label.anchor == "start" { x } else { x - long };
        [x, label.y - 10, x + long, label.y + 3]
    }

    /// Every label of a ladder, on a narrow screen.
    fn rectangles(ladder: &Ladder) -> Vec<Rectangle> {
        let packets = ladder.arrows.iter().map(|arrow| {
            let left = if arrow.protocol == Protocol::Tcp { 72 } else { 72 + LANE };
            covers(left, LANE, &arrow.label(Language::En))
        });
        let bands = ladder.bands.iter().map(|band| covers(72, LANE, &band.label(Language::En)));
        let folds = ladder.folds.iter().map(|fold| covers(0, 72, &fold.label()));
        let times = (0..ladder.arrows.len()).filter_map(|at| ladder.time(at));
        let times = times.map(|label| covers(0, 72, &label));
        packets.chain(bands).chain(folds).chain(times).collect()
    }

    fn meet(one: Rectangle, other: Rectangle) -> bool {
        (0..2).all(|side| one[side] < other[side + 2] && other[side] < one[side + 2])
    }

    /// Lines of ten bytes, sent at these times, of which some are lost, overtaken or doubled; what is lost is sent
    /// again.
    fn hostile(times: &[u64], each: u64) -> Vec<Sent> {
        let mut sent = Vec::new();
        for (number, at_us) in (0..).zip(times) {
            let from = if number % 3 == 2 { End::Gateway } else { End::Client };
            let mut one = segment(from, number, *at_us, number % each == 1);
            let Header::Tcp { seq, length, .. } = &mut one.packet.header else { continue };
            (*seq, *length) = (1 + 10 * u32::try_from(number / 3 * 2 + number % 3).unwrap(), 10);
            let line = u32::try_from(number + 1).unwrap();
            one.packet.line = Some(Line { send: 1, number: line });
            one.packet.last_line = Some(Line { send: 1, number: line + 2 });
            if number % 5 == 3 && !one.is_lost() {
                one.packet.arrives_us = Some(at_us + 90_000);
                one.packet.copy_arrives_us = Some(at_us + 20_000);
            }
            if one.is_lost() {
                let mut again = one.clone();
                again.at_us = at_us + 1_000_000;
                again.packet.arrives_us = Some(again.at_us + 20_000);
                again.packet.retransmission = true;
                sent.push(again);
            }
            sent.push(one);
        }
        sent
    }

    #[test]
    fn no_label_covers_another() {
        let burst = vec![0; 60];
        let steady: Vec<u64> = (0..60).map(|n| n * 7_000).collect();
        let waits: Vec<u64> = (0..60).map(|n| n * n * 9_001).collect();
        let mut bands = 0;
        for times in [burst, steady, waits] {
            for each in [2, 7, 100] {
                let sent = hostile(&times, each);
                for (zoom, udp) in [(ZOOM_ONE, true), (*ZOOMS.start(), true), (*ZOOMS.end(), false)]
                {
                    let trace = Rc::new(traced(&sent));
                    let ladder = Ladder::of(&[Some(Rc::clone(&trace)), udp.then_some(trace)], zoom);
                    bands += ladder.bands.len();
                    let rectangles = rectangles(&ladder);
                    for (at, one) in rectangles.iter().enumerate() {
                        let other = rectangles[..at].iter().find(|other| meet(*one, **other));
                        assert_eq!(other, None, "covers {one:?}");
                    }
                }
            }
        }
        assert!(bands > 20, "{bands}");
    }

    #[test]
    fn times_count_from_the_first_bytes_of_a_line_and_none_is_repeated() {
        let mut sent: Vec<_> = [5_000, 5_000, 67_000, 67_001, 2_005_000]
            .map(|at| segment(End::Client, at, at, true))
            .into();
        let ladder = Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE);
        let times: Vec<_> =
            (0..5).map(|at| ladder.time(at).map_or(String::new(), |label| label.text)).collect();
        assert_eq!(times, ["0", "", "+62.0 ms", "", "+2.00 s"]);
        sent[2].packet.line = Some(Line { send: 1, number: 1 });
        let ladder = Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE);
        let times = [0, 2, 4].map(|at| ladder.time(at).map_or(String::new(), |label| label.text));
        assert_eq!(times, ["−62.0 ms", "0", "+1.93 s"]);
    }
}
