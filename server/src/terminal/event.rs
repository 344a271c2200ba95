//! What a terminal client reacts to.

use std::io;

/// What the client reacts to.
#[derive(Debug)]
pub(super) enum Event {
    /// A line to send, not empty.
    Line(Vec<u8>),
    /// A line was sent.
    Sent,
    /// An empty line, or the end of the input.
    InputEnded,
    /// Something arrived.
    Reply(Vec<u8>),
    /// The server will send no more.
    PeerClosed,
    /// Nobody listens at this address of the server, by its place in the list.
    Refused(usize),
    /// The socket failed.
    Failed(io::Error),
}
