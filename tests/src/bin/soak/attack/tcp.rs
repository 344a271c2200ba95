//! Attackers of the TCP server: silent, greedy, in crowds, or gone before their replies.

use std::time::Duration;

use futures_util::FutureExt as _;
use streamgram_tests::echoes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, floods, narrow, sent, stranger, until_end};
use crate::visitor::{Kind, Visit};

pub(super) const KINDS: [Kind; 8] = [
    Kind { name: "TCP: says nothing", at_once: 5, visit: |it| silent(it).boxed() },
    Kind { name: "TCP: a byte now and then", at_once: 3, visit: |it| dribble(it).boxed() },
    Kind { name: "TCP: sends and never reads", at_once: 3, visit: |it| unread(it).boxed() },
    Kind { name: "TCP: always has more to say", at_once: 2, visit: |it| talk(it).boxed() },
    Kind { name: "TCP: resets", at_once: 5, visit: |it| reset(it).boxed() },
    Kind { name: "TCP: garbage, half closed", at_once: 2, visit: |it| garbage(it).boxed() },
    Kind { name: "TCP: leaves a megabyte of replies", at_once: 2, visit: |it| leave(it).boxed() },
    Kind { name: "TCP: 400 connections, of 300", at_once: 1, visit: |it| crowd(it).boxed() },
];

async fn silent(visit: Visit) {
    assert_eq!(until_end(&mut sent(visit.tcp, b"").await).await, b"");
}

/// Stays below the idle limit, up to the limit of its lifetime.
async fn dribble(visit: Visit) {
    let mut stream = sent(visit.tcp, b"").await;
    let dribble = async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(PATIENCE, dribble).await.expect("a lifetime ends");
}

async fn unread(visit: Visit) {
    floods(narrow(visit.tcp).await, &[b'x'; 65_536]).await;
}

async fn talk(visit: Visit) {
    let (mut replies, mut lines) = sent(visit.tcp, b"").await.into_split();
    let talking = async {
        while lines.write_all(&[b'x'; 16_384]).await.is_ok() {
            // So that the others have a processor, too.
            sleep(Duration::from_millis(10)).await;
        }
    };
    let mut buffer = [0; 16_384];
    let reading = async { while matches!(replies.read(&mut buffer).await, Ok(1..)) {} };
    let both = async { tokio::join!(talking, reading) };
    timeout(PATIENCE, both).await.expect("a lifetime ends");
}

/// Before its lines, in the middle, or after: whenever the scheduler likes.
async fn reset(visit: Visit) {
    let stream = TcpStream::connect(visit.tcp).await.expect("the server listens");
    stream.set_zero_linger().expect("an option of every socket");
    if visit.number.is_multiple_of(2) {
        let mut stream = stream;
        stream.write_all(&[b'x'; 3_000]).await.expect("it takes bytes");
    }
}

async fn garbage(visit: Visit) {
    let hostile = b"\0\x1b[2J\x1b]0;title\x07<script>\xe2\x80\xae%s%n\xff\xfe\xf0\r\n../";
    let garbage = hostile.repeat(1 + visit.number % 100);
    let mut stream = sent(visit.tcp, &garbage).await;
    stream.shutdown().await.expect("it takes a FIN");
    assert_eq!(echoes(&until_end(&mut stream).await).concat(), garbage);
}

async fn leave(visit: Visit) {
    let mut stream = narrow(visit.tcp).await;
    let much = vec![b'x'; 1 << 20];
    let _stuck = timeout(Duration::from_millis(500), stream.write_all(&much)).await;
}

async fn crowd(visit: Visit) {
    let mut crowd = Vec::new();
    for _ in 0..400 {
        crowd.push(stranger(visit.tcp).await);
    }
    let mut closed = 0;
    for stream in &mut crowd {
        let end = timeout(Duration::from_millis(10), stream.read(&mut [0])).await;
        closed += usize::from(end.is_ok());
    }
    assert!(closed >= 100, "{closed} of 400 are closed at once, 300 have a place");
}
