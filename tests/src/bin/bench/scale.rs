//! How cost grows with the number of clients, from 1 to as many as the limit of open files allows; and
//! what that says of a core, of a thousand users and of a million.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;
use streamgram_tests::{binary, grouped};
use tokio::time::{sleep_until, timeout_at};

use crate::chart::{Counts, Line, Panel, Picture};
use crate::client::{Client, Legs, Session};
use crate::peers::{Peer, STREAMGRAM, Speech, streamgram, streamgram_command};
use crate::report::machine;
use crate::spread::{Spread, figure};

/// For how long idle clients are watched, all pings of a round included, and those that send.
pub(crate) const FULL: [Duration; 2] = [Duration::from_secs(15), Duration::from_secs(6)];
pub(crate) const QUICK: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(3)];

/// Between two lines of a client.
const PAUSE: Duration = Duration::from_secs(1);
/// Clients that connect at the same time: the listener's queue holds more.
const AT_ONCE: usize = 100;
/// Descriptors of client and server that no client has.
const OTHER_FILES: usize = 200;
/// Places that a limit has besides those for a crowd.
const SPARE: usize = 16;

/// Clients of one kind.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    name: &'static str,
    /// A session's, or it is a TCP connection.
    legs: Option<Legs>,
    is_idle: bool,
    most: usize,
}

const CROWDS: [Crowd; 4] = [
    // The ports of loopback would end soon after.
    Crowd { name: "idle sessions, both legs", legs: Some(Legs::BOTH), is_idle: true, most: 20_000 },
    Crowd {
        name: "sessions, a line a second over both legs",
        legs: Some(Legs::BOTH),
        is_idle: false,
        most: 1_000,
    },
    Crowd { name: "TCP connections, a line a second", legs: None, is_idle: false, most: 10_000 },
    Crowd { name: "labs, a line a second", legs: Some(Legs::LAB), is_idle: false, most: 500 },
];

/// What so many clients cost.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Point {
    pub(crate) clients: usize,
    /// Processor time a second: 1 is all of a core.
    pub(crate) cores: f64,
    pub(crate) resident_mib: f64,
    /// From a line to the last that is told of it; of idle clients there is none.
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Datagrams that had no reply, since the first client.
    pub(crate) lost: usize,
}

/// The costs of one crowd as it grows.
#[derive(Debug, Serialize)]
pub(crate) struct Curve {
    pub(crate) crowd: String,
    pub(crate) points: Vec<Point>,
}

/// Lets every crowd grow; figures go into `scale.json` and `scale.md` of the folder.
pub(crate) async fn run(folder: &str, plot: &str, watched: [Duration; 2]) {
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("the limit of open files is known");
    let files = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES);
    let mut curves = Vec::new();
    for crowd in CROWDS {
        curves.push(crowd.grow(files, watched).await);
    }
    let folder = Path::new(folder);
    let json = serde_json::to_vec_pretty(&curves).expect("it is JSON");
    fs::write(folder.join("scale.json"), json).expect("a file for the figures");
    let tables = tables(&curves);
    fs::write(folder.join("scale.md"), &tables).expect("a file for the tables");
    fs::write(plot, drawn(&curves)).expect("a file for the plot");
    println!("{tables}");
}

impl Crowd {
    async fn grow(self, files: usize, [idle, sending]: [Duration; 2]) -> Curve {
        // A WebSocket, two legs, and the TCP server's end of one of them.
        let files_each = if self.legs.is_some() { 4 } else { 1 };
        let most = self.most.min(files / files_each);
        let server = self.server(most);
        let (mut clients, mut points) = (Vec::new(), Vec::new());
        for size in sizes(most) {
            eprintln!("{}: {size}", self.name);
            while clients.len() < size {
                let more = AT_ONCE.min(size - clients.len());
                clients.extend(join_all((0..more).map(|_| self.connect(&server))).await);
            }
            let watched = if self.is_idle { idle } else { sending };
            points.push(self.watch(&server, &mut clients, watched).await);
        }
        Curve { crowd: self.name.into(), points }
    }

    /// A server with room for all of them, and not for much else: descriptors are shared out.
    fn server(self, most: usize) -> Peer {
        let (sessions, connections) = if self.legs.is_some() { (most, 0) } else { (0, most) };
        let mut command = streamgram_command(&binary());
        for (limit, places) in [("sessions", sessions), ("tcp-connections", connections)] {
            command.arg(format!("--{limit}={}", places + SPARE));
            command.arg(format!("--{limit}-per-address={}", places + SPARE));
        }
        command.arg(format!("--http-connections={}", sessions + 2 * SPARE));
        command.arg(format!("--http-connections-per-address={}", sessions + 2 * SPARE));
        let speech = if self.legs.is_some() { Speech::Session } else { Speech::Tcp };
        streamgram(STREAMGRAM, command, speech)
    }

    async fn connect(self, server: &Peer) -> Client {
        match self.legs {
            Some(legs) => Client::Session(Session::connect(server.at, legs).await),
            None => Client::connect(Speech::Tcp, server.at, 1).await,
        }
    }

