//! A UDP timestamp server whose replies go wrong on purpose. It refuses the same sources as the ordinary one, and every
//! reply pays the same rates, a second copy too.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use streamgram_protocol::Protocol;
use streamgram_protocol::fault::{Accept, Deed, Stamp, UdpRecipe};
use tokio::net::UdpSocket;
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::plan::{Fate, fate};
use crate::config::UdpLimits;
use crate::guard::refusals::Refusal;
use crate::observe::{RawClient, Watcher};
use crate::timestamp::Shared;
use crate::timestamp::udp::rates::Rates;
use crate::timestamp::udp::socket::{Batch, Ends, Socket};
use crate::timestamp::udp::sources;
use crate::udp_error::is_refusal;

/// How long a reply waits for the one that it is to go out behind.
const REORDER_PATIENCE: Duration = Duration::from_millis(200);
/// Replies that wait; one more is not sent, and counted as refused.
const WAITING_REPLIES: usize = 1_024;
/// How long the server waits after an error, which may not go away at once.
const RECEIVE_PAUSE: Duration = Duration::from_millis(20);

/// The sockets of a faulty server.
#[derive(Debug)]
pub struct Sockets {
    /// Where it is asked. If it refuses, the system answers nobody but the socket itself, to which it is connected.
    pub asked: UdpSocket,
    /// Where the replies come from, if that is another port.
    pub other: Option<UdpSocket>,
}

/// Answers datagrams as the recipe says until `stop`.
///
/// # Errors
/// The sockets cannot be used.
pub async fn serve(
    (place, sockets): (usize, Sockets),
    recipe: UdpRecipe,
    shared: Shared,
    limits: UdpLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let Sockets { asked, other } = sockets;
    if recipe.accept == Accept::Refuse {
        stop.cancelled().await;
        return Ok(());
    }
    let asked = Socket::new(asked)?;
    let answering = other.map(Socket::new).transpose()?;
    let (rates, replies) = (Rates::new(&limits, Instant::now()), Replies::default());
    let mut server =
        Server { place, asked, answering, recipe, shared, rates, datagrams: 0, replies };
    let mut batch = Batch::new();
    while !stop.is_cancelled() {
        let due = server.replies.due();
        let timer = sleep_until(due.unwrap_or_else(Instant::now).into());
        tokio::select! {
            () = stop.cancelled() => break,
            () = timer, if due.is_some() => server.send_due(Instant::now()),
            ready = server.asked.readable() => {
                ready?;
                server.receive(&mut batch).await;
            }
        }
    }
    Ok(())
}

struct Server {
    place: usize,
    asked: Socket,
    answering: Option<Socket>,
    recipe: UdpRecipe,
    shared: Shared,
    rates: Rates,
    /// Datagrams that were taken.
    datagrams: u64,
    replies: Replies,
}

/// A reply that waits.
struct Waiting {
    due: Instant,
    text: Vec<u8>,
    ends: Ends,
}

/// The replies that wait, those that are due first in front; and one that goes out behind the next.
#[derive(Default)]
struct Replies {
    waiting: VecDeque<Waiting>,
    behind: Option<Waiting>,
}

/// Who is told what is done about a datagram.
enum Teller {
    Leg(std::sync::Arc<Watcher>),
    Raw(RawClient),
    Nobody,
}

impl Teller {
    fn tell(&self, deed: Deed) {
        match self {
            Self::Leg(leg) => leg.datagram_fault(deed),
            Self::Raw(raw) => raw.fault(deed),
            Self::Nobody => {}
        }
    }
}

