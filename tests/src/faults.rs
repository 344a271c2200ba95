//! System calls of a running server that fail, by strace's `inject`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{PATIENCE, Server};

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
        let program = std::env::var_os("STRACE").unwrap_or("strace".into());
        let log = folder.join(format!("{}-{what}.strace", server.pid()));
        let calls = what.split(':').next().unwrap_or(what);
        let mut tracer = Command::new(program)
            .args(["-f", "-e", &format!("trace={calls}"), "-e", &format!("inject={what}"), "-o"])
            .arg(&log)
            .args(["-p", &server.pid().to_string()])
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
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.ends_with("(INJECTED)")).count()
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

impl Drop for Faults {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill; a test that failed kills its server too.
        let _killed = self.tracer.kill();
        let _waited = self.tracer.wait();
        let _removed = fs::remove_file(&self.log);
    }
}
