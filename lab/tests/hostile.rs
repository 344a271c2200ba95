//! Links that no sane path has: nothing panics, no byte is wrong, and the transfers finish.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::thread;

use streamgram_lab::{Options, State, bulk};
use streamgram_protocol::link::{DELAY_MS, LIMIT, MTU, RATE_KBIT};
use streamgram_protocol::{Congestion, Impairment, Link, Percent};

const MINUTE: u64 = 60_000_000;
/// Random configurations.
const CONFIGURATIONS: u64 = 20_000;
/// Of which so many may give up, each with a reason to.
const MAY_GIVE_UP: usize = 10;
const MAX_LOSS: i32 = 30;
/// Bytes of a short run.
const MAX_BYTES: u64 = 100_000;

/// An even choice without state, by SplitMix64.
struct Choice(u64);

impl Choice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    fn within(&mut self, range: std::ops::RangeInclusive<u32>) -> u32 {
        let width = u64::from(range.end() - range.start()) + 1;
        range.start() + u32::try_from(self.next() % width).unwrap()
    }

    fn percent(&mut self, most: i32) -> Percent {
        let most = u32::try_from(most * 100).unwrap();
        Percent::hundredths(i32::try_from(self.within(0..=most)).unwrap())
    }

    fn impairment(&mut self) -> Impairment {
        Impairment {
            delay_ms: self.within(DELAY_MS),
            jitter_ms: self.within(DELAY_MS),
            loss: self.percent(MAX_LOSS),
            duplicate: self.percent(100),
            reorder: self.percent(100),
            rate_kbit: self.within(RATE_KBIT),
            limit: self.within(LIMIT),
        }
    }

    fn link(&mut self) -> Link {
        let mtu = self.within(u32::from(*MTU.start())..=u32::from(*MTU.end()));
        Link {
            seed: self.next() >> 11,
            mtu: u16::try_from(mtu).unwrap(),
            congestion: [Congestion::Reno, Congestion::Cubic][usize::from(self.coin())],
            delayed_ack: self.coin(),
            up: self.impairment(),
            down: self.impairment(),
            rules: Vec::new(),
        }
    }
}

/// Runs `job` for every number, on every core.
fn on_all_cores<T: Send>(count: u64, job: impl Fn(u64) -> Option<T> + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let share = |core: usize| (0..count).skip(core).step_by(cores);
        let job = &job;
        let threads: Vec<_> = (0..cores)
            .map(|core| scope.spawn(move || share(core).filter_map(job).collect()))
            .collect();
        threads.into_iter().flat_map(|thread| -> Vec<T> { thread.join().unwrap() }).collect()
    })
}

#[test]
fn random_links_corrupt_nothing_and_hardly_ever_give_up() {
    let options = Options { give_up: 10 * MINUTE, ..Options::default() };
    let unfinished = on_all_cores(CONFIGURATIONS, |n| {
        let mut choice = Choice(n << 32);
        let link = choice.link();
        link.check().unwrap();
        let bytes = 1 + choice.next() % MAX_BYTES;
        let options = Options { nodelay: choice.coin(), ..options };
        let transfer = bulk::echo(&link, options, bytes, 24 * 60 * MINUTE, &mut |_| {});
        assert_eq!(transfer.corrupt_at, None, "{n}: {link:?}");
        (transfer.delivered != bytes).then_some((n, link, bytes, transfer))
    });
    for (n, link, bytes, transfer) in &unfinished {
        println!("{n}: {bytes} bytes over {link:?}: {transfer:?}");
    }
    assert!(unfinished.len() <= MAY_GIVE_UP, "{} gave up", unfinished.len());
}

#[test]
fn every_two_way_echo_at_five_percent_loss_finishes() {
    let way = Impairment { delay_ms: 10, loss: Percent::whole(5), ..Impairment::default() };
    let unfinished = on_all_cores(400, |seed| {
        let link = Link { seed, up: way, down: way, ..Link::default() };
        let transfer = bulk::echo(&link, Options::default(), 500_000, 60 * MINUTE, &mut |_| {});
        assert_eq!(transfer.corrupt_at, None, "{seed}");
        let done = transfer.delivered == 500_000 && transfer.state == State::Open;
        (!done).then_some((seed, transfer))
    });
    assert!(unfinished.is_empty(), "{unfinished:?}");
}
