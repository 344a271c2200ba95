//! What a path's turn came to.

use std::io;
use std::time::{Duration, Instant};

use streamgram_protocol::{Cause, Line};

/// What a connection's turn came to.
#[derive(Debug)]
pub enum TcpTurn {
    /// The handshake is done, and how long it took.
    Opened(Instant, Duration),
    /// So many bytes of the server have reached the gateway; they wait to be
    /// [passed on](super::emulated::EmulatedTcp::pass_on).
    FromServer(usize),
    /// Bytes of the stream of replies.
    Reply(Vec<u8>, Instant),
    /// The connection has ended.
    Ended(Cause, Option<io::Error>),
    /// There is more to do at once.
    More,
    /// There is nothing to do now.
    Idle,
}

/// What a socket's turn came to.
#[derive(Debug)]
pub enum UdpTurn {
    /// A datagram.
    Reply {
        /// Its payload.
        bytes: Vec<u8>,
        /// The line that it answers, where the path knows.
        line: Option<Line>,
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
