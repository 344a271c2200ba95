//! The round trips of a burst as a session tells them, beside those that a Python client with a reader thread measures
//! itself: fresh sessions and fresh clients in turns.

use std::path::Path;
use std::process::{Command, ExitCode};

use serde::Deserialize;
use streamgram_protocol::Event;
use streamgram_tests::{Browser, Server};

use crate::client::LINE;
use crate::spread::Spread;

/// Fresh sessions, and as many Python clients.
const REPEATS: usize = 20;
/// Lines of a burst.
const LINES: usize = 20;
/// How many times as long a session's median may be.
const AT_MOST: f64 = 1.3;

/// Microseconds of each line.
#[derive(Debug, Default, Deserialize)]
struct RoundTrips {
    udp: Vec<f64>,
    tcp: Vec<f64>,
}

/// Compares the medians; fails if one of a session is above the bar.
pub(crate) async fn run(python: &str) -> ExitCode {
    let server = Server::start();
    let (mut sessions, mut clients) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        sessions.push(session(&server).await);
        clients.push(python_client(python, &server));
    }
    println!("| median of a burst of {LINES} | session, µs | Python, µs | session / Python | |");
    println!("|---|---|---|---|---|");
    let of_udp = compare("UDP", &sessions, &clients, |trips| &trips.udp);
    let of_tcp = compare("TCP", &sessions, &clients, |trips| &trips.tcp);
    if of_udp && of_tcp { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compare(
    name: &str,
    sessions: &[RoundTrips],
    clients: &[RoundTrips],
    of: impl Fn(&RoundTrips) -> &Vec<f64>,
) -> bool {
    let medians = |all: &[RoundTrips]| Spread::of(all.iter().map(|one| median(of(one))));
    let (session, python) = (medians(sessions), medians(clients));
    let ratio = session.median / python.median;
    let is_met = ratio <= AT_MOST;
    let verdict = if is_met { "met" } else { "missed" };
    println!("| {name} | {session} | {python} | {ratio:.2}, at most {AT_MOST} | {verdict} |");
    is_met
}

fn median(of: &[f64]) -> f64 {
    Spread::of(of.iter().copied()).median
}

async fn session(server: &Server) -> RoundTrips {
    let mut browser = Browser::connect_both(server.http).await;
    let mut trips = RoundTrips::default();
    for (id, to, trips) in [(1, "udp", &mut trips.udp), (2, "tcp", &mut trips.tcp)] {
        let line = std::str::from_utf8(LINE).expect("it is text");
        let burst =
            format!(r#"{{"send":{{"id":{id},"to":"{to}","text":"{line}","count":{LINES}}}}}"#);
        browser.say(&burst).await;
        let is_answered = |event: &Event| matches!(event, Event::Answered { .. });
        browser.until_count(id * LINES, is_answered).await;
        let answers = browser.messages.iter().skip_while(
            |message| !matches!(message.event, Event::Sent { id: sent, .. } if sent == id as u64),
        );
        trips.extend(answers.filter_map(|message| match message.event {
            Event::Answered { rtt_us, .. } => Some(rtt_us as f64),
            _ => None,
        }));
    }
    trips
}

fn python_client(python: &str, server: &Server) -> RoundTrips {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/burst.py");
    let addresses = [server.tcp, server.udp].map(|at| at.to_string());
    let mut client = Command::new(python);
    let output = client.arg(script).args(addresses).arg(LINES.to_string()).output();
    let output = output.expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints what it measured")
}
