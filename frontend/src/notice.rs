//! What the person at the prompt must be told, kept as facts: it is put into words when it is shown,
//! in the language of that moment.

use streamgram_protocol::{OutOfRange, Protocol};

use crate::figures::{Noun, count, counted};
use crate::knobs::range_text;
use crate::language::Language;

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
    Hex(String),
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
            Self::Hex(detail) => language.not_sent_hex(detail),
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
}
