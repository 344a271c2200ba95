//! A session that asks for it is told of raw clients, those that come to the two servers without a leg:
//! of its own, and of no more than it can take.
//!
//! A second machine is an address that is not loopback, in a network namespace of the test's own.
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use streamgram::observe::feed::WATCHERS;
use streamgram_protocol::{
    Cause, Code, Data, Event, Feed, Hello, Problem, Protocol, RAW_BYTES, RAW_CLIENTS, Raw,
    RawObservation, STAMP_LEN,
};
use streamgram_tests::{Browser, PATIENCE, SOON, Server, Witness, is_ctime, is_inside, is_stamped};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

const HERE: &str = "127.0.0.1:0";
const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const ELSEWHERE: &str = "192.0.2.2:0";
const NETWORK: &str = "ip addr add 192.0.2.2/32 dev lo";

const WATCH: &str = r#"{"watch":{"on":true}}"#;

type Session = Browser<TcpStream>;

/// A connection from an address.
async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(from.parse().expect("an address")).expect("it is this machine's");
    socket.connect(to).await.expect("the server listens")
}

/// A session from an address, and the feed that it is offered.
async fn session(from: &str, server: &Server, headers: &[(&'static str, &str)]) -> (Session, Feed) {
    let stream = connect(from, server.http).await;
    let mut session = Browser::over(stream, &server.http.to_string(), headers).await;
    let hello = session.next().await.event;
    let Event::Hello(Hello { feed, .. }) = hello else { panic!("{hello:?}") };
    (session, feed)
}

/// A session that watches.
async fn watching(from: &str, server: &Server) -> Session {
    let (mut session, _feed) = session(from, server, &[]).await;
    session.say(WATCH).await;
    settled(&mut session).await;
    session
}

/// Waits until a session has carried out what it was asked, and has told what it knew then.
async fn settled(session: &mut Session) {
    for _ in 0..2 {
        session.say(r#"{"nodelay":{"on":true}}"#).await;
        session
            .until(|event| matches!(event, Event::Error(Problem { code: Code::NotOpen, .. })))
            .await;
    }
}

fn raw(event: &Event) -> Option<&Raw> {
    match event {
        Event::Raw(raw) => Some(raw),
        _ => None,
    }
}

/// What a session has been told of raw clients so far.
fn told(session: &Session) -> Vec<&Raw> {
    session.messages.iter().filter_map(|message| raw(&message.event)).collect()
}

/// How much it was told, and how much it has missed.
fn counts(session: &Session) -> (usize, usize) {
    let missed = session.messages.iter().map(|message| match message.event {
        Event::RawMissed { count } => usize::try_from(count).expect("few enough"),
        _ => 0,
    });
    (told(session).len(), missed.sum())
}

/// The next of a client that is told.
async fn next(
    session: &mut Session,
    protocol: Protocol,
    peer: SocketAddr,
) -> (u64, RawObservation) {
    let message = session.until(|event| raw(event).is_some()).await;
    let raw = raw(&message.event).expect("it was waited for").clone();
    assert_eq!((raw.protocol, raw.peer), (protocol, peer.to_string()));
    (raw.client, raw.observation)
}

/// Sends a few bytes, and reads the reply to them.
async fn ask(stream: &mut TcpStream, line: &[u8]) -> Vec<u8> {
    stream.write_all(line).await.expect("TCP takes bytes");
    let mut reply = vec![0; STAMP_LEN + line.len()];
    let read = timeout(PATIENCE, stream.read_exact(&mut reply)).await;
    read.expect("TCP answers in time").expect("TCP answers");
    assert!(is_stamped(&reply) && reply.ends_with(line), "{reply:?}");
    reply
}

async fn ask_udp(socket: &UdpSocket, server: &Server, line: &[u8]) -> Vec<u8> {
    socket.send_to(line, server.udp).await.expect("the socket takes a datagram");
    let mut reply = [0; 64];
    let bytes = timeout(PATIENCE, socket.recv(&mut reply)).await;
    let bytes = bytes.expect("UDP answers in time").expect("UDP answers");
    assert!(is_ctime(&reply[..bytes]));
    reply[..bytes].to_vec()
}

fn text(bytes: &[u8]) -> Option<Data> {
    Some(Data::Text(String::from_utf8(bytes.to_vec()).expect("the test sends text")))
}

#[tokio::test]
async fn a_connection_is_told_from_its_beginning_to_its_end() {
    let server = Server::start();
    let mut session = watching(HERE, &server).await;
    let mut client = connect(HERE, server.tcp).await;
    let peer = client.local_addr().unwrap();
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, RawObservation::Accepted {}));

    let reply = ask(&mut client, b"hello").await;
    let data = text(b"hello");
    let read = RawObservation::Read { number: 0, offset: 0, bytes: 5, data };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, read));
    let replied = RawObservation::Reply { number: 0, offset: 0, bytes: 32, data: text(&reply) };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, replied));

    let line = [&[0xf0; 1_023], b"!".as_slice()].concat();
    ask(&mut client, &line).await;
    let data = Some(Data::Hex(Data::hex(&line)));
    let read = RawObservation::Read { number: 1, offset: 5, bytes: 1_024, data };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, read));
    let (_, replied) = next(&mut session, Protocol::Tcp, peer).await;
    let RawObservation::Reply { number: 1, offset: 32, bytes: 1_051, data: Some(Data::Hex(hex)) } =
        replied
    else {
        panic!("{replied:?}")
    };
    assert_eq!(hex.len(), 2 * 1_051, "the whole reply");

    client.shutdown().await.unwrap();
    let closed = RawObservation::Closed { cause: Cause::PeerClosed };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, closed));

    let client = connect(HERE, server.tcp).await;
    let peer = client.local_addr().unwrap();
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (2, RawObservation::Accepted {}));
    client.set_zero_linger().unwrap();
    drop(client);
    let reset = RawObservation::Closed { cause: Cause::PeerReset };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (2, reset));
}

