//! What a room costs, from 1 member to 2,000 and from one server to four; and whether one who floods moves the others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Serialize;
use streamgram_protocol::room::{Stage, StoreState};
use streamgram_tests::{Class, Flood, Flooder, Member, Nats, Page, binary, grouped};
use tokio::time::interval;

use crate::chart::{Counts, Line, Panel, Picture};
use crate::peers::{Peer, STREAMGRAM, Speech, streamgram};
use crate::report::machine;
use crate::spread::{Spread, figure};

const MEMBERS: [usize; 7] = [1, 10, 50, 200, 500, 1_000, 2_000];
/// A lecture hall.
const HALL: usize = 200;
const SERVERS: [usize; 4] = [1, 2, 3, 4];
/// How often one who floods comes and goes.
const FLOODS: usize = 9;
/// For how long all vote, each once a second.
const VOTING: Duration = Duration::from_secs(10);
/// In which so many of them vote at a time.
const TICKS_A_SECOND: u32 = 10;

const PORTS: [&str; 3] = ["--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0"];
/// Limits of how many there may be, which nobody here reaches: descriptors are shared out.
const FLAGS: [&str; 8] = [
    "--room-members=2000",
    "--room-teacher-messages-per-s=1000",
    "--sessions=2100",
    "--sessions-per-address=2100",
    "--http-connections=2200",
    "--http-connections-per-address=2200",
    "--tcp-connections=16",
    "--tcp-connections-per-address=16",
];

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    announcements: usize,
    most: usize,
}

pub(crate) const FULL: Effort = Effort { announcements: 50, most: 2_000 };
pub(crate) const QUICK: Effort = Effort { announcements: 20, most: 200 };

/// What a room of this size costs.
#[derive(Debug, Clone, Serialize)]
struct Point {
    members: usize,
    servers: usize,
    /// From the teacher's message until half of all members were told, and 99 of 100.
    p50_ms: f64,
    p99_ms: f64,
    /// Processor time of all servers to tell everybody once.
    processor_ms: f64,
    resident_mib: f64,
    /// Messages through NATS while every member votes once a second.
    nats_per_s: Option<f64>,
}

/// How the time to tell 99 of 100 changes beside one who floods, whose own work takes its share of the machine: so it is
/// compared with one who floods another server.
#[derive(Debug, Serialize)]
struct Moved {
    flood: &'static str,
    alone_ms: Spread,
    elsewhere_ms: Spread,
    beside_ms: Spread,
    ratio: Spread,
}

#[derive(Debug, Serialize)]
struct Report {
    members: Vec<Point>,
    servers: Vec<Point>,
    floods: Vec<Moved>,
}

/// Lets rooms grow; figures go into `rooms.json` and `rooms.md` of the folder.
pub(crate) async fn run(folder: &str, plot: &str, effort: Effort) {
    rlimit::increase_nofile_limit(u64::MAX).expect("the limit of open files is known");
    let folder = Path::new(folder);
    let members = grow(effort).await;
    let mut servers = Vec::new();
    for count in SERVERS {
        servers.push(spread(count, folder, effort).await);
    }
    let mut floods = Vec::new();
    for (name, flood) in [("votes", Flood::Votes), ("joins and leaves", Flood::Joins)] {
        floods.push(beside(name, flood, effort).await);
    }
    let report = Report { members, servers, floods };
    let json = serde_json::to_vec_pretty(&report).expect("it is JSON");
    fs::write(folder.join("rooms.json"), json).expect("a file for the figures");
    let tables = report.tables();
    fs::write(folder.join("rooms.md"), &tables).expect("a file for the tables");
    fs::write(plot, report.drawn()).expect("a file for the plot");
    println!("{tables}");
}

fn server(more: &[String]) -> Peer {
    // Messages have the limits that they usually have: those are what holds back one who floods.
    let mut command = Command::new(binary());
    command.args(PORTS).args(FLAGS).args(more).env("STREAMGRAM_LOG", "warn");
    streamgram(STREAMGRAM, command, Speech::Session)
}

