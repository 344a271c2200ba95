//! The real nats-server with JetStream, on loopback and a free port; it ends with its test.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::Value;

use crate::raw_request;

/// Where Debian puts it, which is not on everybody's path.
const DEBIAN: &str = "/usr/sbin/nats-server";

/// A nats-server, which may be down for a while.
#[derive(Debug)]
pub struct Nats {
    process: Option<Child>,
    folder: PathBuf,
    flags: Vec<String>,
    /// Where it listens, whenever it runs.
    pub at: SocketAddr,
    /// Where it tells how it does.
    monitor: SocketAddr,
}

impl Nats {
    /// One that keeps what it stores in a new folder below this one.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(below: &Path) -> Self {
        Self::start_with(below, &[])
    }

    /// The same with more flags.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with(below: &Path, flags: &[&str]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = below.join(format!("nats-{}-{number}", std::process::id()));
        let flags = flags.iter().map(|&flag| flag.into()).collect();
        let nowhere = ([127, 0, 0, 1], 0).into();
        let mut nats = Self { process: None, folder, flags, at: nowhere, monitor: nowhere };
        nats.start_again();
        nats
    }

    /// Its address as a flag takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.at)
    }

    /// Starts it again where it was, with what it had stored.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        // -1 is a free port; 0 would be the usual one.
        let port = if self.at.port() == 0 { "-1".into() } else { self.at.port().to_string() };
        let mut process = Command::new(program())
            .args(["--addr", "127.0.0.1", "--port", &port, "--http_port", "-1"])
            .args(["--jetstream", "--store_dir"])
            .arg(&self.folder)
            .args(&self.flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nats-server starts");
        let log = process.stderr.take().expect("a pipe");
        self.process = Some(process);
        (self.at, self.monitor) = ready(BufReader::new(log));
    }

    /// How many messages it has got from clients so far, and sent to them.
    ///
    /// # Panics
    /// It does not say.
    pub async fn messages(&self) -> u64 {
        // HTTP/1.0 knows no chunks.
        let told = raw_request(self.monitor, b"GET /varz HTTP/1.0\r\n\r\n").await;
        let told: Value = serde_json::from_str(told.text()).expect("JSON");
        ["in_msgs", "out_msgs"].map(|name| told[name].as_u64().expect("a number")).iter().sum()
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Panics
    /// It is down already.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let asked = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the process takes signals");
        process.wait().expect("it can be waited for");
    }

    /// Ends it as a lost machine does.
    ///
    /// # Panics
    /// It is down already.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it runs");
        process.wait().expect("it can be waited for");
    }

    /// Loses all that it has stored.
    ///
    /// # Panics
    /// It runs.
    pub fn forget(&mut self) {
        assert!(self.process.is_none(), "it runs");
        fs::remove_dir_all(&self.folder).expect("it has stored something");
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// Reads its log until it is ready, and returns where it listens, for clients and for whoever asks how it does.
fn ready(mut log: BufReader<ChildStderr>) -> (SocketAddr, SocketAddr) {
    let mut read = String::new();
    while !read.trim_end().ends_with("Server is ready") {
        let bytes = log.read_line(&mut read).expect("a log is text");
        assert!(bytes > 0, "it does not start: {read}");
    }
    // What else it says goes nowhere; it must neither wait for room in the pipe nor lose it.
    thread::spawn(move || io::copy(&mut log, &mut io::sink()));
    let told = |words: &str| {
        let mut lines = read.lines().filter_map(|line| line.split_once(words));
        let address = lines.find_map(|(_, address)| address.parse().ok());
        address.unwrap_or_else(|| panic!("it does not say where it listens: {read}"))
    };
    (told("Listening for client connections on "), told("Starting http monitor on "))
}

/// The program that `NATS_SERVER` names, else Debian's, else the one on the path.
fn program() -> PathBuf {
    let debian = Path::new(DEBIAN);
    let usual = || if debian.exists() { debian.into() } else { "nats-server".into() };
    env::var_os("NATS_SERVER").map_or_else(usual, PathBuf::from)
}
