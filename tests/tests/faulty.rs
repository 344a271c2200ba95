//! Faulty servers: what a recipe says happens, over real sockets, and the same seed always does the same.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use streamgram_protocol::fault::Deed;
use streamgram_protocol::{Cause, Event, Raw, RawObservation, STAMP_LEN};
use streamgram_tests::{Browser, PATIENCE, Server, binary, is_ctime, is_stamped};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

const WATCH: &str = r#"{"watch":{"on":true}}"#;
const LINE: &[u8] = b"abcdefghij";
const REPLY: usize = STAMP_LEN + LINE.len();

/// How a stream of replies ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Fin,
    Rst,
    /// Nothing came any more.
    Silence,
}

fn tcp(recipe: &str) -> Server {
    Server::start_with(&["--fault-tcp", &format!("127.0.0.1:0;{recipe}")])
}

fn udp(recipe: &str) -> Server {
    Server::start_with(&["--fault-udp", &format!("127.0.0.1:0;{recipe}")])
}

/// What comes until the end, or until there are `most` bytes.
async fn read(stream: &mut TcpStream, most: usize) -> (Vec<u8>, Option<End>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1_024]);
    while bytes.len() < most {
        match stream.read(&mut buffer).await {
            Ok(0) => return (bytes, Some(End::Fin)),
            Ok(some) => bytes.extend_from_slice(&buffer[..some]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return (bytes, Some(End::Rst));
            }
            Err(error) => panic!("{error}"),
        }
    }
    (bytes, None)
}

/// Sends lines one after the other, each once the reply to the one before is there, until the end.
async fn converse(mut stream: TcpStream, lines: usize) -> (Vec<u8>, End) {
    let mut all = Vec::new();
    for _ in 0..lines {
        if stream.write_all(LINE).await.is_err() {
            return (all, End::Rst);
        }
        let (bytes, end) = read(&mut stream, REPLY).await;
        all.extend(bytes);
        if let Some(end) = end {
            return (all, end);
        }
    }
    (all, End::Silence)
}

/// Replies without what differs from second to second.
fn without_time(replies: &[u8]) -> Vec<u8> {
    let mut replies = replies.to_vec();
    for reply in replies.chunks_mut(REPLY) {
        let stamp = reply.len().min(STAMP_LEN);
        reply[..stamp].fill(b'.');
    }
    replies
}

/// What 1,000 connections get, by their number; they talk in the order of `turn`.
async fn conversations(recipe: &str, reversed: bool) -> Vec<(Vec<u8>, End)> {
    let server = tcp(recipe);
    let mut waiting = Vec::new();
    for number in 0..1_000 {
        // Each is accepted before the next: a connection is numbered when it comes.
        let stream = TcpStream::connect(server.faults[0]).await.expect("the server listens");
        waiting.push((number, stream));
    }
    if reversed {
        waiting.reverse();
    }
    let mut talking = JoinSet::new();
    for (number, stream) in waiting {
        talking.spawn(async move { (number, converse(stream, 20).await) });
    }
    let mut all = timeout(PATIENCE, talking.join_all()).await.expect("all of them end");
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, (bytes, end))| (without_time(&bytes), end)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_every_connection_the_same_faults_in_whatever_order_they_talk() {
    let recipe = "echo=altered;rst=30..300;seed=7";
    let [one, other] = [conversations(recipe, false).await, conversations(recipe, true).await];
    assert_eq!(one, other);
    let different: HashSet<_> = one.iter().map(|(bytes, _)| bytes).collect();
    assert!(different.len() > 500, "{}", different.len());
    assert!(one.iter().all(|(_, end)| *end == End::Rst));
    let seed = conversations("echo=altered;rst=30..300;seed=8", false).await;
    assert_ne!(one, seed);
}

/// What a session is told that was done to the client of a faulty server, until its connection ends.
async fn deeds(session: &mut Browser) -> Vec<Deed> {
    deeds_and_end(session).await.0
}

