//! The terminal clients as processes, with our servers and with those of the article.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use streamgram_protocol::STAMP_LEN;
#[cfg(target_os = "linux")]
use streamgram_tests::skip;
use streamgram_tests::{PATIENCE, Server, binary, is_ctime, is_stamped};

/// A terminal client whose input and output are pipes.
struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
}

/// How a client ended.
struct End {
    status: ExitStatus,
    output: Vec<String>,
    errors: String,
    took: Duration,
}

impl Client {
    fn start(protocol: &str, server: SocketAddr) -> Self {
        Self::spawn(Command::new(binary()).args([protocol, &server.to_string()]))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let input = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let (sender, output) = channel();
        thread::spawn(move || {
            for line in lines {
                if sender.send(line.expect("output is text")).is_err() {
                    return;
                }
            }
        });
        Self { process, input, output }
    }

    fn type_in(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("input is open");
        input.write_all(bytes).expect("the client reads");
        input.flush().expect("the client reads");
    }

    fn line(&self) -> String {
        self.output.recv_timeout(PATIENCE).expect("a line is printed")
    }

    /// Waits for the end; with `end_of_input`, closes the input first.
    fn end(mut self, end_of_input: bool) -> End {
        if end_of_input {
            self.input = None;
        }
        let since = Instant::now();
        let mut errors = String::new();
        self.process.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
        let status = self.process.wait().expect("it ends");
        let took = since.elapsed();
        End { status, output: self.output.iter().collect(), errors, took }
    }
}

fn is_answer(line: &str, text: &str) -> bool {
    is_stamped(line.as_bytes()) && &line[STAMP_LEN..] == text
}

#[test]
fn a_line_over_tcp_is_answered_while_the_input_is_still_open() {
    let server = Server::start();
    let mut client = Client::start("tcp", server.tcp);
    for text in ["hello", "你好", "[Mon Nov 23 05:52:57 2026] x"] {
        client.type_in(format!("{text}\n").as_bytes());
        let line = client.line();
        assert!(is_answer(&line, text), "{line}");
    }
    let end = client.end(true);
    assert!(end.status.success() && end.output.is_empty() && end.errors.is_empty());
}

#[test]
fn a_line_over_udp_is_answered_while_the_input_is_still_open() {
    let server = Server::start();
    let mut client = Client::start("udp", server.udp);
    for text in ["hello", "你好"] {
        client.type_in(format!("{text}\n").as_bytes());
        let line = client.line();
        assert!(is_ctime(line.as_bytes()), "{line}");
    }
    let end = client.end(true);
    assert!(end.status.success() && end.output.is_empty() && end.errors.is_empty());
}

#[test]
fn an_empty_line_ends_the_client_after_what_is_owed() {
    let server = Server::start();
    for (protocol, address) in [("tcp", server.tcp), ("udp", server.udp)] {
        let mut client = Client::start(protocol, address);
        client.type_in(b"hello\n\nnever sent\n");
        let end = client.end(false);
        assert!(end.status.success(), "{protocol}: {}", end.errors);
        assert_eq!(end.output.len(), 1, "{protocol}: {:?}", end.output);
        assert!(!end.output[0].contains("never"), "{protocol}: {:?}", end.output);
        assert!(end.took < Duration::from_secs(2), "{protocol}: {:?}", end.took);
    }
}

#[test]
fn the_end_of_the_input_ends_the_client_after_what_is_owed() {
    let server = Server::start();
    for (protocol, address) in [("tcp", server.tcp), ("udp", server.udp)] {
        let mut client = Client::start(protocol, address);
        // The last line of a file need not end.
        client.type_in(b"hello");
        let end = client.end(true);
        assert!(end.status.success(), "{protocol}: {}", end.errors);
        assert_eq!(end.output.len(), 1, "{protocol}: {:?}", end.output);
        assert!(end.took < Duration::from_secs(2), "{protocol}: {:?}", end.took);
    }
}

#[test]
fn a_tcp_server_that_is_not_there_ends_the_client_with_1() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = socket.local_addr().unwrap();
    drop(socket);
    let client = Client::start("tcp", nobody);
    let end = client.end(false);
    assert_eq!(end.status.code(), Some(1));
    assert_eq!((end.output.len(), end.errors.lines().count()), (0, 1), "{}", end.errors);
    assert!(end.errors.contains(&nobody.to_string()), "{}", end.errors);
    assert!(end.errors.contains("refused"), "{}", end.errors);
}

