//! What a reply takes, counted and not timed: system calls by strace, instructions by callgrind. Each is
//! the difference between a run and one with twice as many requests, so that the start is not in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use streamgram_tests::binary;

use crate::client::{Goal, run};
use crate::hot::{HOT_PATHS, HotPath};
use crate::peers::{C, Peer, Peers, STREAMGRAM, Speech, plain, streamgram, streamgram_command};
use crate::process::{Process, under};
use crate::rounds::{WORKS, Work};

/// Requests of the shorter run.
const REQUESTS: usize = 1_000;
/// Operations of a hot path in the shorter run.
const OPERATIONS: usize = 1_000;

/// A program that counts what another does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Strace,
    Callgrind,
}

/// What a reply of one server takes.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) work: String,
    pub(crate) server: String,
    /// By the name of the system call; or instructions in user space.
    pub(crate) per_reply: BTreeMap<String, f64>,
}

impl Tool {
    /// Counts for Streamgram, and for what is next to it: the servers in C, and websocat as a bridge, without the
    /// server in C behind it.
    pub(crate) async fn count_replies(self, peers: &Peers, folder: &Path) -> Vec<Counts> {
        let Some(program) = self.program() else { return Vec::new() };
        let out = folder.join("counted");
        let tool = self.arguments(&program, &out);
        let mut all = Vec::new();
        for work in WORKS.iter().filter(|work| work.clients > 1) {
            let own = || {
                Some(start(STREAMGRAM, under(&tool, &streamgram_command(&binary())), work.speech))
            };
            let next = || match work.speech {
                Speech::Session | Speech::Frame => peers.websocat(&tool),
                speech => Some(start(C, under(&tool, &peers.c_command(speech)?), speech)),
            };
            for peer in [&own as &dyn Fn() -> Option<Peer>, &next] {
                let mut counted = Vec::new();
                let mut server = String::new();
                for requests in [REQUESTS, 2 * REQUESTS] {
                    let Some(peer) = peer() else { break };
                    server.clone_from(&peer.name);
                    count(work, peer, requests).await;
                    counted.push(self.read(&out));
                }
                if let [once, twice] = counted.as_slice() {
                    let per_reply = difference(once, twice, REQUESTS as f64);
                    all.push(Counts { work: work.name.into(), server, per_reply });
                }
            }
        }
        all
    }

    /// Where the tool is: `cargo xtask bench` looks for it, and says what is missing.
    fn program(self) -> Option<OsString> {
        std::env::var_os(match self {
            Self::Strace => "STRACE",
            Self::Callgrind => "VALGRIND",
        })
    }

    fn arguments(self, program: &OsString, out: &Path) -> Vec<OsString> {
        let out = out.as_os_str();
        let mut arguments = vec![program.clone()];
        match self {
            Self::Strace => arguments.extend(["-f".into(), "-c".into(), "-o".into(), out.into()]),
            Self::Callgrind => {
                let mut file = OsString::from("--callgrind-out-file=");
                file.push(out);
                arguments.extend(["--tool=callgrind".into(), "--quiet".into(), file]);
            }
        }
        arguments
    }

    fn read(self, out: &PathBuf) -> BTreeMap<String, f64> {
        let text = fs::read_to_string(out).expect("the tool has written what it counted");
        match self {
            // `% time  seconds  usecs/call  calls  errors  syscall`, where `errors` may be empty.
            Self::Strace => {
                let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let rows = lines.filter_map(|words| {
                    let calls = words.get(3)?.parse().ok()?;
                    let name = words.last().filter(|name| **name != "total")?;
                    Some(((*name).to_owned(), calls))
                });
                rows.collect()
            }
            Self::Callgrind => {
                let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
                let total = total.and_then(|total| total.trim().parse().ok());
                [("instructions".to_owned(), total.expect("callgrind counts"))].into()
            }
        }
    }
}

fn start(name: &str, mut command: Command, speech: Speech) -> Peer {
    if name == STREAMGRAM {
        // One thread: no instructions of threads that look for work in vain.
        command.env("STREAMGRAM_THREADS", "1");
        streamgram(name, command, speech)
    } else {
        plain(name, command, speech)
    }
}

/// Lets a server answer so many requests, and ends it.
async fn count(work: &Work, peer: Peer, requests: usize) {
    let mut clients = work.connect(&peer).await;
    run(&mut clients, Goal::Replies(requests)).await;
    // Before the clients leave: whether it comes to see that would be chance.
    peer.processes.into_iter().for_each(Process::end);
}

fn difference(
    once: &BTreeMap<String, f64>,
    twice: &BTreeMap<String, f64>,
    operations: f64,
) -> BTreeMap<String, f64> {
    let each = twice.iter().map(|(name, twice)| {
        let once = once.get(name).copied().unwrap_or(0.0);
        (name.clone(), (twice - once) / operations)
    });
    each.collect()
}

/// What one operation of a hot path takes.
#[derive(Debug, Serialize)]
pub(crate) struct HotCount {
    pub(crate) path: String,
    /// Without valgrind there is no number.
    pub(crate) instructions: Option<f64>,
    pub(crate) nanos: f64,
}

/// Counts and times every hot path.
pub(crate) fn count_hot_paths(folder: &Path) -> Vec<HotCount> {
    let out = folder.join("counted");
    let tool = Tool::Callgrind.program().map(|valgrind| Tool::Callgrind.arguments(&valgrind, &out));
    let counted = |path: &HotPath, operations: usize| {
        let mut own = Command::new(std::env::current_exe().expect("a program knows its path"));
        own.args(["hot", path.name, &operations.to_string()]);
        let output = under(tool.as_ref()?, &own).output().expect("valgrind starts");
        assert!(output.status.success(), "{output:?}");
        let done: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
        Some((done, Tool::Callgrind.read(&out)))
    };
    let one = |path: &HotPath| {
        let runs = [1, 2].map(|times| counted(path, times * OPERATIONS));
        let instructions = if let [Some((once, first)), Some((twice, second))] = runs {
            difference(&first, &second, twice - once).into_values().next()
        } else {
            None
        };
        HotCount { path: path.name.into(), instructions, nanos: path.nanos() }
    };
    HOT_PATHS.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tools_write_is_read() {
        let file = std::env::temp_dir().join(format!("counted-{}", std::process::id()));
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            60.00    0.000020           2        10         1 recvfrom\n \
            40.00    0.000010           1         9           sendto\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.000030           1        19         1 total\n";
        fs::write(&file, strace).unwrap();
        let expected = [("recvfrom".to_owned(), 10.0), ("sendto".to_owned(), 9.0)];
        assert_eq!(Tool::Strace.read(&file), expected.into());
        fs::write(&file, "fn=(1)\n1 2\n\ntotals: 123\n").unwrap();
        assert_eq!(Tool::Callgrind.read(&file), [("instructions".to_owned(), 123.0)].into());
        fs::remove_file(&file).unwrap();
    }
}