#[tokio::test]
async fn datagrams_and_their_replies_are_told() {
    let server = Server::start();
    let mut session = watching(HERE, &server).await;
    let client = UdpSocket::bind(HERE).await.unwrap();
    let peer = client.local_addr().unwrap();
    let long = [b'x'; 1_500];
    for (number, line) in [(0, b"".as_slice()), (1, b"hello"), (2, &long)] {
        let reply = ask_udp(&client, &server, line).await;
        let (bytes, kept) = (line.len(), line.len().min(1_024));
        let datagram = RawObservation::Datagram {
            number,
            bytes,
            kept,
            data: text(&line[..kept.min(RAW_BYTES)]),
        };
        assert_eq!(next(&mut session, Protocol::Udp, peer).await, (1, datagram));
        let replied =
            RawObservation::Reply { number, offset: number, bytes: 24, data: text(&reply) };
        assert_eq!(next(&mut session, Protocol::Udp, peer).await, (1, replied));
    }
    let other = UdpSocket::bind(HERE).await.unwrap();
    ask_udp(&other, &server, b"").await;
    let (number, _) = next(&mut session, Protocol::Udp, other.local_addr().unwrap()).await;
    assert_eq!(number, 2);
}

#[tokio::test]
async fn what_is_turned_away_is_told_with_its_reason() {
    let server = Server::start_with(&["--tcp-connections-per-address=1"]);
    let mut session = watching(HERE, &server).await;
    let client = UdpSocket::bind(HERE).await.unwrap();
    client.send_to(b"Mon Nov 23 05:52:57 2026", server.udp).await.unwrap();
    let refused = |reason: &str| RawObservation::Refused { reason: reason.into() };
    let told = next(&mut session, Protocol::Udp, client.local_addr().unwrap()).await;
    assert_eq!(told, (1, refused("udp_reply")));
    // What was turned away has no number.
    ask_udp(&client, &server, b"x").await;
    let (_, observation) = next(&mut session, Protocol::Udp, client.local_addr().unwrap()).await;
    assert!(matches!(observation, RawObservation::Datagram { number: 0, .. }), "{observation:?}");
    next(&mut session, Protocol::Udp, client.local_addr().unwrap()).await;

    let served = connect(HERE, server.tcp).await;
    next(&mut session, Protocol::Tcp, served.local_addr().unwrap()).await;
    let refused_one = connect(HERE, server.tcp).await;
    let told = next(&mut session, Protocol::Tcp, refused_one.local_addr().unwrap()).await;
    assert_eq!(told, (3, refused("tcp_address_full")));
}

