//! The thread that reads packets, finds out whose they are, and hands them to whoever wants them.

use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use metrics::Counter;
use streamgram_protocol::{CAPTURED_BYTES, Protocol, Side};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::dissect::{Dissected, dissect};
use super::flows::{Flows, Key};
use super::own_addresses::OwnAddresses;
use super::socket::Received;
use super::tap::Tap;
use super::views::{Sight, Views};
use crate::guard::rate::Rate;
use crate::observe::{Machine, Observer, Packet};
use crate::operate::meters::{self, Captured};

/// What part of a second's packets may be read at once.
const AT_ONCE: u32 = 5;
/// KiB of packets that are read per second, the same part of it at once. Above it, as above the rate of packets, what
/// comes fills the buffer in the kernel, which drops the rest and counts it.
const KIB_PER_S: u32 = 128 * 1_024;
/// How long nothing is read above the rate.
const TICK: Duration = Duration::from_millis(10);
/// How long packets are waited for that come with the first one after a silence. Read together, and told together, they
/// cost less than a thread and a session that wake up for each; when they passed, the kernel says.
const GATHERING: Duration = Duration::from_millis(2);
/// Between two reports of how many were dropped.
const DROPPED_EVERY: Duration = Duration::from_secs(1);
/// How long is waited after an error of the socket, for example when an interface went down.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads packets.
pub(super) struct Reader {
    tap: Arc<Tap>,
    observer: Arc<Observer>,
    servers: [(Protocol, SocketAddr); 2],
    own: OwnAddresses,
    views: Views,
    flows: Flows,
    dropped: Dropped,
    captured: Captured,
    packets: Rate,
    kib: Rate,
}

/// Packets that were dropped before anybody could say whose they were.
struct Dropped {
    /// The kernel's latest count.
    by_kernel: u32,
    count: u64,
    told: u64,
    told_at: Instant,
    meter: Counter,
}

impl Reader {
    pub(super) fn new(
        tap: Arc<Tap>,
        observer: Arc<Observer>,
        servers: [(Protocol, SocketAddr); 2],
        per_s: u32,
    ) -> Self {
        let now = Instant::now();
        let captured = meters::captured();
        let meter = captured.dropped.clone();
        Self {
            tap,
            observer,
            servers,
            own: OwnAddresses::default(),
            views: Views::default(),
            flows: Flows::new(now),
            dropped: Dropped { by_kernel: 0, count: 0, told: 0, told_at: now, meter },
            captured,
            packets: Rate::per_second(per_s, per_s / AT_ONCE, now),
            kib: Rate::per_second(KIB_PER_S, KIB_PER_S / AT_ONCE, now),
        }
    }

    /// Reads until `stop`.
    pub(super) fn run(mut self, stop: &CancellationToken) {
        let mut buffer = [0; CAPTURED_BYTES];
        let (mut said, mut is_silent, mut latest) = (false, true, Instant::now());
        while !stop.is_cancelled() {
            // Up to when all that passed was read. A thread that is late has the packets of a while before it.
            let mut read_until = None;
            match self.tap.socket.receive(&mut buffer, is_silent, latest) {
                Ok(Some(Received { view, dropped })) => {
                    latest = view.at;
                    read_until = Some(latest);
                    if mem::take(&mut is_silent) {
                        thread::sleep(GATHERING);
                    }
                    self.dropped.see(dropped);
                    let size = u32::try_from(view.length / 1_024 + 1).unwrap_or(u32::MAX);
                    if let Some(sight) = self.views.see(view) {
                        self.hand_over(sight);
                    }
                    pay(&mut self.packets, 1);
                    pay(&mut self.kib, size);
                }
                Ok(None) => is_silent = true,
                Err(error) => {
                    if !said {
                        said = true;
                        warn!(%error, "packets could not be read");
                    }
                    thread::sleep(PAUSE);
                }
            }
            let now = Instant::now();
            while let Some(sight) = self.views.overdue(read_until.unwrap_or(now)) {
                self.hand_over(sight);
            }
            self.dropped.tell(now, &self.tap);
        }
    }

