//! Who comes to do harm: one small function for each kind, in a file for each surface. What must come of
//! most of them is checked; it is what `docs/reliability.md` says.

mod http;
mod tcp;
mod udp;
mod websocket;
mod websocket_silent;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::visitor::Crowd;

/// Adds all of them to a crowd.
pub(crate) fn join(crowd: &mut Crowd) {
    crowd.attackers(&http::KINDS);
    crowd.attackers(&tcp::KINDS);
    crowd.attackers(&udp::KINDS);
    crowd.attackers(&websocket::KINDS);
    crowd.attackers(&websocket_silent::KINDS);
}

/// How long an attacker waits for its end: longer than any limit that is set.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A connection over which this was sent.
async fn sent(to: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.expect("the server listens");
    // It may have had enough before the end.
    let _taken = stream.write_all(bytes).await;
    stream
}

/// Everything up to the end, however the connection ends.
async fn until_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _end = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it is ended");
    all
}

/// Writes the same again and again and never reads, until the server ends it.
async fn floods(mut stream: TcpStream, bytes: &[u8]) {
    let flood = async { while stream.write_all(bytes).await.is_ok() {} };
    timeout(PATIENCE, flood).await.expect("who does not read is ended");
}

/// A connection that takes little, so that who reads nothing need not be sent megabytes before it is
/// noticed.
async fn narrow(to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a size");
    socket.connect(to).await.expect("the server listens")
}

/// A connection of somebody else: all of 127/8 is loopback.
async fn stranger(to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("loopback on Linux");
    socket.connect(to).await.expect("the server listens")
}
