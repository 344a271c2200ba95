//! Whether this machine gives the trace that every machine gives: exits with 0 if it does.
//!
//! As wasm32 it needs no glue: `node same_trace.mjs FILE` calls its `main`.

use std::process::ExitCode;

use streamgram_lab::{Options, Trace, UdpLab, bulk};
use streamgram_protocol::{Congestion, End, Impairment, Line, Link, Percent, Rule};

/// The trace, hashed: every packet with its times, its fate and all its bytes.
pub(crate) const HASH: u64 = 4_797_431_334_012_873_461;

/// Runs TCP with both congestion controls, with and without delayed ACKs, and UDP in fragments over a bad path.
pub(crate) fn trace() -> u64 {
    let way = Impairment {
        delay_ms: 30,
        jitter_ms: 10,
        loss: Percent::hundredths(250),
        duplicate: Percent::whole(2),
        reorder: Percent::whole(3),
        rate_kbit: 10_000,
        limit: 50,
    };
    let link = Link { seed: 7, up: way, down: way, ..Link::default() };
    let mut trace = Trace::default();
    for (congestion, delayed_ack) in [(Congestion::Reno, true), (Congestion::Cubic, false)] {
        let link = Link { congestion, delayed_ack, ..link.clone() };
        let mut watch = |packet: &_| trace.add(packet);
        let done = bulk::echo(&link, Options::default(), 1_000_000, u64::MAX, &mut watch);
        trace.add_number(done.took);
    }
    let rules = vec![Rule::LoseLine { line: 3, packet: Some(2) }, Rule::LoseReply { line: 4 }];
    let link = Link { mtu: 576, rules, ..link };
    let mut lab = UdpLab::open(&link, Options::default(), 0);
    for number in 1..=200 {
        let line = Some(Line { send: 1, number });
        let sent = lab.send(u64::from(number) * 5_000, End::Client, &[7; 2_000], line);
        trace.add_number(sent.unwrap_or(u64::MAX));
        while let Some(now) = lab.next().filter(|now| *now <= u64::from(number) * 5_000) {
            lab.step(now);
            while let Some(datagram) = lab.receive(End::Gateway) {
                let sent = lab.send(now, End::Gateway, &datagram.bytes, line);
                trace.add_number(sent.unwrap_or(u64::MAX));
            }
            lab.take_packets().iter().for_each(|packet| trace.add(packet));
        }
    }
    trace.value()
}

#[cfg_attr(test, expect(dead_code, reason = "the test asks for the hash itself"))]
fn main() -> ExitCode {
    if trace() == HASH { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
