//! The TCP timestamp server, byte for byte, over raw sockets.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test does")]

use std::time::Duration;

use streamgram_protocol::{READ_BYTES, STAMP_LEN};
use streamgram_tests::{PATIENCE, Server, assert_ctime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Sends everything, then FIN; returns every byte that came back.
async fn exchange(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    let (mut replies, mut sends) = stream.split();
    let sending = async {
        sends.write_all(bytes).await.unwrap();
        sends.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let receiving = timeout(PATIENCE, replies.read_to_end(&mut received));
    let (_, received_all) = tokio::join!(sending, receiving);
    received_all.expect("the server ends its side").expect("without a reset");
    received
}

/// Takes one reply to `bytes` off the front; what is left.
fn take_reply<'r>(replies: &'r [u8], bytes: &[u8]) -> &'r [u8] {
    assert_eq!(replies[0], b'[');
    assert_ctime(&replies[1..25]);
    assert_eq!(&replies[25..STAMP_LEN], b"] ");
    assert_eq!(&replies[STAMP_LEN..STAMP_LEN + bytes.len()], bytes);
    &replies[STAMP_LEN + bytes.len()..]
}

#[tokio::test]
async fn a_line_without_a_newline_is_answered_at_once_with_stamp_and_echo() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    for line in ["hello", "again", "你好"] {
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut reply = vec![0; STAMP_LEN + line.len()];
        timeout(PATIENCE, stream.read_exact(&mut reply)).await.unwrap().unwrap();
        assert!(take_reply(&reply, line.as_bytes()).is_empty());
    }
}

#[tokio::test]
async fn a_half_closed_client_still_gets_its_reply_and_then_fin() {
    let server = Server::start();
    assert!(take_reply(&exchange(&server, b"hi").await, b"hi").is_empty());
}

#[tokio::test]
async fn a_byte_that_is_not_utf8_comes_back_and_hurts_nobody() {
    let server = Server::start();
    assert!(take_reply(&exchange(&server, &[0xf0]).await, &[0xf0]).is_empty());
    assert!(take_reply(&exchange(&server, b"next").await, b"next").is_empty());
}

#[tokio::test]
async fn fifteen_hundred_bytes_get_two_replies() {
    let server = Server::start();
    let bytes = "汉".repeat(500).into_bytes();
    let replies = exchange(&server, &bytes).await;
    let rest = take_reply(&replies, &bytes[..READ_BYTES]);
    assert!(take_reply(rest, &bytes[READ_BYTES..]).is_empty());
}

#[tokio::test]
async fn control_characters_markup_and_false_stamps_come_back_as_they_are() {
    let server = Server::start();
    let bytes = "\x1b[2J\x1b]0;t\x07\r\n\0<script>\u{202e}[Mon Nov 23 05:52:57 2026] x";
    let replies = exchange(&server, bytes.as_bytes()).await;
    assert!(take_reply(&replies, bytes.as_bytes()).is_empty());
}

#[tokio::test]
async fn a_reset_client_and_a_silent_one_end_only_their_own_connections() {
    let server = Server::start();
    let silent = TcpStream::connect(server.tcp).await.unwrap();
    let mut steady = TcpStream::connect(server.tcp).await.unwrap();
    for _ in 0..50 {
        let mut rude = TcpStream::connect(server.tcp).await.unwrap();
        rude.write_all(b"data, then RST").await.unwrap();
        rude.set_zero_linger().unwrap();
    }
    steady.write_all(b"still here").await.unwrap();
    let mut reply = [0; STAMP_LEN + 10];
    timeout(PATIENCE, steady.read_exact(&mut reply)).await.unwrap().unwrap();
    assert!(take_reply(&reply, b"still here").is_empty());
    drop(silent);
}

#[tokio::test]
async fn two_hundred_clients_at_once_each_get_their_own_bytes() {
    let server = Server::start();
    let mut clients = JoinSet::new();
    for client in 0..200 {
        let address = server.tcp;
        clients.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            for line in 0..10 {
                let line = format!("client {client} line {line}");
                stream.write_all(line.as_bytes()).await.unwrap();
                let mut reply = vec![0; STAMP_LEN + line.len()];
                stream.read_exact(&mut reply).await.unwrap();
                assert!(take_reply(&reply, line.as_bytes()).is_empty());
            }
        });
    }
    timeout(PATIENCE, clients.join_all()).await.unwrap();
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_only_itself() {
    let server = Server::start();
    let mut greedy = TcpStream::connect(server.tcp).await.unwrap();
    let flood = vec![b'x'; 1 << 16];
    // Until the kernel's buffers on both ways are full and the server waits for this client.
    while let Ok(written) = timeout(Duration::from_millis(300), greedy.write(&flood)).await {
        written.unwrap();
    }
    assert!(take_reply(&exchange(&server, b"hi").await, b"hi").is_empty());
}
