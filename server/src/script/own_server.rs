//! A server in this process, on free ports of loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use streamgram_protocol::Protocol;
use streamgram_protocol::fault::{TcpRecipe, UdpRecipe};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::{Faulty, Serve, WebSocketLimits};
use crate::guard::ports::Ports;
use crate::observe::Observer;
use crate::serve::{RunError, Server};
use crate::session::{Bridge, Targets};
use crate::web::{Addresses, FaultyAddress};

/// Lines a second that a scenario may send, and legs that it may open a minute: nobody else is there to be protected.
const UNHURRIED: u32 = 1_000_000;
/// KiB of what is seen of clients that are kept.
const JOURNAL_KIB: u32 = 16 * 1_024;

/// The replies of one of the servers go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipe {
    Tcp(TcpRecipe),
    Udp(UdpRecipe),
}

/// A server that runs until it is stopped.
#[derive(Debug)]
pub(super) struct OwnServer {
    /// Where it listens.
    pub(super) addresses: Addresses,
    /// What it sees.
    pub(super) observer: Arc<Observer>,
    limits: streamgram_protocol::Limits,
    stop: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

impl OwnServer {
    /// Starts it, with a faulty server for each recipe.
    ///
    /// # Errors
    /// There is no free port, or none is allowed.
    pub(super) async fn start(recipes: &[Recipe]) -> anyhow::Result<Self> {
        let mut config = Serve::on_free_ports()?;
        config.journal_kib = Some(JOURNAL_KIB);
        let address = config.tcp;
        for recipe in recipes.iter().cloned() {
            match recipe {
                Recipe::Tcp(recipe) => config.faulty.fault_tcp.push(Faulty { address, recipe }),
                Recipe::Udp(recipe) => config.faulty.fault_udp.push(Faulty { address, recipe }),
            }
        }
        let limits = config.limits();
        let server = Server::bind_own(config).await?;
        let (addresses, observer) = (server.addresses(), Arc::clone(server.observer()));
        let stop = CancellationToken::new();
        let running = tokio::spawn(server.run(stop.clone()));
        Ok(Self { addresses, observer, limits, stop, running })
    }

    /// The place of a protocol's faulty server, if there is one.
    pub(super) fn fault(&self, protocol: Protocol) -> Option<usize> {
        self.addresses.faults.iter().position(|faulty| faulty.protocol == protocol)
    }

    /// Where a protocol's server listens: the faulty one, if there is one.
    pub(super) fn address(&self, protocol: Protocol) -> SocketAddr {
        let Addresses { tcp, udp, faults, .. } = &self.addresses;
        let plain = if protocol == Protocol::Tcp { *tcp } else { *udp };
        self.fault(protocol).map_or(plain, |place| faults[place].address)
    }

    /// What a session needs whose legs lead there.
    pub(super) fn bridge(&self) -> Bridge {
        let targets = Targets::of(self.addresses.tcp, self.addresses.udp);
        let faults = self.addresses.faults.iter().map(FaultyAddress::target);
        let rates = WebSocketLimits {
            lines_per_s: UNHURRIED,
            legs_per_min: UNHURRIED,
            ..WebSocketLimits::default()
        };
        let observer = Arc::clone(&self.observer);
        Bridge::new(targets, self.limits, rates, observer, Ports::of_the_system())
            .with_faults(faults)
    }

    /// Stops it, and waits until it has.
    ///
    /// # Errors
    /// A listener had ended before.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        Ok(self.running.await??)
    }
}
