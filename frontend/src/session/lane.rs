//! One protocol's lane: its leg and its figures, from the events of the session. Its rows go into the
//! transcript.

use std::collections::HashMap;
use std::rc::Rc;

use streamgram_protocol::{Cause, Event, Packet, Path, Protocol, Send, Unanswered};

use super::leg_run::{LegRun, Line, Piece, Read, Status};
use super::log::Log;
use super::note::Note;
use super::payload::Payload;
use super::row::{Content, Row};
use super::samples::{Recent, Usage};
use super::trace::Trace;

/// How the leg stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegState {
    /// Never opened, or gone with its session.
    None,
    Opening,
    Open,
    HalfClosed,
    Refused,
    Closed(Cause),
}

/// One protocol's lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) protocol: Protocol,
    pub(crate) state: LegState,
    pub(crate) leg: u32,
    /// The latest leg, if this end closed it.
    closed: u32,
    pub(crate) path: Path,
    pub(crate) trace: Trace,
    pub(crate) local: String,
    pub(crate) peer: String,
    pub(crate) nodelay: bool,
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) unanswered: u64,
    pub(crate) last_send: Option<LegRun>,
    /// The latest send that is still going out.
    pub(crate) running: Option<Rc<Send>>,
    /// When an answer came, and after how long.
    pub(crate) round_trips: Recent<(u64, u64)>,
    /// What each send took on an emulated path.
    pub(crate) usage: Recent<Usage>,
    /// What the lines of the sends that are still going out have in common, by id.
    sends: HashMap<u64, Payload>,
    /// The row of the latest reply.
    reply: Option<u64>,
}

