//! System calls of a running server that fail or take long, by strace's `inject`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{PATIENCE, Server};

/// The calls by which a datagram may be received.
const RECEIVING: &str = "recvfrom,recvmsg,recvmmsg";

/// A tracer that makes system calls fail until it is stopped.
#[derive(Debug)]
pub struct Faults {
    tracer: Child,
    // A tracer that nobody listens to would end when it has something to say.
    _says: BufReader<ChildStderr>,
    log: PathBuf,
}

impl Faults {
    /// Makes calls of a server fail, `accept4:error=EMFILE:when=1+3` for example. Its name is that of a
    /// file in `folder`.
    ///
    /// # Errors
    /// The tracer's own words, where it is missing or may not look into another process.
    pub fn inject(server: &Server, what: &str, folder: &Path) -> Result<Self, String> {
        let inject = format!("inject={what}");
        Self::attach(&["-f", "-e", &inject], what, server.pid(), folder)
    }

    /// Makes calls of the thread that answers datagrams fail or take long; what it receives is in the
    /// [log](Self::log).
    ///
    /// # Errors
    /// The same.
    ///
    /// # Panics
    /// UDP is not answered.
    pub async fn inject_into_udp(
        server: &Server,
        what: &str,
        folder: &Path,
    ) -> Result<Self, String> {
        let thread = udp_thread(server, folder).await?;
        let trace = format!("trace={RECEIVING},{}", calls(what));
        Self::attach(&["-e", &trace, "-e", &format!("inject={what}")], what, thread, folder)
    }

    fn attach(flags: &[&str], what: &str, to: u32, folder: &Path) -> Result<Self, String> {
        let program = std::env::var_os("STRACE").unwrap_or("strace".into());
        let log = folder.join(format!("{to}-{what}.strace"));
        let mut tracer = Command::new(program)
            .args(["-s", "64", "-e", &format!("trace={}", calls(what))])
            .args(flags)
            .arg("-o")
            .arg(&log)
            .args(["-p", &to.to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("strace: {error}"))?;
        let mut says = BufReader::new(tracer.stderr.take().expect("standard error is a pipe"));
        let mut first = String::new();
        says.read_line(&mut first).expect("standard error can be read");
        if first.contains(" attached") {
            return Ok(Self { tracer, _says: says, log });
        }
        let _ended = tracer.wait();
        Err(first.trim().to_owned())
    }

    /// How many calls have failed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.log().lines().filter(|line| line.ends_with("(INJECTED)")).count()
    }

    /// The calls so far, with what they received or sent.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Lets go of the server, which goes on.
    ///
    /// # Panics
    /// The tracer does not end.
    pub async fn stop(mut self) {
        // A tracer that is killed would leave a call that it has begun to change.
        let interrupt = Command::new("kill").args(["-INT", &self.tracer.id().to_string()]).status();
        assert!(interrupt.is_ok_and(|status| status.success()), "strace can be interrupted");
        let since = Instant::now();
        while self.tracer.try_wait().expect("strace can be waited for").is_none() {
            assert!(since.elapsed() < PATIENCE, "strace lets go");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The names of the calls in `recvfrom,recvmsg:error=EIO`.
fn calls(what: &str) -> &str {
    what.split(':').next().unwrap_or(what)
}

/// The thread that takes a datagram.
async fn udp_thread(server: &Server, folder: &Path) -> Result<u32, String> {
    const MARK: &str = "which thread is it";
    let calls = Faults::attach(&["-f"], RECEIVING, server.pid(), folder)?;
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let since = Instant::now();
    loop {
        socket.send_to(MARK.as_bytes(), server.udp).expect("loopback takes it");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let log = calls.log();
        let line = log.lines().find(|line| line.contains(MARK));
        if let Some(thread) = line.and_then(|line| line.split(' ').next()?.parse().ok()) {
            calls.stop().await;
            return Ok(thread);
        }
        assert!(since.elapsed() < PATIENCE, "no thread takes datagrams: {log}");
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill; a test that failed kills its server too.
        let _killed = self.tracer.kill();
        let _waited = self.tracer.wait();
        let _removed = fs::remove_file(&self.log);
    }
}
