//! Carries out what a client asks for, or reports why it cannot.

use std::sync::Arc;
use std::time::Instant;

use streamgram_protocol::{
    Cause, ClientMessage, Close, Code, Event, How, Invalid, LegId, MAX_EMULATED_DATAGRAM, Nodelay,
    Open, Path, Ping, Problem, Protocol, Send, SetLink, Stop, Watch,
};

use super::bridge::Bridge;
use super::leg::burst::Lines;
use super::leg::ended::EndedLeg;
use super::leg::tcp::TcpLeg;
use super::leg::udp::UdpLeg;
use super::raw_clients::RawClients;
use super::state::State;
use crate::guard::admission::Full;
use crate::guard::ports::Port;
use crate::observe::{Unwatchable, Wanted};
use crate::path::Route;
use crate::path::emulated::Permit;

/// Bytes that the sends in progress of one leg may hold: the longest line and some more. One more send is
/// refused.
pub const SENDS_BYTES: usize = 80 * 1024;

/// A message of the client, or why it is not one.
pub type Command = Result<ClientMessage, Invalid>;

impl State {
    /// Carries a command out, or reports why it cannot.
    pub(super) async fn apply(&mut self, command: Command) {
        let command = match command {
            Ok(command) => command,
            Err(invalid) => return self.complain(invalid.into()),
        };
        let name = command.name();
        let carried_out = match command {
            ClientMessage::Open(open) => self.open(open).await,
            ClientMessage::Close(close) => self.close(&close),
            ClientMessage::Nodelay(nodelay) => self.nodelay(&nodelay),
            ClientMessage::Link(link) => self.set_link(&link),
            ClientMessage::Send(send) => return self.send(&send),
            ClientMessage::Stop(stop) => return self.stop(&stop),
            ClientMessage::Watch(watch) => self.watch(&watch),
            // Boxed: what that takes, an idle session need not have.
            ClientMessage::Room(request) => Box::pin(self.ask_room(request)).await,
            ClientMessage::Ping(Ping {}) => {
                self.outbox.push(Instant::now(), None, Event::Pong {});
                Ok(())
            }
        };
        if let Err(problem) = carried_out {
            self.complain(Problem { message: Some(name.into()), ..problem });
        }
    }

    async fn open(&mut self, open: Open) -> Result<(), Problem> {
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
        let target = self.bridge.target(protocol, open.fault).ok_or_else(|| {
            let (name, faults) = (protocol.name(), self.bridge.faults.len());
            let detail = format!("fault is none of {name} among the {faults} faulty servers");
            let field = Some("fault".into());
            Problem { field, ..problem(Code::OverLimit, protocol, detail) }
        })?;
        let route = match open.path {
            Path::Direct => Route::Direct,
            Path::Emulated => {
                Route::Emulated(open.link.unwrap_or_default(), self.permit(protocol)?)
            }
        };
        self.begin_to_capture(open.capture);
        self.legs_opened += 1;
        let id = LegId { protocol, number: self.legs_opened };
        let opened = match protocol {
            Protocol::Tcp => {
                let (port, nodelay) = (self.port()?, open.nodelay.unwrap_or(true));
                TcpLeg::connect(id, route, (target, nodelay), open.capture, &self.bridge, port)
                    .map(|leg| self.tcp = Some(Box::new(leg)))
            }
            Protocol::Udp => {
                let target = (target, open.fault.is_some());
                UdpLeg::open(id, route, target, open.capture, &self.bridge, &mut self.outbox)
                    .await
                    .map(|leg| self.udp = Some(Box::new(leg)))
            }
        };
        opened.map_err(|error| {
            let detail = format!("{} could not be opened: {error}", protocol.name());
            problem(Code::Io, protocol, detail)
        })
    }

    /// A port for one more TCP leg.
    fn port(&self) -> Result<Port, Problem> {
        self.bridge.ports.take(self.address, Instant::now()).map_err(|full| {
            let who = match full {
                Full::All(_) => "all sessions".into(),
                Full::Address(_) => self.address.to_string(),
            };
            let limit = full.limit();
            let detail = format!("{who} opened {limit} TCP legs that are open or ended within a minute, the limit is {limit}");
            problem(Code::OverLimit, Protocol::Tcp, detail)
        })
    }

    /// A permit for one more emulated path.
    fn permit(&mut self, protocol: Protocol) -> Result<Permit, Problem> {
        if protocol == Protocol::Tcp {
            // A session has one emulated path per protocol: what is left of the one before ends.
            self.ended.iter_mut().for_each(EndedLeg::cut_off);
        }
        let permit = Arc::clone(&self.bridge.labs).try_acquire_owned();
        permit.map(Permit::from).map_err(|_full| {
            let limit = self.bridge.limits.labs;
            let detail = format!("the server emulates {limit} paths, the limit is {limit}");
            problem(Code::TooManyLabs, protocol, detail)
        })
    }

    fn close(&mut self, close: &Close) -> Result<(), Problem> {
        let not_open = not_open(close.protocol);
        match (close.protocol, close.how) {
            (Protocol::Udp, _) if self.udp.is_some() => self.end_udp(Cause::Closed),
            (Protocol::Tcp, How::Half) => {
                let leg = self.tcp.as_mut().filter(|leg| leg.is_open()).ok_or(not_open)?;
                leg.half_close(&mut self.outbox);
            }
            (Protocol::Tcp, How::Close) if self.tcp.is_some() => self.end_tcp(Cause::Closed),
            (Protocol::Tcp, How::Reset) if self.tcp.is_some() => self.end_tcp(Cause::Reset),
            (Protocol::Udp | Protocol::Tcp, _) => return Err(not_open),
        }
        Ok(())
    }

