//! A stop by a signal: everybody is told, and nobody holds it up.
// Windows has no signals.
#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use streamgram_protocol::Event;
use streamgram_tests::{Browser, Closed, PATIENCE, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn a_stop_is_told_to_sessions_and_clients_and_ends_with_0() {
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start();
        let mut browser = Browser::connect_both(server.http).await;
        let slow = r#"{"send":{"id":1,"to":"both","text":"x","count":9,"interval_ms":10000}}"#;
        browser.say(slow).await;
        browser.until(|event| matches!(event, Event::Answered { .. })).await;
        let mut client = TcpStream::connect(server.tcp).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        client.read_exact(&mut [0; 32]).await.unwrap();

        let since = Instant::now();
        let pid = server.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let Closed { code, reason } = browser.closed().await;
        assert_eq!((code, reason.as_str()), (1001, "the server is stopping"));
        let end = timeout(PATIENCE, client.read(&mut [0; 64])).await.unwrap();
        assert_eq!(end.expect("FIN, not RST"), 0);
        let status = tokio::task::spawn_blocking(move || server.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    }
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_a_stop() {
    let mut server = Server::start();
    let mut half = TcpStream::connect(server.http).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    Browser::connect(server.http).await;
    let since = Instant::now();
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = tokio::task::spawn_blocking(move || server.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
}

#[test]
fn who_was_told_that_it_listens_can_stop_it_at_once() {
    for _ in 0..20 {
        let (status, _log) = Server::start().stop();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}