#[tokio::test]
async fn own_is_the_own_address_and_all_is_everybody() {
    if !is_inside("own_is_the_own_address_and_all_is_everybody", NETWORK) {
        return;
    }
    for (flags, feed, sees_others) in
        [([].as_slice(), Feed::Own, false), (&["--feed=all"], Feed::All, true)]
    {
        let server = Server::start_with(flags);
        let (mut here, offered) = session(HERE, &server, &[]).await;
        assert_eq!(offered, feed);
        here.say(WATCH).await;
        settled(&mut here).await;
        let mut elsewhere = watching(ELSEWHERE, &server).await;
        let socket = UdpSocket::bind(ELSEWHERE).await.unwrap();
        ask_udp(&socket, &server, b"x").await;
        ask(&mut connect(ELSEWHERE, server.tcp).await, b"x").await;
        let is_reply = |event: &Event| {
            matches!(event, Event::Raw(Raw { observation: RawObservation::Reply { .. }, .. }))
        };
        elsewhere.until_count(2, is_reply).await;
        if sees_others {
            here.until_count(2, is_reply).await;
        }
        settled(&mut here).await;
        assert_eq!(told(&here).is_empty(), !sees_others, "{:?}", told(&here));
    }
}

#[tokio::test]
async fn off_is_nobody_and_an_error() {
    let server = Server::start_with(&["--feed=off"]);
    let (mut session, feed) = session(HERE, &server, &[]).await;
    assert_eq!(feed, Feed::Off);
    session.say(WATCH).await;
    let Event::Error(problem) = session.next().await.event else { panic!("an error") };
    assert_eq!((problem.code, problem.message.as_deref()), (Code::FeedOff, Some("watch")));
    ask(&mut connect(HERE, server.tcp).await, b"x").await;
    settled(&mut session).await;
    assert!(told(&session).is_empty());
}

#[tokio::test]
async fn who_did_not_ask_or_no_longer_asks_is_told_nothing() {
    let server = Server::start();
    let (mut silent, _feed) = session(HERE, &server, &[]).await;
    let mut session = watching(HERE, &server).await;
    let mut client = connect(HERE, server.tcp).await;
    ask(&mut client, b"x").await;
    session.until_count(3, |event| raw(event).is_some()).await;
    session.say(r#"{"watch":{"on":false}}"#).await;
    settled(&mut session).await;
    ask(&mut client, b"x").await;
    settled(&mut session).await;
    settled(&mut silent).await;
    assert_eq!((told(&session).len(), told(&silent).len()), (3, 0));
    // Who asks again meets the same connection as a new client.
    session.say(WATCH).await;
    settled(&mut session).await;
    ask(&mut client, b"x").await;
    let (number, observation) =
        next(&mut session, Protocol::Tcp, client.local_addr().unwrap()).await;
    assert!(
        matches!(observation, RawObservation::Read { number: 2, offset: 2, .. }),
        "{observation:?}"
    );
    assert_eq!(number, 2);
}

#[tokio::test]
async fn a_connection_from_before_is_told_from_its_next_read_on() {
    let server = Server::start();
    let mut client = connect(HERE, server.tcp).await;
    ask(&mut client, b"before").await;
    let peer = client.local_addr().unwrap();
    let mut session = watching(HERE, &server).await;
    let reply = ask(&mut client, b"after").await;
    let read = RawObservation::Read { number: 1, offset: 6, bytes: 5, data: text(b"after") };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, read));
    let replied = RawObservation::Reply { number: 1, offset: 33, bytes: 32, data: text(&reply) };
    assert_eq!(next(&mut session, Protocol::Tcp, peer).await, (1, replied));
}

