//! The kernel's own packets: those of a leg and of raw clients, for whoever asks and may see them, and of nobody else.
//! The server takes no permission with it that it does not need for that, and works as well without.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use socket2::{SockFilter, SockRef};
use streamgram_protocol::{
    Capture, Captured, Code, Data, Event, Flags, Header, Problem, Protocol, Raw, RawObservation,
    Side,
};
use streamgram_tests::{Browser, PATIENCE, Server, get, is_inside, skip};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

const WATCH: &str = r#"{"watch":{"on":true,"packets":true}}"#;

/// A session of a server that captures.
async fn capturing(server: &Server) -> Option<Browser> {
    let browser = Browser::connect(server.http).await;
    let status = status_of(&browser);
    if status != Capture::On {
        skip(&format!("the server cannot capture: {status:?}; run as root, or with CAP_NET_RAW"));
        return None;
    }
    Some(browser)
}

fn status_of(browser: &Browser) -> Capture {
    let hello = browser.messages.iter().find_map(|message| match &message.event {
        Event::Hello(hello) => Some(hello.capture),
        _ => None,
    });
    hello.expect("hello comes first")
}

/// Waits until a session has carried out what it was asked.
async fn settled(browser: &mut Browser) {
    browser.say(r#"{"ping":{}}"#).await;
    browser.until(|event| matches!(event, Event::Pong {})).await;
}

async fn open(browser: &mut Browser, protocol: &str) {
    browser.say(&format!(r#"{{"open":{{"protocol":"{protocol}","capture":true}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Opened { .. })).await;
}

/// Something of a packet: of a leg, or of a raw client.
#[derive(Debug, Clone)]
struct Seen {
    at_us: u64,
    protocol: Protocol,
    client: Option<u64>,
    packet: Captured,
}

/// The packets that a session was told so far, in the order of their times.
fn packets(browser: &Browser) -> Vec<Seen> {
    let mut packets: Vec<_> = browser
        .messages
        .iter()
        .filter_map(|message| {
            let (protocol, client, packet) = match &message.event {
                Event::Captured(packet) => (message.leg?.protocol, None, packet),
                Event::Raw(Raw {
                    protocol,
                    client,
                    observation: RawObservation::Packet(packet),
                    ..
                }) => (*protocol, Some(*client), packet),
                _ => return None,
            };
            Some(Seen { at_us: message.at_us, protocol, client, packet: (**packet).clone() })
        })
        .collect();
    packets.sort_by_key(|seen| seen.at_us);
    packets
}

fn packet(event: &Event) -> Option<&Captured> {
    match event {
        Event::Captured(packet) => Some(packet),
        Event::Raw(Raw { observation: RawObservation::Packet(packet), .. }) => Some(packet),
        _ => None,
    }
}

fn flags(packet: &Captured) -> Flags {
    match packet.header {
        Header::Tcp { flags, .. } => flags,
        Header::Udp { .. } => Flags::default(),
    }
}

/// Whether the client acknowledges the server's FIN, which stands at `ack`.
fn is_last_ack(event: &Event, fin: u32) -> bool {
    packet(event).is_some_and(|packet| {
        packet.from == Side::Client
            && matches!(packet.header, Header::Tcp { ack, .. } if ack == fin + 1)
    })
}

/// A segment as a person writes it: who sent it, flags, number, length.
fn written(seen: &Seen) -> String {
    let Header::Tcp { flags, seq, length, .. } = seen.packet.header else { panic!("{seen:?}") };
    let Flags { syn, ack, psh: _, fin, rst } = flags;
    let names = [(syn, "SYN "), (fin, "FIN "), (rst, "RST "), (ack, "ACK ")];
    let names: String = names.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
    let from = if seen.packet.from == Side::Client { '>' } else { '<' };
    format!("{from} {names}{seq} {length}")
}

/// Segments that are more than an acknowledgement.
fn conversation(packets: &[Seen]) -> Vec<String> {
    let is_more = |seen: &&Seen| match seen.packet.header {
        Header::Tcp { flags, length, .. } => flags.syn || flags.fin || flags.rst || length > 0,
        Header::Udp { .. } => false,
    };
    packets.iter().filter(is_more).map(written).collect()
}

/// Over loopback, every packet has left and come, and its first time is that of its event.
fn both_times_were_seen(packets: &[Seen]) {
    for Seen { at_us, packet, .. } in packets {
        let (left, came) = (packet.left_us.expect("it left"), packet.came_us.expect("it came"));
        assert!(left == *at_us && came >= left, "{packet:?}");
    }
}

/// The numbers of each sender's packets leave nothing out.
fn all_are_numbered(packets: &[Seen]) {
    for side in [Side::Client, Side::Server] {
        let numbers: Vec<_> =
            packets.iter().map(|seen| &seen.packet).filter(|packet| packet.from == side).collect();
        assert!(numbers.iter().zip(0..).all(|(packet, n)| packet.number == n), "{numbers:#?}");
    }
}

fn payload(packet: &Captured) -> Vec<u8> {
    let data = Data::Hex(packet.hex.clone());
    let bytes = data.to_bytes().unwrap();
    let length = match packet.header {
        Header::Tcp { length, .. } | Header::Udp { length, .. } => usize::from(length),
    };
    bytes[bytes.len() - length..].to_vec()
}

#[tokio::test]
async fn a_leg_is_told_its_handshake_data_and_end_as_the_kernel_sent_them() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    open(&mut browser, "tcp").await;
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"hello"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    browser.say(r#"{"close":{"protocol":"tcp","how":"close"}}"#).await;
    browser.until(|event| is_last_ack(event, 33)).await;
    let packets = packets(&browser);
    both_times_were_seen(&packets);
    all_are_numbered(&packets);
    let expected = [
        "> SYN 0 0",
        "< SYN ACK 0 0",
        "> ACK 1 5",
        "< ACK 1 32",
        "> FIN ACK 6 0",
        "< FIN ACK 33 0",
    ];
    assert_eq!(conversation(&packets), expected);
    assert_eq!(written(&packets[2]), "> ACK 1 0", "the handshake's third segment");
    // The line stands in the stream where the event of its sending says.
    let data = packets.iter().find(|seen| payload(&seen.packet) == b"hello").unwrap();
    let sent = browser.messages.iter().find_map(|message| match message.event {
        Event::Sent { offset, done_us, .. } => Some((message.at_us, offset, done_us)),
        _ => None,
    });
    let (started, offset, done) = sent.unwrap();
    assert_eq!(written(data), format!("> ACK {} 5", offset + 1));
    assert!(data.at_us >= started && data.at_us <= done, "{data:?} between {started} and {done}");
    assert!(packets.iter().all(|seen| !seen.packet.retransmission && seen.packet.segments == 1));
}

#[tokio::test]
async fn a_reset_is_seen_and_where_nobody_reads_the_window_is() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    open(&mut browser, "tcp").await;
    browser.say(r#"{"send":{"id":1,"to":"tcp","text":"x"}}"#).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
    browser.say(r#"{"close":{"protocol":"tcp","how":"reset"}}"#).await;
    browser.until(|event| packet(event).is_some_and(|packet| flags(packet).rst)).await;
    let packets = packets(&browser);
    assert_eq!(packets.iter().filter(|seen| flags(&seen.packet).rst).count(), 1);
    for seen in &packets {
        let Header::Tcp { window, .. } = seen.packet.header else { panic!("{seen:?}") };
        // Loopback's first window is 64 KiB; unscaled it would be 64.
        assert!(window >= 32_000 || flags(&seen.packet).rst, "{seen:?}");
    }
}

#[tokio::test]
async fn a_udp_leg_is_told_every_datagram_and_every_reply() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    open(&mut browser, "udp").await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"four","count":3}}"#).await;
    browser.say(r#"{"send":{"id":2,"to":"udp","text":""}}"#).await;
    browser.until_count(8, |event| packet(event).is_some()).await;
    let packets = packets(&browser);
    both_times_were_seen(&packets);
    all_are_numbered(&packets);
    for (side, expected) in [(Side::Client, [4, 4, 4, 0]), (Side::Server, [24; 4])] {
        let lengths: Vec<_> = packets
            .iter()
            .filter(|seen| seen.packet.from == side)
            .map(|seen| match seen.packet.header {
                Header::Udp { length, offset: 0, more: false, .. } => length,
                header => panic!("{header:?}"),
            })
            .collect();
        assert_eq!(lengths, expected);
    }
}

#[tokio::test]
async fn a_raw_connection_is_one_client_from_its_syn_to_its_last_ack() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    browser.until(|event| is_last_ack(event, 33)).await;
    let is_over = |event: &Event| matches!(event, Event::Raw(raw) if matches!(raw.observation, RawObservation::Closed { .. }));
    browser.until_count(1, is_over).await;
    let packets = packets(&browser);
    both_times_were_seen(&packets);
    all_are_numbered(&packets);
    let expected = [
        "> SYN 0 0",
        "< SYN ACK 0 0",
        "> ACK 1 5",
        "< ACK 1 32",
        "> FIN ACK 6 0",
        "< FIN ACK 33 0",
    ];
    let mut conversation = conversation(&packets);
    // Whether FIN leaves before the reply is the client's luck.
    conversation.sort_unstable();
    let mut expected = expected.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(conversation, expected);
    let clients: HashSet<_> = browser
        .messages
        .iter()
        .filter_map(|message| match &message.event {
            Event::Raw(raw) => Some((raw.client, raw.peer.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(clients.len(), 1, "{clients:?}");
    let accepted = browser.messages.iter().find(|message| {
        matches!(&message.event, Event::Raw(raw) if raw.observation == RawObservation::Accepted {})
    });
    assert!(packets[0].at_us <= accepted.unwrap().at_us, "the SYN comes before it is accepted");
    // Both are on the server's own machine, so the bytes are shown.
    assert!(packets.iter().any(|seen| payload(&seen.packet) == b"hello"));
}

#[tokio::test]
async fn connections_from_one_address_are_clients_each_with_its_own_packets() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let from: SocketAddr = {
        let free = TcpSocket::new_v4().unwrap();
        free.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        free.local_addr().unwrap()
    };
    for _ in 0..3 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from).unwrap();
        let mut stream = socket.connect(server.tcp).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        stream.read_exact(&mut [0; 28]).await.unwrap();
        // Else the address could not be taken again.
        stream.set_zero_linger().unwrap();
    }
    browser.until_count(3, |event| packet(event).is_some_and(|packet| flags(packet).rst)).await;
    let is_closed = |event: &Event| matches!(event, Event::Raw(raw) if matches!(raw.observation, RawObservation::Closed { .. }));
    browser.until_count(3, is_closed).await;
    for client in 1..=3 {
        let of: Vec<_> =
            packets(&browser).into_iter().filter(|seen| seen.client == Some(client)).collect();
        all_are_numbered(&of);
        let told = conversation(&of);
        assert_eq!(told.first().map(String::as_str), Some("> SYN 0 0"), "{client}: {told:?}");
        assert_eq!(told.iter().filter(|it| it.contains("RST")).count(), 1, "{client}: {told:?}");
        let seen = browser.count(|event| {
            matches!(event, Event::Raw(raw) if raw.client == client
                && matches!(raw.observation, RawObservation::Accepted {} | RawObservation::Read { .. } | RawObservation::Closed { .. }))
        });
        assert_eq!(seen, 3, "{client}");
    }
}

#[tokio::test]
async fn a_raw_udp_peer_is_one_client() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..2 {
        socket.send_to(b"now?", server.udp).await.unwrap();
        timeout(PATIENCE, socket.recv(&mut [0; 64])).await.unwrap().unwrap();
    }
    browser.until_count(4, |event| packet(event).is_some()).await;
    let packets = packets(&browser);
    both_times_were_seen(&packets);
    all_are_numbered(&packets);
    let from: Vec<_> = packets.iter().map(|seen| seen.packet.from).collect();
    assert_eq!(from, [Side::Client, Side::Server, Side::Client, Side::Server]);
    assert!(packets.iter().all(|seen| seen.client == Some(1) && seen.protocol == Protocol::Udp));
    assert_eq!(payload(&packets[0].packet), b"now?");
}

#[tokio::test]
async fn nobody_is_told_of_the_legs_of_others_nor_of_anything_without_asking() {
    let server = Server::start_with(&["--feed=all"]);
    let Some(mut watching) = capturing(&server).await else { return };
    watching.say(WATCH).await;
    settled(&mut watching).await;
    let mut other = Browser::connect(server.http).await;
    other.say(r#"{"watch":{"on":true}}"#).await;
    other.open_both().await;
    other.say(r#"{"send":{"id":1,"to":"both","text":"private"}}"#).await;
    other.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
    for protocol in ["tcp", "udp"] {
        other.say(&format!(r#"{{"close":{{"protocol":"{protocol}"}}}}"#)).await;
    }
    other.until_count(2, |event| matches!(event, Event::Closed { .. })).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"afterwards", server.udp).await.unwrap();
    watching.until_count(2, |event| packet(event).is_some()).await;
    assert!(packets(&watching).iter().all(|seen| seen.client == Some(1)), "{watching:?}");
    settled(&mut other).await;
    assert!(packets(&other).is_empty());
    // Whoever watches without packets from now on is told of no more.
    watching.say(r#"{"watch":{"on":true}}"#).await;
    settled(&mut watching).await;
    socket.send_to(b"unseen", server.udp).await.unwrap();
    let is_second = |event: &Event| {
        matches!(
            event,
            Event::Raw(Raw { observation: RawObservation::Reply { number: 1, .. }, .. })
        )
    };
    watching.until(is_second).await;
    settled(&mut watching).await;
    assert_eq!(packets(&watching).len(), 2);
}

#[tokio::test]
async fn with_the_feed_off_there_are_packets_of_legs_only() {
    let server = Server::start_with(&["--feed=off"]);
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    browser.until(|event| matches!(event, Event::Error(Problem { code: Code::FeedOff, .. }))).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"x", server.udp).await.unwrap();
    open(&mut browser, "udp").await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"mine"}}"#).await;
    browser.until_count(2, |event| packet(event).is_some()).await;
    assert!(packets(&browser).iter().all(|seen| seen.client.is_none()));
}

/// Everything but packets.
async fn works_without_packets(server: &Server, status: Capture) {
    let mut browser = Browser::connect(server.http).await;
    assert_eq!(status_of(&browser), status);
    browser.say(WATCH).await;
    for protocol in ["tcp", "udp"] {
        open(&mut browser, protocol).await;
    }
    browser.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
    browser.until_count(2, |event| matches!(event, Event::Answered { .. })).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"x", server.udp).await.unwrap();
    let is_reply = |event: &Event| {
        matches!(event, Event::Raw(Raw { observation: RawObservation::Reply { .. }, .. }))
    };
    browser.until_count(1, is_reply).await;
    settled(&mut browser).await;
    assert!(packets(&browser).is_empty());
}

#[tokio::test]
async fn switched_off_nothing_is_captured() {
    let server = Server::start_with(&["--capture=off"]);
    works_without_packets(&server, Capture::Off).await;
    has_given_up(&server);
}

#[tokio::test]
async fn without_permission_everything_else_works() {
    let mut command = Command::new("setpriv");
    if command.arg("--version").output().is_err() {
        return skip("setpriv is missing");
    }
    let mut command = Command::new("setpriv");
    command.args(["--inh-caps=-net_raw", "--bounding-set=-net_raw"]);
    if !command.arg("true").output().unwrap().status.success() {
        return skip("setpriv may not take a capability away: run as root");
    }
    let mut command = Command::new("setpriv");
    command.args(["--inh-caps=-net_raw", "--bounding-set=-net_raw"]);
    let server = Server::spawn({
        command.arg(streamgram_tests::binary());
        command
    });
    works_without_packets(&server, Capture::NotPermitted).await;
}

/// No thread of the server may open such a socket again.
fn has_given_up(server: &Server) {
    const CAP_NET_RAW: u64 = 1 << 13;
    let mut threads = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        for set in ["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"] {
            let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
            let bits = u64::from_str_radix(line.trim(), 16).unwrap();
            assert_eq!(bits & CAP_NET_RAW, 0, "{status}");
        }
        threads += 1;
    }
    assert!(threads > 3, "{threads}");
}

