//! Runs a command against a server: hands it the address and its standard input, and keeps what it prints. Whatever it
//! does, it ends at its deadline.

use std::io;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Bytes that are kept of what a command prints, of standard output and of standard error. What comes behind them is
/// counted.
pub(super) const OUTPUT_BYTES: usize = 1 << 20;
/// How long a command that was killed may take to end, and a child of its own to let go of its output.
const KILL_PATIENCE: Duration = Duration::from_secs(1);
/// The environment variables that tell the address.
pub(super) const HOST: &str = "STREAMGRAM_PEER_HOST";
pub(super) const PORT: &str = "STREAMGRAM_PEER_PORT";

/// What a command did.
#[derive(Debug)]
pub(super) struct Ran {
    /// How it ended; none if it had to be killed.
    pub(super) status: Option<ExitStatus>,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    pub(super) took: Duration,
}

/// What it printed.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) kept: Vec<u8>,
    /// Bytes behind that.
    pub(super) more: u64,
}

/// Runs a command. In its arguments `{host}` and `{port}` stand for the server.
///
/// # Errors
/// It could not be started.
pub(super) async fn run(
    run: &[String],
    server: SocketAddr,
    stdin: Vec<u8>,
    deadline: Duration,
) -> io::Result<Ran> {
    let (host, port) = (server.ip().to_string(), server.port().to_string());
    let filled = |text: &String| text.replace("{host}", &host).replace("{port}", &port);
    let mut words = run.iter().map(filled);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env(HOST, &host).env(PORT, &port);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What it starts ends with it.
    #[cfg(unix)]
    command.process_group(0);
    let began = Instant::now();
    let mut child = command.kill_on_drop(true).spawn()?;
    let group = Group::of(&child);
    let (mut stdout, mut stderr) = (Output::default(), Output::default());
    let input = child.stdin.take();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let status = {
        let talk = async {
            let write = async {
                if let Some(mut input) = input {
                    // It need not read all of it.
                    let _written = input.write_all(&stdin).await;
                }
            };
            tokio::join!(write, stdout.keep(out), stderr.keep(err), child.wait()).3
        };
        timeout(deadline, talk).await
    };
    let took = began.elapsed();
    let status = match status {
        Ok(status) => Some(status?),
        // It has ended, and a child of its own still holds its output.
        Err(_elapsed) => child.try_wait().ok().flatten(),
    };
    group.kill();
    if status.is_none() {
        // It may end at this moment, and cannot be killed then.
        let _killed = timeout(KILL_PATIENCE, child.kill()).await;
    }
    Ok(Ran { status, stdout, stderr, took })
}

impl Output {
    /// Keeps what comes, up to the limit, and counts the rest.
    async fn keep(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; 16 * 1_024];
        while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
            let room = OUTPUT_BYTES - self.kept.len();
            let kept = bytes.min(room);
            self.kept.extend_from_slice(&buffer[..kept]);
            self.more += (bytes - kept) as u64;
        }
    }
}

/// A command with all that it has started.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_child: &Child) -> Self {
        Self {}
    }

    /// Ends what is left of it.
    fn kill(self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            // Mostly nothing is left.
            let _gone = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    async fn sh(script: &str, stdin: &[u8], deadline_ms: u64) -> Ran {
        let words = ["sh", "-c", script, "{port}"].map(str::to_owned);
        let server = ([127, 0, 0, 1], 9).into();
        run(&words, server, stdin.to_vec(), Duration::from_millis(deadline_ms)).await.unwrap()
    }

    #[tokio::test]
    async fn a_command_gets_the_address_and_its_input_and_what_it_prints_is_kept() {
        let script =
            "cat; echo $0 $STREAMGRAM_PEER_HOST:$STREAMGRAM_PEER_PORT; echo no >&2; exit 3";
        let ran = sh(script, b"in ", 20_000).await;
        assert_eq!(ran.status.unwrap().code(), Some(3));
        assert_eq!(ran.stdout.kept, b"in 9 127.0.0.1:9\n");
        assert_eq!(ran.stderr.kept, b"no\n");
    }

    #[tokio::test]
    async fn what_does_not_end_is_killed_with_what_it_started() {
        let began = Instant::now();
        let ran = sh("sleep 100 & echo begun; wait", b"", 300).await;
        assert_eq!((ran.status, ran.stdout.kept.as_slice()), (None, b"begun\n".as_slice()));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn output_above_the_limit_is_counted_and_input_that_nobody_reads_is_no_error() {
        let script = format!("head -c {} /dev/zero", OUTPUT_BYTES + 5);
        let ran = sh(&script, &vec![b'x'; 1 << 20], 20_000).await;
        assert_eq!((ran.stdout.kept.len(), ran.stdout.more), (OUTPUT_BYTES, 5));
        assert!(ran.status.unwrap().success());
    }
}
