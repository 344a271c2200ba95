//! The addresses that a session tells its client when it begins.

use streamgram_protocol::FaultyServer;

/// Where a session's client reaches what it may want to reach without the session.
#[derive(Debug, Clone)]
pub struct Reachable {
    /// The TCP server, as HOST:PORT.
    pub tcp: String,
    /// The UDP server, as HOST:PORT.
    pub udp: String,
    /// The faulty servers.
    pub faults: Vec<FaultyServer>,
    /// The page as others can open it, if the client may know.
    pub lan: Option<String>,
}