#[tokio::test]
async fn the_permission_is_given_up_by_every_thread() {
    let server = Server::start();
    if capturing(&server).await.is_some() {
        has_given_up(&server);
    }
}

#[tokio::test]
async fn more_than_a_leg_may_tell_is_counted() {
    let server = Server::start_with(&["--lab-packets=5"]);
    let Some(mut browser) = capturing(&server).await else { return };
    open(&mut browser, "udp").await;
    browser.say(r#"{"send":{"id":1,"to":"udp","text":"x","count":10}}"#).await;
    let mut missed = 0;
    while missed < 15 {
        if let Event::PacketsMissed { count } = browser.next().await.event {
            missed += count;
        }
    }
    assert_eq!((missed, packets(&browser).len()), (15, 5));
}

#[tokio::test]
async fn more_than_a_raw_client_may_send_is_counted_for_that_client() {
    let server = Server::start_with(&["--lab-packets=5"]);
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for _ in 0..10 {
        socket.send_to(b"x", server.udp).await.unwrap();
        timeout(PATIENCE, socket.recv(&mut [0; 64])).await.unwrap().unwrap();
    }
    let mut missed = 0;
    while missed < 15 {
        if let Event::Raw(raw) = browser.next().await.event
            && let RawObservation::PacketsMissed { count } = raw.observation
        {
            assert_eq!(raw.client, 1);
            missed += count;
        }
    }
    assert_eq!((missed, packets(&browser).len()), (15, 5));
}

/// The value of a measure.
async fn measure(admin: SocketAddr, name: &str) -> u64 {
    let text = get(admin, "/metrics").await;
    let line = text.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn above_the_rate_packets_are_dropped_counted_and_told() {
    let server = Server::start_with(&["--admin=127.0.0.1:0", "--capture-per-s=5000"]);
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let (to, enough) = (server.udp, Arc::new(AtomicBool::new(false)));
    let is_enough = Arc::clone(&enough);
    let flood = spawn_blocking(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        while !is_enough.load(Ordering::Relaxed) {
            for _ in 0..100 {
                socket.send_to(&[b'x'; 512], to).unwrap();
            }
            // Else loopback's own queue would overflow, and lose what the browser is sent.
            thread::sleep(Duration::from_millis(1));
        }
    });
    let told = browser.until(|event| matches!(event, Event::CaptureMissed { .. })).await;
    enough.store(true, Ordering::Relaxed);
    let Event::CaptureMissed { count } = told.event else { unreachable!() };
    flood.await.unwrap();
    let dropped = measure(server.admin.unwrap(), "streamgram_capture_dropped_total").await;
    assert!(count > 0 && dropped >= count, "{count} told, {dropped} dropped");
    // The session goes on, and so does the capture.
    open(&mut browser, "tcp").await;
    browser.until(|event| matches!(event, Event::Captured(_))).await;
}

#[tokio::test]
async fn a_scan_and_garbage_are_packets_like_any_others() {
    let server = Server::start_with(&["--admin=127.0.0.1:0"]);
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    for _ in 0..100 {
        let stream = TcpStream::connect(server.tcp).await.unwrap();
        stream.set_zero_linger().unwrap();
    }
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in [0, 1, 7, 1_472, 9_000, 65_507] {
        socket.send_to(&vec![0xff; length], server.udp).await.unwrap();
    }
    browser.until_count(100, |event| packet(event).is_some_and(|packet| flags(packet).rst)).await;
    let is_datagram = |event: &Event| {
        packet(event).is_some_and(|packet| {
            matches!(packet.header, Header::Udp { .. }) && packet.from == Side::Client
        })
    };
    browser.until_count(6, is_datagram).await;
    let packets = packets(&browser);
    let tcp = packets.iter().filter(|seen| seen.protocol == Protocol::Tcp);
    let clients: HashSet<_> = tcp.map(|seen| seen.client).collect();
    assert_eq!(clients.len(), 100);
    assert_eq!(measure(server.admin.unwrap(), "streamgram_capture_unreadable_total").await, 0);
    // Of the largest, which is above loopback's MTU, the first fragment is taken, and cut off.
    let largest =
        packets.iter().map(|seen| &seen.packet).max_by_key(|packet| packet.bytes).unwrap();
    assert!(matches!(largest.header, Header::Udp { length, .. } if length > 60_000), "{largest:?}");
    assert_eq!(largest.hex.len() / 2, streamgram_protocol::CAPTURED_BYTES);
}

/// A shell in another network, which is joined to this one by a cable; it does what it is told.
fn another_machine() -> Child {
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-c", "echo ready; read go; exec sh"]);
    let mut machine = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(machine.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let pid = machine.id().to_string();
    let moved = Command::new("ip").args(["link", "set", "there", "netns", &pid]).status().unwrap();
    assert!(moved.success());
    let script = "\nip addr add 192.0.2.2/24 dev there; ip link set there up\n";
    machine.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
    machine
}

#[tokio::test]
async fn over_a_network_only_one_of_two_times_is_seen_and_no_payload_of_others() {
    let test = "over_a_network_only_one_of_two_times_is_seen_and_no_payload_of_others";
    let cable = "ip link add here type veth peer name there; ip addr add 192.0.2.1/24 dev here; \
                 ip link set here up";
    if !is_inside(test, cable) {
        return;
    }
    if Command::new("socat").arg("-V").output().is_err() {
        return skip("socat is missing");
    }
    let server = Server::start_on(["127.0.0.1:0", "0.0.0.0:0", "[::]:0"], &["--feed=all"]);
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let mut machine = another_machine();
    let script = format!(
        "printf secret | socat -t 5 - TCP:192.0.2.1:{} >/dev/null\nprintf secret | socat -t 1 - UDP:192.0.2.1:{} >/dev/null\n",
        server.tcp.port(),
        server.udp.port()
    );
    machine.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    browser.until(|event| is_last_ack(event, 34)).await;
    let is_udp = |event: &Event| {
        packet(event).is_some_and(|packet| matches!(packet.header, Header::Udp { .. }))
    };
    browser.until_count(2, is_udp).await;
    machine.wait().unwrap();
    let packets = packets(&browser);
    for Seen { at_us, packet, .. } in &packets {
        let times = (packet.left_us, packet.came_us);
        let expected = match packet.from {
            Side::Client => (None, Some(*at_us)),
            Side::Server => (Some(*at_us), None),
        };
        assert_eq!(times, expected, "{packet:?}");
        let length = match packet.header {
            Header::Tcp { length, .. } | Header::Udp { length, .. } => usize::from(length),
        };
        let bytes = usize::try_from(packet.bytes).unwrap();
        assert_eq!(packet.hex.len() / 2 + length, bytes, "{packet:?}");
    }
    let clients: HashSet<_> = packets.iter().map(|seen| (seen.protocol, seen.client)).collect();
    assert_eq!(clients.len(), 2);
    let mut told = conversation(&packets);
    told.sort_unstable();
    let mut expected = [
        "> SYN 0 0",
        "< SYN ACK 0 0",
        "> ACK 1 6",
        "< ACK 1 33",
        "> FIN ACK 7 0",
        "< FIN ACK 34 0",
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
}

/// tshark, which captures some ports of loopback.
struct Tshark {
    process: Child,
    rows: Receiver<Vec<String>>,
}

const FIELDS: [&str; 17] = [
    "udp.length",
    "tcp.srcport",
    "udp.srcport",
    "tcp.dstport",
    "udp.dstport",
    "ip.len",
    "tcp.flags",
    "tcp.seq",
    "tcp.ack",
    "tcp.window_size",
    "tcp.len",
    "tcp.analysis.retransmission",
    "tcp.analysis.duplicate_ack",
    "ip.id",
    "tcp.analysis.fast_retransmission",
    "tcp.analysis.spurious_retransmission",
    "tcp.analysis.out_of_order",
];

impl Tshark {
    /// Begins, and returns once packets are seen.
    async fn start(server: &Server) -> Option<Self> {
        let (tcp, udp) = (server.tcp.port(), server.udp.port());
        let filter = format!("tcp port {tcp} or udp port {udp}");
        let mut command = Command::new("tshark");
        command.args(["-i", "lo", "-n", "-l", "-f", &filter, "-T", "fields", "-E", "separator=;"]);
        for field in FIELDS {
            command.args(["-e", field]);
        }
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                skip(&format!("tshark is missing: {error}"));
                return None;
            }
        };
        let (sender, rows) = channel();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let row = line.split(';').map(str::to_owned).collect();
                if sender.send(row).is_err() {
                    break;
                }
            }
        });
        let tshark = Self { process, rows };
        let since = Instant::now();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        // It says that it has begun before it has.
        while tshark.rows.recv_timeout(Duration::from_millis(50)).is_err() {
            assert!(since.elapsed() < PATIENCE, "tshark sees nothing");
            socket.send_to(b"begun?", server.udp).await.unwrap();
        }
        Some(tshark)
    }

    /// All that it has seen of a client, up to a datagram that only ends it.
    async fn rows_of(mut self, client: SocketAddr, server: &Server) -> Vec<Vec<String>> {
        let end = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        end.send_to(b"end", server.udp).await.unwrap();
        let end = end.local_addr().unwrap().port().to_string();
        let port = client.port().to_string();
        let mut rows = Vec::new();
        loop {
            let row = self.rows.recv_timeout(PATIENCE).expect("tshark sees the end");
            if row[2] == end {
                break;
            }
            if row[1..5].contains(&port) {
                rows.push(row);
            }
        }
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        rows
    }
}

