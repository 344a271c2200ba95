//! What an idle session costs, and how many threads serve.
// What a session costs is read from /proc.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Write as _, stderr};
use std::time::Duration;

use futures_util::future::join_all;
use streamgram::observe::feed::WATCHERS;
use streamgram_protocol::Event;
use streamgram_tests::{Browser, Server, skip};
use tokio::net::UdpSocket;

const SESSIONS: usize = 2_000;
const MOST_KIB: f64 = 20.0;
const MOST_WITHOUT_LEGS_KIB: f64 = 16.0;
const MOST_WATCHING_KIB: f64 = 32.0;
/// Sessions that open at the same time: the listener's queue holds more.
const AT_ONCE: usize = 100;
/// Sessions with an emulated path, and what one may cost.
const LABS: usize = 500;
const MOST_LAB_KIB: f64 = 192.0;
/// A WebSocket, two legs, and the TCP server's end of one of them.
const SERVER_FILES: usize = 4;
/// What a process has open besides sessions, generously.
const OTHER_FILES: usize = 200;

fn words(path: &str, line: &str) -> Vec<String> {
    let file = fs::read_to_string(path).expect("the process runs");
    let line = file.lines().find(|this| this.starts_with(line)).expect("the shape of proc(5)");
    line.split_whitespace().map(str::to_owned).collect()
}

/// The soft limit of open files: the fourth word of `Max open files`.
fn file_limit(process: &str) -> usize {
    let limit = &words(&format!("/proc/{process}/limits"), "Max open files")[3];
    limit.parse().unwrap_or(usize::MAX)
}

/// A server with room for so many sessions from here, and their number: fewer where the limit of open files, which
/// the server has too, allows no more.
fn roomy_server() -> (Server, usize) {
    let sessions = SESSIONS.min(file_limit("self").saturating_sub(OTHER_FILES) / SERVER_FILES);
    assert!(sessions > 0);
    if sessions < SESSIONS {
        skip(&format!("the limit of open files allows {sessions} of {SESSIONS} sessions"));
    }
    let limits = [
        ("--sessions", sessions + 1),
        ("--sessions-per-address", sessions + 1),
        ("--http-connections", sessions + 10),
        ("--http-connections-per-address", sessions + 10),
        ("--tcp-connections", 10),
    ];
    let flags = limits.map(|(flag, limit)| format!("{flag}={limit}"));
    (Server::start_with(&flags.each_ref().map(String::as_str)), sessions)
}

#[tokio::test]
async fn as_many_threads_serve_as_are_asked_for() {
    let threads = async |flag: &str| {
        let server = Server::start_with(&[flag]);
        // Once somebody was served, TCP and UDP have their threads too.
        let _session = Browser::connect_both(server.http).await;
        let words = words(&format!("/proc/{}/status", server.pid()), "Threads:");
        words[1].parse::<u32>().expect("a number")
    };
    assert_eq!(threads("--threads=7").await, threads("--threads=1").await + 6);
}

#[tokio::test]
async fn an_idle_session_with_both_legs_costs_at_most_20_kib() {
    let (server, sessions) = roomy_server();
    // What the first session costs beyond its own is not what a session costs.
    let _first = Browser::connect_both(server.http).await;
    let before = server.resident_kib_at_rest();
    let mut browsers = Vec::with_capacity(sessions);
    while browsers.len() < sessions {
        let more = AT_ONCE.min(sessions - browsers.len());
        browsers.extend(join_all((0..more).map(|_| Browser::connect_both(server.http))).await);
    }
    let grown = f64::from(server.resident_kib().saturating_sub(before));
    let each = grown / f64::from(u32::try_from(sessions).unwrap());
    let _said = writeln!(stderr(), "{sessions} idle sessions: {each:.1} KiB resident each");
    assert!(each <= MOST_KIB, "{each:.1} KiB");
}

#[tokio::test]
async fn an_idle_session_without_legs_costs_at_most_16_kib() {
    let (server, sessions) = roomy_server();
    let _first = Browser::connect(server.http).await;
    let before = server.resident_kib_at_rest();
    let mut browsers = Vec::with_capacity(sessions);
    while browsers.len() < sessions {
        let more = AT_ONCE.min(sessions - browsers.len());
        browsers.extend(join_all((0..more).map(|_| Browser::connect(server.http))).await);
    }
    let grown = f64::from(server.resident_kib().saturating_sub(before));
    let each = grown / f64::from(u32::try_from(sessions).unwrap());
    let _said = writeln!(stderr(), "{sessions} sessions without legs: {each:.1} KiB resident each");
    assert!(each <= MOST_WITHOUT_LEGS_KIB, "{each:.1} KiB");
}

