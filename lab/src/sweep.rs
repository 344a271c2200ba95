//! Sweeps: what TCP and UDP make of a link that loses more and more, in virtual time, run by run.
//!
//! A [`Sweep`] is an iterator that does one seeded run at a time, so that its caller can show how far it
//! is, or stop. The same [`Setting`] gives the same rows and the same CSV on every machine, in wasm32
//! too: its floats know only what IEEE 754 rounds exactly, the four operations and square roots.

mod setting;
mod traffic;

use std::fmt;

use streamgram_protocol::{Congestion, Percent};

pub use self::setting::{
    BadSetting, Kind, LOSSES, Limit, MOST_LOSS, MSS, RTT, RUNS, SEED, Setting, parse_loss,
};
use self::traffic::Traffic;
pub use self::traffic::{BUFFER, DATAGRAMS, LINES, PACKETS, SECONDS};
use crate::model;

/// The first timeout that PFTK counts with: the least that RFC 6298 allows, which holds while a round trip
/// is shorter and always the same.
const RTO_S: f64 = 1.0;

/// What a figure is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bits a second.
    BitPerSecond,
    /// Percent.
    Percent,
    /// Seconds.
    Seconds,
    /// Lines, of [`LINES`].
    Lines,
}

/// A column of the table that a sweep makes; the loss stands before them all.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// What it is called in CSV.
    pub name: &'static str,
    /// What it is called by people.
    pub title: &'static str,
    /// What its figures are in.
    pub unit: Unit,
}

const fn column(name: &'static str, title: &'static str, unit: Unit) -> Column {
    Column { name, title, unit }
}

const GOODPUT: [Column; 5] = [
    column("reno_bit_per_s", "Reno", Unit::BitPerSecond),
    column("cubic_bit_per_s", "Cubic", Unit::BitPerSecond),
    column("mathis_bit_per_s", "Mathis", Unit::BitPerSecond),
    column("pftk_bit_per_s", "PFTK", Unit::BitPerSecond),
    column("udp_delivered_percent", "UDP delivered", Unit::Percent),
];
const _: () = assert!(LINES == 20, "a column is called so");
const EXCHANGE: [Column; 5] = [
    column("tcp_median_s", "TCP, median", Unit::Seconds),
    column("tcp_mean_s", "TCP, mean", Unit::Seconds),
    column("tcp_worst_s", "TCP, worst", Unit::Seconds),
    column("udp_answered_of_20", "UDP answered", Unit::Lines),
    column("udp_complete_percent", "UDP complete", Unit::Percent),
];

impl Kind {
    /// The columns behind the loss.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Goodput => &GOODPUT,
            Self::Exchange => &EXCHANGE,
        }
    }

    /// The first line of the CSV, without its end.
    #[must_use]
    pub fn csv_header(self) -> String {
        let names = self.columns().iter().map(|column| column.name);
        [["loss_percent"].as_slice(), &names.collect::<Vec<_>>()].concat().join(",")
    }

    fn traffic(self) -> &'static [Traffic] {
        match self {
            Self::Goodput => &[
                Traffic::Bulk(Congestion::Reno),
                Traffic::Bulk(Congestion::Cubic),
                Traffic::Datagrams,
            ],
            Self::Exchange => &[Traffic::TcpLines, Traffic::UdpLines],
        }
    }
}

/// A figure: none where a model has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Where it stands.
    pub column: &'static Column,
    /// In the column's unit.
    pub value: Option<f64>,
}

impl fmt::Display for Figure {
    /// As in CSV: whole bits a second, and as many decimals of the rest as there is something to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(value) = self.value else { return Ok(()) };
        match self.column.unit {
            Unit::BitPerSecond => write!(f, "{value:.0}"),
            Unit::Percent | Unit::Lines => write!(f, "{value:.3}"),
            Unit::Seconds => write!(f, "{value:.6}"),
        }
    }
}

/// What came of all runs at one loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The loss.
    pub loss: Percent,
    /// One figure for each of the sweep's columns.
    pub figures: Vec<Figure>,
}

