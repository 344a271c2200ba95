//! The result of a path's turn: the first thing that its leg must know.

use std::io;
use std::time::{Duration, Instant};

use streamgram_lab::Packet;
use streamgram_protocol::{Cause, Line};

/// The result of a connection's turn.
#[derive(Debug)]
pub enum TcpTurn {
    /// The handshake is done.
    Opened {
        /// When.
        at: Instant,
        /// How long it took.
        took: Duration,
    },
    /// So many bytes from the server are at the gateway, and wait to be
    /// [passed on](super::emulated::EmulatedTcp::pass_on).
    AtGateway(usize),
    /// Bytes of the stream of replies.
    Reply {
        /// The bytes.
        bytes: Vec<u8>,
        /// When the last of them came.
        arrival: Arrival,
    },
    /// The connection has ended.
    Ended {
        /// Why.
        cause: Cause,
        /// The system's error, if there was one.
        error: Option<io::Error>,
    },
    /// There is more to do at once.
    More,
    /// There is nothing to do now.
    Idle,
}

/// The result of a socket's turn.
#[derive(Debug)]
pub enum UdpTurn {
    /// A datagram is at the gateway of an emulated path, and waits to be
    /// [handed over](super::emulated::EmulatedUdp::hand_over).
    ToServer {
        /// Its payload.
        bytes: Vec<u8>,
        /// Its line, where it is known.
        line: Option<Line>,
    },
    /// A datagram from the server. On an emulated path it is at the gateway, and waits to be
    /// [passed on](super::emulated::EmulatedUdp::pass_on).
    FromServer {
        /// Its payload.
        bytes: Vec<u8>,
        /// When it came.
        arrival: Arrival,
    },
    /// A reply came over an emulated link.
    Reply {
        /// Its payload.
        bytes: Vec<u8>,
        /// The line that it answers.
        answers: Answers,
        /// When it came.
        at: Instant,
    },
    /// Nobody listens at the server's port.
    Refused,
    /// A limit has ended the path.
    Ended(io::Error),
    /// There is more to do at once.
    More,
    /// There is nothing to do now.
    Idle,
}

/// When something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When it was there.
    pub at: Instant,
    /// It may have been there since then: only the read is known.
    pub earliest: Option<Instant>,
}

impl Arrival {
    /// How much earlier it may have come, if that is not known. What it answers was `asked` before it came.
    #[must_use]
    pub fn earlier(self, asked: Option<Instant>) -> Option<Duration> {
        let earliest = self.earliest?;
        let earliest = asked.map_or(earliest, |asked| earliest.max(asked));
        Some(self.at.saturating_duration_since(earliest))
    }
}

impl From<Instant> for Arrival {
    /// It is known when it came.
    fn from(at: Instant) -> Self {
        Self { at, earliest: None }
    }
}

/// The line that a reply over UDP answers; by default nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// The line; none, if it is forgotten.
    pub line: Option<Line>,
    /// Whether that is certain.
    pub certain: bool,
}

/// Bytes of a reply, and the line that they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// How many bytes.
    pub bytes: usize,
    /// The line, where it is known.
    pub line: Option<Line>,
}

/// Packets that went onto an emulated path.
#[derive(Debug)]
pub struct Recording {
    /// In the order in which they were sent.
    pub packets: Vec<Packet>,
    /// The moment from which their times count.
    pub began: Instant,
}
