//! Attackers of the UDP server: floods, and senders that are gone before their reply. Forged sources need
//! a network of their own, see `tests/tests/udp_defences.rs`.

use std::time::Duration;

use futures_util::FutureExt as _;
use streamgram_protocol::MAX_DATAGRAM;
use tokio::net::UdpSocket;
use tokio::time::interval;

use crate::visitor::{Kind, Visit};

pub(super) const KINDS: [Kind; 3] = [
    Kind { name: "UDP: 500 a second for a second", at_once: 2, visit: |it| flood(it).boxed() },
    Kind { name: "UDP: every length", at_once: 1, visit: |it| lengths(it).boxed() },
    Kind { name: "UDP: gone before the reply", at_once: 2, visit: |it| leave(it).boxed() },
];

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.expect("a free port")
}

/// Reads no reply.
async fn flood(visit: Visit) {
    let socket = socket().await;
    let mut pulse = interval(Duration::from_millis(10));
    for _ in 0..100 {
        pulse.tick().await;
        for number in 0..5 {
            let _lost = socket.send_to(&vec![b'x'; number * 250], visit.udp).await;
        }
    }
}

async fn lengths(visit: Visit) {
    let socket = socket().await;
    for bytes in [0, 1, 1_023, 1_024, 1_025, 9_000, MAX_DATAGRAM] {
        let _lost = socket.send_to(&vec![0xff; bytes], visit.udp).await;
    }
}

/// The reply meets a closed port, and the server hears of it (ICMP).
async fn leave(visit: Visit) {
    for _ in 0..20 {
        let _lost = socket().await.send_to(b"x", visit.udp).await;
    }
}
