//! WebSockets that come from elsewhere, are too many or too fast, or do not listen: each is ended by
//! itself and told why, and nobody else notices.
// What a peer costs is read from /proc.
#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use streamgram_protocol::{Code, Event, Limits, ServerMessage};
use streamgram_tests::{
    Browser, PATIENCE, RawSocket, Reading, SOON, Server, Witness, masked_frame, upgrade_request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const TEXT: u8 = 0x81;
const PING: u8 = 0x89;
const PONG: u8 = 0x0a;
const OPENS: [&[u8]; 2] = [br#"{"open":{"protocol":"tcp"}}"#, br#"{"open":{"protocol":"udp"}}"#];

/// What the server answers to a request for a session, and the connection.
async fn asked(http: SocketAddr, headers: &str) -> (String, TcpStream) {
    asked_from("127.0.0.1:0", http, headers).await
}

async fn asked_from(from: &str, http: SocketAddr, headers: &str) -> (String, TcpStream) {
    let socket = TcpSocket::new_v4().expect("a socket");
    // Who reads nothing need not be sent megabytes before it is noticed.
    socket.set_recv_buffer_size(4_096).expect("a size");
    socket.bind(from.parse().expect("an address")).expect("all of 127/8 is loopback");
    let mut stream = socket.connect(http).await.expect("the server listens");
    let request = upgrade_request(http, "/ws", headers);
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.expect("the server answers");
        head.push(byte.expect("the head is whole"));
    }
    (String::from_utf8(head).expect("a head is text").to_lowercase(), stream)
}

/// The status of the answer.
async fn status(http: SocketAddr, headers: &str) -> u16 {
    let (head, _connection) = asked(http, headers).await;
    head[9..12].parse().expect("a status")
}

/// A session that has begun, to go on by hand.
async fn begun(http: SocketAddr, headers: &str) -> Reading {
    let mut session = RawSocket::connect(http, headers).await.write(Vec::new());
    let (_, hello) = session.frame().await;
    assert!(String::from_utf8_lossy(&hello).contains(r#""event":{"hello":"#), "{hello:?}");
    session
}

async fn lives_on(browser: &mut Browser) {
    browser.messages.clear();
    browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_session() {
    let server = Server::start();
    let http = server.http;
    let own = format!("origin: http://{http}\r\n");
    let strangers = [
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
        "origin: file://\r\n",
        "origin: http://127.0.0.1:1\r\n",
        &format!("origin: http://{http}.evil.example\r\n"),
        &format!("origin: http://evil.example@{http}\r\n"),
        &format!("{own}{own}"),
        "origin: \r\n",
    ];
    for origin in strangers {
        assert_eq!(status(http, origin).await, 403, "{origin}");
    }
    server.has_refused("ws_origin", strangers.len() as u64).await;
    // What is no browser names none.
    for origin in [own.as_str(), ""] {
        assert_eq!(status(http, origin).await, 101, "{origin}");
    }
}

#[tokio::test]
async fn an_operator_says_which_origins_besides() {
    let server = Server::start_with(&["--allow-origin=https://class.example", "--require-origin"]);
    let own = format!("origin: http://{}\r\n", server.http);
    for (origin, expected) in [
        ("origin: https://class.example\r\n", 101),
        ("origin: http://class.example\r\n", 403),
        ("origin: https://class.example:444\r\n", 403),
        (own.as_str(), 101),
        ("", 403),
    ] {
        assert_eq!(status(server.http, origin).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn one_session_above_the_limit_is_told_to_come_again() {
    let server = Server::start_with(&["--sessions=2", "--sessions-per-address=2"]);
    let mut first = Browser::connect_both(server.http).await;
    let second = Browser::connect(server.http).await;
    let (head, _connection) = asked(server.http, "").await;
    assert!(head.starts_with("http/1.1 503 ") && head.contains("\r\nretry-after: "), "{head}");
    server.has_refused("ws_full", 1).await;
    lives_on(&mut first).await;
    drop(second);
    let since = Instant::now();
    while status(server.http, "").await == 503 {
        assert!(since.elapsed() < SOON, "a place that is free is given again");
    }
}

#[tokio::test]
async fn an_address_has_so_many_sessions_whatever_it_says_of_itself() {
    let server = Server::start_with(&["--sessions-per-address=1"]);
    let first = begun(server.http, "").await;
    for headers in ["", "x-forwarded-for: 198.51.100.1\r\n"] {
        let one_more = RawSocket::connect(server.http, headers).await.write(Vec::new());
        let closed = one_more.closed().await;
        assert_eq!(closed.code, 1013);
        assert!(closed.reason.contains("127.0.0.1 has 1 sessions"), "{closed:?}");
    }
    server.has_refused("ws_address_full", 2).await;
    let (head, mut other) = asked_from("127.0.0.2:0", server.http, "").await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert_eq!(other.read_u8().await.unwrap(), TEXT, "a hello, and no close frame");
    drop(first);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_the_one_that_it_heard_from() {
    let server = Server::start_with(&["--sessions-per-address=1", "--trusted-proxy=127.0.0.0/8"]);
    let _sessions = [
        begun(server.http, "x-forwarded-for: 198.51.100.1\r\n").await,
        begun(server.http, "x-forwarded-for: 198.51.100.2, 127.0.0.9\r\n").await,
    ];
    // What stands in front the client itself could have written.
    for (list, address) in [
        ("198.51.100.1", "198.51.100.1"),
        ("203.0.113.7, 198.51.100.1", "198.51.100.1"),
        ("203.0.113.7\r\nx-forwarded-for: 198.51.100.2", "198.51.100.2"),
    ] {
        let headers = format!("x-forwarded-for: {list}\r\n");
        let one_more = RawSocket::connect(server.http, &headers).await.write(Vec::new());
        let closed = one_more.closed().await;
        assert_eq!(closed.code, 1013, "{list}");
        assert!(closed.reason.starts_with(address), "{list}: {closed:?}");
    }
}

#[tokio::test]
async fn who_says_too_much_too_fast_is_told_and_ended() {
    let message = masked_frame(TEXT, b"{}");
    let ping = masked_frame(PING, b"");
    let long = masked_frame(TEXT, &[b' '; 60_000]);
    for (flag, frames, reason, told) in [
        ("--messages-per-s=2", message.repeat(21), "ws_messages", "more than 2 messages a second"),
        ("--messages-per-s=2", ping.repeat(21), "ws_messages", "more than 2 messages a second"),
        ("--message-bytes-per-s=10000", long.repeat(2), "ws_bytes", "more than 10000 bytes"),
    ] {
        let server = Server::start_with(&[flag]);
        let mut other = Browser::connect_both(server.http).await;
        let closed = RawSocket::connect(server.http, "").await.write(frames).closed().await;
        assert_eq!(closed.code, 1008, "{flag}");
        assert!(closed.reason.contains(told), "{closed:?}");
        server.has_refused(reason, 1).await;
        lives_on(&mut other).await;
    }
}

#[tokio::test]
async fn who_opens_legs_or_sends_lines_too_fast_is_refused_and_goes_on() {
    let server = Server::start_with(&["--legs-per-min=1", "--lines-per-s=1"]);
    let mut browser = Browser::connect_both(server.http).await;
    let over =
        |event: &Event| matches!(event, Event::Error(problem) if problem.code == Code::OverLimit);
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":11}}"#).await;
    browser.until(over).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":"x","count":8}}"#).await;
    browser.until_count(8, |event| matches!(event, Event::Answered { .. })).await;
    // Ten legs at once, two of which are open already.
    for _ in 0..8 {
        browser.say(r#"{"close":{"protocol":"udp"}}"#).await;
        browser.until(|event| matches!(event, Event::Closed { .. })).await;
        browser.say(r#"{"open":{"protocol":"udp"}}"#).await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    browser.say(r#"{"close":{"protocol":"udp"}}"#).await;
    browser.say(r#"{"open":{"protocol":"udp"}}"#).await;
    browser.until(over).await;
    browser.say(r#"{"send":{"id":3,"to":"tcp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { id: 3, .. })).await;
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_ended_with_its_legs() {
    let server = Server::start_with(&["--ping-s=1"]);
    let witness = Witness::of(&server).await;
    let mut quiet = Browser::connect(server.http).await;
    let before = server.open_files_at_rest();
    let since = Instant::now();
    let opens = OPENS.map(|open| masked_frame(TEXT, open)).concat();
    let silent = RawSocket::connect(server.http, "").await.write(opens);
    let closed = tokio::select! {
        closed = silent.closed() => closed,
        _ = quiet.next_or_end() => panic!("who answers pings and says nothing else stays"),
    };
    assert_eq!(closed.code, 1008);
    assert!(closed.reason.contains("nothing was heard"), "{closed:?}");
    assert!(since.elapsed() >= Duration::from_secs(2), "{:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    server.has_refused("ws_silent", 1).await;
    witness.was_served().await;
    server.returns_to(before, PATIENCE).await;
}

/// Writes a frame again and again and reads nothing, until the server ends it.
async fn floods(http: SocketAddr, frame: Vec<u8>) {
    let (_, mut stream) = asked(http, "").await;
    let frames = frame.repeat(100);
    let flood = async { while stream.write_all(&frames).await.is_ok() {} };
    timeout(PATIENCE, flood).await.expect("the server ends it");
}

/// Lets peers flood a server, and checks that each is refused and how much it took.
async fn each_is_refused(server: &Server, frame: &[u8], reason: &str) {
    const PEERS: u32 = 2;
    // The first takes what the process keeps for good.
    floods(server.http, frame.to_vec()).await;
    let (before, files) = (server.resident_kib_at_rest(), server.open_files());
    let mut peak = before;
    let mut attack = pin!(join_all((0..PEERS).map(|_| floods(server.http, frame.to_vec()))));
    while timeout(Duration::from_millis(10), &mut attack).await.is_err() {
        peak = peak.max(server.resident_kib());
    }
    let each = peak.saturating_sub(before) / PEERS;
    assert!(each <= 1_024, "{each} KiB");
    server.has_refused(reason, u64::from(PEERS) + 1).await;
    server.returns_to(files, PATIENCE).await;
}

#[tokio::test]
async fn a_flood_is_ended_and_nobody_else_notices() {
    let server = Server::start();
    let witness = Witness::of(&server).await;
    each_is_refused(&server, &masked_frame(PING, &[b'x'; 125]), "ws_messages").await;
    witness.was_served().await;
}

#[tokio::test]
async fn who_never_reads_is_ended_and_takes_no_more_than_a_mebibyte() {
    let pings = masked_frame(PING, &[b'x'; 125]);
    let mistakes = masked_frame(TEXT, br#"{"x":{}}"#);
    for frame in [pings, mistakes] {
        // Without its rates, so that what it is sent can pile up.
        let rates = ["--messages-per-s=4000000", "--message-bytes-per-s=400000000"];
        let server = Server::start_with(&[&rates, ["--http-write-s=1"].as_slice()].concat());
        each_is_refused(&server, &frame, "http_unread").await;
    }
}

#[tokio::test]
async fn a_message_that_is_never_finished_takes_no_more_than_a_mebibyte() {
    const PEERS: u32 = 8;
    let server = Server::start();
    let unfinished = vec![b' '; Limits::default().message_bytes - 1];
    let frames = [masked_frame(0x01, &unfinished), masked_frame(PING, b"")].concat();
    let peer = || async {
        let mut peer = RawSocket::connect(server.http, "").await.write(frames.clone());
        // Its ping is answered when all in front of it has been read.
        while peer.frame().await.0 != PONG {}
        peer
    };
    let _first = peer().await;
    let before = server.resident_kib_at_rest();
    let mut peers = Vec::new();
    for _ in 0..PEERS {
        peers.push(peer().await);
    }
    let each = server.resident_kib().saturating_sub(before) / PEERS;
    assert!(each <= 1_024, "{each} KiB");
}

#[tokio::test]
async fn nobody_says_where_a_leg_leads() {
    let server = Server::start();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let at = elsewhere.local_addr().unwrap();
    let elsewhere_udp = UdpSocket::bind(at).unwrap();
    elsewhere_udp.set_nonblocking(true).unwrap();
    let headers = format!("sec-websocket-protocol: {at}\r\nx-target: {at}\r\n");
    let messages = [
        format!(r#"{{"open":{{"protocol":"tcp","target":"{at}"}}}}"#),
        format!(r#"{{"open":{{"protocol":"udp","host":"127.0.0.1","port":{}}}}}"#, at.port()),
        r#"{"open":{"protocol":"tcp"}}"#.into(),
        r#"{"open":{"protocol":"udp"}}"#.into(),
    ];
    let frames = messages.map(|message| masked_frame(TEXT, message.as_bytes())).concat();
    let path = format!("/ws?target={at}&tcp={at}&udp={at}");
    let mut session = RawSocket::connect_to(server.http, &path, &headers).await.write(frames);
    let (mut refused, mut peers) = (0, Vec::new());
    while peers.len() < 2 {
        let (_, frame) = session.frame().await;
        for message in ServerMessage::decode_frame(std::str::from_utf8(&frame).unwrap()) {
            match message.unwrap().event {
                Event::Opened { peer, .. } => peers.push(peer),
                Event::Error(_) => refused += 1,
                _ => {}
            }
        }
    }
    assert_eq!(refused, 2, "there are no such fields");
    assert!(peers.contains(&server.tcp.to_string()) && peers.contains(&server.udp.to_string()));
    assert!(elsewhere.accept().is_err(), "nobody connects");
    assert!(elsewhere_udp.recv(&mut [0; 1]).is_err(), "nobody sends");
}
