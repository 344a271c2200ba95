//! A TCP relay in front of a server: it can hold back everything that goes through it, or cut everybody off.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Bytes that one read takes.
const READ: usize = 16 * 1024;

/// A relay; it ends with its test.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub at: SocketAddr,
    mode: watch::Sender<Mode>,
    accepting: JoinHandle<()>,
}

/// What the relay does.
#[derive(Debug, Clone, Copy, Default)]
struct Mode {
    /// Connections before this one hold back what comes.
    stalls_before: u64,
    cuts: bool,
    /// How many connections there were so far, and are.
    accepted: u64,
    open: u64,
}

impl Relay {
    /// A relay to a server.
    ///
    /// # Panics
    /// No port is free.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let at = listener.local_addr().expect("it is bound");
        let mode = watch::Sender::new(Mode::default());
        let accepting = tokio::spawn(accept(listener, server, mode.clone()));
        Self { at, mode, accepting }
    }

    /// Nothing goes through any more, and nobody is told so: as a network that loses everything.
    pub fn stalls(&self) {
        self.mode.send_modify(|mode| mode.stalls_before = u64::MAX);
    }

    /// The same for the connections that there are, and not for new ones.
    pub fn stalls_these(&self) {
        self.mode.send_modify(|mode| mode.stalls_before = mode.accepted);
    }

    /// All connections are closed, and so is every new one.
    pub fn cuts(&self) {
        self.mode.send_modify(|mode| mode.cuts = true);
    }

    /// It is a relay again, and what was held back goes on.
    pub fn carries(&self) {
        self.mode.send_modify(|mode| (mode.stalls_before, mode.cuts) = (0, false));
    }

    /// Waits until what its connections held back has reached the server, and no more than so many are open.
    ///
    /// # Panics
    /// It is not so in time.
    pub async fn has_open(&self, connections: u64, patience: Duration) {
        let mut mode = self.mode.subscribe();
        let is_so = timeout(patience, mode.wait_for(|mode| mode.open <= connections)).await.is_ok();
        assert!(is_so, "{:?}", *self.mode.borrow());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, mode: watch::Sender<Mode>) {
    loop {
        let (client, _from) = listener.accept().await.expect("it listens");
        let number = mode.borrow().accepted;
        mode.send_modify(|mode| (mode.accepted, mode.open) = (number + 1, mode.open + 1));
        let relaying = relay(client, server, number, mode.subscribe());
        let mode = mode.clone();
        tokio::spawn(async move {
            relaying.await;
            mode.send_modify(|mode| mode.open -= 1);
        });
    }
}

/// One connection, until both ends have had enough, or it is cut.
async fn relay(
    client: TcpStream,
    server: SocketAddr,
    number: u64,
    mut mode: watch::Receiver<Mode>,
) {
    if mode.borrow().cuts {
        return;
    }
    // Without the server there is no relay to it.
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = carry(from_client, to_server, number, mode.clone());
    let back = carry(from_server, to_client, number, mode.clone());
    tokio::select! {
        _both = async { tokio::join!(there, back) } => {}
        _cut = mode.wait_for(|mode| mode.cuts) => {}
    }
}

/// One direction, until either end has had enough of it.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u64,
    mut mode: watch::Receiver<Mode>,
) {
    let mut bytes = [0; READ];
    loop {
        // A reset is an end, too; what came before it is still carried.
        let count = from.read(&mut bytes).await.unwrap_or(0);
        let carries = mode.wait_for(|mode| number >= mode.stalls_before);
        if carries.await.is_err() || count == 0 || to.write_all(&bytes[..count]).await.is_err() {
            // Dropped, it says so to the other end.
            return;
        }
    }
}
