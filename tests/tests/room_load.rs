//! A class of 200 on one machine: all are told at once, at a cost that is stated, and one who floods moves nobody.
// What members cost is read from /proc.
#![cfg(target_os = "linux")]
#![expect(clippy::print_stdout, reason = "a test of cost states it")]

use std::time::{Duration, Instant};

use streamgram_tests::{Class, Flood, Flooder, Server};
use tokio::sync::Mutex;

/// A lecture hall.
const MEMBERS: usize = 200;
const ANNOUNCEMENTS: usize = 20;
/// Within which 99 of 100 are told.
const PROMISED: Duration = Duration::from_millis(250);
/// How much slower an unoptimised server beside other tests may be: `cargo xtask bench rooms` measures, and this
/// notices what is slow by nature.
const GENEROUS: u32 = 4;
/// A figure that is this small moves by chance alone.
const SMALL: Duration = Duration::from_millis(50);

/// One test at a time is measured.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The value that so many of a hundred do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent).div_ceil(100) - 1]
}

async fn p99(class: &Class) -> Duration {
    let took = class.announce(ANNOUNCEMENTS).await;
    assert_eq!(took.len(), ANNOUNCEMENTS * class.members.len());
    println!("told after {:?} at p50, {:?} at p99", percentile(&took, 50), percentile(&took, 99));
    percentile(&took, 99)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_of_200_is_told_at_once() {
    let _alone = ALONE.lock().await;
    let server = Server::start();
    let mut class = Class::open(server.http, 1).await;
    let empty = server.resident_kib_at_rest();
    class.grow(server.http, MEMBERS).await;
    let each = f64::from(server.resident_kib() - empty) / (MEMBERS as f64 - 1.0);
    println!("{each:.1} KiB a member");

    let (processor, begun) = (server.processor_ms(), Instant::now());
    let p99 = p99(&class).await;
    let told = (ANNOUNCEMENTS * MEMBERS) as f64;
    let took_ms = f64::from(server.processor_ms() - processor);
    println!(
        "{:.3} ms of processor time to tell a member, in {:?}",
        took_ms / told,
        begun.elapsed()
    );
    assert!(p99 <= GENEROUS * PROMISED, "{p99:?}");
    assert!(each <= 100.0, "{each} KiB");
}

async fn nobody_is_moved_by(flood: Flood) {
    let _alone = ALONE.lock().await;
    let server = Server::start_with(&["--room-teacher-messages-per-s=1000"]);
    let class = Class::open(server.http, MEMBERS).await;
    let before = p99(&class).await;
    let flooder = Flooder::begin(flood, server.http, class.code());
    flooder.floods().await;
    let beside = p99(&class).await;
    let (asked, connections) = flooder.asked();
    drop(flooder);
    println!("beside {asked} messages over {connections} connections");
    assert!(asked > 100, "{asked} are no flood");
    let moved = (GENEROUS * before.max(SMALL)).mul_f64(1.5);
    assert!(beside <= moved, "{before:?} became {beside:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_floods_with_votes_moves_nobody() {
    nobody_is_moved_by(Flood::Votes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_floods_with_joins_moves_nobody() {
    nobody_is_moved_by(Flood::Joins).await;
}
