//! Measures that nobody asks for do not pile up. A process of its own, because its memory is what is looked at.
#![cfg(target_os = "linux")]

use std::fs;

use streamgram::operate::meters::{self, UPKEEP};
use tokio::task::yield_now;
use tokio::time::advance;

/// Memory of this process in RAM.
fn resident_kib() -> u32 {
    let status = fs::read_to_string("/proc/self/status").expect("this process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("proc(5)");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

#[tokio::test(start_paused = true)]
async fn measures_that_nobody_asks_for_do_not_pile_up() {
    let meters = meters::start().expect("the first of this process");
    let upkeep = tokio::spawn(meters.upkeep());
    let round_trips = metrics::histogram!("streamgram_round_trip_seconds", "protocol" => "UDP");
    let before = resident_kib();
    for _ in 0..20 {
        (0..100_000).for_each(|_| round_trips.record(0.001));
        advance(UPKEEP).await;
        yield_now().await;
    }
    let grown = resident_kib().saturating_sub(before);
    upkeep.abort();
    println!("{grown} KiB for two million measures");
    assert!(grown < 8 * 1_024, "{grown} KiB");
}
