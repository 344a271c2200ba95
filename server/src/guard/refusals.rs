//! Counts what was not served, by reason, and logs it without flooding the log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::ser::{Serialize, Serializer};
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};
use tracing::warn;

/// Between two lines of the log about the same reason. The next line counts what came in between.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Why something was not served. The log and `/api/refused` name it as it stands here, in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// A connection could not be accepted, most likely for want of descriptors.
    AcceptFailed,
    /// An HTTP connection above the limit of all.
    HttpFull,
    /// An HTTP connection above the limit of its address.
    HttpAddressFull,
    /// A request for a host that this server does not answer to.
    HttpHost,
    /// A WebSocket that a page of another origin asked for.
    WsOrigin,
    /// A session above the limit of all.
    WsFull,
    /// A session above the limit of its address.
    WsAddressFull,
    /// A session that sent messages faster than it may.
    WsMessages,
    /// A session that sent bytes faster than it may.
    WsBytes,
    /// A session whose frames broke the protocol, or could not be understood.
    WsProtocol,
    /// A session that did not finish a message in time.
    WsUnfinished,
    /// A session whose peer was silent for too long.
    WsSilent,
    /// A session that met a bug of the server.
    WsPanic,
    /// A peer, of HTTP or of a session, that did not read.
    HttpUnread,
    /// A TCP client above the limit of all.
    TcpFull,
    /// A TCP client above the limit of its address.
    TcpAddressFull,
    /// A TCP client that sent nothing for too long.
    TcpIdle,
    /// A TCP client that did not read its replies.
    TcpUnread,
    /// A TCP client that stayed longer than it may.
    TcpLifetime,
    /// A datagram from a port that belongs to a service, or from none.
    UdpPort,
    /// A datagram that claims to come from this server.
    UdpOwn,
    /// A datagram from an address that is not one machine's.
    UdpAddress,
    /// A datagram that is a reply of a server like this one.
    UdpReply,
    /// A datagram above the rate of its address.
    UdpAddressRate,
    /// A datagram above the rate of its network.
    UdpNetworkRate,
    /// A datagram above the rate of all.
    UdpRate,
    /// A datagram that could not be received.
    UdpReceive,
    /// A reply that could not be sent.
    UdpSend,
}

impl Refusal {
    /// Its name in the log and in `/api/refused`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How often each reason has occurred.
#[derive(Debug)]
pub struct Refusals(BTreeMap<Refusal, Count>);

#[derive(Debug, Default)]
struct Count {
    all: AtomicU64,
    logged: Mutex<Logged>,
}

/// When a reason was logged last, and its count then.
#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    count: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Refusal::iter().map(|reason| (reason, Count::default())).collect())
    }
}

impl Refusals {
    /// Counts one, and logs it unless a line about the same reason is younger than [`LOG_INTERVAL`].
    pub fn count(&self, reason: Refusal, now: Instant, detail: impl fmt::Display) {
        let Some(count) = self.0.get(&reason) else { return };
        let all = count.all.fetch_add(1, Ordering::Relaxed) + 1;
        // If another thread holds the lock, it is about to log this reason.
        let Ok(mut logged) = count.logged.try_lock() else { return };
        let is_due = logged.at.is_none_or(|at| now.saturating_duration_since(at) >= LOG_INTERVAL);
        if is_due {
            let times = all - logged.count;
            *logged = Logged { at: Some(now), count: all };
            warn!(reason = reason.name(), times, "refused: {detail}");
        }
    }

    /// How often a reason has occurred.
    #[must_use]
    pub fn of(&self, reason: Refusal) -> u64 {
        self.0.get(&reason).map_or(0, |count| count.all.load(Ordering::Relaxed))
    }

    /// Each reason by its name, and how often it has occurred.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(reason, count)| (reason.name(), count.all.load(Ordering::Relaxed)))
    }
}

/// An object: the name of each reason, and how often it has occurred.
impl Serialize for Refusals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.counts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_and_logged_once_an_interval() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let logged = || refusals.0[&Refusal::UdpOwn].logged.lock().unwrap().count;
        for _ in 0..5 {
            refusals.count(Refusal::UdpOwn, start, "");
        }
        assert_eq!((refusals.of(Refusal::UdpOwn), logged()), (5, 1));
        assert_eq!(refusals.of(Refusal::UdpPort), 0);
        refusals.count(Refusal::UdpOwn, start + LOG_INTERVAL, "");
        assert_eq!((refusals.of(Refusal::UdpOwn), logged()), (6, 6));
    }

    #[test]
    fn a_reason_is_named_in_snake_case() {
        assert_eq!(Refusal::WsAddressFull.name(), "ws_address_full");
        let json = serde_json::to_value(Refusals::default()).unwrap();
        assert_eq!(json.as_object().map(|reasons| reasons.len()), Some(Refusal::iter().count()));
    }
}
