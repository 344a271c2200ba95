//! How connections come in: one way for every surface that listens for TCP.
//!
//! An entrance accepts, whatever happens to `accept`, lets in as many as the limits say, counts the
//! others as refused, and waits at the end for those that are still open.

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

/// Pauses after a failure, doubled from one to the next. Trying again at once would only burn the
/// processor that the open connections need: nothing but their end makes descriptors free.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// So short that a client hardly notices it once there are descriptors again.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// How long connections are still answered after a stop: whatever was sent before it has come by then.
pub const LAST_WORDS: Duration = Duration::from_millis(250);

/// A listener, its limits, and the connections that came in.
#[derive(Debug)]
pub struct Entrance {
    surface: Surface,
    listener: TcpListener,
    admission: Admission,
    refusals: Arc<Refusals>,
    stop: CancellationToken,
    connections: TaskTracker,
}

/// Who comes in, and so which limits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// Anybody: the limit of all, and that of the address.
    Client,
    /// A proxy, whose address is that of many: the limit of all.
    Proxy,
    /// A leg of a session of this server: it is counted with its session.
    Leg,
}

/// The place of a connection among all that are open, until this is dropped.
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

    /// The next connection; none after `stop`. Failures that may pass are counted and waited out.
    ///
    /// # Errors
    /// The socket listens no more, and never will.
    pub async fn accept(&self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        self.stop.run_until_cancelled(self.accept_patiently()).await.transpose()
    }

    async fn accept_patiently(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return Ok(accepted),
                // Somebody shut it down who has it as well (accept(2), EINVAL).
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

    /// A place for a connection.
    ///
    /// # Errors
    /// Why there is none; it is counted. The connection is to end at once: to wait in silence would tell a
    /// client less, and nothing has been asked yet that could be answered.
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
                let (refusal, limit) = self.refusal(full);
                let surface = self.surface.name();
                let detail =
                    format_args!("{surface} client {peer}, the limit is {limit} connections");
                self.refusals.count(refusal, Instant::now(), detail);
                Err(refusal)
            }
        }
    }

    fn refusal(&self, full: Full) -> (Refusal, usize) {
        match (self.surface, full) {
            (Surface::Tcp, Full::All(limit)) => (Refusal::TcpFull, limit),
            (Surface::Tcp, Full::Address(limit)) => (Refusal::TcpAddressFull, limit),
            (Surface::Http | Surface::Admin, Full::All(limit)) => (Refusal::HttpFull, limit),
            (Surface::Http | Surface::Admin, Full::Address(limit)) => {
                (Refusal::HttpAddressFull, limit)
            }
        }
    }

    /// Serves a connection in a task of its own.
    pub fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.connections.spawn(connection);
    }

    /// From here on nobody can connect, unless a service manager has the socket as well. Returns when the
    /// last connection has ended.
    pub async fn close(self) {
        drop(self.listener);
        self.connections.close();
        self.connections.wait().await;
    }
}

/// Linux reports what happened to a connection before it was accepted as an error of `accept`
/// (accept(2), error handling).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
