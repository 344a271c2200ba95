//! Runs the steps of a task and says where it is.

use std::panic::resume_unwind;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::machine;

/// The steps of one task.
pub(crate) struct Plan {
    steps: usize,
    begun: AtomicUsize,
}

impl Plan {
    pub(crate) fn of(steps: usize) -> Self {
        Self { steps, begun: AtomicUsize::new(0) }
    }

    /// Does one step, and returns what it has made.
    pub(crate) fn step<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let place = format!("[{number}/{}]", self.steps);
        eprintln!("{place} {name}");
        let started = Instant::now();
        let done = work();
        let seconds = started.elapsed().as_secs_f32();
        // What runs beside it may take minutes more, before the error is shown.
        if done.is_err() {
            eprintln!("{place} {name} failed after {seconds:.1} s");
        } else if number < self.steps {
            // After the last step its own closing lines stay the last.
            eprintln!("{place} {name}: {seconds:.1} s");
        }
        done.with_context(|| format!("{name} failed"))
    }

    /// Runs one command as a step; what it prints is passed through.
    pub(crate) fn command(&self, name: &str, mut command: Command) -> Result<()> {
        self.step(name, || complete(&mut command))
    }
}

/// Does two things at the same time, each to its end.
pub(crate) fn side_by_side<A: Send, B>(
    one: impl FnOnce() -> Result<A> + Send,
    other: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((one?, other?))
    })
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
