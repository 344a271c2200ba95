//! One client's session: a single task that owns both legs.
//!
//! It waits for the first thing that happens anywhere, then does everything that can be done without
//! waiting, in a fixed order, and waits again. It knows nothing of WebSockets: commands come as a
//! stream, events leave through a sink. When the commands end or the sink breaks, the session ends,
//! and with it its legs.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::task::ready;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use streamgram_protocol::{
    Cause, ClientMessage, Close, Code, Event, Hello, How, Invalid, LegId, Limits, Nodelay, Open,
    Problem, Protocol, Send, ServerMessage, Stop,
};
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::Targets;
use super::outbox::Outbox;
use super::tcp_leg::{Received, TcpLeg, cause_of_closing};
use super::udp_leg::UdpLeg;
use crate::observe::{Inbox, Observation, Observations, Observer, Seen, cause_of, observations};

/// Reads of a leg before the session looks at everything else again.
const READS_PER_TURN: usize = 64;

/// What a client asked for, or what was wrong with it.
pub type Command = Result<ClientMessage, Invalid>;

/// A session before it runs.
#[derive(Debug)]
pub struct Session {
    targets: Targets,
    limits: Limits,
    observer: Arc<Observer>,
    inbox: Inbox,
    observations: Observations,
    outbox: Outbox,
    /// The sink has taken messages that it has not passed on yet.
    unflushed: bool,
    legs_opened: u32,
    tcp: Option<Box<TcpLeg>>,
    udp: Option<Box<UdpLeg>>,
}

/// What the session waited for.
enum Woken {
    Command(Option<Command>),
    Observation(Observation),
    /// The client has taken every event, or can take none any more.
    Told(bool),
    /// A leg is ready, a line is due, or a reply is overdue: the next turn finds out.
    Turn,
}

impl Session {
    /// A session whose legs lead to `targets`.
    #[must_use]
    pub fn new(targets: Targets, limits: Limits, observer: Arc<Observer>) -> Self {
        let (inbox, observations) = observations();
        let mut outbox = Outbox::new(Instant::now());
        outbox.push(Instant::now(), None, Event::Hello(hello(targets, limits)));
        Self {
            targets,
            limits,
            observer,
            inbox,
            observations,
            outbox,
            unflushed: false,
            legs_opened: 0,
            tcp: None,
            udp: None,
        }
    }