#[test]
fn a_udp_server_that_is_not_there_is_noted_and_the_client_goes_on() {
    // A socket that is connected to itself holds the port and takes nothing from anybody else.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let nobody = socket.local_addr().unwrap();
    socket.connect(nobody).unwrap();
    let mut client = Client::start("udp", nobody);
    client.type_in(b"hello\n");
    let errors = BufReader::new(client.process.stderr.take().unwrap());
    let (sender, said) = channel();
    thread::spawn(move || {
        for line in errors.lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    let note = said.recv_timeout(PATIENCE).unwrap();
    assert!(note.contains("refused") && note.contains(&nobody.to_string()), "{note}");
    client.type_in(b"again\n");
    let note = said.recv_timeout(PATIENCE).unwrap();
    assert!(note.contains("refused"), "{note}");
    client.input = None;
    assert_eq!(client.process.wait().unwrap().code(), Some(1));
    assert_eq!(client.output.iter().count(), 0);
}

#[test]
fn a_udp_server_that_does_not_answer_is_no_refusal() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut client = Client::start("udp", silent.local_addr().unwrap());
    client.type_in(b"hello\n");
    let end = client.end(true);
    assert_eq!(end.status.code(), Some(0));
    assert!(end.errors.contains("1 without a reply"), "{}", end.errors);
}

/// A name with two addresses, IPv6 first, in a view of the system of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_udp_server_is_found_at_whichever_address_of_a_name_it_listens() {
    const NAME_BOTH: &str = r#"
printf '::1 both\n127.0.0.1 both\n' > "$HOSTS" && mount --bind "$HOSTS" /etc/hosts && exec "$@"
"#;
    let hosts = format!("{}/{}.hosts", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let inside = |program: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", NAME_BOTH, "sh"]).args(program).env("HOSTS", &hosts);
        command
    };
    let tried = inside(&["getent", "ahosts", "both"]).output();
    let can = tried.as_ref().is_ok_and(|tried| tried.stdout.starts_with(b"::1"));
    if !can {
        skip(&format!("a name cannot be given two addresses here: {tried:?}"));
        return;
    }
    for (listens, other) in [("127.0.0.1:0", "[::1]"), ("[::1]:0", "127.0.0.1")] {
        let server = UdpSocket::bind(listens).unwrap();
        let port = server.local_addr().unwrap().port();
        // Nobody else takes the port at the other address meanwhile.
        let held = UdpSocket::bind(format!("{other}:{port}")).unwrap();
        held.connect(held.local_addr().unwrap()).unwrap();
        thread::spawn(move || {
            let mut line = [0; 64];
            while let Ok((bytes, client)) = server.recv_from(&mut line) {
                server.send_to(&line[..bytes], client).unwrap();
            }
        });
        let binary = binary();
        let mut client = inside(&[binary.to_str().unwrap(), "udp", &format!("both:{port}")]);
        let client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut client = client.spawn().unwrap();
        client.stdin.take().unwrap().write_all(b"one\ntwo\n").unwrap();
        let end = client.wait_with_output().unwrap();
        let shown = String::from_utf8(end.stdout).unwrap();
        let errors = String::from_utf8(end.stderr).unwrap();
        assert_eq!((shown.as_str(), errors.as_str()), ("one\ntwo\n", ""), "at {listens}");
        assert!(end.status.success());
    }
    std::fs::remove_file(hosts).unwrap();
}

/// As on macOS, where a datagram above `net.inet.udp.maxdgram` is refused.
#[cfg(target_os = "linux")]
#[test]
fn a_datagram_above_the_systems_limit_is_told_with_its_size_and_the_next_line_goes_out() {
    let server = Server::start();
    let program = std::env::var_os("STRACE").unwrap_or("strace".into());
    let run = |client: &[&str]| {
        let inject = "inject=sendto:error=EMSGSIZE:when=1";
        let mut command = Command::new(&program);
        command.args(["-f", "-qq", "-e", "trace=sendto", "-e", inject, "-o", "/dev/null"]);
        command.args(client);
        command
    };
    let tried = run(&["true"]).output();
    if !tried.as_ref().is_ok_and(|tried| tried.status.success()) {
        skip(&format!("a datagram cannot be refused here: {tried:?}"));
        return;
    }
    let binary = binary();
    let udp = server.udp.to_string();
    let mut client = Client::spawn(&mut run(&[binary.to_str().unwrap(), "udp", &udp]));
    client.type_in(b"too long\nhello\n");
    let end = client.end(true);
    let words = "datagram is 8 bytes, above this system's limit";
    assert!(end.errors.contains(words) && end.errors.lines().count() == 1, "{}", end.errors);
    assert_eq!((end.output.len(), end.status.code()), (1, Some(0)));
}

