//! The UDP timestamp server from outside: one reply of 24 bytes for every datagram, whatever is in it.

use std::net::SocketAddr;
use std::process::Command;

use streamgram_protocol::{CTIME_LEN, MAX_DATAGRAM};
use streamgram_tests::{PATIENCE, Server, binary, is_ctime, now_second, utc_ctime};
use tokio::net::UdpSocket;
use tokio::time::timeout;

async fn client(server: SocketAddr) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    client.connect(server).await.expect("a socket takes a peer");
    client
}

async fn reply(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; MAX_DATAGRAM];
    let received = timeout(PATIENCE, client.recv(&mut buffer)).await.expect("a reply comes");
    buffer.truncate(received.expect("the server listens"));
    buffer
}

async fn ask(client: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    client.send(datagram).await.expect("the socket takes it");
    reply(client).await
}

#[tokio::test]
async fn every_datagram_gets_one_reply_of_24_bytes_and_no_echo() {
    let server = Server::start();
    for length in [0, 1, 1_023, 1_024, 1_025, 9_000, MAX_DATAGRAM] {
        let client = client(server.udp).await;
        let answer = ask(&client, &vec![b'x'; length]).await;
        assert_eq!(answer.len(), CTIME_LEN, "{length} bytes");
        assert!(is_ctime(&answer), "{length} bytes: {answer:?}");

        // The server answers in order: with the reply to a second datagram from the same socket here,
        // a second reply to the first would be here too.
        assert!(is_ctime(&ask(&client, b"y").await));
        let more = client.try_recv(&mut [0; 64]);
        assert_eq!(more.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{length} bytes");
    }
}

#[tokio::test]
async fn the_reply_is_the_time_that_the_clock_shows() {
    let mut command = Command::new(binary());
    command.env("TZ", "UTC");
    let server = Server::spawn(command);
    let client = client(server.udp).await;
    let before = now_second();
    let answer = String::from_utf8(ask(&client, b"x").await).unwrap();
    let possible: Vec<_> = (before..=now_second()).map(utc_ctime).collect();
    assert!(possible.contains(&answer), "{answer} is not one of {possible:?}");
}

#[tokio::test]
async fn senders_that_are_gone_before_the_reply_do_no_harm() {
    let server = Server::start();
    let other = client(server.udp).await;
    for _ in 0..200 {
        let gone = client(server.udp).await;
        gone.send(b"gone").await.unwrap();
        drop(gone);
        assert!(is_ctime(&ask(&other, b"still here").await));
    }
}

#[tokio::test]
async fn two_clients_get_their_own_replies() {
    let server = Server::start();
    let (first, second) = (client(server.udp).await, client(server.udp).await);
    for _ in 0..3 {
        first.send(b"a").await.unwrap();
    }
    second.send(b"b").await.unwrap();
    for _ in 0..3 {
        assert!(is_ctime(&reply(&first).await));
    }
    assert!(is_ctime(&reply(&second).await));
    // Nothing of the one went to the other: all four datagrams are answered, in order, before these.
    for client in [&first, &second] {
        assert!(is_ctime(&ask(client, b"c").await));
        let more = client.try_recv(&mut [0; 64]);
        assert_eq!(more.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}
