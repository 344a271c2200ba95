//! Runs a scenario over a session of the library, whose client it is: it hands on every event, and the deadline ends
//! what does not settle.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{Sink, Stream};
use streamgram_protocol::{ClientMessage, Link, Protocol, Scenario, Send, ServerMessage};
use tokio::time::{Instant, Sleep, sleep_until};

use super::figures::Counter;
use super::own_server::OwnServer;
use super::player::Player;
use crate::observe::Machine;
use crate::session::{Command, Reachable, Session};

/// How long a scenario may take beside the pauses between its lines, if nobody says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the end of the legs may take.
const CLOSING_PATIENCE: Duration = Duration::from_secs(2);

/// What came of a scenario.
#[derive(Debug)]
pub(super) struct Played {
    /// What was counted.
    pub(super) figures: Counter,
    /// Whether every line was answered or given up before the deadline.
    pub(super) is_settled: bool,
    /// What the session could not carry out.
    pub(super) problem: Option<String>,
}

/// Runs a scenario over a server; what the session reports is handed on as it comes, whole lines of JSON. `take` says
/// whether there is to be more.
pub(super) async fn play(
    server: &OwnServer,
    scenario: &Scenario,
    sends: Vec<Send>,
    deadline: Option<Duration>,
    take: impl FnMut(&str) -> bool + Unpin,
) -> Played {
    let address = |protocol| server.address(protocol).to_string();
    let [tcp, udp] = Protocol::BOTH.map(address);
    let reachable = Reachable { tcp, udp, faults: Vec::new(), lan: None };
    let here = Ipv4Addr::LOCALHOST.into();
    let session = Session::new(server.bridge(), here, Some(Machine::Loopback), reachable);
    let deadline = deadline.unwrap_or_else(|| PATIENCE + pauses(&sends));
    let (player, opens) = Player::new(scenario, sends, |protocol| server.fault(protocol));
    let mut client = Client {
        player,
        says: opens.into(),
        alarm: Box::pin(sleep_until(Instant::now() + deadline)),
        ending: None,
        trailing: scenario.link.as_ref().map_or(Duration::ZERO, trailing),
        is_settled: false,
        has_given_up: false,
        figures: Counter::default(),
        waker: None,
        take,
    };
    pin!(session.run(&mut client)).await;
    let Client { player, figures, is_settled, .. } = client;
    Played { figures, is_settled, problem: player.problem.map(|problem| problem.detail) }
}

/// The pauses between all lines.
fn pauses(sends: &[Send]) -> Duration {
    let ms = sends.iter().map(|send| u64::from(send.count) * u64::from(send.interval_ms)).sum();
    Duration::from_millis(ms)
}

/// How long packets of an ended connection can still be on a link: FIN and its acknowledgement.
fn trailing(link: &Link) -> Duration {
    let ways = [link.up, link.down].map(|way| way.delay_ms + way.jitter_ms);
    Duration::from_millis(100) + 2 * Duration::from_millis(ways.into_iter().map(u64::from).sum())
}

/// The client end of the session.
struct Client<Take> {
    player: Player,
    says: VecDeque<ClientMessage>,
    alarm: Pin<Box<Sleep>>,
    /// What the alarm ends; nothing but the scenario, to begin with.
    ending: Option<Ending>,
    trailing: Duration,
    is_settled: bool,
    /// The deadline came first.
    has_given_up: bool,
    figures: Counter,
    waker: Option<Waker>,
    take: Take,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The legs are closed, or about to be.
    Closing,
    /// Nothing more is said.
    Over,
}

impl<Take: FnMut(&str) -> bool + Unpin> Client<Take> {
    fn hear(&mut self, message: &ServerMessage) {
        self.figures.count(message);
        let says = self.player.hear(message);
        self.is_settled |= !self.has_given_up && self.player.is_settled();
        let closes = says.iter().any(|said| matches!(said, ClientMessage::Close(_)));
        self.says.extend(says);
        if self.ending.is_none() && (closes || self.player.is_over()) {
            self.end_within(Ending::Closing, CLOSING_PATIENCE);
        }
        if self.ending == Some(Ending::Closing) && self.player.is_over() {
            self.end_within(Ending::Over, self.trailing);
        }
    }

    fn end_within(&mut self, ending: Ending, patience: Duration) {
        self.ending = Some(ending);
        self.alarm.as_mut().reset(Instant::now() + patience);
    }
}

impl<Take: FnMut(&str) -> bool + Unpin> Stream for Client<Take> {
    type Item = Command;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Command>> {
        if let Some(said) = self.says.pop_front() {
            return Poll::Ready(Some(Ok(said)));
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if self.ending.is_some() {
                return Poll::Ready(None);
            }
            self.has_given_up = true;
            let closes = self.player.give_up();
            self.says.extend(closes);
            self.end_within(Ending::Closing, CLOSING_PATIENCE);
            if let Some(said) = self.says.pop_front() {
                return Poll::Ready(Some(Ok(said)));
            }
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<Take: FnMut(&str) -> bool + Unpin> Sink<String> for Client<Take> {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: String) -> Result<(), Infallible> {
        for line in frame.split('\n') {
            // The session wrote it a moment ago.
            if let Ok(message) = ServerMessage::decode(line) {
                self.hear(&message);
            }
        }
        if !(self.take)(&frame) {
            self.end_within(Ending::Over, Duration::ZERO);
        }
        // What is to be said now may come of it.
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
