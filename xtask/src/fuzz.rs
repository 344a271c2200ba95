//! Runs the fuzz targets one after the other, and says at the end what came of each.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::machine;
use crate::step::Plan;

/// Bytes of the longest input: room for a row of messages, or of packets.
const MAX_INPUT_BYTES: u32 = 4_096;
/// Seconds that one input may take.
const INPUT_SECONDS: u32 = 10;
/// MiB that a target may hold.
const MEMORY_MIB: u32 = 1_024;

/// What libFuzzer says of a run; nothing where it did not come to say it.
#[derive(Debug, Default)]
struct Report {
    runs: String,
    per_second: String,
    edges: String,
    all_edges: String,
    features: String,
    finding: Option<String>,
}

/// Runs every target, or one, for so many seconds each.
pub(crate) fn run(seconds: u32, only: Option<&str>) -> Result<()> {
    let folder = machine::root().join("fuzz");
    let targets: Vec<String> = (targets(&folder)?.into_iter())
        .filter(|target| only.is_none_or(|only| only == target))
        .collect();
    if targets.is_empty() {
        bail!("no target {}: see fuzz/fuzz_targets", only.unwrap_or_default());
    }
    let plan = Plan::of(targets.len() + 1);
    plan.step("what fuzzing needs, and the targets", || {
        machine::nightly()?;
        machine::cargo_tool("fuzz")?;
        crate::step::complete(&mut cargo_fuzz(&folder, "build"))
    })?;
    let mut table = format!(
        "{:<16}{:>11}{:>9}{:>16}{:>10}  result\n",
        "target", "runs", "runs/s", "edges", "features"
    );
    let mut findings = 0;
    for target in &targets {
        plan.step(target, || {
            let report = fuzz(&folder, target, seconds)?;
            findings += usize::from(report.finding.is_some());
            let Report { runs, per_second, edges, all_edges, features, finding } = report;
            let edges = format!("{edges} of {all_edges}");
            let finding = finding.as_deref().unwrap_or("nothing found");
            let figures = format!("{runs:>11}{per_second:>9}{edges:>16}{features:>10}");
            Ok(writeln!(table, "{target:<16}{figures}  {finding}")?)
        })?;
    }
    eprint!("\n{table}");
    if findings > 0 {
        bail!("{findings} of {} targets found something", targets.len());
    }
    Ok(())
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in folder.join("fuzz_targets").read_dir()? {
        let path = entry?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

/// cargo-fuzz, without a sanitizer: there is no unsafe code of ours for one to watch, and without one
/// more inputs are tried.
fn cargo_fuzz(folder: &Path, task: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", task, "--sanitizer", "none"]);
    command.current_dir(folder);
    command
}

/// Runs one target. What it finds worth keeping goes to `found`, what breaks it to `artifacts`.
fn fuzz(folder: &Path, target: &str, seconds: u32) -> Result<Report> {
    let (found, seeds) = (format!("found/{target}"), format!("corpus/{target}"));
    std::fs::create_dir_all(folder.join(&found))?;
    let mut command = cargo_fuzz(folder, "run");
    command.args([target, &found, &seeds, "--", "-dict=words.dict", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={MAX_INPUT_BYTES}"));
    command.arg(format!("-timeout={INPUT_SECONDS}"));
    command.arg(format!("-rss_limit_mb={MEMORY_MIB}"));
    let mut running = command.stderr(Stdio::piped()).spawn().context("rustup is missing")?;
    let mut report = Report::default();
    let stderr = running.stderr.take().context("standard error is a pipe")?;
    for line in BufReader::new(stderr).lines() {
        let line = line?;
        report.read(&line);
        if is_worth_showing(&line) {
            eprintln!("{line}");
        }
    }
    if !running.wait()?.success() && report.finding.is_none() {
        bail!("{target} did not run");
    }
    Ok(report)
}

impl Report {
    fn read(&mut self, line: &str) {
        let word_after = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            rest.split_whitespace().next().map(str::to_owned)
        };
        let set = |field: &mut String, name| {
            if let Some(word) = word_after(name) {
                *field = word;
            }
        };
        set(&mut self.runs, "stat::number_of_executed_units:");
        set(&mut self.per_second, "stat::average_exec_per_sec:");
        if line.starts_with('#') {
            set(&mut self.edges, " cov: ");
            set(&mut self.features, " ft: ");
        }
        if line.starts_with("INFO: Loaded") && line.contains("inline 8-bit counters") {
            set(&mut self.all_edges, "(");
        }
        self.finding = word_after("Test unit written to ").or_else(|| self.finding.take());
    }
}

/// Not every input that is kept, nor the words that libFuzzer has learned.
fn is_worth_showing(line: &str) -> bool {
    let is_kept = line.starts_with('#') && (line.contains("NEW") || line.contains("REDUCE"));
    let is_word = line.starts_with('"') || line.starts_with("######");
    !is_kept && !is_word && !line.starts_with("stat::")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_last_figures_and_the_finding() {
        let mut report = Report::default();
        for line in [
            "INFO: Loaded 1 modules   (13402 inline 8-bit counters): 13402 [0x5, 0x9), ",
            "#2\tINITED cov: 100 ft: 150 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#9\tDONE   cov: 312 ft: 890 corp: 5/9b lim: 4 exec/s: 4 rss: 31Mb",
            "stat::number_of_executed_units: 17077",
            "stat::average_exec_per_sec:     656",
            "artifact_prefix='artifacts/text/'; Test unit written to artifacts/text/crash-1",
        ] {
            report.read(line);
        }
        let Report { runs, per_second, edges, all_edges, features, finding } = report;
        assert_eq!([runs, per_second, edges], ["17077", "656", "312"]);
        assert_eq!([all_edges, features], ["13402", "890"]);
        assert_eq!(finding.unwrap(), "artifacts/text/crash-1");
    }
}
