//! The task of a session.
//!
//! It waits for the first thing that happens, then does everything that can be done without waiting, in a
//! fixed order, and waits again. A client is a stream of commands and a sink for events. When the commands
//! end or the sink fails, the session ends, and its legs with it.

use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::task::{Context, Poll, ready};

use futures_util::future::{OptionFuture, poll_immediate, select_all};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::bridge::Bridge;
use super::commands::Command;
use super::leg::ended::EndedLeg;
use super::outbox::Outbox;
use super::reachable::Reachable;
use super::state::State;
use crate::observe::Machine;

/// How often the session yields to collect events.
const COLLECTING_TURNS: usize = 3;

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// The sink has events that are not flushed yet.
    unflushed: bool,
}

/// What the session waited for.
enum Woken {
    Command(Command),
    /// Something is ready, something is due, or a frame is out: the next turn finds out which.
    Turn,
    /// The commands have ended, or the sink has failed.
    ClientGone,
}

impl Session {
    /// A session without legs. `address` is where it comes from, for limits. `machine` is where its client comes
    /// from, if that is known; if it is not, no raw client counts as the client's own.
    #[must_use]
    pub fn new(
        bridge: Bridge,
        address: IpAddr,
        machine: Option<Machine>,
        reachable: Reachable,
    ) -> Self {
        Self { state: State::new(bridge, address, machine, reachable), unflushed: false }
    }

    /// Serves the client until its commands end or its sink fails.
    pub async fn run(mut self, client: &mut (impl Stream<Item = Command> + Sink<String> + Unpin)) {
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
    /// The consequences of a line (the server's read, the reply, the answer) follow within microseconds. So
    /// while a line is not answered, the session yields a few times before it sends its events. Then all of
    /// them leave in one write instead of three.
    async fn turns(&mut self) -> bool {
        let mut more = self.state.turn();
        for _ in 0..COLLECTING_TURNS {
            let outbox = &self.state.outbox;
            if outbox.is_empty() || outbox.fills_frame() || !self.state.awaits_reply() {
                break;
            }
            yield_now().await;
            more = self.state.turn();
        }
        more
    }

    /// Waits for the first thing that happens. Every arm is cancel-safe.
    async fn wait(
        &mut self,
        more: bool,
        client: &mut (impl Stream<Item = Command> + Sink<String> + Unpin),
    ) -> Woken {
        let Self { state, unflushed } = self;
        let had_room = state.outbox.has_room_for_lines();
        let sent =
            poll_immediate(poll_fn(|cx| send(cx, client, &mut state.outbox, unflushed))).await;
        if let Some(Err(_gone)) = sent {
            return Woken::ClientGone;
        }
        // Nearly always the client takes a frame at once. Other tasks come before the next frame, and before
        // the turn that lacked the room for something.
        let is_blocked = sent.is_none();
        let (full, sends) = (state.outbox.is_full(), state.outbox.has_room_for_lines());
        let got_room = sends && !had_room;
        let more = more || !is_blocked && (got_room || !state.outbox.is_empty());
        let deadline = state.next_deadline();
        let State { outbox, tcp, udp, ended, raw_clients, .. } = state;
        let exchange = poll_fn(|cx| {
            if is_blocked && let Poll::Ready(sent) = send(cx, client, outbox, unflushed) {
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
            Some(()) = OptionFuture::from(tcp.as_mut().map(|leg| leg.ready(!full, sends))) => {
                Woken::Turn
            }
            Some(()) = OptionFuture::from(udp.as_mut().map(|leg| leg.ready(!full, sends))) => {
                Woken::Turn
            }
            () = any_ready(ended, !full) => Woken::Turn,
            Some(()) = OptionFuture::from(raw_clients.as_mut().map(|clients| clients.ready())) => {
                Woken::Turn
            }
            Some(()) = OptionFuture::from(deadline.map(|at| sleep_until(at.into()))) => Woken::Turn,
            () = yield_now(), if more => Woken::Turn,
        }
    }
}

/// Sends a frame of events to the client, if there are any. Ready when it is out, or the sink has failed.
fn send<Client: Sink<String> + Unpin>(
    cx: &mut Context<'_>,
    client: &mut Client,
    outbox: &mut Outbox,
    unflushed: &mut bool,
) -> Poll<Result<(), Client::Error>> {
    if !*unflushed && !outbox.is_empty() {
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
