//! The command line: what it prints, how it fails.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use streamgram_protocol::{Event, Limits};
use streamgram_tests::{Browser, SOON, Server, binary, raw_request, skip};
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

/// Fails within a second, with one line that names what is wrong and the cause.
fn fails_at_once(arguments: &[&str], wrong: &str, cause: &str) {
    let since = Instant::now();
    let output = run(arguments);
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("an error is text");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(wrong) && said.contains(cause), "{said}");
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

/// What a shell starts after a command of its own, `ulimit -n 14` for example.
#[cfg(unix)]
fn run_after(command: &str, arguments: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command}; exec \"$0\" \"$@\"")]).arg(binary());
    shell.args(arguments).stdin(Stdio::null()).output().expect("a shell")
}

/// Ended with 1, one line, and nothing on standard output.
fn failed(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("an error is text");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[cfg(unix)]
#[test]
fn too_few_files_are_said_before_anything_listens() {
    for files in [14, 71] {
        let said = failed(run_after(&format!("ulimit -n {files}"), &FREE));
        assert!(said.contains(&format!("open files is {files}, at least 72")), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_that_the_system_does_not_give_are_said() {
    // The limit itself would not hold for root.
    let strace = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"];
    let fail = ["-e", "inject=clone,clone3:error=EAGAIN:when=3+"];
    let mut command = Command::new("strace");
    command.args(strace).args(fail).arg(binary()).args(FREE).args(["--threads", "4"]);
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) if !output.stderr.starts_with(b"strace: ") => output,
        refused => return skip(&format!("threads cannot be refused here: {refused:?}")),
    };
    let said = failed(output);
    assert!(said.contains("the 4 threads that --threads asks for, and four more: "), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_takes_nothing_is_named() {
    for flags in [&FREE[..], &["--check"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output =
            Command::new(binary()).args(flags).args(["--log", "off"]).stdout(full).output();
        let said = failed(output.unwrap());
        assert!(said.contains("cannot write to standard output: No space left"), "{said}");
    }
}

#[test]
fn a_flag_that_could_never_match_is_refused_with_the_reason() {
    for (flag, value, reason) in [
        ("--host", "lab.example:8000", "scheme and port"),
        ("--host", "http://lab.example", "scheme and port"),
        ("--allow-origin", "class.example", "https://NAME"),
        ("--allow-origin", "https://class.example/page", "https://NAME"),
        ("--trusted-proxy", "proxy.example", "10.0.0.0/8"),
    ] {
        let output = run(&[flag, value, "--check"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!([flag, value, reason].iter().all(|it| said.contains(it)), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_flag() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [text, certificate] = ["text.pem", "certificate.pem"].map(|name| folder.join(name));
    fs::write(&text, "no certificate, no key").unwrap();
    fs::write(&certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    let [text, certificate] = [text, certificate].map(|path| path.display().to_string());
    for (file, cause) in [("missing.pem", "os error 2"), (&text, "")] {
        for (flag, with) in [
            ("--nats-creds", None),
            ("--nats-ca", None),
            ("--nats-cert", Some(format!("--nats-key={text}"))),
            ("--nats-key", Some(format!("--nats-cert={certificate}"))),
        ] {
            let mut flags = FREE.to_vec();
            flags.extend(["--nats=nats://127.0.0.1:1", flag, file]);
            flags.extend(with.as_deref());
            for check in [None, Some("--check")] {
                flags.extend(check);
                fails_at_once(&flags, &format!("cannot read {file} of {flag}: "), cause);
            }
        }
    }
}

#[tokio::test]
async fn a_name_is_served_however_the_flag_writes_it() {
    let server = Server::start_with(&["--host=教室.Example."]);
    for host in ["xn--wbtt9t.example", "XN--WBTT9T.EXAMPLE.:8000", "localhost.", "x.localhost:1"] {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(raw_request(server.http, request.as_bytes()).await.status, 200, "{host}");
    }
}

#[test]
fn an_empty_variable_is_none_and_a_switch_takes_1_and_true() {
    let check = |name: &str, value: &str, command: &[&str]| {
        Command::new(binary()).env(name, value).args(command).arg("--check").output().unwrap()
    };
    for command in [&[][..], &["serve"]] {
        for name in
            ["STREAMGRAM_ADMIN", "STREAMGRAM_HOST", "STREAMGRAM_HTTP", "STREAMGRAM_SESSIONS"]
        {
            let output = check(name, "", command);
            assert!(output.status.success(), "{name}: {output:?}");
        }
        for value in ["1", "true", "0", "false", ""] {
            let output = check("STREAMGRAM_REQUIRE_ORIGIN", value, command);
            assert!(output.status.success(), "{value}: {output:?}");
        }
        let output = check("STREAMGRAM_HTTP", "bad", command);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

#[test]
fn a_client_does_not_look_at_the_variables_of_a_server() {
    for command in [&["tcp", "127.0.0.1:1"][..], &["sweep", "--runs=1", "--loss=1"]] {
        let mut client = Command::new(binary());
        client.env("STREAMGRAM_HTTP", "bad").env("STREAMGRAM_SESSIONS", "-1").args(command);
        let output = client.stdin(Stdio::null()).output().unwrap();
        assert_ne!(output.status.code(), Some(2), "{output:?}");
    }
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
