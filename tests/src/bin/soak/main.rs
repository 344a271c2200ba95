//! Loads a server for minutes with everybody who may come to it, well-behaved and not, and checks that
//! answers keep coming and that nothing is left behind. `cargo xtask soak` builds and runs this.
//!
//! The load comes in rounds. After each everything must be as it was before the first, but memory as it
//! was after the first, which warms the server up; so what grows with every round shows.
#![expect(clippy::print_stdout, reason = "a command line tells its user what it found")]

mod attack;
mod clients;
mod labs;
mod pages;
mod plot;
mod report;
mod sample;
mod series;
mod tally;
mod visitor;

use std::fs::{self, File};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use streamgram_tests::{Server, binary, get};
use tokio::time::sleep;

use crate::sample::{Phase, Sample, not_returned};
use crate::series::Series;
use crate::tally::Tally;
use crate::visitor::{Crowd, said};

/// Rounds at least, the one that warms up included, and the longest that one is planned to be.
const ROUNDS: u32 = 4;
const ROUND: Duration = Duration::from_secs(60);
/// How long after a load everything may take to be as before: an emulated path may live for 20 s after
/// its session, until it gives up.
const RETURN: Duration = Duration::from_secs(60);
/// Between two looks at the server in a quiet phase.
const LOOK: Duration = Duration::from_millis(250);

/// Limits so low that a load phase reaches them, which their defaults are not made for; and places for a
/// crowd of one address that all of it does not fit into.
const FLAGS: [&str; 6] = [
    "--admin=127.0.0.1:0",
    "--ping-s=4",
    "--tcp-idle-s=10",
    "--tcp-write-s=10",
    "--tcp-lifetime-s=20",
    "--tcp-connections-per-address=300",
];

/// A server under load, and what is known of it.
struct Soak {
    server: Server,
    tally: Tally,
    series: Series,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [minutes, folder, plot] = arguments.as_slice() else {
        println!("usage: soak MINUTES FOLDER PLOT");
        return ExitCode::FAILURE;
    };
    let minutes: u32 = minutes.parse().expect("whole minutes");
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder).expect("a folder for samples and log");

    let log = File::create(folder.join("soak.log")).expect("a file for the log");
    let mut command = Command::new(binary());
    command.args(FLAGS).stderr(log);
    let server = Server::spawn(command);
    let series = Series::of(server.admin.expect("an address for the operator"));
    let soak = Soak { server, tally: Tally::default(), series };
    // Whichever of these comes first, the server ends with `soak`.
    let work = async {
        tokio::select! {
            outcome = soak.rounds(Duration::from_secs(60) * minutes) => outcome,
            () = soak.series.keep() => unreachable!("it is kept for ever"),
            () = interruption() => Err("it was interrupted".to_owned()),
        }
    };
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|panic| Err(said(&*panic).to_owned()));
    let samples = soak.series.samples();
    fs::write(folder.join("soak.csv"), sample::csv(&samples)).expect("a file for the samples");
    fs::write(plot, plot::draw(&samples)).expect("a file for the plot");
    println!("{}", report::tables(&soak.tally, &samples));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("the soak failed: {failure}; the server's log is in {}", folder.display());
            ExitCode::FAILURE
        }
    }
}

impl Soak {
    /// Load and quiet in turns, for so long.
    async fn rounds(&self, time: Duration) -> Result<(), String> {
        let round = ROUND.min(time / ROUNDS);
        let began = Instant::now();
        let cold = self.series.look().await;
        let mut warm = None;
        for number in 1.. {
            self.series.enter(number, Phase::Load);
            self.load(Instant::now() + round * 2 / 3).await?;
            self.series.enter(number, Phase::Quiet);
            let after = self.quiet(&cold, warm.as_ref()).await?;
            self.tally.refused(get(self.server.http, "/api/refused").await.text());
            self.tally.no_session_met_a_bug()?;
            println!("{}", report::round(&self.tally, &self.series.samples(), &after));
            warm.get_or_insert(after);
            if began.elapsed() + round > time + round / 2 {
                break;
            }
        }
        Ok(())
    }

    /// Everybody at once, until then; whoever is well-behaved ends what it has begun.
    async fn load(&self, until: Instant) -> Result<(), String> {
        let mut crowd = Crowd::of(&self.server, &self.tally, until);
        crowd.clients(&clients::KINDS);
        attack::join(&mut crowd);
        crowd.gone().await
    }

    /// Waits until everything is as it was, and says how that is.
    async fn quiet(&self, cold: &Sample, warm: Option<&Sample>) -> Result<Sample, String> {
        let since = Instant::now();
        loop {
            sleep(LOOK).await;
            let now = self.series.look().await;
            let missing = not_returned(&now, cold, warm);
            if missing.is_empty() {
                return Ok(now);
            }
            if since.elapsed() > RETURN {
                return Err(format!("{RETURN:?} after the load, {}", missing.join(", ")));
            }
        }
    }
}

/// Ctrl-C, or what a service manager sends.
async fn interruption() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("signals can be taken");
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _taken = tokio::signal::ctrl_c().await;
}
