//! The UDP timestamp server: every datagram, an empty one too, is answered with ctime alone.
//!
//! No brackets and no echo, as in the article; which datagram a reply belongs to, the reply does not
//! say. No error that a datagram or its sender can cause ends the loop.

use std::net::SocketAddr;

use streamgram_protocol::{Protocol, READ_BYTES};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::Shared;
use crate::config::UdpLimits;
use crate::observe::Observer;
use crate::timestamp::clock::Clock;

/// Room for the largest datagram that UDP's length field allows (RFC 768), so that its true length
/// is known, and not only what a `recv(1024)` would keep of it.
const BUFFER_BYTES: usize = 65_535;

/// Answers datagrams until `stop`.
pub async fn serve(socket: UdpSocket, shared: Shared, _limits: UdpLimits, stop: CancellationToken) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        match received {
            Ok((bytes, peer)) => {
                answer(&socket, bytes, peer, &shared.clock, &shared.observer).await
            }
            // An earlier reply met a closed port, or a moment without memory: the next may go well.
            Err(error) => debug!(%error, "the UDP server could not receive"),
        }
    }
}

async fn answer(
    socket: &UdpSocket,
    bytes: usize,
    peer: SocketAddr,
    clock: &Clock,
    observer: &Observer,
) {
    if let Some(watcher) = observer.watcher_of(Protocol::Udp, peer) {
        watcher.datagram(bytes, bytes.min(READ_BYTES));
    }
    if let Err(error) = socket.send_to(&clock.ctime(), peer).await {
        debug!(%peer, %error, "the UDP server could not reply");
    }
}
