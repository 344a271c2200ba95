//! The same load on several servers in turns, A B C A B C: what the machine does beside it, and how fast
//! its processor happens to be, meets all of them alike.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;

use crate::client::{Client, Goal, run};
use crate::peers::{C, PYTHON, Peer, Speech, WEBSOCAT};
use crate::process::Process;
use crate::spread::Spread;

/// One kind of load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) speech: Speech,
    pub(crate) clients: usize,
    /// Requests of one client that are under way at the same time.
    pub(crate) in_flight: usize,
    /// What is compared, with whom, and how many times as much it may be.
    pub(crate) counts: Measure,
    pub(crate) against: &'static str,
    pub(crate) at_most: f64,
}

/// What a bar is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Processor,
    Median,
}

/// All loads. The wake-ups of a single client vary the most: such a row has more rounds.
pub(crate) const WORKS: [Work; 5] = [
    Work {
        name: "TCP, 64 connections",
        speech: Speech::Tcp,
        clients: 64,
        in_flight: 1,
        counts: Measure::Processor,
        against: C,
        at_most: 1.0,
    },
    Work {
        name: "TCP, 1 connection",
        speech: Speech::Tcp,
        clients: 1,
        in_flight: 1,
        counts: Measure::Median,
        against: C,
        at_most: 1.1,
    },
    Work {
        name: "UDP, 16 sockets × 4 in flight",
        speech: Speech::Udp,
        clients: 16,
        in_flight: 4,
        counts: Measure::Processor,
        against: C,
        at_most: 1.1,
    },
    Work {
        name: "bridge, 32 sessions",
        speech: Speech::Session,
        clients: 32,
        in_flight: 1,
        counts: Measure::Processor,
        against: WEBSOCAT,
        at_most: 1.1,
    },
    Work {
        name: "bridge, 1 session",
        speech: Speech::Session,
        clients: 1,
        in_flight: 1,
        counts: Measure::Median,
        against: WEBSOCAT,
        at_most: 1.1,
    },
];

/// How often and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    rounds: [usize; 2],
    length: Duration,
}

impl Effort {
    pub(crate) const FULL: Self = Self { rounds: [5, 9], length: Duration::from_millis(1_500) };
    pub(crate) const QUICK: Self = Self { rounds: [3, 3], length: Duration::from_millis(400) };
    /// As many rounds for everything as for what varies the most.
    pub(crate) const EVEN: Self = Self { rounds: [9, 9], length: Duration::from_millis(1_500) };
}

/// What one round came to. A reply's processor time is that of all the server's processes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Round {
    pub(crate) cpu_us: f64,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// How often a thread of the server slept until it was woken, for each reply.
    pub(crate) sleeps: f64,
}

impl Round {
    pub(crate) fn of(self, measure: Measure) -> f64 {
        match measure {
            Measure::Processor => self.cpu_us,
            Measure::Median => self.p50_us,
        }
    }
}

/// All rounds of one server.
#[derive(Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) server: String,
    pub(crate) rounds: Vec<Round>,
}

impl Series {
    pub(crate) fn spread(&self, of: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(of))
    }

    /// How this one compares with another, round by round.
    pub(crate) fn ratio(&self, other: &Self, measure: Measure) -> Spread {
        let pairs = self.rounds.iter().zip(&other.rounds);
        Spread::of(pairs.map(|(this, other)| this.of(measure) / other.of(measure)))
    }
}

impl Work {
    /// As many clients as the load has.
    pub(crate) async fn connect(&self, peer: &Peer) -> Vec<Client> {
        let one = |_| Client::connect(peer.speech, peer.at, self.in_flight);
        join_all((0..self.clients).map(one)).await
    }

    /// Loads all servers in turns. One that serves a client at a time is there for one client only.
    pub(crate) async fn measure(&self, mut peers: Vec<Peer>, effort: Effort) -> Vec<Series> {
        let serves =
            |peer: &Peer| peer.name != PYTHON || self.speech != Speech::Tcp || self.clients == 1;
        peers.retain(serves);
        let mut lanes = Vec::new();
        for peer in peers {
            let mut clients = self.connect(&peer).await;
            run(&mut clients, Goal::Time(effort.length / 4)).await;
            let series = Series { server: peer.name.clone(), rounds: Vec::new() };
            lanes.push((peer, clients, series));
        }
        for _ in 0..effort.rounds[usize::from(self.counts == Measure::Median)] {
            for (peer, clients, series) in &mut lanes {
                series.rounds.push(round(&peer.processes, clients, effort.length).await);
            }
        }
        lanes.into_iter().map(|(_, _, series)| series).collect()
    }
}

async fn round(servers: &[Process], clients: &mut [Client], length: Duration) -> Round {
    let processor = || servers.iter().map(Process::processor).sum::<Duration>();
    let sleeps = || servers.iter().map(Process::sleeps).sum::<f64>();
    let (slept, before, begun) = (sleeps(), processor(), Instant::now());
    let mut times = run(clients, Goal::Time(length)).await;
    let (took, spent, slept) = (begun.elapsed(), processor() - before, sleeps() - slept);
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let of_100 = |share: usize| micros(times[(times.len() - 1) * share / 100]);
    let replies = times.len() as f64;
    Round {
        cpu_us: micros(spent) / replies,
        per_second: replies / took.as_secs_f64(),
        p50_us: of_100(50),
        p99_us: of_100(99),
        sleeps: slept / replies,
    }
}
