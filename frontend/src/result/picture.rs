//! A ladder as a picture by itself: a list of marks, written as SVG or painted on a canvas. It is light on every
//! page, for it is shown elsewhere.

use std::fmt::Write as _;

use js_sys::Array;
use streamgram_protocol::{End, Protocol};
use wasm_bindgen::JsValue;
use web_sys::{CanvasRenderingContext2d, Path2d};

use super::ladder::{Arrow, Ladder, lifeline};
use super::ladder_labels::Label;
use crate::i18n::language::Language;
use crate::session::sent::Ends;

/// Pixels of the column of times, of a lane, and above the ladder.
const TIMES: u64 = 76;
const LANE: u64 = 540;
const HEAD: u64 = 56;
const MARGIN: u64 = 12;
/// Pixels from a lifeline to the middle of a band.
const BESIDE: u64 = 5;

const FONT: &str = "11px monospace";

/// The page's light colours, as its style sheet has them: a picture has none.
const PAPER: &str = "#ffffff";
const TEXT: &str = "#171c23";
const MUTE: &str = "#566070";
const LIFELINE: &str = "#868f9c";
const TCP: &str = "#0a5cab";
const UDP: &str = "#9a4700";
const LOST: &str = "#b3261e";
const HELD: &str = "#e2c27a";

/// A mark of a picture; places are in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Line { from: (u64, u64), to: (u64, u64), ink: &'static str, pen: Pen },
    Text { at: (u64, u64), anchor: &'static str, ink: &'static str, text: String },
}

/// How a line is drawn, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    width: u32,
    dash: u32,
    gap: u32,
}

const SOLID: Pen = Pen { width: 1, dash: 0, gap: 0 };
const FOLD: Pen = Pen { dash: 2, gap: 4, ..SOLID };
const AGAIN: Pen = Pen { dash: 7, gap: 3, ..SOLID };
const BAND: Pen = Pen { width: 9, ..SOLID };

/// A ladder with its caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: u64,
    pub(crate) height: u64,
    marks: Vec<Mark>,
}

impl Picture {
    /// The whole ladder, not only what is in sight.
    pub(crate) fn of(language: Language, ladder: &Ladder, caption: &str) -> Self {
        let lanes: Vec<_> = ladder.lanes().collect();
        let width = MARGIN + TIMES + LANE * lanes.len() as u64;
        let mut picture = Self { width, height: HEAD + ladder.height + MARGIN, marks: Vec::new() };
        picture.text((MARGIN, 22), "start", TEXT, caption.into());
        picture.text((width - MARGIN, 22), "end", MUTE, "Streamgram".into());
        for fold in &ladder.folds {
            let y = HEAD + fold.at;
            picture.line((MARGIN + TIMES, y), (width, y), LIFELINE, FOLD);
            picture.label((MARGIN, TIMES), MUTE, fold.label());
        }
        for at in 0..ladder.arrows.len() {
            ladder.time(at).into_iter().for_each(|it| picture.label((MARGIN, TIMES), MUTE, it));
        }
        let mut left = MARGIN + TIMES;
        for protocol in lanes {
            picture.lane(language, ladder, (protocol, left));
            left += LANE;
        }
        picture
    }

    fn lane(&mut self, language: Language, ladder: &Ladder, (protocol, left): (Protocol, u64)) {
        let x = |percent: u64| left + percent * LANE / 100;
        let ink = if protocol == Protocol::Tcp { TCP } else { UDP };
        self.text((x(50), HEAD - 8), "middle", ink, protocol.name().into());
        for (end, name) in End::BOTH.into_iter().zip([language.client(), ladder.far_end(language)])
        {
            let x = x(lifeline(end));
            self.text((x, HEAD - 8), "middle", MUTE, name.into());
            self.line((x, HEAD), (x, HEAD + ladder.height), LIFELINE, SOLID);
        }
        let bands = || ladder.bands.iter().filter(|_| protocol == Protocol::Tcp);
        for band in bands() {
            let x = x(lifeline(band.held.end));
            let x = if band.held.end == End::Client { x - BESIDE } else { x + BESIDE };
            self.line((x, HEAD + band.from), (x, HEAD + band.to), HELD, BAND);
        }
        let arrows = || ladder.arrows.iter().filter(|arrow| arrow.protocol == protocol);
        let ink = |arrow: &Arrow| if arrow.sent.is_lost() { LOST } else { ink };
        for arrow in arrows() {
            let ((_, far), [start, end]) = (arrow.lifelines(), arrow.line());
            let pen = if arrow.sent.packet.retransmission { AGAIN } else { SOLID };
            let place = |(across, down): (u64, u64)| (x(across), HEAD + down);
            let (open, tip) = match arrow.sent.ends() {
                Ends::Both => (None, "●"),
                Ends::Lost => (None, "✕"),
                Ends::Sender => (None, "○"),
                Ends::Receiver => (Some((start, "○")), "●"),
            };
            let copy = arrow.copy.map(|copy| (far, copy));
            for end in [Some(end), copy].into_iter().flatten() {
                self.line(place(start), place(end), ink(arrow), pen);
            }
            let tips = [open, Some((end, tip)), copy.map(|copy| (copy, "●"))];
            for (at, tip) in tips.into_iter().flatten() {
                let (across, down) = place(at);
                self.text((across, down + 4), "middle", ink(arrow), tip.into());
            }
        }
        for arrow in arrows() {
            self.label((left, LANE), ink(arrow), arrow.label(language));
        }
        for band in bands() {
            self.label((left, LANE), TEXT, band.label(language));
        }
    }

