//! What the servers saw of a client is told to whoever may know: live to a session that asks for some clients, and
//! afterwards over HTTP, as JSON Lines.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use streamgram_protocol::{
    Cause, Code, Data, Event, JournalHead, Problem, Protocol, RAW_BYTES, Raw, RawObservation,
    ServerMessage,
};
use streamgram_tests::{Browser, PATIENCE, Response, Server, get, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::timeout;

const JOURNAL: &str = "--journal-kib=64";

/// The answer: its first line, and the messages after it.
fn lines(answer: &Response) -> (JournalHead, Vec<ServerMessage>) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let (head, rest) = answer.text().split_once('\n').expect("a first line");
    let messages = rest.lines().map(|line| ServerMessage::decode(line).expect("a message"));
    (serde_json::from_str(head).expect("the head"), messages.collect())
}

fn raws(messages: &[ServerMessage]) -> Vec<&Raw> {
    let raw = |message| match message {
        &ServerMessage { event: Event::Raw(ref raw), leg: None, .. } => Some(raw),
        _ => None,
    };
    messages.iter().filter_map(raw).collect()
}

/// Asks until so many clients are seen to have ended.
async fn ended(server: &Server, query: &str, clients: usize) -> (JournalHead, Vec<ServerMessage>) {
    let is_end = |raw: &&&Raw| matches!(raw.observation, RawObservation::Closed { .. });
    until(server, query, |told| told.iter().filter(is_end).count() >= clients).await
}

/// Asks until enough is told. A client has its reply before the server notes that it has.
async fn until(
    server: &Server,
    query: &str,
    is_enough: impl Fn(&[&Raw]) -> bool,
) -> (JournalHead, Vec<ServerMessage>) {
    let since = Instant::now();
    loop {
        let (head, messages) = lines(&get(server.http, &format!("/api/clients{query}")).await);
        if is_enough(&raws(&messages)) {
            return (head, messages);
        }
        assert!(since.elapsed() < PATIENCE, "{messages:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A client that says a line, reads what comes back, and ends.
async fn client(server: SocketAddr, line: &[u8]) -> SocketAddr {
    says(TcpStream::connect(server).await.expect("the server listens"), line).await
}

async fn says(mut stream: TcpStream, line: &[u8]) -> SocketAddr {
    let local = stream.local_addr().expect("it is connected");
    stream.write_all(line).await.expect("TCP takes bytes");
    stream.shutdown().await.expect("TCP takes a FIN");
    let read = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    read.expect("the server answers").expect("and ends");
    local
}

#[tokio::test]
async fn what_was_seen_of_a_port_is_told_in_the_shape_of_a_session() {
    let server = Server::start_with(&[JOURNAL]);
    let mut session = Browser::connect(server.http).await;
    session.say(r#"{"watch":{"on":true}}"#).await;
    session.say("?").await;
    session.until(|event| matches!(event, Event::Error(_))).await;
    let peer = client(server.tcp, b"hello").await;
    client(server.tcp, b"another").await;
    let (head, messages) = ended(&server, &format!("?port={}", peer.port()), 1).await;
    assert_eq!((head.journal.observations, head.journal.gone_clients), (4, 0));
    assert!(messages.iter().all(|message| message.at_us <= head.journal.now_us));
    assert!(messages.is_sorted_by_key(|message| message.at_us));
    let told = raws(&messages);
    assert!(told.iter().all(|raw| raw.peer == peer.to_string() && raw.client == 1));
    // The session was told the same.
    let mut watched = Vec::new();
    while watched.len() < 4 {
        let message = session.until(|event| matches!(event, Event::Raw(_))).await;
        if let Event::Raw(raw) = message.event
            && raw.peer == peer.to_string()
        {
            watched.push(raw.observation);
        }
    }
    let told: Vec<_> = told.into_iter().map(|raw| raw.observation.clone()).collect();
    assert_eq!(told, watched);
    assert_eq!(told[3], RawObservation::Closed { cause: Cause::PeerClosed });
}

#[tokio::test]
async fn a_port_that_is_used_again_is_told_connection_by_connection_in_their_order() {
    let server = Server::start_with(&[JOURNAL]);
    let mut port = 0;
    for line in [b"one", b"two"] {
        // The server ends its side last, so that nothing keeps the port.
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], port).into()).unwrap();
        socket.set_zero_linger().unwrap();
        let mut stream = socket.connect(server.tcp).await.unwrap();
        port = stream.local_addr().unwrap().port();
        stream.write_all(line).await.unwrap();
        timeout(PATIENCE, stream.read_exact(&mut [0; 30])).await.unwrap().unwrap();
        drop(stream);
        ended(&server, &format!("?port={port}"), if line == b"one" { 1 } else { 2 }).await;
    }
    let (_, messages) = ended(&server, &format!("?port={port}"), 2).await;
    let clients: Vec<_> = raws(&messages).iter().map(|raw| raw.client).collect();
    assert!(clients.is_sorted() && clients.first() == Some(&1) && clients.last() == Some(&2));
}

#[tokio::test]
async fn a_token_finds_its_clients_over_both_protocols() {
    let server = Server::start_with(&[JOURNAL]);
    client(server.tcp, b"nothing").await;
    let peer = client(server.tcp, b"say <ab12>\n").await;
    let late = [&[b'x'; RAW_BYTES], b"ab12".as_slice()].concat();
    client(server.tcp, &late).await;
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for line in [b"before".as_slice(), b"ab12", b"behind"] {
        udp.send_to(line, server.udp).await.unwrap();
        timeout(PATIENCE, udp.recv(&mut [0; 64])).await.unwrap().unwrap();
    }
    ended(&server, "", 3).await;
    // Two datagrams and their replies.
    let (_, messages) = until(&server, "?token=ab12", |told| {
        told.iter().filter(|raw| raw.protocol == Protocol::Udp).count() >= 4
    })
    .await;
    let told = raws(&messages);
    let (tcp, datagrams): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|raw| raw.protocol == Protocol::Tcp);
    assert!(tcp.iter().all(|raw| raw.peer == peer.to_string()) && tcp.len() == 4, "{tcp:?}");
    assert_eq!(datagrams.len(), 4, "{datagrams:?}");
}