    /// Serves the client until its commands end or it can take no more events.
    pub async fn run(
        mut self,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<ServerMessage> + Unpin),
    ) {
        loop {
            let more = self.turn();
            match self.wait(more, commands, client).await {
                Woken::Command(Some(command)) => self.obey(command).await,
                Woken::Observation(observation) => self.observed(observation),
                Woken::Told(true) | Woken::Turn => {}
                Woken::Command(None) | Woken::Told(false) => return,
            }
        }
    }

    /// Waits for the first thing that happens; every arm can lose without losing anything.
    async fn wait(
        &mut self,
        more: bool,
        commands: &mut (impl Stream<Item = Command> + Unpin),
        client: &mut (impl Sink<ServerMessage> + Unpin),
    ) -> Woken {
        let (full, deadline) = (self.outbox.is_full(), self.next_deadline());
        let Self { outbox, unflushed, observations, tcp, udp, .. } = self;
        tokio::select! {
            biased;
            told = tell(client, outbox, unflushed), if *unflushed || !outbox.is_empty() => {
                Woken::Told(told)
            }
            command = commands.next(), if !full => Woken::Command(command),
            Some(observation) = observations.recv() => Woken::Observation(observation),
            () = tcp_ready(tcp.as_deref_mut(), !full) => Woken::Turn,
            () = udp_ready(udp.as_deref(), !full) => Woken::Turn,
            () = until(deadline) => Woken::Turn,
            () = yield_now(), if more => Woken::Turn,
        }
    }

    /// When something is to be done although nothing happens.
    fn next_deadline(&self) -> Option<Instant> {
        let full = self.outbox.is_full();
        let tcp = self.tcp.as_ref().filter(|leg| !full && leg.is_open());
        let udp = self.udp.as_ref();
        let lines = [
            tcp.and_then(|leg| leg.bursts.next_due()),
            udp.filter(|_| !full).and_then(|leg| leg.bursts.next_due()),
            udp.and_then(|leg| leg.next_deadline()),
        ];
        lines.into_iter().flatten().min()
    }

    /// Does what can be done without waiting; true if there is more of it.
    fn turn(&mut self) -> bool {
        self.take_observations();
        let tcp = self.turn_tcp().unwrap_or_else(|error| {
            self.end_tcp(cause_of(&error), Some(&error));
            false
        });
        self.turn_udp() || tcp
    }

    fn turn_tcp(&mut self) -> io::Result<bool> {
        let Some(leg) = &mut self.tcp else {
            return Ok(false);
        };
        leg.settle(&mut self.outbox)?;
        let more = leg.send(&mut self.outbox)?;
        for _ in 0..READS_PER_TURN {
            if self.outbox.is_full() {
                return Ok(false);
            }
            let received = self.tcp.as_ref().map_or(Received::Nothing, |leg| leg.receive());
            let now = Instant::now();
            // The server reported its reads before it replied to them.
            self.take_observations();
            match received {
                Received::Nothing => return Ok(more),
                Received::End(cause, error) => {
                    self.end_tcp(cause, error.as_ref());
                    return Ok(false);
                }
                Received::Bytes(bytes) => {
                    if let Some(leg) = &mut self.tcp {
                        leg.replied(&bytes, now, &mut self.outbox);
                    }
                }
            }
        }
        Ok(true)
    }

    fn turn_udp(&mut self) -> bool {
        let Some(leg) = &mut self.udp else {
            return false;
        };
        let more = leg.send(&mut self.outbox);
        for _ in 0..READS_PER_TURN {
            let received = self.udp.as_mut().and_then(|leg| leg.receive(&mut self.outbox));
            let now = Instant::now();
            self.take_observations();
            let Some(leg) = &mut self.udp else {
                return false;
            };
            let Some(bytes) = received else {
                leg.give_up(now, &mut self.outbox);
                return more;
            };
            leg.replied(&bytes, now, &mut self.outbox);
        }
        true
    }

    fn take_observations(&mut self) {
        while let Some(observation) = self.observations.try_recv() {
            self.observed(observation);
        }
        let count = self.observations.take_missed();
        if count > 0 {
            self.outbox.push(Instant::now(), None, Event::Missed { count });
        }
    }

    fn observed(&mut self, Observation { at, on, seen }: Observation) {
        match on.protocol {
            Protocol::Tcp => {
                if let Some(leg) = self.tcp.as_mut().filter(|leg| leg.id() == on) {
                    leg.note(&seen);
                }
            }
            Protocol::Udp => {
                if let Some(leg) = self.udp.as_mut().filter(|leg| leg.id() == on) {
                    leg.note(&seen);
                }
            }
        }
        let event = match seen {
            Seen::Accepted => Event::ServerAccepted,
            Seen::Read { number, offset, bytes } => Event::ServerRead { number, offset, bytes },
            Seen::Datagram { number, bytes, kept } => Event::ServerDatagram { number, bytes, kept },
            Seen::Closed { cause } => Event::ServerClosed { cause },
        };
        self.outbox.push(at, on, event);
    }

    async fn obey(&mut self, command: Command) {
        let command = match command {
            Ok(command) => command,
            Err(invalid) => return self.complain(invalid.into()),
        };
        let name = command.name();
        let carried_out = match command {
            ClientMessage::Open(open) => self.open(&open).await,
            ClientMessage::Close(close) => self.close(&close).await,
            ClientMessage::Nodelay(nodelay) => self.nodelay(&nodelay),
            ClientMessage::Send(send) => return self.send(&send),
            ClientMessage::Stop(stop) => return self.stop(&stop),
        };
        if let Err(problem) = carried_out {
            self.complain(Problem { message: Some(name.into()), ..problem });
        }
    }

    async fn open(&mut self, open: &Open) -> Result<(), Problem> {
        let protocol = open.protocol;
        let is_open = match protocol {
            Protocol::Tcp => self.tcp.is_some(),
            Protocol::Udp => self.udp.is_some(),
        };
        if is_open {
            let detail = format!("{} is open already", protocol.name());
            return Err(problem(Code::AlreadyOpen, protocol, detail));
        }
        self.legs_opened += 1;
        let on = LegId { protocol, leg: self.legs_opened };
        let opened = match protocol {
            Protocol::Tcp => self.open_tcp(on, open.nodelay.unwrap_or(true)),
            Protocol::Udp => self.open_udp(on).await,
        };
        opened.map_err(|error| {
            let detail = format!("{} could not be opened: {error}", protocol.name());
            problem(Code::Io, protocol, detail)
        })
    }

    fn open_tcp(&mut self, on: LegId, nodelay: bool) -> io::Result<()> {
        let patience = Duration::from_millis(self.limits.connect_ms.into());
        let (target, inbox) = (self.targets.tcp, self.inbox.clone());
        let leg = TcpLeg::connect(on, target, nodelay, patience, &self.observer, inbox)?;
        self.tcp = Some(Box::new(leg));
        Ok(())
    }

    async fn open_udp(&mut self, on: LegId) -> io::Result<()> {
        let patience = Duration::from_millis(self.limits.no_reply_ms.into());
        let (target, inbox) = (self.targets.udp, self.inbox.clone());
        let outbox = &mut self.outbox;
        let leg = UdpLeg::open(on, target, patience, &self.observer, inbox, outbox).await?;
        self.udp = Some(Box::new(leg));
        Ok(())
    }

    async fn close(&mut self, close: &Close) -> Result<(), Problem> {
        let not_open = not_open(close.protocol);
        match (close.protocol, close.how) {
            (Protocol::Udp, _) => self.udp.take().ok_or(not_open)?.end(&mut self.outbox),
            (Protocol::Tcp, How::Half) => {
                let leg = self.tcp.as_mut().filter(|leg| leg.is_open()).ok_or(not_open)?;
                if let Err(error) = leg.half_close(&mut self.outbox).await {
                    self.end_tcp(cause_of(&error), Some(&error));
                }
            }
            (Protocol::Tcp, how) => {
                let leg = self.tcp.take().ok_or(not_open)?;
                leg.end(cause_of_closing(how), None, &mut self.outbox);
            }
        }
        Ok(())
    }

    fn nodelay(&mut self, nodelay: &Nodelay) -> Result<(), Problem> {
        let leg = self.tcp.as_mut().filter(|leg| leg.is_open());
        let leg = leg.ok_or_else(|| not_open(Protocol::Tcp))?;
        leg.set_nodelay(nodelay.on).map_err(|error| {
            problem(Code::Io, Protocol::Tcp, format!("TCP_NODELAY could not be set: {error}"))
        })?;
        let event = Event::NodelaySet { nodelay: nodelay.on };
        self.outbox.push(Instant::now(), leg.id(), event);
        Ok(())
    }

    /// Each leg takes the send or refuses it, on its own.
    fn send(&mut self, send: &Send) {
        for &protocol in send.to.protocols() {
            if let Err(problem) = self.send_to(protocol, send) {
                let message = Some("send".into());
                self.complain(Problem { message, id: Some(send.id), ..problem });
            }
        }
    }

    fn send_to(&mut self, protocol: Protocol, send: &Send) -> Result<(), Problem> {
        let bursts = match protocol {
            Protocol::Tcp => {
                self.tcp.as_mut().filter(|leg| leg.is_open()).map(|leg| &mut leg.bursts)
            }
            Protocol::Udp => self.udp.as_mut().map(|leg| &mut leg.bursts),
        };
        let bursts = bursts.ok_or_else(|| not_open(protocol))?;
        let empty = send.data.line(1).is_ok_and(|line| line.is_empty());
        if empty && protocol == Protocol::Tcp {
            let detail = "an empty line has no bytes, so over TCP there is nothing to send".into();
            return Err(problem(Code::Empty, protocol, detail));
        }
        let limit = self.limits.sends_in_progress;
        if bursts.len() >= limit {
            let name = protocol.name();
            let detail = format!("{name} has {limit} sends in progress, the limit is {limit}");
            return Err(problem(Code::TooManySends, protocol, detail));
        }
        bursts.start(send, Instant::now());
        Ok(())
    }

    fn stop(&mut self, stop: &Stop) {
        let now = Instant::now();
        let tcp = self.tcp.as_mut().map(|leg| (leg.id(), leg.bursts.stop(stop.id)));
        let udp = self.udp.as_mut().map(|leg| (leg.id(), leg.bursts.stop(stop.id)));
        for (on, finished) in tcp.into_iter().chain(udp) {
            for finished in finished {
                self.outbox.push(now, on, finished.event());
            }
        }
    }

    fn end_tcp(&mut self, cause: Cause, error: Option<&io::Error>) {
        if let Some(leg) = self.tcp.take() {
            leg.end(cause, error, &mut self.outbox);
        }
    }

    fn complain(&mut self, problem: Problem) {
        self.outbox.push(Instant::now(), None, Event::Error(problem));
    }
}

