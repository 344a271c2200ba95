//! A server's processes: started, looked at from outside through /proc, and ended with the benchmark.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use streamgram_tests::PATIENCE;

/// A process, and all that it starts.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts a server that says in its first line where it listens, and returns that line.
    pub(crate) fn start(command: &mut Command) -> (Self, String) {
        let mut child = spawn(command.stdout(Stdio::piped()));
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("standard output can be read");
        assert!(!line.is_empty(), "this does not start: {command:?}");
        // What else it prints goes nowhere; it must neither wait for room in the pipe nor lose it.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        (Self(child), line.trim_end().to_owned())
    }

    /// Starts a server that says nothing; the command gets a free address from `at`.
    pub(crate) fn start_silent(command: &mut Command, at: SocketAddr) -> Self {
        let process = Self(spawn(command.stdout(Stdio::null()).stderr(Stdio::null())));
        let since = Instant::now();
        while TcpStream::connect(at).is_err() {
            assert!(since.elapsed() < PATIENCE, "this does not start: {command:?}");
            // Nobody tells when a program that is not ours listens.
            thread::sleep(Duration::from_millis(10));
        }
        process
    }

    /// Processor time so far, of all threads that live, in nanoseconds as the scheduler counts it.
    pub(crate) fn processor(&self) -> Duration {
        let threads = self.family().into_iter().flat_map(threads);
        let nanos = threads.map(|thread| {
            let stat = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
        });
        Duration::from_nanos(nanos.sum())
    }

    /// How often a thread has gone to sleep so far.
    pub(crate) fn sleeps(&self) -> f64 {
        let threads = self.family().into_iter().flat_map(threads);
        threads.filter_map(|thread| status(thread, "voluntary_ctxt_switches:")).sum()
    }

    /// Memory that is in RAM, in KiB.
    pub(crate) fn resident_kib(&self) -> f64 {
        status(format!("/proc/{}", self.0.id()).into(), "VmRSS:").expect("the process runs")
    }

    /// Asks the server to end, through the tool that it runs under, if it does, and waits for both.
    pub(crate) fn end(mut self) {
        let server = self.family().pop().expect("the process itself");
        signal("-TERM", server);
        self.0.wait().expect("a child can be waited for");
    }

    /// The process and all its descendants, parents first.
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.0.id()];
        let mut known = 0;
        while let Some(&process) = family.get(known) {
            for thread in threads(process) {
                let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
                family.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            }
            known += 1;
        }
        family
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Who has ended already needs no signal.
        if matches!(self.0.try_wait(), Ok(None)) {
            self.family().into_iter().rev().for_each(|process| signal("-KILL", process));
            let _waited = self.0.wait();
        }
    }
}

/// A free address on loopback, for a server that cannot choose one itself.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound")
}

/// The same command, under a tool.
pub(crate) fn under(tool: &[OsString], command: &Command) -> Command {
    let mut wrapped = Command::new(&tool[0]);
    wrapped.args(&tool[1..]).arg(command.get_program()).args(command.get_args());
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    wrapped
}

fn spawn(command: &mut Command) -> Child {
    let child = command.stdin(Stdio::null()).spawn();
    child.unwrap_or_else(|error| panic!("this does not start, {error}: {command:?}"))
}

/// What /proc has of each thread of a process; of one that is gone, nothing.
fn threads(process: u32) -> Vec<PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    tasks.map_or_else(|_| Vec::new(), |tasks| tasks.flatten().map(|task| task.path()).collect())
}

/// A number that the kernel says of a thread or a process, if it lives.
fn status(mut folder: PathBuf, name: &str) -> Option<f64> {
    folder.push("status");
    let status = fs::read_to_string(folder).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

fn signal(which: &str, process: u32) {
    // It may have ended already, and `kill` would say so.
    let process = process.to_string();
    let sent = Command::new("kill").args([which, &process]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "kill is missing: {sent:?}");
}