impl Server {
    async fn receive(&mut self, batch: &mut Batch) {
        let received = match self.asked.try_receive(batch) {
            Ok(datagrams) => {
                let owned = datagrams.map(|(payload, ends)| (payload.to_vec(), ends));
                owned.collect::<Vec<_>>()
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if is_refusal(&error) => return debug!(%error, "a reply was refused"),
            Err(error) => {
                self.shared.refusals.count(Refusal::UdpReceive, Instant::now(), &error);
                return sleep(RECEIVE_PAUSE).await;
            }
        };
        for (payload, ends) in received {
            self.take(&payload, ends, Instant::now());
        }
        self.send_due(Instant::now());
    }

    fn take(&mut self, payload: &[u8], ends: Ends, now: Instant) {
        let Ends { peer, local } = ends;
        let Shared { observer, refusals, .. } = &self.shared;
        let number = self.datagrams;
        let refusal = sources::refusal(peer, self.asked.own, payload)
            .or_else(|| self.rates.refusal(peer.ip(), now));
        let teller = match observer.watcher_of(Protocol::Udp, peer) {
            Some(leg) => {
                leg.datagram(now, payload, None);
                Teller::Leg(leg)
            }
            None => {
                let raw = observer.raw_sender(peer, local);
                raw.map_or(Teller::Nobody, |raw| Teller::Raw(raw.of_fault(self.place)))
            }
        };
        if let Some(refusal) = refusal {
            if let Teller::Raw(raw) = teller {
                raw.refused(refusal);
            }
            return refusals.count(refusal, now, format_args!("datagram from {peer}"));
        }
        self.datagrams += 1;
        if let Teller::Raw(raw) = &teller {
            raw.datagram(payload);
        }
        if self.recipe.accept == Accept::Silent {
            return teller.tell(Deed::Silent {});
        }
        self.answer(number, fate(&self.recipe, number), ends, (&teller, now));
    }

    fn answer(&mut self, number: u64, fate: Fate, ends: Ends, (teller, now): (&Teller, Instant)) {
        let offset = number;
        let mut text = self.shared.clock.ctime_of(self.recipe.stamp, fate.off_s).to_vec();
        if self.recipe.stamp != Stamp::Right {
            teller.tell(Deed::Misdated { offset, seconds: fate.off_s });
        }
        if fate.copies == 0 {
            return teller.tell(Deed::Dropped { offset });
        }
        if fate.kept < text.len() {
            text.truncate(fate.kept);
            teller.tell(Deed::Truncated { offset, bytes: fate.kept });
        }
        if !fate.delay.is_zero() {
            let ms = u64::try_from(fate.delay.as_millis()).unwrap_or(u64::MAX);
            teller.tell(Deed::Delayed { offset, ms });
        }
        if let Some(other) = &self.answering {
            teller.tell(Deed::Elsewhere { offset, port: other.own.port() });
        }
        let reply = || Waiting { due: now + fate.delay, text: text.clone(), ends };
        if fate.copies > 1 {
            teller.tell(Deed::Duplicated { offset });
            // The copy is a reply of its own.
            if self.rates.refusal(ends.peer.ip(), now).is_none() {
                self.wait(reply(), now);
            }
        }
        if fate.behind && self.replies.behind.is_none() {
            teller.tell(Deed::Reordered { offset });
            let due = now + fate.delay + REORDER_PATIENCE;
            self.replies.behind = Some(Waiting { due, ..reply() });
        } else {
            self.wait(reply(), now);
            if let Some(behind) = self.replies.behind.take() {
                self.wait(Waiting { due: now + fate.delay, ..behind }, now);
            }
        }
    }

    fn wait(&mut self, reply: Waiting, now: Instant) {
        if self.replies.waiting.len() >= WAITING_REPLIES {
            let detail = format_args!("{}: {WAITING_REPLIES} replies wait", reply.ends.peer);
            return self.shared.refusals.count(Refusal::UdpSend, now, detail);
        }
        let waiting = &mut self.replies.waiting;
        let at = waiting.partition_point(|other| other.due <= reply.due);
        waiting.insert(at, reply);
    }

    fn send_due(&mut self, now: Instant) {
        let from = self.answering.as_ref().unwrap_or(&self.asked);
        while let Some(Waiting { text, ends, .. }) = self.replies.next_due(now) {
            if let Err(error) = from.try_send(&text, ends) {
                let detail = format_args!("{}: {error}", ends.peer);
                self.shared.refusals.count(Refusal::UdpSend, now, detail);
            }
        }
    }
}

impl Replies {
    /// When the next one is due.
    fn due(&self) -> Option<Instant> {
        let first = self.waiting.front().map(|waiting| waiting.due);
        let behind = self.behind.as_ref().map(|behind| behind.due);
        first.into_iter().chain(behind).min()
    }

    fn next_due(&mut self, now: Instant) -> Option<Waiting> {
        self.waiting
            .pop_front_if(|waiting| waiting.due <= now)
            .or_else(|| self.behind.take_if(|behind| behind.due <= now))
    }
}
