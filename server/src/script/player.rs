//! What a scenario says to its session, and when it is over. Pure: messages in, messages out.
//!
//! It opens the legs, sends its lines one send after the other, waits until every line is answered or given up, and
//! closes. What never comes is the deadline's business.

use std::collections::{HashSet, VecDeque};

use streamgram_protocol::{
    ClientMessage, Close, Event, How, Open, Path, Problem, Protocol, Scenario, Send, ServerMessage,
};

/// A scenario that is being run.
#[derive(Debug)]
pub(super) struct Player {
    legs: Vec<Leg>,
    sends: VecDeque<Send>,
    stage: Stage,
    /// The first thing that the session could not carry out.
    pub(super) problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Legs open.
    Opening,
    /// Lines go out and are answered.
    Sending,
    /// Everything is settled, or takes too long.
    Closing,
}

/// One of the legs.
#[derive(Debug)]
struct Leg {
    protocol: Protocol,
    is_open: bool,
    has_ended: bool,
    /// Sends that have nothing left to send here.
    finished: HashSet<u64>,
    /// The latest send that was asked for.
    asked: Option<u64>,
    /// Lines that are neither answered nor given up.
    owed: u64,
    /// The server has taken the connection, and not seen its end.
    is_served: bool,
}

impl Player {
    /// A scenario with its sends, and what it says first.
    pub(super) fn new(
        scenario: &Scenario,
        sends: Vec<Send>,
        fault: impl Fn(Protocol) -> Option<usize>,
    ) -> (Self, Vec<ClientMessage>) {
        let protocols = scenario.to.protocols();
        let opens = protocols.iter().map(|&protocol| {
            let is_tcp = protocol == Protocol::Tcp;
            let link = scenario.link.clone();
            ClientMessage::Open(Open {
                protocol,
                nodelay: is_tcp.then_some(scenario.nodelay),
                path: if link.is_some() { Path::Emulated } else { Path::Direct },
                link: link.map(Box::new),
                capture: false,
                fault: fault(protocol),
            })
        });
        let legs = protocols.iter().map(|&protocol| Leg::new(protocol)).collect();
        let sends = VecDeque::from(sends);
        (Self { legs, sends, stage: Stage::Opening, problem: None }, opens.collect())
    }

    /// What it says to what it hears.
    pub(super) fn hear(&mut self, message: &ServerMessage) -> Vec<ClientMessage> {
        if let Event::Error(problem) = &message.event {
            self.refused(problem);
        }
        if let Some(id) = message.leg
            && let Some(leg) = self.legs.iter_mut().find(|leg| leg.protocol == id.protocol)
        {
            leg.hear(&message.event);
        }
        self.go_on()
    }

    /// Whether every line was answered or given up.
    pub(super) fn is_settled(&self) -> bool {
        self.sends.is_empty() && self.legs.iter().all(|leg| leg.is_settled() && leg.owed == 0)
    }

    /// Whether nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Closing && self.legs.iter().all(|leg| leg.has_ended && !leg.is_served)
    }

    /// It takes too long: whatever is under way is given up.
    pub(super) fn give_up(&mut self) -> Vec<ClientMessage> {
        self.stage = Stage::Closing;
        let open = self.legs.iter().filter(|leg| !leg.has_ended);
        let close = |leg: &Leg| Close { protocol: leg.protocol, how: How::Close };
        open.map(|leg| ClientMessage::Close(close(leg))).collect()
    }

    fn go_on(&mut self) -> Vec<ClientMessage> {
        if self.stage == Stage::Opening {
            if !self.legs.iter().all(|leg| leg.is_open || leg.has_ended) {
                return Vec::new();
            }
            self.stage = Stage::Sending;
        }
        if self.stage == Stage::Closing || !self.legs.iter().all(Leg::is_settled) {
            return Vec::new();
        }
        if self.legs.iter().all(|leg| leg.has_ended) {
            self.sends.clear();
        }
        if let Some(send) = self.sends.pop_front() {
            self.legs.iter_mut().for_each(|leg| leg.asked = Some(send.id));
            return vec![ClientMessage::Send(send)];
        }
        if !self.is_settled() {
            return Vec::new();
        }
        self.stage = Stage::Closing;
        let open = self.legs.iter().filter(|leg| !leg.has_ended);
        // The server ends its side of a TCP leg then, so that the leg ends without a reset.
        let how = |protocol| if protocol == Protocol::Tcp { How::Half } else { How::Close };
        let close = |leg: &Leg| Close { protocol: leg.protocol, how: how(leg.protocol) };
        open.map(|leg| ClientMessage::Close(close(leg))).collect()
    }

    /// A message was not carried out: nothing comes of it.
    fn refused(&mut self, problem: &Problem) {
        let is_meant = |leg: &&mut Leg| problem.protocol.is_none_or(|it| it == leg.protocol);
        for leg in self.legs.iter_mut().filter(is_meant) {
            match (problem.message.as_deref(), problem.id) {
                (Some("open"), _) => leg.has_ended = true,
                (Some("send"), Some(id)) => drop(leg.finished.insert(id)),
                _ => {}
            }
        }
        // A leg that has ended takes no more sends, and its end was told.
        let of_ended = |leg: &Leg| leg.has_ended && problem.protocol == Some(leg.protocol);
        let is_told = problem.message.as_deref() == Some("send") && self.legs.iter().any(of_ended);
        if self.problem.is_none() && !is_told && self.stage != Stage::Closing {
            self.problem = Some(problem.clone());
        }
    }
}

