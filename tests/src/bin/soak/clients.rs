//! Who uses the server as it is meant: clients of TCP, UDP and HTTP; pages and labs have files of their
//! own. Each checks that the replies are right, and how soon they come.

use std::mem::replace;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use streamgram_protocol::READ_BYTES;
use streamgram_tests::{PATIENCE, echoes, get, is_ctime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

use crate::labs::lab;
use crate::pages::page;
use crate::visitor::{Kind, PAUSE, Visit};

/// All of them.
pub(crate) const KINDS: [Kind; 5] = [
    Kind { name: "TCP client", at_once: 20, visit: |visit| tcp(visit).boxed() },
    Kind { name: "UDP client", at_once: 20, visit: |visit| udp(visit).boxed() },
    Kind { name: "browser", at_once: 2, visit: |visit| browser(visit).boxed() },
    Kind { name: "page", at_once: 20, visit: |visit| page(visit).boxed() },
    Kind { name: "lab", at_once: 12, visit: |visit| lab(visit).boxed() },
];

/// Questions of one visit.
const QUESTIONS: usize = 10;
/// Lengths of lines: short ones, and around those where the server's reads end.
const LENGTHS: [usize; 7] = [1, 5, 100, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 4_000];
/// A datagram may be lost where a buffer is full, on loopback too: then it is sent again. A little later
/// each time, or it would come in step with a flood, just when the buffer is full again.
const SEND_AGAIN: Duration = Duration::from_millis(500);
const LATER: Duration = Duration::from_millis(13);
/// The lowest byte that no stamp has in it.
const NO_STAMP: u8 = 0x80;

/// A line that differs from its neighbours, of bytes that no stamp has in it.
fn line(number: usize) -> Vec<u8> {
    let bytes = (number..).map(|byte| NO_STAMP | u8::try_from(byte % 128).expect("7 bits"));
    bytes.take(LENGTHS[number % LENGTHS.len()]).collect()
}

/// A connection with a few lines; every byte comes back, once and in order.
async fn tcp(visit: Visit) {
    let mut stream = TcpStream::connect(visit.tcp).await.expect("TCP accepts");
    let (mut sent, mut replies, mut echoed) = (Vec::new(), Vec::new(), 0);
    for question in 0..QUESTIONS {
        let line = line(visit.number + question);
        let asked = Instant::now();
        stream.write_all(&line).await.expect("TCP takes bytes");
        sent.extend(line);
        while echoed < sent.len() {
            let from = replies.len();
            let reading = timeout(PATIENCE, stream.read_buf(&mut replies)).await;
            let read = reading.expect("TCP answers").expect("no reset");
            assert!(read > 0, "FIN after {echoed} of {} bytes", sent.len());
            echoed += replies[from..].iter().filter(|byte| **byte >= NO_STAMP).count();
        }
        visit.tally.answered("TCP", asked.elapsed());
        sleep(PAUSE).await;
    }
    // Some end as the article's client does, the others just go.
    if visit.number.is_multiple_of(2) {
        stream.shutdown().await.expect("TCP takes a FIN");
        let rest = timeout(PATIENCE, stream.read_to_end(&mut replies)).await;
        assert_eq!(rest.expect("TCP ends").expect("FIN, not RST"), 0, "no more than was owed");
    }
    assert_eq!(echoes(&replies).concat(), sent);
}

/// A few datagrams; each is answered with the time.
async fn udp(visit: Visit) {
    let (mut socket, mut left) = (socket(visit.udp).await, Vec::new());
    let mut reply = [0; 64];
    for question in 0..QUESTIONS {
        let line = line(visit.number + question);
        let (asked, mut patience) = (Instant::now(), SEND_AGAIN);
        loop {
            socket.send_to(&line, visit.udp).await.expect("the socket takes a datagram");
            if let Ok(received) = timeout(patience, socket.recv_from(&mut reply)).await {
                let (bytes, from) = received.expect("the server listens");
                assert!(from == visit.udp && is_ctime(&reply[..bytes]), "{from}: {reply:?}");
                break;
            }
            visit.tally.saw("datagrams of UDP clients that were sent again", 1);
            assert!(asked.elapsed() < PATIENCE, "UDP answers");
            patience += LATER;
        }
        visit.tally.answered("UDP", asked.elapsed());
        if patience > SEND_AGAIN {
            // Another reply may come yet, and would be taken for that to the next line.
            left.push(replace(&mut socket, self::socket(visit.udp).await));
        }
        sleep(PAUSE).await;
    }
    assert!(socket.try_recv(&mut reply).is_err(), "a datagram has one reply");
}

/// A socket at an address that no attacker uses: a port that one of those had gets what he left unread.
async fn socket(server: SocketAddr) -> UdpSocket {
    loop {
        let socket = UdpSocket::bind("127.0.0.3:0").await.expect("loopback on Linux");
        // Who has the server's own port on loopback is refused: it could be the server itself.
        if socket.local_addr().is_ok_and(|own| own.port() != server.port()) {
            return socket;
        }
    }
}

/// Loads the page with everything that it names.
async fn browser(visit: Visit) {
    let load = async |path: &str| {
        let asked = Instant::now();
        let answer = get(visit.http, path).await;
        assert_eq!(answer.status, 200, "{path}");
        visit.tally.answered("HTTP", asked.elapsed());
        answer
    };
    let page = load("/").await;
    let named = page.text().split('"').filter(|word| {
        word.starts_with('/')
            && [".js", ".css", ".svg", ".wasm"].iter().any(|it| word.ends_with(it))
    });
    let named: Vec<_> = named.collect();
    assert!(named.len() >= 4, "{}: the binary has no page in it", page.text());
    for path in named.into_iter().chain(["/api/info", "/healthz", "/readyz"]) {
        assert!(!load(path).await.body.is_empty(), "{path}");
    }
}
