//! One protocol's lane: its leg, from the events of the session. What they tell goes to the runs and, as rows, into
//! the transcript.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use streamgram_protocol::{Captured, Cause, Event, Packet, Path, Protocol, Send, Unanswered};

use super::flow::Flow;
use super::leg_run::{LegRun, Line, Piece, Read, Status};
use super::log::Log;
use super::note::Note;
use super::payload::Payload;
use super::row::{Content, Row};
use super::runs::Runs;
use super::samples::{Recent, Usage};
use super::sent::Sent;
use super::trace::Trace;

/// Replies whose rows are known while their answers may still be told; the server waits for far fewer.
const KEPT_REPLIES: usize = 4_096;

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
    /// The packets of a leg on which nothing was sent yet.
    opening: Trace,
    /// How far the captured packets of the leg were followed.
    flow: Flow,
    pub(crate) local: String,
    pub(crate) peer: String,
    pub(crate) nodelay: bool,
    /// The latest send that is still going out.
    pub(crate) running: Option<Rc<Send>>,
    /// When an answer came, and after how long.
    pub(crate) round_trips: Recent<(u64, u64)>,
    /// What each send took on an emulated path.
    pub(crate) usage: Recent<Usage>,
    /// What the lines of the sends that are still going out have in common, by id.
    sends: HashMap<u64, Payload>,
    /// The leg's latest replies: their offsets, and their rows.
    replies: VecDeque<(u64, u64)>,
}

/// Where what a lane is told goes.
#[derive(Debug)]
pub(super) struct Books<'p> {
    pub(super) log: &'p mut Log,
    pub(super) runs: &'p mut Runs,
}

impl Lane {
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            state: LegState::None,
            leg: 0,
            closed: 0,
            path: Path::Direct,
            opening: Trace::default(),
            flow: Flow::default(),
            local: String::new(),
            peer: String::new(),
            nodelay: true,
            running: None,
            round_trips: Recent::default(),
            usage: Recent::default(),
            sends: HashMap::new(),
            replies: VecDeque::new(),
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

    /// The page is about to ask for these sends, all at once: what is known of them here.
    pub(super) fn sending(&mut self, sends: &[Rc<Send>]) -> Option<LegRun> {
        let [first, others @ ..] = sends else { return None };
        let mut run = LegRun::new(self.protocol, self.leg, first.id, first.count);
        others.iter().for_each(|send| run.together_with(send.id));
        if self.opening.leg == self.leg {
            run.trace = Rc::new(std::mem::take(&mut self.opening));
        }
        self.running = sends.last().cloned();
        self.sends.extend(sends.iter().map(|send| (send.id, Payload::of_lines(&send.data()))));
        Some(run)
    }

    /// The server did not take a send.
    pub(super) fn not_sent(&mut self, runs: &mut Runs, id: u64) {
        if self.sends.contains_key(&id) {
            self.ended(runs, id);
        }
    }

    /// Sends that are still going out.
    pub(crate) fn in_progress(&self) -> usize {
        self.sends.len()
    }

    /// The page is about to ask for the leg.
    pub(super) fn opening(&mut self) {
        self.state = LegState::Opening;
    }

    /// The session is gone, and the leg with it.
    pub(super) fn session_ended(&mut self, books: &mut Books<'_>, at_us: u64) {
        let log = &mut *books.log;
        for (id, number) in log.waiting(self.protocol) {
            let cause = Unanswered::Closed;
            log.settle(self.protocol, id, number, Status::NoReply { cause, certain: true });
        }
        self.state = LegState::None;
        self.running = None;
        self.sends.clear();
        (self.opening, self.flow) = (Trace::default(), Flow::default());
        self.note(books, at_us, Note::SessionEnded);
    }

    /// A note that is about no leg stands with the latest run.
    pub(super) fn note(&self, Books { log, runs }: &mut Books<'_>, at_us: u64, note: Note) {
        let run = runs.latest().map_or(0, |run| run.number);
        self.push(log, at_us, (self.leg, run), Content::Note(note));
    }

    /// Applies a packet of this lane's leg; its times are Unix times.
    pub(super) fn packet(&mut self, runs: &mut Runs, leg: u32, at_us: u64, packet: Packet) {
        self.usage.packet(leg, &packet);
        let mut runs = runs.on(self.protocol, leg).peekable();
        if runs.peek().is_none() {
            return self.opening.push(leg, Rc::new(Sent { at_us, packet, seen: None }));
        }
        runs.for_each(|run| run.packet(at_us, packet.clone()));
    }

