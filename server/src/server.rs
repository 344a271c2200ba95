//! The whole server: binds everything or nothing, runs it, and stops it in order.

use std::fmt;
use std::future::IntoFuture;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use streamgram_protocol::Limits;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::bridge::{Bridge, Targets};
use crate::config::Serve;
use crate::observe::Observer;
use crate::timestamp::clock::Clock;
use crate::timestamp::{tcp, udp};
use crate::web::{self, Addresses, Tasks, Web};

/// How long everything that is open may take to end after a stop; then it is cut off.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Three bound sockets, not yet served.
#[derive(Debug)]
pub struct Server {
    http: TcpListener,
    tcp: TcpListener,
    udp: UdpSocket,
    limits: Limits,
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
    pub async fn bind(config: &Serve) -> Result<Self, BindError> {
        let failed = |what, address| move |cause| BindError { what, address, cause };
        let http = TcpListener::bind(config.http).await.map_err(failed("HTTP", config.http))?;
        let tcp = TcpListener::bind(config.tcp).await.map_err(failed("TCP", config.tcp))?;
        let udp = UdpSocket::bind(config.udp).await.map_err(failed("UDP", config.udp))?;
        let addresses = Addresses {
            http: http.local_addr().map_err(failed("HTTP", config.http))?,
            tcp: tcp.local_addr().map_err(failed("TCP", config.tcp))?,
            udp: udp.local_addr().map_err(failed("UDP", config.udp))?,
        };
        Ok(Self { http, tcp, udp, limits: config.limits(), addresses })
    }

    /// The real addresses, where port 0 was asked for too.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves until `stop`, then ends every session and connection within five seconds.
    ///
    /// # Errors
    /// What ended the HTTP listener.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let Self { http, tcp, udp, limits, addresses } = self;
        let (observer, clock) = (Arc::new(Observer::default()), Arc::new(Clock::system()));
        let tasks = Tasks::default();
        let (tcp_clock, tcp_observer) = (Arc::clone(&clock), Arc::clone(&observer));
        tasks.listeners.spawn(tcp::serve(tcp, tcp_clock, tcp_observer, stop.clone()));
        tasks.listeners.spawn(udp::serve(udp, clock, Arc::clone(&observer), stop.clone()));

        let targets = Targets { tcp: reachable(addresses.tcp), udp: reachable(addresses.udp) };
        let stop_sessions = stop.clone();
        let Tasks { sessions, listeners } = tasks.clone();
        let bridge = Bridge::new(targets, limits, observer);
        let web = Web { addresses, bridge, stop: stop_sessions, tasks };
        let http = http.tap_io(|stream| {
            // Events are small and every one is waited for.
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "TCP_NODELAY could not be set");
            }
        });
        let serving = axum::serve(http, web::router(web));
        let served = stop.run_until_cancelled(serving.into_future()).await;

        sessions.close();
        listeners.close();
        let ended = async { tokio::join!(sessions.wait(), listeners.wait()) };
        if timeout(STOP_PATIENCE, ended).await.is_err() {
            warn!(sessions = sessions.len(), "cut off what did not end in time");
        }
        served.unwrap_or(Ok(()))
    }
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
