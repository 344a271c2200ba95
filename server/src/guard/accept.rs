//! The accept loop of every surface that listens for TCP.
//!
//! An entrance accepts connections and survives errors of `accept`. It admits as many as the limits allow
//! and counts the others as refused. At the end it waits for those that are still open.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admission, Admitted, Full};
use super::refusals::{Refusal, Refusals};
use crate::operate::meters::{Present, Surface};

/// Pauses after a failure, doubled each time. Trying again at once would only take processor time from
/// the open connections, and only their end frees descriptors.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// Short, so that a client hardly notices it once there are descriptors again.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How long connections are still answered after a stop, so that everything that was sent before it is.
pub const LAST_WORDS: Duration = Duration::from_millis(250);

/// How long a peer may take nothing of what it is owed after a stop. Who reads gets all of it; to who does not,
/// nothing can be delivered, and the stop does not wait.
pub const LAST_READS: Duration = Duration::from_millis(500);

/// Waits for `stop`, and then for as long again as `patience` says.
pub async fn after(stop: &CancellationToken, patience: Duration) {
    stop.cancelled().await;
    sleep(patience).await;
}

/// A listener, its limits, and the connections that it has accepted.
#[derive(Debug)]
pub struct Entrance {
    surface: Surface,
    listener: TcpListener,
    admission: Admission,
    refusals: Arc<Refusals>,
    stop: CancellationToken,
    connections: TaskTracker,
}

/// Who connects, which decides the limits that apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// A client: the limit of all, and the limit of its address.
    Client,
    /// A trusted proxy. Its address stands for many clients: only the limit of all.
    Proxy,
    /// A leg of a session of this server: no limit, it is counted with its session.
    Leg,
}

/// Counts one open connection until it is dropped.
#[derive(Debug)]
pub struct Place {
    _admitted: Option<Admitted>,
    _present: Present,
}

impl Entrance {
    /// An entrance that is open until `stop`.
    #[must_use]
    pub fn new(
        surface: Surface,
        listener: TcpListener,
        admission: Admission,
        refusals: Arc<Refusals>,
        stop: CancellationToken,
    ) -> Self {
        Self { surface, listener, admission, refusals, stop, connections: TaskTracker::new() }
    }

    /// The next connection; none after `stop`. Errors that may pass are counted, and accepting goes on.
    ///
    /// # Errors
    /// The socket does not listen any more.
    pub async fn accept(&self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        self.stop.run_until_cancelled(self.accept_patiently()).await.transpose()
    }

    async fn accept_patiently(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return Ok(accepted),
                // Another process that has the socket too has shut it down (accept(2), EINVAL).
                Err(error) if error.kind() == ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    self.refusals.count(Refusal::AcceptFailed, Instant::now(), &error);
                    if !is_of_one_connection(&error) {
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        }
    }

    /// Admits a connection if the limits allow it.
    ///
    /// # Errors
    /// Why not; it is counted. The connection should then end at once: the client learns more from that
    /// than from silence, and it has not asked anything yet that could be answered.
    pub fn admit(&self, peer: SocketAddr, visitor: Visitor) -> Result<Place, Refusal> {
        let admitted = match visitor {
            Visitor::Client => self.admission.admit(peer.ip()).map(Some),
            Visitor::Proxy => self.admission.admit_proxy(peer.ip()).map(Some),
            Visitor::Leg => Ok(None),
        };
        match admitted {
            Ok(admitted) => {
                Ok(Place { _admitted: admitted, _present: Present::connection(self.surface) })
            }
            Err(full) => {
                let (refusal, limit) = (self.refusal(full), full.limit());
                let surface = self.surface.name();
                let detail =
                    format_args!("{surface} client {peer}, the limit is {limit} connections");
                self.refusals.count(refusal, Instant::now(), detail);
                Err(refusal)
            }
        }
    }

    fn refusal(&self, full: Full) -> Refusal {
        match (self.surface, full) {
            (Surface::Tcp, Full::All(_)) => Refusal::TcpFull,
            (Surface::Tcp, Full::Address(_)) => Refusal::TcpAddressFull,
            (Surface::Http | Surface::Admin, Full::All(_)) => Refusal::HttpFull,
            (Surface::Http | Surface::Admin, Full::Address(_)) => Refusal::HttpAddressFull,
        }
    }

    /// Serves a connection in a task of its own.
    pub fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.connections.spawn(connection);
    }

    /// Stops listening, and returns when the last connection has ended. If a service manager has the socket
    /// too, clients can still connect to it.
    pub async fn close(self) {
        drop(self.listener);
        self.connections.close();
        self.connections.wait().await;
    }
}

/// On Linux, `accept` also fails if a connection has failed before it was accepted (accept(2), error
/// handling).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