#[test]
fn fifty_million_bytes_are_echoed_while_they_are_written() {
    const BYTES: usize = 50_000_000;
    let server = Server::start();
    let mut client = Client::start("tcp", server.tcp);
    let mut input = client.input.take().unwrap();
    let writing = thread::spawn(move || {
        let line = vec![b'x'; 1 << 20];
        let mut left = BYTES;
        while left > 0 {
            let bytes = left.min(line.len());
            input.write_all(&line[..bytes]).unwrap();
            left -= bytes;
        }
    });
    let mut echoed = 0;
    // A stamp has no x in it.
    while echoed < BYTES {
        echoed += client.line().bytes().filter(|byte| *byte == b'x').count();
    }
    writing.join().unwrap();
    let end = client.end(true);
    assert_eq!((echoed, end.status.code(), end.errors.as_str()), (BYTES, Some(0), ""));
}

#[test]
fn a_client_does_not_read_the_servers_variables() {
    let server = Server::start();
    for (protocol, address) in [("tcp", server.tcp), ("udp", server.udp)] {
        let mut command = Command::new(binary());
        command.args([protocol, &address.to_string()]).env("STREAMGRAM_HTTP", "bad");
        let mut client = Client::spawn(&mut command);
        client.type_in(b"hello\n");
        let end = client.end(true);
        assert!(end.status.success(), "{protocol}: {}", end.errors);
        assert_eq!(end.output.len(), 1, "{protocol}");
    }
    for command in ["serve", "sweep"] {
        let mut run = Command::new(binary());
        let run = run.args([command, "--help"]).env("STREAMGRAM_HTTP", "bad").output().unwrap();
        assert!(run.status.success(), "{command}");
    }
    let mut serve = Command::new(binary());
    let serve = serve.args(["serve", "--check"]).env("STREAMGRAM_HTTP", "bad").output().unwrap();
    assert_eq!(serve.status.code(), Some(2), "the server reads them");
}

#[test]
fn what_is_not_text_comes_back_escaped() {
    let server = Server::start();
    let mut client = Client::start("tcp", server.tcp);
    client.type_in(b"a\xf0b\x1b[2J\n");
    let line = client.line();
    assert!(is_answer(&line, r"a\xf0b\x1b[2J"), "{line}");
}

#[test]
fn a_tcp_server_that_closes_ends_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = Client::start("tcp", listener.local_addr().unwrap());
    drop(listener.accept().unwrap());
    let end = client.end(false);
    assert!(end.errors.contains("closed the connection"), "{}", end.errors);
    assert!(end.output.is_empty());
}

/// The article's TCP server: one client at a time, what one `recv(1024)` returns is one message.
fn article_tcp_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a connection");
            let mut data = [0; 1024];
            while let Ok(bytes @ 1..) = client.read(&mut data) {
                let mut reply = b"[Mon Nov 23 05:52:57 2026] ".to_vec();
                reply.extend_from_slice(&data[..bytes]);
                client.write_all(&reply).expect("the client reads");
            }
        }
    });
    address
}

/// The article's UDP server: the time alone, for every datagram.
fn article_udp_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    thread::spawn(move || {
        while let Ok((_, client)) = socket.recv_from(&mut [0; 1024]) {
            socket.send_to(b"Mon Nov 23 05:52:57 2026", client).expect("a reply goes out");
        }
    });
    address
}

#[test]
fn the_articles_servers_are_understood_one_client_after_the_other() {
    for (protocol, address, answer) in [
        ("tcp", article_tcp_server(), "[Mon Nov 23 05:52:57 2026] hello"),
        ("udp", article_udp_server(), "Mon Nov 23 05:52:57 2026"),
    ] {
        for _ in 0..3 {
            let mut client = Client::start(protocol, address);
            client.type_in(b"hello\n");
            assert_eq!(client.line(), answer);
            client.type_in(b"hello\n\n");
            let end = client.end(false);
            assert_eq!(end.output, [answer]);
            assert!(end.status.success() && end.errors.is_empty(), "{}", end.errors);
        }
    }
}
