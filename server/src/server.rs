//! The whole server: binds everything or nothing, runs it, and stops it in order.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::admission::Admission;
use crate::bridge::{Bridge, Targets};
use crate::capacity::Capacity;
use crate::config::Serve;
use crate::observe::Observer;
use crate::refusals::Refusals;
use crate::timestamp::clock::Clock;
use crate::timestamp::{Shared, tcp, udp};
use crate::web::{self, Addresses, Tasks, Web, listener};

/// How long everything that is open may take to end after a stop; then it is cut off.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Three bound sockets, not yet served.
#[derive(Debug)]
pub struct Server {
    http: TcpListener,
    tcp: TcpListener,
    udp: UdpSocket,
    config: Serve,
    addresses: Addresses,
}

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {what} {address}: {cause}")]
pub struct BindError {
    what: &'static str,
    address: SocketAddr,
    cause: io::Error,
}

impl Server {
    /// Binds all three addresses.
    ///
    /// # Errors
    /// The first address that cannot be had; then none is.
    pub async fn bind(config: Serve) -> Result<Self, BindError> {
        let failed = |what, address| move |cause| BindError { what, address, cause };
        let http = TcpListener::bind(config.http).await.map_err(failed("HTTP", config.http))?;
        let tcp = TcpListener::bind(config.tcp).await.map_err(failed("TCP", config.tcp))?;
        let udp = UdpSocket::bind(config.udp).await.map_err(failed("UDP", config.udp))?;
        let addresses = Addresses {
            http: http.local_addr().map_err(failed("HTTP", config.http))?,
            tcp: tcp.local_addr().map_err(failed("TCP", config.tcp))?,
            udp: udp.local_addr().map_err(failed("UDP", config.udp))?,
        };
        Ok(Self { http, tcp, udp, config, addresses })
    }

    /// The real addresses, where port 0 was asked for too.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves until `stop`, then ends every session and connection within five seconds.
    pub async fn run(self, stop: CancellationToken) {
        let Self { http, tcp, udp, config, addresses } = self;
        let room = Capacity::within(open_files(), &config);
        let shared = Shared {
            clock: Arc::new(Clock::system()),
            observer: Arc::new(Observer::default()),
            refusals: Arc::new(Refusals::default()),
        };
        let tasks = Tasks::default();
        tasks.listeners.spawn(tcp::serve(tcp, shared.clone(), room.tcp, stop.clone()));
        tasks.listeners.spawn(udp::serve(udp, shared.clone(), config.udp_limits, stop.clone()));

        let targets = Targets { tcp: reachable(addresses.tcp), udp: reachable(addresses.udp) };
        let Tasks { sessions, listeners } = tasks.clone();
        let web = Web {
            addresses,
            bridge: Bridge::new(targets, config.limits(), room.websocket, shared.observer),
            http_limits: Arc::new(room.http.clone()),
            sessions: Admission::new(room.websocket.sessions, room.websocket.sessions_per_address),
            refusals: Arc::clone(&shared.refusals),
            stop: stop.clone(),
            tasks,
        };
        let (router, refusals) = (web::router(web), shared.refusals);
        let http = tokio::spawn(listener::serve(http, router, room.http, refusals, stop.clone()));
        stop.cancelled().await;

        sessions.close();
        listeners.close();
        let ended = async { tokio::join!(http, sessions.wait(), listeners.wait()) };
        if timeout(STOP_PATIENCE, ended).await.is_err() {
            warn!(sessions = sessions.len(), "cut off what did not end in time");
        }
    }
}

/// How many files the process may open.
fn open_files() -> usize {
    #[cfg(unix)]
    let limit = rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _hard)| soft);
    // Windows knows no such limit.
    #[cfg(not(unix))]
    let limit = std::io::Result::Ok(u64::MAX);
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Where a socket that listens everywhere can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, tcp, udp } = self;
        write!(f, "open http://{http}/ · TCP {tcp} · UDP {udp}")
    }
}
