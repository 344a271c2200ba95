//! One HTTP request over a connection of its own; it goes out exactly as it is written.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PATIENCE;

/// What the server answered.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    head: String,
    /// The content, still encoded if it was.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The status line and all headers.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head
    }

    /// The content as text.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the content is text")
    }
}

/// Sends a request, with more header lines (each ending in `\r\n`).
///
/// # Panics
/// There is no answer, or not one of HTTP/1.1.
pub async fn request(http: SocketAddr, method: &str, path: &str, headers: &str) -> Response {
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n{headers}\r\n");
    let response = raw_request(http, request.as_bytes()).await;
    if let Some(length) = response.header("content-length").filter(|_| method != "HEAD") {
        assert_eq!(length.parse(), Ok(response.body.len()), "{path}");
    }
    response
}

/// Sends bytes that ask for something, and for the end of the connection after it.
///
/// # Panics
/// There is no answer, or not one of HTTP/1.1.
pub async fn raw_request(http: SocketAddr, request: &[u8]) -> Response {
    let stream = TcpStream::connect(http).await.expect("the server listens");
    exchange(stream, request).await
}

/// Sends bytes over a stream that leads to a server, and reads the answer up to its end.
///
/// # Panics
/// There is no answer, or not one of HTTP/1.1.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &[u8],
) -> Response {
    // A server that has had enough need not take all of it.
    let _taken = timeout(PATIENCE, stream.write_all(request)).await.expect("the server reads");
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // What it did not read makes its FIN an RST; the answer may be there all the same.
    let _end = read.expect("the server answers");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).expect("a head is text");
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    let status = status.and_then(|code| code.parse().ok()).expect("a status");
    Response { status, head, body }
}

/// Gets what is there.
///
/// # Panics
/// There is no answer, or not one of HTTP/1.1.
pub async fn get(http: SocketAddr, path: &str) -> Response {
    request(http, "GET", path, "").await
}
