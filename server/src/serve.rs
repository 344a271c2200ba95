//! The whole server: binds everything or nothing, runs it, and stops it in order.

mod activation;
mod bind;
mod capacity;
mod faults;
mod memory;
pub mod process;
mod stop;

use std::io;
use std::sync::Arc;

pub use activation::BadSocket;
use activation::{Inherited, inherited};
pub use bind::BindError;
pub use stop::RunError;
use streamgram_protocol::Protocol;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::bind::Sockets;
use self::capacity::Capacity;
use self::faults::Faults;
use self::stop::{STOP_PATIENCE, Serving};
use crate::capture::Opened;
use crate::config::{Serve, TcpLimits, UdpLimits};
use crate::guard::accept::after;
use crate::guard::admission::Admission;
use crate::guard::ports::Ports;
use crate::guard::refusals::Refusals;
use crate::observe::Observer;
use crate::operate::meters::{self, Surface};
use crate::room::{Rooms, Store};
use crate::session::{Bridge, Targets};
use crate::timestamp::clock::Clock;
use crate::timestamp::{Shared, tcp, udp};
use crate::web::http::listener;
use crate::web::{self, Addresses, FaultyAddress, Web};

/// Bound sockets, not yet served.
#[derive(Debug)]
pub struct Server {
    sockets: Sockets,
    faults: Faults,
    config: Serve,
    observer: Arc<Observer>,
    capture: Opened,
    /// This server's number among those that share a store, and the store.
    rooms: (u64, Store),
}

impl Server {
    /// Takes the sockets that were handed over, and binds the other addresses.
    ///
    /// # Errors
    /// The first socket or address that fails; then nothing listens.
    pub async fn bind(config: Serve, capture: Opened) -> Result<Self, BindError> {
        Self::bind_with(config, inherited()?, capture).await
    }

    /// Binds all addresses, and captures nothing. Sockets that were handed over are the process's.
    ///
    /// # Errors
    /// The first address that fails; then nothing listens.
    pub(crate) async fn bind_own(config: Serve) -> Result<Self, BindError> {
        Self::bind_with(config, Inherited::default(), Opened::none()).await
    }

    async fn bind_with(
        config: Serve,
        inherited: Inherited,
        capture: Opened,
    ) -> Result<Self, BindError> {
        let faults = Faults::bind(&config.faulty)?;
        let sockets = Sockets::bind(&config, inherited, faults.addresses.clone())?;
        let observer = Arc::new(Observer::keeping(config.feed, config.journal_bytes()));
        let rooms = Store::open(&config.nats, &config.room_limits).await?;
        Ok(Self { sockets, faults, config, observer, capture, rooms })
    }

    /// What its servers will see goes through this.
    #[must_use]
    pub(crate) fn observer(&self) -> &Arc<Observer> {
        &self.observer
    }