impl Leg {
    fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            is_open: false,
            has_ended: false,
            finished: HashSet::new(),
            asked: None,
            owed: 0,
            is_served: false,
        }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Opened { .. } => self.is_open = true,
            Event::Sent { .. } => self.owed += 1,
            Event::Answered { late: false, .. } | Event::NoReply { .. } => {
                self.owed = self.owed.saturating_sub(1);
            }
            Event::Finished { id, .. } => drop(self.finished.insert(*id)),
            Event::ServerAccepted {} => self.is_served = true,
            Event::ServerClosed { .. } => self.is_served = false,
            Event::Refused { .. } if self.protocol == Protocol::Tcp => self.has_ended = true,
            Event::Closed { .. } => self.has_ended = true,
            _ => {}
        }
    }

    /// Whether it has sent all that it was asked to send.
    fn is_settled(&self) -> bool {
        self.has_ended || self.asked.is_none_or(|id| self.finished.contains(&id))
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Cause, Code, LegId, Target};

    use super::*;

    fn player(to: Target, text: &str) -> Player {
        let scenario = Scenario { text: text.into(), to, ..Scenario::default() };
        let sends = scenario.sends().unwrap();
        let (player, opens) = Player::new(&scenario, sends, |_| None);
        assert_eq!(opens.len(), to.protocols().len());
        player
    }

    fn hear(player: &mut Player, protocol: Protocol, event: Event) -> Vec<String> {
        let leg = Some(LegId { protocol, number: 1 });
        let said = player.hear(&ServerMessage { at_us: 1, leg, event });
        said.iter().map(ClientMessage::encode).collect()
    }

    fn opened() -> Event {
        let [local, peer] = ["127.0.0.1:1", "127.0.0.1:2"].map(str::to_owned);
        Event::Opened { path: Path::Direct, local, peer, handshake_us: None, nodelay: None }
    }

    fn sent(id: u64) -> [Event; 2] {
        [
            Event::Sent { id, line: 1, offset: 0, bytes: 1, done_us: 2 },
            Event::Finished { id, lines: 1, of: 1 },
        ]
    }

    fn answered(id: u64) -> Event {
        Event::Answered { id, line: 1, reply: 0, rtt_us: 1, late: false, certain: true }
    }

    #[test]
    fn lines_go_out_one_send_after_the_other_and_then_it_closes() {
        let mut player = player(Target::Tcp, "a\nb");
        let tcp = Protocol::Tcp;
        hear(&mut player, tcp, Event::ServerAccepted {});
        assert!(hear(&mut player, tcp, opened())[0].contains(r#""id":1"#));
        let [line, finished] = sent(1);
        assert!(hear(&mut player, tcp, line).is_empty());
        assert!(hear(&mut player, tcp, finished)[0].contains(r#""id":2"#));
        assert!(hear(&mut player, tcp, answered(1)).is_empty());
        for event in sent(2) {
            assert!(hear(&mut player, tcp, event).is_empty());
        }
        assert!(!player.is_settled());
        assert!(hear(&mut player, tcp, answered(2))[0].contains("half"));
        let cause = Cause::PeerClosed;
        hear(&mut player, tcp, Event::Closed { cause, detail: None });
        assert!(player.is_settled() && !player.is_over());
        hear(&mut player, tcp, Event::ServerClosed { cause });
        assert!(player.is_over() && player.problem.is_none());
    }

    #[test]
    fn a_leg_that_ends_is_not_waited_for() {
        let mut player = player(Target::Both, "a\nb");
        hear(&mut player, Protocol::Udp, opened());
        let refused = Event::Refused { peer: "127.0.0.1:2".into() };
        assert_eq!(hear(&mut player, Protocol::Tcp, refused).len(), 1);
        let problem = Problem {
            code: Code::NotOpen,
            detail: "TCP is not open".into(),
            message: Some("send".into()),
            field: None,
            id: Some(1),
            protocol: Some(Protocol::Tcp),
        };
        hear(&mut player, Protocol::Tcp, Event::Error(problem));
        for id in [1, 2] {
            for event in sent(id).into_iter().chain([answered(id)]) {
                hear(&mut player, Protocol::Udp, event);
            }
        }
        assert!(player.is_settled() && player.problem.is_none());
        hear(&mut player, Protocol::Udp, Event::Closed { cause: Cause::Closed, detail: None });
        assert!(player.is_over());
    }

    #[test]
    fn what_takes_too_long_is_closed_as_it_stands() {
        let mut player = player(Target::Tcp, "a");
        hear(&mut player, Protocol::Tcp, opened());
        let closes = player.give_up();
        assert_eq!(closes[0].encode(), r#"{"close":{"protocol":"tcp","how":"close"}}"#);
        assert!(!player.is_settled());
    }
}
