//! One client's session: a single task that owns both legs.
//!
//! It waits for the first thing that happens anywhere, then does everything that can be done without
//! waiting, in a fixed order, and waits again. It knows nothing of WebSockets: a client is a stream of
//! commands, and a sink that takes as many events at once as there are. When the commands end or the
//! sink breaks, the session ends, and with it its legs.

use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::task::{Context, Poll, ready};

use futures_util::future::{OptionFuture, poll_immediate, select_all};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use streamgram_protocol::ServerMessage;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::bridge::Bridge;
use super::commands::Command;
use super::leg::ended::EndedLeg;
use super::outbox::Outbox;
use super::state::State;

/// Turns that everybody else has while events are collected.
const COLLECTING_TURNS: usize = 3;

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// The client has taken events that it has not passed on yet.
    unflushed: bool,
}

/// What the session waited for.
enum Woken {
    Command(Command),
    /// Something is ready, a line is due, a reply is overdue, or the client has taken every event: the
    /// next turn finds out.
    Turn,
    /// The client says no more, or takes no more.
    ClientGone,
}

impl Session {
    /// A session without legs, of a client at this address; without one no raw client is its own. `lan`
    /// is where others can open the page, as far as that client may know.
    #[must_use]
    pub fn new(bridge: Bridge, client: Option<IpAddr>, lan: Option<String>) -> Self {
        Self { state: State::new(bridge, client, lan), unflushed: false }
    }

    /// Serves the client until its commands end or it can take no more events.
    pub async fn run(
        mut self,
        client: &mut (impl Stream<Item = Command> + Sink<Vec<ServerMessage>> + Unpin),
    ) {
        loop {
            let more = self.turns().await;
            match self.wait(more, client).await {
                Woken::Command(command) => self.state.apply(command).await,
                Woken::Turn => {}
                Woken::ClientGone => return,
            }
        }
    }

    /// Does what can be done without waiting; true if there is more of it.
    ///
    /// What a line brings about (the server's read, the reply, the answer) follows within microseconds.
    /// So while a line is not answered, everybody else has a few turns before its events are handed to
    /// the client, and they leave in one write in place of three.
    async fn turns(&mut self) -> bool {
        let mut more = self.state.turn();
        for _ in 0..COLLECTING_TURNS {
            let outbox = &self.state.outbox;
            if outbox.is_empty() || outbox.is_full() || !self.state.awaits_reply() {
                break;
            }
            yield_now().await;
            more = self.state.turn();
        }
        more
    }

    /// Waits for the first thing that happens; every arm can lose without losing anything.
    async fn wait(
        &mut self,
        more: bool,
        client: &mut (impl Stream<Item = Command> + Sink<Vec<ServerMessage>> + Unpin),
    ) -> Woken {
        let Self { state, unflushed } = self;
        let full = state.outbox.is_full();
        // Nearly always the client takes everything at once, and then only a full outbox has kept the
        // turn before from anything.
        match poll_immediate(poll_fn(|cx| send(cx, client, &mut state.outbox, unflushed))).await {
            Some(Ok(())) if full => return Woken::Turn,
            Some(Ok(())) | None => {}
            Some(Err(_gone)) => return Woken::ClientGone,
        }
        let deadline = state.next_deadline();
        let State { outbox, tcp, udp, ended, raw_clients, .. } = state;
        let exchange = poll_fn(|cx| {
            let has_events = *unflushed || !outbox.is_empty();
            if has_events && let Poll::Ready(sent) = send(cx, client, outbox, unflushed) {
                return Poll::Ready(sent.map_or(Woken::ClientGone, |()| Woken::Turn));
            }
            if full {
                return Poll::Pending;
            }
            let command = client.poll_next_unpin(cx);
            command.map(|command| command.map_or(Woken::ClientGone, Woken::Command))
        });
        tokio::select! {
            biased;
            woken = exchange => woken,
            Some(()) = OptionFuture::from(tcp.as_mut().map(|leg| leg.ready(!full))) => Woken::Turn,
            Some(()) = OptionFuture::from(udp.as_mut().map(|leg| leg.ready(!full))) => Woken::Turn,
            () = any_ready(ended, !full) => Woken::Turn,
            Some(()) = OptionFuture::from(raw_clients.as_mut().map(|clients| clients.ready())) => {
                Woken::Turn
            }
            Some(()) = OptionFuture::from(deadline.map(|at| sleep_until(at.into()))) => Woken::Turn,
            () = yield_now(), if more => Woken::Turn,
        }
    }
}

/// Hands events to the client in frames, as fast as it takes them. Ready once it has all of them, or
/// can take no more.
fn send<Client: Sink<Vec<ServerMessage>> + Unpin>(
    cx: &mut Context<'_>,
    client: &mut Client,
    outbox: &mut Outbox,
    unflushed: &mut bool,
) -> Poll<Result<(), Client::Error>> {
    while !outbox.is_empty() {
        ready!(client.poll_ready_unpin(cx))?;
        client.start_send_unpin(outbox.next_frame())?;
        *unflushed = true;
    }
    if *unflushed {
        ready!(client.poll_flush_unpin(cx))?;
        *unflushed = false;
    }
    Poll::Ready(Ok(()))
}

/// Waits until one of the legs that have ended has something to do.
async fn any_ready(ended: &mut [EndedLeg], room: bool) {
    if ended.is_empty() {
        return pending().await;
    }
    select_all(ended.iter_mut().map(|leg| Box::pin(leg.ready(room)))).await;
}
