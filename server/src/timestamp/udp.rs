//! The UDP timestamp server: every datagram, an empty one too, is answered with ctime alone.
//!
//! There are no brackets and no echo, as in the article: a reply does not say which datagram it answers.
//! No error that a datagram or its sender can cause ends the loop. Datagrams with a source that must be
//! forged, and datagrams above a rate, are counted and not answered: otherwise the server could be used to
//! flood others (reflection).

pub mod rates;
pub(crate) mod socket;
pub mod sources;

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::Counter;
use streamgram_protocol::Protocol;
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use self::rates::Rates;
use self::socket::{Batch, Ends, Socket};
use super::clock::Ctime;
use super::shared::Shared;
use crate::config::UdpLimits;
use crate::guard::refusals::Refusal;
use crate::observe::{RawClient, Watcher};
use crate::operate::meters;
use crate::udp_error::is_refusal;

/// How long a reply may wait for room in the socket's buffer. Then it is dropped: a neighbour that does
/// not answer ARP could hold up everybody else.
const SEND_PATIENCE: Duration = Duration::from_millis(100);
/// How long the server waits after an error. An error that does not go away would otherwise take a whole
/// processor.
const RECEIVE_PAUSE: Duration = Duration::from_millis(20);

/// Answers datagrams until `stop`.
///
/// # Errors
/// The socket cannot be used, or its runtime is shutting down.
pub async fn serve(
    socket: UdpSocket,
    shared: Shared,
    limits: UdpLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let socket = Socket::new(socket)?;
    let rates = Rates::new(&limits, Instant::now());
    let (looked, drained, answered) = (None, None, meters::datagrams());
    let mut server = Server { socket, shared, rates, looked, drained, answered };
    let mut batch = Batch::new();
    // Made once and not for every datagram. It is polled only when there is nothing to receive.
    let mut stopped = pin!(stop.cancelled());
    while !stop.is_cancelled() {
        // While there is something to receive, no future is made: that would be a quarter of all the
        // instructions of a reply.
        match server.socket.try_receive(&mut batch) {
            Ok(datagrams) => {
                for (payload, ends) in datagrams {
                    if let Some(unsent) = server.answer(payload, ends) {
                        server.wait_to_send(unsent).await;
                    }
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                server.drained = server.looked;
                tokio::select! {
                    biased;
                    ready = server.socket.readable() => ready?,
                    () = &mut stopped => break,
                }
                server.looked = Some(Instant::now());
            }
            // It is about an earlier reply; the next datagram may be there already.
            Err(error) if is_refusal(&error) => debug!(%error, "a reply was refused"),
            Err(error) => {
                server.shared.refusals.count(Refusal::UdpReceive, Instant::now(), &error);
                sleep(RECEIVE_PAUSE).await;
            }
        }
    }
    Ok(())
}

struct Server {
    socket: Socket,
    shared: Shared,
    rates: Rates,
    /// A moment before the latest look into the socket, and before that which found it empty. At the start
    /// tokio says that it is empty without a look.
    looked: Option<Instant>,
    drained: Option<Instant>,
    answered: Counter,
}

/// What a datagram is answered with.
struct Reply {
    text: Ctime,
    ends: Ends,
    /// The session of the leg that it goes to.
    leg: Option<Arc<Watcher>>,
    /// The client, if a session watches it.
    raw: Option<RawClient>,
}

impl Server {
    /// Answers a datagram, unless it is refused. Returns the reply if there is no room for it yet.
    fn answer(&mut self, payload: &[u8], ends: Ends) -> Option<Reply> {
        let Ends { peer, local } = ends;
        let Shared { clock, observer, refusals } = &self.shared;
        let now = Instant::now();
        self.looked = Some(now);
        let mut raw = None;
        let leg = observer.watcher_of(Protocol::Udp, peer);
        if let Some(leg) = &leg {
            // It answers nothing, and its session limits it.
            leg.datagram(now, payload, self.drained);
        } else {
            raw = observer.raw_sender(peer, local);
            let refusal = sources::refusal(peer, self.socket.own, payload)
                .or_else(|| self.rates.refusal(peer.ip(), now));
            if let Some(refusal) = refusal {
                if let Some(raw) = raw {
                    raw.refused(refusal);
                }
                refusals.count(refusal, now, format_args!("datagram from {peer}"));
                return None;
            }
            if let Some(raw) = &raw {
                raw.datagram(payload);
            }
        }
        let reply = Reply { text: clock.ctime(), ends, leg, raw };
        match self.socket.try_send(&reply.text, ends) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(reply),
            sent => self.sent(sent, &reply),
        }
        None
    }

    /// Sends a reply once there is room for it. Only this takes a timer.
    async fn wait_to_send(&self, reply: Reply) {
        let sent = timeout(SEND_PATIENCE, self.socket.send(&reply.text, reply.ends)).await;
        self.sent(sent.unwrap_or_else(|elapsed| Err(elapsed.into())), &reply);
    }

    fn sent(&self, sent: io::Result<()>, Reply { text, ends, leg, raw }: &Reply) {
        match sent {
            Ok(()) => {
                if let Some(leg) = leg {
                    leg.datagram_replied();
                }
                if let Some(raw) = raw {
                    raw.datagram_replied(text);
                }
                self.answered.increment(1);
            }
            Err(error) => {
                if let Some(raw) = raw {
                    raw.refused(Refusal::UdpSend);
                }
                let detail = format_args!("{}: {error}", ends.peer);
                self.shared.refusals.count(Refusal::UdpSend, Instant::now(), detail);
            }
        }
    }
}