    /// The real addresses, where port 0 was asked for too.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.sockets.addresses.clone()
    }

    /// Serves until `stop`, then ends every session and connection within five seconds.
    ///
    /// # Errors
    /// The meters could not be started, or a listener failed.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let Self { sockets, faults, config, observer, capture, rooms } = self;
        let Sockets { http, tcp, udp, admin, addresses } = sockets;
        let meters = admin.is_some().then(meters::start).transpose()?;
        let room = Capacity::within(process::open_files(), memory(&config), &config);
        let refusals = Arc::new(Refusals::default());
        let shared = Shared {
            clock: Arc::new(Clock::system()),
            observer: Arc::clone(&observer),
            refusals: Arc::clone(&refusals),
        };
        let faulty_targets: Vec<_> = addresses.faults.iter().map(FaultyAddress::target).collect();
        let running = TaskTracker::new();
        let captured = [(Protocol::Tcp, addresses.tcp), (Protocol::Udp, addresses.udp)];
        let capture = capture.start(captured, &observer, &stop, &running);
        let rooms = Rooms::new(config.room_limits, rooms, stop.clone(), running.clone());
        if let Some(meters) = &meters {
            running.spawn(stop.clone().run_until_cancelled_owned(meters.upkeep()));
        }
        let web = Web {
            bridge: Bridge::new(
                Targets::of(addresses.tcp, addresses.udp),
                config.limits(),
                room.websocket,
                observer,
                Ports::of_the_system(),
            )
            .with_capture(capture)
            .with_faults(faulty_targets)
            .with_rooms(rooms),
            addresses,
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
        // When the runtime ends, it ends its tasks. The threads of TCP and UDP it would wait for.
        let _stops = stop.clone().drop_guard();
        let limits = (room.tcp, config.udp_limits);
        let mut serving = serve_timestamps((tcp, udp, faults), &shared, limits, &stop, &running);
        let pages_of_all = running.spawn(pages(Surface::Http, http, router, stop.clone()));
        serving.push(Serving { surface: "HTTP", task: pages_of_all });
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

/// Serves TCP and UDP on a thread each, and all faulty servers on one.
fn serve_timestamps(
    (tcp, udp, faults): (TcpListener, UdpSocket, Faults),
    shared: &Shared,
    limits: (TcpLimits, UdpLimits),
    stop: &CancellationToken,
    running: &TaskTracker,
) -> Vec<Serving> {
    let with = || (shared.clone(), stop.clone());
    let of = |surface, task| Serving { surface, task };
    let (shared, stop) = with();
    let tcp = move || serve_tcp(tcp, shared, limits.0, &stop);
    let (shared, stop) = with();
    let udp = move || serve_udp(udp, shared, limits.1, &stop);
    let mut serving =
        vec![of("TCP", running.spawn_blocking(tcp)), of("UDP", running.spawn_blocking(udp))];
    if !faults.is_empty() {
        let (shared, stop) = with();
        let faulty = move || serve_faulty(faults, shared, limits, &stop);
        serving.push(of("faulty", running.spawn_blocking(faulty)));
    }
    serving
}

fn serve_tcp(
    listener: TcpListener,
    shared: Shared,
    limits: TcpLimits,
    stop: &CancellationToken,
) -> io::Result<()> {
    let listener = listener.into_std()?;
    let serve = || Ok(tcp::serve(TcpListener::from_std(listener)?, shared, limits, stop.clone()));
    on_this_thread(serve, stop)
}

fn serve_faulty(
    faults: Faults,
    shared: Shared,
    limits: (TcpLimits, UdpLimits),
    stop: &CancellationToken,
) -> io::Result<()> {
    on_this_thread(|| Ok(faults.serve(shared, limits, stop.clone())), stop)
}

fn serve_udp(
    socket: UdpSocket,
    shared: Shared,
    limits: UdpLimits,
    stop: &CancellationToken,
) -> io::Result<()> {
    let socket = socket.into_std()?;
    let serve = || Ok(udp::serve(UdpSocket::from_std(socket)?, shared, limits, stop.clone()));
    on_this_thread(serve, stop)
}

/// Serves on the calling thread alone, with every connection: what a session does on its thread delays no reply, so
/// its legs meet the server that any other client meets. A flood takes no more than this thread. What has not ended
/// [`STOP_PATIENCE`] after `stop` is cut off.
fn on_this_thread<Answering: Future<Output = io::Result<()>>>(
    serve: impl FnOnce() -> io::Result<Answering>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let serving = serve()?;
        tokio::select! {
            served = serving => served,
            () = after(stop, STOP_PATIENCE) => Ok(()),
        }
    })
}

/// Bytes that the process may take beside its journal: what a flag says, or what the system says.
fn memory(config: &Serve) -> usize {
    let asked = config.memory_mib.map(|mib| mib << 20);
    let bytes = asked.or_else(memory::available).unwrap_or(u64::MAX);
    usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(config.journal_bytes())
}
