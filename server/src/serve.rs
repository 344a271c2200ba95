//! The whole server: binds everything or nothing, runs it, and stops it in order.

pub mod activation;
mod capacity;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::config::Serve;
use crate::guard::admission::Admission;
use crate::guard::refusals::Refusals;
use crate::observe::Observer;
use crate::operate::meters;
use crate::serve::activation::{BadSocket, inherited};
use crate::serve::capacity::Capacity;
use crate::session::{Bridge, Targets};
use crate::timestamp::clock::Clock;
use crate::timestamp::{Shared, tcp, udp};
use crate::web::http::listener;
use crate::web::{self, Addresses, Web};

/// How long everything that is open may take to end after a stop; then it is cut off.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Bound sockets, not yet served.
#[derive(Debug)]
pub struct Server {
    http: TcpListener,
    tcp: TcpListener,
    udp: UdpSocket,
    admin: Option<TcpListener>,
    config: Serve,
    addresses: Addresses,
}

/// Why there is nothing to listen on.
#[derive(Debug, Error)]
pub enum BindError {
    /// An address that cannot be had.
    #[error("cannot listen on {what} {address}: {cause}")]
    Address {
        /// What was to listen there.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// A socket that was handed over and cannot be used.
    #[error(transparent)]
    Inherited(#[from] BadSocket),
}

/// Why the server ended although nobody asked it to.
#[derive(Debug, Error)]
pub enum RunError {
    /// One of the three serves nobody any more.
    #[error("the {what} listener has ended: {cause}")]
    Listener {
        /// Which one.
        what: &'static str,
        /// What the system says, or that it panicked.
        cause: io::Error,
    },
    /// There can be no measures.
    #[error("cannot measure: {0}")]
    Meters(#[from] BuildError),
}

impl Server {
    /// Takes the sockets that were handed over, and binds the other addresses.
    ///
    /// # Errors
    /// The first socket or address that cannot be had; then none is.
    pub async fn bind(config: Serve) -> Result<Self, BindError> {
        let failed = |what, address| move |cause| BindError::Address { what, address, cause };
        let inherited = inherited()?;
        let http = listener(inherited.http, config.http).await;
        let http = http.map_err(failed("HTTP", config.http))?;
        let tcp = listener(inherited.tcp, config.tcp).await;
        let tcp = tcp.map_err(failed("TCP", config.tcp))?;
        let udp = socket(inherited.udp, config.udp).await;
        let udp = udp.map_err(failed("UDP", config.udp))?;
        let (admin, admin_address) = match config.admin {
            Some(address) => {
                let failed = failed("admin", address);
                let admin = TcpListener::bind(address).await.map_err(failed)?;
                let address = admin.local_addr().map_err(failed)?;
                (Some(admin), Some(address))
            }
            None => (None, None),
        };
        let addresses = Addresses {
            http: http.local_addr().map_err(failed("HTTP", config.http))?,
            tcp: tcp.local_addr().map_err(failed("TCP", config.tcp))?,
            udp: udp.local_addr().map_err(failed("UDP", config.udp))?,
            admin: admin_address,
        };
        Ok(Self { http, tcp, udp, admin, config, addresses })
    }

    /// The real addresses, where port 0 was asked for too.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves until `stop`, then ends every session and connection within five seconds.
    ///
    /// # Errors
    /// It could not begin, or a listener ended without being told to.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let Self { http, tcp, udp, admin, config, addresses } = self;
        let meters = admin.is_some().then(meters::start).transpose()?;
        let room = Capacity::within(open_files(), &config);
        let refusals = Arc::new(Refusals::default());
        let shared = Shared {
            clock: Arc::new(Clock::system()),
            observer: Arc::new(Observer::new(config.feed)),
            refusals: Arc::clone(&refusals),
        };
        let targets = Targets { tcp: reachable(addresses.tcp), udp: reachable(addresses.udp) };
        let observer = Arc::clone(&shared.observer);
        let running = TaskTracker::new();
        let web = Web {
            addresses,
            bridge: Bridge::new(targets, config.limits(), room.websocket, observer),
            http_limits: Arc::new(room.http.clone()),
            sessions: Admission::new(room.websocket.sessions, room.websocket.sessions_per_address),
            refusals: Arc::clone(&refusals),
            stop: stop.clone(),
            running: running.clone(),
        };

        let pages = |surface, on, router, stop| {
            listener::serve(surface, on, router, room.http.clone(), Arc::clone(&refusals), stop)
        };
        let router = web::router(web.clone());
        // A thread is not ended with the runtime's tasks, and would hold up the end of the process.
        let _stops = stop.clone().drop_guard();
        let tcp = tcp::serve(tcp, shared.clone(), room.tcp, stop.clone());
        let (udp_limits, udp_stop) = (config.udp_limits, stop.clone());
        let udp = move || on_this_thread(udp, |udp| udp::serve(udp, shared, udp_limits, udp_stop));
        let serving = [
            ("TCP", running.spawn(tcp)),
            ("UDP", running.spawn_blocking(udp)),
            ("HTTP", running.spawn(pages("http", http, router, stop.clone()))),
        ];
        // Until the very end, so that an operator can look on.
        let end = CancellationToken::new();
        let _until_the_end = end.clone().drop_guard();
        if let (Some(admin), Some(meters)) = (admin, meters) {
            tokio::spawn(pages("admin", admin, web::admin(web, meters), end));
        }

        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            ended = try_join_all(serving.map(until_it_ends)) => ended.map(drop),
        };
        stop.cancel();
        running.close();
        if timeout(STOP_PATIENCE, running.wait()).await.is_err() {
            warn!(tasks = running.len(), "cut off what did not end in time");
        }
        ended
    }
}

/// Serves on the calling thread alone. A datagram is answered in less time than it takes to wake up
/// another thread for it, and a flood of them costs everybody else no more than this thread.
fn on_this_thread<Serving: Future<Output = io::Result<()>>>(
    socket: UdpSocket,
    serve: impl FnOnce(UdpSocket) -> Serving,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let socket = socket.into_std()?;
    runtime.block_on(async { serve(UdpSocket::from_std(socket)?).await })
}

/// Waits for a listener's task.
async fn until_it_ends(
    (what, task): (&'static str, JoinHandle<io::Result<()>>),
) -> Result<(), RunError> {
    let ended = task.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
    ended.map_err(|cause| RunError::Listener { what, cause })
}

async fn listener(
    inherited: Option<std::net::TcpListener>,
    address: SocketAddr,
) -> io::Result<TcpListener> {
    let Some(listener) = inherited else { return TcpListener::bind(address).await };
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn socket(
    inherited: Option<std::net::UdpSocket>,
    address: SocketAddr,
) -> io::Result<UdpSocket> {
    let Some(socket) = inherited else { return UdpSocket::bind(address).await };
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
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
        let Self { http, tcp, udp, .. } = self;
        write!(f, "open http://{http}/ · TCP {tcp} · UDP {udp}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_that_panics_is_named() {
        let buggy = tokio::spawn(async { panic!("a bug") });
        let ended = until_it_ends(("UDP", buggy)).await.unwrap_err().to_string();
        assert!(ended.contains("UDP listener") && ended.contains("a bug"), "{ended}");
    }
}
