//! The TCP timestamp server from outside: literal bytes over raw sockets.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use streamgram_protocol::{READ_BYTES, STAMP_LEN};
use streamgram_tests::{
    PATIENCE, SOON, Server, binary, echoes, is_ctime, is_stamped, now_second, utc_ctime,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::timeout;

async fn connect(server: SocketAddr) -> TcpStream {
    let client = timeout(PATIENCE, TcpStream::connect(server)).await.expect("the server accepts");
    let client = client.expect("the server listens");
    client.set_nodelay(true).expect("TCP has the option");
    client
}

/// Everything until the server's FIN.
async fn read_to_fin(client: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let read = timeout(PATIENCE, client.read_to_end(&mut received)).await;
    read.expect("the server closes").expect("FIN, not RST");
    received
}

/// Sends `line` in one write and takes a reply of exactly the length that one read makes.
async fn ask(client: &mut TcpStream, line: &[u8]) -> Vec<u8> {
    client.write_all(line).await.expect("the connection lives");
    let mut reply = vec![0; STAMP_LEN + line.len()];
    let read = timeout(PATIENCE, client.read_exact(&mut reply)).await;
    read.expect("a reply comes").expect("the connection lives");
    reply
}

async fn is_served(client: &mut TcpStream, line: &[u8]) {
    let reply = ask(client, line).await;
    assert!(is_stamped(&reply), "{reply:?}");
    assert_eq!(&reply[STAMP_LEN..], line);
}

/// Sends all of it in one write and FIN, and returns all replies.
async fn exchange(server: SocketAddr, input: &[u8]) -> Vec<u8> {
    let mut client = connect(server).await;
    client.write_all(input).await.expect("the connection lives");
    client.shutdown().await.expect("the connection lives");
    read_to_fin(&mut client).await
}

#[tokio::test]
async fn a_line_is_answered_without_a_newline_and_gets_none() {
    let server = Server::start();
    let mut client = connect(server.tcp).await;
    is_served(&mut client, b"hello").await;
    is_served(&mut client, b"again\n").await;
    client.shutdown().await.unwrap();
    assert_eq!(read_to_fin(&mut client).await, b"");
}

#[tokio::test]
async fn the_stamp_is_the_time_that_the_clock_shows() {
    let mut command = Command::new(binary());
    command.env("TZ", "UTC");
    let server = Server::spawn(command);
    let mut client = connect(server.tcp).await;
    let before = now_second();
    let reply = ask(&mut client, b"x").await;
    let possible: Vec<_> =
        (before..=now_second()).map(|second| format!("[{}] x", utc_ctime(second))).collect();
    let reply = String::from_utf8(reply).unwrap();
    assert!(possible.contains(&reply), "{reply} is not one of {possible:?}");
}

#[tokio::test]
async fn the_stamp_has_24_characters_whatever_the_zone() {
    for zone in ["UTC", "Asia/Shanghai", "America/St_Johns", "not a zone", ""] {
        let mut command = Command::new(binary());
        command.env("TZ", zone);
        let server = Server::spawn(command);
        let mut client = connect(server.tcp).await;
        let reply = ask(&mut client, b"x").await;
        assert!(is_ctime(&reply[1..25]), "{zone}: {reply:?}");
        assert_eq!((reply[0], &reply[25..]), (b'[', b"] x".as_slice()));
    }
}

#[tokio::test]
async fn a_single_byte_that_is_not_text_comes_back_and_the_next_client_is_served() {
    let server = Server::start();
    let received = exchange(server.tcp, &[0xf0]).await;
    assert!(is_stamped(&received));
    assert_eq!(&received[STAMP_LEN..], [0xf0]);

    let mut next = connect(server.tcp).await;
    let served = timeout(SOON, is_served(&mut next, b"next")).await;
    served.expect("the next client does not wait a second");
}

#[tokio::test]
async fn a_half_closed_client_gets_its_reply_and_then_fin() {
    let server = Server::start();
    let received = exchange(server.tcp, b"hi").await;
    assert!(is_stamped(&received));
    assert_eq!(&received[STAMP_LEN..], b"hi");
}

#[tokio::test]
async fn a_client_that_says_nothing_and_leaves_gets_fin_and_no_byte() {
    let server = Server::start();
    assert_eq!(exchange(server.tcp, b"").await, b"");
}

#[tokio::test]
async fn fifteen_hundred_bytes_are_two_reads_and_every_byte_comes_back_once() {
    let server = Server::start();
    let input: Vec<u8> = (0..1_500_u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
    let received = exchange(server.tcp, &input).await;
    let echoes = echoes(&received);
    let lengths: Vec<_> = echoes.iter().map(|echo| echo.len()).collect();
    assert_eq!(lengths, [READ_BYTES, 1_500 - READ_BYTES]);
    assert_eq!(echoes.concat(), input);
    assert_eq!(received.len(), 1_554);
}

#[tokio::test]
async fn two_mebibytes_come_back_in_order_and_no_read_is_above_1024() {
    let server = Server::start();
    let input: Vec<u8> = (0..300_000).flat_map(|n: u32| format!("{n:06},").into_bytes()).collect();
    let (mut replies, mut lines) = connect(server.tcp).await.into_split();
    let sent = input.clone();
    let sending = tokio::spawn(async move {
        lines.write_all(&sent).await.unwrap();
        lines.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    timeout(PATIENCE, replies.read_to_end(&mut received)).await.unwrap().unwrap();
    sending.await.unwrap();
    let echoes = echoes(&received);
    assert!(echoes.iter().all(|echo| (1..=READ_BYTES).contains(&echo.len())));
    assert!(echoes.concat() == input, "the echo differs");
}

#[tokio::test]
async fn a_character_cut_at_1024_is_unharmed() {
    let server = Server::start();
    let mut input = vec![b'a'; READ_BYTES - 1];
    input.extend("汉字".as_bytes());
    let received = exchange(server.tcp, &input).await;
    let echoes = echoes(&received);
    assert_eq!(echoes[0].last(), Some(&"汉".as_bytes()[0]));
    assert_eq!(echoes.concat(), input);
}

#[tokio::test]
async fn bytes_that_look_like_stamps_are_echoed_like_any_others() {
    let server = Server::start();
    let mut client = connect(server.tcp).await;
    is_served(&mut client, b"[Mon Nov 23 05:52:57 2026] x").await;
    is_served(&mut client, b"[").await;
    is_served(&mut client, b"] [").await;
}

#[tokio::test]
async fn bytes_that_speak_to_terminals_and_pages_are_echoed_exactly() {
    let server = Server::start();
    let mut client = connect(server.tcp).await;
    is_served(&mut client, b"\x1b[2J\x1b]0;x\x07\r\n<script>\xe2\x80\xae\0\xff").await;
}

#[tokio::test]
async fn a_reset_client_ends_only_its_own_connection() {
    let server = Server::start();
    let mut other = connect(server.tcp).await;
    is_served(&mut other, b"before").await;
    for _ in 0..20 {
        let mut client = connect(server.tcp).await;
        client.write_all(b"gone").await.unwrap();
        client.set_zero_linger().unwrap();
        drop(client);
        is_served(&mut other, b"still here").await;
    }
    is_served(&mut connect(server.tcp).await, b"new").await;
}

#[tokio::test]
async fn a_silent_client_hinders_nobody_and_is_answered_when_it_speaks() {
    let server = Server::start();
    let mut silent = connect(server.tcp).await;
    let mut other = connect(server.tcp).await;
    is_served(&mut other, b"first").await;
    is_served(&mut connect(server.tcp).await, b"second").await;
    is_served(&mut silent, b"at last").await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_hinders_nobody() {
    let server = Server::start();
    let mut deaf = connect(server.tcp).await;
    let lump = vec![b'x'; 64 * 1024];
    // Until the buffers of both directions are full: then the server must wait for this client.
    let full = async {
        loop {
            deaf.write_all(&lump).await.unwrap();
        }
    };
    let stuck = timeout(Duration::from_secs(1), full).await;
    stuck.expect_err("a client that reads nothing cannot send for ever");
    is_served(&mut connect(server.tcp).await, b"others").await;
}

#[tokio::test]
async fn two_hundred_clients_at_once_each_get_their_own_replies() {
    const CLIENTS: usize = 200;
    let server = Server::start();
    let all_connected = Arc::new(Barrier::new(CLIENTS));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (address, all_connected) = (server.tcp, Arc::clone(&all_connected));
        clients.spawn(async move {
            let mut client = connect(address).await;
            all_connected.wait().await;
            for line in 0..5 {
                is_served(&mut client, format!("client {number} line {line}").as_bytes()).await;
            }
            client.shutdown().await.unwrap();
            assert_eq!(read_to_fin(&mut client).await, b"");
        });
    }
    assert_eq!(clients.join_all().await.len(), CLIENTS);
}
