//! Whatever the server listens on: it answers from the address that was asked, its legs work, and the addresses
//! that it shows to a visitor are those at which this visitor reaches it.
#![cfg(target_os = "linux")]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::process::Command;

use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use serde_json::Value;
use streamgram_protocol::{Event, Hello, Raw, RawObservation};
use streamgram_tests::{Browser, PATIENCE, Server, is_ctime, is_inside, raw_request, skip};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

const ALL_V4: [&str; 3] = ["0.0.0.0:0"; 3];
const ALL: [&str; 3] = ["[::]:0"; 3];
/// Several addresses of one interface, for documentation (RFC 5737, RFC 3849).
const MANY_ADDRESSES: &str = "for address in 192.0.2.1/24 192.0.2.2/32 2001:db8::1/128 2001:db8::2/128; \
     do ip addr add $address dev lo; done";

type Session = Browser<TcpStream>;

/// Whether this machine has IPv6.
fn has_v6() -> bool {
    let has = std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        skip("it needs IPv6");
    }
    has
}

/// The same port at another address.
fn at(address: &str, listening: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.parse().expect("an address"), listening.port())
}

/// Asks as a client that has connected its socket, which takes replies from no other address.
async fn udp_answers(server: SocketAddr) -> bool {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { Ipv6Addr::UNSPECIFIED.into() };
    udp_answers_from(any, server).await
}

/// The same for a client at an address.
async fn udp_answers_from(client: IpAddr, server: SocketAddr) -> bool {
    let client = UdpSocket::bind((client, 0)).await.expect("a free port");
    client.connect(server).await.expect("a route");
    client.send(b"?").await.expect("the socket takes it");
    let mut reply = [0; 64];
    let received = timeout(PATIENCE, client.recv(&mut reply)).await;
    received.is_ok_and(|bytes| bytes.is_ok_and(|bytes| is_ctime(&reply[..bytes])))
}

async fn tcp_answers(server: SocketAddr) {
    let mut client = TcpStream::connect(server).await.expect("TCP accepts");
    client.write_all(b"?").await.expect("TCP takes bytes");
    let mut reply = [0; 28];
    timeout(PATIENCE, client.read_exact(&mut reply)).await.expect("in time").expect("a reply");
}

/// A session that is opened at an address under a name, and its hello.
async fn session(http: SocketAddr, host: &str) -> (Session, Hello) {
    let stream = TcpStream::connect(http).await.expect("the page listens");
    let mut session = Browser::over(stream, host, &[]).await;
    let Event::Hello(hello) = session.next().await.event else { panic!("hello comes first") };
    (session, hello)
}

