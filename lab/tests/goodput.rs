//! How fast TCP goes here, beside what theory expects of it.

use streamgram_lab::{Options, bulk, model};
use streamgram_protocol::{Congestion, Impairment, Link, Percent};

/// Simulated seconds of one transfer.
const SECONDS: u64 = 300;
const SEEDS: u64 = 5;

/// Megabits a second, the mean over all seeds.
fn measured(rtt_ms: u32, loss: Percent, congestion: Congestion) -> f64 {
    let way = Impairment { delay_ms: rtt_ms / 2, ..Impairment::default() };
    let options = Options { buffer: 256 * 1024, ..Options::default() };
    let total: f64 = (1..=SEEDS)
        .map(|seed| {
            let up = Impairment { loss, ..way };
            let link = Link { seed, congestion, up, down: way, ..Link::default() };
            bulk::one_way(&link, options, SECONDS * 1_000_000).goodput()
        })
        .sum();
    total / f64::from(u32::try_from(SEEDS).unwrap()) / 1e6
}

#[test]
fn reno_is_near_mathis_at_little_loss() {
    for rtt_ms in [20, 100] {
        for hundredths in [0, 10, 100, 500, 1_000] {
            let loss = Percent::hundredths(hundredths);
            let p = f64::from(hundredths) / 10_000.0;
            let rtt = f64::from(rtt_ms) / 1_000.0;
            let [reno, cubic] =
                [Congestion::Reno, Congestion::Cubic].map(|c| measured(rtt_ms, loss, c));
            let mathis = model::mathis(1_460.0, rtt, p) / 1e6;
            let pftk = model::pftk(1_460.0, rtt, 1.0, p) / 1e6;
            println!("{rtt_ms:4} {loss:>5} {reno:8.3} {cubic:8.3} {mathis:8.3} {pftk:8.3}");
        }
    }
}
