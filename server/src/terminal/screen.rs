//! Where replies and notes are shown.

use std::io::{Write, stderr, stdout};

use rustyline::ExternalPrinter;
use streamgram_protocol::printable;

/// Shows replies, without spoiling the line that is being typed.
pub(super) enum Screen {
    Terminal(Box<dyn ExternalPrinter + Send>),
    Pipe,
}

impl Screen {
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    pub(super) fn show(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Terminal(printer) => printer.print(printable(bytes) + "\n")?,
            Self::Pipe => writeln!(stdout(), "{}", printable(bytes))?,
        }
        Ok(())
    }
}

/// Shows something that is not a reply.
pub(crate) fn note(text: &str) {
    // If standard error is closed, there is nowhere to show it.
    let _said = writeln!(stderr(), "streamgram: {text}");
}