    fn hand_over(&mut self, sight: Sight) {
        let Some(dissected) = dissect(&sight.view.bytes, sight.view.length) else {
            return self.captured.unreadable.increment(1);
        };
        let now = Instant::now();
        let protocol = dissected.protocol();
        let Some((peer, local, from)) = self.ends(&sight, &dissected, now) else { return };
        let leg = self.tap.leg(protocol, peer);
        let machine = Machine::of(peer.ip(), local);
        if leg.is_none()
            && (self.observer.is_leg(protocol, peer, now)
                || !self.observer.feed.wants_packets_of(machine))
        {
            return;
        }
        let Sight { left, came, view } = sight;
        let key = Key { protocol, peer, leg: leg.as_ref().map(|leg| leg.id) };
        let flow = self.flows.of(key, from, &dissected.transport, now);
        if !flow.is_seen_on(from, view.interface) {
            return;
        }
        let flow_id = flow.id;
        let meaning = flow.see(from, &dissected.transport, left.is_some(), view.at);
        self.captured.packets.increment(1);
        let bytes = u32::try_from(dissected.bytes).unwrap_or(u32::MAX);
        let mut kept = view.bytes.into_vec();
        kept.truncate(dissected.bytes);
        let Some(kept) = self.tap.keep(kept.into()) else { return self.dropped.add(1) };
        let packet = Arc::new(Packet {
            protocol,
            peer,
            machine,
            flow: flow_id,
            number: meaning.number,
            from,
            at: view.at,
            left,
            came,
            bytes,
            header: meaning.header,
            retransmission: meaning.retransmission,
            duplicate_ack: meaning.duplicate_ack,
            segments: meaning.segments,
            checksum_offloaded: dissected.checksum_offloaded,
            headers: dissected.headers,
            kept,
        });
        match leg {
            Some(leg) => leg.inbox.send_with(|| packet),
            None => self.observer.feed.tell(&packet),
        }
    }

    /// The client, the server's address and the sender of a packet; none, if it is not of one of the servers.
    fn ends(
        &mut self,
        sight: &Sight,
        dissected: &Dissected,
        now: Instant,
    ) -> Option<(SocketAddr, IpAddr, Side)> {
        let Dissected { source, destination, .. } = *dissected;
        let protocol = dissected.protocol();
        let (_, server) = *self.servers.iter().find(|(of, _)| *of == protocol)?;
        let is_server = |address: SocketAddr| {
            let ip = server.ip().to_canonical();
            address.port() == server.port() && (ip.is_unspecified() || address.ip() == ip)
        };
        let over_loopback = sight.view.over_loopback;
        let to_server = (over_loopback || !sight.view.leaves) && is_server(destination);
        let from_server = (over_loopback || sight.view.leaves) && is_server(source);
        let (peer, local, from) = if to_server {
            (source, destination.ip(), Side::Client)
        } else if from_server {
            (destination, source.ip(), Side::Server)
        } else {
            return None;
        };
        // What a router passes on has other addresses; and what claims to be of loopback comes over loopback only.
        let is_ours = over_loopback
            || !local.is_loopback() && !peer.ip().is_loopback() && self.own.contain(local, now);
        is_ours.then_some((peer, local, from))
    }
}

/// Waits until so much may be spent.
fn pay(rate: &mut Rate, count: u32) {
    while !rate.spend(count, Instant::now()) {
        thread::sleep(TICK);
    }
}

impl Dropped {
    fn see(&mut self, by_kernel: Option<u32>) {
        let Some(count) = by_kernel else { return };
        let more = count.wrapping_sub(self.by_kernel);
        self.by_kernel = count;
        self.add(more.into());
    }

    fn add(&mut self, more: u64) {
        self.count += more;
        self.meter.increment(more);
    }

    fn tell(&mut self, now: Instant, tap: &Tap) {
        if self.count > self.told && now >= self.told_at + DROPPED_EVERY {
            (self.told, self.told_at) = (self.count, now);
            tap.tell_dropped(self.count);
        }
    }
}
