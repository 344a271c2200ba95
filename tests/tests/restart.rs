//! A service manager that holds the sockets restarts the server, and nobody is refused.
// Windows hands over no descriptors.
#![cfg(unix)]

use std::net::{Shutdown, SocketAddr, TcpListener, UdpSocket as StdUdpSocket};
use std::process::Stdio;
use std::time::Duration;

use streamgram_tests::{Browser, PATIENCE, Server, ServiceManager, get, is_ctime, is_stamped};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{interval, timeout};

/// Requests a second over HTTP and TCP.
const RATE: u32 = 500;
/// And over UDP: while no server is there the socket has room for some 270 datagrams, and more would be lost.
const DATAGRAMS: u32 = 50;
const RESTARTS: usize = 5;

async fn ask_http(http: SocketAddr) {
    assert_eq!(get(http, "/healthz").await.status, 200);
}

async fn ask_tcp(tcp: SocketAddr) {
    let mut client = TcpStream::connect(tcp).await.expect("somebody listens");
    client.write_all(b"?").await.expect("the connection lives");
    let mut reply = [0; 28];
    let read = timeout(PATIENCE, client.read_exact(&mut reply)).await.expect("a reply in time");
    read.expect("a reply");
    assert!(is_stamped(&reply), "{reply:?}");
}

async fn ask_udp(udp: SocketAddr) {
    let client = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    client.send_to(b"?", udp).await.expect("the socket takes it");
    let mut reply = [0; 64];
    let bytes = timeout(PATIENCE, client.recv(&mut reply)).await.expect("a reply in time");
    assert!(is_ctime(&reply[..bytes.expect("a reply")]), "{reply:?}");
}

/// Asks so many times a second until it is let go of, and then says how often all went well.
fn crowd<Asked: Future<Output = ()> + Send + 'static>(
    ask: fn(SocketAddr) -> Asked,
    server: SocketAddr,
    rate: u32,
    mut is_over: tokio::sync::watch::Receiver<bool>,
) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let (mut asked, mut pulse) = (JoinSet::new(), interval(Duration::from_secs(1) / rate));
        while !*is_over.borrow_and_update() {
            pulse.tick().await;
            asked.spawn(ask(server));
        }
        asked.join_all().await.len()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_refuses_nobody() {
    let sockets = ServiceManager::new();
    let unlimited = [
        "--udp-per-s=1000000",
        "--udp-per-address-per-s=1000000",
        "--udp-per-network-per-s=1000000",
    ];
    let mut server = sockets.start(&unlimited);
    let Server { http, tcp, udp, .. } = server;
    let (over, is_over) = tokio::sync::watch::channel(false);
    let crowds = [
        crowd(ask_http, http, RATE, is_over.clone()),
        crowd(ask_tcp, tcp, RATE, is_over.clone()),
        crowd(ask_udp, udp, DATAGRAMS, is_over),
    ];
    for _ in 0..RESTARTS {
        ask_http(http).await;
        let stopped = spawn_blocking(move || server.stop()).await.unwrap();
        assert!(stopped.0.success(), "{stopped:?}");
        server = sockets.start(&unlimited);
        assert_eq!([server.http, server.tcp, server.udp], [http, tcp, udp]);
    }
    ask_http(http).await;
    over.send(true).unwrap();
    for crowd in crowds {
        assert!(crowd.await.expect("nobody was refused") > RESTARTS);
    }
}

#[tokio::test]
async fn only_what_was_handed_over_is_not_opened_by_the_server() {
    let handed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = handed.local_addr().unwrap();
    let server = ServiceManager::with(vec![("tcp", handed.into())]).start(&[]);
    assert_eq!(server.tcp, address);
    Browser::connect_both(server.http).await;
}

#[test]
fn a_socket_that_cannot_be_used_is_named() {
    let listener = || TcpListener::bind("127.0.0.1:0").unwrap().into();
    let datagrams = || StdUdpSocket::bind("127.0.0.1:0").unwrap().into();
    for (handed, named) in [
        (vec![("web", listener())], "socket 0 of LISTEN_FDS has the name \"web\""),
        (vec![("udp", listener())], "socket 0 of LISTEN_FDS, udp: "),
        (vec![("udp", datagrams()), ("http", datagrams())], "socket 1 of LISTEN_FDS, http: "),
        (
            vec![("tcp", listener()), ("udp", datagrams()), ("tcp", listener())],
            "socket 2 of LISTEN_FDS: there is another one with the name tcp",
        ),
    ] {
        let mut command = ServiceManager::with(handed).command(&[]);
        let output = command.stdout(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(named) && said.lines().count() == 1, "{said}");
    }
}

#[tokio::test]
async fn a_listener_that_dies_ends_the_process_and_is_named() {
    for name in ["http", "tcp"] {
        let sockets = ServiceManager::new();
        let mut command = sockets.command(&[]);
        command.stderr(Stdio::piped());
        let mut server = Server::spawn(command);
        let browser = Browser::connect(server.http).await;
        sockets.socket(name).shutdown(Shutdown::Both).unwrap();
        assert_eq!(browser.closed().await.code, 1001);
        let (status, mut log) = spawn_blocking(move || {
            let status = server.wait();
            (status, server.stderr().expect("a pipe"))
        })
        .await
        .unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut log, &mut said).unwrap();
        assert_eq!(status.code(), Some(1), "{said}");
        let line = format!("the {} listener has ended", name.to_uppercase());
        assert!(said.contains(&line), "{said}");
    }
}
