//! Looks at the server again and again, and keeps what it saw.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use streamgram_tests::get;
use tokio::time::interval;

use crate::sample::{Phase, Sample};
use crate::tally::IN_TIME;

const PULSE: Duration = Duration::from_secs(1);

/// All looks at one server.
#[derive(Debug)]
pub(crate) struct Series {
    admin: SocketAddr,
    since: Instant,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    round: u32,
    phase: Phase,
    samples: Vec<Sample>,
}

impl Series {
    pub(crate) fn of(admin: SocketAddr) -> Self {
        Self { admin, since: Instant::now(), kept: Mutex::default() }
    }

    /// What is looked at from now on belongs to this.
    pub(crate) fn enter(&self, round: u32, phase: Phase) {
        let mut kept = self.kept();
        (kept.round, kept.phase) = (round, phase);
    }

    /// Looks, and keeps what is seen. Its operator is answered under load, too.
    pub(crate) async fn look(&self) -> Sample {
        let asked = Instant::now();
        let metrics = get(self.admin, "/metrics").await;
        assert!(asked.elapsed() <= IN_TIME, "the operator waited {:?}", asked.elapsed());
        let at = asked - self.since;
        let mut kept = self.kept();
        let (round, phase) = (kept.round, kept.phase);
        let sample = Sample { at, round, phase, ..Sample::parse(metrics.text()) };
        kept.samples.push(sample.clone());
        sample
    }

    /// Looks once a second, for ever.
    pub(crate) async fn keep(&self) {
        let mut pulse = interval(PULSE);
        loop {
            pulse.tick().await;
            if self.kept().phase == Phase::Load {
                self.look().await;
            }
        }
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.kept().samples.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics with it")
    }
}