    fn set_link(&mut self, SetLink { protocol, link }: &SetLink) -> Result<(), Problem> {
        let outbox = &mut self.outbox;
        let is_emulated = match protocol {
            Protocol::Tcp => self.tcp.as_mut().map(|leg| leg.set_link(link, outbox)),
            Protocol::Udp => self.udp.as_mut().map(|leg| leg.set_link(link, outbox)),
        };
        if is_emulated.ok_or_else(|| not_open(*protocol))? {
            return Ok(());
        }
        let detail = format!("{} is open over the direct path", protocol.name());
        Err(problem(Code::NotEmulated, *protocol, detail))
    }

    fn nodelay(&mut self, nodelay: &Nodelay) -> Result<(), Problem> {
        let leg = self.tcp.as_mut().filter(|leg| leg.is_open());
        let leg = leg.ok_or_else(|| not_open(Protocol::Tcp))?;
        leg.set_nodelay(nodelay.on, &mut self.outbox).map_err(|error| {
            problem(Code::Io, Protocol::Tcp, format!("TCP_NODELAY could not be set: {error}"))
        })
    }

    fn watch(&mut self, watch: &Watch) -> Result<(), Problem> {
        if !watch.on {
            if let Some(raw_clients) = &mut self.raw_clients {
                raw_clients.unwatch(Instant::now(), &mut self.outbox);
            }
            return Ok(());
        }
        self.begin_to_capture(watch.packets);
        let raw_clients =
            self.raw_clients.get_or_insert_with(|| Box::new(RawClients::new(self.machine)));
        let Bridge { observer, capture, limits, .. } = &self.bridge;
        let wanted = Wanted { port: watch.port, token: watch.token.clone() };
        raw_clients.watch(&observer.feed, wanted).map_err(|unwatchable| {
            let (code, field) = match unwatchable {
                Unwatchable::Off => (Code::FeedOff, None),
                Unwatchable::Token => (Code::FeedOff, Some("token".into())),
                Unwatchable::Full => (Code::OverLimit, None),
            };
            let detail = unwatchable.to_string();
            Problem { code, detail, message: None, field, id: None, protocol: None }
        })?;
        if watch.packets {
            raw_clients.watch_packets(capture, limits.lab_packets);
        } else {
            raw_clients.unwatch_packets();
        }
        Ok(())
    }

    /// Each leg accepts or refuses the send on its own.
    fn send(&mut self, send: &Send) {
        let lines = Lines::of(send.data());
        for &protocol in send.to.protocols() {
            if let Err(problem) = self.send_to(protocol, send, &lines) {
                let message = Some("send".into());
                self.complain(Problem { message, id: Some(send.id), ..problem });
            }
        }
    }

    fn send_to(&mut self, protocol: Protocol, send: &Send, lines: &Lines) -> Result<(), Problem> {
        let bursts = match protocol {
            Protocol::Tcp => {
                let leg = self.tcp.as_mut().filter(|leg| leg.is_open());
                let leg = leg.ok_or_else(|| not_open(protocol))?;
                if lines.line(1).is_empty() {
                    let detail = "an empty line has no bytes, so over TCP there is nothing to send";
                    return Err(problem(Code::Empty, protocol, detail.into()));
                }
                &mut leg.bursts
            }
            Protocol::Udp => {
                let leg = self.udp.as_mut().ok_or_else(|| not_open(protocol))?;
                if leg.is_emulated() {
                    check_emulated_datagram(&lines.line(send.count))?;
                }
                &mut leg.bursts
            }
        };
        let limit = self.bridge.limits.sends_in_progress;
        if bursts.len() >= limit {
            let name = protocol.name();
            let detail = format!("{name} has {limit} sends in progress, the limit is {limit}");
            return Err(problem(Code::TooManySends, protocol, detail));
        }
        let bytes = bursts.held() + lines.held();
        if bytes > SENDS_BYTES {
            let name = protocol.name();
            let detail = format!(
                "{name}'s sends in progress hold {bytes} bytes, the limit is {SENDS_BYTES}"
            );
            return Err(problem(Code::TooManySends, protocol, detail));
        }
        let now = Instant::now();
        if !self.line_rate.spend(send.count, now) {
            let limit = self.bridge.rates.lines_per_s;
            let detail =
                format!("the session sends more than {limit} lines a second, the limit is {limit}");
            return Err(problem(Code::OverLimit, protocol, detail));
        }
        bursts.start(send, lines.clone(), now);
        Ok(())
    }

    fn stop(&mut self, stop: &Stop) {
        if let Some(leg) = &mut self.tcp {
            leg.bursts.stop(stop.id, &mut self.outbox);
        }
        if let Some(leg) = &mut self.udp {
            leg.bursts.stop(stop.id, &mut self.outbox);
        }
    }

    fn complain(&mut self, problem: Problem) {
        self.outbox.push(Instant::now(), None, Event::Error(problem));
    }
}

/// The last line is the longest.
fn check_emulated_datagram(last: &[u8]) -> Result<(), Problem> {
    let longest = last.len();
    if longest > MAX_EMULATED_DATAGRAM {
        let detail = format!(
            "line is {longest} bytes, the limit of an emulated path is {MAX_EMULATED_DATAGRAM}"
        );
        return Err(problem(Code::OverLimit, Protocol::Udp, detail));
    }
    Ok(())
}

fn problem(code: Code, protocol: Protocol, detail: String) -> Problem {
    Problem { code, detail, message: None, field: None, id: None, protocol: Some(protocol) }
}

fn not_open(protocol: Protocol) -> Problem {
    problem(Code::NotOpen, protocol, format!("{} is not open", protocol.name()))
}