impl Lane {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            state: LegState::None,
            leg: 0,
            closed: 0,
            path: Path::Direct,
            trace: Trace::default(),
            local: String::new(),
            peer: String::new(),
            nodelay: true,
            sent: 0,
            answered: 0,
            unanswered: 0,
            last_send: None,
            running: None,
            round_trips: Recent::default(),
            usage: Recent::default(),
            sends: HashMap::new(),
            reply: None,
        }
    }

    /// Whether lines can be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.state == LegState::Open
    }

    /// Whether there is anything to close.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.state, LegState::Opening | LegState::Open | LegState::HalfClosed)
    }

    pub(crate) fn last_round_trip(&self) -> Option<u64> {
        self.round_trips.samples.back().map(|(_, rtt_us)| *rtt_us)
    }

    /// Of an even number of them, the mean of the middle two.
    pub(crate) fn median_round_trip(&self) -> Option<u64> {
        let mut round_trips: Vec<u64> =
            self.round_trips.samples.iter().map(|(_, rtt_us)| *rtt_us).collect();
        round_trips.sort_unstable();
        let middle = |at: usize| round_trips.get(at).copied();
        let lower = middle(round_trips.len().saturating_sub(1) / 2)?;
        Some(u64::midpoint(lower, middle(round_trips.len() / 2)?))
    }

    /// The page is about to ask for these sends, all at once.
    pub(crate) fn sending(&mut self, sends: &[Rc<Send>]) {
        let [first, others @ ..] = sends else { return };
        let mut last = LegRun::new(self.protocol, self.leg, first.id, first.count);
        others.iter().for_each(|send| last.together_with(send.id));
        self.last_send = Some(last);
        self.running = sends.last().cloned();
        self.sends.extend(sends.iter().map(|send| (send.id, Payload::of_lines(&send.data()))));
    }

    /// The server did not take a send.
    pub(crate) fn not_sent(&mut self, id: u64) {
        if self.sends.contains_key(&id) {
            self.ended(id);
        }
    }

    /// Sends that are still going out.
    pub(crate) fn in_progress(&self) -> usize {
        self.sends.len()
    }

    /// The page is about to ask for the leg.
    pub(crate) fn opening(&mut self) {
        self.state = LegState::Opening;
    }

    /// The session is gone, and the leg with it.
    pub(crate) fn session_ended(&mut self, log: &mut Log, at_us: u64) {
        for (id, number) in log.waiting(self.protocol) {
            let cause = Unanswered::Closed;
            self.settle(log, id, number, Status::NoReply { cause, certain: true });
        }
        self.state = LegState::None;
        self.running = None;
        self.sends.clear();
        if let Some(send) = &mut self.last_send {
            send.finished = true;
        }
        self.trace.session_ended();
        self.note(log, at_us, Note::SessionEnded);
    }

    pub(crate) fn note(&self, log: &mut Log, at_us: u64, note: Note) {
        self.push(log, at_us, Content::Note(note));
    }

    /// Applies a packet of this lane's leg; its times are Unix times.
    pub(crate) fn packet(&mut self, leg: u32, at_us: u64, mut packet: Packet) {
        self.usage.packet(leg, &packet);
        // Lines of sends that went out together are numbered through.
        for line in [&mut packet.line, &mut packet.last_line].into_iter().flatten() {
            let send = self.last_send.as_ref();
            let number = send.and_then(|send| send.number(line.send, line.number));
            line.number = number.unwrap_or(line.number);
        }
        self.trace.push(leg, at_us, packet);
    }

    /// Applies an event of this lane's leg.
    pub(crate) fn apply(&mut self, log: &mut Log, at_us: u64, leg: u32, event: &Event) {
        match event {
            Event::Opened { local, peer, handshake_us, nodelay, path } => {
                (self.leg, self.path) = (leg, *path);
                self.state = LegState::Open;
                // Figures are those of one socket: it may have another path than the one before.
                (self.sent, self.answered, self.unanswered) = (0, 0, 0);
                self.round_trips = Recent::default();
                self.local.clone_from(local);
                self.peer.clone_from(peer);
                self.nodelay = nodelay.unwrap_or(true);
                let note = handshake_us
                    .map_or(Note::SocketOpen, |handshake_us| Note::Connected { handshake_us });
                self.note(log, at_us, note);
            }
            Event::NodelaySet { nodelay, .. } => {
                self.nodelay = *nodelay;
                self.note(log, at_us, Note::NodelaySet { nodelay: *nodelay });
            }
            Event::HalfClosed {} => {
                self.state = LegState::HalfClosed;
                self.note(log, at_us, Note::HalfClosed);
            }
            Event::Refused { peer, .. } => self.refused(log, at_us, peer),
            Event::Closed { cause, detail, .. } => {
                self.state = LegState::Closed(*cause);
                self.closed = if *cause == Cause::Closed { leg } else { 0 };
                self.running = None;
                self.note(log, at_us, Note::Closed { cause: *cause, detail: detail.clone() });
            }
            Event::ServerClosed { cause } => {
                let unread = *cause == Cause::PeerReset && self.closed == leg;
                self.note(log, at_us, Note::ServerClosed { cause: *cause, unread });
            }
            Event::LinkSet {} => {
                self.round_trips = Recent::default();
                self.note(log, at_us, Note::LinkSet);
            }
            Event::PacketsMissed { count } => self.trace.missed += count,
            _ => self.apply_line(log, at_us, leg, event),
        }
    }

    fn refused(&mut self, log: &mut Log, at_us: u64, peer: &str) {
        if self.protocol == Protocol::Tcp {
            self.state = LegState::Refused;
            self.running = None;
        }
        self.note(log, at_us, Note::Refused { peer: peer.to_owned() });
    }

    /// Events about the bytes of a leg.
    fn apply_line(&mut self, log: &mut Log, at_us: u64, leg: u32, event: &Event) {
        match *event {
            Event::Sent { id, line: number, offset, bytes, .. } => {
                let line = Line { number, offset, bytes, status: Status::Waiting };
                if self.path == Path::Emulated {
                    self.usage.line(leg, id, bytes);
                }
                self.went_out(log, at_us, id, line);
            }
            Event::Finished { id, lines, of, .. } => self.finished(log, at_us, id, lines, of),
            Event::ServerRead { number, offset, bytes } => {
                self.observed(leg, Read { number, offset, bytes, kept: bytes });
            }
            Event::ServerDatagram { number, bytes, kept } => {
                self.observed(leg, Read { number, offset: 0, bytes, kept });
            }
            Event::Reply { offset, bytes, ref data } => {
                self.usage.reply(leg, bytes);
                let payload = Payload::of(data);
                let content = Content::Reply { payload: payload.clone(), answers: None };
                self.reply = Some(self.push(log, at_us, content));
                if let Some(send) = self.last_send.as_mut().filter(|send| send.leg == leg) {
                    send.piece(Piece { offset, bytes, payload });
                }
            }
            Event::Answered { id, line, rtt_us, late, certain, .. } => {
                self.answered += 1;
                self.unanswered -= u64::from(late && self.unanswered > 0);
                self.round_trips.push((at_us, rtt_us));
                self.settle(log, id, line, Status::Answered { rtt_us, late, certain });
                if let Some(send) = self.last_send.as_mut().filter(|send| send.leg == leg) {
                    send.answered(id);
                }
                if let Some(reply) = self.reply {
                    log.answers(reply, line);
                }
            }
            Event::NoReply { id, line, cause, certain, .. } => {
                self.unanswered += 1;
                self.settle(log, id, line, Status::NoReply { cause, certain });
            }
            _ => {}
        }
    }

    fn went_out(&mut self, log: &mut Log, at_us: u64, id: u64, line: Line) {
        self.sent += 1;
        if let Some(lines) = self.sends.get(&id) {
            let Line { number, bytes, status, .. } = line;
            let payload = lines.line(number);
            self.push(log, at_us, Content::Line { id, number, payload, bytes, status });
        }
        if let Some(send) = &mut self.last_send
            && let Some(number) = send.number(id, line.number)
        {
            send.lines.push(Line { number, ..line });
        }
    }

    /// A send is no longer going out.
    fn ended(&mut self, id: u64) {
        self.sends.remove(&id);
        if let Some(send) = self.last_send.as_mut().filter(|send| send.number(id, 1).is_some()) {
            send.one_ended();
        }
        if self.running.as_ref().is_some_and(|send| send.id == id) {
            self.running = None;
        }
    }

    fn finished(&mut self, log: &mut Log, at_us: u64, id: u64, lines: u32, of: u32) {
        self.ended(id);
        if lines < of {
            self.note(log, at_us, Note::Stopped { lines, of });
        }
    }

    fn observed(&mut self, leg: u32, read: Read) {
        if let Some(send) = self.last_send.as_mut().filter(|send| send.leg == leg) {
            send.read(read);
        }
    }

    /// Notes how a line ended, in its row and in the last send.
    fn settle(&mut self, log: &mut Log, id: u64, number: u32, status: Status) {
        if let Some(send) = &mut self.last_send
            && let Some(line) = send.number(id, number)
        {
            send.set_status(line, status);
        }
        log.settle(self.protocol, id, number, status);
    }

    fn push(&self, log: &mut Log, at_us: u64, content: Content) -> u64 {
        log.push(Row { key: 0, at_us, protocol: self.protocol, leg: self.leg, content })
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::{Data, Target};

    use super::*;
    use crate::session::log::tests::status;

    const LEG: u32 = 2;

    fn send(id: u64, count: u32) -> Rc<Send> {
        let data = Data::Text("hi {n}".into());
        Rc::new(Send { count, ..Send::new(id, Target::Udp, data) })
    }

    fn opened() -> (Lane, Log) {
        let (mut lane, mut log) = (Lane::new(Protocol::Udp), Log::default());
        let (local, peer) = ("127.0.0.1:5".into(), "127.0.0.1:6".into());
        let path = Path::Direct;
        let opened = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        lane.apply(&mut log, 0, LEG, &opened);
        (lane, log)
    }

    fn sent(lane: &mut Lane, log: &mut Log, id: u64, line: u32) {
        lane.apply(log, 1, LEG, &Event::Sent { id, line, offset: 0, bytes: 4, done_us: 2 });
    }

    fn answered(id: u64, line: u32, rtt_us: u64) -> Event {
        Event::Answered { id, line, reply: 0, rtt_us, late: false, certain: true }
    }

    #[test]
    fn a_line_waits_is_given_up_and_answered_late() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(1, 1)]);
        sent(&mut lane, &mut log, 1, 1);
        assert_eq!(status(&log, 1), Status::Waiting);
        let (cause, certain) = (Unanswered::TimedOut, true);
        lane.apply(&mut log, 2, LEG, &Event::NoReply { id: 1, line: 1, cause, certain });
        assert_eq!(status(&log, 1), Status::NoReply { cause, certain });
        assert_eq!((lane.answered, lane.unanswered), (0, 1));
        let late = Event::Answered { id: 1, line: 1, reply: 0, rtt_us: 9, late: true, certain };
        lane.apply(&mut log, 3, LEG, &late);
        assert_eq!(status(&log, 1), Status::Answered { rtt_us: 9, late: true, certain });
        assert_eq!((lane.answered, lane.unanswered), (1, 0));
    }

    #[test]
    fn a_reply_names_the_lines_that_it_answers_whatever_came_in_between() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(1, 3)]);
        (1..=3).for_each(|line| sent(&mut lane, &mut log, 1, line));
        let data = Data::Text("reply".into());
        lane.apply(&mut log, 2, LEG, &Event::Reply { offset: 0, bytes: 5, data });
        Lane::new(Protocol::Tcp).note(&mut log, 2, Note::LinkSet);
        (1..=3).for_each(|line| lane.apply(&mut log, 2, LEG, &answered(1, line, 9)));
        let reply = &log.row(4).unwrap().content;
        assert!(matches!(reply, Content::Reply { answers: Some((1, 3)), .. }), "{reply:?}");
    }

    #[test]
    fn the_median_is_that_of_the_round_trips() {
        let (mut lane, mut log) = opened();
        assert_eq!(lane.median_round_trip(), None);
        for rtt_us in [9, 1, 5] {
            lane.apply(&mut log, 3, LEG, &answered(1, 1, rtt_us));
        }
        assert_eq!((lane.last_round_trip(), lane.median_round_trip()), (Some(5), Some(5)));
        lane.apply(&mut log, 3, LEG, &answered(1, 1, 8));
        assert_eq!(lane.median_round_trip(), Some(6));
    }

    #[test]
    fn figures_are_those_of_one_socket_over_one_link() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(1, 1)]);
        sent(&mut lane, &mut log, 1, 1);
        lane.apply(&mut log, 3, LEG, &answered(1, 1, 9));
        lane.apply(&mut log, 4, LEG, &Event::LinkSet {});
        assert_eq!((lane.sent, lane.answered, lane.median_round_trip()), (1, 1, None));
        lane.apply(&mut log, 5, LEG, &answered(1, 1, 9));
        let (local, peer) = (String::new(), String::new());
        let path = Path::Emulated;
        let opened = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
        lane.apply(&mut log, 6, LEG + 1, &opened);
        assert_eq!((lane.sent, lane.answered, lane.unanswered), (0, 0, 0));
        assert_eq!(lane.median_round_trip(), None);
    }

    #[test]
    fn a_reset_that_a_close_with_unread_replies_causes_is_explained() {
        let mut log = Log::default();
        let mut text = |cause| {
            let mut lane = Lane::new(Protocol::Tcp);
            lane.apply(&mut log, 1, LEG, &Event::Closed { cause, detail: None });
            lane.apply(&mut log, 2, LEG, &Event::ServerClosed { cause: Cause::PeerReset });
            let Content::Note(note) = &log.rows().next_back().unwrap().content else { panic!() };
            note.text(crate::i18n::language::Language::En)
        };
        assert!(text(Cause::Closed).contains("RFC 2525"));
        assert!(!text(Cause::Reset).contains("RFC 2525"));
    }

    #[test]
    fn replies_that_came_are_counted_with_copies_and_without_those_of_an_earlier_send() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(2, 1)]);
        sent(&mut lane, &mut log, 2, 1);
        let reply = |offset| Event::Reply { offset, bytes: 24, data: Data::Text(String::new()) };
        // A late one, the one that is awaited, and a copy of it.
        lane.apply(&mut log, 2, LEG, &reply(0));
        lane.apply(&mut log, 2, LEG, &answered(1, 1, 9));
        lane.apply(&mut log, 3, LEG, &reply(1));
        lane.apply(&mut log, 3, LEG, &answered(2, 1, 9));
        lane.apply(&mut log, 3, LEG, &reply(2));
        assert_eq!(lane.last_send.unwrap().pieces.len(), 2);
    }

    #[test]
    fn when_the_session_goes_nothing_is_waited_for() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(1, 2)]);
        sent(&mut lane, &mut log, 1, 1);
        lane.session_ended(&mut log, 5);
        assert!(matches!(status(&log, 1), Status::NoReply { cause: Unanswered::Closed, .. }));
        assert_eq!((lane.state, lane.running.is_none()), (LegState::None, true));
        assert!(!lane.last_send.unwrap().is_open());
    }

    #[test]
    fn sends_that_went_out_together_are_one_with_lines_numbered_through() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(5, 2), send(6, 2)]);
        for (id, line) in [(5, 1), (6, 1), (5, 2), (6, 2)] {
            sent(&mut lane, &mut log, id, line);
        }
        let finished = |id| Event::Finished { id, lines: 2, of: 2 };
        lane.apply(&mut log, 2, LEG, &finished(5));
        let last = lane.last_send.clone().unwrap();
        let numbers: Vec<_> = last.lines.iter().map(|line| line.number).collect();
        assert_eq!((last.id, last.of, last.finished, numbers), (5, 4, false, vec![1, 3, 2, 4]));
        lane.apply(&mut log, 2, LEG, &finished(6));
        lane.apply(&mut log, 3, LEG, &answered(6, 1, 9));
        let last = lane.last_send.as_ref().unwrap();
        assert!(last.finished && matches!(last.lines[1].status, Status::Answered { .. }));
        assert_eq!(lane.in_progress(), 0);
    }

    #[test]
    fn a_send_that_the_server_does_not_take_is_not_waited_for() {
        let (mut lane, _log) = opened();
        lane.sending(&[send(5, 1)]);
        lane.not_sent(5);
        assert_eq!((lane.in_progress(), lane.last_send.unwrap().is_open()), (0, false));
    }

    #[test]
    fn reads_of_another_leg_are_not_the_last_sends() {
        let (mut lane, mut log) = opened();
        lane.sending(&[send(1, 1)]);
        let old = 1;
        for leg in [old, LEG] {
            let datagram = Event::ServerDatagram { number: 0, bytes: 4, kept: 4 };
            lane.apply(&mut log, 1, leg, &datagram);
        }
        assert_eq!(lane.last_send.unwrap().reads.len(), 1);
    }
}
