//! Runs one step after the other and says where it is.

use std::process::{Command, ExitStatus};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::machine;

/// The steps of one task.
pub(crate) struct Plan {
    steps: usize,
    begun: usize,
}

impl Plan {
    pub(crate) fn of(steps: usize) -> Self {
        Self { steps, begun: 0 }
    }

    /// Does one step; nothing after it is begun if it fails.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.begun += 1;
        let place = format!("[{}/{}]", self.begun, self.steps);
        eprintln!("{place} {name}");
        let started = Instant::now();
        work().with_context(|| format!("{name} failed"))?;
        // After the last step its own closing lines stay the last.
        if self.begun < self.steps {
            eprintln!("{place} {name}: {:.1} s", started.elapsed().as_secs_f32());
        }
        Ok(())
    }

    /// Runs one command as a step; what it prints is passed through.
    pub(crate) fn command(&mut self, name: &str, mut command: Command) -> Result<()> {
        self.step(name, || complete(&mut command))
    }
}

/// A cargo command in the project's root, by the cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(machine::root());
    cargo
}

/// Runs a command to its end.
pub(crate) fn complete(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    checked(command, status)
}

/// Whether a command ended well.
pub(crate) fn checked(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("this ended with {status}: {}", shown(command));
    }
    Ok(())
}

/// Hands the terminal over to a command, so that Ctrl-C and its exit status are its own.
#[cfg(unix)]
pub(crate) fn become_command(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let shown = shown(command);
    Err(command.exec()).with_context(|| format!("cannot run {shown}"))
}

#[cfg(not(unix))]
pub(crate) fn become_command(command: &mut Command) -> Result<()> {
    complete(command)
}

/// A command as somebody would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
