//! The kernel's own packets of the two servers' ports, and of nothing else.
//!
//! Only Linux, only with CAP_NET_RAW, and only while somebody watches: until then the filter in the kernel takes
//! nothing. A thread reads what the filter takes and hands it to the session of a leg, or to the sessions that watch
//! raw clients. It never waits for them.

mod dissect;
mod filter;
mod flow;
mod flows;
mod own_addresses;
#[cfg_attr(not(target_os = "linux"), path = "capture/no_permission.rs")]
mod permission;
mod reader;
#[cfg_attr(not(target_os = "linux"), path = "capture/no_socket.rs")]
mod socket;
mod tap;
mod views;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;

use streamgram_protocol::{Capture as Status, Protocol};
pub use tap::{HELD_BYTES_OF_ALL, LegPackets, Watching};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use self::reader::Reader;
use self::socket::Socket;
use self::tap::Tap;
use crate::config::CaptureMode;
use crate::observe::Observer;

/// The permission to capture, used or not.
#[derive(Debug)]
pub struct Opened {
    status: Status,
    socket: Option<Socket>,
    per_s: u32,
    /// Why there is none, or why the permission is still there.
    failed: Option<String>,
}

impl Opened {
    /// Opens what is to be captured with, and gives the permission for it up, for this thread and those that it
    /// starts. `per_s` packets are captured per second.
    #[must_use]
    pub fn new(mode: CaptureMode, per_s: u32) -> Self {
        let socket = match mode {
            CaptureMode::Auto => Socket::open(views::PATIENCE).map(Some),
            CaptureMode::Off => Ok(None),
        };
        let given_up = permission::give_up().map_err(|error| error.to_string());
        let status = match &socket {
            Ok(Some(_)) => Status::On,
            Ok(None) => Status::Off,
            Err(error) => status(error),
        };
        let failed = socket.as_ref().err().map(ToString::to_string).or(given_up.err());
        Self { status, socket: socket.ok().flatten(), per_s, failed }
    }

    /// Nothing is captured, and the process keeps its permissions: they are of whoever uses the library.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self { status: Status::Off, socket: None, per_s: 0, failed: None }
    }

    /// Says in the log what has come of it.
    fn log(&self) {
        let failed = self.failed.as_deref().unwrap_or_default();
        match self.status {
            Status::On if !failed.is_empty() => {
                warn!(
                    error = failed,
                    "packets can be captured, but CAP_NET_RAW could not be given up"
                );
            }
            Status::On => {
                info!("packets of the TCP and UDP ports can be captured; CAP_NET_RAW is given up")
            }
            Status::Off => info!("packets are not captured: --capture is off"),
            Status::NotPermitted => info!(
                "packets are not captured: {failed}. To permit it give the server CAP_NET_RAW: \
                 `setcap cap_net_raw+ep FILE`, `docker run --user 0 --cap-add NET_RAW`, or systemd's \
                 `AmbientCapabilities=CAP_NET_RAW` (docs/capture.md)"
            ),
            Status::Unsupported => {
                info!("packets are not captured: this system has no packet sockets ({failed})")
            }
        }
    }

    /// Captures packets of the servers at these addresses, until `stop`; on a thread of its own, which is one of what is
    /// `running`. The log says whether that is so.
    #[must_use]
    pub fn start(
        self,
        servers: [(Protocol, SocketAddr); 2],
        observer: &Arc<Observer>,
        stop: &CancellationToken,
        running: &TaskTracker,
    ) -> Capture {
        self.log();
        let tap = self.socket.map(|socket| Arc::new(Tap::new(socket, &servers)));
        if let Some(tap) = &tap {
            let reader = Reader::new(Arc::clone(tap), Arc::clone(observer), servers, self.per_s);
            let stop = stop.clone();
            running.spawn_blocking(move || reader.run(&stop));
        }
        Capture { status: self.status, tap }
    }
}

fn status(error: &io::Error) -> Status {
    match error.kind() {
        ErrorKind::Unsupported => Status::Unsupported,
        // What restricts system calls may say other things than that it does.
        _ => Status::NotPermitted,
    }
}

/// The capture, as the sessions see it.
#[derive(Debug, Clone)]
pub struct Capture {
    status: Status,
    tap: Option<Arc<Tap>>,
}

impl Capture {
    /// There is none.
    #[must_use]
    pub fn off() -> Self {
        Self { status: Status::Off, tap: None }
    }

    /// Whether packets are captured.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// Packets are taken from now on, for as long as the guard lives.
    #[must_use]
    pub fn watch(&self) -> Option<Watching> {
        self.tap.as_ref().map(Tap::watch)
    }

    /// The packets of a leg with this address, which has sent none yet.
    #[must_use]
    pub fn leg(&self, protocol: Protocol, local: SocketAddr) -> Option<LegPackets> {
        self.watch().map(|watching| watching.leg(protocol, local))
    }

    /// How many packets were dropped so far, before anybody could say whose they were.
    #[must_use]
    pub fn dropped(&self) -> Option<watch::Receiver<u64>> {
        self.tap.as_ref().map(|tap| tap.dropped())
    }
}
