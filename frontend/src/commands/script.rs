//! What a program is to say, the same for every tool.

use streamgram_protocol::{Data, Protocol, Send, numbered, numbers_in};

use super::address::Address;

/// Lines for a server, in their order.
#[derive(Debug)]
pub(super) struct Script<'a> {
    pub(super) protocol: Protocol,
    pub(super) address: &'a Address,
    pub(super) lines: Vec<Line>,
}

/// A line, and how often it is sent.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) payload: Payload,
    pub(super) count: u32,
    /// After each of several.
    pub(super) pause_ms: Option<u32>,
}

/// What a line says.
#[derive(Debug)]
pub(super) enum Payload {
    Text(String),
    /// Each `{n}` in it stands for the number of the line.
    Numbered(String),
    Bytes(Vec<u8>),
}

impl Script<'_> {
    /// The longest pause that it makes.
    pub(super) fn pause_ms(&self) -> Option<u32> {
        self.lines.iter().filter_map(|line| line.pause_ms).max()
    }

    /// What sends each line, with this in between.
    pub(super) fn statements(&self, between: &str, of: fn(&Script, &Line) -> String) -> String {
        self.lines.iter().map(|line| of(self, line)).collect::<Vec<_>>().join(between)
    }
}

impl Payload {
    pub(super) fn has_line_break(&self) -> bool {
        match self {
            Self::Text(text) | Self::Numbered(text) => text.contains('\n'),
            Self::Bytes(bytes) => bytes.contains(&b'\n'),
        }
    }
}

impl Line {
    /// Of a send, with at most so many bytes.
    pub(super) fn new(send: &Send, room: usize) -> Self {
        let count = send.count;
        let payload = match send.data() {
            Data::Text(text) => {
                let text = if count == 1 { numbered(&text, 1).into_owned() } else { text };
                let text = text[..text.floor_char_boundary(room)].to_owned();
                if numbers_in(&text) > 0 { Payload::Numbered(text) } else { Payload::Text(text) }
            }
            hex @ Data::Hex(_) => {
                let mut bytes = hex.to_bytes().unwrap_or_default().into_owned();
                bytes.truncate(room);
                Payload::Bytes(bytes)
            }
        };
        let pause_ms = Some(send.interval_ms).filter(|ms| count > 1 && *ms > 0);
        Self { payload, count, pause_ms }
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u32) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}
