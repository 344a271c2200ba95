//! The TCP timestamp server: what one read returns is answered with `[ctime] ` and the same bytes.
//!
//! It neither waits for a newline nor adds one: a read is a read. A half-closed client still gets its
//! reply, then FIN. Whatever a client does ends its own connection and no other.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use streamgram_protocol::{CTIME_LEN, Cause, Protocol, READ_BYTES, STAMP_LEN};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::observe::{Observer, Seen, Watcher, cause_of};
use crate::timestamp::clock::Clock;

/// How long the listener waits after `accept` failed, most likely for want of descriptors: trying
/// again at once would only burn the processor that the open connections need.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Answers clients until `stop`; returns when the last connection has ended.
pub async fn serve(
    listener: TcpListener,
    clock: Arc<Clock>,
    observer: Arc<Observer>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let watcher = observer.watcher_of(Protocol::Tcp, peer);
                let connection =
                    connection(stream, peer, Arc::clone(&clock), watcher, stop.clone());
                connections.spawn(connection);
            }
            Err(error) => {
                warn!(%error, "the TCP server could not accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    clock: Arc<Clock>,
    watcher: Option<Arc<Watcher>>,
    stop: CancellationToken,
) {
    // A reply of two chunks would otherwise wait for the delayed ACK of the first, 40 ms on Linux.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%peer, %error, "TCP_NODELAY could not be set");
    }
    tell(watcher.as_deref(), || Seen::Accepted);
    let ended = answer(stream, &clock, watcher.as_deref(), &stop).await;
    tell(watcher.as_deref(), || Seen::Closed { cause: cause(&ended) });
    if let Err(error) = ended {
        debug!(%peer, %error, "a TCP connection ended");
    }
}

/// Answers one client until it has sent its FIN, or until `stop`.
///
/// # Errors
/// What ended the connection instead.
async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    clock: &Clock,
    watcher: Option<&Watcher>,
    stop: &CancellationToken,
) -> io::Result<End> {
    // The stamp's place is in front of the place that is read into: one read, one write, no copy.
    let mut reply = [0; STAMP_LEN + READ_BYTES];
    reply[0] = b'[';
    reply[STAMP_LEN - 2..STAMP_LEN].copy_from_slice(b"] ");
    let (mut number, mut offset) = (0, 0);
    loop {
        let read = stop.run_until_cancelled(stream.read(&mut reply[STAMP_LEN..])).await;
        let Some(bytes) = read.transpose()? else {
            stream.shutdown().await?;
            return Ok(End::Stopped);
        };
        if bytes == 0 {
            stream.shutdown().await?;
            return Ok(End::Finished);
        }
        tell(watcher, || Seen::Read { number, offset, bytes });
        number += 1;
        offset += bytes as u64;
        reply[1..=CTIME_LEN].copy_from_slice(&clock.ctime());
        stream.write_all(&reply[..STAMP_LEN + bytes]).await?;
    }
}

/// How a connection came to its end in good order.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client had sent all it wanted to.
    Finished,
    /// The server was told to stop.
    Stopped,
}

fn cause(ended: &io::Result<End>) -> Cause {
    match ended {
        Ok(End::Finished) => Cause::PeerClosed,
        Ok(End::Stopped) => Cause::Closed,
        Err(error) => cause_of(error),
    }
}

fn tell(watcher: Option<&Watcher>, seen: impl FnOnce() -> Seen) {
    if let Some(watcher) = watcher {
        watcher.tell(seen());
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn a_pipe_of_eight_bytes_changes_the_pieces_and_not_a_byte() {
        let (client, server) = duplex(8);
        let answering = tokio::spawn(async move {
            answer(server, &Clock::system(), None, &CancellationToken::new()).await
        });
        let (mut replies, mut sends) = tokio::io::split(client);
        let sending = tokio::spawn(async move {
            sends.write_all(b"0123456789abcdef").await.unwrap();
            sends.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        replies.read_to_end(&mut received).await.unwrap();
        sending.await.unwrap();
        assert_eq!(answering.await.unwrap().unwrap(), End::Finished);

        let mut echoed = Vec::new();
        let mut rest = received.as_slice();
        while !rest.is_empty() {
            assert_eq!((rest[0], &rest[STAMP_LEN - 2..STAMP_LEN]), (b'[', b"] ".as_slice()));
            let echo = &rest[STAMP_LEN..];
            let length = echo.iter().position(|byte| *byte == b'[').unwrap_or(echo.len());
            echoed.extend_from_slice(&echo[..length]);
            rest = &echo[length..];
        }
        assert_eq!(echoed, b"0123456789abcdef");
    }
}