    /// A packet of this lane's leg was captured; its times are Unix times. It can be of a run that is over.
    pub(super) fn captured(&mut self, runs: &mut Runs, leg: u32, at_us: u64, packet: Captured) {
        let placed = self.flow.places(leg, &packet);
        let sent = Rc::new(Sent::of_captured(at_us, packet, placed));
        let mut runs = runs.that_can_own(self.protocol, leg, at_us).peekable();
        if runs.peek().is_none() {
            return self.opening.push(leg, sent);
        }
        runs.for_each(|run| run.captured(Rc::clone(&sent)));
    }

    /// Packets were dropped, of whom nobody knows.
    pub(super) fn packets_unclaimed(&mut self, runs: &mut Runs, count: u64) {
        if self.path != Path::Direct {
            return;
        }
        self.flow.missed();
        let mut runs = runs.on(self.protocol, self.leg).peekable();
        if runs.peek().is_none() && self.opening.is_of(self.leg) {
            self.opening.unclaimed += count;
        }
        runs.for_each(|run| run.packets_unclaimed(count));
    }

    /// Applies an event of this lane's leg.
    pub(super) fn apply(&mut self, books: &mut Books<'_>, at_us: u64, leg: u32, event: &Event) {
        let mut note = |lane: &Self, note| {
            let run = books.runs.number_on(lane.protocol, leg).unwrap_or(0);
            lane.push(books.log, at_us, (leg, run), Content::Note(note));
        };
        match event {
            Event::Opened { local, peer, handshake_us, nodelay, path } => {
                (self.leg, self.path) = (leg, *path);
                self.state = LegState::Open;
                // Samples are those of one socket: it may have another path than the one before.
                self.round_trips = Recent::default();
                self.replies.clear();
                self.local.clone_from(local);
                self.peer.clone_from(peer);
                self.nodelay = nodelay.unwrap_or(true);
                let opened = handshake_us
                    .map_or(Note::SocketOpen, |handshake_us| Note::Connected { handshake_us });
                note(self, opened);
            }
            Event::NodelaySet { nodelay, .. } => {
                self.nodelay = *nodelay;
                note(self, Note::NodelaySet { nodelay: *nodelay });
            }
            Event::HalfClosed {} => {
                self.state = LegState::HalfClosed;
                note(self, Note::HalfClosed);
            }
            Event::Refused { peer, .. } => {
                if self.protocol == Protocol::Tcp {
                    self.state = LegState::Refused;
                    self.running = None;
                }
                note(self, Note::Refused { peer: peer.to_owned() });
            }
            Event::Closed { cause, detail, .. } => {
                self.state = LegState::Closed(*cause);
                self.closed = if *cause == Cause::Closed { leg } else { 0 };
                self.running = None;
                note(self, Note::Closed { cause: *cause, detail: detail.clone() });
            }
            Event::ServerClosed { cause } => {
                let unread = *cause == Cause::PeerReset && self.closed == leg;
                note(self, Note::ServerClosed { cause: *cause, unread });
            }
            Event::Fault(deed) => note(self, Note::Fault { protocol: self.protocol, deed: *deed }),
            Event::LinkSet {} => {
                self.round_trips = Recent::default();
                note(self, Note::LinkSet);
                books.runs.on(self.protocol, leg).for_each(LegRun::link_set);
            }
            _ => self.apply_line(books, at_us, leg, event),
        }
    }

