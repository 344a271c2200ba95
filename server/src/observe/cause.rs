//! What the system says about the end of a connection, in the words of the protocol.

use std::io;

use streamgram_protocol::Cause;

/// What a failed socket operation says about the end of its connection.
#[must_use]
pub fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Cause::PeerReset,
        io::ErrorKind::TimedOut => Cause::TimedOut,
        _ => Cause::Failed,
    }
}
