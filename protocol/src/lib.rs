//! The words that the Streamgram server and its page share: messages, limits, bytes as text.
//!
//! No I/O, no clock, no randomness. Whoever speaks to a Streamgram, from a page, a script or a test,
//! needs this crate and nothing else of the project.

mod captured;
mod client;
mod data;
pub mod fault;
mod journal;
pub mod lesson;
mod limits;
pub mod link;
mod packet;
mod raw;
pub mod room;
pub mod scenario;
mod server;
mod text;

pub use captured::{Capture, Captured, Side};
pub use client::{
    ClientMessage, Close, How, Invalid, Nodelay, Open, Ping, Send, SetLink, Stop, Target, Watch,
};
pub use data::{BadHex, Data, numbered, numbers_in};
pub use journal::{Journal, JournalHead};
pub use lesson::Lesson;
pub use limits::{
    CAPTURED_BYTES, CTIME_LEN, DEFAULT_HTTP, DEFAULT_TCP, DEFAULT_UDP, Limits, MAX_DATAGRAM,
    MAX_ERROR_CHARS, MAX_ID, RAW_BYTES, RAW_CLIENTS, READ_BYTES, STAMP_LEN, SUBPROTOCOL,
    TOKEN_BYTES, TOKEN_WITHIN,
};
pub use link::{
    Congestion, Impairment, Knob, Link, MAX_EMULATED_DATAGRAM, OutOfRange, Percent, Preset,
    PresetName, Rule,
};
pub use packet::{End, Flags, Header, Line, Packet, Verdict};
pub use raw::{Feed, Raw, RawObservation};
pub use scenario::Scenario;
pub use server::{
    Cause, Code, Event, FaultyServer, Hello, LegId, Problem, ServerMessage, Unanswered,
};
pub use text::{Piece, is_hidden, pieces, printable};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// Which of the two servers, and so which kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumString)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Protocol {
    /// A stream of bytes over a connection, RFC 9293.
    Tcp,
    /// Datagrams without a connection, RFC 768.
    Udp,
}

impl Protocol {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::Tcp, Self::Udp];

    /// The name as people write it: `TCP`, `UDP`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

/// What lies between a leg and the server.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[cfg_attr(test, derive(proptest_derive::Arbitrary))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Path {
    /// A kernel socket, straight to the server.
    #[default]
    Direct,
    /// An emulated link to a gateway, and from there a kernel socket to the same server.
    Emulated,
}

impl Path {
    /// Its name, as messages have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
