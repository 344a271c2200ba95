//! The UDP timestamp server, byte for byte, over raw sockets.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test does")]

use std::net::SocketAddr;

use streamgram_protocol::{CTIME_LEN, MAX_DATAGRAM};
use streamgram_tests::{PATIENCE, Server, assert_ctime};
use tokio::net::UdpSocket;
use tokio::time::timeout;

async fn client(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    socket
}

async fn reply(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 2 * CTIME_LEN];
    let bytes = timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap().unwrap();
    buffer.truncate(bytes);
    buffer
}

#[tokio::test]
async fn every_datagram_gets_the_time_alone_whatever_its_length() {
    let server = Server::start();
    let socket = client(server.udp).await;
    for length in [0, 1, 1_023, 1_024, 1_025, 9_000, MAX_DATAGRAM] {
        socket.send(&vec![b'x'; length]).await.unwrap();
        assert_ctime(&reply(&socket).await);
    }
    // One reply each: the next to come is that to the next datagram, and nothing is left.
    socket.send(b"last").await.unwrap();
    assert_ctime(&reply(&socket).await);
    assert!(socket.try_recv(&mut [0; 64]).is_err());
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_answered_like_any_other() {
    let server = Server::start();
    let socket = client(server.udp).await;
    socket.send(&[0xf0, 0x9f]).await.unwrap();
    assert_ctime(&reply(&socket).await);
}

#[tokio::test]
async fn senders_that_are_gone_before_the_reply_end_nothing() {
    let server = Server::start();
    for _ in 0..200 {
        client(server.udp).await.send(b"gone").await.unwrap();
    }
    let socket = client(server.udp).await;
    socket.send(b"here").await.unwrap();
    assert_ctime(&reply(&socket).await);
}

#[tokio::test]
async fn every_client_gets_its_own_replies() {
    let server = Server::start();
    let (one, two) = (client(server.udp).await, client(server.udp).await);
    for _ in 0..20 {
        one.send(b"one").await.unwrap();
    }
    two.send(b"two").await.unwrap();
    for _ in 0..20 {
        assert_ctime(&reply(&one).await);
    }
    assert_ctime(&reply(&two).await);
    assert!(two.try_recv(&mut [0; 64]).is_err());
}
