//! What came of it: tables in Markdown, and JSON.

use std::fmt::{self, Display, Formatter};
use std::fs;

use serde::Serialize;

use crate::counts::{Counts, HotCount};
use crate::page::FirstLoad;
use crate::peers::STREAMGRAM;
use crate::rounds::{Measure, Round, Series, Work};
use crate::spread::figure;
use crate::start::Start;

/// Bars for Streamgram alone.
const LISTENING_MS: f64 = 50.0;
const RESIDENT_MIB: f64 = 12.0;
const SESSION_KIB: f64 = 20.0;
const LAB_PACKET_NS: f64 = 400.0;
const FIRST_LOAD_KB: f64 = 300.0;
const INTERACTIVE_MS: f64 = 1_000.0;

/// Everything that one run has found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: String,
    pub(crate) works: Vec<WorkReport>,
    pub(crate) calls: Vec<Counts>,
    pub(crate) instructions: Vec<Counts>,
    pub(crate) hot_paths: Vec<HotCount>,
    pub(crate) start: Start,
    pub(crate) first_load: Option<FirstLoad>,
    pub(crate) bars: Vec<Bar>,
}

/// One load, on all servers.
#[derive(Debug, Serialize)]
pub(crate) struct WorkReport {
    pub(crate) work: String,
    pub(crate) servers: Vec<Series>,
}

/// What is to be reached.
#[derive(Debug, Serialize)]
pub(crate) struct Bar {
    what: String,
    at_most: f64,
    measured: f64,
    shown: String,
}

impl Bar {
    /// A bar for how a load compares, if both servers are there.
    pub(crate) fn of_work(work: &Work, servers: &[Series]) -> Option<Self> {
        let find = |name: &str| servers.iter().find(|series| series.server == name);
        let ratio = find(STREAMGRAM)?.ratio(find(work.against)?, work.counts);
        let counted = if work.counts == Measure::Processor { "CPU per reply" } else { "p50" };
        let [name, against] = [work.name, work.against];
        let what = format!("{name}: {counted} at most {:.1} × {against}", work.at_most);
        let (at_most, measured) = (work.at_most, ratio.median);
        Some(Self { what, at_most, measured, shown: format!("{ratio} ×") })
    }

    /// The bars of Streamgram alone.
    pub(crate) fn of_start(start: &Start, hot_paths: &[HotCount]) -> Vec<Self> {
        let mut bars = vec![
            Self::of("idle session, both legs open:", SESSION_KIB, "KiB", start.session_kib),
            Self::of("start: listening within", LISTENING_MS, "ms", start.listening_ms.median),
            Self::of("start: resident", RESIDENT_MIB, "MiB", start.resident_mib.median),
        ];
        let lab = hot_paths.iter().find(|hot| hot.path.starts_with("lab"));
        bars.extend(lab.map(|lab| Self::of("lab, a packet:", LAB_PACKET_NS, "ns", lab.nanos)));
        bars
    }

    /// The bars of the page.
    pub(crate) fn of_first_load(load: &FirstLoad) -> [Self; 2] {
        let interactive = load.interactive_ms.median;
        [
            Self::of("first load of the page, with brotli:", FIRST_LOAD_KB, "kB", load.bytes / 1e3),
            Self::of(
                "page, a quarter of the processor: interactive within",
                INTERACTIVE_MS,
                "ms",
                interactive,
            ),
        ]
    }

    fn of(what: &str, at_most: f64, unit: &str, measured: f64) -> Self {
        Self {
            what: format!("{what} at most {at_most} {unit}"),
            at_most,
            measured,
            shown: format!("{} {unit}", figure(measured)),
        }
    }

    fn verdict(&self) -> String {
        let over = self.measured / self.at_most - 1.0;
        if over <= 0.0 { "met".into() } else { format!("missed by {:.0} %", 100.0 * over) }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        writeln!(f, "| bar | measured | |\n|---|---|---|")?;
        for bar in &self.bars {
            writeln!(f, "| {} | {} | {} |", bar.what, bar.shown, bar.verdict())?;
        }
        works(f, &self.works)?;
        writeln!(f, "\n| system calls per reply | server | |\n|---|---|---|")?;
        for Counts { work, server, per_reply } in &self.calls {
            let mut calls: Vec<_> =
                per_reply.iter().filter(|(_, times)| **times >= 0.005).collect();
            calls.sort_by(|one, other| other.1.total_cmp(one.1));
            let calls = calls.into_iter().map(|(name, times)| format!("{times:.2} `{name}`"));
            writeln!(f, "| {work} | {server} | {} |", calls.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f, "\n| instructions per reply, in user space | server | |\n|---|---|---|")?;
        for Counts { work, server, per_reply } in &self.instructions {
            let instructions = per_reply.values().copied().map(figure).collect::<String>();
            writeln!(f, "| {work} | {server} | {instructions} |")?;
        }
        writeln!(f, "\n| hot path, each time | instructions | ns |\n|---|---|---|")?;
        for HotCount { path, instructions, nanos } in &self.hot_paths {
            let instructions = instructions.map_or("not counted".into(), figure);
            writeln!(f, "| {path} | {instructions} | {} |", figure(*nanos))?;
        }
        let Start { listening_ms, resident_mib, .. } = &self.start;
        writeln!(f, "\nListening after {listening_ms} ms with {resident_mib} MiB.")?;
        let Some(FirstLoad { painted_ms, interactive_ms, .. }) = &self.first_load else {
            return Ok(());
        };
        write!(
            f,
            "The page, with a quarter of the processor: something painted after {painted_ms} ms, "
        )?;
        writeln!(f, "the prompt takes a line after {interactive_ms} ms.")
    }
}

fn works(f: &mut Formatter<'_>, works: &[WorkReport]) -> fmt::Result {
    write!(f, "\n| work | server | CPU per reply, µs | replies/s | p50, µs | p99, µs | ")?;
    writeln!(f, "sleeps per reply |")?;
    writeln!(f, "|---|---|---|---|---|---|---|")?;
    for WorkReport { work, servers } in works {
        for series in servers {
            let spreads: [fn(&Round) -> f64; 2] = [|it| it.cpu_us, |it| it.p50_us];
            let medians: [fn(&Round) -> f64; 3] =
                [|it| it.per_second, |it| it.p99_us, |it| it.sleeps];
            let spreads = spreads.map(|of| series.spread(of));
            let medians = medians.map(|of| figure(series.spread(of).median));
            let ([cpu, p50], [per_second, p99, sleeps]) = (spreads, medians);
            write!(f, "| {work} | {} | {cpu} | {per_second} | {p50} | {p99} | ", series.server)?;
            writeln!(f, "{sleeps} |")?;
        }
    }
    Ok(())
}

/// What was run on.
pub(crate) fn machine() -> String {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.unwrap_or_default().trim_start_matches([':', ' ', '\t']).trim().to_owned()
    };
    let processor = first("/proc/cpuinfo", "model name");
    let kernel = first("/proc/sys/kernel/osrelease", "");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {processor}, Linux {kernel}; client and server together.")
}
