//! `streamgram sweep`: the lab's sweep in a terminal, as a table or as CSV.
//!
//! Rows are printed as they come. Progress goes to standard error, if that is a terminal.

use std::io::{self, ErrorKind, IsTerminal, Write, stderr, stdout};

use streamgram_lab::sweep::{Figure, Kind, LINES, Row, Setting, Sweep, Unit};

/// Width of the column of losses, and of each other column.
const LOSS_WIDTH: usize = 7;
const WIDTH: usize = 15;

/// Runs a sweep and prints it.
///
/// # Errors
/// The setting is not allowed, or standard output fails. If only its reader is gone, that is no error.
pub fn run(setting: Setting, csv: bool) -> anyhow::Result<()> {
    let sweep = Sweep::new(setting)?;
    match print(sweep, csv) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn print(sweep: Sweep, csv: bool) -> io::Result<()> {
    let kind = sweep.setting().kind;
    let mut out = stdout();
    let head = if csv { kind.csv_header() } else { head(sweep.setting()) };
    writeln!(out, "{head}")?;
    let watched = stderr().is_terminal();
    for step in sweep {
        if let Some(row) = &step.row {
            if watched {
                clear()?;
            }
            writeln!(out, "{}", if csv { row.csv() } else { line(row) })?;
        } else if watched {
            write!(stderr(), "\rrun {} of {}", step.done, step.of)?;
        }
    }
    Ok(())
}

/// Wipes out the progress: carriage return, and ECMA-48's "erase in line".
fn clear() -> io::Result<()> {
    write!(stderr(), "\r\x1b[K")
}

/// What is run, and the titles of the columns.
fn head(setting: &Setting) -> String {
    let Setting { kind, rtt_ms, mss, seed, runs, .. } = setting;
    let what = match kind {
        Kind::Goodput => "goodput, loss on the way to the server".to_owned(),
        Kind::Exchange => format!("exchange of {LINES} lines, loss both ways"),
    };
    let link = format!("round trip {rtt_ms} ms, MSS {mss} bytes, seed {seed}, {runs} runs each");
    let titles = kind.columns().iter().map(|column| format!("{:>WIDTH$}", column.title));
    format!("{what}; {link}\n{:>LOSS_WIDTH$}{}", "loss", titles.collect::<String>())
}

fn line(row: &Row) -> String {
    let loss = format!("{} %", row.loss);
    let figures = row.figures.iter().map(|figure| format!("{:>WIDTH$}", text(figure)));
    format!("{loss:>LOSS_WIDTH$}{}", figures.collect::<String>())
}

/// A figure for people.
fn text(figure: &Figure) -> String {
    let Some(value) = figure.value else { return "–".to_owned() };
    match figure.column.unit {
        Unit::BitPerSecond if value >= 1e6 => format!("{:.2} Mbit/s", value / 1e6),
        Unit::BitPerSecond => format!("{:.1} kbit/s", value / 1e3),
        Unit::Percent => format!("{value:.2} %"),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Lines => format!("{value:.2} of {LINES}"),
    }
}