#[tokio::test]
async fn a_query_that_is_wrong_is_told_what_would_be_right() {
    let server = Server::start_with(&[JOURNAL]);
    let long = format!("?token={}", "x".repeat(129));
    for (query, said) in [
        ("?port=0", "port is 0, it must be 1 to 65535"),
        ("?port=many", "port is many, it must be 1 to 65535"),
        ("?token=", "token is empty, every client has that"),
        (&long, "token is 129 bytes, the limit is 128"),
        ("?prot=1", "prot is not one of port, token"),
    ] {
        let answer = get(server.http, &format!("/api/clients{query}")).await;
        assert_eq!((answer.status, answer.text()), (400, format!("{said}\n").as_str()), "{query}");
    }
    // A port that nobody used is no mistake.
    let (head, messages) = lines(&get(server.http, "/api/clients?port=1").await);
    assert_eq!((head.journal.observations, messages.len()), (0, 0));
}

#[tokio::test]
async fn nothing_is_kept_unless_it_is_asked_for_or_a_server_is_faulty() {
    for (flags, status) in [
        (&[][..], 404),
        (&["--fault-tcp=127.0.0.1:0;split"], 200),
        (&["--fault-tcp=127.0.0.1:0;split", "--journal-kib=0"], 404),
    ] {
        let server = Server::start_with(flags);
        let answer = get(server.http, "/api/clients").await;
        assert_eq!(answer.status, status, "{flags:?}");
        if status == 404 {
            let said = "nothing is kept of raw clients: start the server with --journal-kib\n";
            assert_eq!(answer.text(), said);
        }
    }
}

#[tokio::test]
async fn nobody_is_told_what_they_may_not_know() {
    let off = Server::start_with(&[JOURNAL, "--feed=off"]);
    assert_eq!(get(off.http, "/api/clients").await.status, 403);
    // Behind a proxy that is not trusted nobody knows who asks.
    let own = Server::start_with(&[JOURNAL]);
    client(own.tcp, b"secret").await;
    ended(&own, "", 1).await;
    let forwarded = "x-forwarded-for: 192.0.2.7\r\n";
    assert_eq!(request(own.http, "GET", "/api/clients", forwarded).await.status, 403);
    // Whoever comes from elsewhere may be told of all clients, and not of their bytes; nor may they be guessed.
    let all = Server::start_with(&[JOURNAL, "--feed=all", "--trusted-proxy=127.0.0.0/8"]);
    client(all.tcp, b"secret").await;
    let told = loop {
        let answer = request(all.http, "GET", "/api/clients", forwarded).await;
        let (_, messages) = lines(&answer);
        if messages.len() == 4 {
            break messages;
        }
    };
    assert!(raws(&told).iter().all(|raw| raw.observation.data().is_none()), "{told:?}");
    let guessed = request(all.http, "GET", "/api/clients?token=secret", forwarded).await;
    assert_eq!(guessed.status, 403);
    assert!(guessed.text().starts_with("a token is looked for in the clients' bytes"));
}