/// A packet as [`Tshark`] writes it, as far as both name it.
fn row(seen: &Seen) -> Vec<String> {
    let Captured { header, from, bytes, retransmission, duplicate_ack, .. } = &seen.packet;
    let from = format!("{from:?}");
    match *header {
        Header::Tcp { flags, seq, ack, window, length } => {
            let bits = [(flags.fin, 1), (flags.syn, 2), (flags.rst, 4), (flags.psh, 8)];
            let bits: u16 = bits.iter().map(|(is_set, bit)| u16::from(*is_set) * bit).sum();
            let bits = bits + u16::from(flags.ack) * 16;
            let numbers = [seq, ack, window, length.into()].map(|number| number.to_string());
            let labels = [retransmission, duplicate_ack].map(|label| label.to_string());
            [vec![from, bytes.to_string(), format!("0x{bits:04x}")], numbers.into(), labels.into()]
                .concat()
        }
        Header::Udp { ident, length, .. } => {
            vec![from, bytes.to_string(), (length + 8).to_string(), format!("0x{ident:04x}")]
        }
    }
}

/// The same of a row of its.
fn row_of(tshark: &[String], server: &Server) -> Vec<String> {
    let [tcp, udp] = [server.tcp, server.udp].map(|at| at.port().to_string());
    let is_client = tshark[3] == tcp || tshark[4] == udp;
    let from = format!("{:?}", if is_client { Side::Client } else { Side::Server });
    if tshark[6].is_empty() {
        return vec![from, tshark[5].clone(), tshark[0].clone(), tshark[13].clone()];
    }
    // Nobody sends out of order over loopback: what it calls so came too early for its heuristics.
    let again = [11, 14, 15, 16].iter().any(|field| !tshark[*field].is_empty());
    let labels = [again, !tshark[12].is_empty()].map(|label| label.to_string());
    [vec![from], tshark[5..11].to_vec(), labels.into()].concat()
}

