//! Measures Streamgram beside what else answers the same requests: the servers in C of `tests/bench`,
//! the article's in Python, and two bridges. `cargo xtask bench` builds, installs and runs all this.
//!
//! One process is the client of all of them, in a closed loop; what counts is the servers' own processor
//! time. `docs/benchmarks.md` says how each figure comes about.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tells what it found"
)]

mod burst;
mod chart;
mod client;
mod compare;
mod counts;
mod hot;
mod page;
mod peers;
mod process;
mod report;
mod rooms;
mod rounds;
mod scale;
mod spread;
mod start;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::counts::{Tool, count_hot_paths};
use crate::hot::HOT_PATHS;
use crate::peers::Peers;
use crate::report::{Bar, Report, WorkReport, machine};
use crate::rounds::{Effort, WORKS};

const USAGE: &str = "usage: bench run FOLDER [--quick] | bench compare OLD NEW [--quick] | \
    bench scale FOLDER PLOT [--quick] | bench rooms FOLDER PLOT [--quick] | bench burst PYTHON | bench hot PATH TIMES";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run", folder] => run(folder, Effort::FULL).await,
        ["run", folder, "--quick"] => run(folder, Effort::QUICK).await,
        ["compare", old, new] => return compare::run([old, new], Effort::EVEN).await,
        ["compare", old, new, "--quick"] => return compare::run([old, new], Effort::QUICK).await,
        ["burst", python] => return burst::run(python).await,
        ["scale", folder, plot] => scale::run(folder, plot, scale::FULL).await,
        ["scale", folder, plot, "--quick"] => scale::run(folder, plot, scale::QUICK).await,
        ["rooms", folder, plot] => rooms::run(folder, plot, rooms::FULL).await,
        ["rooms", folder, plot, "--quick"] => rooms::run(folder, plot, rooms::QUICK).await,
        ["hot", path, times] => {
            let path = HOT_PATHS.iter().find(|hot| hot.name == *path).expect("a hot path");
            println!("{}", (path.run)(times.parse().expect("a number")));
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Everything, into `table.md` and `bench.json` of the folder.
async fn run(folder: &str, effort: Effort) {
    let peers = Peers::in_folder(folder);
    let folder = Path::new(folder);
    let (mut works, mut bars) = (Vec::new(), Vec::new());
    for work in &WORKS {
        eprintln!("{}", work.name);
        let servers = work.measure(peers.all(work.speech), effort).await;
        bars.extend(Bar::of_work(work, &servers));
        works.push(WorkReport { work: work.name.into(), servers });
    }
    eprintln!("start and idle sessions");
    let start = start::measure().await;
    eprintln!("first loads of the page");
    let first_load = page::measure();
    eprintln!("system calls");
    let calls = Tool::Strace.count_replies(&peers, folder).await;
    eprintln!("instructions");
    let instructions = Tool::Callgrind.count_replies(&peers, folder).await;
    let hot_paths = count_hot_paths(folder);
    bars.extend(Bar::of_start(&start, &hot_paths));
    bars.extend(first_load.iter().flat_map(Bar::of_first_load));
    let machine = machine();
    let report = Report { machine, works, calls, instructions, hot_paths, start, first_load, bars };
    let json = serde_json::to_vec_pretty(&report).expect("it is JSON");
    fs::write(folder.join("bench.json"), json).expect("a file for the figures");
    fs::write(folder.join("table.md"), report.to_string()).expect("a file for the tables");
    println!("{report}");
}
