//! Two binaries of Streamgram in turns, round by round: is the new one worse?

use std::path::Path;
use std::process::ExitCode;

use crate::peers::{Peer, streamgram, streamgram_command};
use crate::rounds::{Effort, Measure, WORKS, Work};

/// How many times as much the new one may take, in the median of its rounds. Two runs of the same binary
/// differ by 2 or 3 %.
const WORSE: f64 = 1.05;

/// Compares what counts in each load; fails if any of it is worse.
pub(crate) async fn run([old, new]: [&str; 2], effort: Effort) -> ExitCode {
    println!("| work | | old | new | new / old | |\n|---|---|---|---|---|---|");
    let mut worse = 0;
    for work in &WORKS {
        worse += usize::from(is_worse(work, [("old", old), ("new", new)], effort).await);
    }
    if worse == 0 {
        return ExitCode::SUCCESS;
    }
    println!("\nworse by more than {:.0} %: {worse} of {}", 100.0 * (WORSE - 1.0), WORKS.len());
    ExitCode::FAILURE
}

async fn is_worse(work: &Work, binaries: [(&str, &str); 2], effort: Effort) -> bool {
    let start = |(name, binary): (&str, &str)| -> Peer {
        streamgram(name, streamgram_command(Path::new(binary)), work.speech)
    };
    let series = work.measure(binaries.map(start).into(), effort).await;
    let [old, new] = [0, 1].map(|at| series[at].spread(|round| round.of(work.counts)));
    let ratio = series[1].ratio(&series[0], work.counts);
    let counted = if work.counts == Measure::Processor { "CPU per reply, µs" } else { "p50, µs" };
    let verdict = if ratio.median > WORSE { "worse" } else { "" };
    println!("| {} | {counted} | {old} | {new} | {ratio} | {verdict} |", work.name);
    ratio.median > WORSE
}