/// The same, and how the server saw the end.
async fn deeds_and_end(session: &mut Browser) -> (Vec<Deed>, Cause) {
    let mut deeds = Vec::new();
    loop {
        let message = session.until(|event| matches!(event, Event::Raw(_))).await;
        let Event::Raw(Raw { observation, fault, .. }) = message.event else { continue };
        assert_eq!(fault, Some(0));
        match observation {
            RawObservation::Fault(deed) => deeds.push(deed),
            RawObservation::Closed { cause } => return (deeds, cause),
            _ => {}
        }
    }
}

async fn watching(server: &Server) -> Browser {
    let mut session = Browser::connect(server.http).await;
    session.say(WATCH).await;
    session.say(r#"{"ping":{}}"#).await;
    session.until(|event| matches!(event, Event::Pong {})).await;
    session
}

#[tokio::test]
async fn a_reply_is_split_as_the_recipe_says_and_not_a_byte_is_missing() {
    let mut pieces = Vec::new();
    for _ in 0..2 {
        let server = tcp("split=1..5;seed=7");
        let mut session = watching(&server).await;
        let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
        stream.write_all(LINE).await.unwrap();
        let mut first = [0; 1_024];
        let bytes = stream.read(&mut first).await.unwrap();
        // Who is held up finds more than one piece.
        assert!((1..REPLY).contains(&bytes), "who reads at once reads a part: {bytes}");
        let (rest, _) = read(&mut stream, REPLY - bytes).await;
        let reply = [&first[..bytes], &rest].concat();
        assert!(is_stamped(&reply) && reply.ends_with(LINE), "{reply:?}");
        drop(stream);
        let deeds = deeds(&mut session).await;
        let mut at = 0;
        for deed in &deeds {
            let Deed::Wrote { offset, bytes } = *deed else { panic!("{deed:?}") };
            assert_eq!(offset, at);
            assert!((1..=5).contains(&bytes));
            at += bytes as u64;
        }
        assert_eq!(at, REPLY as u64);
        pieces.push(deeds);
    }
    assert_eq!(pieces[0], pieces[1]);
}

#[tokio::test]
async fn replies_are_merged_and_those_that_wait_in_vain_go_out_alone() {
    let server = tcp("merge=2");
    let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
    // The first reply waits for the second, which is asked for once the first was read: never.
    stream.write_all(LINE).await.unwrap();
    let (alone, _) = timeout(PATIENCE, read(&mut stream, REPLY)).await.unwrap();
    assert!(is_stamped(&alone) && alone.ends_with(LINE));
}

#[tokio::test]
async fn a_delay_is_kept_and_told() {
    let server = tcp("delay=300");
    let mut session = watching(&server).await;
    let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
    let asked = Instant::now();
    stream.write_all(LINE).await.unwrap();
    read(&mut stream, REPLY).await;
    assert!(asked.elapsed() >= Duration::from_millis(300));
    drop(stream);
    assert_eq!(deeds(&mut session).await[0], Deed::Delayed { offset: 0, ms: 300 });
}

#[tokio::test]
async fn a_cut_ends_the_replies_after_so_many_bytes_in_the_way_it_says() {
    for (recipe, end) in [("fin=10", End::Fin), ("rst=10", End::Rst), ("half_close=10", End::Fin)] {
        let server = tcp(recipe);
        let mut session = watching(&server).await;
        let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
        stream.write_all(LINE).await.unwrap();
        let (bytes, ended) = timeout(PATIENCE, read(&mut stream, REPLY)).await.unwrap();
        assert_eq!(bytes.len(), 10, "{recipe}: {bytes:?}");
        assert_eq!(ended, Some(end), "{recipe}");
        if recipe == "half_close=10" {
            // It is read still, and not answered.
            stream.write_all(LINE).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        drop(stream);
        let (deeds, cause) = deeds_and_end(&mut session).await;
        let offset = 10;
        // Who ended it: the server, unless it goes on to read.
        let (last, ended_by) = match recipe {
            "fin=10" => (Deed::Ended { offset }, Cause::Closed),
            "rst=10" => (Deed::Reset { offset }, Cause::Reset),
            _ => (Deed::HalfClosed { offset }, Cause::PeerClosed),
        };
        assert_eq!(cause, ended_by, "{recipe}");
        assert_eq!(deeds, [Deed::Wrote { offset: 0, bytes: 10 }, last]);
    }
}

#[tokio::test]
async fn a_connection_can_be_reset_at_once_refused_or_never_answered() {
    let server = tcp("accept=reset");
    let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
    assert_eq!(timeout(PATIENCE, read(&mut stream, 1)).await.unwrap().1, Some(End::Rst));

    let server = tcp("accept=refuse");
    let refused = TcpStream::connect(server.faults[0]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    let server = tcp("accept=silent");
    let mut session = watching(&server).await;
    let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
    stream.write_all(LINE).await.unwrap();
    stream.shutdown().await.unwrap();
    // It is read to its end, and nothing was said.
    assert_eq!(timeout(PATIENCE, read(&mut stream, 1)).await.unwrap(), (vec![], Some(End::Fin)));
    assert_eq!(deeds(&mut session).await, [Deed::Silent {}]);
}

#[tokio::test]
async fn a_server_that_reads_no_more_fills_the_clients_buffer() {
    let server = tcp("stall=100");
    let stream = TcpStream::connect(server.faults[0]).await.unwrap();
    let mut written = 0;
    // The system takes what it has room for, and then no more: the window is closed.
    let chunk = [b'x'; 16 * 1024];
    while let Ok(Ok(bytes)) = timeout(Duration::from_secs(2), async {
        stream.writable().await?;
        loop {
            match stream.try_write(&chunk) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
                written => return written,
            }
        }
    })
    .await
    {
        written += bytes;
        assert!(written < 64 << 20, "the server reads on");
    }
    assert!(written > 100, "{written}");
}

#[tokio::test]
async fn a_timestamp_can_be_of_another_zone_or_wrong_and_an_echo_altered() {
    let server = tcp("stamp=zone+09:00;echo=altered");
    let mut session = watching(&server).await;
    let mut stream = TcpStream::connect(server.faults[0]).await.unwrap();
    stream.write_all(LINE).await.unwrap();
    let (reply, _) = read(&mut stream, REPLY).await;
    assert!(is_ctime(&reply[1..STAMP_LEN - 2]));
    let differ: Vec<_> = (0..LINE.len()).filter(|at| reply[STAMP_LEN + at] != LINE[*at]).collect();
    assert_eq!(differ.len(), 1, "{reply:?}");
    drop(stream);
    let deeds = deeds(&mut session).await;
    assert_eq!(deeds[0], Deed::Misdated { offset: 0, seconds: 0 });
    let (offset, was) = ((STAMP_LEN + differ[0]) as u64, LINE[differ[0]]);
    assert_eq!(deeds[1], Deed::Altered { offset, was, is: was ^ 0x20 });
}

/// Sends 200 datagrams, each once what the one before led to is known; what was done about each.
async fn fates(recipe: &str) -> Vec<Deed> {
    let server = udp(recipe);
    let mut session = watching(&server).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    for _ in 0..200 {
        socket.send_to(b"x", server.faults[0]).await.expect("loopback takes it");
    }
    let mut deeds = Vec::new();
    let mut taken = 0;
    while taken < 200 {
        let message = session.until(|event| matches!(event, Event::Raw(_))).await;
        let Event::Raw(Raw { observation, .. }) = message.event else { continue };
        match observation {
            RawObservation::Fault(deed) => deeds.push(deed),
            RawObservation::Datagram { .. } => taken += 1,
            other => panic!("{other:?}"),
        }
    }
    deeds
}

#[tokio::test]
async fn the_same_seed_gives_every_datagram_the_same_fate() {
    let recipe = "drop=20;duplicate=20;reorder=20;truncate=0..23;seed=3";
    let [mut one, mut other] = [fates(recipe).await, fates(recipe).await];
    // What is told of the last datagram may still be on its way.
    let known = one.len().min(other.len());
    assert!(known > 200, "{known}");
    one.truncate(known - 3);
    other.truncate(known - 3);
    assert_eq!(one, other);
    for wanted in [
        |deed: &Deed| matches!(deed, Deed::Dropped { .. }),
        |deed: &Deed| matches!(deed, Deed::Duplicated { .. }),
        |deed: &Deed| matches!(deed, Deed::Reordered { .. }),
        |deed: &Deed| matches!(deed, Deed::Truncated { .. }),
    ] {
        let hits = one.iter().filter(|deed| wanted(deed)).count();
        assert!((15..200).contains(&hits), "{hits}");
    }
}

#[tokio::test]
async fn a_reply_can_come_from_another_port_and_a_port_can_be_closed() {
    let server = udp("port=other");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"x", server.faults[0]).await.unwrap();
    let mut reply = [0; 64];
    let (bytes, from) = timeout(PATIENCE, socket.recv_from(&mut reply)).await.unwrap().unwrap();
    assert!(is_ctime(&reply[..bytes]));
    assert_ne!(from.port(), server.faults[0].port());

    let server = udp("accept=refuse");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server.faults[0]).await.unwrap();
    socket.send(b"x").await.unwrap();
    let refused = timeout(PATIENCE, socket.recv(&mut reply)).await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_second_copy_pays_as_the_first_does() {
    let server = Server::start_with(&["--fault-udp=127.0.0.1:0;duplicate=100", "--udp-per-s=10"]);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut replies = 0;
    let began = Instant::now();
    for _ in 0..100 {
        socket.send_to(b"x", server.faults[0]).await.unwrap();
    }
    let mut reply = [0; 64];
    while let Ok(Ok(_)) = timeout(Duration::from_millis(500), socket.recv(&mut reply)).await {
        replies += 1;
    }
    // Two seconds' worth at once, and what was earned meanwhile.
    let most = 20 + 10 * (began.elapsed().as_secs() + 1);
    assert!(replies <= most && replies >= 10, "{replies} of {most}");
}

#[tokio::test]
async fn a_leg_can_ask_for_a_faulty_server_and_for_no_other_address() {
    let server =
        Server::start_with(&["--fault-tcp=127.0.0.1:0;fin=10", "--fault-udp=127.0.0.1:0;drop=100"]);
    let mut session = Browser::connect(server.http).await;
    let Event::Hello(hello) = &session.messages[0].event else { panic!() };
    let told: Vec<SocketAddr> =
        hello.faults.iter().map(|fault| fault.address.parse().unwrap()).collect();
    assert_eq!((told, hello.faults[0].recipe.as_str()), (server.faults.clone(), "fin=10"));

    session.say(r#"{"open":{"protocol":"tcp","fault":1}}"#).await;
    let message = session.until(|event| matches!(event, Event::Error(_))).await;
    let Event::Error(problem) = message.event else { panic!() };
    assert_eq!(problem.detail, "fault is none of TCP among the 2 faulty servers");

    session.say(r#"{"open":{"protocol":"tcp","fault":0}}"#).await;
    session.until(|event| matches!(event, Event::Opened { .. })).await;
    session.say(r#"{"open":{"protocol":"udp","fault":1}}"#).await;
    session.until(|event| matches!(event, Event::Opened { .. })).await;
    session.say(r#"{"send":{"id":1,"to":"both","text":"hello"}}"#).await;
    session.until(|event| matches!(event, Event::Fault(Deed::Ended { offset: 10 }))).await;
    session.until(|event| matches!(event, Event::Closed { cause: Cause::PeerClosed, .. })).await;
    session.until(|event| matches!(event, Event::NoReply { .. })).await;
    let dropped = |event: &Event| matches!(event, Event::Fault(Deed::Dropped { offset: 0 }));
    assert!(session.messages.iter().any(|message| dropped(&message.event)));
}

#[test]
fn a_faulty_server_that_others_could_reach_is_refused_unless_it_is_wanted() {
    let run = |flags: &[&str]| {
        let output = Command::new(binary()).args(flags).arg("--check").output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, error) = run(&["--fault-tcp=0.0.0.0:9000;split"]);
    assert_eq!(status, Some(1));
    assert!(
        error.contains("--fault-tcp 0.0.0.0:9000: a faulty server listens on loopback"),
        "{error}"
    );
    assert_eq!(run(&["--fault-tcp=0.0.0.0:9000;split", "--fault-public"]).0, Some(0));
    let (status, error) = run(&["--fault-udp=127.0.0.1:0;split=3"]);
    assert_eq!(status, Some(2));
    assert!(error.contains("\"split\" is not one of seed, accept, drop"), "{error}");
}
