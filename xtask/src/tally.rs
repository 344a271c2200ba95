//! Counts the tests that passed, and collects those that were skipped, with their reasons.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::machine;
use crate::step::{checked, shown};

/// What runners of tests told.
#[derive(Default)]
pub(crate) struct Tally {
    passed: usize,
    /// A line for each test, which names it and says why.
    skipped: Vec<String>,
}

impl Tally {
    /// Runs cargo's or node's tests. What they print goes into a file and is shown at the end, because others
    /// may run beside them. A test that is skipped adds a line to the file that `STREAMGRAM_SKIPPED` names.
    pub(crate) fn of(name: &str, command: &mut Command) -> Result<Self> {
        let (told, skipped) = (machine::target().join(format!("{name}.txt")), skipped(name));
        fs::write(&skipped, "")?;
        let output = File::create(&told)?;
        command.env("STREAMGRAM_SKIPPED", &skipped).env("NO_COLOR", "1");
        command.stdout(output.try_clone()?).stderr(output);
        let ended = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
        let told = String::from_utf8_lossy(&fs::read(told)?).into_owned();
        print!("{told}");
        checked(command, ended)?;
        let skipped: Vec<_> = fs::read_to_string(skipped)?.lines().map(str::to_owned).collect();
        let ran: usize = told.lines().filter_map(tests_of).sum();
        Ok(Self { passed: ran.saturating_sub(skipped.len()), skipped })
    }

    /// Adds what other runners told.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.skipped.extend(other.skipped);
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
pub(crate) fn skipped(name: &str) -> PathBuf {
    machine::target().join(format!("{name}, skipped.txt"))
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
