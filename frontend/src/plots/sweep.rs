//! A sweep of loss as its worker tells it: how far it is, its CSV, and its plots. What a sweep is and what
//! it may be asked for is the lab's; it needs no session.

use std::rc::Rc;

use serde::Deserialize;
use streamgram_lab::sweep::Kind;
use yew::Reducible;

use super::plot::{Axis, BOTH, Plot, Row, SERIES, Scale, Series, Shape};
use crate::i18n::figures::Unit;
use crate::i18n::language::Language;

const LOSS_UNIT: Unit = Unit::HundredthsOfPercent;

/// A sweep, under way or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sweep {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) done: u64,
    pub(crate) runs: u64,
    /// What has come, to the last byte.
    pub(crate) csv: String,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// None was wanted yet.
    None,
    Running,
    Done,
    Cancelled,
    /// The worker's sentence; none if there is no worker.
    Failed(Option<String>),
}

/// What the worker says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Message {
    Begun { header: String, runs: u64 },
    Progress { done: u64 },
    Row { line: String },
    End {},
    Error { message: String },
}

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Started(Kind),
    Received(Message),
    Ended(State),
}

impl Sweep {
    pub(crate) fn new(kind: Kind, state: State) -> Self {
        Self { kind, state, done: 0, runs: 0, csv: String::new() }
    }

    /// A plot for each unit that its columns have.
    pub(crate) fn plots(&self, language: Language) -> Vec<Plot> {
        let models = named(&["Reno", "Cubic", "Mathis", "PFTK"]);
        let times = named(&[language.stat_median(), language.sweep_mean(), language.sweep_worst()]);
        let udp = || BOTH[1..].to_vec();
        let plot = |name, title, first, series: Vec<Series>, unit, scale| Plot {
            csv_header: "",
            name,
            title,
            x: Axis { label: language.sweep_loss(), unit: LOSS_UNIT, scale: Scale::Steps },
            y: Axis { label: "", unit, scale },
            shape: Shape::Lines,
            rows: self.rows(first, series.len(), unit),
            series,
        };
        let (percent, linear) = (Unit::ThousandthsOfPercent, Scale::Linear);
        match self.kind {
            Kind::Goodput => vec![
                plot("goodput", language.sweep_goodput(), 1, models, Unit::BitRate, Scale::Log),
                plot("delivered", language.sweep_share(), 5, udp(), percent, linear),
            ],
            Kind::Exchange => vec![
                plot("time", language.sweep_time(), 1, times, Unit::Microseconds, Scale::Log),
                plot("answered", language.sweep_answered(), 4, udp(), Unit::Thousandths, linear),
                plot("complete", language.sweep_complete(), 5, udp(), percent, linear),
            ],
        }
    }

    /// The rows of the CSV with so many cells from the first on.
    fn rows(&self, first: usize, many: usize, unit: Unit) -> Vec<Row> {
        let row = |line: &str| {
            let x = fixed(line.split(',').next()?, decimals(LOSS_UNIT))?;
            let mut cells = [None; SERIES];
            for (cell, text) in cells.iter_mut().zip(line.split(',').skip(first).take(many)) {
                *cell = fixed(text, decimals(unit));
            }
            Some(Row { x, cells })
        };
        self.csv.lines().skip(1).filter_map(row).collect()
    }
}

impl Reducible for Sweep {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut sweep = Rc::unwrap_or_clone(self);
        match action {
            Action::Started(kind) => sweep = Self::new(kind, State::Running),
            Action::Received(Message::Begun { header, runs }) => {
                sweep.csv = header + "\n";
                sweep.runs = runs;
            }
            Action::Received(Message::Progress { done }) => sweep.done = done,
            Action::Received(Message::Row { line }) => sweep.csv += &(line + "\n"),
            Action::Received(Message::End {}) => sweep.state = State::Done,
            Action::Received(Message::Error { message }) => {
                sweep.state = State::Failed(Some(message));
            }
            Action::Ended(state) => sweep.state = state,
        }
        Rc::new(sweep)
    }
}

