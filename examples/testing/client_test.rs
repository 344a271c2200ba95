//! A client in Rust, tested against a server that cuts its replies off: rustc --test client_test.rs && ./client_test

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, io};

/// The client under test: sends a line and reads the reply, which is 27 bytes longer.
fn ask(server: &mut TcpStream, line: &str) -> io::Result<String> {
    server.write_all(line.as_bytes())?;
    let mut reply = vec![0; line.len() + 27];
    server.read_exact(&mut reply)?;
    String::from_utf8(reply).map_err(io::Error::other)
}

/// A server that ends with its test, and where its faulty server listens.
struct Peer(Child, String);

impl Peer {
    fn start(recipe: &str) -> Self {
        let streamgram = env::var("STREAMGRAM_BIN").unwrap_or("streamgram".into());
        let mut peer = Command::new(streamgram)
            .args(["--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0", "--log=warn"])
            .arg(format!("--fault-tcp=127.0.0.1:0;{recipe}"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(peer.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // {"http":"…","tcp":"…","udp":"…","faults":[{"protocol":"tcp","address":"…","recipe":"…"}]}
        let address = line.split(r#""address":""#).nth(1).unwrap().split('"').next().unwrap();
        Self(peer, address.into())
    }

    fn connect(&self) -> TcpStream {
        let server = TcpStream::connect(&self.1).unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        server
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_reply_in_pieces_is_one_reply() {
    let peer = Peer::start("split;seed=7");
    assert!(ask(&mut peer.connect(), "hello").unwrap().ends_with("] hello"));
}

#[test]
fn a_reply_that_ends_in_its_midst_is_an_error() {
    let peer = Peer::start("cut;seed=7");
    assert_eq!(ask(&mut peer.connect(), "hello").unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let peer = Peer::start("silent");
    let mut server = peer.connect();
    server.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = ask(&mut server, "hello").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}
