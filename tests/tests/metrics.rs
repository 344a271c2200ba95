//! What the operator's address tells is what the server did, and what `docs/metrics.md` says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use streamgram_protocol::Event;
use streamgram_tests::{Browser, PATIENCE, Server, get, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// A server with an address for its operator.
fn watched(flags: &[&str]) -> (Server, SocketAddr) {
    let server = Server::start_with(&[&["--admin=127.0.0.1:0"], flags].concat());
    let admin = server.admin.expect("an address for the operator");
    (server, admin)
}

/// The value of a measure, its labels as the text has them.
async fn measure(admin: SocketAddr, name: &str) -> f64 {
    let text = get(admin, "/metrics").await;
    let line = text.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing: {}", text.text())).parse().expect("a number")
}

#[tokio::test]
async fn every_measure_is_what_was_done() {
    let (server, admin) = watched(&[]);
    let mut raw = TcpStream::connect(server.tcp).await.unwrap();
    for _ in 0..3 {
        raw.write_all(b"x").await.unwrap();
        timeout(PATIENCE, raw.read_exact(&mut [0; 28])).await.unwrap().unwrap();
    }
    let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    datagrams.send_to(b"x", server.udp).await.unwrap();
    timeout(PATIENCE, datagrams.recv(&mut [0; 64])).await.unwrap().unwrap();
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":5}}"#).await;
    browser.until_count(5, |event| matches!(event, Event::Answered { .. })).await;
    browser.say(r#"{"watch":{"on":true}}"#).await;
    browser.say(r#"{"nodelay":{"on":true}}"#).await;
    browser.until(|event| matches!(event, Event::NodelaySet { .. })).await;
    assert_eq!(request(server.http, "GET", "/", "host: evil.example\r\n").await.status, 400);

    for (name, value) in [
        (r#"streamgram_connections{surface="tcp"}"#, 2.0),
        (r#"streamgram_connections{surface="http"}"#, 1.0),
        (r#"streamgram_connections{surface="admin"}"#, 1.0),
        (r#"streamgram_connections_total{surface="tcp"}"#, 2.0),
        ("streamgram_tcp_replies_total", 3.0),
        ("streamgram_datagrams_total", 6.0),
        ("streamgram_sessions", 1.0),
        ("streamgram_sessions_total", 1.0),
        (r#"streamgram_legs{protocol="UDP",path="direct"}"#, 1.0),
        (r#"streamgram_legs_total{protocol="TCP",path="direct"}"#, 1.0),
        (r#"streamgram_round_trip_seconds_count{protocol="UDP",path="direct"}"#, 5.0),
        (r#"streamgram_refused_total{reason="http_host"}"#, 1.0),
        ("streamgram_events_waiting", 0.0),
        ("streamgram_watching", 1.0),
    ] {
        assert_eq!(measure(admin, name).await, value, "{name}");
    }
}

const DOCUMENT: &str = include_str!("../../docs/metrics.md");

#[tokio::test]
async fn every_measure_is_documented_and_there_from_the_start() {
    let (_server, admin) = watched(&[]);
    let answer = get(admin, "/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let about = |what: &str| -> BTreeMap<String, String> {
        let lines = answer.text().lines().filter_map(|line| line.strip_prefix(what));
        let lines = lines.filter_map(|line| line.split_once(' '));
        let own = lines.filter(|(name, _)| name.starts_with("streamgram_"));
        own.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
    };
    let mut documented = [BTreeMap::new(), BTreeMap::new()];
    for row in DOCUMENT.lines().filter(|line| line.starts_with("| `streamgram_")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        documented[0].insert(name.clone(), cells[2].to_owned());
        documented[1].insert(name, cells[4].to_owned());
    }
    assert_eq!([about("# TYPE "), about("# HELP ")], documented);
}

#[tokio::test]
async fn readiness_says_whether_there_is_a_place() {
    let (server, admin) = watched(&["--sessions=1"]);
    for at in [server.http, admin] {
        assert_eq!(get(at, "/readyz").await.status, 200);
    }
    let only = Browser::connect(server.http).await;
    for at in [server.http, admin] {
        let answer = get(at, "/readyz").await;
        assert_eq!(
            (answer.status, answer.text()),
            (503, "there is no place for another session\n")
        );
        assert_eq!(get(at, "/healthz").await.status, 200);
    }
    drop(only);
    let since = Instant::now();
    while get(admin, "/readyz").await.status != 200 {
        assert!(since.elapsed() < PATIENCE, "the place is given again");
    }
}

#[tokio::test]
async fn the_measures_are_on_no_other_address() {
    let (server, admin) = watched(&[]);
    assert_eq!(get(server.http, "/metrics").await.status, 404);
    assert_eq!(get(admin, "/").await.status, 404);
    assert_eq!(get(admin, "/api/info").await.status, 404);
}
