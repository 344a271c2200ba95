//! The command line: what it prints, how it fails.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use streamgram_protocol::{Event, Limits};
use streamgram_tests::{Browser, SOON, Server, binary};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const FREE: [&str; 6] = ["--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"];

/// Runs what must end by itself.
fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).stdin(Stdio::null()).output().expect("it starts")
}

/// An address that was free a moment ago: the test needs to know it before the server does.
fn free_address() -> SocketAddr {
    // All of 127/8 is loopback on Linux. At an address where nobody else connects from, no client of
    // another test is given the port meanwhile.
    let host = if cfg!(target_os = "linux") { "127.0.0.77:0" } else { "127.0.0.1:0" };
    let socket = TcpListener::bind(host).expect("a free port");
    socket.local_addr().expect("a bound socket")
}

/// Fails within a second, with one line that names the address and the cause.
fn fails_at_once(arguments: &[&str], address: &str, cause: &str) {
    let since = Instant::now();
    let output = run(arguments);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("an error is text");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(address) && said.contains(cause), "{said}");
}

#[test]
fn the_first_line_tells_the_real_addresses() {
    let mut process = Command::new(binary())
        .args(FREE)
        .args(["--log", "off"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    for name in ["http", "tcp", "udp"] {
        let address: SocketAddr = ready[name].as_str().unwrap().parse().unwrap();
        assert!(address.ip().is_loopback() && address.port() > 0, "{address}");
    }
    assert_eq!(ready.as_object().unwrap().len(), 3);
    process.kill().unwrap();
    process.wait().unwrap();
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "", "nothing is logged when the log is off");
}

#[test]
fn a_port_in_use_is_named_and_the_others_are_left_free() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp_address = taken.local_addr().unwrap().to_string();
    let udp_address = taken_udp.local_addr().unwrap().to_string();
    for (flag, address) in
        [("--http", &tcp_address), ("--tcp", &tcp_address), ("--udp", &udp_address)]
    {
        let mut arguments = FREE.map(str::to_owned);
        let at = FREE.iter().position(|this| *this == flag).unwrap();
        let others = [1, 3, 5].into_iter().filter(|other| *other != at + 1);
        let others: Vec<_> = others.map(|other| (other, free_address())).collect();
        arguments[at + 1].clone_from(address);
        for (other, free) in &others {
            arguments[*other] = free.to_string();
        }
        fails_at_once(&arguments.each_ref().map(String::as_str), address, "in use");
        for (_, free) in others {
            TcpListener::bind(free).unwrap();
            UdpSocket::bind(free).unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_that_was_killed_can_be_started_again_at_once() {
    let server = Server::start();
    let [http, tcp, udp] = [server.http, server.tcp, server.udp].map(|at| at.to_string());
    // Connections that the system keeps for a while after the process has gone.
    let mut client = TcpStream::connect(server.tcp).await.unwrap();
    client.write_all(b"?").await.unwrap();
    client.readable().await.unwrap();
    let _session = Browser::connect_both(server.http).await;
    drop(server);
    let since = Instant::now();
    let mut again = Command::new(binary())
        .args(["--http", &http, "--tcp", &tcp, "--udp", &udp])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(again.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready_after = since.elapsed();
    again.kill().unwrap();
    again.wait().unwrap();
    assert!(line.contains(&http) && ready_after < SOON, "{line} {ready_after:?}");
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    for flag in ["--http", "--tcp", "--udp"] {
        let address = "192.0.2.1:9";
        let mut arguments = FREE;
        let at = FREE.iter().position(|this| *this == flag).unwrap();
        arguments[at + 1] = address;
        fails_at_once(&arguments, address, "assign");
    }
}

#[test]
fn a_bad_flag_ends_with_2_and_is_named() {
    for (arguments, named) in [
        (["--burst-linse", "5"], "--burst-linse"),
        (["--burst-lines", "many"], "many"),
        (["--burst-lines", "0"], "--burst-lines"),
        (["--line-bytes", "65508"], "--line-bytes"),
        (["--message-bytes", "1"], "--message-bytes"),
        (["--tcp", "nowhere"], "nowhere"),
        (["--log", "loud"], "loud"),
        (["dance", "slowly"], "dance"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn help_names_every_limit_and_its_default() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    let limits = serde_json::to_value(Limits::default()).unwrap();
    for (name, value) in limits.as_object().unwrap() {
        let flag = format!("--{}", name.replace('_', "-"));
        let (_, about) = help.split_once(&flag).unwrap_or_else(|| panic!("{flag} is missing"));
        let about = about.split("\n  -").next().unwrap();
        assert!(about.contains(&format!("default: {value}")), "{flag}{about}");
        assert!(about.contains(&format!("STREAMGRAM_{}", name.to_uppercase())), "{flag}{about}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = run(&["--version"]);
    let expected = format!("streamgram {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[tokio::test]
async fn a_limit_can_be_set_by_its_environment_variable_and_a_flag_is_stronger() {
    let mut command = Command::new(binary());
    command.env("STREAMGRAM_BURST_LINES", "7").env("STREAMGRAM_LINE_BYTES", "70");
    command.args(["--line-bytes", "80"]);
    let server = Server::spawn(command);
    let browser = Browser::connect(server.http).await;
    let Event::Hello(hello) = &browser.messages[0].event else { panic!("hello comes first") };
    assert_eq!((hello.limits.burst_lines, hello.limits.line_bytes), (7, 80));
}
