//! `streamgram::TestServer`, as somebody uses it who tests a client: in this process, with and without a runtime.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use streamgram::{StartError, TestServer};
use streamgram_tests::{PATIENCE, get, is_ctime, is_stamped};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Servers that a process has at a time here.
const MANY: usize = 20;

/// What a stop may take when a client holds its connection and reads nothing: half a second, and room for a
/// busy machine.
const QUICK: Duration = Duration::from_secs(4);

fn connect(server: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(server).expect("TCP accepts");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    client
}

/// Asks over both protocols, as any client does.
fn ask(server: &TestServer) {
    let mut client = connect(server.tcp());
    client.write_all(b"hello").expect("TCP takes bytes");
    let mut reply = [0; 32];
    client.read_exact(&mut reply).expect("TCP answers");
    assert!(is_stamped(&reply) && reply.ends_with(b"] hello"), "{reply:?}");

    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    client.send_to(b"hello", server.udp()).expect("loopback takes it");
    let (length, from) = client.recv_from(&mut reply).expect("UDP answers");
    assert!(is_ctime(&reply[..length]) && from == server.udp(), "{reply:?}");
}

#[test]
fn a_test_without_a_runtime_has_a_server() {
    let server = TestServer::start().unwrap();
    assert!(server.tcp().ip().is_loopback() && server.udp().ip().is_loopback());
    assert!(server.faulty_tcp().is_empty() && server.faulty_udp().is_empty());
    ask(&server);
}

#[tokio::test]
async fn a_test_with_a_runtime_of_one_thread_has_a_server_and_its_api() {
    let server = TestServer::start().unwrap();
    let info = get(server.http(), "/api/info").await;
    assert!(info.text().contains(&server.tcp().to_string()), "{}", info.text());
    let mut client = tokio::net::TcpStream::connect(server.tcp()).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let mut reply = [0; 32];
    client.read_exact(&mut reply).await.unwrap();
    assert!(is_stamped(&reply) && reply.ends_with(b"] hello"), "{reply:?}");
}

#[test]
fn faulty_servers_come_in_the_order_in_which_they_were_asked_for() {
    let server = TestServer::builder()
        .fault_tcp("altered")
        .fault_udp("truncate=4")
        .fault_tcp("fin=7")
        .fault_udp("stranger")
        .start()
        .unwrap();
    let [altered, cut] = server.faulty_tcp().try_into().unwrap();
    let mut client = connect(altered);
    client.write_all(b"hello").unwrap();
    let mut reply = [0; 32];
    client.read_exact(&mut reply).unwrap();
    assert!(is_stamped(&reply) && !reply.ends_with(b"hello"), "{reply:?}");
    let mut client = connect(cut);
    client.write_all(b"hello").unwrap();
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 7);

    let [short, stranger] = server.faulty_udp().try_into().unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"hello", short).unwrap();
    assert_eq!(client.recv_from(&mut reply).unwrap(), (4, short));
    client.send_to(b"hello", stranger).unwrap();
    assert_ne!(client.recv_from(&mut reply).unwrap().1, stranger);
    // The right ones are beside them.
    ask(&server);
}

#[test]
fn many_live_in_one_process_and_none_outlives_its_value() {
    let servers: Vec<_> = (0..MANY).map(|_| TestServer::start().unwrap()).collect();
    servers.iter().for_each(ask);
    let addresses: Vec<_> = servers.iter().map(|server| (server.tcp(), server.udp())).collect();
    drop(servers);
    for (tcp, udp) in addresses {
        assert_eq!(TcpStream::connect(tcp).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        UdpSocket::bind(udp).expect("nobody has the port any more");
    }
}

#[tokio::test]
async fn a_client_that_stays_and_reads_nothing_does_not_hold_up_the_end() {
    let server = TestServer::builder()
        .fault_tcp("accept=silent")
        .fault_tcp("stall=0")
        .fault_tcp("delay=10000")
        .start()
        .unwrap();
    let mut stay = Vec::new();
    for address in [[server.tcp()].as_slice(), &server.faulty_tcp()].concat() {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        stay.push(client);
    }
    let since = Instant::now();
    drop(server);
    assert!(since.elapsed() < QUICK, "{:?}", since.elapsed());
}

#[test]
fn what_is_no_recipe_is_named() {
    let wrong = TestServer::builder().fault_tcp("split=1").fault_udp("split=1").start();
    let Err(StartError::Recipe { recipe, .. }) = &wrong else { panic!("{wrong:?}") };
    assert_eq!(recipe, "split=1");
    let said = wrong.unwrap_err().to_string();
    assert!(said.starts_with("\"split=1\" is no recipe: ") && said.contains("truncate"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn neither_environment_nor_process_matter_to_it() {
    const CAUGHT: &str = "SigCgt:\t";
    let caught = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(CAUGHT));
        u64::from_str_radix(line.unwrap(), 16).unwrap()
    };
    let before = caught();
    let server = TestServer::start().unwrap();
    ask(&server);
    assert_eq!(caught(), before, "no handler of signals");
    assert!(!tracing::dispatcher::has_been_set(), "no logger");
}

#[test]
#[cfg(target_os = "linux")]
fn variables_and_sockets_for_a_server_of_the_process_are_not_for_this_one() {
    // In a process of its own: it has the variables, and the sockets that they promise are not there.
    let test = std::env::current_exe().unwrap();
    let run = r#"LISTEN_PID=$$ exec "$0" --exact neither_environment_nor_process_matter_to_it"#;
    let ran = Command::new("sh")
        .args(["-c", run])
        .arg(test)
        .envs([("LISTEN_FDS", "3"), ("LISTEN_FDNAMES", "http:tcp:udp")])
        .envs(["HTTP", "TCP", "UDP", "ADMIN", "THREADS", "LOG"].map(nonsense))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(target_os = "linux")]
fn nonsense(variable: &str) -> (String, &'static str) {
    (format!("STREAMGRAM_{variable}"), "nonsense")
}
