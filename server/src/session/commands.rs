//! What a client asked of its session, carried out or refused with a reason.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use streamgram_protocol::{
    Cause, ClientMessage, Close, Code, Event, How, Invalid, LegId, Link, MAX_EMULATED_DATAGRAM,
    Nodelay, Open, Path, Problem, Protocol, Send, SetLink, Stop, Watch,
};

use super::leg::ended::EndedLeg;
use super::leg::tcp::TcpLeg;
use super::leg::udp::UdpLeg;
use super::raw_clients::RawClients;
use super::state::State;
use crate::observe::Unwatchable;
use crate::path::direct::{DirectTcp, DirectUdp};
use crate::path::emulated::{EmulatedTcp, EmulatedUdp, Permit};
use crate::path::{TcpPath, UdpPath};

/// What a client asked for, or what was wrong with it.
pub type Command = Result<ClientMessage, Invalid>;

impl State {
    /// Carries a command out, or reports why it cannot be.
    pub(super) async fn apply(&mut self, command: Command) {
        let command = match command {
            Ok(command) => command,
            Err(invalid) => return self.complain(invalid.into()),
        };
        let name = command.name();
        let carried_out = match command {
            ClientMessage::Open(open) => self.open(&open).await,
            ClientMessage::Close(close) => self.close(&close),
            ClientMessage::Nodelay(nodelay) => self.nodelay(&nodelay),
            ClientMessage::Link(link) => self.set_link(&link),
            ClientMessage::Send(send) => return self.send(&send),
            ClientMessage::Stop(stop) => return self.stop(&stop),
            ClientMessage::Watch(watch) => self.watch(&watch),
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
        if !self.leg_rate.spend(1, Instant::now()) {
            let limit = self.bridge.rates.legs_per_min;
            let detail =
                format!("the session opens more than {limit} legs a minute, the limit is {limit}");
            return Err(problem(Code::OverLimit, protocol, detail));
        }
        let lab = match open.path {
            Path::Direct => None,
            Path::Emulated => {
                Some((open.link.as_deref().cloned().unwrap_or_default(), self.lab(protocol)?))
            }
        };
        self.legs_opened += 1;
        let on = LegId { protocol, number: self.legs_opened };
        let opened = match protocol {
            Protocol::Tcp => self.open_tcp(on, open.nodelay.unwrap_or(true), lab),
            Protocol::Udp => self.open_udp(on, lab).await,
        };
        opened.map_err(|error| {
            let detail = format!("{} could not be opened: {error}", protocol.name());
            problem(Code::Io, protocol, detail)
        })
    }

    /// The right to one more emulated path.
    fn lab(&mut self, protocol: Protocol) -> Result<Permit, Problem> {
        if protocol == Protocol::Tcp {
            // One path for each protocol: that of the connection before ends here.
            self.ended.iter_mut().for_each(EndedLeg::cut_off);
        }
        let permit = Arc::clone(&self.bridge.labs).try_acquire_owned();
        permit.map(Permit::from).map_err(|_full| {
            let limit = self.bridge.limits.labs;
            let detail = format!("the server emulates {limit} paths, the limit is {limit}");
            problem(Code::TooManyLabs, protocol, detail)
        })
    }

    fn open_tcp(
        &mut self,
        on: LegId,
        nodelay: bool,
        lab: Option<(Link, Permit)>,
    ) -> io::Result<()> {
        let (target, limits) = (self.bridge.targets.tcp, &self.bridge.limits);
        let path = match lab {
            None => {
                let patience = Duration::from_millis(limits.connect_ms.into());
                let (path, local) = DirectTcp::connect(target, nodelay, patience)?;
                (TcpPath::Direct(path), local)
            }
            Some((link, permit)) => {
                let (path, local) = EmulatedTcp::connect(target, &link, nodelay, limits, permit)?;
                (TcpPath::Emulated(Box::new(path)), local)
            }
        };
        let (packets, observer) = (limits.lab_packets, &self.bridge.observer);
        let leg = TcpLeg::new(on, path, target, nodelay, packets, observer);
        self.tcp = Some(Box::new(leg));
        Ok(())
    }

    async fn open_udp(&mut self, on: LegId, lab: Option<(Link, Permit)>) -> io::Result<()> {
        let (target, limits) = (self.bridge.targets.udp, self.bridge.limits);
        let path = match lab {
            None => {
                let (path, local) = DirectUdp::open(target).await?;
                (UdpPath::Direct(path), local)
            }
            Some((link, permit)) => {
                let (path, local) = EmulatedUdp::open(target, &link, &limits, permit).await?;
                (UdpPath::Emulated(Box::new(path)), local)
            }
        };
        let patience = Duration::from_millis(limits.no_reply_ms.into());
        let reports = (limits.lab_packets, patience);
        let (leg, opened) = UdpLeg::new(on, path, target, reports, &self.bridge.observer);
        self.udp = Some(Box::new(leg));
        self.outbox.push(Instant::now(), on, opened);
        Ok(())
    }

    fn close(&mut self, close: &Close) -> Result<(), Problem> {
        let not_open = not_open(close.protocol);
        match (close.protocol, close.how) {
            (Protocol::Udp, _) if self.udp.is_some() => self.end_udp(Cause::Closed, None),
            (Protocol::Tcp, How::Half) => {
                let leg = self.tcp.as_mut().filter(|leg| leg.is_open()).ok_or(not_open)?;
                leg.half_close(&mut self.outbox);
            }
            (Protocol::Tcp, how) if self.tcp.is_some() => self.end_tcp(how.into()),
            (Protocol::Udp | Protocol::Tcp, _) => return Err(not_open),
        }
        Ok(())
    }

    fn set_link(&mut self, SetLink { protocol, link }: &SetLink) -> Result<(), Problem> {
        let set = match protocol {
            Protocol::Tcp => self.tcp.as_mut().map(|leg| (leg.id(), leg.set_link(link))),
            Protocol::Udp => self.udp.as_mut().map(|leg| (leg.id(), leg.set_link(link))),
        };
        match set {
            Some((on, true)) => self.outbox.push(Instant::now(), on, Event::LinkSet {}),
            Some((_, false)) => {
                let detail = format!("{} is open over the direct path", protocol.name());
                return Err(problem(Code::NotEmulated, *protocol, detail));
            }
            None => return Err(not_open(*protocol)),
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

    fn watch(&mut self, watch: &Watch) -> Result<(), Problem> {
        if !watch.on {
            if let Some(raw_clients) = &mut self.raw_clients {
                raw_clients.unwatch(Instant::now(), &mut self.outbox);
            }
            return Ok(());
        }
        let raw_clients =
            self.raw_clients.get_or_insert_with(|| Box::new(RawClients::new(self.client)));
        raw_clients.watch(&self.bridge.observer.feed).map_err(|unwatchable| {
            let code = match unwatchable {
                Unwatchable::Off => Code::FeedOff,
                Unwatchable::Full => Code::OverLimit,
            };
            let detail = unwatchable.to_string();
            Problem { code, detail, message: None, field: None, id: None, protocol: None }
        })
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
        let emulated = self.udp.as_ref().is_some_and(|leg| leg.is_emulated());
        let bursts = match protocol {
            Protocol::Tcp => {
                self.tcp.as_mut().filter(|leg| leg.is_open()).map(|leg| &mut leg.bursts)
            }
            Protocol::Udp => self.udp.as_mut().map(|leg| &mut leg.bursts),
        };
        let bursts = bursts.ok_or_else(|| not_open(protocol))?;
        let longest = send.line(send.count).map_or(0, |line| line.len());
        if protocol == Protocol::Udp && emulated && longest > MAX_EMULATED_DATAGRAM {
            let detail = format!(
                "line is {longest} bytes, the limit of an emulated path is {MAX_EMULATED_DATAGRAM}"
            );
            return Err(problem(Code::OverLimit, protocol, detail));
        }
        let empty = send.line(1).is_ok_and(|line| line.is_empty());
        if empty && protocol == Protocol::Tcp {
            let detail = "an empty line has no bytes, so over TCP there is nothing to send".into();
            return Err(problem(Code::Empty, protocol, detail));
        }
        let limit = self.bridge.limits.sends_in_progress;
        if bursts.len() >= limit {
            let name = protocol.name();
            let detail = format!("{name} has {limit} sends in progress, the limit is {limit}");
            return Err(problem(Code::TooManySends, protocol, detail));
        }
        let now = Instant::now();
        if !self.line_rate.spend(send.count, now) {
            let limit = self.bridge.rates.lines_per_s;
            let detail =
                format!("the session sends more than {limit} lines a second, the limit is {limit}");
            return Err(problem(Code::OverLimit, protocol, detail));
        }
        bursts.start(send, now);
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

    fn complain(&mut self, problem: Problem) {
        self.outbox.push(Instant::now(), None, Event::Error(problem));
    }
}

fn problem(code: Code, protocol: Protocol, detail: String) -> Problem {
    Problem { code, detail, message: None, field: None, id: None, protocol: Some(protocol) }
}

fn not_open(protocol: Protocol) -> Problem {
    problem(Code::NotOpen, protocol, format!("{} is not open", protocol.name()))
}