    fn label(&mut self, (left, width): (u64, u64), ink: &'static str, label: Label) {
        let Label { x, y, anchor, text } = label;
        self.text((left + x * width / 100, HEAD + y), anchor, ink, text);
    }

    fn text(&mut self, at: (u64, u64), anchor: &'static str, ink: &'static str, text: String) {
        self.marks.push(Mark::Text { at, anchor, ink, text });
    }

    fn line(&mut self, from: (u64, u64), to: (u64, u64), ink: &'static str, pen: Pen) {
        self.marks.push(Mark::Line { from, to, ink, pen });
    }

    /// The picture as a file of text.
    pub(crate) fn svg(&self) -> String {
        let Self { width, height, .. } = self;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"monospace\" font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"{PAPER}\"/>"
        );
        for mark in &self.marks {
            // A `String` takes everything.
            let _written = match mark {
                Mark::Line { from: (x1, y1), to: (x2, y2), ink, pen: Pen { width, dash, gap } } => {
                    write!(
                        svg,
                        "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{ink}\" \
                     stroke-width=\"{width}\" stroke-dasharray=\"{dash} {gap}\"/>"
                    )
                }
                Mark::Text { at: (x, y), anchor, ink, text } => write!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{ink}\" paint-order=\"stroke\" \
                     stroke=\"{PAPER}\" stroke-width=\"3\">{}</text>",
                    text.replace('&', "&amp;").replace('<', "&lt;")
                ),
            };
        }
        svg + "</svg>"
    }

    /// Paints the picture on a canvas.
    ///
    /// # Errors
    /// The browser does not paint it.
    pub(crate) fn paint(&self, canvas: &CanvasRenderingContext2d) -> Result<(), JsValue> {
        let float = |pixels: u64| f64::from(u32::try_from(pixels).unwrap_or(u32::MAX));
        canvas.set_fill_style_str(PAPER);
        canvas.fill_rect(0.0, 0.0, float(self.width), float(self.height));
        canvas.set_font(FONT);
        for mark in &self.marks {
            match mark {
                Mark::Line { from: (x1, y1), to: (x2, y2), ink, pen: Pen { width, dash, gap } } => {
                    canvas.set_stroke_style_str(ink);
                    canvas.set_line_width((*width).into());
                    let dashes = if *gap > 0 { vec![*dash, *gap] } else { Vec::new() };
                    canvas.set_line_dash(&JsValue::from(dashes))?;
                    let path = format!("M{x1} {y1}L{x2} {y2}");
                    canvas.stroke_with_path(&Path2d::new_with_path_string(&path)?);
                }
                Mark::Text { at: (x, y), anchor, ink, text } => {
                    canvas.set_text_align(if *anchor == "middle" { "center" } else { anchor });
                    canvas.set_stroke_style_str(PAPER);
                    canvas.set_line_width(3.0);
                    canvas.set_line_dash(&Array::new())?;
                    canvas.stroke_text(text, float(*x), float(*y))?;
                    canvas.set_fill_style_str(ink);
                    canvas.fill_text(text, float(*x), float(*y))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::result::ladder::ZOOM_ONE;
    use crate::session::trace::tests::{segment, traced};

    fn svg(caption: &str) -> String {
        let sent = [segment(End::Client, 0, 0, false), segment(End::Client, 1, 62_000, true)];
        let ladder = Ladder::of(&[Some(Rc::new(traced(&sent))), None], ZOOM_ONE);
        Picture::of(Language::En, &ladder, caption).svg()
    }

    #[test]
    fn a_picture_has_what_the_ladder_has() {
        let svg = svg("#3 · Line 3 lost");
        // Two lifelines, an arrow for each packet, and a cross for the lost one.
        assert_eq!(svg.matches("<line").count(), 4);
        assert_eq!(svg.matches('✕').count(), 1);
        for text in ["#3 · Line 3 lost", "TCP", "client", "gateway", "+62.0 ms"] {
            assert!(svg.contains(&format!(">{text}</text>")), "{text}");
        }
        assert!(!svg.contains("UDP"));
    }

    #[test]
    fn what_a_person_typed_is_no_markup() {
        assert!(svg("<script> & {n}").contains(">&lt;script> &amp; {n}</text>"));
    }
}