/// This thread, and the processes that it starts, have one processor. With two, each may have a packet to show at the
/// same time, and shows it to one listener before the other.
fn on_one_processor() {
    let this_thread = Pid::from_raw(0);
    let all = sched_getaffinity(this_thread).unwrap();
    let mut one = CpuSet::new();
    one.set((0..CpuSet::count()).find(|cpu| all.is_set(*cpu).unwrap()).unwrap()).unwrap();
    sched_setaffinity(this_thread, &one).unwrap();
}

/// Drops every segment of this length that comes to a socket, its header included, as a bad link would.
fn drop_segments(stream: &TcpStream, length: u32) {
    let load_length = SockFilter::new(0x80, 0, 0, 0);
    let is_it = SockFilter::new(0x15, 0, 1, length);
    let (none, all) = (SockFilter::new(0x06, 0, 0, 0), SockFilter::new(0x06, 0, 0, u32::MAX));
    SockRef::from(stream).attach_filter(&[load_length, is_it, none, all]).unwrap();
}

#[tokio::test]
async fn a_server_that_was_held_up_still_has_both_times_of_every_packet() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    browser.until(|event| packet(event).is_some()).await;
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, server.pid().to_string().as_str()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    for _ in 0..10 {
        stream.write_all(b"meanwhile").await.unwrap();
    }
    // Longer than the second sight of a packet is waited for.
    tokio::time::sleep(Duration::from_millis(300)).await;
    signal("-CONT");
    stream.shutdown().await.unwrap();
    let is_over = |packet: &Captured| packet.from == Side::Server && flags(packet).fin;
    browser.until(|event| packet(event).is_some_and(is_over)).await;
    both_times_were_seen(&packets(&browser));
}

