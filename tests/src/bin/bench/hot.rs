//! What is done for every message, datagram or packet, and needs no socket: run so often, alone, for
//! callgrind to count.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram::config::UdpLimits;
use streamgram::timestamp::clock::Clock;
use streamgram::timestamp::udp::{rates::Rates, sources};
use streamgram_lab::{Micros, Options, bulk};
use streamgram_protocol::{
    ClientMessage, Data, Event, LegId, Limits, Link, Protocol, ServerMessage,
};

/// For how long a path is timed; the fastest of so many parts counts.
const PART: Duration = Duration::from_millis(50);
const PARTS: usize = 5;

/// Something that is done again and again.
#[derive(Debug)]
pub(crate) struct HotPath {
    pub(crate) name: &'static str,
    /// Does it so often, or a little more often, and says how often.
    pub(crate) run: fn(usize) -> usize,
}

/// All of them.
pub(crate) const HOT_PATHS: [HotPath; 5] = [
    HotPath { name: "decode `send`", run: decode },
    HotPath { name: "encode `reply`", run: encode },
    HotPath { name: "ctime", run: ctime },
    HotPath { name: "UDP filter and rates", run: udp_filter },
    HotPath { name: "lab, a packet", run: lab_packet },
];

impl HotPath {
    /// What one takes, in nanoseconds.
    pub(crate) fn nanos(&self) -> f64 {
        let part = || {
            let (begun, mut done) = (Instant::now(), 0);
            while begun.elapsed() < PART {
                done += (self.run)(1_000);
            }
            begun.elapsed().as_nanos() as f64 / done as f64
        };
        (0..PARTS).map(|_| part()).fold(f64::INFINITY, f64::min)
    }
}

fn decode(times: usize) -> usize {
    let (text, limits) =
        (r#"{"send":{"id":1,"to":"both","text":"0123456789abcdef"}}"#, Limits::default());
    for _ in 0..times {
        assert!(black_box(ClientMessage::decode(black_box(text), &limits)).is_ok());
    }
    times
}

fn encode(times: usize) -> usize {
    let data = Data::from_bytes(b"[Mon Nov 23 05:52:57 2026] 0123456789abcdef");
    let message = ServerMessage {
        at_us: 3_666,
        leg: Some(LegId { protocol: Protocol::Tcp, number: 1 }),
        event: Event::Reply { offset: 0, bytes: 43, data, earlier_us: None },
    };
    for _ in 0..times {
        black_box(black_box(&message).encode());
    }
    times
}

fn ctime(times: usize) -> usize {
    let clock = Clock::system();
    for _ in 0..times {
        black_box(black_box(&clock).ctime());
    }
    times
}

/// Four sources in turns, none of them on loopback, which has no rate of its own.
fn udp_filter(times: usize) -> usize {
    const UNLIMITED: u32 = 1_000_000_000;
    let limits = UdpLimits {
        udp_per_address_per_s: UNLIMITED,
        udp_per_network_per_s: UNLIMITED,
        udp_per_s: UNLIMITED,
    };
    let now = Instant::now();
    let mut rates = Rates::new(&limits, now);
    let own = SocketAddr::from(([192, 0, 2, 1], 23_135));
    let peers = [1, 2, 3, 4].map(|last| SocketAddr::from(([198, 51, 100, last], 40_000)));
    for peer in peers.into_iter().cycle().take(times) {
        let filtered = sources::refusal(black_box(peer), own, b"0123456789abcdef");
        assert!(filtered.or_else(|| rates.refusal(peer.ip(), now)).is_none());
    }
    times
}

/// A transfer over 10 ms each way: both stacks and the wire.
fn lab_packet(times: usize) -> usize {
    /// Packets a virtual second, at least.
    const PER_SECOND: u64 = 1_000;
    let mut link = Link::default();
    (link.up.delay_ms, link.down.delay_ms) = (10, 10);
    let until: Micros = times as u64 * 1_000_000 / PER_SECOND;
    let done = bulk::one_way(&link, Options::default(), until, &mut |packet| {
        black_box(packet);
    });
    usize::try_from(done.packets).unwrap_or(usize::MAX)
}
