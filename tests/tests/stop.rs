//! A stop by a signal: everybody is told, and nobody holds it up.
// Windows has no signals.
#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use streamgram_protocol::Event;
use streamgram_tests::{Browser, Closed, PATIENCE, Server, get};
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

/// What a stop may take when nothing can be delivered any more: half a second, and room for a busy machine.
const QUICK: Duration = Duration::from_secs(4);

async fn stops_quickly(mut server: Server) {
    let since = Instant::now();
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill is there").success());
    let status = tokio::task::spawn_blocking(move || server.wait()).await.expect("a thread");
    assert_eq!(status.code(), Some(0));
    assert!(since.elapsed() < QUICK, "{:?}", since.elapsed());
}

#[tokio::test]
async fn who_reads_nothing_does_not_hold_up_a_stop() {
    let server = Server::start_with(&["--http-write-s=60", "--tcp-write-s=60"]);
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    // Until the server cannot write any more, and so does not read.
    while let Ok(sent) = timeout(Duration::from_millis(300), client.write(&[b'x'; 65_536])).await {
        sent.unwrap();
    }
    let mut page = TcpStream::connect(server.http).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", server.http);
    while let Ok(sent) = timeout(Duration::from_millis(300), page.write(request.as_bytes())).await {
        sent.unwrap();
    }
    stops_quickly(server).await;
}

#[tokio::test]
async fn who_is_owed_nothing_does_not_hold_up_a_stop() {
    let server = Server::start();
    // It does not answer FIN with FIN, as nc does while it waits for the keyboard.
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    client.read_exact(&mut [0; 32]).await.unwrap();
    let mut half = TcpStream::connect(server.http).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let _session = Browser::connect_both(server.http).await;
    stops_quickly(server).await;
}

#[tokio::test]
async fn who_reads_gets_all_of_a_page_during_a_stop() {
    let mut server = Server::start();
    let page = get(server.http, "/").await;
    let (_, wasm) = page.text().split_once("type=\"application/wasm\" href=\"").unwrap();
    let (path, _) = wasm.split_once('"').unwrap();
    let path = path.trim_start_matches("./");
    let mut client = TcpStream::connect(server.http).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {}\r\n\r\n", server.http);
    client.write_all(request.as_bytes()).await.unwrap();
    let mut all = vec![0; 64 * 1_024];
    client.read_exact(&mut all).await.unwrap();
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    timeout(PATIENCE, client.read_to_end(&mut all)).await.unwrap().unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(all.len() - end, get_length(&all[..end]));
    assert!(tokio::task::spawn_blocking(move || server.wait()).await.unwrap().success());
}

fn get_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length: ").expect("a length");
    rest.lines().next().and_then(|length| length.parse().ok()).expect("a number")
}

#[test]
fn who_was_told_that_it_listens_can_stop_it_at_once() {
    for _ in 0..20 {
        let (status, _log) = Server::start().stop();
        assert_eq!(status.code(), Some(0), "{status}");
    }
}