    /// Events about what goes over a leg.
    fn apply_line(&mut self, books: &mut Books<'_>, at_us: u64, leg: u32, event: &Event) {
        let Books { log, runs } = books;
        match *event {
            Event::Sent { id, line: number, offset, bytes, .. } => {
                if self.path == Path::Emulated {
                    self.usage.line(leg, id, bytes);
                }
                let status = Status::Waiting;
                let run = runs.went_out(id, at_us).unwrap_or(0);
                let leg_run = runs.leg_of_send(self.protocol, id);
                let line = Line { number, offset, bytes, status, reply: None };
                let place = leg_run.and_then(|run| run.went_out(id, line)).unwrap_or(number);
                if let Some(lines) = self.sends.get(&id) {
                    let payload = lines.line(number);
                    let content = Content::Line { id, number, place, payload, bytes, status };
                    self.push(log, at_us, (leg, run), content);
                }
            }
            Event::ServerRead { number, offset, bytes } => {
                let read = Read { number, offset, bytes, kept: bytes };
                runs.on(self.protocol, leg).for_each(|run| run.read(at_us, read));
            }
            Event::ServerDatagram { number, bytes, kept } => {
                let read = Read { number, offset: 0, bytes, kept };
                runs.on(self.protocol, leg).for_each(|run| run.read(at_us, read));
            }
            Event::Reply { offset, bytes, ref data, earlier_us } => {
                self.usage.reply(leg, bytes);
                let piece = Piece { offset, bytes, payload: Payload::of(data), earlier_us };
                self.replied(books, at_us, leg, &piece);
            }
            Event::Answered { id, line, rtt_us, late, certain, reply, .. } => {
                self.round_trips.push((at_us, rtt_us));
                self.settle(books, at_us, (id, line), Status::Answered { rtt_us, late, certain });
                let Books { log, runs } = books;
                runs.on(self.protocol, leg).for_each(|run| run.answered(id, reply));
                if let Some(run) = runs.leg_of_send(self.protocol, id) {
                    run.completed(at_us, id, line, reply);
                }
                let row = self.replies.binary_search_by_key(&reply, |(offset, _)| *offset);
                if let (Ok(at), Some(run)) = (row, runs.of_send(id)) {
                    let place = run.leg(self.protocol).and_then(|leg| leg.number(id, line));
                    log.answers(self.replies[at].1, run.number, place.unwrap_or(line));
                }
            }
            Event::NoReply { id, line, cause, certain, .. } => {
                self.settle(books, at_us, (id, line), Status::NoReply { cause, certain });
            }
            Event::Finished { id, lines, of, .. } => {
                self.ended(runs, id);
                if lines < of {
                    let run = runs.of_send(id).map_or(0, |run| run.number);
                    self.push(log, at_us, (leg, run), Content::Note(Note::Stopped { lines, of }));
                }
            }
            Event::PacketsMissed { count } => self.packets_missed(runs, leg, count),
            _ => {}
        }
    }

    /// The leg read a piece of the replies.
    fn replied(
        &mut self,
        Books { log, runs }: &mut Books<'_>,
        at_us: u64,
        leg: u32,
        piece: &Piece,
    ) {
        let content = Content::Reply { payload: piece.payload.clone(), answers: None };
        let run = runs.number_on(self.protocol, leg).unwrap_or(0);
        let row = self.push(log, at_us, (leg, run), content);
        if self.replies.len() == KEPT_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back((piece.offset, row));
        runs.on(self.protocol, leg).for_each(|run| run.piece(at_us, piece.clone()));
    }

    fn packets_missed(&mut self, runs: &mut Runs, leg: u32, count: u64) {
        self.flow.missed();
        let mut runs = runs.on(self.protocol, leg).peekable();
        if runs.peek().is_none() && self.opening.is_of(leg) {
            self.opening.missed += count;
        }
        runs.for_each(|run| run.packets_missed(count));
    }

    /// A send is no longer going out.
    fn ended(&mut self, runs: &mut Runs, id: u64) {
        self.sends.remove(&id);
        if let Some(run) = runs.leg_of_send(self.protocol, id) {
            run.one_ended();
        }
        if self.running.as_ref().is_some_and(|send| send.id == id) {
            self.running = None;
        }
    }

    /// Notes how a line ended, in its row and in its run.
    fn settle(
        &self,
        Books { log, runs }: &mut Books<'_>,
        at_us: u64,
        (id, number): (u64, u32),
        status: Status,
    ) {
        if let Some(run) = runs.leg_of_send(self.protocol, id) {
            run.settle(at_us, id, number, status);
        }
        log.settle(self.protocol, id, number, status);
    }

    /// Adds a row about a leg, which need not be the latest: the server may tell late how one before it ended.
    fn push(&self, log: &mut Log, at_us: u64, (leg, run): (u32, u32), content: Content) -> u64 {
        log.push(Row { key: 0, at_us, protocol: self.protocol, leg, run, content })
    }
}

#[cfg(test)]
mod tests {
    use streamgram_protocol::fault::Deed;
    use streamgram_protocol::{Data, Side, Target};

