//! The real binary, started on free ports; stopped when the test lets go of it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// The page, the API and the WebSocket.
    pub http: SocketAddr,
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

impl Server {
    /// A server with its defaults, but for the ports.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// A server with more flags.
    #[must_use]
    pub fn start_with(flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(flags);
        Self::spawn(command)
    }

    /// A server that another command starts; the flags for free ports are added at its end.
    ///
    /// # Panics
    /// The server does not say where it listens.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let ports = ["--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"];
        let mut process = command
            .args(ports)
            .args(["--log", "warn"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server's binary starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("standard output can be read");
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        let address = |name: &str| ready[name].as_str().and_then(|at| at.parse().ok());
        Self {
            process,
            http: address("http").expect("an address"),
            tcp: address("tcp").expect("an address"),
            udp: address("udp").expect("an address"),
        }
    }

    /// The process, to look at it from outside.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Descriptors that the process has open.
    ///
    /// # Panics
    /// The process is gone.
    #[must_use]
    pub fn open_files(&self) -> usize {
        let listed = std::fs::read_dir(format!("/proc/{}/fd", self.pid()));
        listed.expect("the process runs").count()
    }

    /// Processor time that the process has used, in hundredths of a second (`USER_HZ` is 100
    /// everywhere).
    ///
    /// # Panics
    /// The process is gone.
    #[must_use]
    pub fn processor_time(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.expect("the process runs");
        // The name in brackets may contain anything; user and system time are the 12th and 13th after
        // it.
        let (_, fields) = stat.rsplit_once(") ").expect("the shape of proc(5)");
        let ticks = fields.split(' ').skip(11).take(2);
        ticks.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// Waits for the process to end by itself.
    ///
    /// # Panics
    /// The system cannot tell.
    #[must_use]
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.process.wait().expect("the process can be waited for")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is what a test of stopping wants.
        let _killed = self.process.kill();
        let _waited = self.process.wait();
    }
}

/// The binary that is tested: `STREAMGRAM_BIN`, else the one that cargo built beside this test.
///
/// # Panics
/// There is none.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("STREAMGRAM_BIN") {
        return named.into();
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let binary = folder.join(format!("streamgram{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.exists(), "{} is missing: cargo build -p streamgram", binary.display());
    binary
}
