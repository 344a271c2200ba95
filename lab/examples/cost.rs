//! What a packet costs: both hosts, the wire and the record of it, in nanoseconds of CPU.
//!
//! `cargo run --release -p streamgram-lab --example cost [CASE]`: with a case, that one runs once, for
//! a profiler. The hash is that of the trace, which no optimisation may move.
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::env;
use std::fs;
use std::sync::LazyLock;
use std::time::Instant;

use streamgram_lab::{Options, Packet, TcpLab, Trace, UdpLab, bulk};
use streamgram_protocol::{End, Impairment, Line, Link, Percent};

const RUNS: usize = 9;
const SECOND: u64 = 1_000_000;
/// Typed lines, each of which comes back.
const LINES: u32 = 50_000;
const LINE: &[u8; 16] = b"what time is it\n";

type Watch<'w> = &'w mut dyn FnMut(&Packet);
/// What is measured: its name, and what runs it once.
type Case = (&'static str, fn(Watch));

const CASES: [Case; 5] = [
    ("bulk", |watch| one_way(Percent::ZERO, 300, watch)),
    ("bulk-loss", |watch| one_way(Percent::whole(1), 3_000, watch)),
    ("echo", echo),
    ("lines", lines),
    ("datagrams", datagrams),
];

fn main() {
    let wanted = env::args().nth(1);
    for (name, run) in CASES {
        match &wanted {
            None => println!("{}", measured(name, run)),
            Some(wanted) if wanted == name => run(&mut |_| {}),
            Some(_) => {}
        }
    }
}

fn measured(name: &str, run: fn(Watch)) -> String {
    let (mut packets, mut bytes, mut trace) = (0, 0, Trace::default());
    run(&mut |packet| {
        packets += 1;
        bytes += packet.bytes.len() as u64;
        trace.add(packet);
    });
    let mut costs = [0; RUNS].map(|_: u64| {
        let began = cpu_ns();
        run(&mut |_| {});
        (cpu_ns() - began) / packets
    });
    costs.sort_unstable();
    let [least, .., most] = costs;
    let median = costs[RUNS / 2];
    format!(
        "{name:<10} {median:5} ns a packet ({least} to {most}), {packets} of {} bytes, trace {:016x}",
        bytes / packets,
        trace.value(),
    )
}

/// A link whose ends acknowledge every segment: an ACK costs, too.
fn undelayed() -> Link {
    Link { delayed_ack: false, ..Link::default() }
}

/// The client sends as fast as it can, 10 ms away.
fn one_way(loss: Percent, seconds: u64, watch: Watch) {
    let way = Impairment { delay_ms: 10, ..Impairment::default() };
    let link = Link { up: Impairment { loss, ..way }, down: way, ..undelayed() };
    let options = Options { nodelay: false, ..Options::default() };
    let _transfer = bulk::one_way(&link, options, seconds * SECOND, watch);
}

/// Both directions at once, over a link that does all it can to packets.
fn echo(watch: Watch) {
    let way = Impairment {
        delay_ms: 10,
        jitter_ms: 5,
        loss: Percent::hundredths(50),
        duplicate: Percent::whole(1),
        reorder: Percent::whole(1),
        ..Impairment::default()
    };
    let link = Link { up: way, down: way, ..undelayed() };
    let _transfer = bulk::echo(&link, Options::default(), 100_000_000, u64::MAX, watch);
}

/// A line every 100 ms, over TCP.
fn lines(watch: Watch) {
    let mut lab = TcpLab::open(&undelayed(), Options::default(), 0);
    for number in 1..=LINES {
        let at = u64::from(number) * SECOND / 10;
        let line = Some(Line { send: 1, number });
        while let Some(now) = lab.next().filter(|now| *now <= at) {
            lab.step(now);
            let bytes = lab.read(now, End::Gateway);
            lab.write(now, End::Gateway, &bytes, line);
            let _reply = lab.read(now, End::Client);
            lab.drain_packets().for_each(|packet| watch(&packet));
        }
        lab.write(at, End::Client, LINE, line);
    }
}

/// A line every 100 ms, over UDP.
fn datagrams(watch: Watch) {
    let mut lab = UdpLab::open(&Link::default(), Options::default(), 0);
    for number in 1..=LINES {
        let at = u64::from(number) * SECOND / 10;
        let line = Some(Line { send: 1, number });
        while let Some(now) = lab.next().filter(|now| *now <= at) {
            lab.step(now);
            while let Some(datagram) = lab.receive(End::Gateway) {
                // One at a time always fits.
                let _number = lab.send(now, End::Gateway, &datagram.bytes, line);
            }
            let _reply = lab.receive(End::Client);
            lab.drain_packets().for_each(|packet| watch(&packet));
        }
        let _number = lab.send(at, End::Client, LINE, line);
    }
}

/// CPU time of this thread, where Linux tells it; else the wall clock.
fn cpu_ns() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let told = told.and_then(|text| text.split(' ').next()?.parse().ok());
    told.unwrap_or_else(|| u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX))
}
