//! Counts the tests that passed, and collects those that were skipped, with their reasons.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::machine;
use crate::step::{checked, shown};

/// What the runners of a task's tests told.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    /// A line for each test, which names it and says why.
    skipped: Vec<String>,
}

impl Tally {
    /// Runs cargo's or node's tests, and passes on what they print. A test that is skipped adds a line to
    /// the file that `STREAMGRAM_SKIPPED` names.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        let file = skipped();
        fs::write(&file, "")?;
        command.env("STREAMGRAM_SKIPPED", &file).env("NO_COLOR", "1").stdout(Stdio::piped());
        let mut runner =
            command.spawn().with_context(|| format!("cannot run {}", shown(command)))?;
        let output = runner.stdout.take().context("standard output is a pipe")?;
        let mut ran = 0;
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            ran += tests_of(&line).unwrap_or(0);
        }
        checked(command, runner.wait()?)?;
        let skipped = fs::read_to_string(file)?;
        self.passed += ran.saturating_sub(skipped.lines().count());
        self.skipped.extend(skipped.lines().map(str::to_owned));
        Ok(())
    }

    /// Adds the files whose tests, or some of them, are for other systems than this one.
    pub(crate) fn skip_other_systems(&mut self) -> Result<()> {
        let marks = [
            (r#"cfg(target_os = "linux")"#, "Linux", cfg!(target_os = "linux")),
            ("cfg(unix)", "a Unix", cfg!(unix)),
        ];
        for entry in machine::root().join("tests/tests").read_dir()? {
            let path = entry?.path();
            let source = fs::read_to_string(&path)?;
            for (_, system, _) in
                marks.iter().filter(|(mark, _, here)| !here && source.contains(mark))
            {
                self.skipped
                    .push(format!("{}: all or a part of it needs {system}", path.display()));
            }
        }
        Ok(())
    }

    /// Says what was skipped, and closes with a line that counts all tests.
    pub(crate) fn close(&self) {
        for test in &self.skipped {
            println!("skipped: {test}");
        }
        println!("{} passed, 0 failed, {} skipped", self.passed, self.skipped.len());
    }
}

/// The file with the tests that a runner has skipped.
pub(crate) fn skipped() -> PathBuf {
    machine::target().join("skipped.txt")
}

/// How many tests a closing line counts, of cargo's runner or of node's.
fn tests_of(line: &str) -> Option<usize> {
    let counted = line.strip_prefix("test result: ok. ").or(line.strip_prefix("ℹ tests "))?;
    counted.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let cargo = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(tests_of(cargo), Some(12));
        assert_eq!(tests_of("ℹ tests 7"), Some(7));
        assert_eq!(tests_of("test a_line_is_answered ... ok"), None);
    }
}
