//! A connection that gives up a peer that does not read, and at a stop one that says nothing more; it counts
//! what it receives.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::guard::accept::{LAST_READS, LAST_WORDS};

/// Bytes that a connection has received so far.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<AtomicU64>);

impl Received {
    /// How many.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A TCP stream whose writes fail with `TimedOut` once they have waited for `patience`.
///
/// After `stop` they wait for [`LAST_READS`] at most, and reads end once they have waited for [`LAST_WORDS`]: a
/// request that is never finished is owed no response.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    patience: Duration,
    stop: CancellationToken,
    /// Exists while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Exists while a read waits after the stop.
    silent: Option<Pin<Box<Sleep>>>,
    received: Received,
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        patience: Duration,
        received: Received,
        stop: CancellationToken,
    ) -> Self {
        Self { stream, patience, stop, stalled: None, silent: None, received }
    }

    /// The result of a write, or an error if it has waited for too long.
    fn patiently(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        if self.stop.is_cancelled() && self.patience > LAST_READS {
            (self.patience, self.stalled) = (LAST_READS, None);
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        // Else the kernel would keep the unread bytes for minutes.
        if let Err(error) = self.stream.set_zero_linger() {
            debug!(%error, "the linger time could not be set");
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let bytes = buffer.filled().len() - before;
        self.received.0.fetch_add(bytes as u64, Ordering::Relaxed);
        if read.is_ready() {
            self.silent = None;
        } else if self.stop.is_cancelled() {
            let silent = self.silent.get_or_insert_with(|| Box::pin(sleep(LAST_WORDS)));
            return silent.as_mut().poll(cx).map(Ok);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.patiently(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.patiently(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let never = CancellationToken::new();
        let mut connection =
            Connection::new(stream, Duration::from_millis(50), Received::default(), never);
        let megabytes = vec![0; 64 << 20];
        let error = connection.write_all(&megabytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(connection);
        peer.readable().await.unwrap();
        let mut all = vec![0; megabytes.len()];
        let reset = loop {
            match peer.try_read(&mut all) {
                Ok(0) => panic!("an ordinary end"),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    peer.readable().await.unwrap();
                }
                Err(error) => break error,
            }
        };
        assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    }
}
