//! The task of a session.
//!
//! It waits for the first thing that happens, then does everything that can be done without waiting, in a
//! fixed order, and waits again. A client is a stream of commands and a sink for events. When the commands
//! end or the sink fails, the session ends, and its legs with it.

use std::future::{pending, poll_fn};
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::future::{OptionFuture, poll_immediate, select_all};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::bridge::Bridge;
use super::commands::Command;
use super::leg::ended::EndedLeg;
use super::outbox::Outbox;
use super::reachable::Reachable;
use super::state::State;
use crate::observe::Machine;

/// How long events wait for the reply that is likely to follow, so that all leave in one write. A reply that takes
/// longer leaves in a write of its own.
const COLLECTING: Duration = Duration::from_millis(1);

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// The sink has events that are not flushed yet.
    unflushed: bool,
    /// Until when the events in the outbox wait for a reply.
    collecting: Option<Instant>,
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
        Self {
            state: State::new(bridge, address, machine, reachable),
            unflushed: false,
            collecting: None,
        }
    }

    /// Serves the client until its commands end or its sink fails.
    pub async fn run(mut self, client: &mut (impl Stream<Item = Command> + Sink<String> + Unpin)) {
        loop {
            let more = self.state.turn();
            match self.wait(more, client).await {
                Woken::Command(command) => self.state.apply(command).await,
                Woken::Turn => {}
                Woken::ClientGone => return,
            }
        }
    }

    /// Until when the events in the outbox wait, if they do.
    ///
    /// The consequences of a line (the server's read, the reply, the answer) follow within microseconds. So while a
    /// line is not answered, its events wait a moment. Then all of them leave in one write instead of three.
    fn collect(&mut self, now: Instant) -> Option<Instant> {
        let Self { state, unflushed, collecting } = self;
        let outbox = &state.outbox;
        let has_some = !*unflushed && !outbox.is_empty() && !outbox.fills_frame();
        let until = collecting.take().unwrap_or(now + COLLECTING);
        *collecting = (has_some && state.awaits_reply() && now < until).then_some(until);
        *collecting
    }

    /// Waits for the first thing that happens. Every arm is cancel-safe.
    async fn wait(
        &mut self,
        more: bool,
        client: &mut (impl Stream<Item = Command> + Sink<String> + Unpin),
    ) -> Woken {
        let collecting = self.collect(Instant::now());
        let Self { state, unflushed, .. } = self;
        let had_room = state.outbox.has_room_for_lines();
        let sent = if collecting.is_some() {
            Some(Ok(()))
        } else {
            poll_immediate(poll_fn(|cx| send(cx, client, &mut state.outbox, unflushed))).await
        };
        if let Some(Err(_gone)) = sent {
            return Woken::ClientGone;
        }
        // Nearly always the client takes a frame at once. Other tasks come before the next frame, and before
        // the turn that lacked the room for something.
        let is_blocked = sent.is_none();
        let (full, sends) = (state.outbox.is_full(), state.outbox.has_room_for_lines());
        let got_room = sends && !had_room;
        let has_room_for_news = state.outbox.has_room_for_raw();
        let has_more = collecting.is_none() && !state.outbox.is_empty();
        let more = more || !is_blocked && (got_room || has_more);
        let deadline = [state.next_deadline(), collecting].into_iter().flatten().min();
        let State { outbox, tcp, udp, ended, raw_clients, dropped, room, .. } = state;
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
            Some(()) = OptionFuture::from(tcp.as_mut().map(|leg| leg.ready(collecting.is_none(), !full, sends))) => {
                Woken::Turn
            }
            Some(()) = OptionFuture::from(udp.as_mut().map(|leg| leg.ready(collecting.is_none(), !full, sends))) => {
                Woken::Turn
            }
            () = any_ready(ended, !full) => Woken::Turn,
            Some(()) = OptionFuture::from(raw_clients.as_mut().map(|clients| clients.ready())) => {
                Woken::Turn
            }
            Some(Ok(())) = OptionFuture::from(dropped.as_mut().map(watch::Receiver::changed)) => {
                Woken::Turn
            }
            Some(()) = room.changed(), if has_room_for_news => Woken::Turn,
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
