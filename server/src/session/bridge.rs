//! What all sessions share.

use std::net::SocketAddr;
use std::sync::Arc;

use streamgram_protocol::Limits;
use tokio::sync::Semaphore;

use crate::config::WebSocketLimits;
use crate::observe::Observer;

/// What all sessions share.
#[derive(Debug, Clone)]
pub struct Bridge {
    /// The servers that legs connect to.
    pub targets: Targets,
    /// What a session may do.
    pub limits: Limits,
    /// How fast it may do it.
    pub rates: WebSocketLimits,
    /// To register legs, and to watch raw clients.
    pub(crate) observer: Arc<Observer>,
    /// A permit for every emulated path that may still be opened.
    pub(crate) labs: Arc<Semaphore>,
}

/// The servers that legs connect to. They are fixed at the start: no message of a client names an address.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

impl Bridge {
    /// A bridge to the servers that report to `observer`.
    #[must_use]
    pub fn new(
        targets: Targets,
        limits: Limits,
        rates: WebSocketLimits,
        observer: Arc<Observer>,
    ) -> Self {
        let labs = Arc::new(Semaphore::new(limits.labs.min(Semaphore::MAX_PERMITS)));
        Self { targets, limits, rates, observer, labs }
    }
}
