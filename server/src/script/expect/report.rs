//! What came of the cases: for a person, and as JUnit's XML for the tools that read it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::case::{Difference, Outcome};

/// Writes a line for a case, and more if it failed.
///
/// # Errors
/// What the output says.
pub(super) fn tell(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let seconds = outcome.took.as_secs_f64();
    let word = if outcome.is_ok() { "ok    " } else { "FAILED" };
    writeln!(out, "{word} {} ({seconds:.2} s)", outcome.name)?;
    if !outcome.is_ok() {
        write!(out, "{}", explained(outcome))?;
    }
    Ok(())
}

/// Writes how many of the cases are ok; the status of the process.
///
/// # Errors
/// What the output says.
pub(super) fn sum_up(outcomes: &[Outcome], out: &mut impl Write) -> io::Result<ExitCode> {
    let (ok, all) = (outcomes.iter().filter(|outcome| outcome.is_ok()).count(), outcomes.len());
    writeln!(out, "{ok} of {all} cases are ok")?;
    Ok(if ok == all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the outcomes as JUnit's XML.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write_junit(outcomes: &[Outcome], suite: &str, to: &Path) -> anyhow::Result<()> {
    let mut report = Report::new("streamgram expect");
    report.set_time(outcomes.iter().map(|outcome| outcome.took).sum::<Duration>());
    let mut cases = TestSuite::new(suite);
    cases.add_test_cases(outcomes.iter().map(|outcome| {
        let mut status = TestCaseStatus::success();
        if let Some(first) = outcome.differences.first() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let Difference { what, expected, seen } = first;
            status.set_message(format!("{what}: expected {expected}, seen {seen}"));
            status.set_description(explained(outcome));
        }
        let mut case = TestCase::new(&*outcome.name, status);
        case.set_classname(suite).set_time(outcome.took);
        case.set_system_out_lossy(&outcome.stdout).set_system_err_lossy(&outcome.stderr);
        case
    }));
    report.add_test_suite(cases);
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    report.serialize(file).with_context(|| format!("cannot write {}", to.display()))
}

/// What is not as it must be, and what was seen.
fn explained(outcome: &Outcome) -> String {
    let mut text = String::new();
    for Difference { what, expected, seen } in &outcome.differences {
        text += &format!("  {what}\n    expected  {expected}\n    seen      {seen}\n");
    }
    if !outcome.observations.is_empty() {
        text += "  what was seen\n";
    }
    for line in &outcome.observations {
        text += &format!("    {line}\n");
    }
    text
}

impl Outcome {
    fn is_ok(&self) -> bool {
        self.differences.is_empty()
    }
}
