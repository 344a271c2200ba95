//! What one peer can make the server hold, whatever it does and however it is emulated: never more than is
//! promised, and not for ever.
// What a peer costs is read from /proc.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_protocol::Event;
use streamgram_tests::{
    Browser, PATIENCE, RawSocket, Server, Witness, get, masked_frame, upgrade_request,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, sleep, timeout};

/// What a session may take, `docs/reliability.md`.
const PROMISED_KIB: u32 = 1_536;

const TEXT: u8 = 0x81;
/// Text that more follows.
const FIRST: u8 = 0x01;
const PONG: u8 = 0x8a;

/// A session that never reads, after its handshake.
async fn deaf(http: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    // Little that is sent to it waits in the kernel.
    socket.set_recv_buffer_size(4_096).expect("a size");
    asked(socket, http).await
}

/// A connection after the answer to its handshake.
async fn asked(socket: TcpSocket, http: SocketAddr) -> TcpStream {
    let mut stream = socket.connect(http).await.expect("the server listens");
    let request = upgrade_request(http, "/ws", "");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.expect("the server answers");
        head.push(byte.expect("the head is whole"));
    }
    stream
}

async fn say(stream: &mut TcpStream, json: &str) {
    // A session that has had enough may not take it.
    let frame = masked_frame(TEXT, json.as_bytes());
    let _taken = timeout(Duration::from_millis(100), stream.write_all(&frame)).await;
}