#[tokio::test]
async fn a_session_that_watches_raw_clients_costs_at_most_32_kib() {
    let server = Server::start();
    let _first = Browser::connect(server.http).await;
    let before = server.resident_kib_at_rest();
    let mut browsers = join_all((0..WATCHERS).map(|_| Browser::connect(server.http))).await;
    for browser in &mut browsers {
        browser.say(r#"{"watch":{"on":true}}"#).await;
        browser.say(r#"{"nodelay":{"on":true}}"#).await;
        browser.until(|event| matches!(event, Event::Error(_))).await;
    }
    // Everybody knows a client; a thousand of them would be 200 KiB more.
    let raw = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    raw.send_to(b"x", server.udp).await.unwrap();
    for browser in &mut browsers {
        browser.until(|event| matches!(event, Event::Raw(_))).await;
    }
    let grown = f64::from(server.resident_kib().saturating_sub(before));
    let each = grown / f64::from(u32::try_from(WATCHERS).unwrap());
    let _said = writeln!(stderr(), "{WATCHERS} sessions that watch: {each:.1} KiB resident each");
    assert!(each <= MOST_WATCHING_KIB, "{each:.1} KiB");
}

#[tokio::test]
async fn an_idle_emulated_path_costs_at_most_192_kib() {
    let open = r#"{"open":{"protocol":"tcp","path":"emulated"}}"#;
    let server = Server::start();
    let mut browsers = join_all((0..LABS).map(|_| Browser::connect(server.http))).await;
    let before = server.resident_kib_at_rest();
    for browser in &mut browsers {
        browser.say(open).await;
        browser.until(|event| matches!(event, Event::ServerAccepted {})).await;
    }
    let grown = f64::from(server.resident_kib().saturating_sub(before));
    let each = grown / f64::from(u32::try_from(LABS).unwrap());
    let _said = writeln!(stderr(), "{LABS} idle emulated paths: {each:.1} KiB resident each");
    assert!(each <= MOST_LAB_KIB, "{each:.1} KiB");
}

#[tokio::test]
async fn idle_legs_of_either_path_cost_no_processor_time() {
    let server = Server::start();
    let mut browsers = Vec::new();
    for path in ["direct", "emulated"] {
        let mut browser = Browser::connect(server.http).await;
        for protocol in ["tcp", "udp"] {
            browser
                .say(&format!(r#"{{"open":{{"protocol":"{protocol}","path":"{path}"}}}}"#))
                .await;
            browser.until(|event| matches!(event, Event::Opened { .. })).await;
        }
        browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
        browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
        browsers.push(browser);
    }
    let (before, watched) = (server.processor_ms(), Duration::from_secs(1));
    tokio::time::sleep(watched).await;
    // A leg that is asked again and again takes all of a processor.
    let spent = server.processor_ms() - before;
    assert!(spent < 500, "{spent} ms in a second");
}

#[tokio::test]
async fn a_burst_that_waits_for_its_link_costs_no_processor_time() {
    let server = Server::start();
    let mut browser = Browser::connect(server.http).await;
    for protocol in ["tcp", "udp"] {
        let link = r#"{"up":{"delay_ms":5000},"down":{"delay_ms":5000}}"#;
        let path = r#""path":"emulated""#;
        browser
            .say(&format!(r#"{{"open":{{"protocol":"{protocol}",{path},"link":{link}}}}}"#))
            .await;
    }
    browser.until_count(2, |event| matches!(event, Event::Opened { .. })).await;
    let line = "x".repeat(8_000);
    let burst = format!(r#""to":"tcp","text":"{line}","count":100,"interval_ms":0"#);
    browser.say(&format!(r#"{{"send":{{"id":1,{burst}}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Sent { .. })).await;
    let (before, watched) = (server.processor_ms(), Duration::from_secs(1));
    tokio::time::sleep(watched).await;
    let spent = server.processor_ms() - before;
    assert!(spent < 500, "{spent} ms in a second");
}