#[tokio::test]
async fn no_leg_is_a_raw_client_not_even_when_it_is_gone() {
    let server = Server::start();
    let mut watching = watching(HERE, &server).await;
    for _ in 0..5 {
        let mut browser = Browser::connect_both(server.http).await;
        browser.say(r#"{"send":{"id":1,"to":"both","text":"x","count":500}}"#).await;
        browser.until_count(2, |event| matches!(event, Event::Finished { .. })).await;
        // What it has sent is still on its way to the servers.
        browser.say(r#"{"close":{"protocol":"udp"}}"#).await;
        browser.say(r#"{"close":{"protocol":"tcp","how":"reset"}}"#).await;
        browser.until_count(2, |event| matches!(event, Event::Closed { .. })).await;
    }
    // The servers have answered everything that came before this. What comes while a UDP socket is full is dropped.
    let socket = UdpSocket::bind(HERE).await.unwrap();
    let is_answered = async || {
        socket.send_to(b"x", server.udp).await.unwrap();
        timeout(Duration::from_secs(1), socket.recv(&mut [0; 64])).await.is_ok()
    };
    timeout(PATIENCE, async { while !is_answered().await {} }).await.expect("UDP answers");
    ask(&mut connect(HERE, server.tcp).await, b"x").await;
    settled(&mut watching).await;
    let peers: HashSet<_> = told(&watching).iter().map(|raw| raw.peer.as_str()).collect();
    assert_eq!(peers.len(), 2, "{peers:?}");
}

#[tokio::test]
async fn bytes_are_for_sessions_of_the_same_machine() {
    let server = Server::start_with(&["--feed=all", "--trusted-proxy=127.0.0.1"]);
    let from = |address| [("x-forwarded-for", address)];
    let (mut here, _) = session(HERE, &server, &from("127.0.0.9")).await;
    let (mut away, feed) = session(HERE, &server, &from("192.0.2.1")).await;
    assert_eq!(feed, Feed::All);
    for session in [&mut here, &mut away] {
        session.say(WATCH).await;
        settled(session).await;
    }
    let client = UdpSocket::bind(HERE).await.unwrap();
    let reply = ask_udp(&client, &server, b"secret").await;
    for (session, visible) in [(&mut here, true), (&mut away, false)] {
        let peer = client.local_addr().unwrap();
        let data = |bytes| text(bytes).filter(|_| visible);
        let datagram =
            RawObservation::Datagram { number: 0, bytes: 6, kept: 6, data: data(b"secret") };
        assert_eq!(next(session, Protocol::Udp, peer).await, (1, datagram));
        let replied = RawObservation::Reply { number: 0, offset: 0, bytes: 24, data: data(&reply) };
        assert_eq!(next(session, Protocol::Udp, peer).await, (1, replied));
    }
}

#[tokio::test]
async fn behind_a_proxy_own_is_the_address_that_it_heard_from() {
    if !is_inside("behind_a_proxy_own_is_the_address_that_it_heard_from", NETWORK) {
        return;
    }
    let server = Server::start_with(&["--trusted-proxy=127.0.0.1"]);
    let (mut own, feed) = session(HERE, &server, &[("x-forwarded-for", "192.0.2.2")]).await;
    assert_eq!(feed, Feed::Own);
    own.say(WATCH).await;
    settled(&mut own).await;
    ask(&mut connect(HERE, server.tcp).await, b"x").await;
    let mut client = connect(ELSEWHERE, server.tcp).await;
    ask(&mut client, b"x").await;
    let told = next(&mut own, Protocol::Tcp, client.local_addr().unwrap()).await;
    assert_eq!(told, (1, RawObservation::Accepted {}));

    // Behind a proxy that is not believed nobody has an address of its own, least of all loopback.
    let server = Server::start();
    let (mut nobody, feed) = session(HERE, &server, &[("x-forwarded-for", "127.0.0.1")]).await;
    assert_eq!(feed, Feed::Off);
    nobody.say(WATCH).await;
    let is_off = |event: &Event| matches!(event, Event::Error(Problem { code: Code::FeedOff, .. }));
    nobody.until(is_off).await;
}

/// More than a session knows at a time, all of them there at once.
const CROWD: usize = RAW_CLIENTS + 76;

#[tokio::test]
async fn a_crowd_holds_up_nobody_and_the_counts_add_up() {
    if !is_inside("a_crowd_holds_up_nobody_and_the_counts_add_up", NETWORK) {
        return;
    }
    let server = Server::start();
    let witness = Witness::at(STRANGER, &server).await;
    let mut session = watching(HERE, &server).await;
    session.open_both().await;
    let (to, mut crowd) = (server.tcp, JoinSet::new());
    for _ in 0..CROWD {
        crowd.spawn(async move {
            let mut client = connect(HERE, to).await;
            for _ in 0..3 {
                ask(&mut client, b"x").await;
            }
            client
        });
    }
    let (mut answer, mut pace) = (Duration::ZERO, interval(Duration::from_millis(20)));
    let (mut id, mut served) = (0, Vec::new());
    while served.len() < CROWD {
        (id, _) = (id + 1, pace.tick().await);
        let asked = Instant::now();
        session.say(&format!(r#"{{"send":{{"id":{id},"to":"both","text":"own"}}}}"#)).await;
        for _both in Protocol::BOTH {
            session.until(|event| matches!(event, Event::Answered { .. })).await;
        }
        answer = answer.max(asked.elapsed());
        served.extend(std::iter::from_fn(|| crowd.try_join_next()).map(Result::unwrap));
    }
    // Everybody accepted, and three reads and replies of each.
    let happened = CROWD * 7;
    let (mut told, mut missed) = counts(&session);
    while told + missed < happened {
        session.until(|event| matches!(event, Event::Raw(_) | Event::RawMissed { .. })).await;
        (told, missed) = counts(&session);
    }
    assert_eq!(told + missed, happened);
    let clients: HashSet<_> = self::told(&session).iter().map(|raw| raw.client).collect();
    println!("{told} told of {} clients, {missed} missed, {answer:?} for an answer", clients.len());
    assert!(answer < SOON, "{answer:?}");
    // Nobody ends, so nobody takes another's place. Of some everything may be missed.
    let most = u64::try_from(RAW_CLIENTS).unwrap();
    assert!(clients.iter().all(|number| (1..=most).contains(number)), "{clients:?}");
    assert!(missed >= (CROWD - RAW_CLIENTS) * 7, "{missed} missed");
    assert_eq!(session.count(|event| matches!(event, Event::Missed { .. })), 0);
    witness.was_served().await;
}

#[tokio::test]
async fn a_session_that_does_not_read_misses_raw_clients_and_not_its_own_legs() {
    if !is_inside("a_session_that_does_not_read_misses_raw_clients_and_not_its_own_legs", NETWORK) {
        return;
    }
    const FLOOD: usize = 8 << 20;
    let server = Server::start_with(&["--http-write-s=60"]);
    server.answers_udp();
    let witness = Witness::at(STRANGER, &server).await;
    let mut session = watching(HERE, &server).await;
    session.open_both().await;
    let before = server.resident_kib();
    let (mut replies, mut flood) = connect(HERE, server.tcp).await.into_split();
    let flooding = tokio::spawn(async move {
        flood.write_all(&vec![b'x'; FLOOD]).await.unwrap();
        flood.shutdown().await.unwrap();
        flood
    });
    let mut replied = Vec::new();
    // The session asks in the middle of it.
    session.say(r#"{"send":{"id":1,"to":"both","text":"own {n}","count":50}}"#).await;
    timeout(PATIENCE, replies.read_to_end(&mut replied)).await.unwrap().unwrap();
    flooding.await.unwrap();
    let grown = server.resident_kib().saturating_sub(before);
    witness.was_served().await;
    // It is accepted and closed, and every read has a stamp in its reply.
    let happened = 2 + 2 * (replied.len() - FLOOD) / STAMP_LEN;
    let (mut answered, mut told, mut missed) = (0, 0, 0);
    while answered < 100 || told + missed < happened {
        match session.next().await.event {
            Event::Answered { .. } => answered += 1,
            Event::Raw(_) => told += 1,
            Event::RawMissed { count } => missed += usize::try_from(count).unwrap(),
            _ => {}
        }
    }
    println!("{told} told, {missed} missed, {grown} KiB more");
    assert_eq!(told + missed, happened);
    assert!(missed > 0 && grown <= 1_024, "{missed} missed, {grown} KiB more");
    assert_eq!(session.count(|event| matches!(event, Event::Missed { .. })), 0);
}

#[tokio::test]
async fn watchers_that_do_not_read_take_little_time_and_no_more_memory_than_is_promised() {
    const PER_MS: u32 = 15;
    const FOR: Duration = Duration::from_secs(3);
    let server = Server::start_with(&["--http-write-s=60"]);
    server.answers_udp();
    let witness = Witness::of(&server).await;
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        watchers.push(watching(ELSEWHERE, &server).await);
    }
    let (before, spent) = (server.resident_kib(), server.processor_ms());
    let to = server.udp;
    // In a thread of its own, so that it holds up nobody on this side.
    let flooding = tokio::task::spawn_blocking(move || {
        let socket = std::net::UdpSocket::bind(ELSEWHERE).unwrap();
        let since = Instant::now();
        for ms in 0.. {
            let at = Duration::from_millis(ms);
            if at >= FOR {
                break;
            }
            std::thread::sleep(at.saturating_sub(since.elapsed()));
            // What the buffer of the system has no room for is lost.
            (0..PER_MS).for_each(|_| drop(socket.send_to(b"x", to)));
        }
    });
    flooding.await.unwrap();
    let spent = server.processor_ms() - spent;
    let each = server.resident_kib().saturating_sub(before) / u32::try_from(WATCHERS).unwrap();
    println!("{each} KiB for each of {WATCHERS} watchers, {spent} ms");
    assert!(each <= 1_536, "{each} KiB");
    witness.was_served().await;
}
