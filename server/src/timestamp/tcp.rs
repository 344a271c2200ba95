//! The TCP timestamp server: what one read returns is answered with `[ctime] ` and the same bytes.
//!
//! It does not wait for a newline and adds none. A client that has sent FIN still gets its reply, then FIN.
//! Nothing that a client does ends more than its own connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::poll_immediate;
use streamgram_protocol::{CTIME_LEN, Cause, READ_BYTES, STAMP_LEN};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::shared::Shared;
use crate::config::TcpLimits;
use crate::guard::accept::{Entrance, LAST_READS, LAST_WORDS, Place, Visitor, after};
use crate::guard::admission::Admission;
use crate::guard::refusals::Refusal;
use crate::observe::{Caller, cause_of};
use crate::operate::meters::{self, Surface};
use crate::timestamp::clock::Clock;

/// How long a connection is still read after our FIN, until the peer's FIN. Closing it with unread bytes
/// would send RST, which could destroy replies that are still on their way (RFC 9293, section 3.10.4).
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// Answers clients until `stop`; returns when the last connection has ended.
///
/// # Errors
/// The listener has ended; connections have not.
pub async fn serve(
    listener: TcpListener,
    shared: Shared,
    limits: TcpLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let admission = Admission::new(limits.tcp_connections, limits.tcp_connections_per_address);
    let refusals = Arc::clone(&shared.refusals);
    let entrance = Entrance::new(Surface::Tcp, listener, admission, refusals, stop.clone());
    let patience = Patience::of(&limits);
    while let Some((stream, peer)) = entrance.accept().await? {
        // Without an address of our own the connection has broken already.
        let local = stream.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |local| local.ip());
        let caller = shared.observer.caller(peer, local);
        // How long a leg stays open is its session's decision.
        let (visitor, patience) = match caller {
            Caller::Leg(_) => (Visitor::Leg, Patience::ENDLESS),
            Caller::Raw(_) | Caller::Departed => (Visitor::Client, patience),
        };
        match entrance.admit(peer, visitor) {
            Ok(place) => {
                let client = Client { stream, peer, caller, patience, _place: place };
                entrance.serve(client.serve(shared.clone(), stop.clone()));
            }
            Err(refusal) => caller.refused(refusal),
        }
    }
    entrance.close().await;
    Ok(())
}

/// How long a client may be idle, may take to read, and may stay.
#[derive(Debug, Clone, Copy)]
struct Patience {
    idle: Duration,
    write: Duration,
    lifetime: Duration,
}

impl Patience {
    /// Thirty years for everything.
    const ENDLESS: Self = {
        let endless = Duration::from_secs(30 * 365 * 86_400);
        Self { idle: endless, write: endless, lifetime: endless }
    };

    fn of(limits: &TcpLimits) -> Self {
        let seconds = |limit: u32| Duration::from_secs(limit.into());
        Self {
            idle: seconds(limits.tcp_idle_s),
            write: seconds(limits.tcp_write_s),
            lifetime: seconds(limits.tcp_lifetime_s),
        }
    }

    /// When a client that connected at `came` and was last `heard` has to go.
    fn deadline(&self, came: Instant, heard: Instant) -> Instant {
        (came + self.lifetime).min(heard + self.idle)
    }

    /// Why it has to go at `now`, if it has to.
    fn over(&self, came: Instant, heard: Instant, now: Instant) -> Option<End> {
        if now >= came + self.lifetime {
            Some(End::Old)
        } else if now >= heard + self.idle {
            Some(End::Idle)
        } else {
            None
        }
    }
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    caller: Caller,
    patience: Patience,
    _place: Place,
}

impl Client {
    async fn serve(mut self, shared: Shared, stop: CancellationToken) {
        let Self { stream, peer, caller, patience, .. } = &mut self;
        // A reply of two chunks would otherwise wait for the delayed ACK of the first, 40 ms on Linux.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%peer, %error, "TCP_NODELAY could not be set");
        }
        caller.accepted();
        let ended = answer(&mut *stream, &shared.clock, caller, *patience, &stop).await;
        caller.closed(cause(&ended));
        let refusal = match ended {
            Ok(End::Finished) => return,
            Ok(End::Stopped) => None,
            Ok(End::Idle) => Some(Refusal::TcpIdle),
            Ok(End::Old) => Some(Refusal::TcpLifetime),
            Ok(End::Unread) => Some(Refusal::TcpUnread),
            Err(error) => return debug!(%peer, %error, "a TCP connection ended"),
        };
        if let Some(refusal) = refusal {
            shared.refusals.count(refusal, Instant::now(), format_args!("TCP client {peer}"));
        }
        if refusal == Some(Refusal::TcpUnread) {
            // Else the kernel would keep the unread replies for minutes.
            if let Err(error) = stream.set_zero_linger() {
                debug!(%peer, %error, "the linger time could not be set");
            }
        } else {
            // Whether the peer sends FIN too does not matter.
            tokio::select! {
                () = until_fin(stream) => {}
                () = sleep(LINGER) => {}
                () = after(&stop, LAST_WORDS) => {}
            }
        }
    }
}

