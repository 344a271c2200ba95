//! What the person at the prompt must be told, kept as facts: it is put into words when it is shown,
//! in the language of that moment.

use streamgram_protocol::{BadHex, OutOfRange, Protocol, printable};

use crate::i18n::figures::{Noun, count, counted};
use crate::i18n::language::Language;

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An empty line was to go over TCP.
    EmptyOverTcp,
    /// An empty line was to go over UDP alone.
    EmptyOverUdp,
    /// The number of lines is none, or out of range.
    Count { limit: u32 },
    /// The interval is none, or out of range.
    Interval { limit: u32 },
    /// The line is too long.
    TooLong { bytes: usize, limit: usize },
    /// The line is not hexadecimal.
    Hex(BadHex),
    /// The line has an escape that is none: what stands there, and its character, counted from 1.
    Escape { found: String, at: usize },
    /// The line is to be numbered and cannot be, for it goes out as hex.
    NotNumbered,
    /// So many lines cannot go out at once.
    Lines { lines: usize, limit: usize },
    /// It is about one of several lines.
    OfLine { number: u32, notice: Box<Self> },
    /// No more lines can be saved.
    SavedFull { limit: usize },
    /// What is to be saved is too long for that.
    SavedLong { limit: usize },
    /// There is no session.
    Away,
    /// The leg is not open; whether it could be opened.
    NotOpen { protocol: Protocol, can_open: bool },
    /// A knob's value is out of range.
    Link(OutOfRange),
    /// A knob's value is no number.
    NotANumber { knob: &'static str, typed: String },
    /// Observations are gone.
    Missed(u64),
    /// A message of the server cannot be read.
    NotUnderstood(String),
    /// The server ended the session.
    Ended(String),
    /// The server could not do what it was asked for.
    Objection(String),
}

/// What is wrong with a knob of the emulated link.
pub(crate) fn range_text(language: Language, wrong: &OutOfRange) -> String {
    let OutOfRange { knob, value, least, most } = wrong;
    language.out_of_range(knob, value, &least.to_string(), &most.to_string())
}

impl Notice {
    /// The notice in words. What the server or the system says is quoted as it is.
    pub(crate) fn text(&self, language: Language) -> String {
        match self {
            Self::EmptyOverTcp => language.empty_over_tcp().into(),
            Self::EmptyOverUdp => language.empty_over_udp().into(),
            Self::Count { limit } => language.not_sent_count(&count((*limit).into())),
            Self::Interval { limit } => language.not_sent_interval(&count((*limit).into())),
            Self::TooLong { bytes, limit } => {
                let [bytes, limit] =
                    [bytes, limit].map(|it| counted(language, *it as u64, Noun::Byte));
                language.not_sent_long(&bytes, &limit)
            }
            Self::Hex(BadHex::Digit(digit, at)) => {
                let digit = printable(digit.to_string().as_bytes());
                language.not_sent_hex(&digit, &count(*at as u64 + 1))
            }
            Self::Hex(BadHex::Odd) => language.not_sent_odd().into(),
            Self::Escape { found, at } => {
                language.not_sent_escape(&printable(found.as_bytes()), &count(*at as u64))
            }
            Self::NotNumbered => language.not_sent_numbered().into(),
            Self::Lines { lines, limit } => {
                let lines = counted(language, *lines as u64, Noun::Line);
                language.not_sent_lines(&lines, &count(*limit as u64))
            }
            Self::OfLine { number, notice } => {
                language.notice_of_line(&number.to_string(), &notice.text(language))
            }
            Self::SavedFull { limit } => language.saved_full(&count(*limit as u64)),
            Self::SavedLong { limit } => {
                language.saved_long(&counted(language, *limit as u64, Noun::Byte))
            }
            Self::Away => language.not_sent_away().into(),
            Self::NotOpen { protocol, .. } => language.not_sent_closed(protocol.name()),
            Self::Link(wrong) => language.link_unchanged(&range_text(language, wrong)),
            Self::NotANumber { knob, typed } => language.not_a_number(knob, typed),
            Self::Missed(missed) => language.observations_missed(&count(*missed)),
            Self::NotUnderstood(detail) => language.not_understood(detail),
            Self::Ended(reason) => language.session_ended(reason),
            Self::Objection(detail) => language.server_objects(detail),
        }
    }

    /// The leg that would have to be opened, if that would help.
    pub(crate) fn opens(&self) -> Option<Protocol> {
        match self {
            Self::NotOpen { protocol, can_open: true } => Some(*protocol),
            _ => None,
        }
    }

    /// The same about one of several lines, if it is about a line at all.
    pub(crate) fn of_line(self, number: u32) -> Self {
        match self {
            Self::EmptyOverTcp
            | Self::EmptyOverUdp
            | Self::TooLong { .. }
            | Self::Hex(_)
            | Self::Escape { .. }
            | Self::NotNumbered => Self::OfLine { number, notice: Box::new(self) },
            other => other,
        }
    }
}
