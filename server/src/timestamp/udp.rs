//! The UDP timestamp server: every datagram, an empty one too, is answered with ctime alone.
//!
//! No brackets and no echo, as in the article; which datagram a reply belongs to, the reply does not
//! say. No error that a datagram or its sender can cause ends the loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use streamgram_protocol::{Protocol, READ_BYTES};
use tokio::net::UdpSocket;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::observe::Observer;
use crate::timestamp::clock::Clock;

/// Room for the largest datagram that UDP's length field allows (RFC 768), so that its true length
/// is known, and not only what a `recv(1024)` would keep of it.
const BUFFER_BYTES: usize = 65_535;

/// How long the server waits once receiving has failed twice in a row: trying again at once would only
/// burn the processor. Once alone can be a sender's doing, which must not hold up the others.
const RECEIVE_PAUSE: Duration = Duration::from_millis(100);

/// Answers datagrams until `stop`.
pub async fn serve(
    socket: UdpSocket,
    clock: Arc<Clock>,
    observer: Arc<Observer>,
    stop: CancellationToken,
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut failed = false;
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        match received {
            Ok((bytes, peer)) => {
                failed = false;
                answer(&socket, bytes, peer, &clock, &observer).await;
            }
            // An earlier reply met a closed port, or a moment without memory: the next may go well.
            Err(error) => {
                debug!(%error, "the UDP server could not receive");
                if std::mem::replace(&mut failed, true) {
                    sleep(RECEIVE_PAUSE).await;
                }
            }
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