/// One room at one server.
async fn grow(effort: Effort) -> Vec<Point> {
    let servers = [server(&[])];
    let mut class = Class::open(servers[0].at, 0).await;
    let mut points = Vec::new();
    for members in MEMBERS.into_iter().filter(|members| *members <= effort.most) {
        eprintln!("one server, members: {members}");
        class.grow(servers[0].at, members).await;
        points.push(measure(&class, &servers, effort).await);
    }
    points
}

/// A full hall at several servers, which share the room through NATS.
async fn spread(count: usize, folder: &Path, effort: Effort) -> Point {
    eprintln!("{HALL} members, servers: {count}");
    let nats = Nats::start(folder);
    let servers: Vec<_> = (0..count).map(|_| server(&[format!("--nats={}", nats.url())])).collect();
    let mut class = Class::open(servers[0].at, 0).await;
    let is_shared = |member: &Member| {
        member.look(|page| page.state.as_ref().is_some_and(|it| it.store == StoreState::Shared))
    };
    class
        .teacher
        .until(|page| page.state.as_ref().is_some_and(|it| it.store == StoreState::Shared))
        .await;
    for place in 0..HALL {
        class.grow(servers[place % count].at, place + 1).await;
    }
    assert!(class.all().all(is_shared), "NATS is there");
    let point = measure(&class, &servers, effort).await;
    class.lead(2).await;
    class.stage(Stage::Predict).await;
    let (before, begun) = (nats.messages().await, Instant::now());
    vote(&class, VOTING).await;
    let took = begun.elapsed().as_secs_f64();
    let messages = nats.messages().await - before;
    class.is_counted().await;
    Point { nats_per_s: Some(messages as f64 / took), ..point }
}

/// Everybody votes once a second, one after the other.
async fn vote(class: &Class, during: Duration) {
    let mut ticks = interval(Duration::from_secs(1) / TICKS_A_SECOND);
    let (begun, each) = (Instant::now(), TICKS_A_SECOND as usize);
    for tick in 0_usize.. {
        ticks.tick().await;
        if begun.elapsed() >= during {
            return;
        }
        let choice = u8::from(tick / each % 2 == 0);
        class.members.iter().skip(tick % each).step_by(each).for_each(|member| member.vote(choice));
    }
}

/// What it takes to tell everybody, at rest.
async fn measure(class: &Class, servers: &[Peer], effort: Effort) -> Point {
    let processor =
        || servers.iter().map(|server| server.processes[0].processor()).sum::<Duration>();
    class.announce(2).await;
    let before = processor();
    let took = class.announce(effort.announcements).await;
    let processor_ms = (processor() - before).as_secs_f64() * 1e3 / effort.announcements as f64;
    let resident = servers.iter().map(|server| server.processes[0].resident_kib()).sum::<f64>();
    Point {
        members: class.members.len(),
        servers: servers.len(),
        p50_ms: percentile(&took, 50),
        p99_ms: percentile(&took, 99),
        processor_ms,
        resident_mib: resident / 1_024.0,
        nats_per_s: None,
    }
}

/// A full hall alone, beside one who floods another server, and beside one who floods its own room, in turns.
async fn beside(name: &'static str, flood: Flood, effort: Effort) -> Moved {
    eprintln!("{HALL} members beside a flood of {name}");
    let servers = [server(&[]), server(&[])];
    let class = Class::open(servers[0].at, HALL).await;
    let other = Class::open(servers[1].at, 1).await;
    let rooms = [None, Some((servers[1].at, other.code())), Some((servers[0].at, class.code()))];
    let mut p99 = [const { Vec::new() }; 3];
    for _ in 0..FLOODS {
        for (room, p99) in rooms.into_iter().zip(&mut p99) {
            let flooder = room.map(|(at, code)| Flooder::begin(flood, at, code));
            if let Some(flooder) = &flooder {
                flooder.floods().await;
            }
            p99.push(percentile(&class.announce(effort.announcements).await, 99));
            drop(flooder);
            class.teacher.until(|page| here(page) == HALL).await;
        }
    }
    let ratio = Spread::of(p99[2].iter().zip(&p99[1]).map(|(beside, other)| beside / other));
    let [alone_ms, elsewhere_ms, beside_ms] = p99.map(|p99| Spread::of(p99.into_iter()));
    Moved { flood: name, alone_ms, elsewhere_ms, beside_ms, ratio }
}

