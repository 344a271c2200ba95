//! What the operator's address tells is what the server did.

use std::net::SocketAddr;

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
    browser.say(r#"{"type":"send","id":1,"to":"udp","text":"x","count":5}"#).await;
    browser.until_count(5, |event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(request(server.http, "GET", "/", "host: evil.example\r\n").await.status, 400);

    for (name, value) in [
        (r#"streamgram_connections{surface="tcp"}"#, 2.0),
        (r#"streamgram_connections{surface="http"}"#, 1.0),
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
    ] {
        assert_eq!(measure(admin, name).await, value, "{name}");
    }
}