fn named(names: &[&'static str]) -> Vec<Series> {
    let styles = ["tcp", "second", "third", "fourth"];
    names.iter().zip(styles).map(|(name, style)| Series { name, style }).collect()
}

/// Decimals that the lab writes of seconds, percents and so on: this unit is the last of them.
fn decimals(unit: Unit) -> usize {
    match unit {
        Unit::Whole | Unit::BitRate => 0,
        Unit::HundredthsOfPercent => 2,
        Unit::Thousandths | Unit::ThousandthsOfPercent => 3,
        Unit::Microseconds => 6,
    }
}

/// A number with a point as a whole number of its last decimal; none of what is no such number.
fn fixed(text: &str, decimals: usize) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || rest.len() > decimals {
        return None;
    }
    format!("{whole}{rest:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep_of(kind: Kind, lines: &[&str]) -> Rc<Sweep> {
        let sweep = Rc::new(Sweep::new(kind, State::None)).reduce(Action::Started(kind));
        let begun = Message::Begun { header: kind.csv_header(), runs: 9 };
        let rows = lines.iter().map(|line| Message::Row { line: (*line).into() });
        let messages = [begun].into_iter().chain(rows).chain([Message::Progress { done: 3 }]);
        messages.fold(sweep, |sweep, message| sweep.reduce(Action::Received(message)))
    }

    #[test]
    fn a_number_with_a_point_is_whole_in_its_last_decimal() {
        let numbers = ["0", "0.1", "12.25", "0.125", "", ".5", "x", "99999999999999999999"];
        let fixed = numbers.map(|text| fixed(text, 2));
        assert_eq!(fixed, [Some(0), Some(10), Some(1_225), None, None, None, None, None]);
    }

    #[test]
    fn the_csv_is_what_came_and_the_plots_have_its_figures() {
        let lines = ["0,19880000,19880001,,,100.000", "0.1,4950000,6130000,4840000,4420000,99.880"];
        let sweep = sweep_of(Kind::Goodput, &lines);
        assert_eq!(
            sweep.csv,
            format!("{}\n{}\n{}\n", Kind::Goodput.csv_header(), lines[0], lines[1])
        );
        let plots = sweep.plots(Language::En);
        assert_eq!(plots.len(), 2);
        let cells =
            |plot: &Plot| plot.rows.iter().map(|row| (row.x, row.cells)).collect::<Vec<_>>();
        let models = [Some(4_950_000), Some(6_130_000), Some(4_840_000), Some(4_420_000)];
        let none = [Some(19_880_000), Some(19_880_001), None, None];
        assert_eq!(cells(&plots[0]), [(0, none), (10, models)]);
        let share = |share| [Some(share), None, None, None];
        assert_eq!(cells(&plots[1]), [(0, share(100_000)), (10, share(99_880))]);
    }

    #[test]
    fn every_column_of_the_lab_is_in_one_plot() {
        for kind in Kind::EVERY {
            let plots = Sweep::new(kind, State::Done).plots(Language::En);
            let series: usize = plots.iter().map(|plot| plot.series.len()).sum();
            assert_eq!(series, kind.columns().len());
        }
        let plots =
            sweep_of(Kind::Exchange, &["20,23.9,37.8,319.000001,12.82,0.000"]).plots(Language::En);
        let cells: Vec<_> = plots.iter().map(|plot| plot.rows[0].cells).collect();
        let times = [Some(23_900_000), Some(37_800_000), Some(319_000_001), None];
        let one = |cell| [Some(cell), None, None, None];
        assert_eq!(cells, [times, one(12_820), one(0)]);
    }

    #[test]
    fn a_new_sweep_begins_at_the_beginning() {
        let sweep = sweep_of(Kind::Exchange, &["0,1,1,1,20,100"]);
        let sweep = sweep.reduce(Action::Ended(State::Cancelled));
        assert_eq!((&sweep.state, sweep.done), (&State::Cancelled, 3));
        let sweep = sweep.reduce(Action::Started(Kind::Goodput));
        assert_eq!(*sweep, Sweep::new(Kind::Goodput, State::Running));
    }
}
