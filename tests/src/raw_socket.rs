//! A WebSocket by hand, RFC 6455, for frames that no library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use crate::{Closed, PATIENCE};

const CLOSE: u8 = 0x8;

/// A WebSocket after its handshake.
#[derive(Debug)]
pub struct RawSocket {
    reads: OwnedReadHalf,
    writes: OwnedWriteHalf,
    /// The head of the answer to the handshake, in lower case.
    pub answer: String,
}

impl RawSocket {
    /// Shakes hands, with more header lines (each ending in `\r\n`).
    ///
    /// # Panics
    /// The server does not upgrade.
    pub async fn connect(http: SocketAddr, headers: &str) -> Self {
        Self::connect_to(http, "/ws", headers).await
    }

    /// Shakes hands over another path.
    ///
    /// # Panics
    /// The server does not upgrade.
    pub async fn connect_to(http: SocketAddr, path: &str, headers: &str) -> Self {
        let stream = TcpStream::connect(http).await.expect("the server listens");
        Self::over(stream, &upgrade_request(http, path, headers)).await
    }

    /// Shakes hands over a connection.
    ///
    /// # Panics
    /// The server does not upgrade.
    pub async fn over(stream: TcpStream, request: &str) -> Self {
        let (mut reads, mut writes) = stream.into_split();
        writes.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, reads.read_u8()).await.expect("the server answers");
            answer.push(byte.expect("the head is whole"));
        }
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(answer.starts_with("http/1.1 101 "), "{answer}");
        Self { reads, writes, answer }
    }

    /// Writes bytes as they are, and then others again and again, until the server has had enough.
    pub fn write_again(mut self, first: Vec<u8>, then: Vec<u8>, pause: Duration) -> Reading {
        let writing = tokio::spawn(async move {
            let mut bytes = &first;
            while self.writes.write_all(bytes).await.is_ok() {
                bytes = &then;
                sleep(pause).await;
            }
            self.writes
        });
        Reading { reads: self.reads, _writing: writing }
    }

    /// Writes bytes as they are. A server that has had enough need not take them all.
    pub fn write(mut self, bytes: Vec<u8>) -> Reading {
        let writing = tokio::spawn(async move {
            let _taken = self.writes.write_all(&bytes).await;
            self.writes
        });
        Reading { reads: self.reads, _writing: writing }
    }
}

/// A raw WebSocket that has said its last.
#[derive(Debug)]
pub struct Reading {
    reads: OwnedReadHalf,
    // Keeps the other half open: a FIN would be another reason for the server to end.
    _writing: tokio::task::JoinHandle<OwnedWriteHalf>,
}

impl Reading {
    /// Reads frames up to the close frame, then to the end of the connection.
    ///
    /// # Panics
    /// There is no close frame, or no end after it.
    pub async fn closed(mut self) -> Closed {
        let closed = timeout(PATIENCE, async {
            loop {
                let (opcode, payload) = self.frame().await;
                if opcode == CLOSE {
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    let reason =
                        String::from_utf8(payload[2..].to_vec()).expect("a reason is text");
                    return Closed { code, reason };
                }
            }
        });
        let closed = closed.await.expect("the server closes");
        // An error is an end as well: what the server has not read makes its FIN an RST.
        let mut more = [0; 64];
        let end = timeout(PATIENCE, self.reads.read(&mut more))
            .await
            .expect("the server ends the connection");
        assert_eq!(end.unwrap_or_default(), 0, "nothing comes after a close frame");
        closed
    }

    /// The opcode and payload of the next frame.
    ///
    /// # Panics
    /// There is none.
    pub async fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.reads.read_exact(&mut head).await.expect("a frame");
        let length = match head[1] {
            126 => u64::from(self.reads.read_u16().await.expect("a length")),
            127 => self.reads.read_u64().await.expect("a length"),
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).expect("a length that fits")];
        self.reads.read_exact(&mut payload).await.expect("a whole frame");
        (head[0] & 0x0f, payload)
    }
}

/// A request for a WebSocket (RFC 6455, section 1.3), with more header lines (each ending in `\r\n`).
#[must_use]
pub fn upgrade_request(http: SocketAddr, path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {http}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         {headers}\r\n"
    )
}

/// A frame as a client must send it: masked (with zeros, which change nothing).
#[must_use]
pub fn masked_frame(flags_and_opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = masked_head(flags_and_opcode, payload.len() as u64);
    frame.extend_from_slice(payload);
    frame
}

/// The head of a frame that claims to have a payload of `length` bytes.
#[must_use]
pub fn masked_head(flags_and_opcode: u8, length: u64) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    let mut frame = vec![flags_and_opcode];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => frame.push(MASKED | short),
        (_, Ok(medium)) => {
            frame.push(MASKED | 126);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | 127);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame
}
