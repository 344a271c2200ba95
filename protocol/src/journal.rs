//! The first line of what a server remembers of raw clients.

use serde::{Deserialize, Serialize};

use crate::Feed;

/// `{"journal":{…}}`: stands before the observations, of which each is a line as a session reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHead {
    /// What there is to know of the lines that follow.
    pub journal: Journal,
}

/// What a server remembers, and what of it has gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Unix time in milliseconds at `at_us` 0, to show times of day; never used to measure.
    pub wall_ms: u64,
    /// Microseconds from then until this answer.
    pub now_us: u64,
    /// Whose clients are told to whoever asks.
    pub feed: Feed,
    /// Observations that are meant; those that do not fit into the answer are counted behind it.
    pub observations: usize,
    /// Clients of anybody that had to make room for later ones, since the server began.
    pub gone_clients: u64,
    /// What was seen of them, and of others whose beginning had to make room.
    pub gone_observations: u64,
}
