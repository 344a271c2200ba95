//! TCP clients that stay, do not read, or come in crowds: what ends them, and that nobody else notices.
// What a client costs is read from /proc.
#![cfg(target_os = "linux")]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use streamgram_protocol::{Event, STAMP_LEN};
use streamgram_tests::{Browser, PATIENCE, SOON, Server, Witness, binary, echoes, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Everything up to the FIN; an error if it ends in another way.
async fn until_fin(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends")?;
    Ok(all)
}

async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"?").await.expect("it is open");
    let mut reply = [0; STAMP_LEN + 1];
    timeout(PATIENCE, stream.read_exact(&mut reply)).await.expect("in time").expect("a reply");
}

/// A client with another loopback address than everybody else.
async fn stranger(server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("all of 127/8 is loopback");
    socket.connect(server).await.expect("the server listens")
}

#[tokio::test]
async fn a_client_that_sends_nothing_gets_a_fin() {
    let server = Server::start_with(&["--tcp-idle-s=1"]);
    let before = server.open_files_at_rest();
    let witness = Witness::of(&server).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(TcpStream::connect(server.tcp).await.unwrap());
    }
    for client in &mut clients {
        assert_eq!(until_fin(client).await.unwrap(), b"");
    }
    server.has_refused("tcp_idle", 20).await;
    drop(clients);
    witness.was_served().await;
    server.returns_to(before, PATIENCE).await;
}

#[tokio::test]
async fn the_replies_come_before_the_fin_and_no_reset_overtakes_them() {
    let server = Server::start_with(&["--tcp-idle-s=1"]);
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    let sent = vec![b'x'; 200_000];
    client.write_all(&sent).await.unwrap();
    let replies = until_fin(&mut client).await.unwrap();
    assert_eq!(echoes(&replies).concat(), sent);
}

#[tokio::test]
async fn bytes_that_cross_the_fin_are_not_answered_with_a_reset() {
    let server = Server::start_with(&["--tcp-idle-s=1"]);
    // Most of the replies wait at the server's side, where a reset would throw them away.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = socket.connect(server.tcp).await.unwrap();
    let sent = vec![b'x'; 20_000];
    client.write_all(&sent).await.unwrap();
    server.has_refused("tcp_idle", 1).await;
    client.write_all(b"too late").await.unwrap();
    let replies = until_fin(&mut client).await.unwrap();
    assert_eq!(echoes(&replies).concat(), sent);
}

