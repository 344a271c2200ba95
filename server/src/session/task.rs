//! One client's session: a single task that owns both legs.
//!
//! It waits for the first thing that happens anywhere, then does everything that can be done without
//! waiting, in a fixed order, and waits again. It knows nothing of WebSockets: commands come as a
//! stream, events leave through a sink, as many at once as there are. When the commands end or the sink
//! breaks, the session ends, and with it its legs.

use std::net::IpAddr;

use futures_util::future::{OptionFuture, poll_immediate};
use futures_util::{Sink, Stream, StreamExt};
use streamgram_protocol::ServerMessage;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::bridge::Bridge;
use super::commands::Command;
use super::state::State;
use super::waiting::{any_ready, tell};

/// How often everybody else has their turn before events are handed to the client while a line waits for
/// its answer: what it brings about follows within microseconds, and all of it then leaves in one write.
const COLLECTING_TURNS: u8 = 3;

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// The sink has taken messages that it has not passed on yet.
    unflushed: bool,
    /// Turns of everybody else since there was something to tell.
    collected: u8,
}

/// What the session waited for.
enum Woken {
    Command(Option<Command>),
    /// The client has taken every event, or can take none any more.
    Told(bool),
    /// Something is ready, a line is due, or a reply is overdue: the next turn finds out.
    Turn,
}

impl Session {
    /// A session without legs, of a client at this address; without one it is told of no raw client as
    /// its own. `lan` is where others can open the page, as far as that client may know.
    #[must_use]
    pub fn new(bridge: Bridge, client: Option<IpAddr>, lan: Option<String>) -> Self {
        Self { state: State::new(bridge, client, lan), unflushed: false, collected: 0 }
    }

    /// Serves the client until its commands end or it can take no more events.
    pub async fn run(
        mut self,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<Vec<ServerMessage>> + Unpin),
    ) {
        loop {
            let more = self.state.turn();
            if self.collects() {
                yield_now().await;
                continue;
            }
            match self.wait(more, commands, client).await {
                Woken::Command(Some(command)) => self.state.apply(command).await,
                Woken::Told(true) | Woken::Turn => {}
                Woken::Command(None) | Woken::Told(false) => return,
            }
        }
    }

    /// Whether what is to be told waits for more of the same, once more.
    fn collects(&mut self) -> bool {
        let outbox = &self.state.outbox;
        let more = self.state.awaits_reply() && !outbox.is_empty() && !outbox.is_full();
        let collects = more && self.collected < COLLECTING_TURNS;
        self.collected += u8::from(collects);
        collects
    }

    /// Waits for the first thing that happens; every arm can lose without losing anything.
    async fn wait(
        &mut self,
        more: bool,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<Vec<ServerMessage>> + Unpin),
    ) -> Woken {
        let full = self.state.outbox.is_full();
        if self.unflushed || !self.state.outbox.is_empty() {
            // Nearly always the client takes everything at once, and then only a full outbox has kept
            // the turn before from anything.
            let told =
                poll_immediate(tell(client, &mut self.state.outbox, &mut self.unflushed)).await;
            if let Some(told) = told {
                self.collected = 0;
                if full || !told {
                    return Woken::Told(told);
                }
            }
        }
        let deadline = self.state.next_deadline();
        let Self { state: State { outbox, tcp, udp, ended, raw_clients, .. }, unflushed, .. } =
            self;
        let has_events = *unflushed || !outbox.is_empty();
        tokio::select! {
            biased;
            told = tell(client, outbox, unflushed), if has_events => {
                self.collected = 0;
                Woken::Told(told)
            }
            command = commands.next(), if !full => Woken::Command(command),
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
