//! `streamgram expect`: does what the cases of a file say, one after the other, and compares.

mod case;
mod command;
mod file;
mod number;
mod report;
mod seen;
mod text;

use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use self::case::Outcome;
use self::file::{Case, Deed, Wrong};
use super::play::Played;
use crate::config::ExpectFlags;

/// Carries out a file of checks, and tells what came of it. The status is 0 if all cases are ok, 1 if one is not, and 2
/// if the file is wrong.
///
/// # Errors
/// What came of it cannot be written.
pub async fn run(flags: ExpectFlags) -> anyhow::Result<ExitCode> {
    let ExpectFlags { file, junit, command } = flags;
    let cases = match file::read(&file, &command) {
        Ok(read) => read.cases,
        Err(wrong) => return Ok(wrong.told()),
    };
    let mut outcomes = Vec::with_capacity(cases.len());
    for case in &cases {
        let outcome = case.outcome().await;
        written(report::tell(&outcome, &mut stdout()))?;
        outcomes.push(outcome);
    }
    finish(&outcomes, &file, junit.as_deref(), &mut stdout())
}

/// The cases of a file that are about the figures of a run.
#[derive(Debug)]
pub(super) struct OfFigures {
    file: std::path::PathBuf,
    cases: Vec<Case>,
}

/// Reads those of a file.
///
/// # Errors
/// The file is wrong, or has none.
pub(super) fn of_figures(path: &Path) -> Result<OfFigures, Wrong> {
    let mut cases = file::read(path, &[])?.cases;
    cases.retain(|case| matches!(case.deed, Deed::Given));
    if cases.is_empty() {
        let why = "no case checks the figures of a run: tcp or udp, without run and scenario";
        return Err(Wrong::of(path, why));
    }
    Ok(OfFigures { file: path.to_owned(), cases })
}

impl OfFigures {
    /// Compares a run with them. If standard output is for `events`, standard error tells what came of it.
    ///
    /// # Errors
    /// What came of it cannot be written.
    pub(super) fn check(
        &self,
        played: &Played,
        junit: Option<&Path>,
        events: bool,
    ) -> anyhow::Result<ExitCode> {
        let outcomes: Vec<_> = self.cases.iter().map(|case| case.of_run(played)).collect();
        let mut out: Box<dyn Write> = if events { Box::new(stderr()) } else { Box::new(stdout()) };
        outcomes.iter().try_for_each(|outcome| written(report::tell(outcome, &mut out)))?;
        finish(&outcomes, &self.file, junit, &mut out)
    }
}

fn finish(
    outcomes: &[Outcome],
    file: &Path,
    junit: Option<&Path>,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let suite = file.file_stem().map_or_else(|| "expect".into(), |stem| stem.to_string_lossy());
    if let Some(junit) = junit {
        report::write_junit(outcomes, &suite, junit)?;
    }
    let status = report::sum_up(outcomes, out);
    match status {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        // Whoever reads it has had enough; the status tells all the same.
        Err(_gone) => report::sum_up(outcomes, &mut std::io::sink()).context("a sink takes all"),
        Ok(status) => Ok(status),
    }
}

/// A reader that is gone is no error: the status tells what came of it.
fn written(outcome: std::io::Result<()>) -> anyhow::Result<()> {
    match outcome {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}