/// Answers one client until it sends FIN, has to go, or [`LAST_WORDS`] after `stop`. Then it sends FIN
/// after the last reply, unless the client read nothing.
///
/// # Errors
/// The connection has broken.
async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    clock: &Clock,
    caller: &Caller,
    mut patience: Patience,
    stop: &CancellationToken,
) -> io::Result<End> {
    // The read goes behind the place of the stamp: one read, one write, no copy.
    let mut reply = [0; STAMP_LEN + READ_BYTES];
    reply[0] = b'[';
    reply[STAMP_LEN - 2..STAMP_LEN].copy_from_slice(b"] ");
    let (mut number, mut offset) = (0, 0);
    let replies = meters::tcp_replies();
    let came = Instant::now();
    let (mut heard, mut stopping) = (came, false);
    // Made once and not for every read. They are polled only when there is nothing to read.
    let mut stopped = pin!(stop.cancelled());
    let mut alarm = pin!(sleep_until(patience.deadline(came, heard).into()));
    let end = loop {
        if !stopping && stop.is_cancelled() {
            stopping = true;
            patience.lifetime = patience.lifetime.min(came.elapsed() + LAST_WORDS);
            alarm.as_mut().reset(patience.deadline(came, heard).into());
        }
        let bytes = tokio::select! {
            biased;
            read = stream.read(&mut reply[STAMP_LEN..]) => read?,
            () = &mut stopped, if !stopping => continue,
            () = &mut alarm => {
                if let Some(end) = patience.over(came, heard, Instant::now()) {
                    break end;
                }
                alarm.as_mut().reset(patience.deadline(came, heard).into());
                continue;
            }
        };
        if bytes == 0 {
            break End::Finished;
        }
        heard = Instant::now();
        caller.read(number, offset, &reply[STAMP_LEN..STAMP_LEN + bytes]);
        reply[1..=CTIME_LEN].copy_from_slice(&clock.ctime());
        let mut writing = pin!(stream.write_all(&reply[..STAMP_LEN + bytes]));
        // Only a client that does not read needs a timer.
        match poll_immediate(writing.as_mut()).await {
            Some(written) => written?,
            None => {
                tokio::select! {
                    written = writing => written?,
                    () = sleep(patience.write) => return Ok(End::Unread),
                    () = after(stop, LAST_READS) => return Ok(End::Unread),
                }
            }
        }
        caller.replied(number, offset, &reply[..STAMP_LEN + bytes]);
        number += 1;
        offset += bytes as u64;
        replies.increment(1);
        // The alarm is not polled while there is always more to read.
        if let Some(end) = patience.over(came, heard, heard) {
            break end;
        }
    };
    stream.shutdown().await?;
    Ok(if stopping && end == End::Old { End::Stopped } else { end })
}

/// Reads until FIN, and throws away what it reads.
pub(crate) async fn until_fin(mut stream: impl AsyncRead + Unpin) {
    let mut nobody_looks_at_it = [0; READ_BYTES];
    while let Ok(1..) = stream.read(&mut nobody_looks_at_it).await {}
}

/// How a connection that did not break came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client has sent FIN.
    Finished,
    /// It sent nothing for too long.
    Idle,
    /// It stayed for too long.
    Old,
    /// It read none of its replies for too long.
    Unread,
    /// The server stops.
    Stopped,
}

fn cause(ended: &io::Result<End>) -> Cause {
    match ended {
        Ok(End::Finished) => Cause::PeerClosed,
        Ok(End::Stopped) => Cause::Closed,
        Ok(End::Idle | End::Old | End::Unread) => Cause::Limit,
        Err(error) => cause_of(error),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{duplex, join, repeat, sink};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_pipe_of_eight_bytes_changes_the_pieces_and_not_a_byte() {
        let (client, server) = duplex(8);
        let answering = tokio::spawn(async move {
            let (clock, never) = (Clock::system(), CancellationToken::new());
            answer(server, &clock, &Caller::Departed, Patience::ENDLESS, &never).await
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

    #[tokio::test]
    async fn who_always_has_more_to_read_has_to_go_all_the_same() {
        let patience = Patience { lifetime: Duration::from_millis(20), ..Patience::ENDLESS };
        let (clock, never) = (Clock::system(), CancellationToken::new());
        let stream = join(repeat(b'x'), sink());
        let answering = answer(stream, &clock, &Caller::Departed, patience, &never);
        let ended = timeout(Duration::from_secs(20), answering).await.expect("it ends");
        assert_eq!(ended.unwrap(), End::Old);
    }

    #[tokio::test]
    async fn who_always_has_more_to_read_is_stopped_all_the_same() {
        let (clock, stop) = (Clock::system(), CancellationToken::new());
        stop.cancel();
        let stream = join(repeat(b'x'), sink());
        let answering = answer(stream, &clock, &Caller::Departed, Patience::ENDLESS, &stop);
        let ended = timeout(Duration::from_secs(20), answering).await.expect("it ends");
        assert_eq!(ended.unwrap(), End::Stopped);
    }
}
