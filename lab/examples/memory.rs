//! What a lab costs in memory: resident bytes of many labs in one state, divided by their number.
//!
//! `cargo run --release -p streamgram-lab --example memory CASE`: one case a process, for what one has
//! freed another would use. It asks Linux.
#![expect(clippy::print_stdout, reason = "it prints a figure")]

use std::{env, fs};

use streamgram_lab::{Host, Lab, Micros, Options, TcpLab, UdpLab};
use streamgram_protocol::{End, Impairment, Link, MAX_EMULATED_DATAGRAM};

const LABS: u64 = 100;
const SECOND: Micros = 1_000_000;
/// As many packets a second as a server allows a path, both directions together.
const PACKETS_PER_S: u64 = 20_000;

fn main() {
    let before = resident();
    let case = env::args().nth(1).unwrap_or_default();
    let labs: Vec<Box<dyn std::any::Any>> = (0..LABS)
        .map(|_| -> Box<dyn std::any::Any> {
            match &*case {
                "tcp" => Box::new(quiet(TcpLab::open(&away(50), Options::default(), 0))),
                "udp" => Box::new(quiet(UdpLab::open(&away(50), Options::default(), 0))),
                "bulk" => Box::new(bulk()),
                "flood" => Box::new(flood(MAX_EMULATED_DATAGRAM)),
                "flood-small" => Box::new(flood(1)),
                _ => Box::new(()),
            }
        })
        .collect();
    println!("{case}: {} KiB a lab", (resident() - before) / 1_024 / LABS);
    drop(labs);
}

fn away(delay_ms: u32) -> Link {
    let way = Impairment { delay_ms, limit: 10_000, ..Impairment::default() };
    Link { up: way, down: way, ..Link::default() }
}

/// A lab that has opened and does nothing.
fn quiet<H: Host>(mut lab: Lab<H>) -> Lab<H> {
    while let Some(now) = lab.next().filter(|now| *now < SECOND) {
        lab.step(now);
    }
    drop(lab.take_packets());
    lab
}

/// A lab amid a transfer in both directions.
fn bulk() -> TcpLab {
    let mut lab = TcpLab::open(&away(50), Options::default(), 0);
    let mut bytes = Vec::new();
    while let Some(now) = lab.next().filter(|now| *now < 20 * SECOND) {
        lab.step(now);
        for end in End::BOTH {
            while lab.write(now, end, &[7; 4_096], None) > 0 {}
            bytes.clear();
            lab.read_into(now, end, &mut bytes);
        }
        lab.drain_packets();
    }
    lab
}

/// A lab whose link holds all that it can, and whose hosts' queues are full.
fn flood(length: usize) -> UdpLab {
    let mut lab = UdpLab::open(&away(10_000), Options::default(), 0);
    for n in 0..PACKETS_PER_S * 5 {
        let now = n * SECOND / PACKETS_PER_S;
        for end in End::BOTH {
            // When the queue is full, it is as full as was wanted.
            let _number = lab.send(now, end, &vec![7; length], None);
        }
        lab.step(now);
        lab.drain_packets();
    }
    lab
}

/// Bytes of memory that the process has.
fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let told = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    told.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * PAGE
}
