//! Where lines come from: a terminal with editing and history, or a pipe.

use std::io::{BufRead, IsTerminal, stdin};

use rustyline::DefaultEditor;

use super::screen::Screen;

const PROMPT: &str = "> ";

/// Reads lines.
pub(super) enum Input {
    Terminal(Box<DefaultEditor>),
    Pipe,
}

impl Input {
    pub(super) fn new() -> rustyline::Result<Self> {
        if stdin().is_terminal() {
            Ok(Self::Terminal(Box::new(DefaultEditor::new()?)))
        } else {
            Ok(Self::Pipe)
        }
    }

    pub(super) fn screen(&mut self) -> rustyline::Result<Screen> {
        match self {
            Self::Terminal(editor) => {
                Ok(Screen::Terminal(Box::new(editor.create_external_printer()?)))
            }
            Self::Pipe => Ok(Screen::Pipe),
        }
    }

    /// Passes lines on until an empty one, the end of the input, or one that is not taken.
    pub(super) fn read(self, take: impl FnMut(Vec<u8>) -> bool) {
        match self {
            Self::Terminal(mut editor) => read_terminal(&mut editor, take),
            Self::Pipe => read_pipe(stdin().lock(), take),
        }
    }
}

fn read_terminal(editor: &mut DefaultEditor, mut take: impl FnMut(Vec<u8>) -> bool) {
    loop {
        match editor.readline(PROMPT) {
            Ok(line) if line.is_empty() => return,
            Ok(line) => {
                // The line is sent even if it cannot be added to the history.
                let _remembered = editor.add_history_entry(&line);
                if !take(line.into_bytes()) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

fn read_pipe(mut lines: impl BufRead, mut take: impl FnMut(Vec<u8>) -> bool) {
    loop {
        let mut line = Vec::new();
        if lines.read_until(b'\n', &mut line).is_err() {
            return;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        if line.is_empty() || !take(line) {
            return;
        }
    }
}
