//! What handlers of requests share.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use streamgram_protocol::Protocol;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::HttpLimits;
use crate::guard::admission::Admission;
use crate::guard::refusals::Refusals;
use crate::session::{Bridge, FaultyTarget, reachable};

/// What handlers of requests share.
#[derive(Debug, Clone)]
pub struct Web {
    /// The addresses that everything listens on.
    pub addresses: Addresses,
    /// What sessions share.
    pub bridge: Bridge,
    /// Which requests are served.
    pub http_limits: Arc<HttpLimits>,
    /// How many sessions there may be.
    pub sessions: Admission,
    /// Counts what is refused.
    pub refusals: Arc<Refusals>,
    /// Ends every session.
    pub stop: CancellationToken,
    /// A task for each session and each listener.
    pub running: TaskTracker,
}

/// The addresses that are really listened on.
#[derive(Debug, Clone, Serialize)]
pub struct Addresses {
    /// The page, the API and the WebSocket.
    pub http: SocketAddr,
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
    /// The operator's listener, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<SocketAddr>,
    /// The faulty servers, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultyAddress>,
}

/// A faulty server.
#[derive(Debug, Clone, Serialize)]
pub struct FaultyAddress {
    /// Which protocol it speaks.
    pub protocol: Protocol,
    /// Where it listens.
    pub address: SocketAddr,
    /// How its replies go wrong.
    pub recipe: String,
}

impl FaultyAddress {
    /// Where its legs connect to.
    #[must_use]
    pub fn target(&self) -> FaultyTarget {
        FaultyTarget { protocol: self.protocol, address: reachable(self.address) }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, tcp, udp, .. } = self;
        write!(f, "open http://{}/ · TCP {tcp} · UDP {udp}", reachable(*http))
    }
}