/// What the API says of addresses under a name.
async fn info(http: SocketAddr, host: &str) -> [String; 3] {
    let request = format!("GET /api/info HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let info = raw_request(http, request.as_bytes()).await;
    let info: Value = serde_json::from_str(info.text()).expect("JSON");
    ["http", "tcp", "udp"].map(|name| info[name].as_str().expect("an address").to_owned())
}

/// Lines over both legs and both paths.
async fn legs_answer(session: &mut Session) {
    for path in ["direct", "emulated"] {
        for protocol in ["tcp", "udp"] {
            let open = format!(r#"{{"open":{{"protocol":"{protocol}","path":"{path}"}}}}"#);
            session.say(&open).await;
            session.until(|event| matches!(event, Event::Opened { .. })).await;
        }
        session.say(r#"{"send":{"id":1,"to":"both","text":"x"}}"#).await;
        let before = session.count(|event| matches!(event, Event::Answered { .. }));
        session.until_count(before + 2, |event| matches!(event, Event::Answered { .. })).await;
        for protocol in ["tcp", "udp"] {
            session.say(&format!(r#"{{"close":{{"protocol":"{protocol}"}}}}"#)).await;
            session.until(|event| matches!(event, Event::Closed { .. })).await;
        }
    }
}

#[tokio::test]
async fn a_datagram_is_answered_from_the_address_that_it_was_sent_to() {
    let server = Server::start_on(ALL_V4, &[]);
    for address in ["127.0.0.1", "127.0.0.2"] {
        assert!(udp_answers(at(address, server.udp)).await, "{address}");
    }
    if !has_v6() {
        return;
    }
    let server = Server::start_on(ALL, &[]);
    for address in ["127.0.0.1", "127.0.0.2", "::1"] {
        assert!(udp_answers(at(address, server.udp)).await, "{address}");
    }
}

#[tokio::test]
async fn datagrams_that_the_system_hands_over_together_are_answered_one_by_one() {
    let server = Server::start_on(ALL_V4, &[]);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let state = UdpSocketState::new(UdpSockRef::from(&client)).unwrap();
    // Three datagrams of 5, 5 and 3 bytes in one call, which loopback leaves together (UDP_SEGMENT, udp(7)).
    let together = Transmit {
        destination: at("127.0.0.1", server.udp),
        ecn: None,
        contents: b"aaaaabbbbbccc",
        segment_size: Some(5),
        src_ip: None,
    };
    state.try_send(UdpSockRef::from(&client), &together).unwrap();
    client.send_to(b"", at("127.0.0.1", server.udp)).await.unwrap();
    for _ in 0..4 {
        let mut reply = [0; 256];
        let bytes = timeout(PATIENCE, client.recv(&mut reply)).await.expect("in time").unwrap();
        assert!(is_ctime(&reply[..bytes]), "{bytes} bytes");
    }
}

#[tokio::test]
async fn so_it_is_with_several_addresses_of_one_interface() {
    if !is_inside("so_it_is_with_several_addresses_of_one_interface", MANY_ADDRESSES) {
        return;
    }
    let (v4, all) = (Server::start_on(ALL_V4, &[]), Server::start_on(ALL, &[]));
    // A client that had the address that it asks would be answered from there in any case.
    for (client, asked, server) in [
        ("192.0.2.1", "192.0.2.2", &v4),
        ("192.0.2.2", "192.0.2.1", &v4),
        ("192.0.2.1", "192.0.2.2", &all),
        ("192.0.2.2", "192.0.2.1", &all),
        ("2001:db8::1", "2001:db8::2", &all),
        ("2001:db8::2", "2001:db8::1", &all),
    ] {
        let asks = udp_answers_from(client.parse().unwrap(), at(asked, server.udp));
        assert!(asks.await, "{client} asks {asked}");
    }
    // From a broadcast address nobody can answer: the reply comes from an ordinary one.
    let client = UdpSocket::bind("192.0.2.1:0").await.unwrap();
    client.set_broadcast(true).unwrap();
    for server in [&v4, &all] {
        client.send_to(b"?", at("192.0.2.255", server.udp)).await.unwrap();
        let mut reply = [0; 64];
        let (bytes, from) = timeout(PATIENCE, client.recv_from(&mut reply)).await.unwrap().unwrap();
        assert!(is_ctime(&reply[..bytes]) && from.port() == server.udp.port(), "{from}");
    }
}

#[tokio::test]
async fn what_is_shown_is_where_the_visitor_came() {
    for listening in [ALL_V4, ALL] {
        if listening == ALL && !has_v6() {
            return;
        }
        let server = Server::start_on(listening, &["--host=lab.example"]);
        let port = server.http.port();
        let mut ways = vec![
            ("127.0.0.1", format!("127.0.0.1:{port}"), "127.0.0.1"),
            ("127.0.0.2", format!("127.0.0.2:{port}"), "127.0.0.2"),
            ("127.0.0.1", format!("localhost:{port}"), "127.0.0.1"),
            ("127.0.0.1", format!("0.0.0.0:{port}"), "127.0.0.1"),
            // Somebody's router leads here.
            ("127.0.0.1", format!("198.51.100.7:{port}"), "198.51.100.7"),
            ("127.0.0.1", format!("lab.example:{port}"), "lab.example"),
        ];
        if listening == ALL {
            ways.push(("::1", format!("[::1]:{port}"), "[::1]"));
            ways.push(("::1", format!("localhost:{port}"), "[::1]"));
        }
        for (address, host, shown) in ways {
            let http = at(address, server.http);
            let [tcp, udp] = [server.tcp, server.udp].map(|at| format!("{shown}:{}", at.port()));
            let page = format!("{shown}:{port}");
            assert_eq!(info(http, &host).await, [page, tcp.clone(), udp.clone()], "{host}");
            let (_session, hello) = session(http, &host).await;
            assert_eq!((hello.tcp, hello.udp), (tcp, udp), "{host}");
        }
    }
}

#[tokio::test]
async fn a_visitor_from_the_network_is_shown_the_address_in_the_network() {
    if !is_inside("a_visitor_from_the_network_is_shown_the_address_in_the_network", MANY_ADDRESSES)
    {
        return;
    }
    for (listening, address) in [(ALL_V4, "192.0.2.2"), (ALL, "192.0.2.2"), (ALL, "2001:db8::2")] {
        let server = Server::start_on(listening, &[]);
        let http = at(address, server.http);
        let (mut session, hello) = session(http, &http.to_string()).await;
        assert_eq!(hello.tcp, at(address, server.tcp).to_string());
        assert_eq!(hello.udp, at(address, server.udp).to_string());
        // What is shown is tried.
        tcp_answers(hello.tcp.parse().unwrap()).await;
        assert!(udp_answers(hello.udp.parse().unwrap()).await);
        legs_answer(&mut session).await;
    }
    // The page is there for IPv6, the servers are not.
    let server = Server::start_on(["[::]:0", "0.0.0.0:0", "0.0.0.0:0"], &[]);
    let http = at("2001:db8::1", server.http);
    let (_session, hello) = session(http, &http.to_string()).await;
    tcp_answers(hello.tcp.parse().unwrap()).await;
    assert!(udp_answers(hello.udp.parse().unwrap()).await);
}

#[tokio::test]
async fn legs_work_on_a_machine_without_ipv6() {
    let off = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";
    if !is_inside("legs_work_on_a_machine_without_ipv6", off) {
        return;
    }
    let server = Server::start_on(ALL, &[]);
    let http = at("127.0.0.1", server.http);
    let (mut session, hello) = session(http, &http.to_string()).await;
    assert_eq!(hello.tcp, at("127.0.0.1", server.tcp).to_string());
    legs_answer(&mut session).await;
}

#[tokio::test]
async fn legs_work_on_a_link_local_address_and_its_zone_is_shown() {
    let veth = "ip link add here type veth peer name there; ip link set here up; ip link set there up; \
                ip addr add fe80::7/64 dev here nodad";
    if !is_inside("legs_work_on_a_link_local_address_and_its_zone_is_shown", veth) {
        return;
    }
    let shown = Command::new("ip").args(["-o", "link", "show", "here"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let (zone, _) = shown.split_once(':').expect("its index comes first");
    let address = format!("[fe80::7%{zone}]");
    let port = &format!("{address}:0");
    let server = Server::start_on(["127.0.0.1:0", port, port], &[]);
    let (mut session, hello) = session(server.http, &server.http.to_string()).await;
    assert_eq!(hello.tcp, format!("{address}:{}", server.tcp.port()));
    assert_eq!(hello.udp, format!("{address}:{}", server.udp.port()));
    legs_answer(&mut session).await;
    tcp_answers(hello.tcp.parse().unwrap()).await;
    assert!(udp_answers(hello.udp.parse().unwrap()).await);
}

#[tokio::test]
async fn a_visitors_clients_are_found_whichever_of_its_addresses_they_use() {
    if !is_inside(
        "a_visitors_clients_are_found_whichever_of_its_addresses_they_use",
        MANY_ADDRESSES,
    ) {
        return;
    }
    let server = Server::start_on(ALL, &[]);
    for opened_at in ["127.0.0.1", "::1", "192.0.2.1", "2001:db8::1"] {
        let http = at(opened_at, server.http);
        let (mut session, _hello) = session(http, &http.to_string()).await;
        session.say(r#"{"watch":{"on":true}}"#).await;
        // Carried out when the answer to the next has come.
        session.say(r#"{"nodelay":{"on":true}}"#).await;
        session.until(|event| matches!(event, Event::Error(_))).await;
        for address in ["127.0.0.1", "127.0.0.2", "::1", "192.0.2.2", "2001:db8::2"] {
            let before = session.count(is_reply);
            tcp_answers(at(address, server.tcp)).await;
            assert!(udp_answers(at(address, server.udp)).await);
            session.until_count(before + 2, is_reply).await;
        }
    }
}

fn is_reply(event: &Event) -> bool {
    matches!(event, Event::Raw(Raw { observation: RawObservation::Reply { .. }, .. }))
}
