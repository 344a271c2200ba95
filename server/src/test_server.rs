//! A server inside of a test's own process: free ports of loopback, and gone with the value.
//!
//! It has threads of its own, so a test needs no runtime for it. It reads no flags and no environment, sets no
//! logger and no handler of signals, and measures nothing: those are the process's. What it logs goes to the
//! subscriber of `tracing` that the process has, if it has one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use streamgram_protocol::Protocol;
use streamgram_protocol::fault::{TcpRecipe, UdpRecipe, WrongRecipe};
use thiserror::Error;
use tokio::runtime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::warn;

use crate::config::{Faulty, Serve};
use crate::serve::{BindError, Server};
use crate::web::Addresses;

/// How long [`Drop`] waits for the server, which takes five seconds at most to end its connections. Then it
/// goes on without it: a test that hangs says less than one that fails.
const DROP_PATIENCE: Duration = Duration::from_secs(10);

/// How long the server's own threads may take once its connections have ended.
const THREADS_PATIENCE: Duration = Duration::from_secs(2);

/// A free port of loopback.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running server on free ports of loopback, for tests of clients. It stops when it is dropped.
///
/// Any number of them can run at a time, each with its own counts and limits.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = streamgram::TestServer::start()?;
/// let mut client = TcpStream::connect(server.tcp())?;
/// client.write_all(b"hello")?;
/// let mut reply = [0; 32];
/// client.read_exact(&mut reply)?;
/// assert!(reply.starts_with(b"[") && reply.ends_with(b"] hello"));
/// # Ok(())
/// # }
/// ```
///
/// In a `#[tokio::test]` it is the same. A server with faulty listeners tells whether a client puts replies
/// together again; `docs/faults.md` of the project lists the recipes:
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::net::TcpStream;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = streamgram::TestServer::builder().fault_tcp("split=1;seed=7").start()?;
/// let mut client = TcpStream::connect(server.faulty_tcp()[0]).await?;
/// client.write_all(b"hello").await?;
/// // A client that takes one read for the whole reply has a piece of it.
/// let mut reply = [0; 32];
/// client.read_exact(&mut reply).await?;
/// assert!(reply.ends_with(b"] hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestServer {
    addresses: Addresses,
    stop: Option<DropGuard>,
    ended: Receiver<()>,
}

impl TestServer {
    /// A server without faulty listeners. It waits until all addresses listen, a matter of milliseconds.
    ///
    /// # Errors
    /// The system gives no socket or no thread.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// A server with faulty listeners.
    #[must_use]
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::default()
    }

    /// The TCP timestamp server.
    #[must_use]
    pub fn tcp(&self) -> SocketAddr {
        self.addresses.tcp
    }

    /// The UDP timestamp server.
    #[must_use]
    pub fn udp(&self) -> SocketAddr {
        self.addresses.udp
    }

    /// The API and the WebSocket, and the page if the library was built with it.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.addresses.http
    }

    /// The faulty TCP servers, in the order in which they were asked for.
    #[must_use]
    pub fn faulty_tcp(&self) -> Vec<SocketAddr> {
        self.faulty(Protocol::Tcp)
    }

    /// The faulty UDP servers, in the order in which they were asked for.
    #[must_use]
    pub fn faulty_udp(&self) -> Vec<SocketAddr> {
        self.faulty(Protocol::Udp)
    }

    fn faulty(&self, protocol: Protocol) -> Vec<SocketAddr> {
        let faults = self.addresses.faults.iter();
        faults.filter(|faulty| faulty.protocol == protocol).map(|faulty| faulty.address).collect()
    }
}

impl Drop for TestServer {
    /// Stops the server and waits for it. Clients get the replies that they are owed; one that still has its
    /// connection and reads nothing is cut off after half a second.
    fn drop(&mut self) {
        drop(self.stop.take());
        // An error means that its thread has let go of the other end, which it does last.
        if self.ended.recv_timeout(DROP_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            warn!("the server has not stopped in {} s", DROP_PATIENCE.as_secs());
        }
    }
}

/// What a [`TestServer`] shall have beside the usual servers.
#[derive(Debug, Clone, Default)]
pub struct TestServerBuilder {
    tcp: Vec<String>,
    udp: Vec<String>,
}

impl TestServerBuilder {
    /// One more TCP timestamp server, whose replies go wrong as a recipe says: `split;seed=7`.
    #[must_use]
    pub fn fault_tcp(mut self, recipe: impl Into<String>) -> Self {
        self.tcp.push(recipe.into());
        self
    }

    /// One more UDP timestamp server, whose replies go wrong as a recipe says: `drop=30;seed=7`.
    #[must_use]
    pub fn fault_udp(mut self, recipe: impl Into<String>) -> Self {
        self.udp.push(recipe.into());
        self
    }

    /// Starts the server, and waits until all addresses listen.
    ///
    /// # Errors
    /// A recipe is none, or the system gives no socket or no thread.
    pub fn start(self) -> Result<TestServer, StartError> {
        let mut config = Serve::on_free_ports()?;
        config.faulty.fault_tcp = faulty::<TcpRecipe>(self.tcp)?;
        config.faulty.fault_udp = faulty::<UdpRecipe>(self.udp)?;
        let (says, bound) = sync_channel(1);
        let (lives, ended) = sync_channel(1);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serve = move || run(config, stopped, &says, lives);
        thread::Builder::new().name("streamgram".into()).spawn(serve)?;
        let gone = |_| StartError::System(io::ErrorKind::BrokenPipe.into());
        let addresses = bound.recv().map_err(gone)??;
        Ok(TestServer { addresses, stop: Some(stop.drop_guard()), ended })
    }
}

/// Why there is no server.
#[derive(Debug, Error)]
pub enum StartError {
    /// What was asked for is no recipe.
    #[error("{recipe:?} is no recipe: {why}")]
    Recipe {
        /// What was asked for.
        recipe: String,
        /// What is wrong about it.
        why: WrongRecipe,
    },
    /// The defaults of the flags.
    #[error(transparent)]
    Defaults(#[from] clap::Error),
    /// There is nothing to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    System(#[from] io::Error),
}

fn faulty<Recipe>(recipes: Vec<String>) -> Result<Vec<Faulty<Recipe>>, StartError>
where
    Recipe: TryFrom<String, Error = WrongRecipe>,
{
    let read = |text: String| {
        let recipe = Recipe::try_from(text.clone());
        let recipe = recipe.map_err(|why| StartError::Recipe { recipe: text, why })?;
        Ok(Faulty { address: ANY_PORT, recipe })
    };
    recipes.into_iter().map(read).collect()
}

/// The server's thread. It lets go of `lives` when nothing of the server is left.
fn run(
    config: Serve,
    stop: CancellationToken,
    says: &SyncSender<Result<Addresses, StartError>>,
    lives: SyncSender<()>,
) {
    // Nobody listens any more if the test has ended meanwhile.
    let say = |bound| drop(says.send(bound));
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return say(Err(cause.into())),
    };
    runtime.block_on(async {
        match Server::bind_own(config).await {
            Ok(server) => {
                say(Ok(server.addresses()));
                if let Err(ended) = server.run(stop).await {
                    warn!("{ended}");
                }
            }
            Err(cause) => say(Err(cause.into())),
        }
    });
    runtime.shutdown_timeout(THREADS_PATIENCE);
    drop(lives);
}
