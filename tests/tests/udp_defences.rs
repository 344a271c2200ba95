//! The UDP server is nobody's reflector: whom it does not answer, and how often it answers others.
//!
//! Addresses that are not loopback, and forged ones, exist only in a network namespace that each test
//! makes for itself: the test runs itself again in there.
#![cfg(target_os = "linux")]

use std::io::{Write as _, stderr};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use streamgram_protocol::Event;
use streamgram_tests::{Browser, PATIENCE, Server, get, is_ctime, is_inside};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The loopback interface has more addresses there (RFC 5737: for documentation).
const NETWORK: &str =
    "for address in 192.0.2.1 192.0.2.2 198.51.100.1; do ip addr add $address/32 dev lo; done";
const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

async fn bound(address: Ipv4Addr) -> UdpSocket {
    UdpSocket::bind((address, 0)).await.expect("the address is this machine's")
}

async fn is_answered(client: &UdpSocket, server: SocketAddr) -> bool {
    client.send_to(b"?", server).await.expect("the socket takes it");
    let mut reply = [0; 64];
    let received = timeout(PATIENCE, client.recv(&mut reply)).await;
    received.is_ok_and(|bytes| bytes.is_ok_and(|bytes| is_ctime(&reply[..bytes])))
}

/// Sends `count` datagrams, and says how many are answered; the rest is counted by the server.
async fn answered(client: &UdpSocket, server: &Server, count: usize) -> usize {
    // What the server's buffer has room for: what is above it would be lost in silence.
    const AT_ONCE: usize = 50;
    let before = datagrams_refused(server).await;
    let (mut answers, mut reply, since) = (0, [0; 64], Instant::now());
    for sent in 1..=count {
        client.send_to(b"?", server.udp).await.expect("the socket takes it");
        let is_due = sent % AT_ONCE == 0;
        while is_due && answers + datagrams_refused(server).await - before < sent {
            assert!(since.elapsed() < PATIENCE, "{answers} of {sent}");
            while timeout(Duration::from_millis(1), client.recv(&mut reply)).await.is_ok() {
                answers += 1;
            }
        }
    }
    answers
}

async fn datagrams_refused(server: &Server) -> usize {
    let refused = get(server.http, "/api/refused").await;
    let refused: Value = serde_json::from_str(refused.text()).expect("JSON");
    let reasons = refused.as_object().expect("an object").iter();
    let datagrams = reasons.filter(|(reason, _)| reason.starts_with("udp_"));
    datagrams.map(|(_, count)| count.as_u64().unwrap_or(0)).sum::<u64>().try_into().expect("few")
}

/// A datagram that claims to come from `from` (RFC 791, RFC 768); the system fills in the checksum of
/// IP, and that of UDP may be zero.
fn forge(from: SocketAddrV4, to: SocketAddr, payload: &[u8]) {
    let SocketAddr::V4(to) = to else { panic!("the tests use IPv4") };
    let udp_bytes = u16::try_from(8 + payload.len()).expect("a short one");
    let mut packet = vec![0x45, 0];
    packet.extend((20 + udp_bytes).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    packet.extend(from.ip().octets());
    packet.extend(to.ip().octets());
    packet.extend([from.port(), to.port(), udp_bytes, 0].map(u16::to_be_bytes).concat());
    packet.extend(payload);
    // 255 is IPPROTO_RAW: the header of IP is ours (raw(7)).
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(255.into())).expect("root in here");
    raw.send_to(&packet, &to.into()).expect("the packet goes out");
}

#[tokio::test]
async fn sources_that_cannot_have_asked_are_not_answered() {
    if !is_inside("sources_that_cannot_have_asked_are_not_answered", NETWORK) {
        return;
    }
    let server = Server::start();
    let client = bound(Ipv4Addr::LOCALHOST).await;
    let ports = [0, 7, 13, 17, 19, 37, 53, 69, 123, 161, 389, 1_023, 1_900, 2_049, 11_211];
    for (sent, port) in (1..).zip(ports) {
        forge(SocketAddrV4::new(STRANGER, port), server.udp, b"?");
        server.has_refused("udp_port", sent).await;
    }
    // The system replaces 0.0.0.0 by an address of its own.
    let addresses = [[0, 1, 2, 3], [224, 0, 0, 1], [240, 0, 0, 1], [255, 255, 255, 255]];
    for (sent, address) in (1..).zip(addresses) {
        forge(SocketAddrV4::new(address.into(), 40_000), server.udp, b"?");
        server.has_refused("udp_address", sent).await;
    }
    assert_eq!(datagrams_refused(&server).await, ports.len() + addresses.len());
    assert!(is_answered(&client, server.udp).await);
}

