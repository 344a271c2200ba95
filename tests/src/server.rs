//! The real binary, started on free ports; stopped when the test lets go of it.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A free port of loopback.
const LOOPBACK: &str = "127.0.0.1:0";

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
    /// What is for the operator, if it was asked for.
    pub admin: Option<SocketAddr>,
    /// The faulty servers, in the order of their flags, those of TCP first.
    pub faults: Vec<SocketAddr>,
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

    /// A server that another command starts; the flags for free ports are added at its end. It logs
    /// warnings, unless a flag wants it otherwise.
    ///
    /// # Panics
    /// The server does not say where it listens.
    #[must_use]
    pub fn spawn(command: Command) -> Self {
        Self::spawn_at([LOOPBACK; 3], command)
    }

    /// A server whose page is at this address.
    ///
    /// # Panics
    /// The server does not say where it listens.
    #[must_use]
    pub fn start_at(http: &str) -> Self {
        Self::spawn_at([http, LOOPBACK, LOOPBACK], Command::new(binary()))
    }

    /// A server whose page, TCP and UDP are at these addresses, with more flags.
    ///
    /// # Panics
    /// The server does not say where it listens.
    #[must_use]
    pub fn start_on(addresses: [&str; 3], flags: &[&str]) -> Self {
        let mut command = Command::new(binary());
        command.args(flags);
        Self::spawn_at(addresses, command)
    }

    fn spawn_at([http, tcp, udp]: [&str; 3], mut command: Command) -> Self {
        let ports = ["--http", http, "--tcp", tcp, "--udp", udp];
        let mut process = command
            .args(ports)
            .env("STREAMGRAM_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server's binary starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("standard output can be read");
        let ready: Value = serde_json::from_str(&line).expect("the first line is JSON");
        let faults = ready["faults"].as_array().into_iter().flatten();
        let faults = faults.filter_map(|fault| fault["address"].as_str()?.parse().ok()).collect();
        let address = |name: &str| ready[name].as_str().and_then(|at| at.parse().ok());
        Self {
            process,
            http: address("http").expect("an address"),
            tcp: address("tcp").expect("an address"),
            udp: address("udp").expect("an address"),
            admin: address("admin"),
            faults,
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

    /// The same once it has begun to serve: its UDP server's thread opens what it waits with by itself.
    ///
    /// # Panics
    /// UDP is not answered.
    #[must_use]
    pub fn open_files_at_rest(&self) -> usize {
        self.answers_udp();
        self.open_files()
    }

    /// Waits until its UDP server's thread is there, with what it holds from its start on.
    ///
    /// # Panics
    /// UDP is not answered.
    pub fn answers_udp(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
        socket.set_read_timeout(Some(crate::PATIENCE)).expect("a timeout");
        socket.send_to(b"", self.udp).expect("loopback takes it");
        socket.recv(&mut [0; 64]).expect("UDP is answered");
    }

    /// Memory that the process holds in RAM, in KiB, without the pages of its own file: code that runs for the
    /// first time brings those, no client does, and the kernel can drop them.
    ///
    /// # Panics
    /// The process is gone.
    #[must_use]
    pub fn resident_kib(&self) -> u32 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        kib.expect("the shape of proc(5)")
    }

    /// The same once it has begun to serve: what its UDP server remembers of senders takes more than a mebibyte.
    ///
    /// # Panics
    /// The process is gone, or UDP is not answered.
    #[must_use]
    pub fn resident_kib_at_rest(&self) -> u32 {
        self.answers_udp();
        self.resident_kib()
    }

    /// Processor time of the process so far, in milliseconds.
    ///
    /// # Panics
    /// The process is gone.
    #[must_use]
    pub fn processor_ms(&self) -> u32 {
        // `USER_HZ` is 100 everywhere.
        const TICK_MS: u32 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.expect("the process runs");
        // The name in brackets may contain anything; user and system time are the 12th and 13th word
        // after it.
        let (_, words) = stat.rsplit_once(") ").expect("the shape of proc(5)");
        let ticks = words.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u32>());
        TICK_MS * ticks.map(|ticks| ticks.expect("a number")).sum::<u32>()
    }

    /// How often the server says to have refused something, by reason.
    ///
    /// # Panics
    /// It does not say.
    pub async fn refused(&self, reason: &str) -> u64 {
        let answer = crate::get(self.http, "/api/refused").await;
        let refused: Value = serde_json::from_str(answer.text()).expect("JSON");
        refused[reason].as_u64().unwrap_or_else(|| panic!("{reason} is not in {refused}"))
    }

    /// Waits until something was refused for a reason so often, and no more.
    ///
    /// # Panics
    /// It was not, or more often.
    pub async fn has_refused(&self, reason: &str, times: u64) {
        let since = Instant::now();
        loop {
            let now = self.refused(reason).await;
            if now >= times {
                assert_eq!(now, times, "{reason}");
                return;
            }
            assert!(since.elapsed() < crate::PATIENCE, "{reason}: {now} of {times}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the process has no more descriptors open than before.
    ///
    /// # Panics
    /// It does not come to that in time.
    pub async fn returns_to(&self, before: usize, within: Duration) {
        let since = Instant::now();
        while self.open_files() > before {
            let now = self.open_files();
            assert!(since.elapsed() < within, "{now} descriptors are open, {before} were before");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The reading end of its standard error, if that is a pipe.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.process.stderr.take()
    }

    /// Asks the process to stop, waits until it has, and only then reads what it wrote to its standard
    /// error.
    ///
    /// # Panics
    /// It does not stop.
    #[cfg(unix)]
    #[must_use]
    pub fn stop(mut self) -> (ExitStatus, Vec<u8>) {
        use std::io::Read as _;
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the process takes signals");
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("the process can be waited for") {
                break status;
            }
            assert!(since.elapsed() < crate::PATIENCE, "the server stops");
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut log = Vec::new();
        if let Some(mut stderr) = self.stderr() {
            stderr.read_to_end(&mut log).expect("a pipe can be read");
        }
        (status, log)
    }

    /// Waits for the process to end by itself.
    ///
    /// # Panics
    /// The system cannot tell.
    #[must_use]
    pub fn wait(&mut self) -> ExitStatus {
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
