//! Attackers of HTTP: slow, greedy, under a false name, or not speaking HTTP at all.

use std::time::Duration;

use futures_util::FutureExt as _;
use streamgram_tests::{get, raw_request, request};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, floods, narrow, sent, stranger, until_end};
use crate::visitor::{Kind, Visit};

pub(super) const KINDS: [Kind; 9] = [
    Kind { name: "HTTP: says nothing", at_once: 5, visit: |it| silent(it).boxed() },
    Kind { name: "HTTP: half a header", at_once: 5, visit: |it| half(it).boxed() },
    Kind { name: "HTTP: a header line now and then", at_once: 5, visit: |it| dribble(it).boxed() },
    Kind { name: "HTTP: asks and never reads", at_once: 1, visit: |it| unread(it).boxed() },
    Kind { name: "HTTP: no HTTP, or too much", at_once: 1, visit: |it| broken(it).boxed() },
    Kind { name: "HTTP: another host's name", at_once: 1, visit: |it| rebind(it).boxed() },
    Kind { name: "HTTP: paths that lead out", at_once: 1, visit: |it| traverse(it).boxed() },
    Kind { name: "HTTP: ends in mid-answer", at_once: 2, visit: |it| leave(it).boxed() },
    Kind { name: "HTTP: 100 connections at once", at_once: 1, visit: |it| crowd(it).boxed() },
];

async fn silent(visit: Visit) {
    assert_eq!(until_end(&mut sent(visit.http, b"").await).await, b"");
}

async fn half(visit: Visit) {
    until_end(&mut sent(visit.http, b"GET / HTTP/1.1\r\nhost: loc").await).await;
}

async fn dribble(visit: Visit) {
    let mut stream = sent(visit.http, b"GET / HTTP/1.1\r\n").await;
    let dribble = async {
        while stream.write_all(b"x: y\r\n").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, dribble).await.expect("a header does not go on for ever");
}

async fn unread(visit: Visit) {
    let info = format!("GET /api/info HTTP/1.1\r\nhost: {}\r\n\r\n", visit.http);
    floods(narrow(visit.http).await, info.as_bytes()).await;
}

async fn broken(visit: Visit) {
    let host = format!("host: {}\r\n", visit.http);
    let many = (0..200).map(|number| format!("x-{number}: y\r\n")).collect::<String>();
    for (request, statuses) in [
        (format!("GET / HTTP/1.1\r\n{host}x: {}\r\n\r\n", "x".repeat(64 << 10)), [431, 431]),
        (format!("GET / HTTP/1.1\r\n{host}{many}\r\n"), [431, 431]),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(1 << 20)), [414, 431]),
        ("\u{16}\u{3}\u{1} this is not HTTP\r\n\r\n".into(), [400, 400]),
        (format!("GET / HTTP/1.1\r\n{host}bad header\r\n\r\n"), [400, 400]),
    ] {
        let status = raw_request(visit.http, request.as_bytes()).await.status;
        assert!(statuses.contains(&status), "{status}");
    }
}

async fn rebind(visit: Visit) {
    for path in ["/", "/ws", "/api/info"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: rebind.evil.example\r\nconnection: close\r\n\r\n"
        );
        assert_eq!(raw_request(visit.http, request.as_bytes()).await.status, 421);
    }
}

async fn traverse(visit: Visit) {
    for path in ["/../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00", "/.git/config"] {
        assert_eq!(get(visit.http, path).await.status, 404, "{path}");
    }
    assert_eq!(request(visit.http, "POST", "/", "").await.status, 405);
}

async fn leave(visit: Visit) {
    let page = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", visit.http);
    let stream = sent(visit.http, page.as_bytes()).await;
    if visit.number.is_multiple_of(2) {
        stream.set_zero_linger().expect("an option of every socket");
    }
}

async fn crowd(visit: Visit) {
    let mut crowd: Vec<TcpStream> = Vec::new();
    for _ in 0..100 {
        crowd.push(stranger(visit.http).await);
    }
    sleep(Duration::from_millis(500)).await;
}
