//! The servers that Streamgram is measured beside, in `tests/bench`, answer as it does, byte for byte.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use streamgram_tests::{PATIENCE, Server, skip};

/// A server of `tests/bench` that ends with its test.
struct Other {
    process: Child,
    at: SocketAddr,
}

impl Other {
    /// Nothing, and a line that says so, if the program is not on this machine.
    fn start(command: &mut Command) -> Option<Self> {
        let mut process = match command.stdout(Stdio::piped()).spawn() {
            Ok(process) => process,
            Err(error) => return missing(command, &error),
        };
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut()?).read_line(&mut line).expect("a line");
        Some(Self { process, at: line.trim().parse().expect("an address") })
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.process.kill().expect("a child can be killed");
        self.process.wait().expect("a child can be waited for");
    }
}

fn missing<T>(command: &Command, error: &std::io::Error) -> Option<T> {
    let program = command.get_program().display();
    skip(&format!("{program} is missing ({error}), its server is not compared"));
    None
}

fn source(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench").join(file)
}

/// Those in C and in Python for this protocol.
fn others(protocol: &str) -> Vec<Other> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{protocol}"));
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    let c = match cc.arg(source(&format!("{protocol}.c"))).status() {
        Ok(status) => {
            assert!(status.success(), "{protocol}.c has no warnings");
            Other::start(&mut Command::new(program))
        }
        Err(error) => missing(&cc, &error),
    };
    let mut python = Command::new("python3");
    python.arg(source(&format!("{protocol}.py")));
    c.into_iter().chain(Other::start(&mut python)).collect()
}

/// The same question to all: if a second ends in between, once more.
fn answer_alike(own: SocketAddr, others: &[Other], ask: impl Fn(SocketAddr) -> Vec<u8>) {
    for other in others {
        let alike = (0..3).any(|_| ask(own) == ask(other.at));
        assert!(alike, "{:?}, not {:?}", ask(other.at), ask(own));
    }
}

#[test]
fn tcp_servers_in_c_and_python_answer_byte_for_byte_as_ours() {
    let (server, others) = (Server::start(), others("tcp"));
    for line in ["hello".to_owned(), "two lines\n\n".into(), "1500 bytes".repeat(150)] {
        answer_alike(server.tcp, &others, |at| {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(line.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut replies = Vec::new();
            stream.read_to_end(&mut replies).expect("replies, and FIN");
            replies
        });
    }
}

#[test]
fn udp_servers_in_c_and_python_answer_byte_for_byte_as_ours() {
    let (server, others) = (Server::start(), others("udp"));
    for line in ["hello".to_owned(), String::new(), "1500 bytes".repeat(150)] {
        answer_alike(server.udp, &others, |at| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.send_to(line.as_bytes(), at).unwrap();
            let mut reply = [0; 64];
            let bytes = socket.recv(&mut reply).expect("a reply");
            reply[..bytes].to_vec()
        });
    }
}
