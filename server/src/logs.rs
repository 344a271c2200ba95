//! The log: lines on standard error that cannot hold up the server, and cannot speak to a terminal.

use std::io::{self, Write, stderr};
use std::panic;

use streamgram_protocol::is_hidden;
use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogFormat;

/// Lines that wait to be written, while whoever reads standard error does not. One more is lost, and
/// counted.
const WAITING_LINES: usize = 4_096;

/// The log, for as long as this lives.
#[derive(Debug)]
pub struct Log {
    _writes: WorkerGuard,
    lost: ErrorCounter,
}

/// Logs what is at least as important as `level`; panics too.
#[must_use]
pub fn start(level: LevelFilter, format: LogFormat) -> Log {
    // A thread of its own writes: whoever logs must not wait for a pipe that nobody reads.
    let (lines, writes) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(stderr());
    let lost = lines.error_counter();
    let log = tracing_subscriber::fmt()
        .with_writer(Escaping(lines))
        .with_ansi(false)
        .with_max_level(level)
        .with_target(false)
        // It would complain on standard error, and panic if that is closed.
        .log_internal_errors(false);
    match format {
        LogFormat::Human => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(|panic| error!("{panic}")));
    Log { _writes: writes, lost }
}

impl Log {
    /// Lines that could not be written.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost.dropped_lines()
    }
}

/// Lines without anything that moves what stands around it. What strangers sent may be in them.
struct Escaping<W>(W);

impl<'a> MakeWriter<'a> for Escaping<NonBlocking> {
    type Writer = Escaping<NonBlocking>;

    fn make_writer(&'a self) -> Self::Writer {
        Self(self.0.clone())
    }
}

impl<W: Write> Write for Escaping<W> {
    /// Takes a whole line, as the subscriber writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(escape(line).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The same with `\u` and four digits for what is hidden, as JSON has it (RFC 8259, section 7).
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
