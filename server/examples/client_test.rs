//! A client with a test of its own: what somebody copies who tests a TCP client.
//!
//! `cargo test --example client_test` runs it. In another project, `streamgram` is a dev-dependency.

use std::io::{self, Read, Write, stdout};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Bytes of a reply before what the server sends back: `[Mon Nov 23 05:52:57 2026] `.
const STAMP: usize = 27;

/// Sends a line and reads its whole reply. The reply has no end of its own: it is the stamp and as many bytes as
/// the line. One `read` may return less than that.
fn ask(server: SocketAddr, line: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(line.as_bytes())?;
    let mut reply = vec![0; STAMP + line.len()];
    stream.read_exact(&mut reply)?;
    String::from_utf8(reply).map_err(io::Error::other)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = streamgram::TestServer::builder().fault_tcp("split=1..3;seed=7").start()?;
    writeln!(stdout(), "{}", ask(server.faulty_tcp()[0], "时间 time")?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use streamgram::{StartError, TestServer};

    use super::*;

    #[test]
    fn a_reply_is_whole_however_it_is_cut() -> Result<(), StartError> {
        let server =
            TestServer::builder().fault_tcp("split=1;seed=7").fault_tcp("drip=200").start()?;
        for address in server.faulty_tcp() {
            assert!(ask(address, "时间 time").unwrap().ends_with("] 时间 time"));
        }
        Ok(())
    }

    #[test]
    fn a_reply_that_ends_early_is_an_error() -> Result<(), StartError> {
        let server = TestServer::builder().fault_tcp("fin=10").start()?;
        let error = ask(server.faulty_tcp()[0], "hello").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        Ok(())
    }
}
