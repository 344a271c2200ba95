//! How fast TCP goes here, beside what theory expects of it.

use std::fmt::Write as _;
use std::thread;

use streamgram_lab::{Options, bulk, model};
use streamgram_protocol::{Congestion, Impairment, Link, Percent};

/// Simulated seconds of one transfer.
const SECONDS: u32 = 100;
const SEEDS: u32 = 5;
/// MTU less the headers of IP and TCP.
const MSS: f64 = 1_460.0;
/// The first timeout, the least that RFC 6298 allows.
const RTO_S: f64 = 1.0;
const LOSS: [Percent; 5] = [
    Percent::ZERO,
    Percent::hundredths(10),
    Percent::whole(1),
    Percent::whole(5),
    Percent::whole(10),
];

/// What is measured, and what the models expect where they are defined, in Mbit/s.
const TABLE: &str = r" RTT  loss    Reno   Cubic  Mathis    PFTK
  20     0 104.228 104.228       -       -
  20   0.1  22.741  25.436  24.193  20.331
  20     1   5.432   6.584   7.650   3.360
  20     5   0.511   0.585   3.421   0.452
  20    10   0.132   0.145   2.419   0.143
 100     0  20.470  20.470       -       -
 100   0.1   4.851   5.760   4.839   4.424
 100     1   1.273   1.495   1.530   1.167
 100     5   0.282   0.326   0.684   0.289
 100    10   0.105   0.115   0.484   0.114
";

/// Megabits a second, the mean over all seeds: loss in the direction of the data only, an ACK for
/// every segment.
fn measured(rtt_ms: u32, loss: Percent, congestion: Congestion) -> f64 {
    let down = Impairment { delay_ms: rtt_ms / 2, ..Impairment::default() };
    let up = Impairment { loss, ..down };
    // Buffers that are no bottleneck, and full segments: with TCP_NODELAY, smoltcp fills a window
    // that is not a multiple of the segment size with small ones.
    let options = Options { buffer: 256 * 1024, nodelay: false, ..Options::default() };
    // Without loss there is no chance in it, and it is soon as fast as the buffers let it.
    let (seeds, seconds) = if loss == Percent::ZERO { (1, 30) } else { (SEEDS, SECONDS) };
    let goodput = |seed: u32| {
        let of_all = Link { delayed_ack: false, ..Link::default() };
        let link = Link { seed: seed.into(), congestion, up, down, ..of_all };
        bulk::one_way(&link, options, u64::from(seconds) * 1_000_000, &mut |_| {}).goodput() / 1e6
    };
    (1..=seeds).map(goodput).sum::<f64>() / f64::from(seeds)
}

/// One row: measured with Reno and Cubic, then what Mathis and PFTK expect.
fn row(rtt_ms: u32, loss: Percent) -> [f64; 4] {
    let p = f64::from(loss.in_hundredths()) / 10_000.0;
    let rtt_s = f64::from(rtt_ms) / 1_000.0;
    [
        measured(rtt_ms, loss, Congestion::Reno),
        measured(rtt_ms, loss, Congestion::Cubic),
        model::mathis(MSS, rtt_s, p) / 1e6,
        model::pftk(MSS, rtt_s, RTO_S, p) / 1e6,
    ]
}

#[test]
fn reno_is_near_mathis_at_little_loss_and_the_table_is_as_printed() {
    let tables = [20, 100].map(|rtt_ms| thread::spawn(move || LOSS.map(|loss| row(rtt_ms, loss))));
    let tables = tables.map(|table| table.join().unwrap());
    let mut text = String::from(" RTT  loss    Reno   Cubic  Mathis    PFTK\n");
    for (rtt_ms, rows) in [20, 100].into_iter().zip(&tables) {
        for (loss, row) in LOSS.iter().zip(rows) {
            write!(text, "{rtt_ms:4} {loss:>5}").unwrap();
            for mbit in row {
                match mbit.is_finite() {
                    true => write!(text, " {mbit:7.3}").unwrap(),
                    false => text.push_str("       -"),
                }
            }
            text.push('\n');
        }
    }
    println!("{text}");
    assert_eq!(text, TABLE, "the table has changed: is that meant?");
    for rows in tables {
        let [reno, _, mathis, _] = rows[1];
        assert!((reno / mathis - 1.0).abs() < 0.15, "{reno} beside {mathis}");
    }
}
