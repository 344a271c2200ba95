//! Draws how cost grows as SVG, in panels side by side. Both axes are logarithmic, so that what grows with every client
//! is a straight line; an axis that counts a few servers is not. Readable on light and on dark.

use std::fmt::Write as _;

/// In pixels: of the whole picture, and of what is around a panel.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 60.0;
const GAP: f64 = 75.0;
const TOP: f64 = 60.0;
const HEIGHT: f64 = 260.0;
/// From one row of panels to the next.
const ROW: f64 = HEIGHT + 85.0;
/// Of a line of the legend.
const LINE: f64 = 20.0;

const STYLE: &str = "\
svg{--back:#fff;--ink:#222;--faint:#8885;--c0:#0b62c4;--c1:#a33ea1;--c2:#1a7f37;--c3:#bc4c00}\
@media(prefers-color-scheme:dark){svg{--back:#16181d;--ink:#ddd;--c0:#6cb2ff;--c1:#e29be0;--c2:#6fd58a;--c3:#ffa657}}\
.back{fill:var(--back)}text{fill:var(--ink);font:12px system-ui,sans-serif}.title{font-size:15px}\
.grid{stroke:var(--faint)}polyline{fill:none;stroke-width:2}\
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}circle{fill:var(--back)}";

/// A picture.
pub(crate) struct Picture<'a> {
    pub(crate) title: &'a str,
    /// What the lines are, in the order of their colours.
    pub(crate) legend: &'a [&'a str],
    pub(crate) columns: usize,
    pub(crate) panels: &'a [Panel],
}

/// What one panel shows.
pub(crate) struct Panel {
    pub(crate) label: &'static str,
    pub(crate) across: &'static str,
    pub(crate) counts: Counts,
    pub(crate) lines: Vec<Line>,
}

/// What is counted along the lower axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// From one to thousands.
    Many,
    /// A few, each of which is marked.
    Few,
}

/// A line of a panel.
pub(crate) struct Line {
    /// Which of the legend, from 0.
    pub(crate) colour: usize,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What an axis reaches from and to: powers of ten, or numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    is_power: bool,
    from: f64,
    to: f64,
}

impl Axis {
    /// The powers of ten between which values lie.
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let powers = values.filter(|value| *value > 0.0).map(f64::log10);
        let (least, most) = powers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), it| {
            (it.min(least), it.max(most))
        });
        if least > most {
            return Self { is_power: true, from: 0.0, to: 1.0 };
        }
        let from = least.floor();
        Self { is_power: true, from, to: most.ceil().max(from + 1.0) }
    }

    /// The numbers from one to the largest.
    fn up_to(values: impl Iterator<Item = f64>) -> Self {
        Self { is_power: false, from: 1.0, to: values.fold(2.0, f64::max) }
    }

    /// Where a value lies, from 0 to 1; what is nothing lies at the edge.
    fn place(self, value: f64) -> f64 {
        let at = if self.is_power { value.log10() } else { value };
        (at.clamp(self.from, self.to) - self.from) / (self.to - self.from)
    }

    /// Every power of ten on it, or every number.
    fn marks(self) -> impl Iterator<Item = f64> {
        let steps = std::iter::successors(Some(self.from), |at| Some(at + 1.0));
        let steps = steps.take_while(move |at| *at <= self.to);
        steps.map(move |at| if self.is_power { 10_f64.powf(at) } else { at })
    }
}

impl Picture<'_> {
    /// The picture as SVG.
    pub(crate) fn draw(&self) -> String {
        let bottom = TOP + self.panels.len().div_ceil(self.columns) as f64 * ROW - 30.0;
        let height = bottom + self.legend.len() as f64 * LINE;
        let title = self.title;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>\n"
        );
        let columns = self.columns as f64;
        let width = (WIDTH - LEFT - 25.0 - (columns - 1.0) * GAP) / columns;
        for (place, panel) in self.panels.iter().enumerate() {
            let (row, column) = (place / self.columns, place % self.columns);
            let left = LEFT + column as f64 * (width + GAP);
            panel.draw(&mut svg, left, TOP + row as f64 * ROW, width);
        }
        // Writing to a String cannot fail.
        for (place, name) in self.legend.iter().enumerate() {
            let y = bottom + 5.0 + place as f64 * LINE;
            let (middle, text) = (y - 4.0, LEFT + 35.0);
            let _ok = writeln!(
                svg,
                "<polyline class=\"c{place}\" points=\"{LEFT},{middle} {},{middle}\"/>\
                 <text x=\"{text}\" y=\"{y}\">{name}</text>",
                LEFT + 25.0
            );
        }
        svg + "</svg>\n"
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, left: f64, top: f64, width: f64) {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let across = match self.counts {
            Counts::Many => Axis::around(points().map(|point| point.0)),
            Counts::Few => Axis::up_to(points().map(|point| point.0)),
        };
        let up = Axis::around(points().map(|point| point.1));
        let x = |value: f64| left + width * across.place(value);
        let y = |value: f64| top + HEIGHT * (1.0 - up.place(value));
        let (right, bottom) = (left + width, top + HEIGHT);
        // Writing to a String cannot fail.
        for mark in across.marks() {
            let (x, under) = (x(mark), bottom + 16.0);
            let _ok = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{under}\" text-anchor=\"middle\">{mark}</text>"
            );
        }
        for mark in up.marks() {
            let (y, before) = (y(mark), left - 6.0);
            let baseline = y + 4.0;
            let _ok = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{before}\" y=\"{baseline:.1}\" text-anchor=\"end\">{mark}</text>"
            );
        }
        let (above, middle, under) = (top - 6.0, left + width / 2.0, bottom + 34.0);
        let _ok = writeln!(
            svg,
            "<text x=\"{left}\" y=\"{above}\">{}</text>\
             <text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\">{}</text>",
            self.label, self.across
        );
        for Line { colour, points } in &self.lines {
            let places: Vec<_> = points.iter().map(|point| (x(point.0), y(point.1))).collect();
            let line = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
            let line = line.collect::<Vec<_>>().join(" ");
            let _ok = writeln!(svg, "<polyline class=\"c{colour}\" points=\"{line}\"/>");
            for (x, y) in places {
                let _ok = writeln!(
                    svg,
                    "<circle class=\"c{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_powers_of_ten_or_at_numbers() {
        let axis = Axis::around([0.0, 0.5, 30.0].into_iter());
        assert_eq!(axis, Axis { is_power: true, from: -1.0, to: 2.0 });
        assert_eq!(axis.marks().collect::<Vec<_>>(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!([0.0, 0.1, 100.0].map(|value| axis.place(value)), [0.0, 0.0, 1.0]);
        let few = Axis::up_to([1.0, 2.0, 3.0].into_iter());
        assert_eq!(few.marks().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
        assert_eq!([1.0, 2.0, 3.0].map(|value| few.place(value)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn every_line_is_drawn_and_has_its_place_in_the_legend() {
        let panel = || Panel {
            label: "processor",
            across: "clients",
            counts: Counts::Many,
            lines: [0, 1]
                .map(|colour| Line { colour, points: vec![(1.0, 0.1), (10.0, 0.1)] })
                .into(),
        };
        let panels = [panel(), panel(), panel()];
        let picture =
            Picture { title: "Cost", legend: &["one", "other"], columns: 2, panels: &panels };
        let svg = picture.draw();
        assert_eq!(svg.matches("<polyline").count(), 2 * (panels.len() + 1));
        assert_eq!(svg.matches("<circle").count(), 2 * 2 * panels.len());
    }
}
