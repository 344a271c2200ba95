//! What all sessions share.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use streamgram_protocol::{Limits, Protocol};
use tokio::sync::Semaphore;

use crate::capture::Capture;
use crate::config::WebSocketLimits;
use crate::guard::ports::Ports;
use crate::observe::Observer;
use crate::room::Rooms;

/// What all sessions share.
#[derive(Debug, Clone)]
pub struct Bridge {
    /// The servers that legs connect to.
    pub targets: Targets,
    /// The faulty servers, to which a leg can connect too.
    pub faults: Arc<[FaultyTarget]>,
    /// What a session may do.
    pub limits: Limits,
    /// How fast it may do it.
    pub rates: WebSocketLimits,
    /// To register legs, and to watch raw clients.
    pub(crate) observer: Arc<Observer>,
    /// To see packets.
    pub(crate) capture: Capture,
    /// A permit for every emulated path that may still be opened.
    pub(crate) labs: Arc<Semaphore>,
    /// The ports that TCP legs may still take.
    pub(crate) ports: Ports,
    /// The rooms of this server.
    pub(crate) rooms: Rooms,
}

/// The servers that legs connect to. They are fixed at the start: no message of a client names an address.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// The TCP timestamp server.
    pub tcp: SocketAddr,
    /// The UDP timestamp server.
    pub udp: SocketAddr,
}

/// A server whose replies go wrong on purpose.
#[derive(Debug, Clone, Copy)]
pub struct FaultyTarget {
    /// Which protocol it speaks.
    pub protocol: Protocol,
    /// Where it is reached from this machine.
    pub address: SocketAddr,
}

impl Targets {
    /// The servers that listen at these addresses.
    #[must_use]
    pub fn of(tcp: SocketAddr, udp: SocketAddr) -> Self {
        Self { tcp: reachable(tcp), udp: reachable(udp) }
    }
}

/// Where a server is reached from its own machine. One that listens on every address of IPv6 listens on those
/// of IPv4 too, which are what is left on a machine that has switched IPv6 off.
#[must_use]
pub fn reachable(mut listening: SocketAddr) -> SocketAddr {
    if listening.ip().is_unspecified() {
        let has_v6 = || UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        let is_v6 = listening.is_ipv6() && has_v6();
        listening.set_ip(if is_v6 {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        });
    }
    listening
}

impl Bridge {
    /// The same, to faulty servers too.
    #[must_use]
    pub fn with_faults(self, faults: impl IntoIterator<Item = FaultyTarget>) -> Self {
        Self { faults: faults.into_iter().collect(), ..self }
    }

    /// The server that a leg asks for; none, if there is no such faulty one of that protocol.
    pub(super) fn target(&self, protocol: Protocol, fault: Option<usize>) -> Option<SocketAddr> {
        let Some(fault) = fault else {
            return Some(match protocol {
                Protocol::Tcp => self.targets.tcp,
                Protocol::Udp => self.targets.udp,
            });
        };
        let faulty = self.faults.get(fault).filter(|faulty| faulty.protocol == protocol);
        faulty.map(|faulty| faulty.address)
    }

    /// A bridge to the servers that report to `observer`.
    #[must_use]
    pub fn new(
        targets: Targets,
        limits: Limits,
        rates: WebSocketLimits,
        observer: Arc<Observer>,
        ports: Ports,
    ) -> Self {
        let labs = Arc::new(Semaphore::new(limits.labs.min(Semaphore::MAX_PERMITS)));
        Self {
            targets,
            faults: Arc::new([]),
            limits,
            rates,
            observer,
            capture: Capture::off(),
            labs,
            ports,
            rooms: Rooms::none(),
        }
    }

    /// The same bridge, with rooms.
    #[must_use]
    pub fn with_rooms(self, rooms: Rooms) -> Self {
        Self { rooms, ..self }
    }

    /// The same bridge, which captures packets.
    #[must_use]
    pub fn with_capture(self, capture: Capture) -> Self {
        Self { capture, ..self }
    }
}
