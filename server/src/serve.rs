//! The whole server: binds everything or nothing, runs it, and stops it in order.

mod activation;
mod bind;
mod capacity;
mod memory;
pub mod process;
mod stop;

use std::io;
use std::sync::Arc;

pub use activation::BadSocket;
pub use bind::BindError;
pub use stop::RunError;
use tokio::net::UdpSocket;
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::bind::Sockets;
use self::capacity::Capacity;
use self::stop::Serving;
use crate::config::Serve;
use crate::guard::admission::Admission;
use crate::guard::ports::Ports;
use crate::guard::refusals::Refusals;
use crate::observe::Observer;
use crate::operate::meters::{self, Surface};
use crate::session::{Bridge, Targets};
use crate::timestamp::clock::Clock;
use crate::timestamp::{Shared, tcp, udp};
use crate::web::http::listener;
use crate::web::{self, Addresses, Web};

/// Bound sockets, not yet served.
#[derive(Debug)]
pub struct Server {
    sockets: Sockets,
    config: Serve,
}

impl Server {
    /// Takes the sockets that were handed over, and binds the other addresses.
    ///
    /// # Errors
    /// The first socket or address that fails; then nothing listens.
    pub async fn bind(config: Serve) -> Result<Self, BindError> {
        Ok(Self { sockets: Sockets::bind(&config).await?, config })
    }

    /// The real addresses, where port 0 was asked for too.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.sockets.addresses
    }

    /// Serves until `stop`, then ends every session and connection within five seconds.
    ///
    /// # Errors
    /// The meters could not be started, or a listener failed.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let Self { sockets: Sockets { http, tcp, udp, admin, addresses }, config } = self;
        let meters = admin.is_some().then(meters::start).transpose()?;
        let room = Capacity::within(process::open_files(), memory(&config), &config);
        let refusals = Arc::new(Refusals::default());
        let shared = Shared {
            clock: Arc::new(Clock::system()),
            observer: Arc::new(Observer::new(config.feed)),
            refusals: Arc::clone(&refusals),
        };
        let targets = Targets::of(addresses.tcp, addresses.udp);
        let observer = Arc::clone(&shared.observer);
        let running = TaskTracker::new();
        if let Some(meters) = &meters {
            running.spawn(stop.clone().run_until_cancelled_owned(meters.upkeep()));
        }
        let web = Web {
            addresses,
            bridge: Bridge::new(
                targets,
                config.limits(),
                room.websocket,
                observer,
                Ports::of_the_system(),
            ),
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
        // When the runtime ends, it ends its tasks. The thread of UDP it would wait for.
        let _stops = stop.clone().drop_guard();
        let tcp = tcp::serve(tcp, shared.clone(), room.tcp, stop.clone());
        let (udp_limits, udp_stop) = (config.udp_limits, stop.clone());
        let udp = move || on_this_thread(udp, |udp| udp::serve(udp, shared, udp_limits, udp_stop));
        let mut serving = vec![
            Serving { surface: "TCP", task: running.spawn(tcp) },
            Serving { surface: "UDP", task: running.spawn_blocking(udp) },
            Serving {
                surface: "HTTP",
                task: running.spawn(pages(Surface::Http, http, router, stop.clone())),
            },
        ];
        // The operator can look until the very end.
        let end = CancellationToken::new();
        let _until_the_end = end.clone().drop_guard();
        if let (Some(admin), Some(meters)) = (admin, meters) {
            let pages = pages(Surface::Admin, admin, web::admin(web, meters), end);
            serving.push(Serving { surface: "admin", task: tokio::spawn(pages) });
        }

        stop::until_stopped(serving, stop, running).await
    }
}

/// Serves on the calling thread alone. Answering a datagram takes less time than waking up another thread
/// for it, and a flood of datagrams can take no more than this thread.
fn on_this_thread<Answering: Future<Output = io::Result<()>>>(
    socket: UdpSocket,
    serve: impl FnOnce(UdpSocket) -> Answering,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let socket = socket.into_std()?;
    runtime.block_on(async { serve(UdpSocket::from_std(socket)?).await })
}

/// Bytes that the process may take: what a flag says, or what the system says.
fn memory(config: &Serve) -> usize {
    let asked = config.memory_mib.map(|mib| mib << 20);
    let bytes = asked.or_else(memory::available).unwrap_or(u64::MAX);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
