//! Draws how cost grows as SVG: processor and memory over the number of clients, both axes logarithmic, so
//! that what grows with every client is a straight line. Readable on light and on dark.

use std::fmt::Write as _;

use crate::scale::{Curve, Point};

/// Of the whole picture and of one panel, in pixels.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 60.0;
const PANEL: f64 = 350.0;
const GAP: f64 = 75.0;
const TOP: f64 = 60.0;
const HEIGHT: f64 = 260.0;
/// Of a line of the legend.
const LINE: f64 = 20.0;

const STYLE: &str = "\
svg{--back:#fff;--ink:#222;--faint:#8885;--c0:#0b62c4;--c1:#a33ea1;--c2:#1a7f37;--c3:#bc4c00}\
@media(prefers-color-scheme:dark){svg{--back:#16181d;--ink:#ddd;--c0:#6cb2ff;--c1:#e29be0;--c2:#6fd58a;--c3:#ffa657}}\
.back{fill:var(--back)}text{fill:var(--ink);font:12px system-ui,sans-serif}.title{font-size:15px}\
.grid{stroke:var(--faint)}polyline{fill:none;stroke-width:2}\
.c0{stroke:var(--c0)}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}circle{fill:var(--back)}";

/// What one panel shows.
struct Panel {
    label: &'static str,
    of: fn(&Point) -> f64,
}

const PANELS: [Panel; 2] = [
    Panel { label: "processor, % of a core", of: |point| 100.0 * point.cores },
    Panel { label: "memory, MiB", of: |point| point.resident_mib },
];

/// The powers of ten between which an axis lies.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>) -> Self {
        let powers = values.filter(|value| *value > 0.0).map(f64::log10);
        let (least, most) = powers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), it| {
            (it.min(least), it.max(most))
        });
        if least > most {
            return Self { from: 0.0, to: 1.0 };
        }
        let from = least.floor();
        Self { from, to: most.ceil().max(from + 1.0) }
    }

    /// Where a value lies, from 0 to 1; what is nothing lies at the edge.
    fn place(self, value: f64) -> f64 {
        let power = value.log10().clamp(self.from, self.to);
        (power - self.from) / (self.to - self.from)
    }

    /// The powers of ten on it.
    fn marks(self) -> impl Iterator<Item = f64> {
        let steps = std::iter::successors(Some(self.from), |power| Some(power + 1.0));
        steps.take_while(move |power| *power <= self.to).map(|power| 10_f64.powf(power))
    }
}

/// The picture.
pub(crate) fn draw(curves: &[Curve]) -> String {
    let height = TOP + HEIGHT + 55.0 + curves.len() as f64 * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>What clients cost, from one to thousands</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">What clients cost the server, from one to \
         thousands</text>\n"
    );
    for (place, panel) in PANELS.iter().enumerate() {
        draw_panel(&mut svg, curves, panel, LEFT + place as f64 * (PANEL + GAP));
    }
    // Writing to a String cannot fail.
    for (place, Curve { crowd, .. }) in curves.iter().enumerate() {
        let y = TOP + HEIGHT + 60.0 + place as f64 * LINE;
        let (middle, text) = (y - 4.0, LEFT + 35.0);
        let _ok = writeln!(
            svg,
            "<polyline class=\"c{place}\" points=\"{LEFT},{middle} {},{middle}\"/>\
             <text x=\"{text}\" y=\"{y}\">{crowd}</text>",
            LEFT + 25.0
        );
    }
    svg + "</svg>\n"
}

fn draw_panel(svg: &mut String, curves: &[Curve], panel: &Panel, left: f64) {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let across = Axis::around(points().map(|point| point.clients as f64));
    let up = Axis::around(points().map(panel.of));
    let x = |value: f64| left + PANEL * across.place(value);
    let y = |value: f64| TOP + HEIGHT * (1.0 - up.place(value));
    let (right, bottom) = (left + PANEL, TOP + HEIGHT);
    // Writing to a String cannot fail.
    for mark in across.marks() {
        let (x, under) = (x(mark), bottom + 16.0);
        let _ok = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
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
    let (above, middle, under) = (TOP - 6.0, left + PANEL / 2.0, bottom + 34.0);
    let _ok = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{above}\">{}</text>\
         <text x=\"{middle}\" y=\"{under}\" text-anchor=\"middle\">clients</text>",
        panel.label
    );
    for (place, Curve { points, .. }) in curves.iter().enumerate() {
        let places: Vec<_> =
            points.iter().map(|point| (x(point.clients as f64), y((panel.of)(point)))).collect();
        let line = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
        let line = line.collect::<Vec<_>>().join(" ");
        let _ok = writeln!(svg, "<polyline class=\"c{place}\" points=\"{line}\"/>");
        for (x, y) in places {
            let _ok =
                writeln!(svg, "<circle class=\"c{place}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_powers_of_ten() {
        let axis = Axis::around([0.0, 0.5, 30.0].into_iter());
        assert_eq!(axis, Axis { from: -1.0, to: 2.0 });
        assert_eq!(axis.marks().collect::<Vec<_>>(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!([0.0, 0.1, 100.0].map(|value| axis.place(value)), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn every_crowd_has_a_line_in_each_panel_and_one_in_the_legend() {
        let point = |clients| Point {
            clients,
            cores: 0.1,
            resident_mib: 10.0,
            p50_ms: None,
            p99_ms: None,
            lost: 0,
        };
        let curve = || Curve { crowd: "some".into(), points: vec![point(1), point(10)] };
        let svg = draw(&[curve(), curve()]);
        assert_eq!(svg.matches("<polyline").count(), 2 * (PANELS.len() + 1));
        assert_eq!(svg.matches("<circle").count(), 2 * 2 * PANELS.len());
    }
}
