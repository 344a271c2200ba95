//! What a packet costs, both stacks and the wire included, by the packets of a second of transfer:
//! `cargo bench --package streamgram-lab --bench lab`.

use criterion::{Criterion, Throughput};
use streamgram_lab::{Options, TcpLab, bulk};
use streamgram_protocol::{Impairment, Link, Percent};

const SECOND: u64 = 1_000_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("open a lab", |bencher| {
        bencher.iter(|| TcpLab::open(&Link::default(), Options::default(), 0));
    });
    let far = Impairment { delay_ms: 10, ..Impairment::default() };
    let bad = Impairment { jitter_ms: 5, loss: Percent::whole(2), ..far };
    let mut transfers = criterion.benchmark_group("a second of transfer");
    for (name, way) in [("over 10 ms", far), ("over 10 ms, with jitter and loss", bad)] {
        let link = Link { delayed_ack: false, up: way, down: way, ..Link::default() };
        let transfer = || bulk::one_way(&link, Options::default(), SECOND, &mut |_| {});
        transfers.throughput(Throughput::Elements(transfer().packets));
        transfers.bench_function(name, |bencher| bencher.iter(transfer));
    }
    transfers.finish();
    criterion.final_summary();
}