fn hello(Targets { tcp, udp }: Targets, limits: Limits) -> Hello {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Hello {
        version: env!("CARGO_PKG_VERSION").into(),
        wall_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
        tcp: tcp.to_string(),
        udp: udp.to_string(),
        limits,
    }
}

fn problem(code: Code, protocol: Protocol, detail: String) -> Problem {
    Problem { code, detail, message: None, field: None, id: None, protocol: Some(protocol) }
}

fn not_open(protocol: Protocol) -> Problem {
    problem(Code::NotOpen, protocol, format!("{} is not open", protocol.name()))
}

/// Hands events to the client as fast as it takes them; true when it has all of them, false when it
/// can take no more.
async fn tell(
    client: &mut (impl Sink<ServerMessage> + Unpin),
    outbox: &mut Outbox,
    unflushed: &mut bool,
) -> bool {
    let told = poll_fn(|cx| {
        while !outbox.is_empty() {
            ready!(client.poll_ready_unpin(cx))?;
            if let Some(message) = outbox.pop() {
                client.start_send_unpin(message)?;
                *unflushed = true;
            }
        }
        client.poll_flush_unpin(cx)
    });
    let told = told.await.is_ok();
    *unflushed = false;
    told
}

async fn tcp_ready(leg: Option<&mut TcpLeg>, room: bool) {
    match leg {
        Some(leg) => leg.ready(room).await,
        None => pending().await,
    }
}

async fn udp_ready(leg: Option<&UdpLeg>, room: bool) {
    match leg {
        Some(leg) => leg.ready(room).await,
        None => pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
