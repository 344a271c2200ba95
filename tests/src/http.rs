//! One HTTP request over a connection of its own; the path goes out exactly as it is written.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    let mut stream = TcpStream::connect(http).await.expect("the server listens");
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: {http}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the server answers").expect("the answer is whole");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).expect("a head is text");
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.and_then(|code| code.parse().ok()).expect("a status");
    let response = Response { status, head, body };
    if let Some(length) = response.header("content-length").filter(|_| method != "HEAD") {
        assert_eq!(length.parse(), Ok(response.body.len()), "{path}");
    }
    response
}

/// Gets what is there.
///
/// # Panics
/// There is no answer, or not one of HTTP/1.1.
pub async fn get(http: SocketAddr, path: &str) -> Response {
    request(http, "GET", path, "").await
}
