//! Draws what a server held as SVG: memory, descriptors and tasks over time, with the phases of load in
//! grey. Readable on light and on dark.

use std::fmt::Write as _;

use crate::sample::{DESCRIPTORS, Phase, Sample, TASKS};

/// Of the whole picture and of one panel, in pixels.
const WIDTH: f64 = 800.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const PANEL: f64 = 150.0;
const GAP: f64 = 20.0;
const BOTTOM: f64 = 45.0;

const STYLE: &str = "\
svg{--back:#fff;--ink:#222;--faint:#8885;--line:#0b62c4}\
@media(prefers-color-scheme:dark){svg{--back:#16181d;--ink:#ddd;--line:#6cb2ff}}\
.back{fill:var(--back)}text{fill:var(--ink);font:12px system-ui,sans-serif}.title{font-size:15px}\
.load{fill:var(--faint);opacity:.45}.grid{stroke:var(--faint)}.before{stroke:var(--ink);stroke-dasharray:4 4}\
.held{fill:none;stroke:var(--line);stroke-width:1.2}.after{fill:var(--line)}";

/// What one panel shows.
struct Panel {
    label: &'static str,
    of: fn(&Sample) -> f64,
}

const PANELS: [Panel; 3] = [
    Panel { label: "memory, MiB", of: Sample::resident_mib },
    Panel { label: "descriptors", of: |sample| count(sample, DESCRIPTORS) },
    Panel { label: "tasks", of: |sample| count(sample, TASKS) },
];

fn count(sample: &Sample, place: usize) -> f64 {
    f64::from(u32::try_from(sample.counts[place]).unwrap_or(u32::MAX))
}

/// The picture; of no samples, an empty one.
pub(crate) fn draw(samples: &[Sample]) -> String {
    let panels = f64::from(u8::try_from(PANELS.len()).expect("a few"));
    let height = TOP + panels * (PANEL + GAP) - GAP + BOTTOM;
    let minutes = samples.last().map_or(0.0, minutes).max(0.01);
    let rounds = samples.last().map_or(0, |last| last.round);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>What the server held during {minutes:.0} minutes</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"24\">What the server held during {rounds} rounds of \
         load (grey) and quiet (dots); dashed: before all</text>\n"
    );
    let x = |at: f64| LEFT + at / minutes * (WIDTH - LEFT - RIGHT);
    let mut top = TOP;
    for panel in &PANELS {
        draw_panel(&mut svg, samples, panel, &x, top);
        top += PANEL + GAP;
    }
    let axis = top - GAP;
    let step = step(minutes, 10.0).max(0.25);
    let mut at = 0.0;
    // Writing to a String cannot fail.
    while at <= minutes {
        let (x, y) = (x(at), axis + 16.0);
        let _ok = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{at}</text>");
        at += step;
    }
    let (x, y) = (x(minutes / 2.0), axis + 36.0);
    let _ok = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">minutes</text>");
    svg + "</svg>\n"
}

fn draw_panel(svg: &mut String, all: &[Sample], panel: &Panel, x: &dyn Fn(f64) -> f64, top: f64) {
    let bottom = top + PANEL;
    for load in all.chunk_by(|one, next| one.phase == next.phase) {
        let [first, .., last] = load else { continue };
        let (from, to) = (x(minutes(first)), x(minutes(last)));
        if first.phase == Phase::Load {
            let size = format!("width=\"{:.1}\" height=\"{PANEL}\"", to - from);
            let _ok = writeln!(svg, "<rect class=\"load\" x=\"{from:.1}\" y=\"{top}\" {size}/>");
        }
    }
    let most = all.iter().map(panel.of).fold(1.0, f64::max) * 1.05;
    let y = |value: f64| bottom - value / most * PANEL;
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let across = |class: &str, at: f64| {
        format!(
            "<line class=\"{class}\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\n"
        )
    };
    let step = step(most, 5.0);
    let mut value = 0.0;
    while value <= most {
        let (at, end) = (y(value), left - 6.0);
        svg.push_str(&across("grid", at));
        let baseline = at + 4.0;
        let _ok = writeln!(
            svg,
            "<text x=\"{end}\" y=\"{baseline:.1}\" text-anchor=\"end\">{value}</text>"
        );
        value += step;
    }
    if let Some(before) = all.first() {
        svg.push_str(&across("before", y((panel.of)(before))));
    }
    let middle = top + PANEL / 2.0;
    let _ok = writeln!(
        svg,
        "<text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        panel.label
    );
    svg.push_str("<polyline class=\"held\" points=\"");
    for sample in all {
        let _ok = write!(svg, "{:.1},{:.1} ", x(minutes(sample)), y((panel.of)(sample)));
    }
    svg.push_str("\"/>\n");
    for (place, after) in all.iter().enumerate() {
        let next = all.get(place + 1);
        if after.phase == Phase::Quiet && next.is_none_or(|next| next.phase == Phase::Load) {
            let (x, y) = (x(minutes(after)), y((panel.of)(after)));
            let _ok =
                writeln!(svg, "<circle class=\"after\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
    }
}

fn minutes(sample: &Sample) -> f64 {
    sample.at.as_secs_f64() / 60.0
}

/// The distance of about so many round numbers up to `most`.
fn step(most: f64, marks: f64) -> f64 {
    let power = 10_f64.powf((most / marks).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| most / step <= marks).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn marks_stand_at_round_numbers() {
        let steps = [0.9, 7.0, 20.0, 48.0, 1_300.0].map(|most| step(most, 5.0));
        assert_eq!(steps, [0.2, 2.0, 5.0, 10.0, 500.0]);
    }

    #[test]
    fn a_phase_of_load_is_a_band_and_every_panel_has_a_line() {
        let at = |seconds, phase| {
            let at = Duration::from_secs(seconds);
            Sample { at, phase, resident_bytes: 9 << 20, counts: [7; 6], ..Sample::default() }
        };
        let (quiet, load) = (Phase::Quiet, Phase::Load);
        let svg = draw(&[at(0, quiet), at(1, load), at(9, load), at(12, quiet)]);
        assert_eq!(svg.matches("class=\"load\"").count(), PANELS.len());
        assert_eq!(svg.matches("<polyline").count(), PANELS.len());
        // Before all, and after the load.
        assert_eq!(svg.matches("<circle").count(), 2 * PANELS.len());
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(draw(&[]).ends_with("</svg>\n"));
    }
}