#[tokio::test]
async fn a_byte_now_and_then_keeps_a_connection_open_up_to_its_lifetime() {
    let server = Server::start_with(&["--tcp-idle-s=2", "--tcp-lifetime-s=5"]);
    // Its life begins before the client knows of it.
    let since = Instant::now();
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    while since.elapsed() < Duration::from_secs(4) {
        ask(&mut client).await;
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(until_fin(&mut client).await.unwrap(), b"");
    assert!(since.elapsed() >= Duration::from_secs(5));
    server.has_refused("tcp_lifetime", 1).await;
    assert_eq!(server.refused("tcp_idle").await, 0);
}

#[tokio::test]
async fn who_always_has_more_to_say_does_not_outstay_the_lifetime() {
    let server = Server::start_with(&["--tcp-lifetime-s=1"]);
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    let (mut reads, mut writes) = client.split();
    let talking = async { while writes.write_all(&[b'x'; 4_096]).await.is_ok() {} };
    let listening = async {
        let mut buffer = [0; 65_536];
        while matches!(reads.read(&mut buffer).await, Ok(1..)) {}
    };
    let both = async { tokio::join!(talking, listening) };
    timeout(PATIENCE, both).await.expect("the server ends it");
    server.has_refused("tcp_lifetime", 1).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_reset() {
    let server = Server::start_with(&["--tcp-write-s=1"]);
    let witness = Witness::of(&server).await;
    let before = server.resident_kib_at_rest();
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    let filling = async {
        loop {
            if let Err(error) = client.write_all(&[b'x'; 65_536]).await {
                return error;
            }
        }
    };
    let written = tokio::select! {
        error = filling => Some(error),
        () = server.has_refused("tcp_unread", 1) => None,
    };
    let error = match written {
        Some(error) => error,
        None => until_fin(&mut client).await.unwrap_err(),
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert_eq!(server.refused("tcp_unread").await, 1);
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown <= 1_024, "{grown} KiB");
    witness.was_served().await;
}

#[tokio::test]
async fn one_client_above_the_limit_is_closed_at_once() {
    let server = Server::start_with(&["--tcp-connections=3", "--tcp-connections-per-address=2"]);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = stranger(server.tcp).await;
        ask(&mut client).await;
        clients.push(client);
    }
    assert_eq!(until_fin(&mut stranger(server.tcp).await).await.unwrap(), b"");
    assert_eq!(server.refused("tcp_address_full").await, 1);
    let mut other = TcpStream::connect(server.tcp).await.unwrap();
    ask(&mut other).await;
    let mut one_more = TcpStream::connect(server.tcp).await.unwrap();
    assert_eq!(until_fin(&mut one_more).await.unwrap(), b"");
    assert_eq!(server.refused("tcp_full").await, 1);
    // A leg takes no client's place, and a place that is free is given again.
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    drop(clients);
    let since = Instant::now();
    while until_fin_or_reply(&mut stranger(server.tcp).await).await == 0 {
        assert!(since.elapsed() < PATIENCE, "the place is free");
    }
}

/// Bytes of the answer to one byte: 0 if the connection was closed.
async fn until_fin_or_reply(stream: &mut TcpStream) -> usize {
    let _sent = stream.write_all(b"?").await;
    timeout(PATIENCE, stream.read(&mut [0; 64])).await.expect("either").unwrap_or(0)
}

#[tokio::test]
async fn a_leg_is_as_old_and_as_idle_as_its_session_likes() {
    let server = Server::start_with(&["--tcp-idle-s=1", "--tcp-lifetime-s=1"]);
    let mut browser = Browser::connect_both(server.http).await;
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    assert_eq!(until_fin(&mut client).await.unwrap(), b"");
    sleep(Duration::from_secs(1)).await;
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(browser.count(|event| matches!(event, Event::Closed { .. })), 0);
}

#[tokio::test]
async fn resets_at_any_moment_end_nobody_else() {
    let server = Server::start();
    let before = server.open_files_at_rest();
    let witness = Witness::of(&server).await;
    for round in 0..300 {
        let mut client = TcpStream::connect(server.tcp).await.unwrap();
        if round % 2 == 0 {
            client.write_all(&[b'x'; 3_000]).await.unwrap();
        }
        client.set_zero_linger().unwrap();
    }
    witness.was_served().await;
    server.returns_to(before, PATIENCE).await;
    assert_eq!(server.refused("accept_failed").await, 0);
}

/// A server that may open few files.
fn with_files(files: u32) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -n "$0" && exec "$@""#, &files.to_string()]).arg(binary());
    Server::spawn(command)
}

#[tokio::test]
async fn a_crowd_takes_no_descriptors_from_pages_and_sessions() {
    let server = with_files(256);
    let mut browser = Browser::connect_both(server.http).await;
    let spent = server.processor_ms();
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(TcpStream::connect(server.tcp).await.unwrap());
        crowd.push(stranger(server.tcp).await);
    }
    // TCP clients get a quarter of the 192 descriptors that are not reserved.
    server.has_refused("tcp_full", 600 - 48).await;
    assert!(server.open_files() < 256);
    assert_eq!(server.refused("accept_failed").await, 0);
    assert_eq!(get(server.http, "/healthz").await.status, 200);
    browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
    let mut another = Browser::connect_both(server.http).await;
    another.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
    another.until(|event| matches!(event, Event::Answered { .. })).await;
    let spent = server.processor_ms() - spent;
    assert!(spent < 1_000, "{spent} ms for 600 connections");

    drop(crowd);
    let gone = Instant::now();
    while until_fin_or_reply(&mut TcpStream::connect(server.tcp).await.unwrap()).await == 0 {
        assert!(gone.elapsed() < SOON, "it recovers within a second");
    }
}

#[tokio::test]
async fn with_few_descriptors_one_address_leaves_half_of_the_places_to_others() {
    let server = with_files(256);
    let mut crowd = Vec::new();
    for _ in 0..100 {
        crowd.push(stranger(server.http).await);
    }
    // Of the 192 descriptors that are not reserved HTTP gets three eighths, and one address half of those.
    server.has_refused("http_address_full", 100 - 36).await;
    assert_eq!(get(server.http, "/readyz").await.status, 200);
    for _ in 0..100 {
        crowd.push(stranger(server.tcp).await);
    }
    server.has_refused("tcp_address_full", 100 - 24).await;
    ask(&mut TcpStream::connect(server.tcp).await.unwrap()).await;
}