#[tokio::test]
async fn what_came_first_makes_room_and_is_counted() {
    let server = Server::start_with(&["--journal-kib=8"]);
    for n in 0..20 {
        client(server.tcp, format!("{n:01000}").as_bytes()).await;
    }
    let since = Instant::now();
    let (head, messages) = loop {
        let (head, messages) = lines(&get(server.http, "/api/clients").await);
        if head.journal.gone_observations + head.journal.observations as u64 == 20 * 4 {
            break (head, messages);
        }
        assert!(since.elapsed() < PATIENCE, "{head:?}");
    };
    let firsts = raws(&messages);
    let begins = firsts.iter().filter(|raw| raw.observation == RawObservation::Accepted {}).count();
    assert_eq!(begins as u64, 20 - head.journal.gone_clients, "the others are whole");
    assert!(begins >= 1 && head.journal.gone_clients >= 10, "{head:?}");
    let last = firsts.iter().rev().find_map(|raw| raw.observation.data()).expect("bytes");
    assert!(matches!(last, Data::Text(text) if text.ends_with("19")), "the latest is there");
}

#[tokio::test]
async fn an_answer_has_an_end_and_the_rest_is_counted() {
    let server = Server::start_with(&["--journal-kib=16384"]);
    let line = vec![0xff; 1 << 20];
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    let (mut replies, mut sends) = stream.split();
    let mut reply = Vec::new();
    let send = async {
        sends.write_all(&line).await.unwrap();
        sends.shutdown().await.unwrap();
    };
    timeout(PATIENCE, async { tokio::join!(send, replies.read_to_end(&mut reply)).1 })
        .await
        .unwrap()
        .unwrap();
    let answer = get(server.http, "/api/clients").await;
    assert!(answer.body.len() < (1 << 20) + 8 * 1_024, "{}", answer.body.len());
    let (head, messages) = lines(&answer);
    let Event::RawMissed { count } = messages.last().unwrap().event else {
        panic!("{:?}", messages.last())
    };
    assert_eq!(raws(&messages).len() as u64 + count, head.journal.observations as u64);
}

#[tokio::test]
async fn a_session_can_watch_some_clients_only() {
    let server = Server::start();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut by_port = Browser::connect(server.http).await;
    by_port.say(&format!(r#"{{"watch":{{"on":true,"port":{port}}}}}"#)).await;
    let mut by_token = Browser::connect(server.http).await;
    by_token.say(r#"{"watch":{"on":true,"token":"ab12"}}"#).await;
    for session in [&mut by_port, &mut by_token] {
        session.say("?").await;
        session.until(|event| matches!(event, Event::Error(_))).await;
    }
    client(server.tcp, b"nobody asks").await;
    let token = client(server.tcp, b"this is ab12").await;
    let stream = socket.connect(server.tcp).await.unwrap();
    let peer = says(stream, b"by its port").await;
    for (session, peer) in [(&mut by_port, peer), (&mut by_token, token)] {
        session
            .until(|event| {
                matches!(event, Event::Raw(Raw { observation: RawObservation::Closed { .. }, .. }))
            })
            .await;
        let raws = raws(&session.messages);
        assert!(raws.iter().all(|raw| raw.peer == peer.to_string()), "{raws:#?}");
        assert_eq!((raws.len(), &raws[0].observation), (4, &RawObservation::Accepted {}));
    }
}

#[tokio::test]
async fn a_watch_that_is_wrong_is_an_error_that_names_the_field() {
    let server = Server::start();
    let mut session = Browser::connect(server.http).await;
    let long = "x".repeat(129);
    for (fields, code, field) in [
        (r#""port":0"#, Code::OverLimit, "port"),
        (r#""port":65536"#, Code::BadField, "port"),
        (r#""token":"""#, Code::BadField, "token"),
        (&format!(r#""token":"{long}""#), Code::OverLimit, "token"),
    ] {
        session.say(&format!(r#"{{"watch":{{"on":true,{fields}}}}}"#)).await;
        let message = session.until(|event| matches!(event, Event::Error(_))).await;
        let Event::Error(Problem { code: is, field: of, message, .. }) = message.event else {
            panic!("it was waited for")
        };
        assert_eq!(
            (is, of.as_deref(), message.as_deref()),
            (code, Some(field), Some("watch")),
            "{fields}"
        );
    }
}
