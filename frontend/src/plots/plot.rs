//! A plot is a table of whole numbers: a row for each place on the way across, a column for each series.
//! Here are its bins, outlines and CSV; [`plot_figure`](crate::plots::plot_figure) draws them.

use std::collections::BTreeMap;

use super::scale::{MOST, rounded, sixth};
pub(crate) use super::scale::{PARTS, Scale, Ticks};
use crate::i18n::figures::{Unit, exact};

/// Series that a plot has at most.
pub(crate) const SERIES: usize = 4;
/// Bins of whole numbers, about; wider ones for one more.
const BINS: u64 = 20;
/// Characters of labels that stand side by side on the narrowest telephone.
const CHARACTERS: usize = 40;

/// What an axis shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) unit: Unit,
    pub(crate) scale: Scale,
}

/// How the rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Dots,
    Lines,
    Bars,
}

impl Shape {
    /// What the style sheet calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Dots => "dots",
            Self::Lines => "lines",
            Self::Bars => "bars",
        }
    }
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// What the style sheet calls it: its colour, dashes and marks.
    pub(crate) style: &'static str,
}

/// What is plotted over TCP and UDP, in this order.
pub(crate) const BOTH: [Series; 2] =
    [Series { name: "TCP", style: "tcp" }, Series { name: "UDP", style: "udp" }];

/// A place on the way across, and what each series has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) x: u64,
    pub(crate) cells: [Option<u64>; SERIES],
}

/// A plot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plot {
    /// The first line of its CSV; none if that is made by somebody else.
    pub(crate) csv_header: &'static str,
    /// In the names of its files.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) shape: Shape,
    pub(crate) series: Vec<Series>,
    /// In order.
    pub(crate) rows: Vec<Row>,
}

/// The ticks of both axes.
pub(crate) struct Axes {
    pub(crate) across: Ticks,
    pub(crate) up: Ticks,
}

/// A series as paths of SVG; `0 0` is at the top.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    pub(crate) line: String,
    /// Dots, or bars.
    pub(crate) marks: String,
}

impl Plot {
    pub(crate) fn axes(&self) -> Axes {
        let last = self.rows.last().map_or(0, |row| row.x);
        let cells = || self.rows.iter().flat_map(|row| row.cells.iter().flatten());
        let (least, most) = (cells().min().copied(), cells().max().copied());
        let up = Ticks::new(self.y.scale, least.unwrap_or(0), most.unwrap_or(0));
        Axes { across: Ticks::new(Scale::Linear, 0, last), up }
    }

    /// Where labels of the axis across stand, and what they say.
    pub(crate) fn labels(&self, across: &Ticks) -> Vec<(u64, String)> {
        let text = |x: u64| self.x.unit.text(x);
        if self.x.scale != Scale::Steps {
            return across.at.iter().map(|at| (across.place(*at), text(*at))).collect();
        }
        let longest = self.rows.iter().map(|row| text(row.x).chars().count()).max();
        let every = (self.rows.len() * (longest.unwrap_or(0) + 2)).div_ceil(CHARACTERS).max(1);
        let steps = self.rows.iter().enumerate().step_by(every);
        steps.map(|(at, row)| (self.step(at), text(row.x))).collect()
    }

    /// The middle of a step.
    fn step(&self, at: usize) -> u64 {
        (2 * at as u64 + 1) * PARTS / (2 * self.rows.len() as u64)
    }

    pub(crate) fn outline(&self, series: usize, Axes { across, up }: &Axes) -> Outline {
        let Outline { mut line, mut marks } = Outline::default();
        let width = PARTS / self.rows.len().max(1) as u64;
        for (at, row) in self.rows.iter().enumerate() {
            let Some(cell) = row.cells[series] else { continue };
            let x = match self.x.scale {
                Scale::Steps => self.step(at),
                _ => across.place(row.x),
            };
            let y = PARTS - up.place(cell);
            if self.shape == Shape::Bars {
                if cell == 0 {
                    continue;
                }
                let bar = width * 8 / 10 / self.series.len().max(1) as u64;
                let from = (x + bar * series as u64).saturating_sub(width * 4 / 10);
                marks += &format!("M{from} {PARTS}V{y}h{bar}V{PARTS}z");
            } else {
                let pen = if line.is_empty() { 'M' } else { 'L' };
                line += &format!("{pen}{x} {y}");
                // A line of no length, which has round or square ends.
                marks += &format!("M{x} {y}h0");
            }
        }
        if self.shape != Shape::Lines {
            line.clear();
        }
        Outline { line, marks }
    }

    /// The rows as CSV (RFC 4180, lines end with LF): a cell is empty where a series has nothing.
    pub(crate) fn csv(&self) -> String {
        let mut csv = format!("{}\n", self.csv_header);
        for row in &self.rows {
            csv += &exact(self.x.unit, row.x);
            for cell in &row.cells[..self.series.len()] {
                csv.push(',');
                csv += &cell.map(|cell| exact(self.y.unit, cell)).unwrap_or_default();
            }
            csv.push('\n');
        }
        csv
    }
}

/// Samples of TCP and UDP as rows, in the order of their places, which stand in order.
pub(crate) fn merged(samples: &[Vec<(u64, u64)>; 2]) -> Vec<Row> {
    // Of several samples at one place, each has a row.
    let mut rows = BTreeMap::<(u64, usize), Row>::new();
    for (of, samples) in samples.iter().enumerate() {
        for same in samples.chunk_by(|one, next| one.0 == next.0) {
            for (nth, &(x, y)) in same.iter().enumerate() {
                let row = rows.entry((x, nth)).or_insert(Row { x, cells: [None; SERIES] });
                row.cells[of] = Some(y);
            }
        }
    }
    rows.into_values().collect()
}

