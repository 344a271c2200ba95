//! What an idle session costs.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Write as _, stderr};

use futures_util::future::join_all;
use streamgram_tests::{Browser, Server};

const SESSIONS: usize = 2_000;
const MOST_KIB: f64 = 24.0;
/// Sessions that open at the same time: the listener's queue holds more.
const AT_ONCE: usize = 100;
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

fn resident_kib(server: &Server) -> u32 {
    let resident = &words(&format!("/proc/{}/status", server.pid()), "VmRSS:")[1];
    resident.parse().expect("a number")
}

#[tokio::test]
async fn an_idle_session_with_both_legs_costs_at_most_24_kib() {
    let server = Server::start();
    // What the first session costs beyond its own is not what a session costs.
    let _first = Browser::connect_both(server.http).await;
    let own = file_limit("self").saturating_sub(OTHER_FILES);
    let servers = file_limit(&server.pid().to_string()).saturating_sub(OTHER_FILES) / SERVER_FILES;
    let sessions = SESSIONS.min(own).min(servers);
    if sessions < SESSIONS {
        let _said = writeln!(stderr(), "the limit of open files is low: {sessions} sessions only");
    }
    assert!(sessions > 0);

    let before = resident_kib(&server);
    let mut browsers = Vec::with_capacity(sessions);
    while browsers.len() < sessions {
        let more = AT_ONCE.min(sessions - browsers.len());
        browsers.extend(join_all((0..more).map(|_| Browser::connect_both(server.http))).await);
    }
    let grown = f64::from(resident_kib(&server).saturating_sub(before));
    let each = grown / f64::from(u32::try_from(sessions).unwrap());
    let _said = writeln!(stderr(), "{sessions} idle sessions: {each:.1} KiB resident each");
    assert!(each <= MOST_KIB, "{each:.1} KiB");
}