    use super::*;
    use crate::i18n::language::Language;
    use crate::session::carried::carried;
    use crate::session::log::tests::status;
    use crate::session::run::Conditions;
    use crate::session::sent::tests::datagram;

    const LEG: u32 = 2;

    /// UDP's lane, and what it was told.
    struct Told {
        lane: Lane,
        log: Log,
        runs: Runs,
    }

    impl Told {
        /// Its leg is open; that is the first row.
        fn new() -> Self {
            let (log, runs) = (Log::default(), Runs::default());
            let mut told = Self { lane: Lane::new(Protocol::Udp), log, runs };
            told.opened(LEG);
            told
        }

        fn tell(&mut self, at_us: u64, leg: u32, event: &Event) {
            let mut books = Books { log: &mut self.log, runs: &mut self.runs };
            self.lane.apply(&mut books, at_us, leg, event);
        }

        fn opened(&mut self, leg: u32) {
            let (local, peer) = ("127.0.0.1:5".into(), "127.0.0.1:6".into());
            let path = Path::Direct;
            let opened = Event::Opened { path, local, peer, handshake_us: None, nodelay: None };
            self.tell(0, leg, &opened);
        }

        /// The page asks for sends of so many lines, all at once.
        fn sending(&mut self, ids: &[u64], count: u32) {
            let send = |id: &u64| {
                let data = Data::Text("hi {n}".into());
                Rc::new(Send { count, ..Send::new(*id, Target::Udp, data) })
            };
            let sends: Vec<_> = ids.iter().map(send).collect();
            let leg = self.lane.sending(&sends);
            self.runs.begin(Rc::new(sends), Conditions::default(), leg);
        }

        fn sent(&mut self, id: u64, line: u32) {
            self.tell(1, LEG, &Event::Sent { id, line, offset: 0, bytes: 4, done_us: 2 });
        }

        fn reply(&mut self, at_us: u64, offset: u64) {
            let data = Data::Text("reply".into());
            self.tell(at_us, LEG, &Event::Reply { offset, bytes: 5, data, earlier_us: None });
        }

        fn finished(&mut self, id: u64, lines: u32) {
            self.tell(2, LEG, &Event::Finished { id, lines, of: lines });
        }

        fn run(&self) -> &LegRun {
            self.runs.latest().unwrap().udp.as_ref().unwrap()
        }
    }

    fn answered(id: u64, line: u32, reply: u64) -> Event {
        Event::Answered { id, line, reply, rtt_us: 9, late: false, certain: true }
    }