impl Row {
    /// The line of the CSV, without its end.
    #[must_use]
    pub fn csv(&self) -> String {
        let loss = format!("{}", self.loss);
        self.figures.iter().fold(loss, |line, figure| format!("{line},{figure}"))
    }
}

/// A run has been done.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Runs so far.
    pub done: u64,
    /// Runs in all.
    pub of: u64,
    /// The row, if this was the last run of its loss.
    pub row: Option<Row>,
}

/// A sweep under way: an iterator that does one run each time, which takes tens of milliseconds at most.
#[derive(Debug)]
pub struct Sweep {
    setting: Setting,
    /// Rows so far.
    rows: usize,
    done: u64,
    /// What the runs at this loss gave; the kinds of traffic take turns.
    samples: Vec<f64>,
}

impl Sweep {
    /// A sweep that has not begun.
    ///
    /// # Errors
    /// Something in the setting is not allowed.
    pub fn new(setting: Setting) -> Result<Self, BadSetting> {
        setting.check()?;
        Ok(Self { setting, rows: 0, done: 0, samples: Vec::new() })
    }

    /// What it was asked for.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Runs in all.
    #[must_use]
    pub fn runs(&self) -> u64 {
        let runs: u64 = self.setting.losses.iter().map(|loss| self.setting.runs_at(*loss)).sum();
        runs * self.setting.kind.traffic().len() as u64
    }

    /// What the runs of one loss come to.
    fn row(&self, loss: Percent) -> Row {
        let traffic = self.setting.kind.traffic().len();
        let of = |which| self.samples.iter().copied().skip(which).step_by(traffic).collect();
        let values = match self.setting.kind {
            Kind::Goodput => goodput(&self.setting, loss, [of(0), of(1), of(2)]),
            Kind::Exchange => exchange(of(0), &of(1)),
        };
        let figures = self.setting.kind.columns().iter().zip(values);
        Row { loss, figures: figures.map(|(column, value)| Figure { column, value }).collect() }
    }
}

fn goodput(setting: &Setting, loss: Percent, samples: [Vec<f64>; 3]) -> [Option<f64>; 5] {
    let [reno, cubic, delivered] = samples.map(|samples| mean(&samples));
    let [mss, rtt_s] = [number(setting.mss), number(setting.rtt_ms) / 1e3];
    let share = f64::from(loss.in_hundredths()) / 1e4;
    // Without loss the models know no limit.
    let finite = |bits: f64| bits.is_finite().then_some(bits);
    let mathis = finite(model::mathis(mss, rtt_s, share));
    let pftk = finite(model::pftk(mss, rtt_s, RTO_S, share));
    [Some(reno), Some(cubic), mathis, pftk, Some(100.0 * delivered)]
}

fn exchange(mut times: Vec<f64>, answered: &[f64]) -> [Option<f64>; 5] {
    times.sort_by(f64::total_cmp);
    let complete = answered.iter().filter(|lines| **lines >= f64::from(LINES)).count();
    let complete = 100.0 * number(complete as u64) / number(answered.len() as u64);
    let worst = times.last().copied();
    [Some(median(&times)), Some(mean(&times)), worst, Some(mean(answered)), Some(complete)]
}

impl Iterator for Sweep {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let loss = *self.setting.losses.get(self.rows)?;
        let traffic = self.setting.kind.traffic();
        let (run, which) = (self.samples.len() / traffic.len(), self.samples.len() % traffic.len());
        self.samples.push(traffic[which].run(&self.setting, loss, run as u64));
        self.done += 1;
        let needed = self.setting.runs_at(loss) * traffic.len() as u64;
        let row = (self.samples.len() as u64 == needed).then(|| self.row(loss));
        if row.is_some() {
            self.samples.clear();
            self.rows += 1;
        }
        Some(Step { done: self.done, of: self.runs(), row })
    }
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / number(samples.len() as u64)
}

/// Of what is sorted: the one in the middle, or between the two.
fn median(samples: &[f64]) -> f64 {
    let half = samples.len() / 2;
    mean(&samples[half - usize::from(samples.len().is_multiple_of(2))..=half])
}

#[expect(clippy::cast_precision_loss, reason = "counts and settings are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