#[tokio::test]
async fn no_datagram_goes_round_for_ever() {
    if !is_inside("no_datagram_goes_round_for_ever", NETWORK) {
        return;
    }
    let (server, other) = (Server::start(), Server::start());
    let address = |server: &Server| match server.udp {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("the tests use IPv4"),
    };
    forge(address(&server), server.udp, b"?");
    server.has_refused("udp_own", 1).await;
    // To the one it seems to come from the other, whose answer is a reply; that is the end of it.
    forge(address(&other), server.udp, b"?");
    other.has_refused("udp_reply", 1).await;
    // A second round would have come before the answer to this.
    let client = bound(Ipv4Addr::LOCALHOST).await;
    assert!(is_answered(&client, server.udp).await && is_answered(&client, other.udp).await);
    assert_eq!((datagrams_refused(&server).await, datagrams_refused(&other).await), (1, 1));
}

#[tokio::test]
async fn an_address_and_its_network_are_limited_and_others_do_not_notice() {
    if !is_inside("an_address_and_its_network_are_limited_and_others_do_not_notice", NETWORK) {
        return;
    }
    let server = Server::start_with(&["--udp-per-address-per-s=50", "--udp-per-network-per-s=75"]);
    let (stranger, neighbour, other) =
        (bound(STRANGER).await, bound(NEIGHBOUR).await, bound(OTHER).await);
    let since = Instant::now();
    let of_stranger = answered(&stranger, &server, 1_000).await;
    let seconds = usize::try_from(since.elapsed().as_secs()).unwrap() + 1;
    assert!((100..=100 + 50 * seconds).contains(&of_stranger), "{of_stranger} in {seconds} s");
    assert!(server.refused("udp_address_rate").await > 0);
    assert!(is_answered(&other, server.udp).await, "another network is answered");

    let of_neighbour = answered(&neighbour, &server, 1_000).await;
    let seconds = usize::try_from(since.elapsed().as_secs()).unwrap() + 1;
    let of_both = of_stranger + of_neighbour;
    assert!(of_both <= 150 + 75 * seconds, "{of_both} in {seconds} s");
    assert!(server.refused("udp_network_rate").await > 0);
    assert!(is_answered(&other, server.udp).await, "another network is still answered");
    let _said = writeln!(
        stderr(),
        "of 1,000 datagrams of an address {of_stranger} were answered, of its neighbour's {of_neighbour}"
    );
}

#[tokio::test]
async fn loopback_has_the_rate_of_all_alone_and_a_leg_has_none() {
    let server = Server::start_with(&["--udp-per-s=100", "--udp-per-address-per-s=1"]);
    let client = bound(Ipv4Addr::LOCALHOST).await;
    let since = Instant::now();
    let answers = answered(&client, &server, 1_000).await;
    let seconds = usize::try_from(since.elapsed().as_secs()).unwrap() + 1;
    assert!((200..=200 + 100 * seconds).contains(&answers), "{answers} in {seconds} s");
    assert_eq!(server.refused("udp_address_rate").await, 0);

    let mut browser = Browser::connect_both(server.http).await;
    let before = datagrams_refused(&server).await;
    let burst = r#"{"send":{"id":1,"to":"udp","text":"?","count":500,"interval_ms":1}}"#;
    browser.say(burst).await;
    browser.until_count(500, |event| matches!(event, Event::Answered { .. })).await;
    assert_eq!(datagrams_refused(&server).await, before);
}

#[tokio::test]
async fn a_reply_is_not_answered_but_over_a_leg() {
    const REPLY: &str = "Mon Nov 23 05:52:57 2026";
    let server = Server::start();
    let client = bound(Ipv4Addr::LOCALHOST).await;
    client.send_to(REPLY.as_bytes(), server.udp).await.unwrap();
    server.has_refused("udp_reply", 1).await;
    assert!(is_answered(&client, server.udp).await);
    // A leg never answers, so nothing can go round; and a person may well type the time.
    let mut browser = Browser::connect_both(server.http).await;
    browser.say(&format!(r#"{{"send":{{"id":1,"to":"udp","text":"{REPLY}"}}}}"#)).await;
    browser.until(|event| matches!(event, Event::Answered { .. })).await;
}