/// How many samples of TCP and UDP stand in each bin: a row for each, from its first number on.
pub(crate) fn binned(scale: Scale, samples: &[Vec<u64>; 2]) -> Vec<Row> {
    let all = || samples.iter().flatten().map(|sample| (*sample).min(MOST));
    let (Some(least), Some(most)) = (all().min(), all().max()) else { return Vec::new() };
    let step = rounded((most - least) / BINS + 1);
    let mut from = if scale == Scale::Log { 0 } else { least - least % step };
    let mut rows = Vec::new();
    while from <= most {
        let next = if scale == Scale::Log { sixth(from) } else { from + step };
        if least < next {
            let within = |sample: &&u64| (from..next).contains(&(**sample).min(MOST));
            let count = |of: usize| Some(samples[of].iter().filter(within).count() as u64);
            rows.push(Row { x: from, cells: [count(0), count(1), None, None] });
        }
        from = next;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(shape: Shape, scale: Scale, rows: Vec<Row>) -> Plot {
        let axis = |scale| Axis { label: "", unit: Unit::Whole, scale };
        let (x, y) = (axis(scale), axis(Scale::Linear));
        let series = BOTH.to_vec();
        Plot { csv_header: "x,tcp,udp", name: "", title: "", x, y, shape, series, rows }
    }

    fn row(x: u64, tcp: Option<u64>, udp: Option<u64>) -> Row {
        Row { x, cells: [tcp, udp, None, None] }
    }

    #[test]
    fn samples_of_both_stand_in_one_order_and_share_rows_where_they_meet() {
        let rows = merged(&[vec![(1, 10), (4, 11)], vec![(2, 20), (4, 21), (4, 22)]]);
        let expected = [
            row(1, Some(10), None),
            row(2, None, Some(20)),
            row(4, Some(11), Some(21)),
            row(4, None, Some(22)),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn bins_are_shared_and_every_sample_is_in_one() {
        let counts = |scale, tcp: &[u64], udp: &[u64]| {
            let rows = binned(scale, &[tcp.to_vec(), udp.to_vec()]);
            rows.iter().map(|row| (row.x, row.cells[0], row.cells[1])).collect::<Vec<_>>()
        };
        let bin = |x, tcp, udp| (x, Some(tcp), Some(udp));
        assert_eq!(
            counts(Scale::Linear, &[2, 2, 4], &[4]),
            [bin(2, 2, 0), bin(3, 0, 0), bin(4, 1, 1)]
        );
        assert_eq!(
            counts(Scale::Log, &[310, 299], &[700, 312]),
            [bin(200, 1, 0), bin(300, 1, 1), bin(500, 0, 0), bin(700, 0, 1)]
        );
        assert_eq!(counts(Scale::Log, &[0], &[14]), [bin(0, 1, 0), bin(10, 0, 1)]);
        assert_eq!(counts(Scale::Linear, &[], &[]), []);
        let wide = binned(Scale::Linear, &[vec![1, 1_000], vec![]]);
        assert!(wide.len() as u64 <= BINS + 1);
        let huge = binned(Scale::Log, &[vec![0, u64::MAX], vec![]]);
        assert_eq!(huge.iter().filter_map(|row| row.cells[0]).sum::<u64>(), 2);
    }

    #[test]
    fn dots_lines_and_bars_are_outlines() {
        let rows = vec![row(0, Some(0), None), row(4, Some(4), Some(2))];
        let outline = |shape, scale, series| {
            let plot = plot(shape, scale, rows.clone());
            plot.outline(series, &plot.axes())
        };
        let marks = "M0 1000h0M1000 0h0".to_owned();
        let dots = Outline { line: String::new(), marks: marks.clone() };
        assert_eq!(outline(Shape::Dots, Scale::Linear, 0), dots);
        let lines = Outline { line: "M0 1000L1000 0".into(), marks };
        assert_eq!(outline(Shape::Lines, Scale::Linear, 0), lines);
        let bars = outline(Shape::Bars, Scale::Steps, 1);
        assert_eq!(bars.marks, "M750 1000V500h200V1000z");
    }

    #[test]
    fn labels_of_steps_leave_room_for_each_other() {
        let rows = |many| (0..many).map(|x| row(x, Some(1), None)).collect();
        let labels = |many| {
            let plot = plot(Shape::Bars, Scale::Steps, rows(many));
            plot.labels(&plot.axes().across)
        };
        assert_eq!(labels(2), [(250, "0".into()), (750, "1".into())]);
        assert!(labels(1_000).len() <= 8);
    }

    #[test]
    fn csv_has_a_line_for_each_row_and_an_empty_cell_for_nothing() {
        let plot = plot(
            Shape::Dots,
            Scale::Linear,
            vec![row(1, Some(2_000), None), row(3, None, Some(4))],
        );
        assert_eq!(plot.csv(), "x,tcp,udp\n1,2000,\n3,,4\n");
    }

    #[test]
    fn a_plot_of_nothing_or_of_anything_is_no_panic() {
        for rows in [vec![], vec![row(u64::MAX, Some(u64::MAX), Some(0))]] {
            for scale in [Scale::Linear, Scale::Log, Scale::Steps] {
                let plot = plot(Shape::Bars, scale, rows.clone());
                let axes = plot.axes();
                let _outline = (plot.outline(0, &axes), plot.labels(&axes.across), plot.csv());
            }
        }
    }
}