#[tokio::test]
async fn tshark_sees_the_same_packets_in_the_same_order_and_calls_them_the_same() {
    on_one_processor();
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    let Some(tshark) = Tshark::start(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    let client = stream.local_addr().unwrap();
    // The reply to a line of 5 bytes is lost, again and again; the three after it are not.
    drop_segments(&stream, 32 + 32);
    stream.write_all(b"first").await.unwrap();
    let is_read = |number: u64| move |event: &Event| matches!(event, Event::Raw(Raw { observation: RawObservation::Reply { number: n, .. }, .. }) if *n == number);
    browser.until(is_read(0)).await;
    for number in 1..4 {
        stream.write_all(&[b'x'; 100]).await.unwrap();
        browser.until(is_read(number)).await;
    }
    let is_again = |event: &Event| packet(event).is_some_and(|packet| packet.retransmission);
    browser.until(is_again).await;
    SockRef::from(&stream).detach_filter().unwrap();
    let mut replies = vec![0; 32 + 3 * 127];
    timeout(PATIENCE, stream.read_exact(&mut replies)).await.unwrap().unwrap();
    // More than a segment, and more than the buffers hold.
    let long = vec![b'y'; 30_000];
    let (mut reader, mut writer) = stream.split();
    let reading = async {
        let mut replies = Vec::new();
        reader.read_to_end(&mut replies).await.unwrap();
        replies.len()
    };
    let writing = async {
        writer.write_all(&long).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let (replies, ()) = tokio::join!(reading, writing);
    assert!(replies > 30_000);
    let is_over = |packet: &Captured| packet.from == Side::Server && flags(packet).fin;
    browser.until(|event| packet(event).is_some_and(is_over)).await;
    drop(stream);
    let theirs = tshark.rows_of(client, &server).await;
    while browser.count(|event| {
        packet(event).is_some_and(|packet| matches!(packet.header, Header::Tcp { .. }))
    }) < theirs.len()
    {
        browser.next().await;
    }
    let theirs: Vec<_> = theirs.iter().map(|it| row_of(it, &server)).collect();
    let mut ours: Vec<_> =
        packets(&browser).into_iter().filter(|seen| seen.protocol == Protocol::Tcp).collect();
    // It sees what comes; of what leaves, libpcap shows nothing on loopback.
    ours.sort_by_key(|seen| seen.packet.came_us);
    let ours: Vec<_> = ours.iter().map(row).collect();
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert_eq!(ours, theirs, "packet {number}");
    }
    assert_eq!(ours.len(), theirs.len());
    let labelled = |label: usize| ours.iter().filter(|row| row[label] == "true").count();
    assert!(labelled(7) >= 1 && labelled(8) >= 1, "nothing was lost");
}

#[tokio::test]
async fn tshark_sees_the_same_datagrams() {
    let server = Server::start();
    let Some(mut browser) = capturing(&server).await else { return };
    let Some(tshark) = Tshark::start(&server).await else { return };
    browser.say(WATCH).await;
    settled(&mut browser).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in [0, 5, 1_500, 60_000] {
        socket.send_to(&vec![b'x'; length], server.udp).await.unwrap();
        timeout(PATIENCE, socket.recv(&mut [0; 64])).await.unwrap().unwrap();
    }
    browser.until_count(8, |event| packet(event).is_some()).await;
    let theirs = tshark.rows_of(socket.local_addr().unwrap(), &server).await;
    let theirs: Vec<_> = theirs.iter().map(|it| row_of(it, &server)).collect();
    assert_eq!(packets(&browser).iter().map(row).collect::<Vec<_>>(), theirs);
}