fn here(page: &Page) -> usize {
    page.state.as_ref().map_or(0, |state| state.here as usize)
}

/// The value that so many of a hundred do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e3
}

impl Report {
    fn tables(&self) -> String {
        let mut text = machine()
            + "\n\n| members | servers | p50, ms | p99, ms | processor, ms an announcement \
            | µs a member | MiB | KiB a member | NATS, messages a second |\n|---|---|---|---|---|---|---|---|---|\n";
        let (first, servers) = (&self.members[0], self.servers.iter());
        for point in self.members.iter().chain(servers) {
            let Point { members, servers, p50_ms, p99_ms, processor_ms, resident_mib, nats_per_s } =
                point;
            let more = point.members - first.members;
            let each = (*servers == 1 && nats_per_s.is_none() && more > 0)
                .then(|| (resident_mib - first.resident_mib) * 1_024.0 / more as f64);
            let [p50, p99, processor, mib] =
                [*p50_ms, *p99_ms, *processor_ms, *resident_mib].map(figure);
            let micros = figure(processor_ms * 1e3 / *members as f64);
            let [each, nats] = [each, *nats_per_s].map(|it| it.map(figure).unwrap_or_default());
            // Writing to a String cannot fail.
            let _ok = writeln!(
                text,
                "| {} | {servers} | {p50} | {p99} | {processor} | {micros} | {mib} | {each} | {nats} |",
                grouped(members)
            );
        }
        text += "\n| one floods with | p99 alone, ms | p99 beside a flood of another server, ms | p99 beside its own, ms | ratio |\n";
        text += "|---|---|---|---|---|\n";
        for Moved { flood, alone_ms, elsewhere_ms, beside_ms, ratio } in &self.floods {
            let _ok =
                writeln!(text, "| {flood} | {alone_ms} | {elsewhere_ms} | {beside_ms} | {ratio} |");
        }
        text
    }

    fn drawn(&self) -> String {
        type Of = fn(&Point) -> f64;
        let panel = |label, points: &[Point], lines: &[(usize, Of)]| {
            let is_few = points.iter().all(|point| point.members == HALL);
            let across: Of =
                if is_few { |point| point.servers as f64 } else { |point| point.members as f64 };
            let line = |(colour, of): &(usize, Of)| Line {
                colour: *colour,
                points: points.iter().map(|point| (across(point), of(point))).collect(),
            };
            let (across, counts) =
                if is_few { ("servers", Counts::Few) } else { ("members", Counts::Many) };
            Panel { label, across, counts, lines: lines.iter().map(line).collect() }
        };
        let told: [(usize, Of); 2] = [(0, |point| point.p50_ms), (1, |point| point.p99_ms)];
        let processor: [(usize, Of); 1] = [(2, |point| point.processor_ms)];
        let memory: [(usize, Of); 1] = [(3, |point| point.resident_mib)];
        let messages: [(usize, Of); 1] = [(2, |point| point.nats_per_s.unwrap_or_default())];
        let panels = [
            panel("told after, ms", &self.members, &told),
            panel("processor, ms an announcement", &self.members, &processor),
            panel("memory, MiB", &self.members, &memory),
            panel("told after, ms", &self.servers, &told),
            panel("NATS, messages a second while all vote", &self.servers, &messages),
            panel("memory of all servers, MiB", &self.servers, &memory),
        ];
        let legend = [
            "half of the members",
            "99 of 100 members",
            "the servers' work",
            "the servers' memory",
        ];
        let title =
            "What a room costs: above one server, below 200 members at several servers with NATS";
        Picture { title, legend: &legend, columns: 3, panels: &panels }.draw()
    }
}
