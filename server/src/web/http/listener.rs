//! Serves HTTP connections, within time limits.
//!
//! axum's own loop has no such limits: it waits for ever for a request that does not come.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_service::Service;
use tracing::debug;

use super::connection::{Connection, Received};
use crate::config::HttpLimits;
use crate::guard::accept::{Entrance, LAST_WORDS, Place, Visitor, after};
use crate::guard::admission::Admission;
use crate::guard::refusals::{Refusal, Refusals};
use crate::operate::meters::Surface;

/// Bytes of a request's line and header fields. A longer one is answered with 431.
const HEAD_BYTES: usize = 16 * 1024;
/// Bytes that a connection buffers, each way.
const BUFFER_BYTES: usize = 64 * 1024;

/// The connection of a request.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The other end, which may be a proxy.
    pub(crate) address: SocketAddr,
    /// The address of ours that the connection ends at.
    pub(crate) local: IpAddr,
    /// Counts the connection. A session holds it after the upgrade.
    pub(crate) place: Arc<Place>,
    /// What has come over it.
    pub(crate) received: Received,
}

/// What every connection needs.
#[derive(Clone)]
struct Serving {
    router: Router,
    http: http1::Builder,
    /// How long a peer may not read.
    patience: Duration,
    refusals: Arc<Refusals>,
    stop: CancellationToken,
}

/// Serves requests until `stop`, then finishes those that have begun. Returns when the last connection has
/// ended; those of sessions do not count.
///
/// # Errors
/// The listener has ended; connections have not.
pub async fn serve(
    surface: Surface,
    listener: TcpListener,
    router: Router,
    limits: HttpLimits,
    refusals: Arc<Refusals>,
    stop: CancellationToken,
) -> io::Result<()> {
    let admission = Admission::new(limits.http_connections, limits.http_connections_per_address);
    let entrance = Entrance::new(surface, listener, admission, Arc::clone(&refusals), stop.clone());
    let patience = Duration::from_secs(limits.http_write_s.into());
    let serving = Serving { router, http: protocol(&limits), patience, refusals, stop };
    while let Some((stream, address)) = entrance.accept().await? {
        let ip = address.ip().to_canonical();
        let is_proxy = limits.proxies.iter().any(|network| network.contains(&ip));
        let visitor = if is_proxy { Visitor::Proxy } else { Visitor::Client };
        if let Ok(place) = entrance.admit(address, visitor) {
            // Else it has broken already.
            let Ok(local) = stream.local_addr() else { continue };
            let (local, place) = (local.ip().to_canonical(), Arc::new(place));
            let peer = Peer { address, local, place, received: Received::default() };
            entrance.serve(serving.clone().connection(stream, peer));
        }
    }
    entrance.close().await;
    Ok(())
}

fn protocol(limits: &HttpLimits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.http_header_s.into()))
        .max_header_size(HEAD_BYTES)
        .max_buf_size(BUFFER_BYTES)
        // A client that sends FIN after its request, as `nc -N` does, still gets the response.
        .half_close(true);
    http
}

impl Serving {
    async fn connection(self, stream: TcpStream, peer: Peer) {
        let Self { router, http, patience, refusals, stop } = self;
        let (address, received) = (peer.address, peer.received.clone());
        // Events are small, and each should arrive at once.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%address, %error, "TCP_NODELAY could not be set");
        }
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            router.clone().call(request)
        });
        let connection = Connection::new(stream, patience, received, stop.clone());
        let stream = TokioIo::new(connection);
        let mut connection = pin!(http.serve_connection(stream, service).with_upgrades());
        let ended = tokio::select! {
            ended = &mut connection => ended,
            // At once hyper would close the connection although a request is on its way.
            () = after(&stop, LAST_WORDS) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            if is_unread(&error) {
                let detail = format_args!("HTTP client {address} reads nothing");
                refusals.count(Refusal::HttpUnread, Instant::now(), detail);
            }
            debug!(%address, %error, "an HTTP connection ended");
        }
    }
}

/// Whether a connection ended because its peer did not read.
pub(crate) fn is_unread(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::TimedOut)
}
