//! A program in Python that a test runs: lines go in, and what it prints comes out, or it ends, or it waits.

use std::env;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::PATIENCE;

/// How long a program is watched that is said to wait for ever.
const FOR_EVER: Duration = Duration::from_secs(1);

/// What it prints before it takes a line.
const PROMPT: &str = "> ";

/// A program that runs; it ends with its test.
#[derive(Debug)]
pub struct Program {
    process: Child,
    output: Receiver<Vec<u8>>,
    /// What it has printed and nobody has used yet.
    come: Vec<u8>,
}

/// How a program ended, and what it printed.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed.
    pub output: String,
    /// What it said on standard error.
    pub errors: String,
}

impl Program {
    /// One that gets a port as its argument, and these lines, and then an empty one.
    ///
    /// # Panics
    /// Python does not start.
    #[must_use]
    pub fn start(file: &Path, port: u16, lines: &[&str]) -> Self {
        let mut command = Command::new("python3");
        command.arg(file).arg(port.to_string()).env("PYTHONUTF8", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let mut input = process.stdin.take().expect("a pipe");
        let text = lines.iter().chain(&[""]).map(|line| format!("{line}\n")).collect::<String>();
        // A program that ends early does not read all of it.
        thread::spawn(move || drop(input.write_all(text.as_bytes())));
        let mut output = process.stdout.take().expect("a pipe");
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(bytes @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..bytes].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { process, output: receiver, come: Vec::new() }
    }

    /// The next line that it prints; none if it takes longer.
    pub fn line(&mut self, patience: Duration) -> Option<String> {
        loop {
            if let Some(end) = self.come.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = self.come.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            self.come.extend(self.output.recv_timeout(patience).ok()?);
        }
    }

    /// How it ends.
    ///
    /// # Panics
    /// It does not end.
    #[must_use]
    pub fn end(mut self) -> Ended {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.come.extend(bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it does not end: {}", String::from_utf8_lossy(&self.come))
                }
            }
        }
        let output = String::from_utf8_lossy(&self.come).into_owned();
        let mut errors = String::new();
        let mut stderr = self.process.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut errors).expect("text");
        Ended { status: self.process.wait().expect("it has ended"), output, errors }
    }

    /// What it prints behind its prompts, until it has printed nothing for a while and has not ended.
    ///
    /// # Panics
    /// It ends.
    #[must_use]
    pub fn waits(mut self) -> String {
        // It may start late.
        let mut patience = PATIENCE;
        loop {
            match self.output.recv_timeout(patience) {
                Ok(bytes) => self.come.extend(bytes),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => panic!("it ended: {:?}", self.come),
            }
            patience = FOR_EVER;
        }
        String::from_utf8_lossy(&self.come).replace(PROMPT, "")
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// It takes none.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the process takes signals");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
    }
}

impl Ended {
    /// The lines that it printed, without prompts.
    #[must_use]
    pub fn replies(&self) -> Vec<&str> {
        let lines = self.output.lines().map(|line| line.trim_start_matches(PROMPT));
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// The last line of what it said on standard error.
    #[must_use]
    pub fn last_words(&self) -> &str {
        self.errors.lines().last().unwrap_or_default()
    }
}

/// The program that a variable names, else the one on the path.
#[must_use]
pub fn named_program(name: &str, variable: &str) -> PathBuf {
    env::var_os(variable).map_or_else(|| name.into(), PathBuf::from)
}
