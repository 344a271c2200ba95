//! Who is measured: Streamgram, and what else answers the same requests. `cargo xtask bench` has made or
//! installed the others; one that is missing has no row.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use streamgram_tests::binary;

use crate::process::{Process, free_address, under};

/// Limits that no load of ours reaches: what is measured is the work, not the refusals.
const FLAGS: [&str; 5] = [
    "--messages-per-s=1000000",
    "--message-bytes-per-s=1000000000",
    "--lines-per-s=1000000",
    "--legs-per-min=1000000",
    "--udp-per-s=10000000",
];

/// What a client says to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Tcp,
    Udp,
    /// A line over TCP, asked for in a session of Streamgram's.
    Session,
    /// A WebSocket's frame, which a bridge passes on to a TCP server as it is.
    Frame,
}

/// A server with all the processes that it takes.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) speech: Speech,
    pub(crate) at: SocketAddr,
    pub(crate) processes: Vec<Process>,
}

/// Where the other programs are.
#[derive(Debug)]
pub(crate) struct Peers {
    folder: PathBuf,
}

/// The servers' names in tables.
pub(crate) const STREAMGRAM: &str = "Streamgram";
pub(crate) const C: &str = "C";
pub(crate) const PYTHON: &str = "Python";
pub(crate) const WEBSOCAT: &str = "websocat + C";
pub(crate) const WEBSOCKIFY: &str = "websockify + C";

impl Peers {
    pub(crate) fn in_folder(folder: &str) -> Self {
        Self { folder: folder.into() }
    }

    /// Everybody who understands this, Streamgram first.
    pub(crate) fn all(&self, speech: Speech) -> Vec<Peer> {
        let others = match speech {
            Speech::Tcp | Speech::Udp => [self.c(speech), self.python(speech)],
            Speech::Session | Speech::Frame => [self.websocat(&[]), self.websockify()],
        };
        let own = streamgram(STREAMGRAM, streamgram_command(&binary()), speech);
        [own].into_iter().chain(others.into_iter().flatten()).collect()
    }

    /// The command of a server in C, if it could be compiled.
    pub(crate) fn c_command(&self, speech: Speech) -> Option<Command> {
        self.program(if speech == Speech::Udp { "udp" } else { "tcp" })
    }

    fn c(&self, speech: Speech) -> Option<Peer> {
        Some(plain(C, self.c_command(speech)?, speech))
    }

    fn python(&self, speech: Speech) -> Option<Peer> {
        let mut python = self.program("venv/bin/python3")?;
        let script = if speech == Speech::Udp { "udp.py" } else { "tcp.py" };
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
        python.arg(scripts.join(script));
        Some(plain(PYTHON, python, speech))
    }

    /// websocat in front of the C server, alone or under a tool.
    pub(crate) fn websocat(&self, tool: &[OsString]) -> Option<Peer> {
        let mut websocat = self.program("tools/bin/websocat")?;
        // What a tool counts is websocat's alone.
        self.bridge(if tool.is_empty() { WEBSOCAT } else { "websocat" }, |at, c| {
            websocat.args(["--binary", &format!("ws-l:{at}"), &format!("tcp:{c}")]);
            if tool.is_empty() { websocat } else { under(tool, &websocat) }
        })
    }

    fn websockify(&self) -> Option<Peer> {
        let mut websockify = self.program("venv/bin/websockify")?;
        self.bridge(WEBSOCKIFY, |at, c| {
            websockify.args([at.to_string(), c.to_string()]);
            websockify
        })
    }

    /// A bridge in front of the C server.
    fn bridge(
        &self,
        name: &str,
        command: impl FnOnce(SocketAddr, SocketAddr) -> Command,
    ) -> Option<Peer> {
        let Peer { at: c, mut processes, .. } = self.c(Speech::Tcp)?;
        let at = free_address();
        processes.push(Process::start_silent(&mut command(at, c), at));
        Some(Peer { name: name.into(), speech: Speech::Frame, at, processes })
    }

    fn program(&self, path: &str) -> Option<Command> {
        let path = self.folder.join(path);
        path.is_file().then(|| Command::new(path))
    }
}

/// How Streamgram is started for all this.
pub(crate) fn streamgram_command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args(["--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0"]);
    command.args(FLAGS).env("STREAMGRAM_LOG", "warn");
    // By its variable, which an older binary without a capture does not mind.
    command.env("STREAMGRAM_CAPTURE", "off");
    command
}

/// A Streamgram, for one kind of clients.
pub(crate) fn streamgram(name: &str, mut command: Command, speech: Speech) -> Peer {
    let (process, line) = Process::start(&mut command);
    let addresses: Value = serde_json::from_str(&line).expect("the first line is JSON");
    let surface = match speech {
        Speech::Tcp => "tcp",
        Speech::Udp => "udp",
        Speech::Session | Speech::Frame => "http",
    };
    let at = addresses[surface].as_str().and_then(|at| at.parse().ok()).expect("an address");
    let speech = if surface == "http" { Speech::Session } else { speech };
    Peer { name: name.into(), speech, at, processes: vec![process] }
}

/// A server whose first line is its address.
pub(crate) fn plain(name: &str, mut command: Command, speech: Speech) -> Peer {
    let (process, line) = Process::start(&mut command);
    let at = line.parse().unwrap_or_else(|_| panic!("{name} says {line:?}, not its address"));
    Peer { name: name.into(), speech, at, processes: vec![process] }
}
