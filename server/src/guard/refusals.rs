//! What was not served, counted by reason, and told to the log without flooding it.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::ser::{Serialize, SerializeMap, Serializer};
use tracing::warn;

/// Between two lines of the log about the same reason. What comes in between is in the next line's count.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);

macro_rules! reasons {
    ($($(#[doc = $what:literal])+ $reason:ident = $name:literal,)+) => {
        /// Why something was not served.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[doc = $what])+ $reason,)+
        }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$reason,)+];

            /// Its name in the log and in `/api/refused`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// A connection could not be accepted, most likely for want of descriptors.
    AcceptFailed = "accept_failed",
    /// An HTTP connection above the limit of all.
    HttpFull = "http_full",
    /// An HTTP connection above the limit of its address.
    HttpAddressFull = "http_address_full",
    /// A request for a host that this server does not answer to.
    HttpHost = "http_host",
    /// A WebSocket that a page of another origin asked for.
    WsOrigin = "ws_origin",
    /// A session above the limit of all.
    WsFull = "ws_full",
    /// A session above the limit of its address.
    WsAddressFull = "ws_address_full",
    /// A session that sent messages faster than it may.
    WsMessages = "ws_messages",
    /// A session that sent bytes faster than it may.
    WsBytes = "ws_bytes",
    /// A session whose frames broke the protocol, or could not be understood.
    WsProtocol = "ws_protocol",
    /// A session whose peer was silent for too long.
    WsSilent = "ws_silent",
    /// A session that met a bug of the server.
    WsPanic = "ws_panic",
    /// A peer, of HTTP or of a session, that did not read.
    HttpUnread = "http_unread",
    /// A TCP client above the limit of all.
    TcpFull = "tcp_full",
    /// A TCP client above the limit of its address.
    TcpAddressFull = "tcp_address_full",
    /// A TCP client that sent nothing for too long.
    TcpIdle = "tcp_idle",
    /// A TCP client that did not read its replies.
    TcpUnread = "tcp_unread",
    /// A TCP client that stayed longer than it may.
    TcpLifetime = "tcp_lifetime",
    /// A datagram from a port that belongs to a service, or from none.
    UdpPort = "udp_port",
    /// A datagram that claims to come from this server.
    UdpOwn = "udp_own",
    /// A datagram from an address that is not one machine's.
    UdpAddress = "udp_address",
    /// A datagram that is a reply of a server like this one.
    UdpReply = "udp_reply",
    /// A datagram above the rate of its address.
    UdpAddressRate = "udp_address_rate",
    /// A datagram above the rate of its network.
    UdpNetworkRate = "udp_network_rate",
    /// A datagram above the rate of all.
    UdpRate = "udp_rate",
    /// A datagram that could not be received.
    UdpReceive = "udp_receive",
    /// A reply that could not be sent.
    UdpSend = "udp_send",
}

/// How often each reason has occurred.
#[derive(Debug)]
pub struct Refusals(Vec<Count>);

#[derive(Debug, Default)]
struct Count {
    all: AtomicU64,
    logged: Mutex<Logged>,
}

/// The last line about a reason: when, and how many there had been.
#[derive(Debug, Default)]
struct Logged {
    at: Option<Instant>,
    count: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Refusal::ALL.iter().map(|_| Count::default()).collect())
    }
}

impl Refusals {
    /// Counts one, and logs it unless a line about the same reason is younger than [`LOG_INTERVAL`].
    pub fn count(&self, reason: Refusal, now: Instant, detail: impl fmt::Display) {
        let count = &self.0[reason as usize];
        let all = count.all.fetch_add(1, Ordering::Relaxed) + 1;
        // Whoever holds the lock is about to log the reason: nobody has to wait for that.
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
        self.0[reason as usize].all.load(Ordering::Relaxed)
    }
}

/// An object: the name of each reason, and how often it has occurred.
impl Serialize for Refusals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for &reason in Refusal::ALL {
            map.serialize_entry(reason.name(), &self.of(reason))?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_and_logged_once_an_interval() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let logged = || refusals.0[Refusal::UdpOwn as usize].logged.lock().unwrap().count;
        for _ in 0..5 {
            refusals.count(Refusal::UdpOwn, start, "");
        }
        assert_eq!((refusals.of(Refusal::UdpOwn), logged()), (5, 1));
        assert_eq!(refusals.of(Refusal::UdpPort), 0);
        refusals.count(Refusal::UdpOwn, start + LOG_INTERVAL, "");
        assert_eq!((refusals.of(Refusal::UdpOwn), logged()), (6, 6));
    }

    #[test]
    fn the_names_are_different() {
        let mut names: Vec<_> = Refusal::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Refusal::ALL.len());
    }
}
