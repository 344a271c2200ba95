//! Errors of the system as causes of the protocol.

use std::io;

use streamgram_protocol::Cause;

/// Why a connection has ended whose socket failed with this error.
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