#[tokio::test]
async fn bursts_over_emulated_paths_that_nobody_reads_take_no_more_than_is_promised() {
    const PEERS: u32 = 8;
    for link in [r"{}", r#"{"up":{"delay_ms":10000,"limit":10000,"duplicate":100}}"#] {
        let server = Server::start_with(&["--http-write-s=60"]);
        let witness = Witness::of(&server).await;
        let before = server.resident_kib_at_rest();
        let mut peers = Vec::new();
        for _ in 0..PEERS {
            let mut peer = deaf(server.http).await;
            for protocol in ["tcp", "udp"] {
                let path = r#""path":"emulated""#;
                say(
                    &mut peer,
                    &format!(r#"{{"open":{{"protocol":"{protocol}",{path},"link":{link}}}}}"#),
                )
                .await;
            }
            peers.push(peer);
        }
        let (mut peak, mut pace) = (0, interval(Duration::from_millis(200)));
        for id in 1..=15 {
            pace.tick().await;
            for peer in &mut peers {
                say(
                    peer,
                    &format!(r#"{{"send":{{"id":{id},"to":"both","text":"x","count":1000}}}}"#),
                )
                .await;
            }
            peak = peak.max(server.resident_kib().saturating_sub(before) / PEERS);
        }
        println!("{peak} KiB each, {link}");
        assert!(peak <= PROMISED_KIB, "{peak} KiB");
        assert!(peak >= 200, "{peak} KiB: the bursts are under way");
        witness.was_served().await;
    }
}

#[tokio::test]
async fn a_session_that_has_waited_for_its_reader_goes_on_where_it_was() {
    let server = Server::start_with(&["--http-write-s=60"]);
    let mut browser = Browser::connect(server.http).await;
    for protocol in ["tcp", "udp"] {
        let open = format!(r#"{{"open":{{"protocol":"{protocol}","path":"emulated"}}}}"#);
        browser.say(&open).await;
        browser.until(|event| matches!(event, Event::Opened { .. })).await;
    }
    for id in 1..=12 {
        browser
            .say(&format!(r#"{{"send":{{"id":{id},"to":"both","text":"x","count":1000}}}}"#))
            .await;
    }
    // It goes on until there is no more room. From then on it does nothing at all.
    let (since, mut spent) = (Instant::now(), server.processor_ms());
    loop {
        sleep(Duration::from_millis(300)).await;
        let more = server.processor_ms() - spent;
        if more <= 20 {
            break;
        }
        spent += more;
        assert!(since.elapsed() < PATIENCE, "{more} ms more");
    }
    let mut finished = 0;
    while finished < 24 {
        let event = browser.next().await.event;
        assert!(!matches!(event, Event::Closed { .. } | Event::Error(_)), "{event:?}");
        finished += usize::from(matches!(event, Event::Finished { lines: 1_000, .. }));
        browser.messages.clear();
    }
    browser.say(r#"{"send":{"id":99,"to":"both","text":"last"}}"#).await;
    let mut answered = 0;
    while answered < 2 {
        answered +=
            usize::from(matches!(browser.next().await.event, Event::Answered { id: 99, .. }));
    }
}

#[tokio::test]
async fn a_send_is_decoded_once_and_held_once_however_it_is_written() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let (before, spent) = (server.resident_kib_at_rest(), server.processor_ms());
    let hex = format!("00{}", " ".repeat(250_000));
    for id in 1..=16 {
        let burst = r#""count":1000,"interval_ms":10000"#;
        browser
            .say(&format!(r#"{{"send":{{"id":{id},"to":"both","hex":"{hex}",{burst}}}}}"#))
            .await;
        browser.until_count(2 * id, |event| matches!(event, Event::Answered { .. })).await;
    }
    let grown = server.resident_kib().saturating_sub(before);
    for id in 1..=16 {
        browser.say(&format!(r#"{{"stop":{{"id":{id}}}}}"#)).await;
    }
    browser.until_count(32, |event| matches!(event, Event::Finished { .. })).await;
    for id in 17..=20 {
        browser
            .say(&format!(r#"{{"send":{{"id":{id},"to":"both","hex":"{hex}","count":1000}}}}"#))
            .await;
    }
    browser.until_count(40, |event| matches!(event, Event::Finished { .. })).await;
    let spent = server.processor_ms() - spent;
    println!("{grown} KiB for 16 sends, {spent} ms for 8,000 lines");
    assert!(grown <= PROMISED_KIB, "{grown} KiB");
    assert!(spent < 10_000, "{spent} ms");
}

#[tokio::test]
async fn sends_in_progress_hold_so_many_bytes_and_one_more_is_refused() {
    let server = Server::start();
    let mut browser = Browser::connect_both(server.http).await;
    let line = "x".repeat(60_000);
    let send = |id: u64| {
        format!(
            r#"{{"send":{{"id":{id},"to":"both","text":"{line}","count":2,"interval_ms":10000}}}}"#
        )
    };
    browser.say(&send(1)).await;
    browser.say(&send(2)).await;
    for _both in 0..2 {
        let refused = browser.until(|event| matches!(event, Event::Error(_))).await.event;
        let Event::Error(problem) = refused else { unreachable!() };
        assert!(problem.detail.contains("sends in progress hold 12"), "{problem:?}");
        assert!(problem.detail.ends_with("the limit is 81920"), "{problem:?}");
    }
    browser.say(r#"{"stop":{"id":1}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Finished { id: 1, .. })).await;
    browser.say(&send(3)).await;
    browser.until_count(2, |event| matches!(event, Event::Sent { id: 3, .. })).await;
}

#[tokio::test]
async fn a_message_that_is_not_finished_in_time_ends_its_session() {
    let server = Server::start_with(&["--ping-s=1"]);
    let witness = Witness::of(&server).await;
    let begun = masked_frame(FIRST, &[b' '; 200_000]);
    let since = Instant::now();
    // What follows on a message that is whole counts as well.
    for before in [masked_frame(TEXT, b"{}"), Vec::new()] {
        let stream = RawSocket::connect(server.http, "").await;
        let frames = [before, begun.clone()].concat();
        // Pongs that nobody asked for are a sign of life too.
        let closed =
            stream.write_again(frames, masked_frame(PONG, b""), Duration::from_millis(200));
        let closed = closed.closed().await;
        assert_eq!(closed.code, 1008);
        assert_eq!(closed.reason, "a message was not finished within 2 s");
    }
    assert!(since.elapsed() >= Duration::from_secs(2), "{:?}", since.elapsed());
    server.has_refused("ws_unfinished", 2).await;
    witness.was_served().await;
}

/// A session from an address, if there is a place for it.
async fn admitted(from: &str, http: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(from.parse().expect("an address")).expect("all of 127/8 is loopback");
    let mut stream = asked(socket, http).await;
    // A hello, not a close frame.
    (stream.read_u8().await.ok()? == TEXT).then_some(stream)
}

#[tokio::test]
async fn where_memory_is_short_fewer_sessions_are_served_and_not_all_to_one_address() {
    // 32 MiB are not for clients, and sessions get three quarters of the rest.
    let fit = 24 * 1_024 / usize::try_from(PROMISED_KIB).unwrap();
    let server = Server::start_with(&["--memory-mib=64"]);
    let mut sessions = Vec::new();
    for address in ["127.0.0.2:0", "127.0.0.3:0"] {
        let before = sessions.len();
        while let Some(session) = admitted(address, server.http).await {
            sessions.push(session);
        }
        let of_address = sessions.len() - before;
        assert!((fit / 2..=fit / 2 + 1).contains(&of_address), "{of_address} of {fit}");
    }
    assert!(server.refused("ws_address_full").await > 0);
    assert!((fit..=fit + 1).contains(&sessions.len()), "{} of {fit}", sessions.len());
    assert_eq!(get(server.http, "/readyz").await.status, 503);
}