    #[test]
    fn a_line_waits_is_given_up_and_answered_late() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.sent(1, 1);
        assert_eq!(status(&told.log, 1), Status::Waiting);
        let (cause, certain) = (Unanswered::TimedOut, true);
        told.tell(2, LEG, &Event::NoReply { id: 1, line: 1, cause, certain });
        assert_eq!(status(&told.log, 1), Status::NoReply { cause, certain });
        let late = Event::Answered { id: 1, line: 1, reply: 0, rtt_us: 9, late: true, certain };
        told.tell(3, LEG, &late);
        let answered = Status::Answered { rtt_us: 9, late: true, certain };
        assert_eq!((status(&told.log, 1), told.run().lines[0].status), (answered, answered));
    }

    #[test]
    fn a_run_that_has_ended_stays_as_it_is_and_its_rows_go_on() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.sent(1, 1);
        told.finished(1, 1);
        let (cause, certain) = (Unanswered::TimedOut, true);
        told.tell(2, LEG, &Event::NoReply { id: 1, line: 1, cause, certain });
        let ended = told.run().clone();
        let late = Event::Answered { id: 1, line: 1, reply: 0, rtt_us: 9, late: true, certain };
        told.reply(9_000_000, 0);
        told.tell(9_000_000, LEG, &late);
        told.tell(9_000_000, LEG, &Event::ServerDatagram { number: 9, bytes: 4, kept: 4 });
        assert_eq!(*told.run(), ended);
        assert!(matches!(status(&told.log, 1), Status::Answered { late: true, .. }));
    }

    #[test]
    fn a_reply_names_the_lines_that_it_answers_whatever_came_in_between() {
        let mut told = Told::new();
        told.sending(&[1], 3);
        (1..=3).for_each(|line| told.sent(1, line));
        told.reply(2, 70);
        // An answer that waited for certainty comes after the reply to a later line.
        told.reply(2, 71);
        (1..=3).for_each(|line| told.tell(2, LEG, &answered(1, line, 70)));
        let answers = [4, 5].map(|key| told.log.row(key).unwrap().lines());
        assert_eq!(answers, [Some((1, 3)), None]);
    }

    #[test]
    fn a_run_whose_link_is_changed_under_way_says_so_and_one_that_has_ended_does_not() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.tell(1, LEG, &Event::LinkSet {});
        assert!(told.run().relinked);
        told.finished(1, 1);
        told.sending(&[2], 1);
        told.finished(2, 1);
        told.tell(3, LEG, &Event::LinkSet {});
        assert!(!told.run().relinked);
    }

    #[test]
    fn what_a_faulty_server_did_is_a_row_and_changes_nothing_else() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.sent(1, 1);
        let (lane, run) = (told.lane.clone(), told.run().clone());
        told.tell(2, LEG, &Event::Fault(Deed::Dropped { offset: 0 }));
        assert_eq!((&told.lane, told.run()), (&lane, &run));
        let Content::Note(note) = &told.log.rows().next_back().unwrap().content else { panic!() };
        assert_eq!(note.text(Language::En), "datagram 1: no reply");
        assert_eq!((note.event(), note.is_bad()), ("fault", false));
        let fields = serde_json::to_string(note).unwrap();
        assert_eq!(fields, r#"{"dropped":{"offset":0}}"#);
    }

    #[test]
    fn what_is_told_late_of_the_leg_before_is_not_the_next_run_s() {
        let mut told = Told::new();
        told.opened(LEG + 1);
        told.tell(1, LEG, &Event::ServerClosed { cause: Cause::PeerClosed });
        told.sending(&[1], 1);
        told.log.belong(Protocol::Udp, LEG + 1, 1);
        let rows: Vec<_> = told.log.rows().map(|row| (row.leg, row.run)).collect();
        assert_eq!(rows, [(LEG, 0), (LEG + 1, 1), (LEG, 0)]);
    }

    #[test]
    fn rows_say_of_which_run_they_are() {
        let mut told = Told::new();
        for id in [1, 2] {
            told.sending(&[id], 1);
            told.sent(id, 1);
            told.finished(id, 1);
        }
        // The answer to the first run's line comes during the second.
        told.reply(2, 0);
        told.tell(2, LEG, &answered(1, 1, 0));
        let runs: Vec<_> = told.log.rows().map(|row| row.run).collect();
        assert_eq!(runs, [0, 1, 2, 1]);
    }

    #[test]
    fn samples_are_those_of_one_socket_over_one_link() {
        let mut told = Told::new();
        let samples = |told: &Told| told.lane.round_trips.samples.len();
        told.tell(3, LEG, &answered(1, 1, 0));
        assert_eq!(samples(&told), 1);
        told.tell(4, LEG, &Event::LinkSet {});
        assert_eq!(samples(&told), 0);
        told.tell(5, LEG, &answered(1, 1, 0));
        told.opened(LEG + 1);
        assert_eq!(samples(&told), 0);
    }

    #[test]
    fn a_reset_that_a_close_with_unread_replies_causes_is_explained() {
        let text = |cause| {
            let mut told = Told { lane: Lane::new(Protocol::Tcp), ..Told::new() };
            told.tell(1, LEG, &Event::Closed { cause, detail: None });
            told.tell(2, LEG, &Event::ServerClosed { cause: Cause::PeerReset });
            let last = told.log.rows().next_back().unwrap();
            let Content::Note(note) = &last.content else { panic!() };
            note.text(Language::En)
        };
        assert!(text(Cause::Closed).contains("RFC 2525"));
        assert!(!text(Cause::Reset).contains("RFC 2525"));
    }

    #[test]
    fn replies_that_came_are_counted_with_copies_and_without_those_of_an_earlier_run() {
        let mut told = Told::new();
        told.sending(&[2], 1);
        told.sent(2, 1);
        // A late one, the one that is awaited, and a copy of it.
        told.reply(2, 0);
        told.tell(2, LEG, &answered(1, 1, 0));
        told.reply(3, 1);
        told.tell(3, LEG, &answered(2, 1, 1));
        told.reply(3, 2);
        let offsets: Vec<_> = told.run().pieces.iter().map(|piece| piece.offset).collect();
        assert_eq!(offsets, [1, 2]);
    }

    #[test]
    fn a_captured_packet_goes_to_the_run_that_it_can_be_of_even_if_the_next_has_begun() {
        let mut told = Told::new();
        let packet = |told: &mut Told, number| {
            let captured = datagram(Side::Client, number, 4);
            told.lane.captured(&mut told.runs, LEG, captured.left_us.unwrap(), captured);
        };
        packet(&mut told, 0);
        for id in [1, 2] {
            told.sending(&[id], 1);
            let sent = Event::Sent { id, line: 1, offset: id - 1, bytes: 4, done_us: 2 };
            told.tell(1, LEG, &sent);
            told.tell(3, LEG, &answered(id, 1, id - 1));
            told.finished(id, 1);
        }
        packet(&mut told, 1);
        let labels = told.runs.kept.iter().map(|run| {
            let trace = carried(run.udp.as_ref().unwrap());
            trace.packets.iter().map(|sent| sent.packet.number).collect::<Vec<_>>()
        });
        assert_eq!(labels.collect::<Vec<_>>(), [vec![0], vec![1]]);
    }

    #[test]
    fn what_nobody_knows_of_is_counted_over_a_direct_path() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.lane.packets_unclaimed(&mut told.runs, 3);
        told.lane.path = Path::Emulated;
        told.lane.packets_unclaimed(&mut told.runs, 3);
        assert_eq!(told.run().trace.unclaimed, 3);
    }

    #[test]
    fn how_late_a_reply_was_read_is_told_of_the_lines_that_it_answered() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        told.sent(1, 1);
        for (offset, earlier_us) in [(0, 70), (1, 900)] {
            let data = Data::Text("reply".into());
            let earlier_us = Some(earlier_us);
            told.tell(2, LEG, &Event::Reply { offset, bytes: 5, data, earlier_us });
        }
        assert_eq!(told.run().read_late_us(), None);
        told.tell(2, LEG, &answered(1, 1, 0));
        told.finished(1, 1);
        assert_eq!(told.run().read_late_us(), Some(70));
    }

    #[test]
    fn when_the_session_goes_nothing_is_waited_for() {
        let mut told = Told::new();
        told.sending(&[1], 2);
        told.sent(1, 1);
        let mut books = Books { log: &mut told.log, runs: &mut told.runs };
        told.lane.session_ended(&mut books, 5);
        told.runs.session_ended();
        assert!(matches!(status(&told.log, 1), Status::NoReply { cause: Unanswered::Closed, .. }));
        assert_eq!((told.lane.state, told.lane.running.is_none()), (LegState::None, true));
        assert!(!told.run().is_open());
    }

    #[test]
    fn sends_that_went_out_together_are_one_run_with_lines_numbered_through() {
        let mut told = Told::new();
        told.sending(&[5, 6], 2);
        for (id, line) in [(5, 1), (6, 1), (5, 2), (6, 2)] {
            told.sent(id, line);
        }
        told.finished(5, 2);
        let numbers: Vec<_> = told.run().lines.iter().map(|line| line.number).collect();
        assert_eq!((told.run().of, told.run().finished, numbers), (4, false, vec![1, 3, 2, 4]));
        assert_eq!(
            [1, 2, 3, 4].map(|line| told.run().origin(line)),
            [(0, 1), (0, 2), (1, 1), (1, 2)]
        );
        told.finished(6, 2);
        told.tell(3, LEG, &answered(6, 1, 0));
        let run = told.run();
        assert!(run.finished && matches!(run.lines[1].status, Status::Answered { .. }));
        assert_eq!(told.lane.in_progress(), 0);
    }

    #[test]
    fn a_send_that_the_server_does_not_take_is_not_waited_for() {
        let mut told = Told::new();
        told.sending(&[5], 1);
        told.lane.not_sent(&mut told.runs, 5);
        assert_eq!((told.lane.in_progress(), told.run().is_open()), (0, false));
    }

    #[test]
    fn reads_of_another_leg_are_not_the_run_s() {
        let mut told = Told::new();
        told.sending(&[1], 1);
        for leg in [1, LEG] {
            told.tell(1, leg, &Event::ServerDatagram { number: 0, bytes: 4, kept: 4 });
        }
        assert_eq!(told.run().reads.len(), 1);
    }
}
