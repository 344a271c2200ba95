//! What a terminal client reacts to.

use std::io;

/// What the client reacts to.
#[derive(Debug)]
pub(super) enum Event {
    /// A line to send, not empty.
    Line(Vec<u8>),
    /// An empty line, or the end of the input.
    InputEnded,
    /// Something arrived.
    Reply(Vec<u8>),
    /// The server will send no more.
    PeerClosed,
    /// The socket failed.
    Failed(io::Error),
}
