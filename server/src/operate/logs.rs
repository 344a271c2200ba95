//! The log: lines on standard error. It never holds up the server, and it escapes control characters.

use std::io::{self, Write, stderr};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use streamgram_protocol::is_hidden;
use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Lines that may wait while nobody reads standard error. One more is lost, and counted.
const WAITING_LINES: usize = 4_096;
/// How long the end of the process waits for them.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// The log, for as long as this lives.
#[derive(Debug)]
pub struct Log {
    lines: Arc<Lines>,
    /// Closed when all lines are written.
    written: Receiver<()>,
}

/// Hands lines to a thread of its own that writes them, because writing to a pipe that nobody reads would
/// block.
#[derive(Debug)]
struct Lines {
    /// A line, or nothing at the end.
    waiting: SyncSender<Option<String>>,
    lost: AtomicUsize,
}

/// Logs everything at `level` and above, and panics.
#[must_use]
pub fn start(level: LevelFilter, format: LogFormat) -> Log {
    let (waiting, lines) = sync_channel::<Option<String>>(WAITING_LINES);
    let (writing, written) = channel();
    thread::spawn(move || {
        while let Ok(Some(line)) = lines.recv() {
            // If standard error is closed, there is nowhere to report it.
            let _written = stderr().write_all(line.as_bytes());
        }
        drop(writing);
    });
    let lines = Arc::new(Lines { waiting, lost: AtomicUsize::new(0) });
    let log = tracing_subscriber::fmt()
        .with_writer(Arc::clone(&lines))
        .with_ansi(false)
        .with_max_level(level)
        .with_target(false)
        // It would complain on standard error, and panic if that is closed.
        .log_internal_errors(false);
    // The client of NATS reports every attempt to connect. Rooms say once that it is out of reach, and why.
    let ours = Targets::new().with_default(level).with_target("async_nats", LevelFilter::OFF);
    match format {
        LogFormat::Human => log.finish().with(ours).init(),
        LogFormat::Json => log.json().flatten_event(true).finish().with(ours).init(),
    }
    panic::set_hook(Box::new(|panic| error!("{panic}")));
    Log { lines, written }
}

impl Log {
    /// Lines for which there was no room.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lines.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Without room for the end nobody reads, and it would be waited for in vain.
        if self.lines.waiting.try_send(None).is_ok() {
            let _end = self.written.recv_timeout(END_PATIENCE);
        }
    }
}

/// Lines with control characters escaped: what strangers sent may be in them.
impl Write for &Lines {
    /// Takes a whole line, as the subscriber writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.waiting.try_send(Some(escape(line))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same line with hidden characters as `\u` and four digits, as in JSON (RFC 8259, section 7).
fn escape(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let text = line.strip_suffix('\n').unwrap_or(&line);
    let mut escaped = String::with_capacity(line.len());
    for c in text.chars() {
        if is_hidden(c) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped.push('\n');
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let line = "to \u{1b}[2J\u{9b}x\r\ny\u{202e}<b> 世界\n";
        let escaped = r"to \u001b[2J\u009bx\u000d\u000ay\u202e<b> 世界";
        assert_eq!(escape(line.as_bytes()), format!("{escaped}\n"));
        assert_eq!(escape(b"\xff\n"), "\u{fffd}\n");
    }
}