    /// Looks at the server while its clients do what they do, all at times of their own.
    async fn watch(self, server: &Peer, clients: &mut [Client], watched: Duration) -> Point {
        let (count, begun) = (clients.len(), Instant::now());
        let processor = server.processes[0].processor();
        let lives = clients.iter_mut().zip(0_u32..).map(|(client, place)| {
            let first = begun + PAUSE * place / u32::try_from(count).unwrap_or(u32::MAX);
            self.live(client, first, begun + watched)
        });
        let times: Vec<_> = join_all(lives).await.concat();
        let took = begun.elapsed().as_secs_f64();
        let cores = (server.processes[0].processor() - processor).as_secs_f64() / took;
        let mut times: Vec<_> = times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let p50_ms = (!times.is_empty()).then(|| Spread::of(times.iter().copied()).median);
        let p99_ms = times.get(times.len().saturating_sub(1) * 99 / 100).copied();
        let resident_mib = server.processes[0].resident_kib() / 1_024.0;
        let lost = clients.iter().map(|client| match client {
            Client::Session(session) => session.lost,
            Client::Tcp(_) | Client::Udp { .. } | Client::Frame(_) => 0,
        });
        Point { clients: count, cores, resident_mib, p50_ms, p99_ms, lost: lost.sum() }
    }

    /// One client until then: how long each of its lines took.
    async fn live(self, client: &mut Client, first: Instant, until: Instant) -> Vec<Duration> {
        let mut times = Vec::new();
        if self.is_idle {
            let Client::Session(session) = client else { return times };
            let _over = timeout_at(until.into(), session.idle()).await;
            return times;
        }
        let mut next = first;
        while next < until {
            sleep_until(next.into()).await;
            times.push(client.answer().await);
            next += PAUSE;
        }
        times
    }
}

/// 1, 10, 100, … and the most.
fn sizes(most: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1), |size| Some(10 * size));
    powers.take_while(|size| *size < most).chain([most]).collect()
}

fn drawn(curves: &[Curve]) -> String {
    let panel = |label, of: fn(&Point) -> f64| Panel {
        label,
        across: "clients",
        counts: Counts::Many,
        lines: (0..)
            .zip(curves)
            .map(|(colour, curve)| {
                let points = curve.points.iter().map(|point| (point.clients as f64, of(point)));
                Line { colour, points: points.collect() }
            })
            .collect(),
    };
    let panels = [
        panel("processor, % of a core", |point| 100.0 * point.cores),
        panel("memory, MiB", |point| point.resident_mib),
    ];
    let legend: Vec<_> = curves.iter().map(|curve| curve.crowd.as_str()).collect();
    let title = "What clients cost the server, from one to thousands";
    Picture { title, legend: &legend, columns: 2, panels: &panels }.draw()
}

fn tables(curves: &[Curve]) -> String {
    let mut text =
        machine() + "\n\n| who | clients | of a core | MiB | p50, ms | p99, ms | lost |\n";
    text += "|---|---|---|---|---|---|---|\n";
    let shown = |value: Option<f64>| value.map_or(String::new(), figure);
    for Curve { crowd, points } in curves {
        for Point { clients, cores, resident_mib, p50_ms, p99_ms, lost } in points {
            let [cores, mib] = [figure(100.0 * cores), figure(*resident_mib)];
            let [p50, p99] = [p50_ms, p99_ms].map(|value| shown(*value));
            // Writing to a String cannot fail.
            let _ok = writeln!(
                text,
                "| {crowd} | {} | {cores} % | {mib} | {p50} | {p99} | {lost} |",
                grouped(clients)
            );
        }
    }
    text += "\n| who | each | one core serves | a thousand take | a million take |\n";
    text += "|---|---|---|---|---|\n";
    for curve in curves {
        let Some((cores, mib)) = curve.each() else { continue };
        let take = |users: f64| {
            format!("{} cores, {} GiB", figure(users * cores), figure(users * mib / 1_024.0))
        };
        let [micros, kib, serves] = [1e6 * cores, 1_024.0 * mib, 1.0 / cores].map(figure);
        let [thousand, million] = [1e3, 1e6].map(take);
        let crowd = &curve.crowd;
        let _ok = writeln!(
            text,
            "| {crowd} | {micros} µs a second, {kib} KiB | {serves} | {thousand} | {million} |"
        );
    }
    text
}

impl Curve {
    /// Cores and MiB that one client more takes, from the difference of the two largest crowds.
    fn each(&self) -> Option<(f64, f64)> {
        let [.., fewer, more] = self.points.as_slice() else { return None };
        let clients = (more.clients - fewer.clients) as f64;
        let cores = (more.cores - fewer.cores) / clients;
        Some((cores, (more.resident_mib - fewer.resident_mib) / clients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_by_ten_up_to_the_most() {
        assert_eq!(sizes(500), [1, 10, 100, 500]);
        assert_eq!(sizes(1_000), [1, 10, 100, 1_000]);
    }

    #[test]
    fn what_one_more_takes_leaves_out_what_all_share() {
        let point = |clients, cores, resident_mib| Point {
            clients,
            cores,
            resident_mib,
            p50_ms: None,
            p99_ms: None,
            lost: 0,
        };
        let points = vec![point(10, 0.5, 20.0), point(110, 1.5, 120.0)];
        assert_eq!(Curve { crowd: String::new(), points }.each(), Some((0.01, 1.0)));
    }
}
